package gateway

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/ids"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

func (l *line) do(t *testing.T, f *livev1.Frame) *livev1.Ack {
	t.Helper()
	f.Id = 77
	l.Frame(f)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range l.frames {
		if a := g.GetAck(); a != nil && g.Id == 77 {
			g.Id = 0
			return a
		}
	}
	return nil
}

func (l *line) must(t *testing.T, f *livev1.Frame) *livev1.Ack {
	t.Helper()
	a := l.do(t, f)
	if a == nil || a.Error != nil {
		t.Fatalf("%v: %v", f, a)
	}
	return a
}

func invite(a *someone, room ids.Room, who ...*someone) *livev1.Frame {
	req := &apiv1.InviteRequest{Name: a.name(room), Room: room.String()}
	for _, w := range who {
		req.Members = append(req.Members, w.user.String())
	}
	return &livev1.Frame{Body: &livev1.Frame_Invite{Invite: req}}
}

func leave(a *someone, room ids.Room) *livev1.Frame {
	return &livev1.Frame{Body: &livev1.Frame_Leave{Leave: &apiv1.LeaveRequest{Name: a.name(room), Room: room.String()}}}
}

func react(a *someone, room ids.Room, seq uint64) *livev1.Frame {
	return &livev1.Frame{Body: &livev1.Frame_React{React: &apiv1.ReactRequest{Name: a.name(room), Room: room.String(), Seq: seq, Reaction: 1}}}
}

func markRead(room ids.Room, seq uint64) *livev1.Frame {
	return &livev1.Frame{Body: &livev1.Frame_MarkRead{MarkRead: &apiv1.MarkReadRequest{Room: room.String(), Seq: seq}}}
}

func view(rooms ...ids.Room) *livev1.Frame {
	v := &livev1.View{}
	for _, r := range rooms {
		v.Rooms = append(v.Rooms, r.String())
	}
	return &livev1.Frame{Body: &livev1.Frame_View{View: v}}
}

func typing(room ids.Room) *livev1.Frame {
	return &livev1.Frame{Body: &livev1.Frame_Typing{Typing: &livev1.Typing{Room: room.String()}}}
}

func reads(fs []*livev1.Frame) (out []uint64) {
	for _, f := range fs {
		if r := f.GetEvent().GetRead(); r != nil {
			out = append(out, r.Seq)
		}
	}
	return out
}

func typings(fs []*livev1.Frame) (n int) {
	for _, f := range fs {
		if f.GetEvent().GetTyping() != nil {
			n++
		}
	}
	return n
}

// TestJoined: who comes in later sees nothing older, neither as a row nor inside a later one; who has left sees nothing.
func TestJoined(t *testing.T) {
	r := newRig(t, nil)
	a, b, c := r.person("alice"), r.person("bobby"), r.person("carol")
	room := r.group(a, b)
	la, lb, lc := a.live(), b.live(), c.live()
	old := la.must(t, a.sendIn(room, "old")).Seq
	if x := texts(lc.take()); len(x) != 0 {
		t.Fatal(x)
	}
	la.must(t, invite(a, room, c))
	fs := lc.take()
	if fs[0].GetEvent().GetRoom().GetId() != room.String() {
		t.Fatalf("the line does not come first: %v", fs)
	}
	la.must(t, a.sendIn(room, "new"))
	if x := texts(lc.take()); !reflect.DeepEqual(x, []string{"new"}) {
		t.Fatal(x)
	}
	lb.take()
	lb.must(t, react(b, room, old))
	changed := func(l *line) (out []*apiv1.Message) {
		for _, f := range l.take() {
			if m := f.GetEvent().GetMessage(); m.GetKind() == apiv1.MessageKind_MESSAGE_KIND_REACTION {
				out = append(out, m.Changed)
			}
		}
		return out
	}
	if x := changed(la); len(x) != 1 || x[0].GetText() != "old" || x[0].Reactions[0] != 1 {
		t.Fatal(x)
	}
	if x := changed(lb); len(x) != 1 || x[0] == nil {
		t.Fatalf("who reacts is told the counts: %v", x)
	}
	if x := changed(lc); len(x) != 1 || x[0] != nil {
		t.Fatalf("an older message was shown: %v", x)
	}
	lc.must(t, leave(c, room))
	lc.take()
	la.must(t, a.sendIn(room, "without carol"))
	if x := lc.take(); len(x) != 0 {
		t.Fatal(x)
	}
	// Somebody who comes online after leaving is in no room either.
	lc2 := c.live()
	la.must(t, a.sendIn(room, "still without"))
	if x := lc2.take(); len(x) != 0 {
		t.Fatal(x)
	}
	la.must(t, invite(a, room, c))
	la.must(t, a.sendIn(room, "back"))
	if x := texts(lc.take()); !reflect.DeepEqual(x, []string{"back"}) {
		t.Fatal(x)
	}
}

func TestRefusedMembers(t *testing.T) {
	r := newRig(t, nil)
	a, b, c := r.person("alice"), r.person("bobby"), r.person("carol")
	lb := b.live()
	lb.must(t, &livev1.Frame{Body: &livev1.Frame_Block{Block: &apiv1.BlockRequest{Name: b.name(ids.Room{}), User: a.user.String()}}})
	la := a.live()
	nobody := ids.NewUser(1, make([]byte, 16))
	ack := la.must(t, &livev1.Frame{Body: &livev1.Frame_CreateRoom{CreateRoom: &apiv1.CreateRoomRequest{
		Random: make([]byte, 16), Title: "t", Members: []string{b.user.String(), c.user.String(), nobody.String()},
	}}})
	if !reflect.DeepEqual(ack.Refused, []string{nobody.String(), b.user.String()}) || ack.Room == "" {
		t.Fatal(ack)
	}
}

func TestReadMarks(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	b2 := b.another(false)
	la, lb, lb2 := a.live(), b.live(), b2.live()
	room := ids.Direct(a.user, b.user)
	la.must(t, a.sendTo(b, "1"))
	la.take()
	lb.take()
	lb2.take()
	lb.Frame(markRead(room, 1))
	if x := reads(la.take()); len(x) != 0 {
		t.Fatalf("told to somebody who does not look: %v", x)
	}
	if x := reads(lb2.take()); !reflect.DeepEqual(x, []uint64{1}) {
		t.Fatalf("own other session: %v", x)
	}
	if x := reads(lb.take()); len(x) != 0 {
		t.Fatalf("the session that moved it: %v", x)
	}
	la.Frame(view(room))
	la.must(t, a.sendTo(b, "2"))
	lb.Frame(markRead(room, 2))
	if x := reads(la.take()); !reflect.DeepEqual(x, []uint64{2}) {
		t.Fatal(x)
	}
	lb.Frame(typing(room))
	if x := typings(la.take()); x != 1 {
		t.Fatal(x)
	}
	// A block hides both ways, from the moment it is applied.
	la.must(t, a.sendTo(b, "3"))
	la.must(t, &livev1.Frame{Body: &livev1.Frame_Block{Block: &apiv1.BlockRequest{Name: a.name(ids.Room{}), User: b.user.String()}}})
	la.must(t, &livev1.Frame{Body: &livev1.Frame_Mute{Mute: &apiv1.MuteRequest{Name: a.name(room), Room: room.String(), On: true}}})
	la.take()
	lb.Frame(typing(room))
	lb.Frame(markRead(room, 3))
	if fs := la.take(); typings(fs) != 0 || len(reads(fs)) != 0 {
		t.Fatalf("through a block: %v", fs)
	}
	lb.Frame(view(room))
	lb.take()
	la.Frame(typing(room))
	if fs := lb.take(); typings(fs) != 0 {
		t.Fatalf("through a block, the other way: %v", fs)
	}
	la.must(t, &livev1.Frame{Body: &livev1.Frame_Unblock{Unblock: &apiv1.UnblockRequest{Name: a.name(ids.Room{}), User: b.user.String()}}})
	lb.take()
	la.Frame(typing(room))
	if fs := lb.take(); typings(fs) != 1 {
		t.Fatalf("after the block: %v", fs)
	}
	if x := reads(la.take()); !reflect.DeepEqual(x, []uint64{3}) {
		t.Fatalf("what was read behind the block, after it: %v", x)
	}
}

func TestReadMarksOfLargeRooms(t *testing.T) {
	r := newRig(t, nil)
	owner := r.person("owner")
	var all []*someone
	for i := range largeRoom + 5 {
		all = append(all, r.person(fmt.Sprintf("user%03d", i)))
	}
	room := r.group(owner, all...)
	lo := owner.live()
	var lines []*line
	for _, p := range all {
		lines = append(lines, p.live())
	}
	lo.Frame(view(room))
	lo.must(t, owner.sendIn(room, "1"))
	lo.must(t, owner.sendIn(room, "2"))
	lo.take()
	for seq := uint64(1); seq <= 3; seq++ {
		lines[0].Frame(markRead(room, seq))
		lines[1].Frame(markRead(room, seq))
	}
	if x := reads(lo.take()); len(x) != 0 {
		t.Fatalf("at once: %v", x)
	}
	r.g.Tick()
	if x := reads(lo.take()); !reflect.DeepEqual(x, []uint64{3, 3}) {
		t.Fatalf("with the tick: %v", x)
	}
}

func TestBeats(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la, lb := a.live(), b.live()
	la.must(t, a.sendTo(b, "1"))
	la.must(t, a.sendTo(b, "2"))
	room := ids.Direct(a.user, b.user)
	beats := func(l *line) (out []*livev1.Beat) {
		for _, f := range l.take() {
			if f.GetBeat() != nil {
				out = append(out, f.GetBeat())
			}
		}
		return out
	}
	lb.take()
	lb.Frame(view(room))
	x := beats(lb)
	if len(x) != 1 || len(x[0].Heads) != 1 || x[0].Heads[0].LastSeq != 2 || x[0].Position.GetN() == 0 {
		t.Fatalf("on View: %v", x)
	}
	r.clock.advance(beatActive * time.Millisecond)
	r.g.Tick()
	if x := beats(lb); len(x) != 1 {
		t.Fatalf("after silence: %v", x)
	}
	r.g.Tick()
	if x := beats(lb); len(x) != 0 {
		t.Fatalf("too early: %v", x)
	}
	r.k.notReady(errors.New("cut off"))
	r.clock.advance(time.Minute)
	lb.Alive()
	r.g.Tick()
	if x := beats(lb); len(x) != 0 {
		t.Fatalf("a node that is not ready beats: %v", x)
	}
	if a := lb.do(t, &livev1.Frame{Body: &livev1.Frame_Ping{Ping: &livev1.Ping{}}}); a.GetError().GetReason() != apiv1.Reason_REASON_NOT_READY {
		t.Fatal(a)
	}
	r.k.notReady(nil)
	lb.Frame(&livev1.Frame{Body: &livev1.Frame_Ping{Ping: &livev1.Ping{}}})
	if x := beats(lb); len(x) != 1 {
		t.Fatalf("on Ping: %v", x)
	}
	// Idle: every 40 s, with a ping so that the client shows that it lives.
	la.take()
	la.Alive()
	for range ticksPerScan {
		r.g.Tick()
	}
	if x := beats(la); len(x) != 1 || la.pings != 1 {
		t.Fatalf("idle: %v, %d pings", x, la.pings)
	}
	r.clock.advance((silentWithin + 1000) * time.Millisecond)
	lb.Alive()
	for range ticksPerScan {
		r.g.Tick()
	}
	if la.closed == 0 || lb.closed != 0 {
		t.Fatalf("silent: closed %d, alive: closed %d", la.closed, lb.closed)
	}
}

func TestNoHello(t *testing.T) {
	r := newRig(t, nil)
	l := r.person("alice").connect(false)
	r.clock.advance(helloWithin * time.Millisecond)
	for range ticksPerScan {
		r.g.Tick()
	}
	if l.closed != 0 {
		t.Fatal("too early")
	}
	r.clock.advance(time.Second)
	for range ticksPerScan {
		r.g.Tick()
	}
	if l.closed == 0 {
		t.Fatal("a connection without Hello stays")
	}
}

func TestPeopleEvents(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la, lb := a.live(), b.live()
	ctx := withCaller(t, a)
	if _, err := (peoples{r.g}).AddFriend(ctx, &apiv1.AddFriendRequest{Name: named8(1, 1), User: b.user.String()}); err != nil {
		t.Fatal(err)
	}
	if _, err := (peoples{r.g}).SetProfile(ctx, &apiv1.SetProfileRequest{Name: named8(2, 2), StatusMessage: ptr("휴가")}); err != nil {
		t.Fatal(err)
	}
	var friends, me bool
	for _, f := range la.take() {
		friends = friends || f.GetEvent().GetPeople().GetFriends()
		me = me || f.GetEvent().GetPeople().GetMe()
	}
	if !friends || !me {
		t.Fatal("own sessions were not told")
	}
	if fs := lb.take(); len(fs) != 1 || !fs[0].GetEvent().GetPeople().GetFriends() {
		t.Fatalf("who was added: %v", fs)
	}
}

// TestHubForgets: with the last session everything about a person goes.
func TestHubForgets(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	room := r.group(a, b)
	la, lb := a.live(), b.live()
	lb2 := b.live()
	la.Frame(view(room))
	la.Session.Close()
	lb.Session.Close()
	h := r.g.hub
	if len(h.mu.rooms) != 1 || len(h.mu.people) != 2 || len(h.mu.gone) != 1 {
		t.Fatal("forgotten too early")
	}
	lb2.Session.Close()
	r.clock.advance(presenceGrace * time.Millisecond)
	r.g.Tick()
	if len(h.mu.rooms)+len(h.mu.people)+len(h.mu.sessions)+len(h.active.sessions)+len(h.mu.reads)+len(h.mu.gone) != 0 {
		t.Fatalf("left: %d rooms, %d people, %d sessions, %d active", len(h.mu.rooms), len(h.mu.people), len(h.mu.sessions), len(h.active.sessions))
	}
}
