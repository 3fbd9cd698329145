package sim

import (
	"math/rand/v2"

	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/powercut"
)

// view is a domain's store that can lose power.
type view interface {
	kernel.Store
	// cut is the store after a power cut that kept the first keep of the last unsynced batches.
	cut(keep, unsynced int) (view, error)
}

type memView struct{ *kernel.MemStore }

func (v memView) cut(keep, _ int) (view, error) {
	v.Crash(keep)
	return v, nil
}

// pebbleView cannot be told how many batches to keep: all, none, or as many as its blocks happen to hold.
type pebbleView struct {
	*powercut.Store
	rng *rand.Rand
}

func (v pebbleView) cut(keep, unsynced int) (view, error) {
	percent := 50
	switch keep {
	case 0:
		percent = 0
	case unsynced:
		percent = 100
		if err := v.Sync(); err != nil {
			return nil, err
		}
	}
	s, err := v.Cut(percent, v.rng)
	if err != nil {
		return nil, err
	}
	return pebbleView{s, v.rng}, nil
}

// newViews makes stores: in memory, or Pebble on a file system that loses power.
func newViews(pebble bool, seed uint64) func() (view, error) {
	if !pebble {
		return func() (view, error) { return memView{kernel.NewMemStore()}, nil }
	}
	rng := rand.New(rand.NewPCG(seed, 0x706f776572))
	return func() (view, error) {
		s, err := powercut.New()
		if err != nil {
			return nil, err
		}
		return pebbleView{s, rng}, nil
	}
}

// copyRows writes everything that r holds into s, durably.
func copyRows(s kernel.Store, r kernel.Reader) error {
	b := s.Begin()
	r.Scan([]byte{0}, []byte{0xff}, func(k, v []byte) bool {
		b.Set(k, v)
		return true
	})
	if err := b.Commit(); err != nil {
		return err
	}
	return s.Sync()
}
