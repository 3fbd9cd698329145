// Package sim runs whole cells in virtual time: three nodes made of the kernel's own cores, the replicated log between
// them, callers, and everything that may go wrong - messages late, lost and doubled, partitions, changes of leader,
// processes that are killed, stopped and paused, power cuts that forget what was not synced, clocks that jump, a log that is
// lost and restored from a checkpoint.
//
// There are no goroutines and no real clock: one queue of events ordered by (virtual time, number) and one source of
// randomness, so that a seed repeats exactly (docs/decisions/0003-discrete-event-simulation.md). On Pebble it does not:
// what a power cut keeps depends on Pebble's own goroutines.
//
// It proves nothing about what drives the cores in the server: goroutines, sockets, etcd. Those have tests of their own.
package sim

import (
	"io"
	"slices"
	"time"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

// Options choose a run.
type Options struct {
	Seed uint64
	// Pebble keeps the views in Pebble on a file system that loses power, instead of in memory.
	Pebble bool
	// Trace gets a line per event; nil = none.
	Trace io.Writer
}

// Report is what a run did.
type Report struct {
	// Trace is a hash of every event.
	Trace  uint64
	Events uint64
	// Entries and Commands were committed, Acknowledged by honest clients; Skipped of them were given up.
	Entries, Commands, Acknowledged, Skipped uint64
	// Unbound is the longest that something was done after the end of its session had been acknowledged.
	Unbound time.Duration
	// Reads were answered under the rule of Ready, Refused were not.
	Reads, Refused uint64
	// Did counts what went wrong on purpose.
	Did map[string]int
	// Virtual is how long it took inside.
	Virtual time.Duration
}

// world is a run with the toy domain.
type world struct {
	*cell
	oracle   *oracle
	accounts []ids.Room
	clients  []*client
	loose    *loose
	items    uint64
	until    time.Duration // faults and new commands end
	pace     time.Duration
	report   Report
	// fire is set where callers have sessions.
	fire *fire
}

// Run plays one seed of the kernel with two toy domains. An error is a broken promise.
func Run(o Options) (Report, error) {
	l := NewLoop(o.Seed, o.Trace)
	w := newWorld(l, o)
	defer w.close()
	w.until = l.between(8*time.Second, 30*time.Second)
	w.pace = l.between(60*time.Millisecond, 400*time.Millisecond)
	w.start()
	w.quorum.faults = l.storm()
	w.people(3 + l.rng.IntN(8))
	restores := 0
	if l.chance(0.3) {
		restores = 1
	}
	m := w.unleash(w.until, l.between(400*time.Millisecond, 4*time.Second), restores, true)
	l.Run(w.until)
	w.finish()
	w.check()
	w.report.Did = m.did
	w.report.Trace, w.report.Events, w.report.Virtual = l.trace.Sum64(), l.events, l.now
	return w.report, l.err
}

// newWorld makes a cell and its accounts; nothing runs yet.
func newWorld(l *Loop, o Options) *world {
	domains := []kernel.Domain{toydomain.New(1, "first"), toydomain.New(2, "second")}
	w := &world{oracle: newOracle(domains)}
	w.cell = newCell(l, domains, newViews(o.Pebble, o.Seed))
	w.entered = func(it *item) {
		it.expected = w.oracle.enter(it.entry)
		w.report.Entries++
		w.report.Commands += uint64(len(it.entry.Commands))
	}
	w.sameEvents = func(a, b []any) bool { return slices.Equal(a, b) }
	w.begun = w.rollBack
	for i := range 2 + l.rng.IntN(6) {
		w.accounts = append(w.accounts, ids.Room{0, 1, ids.KindGroup, byte(i)})
	}
	return w
}

// people begin to call: so many honest ones, and others.
func (w *world) people(count int) {
	for i := range count {
		c := w.newClient(i)
		w.clients = append(w.clients, c)
		c.live()
	}
	w.loose = newLoose(w)
	w.newRogue()
}

// finish heals everything and waits until every outbox is empty, nothing late is on its way, and all nodes are equal.
func (w *world) finish() {
	w.heal()
	for _, c := range w.clients {
		c.dormant = false
		c.flushAll()
	}
	limit := w.now + 3*time.Minute
	for w.err == nil && w.now < limit && !w.settled() {
		w.Run(w.now + time.Second)
	}
	if w.err == nil && !w.settled() {
		w.fail("after all faults ended, not everything was answered within 3 minutes")
	}
	w.Run(w.now + 7*time.Second) // the last late proposals
	limit = w.now + time.Minute
	for w.err == nil && !w.quiet() {
		if w.now > limit {
			w.fail("the nodes do not come to rest")
		}
		w.Run(w.now + time.Second)
	}
}

func (w *world) settled() bool {
	for _, c := range w.clients {
		for _, s := range c.scopes {
			if len(s.open) > 0 {
				return false
			}
		}
	}
	return w.loose.settled()
}

func (w *world) newItem() uint64 {
	w.items++
	return w.items
}

// rollBack takes back what a restore has cut off: the oracle forgets it, and what clients were told after the cut no
// longer binds.
func (w *world) rollBack(cut kernel.Position) {
	w.oracle = newOracle(w.domains)
	for epoch := firstEpoch; epoch <= cut.Epoch; epoch++ {
		items := w.ledger.epochs[epoch]
		if c, ok := w.ledger.cuts[epoch+1]; ok {
			items = items[:c.N]
		}
		for _, it := range items {
			w.oracle.enter(it.entry)
		}
	}
	for _, c := range w.clients {
		for _, s := range c.scopes {
			for _, o := range s.all {
				if !w.survives(o.pos) {
					o.pos = kernel.Position{}
				}
			}
		}
	}
	w.loose.rollBack()
}

// survives says whether a position is part of the present history.
func (w *world) survives(p kernel.Position) bool {
	for epoch, cut := range w.ledger.cuts {
		if p.Epoch < epoch && cut.Less(p) {
			return false
		}
	}
	return true
}

// request is a command on its way from a client to a node.
type request struct {
	domain byte
	cmd    toydomain.Cmd
	epoch  uint32
	node   int
}

// response is a node's answer. found: the command is in the journal, where only AlreadyIn is known.
type response struct {
	kernel.Result
	found bool
}

// request arrives at a node. respond is called at most once; not at all when the node ends first.
func (w *world) request(r request, respond func(response)) {
	n := w.nodes[r.node]
	if !n.up || w.quorum.members[r.node].cut && w.chance(0.5) { // a site that is cut off may be reached or not
		return
	}
	n.atOnce(func() {
		switch {
		case r.epoch != w.epoch:
			respond(response{Result: kernel.Result{Err: errRolledBack, Pos: kernel.Position{Epoch: w.epoch}}})
			return
		case w.chance(w.quorum.faults.Refuse):
			respond(response{Result: kernel.Result{Err: kernel.ErrQueueFull}})
			return
		}
		if w.fire != nil {
			if err := w.fire.admit(n, r); err != nil {
				respond(response{Result: kernel.Result{Err: err}})
				return
			}
		}
		answers := 0
		err := n.submit(kernel.Waiting{Domain: r.domain, Bytes: r.cmd.Append(nil), Done: func(res kernel.Result) {
			if answers++; answers > 1 {
				w.fail("node %d answers one command twice", n.i)
			}
			if n.fenced && res.Err == nil {
				w.fail("node %d is fenced, and answers", n.i)
			}
			resp := response{Result: res}
			if res.Err == nil && res.Verdict.Code == kernel.AlreadyIn {
				resp.found = w.find(n, &r)
			}
			respond(resp)
		}})
		if w.fire != nil {
			w.fire.checkDisk(n, err)
		}
		if err != nil {
			respond(response{Result: kernel.Result{Err: err}})
		}
	})
}

// find looks for a command in the journal of its account by its name.
func (w *world) find(n *node, r *request) (found bool) {
	for d, domain := range w.domains {
		if domain.ID() != r.domain {
			continue
		}
		snap := n.views[d].Snapshot()
		toydomain.EachEntry(snap, r.cmd.Account, func(_ uint64, e toydomain.Entry) {
			found = found || e.Device == r.cmd.Name.Device && e.N == r.cmd.Name.N
		})
		snap.Close()
	}
	return found
}

// atOnce runs fn now, or when the paused node goes on.
func (n *node) atOnce(fn func()) {
	if !n.paused {
		fn()
		return
	}
	gen := n.gen
	n.deferred = append(n.deferred, func() {
		if n.up && n.gen == gen {
			fn()
		}
	})
}
