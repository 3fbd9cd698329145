package server

import (
	"strings"
	"testing"
)

func TestOutlook(t *testing.T) {
	for _, c := range []struct {
		voters, alive int
		want          string
	}{
		{1, 1, "one site"},
		{3, 3, "any one site may be lost"},
		{3, 2, "one more loss stops sends"},
		{3, 1, "sends are stopped: 1 of 3"},
		{2, 2, "one more loss stops sends"},
		{5, 5, "any 2 sites may be lost"},
		{5, 3, "one more loss stops sends"},
	} {
		if got := outlook(c.voters, c.alive); !strings.HasPrefix(got, c.want) {
			t.Errorf("%d of %d: %q", c.alive, c.voters, got)
		}
	}
}

func TestSteady(t *testing.T) {
	ready := func(site string) SiteStatus { return SiteStatus{Site: site, State: SiteReady, Votes: true, N: 100} }
	s := Status{Sites: []SiteStatus{ready("a"), ready("b"), ready("c")}}
	s.say()
	if !s.Steady || len(s.Words) != 1 {
		t.Errorf("%+v", s)
	}
	for name, change := range map[string]func(*SiteStatus){
		"unreachable": func(o *SiteStatus) { o.State = SiteUnreachable },
		"behind":      func(o *SiteStatus) { o.Behind = behindLimit + 1 },
		"a learner":   func(o *SiteStatus) { o.State, o.Votes = SiteCatchingUp, false },
		"draining":    func(o *SiteStatus) { o.State = SiteDraining },
	} {
		s := Status{Sites: []SiteStatus{ready("a"), ready("b"), ready("c")}}
		change(&s.Sites[1])
		s.say()
		if s.Steady || len(s.Words) < 2 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}
