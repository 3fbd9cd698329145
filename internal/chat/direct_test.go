package chat

import (
	"reflect"
	"testing"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Both sides open the 1:1 before either has seen the other's message: one room, two messages.
func TestDirectBothAtOnce(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	room := ids.Direct(a, c)
	first := b.command(c, room, &logv1.Send{Peer: raw(a)[0], Text: "from c"})
	second := b.command(a, room, &logv1.Send{Peer: raw(c)[0], Text: "from a"})
	if v := b.apply(first); v != done(1) {
		t.Fatal(v)
	}
	want := []any{MemberJoined{Room: room, User: c}, MemberJoined{Room: room, User: a}}
	if len(b.events) != 3 || !reflect.DeepEqual(b.events[:2], want) {
		t.Errorf("events %+v", b.events)
	}
	if v := b.apply(second); v != done(2) {
		t.Fatal(v)
	}
	r, _ := GetRoom(b.tx, room)
	if r.Peers != [2]ids.User{a, c} || r.Members != 2 || r.Kind != ids.KindDirect || r.NextSeq != 3 {
		t.Errorf("room %+v", r)
	}
	// a has not seen the first message, so a's mark stays before it and the badge counts from there.
	for u, badge := range map[ids.User]uint64{c: 1, a: 2} {
		if l := b.line(u, room); l.Unread != badge || l.Left || LastMessage(b.tx, &l).Text != "from a" {
			t.Errorf("line %+v", l)
		}
	}
	checkView(t, b)
}

func TestSelfChat(t *testing.T) {
	b := newBed(t)
	a := userN(1)
	room := ids.Direct(a, a)
	b.tell(a, a, "note")
	b.tell(a, a, "note 2")
	if r, _ := GetRoom(b.tx, room); r.Members != 1 {
		t.Errorf("members %d", r.Members)
	}
	n := 0
	Members(b.tx, room, func(ids.User, MemberRow) bool { n++; return true })
	if l := b.line(a, room); n != 1 || l.Unread != 0 || l.Blocked {
		t.Errorf("%d memberships, line %+v", n, l)
	}
	b.must(a, room, &logv1.Leave{})
	b.tell(a, a, "note 3")
	if l := b.line(a, room); l.Left || l.Member.Joined != 3 || l.Unread != 0 {
		t.Errorf("line %+v", l)
	}
	checkView(t, b)
}

// Leaving a 1:1 hides it with what is in it; the next message shows it again and leaves joined and read alone.
func TestDirectLeave(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	room := ids.Direct(a, c)
	b.tell(a, c, "one")
	b.tell(c, a, "two")
	b.must(a, room, &logv1.Mute{On: true})
	b.must(a, room, &logv1.Pin{On: true})
	before := b.line(c, room)
	if seq := b.must(a, room, &logv1.Leave{}); seq != 0 {
		t.Errorf("leaving took seq %d", seq)
	}
	if !reflect.DeepEqual(b.events, []any{LineChanged{Room: room, User: a}}) {
		t.Errorf("events %+v", b.events)
	}
	if after := b.line(c, room); after.Changed != before.Changed || after.Member != before.Member || after.Left {
		t.Errorf("the other's line moved: %+v", after)
	}
	l := b.line(a, room)
	if !l.Left || !l.Muted || l.Pinned || l.Member.Joined != 3 || l.Member.Read != 2 || l.Unread != 0 || LastMessage(b.tx, &l) != nil {
		t.Errorf("hidden line %+v", l)
	}
	// A change of an old message takes a number but shows nothing again.
	b.must(c, room, &logv1.Edit{Seq: 2, Text: "two!"})
	if l := b.line(a, room); !l.Left {
		t.Error("an edit shows the room again")
	}
	b.tell(c, a, "three")
	if len(b.events) != 3 || b.events[0] != any(LineChanged{Room: room, User: a}) {
		t.Errorf("events %+v", b.events)
	}
	l = b.line(a, room)
	if l.Left || !l.Muted || l.Member.Joined != 3 || l.Member.Read != 2 || l.Unread != 1 || LastMessage(b.tx, &l).Text != "three" {
		t.Errorf("shown line %+v", l)
	}
	writes := b.tx.writes
	b.tell(c, a, "four")
	if n := b.tx.writes - writes; n != 3 {
		t.Errorf("a send into a shown room writes %d rows", n)
	}
	// Both hide it, one writes: shown to both.
	b.must(a, room, &logv1.Leave{})
	b.must(c, room, &logv1.Leave{})
	b.tell(a, c, "five")
	if b.line(a, room).Left || b.line(c, room).Left || b.line(a, room).Unread != 0 || b.line(c, room).Unread != 1 {
		t.Error("not shown to both")
	}
	checkView(t, b)
}

func TestBlock(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	room := ids.Direct(a, c)
	toA := &logv1.Send{Peer: a[:], Text: "let me in"}

	// Before there is a room: nothing is made, and unblocking is enough.
	b.must(a, ids.Room{}, &logv1.Block{Other: c[:]})
	if !reflect.DeepEqual(b.events, []any{BlockChanged{User: a, Other: c}}) {
		t.Errorf("events %+v", b.events)
	}
	b.want(kernel.CannotReceive, c, room, toA)
	b.want(kernel.CannotReceive, a, room, &logv1.Send{Peer: c[:], Text: "to the blocked"})
	b.must(a, ids.Room{}, &logv1.Unblock{Other: c[:]})
	b.must(c, room, toA)

	b.must(a, room, &logv1.Leave{})
	atC := b.line(c, room)
	b.must(a, ids.Room{}, &logv1.Block{Other: c[:]})
	want := []any{BlockChanged{User: a, Other: c}, LineChanged{Room: room, User: a}}
	if !reflect.DeepEqual(b.events, want) {
		t.Errorf("events %+v", b.events)
	}
	if l := b.line(a, room); !l.Blocked || l.Changed != b.pos {
		t.Errorf("blocker's line %+v", l)
	}
	if l := b.line(c, room); l.Blocked || l.Changed != atC.Changed {
		t.Errorf("the blocked person's line tells: %+v", l)
	}
	if CanType(b.tx, room, a) || CanType(b.tx, room, c) || !HasBlocked(b.tx, a, c) || HasBlocked(b.tx, c, a) {
		t.Error("typing through a block")
	}
	b.want(kernel.CannotReceive, c, room, toA)
	if got := Blocked(b.tx, a); len(got) != 1 || got[0] != c {
		t.Errorf("blocked %v", got)
	}
	// Both block, one takes it back: still shut.
	b.must(c, ids.Room{}, &logv1.Block{Other: a[:]})
	b.must(a, ids.Room{}, &logv1.Unblock{Other: c[:]})
	b.want(kernel.CannotReceive, a, room, &logv1.Send{Peer: c[:], Text: "no"})
	b.must(c, ids.Room{}, &logv1.Unblock{Other: a[:]})
	b.must(c, room, toA)
	if !CanType(b.tx, room, a) || CanType(b.tx, room, userN(3)) || CanType(b.tx, groupOf(a, 1), a) {
		t.Error("typing")
	}
	checkView(t, b)
}

// What one reads behind a block, and that one leaves, does not show to the other person until the last block has ended.
func TestBlockFreezesMarks(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	room := ids.Direct(a, c)
	b.tell(a, c, "one")
	b.must(c, room, &logv1.Read{Seq: 1})
	b.tell(a, c, "two")
	b.tell(a, c, "three")
	shown := func(u ids.User, joined, read uint64) {
		t.Helper()
		m, _ := GetMember(b.tx, room, u)
		if j, r := m.Shown(); j != joined || r != read {
			t.Errorf("shows joined %d, read %d, want %d, %d", j, r, joined, read)
		}
		checkView(t, b)
	}
	shown(c, 0, 1)
	b.must(c, ids.Room{}, &logv1.Block{Other: a[:]})
	shown(c, 0, 1)
	shown(a, 0, 3)
	for _, u := range []ids.User{a, c} {
		if m, _ := GetMember(b.tx, room, u); !m.Frozen() {
			t.Errorf("the marks of %v as they were when the block began are not kept", u)
		}
	}
	b.must(c, room, &logv1.Read{Seq: 2})
	shown(c, 0, 1)
	if l := b.line(c, room); l.Unread != 1 {
		t.Errorf("their own badge stays at %d", l.Unread)
	}
	// The other one blocks too, and the first takes it back: still what was seen before all of it.
	b.must(a, ids.Room{}, &logv1.Block{Other: c[:]})
	b.must(c, ids.Room{}, &logv1.Unblock{Other: a[:]})
	b.must(c, room, &logv1.Leave{})
	shown(c, 0, 1)
	b.must(a, ids.Room{}, &logv1.Unblock{Other: c[:]})
	shown(c, 4, 3)
	if at := len(b.events) - 1; b.events[at] != any(ReadMoved{Room: room, User: c, Seq: 3}) {
		t.Errorf("events %+v", b.events)
	}
	b.tell(a, c, "four")
	b.must(c, room, &logv1.Read{Seq: 4})
	shown(c, 4, 4)
}

// A block of before behaviour 4 keeps nothing back in its own time; once the rules are those of 4 the marks stay, for others, where they
// stand when they would move. Rows of before are read, and nothing new is written before.
func TestBlockOfBeforeBehaviour4(t *testing.T) {
	b := newBed(t)
	b.behaviour = 3
	a, c := userN(1), userN(2)
	room := ids.Direct(a, c)
	for range 4 {
		b.tell(a, c, "hello")
	}
	b.must(c, room, &logv1.Read{Seq: 1})
	b.must(c, ids.Room{}, &logv1.Block{Other: a[:]})
	b.must(c, room, &logv1.Read{Seq: 2})
	shown := func(u ids.User, frozen bool, joined, read uint64) {
		t.Helper()
		m, _ := GetMember(b.tx, room, u)
		if j, r := m.Shown(); j != joined || r != read || m.Frozen() != frozen {
			t.Errorf("shows joined %d, read %d, frozen %v", j, r, m.Frozen())
		}
		if v, _ := b.tx.Get(memberKey(room, u)); (v[0] == frozenVersion) != frozen {
			t.Errorf("version %d", v[0])
		}
		checkView(t, b)
	}
	shown(c, false, 0, 2)
	b.behaviour = 4
	shown(c, false, 0, 2)
	b.must(c, room, &logv1.Read{Seq: 3})
	shown(c, true, 0, 2)
	b.must(c, room, &logv1.Leave{})
	shown(c, true, 0, 2)
	b.must(a, ids.Room{}, &logv1.Block{Other: c[:]}) // now the marks of both are kept, of the one who has not moved too
	shown(a, true, 0, 4)
	b.must(c, ids.Room{}, &logv1.Unblock{Other: a[:]})
	b.must(a, ids.Room{}, &logv1.Unblock{Other: c[:]})
	shown(c, false, 5, 4)
	shown(a, false, 0, 4)
}

func TestCloseUser(t *testing.T) {
	b := newBed(t)
	a, c, e := userN(1), userN(2), userN(3)
	direct := ids.Direct(a, c)
	b.tell(a, c, "hello")
	own := b.tell(c, a, "hi")
	b.tell(a, a, "note")
	group, left := b.group(1, a, c, e), b.group(2, c, a)
	b.must(a, left, &logv1.Leave{})
	b.must(a, ids.Room{}, &logv1.CloseUser{})
	if len(b.events) != 2 || b.events[1] != any(MemberLeft{Room: group, User: a}) {
		t.Errorf("events %+v", b.events)
	}
	if m, _ := GetMessage(b.tx, group, 2); m.Kind != KindLeft || m.Author != a {
		t.Errorf("row %+v", m)
	}
	writes := b.tx.writes
	b.must(a, ids.Room{}, &logv1.CloseUser{})
	if b.tx.writes != writes {
		t.Error("repeated, it writes")
	}
	b.want(kernel.CannotReceive, c, direct, &logv1.Send{Peer: a[:], Text: "are you there?"})
	b.want(kernel.CannotReceive, e, ids.Direct(a, e), &logv1.Send{Peer: a[:], Text: "are you there?"})
	b.want(kernel.CannotReceive, a, ids.Direct(a, e), &logv1.Send{Peer: e[:], Text: "late"})
	b.want(kernel.CannotReceive, c, group, &logv1.Invite{Members: raw(a)})
	if CanType(b.tx, direct, c) || CanType(b.tx, group, a) || !CanType(b.tx, group, c) {
		t.Error("typing")
	}
	b.must(c, direct, &logv1.Delete{Seq: own})
	checkView(t, b)
}
