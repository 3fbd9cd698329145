package sim

import (
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// simStart is what a right wall clock says at virtual time 0.
var simStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// firstEpoch is the epoch a run begins in.
const firstEpoch uint32 = 1

// members is the number of nodes of a cell.
const members = 3

// cell is the servers' side of a run: quorum, nodes and what is known about the log. What the clients are is up to the
// scenario.
type cell struct {
	*Loop
	quorum    *quorum
	nodes     []*node
	ledger    *ledger
	domains   []kernel.Domain
	epoch     uint32
	syncEvery time.Duration
	newView   func() (view, error)
	// damaged are the lives of nodes in which a row was changed behind the back of a view.
	damaged map[cluster.Incarnation]bool

	// entered hears of every entry as it is committed; sink of what nodes applied; begun of a new epoch.
	entered func(*item)
	sink    func(*node, kernel.Applied)
	// started hears of every start of a node, ended of every end, applied of every time a node has applied something, first of what the first
	// view told about an entry.
	started func(*node)
	ended   func(n *node, power bool)
	applied func(*node)
	first   func(it *item, d int, events []any)
	begun   func(cut kernel.Position)
	// sameEvents compares what two applications of one entry told sessions.
	sameEvents func(a, b []any) bool
}

func newCell(l *Loop, domains []kernel.Domain, newView func() (view, error)) *cell {
	c := &cell{Loop: l, ledger: newLedger(), domains: domains, epoch: firstEpoch, newView: newView, damaged: map[cluster.Incarnation]bool{}}
	first := kernel.FirstEntry(c.epoch, kernel.Behaviour, uint64(simStart.UnixMilli()))
	c.quorum = newQuorum(l, members, c.epoch, first)
	c.quorum.committed = func(n uint64, raw []byte) { c.commit(n, raw) }
	c.syncEvery = l.between(time.Second, 10*time.Second)
	for i := range members {
		n := &node{cell: c, i: i, id: cluster.NodeID{'n', 'o', 'd', byte('A' + i)}, disk: disk{free: diskSize}}
		n.wall = l.between(-3*time.Hour, 3*time.Hour)
		n.drift = (l.rng.Float64() - 0.5) * 1e-4
		for range domains {
			v, err := newView()
			if err != nil {
				l.fail("a view cannot be made: %v", err)
				return c
			}
			n.views = append(n.views, v)
		}
		c.nodes = append(c.nodes, n)
		c.quorum.members[i].nodes = []*node{n}
	}
	return c
}

func (c *cell) commit(n uint64, raw []byte) {
	it := c.ledger.append(c, c.epoch, n, raw)
	if c.entered != nil {
		c.entered(it)
	}
}

// start starts every node. Entry 1 was committed with the epoch.
func (c *cell) start() {
	recs, _ := c.quorum.state.Records(c.epoch, 0, 1)
	c.commit(1, recs[0].Value)
	for _, n := range c.nodes {
		if !n.absent {
			n.start()
		}
	}
}

// heal ends all faults: every node runs and hears the others. What was late may still arrive.
func (c *cell) heal() {
	c.quorum.faults = Faults{MaxDelay: 20 * time.Millisecond}
	for i, n := range c.nodes {
		c.endTwin(n)
		c.quorum.heal(i)
		switch {
		case n.absent:
		case !n.up:
			n.start()
		case n.paused:
			n.resume()
		}
	}
}

// quiet ends the beats and says whether everything that is in the log has been applied everywhere.
func (c *cell) quiet() bool {
	head := c.quorum.state.Head(c.epoch)
	still := true
	for _, n := range c.nodes {
		if n.absent {
			continue
		}
		n.quiet = true
		for _, r := range n.runners {
			still = still && r.Position().N == head
		}
		still = still && n.batcher != nil && n.batcher.Idle() && n.batcher.Queued() == 0 && n.flights.Len() == 0
	}
	return still
}

// restore is the loss of the whole log: the cell goes on in a new epoch from a checkpoint.
func (c *cell) restore(cut kernel.Position) {
	for _, n := range c.nodes {
		c.endTwin(n)
		n.crash(true)
	}
	c.tell("restore from %v", cut)
	c.mark("restore", 0, cut.N)
	copies := c.ledger.checkpoints[cut]
	c.epoch++
	c.ledger.cuts[c.epoch] = cut
	for _, n := range c.nodes {
		for d := range c.domains {
			v, err := c.newView()
			if err == nil {
				snap := copies[d].store.Snapshot()
				err = copyRows(v, snap)
				snap.Close()
			}
			if err == nil {
				err = kernel.BeginEpochIn(v, cut, c.epoch)
			}
			if err == nil {
				err = n.views[d].Close()
			}
			if err != nil {
				c.fail("restore of node %d: %v", n.i, err)
				return
			}
			n.views[d] = v
		}
	}
	first := kernel.FirstEntry(c.epoch, kernel.Behaviour, uint64(simStart.Add(c.now).UnixMilli()))
	c.quorum.state.Apply(cluster.Op{Kind: cluster.OpInit, Epoch: c.epoch, Entry: first})
	for _, m := range c.quorum.members {
		m.visible = 1
	}
	if c.begun != nil {
		c.begun(cut)
	}
	c.commit(1, first)
	for _, n := range c.nodes {
		n.start()
	}
}

// startTwin starts a second process under a node's name, on a copy of its data directory as it is now.
func (c *cell) startTwin(n *node) {
	t := &node{cell: c, i: n.i, id: n.id, wall: n.wall, drift: n.drift, twin: true, disk: n.disk}
	for d := range c.domains {
		v, err := c.newView()
		if err == nil {
			snap := n.views[d].Snapshot()
			err = copyRows(v, snap)
			snap.Close()
		}
		if err != nil {
			c.fail("node %d: a view cannot be copied: %v", n.i, err)
			return
		}
		t.views = append(t.views, v)
	}
	n.rival = true
	m := c.quorum.members[n.i]
	m.nodes = append(m.nodes, t)
	t.start()
}

// endTwin kills the second process, if there is one.
func (c *cell) endTwin(n *node) {
	m := c.quorum.members[n.i]
	if len(m.nodes) == 1 {
		return
	}
	t := m.nodes[1]
	t.crash(false)
	m.nodes = m.nodes[:1]
	for _, v := range t.views {
		if err := v.Close(); err != nil {
			c.fail("node %d: a view does not close: %v", n.i, err)
		}
	}
}

// close lets go of the views.
func (c *cell) close() {
	for _, n := range c.nodes {
		c.endTwin(n)
		for _, v := range n.views {
			if err := v.Close(); err != nil {
				c.fail("node %d: a view does not close: %v", n.i, err)
			}
		}
	}
}
