package gateway

import (
	"context"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// turnstile lets a few through at a time, in the order in which they came, and turns away who would wait longer than is worth it:
// a crowd must not take the machine from people who write.
type turnstile struct {
	slots chan struct{}
	wait  time.Duration
	queue prometheus.Gauge
}

func newTurnstile(slots int, wait time.Duration, queue prometheus.Gauge) turnstile {
	if slots == 0 {
		slots = runtime.GOMAXPROCS(0)
	}
	return turnstile{make(chan struct{}, slots), wait, queue}
}

// enter waits for a turn; without one ok is false.
func (t *turnstile) enter(ctx context.Context) (leave func(), ok bool) {
	t.queue.Inc()
	defer t.queue.Dec()
	leave = func() { <-t.slots }
	select {
	case t.slots <- struct{}{}:
		return leave, true
	default:
	}
	timer := time.NewTimer(t.wait)
	defer timer.Stop()
	select {
	case t.slots <- struct{}{}:
		return leave, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil, false
}
