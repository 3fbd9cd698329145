package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// VerifyOptions say what of an archive is to be restored aside and compared.
type VerifyOptions struct {
	Archive  archive.Location
	Identity string
	// At verifies what a restore of that time would use; the zero time: of now. All: everything that is in the archive.
	At  time.Time
	All bool
	// Dir gets a directory to work in, which is removed; empty: where temporary files are.
	Dir string
}

// Verified is what was found.
type Verified struct {
	From, To kernel.Position
	Time     time.Time
	// Checkpoints were unpacked or reached by replay, and their content compared; Chains of proposers were held against the replay's.
	Checkpoints, Segments, Entries, Chains int
	Took                                   time.Duration
	// Findings are sentences, one for each thing that is wrong.
	Findings []string
}

// VerifyArchive restores aside and compares. An error is why it could not: a wrong key, a target that is away.
func VerifyArchive(ctx context.Context, o VerifyOptions) (r *Verified, err error) {
	t, opener, err := openArchive(o.Archive, o.Identity)
	if err != nil {
		return nil, err
	}
	at := uint64(0)
	if !o.At.IsZero() {
		at = uint64(max(o.At.UnixMilli(), 1))
	}
	plan, err := archive.MakePlan(ctx, t, opener, at, o.All)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(o.Dir, "bonghwa-verify-")
	if err != nil {
		return nil, fmt.Errorf("there is no place to restore to: %v", cause(err))
	}
	v := &verifier{t: t, o: opener, dir: dir, r: &Verified{}, chains: map[string]bool{}}
	defer func() {
		if v.views != nil {
			err = errors.Join(err, v.drop())
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	start := time.Now()
	if err := v.run(ctx, plan); err != nil {
		return nil, err
	}
	v.r.Took = time.Since(start)
	return v.r, nil
}

// verifier walks the plan. Behind something that is missing or damaged it goes on from the next checkpoint; until then it only
// reads.
type verifier struct {
	t      archive.Target
	o      *archive.Opener
	dir    string
	count  int
	r      *Verified
	views  *replay // nil: behind damage, before the next checkpoint
	chains map[string]bool
	cell   uint16
	// next is the entry that is expected; checkpoints are those still to come in this epoch.
	next        uint64
	checkpoints []archive.Checkpoint
}

func (v *verifier) finds(format string, args ...any) {
	v.r.Findings = append(v.r.Findings, fmt.Sprintf(format, args...))
}

func (v *verifier) run(ctx context.Context, p *archive.Plan) error {
	d := Data{}
	if err := d.setCell(p.Cell); err == nil {
		v.cell = d.Cell
	}
	list, err := archive.Checkpoints(ctx, v.t)
	if err != nil {
		return err
	}
	if p.Base != nil {
		v.r.From = p.Base.Pos
		if err := v.resume(ctx, *p.Base); err != nil {
			return err
		}
		v.next = p.Base.Pos.N + 1
	} else {
		v.r.From = kernel.Position{Epoch: p.Steps[0].Epoch, N: 1}
		if v.views, err = openReplay(v.newDir(), v.cell); err != nil {
			return err
		}
	}
	for i, s := range p.Steps {
		if i > 0 || p.Base == nil {
			v.next = 1
			if err := v.enter(s); err != nil {
				return err
			}
		}
		v.checkpoints = slices.DeleteFunc(slices.Clone(list), func(c archive.Checkpoint) bool {
			return c.Pos.Epoch != s.Epoch || c.Pos.N < v.next || s.To != 0 && c.Pos.N > s.To
		})
		if err := v.read(ctx, s); err != nil {
			return err
		}
		if s.To != 0 && v.next <= s.To {
			v.finds("%s", missing(s.Epoch, v.next, s.To))
			if err := v.drop(); err != nil {
				return err
			}
		}
		for _, c := range v.checkpoints {
			if s.To == 0 {
				if err := v.beyond(ctx, c); err != nil {
					return err
				}
			}
		}
		v.r.To = kernel.Position{Epoch: s.Epoch, N: v.next - 1}
	}
	return v.drop()
}

// beyond looks at a checkpoint that no entry in the archive reaches: the log that leads to it is under way, or missing.
func (v *verifier) beyond(ctx context.Context, c archive.Checkpoint) error {
	if err := v.resume(ctx, c); err != nil || v.views == nil {
		return err
	}
	if time.Since(time.UnixMilli(int64(v.views.time()))) > 2*archiveIdle {
		v.finds("%s", missing(c.Pos.Epoch, v.next, c.Pos.N))
	}
	v.next = c.Pos.N + 1
	return nil
}

// enter begins an epoch.
func (v *verifier) enter(s archive.Step) error {
	if v.views == nil || s.Prev.Epoch == 0 {
		return nil
	}
	if pos := v.views.position(); pos != s.Prev {
		v.finds("epoch %d began at %s, and the archive ends at %s before it", s.Epoch, s.Prev, pos)
		return v.drop()
	}
	return v.views.nextEpoch(s.Prev, s.Epoch)
}

func (v *verifier) newDir() string {
	v.count++
	return filepath.Join(v.dir, fmt.Sprint(v.count))
}

// drop gives the views up.
func (v *verifier) drop() error {
	if v.views == nil {
		return nil
	}
	v.r.Entries += v.views.entries
	v.r.Chains += v.views.compared
	v.r.Time = time.UnixMilli(int64(v.views.time()))
	for node, said := range v.views.differ {
		if !v.chains[node] {
			v.chains[node] = true
			v.finds("%s", said)
		}
	}
	err := errors.Join(v.views.close(), os.RemoveAll(v.views.dir))
	v.views = nil
	return err
}

// resume goes on from a checkpoint, whose content it compares.
func (v *verifier) resume(ctx context.Context, c archive.Checkpoint) error {
	if err := v.drop(); err != nil {
		return err
	}
	ok, dir, err := v.unpacked(ctx, c)
	if err != nil || !ok {
		return err
	}
	v.views, err = openReplay(dir, v.cell)
	return err
}

// unpacked brings a checkpoint and compares its content; not ok: that was a finding.
func (v *verifier) unpacked(ctx context.Context, c archive.Checkpoint) (ok bool, dir string, err error) {
	dir = v.newDir()
	m, err := c.Manifest(ctx, v.t)
	if err == nil {
		v.r.Checkpoints++
		err = unpack(ctx, v.t, v.o, &archive.Plan{Base: &c, Manifest: m}, dir, v.cell)
	}
	if err == nil {
		return true, dir, nil
	}
	if away(err) {
		return false, "", err
	}
	v.finds("the checkpoint %s: %v", c.Pos, err)
	return false, "", os.RemoveAll(dir)
}

// away says that an error is no finding: the archive could not be looked at.
func away(err error) bool {
	return errors.Is(err, archive.ErrLocked) || errors.Is(err, archive.ErrWrongKey) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// read reads the entries of a step.
func (v *verifier) read(ctx context.Context, s archive.Step) error {
	r := archive.NewReader(v.t, v.o, s.Epoch)
	for s.To == 0 || v.next <= s.To {
		c, err := r.Next(ctx, v.next)
		for _, lost := range r.Damaged() {
			v.finds("%v", lost)
		}
		var lost *archive.Lost
		switch {
		case err == nil:
			err = v.segment(ctx, s, c)
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &lost):
			if lost.Err == nil {
				v.finds("%v", lost)
			}
			v.next = lost.To + 1
			err = v.drop()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// segment checks every entry of one, and applies what is new.
func (v *verifier) segment(ctx context.Context, s archive.Step, c *archive.Content) error {
	v.r.Segments++
	var list []ordered
	for i, raw := range c.Entries {
		n := c.First + uint64(i)
		if n < v.next || s.To != 0 && n > s.To {
			continue
		}
		e, err := kernel.DecodeEntry(raw)
		if err == nil && e.Epoch != c.Epoch {
			err = fmt.Errorf("it is of epoch %d", e.Epoch)
		}
		if err != nil {
			v.finds("the entry %d:%d: %v", c.Epoch, n, err)
			v.next = c.Last + 1
			return v.drop()
		}
		list = append(list, ordered{n, e})
	}
	if len(list) == 0 {
		return nil
	}
	v.next = list[len(list)-1].n + 1
	return v.apply(ctx, s.Epoch, list)
}

// apply applies entries, and stops at every checkpoint on the way to compare.
func (v *verifier) apply(ctx context.Context, epoch uint32, list []ordered) error {
	for len(list) > 0 {
		k := len(list)
		var here *archive.Checkpoint
		if len(v.checkpoints) > 0 {
			if c := v.checkpoints[0]; c.Pos.N < list[0].n { // of what is missing
				v.checkpoints = v.checkpoints[1:]
				if v.views == nil || v.views.position().N < c.Pos.N {
					if err := v.resume(ctx, c); err != nil {
						return err
					}
				}
				continue
			} else if c.Pos.N < v.next {
				here, k = &c, int(c.Pos.N-list[0].n)+1
			}
		}
		if v.views != nil && v.views.position().N+1 < list[0].n { // a checkpoint that does not reach over what is missing
			if err := v.drop(); err != nil {
				return err
			}
		}
		if v.views != nil {
			if err := v.views.apply(list[:k]); err != nil {
				v.finds("the entries %d:%d to %d cannot be applied: %v", epoch, list[0].n, list[k-1].n, err)
				if err := v.drop(); err != nil {
					return err
				}
			}
		}
		list = list[k:]
		if here == nil {
			continue
		}
		v.checkpoints = v.checkpoints[1:]
		if err := v.reached(ctx, *here); err != nil {
			return err
		}
	}
	return nil
}

// reached compares a checkpoint with what the log gives at its place, and with its own manifest.
func (v *verifier) reached(ctx context.Context, c archive.Checkpoint) error {
	if v.views == nil {
		return v.resume(ctx, c)
	}
	ok, dir, err := v.unpacked(ctx, c)
	if err != nil || !ok {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	m, err := c.Manifest(ctx, v.t)
	if err != nil {
		return err
	}
	have, err := v.views.hashes()
	if err != nil {
		return err
	}
	for name, d := range m.Domains {
		if have[name] != d.ContentHash {
			v.finds("the checkpoint %s differs from what the log gives: view %q has the content hash %s, by replay it is %s", c.Pos, name, d.ContentHash, have[name])
		}
	}
	return nil
}
