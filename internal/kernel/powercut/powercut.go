// Package powercut has a Pebble view in memory whose machine can lose power: what was synced is kept, of what was not any
// prefix may be. Which prefix also depends on Pebble's own goroutines, so it is not repeatable from a seed; what must
// hold holds for every prefix.
package powercut

import (
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

const dir = "view"

// Store is a view on a file system in memory that tells synced from unsynced data.
type Store struct {
	*kernel.PebbleStore
	fs *vfs.MemFS
}

// New makes an empty view.
func New() (*Store, error) { return open(vfs.NewCrashableMem()) }

func open(fs *vfs.MemFS) (*Store, error) {
	p, err := kernel.OpenPebble(dir, kernel.PebbleOptions{FS: fs})
	if err != nil {
		return nil, err
	}
	return &Store{p, fs}, nil
}

// Cut is the view as it may be found after a power cut at this moment, with about so many percent of the unsynced blocks
// kept. The old one is closed.
func (s *Store) Cut(percent int, rng *rand.Rand) (*Store, error) {
	fs := s.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
	if err := s.Close(); err != nil {
		return nil, err
	}
	return open(fs)
}
