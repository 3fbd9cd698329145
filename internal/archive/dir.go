package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// dirTarget is an archive in a directory, of this machine or mounted. Its files can be read by their owner only.
type dirTarget struct{ root string }

// partPrefix begins the name of a file that is being written.
const partPrefix = ".part-"

func (d dirTarget) String() string { return d.root }

func (d dirTarget) path(key string) string { return filepath.Join(d.root, filepath.FromSlash(key)) }

// Put writes under another name, makes it durable, and renames.
func (d dirTarget) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	target := d.path(key)
	if err := d.makeDirs(filepath.Dir(target)); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(target), partPrefix)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, reader{ctx, r})
	if err == nil && size >= 0 && n != size {
		err = fmt.Errorf("%d bytes of %d were written", n, size)
	}
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), target)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return kernel.SyncDir(filepath.Dir(target))
}

// makeDirs makes directories that survive a power cut. The root is made, too, but nothing above it: a target that is not
// mounted must not be taken for an empty one.
func (d dirTarget) makeDirs(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if dir != d.root {
		if err := d.makeDirs(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return kernel.SyncDir(filepath.Dir(dir))
}

// reader ends with its context.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

func (d dirTarget) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	f, err := os.Open(d.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	return f, err
}

func (d dirTarget) List(ctx context.Context, prefix, after string, fn func(string, int64) bool) error {
	if _, err := os.Stat(filepath.Dir(d.root)); err != nil {
		return err
	}
	_, err := d.list(ctx, strings.TrimSuffix(prefix, "/"), after, fn)
	return err
}

// list walks one directory. Names of files and directories do not mix in the archive's layout, so that the order of a walk is that
// of the keys.
func (d dirTarget) list(ctx context.Context, dir, after string, fn func(string, int64) bool) (more bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	entries, err := os.ReadDir(d.path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		key := dir + "/" + e.Name()
		if strings.HasPrefix(e.Name(), partPrefix) || key <= after && !(e.IsDir() && strings.HasPrefix(after, key+"/")) {
			continue
		}
		if e.IsDir() {
			if more, err := d.list(ctx, key, after, fn); err != nil || !more {
				return false, err
			}
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return false, err
		}
		if !fn(key, info.Size()) {
			return false, nil
		}
	}
	return true, nil
}

// Delete removes the file, and its directory with the last one in it.
func (d dirTarget) Delete(ctx context.Context, key string) error {
	err := os.Remove(d.path(key))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_ = os.Remove(filepath.Dir(d.path(key))) // not while something is in it
	return nil
}

func (d dirTarget) Sweep(ctx context.Context) error {
	return filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile, or nothing was ever written
		}
		if err != nil || e.IsDir() || !strings.HasPrefix(e.Name(), partPrefix) {
			return err
		}
		info, err := e.Info()
		if err == nil && time.Since(info.ModTime()) >= leftOver {
			err = os.Remove(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// leftOver is how old something unfinished is when nobody can be writing it any more.
const leftOver = 24 * time.Hour
