package server

import "testing"

// 180 days without a drill that held are an alarm, counted from the last one or from the first day.
func TestDrillOverdue(t *testing.T) {
	const day = 24 * 60 * 60 * 1000
	for _, c := range []struct {
		now, held, first uint64
		want             bool
	}{
		{1000 * day, 0, 0, false}, // nobody is there yet
		{1000 * day, 0, 820 * day, false},
		{1000*day + 1, 0, 820 * day, true},
		{1000 * day, 820 * day, 1, false},
		{1000*day + 1, 820 * day, 1, true},
	} {
		if got := overdue(c.now, c.held, c.first); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
