package gateway

import (
	"testing"
	"time"
)

// Every second is there once, with what was acknowledged in it; older ones are forgotten.
func TestLoad(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	g := &Gateway{now: func() time.Time { return now }}
	g.hub = newHub(g)
	for i := range 3 {
		for k := range 100 * (i + 1) {
			g.load.acked(now, time.Duration(k)*time.Millisecond)
		}
		now = now.Add(time.Second)
	}
	got := g.Load().Seconds
	if len(got) != loadKept+1 || got[loadKept].At != uint64(now.Unix()) {
		t.Fatalf("%+v", got)
	}
	for i, want := range []int{0, 0, 0, 100, 200, 300, 0} {
		if got[i].Sends != want || want > 0 && got[i].P99Ms != float64(want*99/100) {
			t.Errorf("second %d: %+v, want %d", i, got[i], want)
		}
	}
	now = now.Add(time.Minute)
	for _, s := range g.Load().Seconds {
		if s.Sends != 0 || s.P99Ms != 0 {
			t.Errorf("a minute later: %+v", s)
		}
	}
}
