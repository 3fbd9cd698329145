package server

import (
	"testing"

	"github.com/bonghwa/bonghwa/internal/status"
)

func TestStateOf(t *testing.T) {
	up, draining := &says{State: status.Up}, &says{State: status.Draining}
	for _, c := range []struct {
		answer *says
		last   *heard
		want   status.State
	}{
		{nil, nil, status.Silent},
		{up, nil, status.Up},
		{nil, &heard{says: *up}, status.Silent},
		{draining, &heard{says: *up}, status.Draining},
		{nil, &heard{says: *draining}, status.Draining},
		{up, &heard{says: *draining}, status.Up},
	} {
		if got := stateOf(c.answer, c.last); got != c.want {
			t.Errorf("answer %+v after %+v: %s", c.answer, c.last, got)
		}
	}
}

// Incidents are sent once to each who asks, and again when they have changed.
func TestIncidentsAreToldOnce(t *testing.T) {
	s := says{Rev: "a1", Incidents: []status.Incident{{Kind: status.KindSite, Sites: []string{"busan"}}}}
	for have, want := range map[string]int{"": 1, "a0": 1, "a1": 0, "b1": 1} {
		if got := len(s.since(have).Incidents); got != want {
			t.Errorf("who has %q is told %d", have, got)
		}
	}
}
