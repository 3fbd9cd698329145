package gateway

import (
	"sync"
	"time"
)

// pace: a connection that was written to so short a time ago gets what follows together. A write costs the kernel more
// than all the rest of a delivery, so a busy group is carried in a third of the time; the first event after a pause is
// written at once, and answers to the client's own commands always are.
const pace = 4 * time.Millisecond

// pacer flushes the connections that wait for more.
type pacer struct {
	mu struct {
		sync.Mutex
		late  []*socket
		armed bool
	}
}

func (p *pacer) add(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.late = append(p.mu.late, s)
	if !p.mu.armed {
		p.mu.armed = true
		time.AfterFunc(pace, p.flush)
	}
}

func (p *pacer) flush() {
	p.mu.Lock()
	late := p.mu.late
	p.mu.late, p.mu.armed = nil, false
	p.mu.Unlock()
	for _, s := range late {
		s.late.Store(false)
		s.Flush()
	}
}
