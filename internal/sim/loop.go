package sim

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Loop is virtual time: one queue of events ordered by (time, number), and one seeded source of randomness. Whoever runs
// a loop with the same seed gets the same events in the same order, which the trace hash proves.
type Loop struct {
	rng    *rand.Rand
	now    time.Duration
	number uint64
	events uint64
	queue  []event
	trace  xxhash.Digest
	// out gets one line per event; nil = nobody looks.
	out io.Writer
	err error
}

type event struct {
	at     time.Duration
	number uint64
	what   string
	who    int
	run    func()
}

// NewLoop starts virtual time at 0.
func NewLoop(seed uint64, out io.Writer) *Loop {
	l := &Loop{rng: rand.New(rand.NewPCG(seed, 0x626f6e67687761)), out: out}
	l.trace.Reset()
	return l
}

// After runs fn in so much virtual time. what and who go into the trace.
func (l *Loop) After(d time.Duration, what string, who int, fn func()) {
	l.number++
	l.push(event{l.now + max(d, 0), l.number, what, who, fn})
}

// Run handles events up to this time, or until something failed.
func (l *Loop) Run(until time.Duration) {
	for l.err == nil && len(l.queue) > 0 && l.queue[0].at <= until {
		e := l.pop()
		l.now = e.at
		l.events++
		l.mark(e.what, e.who, e.number)
		e.run()
	}
	if l.err == nil {
		l.now = max(l.now, until)
	}
}

// mark puts something into the trace.
func (l *Loop) mark(what string, who int, value uint64) {
	var b [24]byte
	binary.BigEndian.PutUint64(b[:], uint64(l.now))
	binary.BigEndian.PutUint64(b[8:], uint64(who))
	binary.BigEndian.PutUint64(b[16:], value)
	l.trace.Write(b[:])
	l.trace.WriteString(what)
	if l.out != nil {
		fmt.Fprintf(l.out, "%12.6f %-22s %3d %d\n", l.now.Seconds(), what, who, value)
	}
}

// tell writes a line for the reader of a trace; it is not part of the hash.
func (l *Loop) tell(format string, args ...any) {
	if l.out != nil {
		fmt.Fprintf(l.out, "%12.6f | "+format+"\n", append([]any{l.now.Seconds()}, args...)...)
	}
}

// fail stops the run: a promise was broken. The first one counts.
func (l *Loop) fail(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf("at %.6f s: "+format, append([]any{l.now.Seconds()}, args...)...)
		l.tell("FAILED: %v", l.err)
	}
}

// chance is true with this probability.
func (l *Loop) chance(p float64) bool { return p > 0 && l.rng.Float64() < p }

// between draws a duration from [a, b).
func (l *Loop) between(a, b time.Duration) time.Duration {
	if b <= a {
		return a
	}
	return a + time.Duration(l.rng.Int64N(int64(b-a)))
}

func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.number < f.number
}

// push and pop keep queue a binary heap.
func (l *Loop) push(e event) {
	l.queue = append(l.queue, e)
	q := l.queue
	for i := len(q) - 1; i > 0; {
		p := (i - 1) / 2
		if !q[i].before(&q[p]) {
			break
		}
		q[i], q[p] = q[p], q[i]
		i = p
	}
}

func (l *Loop) pop() event {
	q := l.queue
	top := q[0]
	last := len(q) - 1
	q[0] = q[last]
	q[last] = event{}
	q = q[:last]
	l.queue = q
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && q[c+1].before(&q[c]) {
			c++
		}
		if !q[c].before(&q[i]) {
			break
		}
		q[i], q[c] = q[c], q[i]
		i = c
	}
	return top
}
