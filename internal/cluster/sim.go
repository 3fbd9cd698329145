package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// SimFaults say what a Sim does to its operations. Chances are per operation, 0..1.
type SimFaults struct {
	// MaxDelay is the longest way of an operation to the quorum, of an answer back, and of an entry to a member.
	MaxDelay time.Duration
	// LoseRequest: the operation never arrives. LoseAnswer: it does, and nobody hears of it.
	LoseRequest, LoseAnswer float64
	// Double: the operation arrives a second time, up to 10 MaxDelay later.
	Double float64
}

// Sim is a quorum in memory: one SimState, reached by members over a network that delays, loses and doubles, and that can be
// cut. It uses timers and goroutines of its own and runs under testing/synctest, where time costs nothing. The faults
// follow from the seed; where goroutines race, their order does not.
type Sim struct {
	mu struct {
		sync.Mutex
		rng     *rand.Rand
		faults  SimFaults
		state   *SimState
		members []*simSite
	}
}

// simSite is one member's place: what outlives a restart of it.
type simSite struct {
	cut bool
	// visible: entries up to this number have reached the member's own copy.
	visible uint64
	// held are operations that were under way when the site was cut off.
	held []func()
	// changed is closed, and replaced, when visible grows.
	changed chan struct{}
}

// NewSim is an initialised log (epoch, entry 1) of so many members without faults.
func NewSim(seed uint64, members int, epoch uint32, entry []byte) *Sim {
	s := &Sim{}
	s.mu.rng = rand.New(rand.NewPCG(seed, 0x626f6e67687761))
	s.mu.state = NewSimState()
	s.mu.state.Apply(Op{Kind: OpInit, Epoch: epoch, Entry: entry})
	for range members {
		s.mu.members = append(s.mu.members, &simSite{visible: 1, changed: make(chan struct{})})
	}
	return s
}

// SetFaults changes what happens to operations from now on.
func (s *Sim) SetFaults(f SimFaults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.faults = f
}

// Cut takes a member off the network: it hears of no entry, its operations get no answer. What is under way is kept, as
// a leader keeps what it has not replicated.
func (s *Sim) Cut(member int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.members[member].cut = true
}

// Heal brings a member back. What it kept arrives now, late, or is lost.
func (s *Sim) Heal(member int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	site := s.mu.members[member]
	site.cut = false
	for _, run := range site.held {
		if s.mu.rng.IntN(2) == 0 {
			time.AfterFunc(s.delay(), run)
		}
	}
	site.held = nil
	s.spread(member)
}

// Log opens a view of a member: after Close, again.
func (s *Sim) Log(member int) *SimLog {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &SimLog{sim: s, member: member, epoch: s.mu.state.Epoch(), stopped: make(chan struct{})}
}

// delay draws a duration; s.mu is held.
func (s *Sim) delay() time.Duration {
	if s.mu.faults.MaxDelay <= 0 {
		return 0
	}
	return time.Duration(s.mu.rng.Int64N(int64(s.mu.faults.MaxDelay)))
}

func (s *Sim) chance(p float64) bool { return p > 0 && s.mu.rng.Float64() < p }

// send carries an operation to the quorum; done is called with its answer, unless something is lost on the way.
func (s *Sim) send(member int, op Op, done func(Answer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.chance(s.mu.faults.LoseRequest) {
		return
	}
	lost := s.chance(s.mu.faults.LoseAnswer)
	arrive := func() { s.arrive(member, op, lost, done) }
	time.AfterFunc(s.delay(), arrive)
	if s.chance(s.mu.faults.Double) {
		time.AfterFunc(s.delay()*10, arrive)
	}
}

func (s *Sim) arrive(member int, op Op, lost bool, done func(Answer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if site := s.mu.members[member]; site.cut {
		site.held = append(site.held, func() { s.arrive(member, op, lost, done) })
		return
	}
	a := s.mu.state.Apply(op)
	if a.N > 0 {
		for m := range s.mu.members {
			s.spread(m)
		}
	}
	if !lost {
		time.AfterFunc(s.delay(), func() {
			if !s.isCut(member) {
				done(a)
			}
		})
	}
}

// spread lets a member see the entries up to the present head, after a delay; s.mu is held.
func (s *Sim) spread(member int) {
	head := s.mu.state.Head(s.mu.state.Epoch())
	time.AfterFunc(s.delay(), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if site := s.mu.members[member]; !site.cut && head > site.visible {
			site.visible = head
			close(site.changed)
			site.changed = make(chan struct{})
		}
	})
}

func (s *Sim) isCut(member int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.members[member].cut
}

// SimLog is a Log on a Sim: one member's view, until Close.
type SimLog struct {
	sim     *Sim
	member  int
	epoch   uint32
	once    sync.Once
	stopped chan struct{}
}

// Epoch implements Log.
func (l *SimLog) Epoch() uint32 { return l.epoch }

// call sends one operation and waits as etcd does: for its answer, 700 ms, or the end of ctx.
func (l *SimLog) call(ctx context.Context, op Op) (Answer, error) {
	if l.isStopped() {
		return Answer{}, ErrStopped
	}
	answers := make(chan Answer, 1)
	l.sim.send(l.member, op, func(a Answer) {
		select {
		case answers <- a:
		default: // a doubled operation is answered twice
		}
	})
	timer := time.NewTimer(proposeTimeout)
	defer timer.Stop()
	select {
	case a := <-answers:
		return a, nil
	case <-timer.C:
		return Answer{}, ErrUnknownOutcome
	case <-ctx.Done():
		return Answer{}, fmt.Errorf("%w: %w", ErrUnknownOutcome, ctx.Err())
	case <-l.stopped:
		return Answer{}, ErrStopped
	}
}

// read calls fn with the state when a quorum can be reached: a linearizable read. A cut member waits.
func (l *SimLog) read(ctx context.Context, fn func(*SimState)) error {
	for {
		l.sim.mu.Lock()
		wait := l.sim.delay()
		if l.sim.mu.members[l.member].cut {
			wait = retryPause
		}
		l.sim.mu.Unlock()
		if err := l.sleep(ctx, wait); err != nil {
			return err
		}
		l.sim.mu.Lock()
		reachable := !l.sim.mu.members[l.member].cut
		if reachable {
			fn(l.sim.mu.state)
		}
		l.sim.mu.Unlock()
		if reachable {
			return nil
		}
	}
}

// sleep waits, unless the view is closed or ctx ends before.
func (l *SimLog) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	if d > 0 {
		select {
		case <-timer.C:
		case <-ctx.Done():
		case <-l.stopped:
		}
	}
	if l.isStopped() {
		return ErrStopped
	}
	return ctx.Err()
}

// Producer implements Log.
func (l *SimLog) Producer(ctx context.Context, node NodeID) (p ProducerState, err error) {
	err = l.read(ctx, func(s *SimState) { p = s.Producer(node) })
	return p, err
}

// OpenProducer implements Log.
func (l *SimLog) OpenProducer(ctx context.Context, node NodeID, version int64, inc Incarnation) (ProducerState, error) {
	a, err := l.call(ctx, OpenOp(node, version, inc))
	return a.State, err
}

// Propose implements Log.
func (l *SimLog) Propose(ctx context.Context, p Proposal) (in bool, state ProducerState, err error) {
	if len(p.Entry) > MaxEntry {
		return false, state, ErrTooLarge
	}
	a, err := l.call(ctx, ProposeOp(p))
	return a.In, a.State, err
}

// Head implements Log.
func (l *SimLog) Head(ctx context.Context) (n uint64, err error) {
	err = l.read(ctx, func(s *SimState) { n = s.Head(l.epoch) })
	return n, err
}

// SetNode implements Log.
func (l *SimLog) SetNode(ctx context.Context, node Node) error {
	for {
		_, err := l.call(ctx, Op{Kind: OpSetNode, Info: node})
		if !errors.Is(err, ErrUnknownOutcome) || ctx.Err() != nil {
			return err
		}
	}
}

// Nodes implements Log.
func (l *SimLog) Nodes(ctx context.Context) (nodes []Node, err error) {
	err = l.read(ctx, func(s *SimState) { nodes = s.Nodes() })
	return nodes, err
}

// Members implements Log. Member 0 leads unless it is cut off, then the next.
func (l *SimLog) Members() (voters int, leader bool) {
	l.sim.mu.Lock()
	defer l.sim.mu.Unlock()
	for i, m := range l.sim.mu.members {
		if !m.cut {
			return len(l.sim.mu.members), i == l.member
		}
	}
	return len(l.sim.mu.members), false
}

// Close implements Log.
func (l *SimLog) Close() error {
	l.once.Do(func() { close(l.stopped) })
	return nil
}

func (l *SimLog) isStopped() bool {
	select {
	case <-l.stopped:
		return true
	default:
		return false
	}
}
