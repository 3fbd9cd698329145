package sim

import (
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// Faults say what the network between nodes and quorum, and between clients and nodes, does. Chances are per message.
type Faults struct {
	// MaxDelay is the longest way of one message.
	MaxDelay time.Duration
	// LoseRequest: it never arrives. LoseAnswer: it does, and nobody hears of it.
	LoseRequest, LoseAnswer float64
	// Double: a proposal arrives a second time, up to 6 s later: after retries, after restarts of its node.
	Double float64
	// Refuse: a node answers "busy" without taking the command.
	Refuse float64
}

// quorum is the replicated log as the nodes meet it: one SimState, reached over a network that delays, loses, doubles
// and can be cut; every member sees a prefix that grows.
type quorum struct {
	*Loop
	state    *cluster.SimState
	faults   Faults
	members  []*member
	election time.Duration // no operation is committed before this time
	sites    *sites        // nil: a majority is always there, somewhere
	// committed hears of every entry, in order.
	committed func(n uint64, entry []byte)
}

// member is one node's place in the quorum; it outlives the node's restarts.
type member struct {
	cut bool
	// deaf: nothing arrives here; mute: nothing that is sent from here arrives. disk is how long a durable write takes.
	deaf, mute bool
	disk       time.Duration
	voter      bool
	// visible is the newest entry in the member's own copy.
	visible uint64
	// held are operations that were under way when the member was cut off.
	held []func()
	// nodes hear of what the member sees, and that their proposals under way have failed when the leader changes. There
	// is one, or for a while two, where somebody starts a copy of its data directory.
	nodes []*node
}

func newQuorum(l *Loop, members int, epoch uint32, first []byte) *quorum {
	q := &quorum{Loop: l, state: cluster.NewSimState()}
	q.state.Apply(cluster.Op{Kind: cluster.OpInit, Epoch: epoch, Entry: first})
	for range members {
		q.members = append(q.members, &member{visible: 1, voter: true})
	}
	return q
}

// delay draws the time of one way: mostly short, sometimes long.
func (q *quorum) delay() time.Duration {
	if q.chance(0.9) {
		return q.between(200*time.Microsecond, 3*time.Millisecond)
	}
	return q.between(0, q.faults.MaxDelay)
}

// send carries an operation from a member to the quorum. answered is called unless something is lost on the way; for a
// doubled operation perhaps twice.
func (q *quorum) send(i int, op cluster.Op, answered func(cluster.Answer)) {
	arrive := func() { q.arrive(i, op, answered) }
	if !q.chance(q.faults.LoseRequest) {
		q.After(q.delay(), "arrive", i, arrive)
	}
	if q.chance(q.faults.Double) {
		q.After(q.between(0, 6*time.Second), "arrive late", i, arrive)
	}
}

func (q *quorum) arrive(i int, op cluster.Op, answered func(cluster.Answer)) {
	m := q.members[i]
	switch {
	case m.cut || m.mute:
		m.held = append(m.held, func() { q.arrive(i, op, answered) })
		return
	case q.sites != nil && !q.sites.able():
		q.sites.stalled = append(q.sites.stalled, stalledOp{q.now, func() { q.arrive(i, op, answered) }})
		return
	case q.now < q.election:
		if q.chance(0.5) { // the rest went down with the old leader
			q.After(q.election-q.now+q.delay(), "arrive", i, func() { q.arrive(i, op, answered) })
		}
		return
	}
	if d := q.persist(); d > 0 {
		q.After(d, "persisted", i, func() { q.commit(i, op, answered) })
		return
	}
	q.commit(i, op, answered)
}

func (q *quorum) commit(i int, op cluster.Op, answered func(cluster.Answer)) {
	epoch := q.state.Epoch()
	a := q.state.Apply(op)
	if a.N > 0 {
		q.mark("commit", i, a.N)
		q.tell("entry %d:%d of node %d, version %d, incarnation %x", epoch, a.N, i, a.State.Version, a.State.Incarnation[:4])
		q.committed(a.N, op.Entry)
		for m := range q.members {
			q.spread(m)
		}
	}
	if q.chance(q.faults.LoseAnswer) {
		return
	}
	q.After(q.delay()+q.members[i].disk, "answer", i, func() {
		if m := q.members[i]; !m.cut && !m.deaf {
			answered(a)
		}
	})
}

// read calls fn with the state as of a moment between now and the call: a linearizable read, which may get lost.
func (q *quorum) read(i int, fn func(*cluster.SimState)) {
	if q.chance(q.faults.LoseRequest) {
		return
	}
	q.After(q.delay(), "read", i, func() {
		if m := q.members[i]; !m.cut && !m.deaf && !m.mute && q.now >= q.election && (q.sites == nil || q.sites.able()) {
			fn(q.state)
		}
	})
}

// spread lets a member see the entries up to the present head, after a delay.
func (q *quorum) spread(i int) {
	head, epoch := q.state.Head(q.state.Epoch()), q.state.Epoch()
	q.After(q.delay()+q.members[i].disk, "see", i, func() {
		if m := q.members[i]; !m.cut && !m.deaf && head > m.visible && epoch == q.state.Epoch() {
			m.visible = head
			for _, n := range m.nodes {
				n.pull()
			}
		}
	})
}

// cut takes a member off the network: it sees no entry, and its operations get no answer.
func (q *quorum) cut(i int) { q.members[i].cut = true }

// heal brings it back. What it held arrives late, or is lost.
func (q *quorum) heal(i int) {
	m := q.members[i]
	m.cut, m.deaf, m.mute = false, false, false
	for _, arrive := range m.held {
		if q.chance(0.5) {
			q.After(q.between(0, 2*time.Second), "arrive late", i, arrive)
		}
	}
	m.held = nil
	q.spread(i)
}

// elect changes the leader: nothing is committed for a while, and all proposals under way get an error at once.
func (q *quorum) elect(d time.Duration) {
	q.election = max(q.election, q.now+d)
	for _, m := range q.members {
		for _, n := range m.nodes {
			n.attemptFailed()
		}
	}
}
