package nemesis

import (
	"fmt"
	"syscall"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// fault is something that is done to a cell, and undone: at its end every process runs. It returns the nodes that it
// spared.
type fault struct {
	name string
	// nodes it takes at least.
	nodes int
	do    func(c *cell) []*slot
}

var faults = []fault{
	{"kill the leader", 1, func(c *cell) []*slot {
		leader, _ := c.leader()
		return c.killed(leader)
	}},
	{"kill a follower", 2, func(c *cell) []*slot {
		_, follower := c.leader()
		return c.killed(follower)
	}},
	{"stop the leader", 1, func(c *cell) []*slot {
		leader, _ := c.leader()
		return c.paused(leader)
	}},
	{"stop a follower", 2, func(c *cell) []*slot {
		_, follower := c.leader()
		return c.paused(follower)
	}},
	{"kill two", 3, func(c *cell) []*slot {
		i := c.rng.IntN(len(c.slots))
		return c.killed(c.slots[i], c.slots[(i+1)%len(c.slots)])
	}},
	{"kill all", 1, func(c *cell) []*slot { return c.killed(c.slots...) }},
	{"kill in quick succession, also during the start", 1, func(c *cell) []*slot {
		s := c.slots[c.rng.IntN(len(c.slots))]
		for range 2 + c.rng.IntN(3) {
			s.kill()
			s.start()
			time.Sleep(c.between(0, 400*time.Millisecond))
		}
		return c.except(s)
	}},
}

// between is a random time.
func (c *cell) between(low, high time.Duration) time.Duration {
	return low + time.Duration(c.rng.Int64N(int64(high-low)))
}

func (c *cell) except(hit ...*slot) (spared []*slot) {
next:
	for _, s := range c.slots {
		for _, h := range hit {
			if s == h {
				continue next
			}
		}
		spared = append(spared, s)
	}
	return spared
}

// killed kills nodes at almost the same moment, and starts them again.
func (c *cell) killed(hit ...*slot) []*slot {
	for _, s := range hit {
		s.signal(syscall.SIGKILL)
	}
	for _, s := range hit {
		s.gone()
	}
	time.Sleep(c.between(0, 1200*time.Millisecond))
	for _, s := range hit {
		s.start()
	}
	return c.except(hit...)
}

// paused stops a node for a while, and asks it for a read the moment it wakes: a node that slept must not vouch for
// what it knew before. The audit of reads decides; here is only counted.
func (c *cell) paused(s *slot) []*slot {
	for _, o := range c.slots {
		o.ask(request{Op: "status"}) // all have answered all: the next answer is the one to the read
	}
	s.signal(syscall.SIGSTOP)
	long := c.between(time.Second, c.longest)
	time.Sleep(long)
	s.tell(request{Op: "read"})
	s.signal(syscall.SIGCONT)
	a := s.await()
	if long > kernel.ReadyWithin {
		c.woken++
		if a.Ready {
			c.awake++
		}
	}
	return c.except(s)
}

// rest leaves the nodes alone until the log is trimmed up to what had been applied when it was called for: they sync their
// views every ten seconds only, and none must be far behind.
func (c *cell) rest() {
	c.t.Helper()
	upTo := c.status()[0].N
	c.poll("a trimmed log", func() bool {
		time.Sleep(c.between(0, time.Second)) // not all the time: the question searches the history
		for _, s := range c.slots {
			if !s.ask(request{Op: "trimmed", N: upTo}).Gone {
				return false
			}
		}
		return true
	})
}

// run does all faults in a random order, again and again until so much time has gone. Where the log is trimmed, it is
// after each round.
func (c *cell) run(d time.Duration) (done int) {
	c.t.Helper()
	c.recovered("the start")
	for end := time.Now().Add(d); ; {
		for _, i := range c.rng.Perm(len(faults)) {
			f := faults[i]
			if len(c.slots) < f.nodes {
				continue
			}
			time.Sleep(c.between(0, 400*time.Millisecond))
			for _, s := range c.slots {
				s.ask(request{Op: "reset"})
			}
			began := time.Now()
			spared := f.do(c)
			c.recovered(f.name)
			for _, s := range spared {
				c.gaps[f.name] = max(c.gaps[f.name], s.ask(request{Op: "status"}).Gap)
			}
			if len(spared) == 0 {
				c.gaps[f.name+" (until all are back)"] = max(c.gaps[f.name+" (until all are back)"], time.Since(began))
			}
			done++
			if time.Now().After(end) && done >= c.least {
				return done
			}
		}
		if c.slots[0].Trim {
			c.rest()
		}
	}
}

// report says what was seen; nothing of it is asserted.
func (c *cell) report(done int) {
	c.t.Logf("%d faults, %d nodes; asked right after a stop of more than %v: %d, of which %d said ready", done, len(c.slots), kernel.ReadyWithin, c.woken, c.awake)
	for _, f := range faults {
		for _, name := range []string{f.name, f.name + " (until all are back)"} {
			if g, ok := c.gaps[name]; ok {
				c.t.Logf("worst gap between acknowledgements at a survivor: %s", fmt.Sprintf("%6d ms  %s", g.Milliseconds(), name))
			}
		}
	}
}
