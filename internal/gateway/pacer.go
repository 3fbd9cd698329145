package gateway

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// minPace: a connection that was written to so short a time ago gets what follows together with what comes next. The
	// first event after a pause is written at once, and answers to the client's own commands always are.
	minPace, maxPace = 4 * time.Millisecond, 40 * time.Millisecond
	// pacePerWrite keeps writing to listeners at about a quarter of one core: a write costs the machine about 5 us, more
	// than all the rest of a delivery, so under load groups are carried in fewer and larger writes.
	pacePerWrite = 20 * time.Microsecond
)

// pacer flushes the connections that wait for more.
type pacer struct {
	pace atomic.Int64 // nanoseconds
	mu   struct {
		sync.Mutex
		late  []*socket
		armed bool
	}
}

// soon says whether a connection last written to at this time (since the server's start) should wait for more.
func (p *pacer) soon(now, wrote time.Duration) bool {
	return now-wrote < max(minPace, time.Duration(p.pace.Load()))
}

func (p *pacer) add(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.late = append(p.mu.late, s)
	if !p.mu.armed {
		p.mu.armed = true
		time.AfterFunc(max(minPace, time.Duration(p.pace.Load())), p.flush)
	}
}

func (p *pacer) flush() {
	p.mu.Lock()
	late := p.mu.late
	p.mu.late, p.mu.armed = nil, false
	p.mu.Unlock()
	p.pace.Store(int64(min(time.Duration(len(late))*pacePerWrite, maxPace)))
	for _, s := range late {
		s.late.Store(false)
		s.Flush()
	}
}
