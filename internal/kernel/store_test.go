package kernel

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// storeKinds are the implementations of Store; all must behave alike.
var storeKinds = map[string]func(t *testing.T) Store{
	"memory": func(*testing.T) Store { return NewMemStore() },
	"pebble": func(t *testing.T) Store { return openPebble(t, t.TempDir(), PebbleOptions{}) },
	"pebble on a file system in memory": func(t *testing.T) Store {
		return openPebble(t, "view", PebbleOptions{FS: vfs.NewCrashableMem()})
	},
}

func openPebble(t testing.TB, dir string, o PebbleOptions) *PebbleStore {
	t.Helper()
	s, err := OpenPebble(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func eachStore(t *testing.T, fn func(t *testing.T, s Store)) {
	for kind, open := range storeKinds {
		t.Run(kind, func(t *testing.T) { fn(t, open(t)) })
	}
}

func write(t testing.TB, s Store, rows ...string) {
	t.Helper()
	b := s.Begin()
	set(b, rows...)
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
}

// set writes "key=value" and deletes "key".
func set(b Tx, rows ...string) {
	for _, r := range rows {
		if k, v, ok := bytes.Cut([]byte(r), []byte("=")); ok {
			b.Set(k, v)
		} else {
			b.Delete(k)
		}
	}
}

func dump(r Reader, lower, upper string) (rows []string) {
	r.Scan([]byte(lower), []byte(upper), func(k, v []byte) bool {
		rows = append(rows, string(k)+"="+string(v))
		return true
	})
	return rows
}

func all(r Reader) []string { return dump(r, "\x00", "\xff") }

func wantRows(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestStoreBatchSeesItsOwnWrites(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		write(t, s, "a=1", "c=1", "e=1")
		b := s.Begin()
		defer b.Discard()
		set(b, "b=2", "c", "e=2", "f=")
		for key, want := range map[string]string{"a": "1", "b": "2", "c": "-", "d": "-", "e": "2", "f": ""} {
			v, ok := b.Get([]byte(key))
			if got := string(v); !ok && want != "-" || ok && got != want {
				t.Errorf("%s: %q %v, want %q", key, got, ok, want)
			}
		}
		wantRows(t, "scan", all(b), "a=1", "b=2", "e=2", "f=")
		wantRows(t, "bounds", dump(b, "b", "e"), "b=2")
		wantRows(t, "upper bound is not in", dump(b, "b", "f"), "b=2", "e=2")
		set(b, "b", "c=3")
		wantRows(t, "written again", all(b), "a=1", "c=3", "e=2", "f=")
	})
}

func TestStoreScanStopsAndMayWrite(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		write(t, s, "a=1", "b=1", "c=1", "f=1")
		b := s.Begin()
		set(b, "d=2", "e=2", "f")
		var seen []string
		b.Scan([]byte("a"), []byte("z"), func(k, v []byte) bool {
			seen = append(seen, string(k)+"="+string(v))
			// What is written during a scan is not part of it.
			b.Set(append(bytes.Clone(k), '!'), []byte("3"))
			set(b, "c", "d=3", "e", "f=3")
			return len(seen) < 5
		})
		wantRows(t, "seen", seen, "a=1", "b=1", "c=1", "d=2", "e=2")
		wantRows(t, "afterwards", all(b), "a=1", "a!=3", "b=1", "b!=3", "c!=3", "d=3", "d!=3", "e!=3", "f=3")
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStoreSlicesOutliveWrites(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		write(t, s, "a=old")
		b := s.Begin()
		v, _ := b.Get([]byte("a"))
		var scanned []byte
		b.Scan([]byte("a"), []byte("b"), func(_, v []byte) bool { scanned = v; return true })
		key, value := []byte("a"), []byte("new")
		b.Set(key, value)
		value[0], key[0] = 'X', 'X' // the caller's memory is its own again
		for i := range 1000 {
			set(b, fmt.Sprintf("f%d=%d", i, i))
		}
		if string(v) != "old" || string(scanned) != "old" {
			t.Errorf("what was read became %q and %q", v, scanned)
		}
		if v, _ := b.Get([]byte("a")); string(v) != "new" {
			t.Errorf("%q", v)
		}
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStoreSnapshotIsolation(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		write(t, s, "a=1", "b=1")
		before := s.Snapshot()
		defer before.Close()
		b := s.Begin()
		set(b, "a=2", "b", "c=2")
		during := s.Snapshot()
		defer during.Close()
		wantRows(t, "an open batch is not seen", all(during), "a=1", "b=1")
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
		wantRows(t, "before", all(before), "a=1", "b=1")
		wantRows(t, "during", all(during), "a=1", "b=1")
		after := s.Snapshot()
		defer after.Close()
		wantRows(t, "after", all(after), "a=2", "c=2")
		if _, ok := after.Get([]byte("b")); ok {
			t.Error("b was deleted")
		}
	})
}

func TestStoreDiscard(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		write(t, s, "a=1")
		b := s.Begin()
		set(b, "a", "b=2")
		b.Discard()
		snap := s.Snapshot()
		defer snap.Close()
		wantRows(t, "discarded", all(snap), "a=1")
		write(t, s, "c=3")
		after := s.Snapshot()
		defer after.Close()
		wantRows(t, "the next batch", all(after), "a=1", "c=3")
	})
}

// TestStoreCrash: after a crash there is a prefix of the batches, never a part of one, and everything before the last
// Sync. In some runs values are large, so that write-ahead logs rotate and tables are flushed on the way.
func TestStoreCrash(t *testing.T) {
	const seeds, batches = 16, 40
	for kind, crash := range map[string]func(t *testing.T, rng *rand.Rand, drive func(Store)) StoreSnapshot{
		"memory": func(t *testing.T, rng *rand.Rand, drive func(Store)) StoreSnapshot {
			s := NewMemStore()
			drive(s)
			s.Crash(rng.IntN(s.Unsynced() + 1))
			return s.Snapshot()
		},
		"pebble": func(t *testing.T, rng *rand.Rand, drive func(Store)) StoreSnapshot {
			fs := vfs.NewCrashableMem()
			drive(openPebble(t, "view", PebbleOptions{FS: fs}))
			clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
			snap := openPebble(t, "view", PebbleOptions{FS: clone}).Snapshot()
			t.Cleanup(snap.Close)
			return snap
		},
	} {
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprintf("%s/%d", kind, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 1))
				body := make([]byte, 1+rng.IntN(2000))
				if seed%8 == 0 {
					body = make([]byte, 110<<10) // 18 MB in all: more than a memtable and its log hold
				}
				synced := -1
				snap := crash(t, rng, func(s Store) {
					for i := range batches {
						// Rows of every batch replace those of the one before: a part of a batch would show.
						b := s.Begin()
						for j := range 4 {
							b.Set(fmt.Appendf(nil, "k%d", j), fmt.Appendf(nil, "%d:%s", i, body))
						}
						b.Delete(fmt.Appendf(nil, "x%d", i-1))
						b.Set(fmt.Appendf(nil, "x%d", i), nil)
						if err := b.Commit(); err != nil {
							t.Fatal(err)
						}
						if rng.IntN(15) == 0 {
							if err := s.Sync(); err != nil {
								t.Fatal(err)
							}
							synced = i
						}
					}
				})
				last := -1
				for _, row := range dump(snap, "x", "y") {
					if _, err := fmt.Sscanf(row, "x%d=", &last); err != nil {
						t.Fatal(row, err)
					}
				}
				if last < synced {
					t.Fatalf("batch %d was synced, %d is the last one left", synced, last)
				}
				var want []string
				if last >= 0 {
					for j := range 4 {
						want = append(want, fmt.Sprintf("k%d=%d:%s", j, last, body))
					}
					want = append(want, fmt.Sprintf("x%d=", last))
				}
				if !slices.Equal(all(snap), want) {
					t.Fatalf("batch %d is there in part", last)
				}
			})
		}
	}
}

func TestStoreCheckpointEqualsItsSource(t *testing.T) {
	dir := t.TempDir()
	s := openPebble(t, filepath.Join(dir, "view"), PebbleOptions{})
	for i := range 500 {
		write(t, s, fmt.Sprintf("k%d=%0*d", i%90, 5000, i))
	}
	snap := s.Snapshot()
	defer snap.Close()
	want, wantRows := ContentHash(snap)
	target := filepath.Join(dir, "copy")
	if err := s.Checkpoint(target); err != nil {
		t.Fatal(err)
	}
	write(t, s, "later=1") // must not reach the copy
	if err := s.Checkpoint(target); err == nil {
		t.Error("a directory that exists was overwritten")
	}
	copied := openPebble(t, target, PebbleOptions{ReadOnly: true}).Snapshot()
	defer copied.Close()
	if got, rows := ContentHash(copied); got != want || rows != wantRows || rows != 90 {
		t.Errorf("the copy has %d rows with hash %x, the source %d with %x", rows, got, wantRows, want)
	}
}

func TestContentHashLooksAtRowsAlone(t *testing.T) {
	hash := func(s Store) uint64 {
		snap := s.Snapshot()
		defer snap.Close()
		h, _ := ContentHash(snap)
		return h
	}
	a, b := NewMemStore(), openPebble(t, t.TempDir(), PebbleOptions{})
	write(t, a, "a=1", "b=2", "\x00=position", "e\x00\x00\x00\x01=epoch")
	write(t, b, "b=3", "c=4")
	write(t, b, "c", "b=2", "a=1")
	if hash(a) != hash(b) {
		t.Error("the same rows, another hash")
	}
	for _, change := range []string{"a=2", "a", "c=", "ab=1"} {
		c := NewMemStore()
		write(t, c, "a=1", "b=2")
		write(t, c, change)
		if hash(c) == hash(a) {
			t.Errorf("%q does not change the hash", change)
		}
	}
	// Where a key ends and its value begins is part of the hash.
	c, d := NewMemStore(), NewMemStore()
	write(t, c, "ab=c")
	write(t, d, "a=bc")
	if hash(c) == hash(d) {
		t.Error("ab=c and a=bc look the same")
	}
}

// TestStoreAgainstAModel compares long random histories with a plain map. Values are large enough that the rows kept in
// memory change generations many times.
func TestStoreAgainstAModel(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		rng := rand.New(rand.NewPCG(1, 7))
		committed := map[string]string{}
		key := func() string { return fmt.Sprintf("k%02d", rng.IntN(60)) }
		rows := func(m map[string]string, lower, upper string) (out []string) {
			for k, v := range m {
				if k >= lower && k < upper {
					out = append(out, k+"="+v)
				}
			}
			slices.Sort(out)
			return out
		}
		for entry := range 400 {
			b := s.Begin()
			open := maps.Clone(committed)
			for range rng.IntN(12) {
				switch k := key(); rng.IntN(5) {
				case 0:
					b.Delete([]byte(k))
					delete(open, k)
				case 1, 2:
					v := fmt.Sprintf("%d:%0*d", entry, rng.IntN(40<<10), rng.IntN(10))
					b.Set([]byte(k), []byte(v))
					open[k] = v
				case 3:
					if got, ok := b.Get([]byte(k)); string(got) != open[k] || ok != (open[k] != "") {
						t.Fatalf("entry %d: %s is %.40q, want %.40q", entry, k, got, open[k])
					}
				case 4:
					lower, upper := key(), key()
					if got, want := dump(b, lower, upper), rows(open, lower, upper); !slices.Equal(got, want) {
						t.Fatalf("entry %d: [%s, %s) has %d rows, want %d", entry, lower, upper, len(got), len(want))
					}
				}
			}
			if rng.IntN(4) == 0 {
				b.Discard()
				continue
			}
			if err := b.Commit(); err != nil {
				t.Fatal(err)
			}
			committed = open
		}
		snap := s.Snapshot()
		defer snap.Close()
		if got, want := all(snap), rows(committed, "", "z"); !slices.Equal(got, want) {
			t.Errorf("%d rows, want %d", len(got), len(want))
		}
	})
}

// TestStoreForgetsNoLargeRow: rows too large to be kept in memory are read as they are, whatever was kept of them before.
func TestStoreForgetsNoLargeRow(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		large := bytes.Repeat([]byte("x"), maxCachedRow+1)
		for _, value := range [][]byte{[]byte("small"), large, []byte("small again"), large, nil, large} {
			b := s.Begin()
			if value == nil {
				b.Delete([]byte("k"))
			} else {
				b.Set([]byte("k"), value)
			}
			if err := b.Commit(); err != nil {
				t.Fatal(err)
			}
			for range 2 { // from the tables, and as it is kept then
				b = s.Begin()
				got, ok := b.Get([]byte("k"))
				b.Discard()
				if ok != (value != nil) || !bytes.Equal(got, value) {
					t.Fatalf("%d bytes, %v; want %d", len(got), ok, len(value))
				}
			}
		}
	})
}
