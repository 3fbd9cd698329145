package gateway

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

func TestSendAndReceive(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la, lb := a.live(), b.live()
	la.Frame(a.sendTo(b, "안녕"))
	got := la.take()
	ack := acks(got)
	if len(ack) != 1 || ack[0].Error != nil || ack[0].Seq != 1 || ack[0].Position == nil || ack[0].Room != ids.Direct(a.user, b.user).String() {
		t.Fatalf("acks %v", ack)
	}
	if x := texts(got); len(x) != 0 {
		t.Fatalf("the sender got its own message as an event: %v", x)
	}
	got = lb.take()
	if x := texts(got); !reflect.DeepEqual(x, []string{"안녕"}) {
		t.Fatalf("the peer got %v", got)
	}
	// The line of the new room comes before its first message.
	if got[0].GetEvent().GetRoom().GetPeer() != a.user.String() {
		t.Fatalf("first event %v", got[0])
	}
	for _, f := range got {
		if f.GetEvent().GetMessage().GetN() != 0 {
			t.Fatalf("the peer sees the author's name: %v", f)
		}
	}
}

func TestOtherSessionsOfTheAuthor(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	tab, phone := a.another(true), a.another(false)
	la, lt, lp := a.live(), tab.live(), phone.live()
	la.Frame(a.sendTo(b, "hi"))
	n := func(l *line) (n []uint64) {
		for _, f := range l.take() {
			if m := f.GetEvent().GetMessage(); m != nil {
				n = append(n, m.N)
			}
		}
		return n
	}
	if x := n(la); len(x) != 0 {
		t.Errorf("own session: %v", x)
	}
	if x := n(lt); !reflect.DeepEqual(x, []uint64{1}) {
		t.Errorf("same device: %v, want the name", x)
	}
	if x := n(lp); !reflect.DeepEqual(x, []uint64{0}) {
		t.Errorf("other device: %v, want no name", x)
	}
}

func TestJSON(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la := a.live()
	lb := b.connect(true)
	lb.Frame(b.hello(nil))
	la.Frame(a.sendTo(b, "하나"))
	if x := texts(lb.take()); !reflect.DeepEqual(x, []string{"하나"}) {
		t.Fatal(x)
	}
	for _, f := range lb.raw {
		if f[0] != 0x80|opText {
			t.Fatalf("%x", f[:2])
		}
	}
}

func TestOpeningErrors(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	reason := func(f *livev1.Frame) apiv1.Reason {
		l := a.connect(false)
		defer l.Session.Close()
		l.Frame(f)
		x := acks(l.take())
		if len(x) != 1 {
			t.Fatalf("%v", x)
		}
		return x[0].Error.GetReason()
	}
	if x := reason(a.sendTo(b, "x")); x != apiv1.Reason_REASON_UNAUTHENTICATED {
		t.Error(x)
	}
	h := a.hello(nil)
	h.GetHello().Device = b.device.String()
	if x := reason(h); x != apiv1.Reason_REASON_WRONG_DEVICE {
		t.Error(x)
	}
	h = a.hello(nil)
	h.GetHello().Token = ids.Text(make([]byte, 32))
	if x := reason(h); x != apiv1.Reason_REASON_UNAUTHENTICATED {
		t.Error(x)
	}
	h = a.hello(&apiv1.Position{Epoch: testEpoch, N: 1 << 40})
	if x := reason(h); x != apiv1.Reason_REASON_BEHIND {
		t.Error(x)
	}
	r.k.notReady(errors.New("cut off"))
	if x := reason(a.hello(nil)); x != apiv1.Reason_REASON_NOT_READY {
		t.Error(x)
	}
	h = a.hello(nil)
	h.GetHello().Token = ids.Text(make([]byte, 32))
	if x := reason(h); x != apiv1.Reason_REASON_NOT_READY { // this site may not know the session yet
		t.Error(x)
	}
	r.k.notReady(nil)
	r.submitPeople(&logv1.PeopleCommand{User: a.user[:], Op: &logv1.PeopleCommand_RevokeSessions{RevokeSessions: &logv1.RevokeSessions{Devices: [][]byte{a.device[:]}}}})
	if x := reason(a.hello(nil)); x != apiv1.Reason_REASON_SESSION_REVOKED {
		t.Error(x)
	}
}

func TestRolledBack(t *testing.T) {
	r := newRig(t, nil)
	r.k.cuts[5] = 100
	a, b := r.person("alice"), r.person("bobby")
	for _, c := range []struct {
		seen *apiv1.Position
		lost bool
		cut  uint64
	}{
		{&apiv1.Position{Epoch: 5, N: 100}, false, 0},
		{&apiv1.Position{Epoch: 5, N: 101}, true, 100},
		{&apiv1.Position{Epoch: 4, N: 1}, true, 0},
		{&apiv1.Position{Epoch: 99, N: 1}, true, 0},
	} {
		l := a.connect(false)
		l.Frame(a.hello(c.seen))
		fs := l.take()
		w := fs[len(fs)-1].GetWelcome()
		if w == nil || w.RolledBack != c.lost || w.Cut.GetN() != c.cut {
			t.Errorf("%v: %v", c.seen, fs)
		}
		l.Session.Close()
	}
	la := a.live()
	f := a.sendTo(b, "x")
	f.GetSend().Name.Epoch = 3
	la.Frame(f)
	if e := acks(la.take())[0].Error; e.Reason != apiv1.Reason_REASON_ROLLED_BACK || e.Consumed || !e.Again {
		t.Error(e)
	}
	f.GetSend().Name.Epoch = testEpoch
	la.Frame(f)
	if e := acks(la.take())[0].Error; e != nil {
		t.Error(e)
	}
}

// TestResume: what happened while a client was away comes as lines of its rooms, what happens after as events, and
// nothing falls between.
func TestResume(t *testing.T) {
	r := newRig(t, nil)
	a, b, c := r.person("alice"), r.person("bobby"), r.person("carol")
	la := a.live()
	la.Frame(a.sendTo(b, "1"))
	la.Frame(a.sendTo(c, "2"))
	at := r.k.Position()
	la.Frame(a.sendTo(b, "3"))
	lb := b.connect(false)
	lb.Frame(b.hello(&apiv1.Position{Epoch: at.Epoch, N: at.N}))
	fs := lb.take()
	rooms := fs[0].GetRooms().GetRooms()
	if len(rooms) != 1 || rooms[0].LastSeq != 2 || rooms[0].Unread != 2 || rooms[0].LastMessage.GetText() != "3" {
		t.Fatalf("%v", fs)
	}
	lc := c.connect(false)
	lc.Frame(c.hello(&apiv1.Position{Epoch: at.Epoch, N: at.N}))
	// At the position seen itself the room is listed again: of that entry the client may have got a part only.
	if rooms := lc.take()[0].GetRooms().GetRooms(); len(rooms) != 1 {
		t.Fatalf("%v", rooms)
	}
	later := r.k.Position()
	lc.Frame(c.hello(&apiv1.Position{Epoch: later.Epoch, N: later.N}))
	if fs := lc.take(); len(fs) != 1 || fs[0].GetWelcome() == nil {
		t.Fatalf("%v", fs)
	}
}

// TestNothingFallsBetween sends while the events of earlier entries are still on their way to the hub, at every place
// around a Hello.
func TestNothingFallsBetween(t *testing.T) {
	for cut := range 6 {
		r := newRig(t, nil)
		a, b := r.person("alice"), r.person("bobby")
		la := a.live()
		r.k.pause(true)
		lb := b.connect(false)
		for i := range 6 {
			if i == cut {
				lb.Frame(b.hello(nil))
			}
			la.Frame(a.sendTo(b, fmt.Sprint(i)))
		}
		r.k.pause(false)
		fs := lb.take()
		seen := map[uint64]bool{}
		for _, f := range fs {
			for _, room := range f.GetRooms().GetRooms() {
				for s := uint64(1); s <= room.LastSeq; s++ {
					seen[s] = true
				}
			}
			if m := f.GetEvent().GetMessage(); m != nil {
				if seen[m.Seq] {
					t.Errorf("cut %d: seq %d twice", cut, m.Seq)
				}
				seen[m.Seq] = true
			}
		}
		if len(seen) != 6 {
			t.Errorf("cut %d: %v of %v", cut, seen, fs)
		}
	}
}

// TestAckAfterEvents: an Ack that shows a position comes after all events up to it, whatever the kernel does first.
func TestAckAfterEvents(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la, lb := a.live(), b.live()
	r.k.pause(true)
	lb.Frame(b.sendTo(a, "from b"))
	la.Frame(a.sendTo(b, "from a"))
	if fs := la.take(); len(fs) != 0 {
		t.Fatalf("before the events: %v", fs)
	}
	r.k.pause(false)
	fs := la.take()
	if len(fs) == 0 || fs[len(fs)-1].GetAck() == nil || len(texts(fs)) != 1 {
		t.Fatalf("%v", fs)
	}
	last := uint64(0)
	for _, f := range fs {
		p := f.GetEvent().GetPosition()
		if f.GetAck() != nil {
			p = f.GetAck().Position
		}
		if p.N < last {
			t.Fatalf("positions go back: %v", fs)
		}
		last = p.N
	}
	// A command that changes nothing has no event to wait for: the next ticks answer it, without a position.
	room := ids.Direct(a.user, b.user)
	la.Frame(&livev1.Frame{Id: 5, Body: &livev1.Frame_Mute{Mute: &apiv1.MuteRequest{Name: a.name(room), Room: room.String()}}})
	if fs := la.take(); len(fs) != 0 {
		t.Fatalf("%v", fs)
	}
	r.g.Tick()
	r.g.Tick()
	if x := acks(la.take()); len(x) != 1 || x[0].Error != nil || x[0].Position != nil {
		t.Fatalf("%v", x)
	}
}

func TestRepeated(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la := a.live()
	f := a.sendTo(b, "once")
	la.Frame(f)
	la.take()
	la.Frame(f)
	x := acks(la.take())
	if len(x) != 1 || !x[0].Repeated || x[0].Seq != 1 || x[0].Error != nil {
		t.Fatal(x)
	}
	g := proto.Clone(f).(*livev1.Frame)
	g.GetSend().Name.Tag = []byte("another!")
	la.Frame(g)
	if e := acks(la.take())[0].Error; e.GetReason() != apiv1.Reason_REASON_ID_REUSED || !e.Consumed || e.Again {
		t.Fatal(e)
	}
}

func TestHeld(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la := a.live()
	room := ids.Direct(a.user, b.user)
	send := func(n, base uint64) *apiv1.ErrorInfo {
		t.Helper()
		la.Frame(&livev1.Frame{Id: n, Body: &livev1.Frame_Send{Send: &apiv1.SendRequest{Name: named8(n, base), Peer: b.user.String(), Text: fmt.Sprint(n)}}})
		x := acks(la.take())
		if len(x) != 1 {
			t.Fatal(x)
		}
		return x[0].Error
	}
	want := func(e *apiv1.ErrorInfo, reason apiv1.Reason, n uint64) {
		t.Helper()
		if e.GetReason() != reason || e.GetN() != n || e.GetConsumed() {
			t.Fatalf("got %v, want %v %d", e, reason, n)
		}
	}
	r.k.refuse = kernel.ErrQueueFull
	want(send(1, 1), apiv1.Reason_REASON_BUSY, 0)
	r.k.refuse = nil
	want(send(2, 1), apiv1.Reason_REASON_HELD, 1)
	want(send(3, 1), apiv1.Reason_REASON_HELD, 1)
	// Another scope is not concerned.
	la.Frame(&livev1.Frame{Id: 50, Body: &livev1.Frame_Block{Block: &apiv1.BlockRequest{Name: named8(1, 1), User: b.user.String()}}})
	la.Frame(&livev1.Frame{Id: 51, Body: &livev1.Frame_Unblock{Unblock: &apiv1.UnblockRequest{Name: named8(2, 1), User: b.user.String()}}})
	for _, x := range acks(la.take()) {
		if x.Error != nil {
			t.Fatal(x)
		}
	}
	if e := send(1, 1); e != nil {
		t.Fatal(e)
	}
	if e := send(2, 1); e != nil {
		t.Fatal(e)
	}
	// Refused for ever: the next waits until Skip takes the name, or base passes it.
	la.Frame(&livev1.Frame{Id: 3, Body: &livev1.Frame_Send{Send: &apiv1.SendRequest{Name: named8(3, 3), Peer: b.user.String(), Text: "\x01"}}})
	want(acks(la.take())[0].Error, apiv1.Reason_REASON_INVALID, 0)
	want(send(4, 3), apiv1.Reason_REASON_HELD, 3)
	la.Frame(&livev1.Frame{Id: 3, Body: &livev1.Frame_Skip{Skip: &apiv1.SkipRequest{Name: named8(3, 3), Room: room.String()}}})
	if e := acks(la.take())[0].Error; e.GetReason() != apiv1.Reason_REASON_SKIPPED || !e.Consumed {
		t.Fatal(e)
	}
	if e := send(4, 3); e != nil {
		t.Fatal(e)
	}
	want(send(7, 5), apiv1.Reason_REASON_EXPECTED, 5)
	r.k.refuse = kernel.ErrDiskFull
	want(send(5, 5), apiv1.Reason_REASON_DISK_FULL, 0)
	r.k.refuse = nil
	want(send(6, 5), apiv1.Reason_REASON_HELD, 5)
	if e := send(6, 6); e != nil {
		t.Fatal(e)
	}
}

func TestNoAnswer(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la := a.live()
	r.k.swallow = func(byte) bool { return true }
	la.Frame(a.sendTo(b, "lost"))
	r.clock.advance(4 * time.Second)
	r.g.Tick()
	if x := acks(la.take()); len(x) != 0 {
		t.Fatal(x)
	}
	r.clock.advance(time.Second)
	r.g.Tick()
	x := acks(la.take())
	if len(x) != 1 || x[0].Error.Reason != apiv1.Reason_REASON_UNKNOWN_OUTCOME || x[0].Error.Consumed || !x[0].Error.Again {
		t.Fatal(x)
	}
	r.k.swallow = nil
	r.k.refuse = kernel.ErrNotReady
	la.Frame(a.sendTo(b, "x"))
	if e := acks(la.take())[0].Error; e.Reason != apiv1.Reason_REASON_NOT_READY {
		t.Fatal(e)
	}
}

func TestRevocationWhileSending(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	other := a.another(false)
	la, lo, lb := a.live(), other.live(), b.live()
	r.k.onSubmit = func(domain byte, _ []byte) {
		if domain == kernel.DomainChat {
			r.k.onSubmit = nil
			r.submitPeople(&logv1.PeopleCommand{User: a.user[:], Op: &logv1.PeopleCommand_RevokeSessions{RevokeSessions: &logv1.RevokeSessions{Devices: [][]byte{a.device[:]}}}})
		}
	}
	la.Frame(a.sendTo(b, "on its way"))
	bye := la.take()
	if len(bye) == 0 || bye[len(bye)-1].GetBye().GetError().GetReason() != apiv1.Reason_REASON_SESSION_REVOKED || bye[len(bye)-1].GetBye().Reconnect || la.closed == 0 {
		t.Fatalf("%v, closed %d", bye, la.closed)
	}
	la.Frame(a.sendTo(b, "after"))
	if len(la.take()) != 0 || len(texts(lb.take())) != 1 {
		t.Fatal("a revoked session could send")
	}
	if fs := lo.take(); fs[0].GetBye() != nil {
		t.Fatal("the other session was ended too")
	}
	b2 := b.live()
	name := &logv1.Name{Device: b.device[:], N: 1, Base: 1, Tag: make([]byte, 8)}
	r.submitPeople(&logv1.PeopleCommand{Name: name, User: b.user[:], Op: &logv1.PeopleCommand_DeleteAccount{DeleteAccount: &logv1.DeleteAccount{CredentialVersion: 1}}})
	if lb.closed == 0 || b2.closed == 0 {
		t.Fatal("the sessions of a closed account live on")
	}
}

func TestRenewedDevice(t *testing.T) {
	r := newRig(t, nil)
	a := r.person("alice")
	la := a.live()
	h := ids.HashToken(a.token)
	r.submitPeople(&logv1.PeopleCommand{User: a.user[:], Op: &logv1.PeopleCommand_RenewDevice{RenewDevice: &logv1.RenewDevice{TokenHash: h[:], Device: make([]byte, 16)}}})
	fs := la.take()
	bye := fs[len(fs)-1].GetBye()
	if bye.GetError().GetReason() != apiv1.Reason_REASON_WRONG_DEVICE || !bye.GetReconnect() {
		t.Fatal(fs)
	}
}

func TestTooSlow(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la, lb := a.live(), b.live()
	lb.limit = 3
	for i := range 10 {
		la.Frame(a.sendTo(b, fmt.Sprint(i)))
	}
	fs := lb.take()
	if len(fs) != 1 || fs[0].GetResync() == nil || lb.drops != 1 {
		t.Fatalf("%v, %d drops", fs, lb.drops)
	}
	lb.limit = 0
	la.Frame(a.sendTo(b, "nobody hears"))
	if fs := lb.take(); len(fs) != 0 {
		t.Fatalf("events after Resync: %v", fs)
	}
	lb.Frame(b.hello(nil))
	la.Frame(a.sendTo(b, "again"))
	fs = lb.take()
	if fs[0].GetRooms().GetRooms()[0].LastSeq != 11 || !reflect.DeepEqual(texts(fs), []string{"again"}) {
		t.Fatalf("%v", fs)
	}
	// Without a new Hello the connection ends.
	lb.limit = 1
	for i := range 3 {
		la.Frame(a.sendTo(b, fmt.Sprint(i)))
	}
	for range 2 * ticksPerScan {
		r.g.Tick()
	}
	if lb.closed != 0 {
		t.Fatal("closed at once")
	}
	r.clock.advance(helloWithin*time.Millisecond + time.Second)
	lb.Alive()
	for range ticksPerScan {
		r.g.Tick()
	}
	if lb.closed == 0 {
		t.Fatal("a session that does not resync stays")
	}
}

func TestManyRooms(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.QueueBytes, o.Limits.Hellos = 4, 1000 })
	a := r.person("alice")
	var want int
	for i := range 120 {
		r.group(a, a)
		want = i + 1
	}
	l := a.connect(false)
	l.limit = 3
	l.Frame(a.hello(nil))
	got := map[string]bool{}
	welcome := false
	for range 20 {
		for _, f := range l.take() {
			if n := len(f.GetRooms().GetRooms()); n > roomsPerFrame {
				t.Fatalf("%d rooms in a frame", n)
			}
			for _, room := range f.GetRooms().GetRooms() {
				if got[room.Id] {
					t.Fatal("a room twice")
				}
				got[room.Id] = true
			}
			welcome = welcome || f.GetWelcome() != nil
		}
		l.Writable()
	}
	if len(got) != want || !welcome {
		t.Fatalf("%d of %d rooms, welcome %v", len(got), want, welcome)
	}
}

func TestCommandRate(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.CommandsPerSecond, o.Limits.CommandBurst = 10, 3 })
	a, b := r.person("alice"), r.person("bobby")
	la := a.live()
	for range 3 {
		la.Frame(a.sendTo(b, "x"))
	}
	la.take()
	f := a.sendTo(b, "one too many")
	la.Frame(f)
	e := acks(la.take())[0].Error
	if e.Reason != apiv1.Reason_REASON_BUSY || e.Consumed || !e.Again || e.RetryAfterMs == 0 {
		t.Fatal(e)
	}
	r.clock.advance(time.Duration(e.RetryAfterMs) * time.Millisecond)
	la.Frame(f)
	if e := acks(la.take())[0].Error; e != nil {
		t.Fatal(e)
	}
}
