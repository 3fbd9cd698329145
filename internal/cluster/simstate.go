package cluster

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

// SimState is the replicated state that a quorum agrees on, as a pure value: the committed log of every epoch, the
// producers' keys and the nodes. It has no clock, no randomness, no goroutines and no locks; the same operations in the
// same order give the same state and the same answers. Apply is what etcd does with one transaction, so a simulation
// that decides when operations arrive, and how often, meets exactly the guards of the real log.
//
// It is not safe for concurrent use; Sim is.
type SimState struct {
	// revision counts successful writes, as etcd's does: a cursor is therefore not n, and mixing them up shows.
	revision  int64
	epoch     uint32
	logs      map[uint32]*simLog
	producers map[NodeID]simProducer
	nodes     []Node // ordered by ID
}

// simLog is the log of one epoch: numbers first..first+len(records)-1 are kept.
type simLog struct {
	first   uint64
	records []Record
}

type simProducer struct {
	version int64
	inc     Incarnation
}

// OpKind says what an Op does.
type OpKind uint8

// The operations on a SimState.
const (
	// OpInit creates Epoch with Entry as its entry 1. It does nothing where Epoch exists or a later one does.
	OpInit OpKind = iota + 1
	// OpOpen writes the producer's key with Incarnation if it still has Version.
	OpOpen
	// OpPropose appends Entry if the producer's key has Version and the current epoch is Epoch.
	OpPropose
	// OpSetNode writes what a node says about itself.
	OpSetNode
)

// Op is one operation as a member sends it to the quorum. The state keeps Entry: it must not be changed afterwards.
type Op struct {
	Kind        OpKind
	Epoch       uint32
	Node        NodeID
	Incarnation Incarnation
	Version     int64
	Entry       []byte
	Info        Node
}

// ProposeOp is the operation that a proposal asks for.
func ProposeOp(p Proposal) Op {
	return Op{Kind: OpPropose, Epoch: p.Epoch, Node: p.Node, Incarnation: p.Incarnation, Version: p.Version, Entry: p.Entry}
}

// OpenOp is the operation that starts an incarnation.
func OpenOp(node NodeID, version int64, inc Incarnation) Op {
	return Op{Kind: OpOpen, Node: node, Version: version, Incarnation: inc}
}

// Answer is the outcome of an operation, as of the moment it was applied.
type Answer struct {
	// In: the operation changed the state.
	In bool
	// State is the producer's key afterwards, for OpOpen and OpPropose.
	State ProducerState
	// N is the number the entry got, 0 where none was appended. Only simulations may use it: a real log tells numbers by
	// its tail alone.
	N uint64
}

// errNoEpoch: the epoch asked for was never created.
var errNoEpoch = errors.New("no such epoch")

// NewSimState is an empty state: no epoch, no producers.
func NewSimState() *SimState {
	return &SimState{logs: make(map[uint32]*simLog), producers: make(map[NodeID]simProducer)}
}

// Epoch is the current epoch, 0 before the first OpInit.
func (s *SimState) Epoch() uint32 { return s.epoch }

// Apply commits one operation.
func (s *SimState) Apply(op Op) Answer {
	switch op.Kind {
	case OpInit:
		if op.Epoch <= s.epoch {
			return Answer{}
		}
		s.epoch = op.Epoch
		s.logs[op.Epoch] = &simLog{first: 1}
		s.revision++
		return Answer{In: true, N: s.append(op.Epoch, op.Entry)}
	case OpOpen:
		p := s.producers[op.Node]
		if p.version != op.Version {
			return Answer{State: s.Producer(op.Node)}
		}
		s.revision++
		s.producers[op.Node] = simProducer{version: p.version + 1, inc: op.Incarnation}
		return Answer{In: true, State: s.Producer(op.Node)}
	case OpPropose:
		p := s.producers[op.Node]
		if p.version != op.Version || s.epoch != op.Epoch || s.logs[op.Epoch] == nil {
			return Answer{State: s.Producer(op.Node)}
		}
		s.revision++
		s.producers[op.Node] = simProducer{version: p.version + 1, inc: op.Incarnation}
		return Answer{In: true, State: s.Producer(op.Node), N: s.append(op.Epoch, op.Entry)}
	case OpSetNode:
		s.revision++
		i, ok := slices.BinarySearchFunc(s.nodes, op.Info.ID, func(n Node, id NodeID) int { return bytes.Compare(n.ID[:], id[:]) })
		if ok {
			s.nodes[i] = op.Info
		} else {
			s.nodes = slices.Insert(s.nodes, i, op.Info)
		}
		return Answer{In: true}
	}
	return Answer{}
}

func (s *SimState) append(epoch uint32, entry []byte) uint64 {
	l := s.logs[epoch]
	n := l.head() + 1
	l.records = append(l.records, Record{N: n, Cursor: cursorOf(s.revision), Value: entry})
	return n
}

func (l *simLog) head() uint64 { return l.first + uint64(len(l.records)) - 1 }

// Producer is the key of a node.
func (s *SimState) Producer(node NodeID) ProducerState {
	p := s.producers[node]
	return ProducerState{Version: p.version, Incarnation: p.inc, Epoch: s.epoch}
}

// Head is the number of the last entry of an epoch, 0 if there is none.
func (s *SimState) Head(epoch uint32) uint64 {
	if l := s.logs[epoch]; l != nil {
		return l.head()
	}
	return 0
}

// Records are the entries after, after+1 ... upto (at most the head) of an epoch. The slice is the state's own and must
// not be changed; it stays valid. ErrCompacted when the first of them has been trimmed.
func (s *SimState) Records(epoch uint32, after, upto uint64) ([]Record, error) {
	l := s.logs[epoch]
	if l == nil {
		return nil, errNoEpoch
	}
	if after+1 < l.first {
		return nil, ErrCompacted
	}
	upto = min(upto, l.head())
	if upto <= after {
		return nil, nil
	}
	from, to := after+1-l.first, upto+1-l.first
	return l.records[from:to:to], nil
}

// CheckCursor says whether a tail may start after (n, cursor): the cursor must be the one that entry n was delivered
// with. Empty is always right, and what is trimmed cannot be checked any more.
func (s *SimState) CheckCursor(epoch uint32, n uint64, cursor Cursor) error {
	l := s.logs[epoch]
	if len(cursor) == 0 || l == nil || n < l.first || n > l.head() {
		return nil
	}
	if !bytes.Equal(l.records[n-l.first].Cursor, cursor) {
		return errCursor
	}
	return nil
}

// Compact lets the current epoch's entries up to and including n go; the last entry always stays.
func (s *SimState) Compact(n uint64) {
	l := s.logs[s.epoch]
	if l == nil {
		return
	}
	if n = min(n, l.head()-1); n >= l.first {
		// A copy, so that the memory of what was trimmed really goes.
		l.records = slices.Clone(l.records[n+1-l.first:])
		l.first = n + 1
	}
}

// Nodes are what the nodes wrote about themselves, by ID.
func (s *SimState) Nodes() []Node { return slices.Clone(s.nodes) }

// errCursor: a view's cursor does not point at its entry.
var errCursor = errors.New("the cursor does not belong to this entry")

func cursorOf(revision int64) Cursor {
	return binary.BigEndian.AppendUint64(make(Cursor, 0, 8), uint64(revision))
}

func revisionOf(c Cursor) (int64, error) {
	if len(c) != 8 || c[0]&0x80 != 0 {
		return 0, errCursor
	}
	return int64(binary.BigEndian.Uint64(c)), nil
}
