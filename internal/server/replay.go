package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/bonghwa/bonghwa/internal/inspect"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// replay applies entries to views that no server runs on.
type replay struct {
	dir      string
	doms     []kernel.Domain
	stores   []*kernel.PebbleStore
	appliers []*kernel.Applier
	// Entries and compared count what was applied, and chains of proposers that were held against those here.
	entries, compared int
	// differ says of each node whose chain was another one than here, where that was first.
	differ map[string]string
	mu     sync.Mutex
}

// ordered is an entry with its number.
type ordered struct {
	n uint64
	e *kernel.Entry
}

// openReplay opens the views in dir, which may be new.
func openReplay(dir string, cell uint16) (r *replay, err error) {
	r = &replay{dir: dir, doms: domains(cell), differ: map[string]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	for _, dom := range r.doms {
		s, err := openView(dir, dom.Name(), kernel.PebbleOptions{})
		if err != nil {
			return r, err
		}
		r.stores = append(r.stores, s)
	}
	return r, r.begin()
}

// begin looks at where the views stand.
func (r *replay) begin() error {
	r.appliers = nil
	for i, dom := range r.doms {
		a, err := kernel.NewApplier(dom, r.stores[i], nil)
		if err != nil {
			return fmt.Errorf("view %q: %s", dom.Name(), inspect.Sentence(err))
		}
		r.appliers = append(r.appliers, a)
	}
	return nil
}

// position is what every view has applied.
func (r *replay) position() kernel.Position {
	p := r.appliers[0].Position()
	for _, a := range r.appliers[1:] {
		if q := a.Position(); q.Less(p) {
			p = q
		}
	}
	return p
}

// time is the effective time of the last entry, Unix milliseconds.
func (r *replay) time() (t uint64) {
	for _, a := range r.appliers {
		t = max(t, a.Time())
	}
	return t
}

// apply applies entries in order; those that a view has already are left out.
func (r *replay) apply(list []ordered) error {
	errs := make([]error, len(r.doms))
	var wg sync.WaitGroup
	for i := range r.doms {
		wg.Go(func() { errs[i] = r.applyTo(i, list) })
	}
	wg.Wait()
	r.entries += len(list)
	return errors.Join(errs...)
}

func (r *replay) applyTo(i int, list []ordered) (err error) {
	defer kernel.CatchStorage(&err)
	a := r.appliers[i]
	compared := 0
	for _, it := range list {
		if _, err := a.Apply(it.n, nil, it.e); err != nil {
			return errors.New(inspect.Sentence(err))
		}
		for _, c := range it.e.Checks {
			own, known := a.ChainAt(c.N)
			if c.Domain != r.doms[i].ID() || !known {
				continue
			}
			if compared++; own != c.Chain {
				r.differs(it, r.doms[i].Name(), c.N)
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.compared += compared
	return nil
}

func (r *replay) differs(it ordered, view string, n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	node := fmt.Sprintf("%x", it.e.Node)
	if r.differ[node] == "" {
		r.differ[node] = fmt.Sprintf("the view %q of the node %s differed from what the log gives, at entry %d:%d or before", view, node, it.e.Epoch, n)
	}
}

// nextEpoch goes on in an epoch that began where the one before was cut; a view that is in it already stays.
func (r *replay) nextEpoch(cut kernel.Position, epoch uint32) (err error) {
	defer kernel.CatchStorage(&err)
	for i, dom := range r.doms {
		if r.appliers[i].Position().Epoch == epoch {
			continue
		}
		if err := kernel.BeginEpochIn(r.stores[i], cut, epoch); err != nil {
			return fmt.Errorf("view %q: %s", dom.Name(), inspect.Sentence(err))
		}
	}
	return r.begin()
}

// sync makes the views durable.
func (r *replay) sync() error {
	var errs []error
	for _, s := range r.stores {
		errs = append(errs, s.Sync())
	}
	return errors.Join(errs...)
}

// hashes are the content hashes by view.
func (r *replay) hashes() (h map[string]string, err error) {
	defer kernel.CatchStorage(&err)
	h = map[string]string{}
	for i, dom := range r.doms {
		snap := r.stores[i].Snapshot()
		sum, _ := kernel.ContentHash(snap)
		snap.Close()
		h[dom.Name()] = fmt.Sprintf("%016x", sum)
	}
	return h, nil
}

func (r *replay) close() error {
	var errs []error
	for _, s := range r.stores {
		errs = append(errs, s.Close())
	}
	r.stores = nil
	return errors.Join(errs...)
}

// sameHashes holds views in a directory, which nobody has opened, against a manifest.
func sameHashes(dir string, doms []kernel.Domain, m *kernel.Manifest) error {
	for _, dom := range doms {
		want, ok := m.Domains[dom.Name()]
		if !ok {
			return fmt.Errorf("the checkpoint has no view %q", dom.Name())
		}
		hash, err := contentHash(filepath.Join(dir, dom.Name()))
		if err != nil {
			return fmt.Errorf("view %q of the checkpoint cannot be used: %s", dom.Name(), inspect.Sentence(err))
		}
		if hash != want.ContentHash {
			return fmt.Errorf("view %q of the checkpoint is damaged: its content hash is %s, the manifest says %s", dom.Name(), hash, want.ContentHash)
		}
	}
	return nil
}
