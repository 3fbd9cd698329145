package sim

import (
	"slices"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// ledger is all that was ever committed, kept in spite of trimming, and what the first view that applied an entry made
// of it: every other view must make the same of it, at once and after every replay.
type ledger struct {
	epochs map[uint32][]*item
	// cuts says, for a later epoch, where the one before was cut.
	cuts        map[uint32]kernel.Position
	checkpoints map[kernel.Position][]*checkpoint
	places      []kernel.Position // of checkpoints, in order
}

// item is one entry of the log.
type item struct {
	n       uint64
	raw     []byte
	entry   *kernel.Entry
	results []*result // per domain, once known
	// expected has what the oracle says about every command.
	expected []kernel.Decided
}

type result struct {
	chain   uint64
	time    uint64
	decided []kernel.Decided
	events  []any
}

type checkpoint struct {
	store *kernel.MemStore
	hash  uint64
}

func newLedger() *ledger {
	return &ledger{epochs: map[uint32][]*item{}, cuts: map[uint32]kernel.Position{}, checkpoints: map[kernel.Position][]*checkpoint{}}
}

func (l *ledger) at(epoch uint32, n uint64) *item { return l.epochs[epoch][n-1] }

// append takes a committed entry. Numbers must have no holes.
func (l *ledger) append(c *cell, epoch uint32, n uint64, raw []byte) *item {
	if n != uint64(len(l.epochs[epoch]))+1 {
		c.fail("entry %d was committed after %d", n, len(l.epochs[epoch]))
	}
	e, err := kernel.DecodeEntry(raw)
	if err != nil {
		c.fail("entry %d: %v", n, err)
		e = &kernel.Entry{}
	}
	it := &item{n: n, raw: raw, entry: e, results: make([]*result, len(c.domains))}
	l.epochs[epoch] = append(l.epochs[epoch], it)
	return it
}

// compare holds what node i's view of domain d made of an entry against the first that was seen, and against the oracle.
func (l *ledger) compare(c *cell, i, d int, it *item, out *kernel.Outcome, chain uint64) {
	got := &result{chain, out.Time, out.Decided, out.Events}
	first := it.results[d]
	if first == nil {
		it.results[d] = got
		if c.first != nil {
			c.first(it, d, out.Events)
		}
		for k, env := range it.entry.Commands {
			if it.expected != nil && env.Domain == c.domains[d].ID() && env.Flags&kernel.FlagEphemeral == 0 && out.Decided[k] != it.expected[k] {
				c.fail("entry %d, command %d: decided %+v, the rules say %+v", it.n, k, out.Decided[k], it.expected[k])
			}
		}
		return
	}
	if first.chain != got.chain || first.time != got.time || !slices.Equal(first.decided, got.decided) || !c.sameEvents(first.events, got.events) {
		c.fail("entry %d: node %d made something else of it in domain %d than the first view did", it.n, i, d)
	}
}

// checkpoint keeps a copy of a view; all views must be equal at that position.
func (l *ledger) checkpoint(c *cell, i, d int, pos kernel.Position, r kernel.Reader) {
	cps := l.checkpoints[pos]
	if cps == nil {
		cps = make([]*checkpoint, len(c.domains))
		l.checkpoints[pos] = cps
		l.places = append(l.places, pos)
	}
	hash, _ := kernel.ContentHash(r)
	switch {
	case cps[d] == nil:
		s := kernel.NewMemStore()
		if err := copyRows(s, r); err != nil {
			c.fail("node %d: checkpoint: %v", i, err)
		}
		cps[d] = &checkpoint{s, hash}
	case cps[d].hash != hash:
		c.fail("node %d: the checkpoint of domain %d at %v differs from another's", i, d, pos)
	}
}

// complete lists the checkpoints that every domain has, in the current epoch.
func (l *ledger) complete(epoch uint32) (places []kernel.Position) {
	for _, p := range l.places {
		if p.Epoch == epoch && !slices.Contains(l.checkpoints[p], nil) {
			places = append(places, p)
		}
	}
	return places
}

// replay applies the whole history to empty views.
func (l *ledger) replay(c *cell) ([]*kernel.Applier, []kernel.Store) {
	var appliers []*kernel.Applier
	var stores []kernel.Store
	for d, domain := range c.domains {
		s := kernel.NewMemStore()
		stores = append(stores, s)
		appliers = append(appliers, nil)
		for epoch := firstEpoch; epoch <= c.epoch; epoch++ {
			items := l.epochs[epoch]
			if cut, ok := l.cuts[epoch+1]; ok {
				items = items[:cut.N]
			}
			a, err := kernel.NewApplier(domain, s, nil)
			if err != nil {
				c.fail("replay: %v", err)
				return nil, nil
			}
			for _, it := range items {
				if _, err := a.Apply(it.n, nil, it.entry); err != nil {
					c.fail("replay of entry %d:%d: %v", epoch, it.n, err)
					return nil, nil
				}
			}
			if cut, ok := l.cuts[epoch+1]; ok {
				if err := kernel.BeginEpochIn(s, cut, epoch+1); err != nil {
					c.fail("replay: %v", err)
					return nil, nil
				}
			}
			appliers[d] = a
		}
	}
	return appliers, stores
}
