package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

func position(epoch uint32, n uint64) kernel.Position { return kernel.Position{Epoch: epoch, N: n} }

// put writes a segment whose entries have the times at+n.
func put(t *testing.T, tg Target, epoch uint32, prev kernel.Position, first, last, at uint64) {
	t.Helper()
	if _, err := PutSegment(t.Context(), tg, sealer(t), content(epoch, prev, first, last, at)); err != nil {
		t.Fatal(err)
	}
}

// mark writes a checkpoint's manifest and something in the place of its views.
func mark(t *testing.T, tg Target, epoch uint32, n, at uint64) {
	t.Helper()
	c := Checkpoint{position(epoch, n)}
	b, err := json.Marshal(kernel.Manifest{Format: 1, Cell: "0001", Epoch: epoch, N: n, TimeMs: at})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{viewsName: []byte("views"), kernel.ManifestName: b} {
		if err := tg.Put(t.Context(), c.dir()+name, bytes.NewReader(b), int64(len(b))); err != nil {
			t.Fatal(err)
		}
	}
}

// said writes a plan down, with the segments that are read for it.
func said(t *testing.T, tg Target, p *Plan) string {
	t.Helper()
	var b strings.Builder
	next := uint64(1)
	if p.Base == nil {
		b.WriteString("nothing")
	} else {
		b.WriteString(p.Base.Pos.String())
		next = p.Base.Pos.N + 1
	}
	for _, s := range p.Steps {
		fmt.Fprintf(&b, " | %d after %s to %d:", s.Epoch, s.Prev, s.To)
		for r := NewReader(tg, &Opener{}, s.Epoch); s.To == 0 || next <= s.To; {
			c, err := r.Next(t.Context(), next)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, " %d-%d", c.First, c.Last)
			next = c.Last + 1
		}
		next = 1
	}
	return b.String()
}

// TestPlan: three epochs. The second was cut off the first at 8, of which 9 and 10 are a lost future; the third has no checkpoint.
func TestPlan(t *testing.T) {
	onBoth(t, func(t *testing.T, tg Target) {
		put(t, tg, 5, position(0, 0), 1, 4, 1000)
		put(t, tg, 5, position(0, 0), 5, 10, 1000)
		mark(t, tg, 5, 6, 1006)
		put(t, tg, 7, position(5, 8), 1, 3, 2000)
		mark(t, tg, 7, 2, 2002)
		put(t, tg, 7, position(5, 8), 3, 6, 2000) // another writer's: 3 is in both
		mark(t, tg, 7, 5, 2005)
		put(t, tg, 9, position(7, 6), 1, 2, 3000)
		cases := []struct {
			at   uint64
			all  bool
			want string
		}{
			{0, false, "7:5 | 7 after 0:0 to 6: 3-6 | 9 after 7:6 to 0: 1-2"},
			{3001, false, "7:5 | 7 after 0:0 to 6: 3-6 | 9 after 7:6 to 0: 1-2"},
			{3000, false, "7:5 | 7 after 0:0 to 0: 3-6"},
			{2004, false, "7:2 | 7 after 0:0 to 0: 1-3 3-6"},
			{2001, false, "5:6 | 5 after 0:0 to 8: 5-10 | 7 after 5:8 to 0: 1-3 3-6"},
			{2000, false, "5:6 | 5 after 0:0 to 0: 5-10"},
			{1003, false, "nothing | 5 after 0:0 to 0: 1-4 5-10"},
			{1000, false, "does not go back"},
			{0, true, "nothing | 5 after 0:0 to 8: 1-4 5-10 | 7 after 5:8 to 6: 1-3 3-6 | 9 after 7:6 to 0: 1-2"},
		}
		check := func() {
			for _, c := range cases {
				p, err := MakePlan(t.Context(), tg, &Opener{}, c.at, c.all)
				got := fmt.Sprint(err)
				if err == nil {
					got = said(t, tg, p)
					if p.Newest != 9 || p.Cell != "0001" {
						t.Errorf("at %d: the newest epoch is %d, the cell %s", c.at, p.Newest, p.Cell)
					}
				}
				if got != c.want && (err == nil || !strings.Contains(got, c.want)) {
					t.Errorf("at %d, %v: %s\nwant %s", c.at, c.all, got, c.want)
				}
			}
		}
		check()
		for _, epoch := range []uint32{5, 7, 9} {
			if err := joinAll(t, tg, epoch, 11); err != nil {
				t.Fatal(err)
			}
		}
		if got := keys(t, tg, logPrefix, "", 100); len(got) != 3 {
			t.Errorf("joined: %q", got)
		}
		check()
		for near, want := range map[uint64]uint64{0: 6, 3: 6, 6: 6} {
			if last, err := Last(t.Context(), tg, 7, near); err != nil || last != want {
				t.Errorf("near %d: %d, %v", near, last, err)
			}
		}

		// Only what an epoch of before would give is missing: there is nothing to begin with.
		for _, key := range keys(t, tg, "", "", 1000) {
			if !strings.Contains(key, "/00000009") {
				if err := tg.Delete(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := MakePlan(t.Context(), tg, &Opener{}, 0, false); err == nil || !strings.Contains(err.Error(), "does not go back that far") {
			t.Errorf("without an epoch: %v", err)
		}
	})
}

// TestPrune: what is older than the oldest checkpoint that is kept goes; the newest one stays whatever its age.
func TestPrune(t *testing.T) {
	onBoth(t, func(t *testing.T, tg Target) {
		put(t, tg, 5, position(0, 0), 1, 4, 1000)
		mark(t, tg, 5, 2, 1002)
		put(t, tg, 7, position(5, 3), 1, 3, 2000)
		mark(t, tg, 7, 2, 2002)
		put(t, tg, 7, position(5, 3), 4, 6, 2000)
		mark(t, tg, 7, 4, 2004)
		put(t, tg, 7, position(5, 3), 7, 9, 2000)
		mark(t, tg, 7, 8, 2008)
		for _, c := range []struct {
			keep time.Duration
			want []string
		}{
			{1006, []string{SegmentKey(5, 1, 4), SegmentKey(7, 1, 3), SegmentKey(7, 4, 6), SegmentKey(7, 7, 9), "2", "2", "4", "8"}},
			{5, []string{SegmentKey(7, 4, 6), SegmentKey(7, 7, 9), "4", "8"}},
			{0, []string{SegmentKey(7, 7, 9), "8"}},
		} {
			if err := Prune(t.Context(), tg, c.keep*time.Millisecond); err != nil {
				t.Fatal(err)
			}
			got := keys(t, tg, "log/", "", 100)
			list, err := Checkpoints(t.Context(), tg)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range list {
				got = append(got, fmt.Sprint(one.Pos.N))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("kept for %d ms: %q, want %q", c.keep, got, c.want)
			}
			if n := len(keys(t, tg, checkpointPrefix, "", 100)); n != 2*len(list) {
				t.Errorf("%d objects of %d checkpoints", n, len(list))
			}
		}
	})
}

// TestPruneAfterAJump: log time that jumped by years makes nothing old that was not.
func TestPruneAfterAJump(t *testing.T) {
	tg := open(t, Location{To: filepath.Join(t.TempDir(), "archive")})
	day := uint64(24 * time.Hour / time.Millisecond)
	times := []uint64{day, 2 * day, 3 * day, 1003 * day, 1004 * day}
	for i, at := range times {
		put(t, tg, 5, position(0, 0), uint64(i*10+1), uint64(i*10+10), at)
		mark(t, tg, 5, uint64(i*10+5), at)
	}
	left := func(keep time.Duration) (n int) {
		t.Helper()
		if err := Prune(t.Context(), tg, keep); err != nil {
			t.Fatal(err)
		}
		list, err := Checkpoints(t.Context(), tg)
		if err != nil || len(keys(t, tg, "log/", "", 100)) != len(list) {
			t.Errorf("%d checkpoints, %v", len(list), err)
		}
		return len(list)
	}
	if n := left(5 * 24 * time.Hour); n != 5 {
		t.Errorf("kept for 5 days: %d of 5 are left", n)
	}
	if n := left(4 * 24 * time.Hour); n != 4 {
		t.Errorf("kept for 4 days: %d are left, want 4", n)
	}
}

// TestPruneParts: views without a manifest go, except those that may be under way.
func TestPruneParts(t *testing.T) {
	onBoth(t, func(t *testing.T, tg Target) {
		mark(t, tg, 5, 20, 2000)
		mark(t, tg, 5, 30, 3000)
		for _, n := range []uint64{10, 25, 40} {
			if err := tg.Put(t.Context(), Checkpoint{position(5, n)}.dir()+viewsName, strings.NewReader("x"), 1); err != nil {
				t.Fatal(err)
			}
		}
		if err := Prune(t.Context(), tg, time.Hour); err != nil {
			t.Fatal(err)
		}
		got := keys(t, tg, checkpointPrefix, "", 100)
		if len(got) != 6 || slices.Contains(got, Checkpoint{position(5, 10)}.dir()+viewsName) {
			t.Errorf("left: %q", got)
		}
	})
}
