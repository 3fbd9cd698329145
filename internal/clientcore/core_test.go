package clientcore

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

const peer = "aaaqcwywscrwu42d"

// calm is one connected client and the 1:1 it writes in.
func calm(t *testing.T, sites int) (*world, *device, string) {
	t.Helper()
	w := newWorld(t, 1, sites)
	w.calm = true
	d := w.add("alice")
	w.settle()
	return w, d, ids.Direct(d.user, ids.NewUser(1, []byte("bob"))).String()
}

func (d *device) texts1(room string) (list []string) {
	for _, m := range d.w.server.Rows(room) {
		list = append(list, m.Text)
	}
	return list
}

func want(t *testing.T, got []string, texts ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(texts) {
		t.Fatalf("rows %q, want %q", got, texts)
	}
}

// serve lets the server answer everything that was written, but keeps the answers from arriving.
func (d *device) serve() {
	for len(d.todo) > 0 {
		f := d.todo[0]
		d.todo = d.todo[1:]
		f()
		d.pump()
	}
	for _, id := range d.order {
		l := d.links[id]
		for _, f := range l.up {
			l.session.Frame(f)
		}
		l.up = nil
	}
}

func TestLostAckThenRestartWeeksLater(t *testing.T) {
	w, d, room := calm(t, 1)
	id := d.send(room, "hello")
	d.serve() // in, and the ack never arrives
	d.restart(true)
	w.now += 60 * 24 * 3600 * 1000
	w.settle()
	want(t, d.texts1(room), "hello")
	if r := d.sent[id].result; r == nil || r.Err != nil || r.Seq != 1 || !r.Repeated {
		t.Fatalf("result %+v", r)
	}
}

func TestNothingLeavesBeforeItIsStored(t *testing.T) {
	w, d, room := calm(t, 1)
	d.send(room, "hello")
	for _, l := range d.links {
		if len(l.up) != 0 {
			t.Fatalf("left before it was stored: %v", l.up)
		}
	}
	w.settle()
	want(t, d.texts1(room), "hello")
}

func TestStoreFailureTellsTheCaller(t *testing.T) {
	w, d, room := calm(t, 1)
	disk := errors.New("disk is gone")
	id, err := d.core.Submit(w.now, Op{Kind: KindSend, Room: room, Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	d.sent[id] = &fate{text: "x"}
	for _, o := range d.core.Take() {
		if p, ok := o.(Persist); ok {
			d.core.Stored(w.now, p.ID, disk)
		}
	}
	d.pump()
	if r := d.sent[id].result; r == nil || !errors.Is(r.Unstored, disk) {
		t.Fatalf("result %+v", r)
	}
	if _, err := d.core.Submit(w.now, Op{Kind: KindSend, Room: room, Text: "y"}); !errors.Is(err, disk) {
		t.Fatalf("a second item was taken: %v", err)
	}
	w.settle()
	want(t, d.texts1(room))
}

func TestEightUnderWayOneRefused(t *testing.T) {
	for _, reason := range []apiv1.Reason{apiv1.Reason_REASON_CANNOT_RECEIVE, apiv1.Reason_REASON_BUSY, apiv1.Reason_REASON_INVALID, apiv1.Reason_REASON_UNKNOWN_OUTCOME} {
		for refused := uint64(1); refused <= 8; refused++ {
			w, d, room := calm(t, 1)
			once := true
			verdict := reason == apiv1.Reason_REASON_CANNOT_RECEIVE
			if verdict {
				w.server.Refuse = func(text string) apiv1.Reason {
					if text == fmt.Sprint(refused) {
						return reason
					}
					return 0
				}
			}
			var ids []uint64
			for i := 1; i <= 12; i++ {
				ids = append(ids, d.send(room, fmt.Sprint(i)))
			}
			w.server.Busy = func(n uint64) apiv1.Reason {
				if once && n == refused && !verdict {
					once = false
					return reason
				}
				return 0
			}
			d.serve()
			most := 0
			for _, l := range d.links {
				acks := 0
				for _, f := range l.session.Out() {
					if f.GetAck() != nil {
						acks++
					}
				}
				most = max(most, acks)
			}
			if most != 8 {
				t.Fatalf("%d frames under way, want 8", most)
			}
			// Those answers are lost; everything comes again.
			d.cut(d.order[0])
			d.pump()
			w.settle()
			lost := verdict || reason == apiv1.Reason_REASON_INVALID && !once
			var texts []string
			for i := 1; i <= 12; i++ {
				r := d.sent[ids[i-1]].result
				if uint64(i) == refused && lost && reason != apiv1.Reason_REASON_INVALID {
					if r.Err == nil || r.Err.Reason != reason {
						t.Fatalf("%v: %+v", reason, r)
					}
					continue
				}
				texts = append(texts, fmt.Sprint(i))
			}
			want(t, d.texts1(room), texts...)
		}
	}
}

func TestNeverAgainIsReplacedBySkip(t *testing.T) {
	w, d, room := calm(t, 1)
	w.calm = false
	w.server.Busy = func(n uint64) apiv1.Reason {
		if n == 2 {
			w.server.Busy = nil
			return apiv1.Reason_REASON_INVALID
		}
		return 0
	}
	a, b, c := d.send(room, "a"), d.send(room, "b"), d.send(room, "c")
	d.serve()
	w.settle()
	want(t, d.texts1(room), "a", "c")
	if r := d.sent[b].result; r.Err == nil || r.Err.Reason != apiv1.Reason_REASON_INVALID {
		t.Fatalf("b: %+v", r)
	}
	if d.sent[a].result.Err != nil || d.sent[c].result.Seq != 2 {
		t.Fatalf("a %+v c %+v", d.sent[a].result, d.sent[c].result)
	}
}

func TestGivenUp(t *testing.T) {
	t.Run("before it left", func(t *testing.T) {
		w, d, room := calm(t, 1)
		d.cut(d.order[0])
		id := d.send(room, "no")
		if err := d.core.GiveUp(w.now, id); err != nil {
			t.Fatal(err)
		}
		d.send(room, "yes")
		w.settle()
		want(t, d.texts1(room), "yes")
		if !d.sent[id].result.GivenUp {
			t.Fatalf("%+v", d.sent[id].result)
		}
	})
	t.Run("too late", func(t *testing.T) {
		w, d, room := calm(t, 1)
		id := d.send(room, "in")
		d.serve()
		if err := d.core.GiveUp(w.now, id); err != nil {
			t.Fatal(err)
		}
		d.cut(d.order[0]) // the ack is lost: only the Skip can tell
		w.settle()
		want(t, d.texts1(room), "in")
		if r := d.sent[id].result; r.GivenUp || r.Seq != 1 {
			t.Fatalf("%+v", r)
		}
	})
	t.Run("twice", func(t *testing.T) {
		w, d, room := calm(t, 1)
		id := d.send(room, "x")
		if err := d.core.GiveUp(w.now, id); err != nil {
			t.Fatal(err)
		}
		if err := d.core.GiveUp(w.now, id); !errors.Is(err, ErrGivingUp) {
			t.Fatal(err)
		}
		if err := d.core.GiveUp(w.now, 99); !errors.Is(err, ErrNoItem) {
			t.Fatal(err)
		}
	})
}

func TestReplaced(t *testing.T) {
	for _, in := range []bool{false, true} {
		w, d, room := calm(t, 1)
		id := d.send(room, "teh")
		if in {
			d.serve()
		}
		next, err := d.core.Replace(w.now, id, "the")
		if err != nil {
			t.Fatal(err)
		}
		d.sent[next] = &fate{text: "the"}
		d.pump()
		d.cut(d.order[0])
		d.serve()
		d.restart(false)
		w.settle()
		if in {
			want(t, d.texts1(room), "teh", "the")
			if m := w.server.Rows(room)[1]; m.Kind != apiv1.MessageKind_MESSAGE_KIND_EDIT || m.Target != 1 {
				t.Fatalf("not an edit: %v", m)
			}
		} else {
			want(t, d.texts1(room), "the")
		}
		if r := d.sent[next].result; r == nil || r.Err != nil || r.GivenUp {
			t.Fatalf("%+v", r)
		}
	}
}

// TestTwoTabs: two windows share one outbox and both send what is open.
func TestTwoTabs(t *testing.T) {
	w, d, room := calm(t, 1)
	d.cut(d.order[0])
	for i := 1; i <= 10; i++ {
		d.send(room, fmt.Sprint(i))
	}
	d.serve()
	tab := &device{w: w, name: "tab", token: d.token, user: d.user, records: d.records, sent: d.sent}
	w.clients = append(w.clients, tab)
	tab.start()
	w.calm = true
	w.settle()
	want(t, d.texts1(room), "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
}

func TestCopiedProfile(t *testing.T) {
	w, a, room := calm(t, 1)
	b := &device{w: w, name: "copy", token: a.token, user: a.user, records: a.records, sent: map[uint64]*fate{}}
	w.clients = append(w.clients, b)
	b.start()
	w.settle()
	for i := range 5 {
		a.send(room, fmt.Sprint("a", i))
		b.send(room, fmt.Sprint("b", i))
	}
	w.settle()
	a.copied, b.copied = true, true
	// They share one session, and it has one device: one copy goes on, the other is told to log in again.
	if a.core.Device() == b.core.Device() {
		t.Fatal("both have the same device still")
	}
	if (a.ended == nil) == (b.ended == nil) {
		t.Fatalf("a ended %v, b ended %v", a.ended, b.ended)
	}
	w.check(room)
	ended := a
	if a.ended == nil {
		ended = b
	}
	// With a session of its own it sends what is open, and nothing twice.
	ended.token = "token-again"
	dev := ids.Device{9}
	w.server.Add(ended.token, ended.user, dev)
	ended.ended = nil
	ended.core.SetAccount(ended.user, ended.token, dev)
	ended.core.GoOnline(w.now)
	ended.pump()
	w.settle()
	if got := len(a.texts1(room)); got != 10 {
		t.Fatalf("%d rows: %q", got, a.texts1(room))
	}
	w.check(room)
}

func TestMovesToAnotherSiteInMidSend(t *testing.T) {
	w, d, room := calm(t, 3)
	w.calm = false
	id := d.send(room, "moving")
	d.serve()
	old := d.order[0]
	site := d.core.Site()
	d.links[old].dead = true
	at, ok := d.core.NextWake()
	if !ok || at > w.now+unanswered {
		t.Fatalf("waits until %d, now %d", at, w.now)
	}
	w.now = at
	d.core.Tick(w.now)
	d.pump()
	if len(d.order) != 2 {
		t.Fatalf("no second connection: %v", d.order)
	}
	w.calm = true
	for range 200 {
		d.step()
	}
	if d.core.Site() == site || d.links[old] != nil {
		t.Fatalf("still at site %d", site)
	}
	w.settle()
	want(t, d.texts1(room), "moving")
	if r := d.sent[id].result; r.Err != nil || !r.Repeated {
		t.Fatalf("%+v", r)
	}
}

func TestSilence(t *testing.T) {
	w, d, room := calm(t, 2)
	idle, _ := d.core.NextWake()
	if idle < w.now+silenceIdle-30000 {
		t.Fatalf("an idle session wakes after %d ms", idle-w.now)
	}
	d.core.View(w.now, []string{room})
	if at, _ := d.core.NextWake(); at > w.now+silenceActive {
		t.Fatalf("a room in view is left silent for %d ms", at-w.now)
	}
}

func TestRolledBack(t *testing.T) {
	w, d, room := calm(t, 1)
	d.send(room, "kept")
	w.settle()
	cut := w.server.N()
	lost := d.send(room, "lost in the fire")
	w.settle()
	if d.sent[lost].result.Seq != 2 {
		t.Fatalf("%+v", d.sent[lost].result)
	}
	dev := d.core.Device()
	w.server.Restore(cut)
	id := d.send(room, "after")
	w.settle()
	want(t, d.texts1(room), "kept", "after")
	if r := d.sent[id].result; r.Err != nil || r.Seq != 2 {
		t.Fatalf("%+v", r)
	}
	if d.ended != nil || d.rollbacks != 1 {
		t.Fatalf("ended %v, told of a restore %d times", d.ended, d.rollbacks)
	}
	if d.core.Epoch() != 2 || d.core.Device() != dev {
		t.Fatalf("epoch %d, device changed %v", d.core.Epoch(), d.core.Device() != dev)
	}
}

func TestFirstSendWaitsForTheRoom(t *testing.T) {
	w, d, _ := calm(t, 1)
	id, err := d.core.Submit(w.now, Op{Kind: KindCreateRoom, Text: "title"})
	if err != nil {
		t.Fatal(err)
	}
	room := d.core.items[id].op.Room
	d.sent[id] = &fate{}
	d.send(room, "first")
	d.serve()
	for _, l := range d.links {
		if n := len(w.server.Rows(room)); n != 1 {
			t.Fatalf("%d rows, link %v", n, l)
		}
	}
	w.settle()
	want(t, d.texts1(room), "title", "first")
}

func TestFullUserLosesNothing(t *testing.T) {
	w, d, room := calm(t, 1)
	b := w.add("bob")
	w.settle()
	d.core.SetFull(w.now, true)
	for i := range 100 {
		b.send(room, fmt.Sprint(i))
	}
	for range 5000 {
		b.step()
		d.step()
	}
	if n := len(d.got[room]); n != 0 {
		t.Fatalf("delivered %d to a full user", n)
	}
	d.core.SetFull(w.now, false)
	w.settle()
	if n := len(d.got[room]); n != 100 {
		t.Fatalf("delivered %d of 100", n)
	}
}

func TestEndedSession(t *testing.T) {
	w, d, room := calm(t, 1)
	d.core.Frame(w.now, d.order[0], &livev1.Frame{Body: &livev1.Frame_Bye{Bye: &livev1.Bye{
		Error: &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_SESSION_REVOKED}, Message: "logged out"}}})
	d.pump()
	if d.ended == nil || d.ended.Reason != apiv1.Reason_REASON_SESSION_REVOKED {
		t.Fatalf("%v", d.ended)
	}
	if _, ok := d.core.NextWake(); ok {
		t.Fatal("an ended session wants to go on")
	}
	if id := d.send(room, "kept for the next log-in"); d.core.items[id] == nil {
		t.Fatal("the item is gone")
	}
}

func TestPasswordsAreNotStored(t *testing.T) {
	w, d, _ := calm(t, 1)
	id, err := d.core.Submit(w.now, Op{Kind: KindChangePassword, Old: "old-secret", New: "new-secret"})
	if err != nil {
		t.Fatal(err)
	}
	d.sent[id] = &fate{}
	d.pump()
	for len(d.todo) > 0 {
		f := d.todo[0]
		d.todo = d.todo[1:]
		f()
	}
	for _, batch := range d.records {
		for _, r := range batch {
			for i := range r {
				if i+6 <= len(r) && string(r[i:i+6]) == "secret" {
					t.Fatal("a password is in the store")
				}
			}
		}
	}
	d.calls = nil
	d.restart(true)
	if len(d.calls) != 1 || !d.calls[0].Skip {
		t.Fatalf("not given up after the restart: %v", d.calls)
	}
	d.core.Called(w.now, d.calls[0].ID, nil, &Refusal{Reason: apiv1.Reason_REASON_SKIPPED, Consumed: true}, false)
	d.pump()
	if r := d.sent[id].result; r == nil || !r.GivenUp {
		t.Fatalf("%+v", r)
	}
}

func TestSnapshotIsTheSameState(t *testing.T) {
	w, d, room := calm(t, 1)
	d.cut(d.order[0])
	for i := range 4 {
		d.send(room, fmt.Sprint(i))
	}
	gone := d.core.Items()[1].ID
	if err := d.core.GiveUp(w.now, gone); err != nil {
		t.Fatal(err)
	}
	d.pump()
	d.serve()
	d.records = [][][]byte{d.core.Snapshot("alice", nil)}
	d.restart(true)
	w.settle()
	want(t, d.texts1(room), "0", "2", "3")
	next := d.send(room, "next")
	w.settle()
	if r := d.sent[next].result; r.Err != nil || r.Seq != 4 {
		t.Fatalf("%+v", r)
	}
}

func FuzzRecord(f *testing.F) {
	c := New(Config{Sites: 1, Rand: rand.New(rand.NewPCG(1, 1))})
	c.SetAccount(ids.NewUser(1, []byte("x")), "t", ids.Device{1})
	name := "n"
	for _, op := range []Op{{Kind: KindSend, Peer: peer, Text: "hi"}, {Kind: KindCreateRoom, Text: "t", List: []string{peer}},
		{Kind: KindSetProfile, Name: &name}} {
		if _, err := c.Submit(1, op); err != nil {
			f.Fatal(err)
		}
	}
	for _, o := range c.Take() {
		if p, ok := o.(Persist); ok {
			for _, r := range p.Records {
				f.Add(r)
			}
		}
	}
	f.Add(AccountRecord(c.user, "alice", "t", ids.Device{1}))
	f.Add(FormRecord(&Form{Random: []byte{1}, Token: []byte{2}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		st := NewState()
		if st.Add(b) != nil {
			return
		}
		New(Config{Sites: 1, Rand: rand.New(rand.NewPCG(1, 1)), State: st}).Snapshot("h", nil)
	})
}

// TestOwnRowComesWithTheAnswer: the server does not tell the sending session of its own message, and rows of others may
// come before the answer. That is no gap: nothing is asked for.
func TestOwnRowComesWithTheAnswer(t *testing.T) {
	w, d, room := calm(t, 1)
	b := w.add("bob")
	w.settle()
	d.send(room, "mine")
	d.serve()
	b.send(room, "theirs")
	b.serve()
	conn := d.order[0]
	frames := d.links[conn].session.Out()
	if len(frames) != 2 || frames[0].GetAck() == nil || frames[1].GetEvent() == nil {
		t.Fatalf("frames %v", frames)
	}
	for _, f := range []*livev1.Frame{frames[1], frames[0]} {
		d.core.Frame(w.now, conn, f)
		for _, o := range d.core.Take() {
			switch o := o.(type) {
			case Fetch:
				t.Fatal("history was asked for a row that the answer brings")
			case Deliver:
				d.deliver(o)
			case Settled:
				d.settled(o)
			}
		}
	}
	got := d.got[room]
	if len(got) != 2 || got[0].Text != "mine" || got[0].Ord != 1 || got[0].N != 1 || got[1].Text != "theirs" {
		t.Fatalf("delivered %v", got)
	}
}

// TestRowOfACopyIsNotTheItem: an item comes back after its verdict is forgotten, and the row under its name is what a copy
// of this profile said. It is not told as sent, and this copy takes a device of its own.
func TestRowOfACopyIsNotTheItem(t *testing.T) {
	for _, text := range []string{"hello", "my own"} {
		w, d, room := calm(t, 1)
		before := slices.Clone(d.records)
		hello := d.send(room, "hello")
		d.serve()
		late := &device{w: w, name: "late", token: d.token, user: d.user, records: slices.Clone(d.records), sent: map[uint64]*fate{}}
		if text != "hello" {
			late.records = before
		}
		w.settle()
		for i := range 20 { // more than the server keeps verdicts for
			d.send(room, fmt.Sprint(i))
		}
		w.settle()
		d.core.GoOffline(w.now)
		w.clients = []*device{late}
		late.sent[hello] = &fate{text: text, room: room}
		late.start()
		if text != "hello" && late.send(room, text) != hello {
			t.Fatal("another item")
		}
		w.settle()
		r, moved := late.sent[hello].result, late.core.Device() != d.core.Device()
		if text == "hello" {
			if r.Err != nil || r.Seq != 1 || moved {
				t.Fatalf("its own row: %+v, another device: %v", r, moved)
			}
		} else if r.Err == nil || r.Err.Reason != apiv1.Reason_REASON_ALREADY_IN || !moved {
			t.Fatalf("the row of a copy: %+v, another device: %v", r, moved)
		}
	}
}

// TestGiveUpIsToldWhenItIsSafe: names are being recovered, the Skip under the old one is answered, and the user gives the
// item up meanwhile. The wish decides when it is stored: a crash before would send the item under a new name.
func TestGiveUpIsToldWhenItIsSafe(t *testing.T) {
	w, d, room := calm(t, 1)
	d.cut(d.order[0])
	id := d.send(room, "x")
	d.todo = d.todo[1:]
	d.records = append(d.records, [][]byte{itemRecord(d.core.items[id])})
	d.core.Stored(w.now, d.core.persistID, nil)
	d.core.GoOffline(w.now)
	d.pump()
	dev := ids.Device{4}
	d.token = "token-again"
	w.server.Add(d.token, d.user, dev)
	d.core.SetAccount(d.user, d.token, dev)
	d.core.GoOnline(w.now)
	d.pump()
	for i := 0; i < 1000 && !(len(d.order) > 0 && d.core.items[id].flight != 0); i++ {
		d.step()
	}
	d.serve()
	if err := d.core.GiveUp(w.now, id); err != nil {
		t.Fatal(err)
	}
	d.pump()
	told := false
	for _, f := range d.links[d.order[0]].session.Out() {
		told = told || f.GetAck().GetError().GetReason() == apiv1.Reason_REASON_SKIPPED
		d.core.Frame(w.now, d.order[0], f)
		d.pump()
	}
	if !told || d.sent[id].result != nil {
		t.Fatalf("answered %v, told %+v", told, d.sent[id].result)
	}
	w.settle()
	if r := d.sent[id].result; r == nil || !r.GivenUp {
		t.Fatalf("%+v", r)
	}
	want(t, d.texts1(room))
}

// TestResyncClosesTheConnectionThatWasOpening: the silent connection comes to life while another one is being opened.
func TestResyncClosesTheConnectionThatWasOpening(t *testing.T) {
	w, d, room := calm(t, 2)
	d.core.View(w.now, []string{room})
	d.pump()
	d.serve()
	cur := d.order[0]
	d.links[cur].session.Out()
	at, _ := d.core.NextWake()
	w.now = at
	d.core.Tick(w.now)
	d.pump()
	if len(d.order) != 2 {
		t.Fatalf("connections %v", d.order)
	}
	d.serve() // the other one is open and has said hello
	d.links[cur].session.Resync()
	for range 2 {
		for _, f := range d.links[cur].session.Out() {
			d.core.Frame(w.now, cur, f)
			d.pump()
		}
		d.serve()
	}
	if len(d.order) != 1 || d.order[0] != cur {
		t.Fatalf("connections %v, welcomed %d", d.order, cur)
	}
}
