package cluster_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

func benchOpen(b *testing.B, dir string) *cluster.Etcd {
	e, err := cluster.OpenEtcd(b.Context(), cluster.EtcdOptions{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// BenchmarkOpen starts and stops one member whose log has an epoch.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	e := benchOpen(b, dir)
	if err := e.Init(b.Context(), testEpoch, nil); err != nil {
		b.Fatal(err)
	}
	e.Close()
	for b.Loop() {
		e := benchOpen(b, dir)
		b.StopTimer()
		e.Close()
		b.StartTimer()
	}
}

// BenchmarkClose stops one idle member.
func BenchmarkClose(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		b.StopTimer()
		e := benchOpen(b, dir)
		b.StartTimer()
		e.Close()
	}
}

// BenchmarkPropose: producers in closed loops, each with one entry under way; one operation = one entry.
func BenchmarkPropose(b *testing.B) {
	for _, c := range []struct{ producers, size int }{{1, 180}, {1, 2 << 10}, {1, 18 << 10}, {1, 60 << 10}, {100, 2 << 10}} {
		b.Run(fmt.Sprintf("producers=%d/bytes=%d", c.producers, c.size), func(b *testing.B) {
			e := benchOpen(b, b.TempDir())
			defer e.Close()
			if err := e.Init(b.Context(), testEpoch, nil); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(c.size))
			b.ResetTimer()
			var left sync.WaitGroup
			for i := range c.producers {
				left.Go(func() {
					p := cluster.Proposal{Epoch: testEpoch, Node: cluster.NodeID{byte(i)}, Entry: make([]byte, c.size)}
					for range (b.N + c.producers - 1 - i) / c.producers {
						if in, _, err := e.Propose(b.Context(), p); err != nil || !in {
							b.Error(in, err)
							return
						}
						p.Version++
					}
				})
			}
			left.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}
