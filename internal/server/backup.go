package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/config"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/inspect"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// checkpoint asks the log for a checkpoint, waits for it and completes it with its manifest. One at a time: two that
// rode in the same entry would be the same directory.
func (c *core) checkpoint(ctx context.Context, label string) (dir string, m *kernel.Manifest, err error) {
	select {
	case c.copying <- struct{}{}:
		defer func() { <-c.copying }()
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
	r, err := c.submit(ctx, kernel.DomainKernel, &logv1.KernelCommand{Op: &logv1.KernelCommand_Checkpoint{Checkpoint: &logv1.Checkpoint{Label: label}}})
	if err != nil {
		return "", nil, err
	}
	m, err = kernel.FinishCheckpoint(c.data.path(checkpointsDir), r.Pos, label, c.data.Meta.Cell, c.doms)
	if err != nil {
		return "", nil, errors.New(inspect.Sentence(err))
	}
	return kernel.CheckpointDir(c.data.path(checkpointsDir), r.Pos), m, nil
}

// daily takes a checkpoint when the newest one is older than a day: the log is trimmed, so the views are the only copy.
// One that fails is tried again ten minutes later.
func daily(ctx context.Context, log *slog.Logger, newest func() time.Time, take func() (dir string, err error)) {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		if time.Since(newest()) > 24*time.Hour {
			if dir, err := take(); err != nil && ctx.Err() == nil {
				log.Error("the daily checkpoint failed", "cause", err)
			} else if err == nil {
				log.Info("daily checkpoint", "dir", dir)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// newestCheckpoint is when the newest complete checkpoint was taken, or since when there is something to copy.
func (c *core) newestCheckpoint() time.Time {
	newest := c.data.Meta.Created
	for _, m := range manifests(c.data.path(checkpointsDir)) {
		if at := time.UnixMilli(int64(m.TimeMs)); at.After(newest) {
			newest = at
		}
	}
	return newest
}

// manifests are those of the complete checkpoints in a directory, by directory.
func manifests(root string) map[string]*kernel.Manifest {
	found := map[string]*kernel.Manifest{}
	dirs, err := os.ReadDir(root)
	if err != nil {
		return found
	}
	for _, d := range dirs {
		dir := filepath.Join(root, d.Name())
		if m, err := kernel.ReadManifest(dir); err == nil && !strings.HasSuffix(dir, unfinished) {
			found[dir] = m
		}
	}
	return found
}

// unfinished ends the name of a copy that is under way.
const unfinished = ".part"

// CopyTarget says whether a checkpoint can be copied to a directory: it must not exist.
func CopyTarget(to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("%s exists already; choose a new directory", to)
	}
	return nil
}

// CopyCheckpoint copies a complete checkpoint to a directory that must not exist. The copy gets its name when it is
// whole and durable; what an interrupted one has left under another name has no manifest.
func CopyCheckpoint(from, to string) error {
	if err := CopyTarget(to); err != nil {
		return err
	}
	parent := filepath.Dir(to)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return fmt.Errorf("the directory %s cannot be made: %v", parent, cause(err))
	}
	tmp, err := os.MkdirTemp(parent, filepath.Base(to)+".*"+unfinished)
	if err != nil {
		return fmt.Errorf("the backup cannot be copied to %s: %v", to, cause(err))
	}
	err = copyCheckpoint(from, tmp)
	if err == nil {
		err = os.Rename(tmp, to)
	}
	if err == nil {
		return kernel.SyncDir(parent)
	}
	_ = os.RemoveAll(tmp)
	return fmt.Errorf("the backup cannot be copied to %s: %v", to, cause(err))
}

// copyCheckpoint copies the manifest last: it is what makes a checkpoint complete.
func copyCheckpoint(from, to string) error {
	views, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, v := range views {
		if !v.IsDir() {
			continue
		}
		if err := copyTree(filepath.Join(from, v.Name()), filepath.Join(to, v.Name())); err != nil {
			return err
		}
	}
	if err := copyFile(filepath.Join(from, kernel.ManifestName), filepath.Join(to, kernel.ManifestName)); err != nil {
		return err
	}
	return kernel.SyncDir(to)
}

// copyTree copies a directory to one that does not exist, durably. Sockets, which a killed process leaves, stay behind.
func copyTree(from, to string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() && !e.Type().IsRegular() {
			continue
		}
		copyOne := copyFile
		if e.IsDir() {
			copyOne = copyTree
		}
		if err := copyOne(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return kernel.SyncDir(to)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// RestoreOptions say what to restore where.
type RestoreOptions struct {
	// From is a checkpoint (a directory with a manifest), or a directory of checkpoints: then the newest complete one.
	From string
	// Data must be empty or not exist.
	Data string
	// KeepSessions leaves everybody logged in. Otherwise all sessions end at the first start, because a session that was
	// revoked after the checkpoint would live again.
	KeepSessions bool
	Now          time.Time
	// Node makes it the first site of a cluster; nil: a machine that is alone.
	Node *config.Node
	// rescue: it is the rescue of a site that was left, which is written down as such.
	rescue bool
	// Of RestoreArchive: where the archive is, the file with its key, and as of when; the zero time: the newest.
	Archive  archive.Location
	Identity string
	At       time.Time
}

// Restored is what Restore did.
type Restored struct {
	// Manifest is of the checkpoint that it began with; nil: an archive that goes back to the first entry.
	Manifest *kernel.Manifest
	Epoch    uint32
	// At is the last entry that is in it, Time when that was.
	At   kernel.Position
	Time time.Time
	// Of an archive: what was replayed after the checkpoint, why not further, and what the operator should know.
	Entries  int
	Took     time.Duration
	Short    string
	Warnings []string
}

// Restore makes a data directory from a checkpoint. It verifies the content of every view against the manifest and
// begins a new epoch, so that positions of the lost future are recognised. What makes the directory one that a server
// runs on is written last: an interrupted restore leaves none, and one that fails leaves nothing.
func Restore(o RestoreOptions) (r *Restored, err error) {
	from, err := findCheckpoint(o.From)
	if err != nil {
		return nil, err
	}
	m, err := kernel.ReadManifest(from)
	if err != nil {
		return nil, err
	}
	d, err := newData(o.Data, m.Cell)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.clear())
		}
		err = errors.Join(err, d.Close())
	}()
	r = &Restored{Manifest: m, Epoch: nextEpoch(m.Epoch, o.Now), At: kernel.Position{Epoch: m.Epoch, N: m.N}, Time: time.UnixMilli(int64(m.TimeMs))}
	if err := os.Mkdir(d.path(viewsDir), 0o700); err != nil {
		return nil, err
	}
	for _, dom := range domains(d.Cell) {
		if err := restoreView(from, d, dom.Name(), r); err != nil {
			return nil, err
		}
	}
	if err := kernel.SyncDir(d.path(viewsDir)); err != nil {
		return nil, err
	}
	if err := d.markClean(); err != nil {
		return nil, err
	}
	return r, d.founds(o, r.Epoch)
}

func restoreView(from string, d *Data, name string, r *Restored) error {
	want, ok := r.Manifest.Domains[name]
	if !ok {
		return fmt.Errorf("the checkpoint has no view %q", name)
	}
	target := filepath.Join(d.path(viewsDir), name)
	if err := copyTree(filepath.Join(from, name), target); err != nil {
		return fmt.Errorf("view %q cannot be copied: %v", name, cause(err))
	}
	// Read first, written to afterwards: what has been opened for writing works on its tables by itself, and would meet
	// damage where nobody can return an error.
	hash, err := contentHash(target)
	if err == nil && hash == want.ContentHash {
		hash, err = kernel.BeginEpoch(target, kernel.Position{Epoch: r.Manifest.Epoch, N: r.Manifest.N}, r.Epoch)
	}
	if err != nil {
		return fmt.Errorf("view %q of the checkpoint cannot be used: %s", name, inspect.Sentence(err))
	}
	if hash != want.ContentHash {
		return fmt.Errorf("view %q of the checkpoint is damaged: its content hash is %s, the manifest says %s", name, hash, want.ContentHash)
	}
	return nil
}

// contentHash reads a view without changing it.
func contentHash(dir string) (hash string, err error) {
	defer kernel.CatchStorage(&err)
	s, err := kernel.OpenPebble(dir, kernel.PebbleOptions{ReadOnly: true})
	if err != nil {
		return "", err
	}
	defer s.Close()
	snap := s.Snapshot()
	defer snap.Close()
	h, _ := kernel.ContentHash(snap)
	return fmt.Sprintf("%016x", h), nil
}

// HashCheckpoint waits until a node has copied its views at a checkpoint (BackupDone.Name), and hashes what is in them.
func HashCheckpoint(ctx context.Context, data, name string) (string, error) {
	var all []string
	for _, dom := range domains(0) {
		dir := filepath.Join(data, checkpointsDir, name, dom.Name())
		for {
			if _, err := os.Stat(dir); err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return "", fmt.Errorf("the checkpoint %s was not made: %w", name, ctx.Err())
			case <-time.After(20 * time.Millisecond):
			}
		}
		hash, err := contentHash(dir)
		if err != nil {
			return "", fmt.Errorf("view %q cannot be read: %s", dom.Name(), inspect.Sentence(err))
		}
		all = append(all, hash)
	}
	return strings.Join(all, " "), nil
}

// HasCheckpoint says whether a directory is, or holds, a complete checkpoint as `backup --to` and a node leave them.
func HasCheckpoint(dir string) bool {
	_, err := findCheckpoint(dir)
	return err == nil
}

// findCheckpoint takes a checkpoint, a directory of checkpoints or a data directory; of several the newest.
func findCheckpoint(dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, kernel.ManifestName)); err == nil {
		return dir, nil
	}
	for _, d := range []string{dir, filepath.Join(dir, checkpointsDir)} {
		newest, at := "", kernel.Position{}
		for dir, m := range manifests(d) {
			if p := (kernel.Position{Epoch: m.Epoch, N: m.N}); newest == "" || at.Less(p) {
				newest, at = dir, p
			}
		}
		if newest != "" {
			return newest, nil
		}
	}
	return "", fmt.Errorf("%s holds no complete checkpoint", dir)
}
