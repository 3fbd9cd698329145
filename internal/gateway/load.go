package gateway

import (
	"slices"
	"sync"
	"time"
)

// Second is what this node acknowledged to its clients in one second.
type Second struct {
	// At is in Unix seconds.
	At    uint64  `json:"at"`
	Sends int     `json:"sends"`
	P99Ms float64 `json:"p99_ms"`
}

// Load is how much a node does for its clients.
type Load struct {
	// People are those who are connected here.
	People int `json:"people"`
	// Seconds are the newest, oldest first. The last one is not over yet: if the node goes, that is all that is known of it.
	Seconds []Second `json:"seconds,omitempty"`
}

// loadKept is how many seconds are kept; sampleMost how many waits of one.
const (
	loadKept   = 6
	sampleMost = 4096
)

// loadMeter counts what is acknowledged, by the second.
type loadMeter struct {
	mu   sync.Mutex
	ring [loadKept + 2]struct {
		at    uint64
		sends int
		waits []float64
	}
}

// acked counts a change of a room that was acknowledged now.
func (m *loadMeter) acked(now time.Time, took time.Duration) {
	at := uint64(now.Unix())
	m.mu.Lock()
	defer m.mu.Unlock()
	s := &m.ring[at%uint64(len(m.ring))]
	if s.at != at {
		s.at, s.sends, s.waits = at, 0, s.waits[:0]
	}
	s.sends++
	if len(s.waits) < sampleMost {
		s.waits = append(s.waits, float64(took.Microseconds())/1000)
	}
}

// Load is what this node did in the last seconds and in this one; those in which nothing was sent are there, too.
func (g *Gateway) Load() Load {
	l := Load{People: g.hub.Here()}
	m, now := &g.load, uint64(g.now().Unix())
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := now - loadKept; at <= now; at++ {
		one := Second{At: at}
		if s := &m.ring[at%uint64(len(m.ring))]; s.at == at {
			one.Sends = s.sends
			waits := slices.Sorted(slices.Values(s.waits))
			if len(waits) > 0 {
				one.P99Ms = waits[len(waits)*99/100]
			}
		}
		l.Seconds = append(l.Seconds, one)
	}
	return l
}
