package server

import (
	"context"
	"sync/atomic"
	"time"
)

// drillEvery is how long a cell of several sites may go without a drill that held.
const drillEvery = 180 * 24 * time.Hour

// alarm knows whether a drill is overdue.
type alarm struct {
	s *Server
	// first is when the first account was made, which is read once: Unix ms, 0 until it is known.
	first atomic.Uint64
}

// overdue says that no drill has held for too long: since the last one, or since the cell's first day. All in Unix ms; with nobody
// in it a cell has no first day yet.
func overdue(now, held, first uint64) bool {
	from := max(held, first)
	return from > 0 && now > from+uint64(drillEvery.Milliseconds())
}

// learn reads when the cell began, and once a day again while it holds nobody.
func (a *alarm) learn(ctx context.Context) {
	for {
		first, err := a.s.gw.FirstDay()
		if err == nil && first > 0 {
			a.first.Store(first)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Hour):
		}
	}
}

// add says in the status what is known of drills.
func (a *alarm) add(st *Status) {
	if a.s.gw == nil {
		return
	}
	held, err := a.s.gw.LastHeld()
	if err != nil {
		return // a node that is not ready says nothing of what is in the views
	}
	now := a.s.core.node.Now()
	st.LastDrillHeldMs = held
	if len(st.Sites) < 2 || !overdue(now, held, a.first.Load()) {
		return
	}
	st.DrillOverdue = true
	days := (now - max(held, a.first.Load())) / uint64((24 * time.Hour).Milliseconds())
	if held == 0 {
		st.add(Matter{Kind: MatterNeverDrilled, N: int64(days)})
		return
	}
	st.add(Matter{Kind: MatterDrillOverdue, N: int64(days)})
}
