package kernel

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/ids"
)

func tag(b byte) [8]byte { return [8]byte{b, b, b, b, b, b, b, b} }

// decided replays names onto an empty row, each with the tag of its n, verdict OK and seq 100+n.
func decided(upTo uint64) *nameRow {
	r := &nameRow{}
	for n := uint64(1); n <= upTo; n++ {
		name := &Name{N: n, Tag: tag(byte(n)), Base: 1}
		if s := r.look(name); !s.decide {
			panic(fmt.Sprint("not next: ", n))
		}
		r.record(name, Verdict{OK, 100 + n})
	}
	return r
}

// TestNameRules has a row per rule of docs/formats.md, "Names of commands".
func TestNameRules(t *testing.T) {
	for _, c := range []struct {
		rule string
		row  *nameRow
		name Name
		want standing
		last uint64 // in memory after the look
	}{
		{"the first of a new outbox", &nameRow{}, Name{N: 1, Tag: tag(1), Base: 1}, standing{decide: true}, 0},
		{"n = last+1 is decided", decided(3), Name{N: 4, Tag: tag(4), Base: 1}, standing{decide: true}, 3},
		{"n <= last in the ring: the recorded verdict", decided(3), Name{N: 2, Tag: tag(2), Base: 1}, standing{verdict: Verdict{OK, 102}, repeated: true, last: 3}, 3},
		{"n = last: the recorded verdict", decided(3), Name{N: 3, Tag: tag(3), Base: 3}, standing{verdict: Verdict{OK, 103}, repeated: true, last: 3}, 3},
		{"the oldest of a full ring", decided(20), Name{N: 5, Tag: tag(5), Base: 5}, standing{verdict: Verdict{OK, 105}, repeated: true, last: 20}, 20},
		{"fallen out of the ring: already in", decided(20), Name{N: 4, Tag: tag(4), Base: 4}, standing{verdict: Verdict{Code: AlreadyIn}, repeated: true, last: 20}, 20},
		{"fallen out: the tag cannot be told any more", decided(20), Name{N: 4, Tag: tag(99), Base: 4}, standing{verdict: Verdict{Code: AlreadyIn}, repeated: true, last: 20}, 20},
		{"another tag: the id is reused", decided(3), Name{N: 2, Tag: tag(9), Base: 2}, standing{verdict: Verdict{Code: IDReused}, last: 3}, 3},
		{"n > last+1: expected", decided(3), Name{N: 5, Tag: tag(5), Base: 4}, standing{verdict: Verdict{Code: Expected}, last: 3}, 3},
		{"base settles what is below it", decided(3), Name{N: 9, Tag: tag(9), Base: 9}, standing{decide: true}, 8},
		{"base jumps, but n is further", decided(3), Name{N: 10, Tag: tag(10), Base: 8}, standing{verdict: Verdict{Code: Expected}, last: 7}, 7},
		{"base below last changes nothing", decided(5), Name{N: 6, Tag: tag(6), Base: 2}, standing{decide: true}, 5},
		{"base 0 is no base", decided(5), Name{N: 6, Tag: tag(6)}, standing{decide: true}, 5},
		{"settled by base, never decided", jumped(decided(3), 9), Name{N: 6, Tag: tag(6), Base: 6}, standing{verdict: Verdict{Code: AlreadyIn}, repeated: true, last: 9}, 9},
		{"before a jump, still in the ring", jumped(decided(3), 9), Name{N: 3, Tag: tag(3), Base: 3}, standing{verdict: Verdict{OK, 103}, repeated: true, last: 9}, 9},
		{"n = 0 is nobody's", decided(3), Name{N: 0, Tag: tag(0)}, standing{verdict: Verdict{Code: AlreadyIn}, repeated: true, last: 3}, 3},
		{"n = 0 of a new outbox", &nameRow{}, Name{N: 0}, standing{verdict: Verdict{Code: AlreadyIn}, repeated: true}, 0},
		{"the largest n", jumped(&nameRow{}, math.MaxUint64-1), Name{N: math.MaxUint64, Tag: tag(1), Base: 1}, standing{decide: true}, math.MaxUint64 - 1},
		{"after the largest n comes nothing", jumped(&nameRow{}, math.MaxUint64), Name{N: 0}, standing{verdict: Verdict{Code: AlreadyIn}, repeated: true, last: math.MaxUint64}, math.MaxUint64},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if got := c.row.look(&c.name); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if c.row.last != c.last {
				t.Errorf("last is %d, want %d", c.row.last, c.last)
			}
		})
	}
}

func jumped(r *nameRow, n uint64) *nameRow {
	name := &Name{N: n, Tag: tag(byte(n)), Base: n}
	if s := r.look(name); !s.decide {
		panic("not next")
	}
	r.record(name, Verdict{OK, 100 + n})
	return r
}

func TestNameRowKeepsTheLastSixteen(t *testing.T) {
	r := decided(40)
	if len(r.ring) != ringSize || r.ring[0].n != 25 || r.ring[ringSize-1].n != 40 || cap(r.ring) > 2*ringSize {
		t.Errorf("%d verdicts from %d to %d, room for %d", len(r.ring), r.ring[0].n, r.ring[len(r.ring)-1].n, cap(r.ring))
	}
}

func sampleNameRows() []nameRow {
	big := nameRow{last: math.MaxUint64, ring: []ringItem{
		{0, Verdict{OK, 1}, tag(1)}, {math.MaxUint64, Verdict{Invalid, math.MaxUint64}, tag(0xff)},
	}}
	return []nameRow{
		{}, *decided(1), *decided(40), *jumped(decided(3), 900), big,
		{last: 7, ring: []ringItem{{6, Verdict{Skipped, 0}, tag(6)}, {7, Verdict{Internal, 0}, tag(7)}}},
	}
}

func TestNameRowGolden(t *testing.T) {
	var b strings.Builder
	var d ids.Device
	for i := range d {
		d[i] = byte(0xd0 + i)
	}
	scope := bytes.Repeat([]byte{0x5c}, 16)
	fmt.Fprintf(&b, "key %x\n", nameKey(nil, d, scope))
	for _, r := range sampleNameRows() {
		fmt.Fprintf(&b, "last=%d", r.last)
		for _, it := range r.ring {
			fmt.Fprintf(&b, " %d:%d/%d", it.n, uint16(it.verdict.Code), it.verdict.Seq)
		}
		raw := r.encode(nil)
		fmt.Fprintf(&b, "\n  %x\n", raw)
		var got nameRow
		if err := got.decode(raw); err != nil || got.last != r.last || len(got.ring) != len(r.ring) || len(r.ring) > 0 && !reflect.DeepEqual(got.ring, r.ring) {
			t.Errorf("%+v came back as %+v, %v", r, got, err)
		}
	}
	golden(t, "namerow.golden", b.String())
}

func TestNameRowRefused(t *testing.T) {
	whole := decided(3).encode(nil)
	var r nameRow
	for i := 1; i < len(whole); i++ {
		if r.decode(whole[:i]) == nil {
			t.Errorf("cut at %d was taken", i)
		}
	}
	for what, change := range map[string]func([]byte) []byte{
		"another version": func(b []byte) []byte { b[0] = 2; return b },
		"seventeen":       func(b []byte) []byte { b[9] = 17; return b },
		"one byte more":   func(b []byte) []byte { return append(b, 0) },
		"n below zero":    func(b []byte) []byte { b[10] = 4; return b },
	} {
		if r.decode(change(bytes.Clone(whole))) == nil {
			t.Errorf("%s was taken", what)
		}
	}
}

func FuzzNameRow(f *testing.F) {
	for _, r := range sampleNameRows() {
		f.Add(r.encode(nil), uint64(5), uint64(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, n, base uint64) {
		var r nameRow
		if r.decode(b) != nil {
			return
		}
		again := r.encode(nil)
		var r2 nameRow
		if err := r2.decode(again); err != nil {
			t.Fatalf("%x was encoded as %x: %v", b, again, err)
		}
		if third := r2.encode(nil); !bytes.Equal(again, third) {
			t.Fatalf("%x then %x", again, third)
		}
		// Whatever a client asks next, what is recorded can be read back and the same name is then answered from it.
		name := &Name{N: n, Base: base, Tag: tag(1)}
		if !r.look(name).decide {
			return
		}
		r.record(name, Verdict{OK, n})
		if err := r2.decode(r.encode(nil)); err != nil {
			t.Fatalf("after n=%d base=%d: %v", n, base, err)
		}
		if s := r2.look(name); s.decide || !s.repeated {
			t.Fatalf("n=%d was decided and then %+v", n, s)
		}
	})
}

// BenchmarkNameRow is the kernel's own work per named command: decode, look, record, encode.
func BenchmarkNameRow(b *testing.B) {
	stored := decided(16).encode(nil)
	var r nameRow
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.decode(stored); err != nil {
			b.Fatal(err)
		}
		name := Name{N: 17, Tag: tag(17), Base: 10}
		if !r.look(&name).decide {
			b.Fatal("not next")
		}
		r.record(&name, Verdict{OK, 1234567})
		buf = r.encode(buf[:0])
	}
}
