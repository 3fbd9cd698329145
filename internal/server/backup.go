package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"time"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// checkpoint asks the log for a checkpoint, waits for it and completes it with its manifest.
func (c *core) checkpoint(ctx context.Context, label string) (dir string, m *kernel.Manifest, err error) {
	cmd, err := proto.Marshal(&logv1.KernelCommand{Op: &logv1.KernelCommand_Checkpoint{Checkpoint: &logv1.Checkpoint{Label: label}}})
	if err != nil {
		return "", nil, err
	}
	done := make(chan kernel.Result, 1)
	if err := c.node.Submit(kernel.DomainKernel, cmd, func(r kernel.Result) { done <- r }); err != nil {
		return "", nil, err
	}
	select {
	case r := <-done:
		if r.Err != nil {
			return "", nil, r.Err
		}
		m, err = kernel.FinishCheckpoint(c.data.path(checkpointsDir), r.Pos, label, c.data.Meta.Cell, c.doms)
		return kernel.CheckpointDir(c.data.path(checkpointsDir), r.Pos), m, err
	case <-ctx.Done():
		return "", nil, ctx.Err()
	}
}

// daily takes a checkpoint when the newest one is older than a day: the log is trimmed, so the views are the only copy.
func (c *core) daily(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(10 * time.Minute)
	defer tick.Stop()
	for {
		if time.Since(newestCheckpoint(c.data.path(checkpointsDir), c.data.Meta.Created)) > 24*time.Hour {
			if dir, _, err := c.checkpoint(ctx, "daily"); err != nil && ctx.Err() == nil {
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
func newestCheckpoint(root string, created time.Time) time.Time {
	newest := created
	files, _ := filepath.Glob(filepath.Join(root, "*", kernel.ManifestName))
	for _, f := range files {
		if st, err := os.Stat(f); err == nil && st.ModTime().After(newest) {
			newest = st.ModTime()
		}
	}
	return newest
}

// CopyCheckpoint copies a complete checkpoint to a directory that must not exist, syncing every file.
func CopyCheckpoint(from, to string) error {
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("%s exists already; choose a new directory", to)
	}
	tmp := to + ".part"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := copyTree(from, tmp); err != nil {
		return errors.Join(err, os.RemoveAll(tmp))
	}
	return os.Rename(tmp, to)
}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		if e.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Sync(), out.Close())
	})
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
}

// Restored is what Restore did.
type Restored struct {
	Manifest *kernel.Manifest
	Epoch    uint32
}

// Restore makes a data directory from a checkpoint. It verifies the content of every view against the manifest, before
// and after, and begins a new epoch, so that positions of the lost future are recognised.
func Restore(o RestoreOptions) (*Restored, error) {
	from, err := findCheckpoint(o.From)
	if err != nil {
		return nil, err
	}
	m, err := kernel.ReadManifest(from)
	if err != nil {
		return nil, err
	}
	if left, err := os.ReadDir(o.Data); err == nil && len(left) > 0 {
		return nil, fmt.Errorf("%s is not empty; restore into a new directory", o.Data)
	}
	d, err := OpenData(o.Data)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if err := d.setCell(m.Cell); err != nil {
		return nil, err
	}
	epoch := nextEpoch(m.Epoch, o.Now)
	cut := kernel.Position{Epoch: m.Epoch, N: m.N}
	for _, dom := range domains(d.Cell) {
		want, ok := m.Domains[dom.Name()]
		if !ok {
			return nil, fmt.Errorf("the checkpoint has no view %q", dom.Name())
		}
		target := filepath.Join(d.path(viewsDir), dom.Name())
		if err := copyTree(filepath.Join(from, dom.Name()), target); err != nil {
			return nil, fmt.Errorf("view %q cannot be copied: %v", dom.Name(), err)
		}
		hash, err := kernel.BeginEpoch(target, cut, epoch)
		if err != nil {
			return nil, fmt.Errorf("view %q of the checkpoint cannot be used: %v", dom.Name(), err)
		}
		if hash != want.ContentHash {
			return nil, fmt.Errorf("view %q of the checkpoint is damaged: its content hash is %s, the manifest says %s", dom.Name(), hash, want.ContentHash)
		}
	}
	if !o.KeepSessions {
		if err := os.WriteFile(d.path(endSessions), nil, 0o600); err != nil {
			return nil, err
		}
	}
	if err := d.writeMeta(); err != nil {
		return nil, err
	}
	return &Restored{m, epoch}, d.markClean()
}

func findCheckpoint(dir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, kernel.ManifestName)); err == nil {
		return dir, nil
	}
	for _, d := range []string{dir, filepath.Join(dir, checkpointsDir)} {
		found, err := filepath.Glob(filepath.Join(d, "*", kernel.ManifestName))
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			sort.Strings(found)
			return filepath.Dir(found[len(found)-1]), nil
		}
	}
	return "", fmt.Errorf("%s holds no complete checkpoint", dir)
}
