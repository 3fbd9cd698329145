package kernel

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// Store holds one domain's view. It has two implementations: Pebble and MemStore.
type Store interface {
	// Begin starts the one transaction that may be open: reads see its own writes.
	Begin() Batch
	// Snapshot is a consistent read view of what is committed.
	Snapshot() StoreSnapshot
	// Sync returns when all that is committed survives a power cut.
	Sync() error
	// Checkpoint writes a copy of the committed view into dir, which must not exist.
	Checkpoint(dir string) error
	Close() error
}

// Batch is one entry's transaction. After a crash without Sync a prefix of the committed batches is there.
type Batch interface {
	Tx
	Commit() error
	// Discard ends a batch that was not committed.
	Discard()
}

// StoreSnapshot is a Reader that must be closed.
type StoreSnapshot interface {
	Reader
	Close()
}

// tx wraps the batch of an entry: every write goes into the chain.
type tx struct {
	Batch
	h *xxhash.Digest
}

func (t *tx) Set(key, value []byte) {
	t.hash('s', key, value)
	t.Batch.Set(key, value)
}

func (t *tx) Delete(key []byte) {
	t.hash('x', key, nil)
	t.Batch.Delete(key)
}

func (t *tx) hash(op byte, key, value []byte) {
	var b [9]byte
	b[0] = op
	binary.BigEndian.PutUint32(b[1:], uint32(len(key)))
	binary.BigEndian.PutUint32(b[5:], uint32(len(value)))
	t.h.Write(b[:])
	t.h.Write(key)
	t.h.Write(value)
}

func (t *tx) verdict(v Verdict) {
	var b [10]byte
	binary.BigEndian.PutUint16(b[:], uint16(v.Code))
	binary.BigEndian.PutUint64(b[2:], v.Seq)
	t.h.Write(b[:])
}

// ContentHash is a hash over every row of a view but the kernel's own position and epochs: equal contents, equal hash,
// whatever way they came there. It reads everything.
func ContentHash(r Reader) (hash uint64, rows int) {
	h := xxhash.New()
	t := tx{h: h}
	r.Scan([]byte{0}, []byte{0xff}, func(k, v []byte) bool {
		if k[0] != 0 && k[0] != prefixEpochs {
			t.hash('s', k, v)
			rows++
		}
		return true
	})
	return h.Sum64(), rows
}
