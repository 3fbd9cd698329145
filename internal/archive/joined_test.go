package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// someJoined is a joined object of opaque parts, the first entries of which are given.
func someJoined(parts ...Segment) (key string, b []byte) {
	b = make([]byte, indexSize(len(parts)))
	for i, s := range parts {
		text := bytes.Repeat([]byte{byte('a' + i)}, int(s.Size))
		b = append(b, text...)
	}
	return fillIndex(b, 0x17, parts), b
}

func TestJoinedGolden(t *testing.T) {
	key, b := someJoined(Segment{First: 3, Last: 5, Size: 4}, Segment{First: 5, Last: 6, Size: 0}, Segment{First: 7, Last: 7, Size: 3})
	file := filepath.Join("testdata", "joined.golden")
	got := key + "\n" + hex.EncodeToString(b) + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || got != string(want) {
		t.Errorf("a joined object is\n%swant\n%s%v", got, want, err)
	}
	j, err := decodeJoined(b)
	if err != nil || j.key != key || j.epoch != 0x17 || len(j.parts) != 3 {
		t.Fatalf("read back: %+v, %v", j, err)
	}
	for i, want := range []string{"aaaa", "", "ccc"} {
		if p := j.parts[i]; string(p.sealed) != want || !p.whole() {
			t.Errorf("part %d: %+v", i, p)
		}
	}
	if p := j.part(Segment{First: 5, Last: 6}); p != &j.parts[1] || j.part(Segment{First: 5, Last: 5}) != nil {
		t.Errorf("entries 5 and 6 are in %+v", p)
	}
}

// Whatever byte of the index is another one, and wherever the object is cut off, it is noticed; a byte of a part spoils that part.
func TestJoinedDamage(t *testing.T) {
	key, b := someJoined(Segment{First: 3, Last: 5, Size: 40}, Segment{First: 5, Last: 6, Size: 30}, Segment{First: 7, Last: 7, Size: 20})
	for i := range b {
		hurt := bytes.Clone(b)
		hurt[i] ^= 0x10
		j, err := decodeJoined(hurt)
		if i >= indexSize(3) {
			bad := 0
			for k := range j.parts {
				if !j.parts[k].whole() {
					bad++
				}
			}
			if err != nil || j.key != key || bad != 1 {
				t.Errorf("byte %d: %d parts are damaged, %v", i, bad, err)
			}
		} else if err == nil || i > 0 && !errors.Is(err, ErrDamaged) {
			t.Errorf("byte %d: %v", i, err)
		}
		if _, err := decodeJoined(b[:i]); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut off at %d: %v", i, err)
		}
	}
	if _, err := decodeJoined(append(bytes.Clone(b), 0)); !errors.Is(err, ErrDamaged) {
		t.Errorf("one byte more: %v", err)
	}
}

// What no writer makes is refused although its checksum is right.
func TestJoinedRefuses(t *testing.T) {
	for what, parts := range map[string][]Segment{
		"a hole":            {{First: 1, Last: 2}, {First: 4, Last: 5}},
		"no order":          {{First: 1, Last: 9}, {First: 5, Last: 6}, {First: 4, Last: 9}},
		"twice the same":    {{First: 1, Last: 2}, {First: 1, Last: 2}},
		"entry 0":           {{First: 0, Last: 2}},
		"backwards":         {{First: 3, Last: 2}},
		"too many entries":  {{First: 1, Last: 2}, {First: 3, Last: MaxEntries + 1}},
		"more than numbers": {{First: 5, Last: 1<<64 - 1}, {First: 6, Last: 7}},
		"too many parts":    make([]Segment, maxParts+1),
	} {
		if what == "too many parts" {
			for i := range parts {
				parts[i] = Segment{First: uint64(i + 1), Last: uint64(i + 1)}
			}
		}
		_, b := someJoined(parts...)
		if _, err := decodeJoined(b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// FuzzDecodeJoined: nothing panics, and what decodes names its entries without a hole and uses every byte. right: the checksum of the
// index is made to match, or hardly anything would get past it.
func FuzzDecodeJoined(f *testing.F) {
	_, one := someJoined(Segment{First: 1, Last: 1, Size: 1})
	_, three := someJoined(Segment{First: 3, Last: 5, Size: 4}, Segment{First: 5, Last: 6, Size: 0}, Segment{First: 7, Last: 7, Size: 3})
	f.Add(one, false)
	f.Add(three, true)
	f.Fuzz(func(t *testing.T, b []byte, right bool) {
		if b = bytes.Clone(b); right && len(b) >= joinedHead {
			if end := indexSize(int(b[8])) - sha256.Size; end+sha256.Size <= len(b) {
				sum := sha256.Sum256(b[:end])
				copy(b[end:], sum[:])
			}
		}
		j, err := decodeJoined(b)
		if err != nil {
			return
		}
		s, ok := ParseSegment(j.key, int64(len(b)))
		if !ok || !s.Joined || s.Epoch != j.epoch {
			t.Fatalf("%q is no name: %+v", j.key, s)
		}
		size, last := indexSize(len(j.parts)), s.First-1
		for _, p := range j.parts {
			if p.first > last+1 || p.last < p.first || p.last > s.Last {
				t.Fatalf("%s has a part %d to %d", j.key, p.first, p.last)
			}
			size, last = size+len(p.sealed), max(last, p.last)
		}
		if size != len(b) || last != s.Last {
			t.Fatalf("%s: %d bytes of %d, entries up to %d", j.key, size, len(b), last)
		}
	})
}
