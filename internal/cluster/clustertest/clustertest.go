// Package clustertest is the conformance suite of cluster.Log: what the kernel relies on, checked on every
// implementation. Its cases measure nothing and wait for nothing but the log itself, so that a failure is a fault.
package clustertest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// Cluster is what a case runs on: every member's view of one initialised log. Cases that share a cluster run one after
// another, and each begins at whatever head it meets.
type Cluster struct {
	Logs []cluster.Log
	// Reopen gives a new view of a member whose Log was closed.
	Reopen func(t *testing.T, member int) cluster.Log
}

// Case is one property.
type Case struct {
	Name string
	Run  func(t *testing.T, c *Cluster)
}

// Cases are all properties, in an order in which they can share a cluster.
func Cases() []Case {
	return []Case{
		{"entries are in once and in order", onceInOrder},
		{"two producers, numbers without holes", twoProducers},
		{"a doubled proposal is refused", doubled},
		{"a late proposal is refused", late},
		{"a closed incarnation is refused", closedIncarnation},
		{"opening asks for the version", openGuard},
		{"another epoch is refused", epochGuard},
		{"an entry that is too large is refused", tooLarge},
		{"every member tails the same", sameEverywhere},
		{"tail from any cursor", anyCursor},
		{"tail from a wrong cursor", wrongCursor},
		{"tail far behind", farBehind},
		{"a slow consumer misses nothing", slowConsumer},
		{"tail ends with its context", contextEnds},
		{"tail ends with the error of deliver", deliverFails},
		{"tail beyond the end", beyondTheEnd},
		{"head", head},
		{"nodes", nodes},
		{"trimming", trimming},
		{"tail while trimming", tailWhileTrimming},
		{"close while proposing and tailing", closeWhileBusy},
		{"reopen keeps everything", reopen},
	}
}

// Run opens one cluster and runs all cases on it.
func Run(t *testing.T, open func(t *testing.T) *Cluster) {
	c := open(t)
	for _, k := range Cases() {
		if !t.Run(k.Name, func(t *testing.T) { k.Run(t, c) }) {
			return // what follows would only report the same fault again
		}
	}
}

// producer proposes as the kernel's batcher does: the same proposal again until its outcome is certain.
type producer struct {
	log   cluster.Log
	node  cluster.NodeID
	inc   cluster.Incarnation
	state cluster.ProducerState
}

var nodeCount struct {
	sync.Mutex
	n uint32
}

// newNode gives an id that no other case uses.
func newNode() (id cluster.NodeID) {
	nodeCount.Lock()
	defer nodeCount.Unlock()
	nodeCount.n++
	binary.BigEndian.PutUint32(id[:], nodeCount.n)
	return id
}

func newIncarnation() (inc cluster.Incarnation) {
	n := newNode()
	copy(inc[:], n[:])
	return inc
}

// openProducer starts an incarnation of node and keeps at it until it is the one.
func openProducer(ctx context.Context, log cluster.Log, node cluster.NodeID) (*producer, error) {
	p := &producer{log: log, node: node, inc: newIncarnation()}
	for {
		s, err := log.Producer(ctx, node)
		if err != nil {
			return nil, err
		}
		if s.Incarnation != p.inc {
			if s, err = log.OpenProducer(ctx, node, s.Version, p.inc); errors.Is(err, cluster.ErrUnknownOutcome) {
				continue
			} else if err != nil {
				return nil, err
			}
		}
		if s.Incarnation == p.inc {
			p.state = s
			return p, nil
		}
	}
}

func (p *producer) proposal(entry string) cluster.Proposal {
	return cluster.Proposal{Epoch: p.log.Epoch(), Node: p.node, Incarnation: p.inc, Version: p.state.Version, Entry: []byte(entry)}
}

// errClosed: the log says that another incarnation has taken over.
var errClosed = errors.New("this incarnation is closed")

// put brings an entry in, exactly once.
func (p *producer) put(ctx context.Context, entry string) error {
	for q := p.proposal(entry); ; {
		in, s, err := p.log.Propose(ctx, q)
		switch {
		case errors.Is(err, cluster.ErrUnknownOutcome) && ctx.Err() == nil:
			continue
		case err != nil:
			return err
		case in || s.Incarnation == p.inc && s.Version == q.Version+1:
			p.state.Version = q.Version + 1
			return nil
		case s.Incarnation == p.inc && s.Version == q.Version && s.Epoch == q.Epoch:
			continue // answered before it was applied: only a delayed, doubled answer can say this
		default:
			return errClosed
		}
	}
}

func mustOpen(t *testing.T, log cluster.Log) *producer {
	t.Helper()
	p, err := openProducer(t.Context(), log, newNode())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *producer) mustPut(t *testing.T, entries ...string) {
	t.Helper()
	for _, e := range entries {
		if err := p.put(t.Context(), e); err != nil {
			t.Fatalf("put %s: %v", e, err)
		}
	}
}

func mustHead(t *testing.T, log cluster.Log) uint64 {
	t.Helper()
	n, err := log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var errEnough = errors.New("enough")

// collect tails from after (n, cursor) until entry `to` has come, and checks that numbers have no hole.
func collect(t *testing.T, log cluster.Log, n uint64, cursor cluster.Cursor, to uint64) []cluster.Record {
	t.Helper()
	got, err := tryCollect(t.Context(), log, n, cursor, to)
	if err != nil {
		t.Fatalf("tail from %d to %d: %v", n, to, err)
	}
	return got
}

func tryCollect(ctx context.Context, log cluster.Log, n uint64, cursor cluster.Cursor, to uint64) (got []cluster.Record, err error) {
	if n >= to {
		return nil, nil
	}
	err = log.Tail(ctx, n, cursor, func(rs []cluster.Record) error {
		for _, r := range rs {
			if n++; r.N != n {
				return fmt.Errorf("entry %d in the place of %d", r.N, n)
			}
			if len(r.Cursor) == 0 || len(r.Cursor) > 16 {
				return fmt.Errorf("a cursor of %d bytes", len(r.Cursor))
			}
			got = append(got, r)
		}
		if n >= to {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return got, err
}

func values(rs []cluster.Record) (out []string) {
	for _, r := range rs {
		out = append(out, string(r.Value))
	}
	return out
}

// numbered makes entries "<prefix> 0" ... of about 200 bytes.
func numbered(prefix string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("%s %-200d", prefix, i))
	}
	return out
}

// load brings n entries in through several producers at once, spread over the members.
func load(t *testing.T, c *Cluster, n int) {
	t.Helper()
	const producers = 8
	errs := make(chan error, producers)
	for i := range producers {
		go func() {
			p, err := openProducer(t.Context(), c.Logs[i%len(c.Logs)], newNode())
			for k := 0; k < n/producers && err == nil; k++ {
				err = p.put(t.Context(), fmt.Sprintf("load %d %d", i, k))
			}
			errs <- err
		}()
	}
	for range producers {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
}
