package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Last finds the last entry of an epoch that a segment holds, among those near an entry and after it; 0 if there is none.
func Last(ctx context.Context, t Target, epoch uint32, near uint64) (last uint64, err error) {
	err = t.List(ctx, EpochPrefix(epoch), shardOf(epoch, near), func(key string, size int64) bool {
		if s, ok := ParseSegment(key, size); ok {
			last = max(last, s.Last)
		}
		return true
	})
	return last, err
}

// shardOf is a place in the order of keys before every segment that holds entry n or a later one.
func shardOf(epoch uint32, n uint64) string {
	return fmt.Sprintf("%s%012x/", EpochPrefix(epoch), (n-min(n, MaxEntries))>>16)
}

// Epochs lists those that have segments, oldest first.
func Epochs(ctx context.Context, t Target) (list []uint32, err error) {
	for after := ""; ; {
		found := false
		err := t.List(ctx, logPrefix, after, func(key string, size int64) bool {
			s, ok := ParseSegment(key, size)
			if ok {
				list, found = append(list, s.Epoch), true
				after = EpochPrefix(s.Epoch) + "~" // behind all of it
			}
			return !ok
		})
		if err != nil || !found {
			return list, err
		}
	}
}

// Plan is how a state is made again: from a checkpoint or from nothing, and what is replayed after it.
type Plan struct {
	// Base and its Manifest; nil: the history begins with its first entry.
	Base     *Checkpoint
	Manifest *kernel.Manifest
	Steps    []Step
	// Cell is the cell whose history it is, 4 hex.
	Cell string
	// Newest is the newest epoch in the archive, part of this history or not.
	Newest uint32
}

// Step is a piece of one epoch. The first one goes on where the base ends; each other begins with its epoch.
type Step struct {
	Epoch uint32
	// Prev is where the epoch before was cut; of an epoch that is replayed from its beginning.
	Prev kernel.Position
	// To is the last entry that counts: the cut of the next epoch. 0: all of them.
	To uint64
}

// catalog is what the archive holds, by epoch.
type catalog struct {
	t           Target
	o           *Opener
	epochs      []uint32 // oldest first
	checkpoints map[uint32][]Checkpoint
	manifests   map[kernel.Position]*kernel.Manifest
	headers     map[uint32]*Header
}

func readCatalog(ctx context.Context, t Target, o *Opener) (*catalog, error) {
	c := &catalog{t: t, o: o, checkpoints: map[uint32][]Checkpoint{}, manifests: map[kernel.Position]*kernel.Manifest{}, headers: map[uint32]*Header{}}
	list, err := Checkpoints(ctx, t)
	if err != nil {
		return nil, err
	}
	logs, err := Epochs(ctx, t)
	if err != nil {
		return nil, err
	}
	add := func(e uint32) {
		if k := len(c.epochs); k == 0 || c.epochs[k-1] != e {
			c.epochs = append(c.epochs, e)
		}
	}
	for _, one := range list {
		for len(logs) > 0 && logs[0] <= one.Pos.Epoch {
			add(logs[0])
			logs = logs[1:]
		}
		add(one.Pos.Epoch)
		c.checkpoints[one.Pos.Epoch] = append(c.checkpoints[one.Pos.Epoch], one)
	}
	for _, e := range logs {
		add(e)
	}
	if len(c.epochs) == 0 {
		return nil, fmt.Errorf("%s holds no complete checkpoint and no archive", t)
	}
	return c, nil
}

// base is the newest (or oldest) checkpoint of an epoch up to an entry and a time.
func (c *catalog) base(ctx context.Context, epoch uint32, to, at uint64, oldest bool) (*Checkpoint, *kernel.Manifest, error) {
	var base *Checkpoint
	var manifest *kernel.Manifest
	for _, one := range c.checkpoints[epoch] {
		if to > 0 && one.Pos.N > to {
			break
		}
		m := c.manifests[one.Pos]
		if m == nil {
			var err error
			if m, err = one.Manifest(ctx, c.t); err != nil {
				return nil, nil, err
			}
			c.manifests[one.Pos] = m
		}
		if at > 0 && m.TimeMs > at {
			break
		}
		base, manifest = &one, m
		if oldest {
			break
		}
	}
	return base, manifest, nil
}

// begins reads the header of the segment that an epoch begins with; nil if that is not in the archive.
func (c *catalog) begins(ctx context.Context, epoch uint32) (*Header, error) {
	if h, known := c.headers[epoch]; known {
		return h, nil
	}
	content, err := NewReader(c.t, c.o, epoch).Next(ctx, 1)
	var lost *Lost
	switch {
	case err == nil:
		c.headers[epoch] = &content.Header
	case errors.Is(err, io.EOF), errors.As(err, &lost) && lost.Key == "":
		c.headers[epoch] = nil
	default:
		return nil, err
	}
	return c.headers[epoch], nil
}

// MakePlan plans the state as of a time (Unix milliseconds; 0: the newest). The history is that of the epoch that was the
// current one then; where an epoch has no checkpoint, that of the epoch before is replayed up to the cut. all: from as
// far back as the archive goes.
func MakePlan(ctx context.Context, t Target, o *Opener, at uint64, all bool) (*Plan, error) {
	c, err := readCatalog(ctx, t, o)
	if err != nil {
		return nil, err
	}
	epoch, err := c.current(ctx, at)
	if err != nil {
		return nil, err
	}
	p := &Plan{Newest: c.epochs[len(c.epochs)-1]}
	for to := uint64(0); ; {
		base, m, err := c.base(ctx, epoch, to, at, all)
		if err != nil {
			return nil, err
		}
		var h *Header
		if base == nil || all {
			if h, err = c.begins(ctx, epoch); err != nil && base == nil {
				return nil, err
			}
		}
		further := h != nil && (h.Prev.Epoch == 0 || c.has(h.Prev.Epoch))
		if base == nil && !further {
			return nil, fmt.Errorf("the archive in %s does not go back that far: there is no checkpoint to begin with before it", t)
		}
		s := Step{Epoch: epoch, To: to}
		if further {
			s.Prev, p.Cell = h.Prev, fmt.Sprintf("%04x", h.Cell)
		} else {
			p.Base, p.Manifest, p.Cell = base, m, m.Cell
		}
		p.Steps = append([]Step{s}, p.Steps...)
		if !further || h.Prev.Epoch == 0 {
			return p, nil
		}
		epoch, to = h.Prev.Epoch, h.Prev.N
		if to == 0 {
			return nil, errors.New("the archive says that an epoch was cut before its first entry")
		}
	}
}

func (c *catalog) has(epoch uint32) bool {
	for _, e := range c.epochs {
		if e == epoch {
			return true
		}
	}
	return false
}

// current is the epoch that was the newest at a time.
func (c *catalog) current(ctx context.Context, at uint64) (uint32, error) {
	if at == 0 {
		return c.epochs[len(c.epochs)-1], nil
	}
	for i := len(c.epochs) - 1; i >= 0; i-- {
		e := c.epochs[i]
		base, _, err := c.base(ctx, e, 0, at, true)
		if err != nil {
			return 0, err
		}
		if base != nil {
			return e, nil
		}
		h, err := c.begins(ctx, e)
		if err != nil {
			return 0, err
		}
		if h != nil && h.FirstTime <= at {
			return e, nil
		}
	}
	return 0, fmt.Errorf("the archive in %s does not go back to %s", c.t, time.UnixMilli(int64(at)).Format(time.RFC3339))
}
