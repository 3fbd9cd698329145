package kernel

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// A node that is cut off takes no commands, and gives back those that wait. What was in flight comes into the log when the
// network is back, and is not applied: it was admitted by a node that could not know better.
func TestCutOffTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		n, other := c.startNew(0), c.startNew(1)
		defer other.stop()
		defer n.stop()
		time.Sleep(time.Second + BeatAfter/2) // no beat is under way
		c.sim.Cut(0)
		submit := func(scope string) <-chan Result {
			done := make(chan Result, 1)
			if err := n.Submit(DomainChat, unnamed(opAdd, scope), func(r Result) { done <- r }); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return done
		}
		flying, waiting := submit("flying"), submit("waiting")
		time.Sleep(ReadyWithin + time.Second)
		select {
		case r := <-waiting:
			if !errors.Is(r.Err, ErrNotReady) {
				t.Errorf("what waited: %+v", r)
			}
		default:
			t.Error("what waits is not given back")
		}
		select {
		case r := <-flying:
			t.Errorf("what may be in the log was answered: %+v", r)
		default:
		}
		if err := n.Submit(DomainChat, unnamed(opAdd, "late"), func(Result) { t.Error("answered") }); !errors.Is(err, ErrNotReady) {
			t.Errorf("a command of later: %v", err)
		}
		c.sim.Heal(0)
		time.Sleep(3 * time.Second)
		select {
		case r := <-flying:
			if !errors.Is(r.Err, ErrNotReady) {
				t.Errorf("back: %+v", r)
			}
		default:
			t.Error("what was in flight has no answer")
		}
		for scope, want := range map[string]uint64{"flying": 0, "waiting": 0, "late": 0} {
			s := other.Snapshot(DomainChat)
			if got := bankSum(s, room(scope)); got != want {
				t.Errorf("%s: %d are in, want %d", scope, got, want)
			}
			s.Close()
		}
		n.mustOK(DomainChat, unnamed(opAdd, "late"))
	})
}

// A cell of one member applies what was in flight, however long that took: nobody else could know better.
func TestAloneNothingIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		n := c.startNew(0)
		defer n.stop()
		time.Sleep(time.Second + BeatAfter/2)
		for range 3 {
			c.sim.Cut(0)
			done := make(chan Result, 1)
			if err := n.Submit(DomainChat, unnamed(opAdd, "x"), func(r Result) { done <- r }); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			c.sim.Heal(0)
			if r := <-done; r.Err != nil {
				t.Errorf("%+v", r)
			}
		}
	})
}

// odd decides otherwise than its peers from a command on.
type odd struct {
	bank
	on bool
}

func (o *odd) Apply(a *Apply, c Command) Verdict {
	v := o.bank.Apply(a, c)
	if o.on {
		v.Seq += 7
	}
	return v
}

// A node whose view differs from two others serves nobody, tells no verdict, and is told about once. The two others go on:
// they differ from one only.
func TestFenced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		told := make(chan string, 10)
		wrong := &odd{bank: bank{id: DomainChat}}
		n := c.start(0, NewMemStore(), NewMemStore(), func(o *Options) {
			o.Domains[1].Domain = wrong
			o.Fenced = func(view string) { told <- view }
		})
		others := []*testNode{c.startNew(1), c.startNew(2)}
		defer func() {
			n.stop()
			for _, o := range others {
				o.stop()
			}
		}()
		time.Sleep(2 * time.Second)
		if err := n.Ready(); err != nil {
			t.Fatal(err)
		}
		wrong.on = true
		others[0].mustOK(DomainChat, unnamed(opAdd, "x"))
		time.Sleep(2 * time.Second)
		if len(told) != 1 {
			t.Errorf("told %d times", len(told))
		}
		if err := n.Ready(); !errors.Is(err, ErrNotReady) {
			t.Errorf("it still serves: %v", err)
		}
		if err := n.Submit(DomainChat, unnamed(opAdd, "x"), func(Result) {}); !errors.Is(err, ErrNotReady) {
			t.Errorf("it still takes commands: %v", err)
		}
		for _, o := range others {
			if err := o.Ready(); err != nil {
				t.Errorf("a right one: %v", err)
			}
			o.mustOK(DomainChat, unnamed(opAdd, "y"))
		}
	})
}

// With two views nobody can say which is wrong: both go on.
func TestTwoThatDifferGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 2)
		wrong := &odd{bank: bank{id: DomainChat}, on: true}
		n := c.start(0, NewMemStore(), NewMemStore(), func(o *Options) {
			o.Domains[1].Domain = wrong
			o.Fenced = func(string) { t.Error("fenced") }
		})
		other := c.startNew(1)
		defer other.stop()
		defer n.stop()
		time.Sleep(time.Second)
		other.mustOK(DomainChat, unnamed(opAdd, "x"))
		time.Sleep(2 * time.Second)
		if n.Ready() != nil || other.Ready() != nil {
			t.Errorf("%v, %v", n.Ready(), other.Ready())
		}
	})
}

// A new behaviour is stamped only when every node of the cell knows it.
func TestBehaviourWaitsForEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 3)
		old := cluster.Node{ID: cluster.NodeID{9}, Behaviour: Behaviour - 1, URL: "http://old"}
		log := c.sim.Log(1)
		if err := log.SetNode(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		n := c.startNew(0)
		defer n.stop()
		time.Sleep(2 * time.Second)
		if got := n.behaviour.Load(); got != Behaviour-1 {
			t.Errorf("behaviour %d is stamped while one knows %d", got, Behaviour-1)
		}
		if err := n.Submit(DomainChat, unnamed(opNew, "x"), func(Result) { t.Error("answered") }); !errors.Is(err, ErrTooNew) {
			t.Errorf("an operation that one node does not know: %v", err)
		}
		old.Behaviour = Behaviour
		if err := log.SetNode(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * syncEvery)
		if got := n.behaviour.Load(); got != Behaviour {
			t.Errorf("behaviour %d is stamped while all know %d", got, Behaviour)
		}
		n.mustOK(DomainChat, unnamed(opNew, "x"))
	})
}
