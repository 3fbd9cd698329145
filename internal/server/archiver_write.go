package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// write writes the log into the archive while this node leads. Another one that does so at the same time writes the same
// entries, perhaps cut into other segments. What the log has already lost is bridged by a checkpoint.
func (a *archiver) write(ctx context.Context, c *core) error {
	if err := a.hear(ctx, c, true); err != nil {
		return err
	}
	if err := a.begin(ctx, c.log.Epoch()); err != nil { // what people say comes first
		a.log.Warn("who began this epoch could not be written into the archive", "to", a.t.String(), "cause", err)
	}
	err := a.follow(ctx, c)
	if errors.Is(err, cluster.ErrCompacted) {
		return a.bridge(ctx, c)
	}
	return err
}

func (a *archiver) follow(ctx context.Context, c *core) error {
	a.writing(true)
	defer a.writing(false)
	tailCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	records := make(chan []cluster.Record)
	ended := make(chan error, 1)
	go func() {
		ended <- c.log.Tail(tailCtx, a.archived.Load(), nil, func(recs []cluster.Record) error {
			select {
			case records <- recs:
				return nil
			case <-tailCtx.Done():
				return tailCtx.Err()
			}
		})
	}()
	b := &piece{cell: c.data.Cell, epoch: c.log.Epoch(), prev: prevOf(c.cuts(), c.log.Epoch())}
	tick := time.NewTicker(archiveLook / 2)
	defer tick.Stop()
	within := archiveLook // what the one before has left is late already
	for {
		select {
		case <-ctx.Done():
			// In order, this is the last of the log for now.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			return a.put(ctx, b)
		case err := <-ended:
			if ctx.Err() != nil {
				return nil
			}
			return err
		case recs := <-records:
			for _, r := range recs {
				if err := b.add(r, a.now()); err != nil {
					return err
				}
				if !b.full() {
					continue
				}
				if err := a.put(ctx, b); err != nil {
					return err
				}
			}
			a.waits(b.command)
		case <-tick.C:
			if _, leads := c.log.Members(); !leads {
				a.waits(time.Time{}) // another one's
				return nil
			}
			if !b.due(a.now(), within) {
				continue
			}
			if err := a.put(ctx, b); err != nil {
				return err
			}
			within = archiveWithin
		}
	}
}

func (a *archiver) writing(yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.writes = yes
}

// waits notes since when a command has been waiting for the target.
func (a *archiver) waits(since time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if since.IsZero() || a.mu.since.IsZero() {
		a.mu.since = since
	}
}

// put writes what has come together. What fails is read from the log again.
func (a *archiver) put(ctx context.Context, b *piece) error {
	if len(b.c.Entries) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	if err := a.there(ctx, fmt.Sprintf("%04x", b.cell), true); err != nil {
		return err
	}
	if _, err := archive.PutSegment(ctx, a.t, a.seal, b.content()); err != nil {
		return err
	}
	a.has(b.c.Last, true)
	b.clear()
	a.waits(time.Time{})
	return nil
}

// bridge takes a checkpoint where the log no longer has what the archive misses.
func (a *archiver) bridge(ctx context.Context, c *core) error {
	from := a.archived.Load() + 1
	a.log.Error("the log was trimmed before it was archived; a checkpoint bridges what is missing", "from", from)
	m, err := a.takeCheckpoint(ctx, c)
	if err != nil {
		return err
	}
	if from > 1 { // else the archive only begins here
		a.mu.Lock()
		a.mu.hole = fmt.Sprintf("entries %d to %d", from, m.N)
		a.mu.Unlock()
	}
	a.bridged = m.N
	a.has(m.N, true)
	a.waits(time.Time{})
	return nil
}

// piece is a segment in the making.
type piece struct {
	cell  uint16
	epoch uint32
	prev  kernel.Position
	c     archive.Content
	size  int
	// command and first are when the first command, or the first entry, arrived.
	command, first time.Time
}

func (p *piece) add(r cluster.Record, now time.Time) error {
	if len(p.c.Entries) > 0 && r.N != p.c.Last+1 {
		return errors.New("the log gave entry " + strconv.FormatUint(r.N, 10) + " after " + strconv.FormatUint(p.c.Last, 10))
	}
	e, err := kernel.DecodeEntry(r.Value)
	if err != nil {
		return fmt.Errorf("entry %d: %w", r.N, err)
	}
	if len(p.c.Entries) == 0 {
		p.c.First, p.c.FirstTime, p.first = r.N, e.Time, now
	}
	p.c.Last, p.c.LastTime = r.N, max(p.c.LastTime, e.Time)
	p.c.Entries = append(p.c.Entries, r.Value)
	p.size += len(r.Value)
	if p.command.IsZero() && slices.ContainsFunc(e.Commands, func(c kernel.Envelope) bool { return c.Flags&kernel.FlagEphemeral == 0 }) {
		p.command = now
	}
	return nil
}

func (p *piece) full() bool {
	return p.size >= archive.MaxSegment || len(p.c.Entries) >= archive.MaxEntries
}

func (p *piece) due(now time.Time, within time.Duration) bool {
	return len(p.c.Entries) > 0 && (now.Sub(p.first) >= archiveIdle || !p.command.IsZero() && now.Sub(p.command) >= within)
}

func (p *piece) content() *archive.Content {
	p.c.Cell, p.c.Epoch, p.c.Prev = p.cell, p.epoch, p.prev
	return &p.c
}

func (p *piece) clear() {
	p.c, p.size, p.command, p.first = archive.Content{}, 0, time.Time{}, time.Time{}
}
