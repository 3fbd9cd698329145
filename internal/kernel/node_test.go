package kernel

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// cell is a simulated quorum with nodes on it, for tests inside a synctest bubble.
type cell struct {
	t   *testing.T
	sim *cluster.Sim
}

func newCell(t *testing.T, members int) *cell {
	return &cell{t, cluster.NewSim(1, members, 3, FirstEntry(3, Behaviour, uint64(time.Now().UnixMilli())))}
}

// testNode is a node with two domains, people before chat, and all that its sink was given.
type testNode struct {
	*Node
	t      *testing.T
	log    *cluster.SimLog
	people Store
	chat   Store
	mu     sync.Mutex
	sunk   []Applied
	fatals []error
}

func (c *cell) start(member int, people, chat Store, change func(*Options)) *testNode {
	c.t.Helper()
	tn := &testNode{t: c.t, log: c.sim.Log(member), people: people, chat: chat}
	o := Options{
		Log: tn.log, Node: cluster.NodeID{byte(member + 1)}, URL: fmt.Sprintf("http://site%d", member),
		Domains: []DomainStore{{&bank{id: DomainPeople}, people}, {&bank{id: DomainChat}, chat}},
		Stamp:   func() uint64 { return uint64(time.Now().UnixMilli()) },
		Sink: func(a Applied) {
			tn.mu.Lock()
			defer tn.mu.Unlock()
			tn.sunk = append(tn.sunk, a)
		},
		Fatal: func(err error) {
			tn.mu.Lock()
			defer tn.mu.Unlock()
			tn.fatals = append(tn.fatals, err)
		},
	}
	if change != nil {
		change(&o)
	}
	n, err := Start(o)
	if err != nil {
		c.t.Fatal(err)
	}
	tn.Node = n
	return tn
}

func (c *cell) startNew(member int) *testNode {
	return c.start(member, NewMemStore(), NewMemStore(), nil)
}

func (n *testNode) stop() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		n.t.Error(err)
	}
	if err := n.log.Close(); err != nil {
		n.t.Error(err)
	}
}

// ask submits and waits for the result; a refusal to submit is one.
func (n *testNode) ask(domain byte, command []byte) Result {
	n.t.Helper()
	done := make(chan Result, 1)
	if err := n.Submit(domain, command, func(r Result) { done <- r }); err != nil {
		return Result{Err: err}
	}
	return <-done
}

func (n *testNode) mustOK(domain byte, command []byte) Result {
	n.t.Helper()
	r := n.ask(domain, command)
	if r.Err != nil || r.Verdict.Code != OK {
		n.t.Fatalf("%+v", r)
	}
	return r
}

func (n *testNode) fatal() []error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.fatals
}

// drainSink returns what the sink was given since the last call.
func (n *testNode) drainSink() []Applied {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.sunk
	n.sunk = nil
	return s
}

func TestSubmitTellsTheVerdictAndReadsItsOwnWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		n := c.startNew(0)
		defer n.stop()
		for i := uint64(1); i <= 3; i++ {
			r := n.mustOK(DomainChat, named(opAdd, 1, i, "x"))
			snap := n.Snapshot(DomainChat)
			if r.Verdict.Seq != i || bankSum(snap, room("x")) != i || snap.Position().Less(r.Pos) || r.Last != i || r.Time == 0 {
				t.Errorf("%+v at %v", r, snap.Position())
			}
			snap.Close()
		}
		if r := n.ask(DomainChat, named(opAdd, 1, 2, "x")); r.Err != nil || !r.Repeated || r.Verdict != (Verdict{OK, 2}) {
			t.Errorf("the same name again: %+v", r)
		}
		if r := n.ask(DomainPeople, unnamed(opRefuse, "x")); r.Err != nil || r.Verdict != (Verdict{NotMember, 7}) {
			t.Errorf("refused: %+v", r)
		}
		if r := n.ask(DomainChat, unnamed(opPanic, "x")); r.Err != nil || r.Verdict.Code != Internal {
			t.Errorf("panicked: %+v", r)
		}
		if p := n.Position(); p.Epoch != 3 || p.N < 4 {
			t.Errorf("position %v", p)
		}
	})
}

func TestSubmitKeepsTheOrderOfACaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		c.sim.SetFaults(cluster.SimFaults{MaxDelay: 3 * time.Millisecond, LoseAnswer: 0.2, LoseRequest: 0.2, Double: 0.3})
		n := c.startNew(0)
		defer n.stop()
		const count = 500
		var got []uint64
		all := make(chan struct{})
		for i := uint64(1); i <= count; i++ {
			if err := n.Submit(DomainChat, named(opAdd, 1, i, "x"), func(r Result) {
				if r.Err != nil || r.Repeated || r.Verdict != (Verdict{OK, i}) {
					t.Errorf("command %d: %+v", i, r)
				}
				if got = append(got, i); len(got) == count {
					close(all)
				}
			}); err != nil {
				t.Fatal(err)
			}
			if i%50 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		<-all
		for i, v := range got {
			if v != uint64(i+1) {
				t.Fatalf("answer %d came in place %d", v, i+1)
			}
		}
	})
}

// TestManyCallers: three nodes, a bad network, callers who ask again: everything exactly once and everywhere the same.
func TestManyCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		c.sim.SetFaults(cluster.SimFaults{MaxDelay: 5 * time.Millisecond, LoseAnswer: 0.1, LoseRequest: 0.1, Double: 0.2})
		var nodes []*testNode
		for m := range 3 {
			nodes = append(nodes, c.startNew(m))
		}
		var wg sync.WaitGroup
		const callers, each = 30, 20
		for caller := range callers {
			wg.Go(func() {
				for i := uint64(1); i <= each; i++ {
					// Each command is sent through two nodes, as by a client that moves.
					for k := range 2 {
						n := nodes[(caller+k)%3]
						r := n.ask(DomainChat, named(opAdd, byte(caller), i, fmt.Sprint("room", caller%7)))
						for errors.Is(r.Err, ErrNotReady) || errors.Is(r.Err, ErrQueueFull) { // nothing was done
							time.Sleep(50 * time.Millisecond)
							r = n.ask(DomainChat, named(opAdd, byte(caller), i, fmt.Sprint("room", caller%7)))
						}
						if r.Err != nil || r.Verdict.Code != OK || r.Last < i || r.Repeated != (k == 1) {
							t.Errorf("caller %d, command %d, time %d: %+v", caller, i, k, r)
						}
					}
				}
			})
		}
		wg.Wait()
		c.sim.SetFaults(cluster.SimFaults{})
		time.Sleep(5 * time.Second) // every node has read everything
		total := uint64(0)
		snap := nodes[0].Snapshot(DomainChat)
		for r := range 7 {
			total += bankSum(snap, room(fmt.Sprint("room", r)))
		}
		snap.Close()
		if total != callers*each {
			t.Errorf("%d were applied of %d", total, callers*each)
		}
		for _, n := range nodes {
			n.stop()
		}
		// The same entry, the same chain; whoever is further has the others' in its window.
		for _, n := range nodes[1:] {
			for i := range 2 {
				a, b := nodes[0].runners[i].a, n.runners[i].a
				at := min(a.Position().N, b.Position().N)
				ca, oka := a.ChainAt(at)
				cb, okb := b.ChainAt(at)
				if !oka || !okb || ca != cb {
					t.Errorf("chains at %d: %x %v, %x %v", at, ca, oka, cb, okb)
				}
			}
			if content(n.chat) != content(nodes[0].chat) {
				t.Error("views differ")
			}
		}
	})
}

func TestStopDrainsAndRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		c.sim.SetFaults(cluster.SimFaults{MaxDelay: 20 * time.Millisecond})
		n := c.startNew(0)
		results := make(chan Result, 100)
		for i := uint64(1); i <= 100; i++ {
			if err := n.Submit(DomainChat, named(opAdd, 1, i, "x"), func(r Result) { results <- r }); err != nil {
				t.Fatal(err)
			}
		}
		n.stop()
		if len(results) != 100 {
			t.Fatalf("%d of 100 were answered before Stop returned", len(results))
		}
		for range 100 {
			if r := <-results; r.Err != nil || r.Verdict.Code != OK {
				t.Errorf("%+v", r)
			}
		}
		if err := n.Submit(DomainChat, unnamed(opAdd, "x"), nil); !errors.Is(err, ErrStopped) {
			t.Errorf("after Stop: %v", err)
		}
		if err := n.SubmitEphemeral(DomainChat, unnamed(opTyping, "x")); !errors.Is(err, ErrStopped) {
			t.Errorf("after Stop: %v", err)
		}
		if err := n.Ready(); !errors.Is(err, ErrNotReady) {
			t.Errorf("ready after Stop: %v", err)
		}
		// Another start goes on where this one ended.
		again := c.start(0, n.people, n.chat, nil)
		defer again.stop()
		if r := again.mustOK(DomainChat, named(opAdd, 1, 101, "x")); r.Verdict.Seq != 101 {
			t.Errorf("%+v", r)
		}
		if r := again.ask(DomainChat, named(opAdd, 1, 100, "x")); !r.Repeated || r.Verdict.Seq != 100 {
			t.Errorf("%+v", r)
		}
	})
}

// TestStopLeavesTheOutcomeOpen: who waits while the node is cut off is told so once, and asking again under the same
// name after the restart gives one verdict, whatever became of the first attempt.
func TestStopLeavesTheOutcomeOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		n := c.startNew(0)
		n.mustOK(DomainChat, named(opAdd, 1, 1, "x"))
		c.sim.Cut(0)
		results := make(chan Result, 40)
		for i := uint64(2); i <= 21; i++ {
			if err := n.Submit(DomainChat, named(opAdd, 1, i, "x"), func(r Result) { results <- r }); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := n.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if len(results) != 20 {
			t.Fatalf("%d of 20 were told", len(results))
		}
		for range 20 {
			if r := <-results; !errors.Is(r.Err, ErrStopped) {
				t.Errorf("%+v", r)
			}
		}
		_ = n.log.Close()
		c.sim.Heal(0)
		again := c.start(0, n.people, n.chat, nil)
		defer again.stop()
		for again.Ready() != nil { // what is asked before is refused: the log's time has stood still
			time.Sleep(time.Millisecond)
		}
		for i := uint64(2); i <= 21; i++ {
			if r := again.ask(DomainChat, named(opAdd, 1, i, "x")); r.Err != nil || r.Verdict != (Verdict{OK, i}) {
				t.Errorf("command %d: %+v", i, r)
			}
		}
		if len(results) != 0 {
			t.Error("somebody was told twice")
		}
	})
}

// TestSubmitBeforeTheLogAnswers: what waits for the incarnation to be opened is bounded, and everybody who was taken is
// answered.
func TestSubmitBeforeTheLogAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, heal := range []bool{true, false} {
			c := newCell(t, 3)
			c.sim.Cut(0)
			n := c.startNew(0)
			big := named(opAdd, 1, 1, "x")
			big = append(big, make([]byte, MaxCommand-len(big))...)
			answered, taken := 0, 0
			var mu sync.Mutex
			for range 700 {
				err := n.Submit(DomainChat, big, func(Result) {
					mu.Lock()
					defer mu.Unlock()
					answered++
				})
				if err == nil {
					taken++
				} else if !errors.Is(err, ErrQueueFull) {
					t.Fatal(err)
				}
			}
			if taken < 500 || taken*len(big) > maxQueueBytes {
				t.Errorf("%d commands of %d bytes were taken", taken, len(big))
			}
			if err := n.Submit(DomainChat, append(big, 0), nil); !errors.Is(err, ErrTooLarge) {
				t.Errorf("too large: %v", err)
			}
			if err := n.SubmitEphemeral(DomainChat, unnamed(opTyping, "x")); !errors.Is(err, ErrQueueFull) {
				t.Errorf("nobody should wait for typing: %v", err)
			}
			if heal {
				c.sim.Heal(0)
			}
			time.Sleep(10 * time.Second)
			n.stop()
			if answered != taken {
				t.Errorf("%d were taken, %d answered", taken, answered)
			}
		}
	})
}

// TestSinkOrder: people of entry n, then chat of entry n, at once; wherever the two views stood at the start.
func TestSinkOrder(t *testing.T) {
	for what, keep := range map[string][2]int{"together": {1000, 1000}, "chat is behind": {1000, 3}, "people is behind": {3, 1000}, "one is new": {1000, 0}} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCell(t, 1)
				people, chat := NewMemStore(), NewMemStore()
				n := c.start(0, people, chat, nil)
				for range 10 {
					n.mustOK(DomainPeople, unnamed(opAdd, "p"))
					n.mustOK(DomainChat, unnamed(opAdd, "c"))
				}
				// As by kill -9: nothing was synced, and the two views are forgotten up to different entries.
				n.cancel()
				n.wg.Wait()
				_ = n.log.Close()
				people.Crash(keep[0])
				chat.Crash(keep[1])

				n = c.start(0, people, chat, nil)
				defer n.stop()
				for i := range uint64(20) {
					var wg sync.WaitGroup
					wg.Add(2)
					for _, d := range []byte{DomainPeople, DomainChat} {
						if err := n.Submit(d, unnamed(opAdd, "both"), func(Result) { wg.Done() }); err != nil {
							t.Fatal(err)
						}
					}
					wg.Wait()
					synctest.Wait()
					sunk := n.drainSink()
					// No other entry is needed to push these out.
					if k := len(sunk); k < 2 || sunk[k-1].Domain != DomainChat || !reflect.DeepEqual(sunk[k-1].Events, []any{bankEvent{string(room("both")), i + 1}}) {
						t.Fatalf("round %d: the sink was given %+v", i, sunk)
					}
					for j, a := range sunk[1:] {
						b := sunk[j]
						if a.Pos.Less(b.Pos) || a.Pos == b.Pos && a.Domain < b.Domain {
							t.Fatalf("%v of domain %d came after %v of domain %d", a.Pos, a.Domain, b.Pos, b.Domain)
						}
					}
				}
			})
		})
	}
}

// TestBeatsOnlyWhenIdle: what arrives while an entry is being made rides in it and does not cause another, empty one.
func TestBeatsOnlyWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		var n *testNode
		var arrives func()
		n = c.start(0, NewMemStore(), NewMemStore(), func(o *Options) {
			stamp := o.Stamp
			o.Stamp = func() uint64 {
				if arrives != nil {
					arrives()
					arrives = nil
				}
				return stamp()
			}
		})
		defer n.stop()
		synctest.Wait()
		before := n.Stats().Entries
		if before == 0 {
			t.Fatal("no first entry")
		}
		second := make(chan Result, 1)
		arrives = func() {
			if err := n.Submit(DomainChat, unnamed(opAdd, "x"), func(r Result) { second <- r }); err != nil {
				t.Error(err)
			}
		}
		first := n.mustOK(DomainChat, unnamed(opAdd, "x"))
		if r := <-second; r.Pos != first.Pos {
			t.Errorf("in entries %v and %v", first.Pos, r.Pos)
		}
		synctest.Wait()
		if got := n.Stats().Entries - before; got != 1 {
			t.Errorf("%d entries for two commands that came together", got)
		}
		time.Sleep(BeatAfter*10 + BeatAfter/2)
		if got := n.Stats().Entries - before; got != 11 {
			t.Errorf("%d entries after ten beats", got)
		}
	})
}

// gate is a domain whose Apply waits.
type gate struct {
	bank
	open chan struct{}
}

func (g *gate) Apply(a *Apply, c Command) Verdict {
	<-g.open
	return g.bank.Apply(a, c)
}

// TestSlowApplyHoldsBack: a view that does not keep up makes the queue fill and callers hear busy; entries that are in
// the log but not applied stay few.
func TestSlowApplyHoldsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		g := &gate{open: make(chan struct{})}
		n := c.start(0, NewMemStore(), NewMemStore(), func(o *Options) { o.Domains[1].Domain = g })
		defer n.stop()
		synctest.Wait()
		taken, answered := 0, make(chan Result, 4*maxAhead)
		for range 3 * maxAhead {
			if err := n.Submit(DomainChat, unnamed(opAdd, "x"), func(r Result) { answered <- r }); err != nil {
				t.Fatal(err)
			}
			taken++
			synctest.Wait()
		}
		n.Node.mu.Lock()
		ahead := n.Node.mu.flights.Len()
		n.Node.mu.Unlock()
		if ahead > maxAhead || n.Stats().Queued < maxAhead {
			t.Errorf("%d entries are ahead of the view, %d commands wait", ahead, n.Stats().Queued)
		}
		close(g.open)
		for range taken {
			if r := <-answered; r.Err != nil || r.Verdict.Code != OK {
				t.Fatalf("%+v", r)
			}
		}
	})
}

func TestEphemeralReachesTheSinkOfEveryNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		a, b := c.startNew(0), c.startNew(1)
		defer a.stop()
		defer b.stop()
		time.Sleep(time.Second)
		if err := a.SubmitEphemeral(DomainChat, unnamed(opTyping, "x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for _, n := range []*testNode{a, b} {
			sunk := ephemeral(n.drainSink())
			if len(sunk) != 1 || len(sunk[0].Ephemeral) != 1 || len(sunk[0].Events) != 0 || sunk[0].Domain != DomainChat {
				t.Errorf("the sink was given %+v", sunk)
			}
		}
		// What comes back late is dropped.
		c.sim.Cut(1)
		if err := a.SubmitEphemeral(DomainChat, unnamed(opTyping, "x")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(EphemeralMaxAge*time.Millisecond + 2*time.Second)
		if len(ephemeral(a.drainSink())) != 1 {
			t.Error("lost where it was sent")
		}
		c.sim.Heal(1)
		time.Sleep(time.Second)
		if sunk := ephemeral(b.drainSink()); len(sunk) != 0 {
			t.Errorf("delivered late: %+v", sunk)
		}
	})
}

// ephemeral keeps what carries something to sessions that is not in the state.
func ephemeral(sunk []Applied) (as []Applied) {
	for _, a := range sunk {
		if len(a.Ephemeral) > 0 {
			as = append(as, a)
		}
	}
	return as
}

func TestFatalIsToldOnce(t *testing.T) {
	for what, run := range map[string]func(t *testing.T, c *cell, n *testNode) error{
		"an entry that cannot be decoded": func(_ *testing.T, c *cell, _ *testNode) error {
			propose(c, 1, []byte("no entry"))
			return ErrReplay
		},
		"an unknown operation": func(_ *testing.T, c *cell, _ *testNode) error {
			e := Entry{Epoch: 3, Behaviour: 1, Commands: append(envelope([]byte{99, 0}), Envelope{DomainPeople, 0, []byte{99, 0}})}
			propose(c, 1, e.Encode(nil))
			return ErrReplay
		},
		"a storage fault": func(t *testing.T, _ *cell, n *testNode) error {
			if r := n.ask(DomainChat, unnamed(opFault, "x")); !errors.Is(r.Err, ErrStopped) {
				t.Errorf("%+v", r)
			}
			return nil
		},
		"another start under its name": func(_ *testing.T, c *cell, n *testNode) error {
			open(c, 0)
			return nil
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCell(t, 2)
				n := c.startNew(0)
				time.Sleep(time.Second)
				want := run(t, c, n)
				time.Sleep(2 * time.Second)
				if f := n.fatal(); len(f) != 1 || f[0] == nil || want != nil && !errors.Is(f[0], want) {
					t.Errorf("told %v", f)
				}
				if err := n.Submit(DomainChat, unnamed(opAdd, "x"), nil); !errors.Is(err, ErrStopped) {
					t.Errorf("afterwards: %v", err)
				}
				if n.Ready() == nil {
					t.Error("still ready")
				}
				n.stop()
			})
		})
	}
}

// open starts another incarnation of a member's node.
func open(c *cell, member int) cluster.ProducerState {
	id, inc := cluster.NodeID{byte(member + 1)}, cluster.Incarnation{99}
	log := c.sim.Log(member)
	for {
		st, err := log.Producer(context.Background(), id)
		if err == nil {
			st, err = log.OpenProducer(context.Background(), id, st.Version, inc)
		}
		if err != nil {
			c.t.Fatal(err)
		}
		if st.Incarnation == inc { // else an entry came between
			return st
		}
	}
}

// propose puts bytes into the log as another node's entry.
func propose(c *cell, member int, raw []byte) {
	st := open(c, member)
	in, _, err := c.sim.Log(member).Propose(context.Background(), cluster.Proposal{
		Epoch: 3, Node: cluster.NodeID{byte(member + 1)}, Incarnation: st.Incarnation, Version: st.Version, Entry: raw,
	})
	if err != nil || !in {
		c.t.Fatal(in, err)
	}
}

// TestMalformedIsRefused: a command that no node could apply must never reach the log.
func TestMalformedIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		n := c.startNew(0)
		defer n.stop()
		for what, s := range map[string]func() error{
			"unknown operation":         func() error { return n.Submit(DomainChat, []byte{99, 0}, nil) },
			"empty":                     func() error { return n.Submit(DomainChat, nil, nil) },
			"unknown domain":            func() error { return n.Submit(77, unnamed(opAdd, "x"), nil) },
			"unknown kernel operation":  func() error { return n.Submit(DomainKernel, []byte{0x7a, 0}, nil) },
			"the kernel's own":          func() error { return n.Submit(DomainKernel, encodeSeen(1), nil) },
			"empty kernel operation":    func() error { return n.Submit(DomainKernel, nil, nil) },
			"ephemeral, unknown":        func() error { return n.SubmitEphemeral(DomainChat, []byte{99, 0}) },
			"ephemeral, unknown domain": func() error { return n.SubmitEphemeral(77, unnamed(opTyping, "x")) },
		} {
			if err := s(); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", what, err)
			}
		}
		n.mustOK(DomainChat, unnamed(opAdd, "x"))
		if f := n.fatal(); len(f) != 0 {
			t.Error(f)
		}
	})
}
