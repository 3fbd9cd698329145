package server

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// hear looks at how far the archive is.
func (a *archiver) hear(ctx context.Context, c *core, writes bool) error {
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	if err := a.there(ctx, c.data.Meta.Cell, writes); err != nil {
		return err
	}
	near := a.archived.Load()
	if near == 0 {
		pos, err := a.newest(ctx, c)
		if err != nil {
			return err
		}
		near = pos.N
	}
	last, err := archive.Last(ctx, a.t, c.log.Epoch(), near)
	if err == nil && last == 0 && near > 0 {
		// Nothing near the checkpoint: whatever there is of the log ends long before. What follows it is still to come.
		last, err = archive.Last(ctx, a.t, c.log.Epoch(), 0)
	}
	if err != nil {
		return err
	}
	if known, has := a.archived.Load(), max(last, a.bridged); has < known {
		// Taken away, or on a disk that is no longer the same. The log is read again from there, or what it lost is bridged.
		a.log.Error("the archive has lost the end of the log", "to", a.t.String(), "had", known, "has", has)
		a.archived.Store(has)
	}
	a.has(last, !writes)
	return nil
}

// there refuses a target that bore the mark of this cell and no longer does, or bears another's: what is written into the
// directory under a disk that is not mounted is not in the archive. The first writer leaves the mark.
func (a *archiver) there(ctx context.Context, cell string, writes bool) error {
	mark, err := archive.Marked(ctx, a.t)
	if err != nil {
		return err
	}
	a.mu.Lock()
	marked := a.mu.marked
	a.mu.marked = marked || mark != ""
	a.mu.Unlock()
	switch {
	case mark == cell:
		a.note()
		return nil
	case mark != "":
		return fmt.Errorf("%s holds the archive of another cell (%s): give this one a place of its own", a.t, mark)
	case marked:
		return fmt.Errorf("the archive is no longer in %s: is its disk mounted? if it is gone for good, remove %s at every site and start it anew, and a new archive begins", a.t, archiveBegun)
	case !writes:
		return nil
	}
	if err := archive.Mark(ctx, a.t, cell); err != nil {
		return err
	}
	a.mu.Lock()
	a.mu.marked = true
	a.mu.Unlock()
	a.note()
	return nil
}

// recall reads, from the data directory of this node, whether the archive in this place was begun already: a machine may start
// without the disk on which it lies.
func (a *archiver) recall(file string) {
	b, err := os.ReadFile(file)
	a.file, a.mu.marked = file, err == nil && strings.TrimSpace(string(b)) == a.t.String()
	a.noted.Store(a.mu.marked)
}

// note writes down that the archive was begun.
func (a *archiver) note() {
	if a.file == "" || a.noted.Swap(true) {
		return
	}
	if err := kernel.WriteDurably(a.file, []byte(a.t.String()+"\n")); err != nil {
		a.noted.Store(false)
		a.log.Warn("that the archive was begun could not be written down", "cause", err)
	}
}

// newest finds the newest checkpoint of this epoch in the target, the zero position if there is none.
func (a *archiver) newest(ctx context.Context, c *core) (pos kernel.Position, err error) {
	list, err := archive.Checkpoints(ctx, a.t)
	if err != nil || len(list) == 0 {
		return pos, err
	}
	if err := a.ours(list, c); err != nil {
		return pos, err
	}
	newest := list[len(list)-1]
	if newest.Pos.Epoch != c.log.Epoch() {
		return pos, nil
	}
	a.mu.Lock()
	known := a.mu.checkpoint == newest.Pos
	a.mu.Unlock()
	if !known {
		m, err := newest.Manifest(ctx, a.t)
		if err != nil {
			return pos, err
		}
		a.mu.Lock()
		a.mu.checkpoint, a.mu.checkpointMs = newest.Pos, m.TimeMs
		a.mu.Unlock()
	}
	return newest.Pos, nil
}

// ours refuses an archive in which nothing is of this cell's history.
func (a *archiver) ours(list []archive.Checkpoint, c *core) error {
	cuts := c.cuts()
	for _, one := range list {
		if _, ok := cuts[one.Pos.Epoch]; ok || one.Pos.Epoch == c.log.Epoch() {
			return nil
		}
	}
	return fmt.Errorf("%s holds the archive of another cell: give this one a place of its own", a.t)
}

func (c *core) cuts() map[uint32]uint64 { return cutsOf(c.stores[0]) }

func cutsOf(s kernel.Store) map[uint32]uint64 {
	snap := s.Snapshot()
	defer snap.Close()
	return kernel.Cuts(snap)
}

// prevOf is where the epoch before one was cut.
func prevOf(cuts map[uint32]uint64, epoch uint32) (p kernel.Position) {
	for e, n := range cuts {
		if e < epoch && e > p.Epoch {
			p = kernel.Position{Epoch: e, N: n}
		}
	}
	return p
}
