package kernel

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		c.sim.SetFaults(cluster.SimFaults{MaxDelay: 20 * time.Millisecond})
		n := c.startNew(0)
		defer n.stop()
		if err := n.Ready(); !errors.Is(err, ErrNotReady) {
			t.Errorf("before the first own entry: %v", err)
		}
		time.Sleep(time.Second)
		for range 50 {
			if err := n.Ready(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		c.sim.Cut(0)
		time.Sleep(ReadyWithin + time.Millisecond)
		if err := n.Ready(); !errors.Is(err, ErrNotReady) {
			t.Errorf("cut off: %v", err)
		}
		c.sim.Heal(0)
		time.Sleep(2 * time.Second)
		if err := n.Ready(); err != nil {
			t.Errorf("back: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		n := c.startNew(0)
		defer n.stop()
		time.Sleep(time.Second)
		c.sim.Cut(0)
		time.Sleep(time.Minute)
		if err := n.Ready(); err != nil {
			t.Errorf("a cell of one goes on reading: %v", err)
		}
		c.sim.Heal(0)
	})
}

// TestReadyOldest: ready means every domain's view, not the quickest one.
func TestReadyOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		g := &gate{open: make(chan struct{})}
		n := c.start(0, NewMemStore(), NewMemStore(), func(o *Options) { o.Domains[1].Domain = g })
		defer n.stop()
		time.Sleep(time.Second)
		if err := n.Submit(DomainChat, unnamed(opAdd, "x"), func(Result) {}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(ReadyWithin + BeatAfter)
		if err := n.Ready(); !errors.Is(err, ErrNotReady) {
			t.Errorf("chat's view stands still: %v", err)
		}
		close(g.open)
		time.Sleep(time.Second)
		if err := n.Ready(); err != nil {
			t.Error(err)
		}
	})
}

// TestFresh: a node that is ready does not vouch for what was read before it slept.
func TestFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		c.sim.Cut(0)
		n := c.startNew(0)
		defer n.stop()
		early := n.Snapshot(DomainChat)
		defer early.Close()
		c.sim.Heal(0)
		time.Sleep(time.Second)
		if err := n.Fresh(early); !errors.Is(err, ErrNotReady) || n.Ready() != nil {
			t.Errorf("opened before the node was ready: %v", err)
		}
		s := n.Snapshot(DomainChat)
		if err := n.Fresh(s); err != nil {
			t.Error(err)
		}
		s.Close()
		if err := n.Fresh(s); err != nil {
			t.Errorf("closed: %v", err)
		}
		time.Sleep(ReadyWithin + time.Millisecond)
		if err := n.Fresh(s); !errors.Is(err, ErrNotReady) || n.Ready() != nil {
			t.Errorf("read long ago by a node that is ready: %v", err)
		}
		if err := n.Fresh(memView{}); !errors.Is(err, ErrNotReady) {
			t.Errorf("of another node: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		n := c.startNew(0)
		defer n.stop()
		time.Sleep(time.Second)
		s := n.Snapshot(DomainChat)
		defer s.Close()
		time.Sleep(time.Minute)
		if err := n.Fresh(s); err != nil {
			t.Errorf("in a cell of one nobody else could know better: %v", err)
		}
	})
}

// memView is a snapshot that no node has opened.
type memView struct{ memSnapshot }

func (memView) Position() Position { return Position{} }
