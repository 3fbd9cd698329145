package inspect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// viewOf makes a view whose rows are numbered; change may write more.
func viewOf(t *testing.T, rows int, change func(b kernel.Batch)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "view")
	s, err := kernel.OpenPebble(dir, kernel.PebbleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := s.Begin()
	for i := range rows {
		b.Set(binary.BigEndian.AppendUint32([]byte("m"), uint32(i)), []byte{1, byte(i)})
	}
	if change != nil {
		change(b)
	}
	if err := errors.Join(b.Commit(), s.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestDiff compares over the edges of the stretches that are read at once.
func TestDiff(t *testing.T) {
	const rows = 2500
	a := viewOf(t, rows, nil)
	for what, c := range map[string]struct {
		change func(b kernel.Batch)
		differ int
	}{
		"nothing": {nil, 0},
		"epochs":  {func(b kernel.Batch) { b.Set([]byte("e\x00\x00\x00\x01"), []byte{1}) }, 0},
		"first":   {func(b kernel.Batch) { b.Delete([]byte("m\x00\x00\x00\x00")) }, 1},
		"last":    {func(b kernel.Batch) { b.Set([]byte("z"), nil) }, 1},
		"edges": {func(b kernel.Batch) {
			for _, i := range []uint32{999, 1000, 1001, 1999, 2000, 2499} {
				b.Set(binary.BigEndian.AppendUint32([]byte("m"), i), []byte("another"))
			}
		}, 6},
		"many more": {func(b kernel.Batch) {
			for i := range 1500 {
				b.Set(binary.BigEndian.AppendUint32([]byte("n"), uint32(i)), nil)
			}
		}, 1500},
	} {
		t.Run(what, func(t *testing.T) {
			b := viewOf(t, rows, c.change)
			for _, pair := range [][2]string{{a, b}, {b, a}} {
				var out strings.Builder
				err := Diff(&out, DiffOptions{A: pair[0], B: pair[1]})
				want := "\nequal\n"
				if c.differ > 0 {
					want = fmt.Sprintf("\n%d rows differ\n", c.differ)
				}
				if !strings.HasSuffix(out.String(), want) || (c.differ > 0) != errors.Is(err, ErrDiffer) {
					t.Errorf("%v; wanted %q:\n%s", err, want, out.String())
				}
				if n := strings.Count(out.String(), "\n"); n > 2+50+1 {
					t.Errorf("%d lines", n)
				}
			}
		})
	}
}

func TestDiffNoView(t *testing.T) {
	a := viewOf(t, 1, nil)
	for what, err := range map[string]error{
		"nothing": Diff(&strings.Builder{}, DiffOptions{A: a, B: filepath.Join(t.TempDir(), "x")}),
		"no hex":  Diff(&strings.Builder{}, DiffOptions{A: a, B: a, Key: "하나"}),
	} {
		if err == nil || errors.Is(err, ErrDiffer) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
