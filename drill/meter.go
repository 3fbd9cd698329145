package drill

import (
	"sync"
	"time"
)

// meter counts acknowledgements and deliveries by site and by slices of time.
type meter struct {
	sites int
	mu    sync.Mutex
	start time.Time // zero: nothing is counted
	acks  [][]int
	dels  [][]int
	lat   [][][]float64
}

// begin starts a timeline.
func (m *meter) begin(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.start, m.acks, m.dels, m.lat = now, nil, nil, nil
}

// slice grows the timeline up to a moment and gives its slice; -1: before the beginning.
func (m *meter) slice(now time.Time) int {
	if m.start.IsZero() || now.Before(m.start) {
		return -1
	}
	i := int(now.Sub(m.start) / sliceLength)
	for len(m.acks) <= i {
		m.acks = append(m.acks, make([]int, m.sites))
		m.dels = append(m.dels, make([]int, m.sites))
		m.lat = append(m.lat, make([][]float64, m.sites))
	}
	return i
}

func (m *meter) acked(site int, now time.Time, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.slice(now); i >= 0 {
		m.acks[i][site]++
		m.lat[i][site] = append(m.lat[i][site], millis(took))
	}
}

func (m *meter) delivered(site int, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.slice(now); i >= 0 {
		m.dels[i][site]++
	}
}

// end stops counting and gives the timeline.
func (m *meter) end() (out []Slice, acked, delivered int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.acks {
		s := Slice{Ms: millis(time.Duration(i) * sliceLength), Acked: m.acks[i], Delivered: m.dels[i]}
		for site := range m.sites {
			s.P50 = append(s.P50, quantile(m.lat[i][site], 0.5))
			s.P99 = append(s.P99, quantile(m.lat[i][site], 0.99))
			acked += m.acks[i][site]
			delivered += m.dels[i][site]
		}
		out = append(out, s)
	}
	m.start = time.Time{}
	return out, acked, delivered
}
