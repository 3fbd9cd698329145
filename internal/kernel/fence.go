package kernel

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// fence knows with whom this node's views differ. Two views that differ are an alarm: which of them is wrong takes a third to
// say. A node that differs from two others is the wrong one, and serves nobody any more.
type fence struct {
	mu      sync.Mutex
	differs map[string]map[cluster.NodeID]bool // by view
	why     atomic.Pointer[error]
}

// err is why this node may serve nobody; nil = it may.
func (f *fence) err() error {
	if e := f.why.Load(); e != nil {
		return *e
	}
	return nil
}

// compared takes the outcome of a comparison with another node's view at one n. A difference is said once, not with every
// entry.
func (n *Node) compared(d Domain, at uint64, with cluster.NodeID, same bool) {
	f := &n.fence
	f.mu.Lock()
	defer f.mu.Unlock()
	view := d.Name()
	if same {
		if f.differs[view][with] {
			delete(f.differs[view], with) // it was rebuilt
			n.o.Logger.Info("views are the same again", "domain", view, "n", at, "node", fmt.Sprintf("%x", with))
		}
		return
	}
	if f.differs[view][with] {
		return
	}
	if f.differs == nil {
		f.differs = map[string]map[cluster.NodeID]bool{}
	}
	if f.differs[view] == nil {
		f.differs[view] = map[cluster.NodeID]bool{}
	}
	f.differs[view][with] = true
	n.o.Logger.Error("views differ", "domain", view, "n", at, "node", fmt.Sprintf("%x", with))
	if len(f.differs[view]) >= 2 && f.why.Load() == nil {
		err := fmt.Errorf("%w: the view %q of this node differs from those of two others", ErrNotReady, view)
		f.why.Store(&err)
		n.o.Logger.Error("this node serves nobody any more", "cause", err)
		if n.o.Fenced != nil {
			n.o.Fenced(view)
		}
	}
}
