package nemesis

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// cell is the nodes under test.
type cell struct {
	t     testing.TB
	rng   *rand.Rand
	dir   string
	slots []*slot
	gaps  map[string]time.Duration // the worst, by fault
	// awake counts how often a node was asked right after a stop of more than ReadyWithin, and said ready.
	woken, awake int
	// longest stop of a process; least is how many faults there are in a short run, too.
	longest time.Duration
	least   int
}

func newCell(t testing.TB, nodes int, seed uint64, trim bool) *cell {
	c := &cell{t: t, rng: rand.New(rand.NewPCG(seed, uint64(nodes))), dir: t.TempDir(), gaps: map[string]time.Duration{}}
	var members []string
	for i, url := range freeURLs(t, nodes) {
		s := &slot{t: t, config: config{Slot: i, Slots: nodes, Dir: filepath.Join(c.dir, fmt.Sprintf("m%d", i)), Seed: seed, Trim: trim}}
		if nodes > 1 {
			s.PeerURL = url
			members = append(members, s.name()+"="+url)
		}
		if err := os.Mkdir(s.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		c.slots = append(c.slots, s)
	}
	t.Cleanup(func() {
		for _, s := range c.slots {
			s.close()
		}
	})
	for _, s := range c.slots {
		s.InitialCluster = strings.Join(members, ",")
		s.start()
	}
	return c
}

// freeURLs are addresses that nobody else uses: loopback addresses of our own, since the ports of outgoing connections
// belong to 127.0.0.1. They must stay free while a node is down.
func freeURLs(t testing.TB, n int) (urls []string) {
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	for range n {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		urls = append(urls, "http://"+l.Addr().String())
	}
	return urls
}

// poll repeats ask, which looks at the nodes, until it is content.
func (c *cell) poll(what string, ask func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(patience); !ask(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			var logs []string
			for _, s := range c.slots {
				logs = append(logs, fmt.Sprintf("node %d: %+v\n%s", s.Slot, s.ask(request{Op: "status"}), s.log()))
			}
			c.t.Fatalf("%s: not within %v\n%s", what, patience, strings.Join(logs, "\n"))
		}
	}
}

func (c *cell) status() (as []answer) {
	c.t.Helper()
	for _, s := range c.slots {
		as = append(as, s.ask(request{Op: "status"}))
	}
	return as
}

// recovered waits until every node is ready and has acknowledged something new since now.
func (c *cell) recovered(what string) []answer {
	c.t.Helper()
	before := c.status()
	after := before
	c.poll("recovery from "+what, func() bool {
		after = c.status()
		for i, a := range after {
			if !a.Ready || a.Acked == before[i].Acked {
				return false
			}
		}
		return true
	})
	return after
}

// leader asks for the node that leads, and for one that does not (the same in a cell of one).
func (c *cell) leader() (leader, follower *slot) {
	c.t.Helper()
	c.poll("a leader", func() bool {
		leader, follower = nil, nil
		for i, a := range c.status() {
			if a.Leader {
				leader = c.slots[i]
			}
		}
		return leader != nil
	})
	follower = leader
	if len(c.slots) > 1 {
		follower = c.slots[(leader.Slot+1+c.rng.IntN(len(c.slots)-1))%len(c.slots)]
	}
	return leader, follower
}

// quiet lets the callers finish, has all nodes copy their views at one entry, and stops them in order. It returns the
// number of that entry. The log up to there is in a file beside each node's data, unless it was trimmed.
func (c *cell) quiet() uint64 {
	c.t.Helper()
	for _, s := range c.slots {
		s.ask(request{Op: "hold"})
	}
	c.poll("quiet", func() bool {
		for _, a := range c.status() {
			if a.Open > 0 || !a.Ready {
				return false
			}
		}
		return true
	})
	n := c.slots[0].ask(request{Op: "checkpoint"}).N
	c.poll("the same n", func() bool {
		for _, a := range c.status() {
			if a.N < n {
				return false
			}
		}
		return true
	})
	if !c.slots[0].Trim {
		for _, s := range c.slots {
			s.ask(request{Op: "dump", N: n, Path: s.file(dumpFile)})
		}
	}
	for _, s := range c.slots {
		s.ask(request{Op: "stop"})
	}
	for _, s := range c.slots {
		s.gone()
		if code := s.p.cmd.ProcessState.ExitCode(); code != 0 {
			c.t.Fatalf("node %d ended with code %d\n%s", s.Slot, code, s.log())
		}
		if strings.Contains(s.said(), "views differ") {
			c.t.Fatalf("node %d has seen other chains than its own\n%s", s.Slot, s.log())
		}
	}
	return n
}

const dumpFile = "dump"
