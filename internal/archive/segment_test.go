package archive

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

var update = flag.Bool("update", false, "write golden files anew")

// entries are some as they would be in the log.
func someEntries(epoch uint32, first, last uint64, at uint64) (list [][]byte) {
	for n := first; n <= last; n++ {
		e := kernel.Entry{Epoch: epoch, Behaviour: 1, Time: at + n, Number: n}
		if n%2 == 0 {
			e.Commands = []kernel.Envelope{{Domain: 2, Bytes: []byte("말")}}
		}
		list = append(list, e.Encode(nil))
	}
	return list
}

func content(epoch uint32, prev kernel.Position, first, last, at uint64) *Content {
	return &Content{Header{Cell: 1, Epoch: epoch, Prev: prev, First: first, Last: last, FirstTime: at + first, LastTime: at + last}, someEntries(epoch, first, last, at)}
}

func TestSegmentGolden(t *testing.T) {
	c := content(0x17, kernel.Position{Epoch: 0x16, N: 9}, 3, 5, 1_700_000_000_000)
	var b bytes.Buffer
	if err := c.Encode(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "segment.golden")
	got := SegmentKey(c.Epoch, c.First, c.Last) + "\n" + hex.EncodeToString(b.Bytes()) + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || got != string(want) {
		t.Errorf("a segment is\n%swant\n%s%v", got, want, err)
	}
	back, err := Decode(b.Bytes())
	if err != nil || back.Header != c.Header || len(back.Entries) != 3 || !bytes.Equal(back.Entries[2], c.Entries[2]) {
		t.Errorf("read back: %+v, %v", back, err)
	}
}

// Whatever byte of a segment is another one, and wherever it is cut off, it is noticed.
func TestSegmentDamage(t *testing.T) {
	var b bytes.Buffer
	if err := content(1, kernel.Position{}, 1, 3, 5).Encode(&b); err != nil {
		t.Fatal(err)
	}
	for i := range b.Bytes() {
		hurt := bytes.Clone(b.Bytes())
		hurt[i] ^= 0x10
		if _, err := Decode(hurt); err == nil || i > 0 && !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d: %v", i, err)
		}
		if _, err := Decode(b.Bytes()[:i]); err == nil {
			t.Errorf("cut off at %d", i)
		}
	}
}

func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := content(1, kernel.Position{}, 1, 3, 5).Encode(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := Decode(b); err == nil && uint64(len(c.Entries)) != c.Last-c.First+1 {
			t.Errorf("%+v", c.Header)
		}
	})
}

func TestSegmentNames(t *testing.T) {
	for _, s := range []Segment{{Epoch: 1, First: 1, Last: 1}, {Epoch: 0xffffffff, First: 1 << 40, Last: 1<<40 + 5}} {
		key := SegmentKey(s.Epoch, s.First, s.Last)
		if got, ok := ParseSegment(key, 7); !ok || got != (Segment{Key: key, Epoch: s.Epoch, First: s.First, Last: s.Last, Size: 7}) {
			t.Errorf("%s: %+v %v", key, got, ok)
		}
	}
	key := joinedKey(1, 5, 70000, [32]byte{0xab})
	if got, ok := ParseSegment(key, 7); !ok || got != (Segment{Key: key, Epoch: 1, First: 5, Last: 70000, Size: 7, Joined: true}) {
		t.Errorf("%s: %+v %v", key, got, ok)
	}
	good := SegmentKey(1, 65536, 65537)
	for _, key := range []string{"", "log/x", strings.Replace(good, "000000000001/", "000000000002/", 1), good + ".age", SegmentKey(1, 5, 4), SegmentKey(1, 0, 4),
		joinedKey(1, 5, 4, [32]byte{}), strings.Replace(key, "-ab", "-", 1), strings.Replace(key, ".joined", ".seg", 1)} {
		if s, ok := ParseSegment(key, 0); ok {
			t.Errorf("%q is %+v", key, s)
		}
	}
}

// key makes one and returns its recipient.
func key(t *testing.T) (file, recipient string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "key")
	recipient, err := NewKey(file, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", st, err)
	}
	if _, err := NewKey(file, time.Now()); err == nil {
		t.Error("a key was overwritten")
	}
	return file, recipient
}

func sealer(t *testing.T, recipients ...string) *Sealer {
	t.Helper()
	s, err := NewSealer(recipients)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func opener(t *testing.T, file string) *Opener {
	t.Helper()
	o, err := NewOpener(file)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestSealedSegments(t *testing.T) {
	onBoth(t, func(t *testing.T, tg Target) {
		mine, recipient := key(t)
		other, _ := key(t)
		for what, s := range map[string]*Sealer{"encrypted": sealer(t, recipient), "open": sealer(t)} {
			c := content(1, kernel.Position{}, 1, 100, 1000)
			if _, err := PutSegment(t.Context(), tg, s, c); err != nil {
				t.Fatal(err)
			}
			g, _ := ParseSegment(SegmentKey(1, 1, 100), 0)
			for _, k := range []struct {
				file string
				want error
			}{{mine, nil}, {other, ErrWrongKey}, {"", ErrLocked}} {
				if what == "open" {
					k.want = nil
				}
				got, err := GetSegment(t.Context(), tg, opener(t, k.file), g)
				if !errors.Is(err, k.want) || err == nil && len(got.Entries) != 100 {
					t.Errorf("%s, key %q: %v", what, k.file, err)
				}
			}
			// Under the name of another one it is none.
			if err := move(t, tg, SegmentKey(1, 1, 100), SegmentKey(1, 2, 101)); err != nil {
				t.Fatal(err)
			}
			g, _ = ParseSegment(SegmentKey(1, 2, 101), 0)
			if _, err := GetSegment(t.Context(), tg, opener(t, mine), g); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s, under another name: %v", what, err)
			}
		}
	})
}

// move gives an object another name.
func move(t *testing.T, tg Target, from, to string) error {
	r, err := tg.Get(t.Context(), from)
	if err != nil {
		return err
	}
	defer r.Close()
	return errors.Join(tg.Put(t.Context(), to, r, -1), tg.Delete(t.Context(), from))
}

// Damage of a sealed object is noticed, wherever it is. Some bits of the compression mean nothing: what was written comes out of
// these all the same, as its checksum says.
func TestSealedDamage(t *testing.T) {
	mine, recipient := key(t)
	for what, s := range map[string]*Sealer{"encrypted": sealer(t, recipient), "open": sealer(t)} {
		var b bytes.Buffer
		w, err := s.Writer(&b)
		if err == nil {
			err = errors.Join(content(1, kernel.Position{}, 1, 40, 5).Encode(w), w.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < b.Len(); i++ {
			hurt := bytes.Clone(b.Bytes())
			hurt[i] ^= 1
			if err := reads(t, mine, hurt); err == nil && what == "encrypted" {
				t.Errorf("%s: byte %d was turned, and nobody noticed", what, i)
			}
			if err := reads(t, mine, b.Bytes()[:i]); err == nil {
				t.Errorf("%s: cut off at %d, and nobody noticed", what, i)
			}
		}
	}
}

func reads(t *testing.T, key string, b []byte) error {
	t.Helper()
	r, err := opener(t, key).Reader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	defer r.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(r); err != nil {
		return err
	}
	_, err = Decode(out.Bytes())
	return err
}

func TestKeysAreNotQuoted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("AGE-SECRET-KEY-1WRONG\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewOpener(file); err == nil || strings.Contains(fmt.Sprint(err), "WRONG") {
		t.Errorf("a key that is none: %v", err)
	}
	if _, err := NewSealer([]string{"age1x"}); err == nil {
		t.Error("a recipient that is none")
	}
}
