package kernel

import (
	"fmt"
	"testing"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// BenchmarkApply applies entries of 100 commands to a view on disk, each setting three rows. Named commands come from
// as many devices and rooms as a busy node's; the unnamed run shows what names cost.
func BenchmarkApply(b *testing.B) {
	const perEntry, callers = 100, 1000
	for _, withNames := range []bool{true, false} {
		b.Run(fmt.Sprintf("named=%v", withNames), func(b *testing.B) {
			a := newApplier(b, openPebble(b, b.TempDir(), PebbleOptions{}))
			mustApply(b, a, 1, FirstEntry(3, Behaviour, 1000))
			var next [callers]uint64
			n, at := uint64(1), 0
			entry := func() *Entry {
				e := Entry{Epoch: 3, Behaviour: Behaviour, Time: 1000 + n}
				for range perEntry {
					c := bankCommand{op: opCopy, scope: room(fmt.Sprint(at))}
					if withNames {
						next[at]++
						c.name = &Name{Device: ids.Device{byte(at), byte(at >> 8)}, N: next[at], Tag: tag(byte(next[at])), Base: next[at]}
					}
					e.Commands = append(e.Commands, Envelope{Domain: DomainChat, Bytes: c.bytes()})
					at = (at + 1) % callers
				}
				return &e
			}
			b.ReportAllocs()
			applied := 0
			for b.Loop() {
				b.StopTimer()
				e := entry()
				n++
				b.StartTimer()
				out, err := a.Apply(n, nil, e)
				if err != nil || out.Decided[0].Verdict.Code != OK {
					b.Fatal(err)
				}
				applied += perEntry
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(applied), "us/command")
		})
	}
}
