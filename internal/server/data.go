package server

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// dataFormat is the layout of a data directory that this binary reads and writes.
const dataFormat = 1

// Names inside a data directory.
const (
	metaFile       = "bonghwa.json"
	lockFile       = "lock"
	cleanFile      = "clean"
	endSessions    = "end-sessions"
	etcdDir        = "etcd"
	viewsDir       = "views"
	checkpointsDir = "checkpoints"
	archiveBegun   = "archive-begun"
	adminSocket    = "admin.sock"
)

// Meta is the file bonghwa.json of a data directory.
type Meta struct {
	Format  int       `json:"format"`
	Cell    string    `json:"cell"`
	Node    string    `json:"node"`
	Created time.Time `json:"created"`
	// Cluster and Site are of a node that belongs to a cluster. Formed: its cell has been ready here once.
	Cluster string `json:"cluster,omitempty"`
	Site    string `json:"site,omitempty"`
	Formed  bool   `json:"formed,omitempty"`
	// Founds: it was restored, and begins its cell alone at the first start; the other sites come to it.
	Founds bool `json:"founds,omitempty"`
	// Epoch is that of the log in this directory: written when it was restored or rescued, and once the cell has been ready here.
	Epoch uint32 `json:"epoch,omitempty"`
	// Superseded is the newer epoch in which the cell goes on without this directory; SupersededBy, who told of it.
	Superseded   uint32 `json:"superseded,omitempty"`
	SupersededBy string `json:"superseded_by,omitempty"`
	// Disputed is a newer epoch that was begun while this node was serving: by a mistake, and nothing follows from it.
	Disputed uint32 `json:"disputed,omitempty"`
	// Join is the list of members with which this node was let in and has not started yet; Fetch: its views have still to
	// come from another site.
	Join  string `json:"join,omitempty"`
	Fetch bool   `json:"fetch,omitempty"`
}

// Data is a locked data directory.
type Data struct {
	Dir    string
	Meta   Meta
	Cell   uint16
	NodeID cluster.NodeID
	// Clean says that the last process stopped in order; after anything else every row is scanned.
	Clean bool
	// New says that nothing was here before.
	New  bool
	lock *os.File
}

// OpenData locks dir, making it if it does not exist. Every error is one sentence for the operator.
func OpenData(dir string) (*Data, error) {
	d, err := lockData(dir)
	if err != nil {
		return nil, err
	}
	if err := d.readMeta(); err != nil {
		d.lock.Close()
		return nil, err
	}
	dir = d.Dir
	if err := os.Chmod(dir, 0o700); err != nil {
		d.lock.Close()
		return nil, fmt.Errorf("the data directory %s cannot be closed to other users: %v", dir, cause(err))
	}
	_, err = os.Stat(d.path(cleanFile))
	d.Clean = err == nil || d.New
	return d, nil
}

func lockData(dir string) (*Data, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory %s cannot be made: %v", dir, cause(err))
	}
	d := &Data{Dir: dir}
	if d.lock, err = os.OpenFile(d.path(lockFile), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("the data directory %s cannot be written to: %v", dir, cause(err))
	}
	if err := unix.Flock(int(d.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		d.lock.Close()
		return nil, fmt.Errorf("another bonghwa process is using the data directory %s; stop it first, or choose another with --data", dir)
	}
	return d, nil
}

// newData locks dir, which must be empty or not exist, for a restore of this cell. It is no data directory until
// writeMeta.
func newData(dir, cell string) (*Data, error) {
	if left, err := os.ReadDir(dir); err == nil && len(left) > 0 {
		return nil, fmt.Errorf("%s is not empty; restore into a new directory", dir)
	}
	d, err := lockData(dir)
	if err != nil {
		return nil, err
	}
	if err = os.Chmod(d.Dir, 0o700); err == nil {
		err = d.invent()
	}
	if err == nil {
		err = d.setCell(cell)
	}
	if err != nil {
		return nil, errors.Join(err, d.clear(), d.Close())
	}
	return d, nil
}

// clear empties a directory that newData has made, but for what somebody else may have put there since.
func (d *Data) clear() error {
	var errs []error
	for _, name := range []string{metaFile, metaFile + ".new", viewsDir, endSessions, cleanFile, lockFile} {
		errs = append(errs, os.RemoveAll(d.path(name)))
	}
	return errors.Join(errs...)
}

func (d *Data) readMeta() error {
	b, err := os.ReadFile(d.path(metaFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for _, name := range []string{etcdDir, viewsDir} {
			if _, err := os.Stat(d.path(name)); err == nil {
				return fmt.Errorf("%s holds data but no %s: it is not a complete data directory; a restore that was interrupted must be done again, into an empty one", d.Dir, metaFile)
			}
		}
		if err := d.invent(); err != nil {
			return err
		}
		d.New = true
		return d.writeMeta()
	case err != nil:
		return fmt.Errorf("%s cannot be read: %v", d.path(metaFile), cause(err))
	}
	if err := json.Unmarshal(b, &d.Meta); err != nil {
		return fmt.Errorf("%s is damaged: %v", d.path(metaFile), err)
	}
	if d.Meta.Format > dataFormat {
		return fmt.Errorf("%s was written by a newer version of bonghwa (format %d, this one knows %d); nothing was changed", d.Dir, d.Meta.Format, dataFormat)
	}
	node, err := hex.DecodeString(d.Meta.Node)
	if err != nil || len(node) != len(d.NodeID) {
		return fmt.Errorf("%s is damaged: the node cannot be read", d.path(metaFile))
	}
	d.NodeID = cluster.NodeID(node)
	return d.setCell(d.Meta.Cell)
}

// ReadMeta reads bonghwa.json of a data directory, which a server may be using.
func ReadMeta(dir string) (m Meta, err error) {
	b, err := os.ReadFile(filepath.Join(dir, metaFile))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return m, fmt.Errorf("%s is not a data directory: %v", dir, cause(err))
	}
	return m, nil
}

func (d *Data) setCell(hex4 string) error {
	cell, err := strconv.ParseUint(hex4, 16, 16)
	if err != nil {
		return fmt.Errorf("the cell %q is not four hex digits", hex4)
	}
	d.Cell, d.Meta.Cell = uint16(cell), hex4
	return nil
}

// invent makes up what a new directory is called.
func (d *Data) invent() error {
	if _, err := rand.Read(d.NodeID[:]); err != nil {
		return err
	}
	d.Cell = 1
	d.Meta = Meta{Format: dataFormat, Cell: fmt.Sprintf("%04x", d.Cell), Node: hex.EncodeToString(d.NodeID[:]), Created: time.Now().UTC()}
	return nil
}

// writeMeta makes the directory a data directory, durably.
func (d *Data) writeMeta() error {
	b, err := json.MarshalIndent(d.Meta, "", "  ")
	if err != nil {
		return err
	}
	if err := kernel.WriteDurably(d.path(metaFile), append(b, '\n')); err != nil {
		return fmt.Errorf("%s cannot be written: %v", d.path(metaFile), cause(err))
	}
	return nil
}

func (d *Data) path(name string) string { return filepath.Join(d.Dir, name) }

// markRunning removes the mark of a clean stop, durably: after a power cut it must not be there. markClean sets it.
func (d *Data) markRunning() error {
	if err := os.Remove(d.path(cleanFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return kernel.SyncDir(d.Dir)
}

func (d *Data) markClean() error { return os.WriteFile(d.path(cleanFile), nil, 0o600) }

// Close gives the lock back.
func (d *Data) Close() error { return d.lock.Close() }

// space says how much of a disk is free, and how much there is.
func space(dir string) (free, total uint64, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}

// DiskGuard refuses commands before any engine meets a full disk.
func DiskGuard(dir string) func() error {
	return func() error {
		if free, total, err := space(dir); err == nil && kernel.DiskOf(free, total) == kernel.DiskFull {
			return fmt.Errorf("the disk of %s has %d MiB free, less than the %d MiB kept in reserve", dir, free>>20, kernel.Reserve(total)>>20)
		}
		return nil
	}
}

// diskLow says that a node does not lead, if another one can.
func diskLow(dir string) bool {
	free, total, err := space(dir)
	return err == nil && kernel.DiskOf(free, total) != kernel.DiskFine
}

// cause is the innermost reason, without the path that the sentence around it already names.
func cause(err error) error {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
