package chat

import (
	"strings"
	"testing"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Who may do what: every role against every command. A cell names the verdict; a star says that a row of the room is
// written, so "ok" without one took no number.
//
// Direct: peer = one of the two; hidden = has left the 1:1; stranger = anybody else; blocked = the other blocks them;
// blocker = they block the other; orphan = the other's account is closed; closed = their own is.
// Group: owner, member, ex = has left, stranger, closed = a member whose account was closed.
const policyTable = `
direct        send            edit            delete  react           read  invite           leave  rename           mute  pin   create   skip
peer          ok*             ok*             ok*     ok*             ok    wrong_room_kind  ok     wrong_room_kind  ok    ok    invalid  skipped
hidden        ok*             unknown_message unknown_message unknown_message ok wrong_room_kind ok wrong_room_kind  ok    not_member invalid skipped
stranger      invalid         unknown_room    unknown_room unknown_room ok   unknown_room    unknown_room unknown_room unknown_room unknown_room invalid skipped
blocked       cannot_receive  cannot_receive  ok*     cannot_receive  ok    wrong_room_kind  ok     wrong_room_kind  ok    ok    invalid  skipped
blocker       cannot_receive  cannot_receive  ok*     cannot_receive  ok    wrong_room_kind  ok     wrong_room_kind  ok    ok    invalid  skipped
orphan        cannot_receive  cannot_receive  ok*     cannot_receive  ok    wrong_room_kind  ok     wrong_room_kind  ok    ok    invalid  skipped
closed        cannot_receive  cannot_receive  ok*     cannot_receive  ok    wrong_room_kind  ok     wrong_room_kind  ok    ok    invalid  skipped

self          send            edit            delete  react           read  invite           leave  rename           mute  pin   create   skip
peer          ok*             ok*             ok*     ok*             ok    wrong_room_kind  ok     wrong_room_kind  ok    ok    invalid  skipped
hidden        ok*             unknown_message unknown_message unknown_message ok wrong_room_kind ok wrong_room_kind  ok    not_member invalid skipped
stranger      invalid         unknown_room    unknown_room unknown_room ok   unknown_room    unknown_room unknown_room unknown_room unknown_room invalid skipped
closed        cannot_receive  cannot_receive  ok*     cannot_receive  ok    wrong_room_kind  ok     wrong_room_kind  ok    ok    invalid  skipped

group         send            edit            delete  react           read  invite           leave  rename           mute  pin   create   skip
owner         ok*             ok*             ok*     ok*             ok    ok*              ok*    ok*              ok    ok    ok       skipped
member        ok*             ok*             ok*     ok*             ok    ok*              ok*    ok*              ok    ok    id_reused skipped
blocked       ok*             ok*             ok*     ok*             ok    ok*              ok*    ok*              ok    ok    id_reused skipped
blocker       ok*             ok*             ok*     ok*             ok    ok*              ok*    ok*              ok    ok    id_reused skipped
ex            not_member      not_member      not_member not_member   ok    not_member       not_member not_member   not_member not_member id_reused skipped
stranger      not_member      not_member      not_member not_member   ok    not_member       not_member not_member   not_member not_member id_reused skipped
closed        not_member      not_member      not_member not_member   ok    not_member       not_member not_member   not_member not_member id_reused skipped
nobody        unknown_room    unknown_room    unknown_room unknown_room ok  unknown_room     unknown_room unknown_room unknown_room unknown_room ok*  skipped
`

func TestPolicy(t *testing.T) {
	cells := 0
	for _, block := range strings.Split(strings.TrimSpace(policyTable), "\n\n") {
		rows := strings.Split(block, "\n")
		head := strings.Fields(rows[0])
		for _, row := range rows[1:] {
			cols := strings.Fields(row)
			if len(cols) != len(head) {
				t.Fatalf("%s %s: %d cells", head[0], cols[0], len(cols))
			}
			for i := 1; i < len(cols); i++ {
				cells++
				t.Run(head[0]+"/"+cols[0]+"/"+head[i], func(t *testing.T) { policyCell(t, head[0], cols[0], head[i], cols[i]) })
			}
		}
	}
	if cells != 12*(7+4+8) {
		t.Errorf("%d cells", cells)
	}
}

// policyCell makes the room with a message of the person, puts the person into the role, and tries the command.
func policyCell(t *testing.T, kind, role, command, want string) {
	b := newBed(t)
	me, other, guest := userN(1), userN(2), userN(9)
	var room ids.Room
	var own uint64
	switch kind {
	case "self":
		other, room = me, ids.Direct(me, me)
		own = b.tell(me, me, "mine")
	case "direct":
		room = ids.Direct(me, other)
		own = b.tell(me, other, "mine")
		b.tell(other, me, "theirs")
	case "group":
		room = groupOf(other, 1)
		if role == "owner" {
			room = groupOf(me, 1)
			b.must(me, room, &logv1.CreateRoom{Title: "t", Members: raw(other)})
		} else if role != "nobody" {
			b.must(other, room, &logv1.CreateRoom{Title: "t", Members: raw(me)})
		}
		if role != "nobody" {
			own = b.say(me, room, "mine")
		}
	}
	switch role {
	case "hidden", "ex":
		b.must(me, room, &logv1.Leave{})
	case "stranger":
		me = userN(5)
	case "blocked":
		b.must(other, ids.Room{}, &logv1.Block{Other: me[:]})
	case "blocker":
		b.must(me, ids.Room{}, &logv1.Block{Other: other[:]})
	case "orphan":
		b.must(other, ids.Room{}, &logv1.CloseUser{})
	case "closed":
		b.must(me, ids.Room{}, &logv1.CloseUser{})
	case "nobody":
		me = other // would be the creator
	}
	ops := map[string]any{
		"send": &logv1.Send{Peer: other[:], Text: "hello"}, "edit": &logv1.Edit{Seq: own, Text: "new"},
		"delete": &logv1.Delete{Seq: own}, "react": &logv1.React{Seq: own, Reaction: 1},
		"read": &logv1.Read{Seq: own}, "invite": &logv1.Invite{Members: raw(guest)}, "leave": &logv1.Leave{},
		"rename": &logv1.Rename{Title: "new"}, "mute": &logv1.Mute{On: true}, "pin": &logv1.Pin{On: true},
		"create": &logv1.CreateRoom{Title: "t", Members: raw(guest)}, "skip": &logv1.Skip{},
	}
	before, _ := GetRoom(b.tx, room)
	v := b.do(me, room, ops[command])
	after, _ := GetRoom(b.tx, room)
	got := v.Code.String()
	took := after.NextSeq != before.NextSeq
	if took {
		got += "*"
	}
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if took && v.Seq != after.NextSeq-1 {
		t.Errorf("seq %d, newest is %d", v.Seq, after.NextSeq-1)
	}
	checkView(t, b)
}

// Commands in the account's scope have no role.
func TestPolicyAccount(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	b.want(kernel.Invalid, a, ids.Room{}, &logv1.Block{Other: a[:]})
	b.want(kernel.Invalid, a, ids.Room{}, &logv1.Unblock{Other: a[:]})
	b.want(kernel.OK, a, ids.Room{}, &logv1.Unblock{Other: c[:]})
	b.want(kernel.OK, a, ids.Room{}, &logv1.Block{Other: c[:]})
	b.want(kernel.OK, a, ids.Room{}, &logv1.Block{Other: c[:]})
	b.want(kernel.Skipped, a, ids.Room{}, &logv1.Skip{})
	b.want(kernel.OK, a, ids.Room{}, &logv1.CloseUser{})
	b.want(kernel.OK, a, ids.Room{}, &logv1.CloseUser{})
	b.want(kernel.UnknownUser, a, groupOf(a, 1), &logv1.CreateRoom{Title: "t"})
	checkView(t, b)
}

func TestInvalidCommands(t *testing.T) {
	b := newBed(t)
	a, c, far := userN(1), userN(2), userN(3)
	room := b.group(1, a, c)
	direct := ids.Direct(a, c)
	far[0]++
	many := make([]ids.User, MaxInvite+1)
	for i := range many {
		many[i] = userN(100 + i)
	}
	for _, x := range []struct {
		user ids.User
		room ids.Room
		op   any
	}{
		{a, room, &logv1.Typing{}},
		{a, direct, &logv1.Send{Text: "no peer"}},
		{a, direct, &logv1.Send{Peer: raw(far)[0], Text: "another peer"}},
		{userN(4), direct, &logv1.Send{Peer: raw(c)[0], Text: "another sender"}},
		{far, ids.NewGroup(far, make([]byte, 16)), &logv1.CreateRoom{Title: "another cell"}},
		{far, ids.Direct(far, far), &logv1.Send{Peer: raw(far)[0], Text: "another cell"}},
		{a, groupOf(a, 2), &logv1.CreateRoom{Members: raw(many...)}},
		{a, room, &logv1.Invite{Members: raw(many...)}},
		{a, room, &logv1.Invite{}},
		{a, room, &logv1.React{Seq: 1}},
		{a, room, &logv1.React{Seq: 1, Reaction: Reactions + 1}},
		{a, room, &logv1.React{Seq: 1, Reaction: 257}},
	} {
		b.want(kernel.Invalid, x.user, x.room, x.op)
	}
	b.tell(a, c, "exists")
	b.want(kernel.Invalid, a, direct, &logv1.Send{Text: "no peer"})
	b.want(kernel.Invalid, a, direct, &logv1.Send{Peer: raw(a)[0], Text: "oneself"})
	b.want(kernel.Invalid, userN(4), direct, &logv1.Send{Peer: raw(c)[0], Text: "a stranger"})
	checkView(t, b)
}
