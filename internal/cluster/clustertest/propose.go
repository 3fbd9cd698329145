package clustertest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

func onceInOrder(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	from := mustHead(t, log)
	p := mustOpen(t, log)
	want := numbered("once", 40)
	p.mustPut(t, want...)
	if head := mustHead(t, log); head != from+40 {
		t.Fatalf("head %d after 40 entries on %d", head, from)
	}
	if got := values(collect(t, log, from, nil, from+40)); !slices.Equal(got, want) {
		t.Fatalf("tailed %q", got)
	}
	s, err := log.Producer(t.Context(), p.node)
	if err != nil || s != (cluster.ProducerState{Version: 41, Incarnation: p.inc, Epoch: log.Epoch()}) {
		t.Fatalf("the producer's key is %+v, %v", s, err)
	}
}

func twoProducers(t *testing.T, c *Cluster) {
	from := mustHead(t, c.Logs[0])
	const each = 60
	errs := make(chan error, 2)
	for i := range 2 {
		go func() {
			p, err := openProducer(t.Context(), c.Logs[i%len(c.Logs)], newNode())
			for k := 0; k < each && err == nil; k++ {
				err = p.put(t.Context(), fmt.Sprintf("%d %04d", i, k))
			}
			errs <- err
		}()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	var next [2]int
	for _, v := range values(collect(t, c.Logs[len(c.Logs)-1], from, nil, from+2*each)) {
		var i, k int
		if _, err := fmt.Sscanf(v, "%d %d", &i, &k); err != nil || next[i] != k {
			t.Fatalf("entry %q, expected number %v", v, next)
		}
		next[i]++
	}
	if head := mustHead(t, c.Logs[0]); head != from+2*each {
		t.Fatalf("head %d, expected %d", head, from+2*each)
	}
}

func doubled(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	p := mustOpen(t, log)
	q := p.proposal("doubled")
	p.mustPut(t, "doubled")
	head := mustHead(t, log)
	for range 3 {
		refuse(t, log, q, cluster.ProducerState{Version: q.Version + 1, Incarnation: p.inc, Epoch: q.Epoch})
	}
	if got := mustHead(t, log); got != head {
		t.Fatalf("the doubled entry moved the head from %d to %d", head, got)
	}
}

func late(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	p := mustOpen(t, log)
	q := p.proposal("late 1")
	p.mustPut(t, "late 1", "late 2", "late 3")
	refuse(t, log, q, cluster.ProducerState{Version: q.Version + 3, Incarnation: p.inc, Epoch: q.Epoch})
	// And one that is too early.
	q.Version += 7
	refuse(t, log, q, cluster.ProducerState{Version: p.state.Version, Incarnation: p.inc, Epoch: q.Epoch})
}

// refuse proposes until answered, and expects "no" with the given state.
func refuse(t *testing.T, log cluster.Log, q cluster.Proposal, want cluster.ProducerState) {
	t.Helper()
	for {
		in, s, err := log.Propose(t.Context(), q)
		if errors.Is(err, cluster.ErrUnknownOutcome) {
			continue
		}
		if err != nil || in || s != want {
			t.Fatalf("in %v, state %+v, %v; expected a refusal with %+v", in, s, err, want)
		}
		return
	}
}

func closedIncarnation(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	old := mustOpen(t, log)
	old.mustPut(t, "before")
	now, err := openProducer(t.Context(), c.Logs[len(c.Logs)-1], old.node)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.put(t.Context(), "from the grave"); !errors.Is(err, errClosed) {
		t.Fatalf("the old incarnation proposed: %v", err)
	}
	// Nor does it help to know the new version.
	q := old.proposal("from the grave")
	now.mustPut(t, "after")
	refuse(t, log, q, cluster.ProducerState{Version: now.state.Version, Incarnation: now.inc, Epoch: log.Epoch()})
}

func openGuard(t *testing.T, c *Cluster) {
	log, ctx := c.Logs[0], t.Context()
	p := mustOpen(t, log)
	other := newIncarnation()
	for {
		s, err := log.OpenProducer(ctx, p.node, 0, other)
		if errors.Is(err, cluster.ErrUnknownOutcome) {
			continue
		}
		if err != nil || s != (cluster.ProducerState{Version: 1, Incarnation: p.inc, Epoch: log.Epoch()}) {
			t.Fatalf("opening at an old version: %+v, %v", s, err)
		}
		break
	}
	s, err := log.Producer(ctx, newNode())
	if err != nil || s != (cluster.ProducerState{Epoch: log.Epoch()}) {
		t.Fatalf("a producer that never was: %+v, %v", s, err)
	}
}

func epochGuard(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	p := mustOpen(t, log)
	head := mustHead(t, log)
	for _, epoch := range []uint32{0, log.Epoch() - 1, log.Epoch() + 1} {
		q := p.proposal("another time")
		q.Epoch = epoch
		refuse(t, log, q, cluster.ProducerState{Version: 1, Incarnation: p.inc, Epoch: log.Epoch()})
	}
	if got := mustHead(t, log); got != head {
		t.Fatalf("an entry of another epoch moved the head from %d to %d", head, got)
	}
	p.mustPut(t, "this time")
}

func tooLarge(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	p := mustOpen(t, log)
	if err := p.put(t.Context(), string(make([]byte, cluster.MaxEntry+1))); !errors.Is(err, cluster.ErrTooLarge) {
		t.Fatalf("one byte too many: %v", err)
	}
	p.mustPut(t, string(make([]byte, cluster.MaxEntry)), "")
}

func head(t *testing.T, c *Cluster) {
	p := mustOpen(t, c.Logs[0])
	from := mustHead(t, c.Logs[0])
	for i := range uint64(5) {
		p.mustPut(t, "head")
		for m, log := range c.Logs {
			if got := mustHead(t, log); got != from+i+1 {
				t.Fatalf("member %d: head %d after entry %d was acknowledged", m, got, from+i+1)
			}
		}
	}
}

func nodes(t *testing.T, c *Cluster) {
	ctx := t.Context()
	a := cluster.Node{ID: newNode(), Behaviour: 3, URL: "http://a.example:8080/한글"}
	b := cluster.Node{ID: newNode(), Behaviour: 1<<32 - 1}
	last := c.Logs[len(c.Logs)-1]
	for _, n := range []cluster.Node{b, {ID: a.ID, Behaviour: 2, URL: "x"}, a} {
		if err := c.Logs[0].SetNode(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	all, err := last.Nodes(ctx)
	if err != nil || !slices.Contains(all, a) || !slices.Contains(all, b) {
		t.Fatalf("%+v, %v", all, err)
	}
	if i := slices.IndexFunc(all, func(n cluster.Node) bool { return n.Behaviour == 2 && n.ID == a.ID }); i >= 0 {
		t.Fatal("the old value of a node is still there")
	}
	if voters, _ := last.Members(); voters != len(c.Logs) {
		t.Fatalf("%d voters of %d members", voters, len(c.Logs))
	}
}
