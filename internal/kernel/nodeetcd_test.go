package kernel

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// TestNodeOnEtcd is the way of a command with nothing simulated: etcd, Pebble, the real clock; and again after a
// restart of everything on the same directory.
func TestNodeOnEtcd(t *testing.T) {
	dir := t.TempDir()
	const callers, each = 20, 10
	for round := range uint64(2) {
		log, err := cluster.OpenEtcd(t.Context(), cluster.EtcdOptions{
			Dir: filepath.Join(dir, "etcd"), Name: "one", OnFatal: func(s string) { t.Error(s) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if log.Epoch() == 0 {
			if err := log.Init(t.Context(), 3, FirstEntry(3, Behaviour, ms(time.Now()))); err != nil {
				t.Fatal(err)
			}
		}
		stores := map[string]*PebbleStore{}
		o := Options{Log: log, Node: testNodeID, Fatal: func(err error) { t.Error(err) }}
		for _, id := range []byte{DomainPeople, DomainChat} {
			d := &bank{id: id}
			s, err := OpenPebble(filepath.Join(dir, d.Name()), PebbleOptions{})
			if err != nil {
				t.Fatal(err)
			}
			stores[d.Name()] = s
			o.Domains = append(o.Domains, DomainStore{d, s})
		}
		node, err := Start(o)
		if err != nil {
			t.Fatal(err)
		}
		n := &testNode{Node: node, t: t}
		var wg sync.WaitGroup
		for caller := range byte(callers) {
			wg.Go(func() {
				for i := round*each + 1; i <= (round+1)*each; i++ {
					for _, repeated := range []bool{false, true} {
						if r := n.ask(DomainChat, named(opAdd, caller, i, "x")); r.Err != nil || r.Verdict.Code != OK || r.Repeated != repeated {
							t.Errorf("caller %d, command %d: %+v", caller, i, r)
						}
					}
				}
			})
		}
		wg.Wait()
		snap := n.Snapshot(DomainChat)
		if got := bankSum(snap, room("x")); got != (round+1)*callers*each {
			t.Errorf("round %d: %d commands are in, want %d", round, got, (round+1)*callers*each)
		}
		snap.Close()
		if err := n.Ready(); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := n.Stop(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		for name, s := range stores {
			if err := s.Close(); err != nil {
				t.Error(name, err)
			}
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
}
