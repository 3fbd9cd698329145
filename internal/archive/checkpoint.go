package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Checkpoint is a whole checkpoint in the archive, as its name says.
type Checkpoint struct{ Pos kernel.Position }

const (
	checkpointPrefix = "checkpoint/"
	viewsName        = "views.tar"
	// maxManifest bounds a manifest that is read.
	maxManifest = 1 << 20
)

func (c Checkpoint) dir() string {
	return fmt.Sprintf("%s%08x-%016x/", checkpointPrefix, c.Pos.Epoch, c.Pos.N)
}

var manifestName = regexp.MustCompile(`^checkpoint/([0-9a-f]{8})-([0-9a-f]{16})/` + regexp.QuoteMeta(kernel.ManifestName) + `$`)

// Checkpoints lists the complete ones, oldest position first.
func Checkpoints(ctx context.Context, t Target) (list []Checkpoint, err error) {
	err = t.List(ctx, checkpointPrefix, "", func(key string, _ int64) bool {
		if m := manifestName.FindStringSubmatch(key); m != nil {
			epoch, _ := strconv.ParseUint(m[1], 16, 32)
			n, _ := strconv.ParseUint(m[2], 16, 64)
			list = append(list, Checkpoint{kernel.Position{Epoch: uint32(epoch), N: n}})
		}
		return true
	})
	return list, err
}

// Manifest reads what a checkpoint holds.
func (c Checkpoint) Manifest(ctx context.Context, t Target) (*kernel.Manifest, error) {
	r, err := t.Get(ctx, c.dir()+kernel.ManifestName)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, maxManifest))
	if err != nil {
		return nil, err
	}
	m := &kernel.Manifest{}
	if err := json.Unmarshal(b, m); err != nil || m.Format != 1 || (kernel.Position{Epoch: m.Epoch, N: m.N}) != c.Pos {
		return nil, fmt.Errorf("the manifest of the checkpoint %s cannot be used: %w", c.Pos, ErrDamaged)
	}
	return m, nil
}

// PutCheckpoint writes a complete checkpoint of a node; the manifest, which makes it one, last.
func PutCheckpoint(ctx context.Context, t Target, s *Sealer, dir string, m *kernel.Manifest) error {
	c := Checkpoint{kernel.Position{Epoch: m.Epoch, N: m.N}}
	pr, pw := io.Pipe()
	go func() {
		w, err := s.Writer(pw)
		if err == nil {
			err = errors.Join(pack(w, dir), w.Close())
		}
		_ = pw.CloseWithError(err)
	}()
	err := t.Put(ctx, c.dir()+viewsName, pr, -1)
	_ = pr.CloseWithError(errors.New("the upload has ended"))
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return t.Put(ctx, c.dir()+kernel.ManifestName, bytes.NewReader(append(b, '\n')), int64(len(b)+1))
}

// pack writes the views of a checkpoint's directory as tar.
func pack(w io.Writer, dir string) error {
	tw := tar.NewWriter(w)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Dir(path) == filepath.Clean(dir) {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: filepath.ToSlash(rel), Size: info.Size(), Mode: 0o600}); err != nil {
			return err
		}
		_, err = io.Copy(tw, f)
		return err
	})
	if err != nil {
		return err
	}
	return tw.Close()
}

// Unpack writes the views of a checkpoint into a directory that is empty or does not exist, durably. What is in them is not
// looked at.
func (c Checkpoint) Unpack(ctx context.Context, t Target, o *Opener, dir string) error {
	r, err := t.Get(ctx, c.dir()+viewsName)
	if err != nil {
		return err
	}
	defer r.Close()
	in, err := o.Reader(reader{ctx, r})
	if err != nil {
		return err
	}
	defer in.Close()
	made := map[string]bool{}
	for tr := tar.NewReader(in); ; {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return damage(err)
		}
		if h.Typeflag != tar.TypeReg || !filepath.IsLocal(h.Name) || strings.Count(h.Name, "/") != 1 {
			return fmt.Errorf("%w: it holds something that is no view", ErrDamaged)
		}
		target := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		made[filepath.Dir(target)] = true
		f, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, tr)
		if err != nil {
			err = damage(err)
		}
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	// What follows the end of the tar is still checked: the end of an encrypted object proves that nothing is missing.
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	for d := range made {
		if err := kernel.SyncDir(d); err != nil {
			return err
		}
	}
	return kernel.SyncDir(dir)
}

// damage calls what tar makes of broken bytes by its name, and leaves what the target said.
func damage(err error) error {
	if errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %v", ErrDamaged, err)
	}
	return err
}

// maxGap is the most that the time between two checkpoints, one after the other, counts for: there is one a day. A clock that was
// wrong for a while, or an archive that was not written for long, so never makes everything before it old at once.
const maxGap = 48 * time.Hour

// Prune deletes checkpoints that are older than keep, but never the newest, and with them the segments that no kept checkpoint
// needs. How old one is says the log, not a clock: it is the time between the checkpoints from it to the newest. Those before the
// first checkpoint of all stay as long as that one: times before it are made from nothing.
func Prune(ctx context.Context, t Target, keep time.Duration) error {
	list, err := Checkpoints(ctx, t)
	if err != nil || len(list) == 0 {
		return err
	}
	if err := pruneParts(ctx, t, list); err != nil {
		return err
	}
	newest := list[len(list)-1]
	m, err := newest.Manifest(ctx, t)
	if err != nil {
		return err
	}
	oldest, gone := newest, false
	later, age := m.TimeMs, time.Duration(0)
	for _, c := range slices.Backward(list[:len(list)-1]) {
		m, err := c.Manifest(ctx, t)
		if err != nil {
			return err
		}
		if later > m.TimeMs {
			age += time.Duration(min(later-m.TimeMs, uint64(maxGap/time.Millisecond))) * time.Millisecond
		}
		later = m.TimeMs
		if age <= keep {
			oldest = c
			continue
		}
		gone = true
		for _, name := range []string{kernel.ManifestName, viewsName} { // from here on it is not complete
			if err := t.Delete(ctx, c.dir()+name); err != nil {
				return err
			}
		}
	}
	if !gone {
		return t.Sweep(ctx)
	}
	var old []string
	err = t.List(ctx, logPrefix, "", func(key string, size int64) bool {
		s, ok := ParseSegment(key, size)
		if !ok {
			return true
		}
		if oldest.Pos.Less(kernel.Position{Epoch: s.Epoch, N: s.First}) {
			return false
		}
		if !oldest.Pos.Less(kernel.Position{Epoch: s.Epoch, N: s.Last}) {
			old = append(old, key)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, key := range old {
		if err := t.Delete(ctx, key); err != nil {
			return err
		}
	}
	return t.Sweep(ctx)
}

var viewsKey = regexp.MustCompile(`^checkpoint/([0-9a-f]{8}-[0-9a-f]{16})/` + regexp.QuoteMeta(viewsName) + `$`)

// pruneParts deletes the views of checkpoints that never got their manifest, or lost it, given the complete ones. Those after
// the newest but one may be under way.
func pruneParts(ctx context.Context, t Target, complete []Checkpoint) error {
	if len(complete) < 2 {
		return nil
	}
	known := map[string]bool{}
	for _, c := range complete {
		known[c.dir()+viewsName] = true
	}
	before := complete[len(complete)-2].dir()
	var parts []string
	err := t.List(ctx, checkpointPrefix, "", func(key string, _ int64) bool {
		if key >= before {
			return false
		}
		if viewsKey.MatchString(key) && !known[key] {
			parts = append(parts, key)
		}
		return true
	})
	for _, key := range parts {
		if err == nil {
			err = t.Delete(ctx, key)
		}
	}
	return err
}
