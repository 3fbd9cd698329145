package kernel

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// Fence knows with whom this node's views differ. Two views that differ are an alarm: which of them is wrong takes a third to
// say. A node that differs from two others is the wrong one, and serves nobody any more.
type Fence struct {
	differs map[string]map[cluster.NodeID]bool // by view
}

// Compared takes the outcome of a comparison of a view with another node's at one n. changed: it is another than before, so
// that a difference is said once and not with every entry. wrong: this node differs from two others.
func (f *Fence) Compared(view string, with cluster.NodeID, same bool) (changed, wrong bool) {
	changed = f.differs[view][with] == same
	switch {
	case same:
		delete(f.differs[view], with) // it was rebuilt
	case changed:
		if f.differs == nil {
			f.differs = map[string]map[cluster.NodeID]bool{}
		}
		if f.differs[view] == nil {
			f.differs[view] = map[cluster.NodeID]bool{}
		}
		f.differs[view][with] = true
	}
	return changed, len(f.differs[view]) >= 2
}

// fencing is the node's fence. Once it is up it stays.
type fencing struct {
	mu    sync.Mutex
	fence Fence
	why   atomic.Pointer[error]
}

// err is why this node may serve nobody; nil = it may.
func (f *fencing) err() error {
	if e := f.why.Load(); e != nil {
		return *e
	}
	return nil
}

// compared takes the outcome of a comparison with another node's view at one n.
func (n *Node) compared(d Domain, at uint64, with cluster.NodeID, same bool) {
	f := &n.fence
	f.mu.Lock()
	defer f.mu.Unlock()
	view := d.Name()
	changed, wrong := f.fence.Compared(view, with, same)
	switch {
	case changed && same:
		n.o.Logger.Info("views are the same again", "domain", view, "n", at, "node", fmt.Sprintf("%x", with))
	case changed:
		n.o.Logger.Error("views differ", "domain", view, "n", at, "node", fmt.Sprintf("%x", with))
	}
	if wrong && f.why.Load() == nil {
		err := fmt.Errorf("%w: the view %q of this node differs from those of two others", ErrNotReady, view)
		f.why.Store(&err)
		n.o.Logger.Error("this node serves nobody any more", "cause", err)
		if n.o.Fenced != nil {
			n.o.Fenced(view)
		}
	}
}
