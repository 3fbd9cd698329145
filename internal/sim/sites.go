package sim

import (
	"slices"
	"time"
)

// sites make of the quorum what three sites are: nothing is committed without a majority that is up and hears one another,
// one of them leads, and where the leader is lost there is an election first. Which entries each member's own disk holds is
// etcd's affair: what is committed stays.
type sites struct {
	*quorum
	leader int
	lost   bool // the majority, at the last look
	given  int  // how often the lead was given away by a node that is not fit for it
	// stalled are operations that found no leader. Each waits for one as long as its caller does.
	stalled []stalledOp
}

type stalledOp struct {
	at     time.Duration
	arrive func()
}

// newSites looks at the members from now on, twenty times a second.
func newSites(q *quorum) *sites {
	s := &sites{quorum: q}
	q.sites = s
	s.look()
	return s
}

func (s *sites) voters() (n int) {
	for _, m := range s.members {
		if m.voter {
			n++
		}
	}
	return n
}

// alive: a voter that runs, hears the others and is heard.
func (s *sites) alive(i int) bool {
	m := s.members[i]
	return m.voter && !m.cut && !m.deaf && !m.mute && slices.ContainsFunc(m.nodes, func(n *node) bool { return n.up && !n.paused })
}

func (s *sites) majority() bool {
	n := 0
	for i := range s.members {
		if s.alive(i) {
			n++
		}
	}
	return n > s.voters()/2
}

// able: something can be committed now.
func (s *sites) able() bool { return s.majority() && s.alive(s.leader) }

// persist is how long the majority's disks take: the leader's own is one of them, and not waited for.
func (q *quorum) persist() time.Duration {
	if q.sites == nil {
		return 0
	}
	var disks []time.Duration
	for i, m := range q.members {
		if q.sites.alive(i) {
			disks = append(disks, m.disk)
		}
	}
	slices.Sort(disks)
	return disks[min(q.sites.voters()/2, len(disks)-1)]
}

func (s *sites) look() {
	s.After(50*time.Millisecond, "look at the sites", 0, func() {
		switch {
		case !s.majority():
			s.lost = true
		case s.lost || !s.alive(s.leader):
			s.lost = false
			s.hand(s.between(300*time.Millisecond, 600*time.Millisecond))
		}
		s.look()
	})
}

// others lists who may lead instead.
func (s *sites) others(fit func(*node) bool) (able []int) {
	for i, m := range s.members {
		if s.alive(i) && i != s.leader && fit(m.nodes[0]) {
			able = append(able, i)
		}
	}
	return able
}

// hand gives the lead to another member that is alive: after an election, or on purpose.
func (s *sites) hand(d time.Duration) { s.handTo(s.others(func(*node) bool { return true }), d) }

// handTo gives it to one of these, if there are any. Half of what waited for the old leader is lost.
func (s *sites) handTo(able []int, d time.Duration) {
	if len(able) > 0 {
		s.leader = able[s.rng.IntN(len(able))]
	}
	if s.voters() > 1 {
		s.elect(d)
	}
	for _, op := range s.stalled {
		if s.now-op.at < proposeTimeout && s.chance(0.5) {
			s.After(s.election-s.now+s.delay(), "arrive", s.leader, op.arrive)
		}
	}
	s.stalled = nil
	s.tell("node %d leads", s.leader)
}
