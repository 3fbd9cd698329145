package kernel

import (
	"maps"
	"slices"
	"time"
)

// Flights are a node's own entries from their proposal until every domain has applied them, and who waits for them. Like Batcher
// it is pure: the node's loops and the simulation drive it.
type Flights struct {
	domains int
	open    map[uint64]*flight
}

// flight is an own entry under way.
type flight struct {
	waiting  []Waiting
	proposed time.Duration
	domains  int // that have not applied it yet
}

// Landed is what follows from a domain's having applied an own entry.
type Landed struct {
	// Proposed is when the entry was, Last says that no domain has still to apply it.
	Proposed time.Duration
	Last     bool
	// Answers are due now.
	Answers []Answer
}

// Answer is a result on its way to who waits for it.
type Answer struct {
	done   func(Result)
	result Result
}

// Tell gives it. A fenced node says nothing of it: a verdict of a wrong view is none.
func (a Answer) Tell(fenced bool) {
	if fenced {
		a.result = Result{Err: ErrUnknownOutcome}
	}
	a.done(a.result)
}

// NewFlights is of a node with so many domains.
func NewFlights(domains int) *Flights { return &Flights{domains, map[uint64]*flight{}} }

// Propose takes an entry that is under way from now on.
func (f *Flights) Propose(number uint64, in []Waiting, now time.Duration) {
	f.open[number] = &flight{in, now, f.domains}
}

// Len is how many are under way, Awaited whether anybody waits for one.
func (f *Flights) Len() int { return len(f.open) }

func (f *Flights) Awaited() bool {
	for _, e := range f.open {
		if slices.ContainsFunc(e.waiting, func(w Waiting) bool { return w.Done != nil }) {
			return true
		}
	}
	return false
}

// Applied takes what a domain has made of an entry; nil: it is not under way here. A command of the kernel's is answered when the
// last domain has applied it.
func (f *Flights) Applied(number uint64, domain byte, out *Outcome) *Landed {
	e := f.open[number]
	if e == nil {
		return nil
	}
	e.domains--
	l := &Landed{Proposed: e.proposed, Last: e.domains == 0}
	if l.Last {
		delete(f.open, number)
	}
	for i := range e.waiting {
		w := &e.waiting[i]
		if w.Done == nil || w.Domain != domain && !(w.Domain == DomainKernel && l.Last) {
			continue
		}
		var d Decided
		if w.Domain != DomainKernel {
			d = out.Decided[i]
		}
		a := Answer{w.Done, Result{Pos: out.Pos, Time: out.Time, Verdict: d.Verdict, Repeated: d.Repeated, Last: d.Last}}
		if d.Verdict.Code == Late {
			a.result = Result{Err: ErrNotReady} // nothing was done; this site was cut off, or too slow
		}
		w.Done = nil
		if l.Answers == nil {
			l.Answers = make([]Answer, 0, len(e.waiting)-i)
		}
		l.Answers = append(l.Answers, a)
	}
	return l
}

// Drain takes back everybody who still waits, to refuse them, in the order of the entries.
func (f *Flights) Drain() (ws []Waiting) {
	for _, number := range slices.Sorted(maps.Keys(f.open)) {
		ws = append(ws, f.open[number].waiting...)
	}
	clear(f.open)
	return slices.DeleteFunc(ws, func(w Waiting) bool { return w.Done == nil })
}

// Vouches says whether a node's views are as new as others rely on: own is when the newest own entry that every view has applied
// was proposed, 0 if none has. A node for which one has vouched and none does any more may be cut off.
func Vouches(own, now time.Duration, alone bool) bool {
	return own != 0 && (alone || now-own <= ReadyWithin)
}
