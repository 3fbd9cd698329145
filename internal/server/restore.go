package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// RestoreArchive makes a data directory as of a time (the zero time: of the last entry in the archive). It takes the newest
// checkpoint of before, verifies its content, replays the log up to that time, and begins a new epoch.
func RestoreArchive(ctx context.Context, o RestoreOptions) (r *Restored, err error) {
	t, opener, err := openArchive(o.Archive, o.Identity)
	if err != nil {
		return nil, err
	}
	at := uint64(0)
	if !o.At.IsZero() {
		at = uint64(max(o.At.UnixMilli(), 1))
	}
	plan, err := archive.MakePlan(ctx, t, opener, at, false)
	if err != nil {
		return nil, err
	}
	d, err := newData(o.Data, plan.Cell)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.clear())
		}
		err = errors.Join(err, d.Close())
	}()
	views := d.path(viewsDir)
	if err := os.Mkdir(views, 0o700); err != nil {
		return nil, err
	}
	if plan.Base != nil {
		if err := unpack(ctx, t, opener, plan, views, d.Cell); err != nil {
			return nil, err
		}
	}
	v, err := openReplay(views, d.Cell)
	if err != nil {
		return nil, err
	}
	r = &Restored{Manifest: plan.Manifest}
	start := time.Now()
	r.Short, err = replayPlan(ctx, t, opener, plan, v, at)
	r.At, r.Time, r.Entries, r.Took = v.position(), time.UnixMilli(int64(v.time())), v.entries, time.Since(start)
	if err == nil && r.At.N == 0 {
		err = fmt.Errorf("the archive in %s has no entry of before that time", t)
	}
	if err == nil {
		r.Epoch = nextEpoch(max(r.At.Epoch, plan.Newest), o.Now)
		err = v.nextEpoch(r.At, r.Epoch)
	}
	for _, said := range v.differ {
		r.Warnings = append(r.Warnings, said)
	}
	slices.Sort(r.Warnings)
	if err := errors.Join(err, v.close()); err != nil {
		return nil, err
	}
	if err := kernel.SyncDir(views); err != nil {
		return nil, err
	}
	if err := d.markClean(); err != nil {
		return nil, err
	}
	return r, d.founds(o, r.Epoch)
}

// founds writes last what makes a directory with views one that a server runs on, in a new epoch: alone, or as the first site of a
// cluster.
func (d *Data) founds(o RestoreOptions, epoch uint32) error {
	what := actRestored
	if o.rescue {
		what = actRescued
	}
	if err := os.WriteFile(d.path(endSessions), []byte(markOf(what, o.KeepSessions)), 0o600); err != nil {
		return err
	}
	if o.Node != nil {
		d.Meta.Cluster, d.Meta.Site, d.Meta.Formed, d.Meta.Founds = o.Node.Cluster.ID, o.Node.Site, true, true
		d.Meta.Epoch, d.Meta.Superseded, d.Meta.SupersededBy = epoch, 0, ""
	}
	return d.writeMeta()
}

func openArchive(l archive.Location, identity string) (archive.Target, *archive.Opener, error) {
	t, err := archive.Open(l)
	if err != nil {
		return nil, nil, err
	}
	o, err := archive.NewOpener(identity)
	return t, o, err
}

// unpack brings the checkpoint of a plan, and holds its content against its manifest.
func unpack(ctx context.Context, t archive.Target, o *archive.Opener, p *archive.Plan, views string, cell uint16) error {
	if p.Manifest.Behaviour > kernel.Behaviour {
		return fmt.Errorf("the checkpoint was written by a newer version (behaviour %d, this binary knows %d): install the newer version", p.Manifest.Behaviour, kernel.Behaviour)
	}
	if err := p.Base.Unpack(ctx, t, o, views); err != nil {
		return fmt.Errorf("the checkpoint of %s cannot be unpacked: %w", p.Base.Pos, err)
	}
	return sameHashes(views, domains(cell), p.Manifest)
}

// errPast ends a replay at an entry of after the time that was asked for.
var errPast = errors.New("past")

// replayPlan replays the log up to and with the last entry whose effective time is not after `at`. short says why it ends before
// that: an entry is missing, or a segment cannot be read.
func replayPlan(ctx context.Context, t archive.Target, o *archive.Opener, p *archive.Plan, v *replay, at uint64) (short string, err error) {
	for i, s := range p.Steps {
		if s.Prev.Epoch != 0 {
			if pos := v.position(); pos != s.Prev {
				return fmt.Sprintf("epoch %d began at %s, and the archive ends at %s before it", s.Epoch, s.Prev, pos), nil
			}
			if i > 0 {
				if err := v.nextEpoch(s.Prev, s.Epoch); err != nil {
					return "", err
				}
			}
		}
		r := archive.NewReader(t, o, s.Epoch)
		for n := v.position().N + 1; s.To == 0 || n <= s.To; {
			c, err := r.Next(ctx, n)
			if errors.Is(err, io.EOF) {
				break
			}
			var lost *archive.Lost
			if errors.As(err, &lost) && (lost.Err == nil || errors.Is(err, archive.ErrDamaged)) {
				return lost.Error(), nil
			}
			if err != nil {
				return "", err
			}
			err = replaySegment(c, v, s.To, at)
			if errors.Is(err, errPast) {
				return "", nil
			}
			if err != nil {
				return "", err
			}
			n = c.Last + 1
		}
		if s.To != 0 && v.position().N < s.To {
			pos := v.position()
			return missing(s.Epoch, pos.N+1, s.To), nil
		}
	}
	return "", nil
}

func missing(epoch uint32, from, to uint64) string {
	return (&archive.Lost{Epoch: epoch, From: from, To: to}).Error()
}

// replaySegment applies what is new of a segment.
func replaySegment(c *archive.Content, v *replay, to, at uint64) error {
	pos, now := v.position(), v.time()
	var list []ordered
	var past error
	for i, raw := range c.Entries {
		n := c.First + uint64(i)
		if to != 0 && n > to {
			break
		}
		e, err := kernel.DecodeEntry(raw)
		if err != nil {
			return fmt.Errorf("entry %d:%d in the archive: %w", c.Epoch, n, err)
		}
		if e.Epoch != c.Epoch {
			return fmt.Errorf("entry %d in the archive is of epoch %d, not %d", n, e.Epoch, c.Epoch)
		}
		if c.Epoch == pos.Epoch && n <= pos.N {
			continue
		}
		if now = max(now, e.Time); at != 0 && now > at {
			past = errPast
			break
		}
		list = append(list, ordered{n, e})
	}
	if err := v.apply(list); err != nil {
		return err
	}
	return past
}
