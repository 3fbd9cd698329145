package chat

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"sort"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

const testCell = 0x0102

// memTx is a view in memory that counts what is done to it.
type memTx struct {
	rows   map[string][]byte
	sorted []string // keys, nil when they have to be sorted anew
	gets   int
	writes int
	bytes  int
}

func newMemTx() *memTx { return &memTx{rows: map[string][]byte{}} }

func (t *memTx) Get(key []byte) ([]byte, bool) {
	t.gets++
	v, ok := t.rows[string(key)]
	return v, ok
}

func (t *memTx) Set(key, value []byte) {
	if _, ok := t.rows[string(key)]; !ok {
		t.sorted = nil
	}
	t.rows[string(key)] = bytes.Clone(value)
	t.writes++
	t.bytes += len(key) + len(value)
}

func (t *memTx) Delete(key []byte) {
	if _, ok := t.rows[string(key)]; ok {
		t.sorted = nil
	}
	delete(t.rows, string(key))
	t.writes++
	t.bytes += len(key)
}

func (t *memTx) Scan(lower, upper []byte, fn func(key, value []byte) bool) {
	keys := t.keys()
	for _, k := range keys[sort.SearchStrings(keys, string(lower)):] {
		if k >= string(upper) || !fn([]byte(k), t.rows[k]) {
			return
		}
	}
}

func (t *memTx) keys() []string {
	if t.sorted == nil {
		t.sorted = make([]string, 0, len(t.rows))
		for k := range t.rows {
			t.sorted = append(t.sorted, k)
		}
		sort.Strings(t.sorted)
	}
	return t.sorted
}

// digest is the hash of all rows.
func (t *memTx) digest() [32]byte {
	h := sha256.New()
	for _, k := range t.keys() {
		b := binary.BigEndian.AppendUint64(nil, uint64(len(k)))
		b = binary.BigEndian.AppendUint64(append(b, k...), uint64(len(t.rows[k])))
		h.Write(append(b, t.rows[k]...))
	}
	return [32]byte(h.Sum(nil))
}

// bed is a view and the log that makes it: every command goes through its encoded form, one entry each.
type bed struct {
	t      testing.TB
	d      *Domain
	tx     *memTx
	pos    kernel.Position
	time   uint64
	names  map[string]uint64
	events []any // of the last command
	// behaviour of the entries.
	behaviour uint32
}

const startTime = 1_800_000_000_000

func newBed(t testing.TB) *bed {
	return &bed{t: t, d: New(testCell), tx: newMemTx(), pos: kernel.Position{Epoch: 7}, time: startTime, names: map[string]uint64{}, behaviour: kernel.Behaviour}
}

// do applies one command; a room of zero bytes is left out.
func (b *bed) do(user ids.User, room ids.Room, op any) kernel.Verdict {
	b.t.Helper()
	return b.apply(b.command(user, room, op))
}

func (b *bed) apply(raw []byte) kernel.Verdict {
	b.t.Helper()
	c, err := b.d.Decode(raw)
	if err != nil {
		b.t.Fatalf("decode: %v", err)
	}
	b.pos.N++
	b.time++
	before := b.tx.writes
	a := &kernel.Apply{Tx: b.tx, Pos: b.pos, Time: b.time, Behaviour: b.behaviour}
	v := b.d.Apply(a, c)
	b.events = a.Events
	if v.Code != kernel.OK && (b.tx.writes != before || len(a.Events) != 0 || v.Seq != 0) {
		b.t.Fatalf("refusal %v wrote %d rows, told %d events, seq %d", v.Code, b.tx.writes-before, len(a.Events), v.Seq)
	}
	return v
}

// command encodes an operation with the next name of (user's device, scope).
func (b *bed) command(user ids.User, room ids.Room, op any) []byte {
	b.t.Helper()
	w := wire(user, room, op)
	scope := string(w.Room) + "|" + string(user[:])
	b.names[scope]++
	w.Name = &logv1.Name{Device: deviceOf(user), N: b.names[scope], Tag: []byte("12345678"), Base: 1}
	raw, err := proto.Marshal(w)
	if err != nil {
		b.t.Fatal(err)
	}
	return raw
}

func wire(user ids.User, room ids.Room, op any) *logv1.ChatCommand {
	w := &logv1.ChatCommand{User: user[:]}
	if room != (ids.Room{}) {
		w.Room = room[:]
	}
	switch op := op.(type) {
	case *logv1.CreateRoom:
		w.Op = &logv1.ChatCommand_CreateRoom{CreateRoom: op}
	case *logv1.Send:
		w.Op = &logv1.ChatCommand_Send{Send: op}
	case *logv1.Edit:
		w.Op = &logv1.ChatCommand_Edit{Edit: op}
	case *logv1.Delete:
		w.Op = &logv1.ChatCommand_Delete{Delete: op}
	case *logv1.React:
		w.Op = &logv1.ChatCommand_React{React: op}
	case *logv1.Read:
		w.Op = &logv1.ChatCommand_Read{Read: op}
	case *logv1.Invite:
		w.Op = &logv1.ChatCommand_Invite{Invite: op}
	case *logv1.Leave:
		w.Op = &logv1.ChatCommand_Leave{Leave: op}
	case *logv1.Rename:
		w.Op = &logv1.ChatCommand_Rename{Rename: op}
	case *logv1.Mute:
		w.Op = &logv1.ChatCommand_Mute{Mute: op}
	case *logv1.Pin:
		w.Op = &logv1.ChatCommand_Pin{Pin: op}
	case *logv1.Block:
		w.Op = &logv1.ChatCommand_Block{Block: op}
	case *logv1.Unblock:
		w.Op = &logv1.ChatCommand_Unblock{Unblock: op}
	case *logv1.Skip:
		w.Op = &logv1.ChatCommand_Skip{Skip: op}
	case *logv1.Typing:
		w.Op = &logv1.ChatCommand_Typing{Typing: op}
	case *logv1.CloseUser:
		w.Op = &logv1.ChatCommand_CloseUser{CloseUser: op}
	}
	return w
}

// must applies a command that has to succeed and returns its seq.
func (b *bed) must(user ids.User, room ids.Room, op any) uint64 {
	b.t.Helper()
	v := b.do(user, room, op)
	if v.Code != kernel.OK {
		b.t.Fatalf("%T: %v", op, v.Code)
	}
	return v.Seq
}

// want applies a command and compares the verdict.
func (b *bed) want(code kernel.Code, user ids.User, room ids.Room, op any) {
	b.t.Helper()
	if v := b.do(user, room, op); v.Code != code {
		b.t.Errorf("%T by %s: %v, want %v", op, user, v.Code, code)
	}
}

// group makes a group and says which.
func (b *bed) group(n byte, creator ids.User, members ...ids.User) ids.Room {
	b.t.Helper()
	room := groupOf(creator, n)
	b.must(creator, room, &logv1.CreateRoom{Title: "mountain", Members: raw(members...)})
	return room
}

// say sends to a group with nothing claimed as read, tell to a 1:1 with everything read.
func (b *bed) say(user ids.User, room ids.Room, text string) uint64 {
	b.t.Helper()
	return b.must(user, room, &logv1.Send{Text: text})
}

func (b *bed) tell(user, peer ids.User, text string) uint64 {
	b.t.Helper()
	return b.must(user, ids.Direct(user, peer), &logv1.Send{Peer: peer[:], Text: text, Read: 1 << 60})
}

func (b *bed) line(user ids.User, room ids.Room) Line {
	b.t.Helper()
	l, ok := GetLine(b.tx, user, room)
	if !ok {
		b.t.Fatalf("no line")
	}
	return l
}

// userN is a person of the test cell; the order of ids is that of n.
func userN(n int) (u ids.User) {
	u[0], u[1] = testCell>>8, testCell&0xff
	binary.BigEndian.PutUint64(u[2:], uint64(n)+1)
	return u
}

func deviceOf(u ids.User) []byte { return append(make([]byte, 6), u[:]...) }

func groupOf(creator ids.User, n byte) ids.Room {
	return ids.NewGroup(creator, bytes.Repeat([]byte{n}, 16))
}

func raw(us ...ids.User) (out [][]byte) {
	for _, u := range us {
		out = append(out, bytes.Clone(u[:]))
	}
	return out
}
