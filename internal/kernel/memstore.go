package kernel

import (
	"bytes"
	"errors"
	"sort"
	"sync"
)

// MemStore is a Store in memory for the simulation: exactly repeatable, with the crash semantics of a store that
// commits without sync. It copies nothing lazily: a snapshot is good for small views only.
type MemStore struct {
	mu struct {
		sync.Mutex
		rows []memRow // sorted by key
		// undo holds, per batch committed since the last Sync, what brings the state before it back.
		undo [][]memRow
	}
}

type memRow struct {
	key   string
	value []byte // nil = absent, in undo records and in batches
}

// NewMemStore makes an empty store.
func NewMemStore() *MemStore { return &MemStore{} }

func (s *MemStore) find(key string) (int, bool) {
	rows := s.mu.rows
	i := sort.Search(len(rows), func(i int) bool { return rows[i].key >= key })
	return i, i < len(rows) && rows[i].key == key
}

func (s *MemStore) put(key string, value []byte) (before []byte) {
	i, ok := s.find(key)
	switch {
	case ok && value == nil:
		before = s.mu.rows[i].value
		s.mu.rows = append(s.mu.rows[:i], s.mu.rows[i+1:]...)
	case ok:
		before = s.mu.rows[i].value
		s.mu.rows[i].value = value
	case value != nil:
		s.mu.rows = append(s.mu.rows, memRow{})
		copy(s.mu.rows[i+1:], s.mu.rows[i:])
		s.mu.rows[i] = memRow{key, value}
	}
	return before
}

// Begin implements Store.
func (s *MemStore) Begin() Batch { return &memBatch{s: s, writes: newOverlay()} }

// Snapshot implements Store: a full copy of the index.
func (s *MemStore) Snapshot() StoreSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return memSnapshot(append([]memRow(nil), s.mu.rows...))
}

// Sync implements Store.
func (s *MemStore) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.undo = nil
	return nil
}

// Crash forgets committed batches: all but the first keep of those since the last Sync.
func (s *MemStore) Crash(keep int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.mu.undo) - 1; i >= max(keep, 0); i-- {
		for _, r := range s.mu.undo[i] {
			s.put(r.key, r.value)
		}
	}
	s.mu.undo = nil
}

// Unsynced is how many batches a crash may forget.
func (s *MemStore) Unsynced() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.mu.undo)
}

// Checkpoint implements Store; memory has no directories.
func (s *MemStore) Checkpoint(string) error {
	return errors.New("a view in memory takes no checkpoints")
}

// Close implements Store.
func (s *MemStore) Close() error { return nil }

type memBatch struct {
	s      *MemStore
	writes *overlay
}

func (b *memBatch) Get(key []byte) ([]byte, bool) {
	if v, ok := b.writes.get(key); ok {
		return v, v != nil
	}
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	if i, ok := b.s.find(string(key)); ok {
		return b.s.mu.rows[i].value, true
	}
	return nil, false
}

func (b *memBatch) Set(key, value []byte) {
	b.writes.put(key, append(make([]byte, 0, len(value)), value...))
}
func (b *memBatch) Delete(key []byte) { b.writes.put(key, nil) }

func (b *memBatch) Scan(lower, upper []byte, fn func(key, value []byte) bool) {
	b.s.mu.Lock()
	i, _ := b.s.find(string(lower))
	rows := append(memSnapshot(nil), b.s.mu.rows[i:]...)
	b.s.mu.Unlock()
	b.writes.scan(lower, upper, fn, func(fn func(key, value []byte) bool) { rows.Scan(lower, upper, fn) })
}

func (b *memBatch) Commit() error {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	var undo []memRow
	for k, v := range b.writes.rows {
		undo = append(undo, memRow{k, b.s.put(k, v)})
	}
	b.s.mu.undo = append(b.s.mu.undo, undo)
	return nil
}

func (b *memBatch) Discard() {}

type memSnapshot []memRow

func (s memSnapshot) Get(key []byte) ([]byte, bool) {
	i := sort.Search(len(s), func(i int) bool { return s[i].key >= string(key) })
	if i < len(s) && s[i].key == string(key) {
		return s[i].value, true
	}
	return nil, false
}

func (s memSnapshot) Scan(lower, upper []byte, fn func(key, value []byte) bool) {
	i := sort.Search(len(s), func(i int) bool { return s[i].key >= string(lower) })
	for ; i < len(s) && bytes.Compare([]byte(s[i].key), upper) < 0; i++ {
		if !fn([]byte(s[i].key), s[i].value) {
			return
		}
	}
}

func (s memSnapshot) Close() {}
