package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// memory is an archive in memory. hook is called before and after everything that is done to it, and before each name of a list: it
// does something else then, or ends whoever is at it with an error.
type memory struct {
	*objects
	hook func() error
	// pages: a list looks again at every name, like S3 after a page; else it goes by the names that were there when it began, and
	// leaves out what has gone, like a directory.
	pages bool
}

type objects struct {
	mu  sync.Mutex
	all map[string][]byte
}

func newMemory() *memory { return &memory{objects: &objects{all: map[string][]byte{}}} }

// copied is another archive with the same in it.
func (m *memory) copied() *memory {
	return &memory{objects: &objects{all: maps.Clone(m.all)}}
}

// hooked is the same archive, seen by somebody to whom something happens.
func (m *memory) hooked(pages bool, hook func() error) *memory {
	return &memory{m.objects, hook, pages}
}

func (m *memory) step() error {
	if m.hook == nil {
		return nil
	}
	return m.hook()
}

// with does something, between two steps.
func (m *memory) with(fn func(all map[string][]byte) error) error {
	err := m.step()
	if err == nil {
		m.mu.Lock()
		err = fn(m.all)
		m.mu.Unlock()
	}
	return errors.Join(err, m.step())
}

func (m *memory) Put(_ context.Context, key string, r io.Reader, size int64) error {
	b, err := io.ReadAll(r)
	if err != nil || size >= 0 && int64(len(b)) != size {
		return fmt.Errorf("%d bytes of %d: %v", len(b), size, err)
	}
	return m.with(func(all map[string][]byte) error { all[key] = b; return nil })
}

func (m *memory) Get(_ context.Context, key string) (r io.ReadCloser, err error) {
	err = m.with(func(all map[string][]byte) error {
		b, ok := all[key]
		if !ok {
			return fmt.Errorf("%s: %w", key, ErrNotFound)
		}
		r = io.NopCloser(bytes.NewReader(b))
		return nil
	})
	return r, err
}

func (m *memory) List(_ context.Context, prefix, after string, fn func(string, int64) bool) error {
	names := func() (list []string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for key := range m.all {
			if strings.HasPrefix(key, prefix) && key > after {
				list = append(list, key)
			}
		}
		slices.Sort(list)
		return list
	}
	for list := names(); len(list) > 0; {
		if err := m.step(); err != nil {
			return err
		}
		if m.pages {
			if list = names(); len(list) == 0 {
				break
			}
		}
		after = list[0]
		list = list[1:]
		m.mu.Lock()
		b, ok := m.all[after]
		m.mu.Unlock()
		if ok && !fn(after, int64(len(b))) {
			break
		}
		if m.pages {
			list = names()
		}
	}
	return m.step()
}

func (m *memory) Delete(_ context.Context, key string) error {
	return m.with(func(all map[string][]byte) error { delete(all, key); return nil })
}

func (m *memory) Sweep(context.Context) error { return nil }

func (m *memory) String() string { return "memory" }

// count says how many objects end so.
func (m *memory) count(end string) (n int) {
	for key := range m.all {
		if strings.HasSuffix(key, end) {
			n++
		}
	}
	return n
}

// readAll reads the entries of an epoch from one on, up to its end or what cannot be had.
func readAll(t *testing.T, tg Target, o *Opener, epoch uint32, n uint64) (list [][]byte, damaged []*Lost, err error) {
	t.Helper()
	r := NewReader(tg, o, epoch)
	for {
		c, err := r.Next(t.Context(), n)
		damaged = append(damaged, r.Damaged()...)
		if errors.Is(err, io.EOF) {
			return list, damaged, nil
		}
		if err != nil {
			return list, damaged, err
		}
		if c.First > n || c.Last < n {
			t.Fatalf("of entry %d came %d to %d", n, c.First, c.Last)
		}
		list = append(list, c.Entries[n-c.First:]...)
		n = c.Last + 1
	}
}

// joinAll joins all that ends before an entry.
func joinAll(t *testing.T, tg Target, epoch uint32, end uint64) error {
	for from := uint64(0); ; {
		went, next, err := Join(t.Context(), tg, epoch, from, end)
		if err != nil || went == 0 {
			return err
		}
		from = next
	}
}
