package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// joinedEnd is the last entry of what fill writes, joinedAt the time of entry 0.
const (
	joinedEnd = 20
	joinedAt  = 1000
)

// fill writes an epoch: segments of two writers, which overlap.
func fill(t *testing.T, tg Target, s *Sealer, epoch uint32, prev kernel.Position) {
	t.Helper()
	for _, g := range [][2]uint64{{1, 4}, {1, 6}, {5, 8}, {7, 7}, {9, 9}, {10, 14}, {12, 16}, {17, 18}, {19, joinedEnd}} {
		if _, err := PutSegment(t.Context(), tg, s, content(epoch, prev, g[0], g[1], joinedAt)); err != nil {
			t.Fatal(err)
		}
	}
}

// wantAll holds what is read of an epoch, from one entry on, against what was written.
func wantAll(t *testing.T, tg Target, o *Opener, epoch uint32, from uint64) {
	t.Helper()
	got, damaged, err := readAll(t, tg, o, epoch, from)
	if err != nil || len(damaged) > 0 || !slices.EqualFunc(got, someEntries(epoch, from, joinedEnd, joinedAt), bytes.Equal) {
		t.Errorf("%d entries came back of %d: %v %v", len(got), joinedEnd-from+1, damaged, err)
	}
}

// wantPlan holds what is found and planned against what was written: one epoch from its beginning.
func wantPlan(t *testing.T, tg Target, epoch uint32) {
	t.Helper()
	if last, err := Last(t.Context(), tg, epoch, 3); last != joinedEnd || err != nil {
		t.Errorf("the last entry is %d, %v", last, err)
	}
	p, err := MakePlan(t.Context(), tg, &Opener{}, 0, false)
	if err != nil || p.Base != nil || len(p.Steps) != 1 || p.Steps[0].Epoch != epoch || p.Cell != "0001" {
		t.Errorf("planned: %+v, %v", p, err)
	}
}

// TestJoin: nobody who joins has a key. What was joined is read as before; the end of the log stays as it is.
func TestJoin(t *testing.T) {
	onBoth(t, func(t *testing.T, tg Target) {
		file, recipient := key(t)
		fill(t, tg, sealer(t, recipient), 7, kernel.Position{})
		if err := joinAll(t, tg, 7, 14); err != nil {
			t.Fatal(err)
		}
		got := keys(t, tg, "log/", "", 100)
		if len(got) != 5 || !strings.HasPrefix(got[0], strings.TrimSuffix(SegmentKey(7, 1, 9), ".seg")) || got[1] != SegmentKey(7, 10, 14) {
			t.Errorf("joined before 14: %q", got)
		}
		wantAll(t, tg, opener(t, file), 7, 1)
		if err := joinAll(t, tg, 7, joinedEnd); err != nil {
			t.Fatal(err)
		}
		got = keys(t, tg, "log/", "", 100)
		if len(got) != 3 || !strings.HasSuffix(got[0], ".joined") || !strings.HasSuffix(got[1], ".joined") || got[2] != SegmentKey(7, 19, joinedEnd) {
			t.Errorf("joined: %q", got)
		}
		for from := range uint64(joinedEnd) {
			wantAll(t, tg, opener(t, file), 7, from+1)
		}
		if _, _, err := readAll(t, tg, &Opener{}, 7, 1); !errors.Is(err, ErrLocked) {
			t.Errorf("without a key: %v", err)
		}
		if last, err := Last(t.Context(), tg, 7, joinedEnd); last != joinedEnd || err != nil {
			t.Errorf("the last entry is %d, %v", last, err)
		}
		// Nothing is left to do, and what is alone stays alone.
		if went, _, err := Join(t.Context(), tg, 7, 0, joinedEnd+1); went != 0 || err != nil {
			t.Errorf("once more: %d, %v", went, err)
		}
	})
}

// TestNextGroup: what bounds a joined object.
func TestNextGroup(t *testing.T) {
	seg := func(first, last uint64, size int64) Segment { return Segment{First: first, Last: last, Size: size} }
	many := make([]Segment, maxParts+5)
	for i := range many {
		many[i] = seg(uint64(i+1), uint64(i+1), 100)
	}
	for what, c := range map[string]struct {
		small      []Segment
		first, num int
	}{
		"nothing":                         {nil, 0, 0},
		"one":                             {many[:1], 0, 1},
		"up to a hole":                    {[]Segment{seg(1, 2, 1), seg(3, 4, 1), seg(6, 7, 1)}, 0, 2},
		"behind one that is alone":        {[]Segment{seg(1, 2, 1), seg(4, 4, 1), seg(5, 7, 1)}, 1, 2},
		"one over others":                 {[]Segment{seg(1, 9, 1), seg(2, 3, 1), seg(10, 11, 1)}, 0, 3},
		"a joined object in between":      {[]Segment{seg(1, 2, 1), seg(50, 52, 1), seg(53, 54, 1)}, 1, 2},
		"as many parts as fit":            {many, 0, maxParts},
		"as many bytes as fit":            {[]Segment{seg(1, 2, MaxJoined/2), seg(3, 4, MaxJoined/2-1000), seg(5, 6, 1000)}, 0, 2},
		"as many entries as fit":          {[]Segment{seg(1, 40000, 1), seg(40001, MaxEntries, 1), seg(MaxEntries+1, MaxEntries+2, 1)}, 0, 2},
		"one that is too large":           {[]Segment{seg(1, 2, MaxJoined), seg(3, 4, 1), seg(5, 5, 1)}, 1, 2},
		"alone, because the next is full": {[]Segment{seg(1, 9, 1), seg(10, MaxEntries+5, 1), seg(MaxEntries+6, MaxEntries+7, 1)}, 1, 2},
	} {
		group := nextGroup(c.small)
		if len(group) != c.num || c.num > 0 && group[0] != c.small[c.first] {
			t.Errorf("%s: %d, %+v", what, len(group), group)
		}
	}
}

var errKilled = errors.New("killed")

// killed is somebody who ends before or after the k-th step.
func killed(k int) func() error {
	n := 0
	return func() error {
		if n++; n >= k {
			return errKilled
		}
		return nil
	}
}

// TestJoinKilled kills a joining between every two steps of it. Everything is there then, and the next one leaves what one that was
// never killed leaves.
func TestJoinKilled(t *testing.T) {
	whole := newMemory()
	fill(t, whole, sealer(t), 7, kernel.Position{})
	most := 0
	for k := 1; ; k++ {
		tg := whole.copied()
		err := joinAll(t, tg.hooked(false, killed(k)), 7, joinedEnd)
		if err != nil && !errors.Is(err, errKilled) {
			t.Fatalf("step %d: %v", k, err)
		}
		wantAll(t, tg, &Opener{}, 7, 1)
		wantPlan(t, tg, 7)
		if err := joinAll(t, tg, 7, joinedEnd); err != nil {
			t.Fatal(err)
		}
		wantAll(t, tg, &Opener{}, 7, 1)
		if small := tg.count(".seg"); small != 1 {
			t.Errorf("step %d: %d segments are left", k, small)
		}
		most = max(most, tg.count(".joined"))
		if err == nil {
			if k < 40 {
				t.Errorf("only %d steps", k)
			}
			break
		}
	}
	if most != 1 {
		t.Errorf("up to %d joined objects were left where one is enough", most)
	}
}

// somewhere calls fn at the k-th step, once.
func somewhere(k int, fn func()) func() error {
	n := 0
	return func() error {
		if n++; n == k {
			fn()
		}
		return nil
	}
}

// beside runs one thing again and again, and another one as a whole at every step of it, one after the other, until there are no
// more steps. both is for a list that looks again, and for one that does not.
func beside(t *testing.T, whole *memory, one func(tg *memory), other func(tg *memory)) {
	t.Helper()
	for _, pages := range []bool{false, true} {
		for k := 1; ; k++ {
			tg := whole.copied()
			came := false
			one(tg.hooked(pages, somewhere(k, func() { came = true; other(tg) })))
			if t.Failed() {
				t.Fatalf("at step %d, pages: %v", k, pages)
			}
			if !came {
				if k < 10 {
					t.Errorf("only %d steps", k)
				}
				break
			}
		}
	}
}

// TestReadWhileJoined: at every step of a reader everything is joined.
func TestReadWhileJoined(t *testing.T) {
	whole := newMemory()
	fill(t, whole, sealer(t), 7, kernel.Position{})
	joins := func(tg *memory) {
		if err := joinAll(t, tg, 7, joinedEnd); err != nil {
			t.Error(err)
		}
	}
	beside(t, whole, func(tg *memory) { wantAll(t, tg, &Opener{}, 7, 1) }, joins)
	beside(t, whole, func(tg *memory) { wantPlan(t, tg, 7) }, joins)
	// One object at every step, without a pause.
	for _, pages := range []bool{false, true} {
		tg := whole.copied()
		end := uint64(0)
		wantAll(t, tg.hooked(pages, func() error {
			end = min(end+1, joinedEnd)
			return joinAll(t, tg, 7, end)
		}), &Opener{}, 7, 1)
	}
}

// TestJoinTwice: a leader that was cut off goes on joining while the next one does, between every two steps; neither waits for the
// other, and they may see different ends.
func TestJoinTwice(t *testing.T) {
	whole := newMemory()
	fill(t, whole, sealer(t), 7, kernel.Position{})
	for _, ends := range [][2]uint64{{joinedEnd, joinedEnd}, {joinedEnd, 14}, {14, joinedEnd}} {
		beside(t, whole, func(tg *memory) {
			if err := joinAll(t, tg, 7, ends[0]); err != nil && !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
			tg.hook = nil
			wantAll(t, tg, &Opener{}, 7, 1)
			wantPlan(t, tg, 7)
			if err := joinAll(t, tg, 7, joinedEnd); err != nil || tg.count(".seg") != 1 {
				t.Errorf("%d segments are left, %v", tg.count(".seg"), err)
			}
			wantAll(t, tg, &Opener{}, 7, 1)
		}, func(tg *memory) {
			if err := joinAll(t, tg, 7, ends[1]); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPruneWhileJoined: what is kept is there, whether joining or deleting comes in between.
func TestPruneWhileJoined(t *testing.T) {
	whole := newMemory()
	fill(t, whole, sealer(t), 7, kernel.Position{})
	mark(t, whole, 7, 3, joinedAt+3)
	mark(t, whole, 7, 9, joinedAt+9)
	mark(t, whole, 7, 18, joinedAt+18)
	joins := func(tg *memory) {
		if err := joinAll(t, tg, 7, joinedEnd); err != nil && !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
	}
	prunes := func(tg *memory) {
		if err := Prune(t.Context(), tg, 9*time.Millisecond); err != nil {
			t.Error(err)
		}
	}
	kept := func(tg *memory) {
		tg.hook = nil
		wantAll(t, tg, &Opener{}, 7, 10)
		if p, err := MakePlan(t.Context(), tg, &Opener{}, joinedAt+12, false); err != nil || p.Base == nil || p.Base.Pos.N != 9 {
			t.Errorf("planned: %+v, %v", p, err)
		}
	}
	beside(t, whole, func(tg *memory) { joins(tg); kept(tg) }, prunes)
	beside(t, whole, func(tg *memory) { prunes(tg); kept(tg) }, joins)

	// A joined object goes with its last entry.
	tg := whole.copied()
	if err := errors.Join(joinAll(t, tg, 7, 10), joinAll(t, tg, 7, joinedEnd)); err != nil {
		t.Fatal(err)
	}
	prunes(tg)
	if tg.count(".joined") != 1 || tg.count(".seg") != 1 {
		t.Errorf("left: %q", keys(t, tg, "log/", "", 100))
	}
	kept(tg)
}

// TestReadDamaged: a damaged part spoils its own entries and is named; a damaged index all of them; and neither anything while another
// object has them.
func TestReadDamaged(t *testing.T) {
	small := newMemory()
	for n := uint64(1); n <= joinedEnd; n += 4 {
		put(t, small, 7, kernel.Position{}, n, n+3, joinedAt)
	}
	whole := small.copied()
	if err := joinAll(t, whole, 7, joinedEnd); err != nil || whole.count(".joined") != 1 {
		t.Fatal(err)
	}
	name := keys(t, whole, "log/", "", 1)[0]
	j, err := decodeJoined(whole.all[name])
	if err != nil || len(j.parts) != 4 {
		t.Fatalf("%+v, %v", j, err)
	}
	for _, c := range []struct {
		at       int
		from, to uint64
	}{{3, 1, 16}, {len(whole.all[name]) - 1, 13, 16}, {indexSize(4) + len(j.parts[0].sealed), 5, 8}} {
		tg := whole.copied()
		tg.all[name] = bytes.Clone(whole.all[name])
		tg.all[name][c.at] ^= 1
		r := NewReader(tg, &Opener{}, 7)
		for n := uint64(1); n <= joinedEnd; {
			got, err := r.Next(t.Context(), n)
			var lost *Lost
			switch {
			case n == c.from && errors.As(err, &lost):
				if lost.From != c.from || lost.To != c.to || lost.Key != name || !errors.Is(err, ErrDamaged) || len(r.Damaged()) != 1 {
					t.Errorf("byte %d: %+v", c.at, lost)
				}
				n = lost.To + 1
			case err != nil || n >= c.from && n <= c.to:
				t.Fatalf("byte %d: entry %d is read as %+v, %v", c.at, n, got, err)
			default:
				n = got.Last + 1
			}
		}
		for key, b := range small.all { // as it is when the one who joined was killed
			tg.all[key] = b
		}
		got, damaged, err := readAll(t, tg, &Opener{}, 7, 1)
		if err != nil || len(got) != joinedEnd || len(damaged) != 1 || damaged[0].Key != name || damaged[0].From != c.from || damaged[0].To != c.to {
			t.Errorf("byte %d, beside the segments: %d entries, %v, %v", c.at, len(got), damaged, err)
		}
		// Who joins next trusts nothing that is damaged, and writes it again.
		if err := joinAll(t, tg, 7, joinedEnd); err != nil {
			t.Fatal(err)
		}
		wantAll(t, tg, &Opener{}, 7, 1)
	}
}

// flaky is an archive that lets go of every object the first time, and of those in never every time.
type flaky struct {
	*memory
	gone, never map[string]bool
}

func (f *flaky) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if !f.gone[key] || f.never[key] {
		f.gone[key] = true
		return nil, errors.New("the connection was lost")
	}
	return f.memory.Get(ctx, key)
}

// TestReadFlaky: what cannot be read at first is read again; what never can is named, and is no damage.
func TestReadFlaky(t *testing.T) {
	whole := newMemory()
	fill(t, whole, sealer(t), 7, kernel.Position{})
	if err := joinAll(t, whole, 7, 14); err != nil {
		t.Fatal(err)
	}
	wantAll(t, &flaky{whole, map[string]bool{}, nil}, &Opener{}, 7, 1)
	name := SegmentKey(7, 17, 18)
	got, damaged, err := readAll(t, &flaky{whole, map[string]bool{}, map[string]bool{name: true}}, &Opener{}, 7, 1)
	var lost *Lost
	if !errors.As(err, &lost) || errors.Is(err, ErrDamaged) || lost.Key != name || lost.From != 17 || lost.To != 18 || len(damaged) != 1 || len(got) != 16 {
		t.Errorf("%d entries, %v, then %v", len(got), damaged, err)
	}
}

// TestReadFlakyWhileJoined: everything is joined at some step of a reader, and every object fails when it is first read.
func TestReadFlakyWhileJoined(t *testing.T) {
	whole := newMemory()
	fill(t, whole, sealer(t), 7, kernel.Position{})
	for at := range 80 {
		tg, steps := whole.copied(), 0
		seen := tg.hooked(false, func() error {
			if steps++; steps != at {
				return nil
			}
			return joinAll(t, tg, 7, joinedEnd)
		})
		wantAll(t, &flaky{seen, map[string]bool{}, nil}, &Opener{}, 7, 1)
	}
}

// TestReadHole: what is missing is said, at once and after joining.
func TestReadHole(t *testing.T) {
	tg := newMemory()
	for _, g := range [][2]uint64{{1, 2}, {3, 4}, {8, 9}, {10, 11}, {12, 12}} {
		put(t, tg, 7, kernel.Position{}, g[0], g[1], joinedAt)
	}
	for range 2 {
		got, _, err := readAll(t, tg, &Opener{}, 7, 1)
		var lost *Lost
		if !errors.As(err, &lost) || lost.From != 5 || lost.To != 7 || lost.Key != "" || len(got) != 4 {
			t.Errorf("%d entries, then %v", len(got), err)
		}
		if got, _, err := readAll(t, tg, &Opener{}, 7, 8); err != nil || len(got) != 5 {
			t.Errorf("%d entries behind it, %v", len(got), err)
		}
		if err := joinAll(t, tg, 7, 12); err != nil {
			t.Fatal(err)
		}
	}
	if tg.count(".joined") != 2 {
		t.Errorf("a joined object is over a hole: %q", keys(t, tg, "log/", "", 100))
	}
}
