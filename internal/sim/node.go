package sim

import (
	"encoding/binary"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// proposeTimeout is how long a node waits for the answer to one attempt.
const proposeTimeout = 700 * time.Millisecond

// node is one site: the kernel's cores - batcher, clock, an applier per domain - and what drives them. A start is one
// life of the process; the views and the member of the quorum outlive it.
type node struct {
	*cell
	i     int
	id    cluster.NodeID
	views []view
	// wall is how far the machine's clock is off, drift how much faster its clocks run.
	wall  time.Duration
	drift float64

	// absent: it is no part of the cell. flipped: a row of a view was changed behind its back.
	absent, flipped bool
	disk            disk
	// offered is the newest checkpoint that was made here for another node, per domain.
	offered map[int]*kernel.MemStore
	wanted  bool

	up       bool
	paused   bool
	deferred []func()
	gen      int
	// quiet ends beats, so that a run can come to an end.
	quiet bool
	// rival: another process under this node's name lives or has lived since the start, on a copy of its data. twin is
	// that other one.
	rival, twin bool

	// one start:
	inc      cluster.Incarnation
	clock    *kernel.Clock
	stamped  uint64
	batcher  *kernel.Batcher
	attempt  int // counts attempts and openings; answers to older ones are void
	proposed time.Duration
	flights  *kernel.Flights
	runners  []*runner
	trimmer  kernel.Trimmer
	skew     kernel.Skew
	fence    kernel.Fence
	fenced   bool
	// full: it has seen that its disk is. woke is when it last began to run.
	full bool
	woke time.Duration
	// seen is the effective time of the newest entry that was delivered.
	seen uint64
}

// runner is one domain's place in a start.
type runner struct {
	*kernel.Applier
	next     uint64 // the entry the tail delivers next
	busy     bool
	unsynced int
	durable  uint64
	ownAt    time.Duration // when the newest own entry applied here was proposed; 0: none was
	out      []kernel.Applied
}

// at runs fn in this life of the node; a paused node does it when it goes on.
func (n *node) at(d time.Duration, what string, fn func()) {
	gen := n.gen
	var run func()
	run = func() {
		switch {
		case !n.up || n.gen != gen:
		case n.paused:
			n.deferred = append(n.deferred, run)
		default:
			fn()
		}
	}
	n.After(d, what, n.i, run)
}

func (n *node) resume() {
	n.paused, n.woke = false, n.now
	runs := n.deferred
	n.deferred = nil
	for _, run := range runs {
		n.After(0, "late", n.i, run)
	}
}

// boot is the machine's clock that counts from start, local what its wall clock says.
func (n *node) boot() time.Duration { return n.now + time.Duration(float64(n.now)*n.drift) }

// time is for the kernel's cores, which look at differences only.
func (n *node) time() time.Time { return simStart.Add(n.now) }

func (n *node) local() time.Time { return simStart.Add(n.boot() + n.wall) }

// start begins a life.
func (n *node) start() {
	n.up, n.paused, n.deferred, n.batcher = true, false, nil, nil
	n.gen++
	n.flights, n.trimmer, n.skew, n.fence, n.fenced = kernel.NewFlights(len(n.domains)), kernel.Trimmer{}, kernel.Skew{}, kernel.Fence{}, false
	n.runners = nil
	from, last := ^uint64(0), uint64(0)
	var cursor []byte
	for i, d := range n.domains {
		a, err := kernel.NewApplier(d, n.views[i], nil)
		if err != nil {
			n.fail("node %d does not start: %v", n.i, err)
			return
		}
		n.runners = append(n.runners, &runner{Applier: a})
		last = max(last, a.Time())
		if a.Position().N < from {
			from, cursor = a.Position().N, a.Cursor()
		}
	}
	if kernel.CheckStart(n.local(), last) != nil && n.chance(0.5) {
		n.wall = time.UnixMilli(int64(last)).Sub(simStart) - n.boot() // the operator sets the clock, or accepts it
	}
	if err := n.quorum.state.CheckCursor(n.epoch, from, cursor); err != nil {
		n.fail("node %d cannot tail from entry %d: %v", n.i, from, err)
		return
	}
	n.seen = last
	for _, r := range n.runners {
		r.next = from + 1
	}
	n.clock = kernel.NewClock(n.local, n.boot)
	n.skew.Asked(n.askClocks())
	n.stamped = 0
	binary.BigEndian.PutUint64(n.inc[:], n.rng.Uint64())
	binary.BigEndian.PutUint32(n.inc[8:], n.rng.Uint32())
	if n.flipped {
		n.damaged[n.inc] = true
	}
	n.tell("node %d starts as %x behind entry %d", n.i, n.inc[:4], from)
	n.rival = len(n.quorum.members[n.i].nodes) > 1
	if n.started != nil {
		n.started(n)
	}
	n.woke = n.now
	n.watch()
	n.pull()
	n.open()
	n.housekeeping()
}

// open writes the incarnation: docs/formats.md, "The log", open.
func (n *node) open() {
	n.attempt++
	attempt := n.attempt
	n.at(proposeTimeout, "open again", func() {
		if attempt == n.attempt && n.batcher == nil {
			n.open()
		}
	})
	n.quorum.send(n.i, cluster.Op{Kind: cluster.OpSetNode, Info: cluster.Node{ID: n.id, Behaviour: kernel.Behaviour}}, func(cluster.Answer) {
		n.quorum.read(n.i, func(s *cluster.SimState) {
			version, nodes := s.Producer(n.id).Version, s.Nodes()
			n.at(n.quorum.delay(), "open", func() {
				if attempt == n.attempt {
					n.trimmer.Expect(nodes, n.time())
					n.openAt(version, attempt)
				}
			})
		})
	})
}

func (n *node) openAt(version int64, attempt int) {
	n.quorum.send(n.i, cluster.OpenOp(n.id, version, n.inc), func(a cluster.Answer) {
		n.at(0, "opened", func() {
			switch {
			case attempt != n.attempt || n.batcher != nil:
			case a.State.Incarnation == n.inc && a.State.Epoch == n.epoch:
				n.batcher = kernel.NewBatcher(n.epoch, n.id, n.inc, a.State.Version)
				n.tell("node %d has opened %x at version %d", n.i, n.inc[:4], a.State.Version)
				n.propose()
			default:
				n.open()
			}
		})
	})
}

// submit gives a command to the batcher.
func (n *node) submit(w kernel.Waiting) error {
	if n.batcher == nil {
		return kernel.ErrNotReady
	}
	switch {
	case n.full: // as it was when this node last looked
		return kernel.ErrDiskFull
	case n.fenced || n.cutOff():
		return kernel.ErrNotReady
	}
	if n.ownAt() != 0 && !n.alone() {
		w.Seen = n.seen
	}
	if err := n.batcher.Add(w); err != nil {
		return err
	}
	n.pump()
	return nil
}

// cutOff: this node was ready once and may not know what the others do; it takes no commands.
func (n *node) cutOff() bool {
	own := n.ownAt()
	return own != 0 && !kernel.Vouches(own, n.now, n.alone())
}

// alone: the cell has no other member.
func (n *node) alone() bool { return n.quorum.sites != nil && n.quorum.sites.voters() == 1 }

// again is before another attempt: what waits behind the entry is given back once this node is cut off, and the entry says how
// late it is.
func (n *node) again() {
	if !n.cutOff() {
		return
	}
	n.batcher.Restamp(n.stamp())
	for _, w := range n.batcher.TakeQueue() {
		if w.Done != nil {
			w.Done(kernel.Result{Err: kernel.ErrNotReady})
		}
	}
}

func (n *node) pump() {
	if n.batcher != nil && n.batcher.Idle() && n.batcher.Queued() > 0 {
		n.propose()
	}
}

// propose makes the next entry, a beat if nothing waits, and sends it until it is in.
func (n *node) propose() {
	var checks []kernel.Check
	for i, r := range n.runners {
		p := r.Position()
		checks = append(checks, kernel.Check{Domain: n.domains[i].ID(), N: p.N, Chain: r.Chain(), Durable: r.durable})
	}
	stamp := n.stamp()
	number, in := n.batcher.Next(stamp, kernel.Behaviour, checks)
	n.flights.Propose(number, in, n.now)
	n.proposed = n.now
	n.try()
}

// askClocks is by how much this node's clock is off every other one that serves, as the server asks before it starts.
func (n *node) askClocks() (nearest time.Duration) {
	for _, o := range n.nodes {
		if o == n || !o.up || o.paused || n.quorum.members[o.i].cut || !o.ready() || o.skew.Off(n.time()) != 0 {
			continue
		}
		d := n.local().Sub(o.local())
		if d.Abs() <= kernel.SkewLimit {
			return 0
		}
		if nearest == 0 || d.Abs() < nearest.Abs() {
			nearest = d
		}
	}
	return nearest
}

// stamp is the time for an own entry. Where there are no sites all clocks are far off, on purpose, and each is trusted.
func (n *node) stamp() uint64 {
	if n.quorum.sites != nil && n.skew.Off(n.time()) != 0 {
		n.clock.Set()
		n.stamped = 0
		return 0
	}
	stamp := n.clock.Stamp()
	if stamp < n.stamped {
		n.fail("node %d stamps %d after %d", n.i, stamp, n.stamped)
	}
	n.stamped = stamp
	return stamp
}

func (n *node) try() {
	n.attempt++
	attempt := n.attempt
	answer := func(in bool, st cluster.ProducerState, err error) {
		if attempt == n.attempt && !n.batcher.Idle() {
			n.attempt++
			n.answered(n.batcher.Answer(in, st, err), err)
		}
	}
	n.quorum.send(n.i, cluster.ProposeOp(n.batcher.Proposal()), func(a cluster.Answer) {
		n.at(0, "proposed", func() { answer(a.In, a.State, nil) })
	})
	n.at(proposeTimeout, "proposal times out", func() { answer(false, cluster.ProducerState{}, cluster.ErrUnknownOutcome) })
}

func (n *node) answered(in bool, err error) {
	switch {
	case in:
		n.pump()
		n.beat()
	case n.batcher.Closed() && n.rival:
		n.tell("node %d (twin %v) is closed by its rival", n.i, n.twin)
		n.crash(false)
		n.After(n.between(0, 3*time.Second), "start", n.i, func() { // by whoever supervises it
			if !n.up && !n.twin {
				n.start()
			}
		})
	case n.batcher.Closed():
		n.fail("node %d was closed by another start though there is none", n.i)
	case err != nil:
		n.again()
		n.try()
	default:
		n.again()
		n.at(2*time.Millisecond, "again", n.try)
	}
}

// attemptFailed is the error that a proposal under way gets when the leader changes.
func (n *node) attemptFailed() {
	n.at(0, "leader changed", func() {
		if n.batcher != nil && !n.batcher.Idle() {
			n.attempt++
			n.answered(n.batcher.Answer(false, cluster.ProducerState{}, cluster.ErrUnknownOutcome), cluster.ErrUnknownOutcome)
		}
	})
}

// beat proposes an empty entry when nothing else was proposed for a while.
func (n *node) beat() {
	if n.quiet {
		return
	}
	proposed := n.proposed
	n.at(kernel.BeatAfter, "beat", func() {
		if n.proposed == proposed && n.batcher.Idle() && !n.quiet {
			n.propose()
		}
	})
}

// ownAt is when the newest own entry that every view has applied was proposed; 0: none was. It vouches for what was read when it
// was as it is now.
func (n *node) ownAt() time.Duration {
	if len(n.runners) == 0 {
		return 0
	}
	own := n.runners[0].ownAt
	for _, r := range n.runners[1:] {
		own = min(own, r.ownAt)
	}
	return own
}

func (n *node) ready() bool { return !n.fenced && kernel.Vouches(n.ownAt(), n.now, n.alone()) }

// crash ends the life at once: nobody gets an answer, and of what the views have not synced each keeps a part.
func (n *node) crash(power bool) {
	if !n.up {
		return
	}
	n.up = false
	n.gen++
	for i, r := range n.runners {
		keep := r.unsynced
		if power {
			keep = n.rng.IntN(r.unsynced + 1)
			if n.chance(0.3) {
				keep = 0
			}
		}
		n.tell("node %d ends; domain %d keeps %d of %d", n.i, i, keep, r.unsynced)
		v, err := n.views[i].cut(keep, r.unsynced)
		if err != nil {
			n.fail("view %d of node %d after a crash: %v", i, n.i, err)
			return
		}
		n.views[i] = v
	}
	n.runners = nil
	if n.ended != nil {
		n.ended(n, power)
	}
	// etcd applies before it saves: the member's own copy may be shorter at first than what its views have seen.
	m := n.quorum.members[n.i]
	m.visible -= min(m.visible-1, n.rng.Uint64N(3))
	n.quorum.spread(n.i)
}

// stop is the end of a life in good order: everybody is told that the outcome is unknown, and the views are synced.
func (n *node) stop() {
	if !n.up {
		return
	}
	var ws []kernel.Waiting
	if n.batcher != nil {
		ws = n.batcher.Drain()
	}
	for _, w := range append(ws, n.flights.Drain()...) {
		if w.Done != nil {
			w.Done(kernel.Result{Err: kernel.ErrStopped})
		}
	}
	n.sync()
	n.crash(false)
}
