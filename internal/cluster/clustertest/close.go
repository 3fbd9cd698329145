package clustertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// closeWhileBusy closes member 0 under load and reopens it: everything ends with ErrStopped, everything acknowledged is
// in, once, and what was unanswered can be asked again.
func closeWhileBusy(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	from := mustHead(t, log)
	const producers = 4
	type outcome struct {
		p     *producer
		acked int
		err   error
	}
	done := make(chan outcome, producers)
	running := make(chan struct{}, producers)
	for i := range producers {
		go func() {
			p, err := openProducer(t.Context(), log, newNode())
			acked := 0
			for err == nil {
				if err = p.put(t.Context(), fmt.Sprintf("busy %d %d", i, acked)); err == nil {
					if acked++; acked == 5 {
						running <- struct{}{}
					}
				}
			}
			done <- outcome{p, acked, err}
		}()
	}
	tailed := make(chan error, 1)
	go func() {
		tailed <- log.Tail(t.Context(), from, nil, func([]cluster.Record) error { return nil })
	}()
	for range producers {
		<-running
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := log.Close(); err != nil {
		t.Fatalf("closing again: %v", err)
	}
	if err := <-tailed; !errors.Is(err, cluster.ErrStopped) {
		t.Fatalf("the tail ended with %v", err)
	}
	var outcomes []outcome
	for range producers {
		o := <-done
		if !errors.Is(o.err, cluster.ErrStopped) {
			t.Fatalf("a proposal ended with %v", o.err)
		}
		outcomes = append(outcomes, o)
	}
	stopped(t, log)

	c.Logs[0] = c.Reopen(t, 0)
	log = c.Logs[0]
	want := map[string]bool{}
	for _, o := range outcomes {
		o.p.log = log
		if o.p.put(t.Context(), "asked again") != nil {
			t.Fatal("the unanswered proposal cannot be settled after reopening")
		}
	}
	seen := map[string]int{}
	for _, v := range values(collect(t, log, from, nil, mustHead(t, log))) {
		seen[v]++
	}
	for v, n := range seen {
		if n != 1 && v != "asked again" {
			t.Fatalf("%q is in %d times", v, n)
		}
		want[v] = true
	}
	total := 0
	for _, o := range outcomes {
		total += o.acked
	}
	if len(seen) < total {
		t.Fatalf("%d entries of %d acknowledged", len(seen), total)
	}
}

// stopped: a closed log answers everything with ErrStopped.
func stopped(t *testing.T, log cluster.Log) {
	t.Helper()
	ctx := t.Context()
	_, errHead := log.Head(ctx)
	_, errProducer := log.Producer(ctx, newNode())
	_, errOpen := log.OpenProducer(ctx, newNode(), 0, newIncarnation())
	_, _, errPropose := log.Propose(ctx, cluster.Proposal{Epoch: log.Epoch()})
	_, errNodes := log.Nodes(ctx)
	errTail := log.Tail(ctx, 0, nil, func([]cluster.Record) error { return nil })
	for i, err := range []error{errHead, errProducer, errOpen, errPropose, errNodes, errTail, log.SetNode(ctx, cluster.Node{}), log.Trim(ctx, 1, nil)} {
		if !errors.Is(err, cluster.ErrStopped) {
			t.Fatalf("call %d on a closed log: %v", i, err)
		}
	}
}

func reopen(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	from := mustHead(t, log)
	p := mustOpen(t, log)
	p.mustPut(t, numbered("kept", 20)...)
	before := collect(t, log, from, nil, from+20)
	node := cluster.Node{ID: p.node, Behaviour: 4, URL: "u"}
	if err := log.SetNode(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	epoch := log.Epoch()
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	c.Logs[0] = c.Reopen(t, 0)
	log = c.Logs[0]
	if log.Epoch() != epoch {
		t.Fatalf("epoch %d after %d", log.Epoch(), epoch)
	}
	after := collect(t, log, from, nil, from+20)
	if !slices.EqualFunc(before, after, func(a, b cluster.Record) bool {
		return a.N == b.N && string(a.Cursor) == string(b.Cursor) && string(a.Value) == string(b.Value)
	}) {
		t.Fatal("the entries are others after reopening")
	}
	p.log = log
	p.mustPut(t, "goes on")
	if got := collect(t, log, before[19].N, before[19].Cursor, from+21); len(got) != 1 || string(got[0].Value) != "goes on" {
		t.Fatalf("%q", values(got))
	}
	all, err := log.Nodes(t.Context())
	if err != nil || !slices.Contains(all, node) {
		t.Fatalf("%+v, %v", all, err)
	}
}
