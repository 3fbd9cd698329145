package sim

import (
	"slices"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

// checkViews holds the live views against each other and against a replay of the whole log.
func (c *cell) checkViews() {
	if c.err != nil {
		return
	}
	appliers, stores := c.ledger.replay(c)
	if c.err != nil {
		return
	}
	for d := range c.domains {
		snap := stores[d].Snapshot()
		want, rows := kernel.ContentHash(snap)
		snap.Scan([]byte{0}, []byte{0xff}, func(k, v []byte) bool {
			if err := kernel.CheckRow(c.domains[d], k, v); err != nil {
				c.fail("domain %d, row %x: %v", d, k, err)
			}
			return true
		})
		snap.Close()
		for _, n := range c.nodes {
			r := n.runners[d]
			live := n.views[d].Snapshot()
			got, have := kernel.ContentHash(live)
			live.Close()
			if got != want || have != rows {
				c.fail("node %d, domain %d: content hash %x of %d rows, a full replay gives %x of %d", n.i, d, got, have, want, rows)
			}
			if r.Chain() != appliers[d].Chain() || r.Position() != appliers[d].Position() || r.Time() != appliers[d].Time() {
				c.fail("node %d, domain %d: chain %x at %v, a full replay gives %x at %v", n.i, d, r.Chain(), r.Position(), appliers[d].Chain(), appliers[d].Position())
			}
		}
	}
}

// check holds the end of a run against the promises.
func (w *world) check() {
	w.checkViews()
	if w.err != nil {
		return
	}
	for d, domain := range w.domains {
		snap := w.nodes[0].views[d].Snapshot()
		w.checkToy(snap, w.oracle.toys[domain.ID()])
		w.checkClients(snap, d)
		if d == 0 {
			w.checkLoose(snap)
		}
		snap.Close()
	}
}

// checkToy: balances and journals are those of the oracle, and money was neither made nor lost on the way.
func (w *world) checkToy(r kernel.Reader, t *toy) {
	var sum uint64
	toydomain.EachAccount(r, func(id ids.Room, a toydomain.Account) {
		sum += a.Balance
		if a.Balance != t.balance[id] || a.Seq != uint64(len(t.journal[id])) {
			w.fail("account %v: balance %d after %d commands; expected %d after %d", id, a.Balance, a.Seq, t.balance[id], len(t.journal[id]))
		}
	})
	if sum != t.made {
		w.fail("%d of money was made, %d is there", t.made, sum)
	}
	for _, id := range w.accounts {
		var got []toydomain.Entry
		toydomain.EachEntry(r, id, func(seq uint64, e toydomain.Entry) {
			got = append(got, e)
			if seq != uint64(len(got)) {
				w.fail("account %v: journal row %d follows %d", id, seq, len(got)-1)
			}
		})
		if !slices.Equal(got, t.journal[id]) {
			w.fail("account %v: the journal is not what the oracle says", id)
		}
	}
}

// checkClients knows nothing of the oracle: what clients were told is in the journals, once, under its name, in order; what
// they were told is not, is not.
func (w *world) checkClients(r kernel.Reader, d int) {
	type place struct {
		account ids.Room
		seq     uint64
		entry   toydomain.Entry
	}
	byItem := map[uint64]place{}
	type nameOf struct {
		scopeOf
		n uint64
	}
	names := map[nameOf]bool{}
	for _, id := range w.accounts {
		newest := map[ids.Device]uint64{}
		toydomain.EachEntry(r, id, func(seq uint64, e toydomain.Entry) {
			if _, twice := byItem[e.Item]; twice {
				w.fail("item %d was done twice", e.Item)
			}
			byItem[e.Item] = place{id, seq, e}
			name := nameOf{scopeOf{e.Device, id}, e.N}
			if names[name] || e.N <= newest[e.Device] {
				w.fail("account %v: command %d of a device was done after %d", id, e.N, newest[e.Device])
			}
			names[name], newest[e.Device] = true, e.N
		})
	}
	for _, c := range w.clients {
		if c.domain != d {
			continue
		}
		for _, s := range c.scopes {
			for _, o := range s.all {
				p, done := byItem[o.cmd.Item]
				lost := o.pos == kernel.Position{}
				switch {
				case !o.settled:
					w.fail("client %d: %d of %v was never answered", c.i, o.cmd.Name.N, s.account)
				case lost: // or in after all: a repeated answer comes later than what it tells of
				case done != (o.told.Code == kernel.OK):
					w.fail("client %d was told %v about %d of %v; done is %v", c.i, o.told, o.cmd.Name.N, s.account, done)
				case done && (p.account != s.account || p.seq != o.told.Seq || p.entry.N != o.cmd.Name.N || p.entry.Device != c.device ||
					p.entry.Op != o.cmd.Op || p.entry.Amount != o.cmd.Amount || p.entry.To != o.cmd.To):
					w.fail("client %d: %d of %v was done as something else: %+v", c.i, o.cmd.Name.N, s.account, p)
				}
			}
		}
	}
}

// checkLoose: what was acknowledged about registers and keys holds.
func (w *world) checkLoose(r kernel.Reader) {
	for reg, res := range w.loose.raised {
		if got := toydomain.Register(r, reg); got < res.Verdict.Seq {
			w.fail("register %d was acknowledged at %d and is %d", reg, res.Verdict.Seq, got)
		}
	}
	for _, rev := range w.loose.revoked {
		if !toydomain.Revoked(r, rev.key) {
			w.fail("key %d was revoked at %v, and is not", rev.key, rev.at)
		}
	}
}
