package kernel

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// numbered is a decoded entry on its way to the domains.
type numbered struct {
	n      uint64
	cursor cluster.Cursor
	size   int
	e      *Entry
}

// runner applies entries to one domain on one goroutine.
type runner struct {
	n     *Node
	a     *Applier
	store Store
	in    chan []numbered
	out   chan Applied

	applied atomic.Uint64
	durable atomic.Uint64
	check   atomic.Pointer[chainAt]
	// ownAt is when the newest own entry applied here was proposed, since the node's start.
	ownAt atomic.Int64
}

type chainAt struct{ n, chain uint64 }

func (r *runner) run() {
	for {
		select {
		case <-r.n.ctx.Done():
			return
		case batch := <-r.in:
			for _, it := range batch {
				if err := r.entry(it); err != nil {
					r.n.fail(err)
					return
				}
			}
		}
	}
}

func (r *runner) entry(it numbered) error {
	out, err := r.a.Apply(it.n, it.cursor, it.e)
	if err != nil {
		return err
	}
	if out == nil {
		// After a crash this view may be ahead of another. Dispatch takes one item per entry from every domain, or else it
		// would pair different entries from then on. Without a position it goes no further.
		r.deliver(Applied{Domain: r.a.domain.ID()})
		return nil
	}
	for i, what := range out.Panicked {
		r.n.o.Logger.Error("a command was refused because its code failed", "domain", r.a.domain.Name(), "epoch", out.Pos.Epoch, "n", it.n, "index", i, "panic", what)
	}
	r.applied.Store(it.n)
	r.check.Store(&chainAt{it.n, r.a.Chain()})
	if out.Checkpoint != nil {
		r.checkpoint(out)
	}
	if it.e.Incarnation == r.n.inc {
		r.answer(it, out)
	}
	r.compare(it)
	if r == r.n.runners[0] {
		r.n.compareClocks(it.e)
	}
	r.n.trim.Note(it.n, it.cursor, it.size, it.e, time.Now())
	if len(out.Ephemeral) > 0 && r.n.Now() > out.Time+EphemeralMaxAge {
		out.Ephemeral = nil
	}
	r.deliver(out.Applied)
	return nil
}

func (r *runner) deliver(a Applied) {
	select {
	case r.out <- a:
	case <-r.n.ctx.Done():
	}
}

// answer tells the callers of an own entry.
func (r *runner) answer(it numbered, out *Outcome) {
	n := r.n
	n.mu.Lock()
	l := n.mu.flights.Applied(it.e.Number, r.a.domain.ID(), out)
	if l != nil && l.Last {
		ahead, queued := n.mu.flights.Len(), n.mu.batcher.Queued()
		n.mu.waits.applied(ahead > 0 || queued > 0)
		if ahead == maxAhead-1 && queued > 0 {
			n.poke()
		}
	}
	n.mu.Unlock()
	if l == nil {
		return
	}
	r.ownAt.Store(int64(l.Proposed))
	defer n.storageFault(r.a.domain.Name())
	fenced := n.fence.err() != nil
	for _, a := range l.Answers {
		a.Tell(fenced)
	}
}

// compare holds the proposer's chain against ours.
func (r *runner) compare(it numbered) {
	if it.e.Node == r.n.o.Node {
		return
	}
	for _, c := range it.e.Checks {
		if c.Domain != r.a.domain.ID() {
			continue
		}
		if own, ok := r.a.ChainAt(c.N); ok {
			r.n.compared(r.a.domain, c.N, it.e.Node, own == c.Chain)
		}
	}
}

// sync makes what is applied durable and remembers up to where.
func (r *runner) sync() error {
	at := r.applied.Load()
	if at == r.durable.Load() {
		return nil
	}
	if err := r.store.Sync(); err != nil {
		return fmt.Errorf("view %s: %w", r.a.domain.Name(), err)
	}
	r.durable.Store(at)
	return nil
}

// housekeeping syncs views, trims the log and watches the disk.
func (n *Node) housekeeping() {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	lastSync := time.Now()
	for ; ; n.tick(second.C) {
		if n.ctx.Err() != nil {
			return
		}
		n.count()
		if n.o.DiskGuard != nil {
			if err := n.o.DiskGuard(); err != nil {
				s := err.Error()
				if n.diskFull.Swap(&s) == nil {
					n.o.Logger.Error("commands are refused", "cause", s)
				}
			} else if n.diskFull.Swap(nil) != nil {
				n.o.Logger.Info("commands are taken again")
			}
		}
		if time.Since(lastSync) < syncEvery {
			continue
		}
		lastSync = time.Now()
		for _, r := range n.runners {
			if err := r.sync(); err != nil {
				n.fail(err)
				return
			}
		}
		if n.agree() != nil {
			continue // no quorum: nothing can be trimmed either
		}
		if n.o.Archived != nil {
			n.trim.Hold(n.o.Archived(), time.Now())
		}
		if to, cursor, ok := n.trim.Target(n.durable(), time.Now()); ok {
			if err := n.o.Log.Trim(n.ctx, to, cursor); err != nil && n.ctx.Err() == nil {
				n.o.Logger.Warn("the log could not be trimmed", "cause", err)
			}
		}
	}
}

func (n *Node) tick(c <-chan time.Time) {
	select {
	case <-n.ctx.Done():
	case <-c:
	}
}

func (n *Node) durable() uint64 {
	d := n.runners[0].durable.Load()
	for _, r := range n.runners[1:] {
		d = min(d, r.durable.Load())
	}
	return d
}
