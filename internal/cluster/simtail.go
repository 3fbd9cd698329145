package cluster

import "context"

// simBatch is how many entries a tail delivers at once.
const simBatch = 64

// Tail implements Log.
func (l *SimLog) Tail(ctx context.Context, n uint64, cursor Cursor, deliver func([]Record) error) error {
	if err := l.startTail(ctx, n, cursor); err != nil {
		return err
	}
	for {
		if l.isStopped() {
			return ErrStopped
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		l.sim.mu.Lock()
		site := l.sim.mu.members[l.member]
		records, err := l.sim.mu.state.Records(l.epoch, n, min(site.visible, n+simBatch))
		changed := site.changed
		l.sim.mu.Unlock()
		if err != nil {
			return err
		}
		if len(records) > 0 {
			// A copy: who is given it may keep it and change it.
			if err := deliver(append([]Record(nil), records...)); err != nil {
				return err
			}
			n = records[len(records)-1].N
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-l.stopped:
		}
	}
}

// startTail checks the position as etcd's tail does: the member's own copy decides, unless it ends before n.
func (l *SimLog) startTail(ctx context.Context, n uint64, cursor Cursor) error {
	if l.isStopped() {
		return ErrStopped
	}
	if n > 0 && len(cursor) > 0 {
		if _, err := revisionOf(cursor); err != nil {
			return err
		}
	}
	var ends bool
	check := func(s *SimState) (err error) {
		ends = n > s.Head(l.epoch)
		return s.CheckCursor(l.epoch, n, cursor)
	}
	l.sim.mu.Lock()
	seen := n <= l.sim.mu.members[l.member].visible
	var err error
	if seen {
		err = check(l.sim.mu.state)
	}
	l.sim.mu.Unlock()
	if seen || err != nil {
		return err
	}
	if readErr := l.read(ctx, func(s *SimState) { err = check(s) }); readErr != nil {
		return readErr
	}
	if ends {
		return ErrLogEnds
	}
	return err
}

// Trim implements Log.
func (l *SimLog) Trim(ctx context.Context, n uint64, cursor Cursor) error {
	var err error
	readErr := l.read(ctx, func(s *SimState) {
		if err = s.CheckCursor(l.epoch, n, cursor); err == nil && s.Epoch() == l.epoch {
			s.Compact(n)
		}
	})
	if readErr != nil {
		return readErr
	}
	return err
}
