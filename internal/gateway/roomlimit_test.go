package gateway

import (
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// Who has as many rooms as a list takes makes no more, is not added to any and gets no first message; what is there goes on, and a
// repetition is answered as before.
func TestRoomsOfAPerson(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Rooms = 2 })
	a, b, c, d := r.person("alice"), r.person("bob.1"), r.person("carol"), r.person("daisy")
	la, lb := a.live(), b.live()
	reason := func(l *line, f *livev1.Frame) (apiv1.Reason, *livev1.Ack) {
		t.Helper()
		l.take()
		f.Id = 77
		l.Frame(f)
		for range 3 { // what changes nothing has no events and is answered with a tick
			r.g.Tick()
		}
		for _, a := range acks(l.take()) {
			return a.GetError().GetReason(), a
		}
		t.Fatalf("no ack to %v", f)
		return 0, nil
	}
	create := func(v byte, members ...*someone) *livev1.Frame {
		m := &apiv1.CreateRoomRequest{Random: rnd(16, v), Title: "모임"}
		for _, p := range members {
			m.Members = append(m.Members, p.user.String())
		}
		return &livev1.Frame{Body: &livev1.Frame_CreateRoom{CreateRoom: m}}
	}
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
