package clustertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

func sameEverywhere(t *testing.T, c *Cluster) {
	from := mustHead(t, c.Logs[0])
	load(t, c, 80)
	to := mustHead(t, c.Logs[0])
	want := collect(t, c.Logs[0], from, nil, to)
	for m, log := range c.Logs[1:] {
		got := collect(t, log, from, nil, to)
		for i := range want {
			if got[i].N != want[i].N || string(got[i].Value) != string(want[i].Value) || string(got[i].Cursor) != string(want[i].Cursor) {
				t.Fatalf("member %d differs at entry %d", m+1, want[i].N)
			}
		}
	}
}

func anyCursor(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	from := mustHead(t, log)
	p := mustOpen(t, log)
	for _, e := range numbered("cursor", 12) {
		p.mustPut(t, e)
		// Revisions that are no entries, in between.
		if err := log.SetNode(t.Context(), cluster.Node{ID: p.node}); err != nil {
			t.Fatal(err)
		}
	}
	all := collect(t, log, from, nil, from+12)
	for i, r := range all {
		for _, cursor := range []cluster.Cursor{r.Cursor, nil} {
			got := collect(t, log, r.N, cursor, from+12)
			if !slices.Equal(values(got), values(all[i+1:])) {
				t.Fatalf("after entry %d with cursor %x: %q", r.N, cursor, values(got))
			}
		}
	}
}

func wrongCursor(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	from := mustHead(t, log)
	mustOpen(t, log).mustPut(t, "1", "2", "3")
	all := collect(t, log, from, nil, from+3)
	beyond := slices.Clone(all[2].Cursor)
	beyond[len(beyond)-5]++
	for _, cursor := range []cluster.Cursor{all[1].Cursor, {1}, beyond, make([]byte, 16)} {
		got, err := tryCollect(t.Context(), log, from+1, cursor, from+3)
		if err == nil {
			t.Fatalf("the cursor %x was taken for entry %d: %q", cursor, from+1, values(got))
		}
	}
}

func farBehind(t *testing.T, c *Cluster) {
	from := mustHead(t, c.Logs[0])
	load(t, c, 1200)
	to := mustHead(t, c.Logs[0])
	if to != from+1200 {
		t.Fatalf("head %d, expected %d", to, from+1200)
	}
	// The history is followed by what comes meanwhile, by watch.
	p := mustOpen(t, c.Logs[0])
	log := c.Logs[len(c.Logs)-1]
	n, seen := from, 0
	err := log.Tail(t.Context(), from, nil, func(rs []cluster.Record) error {
		for _, r := range rs {
			if n++; r.N != n {
				t.Errorf("entry %d in the place of %d", r.N, n)
				return errEnough
			}
		}
		if n == to+uint64(seen) && seen < 20 {
			seen++
			return p.put(t.Context(), "live")
		}
		if n >= to+20 {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
}

func slowConsumer(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	from := mustHead(t, log)
	first, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	n := from
	go func() {
		done <- log.Tail(t.Context(), from, nil, func(rs []cluster.Record) error {
			if n == from {
				close(first)
				<-release
			}
			for _, r := range rs {
				if n++; r.N != n {
					t.Errorf("entry %d in the place of %d", r.N, n)
					return errEnough
				}
			}
			if n >= from+1+1600 {
				return errEnough
			}
			return nil
		})
	}()
	mustOpen(t, log).mustPut(t, "the first")
	<-first
	// More than a watch may hold, while the consumer stands still.
	load(t, c, 1600)
	close(release)
	if err := <-done; !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
}

func contextEnds(t *testing.T, c *Cluster) {
	for _, log := range c.Logs {
		ctx, cancel := context.WithCancel(t.Context())
		from := mustHead(t, log)
		done := make(chan error, 1)
		live := make(chan struct{})
		go func() {
			done <- log.Tail(ctx, from, nil, func([]cluster.Record) error { close(live); return nil })
		}()
		mustOpen(t, log).mustPut(t, "one")
		<-live
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatalf("the tail ended with %v", err)
		}
		if _, err := log.Head(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("head under an ended context: %v", err)
		}
		if _, err := log.Producer(ctx, newNode()); !errors.Is(err, context.Canceled) {
			t.Fatalf("a read under an ended context: %v", err)
		}
	}
}

func deliverFails(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	from := mustHead(t, log)
	mustOpen(t, log).mustPut(t, "1", "2")
	mine := errors.New("mine")
	if err := log.Tail(t.Context(), from, nil, func([]cluster.Record) error { return mine }); !errors.Is(err, mine) {
		t.Fatal(err)
	}
}

func beyondTheEnd(t *testing.T, c *Cluster) {
	for _, log := range c.Logs {
		never := func([]cluster.Record) error { t.Error("delivered from beyond the end"); return errEnough }
		if err := log.Tail(t.Context(), mustHead(t, log)+5, nil, never); !errors.Is(err, cluster.ErrLogEnds) {
			t.Fatalf("a view from the future: %v", err)
		}
	}
}

func trimming(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	from := mustHead(t, log)
	p := mustOpen(t, log)
	p.mustPut(t, numbered("trim", 30)...)
	all := collect(t, log, from, nil, from+30)
	cut := all[19]
	if err := log.Trim(t.Context(), cut.N, cut.Cursor); err != nil {
		t.Fatal(err)
	}
	// Again, and further back: both have happened already.
	for _, r := range []cluster.Record{cut, all[3]} {
		if err := log.Trim(t.Context(), r.N, r.Cursor); err != nil {
			t.Fatal(err)
		}
	}
	for m, log := range c.Logs {
		mustHead(t, log) // linearizable: this member has seen the trimming
		for _, old := range []cluster.Record{{}, {N: all[2].N}, all[2], all[17]} {
			if _, err := tryCollect(t.Context(), log, old.N, old.Cursor, from+30); !errors.Is(err, cluster.ErrCompacted) {
				t.Fatalf("member %d, after entry %d of a log trimmed to %d: %v", m, old.N, cut.N, err)
			}
		}
		for _, r := range []cluster.Record{cut, {N: all[25].N}, all[28]} {
			if got := collect(t, log, r.N, r.Cursor, from+30); len(got) != int(from+30-r.N) {
				t.Fatalf("member %d, after entry %d: %d entries", m, r.N, len(got))
			}
		}
	}
	p.mustPut(t, "goes on")
	if head := mustHead(t, log); head != from+31 {
		t.Fatalf("trimming moved the head: %d, expected %d", head, from+31)
	}
	last := collect(t, log, from+30, nil, from+31)[0]
	if err := log.Trim(t.Context(), last.N, last.Cursor); err != nil {
		t.Fatal(err)
	}
	p.mustPut(t, "still")
	if got := collect(t, log, last.N, last.Cursor, from+32); len(got) != 1 {
		t.Fatalf("after a log trimmed to its end: %d entries", len(got))
	}
}

func tailWhileTrimming(t *testing.T, c *Cluster) {
	log := c.Logs[0]
	from := mustHead(t, log)
	const entries = 400
	loaded := make(chan error, 1)
	go func() {
		p, err := openProducer(t.Context(), c.Logs[len(c.Logs)-1], newNode())
		for i := 0; i < entries && err == nil; i++ {
			err = p.put(t.Context(), "while")
		}
		loaded <- err
	}()
	n := from
	err := log.Tail(t.Context(), from, nil, func(rs []cluster.Record) error {
		for _, r := range rs {
			if n++; r.N != n {
				t.Errorf("entry %d in the place of %d", r.N, n)
				return errEnough
			}
			if n%7 == 0 {
				if err := log.Trim(t.Context(), r.N, r.Cursor); err != nil && !errors.Is(err, cluster.ErrUnknownOutcome) {
					return fmt.Errorf("trim %d: %w", r.N, err)
				}
			}
		}
		if n >= from+entries {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("the tail ended at %d of %d: %v", n-from, entries, err)
	}
	if err := <-loaded; err != nil {
		t.Fatal(err)
	}
}
