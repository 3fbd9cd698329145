package lan

import (
	"strings"
	"testing"
)

// modules reads a drawn code back: true is dark.
func modules(t *testing.T, drawn string) (m [][]bool) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(drawn, "\n"), "\n") {
		line, ok1 := strings.CutPrefix(line, "  "+blackOnWhite)
		line, ok2 := strings.CutSuffix(line, ownColours)
		if !ok1 || !ok2 {
			t.Fatalf("a line without its colours: %q", line)
		}
		var up, down []bool
		for _, r := range line {
			up, down = append(up, r == '▀' || r == '█'), append(down, r == '▄' || r == '█')
		}
		m = append(m, up, down)
	}
	return m
}

func TestQR(t *testing.T) {
	drawn, err := QR("https://192.168.0.10:8443")
	if err != nil {
		t.Fatal(err)
	}
	m := modules(t, drawn)
	size := len(m[0]) - 2*quiet
	for y, row := range m {
		for x, dark := range row {
			if edge := x < quiet || y < quiet || x >= size+quiet || y >= size+quiet; edge && dark {
				t.Fatalf("the quiet zone is dark at %d,%d", x, y)
			}
		}
	}
	// The three finder patterns: rings of 7, 5 and 3 modules.
	for _, at := range [][2]int{{quiet, quiet}, {quiet + size - 7, quiet}, {quiet, quiet + size - 7}} {
		for y := range 7 {
			for x := range 7 {
				ring := max(x-3, 3-x, y-3, 3-y)
				if want := ring != 2; m[at[1]+y][at[0]+x] != want {
					t.Errorf("no finder pattern at %v: module %d,%d", at, x, y)
				}
			}
		}
	}
	if _, err := QR(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text that fits no code is drawn")
	}
}
