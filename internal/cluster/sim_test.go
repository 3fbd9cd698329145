package cluster_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/cluster/clustertest"
)

var (
	_ cluster.Log = (*cluster.Etcd)(nil)
	_ cluster.Log = (*cluster.SimLog)(nil)
)

// heavy faults: one operation in three goes wrong.
var heavy = cluster.SimFaults{MaxDelay: 40 * time.Millisecond, LoseRequest: 0.1, LoseAnswer: 0.1, Double: 0.2}

func simCluster(seed uint64, members int, f cluster.SimFaults) (*cluster.Sim, *clustertest.Cluster) {
	s := cluster.NewSim(seed, members, testEpoch, []byte("entry 1"))
	s.SetFaults(f)
	c := &clustertest.Cluster{Reopen: func(_ *testing.T, member int) cluster.Log { return s.Log(member) }}
	for m := range members {
		c.Logs = append(c.Logs, s.Log(m))
	}
	return s, c
}

func TestSim(t *testing.T) {
	for name, f := range map[string]cluster.SimFaults{"calm": {}, "heavy": heavy} {
		for _, members := range []int{1, 3} {
			for seed := range uint64(4) {
				for _, k := range clustertest.Cases() {
					t.Run(fmt.Sprintf("%s, %d members, seed %d: %s", name, members, seed, k.Name), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							_, c := simCluster(seed, members, f)
							k.Run(t, c)
						})
					})
				}
			}
		}
	}
}

// The suite also runs outside a bubble, in real time.
func TestSimRealTime(t *testing.T) {
	clustertest.Run(t, func(*testing.T) *clustertest.Cluster {
		_, c := simCluster(1, 3, cluster.SimFaults{MaxDelay: 50 * time.Microsecond})
		return c
	})
}

func TestSimPartition(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			ctx := t.Context()
			s, c := simCluster(seed, 3, cluster.SimFaults{MaxDelay: 5 * time.Millisecond})
			node := cluster.NodeID{9}
			inc := cluster.Incarnation{9}
			if _, err := c.Logs[0].OpenProducer(ctx, node, 0, inc); err != nil {
				t.Fatal(err)
			}
			s.Cut(0)
			if _, leads := c.Logs[0].Members(); leads {
				t.Fatal("a member that is cut off leads")
			}
			p := cluster.Proposal{Epoch: testEpoch, Node: node, Incarnation: inc, Version: 1, Entry: []byte("cut off")}
			if _, _, err := c.Logs[0].Propose(ctx, p); !errors.Is(err, cluster.ErrUnknownOutcome) {
				t.Fatalf("a member that is cut off: %v", err)
			}
			other := cluster.Proposal{Epoch: testEpoch, Node: cluster.NodeID{8}, Incarnation: inc, Version: 0, Entry: []byte("goes on")}
			if in, _, err := c.Logs[1].Propose(ctx, other); err != nil || !in {
				t.Fatalf("the other two: %v, %v", in, err)
			}
			s.Heal(0)
			// The proposal arrives late, or never; asked again, it is in once.
			var settled bool
			for !settled {
				in, state, err := c.Logs[0].Propose(ctx, p)
				settled = err == nil && (in || state.Version == 2 && state.Incarnation == inc)
			}
			var got []string
			enough := errors.New("enough")
			err := c.Logs[0].Tail(ctx, 1, nil, func(rs []cluster.Record) error {
				for _, r := range rs {
					got = append(got, string(r.Value))
				}
				if len(got) >= 2 {
					return enough
				}
				return nil
			})
			if !errors.Is(err, enough) || len(got) != 2 || got[0] != "goes on" || got[1] != "cut off" {
				t.Fatalf("seed %d: %q, %v", seed, got, err)
			}
			if n, err := c.Logs[2].Head(ctx); n != 3 || err != nil {
				t.Fatalf("seed %d: head %d, %v", seed, n, err)
			}
		})
	}
}
