package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

var (
	testNodeID = cluster.NodeID{1}
	testInc    = cluster.Incarnation{1}
)

func TestBatcherAnswers(t *testing.T) {
	mine := cluster.ProducerState{Version: 5, Incarnation: testInc, Epoch: 3}
	next := mine
	next.Version = 6
	far := mine
	far.Version = 7
	other := next
	other.Incarnation = cluster.Incarnation{2}
	epoch := next
	epoch.Epoch = 4
	for what, c := range map[string]struct {
		in             bool
		st             cluster.ProducerState
		err            error
		done, finished bool
	}{
		"this attempt is in":                        {in: true, st: next, done: true},
		"an earlier attempt is in":                  {st: next, done: true},
		"not in, nothing moved: again":              {st: mine},
		"no answer: again":                          {err: cluster.ErrUnknownOutcome},
		"no answer, whatever is said beside it":     {in: true, st: other, err: errors.New("lost")},
		"another start of this node":                {st: other, finished: true},
		"another epoch":                             {st: epoch, finished: true},
		"our incarnation further than we ever were": {st: far, finished: true},
	} {
		b := NewBatcher(3, testNodeID, testInc, 5)
		if err := b.Add(Waiting{Domain: DomainChat, Bytes: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		b.Next(1, 1, nil)
		p := b.Proposal()
		if got := b.Answer(c.in, c.st, c.err); got != c.done || b.Closed() != c.finished || b.Idle() != c.done {
			t.Errorf("%s: in %v, closed %v, idle %v", what, got, b.Closed(), b.Idle())
		}
		if again := b.Proposal(); !c.done && (again.Version != p.Version || !bytes.Equal(again.Entry, p.Entry)) {
			t.Errorf("%s: the next attempt is another one", what)
		}
		if c.done {
			if b.Next(2, 1, nil); b.Proposal().Version != 6 {
				t.Errorf("%s: then version %d", what, b.Proposal().Version)
			}
		}
		if c.finished && !errors.Is(b.Add(Waiting{}), ErrStopped) {
			t.Errorf("%s: commands are still taken", what)
		}
	}
}

// TestBatcherExactlyOnce drives the batcher against the guard over a network that loses, doubles and delays attempts
// without bound, and loses answers. Every command is in the log once, in order, in entries numbered without holes.
func TestBatcherExactlyOnce(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 4))
		log := cluster.NewSimState()
		log.Apply(cluster.Op{Kind: cluster.OpInit, Epoch: 3, Entry: FirstEntry(3, 1, 0)})
		st := log.Apply(cluster.OpenOp(testNodeID, 0, testInc)).State
		b := NewBatcher(3, testNodeID, testInc, st.Version)
		var wandering []cluster.Op // attempts that may arrive at any time
		next := uint32(0)
		add := func() {
			if err := b.Add(Waiting{Domain: DomainChat, Bytes: binary.BigEndian.AppendUint32(nil, next)}); err != nil {
				t.Fatal(err)
			}
			next++
		}
		arrive := func(op cluster.Op) cluster.Answer {
			if rng.IntN(3) == 0 {
				wandering = append(wandering, op) // and once more, later
			}
			return log.Apply(op)
		}
		for step := 0; step < 400 || !b.Idle() || b.Queued() > 0; step++ {
			if step < 400 && rng.IntN(2) == 0 {
				add()
			}
			if b.Idle() {
				b.Next(uint64(step), 1, nil)
			}
			for len(wandering) > 0 && rng.IntN(3) == 0 {
				i := rng.IntN(len(wandering))
				op := wandering[i]
				wandering = append(wandering[:i], wandering[i+1:]...)
				log.Apply(op)
			}
			op := cluster.ProposeOp(b.Proposal())
			switch rng.IntN(4) {
			case 0: // the attempt wanders off
				wandering = append(wandering, op)
				b.Answer(false, cluster.ProducerState{}, cluster.ErrUnknownOutcome)
			case 1: // it arrives, the answer is lost
				arrive(op)
				b.Answer(false, cluster.ProducerState{}, cluster.ErrUnknownOutcome)
			default:
				a := arrive(op)
				b.Answer(a.In, a.State, nil)
			}
			if b.Closed() {
				t.Fatalf("seed %d: closed", seed)
			}
		}
		for _, op := range wandering {
			log.Apply(op)
		}
		// Another start of the node: what is still under way must not get in any more.
		head := log.Head(3)
		log.Apply(cluster.OpenOp(testNodeID, log.Producer(testNodeID).Version, cluster.Incarnation{2}))
		for _, op := range wandering {
			log.Apply(op)
		}
		if log.Head(3) != head {
			t.Fatalf("seed %d: an attempt of the closed incarnation got in", seed)
		}
		records, err := log.Records(3, 1, head)
		if err != nil {
			t.Fatal(err)
		}
		want, number := uint32(0), uint64(0)
		for _, r := range records {
			e, err := DecodeEntry(r.Value)
			if err != nil {
				t.Fatal(err)
			}
			if number++; e.Number != number || e.Node != testNodeID || e.Incarnation != testInc {
				t.Fatalf("seed %d: entry %d has number %d", seed, r.N, e.Number)
			}
			for _, c := range e.Commands {
				if got := binary.BigEndian.Uint32(c.Bytes); got != want {
					t.Fatalf("seed %d: command %d stands where %d belongs", seed, got, want)
				}
				want++
			}
		}
		if want != next {
			t.Fatalf("seed %d: %d commands of %d are in", seed, want, next)
		}
	}
}

func TestBatcherFillsEntries(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	b := NewBatcher(3, testNodeID, testInc, 1)
	checks := []Check{{DomainPeople, 1, 2, 3}, {DomainChat, 4, 5, 6}}
	var want []int
	for range 400 {
		size := rng.IntN(2000)
		if rng.IntN(10) == 0 {
			size = MaxCommand - rng.IntN(20)
		}
		if b.Add(Waiting{Domain: DomainChat, Bytes: make([]byte, size)}) == nil {
			want = append(want, size)
		}
	}
	var got []int
	for version := int64(1); b.Queued() > 0; version++ {
		_, in := b.Next(1, 1, checks)
		raw := b.Proposal().Entry
		if len(raw) > cluster.MaxEntry || len(in) == 0 {
			t.Fatalf("%d commands in %d bytes", len(in), len(raw))
		}
		e, err := DecodeEntry(raw)
		if err != nil || len(e.Commands) != len(in) || len(e.Checks) != 2 {
			t.Fatalf("%v", err)
		}
		for i, c := range e.Commands {
			if !bytes.Equal(c.Bytes, in[i].Bytes) {
				t.Fatal("the commands of the entry are not those that wait for it")
			}
			got = append(got, len(c.Bytes))
		}
		// Whatever comes next would not have fitted.
		if q := b.queue; len(q) > 0 && len(raw)+envelopeHeader+len(q[0].Bytes) <= cluster.MaxEntry {
			t.Fatalf("%d bytes wait for an entry of %d", len(q[0].Bytes), len(raw))
		}
		b.Answer(true, cluster.ProducerState{Version: version + 1}, nil)
	}
	if len(got) != len(want) {
		t.Fatalf("%d of %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatal("out of order")
		}
	}
}

func TestBatcherEphemeralRides(t *testing.T) {
	b := NewBatcher(3, testNodeID, testInc, 1)
	typing := Waiting{Domain: DomainChat, Flags: FlagEphemeral, Bytes: []byte("typing")}
	if err := b.Add(typing); err != nil {
		t.Fatal(err)
	}
	if b.Queued() != 0 {
		t.Error("typing starts an entry")
	}
	// It rides behind what must not be lost, and is left out where there is no room.
	for range 2 {
		if err := b.Add(Waiting{Domain: DomainChat, Bytes: make([]byte, MaxCommand)}); err != nil {
			t.Fatal(err)
		}
	}
	_, in := b.Next(1, 1, nil)
	if len(in) != 2 || in[0].Flags != 0 || in[1].Flags != FlagEphemeral {
		t.Errorf("%d commands", len(in))
	}
	e, err := DecodeEntry(b.Proposal().Entry)
	if err != nil || e.Commands[1].Flags != FlagEphemeral {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestBatcherBounds(t *testing.T) {
	b := NewBatcher(3, testNodeID, testInc, 1)
	if err := b.Add(Waiting{Bytes: make([]byte, MaxCommand+1)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	for range maxQueue {
		if err := b.Add(Waiting{Domain: DomainChat, Bytes: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Add(Waiting{Domain: DomainChat}); !errors.Is(err, ErrQueueFull) {
		t.Errorf("more commands than the bound: %v", err)
	}
	for {
		if err := b.Add(Waiting{Flags: FlagEphemeral}); err != nil {
			if !errors.Is(err, ErrQueueFull) {
				t.Error(err)
			}
			break
		}
	}
	if q := b.Drain(); len(q) != maxQueue || b.Queued() != 0 {
		t.Errorf("%d were drained", len(q))
	}
	if err := b.Add(Waiting{}); !errors.Is(err, ErrStopped) {
		t.Errorf("after Drain: %v", err)
	}

	big := NewBatcher(3, testNodeID, testInc, 1)
	for i := 0; ; i++ {
		if err := big.Add(Waiting{Bytes: make([]byte, MaxCommand)}); err != nil {
			if i != maxQueueBytes/MaxCommand || !errors.Is(err, ErrQueueFull) {
				t.Errorf("after %d large ones: %v", i, err)
			}
			break
		}
	}
	big.Next(1, 1, nil)
	if err := big.Add(Waiting{Bytes: make([]byte, MaxCommand)}); err != nil {
		t.Errorf("room was made: %v", err)
	}
}

// An entry with commands says by what the oldest of them was admitted, behind them; a beat does not, nor the entry of a cell
// of one, nor one of a cell that knows older rules. The largest command still fits.
func TestBatcherSeen(t *testing.T) {
	b := NewBatcher(3, testNodeID, testInc, 1)
	version := int64(1)
	next := func(behaviour uint32) (in []Waiting, seen []uint64) {
		t.Helper()
		_, in = b.Next(1, behaviour, nil)
		raw := b.Proposal().Entry
		e, err := DecodeEntry(raw)
		if err != nil || len(raw) > cluster.MaxEntry {
			t.Fatal(len(raw), err)
		}
		for i, c := range e.Commands {
			if c.Domain != DomainKernel {
				continue
			}
			op, err := decodeKernel(c.Bytes)
			if err != nil || i != len(in) {
				t.Fatalf("at %d of %d: %v", i, len(in), err)
			}
			seen = append(seen, op.GetSeen().TimeMs)
		}
		version++
		b.Answer(true, cluster.ProducerState{Version: version}, nil)
		return in, seen
	}
	add := func(seen uint64, size int) error {
		return b.Add(Waiting{Domain: DomainChat, Bytes: make([]byte, size), Seen: seen})
	}
	if err := errors.Join(add(0, 1), add(500, 1), add(600, 1)); err != nil {
		t.Fatal(err)
	}
	if in, seen := next(Behaviour); len(in) != 3 || len(seen) != 1 || seen[0] != 500 {
		t.Errorf("%d commands, %v", len(in), seen)
	}
	if _, seen := next(Behaviour); len(seen) != 0 {
		t.Errorf("a beat says %v", seen)
	}
	if err := add(700, 1); err != nil {
		t.Fatal(err)
	}
	if _, seen := next(2); len(seen) != 0 {
		t.Errorf("behaviour 2 says %v", seen)
	}
	if err := add(^uint64(0)>>1, MaxCommand); err != nil {
		t.Fatal(err)
	}
	if in, seen := next(Behaviour); len(in) != 1 || len(seen) != 1 {
		t.Errorf("%d commands, %v", len(in), seen)
	}
	// What would wait for long is turned away while it can still be served elsewhere.
	if err := errors.Join(add(1000, 1), add(1000+LateAfter/2-1, 1)); err != nil {
		t.Fatal(err)
	}
	if err := add(1000+LateAfter/2, 1); !errors.Is(err, ErrQueueFull) {
		t.Errorf("behind one that is late soon: %v", err)
	}
}

// Attempts may carry a later stamp, never an earlier one; what was given away stays as it was.
func TestBatcherRestamp(t *testing.T) {
	b := NewBatcher(3, testNodeID, testInc, 1)
	b.Restamp(9) // nothing is in flight
	if err := b.Add(Waiting{Domain: DomainChat, Bytes: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	b.Next(10, Behaviour, []Check{{DomainChat, 4, 5, 6}})
	first := b.Proposal()
	was := bytes.Clone(first.Entry)
	for _, c := range []struct{ stamp, want uint64 }{{0, 10}, {10, 10}, {2000, 2000}, {1500, 2000}} {
		b.Restamp(c.stamp)
		want, _ := DecodeEntry(was)
		want.Time = c.want
		if !bytes.Equal(b.Proposal().Entry, want.Encode(nil)) || b.Proposal().Version != first.Version {
			t.Errorf("stamp %d: %+v", c.stamp, b.Proposal())
		}
	}
	if !bytes.Equal(first.Entry, was) {
		t.Error("an attempt on its way was changed")
	}
}

// TestBatcherSeenFits: whichever of the commands says by what it was admitted, an entry that is full with others still fits.
func TestBatcherSeenFits(t *testing.T) {
	for less := range seenSize + 1 {
		b := NewBatcher(3, testNodeID, testInc, 1)
		room := cluster.MaxEntry - entryHeader
		for room > 0 {
			size := min(MaxCommand, room-envelopeHeader)
			if room -= envelopeHeader + size; room <= envelopeHeader {
				size, room = size-min(size, less), 0
			}
			if err := b.Add(Waiting{Domain: DomainChat, Bytes: make([]byte, size), Seen: ^uint64(0) >> 1}); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Add(Waiting{Domain: DomainChat, Bytes: make([]byte, 1)}); err != nil { // the last one in the queue brings none
			t.Fatal(err)
		}
		if b.Next(1, Behaviour, nil); len(b.Proposal().Entry) > cluster.MaxEntry {
			t.Fatalf("%d bytes less than full: an entry of %d bytes", less, len(b.Proposal().Entry))
		}
	}
}
