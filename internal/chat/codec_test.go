package chat

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

var update = flag.Bool("update", false, "write testdata/rows.golden anew")

// goldenRows is one row of every kind and form. The file they are held against is a one-way door: a difference is a
// migration, not a new golden file.
func goldenRows() (rows [][3]string) {
	a, c := userN(1), userN(2)
	group, direct := groupOf(a, 1), ids.Direct(a, c)
	pos := kernel.Position{Epoch: 7, N: 1234567}
	device := ids.Device(bytes.Repeat([]byte{0xd1}, 16))
	add := func(name string, key, value []byte) {
		rows = append(rows, [3]string{name, hex.EncodeToString(key), hex.EncodeToString(value)})
	}
	room := func(name string, id ids.Room, r RoomRow) { add(name, roomKey(id), r.encode()) }
	message := func(name string, m Message) {
		m.Time, m.Author, m.Ord = startTime, a, 3
		add(name, messageKey(group, m.Seq), m.encode())
	}
	room("room-group", group, RoomRow{Kind: ids.KindGroup, Title: "산악회", NextSeq: 9, Ord: 3, LastText: 8, Changed: pos, Members: 3000})
	room("room-direct", direct, RoomRow{Kind: ids.KindDirect, NextSeq: 3, Ord: 2, LastText: 2, Changed: pos, Members: 2,
		Peers: [2]ids.User{a, c}, state: [2]byte{peerHidden, peerClosed | peerBlocks}})
	room("room-self", ids.Direct(a, a), RoomRow{Kind: ids.KindDirect, NextSeq: 2, Ord: 1, LastText: 1, Changed: pos, Members: 1,
		Peers: [2]ids.User{a, a}})
	message("text", Message{Kind: KindText, Seq: 8, Device: device, N: 5, Text: "봉화 올려라"})
	message("text-reply-edited-reacted", Message{Kind: KindText, Seq: 8, Device: device, N: 5, Text: "불", ReplyTo: 7, Edited: startTime + 1,
		Reactions: [Reactions]uint32{1, 2, 3, 4, 5, 6}})
	message("text-deleted", Message{Kind: KindText, Seq: 8, Device: device, N: 5, Deleted: true})
	message("edit", Message{Kind: KindEdit, Seq: 9, Target: 8})
	message("delete", Message{Kind: KindDelete, Seq: 9, Target: 8})
	message("reaction", Message{Kind: KindReaction, Seq: 9, Target: 8, Reaction: 2})
	message("reaction-taken-back", Message{Kind: KindReaction, Seq: 9, Target: 8})
	rows = append(rows, [3]string{"created", hex.EncodeToString(messageKey(group, 1)),
		hex.EncodeToString((&Message{Kind: KindCreated, Seq: 1, Time: startTime, Author: a, Users: []ids.User{c}}).encode())})
	message("invited", Message{Kind: KindInvited, Seq: 4, Users: []ids.User{c, userN(3)}})
	message("left", Message{Kind: KindLeft, Seq: 5})
	message("renamed", Message{Kind: KindRenamed, Seq: 6, Text: "산악회"})
	add("member-owner", memberKey(group, a), MemberRow{Joined: 1, Read: 8, Present: true, Role: RoleOwner}.encode())
	add("member-left", memberKey(group, c), MemberRow{Joined: 1, Read: 3}.encode())
	add("member-frozen", memberKey(direct, a), MemberRow{Joined: 3, Read: 7, Present: true, frozen: true, shownJoined: 1, shownRead: 2}.encode())
	add("line", lineKey(a, group), lineRow{changed: pos}.encode())
	add("line-muted-pinned", lineKey(a, group), lineRow{muted: true, pinned: true, changed: pos}.encode())
	add("line-left", lineKey(c, group), lineRow{left: true, changed: pos}.encode())
	add("person-reaction", reactionKey(group, 8, c), encodeReaction(6))
	add("block", blockKey(a, c), encodeMark())
	add("closed", closedKey(a), encodeMark())
	return rows
}

func TestGoldenRows(t *testing.T) {
	var b strings.Builder
	d := New(testCell)
	for _, r := range goldenRows() {
		fmt.Fprintf(&b, "%s %s %s\n", r[0], r[1], r[2])
		key, _ := hex.DecodeString(r[1])
		value, _ := hex.DecodeString(r[2])
		if err := d.CheckRow(key, value); err != nil {
			t.Errorf("%s: %v", r[0], err)
		}
		if again := recode(key, value); !bytes.Equal(again, value) {
			t.Errorf("%s: encoded again %x", r[0], again)
		}
	}
	const file = "testdata/rows.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != b.String() {
		t.Errorf("rows differ from %s:\n%s", file, b.String())
	}
}

// recode decodes a row that CheckRow accepts and encodes it again.
func recode(key, value []byte) []byte {
	switch key[0] {
	case rowRoom:
		r, _ := decodeRoom(value)
		return r.encode()
	case rowMessage:
		m, _ := decodeMessage(ids.Room(key[1:]), seqOf(key), value)
		return m.encode()
	case rowMember:
		m, _ := decodeMember(value)
		return m.encode()
	case rowLine:
		l, _ := decodeLine(value)
		return l.encode()
	case rowReaction:
		code, _ := decodeReaction(value)
		return encodeReaction(code)
	default:
		return encodeMark()
	}
}

// FuzzRow: what CheckRow accepts has exactly one encoding, and nothing panics.
func FuzzRow(f *testing.F) {
	for _, r := range goldenRows() {
		key, _ := hex.DecodeString(r[1])
		value, _ := hex.DecodeString(r[2])
		f.Add(key, value)
	}
	d := New(testCell)
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if d.CheckRow(key, value) != nil {
			return
		}
		if again := recode(key, value); !bytes.Equal(again, value) {
			t.Errorf("row %x = %x encodes to %x", key, value, again)
		}
	})
}

func TestCheckRow(t *testing.T) {
	d := New(testCell)
	for _, r := range goldenRows() {
		key, _ := hex.DecodeString(r[1])
		value, _ := hex.DecodeString(r[2])
		bad := [][2][]byte{
			{key[:len(key)-1], value}, {append(bytes.Clone(key), 0), value}, {key, nil},
			{key, append([]byte{value[0] + 1}, value[1:]...)},
		}
		if r[0] != "room-group" && r[0] != "renamed" && r[0] != "text" && r[0] != "text-reply-edited-reacted" {
			bad = append(bad, [2][]byte{key, append(bytes.Clone(value), 0)}, [2][]byte{key, value[:len(value)-1]})
		}
		for _, x := range bad {
			if d.CheckRow(x[0], x[1]) == nil {
				t.Errorf("%s: accepts %x = %x", r[0], x[0], x[1])
			}
		}
	}
	if d.CheckRow(nil, nil) == nil || d.CheckRow([]byte("?"), []byte{version}) == nil {
		t.Error("accepts what is no row of chat")
	}
}

// A row that cannot be is a storage fault, not a crash of its own kind.
func TestDamagedRow(t *testing.T) {
	for _, kind := range []byte{rowRoom, rowMember, rowLine, rowMessage} {
		b := newBed(t)
		a := userN(1)
		room := b.group(1, a)
		b.say(a, room, "text")
		for k, v := range b.tx.rows {
			if k[0] == kind {
				b.tx.rows[k] = v[:1]
			}
		}
		func() {
			defer func() {
				if _, ok := recover().(kernel.StorageFault); !ok {
					t.Errorf("row %c: no storage fault", kind)
				}
			}()
			Lines(b.tx, a, func(l Line) bool { LastMessage(b.tx, &l); return true })
		}()
	}
}

func TestDecodeRefuses(t *testing.T) {
	d := New(testCell)
	a := userN(1)
	room := groupOf(a, 1)
	good := func() *logv1.ChatCommand {
		w := wire(a, room, &logv1.Send{Text: "x"})
		w.Name = &logv1.Name{Device: deviceOf(a), N: 3, Tag: []byte("12345678"), Base: 3}
		return w
	}
	decode := func(w *logv1.ChatCommand) error {
		b, err := proto.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.Decode(b)
		return err
	}
	if err := decode(good()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*logv1.ChatCommand){
		"no operation": func(w *logv1.ChatCommand) { w.Op = nil },
		"no name":      func(w *logv1.ChatCommand) { w.Name = nil },
		"n 0":          func(w *logv1.ChatCommand) { w.Name.N, w.Name.Base = 0, 0 },
		"base 0":       func(w *logv1.ChatCommand) { w.Name.Base = 0 },
		"base above n": func(w *logv1.ChatCommand) { w.Name.Base = 4 },
		"short tag":    func(w *logv1.ChatCommand) { w.Name.Tag = w.Name.Tag[:7] },
		"long device":  func(w *logv1.ChatCommand) { w.Name.Device = make([]byte, 17) },
		"no user":      func(w *logv1.ChatCommand) { w.User = nil },
		"long room":    func(w *logv1.ChatCommand) { w.Room = make([]byte, 17) },
		"no room":      func(w *logv1.ChatCommand) { w.Room = nil },
		"room of kind 3": func(w *logv1.ChatCommand) {
			w.Room = bytes.Clone(w.Room)
			w.Room[2] = 3
		},
		"short peer":   func(w *logv1.ChatCommand) { w.GetSend().Peer = make([]byte, 9) },
		"short member": func(w *logv1.ChatCommand) { w.Op = wire(a, room, &logv1.Invite{Members: [][]byte{{1}}}).Op },
		"empty member": func(w *logv1.ChatCommand) { w.Op = wire(a, room, &logv1.CreateRoom{Members: [][]byte{{}}}).Op },
		"no other":     func(w *logv1.ChatCommand) { w.Op = wire(a, room, &logv1.Block{}).Op },
		"too large":    func(w *logv1.ChatCommand) { w.GetSend().Text = strings.Repeat("x", kernel.MaxCommand) },
	} {
		w := good()
		spoil(w)
		if decode(w) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, b := range [][]byte{nil, {0xff}, {0x0a, 0x05}} {
		if c, err := d.Decode(b); err == nil || c != nil {
			t.Errorf("%x: accepted", b)
		}
	}
}

func TestNamesAndScopes(t *testing.T) {
	b := newBed(t)
	a := userN(1)
	room := groupOf(a, 1)
	for _, x := range []struct {
		op    any
		room  ids.Room
		scope []byte
	}{
		{&logv1.Send{}, room, room[:]}, {&logv1.Edit{}, room, room[:]}, {&logv1.Delete{}, room, room[:]},
		{&logv1.React{}, room, room[:]}, {&logv1.Invite{}, room, room[:]}, {&logv1.Leave{}, room, room[:]},
		{&logv1.Rename{}, room, room[:]}, {&logv1.Mute{}, room, room[:]}, {&logv1.Pin{}, room, room[:]},
		{&logv1.Skip{}, room, room[:]}, {&logv1.Skip{}, ids.Room{}, a[:]},
		{&logv1.Block{Other: raw(userN(2))[0]}, ids.Room{}, a[:]}, {&logv1.Unblock{Other: raw(userN(2))[0]}, ids.Room{}, a[:]},
		{&logv1.CreateRoom{}, room, nil}, {&logv1.Read{}, room, nil}, {&logv1.Typing{}, room, nil}, {&logv1.CloseUser{}, ids.Room{}, nil},
	} {
		c, err := b.d.Decode(b.command(a, x.room, x.op))
		if err != nil {
			t.Fatal(err)
		}
		scope, name := c.Named()
		if !bytes.Equal(scope, x.scope) || (name != nil) != (x.scope != nil) {
			t.Errorf("%T: scope %x", x.op, scope)
		}
		if name != nil && (name.N == 0 || name.Base != 1 || string(name.Tag[:]) != "12345678" || !bytes.Equal(name.Device[:], deviceOf(a))) {
			t.Errorf("%T: name %+v", x.op, name)
		}
		if _, skips := x.op.(*logv1.Skip); c.IsSkip() != skips {
			t.Errorf("%T: skip %v", x.op, c.IsSkip())
		}
	}
}

// FuzzDecode: whatever decodes can be applied to a view with rooms in it, and leaves it whole.
func FuzzDecode(f *testing.F) {
	b := newBed(f)
	a, c := userN(1), userN(2)
	for _, op := range []any{
		&logv1.CreateRoom{Title: "t", Members: raw(c)}, &logv1.Send{Text: "x", ReplyTo: 1, Read: 1, Peer: raw(c)[0]},
		&logv1.Edit{Seq: 2, Text: "y"}, &logv1.Delete{Seq: 2}, &logv1.React{Seq: 2, Reaction: 1}, &logv1.Read{Seq: 2},
		&logv1.Invite{Members: raw(userN(3))}, &logv1.Leave{}, &logv1.Rename{Title: "u"}, &logv1.Mute{On: true},
		&logv1.Pin{On: true}, &logv1.Block{Other: c[:]}, &logv1.Unblock{Other: c[:]}, &logv1.Skip{}, &logv1.Typing{}, &logv1.CloseUser{},
	} {
		f.Add(b.command(a, groupOf(a, 1), op))
		f.Add(b.command(a, ids.Direct(a, c), op))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := newBed(t)
		if _, err := b.d.Decode(raw); err != nil {
			return
		}
		b.group(1, a, c)
		b.say(a, groupOf(a, 1), "text")
		b.tell(a, c, "text")
		b.apply(raw)
		checkView(t, b)
	})
}
