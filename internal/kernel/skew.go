package kernel

import (
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

const (
	// skewLimit is how far a clock may be off every other one.
	skewLimit = 500 * time.Millisecond
	// skewBeats entries of another node are looked at: the least difference of these is the one that waited least on its way.
	skewBeats = 20
	// skewHeard: a node that has not been heard of for so long says nothing about clocks.
	skewHeard = 5 * time.Second
	// skewAlone: a node that has just started and hears no stamps for so long goes by its own clock; skewPatience: or that
	// disagrees with one, without the two others that could say that it is wrong.
	skewAlone    = 5 * time.Second
	skewPatience = 20 * time.Second
)

// Skew compares this node's clock with those of the others, by the stamps of their entries. A clock that is off every other
// one, of at least two, is the wrong one: its node stamps no more (an entry then has the time of the one before), and ought
// not to lead. A node that has just started stamps only when another one agrees, or none can say: its machine's clock may have
// been set wrong meanwhile, and an hour that has got into the log once stays there.
type Skew struct {
	mu     sync.Mutex
	others map[cluster.NodeID]*offsets
	// begun is when the node had caught up after its start; known: its clock has been compared since, or nobody could.
	begun time.Time
	known bool
	// blank: another node was heard that does not stamp either, as when all start together.
	blank bool
}

// offsets are local time at apply minus stamp, in ms, of a node's last entries.
type offsets struct {
	last  [skewBeats]int64
	count int
	at    time.Time
}

// Begin says that the node has caught up: what it hears from now on is new.
func (s *Skew) Begin(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun.IsZero() {
		s.begun = now
	}
}

// Heard takes an entry of another node that was applied just now, when this node's clock showed local.
func (s *Skew) Heard(node cluster.NodeID, local, stamp uint64, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun.IsZero() {
		return // as old as the time that this node was away
	}
	if stamp == 0 {
		s.blank = true // it does not trust its clock
		return
	}
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
	return s.off(now)
}

func (s *Skew) off(now time.Time) time.Duration {
	heard := 0
	var nearest time.Duration
	for _, o := range s.others {
		if o.count < skewBeats || now.Sub(o.at) > skewHeard {
			continue
		}
		heard++
		d := o.least()
		if d.Abs() <= skewLimit {
			return 0
		}
		if nearest == 0 || d.Abs() < nearest.Abs() {
			nearest = d
		}
	}
	if heard < 2 {
		return 0
	}
	return nearest
}

// Trusted says whether this node may stamp.
func (s *Skew) Trusted(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known || s.begun.IsZero() {
		return s.known && s.off(now) == 0
	}
	age := now.Sub(s.begun)
	s.known = len(s.others) == 0 && (s.blank || age > skewAlone) || age > skewPatience && s.off(now) == 0
	for _, o := range s.others {
		s.known = s.known || o.least().Abs() <= skewLimit
	}
	return s.known
}

// least is the difference of the entry that waited least on its way.
func (o *offsets) least() time.Duration {
	least := o.last[0]
	for _, v := range o.last[1:min(o.count, skewBeats)] {
		least = min(least, v)
	}
	return time.Duration(least) * time.Millisecond
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

// stamp is the time for an own entry; 0, which is the time of the entry before, while the clock is not to be trusted.
func (n *Node) stamp() uint64 {
	if n.alone.Load() || n.skew.Trusted(time.Now()) {
		return n.clock()
	}
	if n.wall != nil {
		n.stamping.Lock()
		n.wall.Follow() // set right, it counts at once
		n.stamping.Unlock()
	}
	return 0
}
