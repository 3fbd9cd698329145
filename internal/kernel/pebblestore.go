package kernel

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// PebbleFormat is the pinned format of views on disk; raised on purpose only (docs/formats.md).
const PebbleFormat = pebble.FormatTableFormatV6

// PebbleOptions opens a view on disk.
type PebbleOptions struct {
	FS vfs.FS
	// ReadOnly opens checkpoints and views of a stopped server.
	ReadOnly bool
	// OnFatal is told, once, in one sentence, when the engine finds that it cannot go on. It must not return.
	OnFatal func(error)
	Log     *slog.Logger
}

// PebbleStore is a Store on disk. Commits do not sync: a crash of the process loses nothing, a power cut loses a
// suffix of the commits since the last Sync and never a part of one.
type PebbleStore struct {
	db    *pebble.DB
	cache rowCache
	// Of the batch that is open, kept for the next.
	writes *overlay
	keys   []string
	key    []byte
}

type pebbleLogger struct{ o PebbleOptions }

func (pebbleLogger) Infof(string, ...any) {}
func (l pebbleLogger) Errorf(f string, args ...any) {
	if l.o.Log != nil {
		l.o.Log.Error("view: " + fmt.Sprintf(f, args...))
	}
}

func (l pebbleLogger) Fatalf(f string, args ...any) {
	err := fmt.Errorf(f, args...)
	if l.o.OnFatal != nil {
		l.o.OnFatal(err)
	}
	panic(StorageFault{err})
}

// OpenPebble opens or makes the view in dir.
func OpenPebble(dir string, o PebbleOptions) (*PebbleStore, error) {
	po := &pebble.Options{
		FS:                 o.FS,
		ReadOnly:           o.ReadOnly,
		Logger:             pebbleLogger{o},
		FormatMajorVersion: PebbleFormat,
		// Two views share a small machine: 64 MiB of memtables each at the most, and tables are cached by the kernel too.
		MemTableSize:                16 << 20,
		MemTableStopWritesThreshold: 4,
		CacheSize:                   16 << 20,
		L0CompactionThreshold:       4,
		MaxOpenFiles:                1000,
		BytesPerSync:                1 << 20,
		WALBytesPerSync:             1 << 20,
	}
	for i := range po.Levels {
		po.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(dir, po)
	if err != nil {
		return nil, err
	}
	return &PebbleStore{db: db, writes: newOverlay()}, nil
}

// Begin implements Store.
func (s *PebbleStore) Begin() Batch { return &pebbleBatch{s: s, writes: s.writes} }

// Snapshot implements Store.
func (s *PebbleStore) Snapshot() StoreSnapshot { return &pebbleSnapshot{s: s.db.NewSnapshot()} }

// Sync implements Store: an fsync of the write-ahead log covers every commit before it.
func (s *PebbleStore) Sync() error { return s.db.LogData(nil, pebble.Sync) }

// Checkpoint implements Store by hard links.
func (s *PebbleStore) Checkpoint(dir string) error {
	return s.db.Checkpoint(dir, pebble.WithFlushedWAL())
}

// Close implements Store.
func (s *PebbleStore) Close() error { return s.db.Close() }

// copier makes the copies that are handed out: in an arena that lives as long as a batch or snapshot, or on the heap for
// rows that are cached.
type copier interface{ copy(b []byte) []byte }

type heap struct{}

func (*heap) copy(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }

type arena struct{ free []byte }

func (a *arena) copy(b []byte) []byte {
	if len(b) > len(a.free) {
		a.free = make([]byte, max(len(b), 4096))
	}
	c := a.free[:len(b):len(b)]
	a.free = a.free[len(b):]
	copy(c, b)
	return c
}

// pebbleBatch keeps the entry's writes where reads find them first. The engine gets the last value of each key at the
// end, in order of keys: rows of a busy room are written once per entry, and its memtable likes the order.
type pebbleBatch struct {
	s      *PebbleStore
	writes *overlay
	a      arena
}

func get(r pebble.Reader, a copier, key []byte) ([]byte, bool) {
	v, closer, err := r.Get(key)
	if err != nil {
		if errors.Is(err, pebble.ErrNotFound) {
			return nil, false
		}
		panic(StorageFault{err})
	}
	c := a.copy(v)
	if err := closer.Close(); err != nil {
		panic(StorageFault{err})
	}
	return c, true
}

func scan(r pebble.Reader, a *arena, lower, upper []byte, fn func(key, value []byte) bool) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		panic(StorageFault{err})
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		v, err := it.ValueAndErr()
		if err != nil {
			panic(StorageFault{err})
		}
		if !fn(a.copy(it.Key()), a.copy(v)) {
			break
		}
	}
	if err := it.Error(); err != nil {
		panic(StorageFault{err})
	}
}

func (b *pebbleBatch) Get(key []byte) ([]byte, bool) {
	if v, ok := b.writes.get(key); ok {
		return v, v != nil
	}
	if v, ok := b.s.cache.get(key); ok {
		return v, v != nil
	}
	v, ok := get(b.s.db, &heap{}, key)
	b.s.cache.put(string(key), v)
	return v, ok
}

func (b *pebbleBatch) Scan(lower, upper []byte, fn func(key, value []byte) bool) {
	b.writes.scan(lower, upper, fn, func(fn func(key, value []byte) bool) { scan(b.s.db, &b.a, lower, upper, fn) })
}

func (b *pebbleBatch) Set(key, value []byte) {
	b.writes.put(key, append(make([]byte, 0, len(value)), value...))
}

func (b *pebbleBatch) Delete(key []byte) { b.writes.put(key, nil) }

func (b *pebbleBatch) Commit() error {
	keys := b.s.keys[:0]
	for k := range b.writes.rows {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	batch := b.s.db.NewBatch()
	var err error
	for _, k := range keys {
		b.s.key = append(b.s.key[:0], k...)
		if v := b.writes.rows[k]; v != nil {
			err = batch.Set(b.s.key, v, nil)
		} else {
			err = batch.Delete(b.s.key, nil)
		}
		if err != nil {
			return errors.Join(err, batch.Close())
		}
	}
	if err := batch.Commit(pebble.NoSync); err != nil {
		return err
	}
	for _, k := range keys {
		b.s.cache.put(k, b.writes.rows[k])
	}
	clear(keys)
	b.s.keys = keys
	b.writes.reset()
	return batch.Close()
}

func (b *pebbleBatch) Discard() { b.writes.reset() }

type pebbleSnapshot struct {
	s *pebble.Snapshot
	a arena
}

func (s *pebbleSnapshot) Get(key []byte) ([]byte, bool) { return get(s.s, &s.a, key) }

func (s *pebbleSnapshot) Scan(lower, upper []byte, fn func(key, value []byte) bool) {
	scan(s.s, &s.a, lower, upper, fn)
}

func (s *pebbleSnapshot) Close() { _ = s.s.Close() }
