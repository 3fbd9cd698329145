package kernel

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

func TestSkew(t *testing.T) {
	now := time.Unix(1000, 0)
	var s Skew
	hear := func(node byte, off int64, delays ...int64) {
		for i := range skewBeats {
			s.Heard(cluster.NodeID{node}, uint64(10_000_000+off+delays[i%len(delays)]), 10_000_000, now)
		}
	}
	want := func(what string, d time.Duration) {
		t.Helper()
		if got := s.Off(now); got != d {
			t.Errorf("%s: %v, want %v", what, got, d)
		}
	}
	want("nobody is heard", 0)
	hear(1, 2000, 5, 900)
	want("two that differ say nothing of which is wrong", 0)
	hear(2, 1500, 5, 900)
	want("off both, by the nearer one", 1505*time.Millisecond)
	hear(2, 0, 5, 900)
	want("near one of them", 0)
	hear(2, -3000, 5)
	want("between two that differ", 2005*time.Millisecond)
	hear(1, 0, 700, 3000, 5)
	hear(2, 0, 700, 3000, 5)
	want("a slow way is no clock", 0)
	hear(1, -800, 5)
	hear(2, -800, 5)
	want("behind", -795*time.Millisecond)
	s.Heard(cluster.NodeID{1}, 10_000_000, 0, now)
	want("an entry without a stamp is not looked at", -795*time.Millisecond)
	now = now.Add(skewHeard + time.Second)
	want("not heard for long", 0)
}

// A node whose clock is turned stamps no more, so that time goes on by the others' clocks; set right, it stamps again.
func TestTurnedClockStampsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		var turned atomic.Int64
		start := func(member int, turn *atomic.Int64) *testNode {
			return c.start(member, NewMemStore(), NewMemStore(), func(o *Options) {
				o.Stamp = func() uint64 {
					at := time.Now().UnixMilli()
					if turn != nil {
						at += turn.Load()
					}
					return uint64(at)
				}
			})
		}
		wrong := start(0, &turned)
		right := start(1, nil)
		third := start(2, nil)
		for _, n := range []*testNode{wrong, right, third} {
			defer n.stop()
		}
		time.Sleep(15 * time.Second)
		if off := wrong.ClockOff(); off != 0 {
			t.Fatalf("off by %v before anything happened", off)
		}
		turned.Store(time.Hour.Milliseconds())
		time.Sleep(15 * time.Second)
		if off := wrong.ClockOff(); off < 59*time.Minute {
			t.Errorf("an hour ahead: %v", off)
		}
		if off := right.ClockOff(); off != 0 {
			t.Errorf("a right clock is off by %v", off)
		}
		// The hour reached the log for as long as it took to notice; from then on only the right clocks count, which are behind it.
		r := wrong.mustOK(DomainChat, unnamed(opAdd, "x"))
		before := r.Time
		time.Sleep(10 * time.Second)
		if r = wrong.mustOK(DomainChat, unnamed(opAdd, "x")); r.Time != before {
			t.Errorf("time went on by a wrong clock: %d after %d", r.Time, before)
		}
		turned.Store(0)
		time.Sleep(15 * time.Second)
		if off := wrong.ClockOff(); off != 0 {
			t.Errorf("set right: %v", off)
		}
	})
}

// What a site reads when it is back was written long ago: its clock is not off for that.
func TestLateEntriesAreNoClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		n := c.startNew(0)
		defer n.stop()
		late := func() {
			for range skewBeats {
				for other := range byte(2) {
					n.compareClocks(&Entry{Node: cluster.NodeID{0xf0 + other}, Time: uint64(time.Now().Add(-3 * time.Second).UnixMilli())})
				}
			}
		}
		time.Sleep(time.Second)
		c.sim.Cut(0)
		time.Sleep(5 * time.Second)
		late()
		if off := n.ClockOff(); off != 0 {
			t.Errorf("cut off, and off by %v", off)
		}
		c.sim.Heal(0)
		time.Sleep(2 * time.Second)
		late()
		if off := n.ClockOff(); off != 3*time.Second {
			t.Errorf("back and ready, and off by %v", off)
		}
	})
}
