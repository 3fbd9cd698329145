package kernel

import (
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

const (
	// SkewLimit is how far a clock may be off every other one.
	SkewLimit = 500 * time.Millisecond
	// skewBeats entries of another node are looked at: the least difference of these is the one that waited least on its way.
	skewBeats = 20
	// skewHeard: a node that has not been heard of for so long says nothing about clocks.
	skewHeard = 5 * time.Second
)

// Skew compares this node's clock with those of the others, by the stamps of their entries. A clock that is off every other
// one, of at least two, is the wrong one: its node stamps no more (an entry then has the time of the one before), and ought
// not to lead. Before a start one that serves is enough.
type Skew struct {
	mu     sync.Mutex
	others map[cluster.NodeID]*offsets
	// asked is what the others said before this node started; it counts until two of them have been heard. Without it the first
	// entries of a node that starts with a wrong clock would put that time on the whole cell.
	asked time.Duration
}

// offsets are local time at apply minus stamp, in ms, of a node's last entries.
type offsets struct {
	last  [skewBeats]int64
	count int
	at    time.Time
}

// Asked takes by how much the others' clocks differ from this one as they said before the start; 0: they do not, or nobody can
// say.
func (s *Skew) Asked(off time.Duration) { s.asked = off }

// Heard takes an entry of another node that was applied just now, when this node's clock showed local.
func (s *Skew) Heard(node cluster.NodeID, local, stamp uint64, now time.Time) {
	if stamp == 0 {
		return // of a node that does not trust its clock
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.others[node]
	if o == nil {
		if s.others == nil {
			s.others = map[cluster.NodeID]*offsets{}
		}
		o = &offsets{}
		s.others[node] = o
	}
	o.last[o.count%skewBeats] = int64(local) - int64(stamp)
	o.count++
	o.at = now
}

// Off says by how much this clock is off the nearest of the others: positive if it is ahead. 0: it is not off every other
// one, or fewer than two others are heard.
func (s *Skew) Off(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := 0
	var nearest time.Duration
	for _, o := range s.others {
		if o.count < skewBeats || now.Sub(o.at) > skewHeard {
			continue
		}
		heard++
		least := o.last[0]
		for _, v := range o.last[1:] {
			least = min(least, v)
		}
		d := time.Duration(least) * time.Millisecond
		if d.Abs() <= SkewLimit {
			s.asked = 0
			return 0
		}
		if nearest == 0 || d.Abs() < nearest.Abs() {
			nearest = d
		}
	}
	if heard < 2 {
		return s.asked
	}
	s.asked = 0
	return nearest
}

// ClockOff is by how much this node's clock is off every other one, 0 if it is not: as Skew.Off.
func (n *Node) ClockOff() time.Duration { return n.skew.Off(time.Now()) }

// compareClocks takes an entry that was applied just now. What comes in at a start, or when the way is open again, was under way
// for long and says nothing about clocks.
func (n *Node) compareClocks(e *Entry) {
	if e.Node != n.o.Node && n.Ready() == nil {
		n.skew.Heard(e.Node, n.clock(), e.Time, time.Now())
	}
}

// clock reads the clock of entries.
func (n *Node) clock() uint64 {
	n.stamping.Lock()
	defer n.stamping.Unlock()
	return n.o.Stamp()
}

// setClock lets a clock that is not to be trusted go to what the machine's says now.
func (n *Node) setClock() {
	n.stamping.Lock()
	defer n.stamping.Unlock()
	if n.turned != nil {
		n.turned.Set()
	}
}

// stamp is the time for an own entry; 0, which is the time of the entry before, while the clock is not to be trusted.
func (n *Node) stamp() uint64 {
	if n.ClockOff() != 0 {
		n.setClock()
		return 0
	}
	return n.clock()
}
