package gateway

import (
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// Who has as many rooms as a list takes makes no more, is not added to any and gets no first message; what is there goes on, and a
// repetition is answered as before.
func TestRoomsOfAPerson(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Rooms, o.Limits.RoomsByStrangers = 2, 2 })
	a, b, c, d := r.person("alice"), r.person("bob.1"), r.person("carol"), r.person("daisy")
	la, lb := a.live(), b.live()
	reason, create := r.asker(), group
	for v := range byte(2) {
		if got, _ := reason(la, create(v, b)); got != 0 {
			t.Fatal(got)
		}
	}
	if got, ack := reason(la, create(2, c)); got != apiv1.Reason_REASON_LIMIT || ack.Error.Consumed || ack.Error.Again {
		t.Fatal(ack)
	}
	if got, ack := reason(la, create(1, b)); got != 0 || ack.Seq != 1 {
		t.Fatalf("the second room again: %v", ack)
	}
	if got, _ := reason(la, a.sendTo(d, "처음 뵙겠습니다")); got != apiv1.Reason_REASON_LIMIT {
		t.Fatal(got)
	}
	lc := c.live()
	if got, _ := reason(lc, c.sendTo(b, "처음 뵙겠습니다")); got != apiv1.Reason_REASON_CANNOT_RECEIVE {
		t.Fatal(got)
	}
	if got, ack := reason(lc, create(9, b, d)); got != 0 || len(ack.Refused) != 1 || ack.Refused[0] != b.user.String() {
		t.Fatal(ack)
	}
	room := ids.NewGroup(c.user, rnd(16, 9))
	if got, _ := reason(lc, &livev1.Frame{Body: &livev1.Frame_Invite{Invite: &apiv1.InviteRequest{Name: c.name(room), Room: room.String(), Members: []string{a.user.String()}}}}); got != apiv1.Reason_REASON_CANNOT_RECEIVE {
		t.Fatal(got)
	}
	// What is there goes on, and who has left one's own room can be asked back.
	room = ids.NewGroup(a.user, rnd(16, 0))
	if got, _ := reason(lb, b.sendIn(room, "그대로")); got != 0 {
		t.Fatal(got)
	}
	if got, _ := reason(lb, &livev1.Frame{Body: &livev1.Frame_Leave{Leave: &apiv1.LeaveRequest{Name: b.name(room), Room: room.String()}}}); got != 0 {
		t.Fatal(got)
	}
	if got, _ := reason(la, &livev1.Frame{Body: &livev1.Frame_Invite{Invite: &apiv1.InviteRequest{Name: a.name(room), Room: room.String(), Members: []string{b.user.String()}}}}); got != 0 {
		t.Fatal(got)
	}
	// Two more people have one place each left.
	if got, _ := reason(lc, c.sendTo(d, "둘째 방")); got != 0 {
		t.Fatal(got)
	}
	if got, _ := reason(lc, c.sendTo(d, "이어서")); got != 0 {
		t.Fatal(got)
	}
}

// asker gives frames to sessions and returns what is answered.
func (r *rig) asker() func(l *line, f *livev1.Frame) (apiv1.Reason, *livev1.Ack) {
	return func(l *line, f *livev1.Frame) (apiv1.Reason, *livev1.Ack) {
		r.t.Helper()
		l.take()
		f.Id = 77
		l.Frame(f)
		for range 3 { // what changes nothing has no events and is answered with a tick
			r.g.Tick()
		}
		for _, a := range acks(l.take()) {
			return a.GetError().GetReason(), a
		}
		r.t.Fatalf("no ack to %v", f)
		return 0, nil
	}
}

// group is the frame that makes one.
func group(v byte, members ...*someone) *livev1.Frame {
	m := &apiv1.CreateRoomRequest{Random: rnd(16, v), Title: "모임"}
	for _, p := range members {
		m.Members = append(m.Members, p.user.String())
	}
	return &livev1.Frame{Body: &livev1.Frame_CreateRoom{CreateRoom: m}}
}

// Somebody who puts a person into room after room does not shut them off: they make rooms as before, and people whom they have added
// reach them.
func TestStrangersFillNoList(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Rooms = 6 })
	stranger, b, friend, other := r.person("stranger"), r.person("bob.1"), r.person("friend"), r.person("other")
	ask, ls, lb, lf := r.asker(), stranger.live(), b.live(), friend.live()
	r.submitPeople(&logv1.PeopleCommand{User: b.user[:], Name: logName(b.device, named8(1, 1)), Op: &logv1.PeopleCommand_AddFriend{AddFriend: &logv1.AddFriend{Other: friend.user[:]}}})
	for v := range byte(5) {
		got, ack := ask(ls, group(v, b))
		if want := v >= 3; got != 0 || (len(ack.Refused) == 1) != want {
			t.Fatalf("group %d: %v", v, ack)
		}
	}
	lo := other.live()
	if got, _ := ask(lo, other.sendTo(b, "처음 뵙겠습니다")); got != apiv1.Reason_REASON_CANNOT_RECEIVE {
		t.Fatal(got)
	}
	if got, _ := ask(lf, friend.sendTo(b, "오랜만이야")); got != 0 {
		t.Fatal(got)
	}
	if got, ack := ask(lf, group(20, b)); got != 0 || len(ack.Refused) != 0 {
		t.Fatal(ack)
	}
	if got, _ := ask(lb, b.sendTo(other, "제가 먼저")); got != 0 {
		t.Fatal(got)
	}
	if got, ack := ask(lf, group(21, b)); got != 0 || len(ack.Refused) != 1 {
		t.Fatal(ack)
	}
}

// Every Pin reads a whole list at every site.
func TestPinsOfAPerson(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Pins = 2 })
	a := r.person("alice")
	room := r.group(a)
	l := a.live()
	pin := func(on bool) apiv1.Reason {
		t.Helper()
		l.take()
		l.Frame(&livev1.Frame{Id: 5, Body: &livev1.Frame_Pin{Pin: &apiv1.PinRequest{Name: a.name(room), Room: room.String(), On: on}}})
		return acks(l.take())[0].GetError().GetReason()
	}
	if x, y := pin(true), pin(false); x != 0 || y != 0 {
		t.Fatal(x, y)
	}
	if got := pin(true); got != apiv1.Reason_REASON_BUSY {
		t.Fatal(got)
	}
	a.n[room]--
	r.clock.advance(r.g.o.Limits.PinEvery)
	if got := pin(true); got != 0 {
		t.Fatal(got)
	}
}
