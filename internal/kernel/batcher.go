package kernel

import (
	"encoding/binary"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/cluster"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// maxQueue bounds what waits for the next entry: several seconds of what a node carries. Beyond it callers are told
// busy at once instead of waiting in vain.
const (
	maxQueue      = 16384
	maxQueueBytes = 32 << 20
)

// Waiting is a command on its way into the log.
type Waiting struct {
	Domain byte
	Flags  byte
	Bytes  []byte
	// Seen is the effective time of the newest entry that whoever admitted the command may have known of; 0 = of no matter,
	// as in a cell of one member, where nobody else could know better.
	Seen uint64
	// Done is called once with the result; nil for ephemeral commands.
	Done func(Result)
}

// Batcher turns commands into guarded entries, one in flight. It is pure: no clock, no goroutine, no I/O; the node's
// loop and the simulation drive it. It puts every entry into the log exactly once, whatever is retried, doubled or
// late: docs/formats.md, "The log".
type Batcher struct {
	epoch       uint32
	node        cluster.NodeID
	incarnation cluster.Incarnation
	version     int64  // of the key p/<node>, as far as known
	number      uint64 // entries taken
	queue       []Waiting
	ephemeral   []Waiting
	bytes       int
	inFlight    bool
	proposal    cluster.Proposal
	closed      bool
}

// NewBatcher begins after the incarnation was opened: the node's key then has this version.
func NewBatcher(epoch uint32, node cluster.NodeID, inc cluster.Incarnation, version int64) *Batcher {
	return &Batcher{epoch: epoch, node: node, incarnation: inc, version: version}
}

// Opened says the version where it was not known yet when the batcher was made to queue commands; before Next.
func (b *Batcher) Opened(version int64) { b.version = version }

// Add queues a command. Ephemeral ones never start an entry.
func (b *Batcher) Add(w Waiting) error {
	switch {
	case len(w.Bytes) > MaxCommand:
		return ErrTooLarge
	case b.closed:
		return ErrStopped
	case w.Flags&FlagEphemeral != 0:
		if len(b.ephemeral) >= 1024 {
			return ErrQueueFull
		}
		b.ephemeral = append(b.ephemeral, w)
		return nil
	case len(b.queue) > 0 && b.queue[0].Seen > 0 && w.Seen >= b.queue[0].Seen+LateAfter/2:
		return ErrQueueFull // what would wait behind that one would come too late
	case len(b.queue) >= maxQueue || b.bytes+len(w.Bytes) > maxQueueBytes:
		return ErrQueueFull
	}
	b.queue = append(b.queue, w)
	b.bytes += len(w.Bytes)
	return nil
}

// Idle says that nothing is in flight; Queued how many commands would start an entry.
func (b *Batcher) Idle() bool  { return !b.inFlight }
func (b *Batcher) Queued() int { return len(b.queue) }

// Next takes what fits into one entry and makes it the proposal in flight. It returns the entry's number and the
// commands in it, by place. Call it only when Idle; an empty queue gives a beat.
func (b *Batcher) Next(stamp uint64, behaviour uint32, checks []Check) (number uint64, in []Waiting) {
	e := Entry{Epoch: b.epoch, Behaviour: behaviour, Time: stamp, Node: b.node, Incarnation: b.incarnation, Checks: checks}
	size := entryHeader + len(checks)*checkSize
	if behaviour >= 3 && len(b.queue) > 0 {
		size += seenSize // whichever of them it is that brings one
	}
	take := func(q []Waiting) []Waiting {
		for len(q) > 0 && size+envelopeHeader+len(q[0].Bytes) <= cluster.MaxEntry {
			w := q[0]
			size += envelopeHeader + len(w.Bytes)
			e.Commands = append(e.Commands, Envelope{w.Domain, w.Flags, w.Bytes})
			in = append(in, w)
			if w.Flags&FlagEphemeral == 0 {
				b.bytes -= len(w.Bytes)
			}
			q[0] = Waiting{}
			q = q[1:]
		}
		return q
	}
	b.queue = take(b.queue)
	seen := uint64(0) // by the oldest of them
	for i := 0; i < len(in) && seen == 0; i++ {
		seen = in[i].Seen
	}
	b.ephemeral = take(b.ephemeral)
	if behaviour >= 3 && seen > 0 {
		// Behind the others, so that the place of a command in the entry is its place in what is waited for.
		e.Commands = append(e.Commands, Envelope{Domain: DomainKernel, Bytes: encodeSeen(seen)})
	}
	b.number++
	e.Number = b.number
	b.proposal = cluster.Proposal{Epoch: b.epoch, Node: b.node, Incarnation: b.incarnation, Version: b.version, Entry: e.Encode(make([]byte, 0, size))}
	b.inFlight = true
	return b.number, in
}

// seenSize is the largest size of what says Seen.
const seenSize = envelopeHeader + 2 + 1 + binary.MaxVarintLen64

func encodeSeen(timeMs uint64) []byte {
	b, err := proto.Marshal(&logv1.KernelCommand{Op: &logv1.KernelCommand_Seen{Seen: &logv1.Seen{TimeMs: timeMs}}})
	if err != nil {
		panic(err) // a number always encodes
	}
	return b
}

// Proposal is the one in flight: the same again, at most with another stamp, until Answer says that it is in.
func (b *Batcher) Proposal() cluster.Proposal { return b.proposal }

// Restamp makes the attempts to come carry this time, if it is later: what was long on its way says so itself, also when the
// log's time stood still meanwhile. Commands and number stay, so that it does not matter which attempt gets in.
func (b *Batcher) Restamp(stamp uint64) {
	if old := b.proposal.Entry; b.inFlight && stamp > entryTime(old) {
		b.proposal.Entry = restamped(old, stamp) // the old one may be on its way
	}
}

// Closed says that another start of this node or another epoch has taken over; nothing more will get in.
func (b *Batcher) Closed() bool { return b.closed }

// Answer takes the answer to an attempt at the proposal in flight (answers to other attempts must not be given) and
// says whether the entry is in. Otherwise, unless Closed, propose the same again.
func (b *Batcher) Answer(in bool, st cluster.ProducerState, err error) bool {
	switch {
	case err != nil:
		return false
	case in, st.Epoch == b.epoch && st.Incarnation == b.incarnation && st.Version == b.version+1:
		b.version++
		b.inFlight = false
		b.proposal = cluster.Proposal{}
		return true
	case st.Epoch == b.epoch && st.Incarnation == b.incarnation && st.Version == b.version:
		return false // not yet: the read of the refused transaction is ours, so this attempt raced nothing; again
	}
	b.closed = true
	return false
}

// TakeQueue takes back what waits and is not in flight, and goes on.
func (b *Batcher) TakeQueue() []Waiting {
	q := b.queue
	b.queue, b.ephemeral, b.bytes = nil, nil, 0
	return q
}

// Drain takes back what waits and is not in flight, to refuse it.
func (b *Batcher) Drain() []Waiting {
	q := b.queue
	b.queue, b.ephemeral, b.bytes, b.closed = nil, nil, 0, true
	return q
}
