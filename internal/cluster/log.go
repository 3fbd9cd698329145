// Package cluster is the replicated log of a cell: one key in an embedded etcd cluster, and a seeded imitation of it
// for the simulation. It alone imports etcd.
//
// Guarantees: entries have numbers n = 1, 2, 3 ... without holes within an epoch; an entry that a producer was told is
// in, is in exactly once on a quorum's disks; every member tails the same entries in the same order. Not given: the
// answer to a proposal may get lost (an error never means "not applied"), and history that was trimmed is gone.
// Keys and transactions: docs/formats.md, "The log".
package cluster

import (
	"context"
	"errors"
)

var (
	// ErrCompacted: the history that was asked for has been trimmed; the view must come from elsewhere.
	ErrCompacted = errors.New("the log was trimmed beyond this position")
	// ErrUnknownOutcome: a proposal was not answered in time. It may be applied now, later or never.
	ErrUnknownOutcome = errors.New("no answer to the proposal: its outcome is unknown")
	// ErrStopped: the log was closed.
	ErrStopped = errors.New("the log is closed")
	// ErrLogEnds: the whole log, read linearizably, ends before the position that was asked for: the view has a future
	// that this log does not.
	ErrLogEnds = errors.New("the log ends before this position")
	// ErrTooLarge: the entry exceeds MaxEntry.
	ErrTooLarge = errors.New("entry too large")
)

// MaxEntry is the largest entry in bytes (docs/formats.md).
const MaxEntry = 64 << 10

// NodeID names a node in the log: 4 bytes, made when its data directory is made.
type NodeID [4]byte

// Incarnation names one start of a node: 12 random bytes.
type Incarnation [12]byte

// Cursor is where a tail stands, as the log wants to be asked for it: at most 16 bytes, opaque, stored in views beside
// n, dropped on restore. Empty means the start of the epoch.
type Cursor []byte

// Record is one entry as the tail delivers it.
type Record struct {
	N      uint64
	Cursor Cursor
	Value  []byte
}

// ProducerState is the node's own key p/<node>.
type ProducerState struct {
	// Version counts the writes of the key, 0 = never written.
	Version     int64
	Incarnation Incarnation
	// Epoch is the value of key epoch, read in the same transaction.
	Epoch uint32
}

// Proposal is one guarded entry: it gets in only while the node's key has the given version, and moves it by one.
type Proposal struct {
	Epoch       uint32
	Node        NodeID
	Incarnation Incarnation
	Version     int64
	Entry       []byte
}

// Node is what a node has written about itself under node/<id>.
type Node struct {
	ID NodeID
	// Behaviour is the highest behaviour number its binary knows.
	Behaviour uint32
	// URL is where people reach it; Site and Addr, of a cluster's node, its site and where other nodes reach it (host:port).
	URL, Site, Addr string
}

// Log is what the kernel needs of a replicated log. It has two implementations: Etcd and Sim. All methods may be called
// from any goroutine.
type Log interface {
	// Epoch is the epoch of the log that this member serves, fixed while it runs.
	Epoch() uint32

	// Producer reads the node's own key, linearizably.
	Producer(ctx context.Context, node NodeID) (ProducerState, error)

	// OpenProducer starts an incarnation: if the key's version is still `version`, it is written with inc. It returns
	// what the key is afterwards; the caller compares. An error leaves the outcome unknown.
	OpenProducer(ctx context.Context, node NodeID, version int64, inc Incarnation) (ProducerState, error)

	// Propose makes one attempt. in = this attempt put the entry into the log; otherwise the state tells why not: a key
	// with our incarnation at Version+1 means that an earlier attempt is in. An error leaves the outcome unknown: only
	// the same proposal may follow. The implementation gives up waiting after about 700 ms, and at once on a change of
	// leader.
	Propose(ctx context.Context, p Proposal) (in bool, state ProducerState, err error)

	// Tail calls deliver with the entries after (n, cursor), in order, from this member's own copy, until ctx ends or
	// deliver returns an error. deliver may block; the log keeps nothing for it beyond a bounded queue and reads the
	// rest from history. ErrCompacted when entry n+1 is gone. If the log ends before n, Tail waits for a linearizable
	// read to decide: entries of a member that is catching up are waited for; a log that really ends before n is an
	// error.
	Tail(ctx context.Context, n uint64, cursor Cursor, deliver func([]Record) error) error

	// Head is the number of the last entry, read linearizably.
	Head(ctx context.Context) (uint64, error)

	// Trim lets history up to and including this entry go. Later is fine; it is an economy.
	Trim(ctx context.Context, n uint64, cursor Cursor) error

	// SetNode writes node/<id>; Nodes lists all.
	SetNode(ctx context.Context, node Node) error
	Nodes(ctx context.Context) ([]Node, error)

	// Members is how many members vote, and whether this one leads (information for metrics and for the rule of Ready).
	Members() (voters int, leader bool)

	// Close stops the member. It returns when everything has finished.
	Close() error
}
