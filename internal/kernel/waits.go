package kernel

import "time"

// waits measures how long own entries, and the commands that are to be in them, are waited for: from the moment when
// something waits to the next own entry that is applied here, and from there on if more waits. Beats count, so that a time
// in which nobody sends is measured, too.
type waits struct {
	since   time.Time // zero: nothing waits
	longest time.Duration
	// begun: an own entry has been applied. What was before is the replay of the log.
	begun bool
}

// begin says that something waits.
func (w *waits) begin() {
	if w.since.IsZero() {
		w.since = time.Now()
	}
}

// applied says that an own entry has been applied, and whether more is waited for.
func (w *waits) applied(more bool) {
	now := time.Now()
	if w.begun && !w.since.IsZero() {
		w.longest = max(w.longest, now.Sub(w.since))
	}
	w.begun, w.since = true, time.Time{}
	if more {
		w.since = now
	}
}

// Waited is the longest that an acknowledgement has been waited for since the last call, what is waited for now included.
// It is for one caller.
func (n *Node) Waited() time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := &n.mu.waits
	d := w.longest
	w.longest = 0
	if w.begun && !w.since.IsZero() {
		d = max(d, time.Since(w.since))
	}
	return d
}
