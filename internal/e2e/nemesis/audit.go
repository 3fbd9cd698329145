package nemesis

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

// findings are what an audit found wrong.
type findings []string

func (f *findings) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f *findings) err() error {
	if len(*f) == 0 {
		return nil
	}
	var errs []error
	for _, s := range (*f)[:min(len(*f), 20)] {
		errs = append(errs, errors.New(s))
	}
	return fmt.Errorf("%d findings, the first of them:\n%w", len(*f), errors.Join(errs...))
}

// name is a command's name.
type name struct {
	domain  byte
	account ids.Room
	device  ids.Device
	n       uint64
}

func (n name) String() string {
	return fmt.Sprintf("(domain %d, account %.6v, device %.6v, n %d)", n.domain, n.account, n.device, n.n)
}

func (r *record) name() name { return name{r.Domain, r.Account, r.Device, r.N} }

// replay is a log applied again from its first entry to new views.
type replay struct {
	findings
	domains  []kernel.Domain
	stores   []*kernel.PebbleStore
	appliers []*kernel.Applier
	// chains by domain and n.
	chains  map[byte][]uint64
	claimed []claim
	// decided is the verdict recorded under each name.
	decided map[name]kernel.Verdict
	// newest is the last incarnation of each node and its last number; over are the incarnations before it.
	newest map[cluster.NodeID]*incarnation
	over   map[cluster.Incarnation]bool
	n      uint64
}

type incarnation struct {
	id     cluster.Incarnation
	number uint64
}

// claim is a proposer's check.
type claim struct {
	node cluster.NodeID
	kernel.Check
}

func newReplay(dir string) (*replay, error) {
	r := &replay{domains: domains(), chains: map[byte][]uint64{}, decided: map[name]kernel.Verdict{}, newest: map[cluster.NodeID]*incarnation{}, over: map[cluster.Incarnation]bool{}}
	for _, d := range r.domains {
		s, err := kernel.OpenPebble(filepath.Join(dir, d.Name()), kernel.PebbleOptions{})
		if err != nil {
			return nil, err
		}
		a, err := kernel.NewApplier(d, s, nil)
		if err != nil {
			return nil, err
		}
		r.stores, r.appliers = append(r.stores, s), append(r.appliers, a)
		r.chains[d.ID()] = []uint64{0}
	}
	return r, nil
}

func (r *replay) close() error {
	var errs []error
	for _, s := range r.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// entry takes the next entry of the log.
func (r *replay) entry(n uint64, value []byte) error {
	if n != r.n+1 {
		return fmt.Errorf("entry %d follows %d", n, r.n)
	}
	r.n = n
	e, err := kernel.DecodeEntry(value)
	if err != nil {
		return fmt.Errorf("entry %d: %w", n, err)
	}
	r.producer(n, e)
	for _, c := range e.Checks {
		r.claimed = append(r.claimed, claim{e.Node, c})
	}
	for i, a := range r.appliers {
		out, err := a.Apply(n, nil, e)
		if err != nil {
			return err
		}
		id := r.domains[i].ID()
		r.chains[id] = append(r.chains[id], a.Chain())
		for k, env := range e.Commands {
			if env.Domain != id {
				continue
			}
			c, err := r.domains[i].Decode(env.Bytes)
			if err != nil {
				return fmt.Errorf("entry %d: %w", n, err)
			}
			if _, named := c.Named(); named != nil {
				r.verdict(c.(*toydomain.Cmd), id, out.Decided[k])
			}
		}
	}
	return nil
}

// producer: an incarnation counts its entries without holes, and is over when the next one of its node has begun.
func (r *replay) producer(n uint64, e *kernel.Entry) {
	if n == 1 {
		return // by Init, no node's
	}
	last := r.newest[e.Node]
	switch {
	case last != nil && last.id == e.Incarnation:
		if last.number++; e.Number != last.number {
			r.add("entry %d is number %d of its incarnation, in the place of %d", n, e.Number, last.number)
		}
	case r.over[e.Incarnation]:
		r.add("entry %d is of an incarnation of node %x that was over", n, e.Node)
	case e.Number != 1:
		r.add("entry %d is the first of its incarnation and has number %d", n, e.Number)
		fallthrough
	default:
		if last != nil {
			r.over[last.id] = true
		}
		r.newest[e.Node] = &incarnation{e.Incarnation, e.Number}
	}
}

func (r *replay) verdict(c *toydomain.Cmd, domain byte, d kernel.Decided) {
	key := name{domain, c.Account, c.Name.Device, c.Name.N}
	before, known := r.decided[key]
	switch code := d.Verdict.Code; {
	case code == kernel.AlreadyIn || code == kernel.Expected || code == kernel.IDReused || code == kernel.Late:
	case d.Repeated != known:
		r.add("%v was decided twice, or repeated before it was decided", key)
	case known && before != d.Verdict:
		r.add("%v: verdict %v, and before that %v", key, d.Verdict, before)
	default:
		r.decided[key] = d.Verdict
	}
}

// checkClaims holds every proposer's chains against the replay's.
func (r *replay) checkClaims() {
	for _, c := range r.claimed {
		chains := r.chains[c.Domain]
		if c.N >= uint64(len(chains)) || chains[c.N] != c.Chain {
			r.add("node %x had chain %016x at n %d of domain %d, which a replay does not give", c.node, c.Chain, c.N, c.Domain)
		}
	}
}

// view is a domain's view in a checkpoint.
type view struct {
	pos   kernel.Position
	chain uint64
	hash  uint64
	rows  int
}

// readView reads a whole view, and hands it to fn too.
func readView(dir string, d kernel.Domain, fn func(kernel.Reader)) (v view, err error) {
	s, err := kernel.OpenPebble(dir, kernel.PebbleOptions{ReadOnly: true})
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return viewOf(s, d, fn)
}

func viewOf(s kernel.Store, d kernel.Domain, fn func(kernel.Reader)) (v view, err error) {
	a, err := kernel.NewApplier(d, s, nil)
	if err != nil {
		return v, err
	}
	v.pos, v.chain = a.Position(), a.Chain()
	snap := s.Snapshot()
	defer snap.Close()
	v.hash, v.rows = kernel.ContentHash(snap)
	snap.Scan([]byte{0}, []byte{0xff}, func(k, value []byte) bool {
		if err = kernel.CheckRow(d, k, value); err != nil {
			err = fmt.Errorf("row %x: %w", k, err)
		}
		return err == nil
	})
	if err == nil && fn != nil {
		fn(snap)
	}
	return v, err
}

// journal is what a view says was done.
type journal struct {
	rows  map[name]row
	order []name // by account, in order
	sum   uint64 // of all balances
	made  uint64 // by deposits
}

type row struct {
	seq uint64
	toydomain.Entry
}

func (j *journal) read(domain byte, r kernel.Reader, f *findings) {
	toydomain.EachAccount(r, func(id ids.Room, a toydomain.Account) {
		j.sum += a.Balance
		seq := uint64(0)
		toydomain.EachEntry(r, id, func(s uint64, e toydomain.Entry) {
			if seq++; s != seq {
				f.add("account %.6v of domain %d: journal row %d in the place of %d", id, domain, s, seq)
			}
			key := name{domain, id, e.Device, e.N}
			if _, twice := j.rows[key]; twice {
				f.add("%v was done twice", key)
			}
			j.rows[key] = row{s, e}
			j.order = append(j.order, key)
			if e.Op == toydomain.Deposit {
				j.made += e.Amount
			}
		})
		if seq != a.Seq {
			f.add("account %.6v of domain %d: %d journal rows, the account says %d", id, domain, seq, a.Seq)
		}
	})
}

// checkOutboxes holds what callers took and were told against the journal, and against the log's verdicts where the log
// is known.
func checkOutboxes(f *findings, records []record, j *journal, decided map[name]kernel.Verdict) (acked int) {
	items := map[name]record{}
	verdicts := map[name]kernel.Verdict{}
	for _, r := range records {
		key := r.name()
		switch r.What {
		case taken:
			if _, twice := items[key]; twice {
				f.add("%v was taken twice: the test is wrong", key)
			}
			items[key] = r
		case told:
			v := kernel.Verdict{Code: kernel.Code(r.Code), Seq: r.Seq}
			if before, ok := verdicts[key]; ok && before != v {
				f.add("%v was told %v, and before that %v", key, v, before)
			}
			verdicts[key] = v
		}
	}
	for key, it := range items {
		v, ok := verdicts[key]
		if !ok {
			f.add("%v was never answered", key)
			continue
		}
		acked++
		if d, ok := decided[key]; decided != nil && (!ok || d != v) {
			f.add("%v was told %v, the log says %v (%t)", key, v, d, ok)
		}
		r, done := j.rows[key]
		switch {
		case v.Code == kernel.OK && !done:
			f.add("%v was acknowledged and is lost", key)
		case v.Code != kernel.OK && done:
			f.add("%v was refused with %v and is done", key, v)
		case done && (r.seq != v.Seq || r.Item != it.Item || byte(r.Op) != it.Op || r.Amount != it.Amount || r.To != it.To):
			f.add("%v is row %d %+v; taken was %+v, told was %v", key, r.seq, r.Entry, it, v)
		}
	}
	last := map[name]uint64{}
	for _, key := range j.order {
		if _, ok := items[key]; !ok {
			f.add("%v is done, and nobody asked for it", key)
		}
		scope := key
		scope.n = 0
		if key.n <= last[scope] {
			f.add("%v comes after n %d", key, last[scope])
		}
		last[scope] = key.n
	}
	if j.sum != j.made {
		f.add("%d of money was made, %d is there", j.made, j.sum)
	}
	return acked
}

// checkReads holds reads against what had been acknowledged kernel.ReadyWithin before.
func checkReads(f *findings, reads []read, writes []raised) {
	type register struct {
		domain byte
		key    uint64
	}
	acked := map[register][]raised{}
	for _, w := range writes {
		k := register{w.Domain, w.Key}
		acked[k] = append(acked[k], w)
	}
	for _, ws := range acked {
		slices.SortFunc(ws, func(a, b raised) int { return int(a.At - b.At) })
		for i := 1; i < len(ws); i++ {
			ws[i].Value = max(ws[i].Value, ws[i-1].Value)
		}
	}
	for _, r := range reads {
		for key, v := range r.Values {
			ws := acked[register{r.Domain, uint64(key)}]
			// The first that is too new to be demanded.
			i, _ := slices.BinarySearchFunc(ws, r.At-kernel.ReadyWithin.Nanoseconds()+1, func(w raised, at int64) int { return int(w.At - at) })
			if i > 0 && v < ws[i-1].Value {
				f.add("a node vouched for register %d of domain %d being %d, %d ms after %d was acknowledged", key, r.Domain, v, (r.At-ws[i-1].At)/1e6, ws[i-1].Value)
			}
		}
	}
}

// counted is what an audit has looked at.
type counted struct{ acked, rows, entries, reads int }

// audit holds all files of a cell that is at rest against each other. n is where all views were copied.
func (c *cell) audit(n uint64) (sum counted, err error) {
	var f findings
	var records []record
	var reads []read
	var writes []raised
	for _, s := range c.slots {
		a, err := loadRecords[record](s.file(outboxFile))
		if err != nil {
			return sum, err
		}
		b, err := loadRecords[read](s.file(readsFile))
		if err != nil {
			return sum, err
		}
		w, err := loadRecords[raised](s.file(registersFile))
		if err != nil {
			return sum, err
		}
		records, reads, writes = append(records, a...), append(reads, b...), append(writes, w...)
	}
	sum.reads = len(reads)
	checkReads(&f, reads, writes)

	pos := kernel.Position{Epoch: epoch, N: n}
	j := &journal{rows: map[name]row{}}
	views := map[byte]view{}
	for _, s := range c.slots {
		for _, d := range domains() {
			dir := filepath.Join(kernel.CheckpointDir(s.checkpoints(), pos), d.Name())
			v, err := readView(dir, d, func(r kernel.Reader) {
				if s.Slot == 0 {
					j.read(d.ID(), r, &f)
				}
			})
			if err != nil {
				return sum, fmt.Errorf("node %d, view %s: %w", s.Slot, d.Name(), err)
			}
			if v.pos != pos {
				f.add("node %d, view %s: a copy at %v has position %v", s.Slot, d.Name(), pos, v.pos)
			}
			if s.Slot == 0 {
				views[d.ID()] = v
			} else if v != views[d.ID()] {
				f.add("view %s: %+v at node %d, %+v at node 0", d.Name(), v, s.Slot, views[d.ID()])
			}
		}
	}
	sum.rows = len(j.rows)

	var decided map[name]kernel.Verdict
	if !c.slots[0].Trim {
		r, err := c.replay()
		if err != nil {
			return sum, err
		}
		for i, d := range r.domains {
			v, err := viewOf(r.stores[i], d, nil)
			if err != nil {
				return sum, err
			}
			if v != views[d.ID()] {
				f.add("view %s: %+v, a replay gives %+v", d.Name(), views[d.ID()], v)
			}
		}
		r.checkClaims()
		f, decided, sum.entries = append(f, r.findings...), r.decided, int(r.n)
		if err := r.close(); err != nil {
			return sum, err
		}
	}
	sum.acked = checkOutboxes(&f, records, j, decided)
	return sum, f.err()
}

// replay applies the log of node 0, which must be that of the others too.
func (c *cell) replay() (*replay, error) {
	first := c.slots[0].file(dumpFile)
	for _, s := range c.slots[1:] {
		same, err := sameFile(first, s.file(dumpFile))
		if err != nil {
			return nil, err
		}
		if !same {
			return nil, fmt.Errorf("the logs of nodes 0 and %d differ", s.Slot)
		}
	}
	r, err := newReplay(filepath.Join(c.dir, "replay"))
	if err != nil {
		return nil, err
	}
	file, err := os.Open(first)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := readEntries(file, r.entry); err != nil {
		return nil, err
	}
	return r, nil
}
