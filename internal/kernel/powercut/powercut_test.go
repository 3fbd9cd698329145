package powercut

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// A cut keeps everything that was synced and a prefix of the rest.
func TestCutKeepsAPrefix(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var have, synced uint64
	for range 20 {
		for range rng.IntN(200) {
			have++
			b := s.Begin()
			b.Set(binary.BigEndian.AppendUint64([]byte("r"), have), make([]byte, 100))
			b.Set([]byte("newest"), binary.BigEndian.AppendUint64(nil, have))
			if err := b.Commit(); err != nil {
				t.Fatal(err)
			}
			if rng.IntN(50) == 0 {
				if err := s.Sync(); err != nil {
					t.Fatal(err)
				}
				synced = have
			}
		}
		if s, err = s.Cut(rng.IntN(3)*50, rng); err != nil {
			t.Fatal(err)
		}
		kept := read(s)
		if kept < synced || kept > have {
			t.Fatalf("kept %d of %d, of which %d were synced", kept, have, synced)
		}
		snap := s.Snapshot()
		rows := uint64(0)
		snap.Scan([]byte("r"), []byte("s"), func(_, _ []byte) bool { rows++; return true })
		snap.Close()
		if rows != kept {
			t.Fatalf("%d rows, but the newest is %d: a batch was torn", rows, kept)
		}
		have, synced = kept, kept
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(s kernel.Store) uint64 {
	snap := s.Snapshot()
	defer snap.Close()
	b, ok := snap.Get([]byte("newest"))
	if !ok {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}
