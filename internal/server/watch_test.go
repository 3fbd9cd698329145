package server

import (
	"testing"

	"github.com/bonghwa/bonghwa/internal/status"
)

// A site is missed, unless it was drained before: then it is so until it has been up again.
func TestStateOf(t *testing.T) {
	say := func(st status.State) *says { return &says{State: st} }
	var last *heard
	for i, c := range []struct {
		answer *says
		want   status.State
	}{
		{nil, status.Silent},
		{say(status.Joining), status.Joining},
		{say(status.Up), status.Up},
		{nil, status.Silent},
		{say(status.NotReady), status.NotReady},
		{say(status.Up), status.Up},
		{say(status.Draining), status.Draining},
		{nil, status.Draining},
		{say(status.NotReady), status.Draining},
		{nil, status.Draining},
		{say(status.Up), status.Up},
		{nil, status.Silent},
	} {
		got := stateOf(c.answer, last)
		if got != c.want {
			t.Errorf("%d: %s, want %s", i, got, c.want)
		}
		if c.answer != nil {
			last = &heard{says: *c.answer, planned: got == status.Draining}
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
