package server

import (
	"context"
	"errors"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
)

const (
	// joinEvery is between two joinings. What came into the archive since the one before is left to the next: nobody reads or writes
	// near what is joined. An hour's segments are 900 at most, one object; the last two hours stay small ones. (Every ten minutes
	// would be six times the objects for good, once a day a directory of 43,200.)
	joinEvery = time.Hour
	// joinTimeout is for one joined object: it may be a thousand reads, one after the other, and as many deletions.
	joinTimeout = 10 * time.Minute
)

// joins joins the archive's segments into larger objects, on the node that leads, and those of earlier epochs with them. Every node
// remembers how far the archive was an hour ago, so that the next leader goes on.
func (a *archiver) joins(ctx context.Context, c *core) {
	tick := time.NewTicker(a.joinEvery)
	defer tick.Stop()
	from := map[uint32]uint64{}
	failing := false
	for before := uint64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		end := min(before, a.archived.Load())
		before = a.archived.Load()
		err := a.join(ctx, c, end, from)
		if err != nil && ctx.Err() == nil && !failing {
			a.log.Error("the segments of the archive could not be joined; it is whole, but holds many small objects", "to", a.t.String(), "cause", err)
		}
		failing = err != nil
	}
}

// join joins what ends before an entry of the current epoch, and what earlier epochs have left. from is where each epoch is gone on
// with; only a start begins with the first segment.
func (a *archiver) join(ctx context.Context, c *core, end uint64, from map[uint32]uint64) error {
	if _, leads := c.log.Members(); !leads || end == 0 {
		return nil
	}
	epochs, ends, err := a.joinable(ctx, c, end, from)
	if err != nil {
		return err
	}
	segments := 0
	for i, epoch := range epochs {
		for went := 1; went > 0; {
			if _, leads := c.log.Members(); !leads {
				return nil
			}
			went, err = a.joinNext(ctx, c, epoch, ends[i], from)
			segments += went
			if errors.Is(err, archive.ErrNotFound) {
				return nil // another one joins, or deletes what is old
			}
			if err != nil {
				return err
			}
		}
	}
	if segments > 0 {
		a.log.Info("segments of the archive were joined", "to", a.t.String(), "segments", segments)
	}
	return nil
}

// joinable lists the epochs that may be joined, and up to where; of those that have ended, up to the last segment.
func (a *archiver) joinable(ctx context.Context, c *core, end uint64, from map[uint32]uint64) (epochs []uint32, ends []uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	all, err := archive.Epochs(ctx, a.t)
	if err != nil {
		return nil, nil, err
	}
	for _, epoch := range all {
		until := end
		if epoch > c.log.Epoch() {
			break
		}
		if epoch < c.log.Epoch() {
			if until, err = archive.Last(ctx, a.t, epoch, from[epoch]); err != nil {
				return nil, nil, err
			}
		}
		epochs, ends = append(epochs, epoch), append(ends, until)
	}
	return epochs, ends, nil
}

// joinNext makes the next joined object of an epoch.
func (a *archiver) joinNext(ctx context.Context, c *core, epoch uint32, end uint64, from map[uint32]uint64) (went int, err error) {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	if err := a.there(ctx, c.data.Meta.Cell, true); err != nil {
		return 0, err
	}
	went, from[epoch], err = archive.Join(ctx, a.t, epoch, from[epoch], end)
	return went, err
}
