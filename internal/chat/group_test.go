package chat

import (
	"reflect"
	"testing"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

func TestCreate(t *testing.T) {
	b := newBed(t)
	a, c, e, f := userN(1), userN(2), userN(3), userN(4)
	b.must(e, ids.Room{}, &logv1.Block{Other: a[:]})
	b.must(f, ids.Room{}, &logv1.CloseUser{})
	room := groupOf(a, 1)
	b.want(kernel.CannotReceive, a, room, &logv1.CreateRoom{Title: "t", Members: raw(e, f)})
	op := &logv1.CreateRoom{Title: "t", Members: raw(c, e, a, f, c)}
	if v := b.do(a, room, op); v != done(1) {
		t.Fatal(v)
	}
	want := Message{
		Room: room, Seq: 1, Kind: KindCreated, Author: a, Time: b.time, Users: []ids.User{c},
	}
	joined := []any{
		MemberJoined{Room: room, User: a, Joined: 1}, MemberJoined{Room: room, User: c, Joined: 1}, MessageAdded{Message: want},
	}
	if !reflect.DeepEqual(b.events, joined) {
		t.Errorf("events %+v", b.events)
	}
	if m, _ := GetMember(b.tx, room, a); m != (MemberRow{Joined: 1, Read: 1, Present: true, Role: RoleOwner}) {
		t.Errorf("owner %+v", m)
	}
	writes := b.tx.writes
	if v := b.do(a, room, op); v != done(1) || b.tx.writes != writes || len(b.events) != 0 {
		t.Errorf("repeated: %v, %d rows, events %v", v, b.tx.writes-writes, b.events)
	}
	b.want(kernel.IDReused, c, room, op)
	b.must(a, groupOf(a, 2), &logv1.CreateRoom{Title: "alone"})
	b.must(a, groupOf(a, 3), &logv1.CreateRoom{Title: "with oneself", Members: raw(a)})
	checkView(t, b)
}

func TestInvite(t *testing.T) {
	b := newBed(t)
	a, c, e, f, g := userN(1), userN(2), userN(3), userN(4), userN(5)
	room := b.group(1, a, c)
	b.must(e, ids.Room{}, &logv1.Block{Other: a[:]})
	b.must(f, ids.Room{}, &logv1.CloseUser{})
	b.want(kernel.CannotReceive, a, room, &logv1.Invite{Members: raw(e, f)})
	b.want(kernel.CannotReceive, a, room, &logv1.Invite{Members: raw(c, e)})
	writes := b.tx.writes
	if v := b.do(a, room, &logv1.Invite{Members: raw(c, a)}); v != done(0) || b.tx.writes != writes {
		t.Errorf("all are members: %v", v)
	}
	if seq := b.must(a, room, &logv1.Invite{Members: raw(g, c, e, g, f)}); seq != 2 {
		t.Errorf("seq %d", seq)
	}
	if m, _ := GetMessage(b.tx, room, 2); !reflect.DeepEqual(m.Users, []ids.User{g}) {
		t.Errorf("row %+v", m)
	}
	// Who has blocked one member may be invited by another.
	b.must(c, room, &logv1.Invite{Members: raw(e)})
	if m, _ := GetMember(b.tx, room, e); m != (MemberRow{Joined: 3, Read: 3, Present: true}) {
		t.Errorf("member %+v", m)
	}
	checkView(t, b)
}

// A person who leaves and is invited again reads from the new invitation on, and is shown nothing in between.
func TestLeaveAndReturn(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	room := b.group(1, a, c)
	b.say(a, room, "one")
	own := b.say(c, room, "two")
	b.must(c, room, &logv1.Pin{On: true})
	b.must(c, room, &logv1.Mute{On: true})
	seq := b.must(c, room, &logv1.Leave{})
	if len(b.events) != 2 || b.events[1] != any(MemberLeft{Room: room, User: c}) {
		t.Errorf("events %+v", b.events)
	}
	left := b.line(c, room)
	b.say(a, room, "three, unseen")
	b.must(a, room, &logv1.Rename{Title: "secret plans"})
	if l := b.line(c, room); !reflect.DeepEqual(l, left) || l.Row.Title != "" || !l.Left || l.Pinned || !l.Muted || LastMessage(b.tx, &l) != nil {
		t.Errorf("ex-member's line %+v", l)
	}
	b.must(a, room, &logv1.Invite{Members: raw(c)})
	at := seq + 3
	if m, _ := GetMember(b.tx, room, c); m != (MemberRow{Joined: at, Read: at, Present: true}) {
		t.Errorf("member %+v", m)
	}
	l := b.line(c, room)
	if l.Left || !l.Muted || l.Unread != 0 || LastMessage(b.tx, &l) != nil {
		t.Errorf("line %+v", l)
	}
	// Below the new joined number there is nothing, one's own messages included.
	b.want(kernel.UnknownMessage, c, room, &logv1.Edit{Seq: own, Text: "x"})
	b.want(kernel.UnknownMessage, c, room, &logv1.Delete{Seq: own})
	b.want(kernel.UnknownMessage, c, room, &logv1.React{Seq: own, Reaction: 1})
	b.want(kernel.UnknownMessage, c, room, &logv1.Send{Text: "x", ReplyTo: own})
	b.say(a, room, "four")
	if l := b.line(c, room); l.Unread != 1 {
		t.Errorf("badge %d", l.Unread)
	}
	// The owner is an owner no more after leaving.
	b.must(a, room, &logv1.Leave{})
	b.must(c, room, &logv1.Invite{Members: raw(a)})
	if m, _ := GetMember(b.tx, room, a); m.Role != RoleMember {
		t.Errorf("role %d", m.Role)
	}
	checkView(t, b)
}

// A group of 3,000: full means full, everybody is told apart, and the last one may leave.
func TestFullGroup(t *testing.T) {
	b := newBed(t)
	owner := userN(0)
	room := b.group(1, owner)
	invite := func(from, n int) kernel.Verdict {
		us := make([]ids.User, n)
		for i := range us {
			us[i] = userN(from + i)
		}
		return b.do(owner, room, &logv1.Invite{Members: raw(us...)})
	}
	for from := 1; from < MaxMembers; from += 200 {
		if v := invite(from, min(200, MaxMembers-from)); v.Code != kernel.OK {
			t.Fatal(v)
		}
	}
	if v := invite(MaxMembers, 1); v.Code != kernel.RoomFull {
		t.Errorf("member 3,001: %v", v)
	}
	b.say(owner, room, "all of you")
	b.must(userN(17), room, &logv1.Leave{})
	if v := invite(MaxMembers, 2); v.Code != kernel.RoomFull {
		t.Errorf("two for one place: %v", v)
	}
	if v := invite(MaxMembers, 1); v.Code != kernel.OK {
		t.Errorf("one for one place: %v", v)
	}
	n, prev := 0, ids.User{}
	Members(b.tx, room, func(u ids.User, m MemberRow) bool {
		if n++; n > 1 && string(u[:]) <= string(prev[:]) || u == userN(17) {
			t.Fatal("order or ex-member")
		}
		prev = u
		return true
	})
	if n != MaxMembers {
		t.Errorf("%d members", n)
	}
	checkView(t, b)
	alone := b.group(2, userN(1))
	b.must(userN(1), alone, &logv1.Leave{})
	checkView(t, b)
}

func TestPinLimit(t *testing.T) {
	b := newBed(t)
	a := userN(1)
	var rooms []ids.Room
	for i := range MaxPinned + 1 {
		rooms = append(rooms, b.group(byte(i), a))
		b.must(a, rooms[i], &logv1.Mute{On: true})
	}
	for _, r := range rooms[:MaxPinned] {
		b.must(a, r, &logv1.Pin{On: true})
	}
	b.want(kernel.LimitReached, a, rooms[MaxPinned], &logv1.Pin{On: true})
	writes := b.tx.writes
	b.must(a, rooms[0], &logv1.Pin{On: true})
	b.must(a, rooms[0], &logv1.Mute{On: true})
	b.must(a, rooms[MaxPinned], &logv1.Pin{})
	if b.tx.writes != writes || len(b.events) != 0 {
		t.Error("what is so already is written again")
	}
	b.must(a, rooms[0], &logv1.Leave{})
	b.must(a, rooms[MaxPinned], &logv1.Pin{On: true})
	n := 0
	Lines(b.tx, a, func(l Line) bool {
		if n++; l.Pinned == l.Left {
			t.Errorf("line %+v", l)
		}
		return true
	})
	if n != MaxPinned+1 {
		t.Errorf("%d lines", n)
	}
	checkView(t, b)
}
