package sim

import (
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// pull lets every domain apply what the member's own copy of the log has.
func (n *node) pull() {
	for d := range n.runners {
		n.pullDomain(d)
	}
}

func (n *node) pullDomain(d int) {
	r := n.runners[d]
	if !n.up || r.busy || r.next > n.quorum.members[n.i].visible {
		return
	}
	r.busy = true
	lag := n.between(0, time.Millisecond)
	if n.chance(0.05) { // each domain has a goroutine of its own, and may fall behind the other
		lag = n.between(0, 300*time.Millisecond)
	}
	n.at(lag, "apply", func() {
		r.busy = false
		n.applySome(d)
		if n.applied != nil {
			n.applied(n)
		}
		if n.err == nil {
			n.pullDomain(d)
		}
	})
}

func (n *node) applySome(d int) {
	r := n.runners[d]
	upto := min(n.quorum.members[n.i].visible, r.next+n.rng.Uint64N(32))
	recs, err := n.quorum.state.Records(n.epoch, r.next-1, upto)
	if err != nil {
		n.fail("node %d cannot read entry %d: %v", n.i, r.next, err)
		return
	}
	for _, rec := range recs {
		if rec.N != r.next {
			n.fail("node %d got entry %d after %d", n.i, rec.N, r.next-1)
			return
		}
		r.next++
		n.apply(d, rec)
		if n.err != nil {
			return
		}
	}
}

// apply is what the kernel's runner does with one entry.
func (n *node) apply(d int, rec cluster.Record) {
	r := n.runners[d]
	it := n.ledger.at(n.epoch, rec.N)
	before := r.Time()
	out, err := r.Apply(rec.N, rec.Cursor, it.entry)
	if err != nil {
		n.fail("node %d, entry %d: %v", n.i, rec.N, err)
		return
	}
	if out == nil { // known since before a crash; people and chat of one entry are delivered together all the same
		r.out = append(r.out, kernel.Applied{Domain: n.domains[d].ID(), Pos: kernel.Position{Epoch: n.epoch, N: rec.N}})
		n.deliver()
		return
	}
	r.unsynced++
	if out.Time < before {
		n.fail("node %d, entry %d: effective time goes back from %d to %d", n.i, rec.N, before, out.Time)
	}
	n.mark("applied", n.i*16+d, r.Chain())
	if !n.flipped {
		n.ledger.compare(n.cell, n.i, d, it, out, r.Chain())
	}
	if out.Checkpoint != nil {
		n.checkpoint(d, out.Pos)
	}
	if it.entry.Incarnation == n.inc {
		n.answer(d, it, out)
	}
	if it.entry.Node != n.id {
		for _, c := range it.entry.Checks {
			if own, ok := r.ChainAt(c.N); ok && c.Domain == n.domains[d].ID() {
				n.compared(d, rec.N, it.entry, own == c.Chain)
			}
		}
	}
	if d == 0 && it.entry.Node != n.id && n.ready() { // what comes late says nothing about clocks
		n.skew.Heard(it.entry.Node, n.clock.Stamp(), it.entry.Time, n.time())
	}
	n.trimmer.Note(rec.N, rec.Cursor, len(rec.Value), it.entry, n.time())
	if len(out.Ephemeral) > 0 && uint64(n.local().UnixMilli()) > out.Time+kernel.EphemeralMaxAge {
		out.Ephemeral = nil
	}
	r.out = append(r.out, out.Applied)
	n.deliver()
}

// answer tells the callers of an own entry.
func (n *node) answer(d int, it *item, out *kernel.Outcome) {
	l := n.flights.Applied(it.entry.Number, n.domains[d].ID(), out)
	if l == nil {
		n.fail("node %d: entry %d has number %d, which is not in flight", n.i, it.n, it.entry.Number)
		return
	}
	n.runners[d].ownAt = l.Proposed
	for _, a := range l.Answers {
		// The first is a promise. The second spares the callers what a damaged view says before it is found out.
		a.Tell(n.fenced || n.flipped)
	}
}

// compared takes the outcome of a comparison with another node's view. Only damaged views may differ, and only who has one is fenced.
func (n *node) compared(d int, at uint64, with *kernel.Entry, same bool) {
	_, wrong := n.fence.Compared(n.domains[d].Name(), with.Node, same)
	if !same && !n.flipped && !n.damaged[with.Incarnation] {
		n.fail("node %d, entry %d: the chain of domain %d differs from that of %v", n.i, at, d, with.Node)
	}
	if wrong && !n.fenced {
		n.fenced = true
		n.tell("node %d is fenced", n.i)
		if !n.flipped {
			n.fail("node %d is fenced, and its view is right", n.i)
		}
	}
}

// deliver hands over what every domain has applied: of each entry the first domain's events first.
func (n *node) deliver() {
	for {
		for _, r := range n.runners {
			if len(r.out) == 0 {
				return
			}
		}
		pos := n.runners[0].out[0].Pos
		for _, r := range n.runners {
			a := r.out[0]
			r.out = r.out[1:]
			if a.Pos != pos {
				n.fail("node %d delivers %v together with %v", n.i, a.Pos, pos)
			}
			if n.sink != nil {
				n.sink(n, a)
			}
			if r == n.runners[0] && a.Time > 0 {
				n.seen = a.Time
			}
		}
	}
}

// housekeeping syncs the views and trims the log.
func (n *node) housekeeping() {
	n.at(n.between(n.syncEvery/2, n.syncEvery), "sync", func() {
		if !n.twin { // what a copy has made durable says nothing about this node's own data
			n.sync()
			n.trim()
		}
		n.housekeeping()
	})
}

func (n *node) sync() {
	for i, r := range n.runners {
		if err := n.views[i].Sync(); err != nil {
			n.fail("node %d, view %d: %v", n.i, i, err)
		}
		r.durable, r.unsynced = r.Position().N, 0
	}
}

// trim lets the log go up to what every member has durably.
func (n *node) trim() {
	own := n.runners[0].durable
	for _, r := range n.runners {
		own = min(own, r.durable)
	}
	epoch := n.epoch
	n.quorum.read(n.i, func(s *cluster.SimState) {
		n.trimmer.Expect(s.Nodes(), n.time())
		if to, _, ok := n.trimmer.Target(own, n.time()); ok && epoch == n.epoch {
			s.Compact(to)
		}
	})
}

// checkpoint keeps a view as it is at this entry.
func (n *node) checkpoint(d int, pos kernel.Position) {
	snap := n.views[d].Snapshot()
	defer snap.Close()
	if n.wanted {
		s := kernel.NewMemStore()
		if err := copyRows(s, snap); err != nil {
			n.fail("node %d: a checkpoint for another: %v", n.i, err)
		}
		n.offered[d] = s
	}
	if !n.flipped {
		n.ledger.checkpoint(n.cell, n.i, d, pos, snap)
	}
}
