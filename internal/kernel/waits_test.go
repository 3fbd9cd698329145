package kernel

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// How long acknowledgements are waited for is measured with and without anybody who sends, over a stop and after it.
func TestWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		c.sim.SetFaults(cluster.SimFaults{MaxDelay: 20 * time.Millisecond})
		n := c.startNew(0)
		defer n.stop()
		if d := n.Waited(); d != 0 {
			t.Errorf("before the first own entry: %v", d)
		}
		time.Sleep(3 * time.Second)
		if d := n.Waited(); d == 0 || d > time.Second {
			t.Errorf("a quiet cell: %v", d)
		}
		c.sim.Cut(0)
		time.Sleep(5 * time.Second)
		if d := n.Waited(); d < 4*time.Second || d > 5*time.Second {
			t.Errorf("cut off for 5 s, nobody sends: %v", d)
		}
		time.Sleep(time.Second)
		if d := n.Waited(); d < 5*time.Second || d > 6*time.Second {
			t.Errorf("still cut off after 6 s: %v", d)
		}
		c.sim.Heal(0)
		time.Sleep(3 * time.Second)
		if d := n.Waited(); d < 5*time.Second || d > 9*time.Second {
			t.Errorf("the wait that ended: %v", d)
		}
		time.Sleep(3 * time.Second)
		if d := n.Waited(); d > time.Second {
			t.Errorf("all is well again: %v", d)
		}
	})
}
