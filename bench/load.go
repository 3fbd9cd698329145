package bench

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// bodySize is what the peers were measured with (docs/performance.md).
const bodySize = 128

// writer is one session that keeps `outstanding` sends open to one room or peer, or only listens.
type writer struct {
	c           *conn
	peer, room  string
	outstanding int
	pace        time.Duration // between two sends of a writer with one outstanding; 0 = none

	n, base   uint64
	sent      int64
	opened    map[uint64]int64 // n -> send time, ns
	buf       []byte
	acks      []int64 // latencies of the window, ns
	deliver   []int64
	measuring *atomic.Bool
	acked     *atomic.Int64 // of all writers, measured or not; nil = not counted
	stop      *atomic.Bool
	clock     func() int64
}

func (w *writer) send() error {
	if w.pace > 0 {
		time.Sleep(w.pace - time.Duration(w.clock()-w.sent))
		w.sent = w.clock()
	}
	w.n++
	now := w.clock()
	w.opened[w.n] = now
	w.buf = stampText(w.buf, now)
	return w.c.queue(&livev1.Frame{Id: w.n, Body: &livev1.Frame_Send{Send: &apiv1.SendRequest{
		Name: &apiv1.CommandName{N: w.n, Tag: tagOf(w.n), Base: w.base}, Room: w.room, Peer: w.peer, Text: string(w.buf),
	}}})
}

func tagOf(n uint64) []byte {
	return []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), 'b', 'e', 'n', 'c'}
}

// run is the session's life: it returns when the load has stopped and everything sent is answered, or on an error.
func (w *writer) run() error {
	w.base = 1
	for range w.outstanding {
		if err := w.send(); err != nil {
			return err
		}
	}
	if err := w.c.flush(); err != nil {
		return err
	}
	for {
		b, err := w.c.next()
		if err != nil {
			if w.stop.Load() && len(w.opened) == 0 {
				return nil
			}
			return err
		}
		f, err := parse(b)
		if err != nil {
			return err
		}
		switch {
		case f.bye:
			return fmt.Errorf("the server says bye: %s", f.failed)
		case f.ack:
			if f.failed != "" {
				return fmt.Errorf("send %d was refused: %s", f.id, f.failed)
			}
			if w.measuring.Load() {
				w.acks = append(w.acks, w.clock()-w.opened[f.id])
			}
			if w.acked != nil {
				w.acked.Add(1)
			}
			delete(w.opened, f.id)
			for w.base <= w.n {
				if _, open := w.opened[w.base]; open {
					break
				}
				w.base++
			}
			if w.stop.Load() {
				if len(w.opened) == 0 {
					return nil
				}
			} else if err := w.send(); err != nil {
				return err
			}
		case f.text != nil:
			if t, ok := stampOf(f.text); ok && w.measuring.Load() {
				w.deliver = append(w.deliver, w.clock()-t)
			}
		}
		if w.c.r.Buffered() == 0 {
			if err := w.c.flush(); err != nil {
				return err
			}
		}
	}
}

// window is what a closed loop measured.
type window struct {
	seconds       float64
	acks, deliver []int64
}

// lastAnswers bounds how long what is open at the end is waited for.
const lastAnswers = 10 * time.Second

// drive runs the writers: a warm-up, the measured window, and the end, when every send has been answered.
func drive(ws []*writer, warm, length time.Duration, during func()) (window, error) {
	var measuring, stop atomic.Bool
	start := time.Now()
	clock := func() int64 { return int64(time.Since(start)) }
	errs := make(chan error, len(ws))
	var writing, listening sync.WaitGroup
	for _, w := range ws {
		w.opened, w.measuring, w.stop, w.clock = map[uint64]int64{}, &measuring, &stop, clock
		group := &writing
		if w.outstanding == 0 {
			group = &listening
		}
		group.Go(func() {
			if err := w.run(); err != nil {
				errs <- err
			}
		})
	}
	time.Sleep(warm)
	measuring.Store(true)
	t0 := time.Now()
	finished := make(chan struct{})
	go func() {
		if during != nil {
			during()
		}
		close(finished)
	}()
	time.Sleep(length)
	<-finished
	measuring.Store(false)
	win := window{seconds: time.Since(t0).Seconds()}
	stop.Store(true)
	answered := make(chan struct{})
	go func() {
		writing.Wait()
		close(answered)
	}()
	select {
	case <-answered:
	case <-time.After(lastAnswers):
	}
	for _, w := range ws {
		w.c.Close()
	}
	writing.Wait()
	listening.Wait()
	select {
	case err := <-errs:
		return win, err
	default:
	}
	for _, w := range ws {
		win.acks = append(win.acks, w.acks...)
		win.deliver = append(win.deliver, w.deliver...)
	}
	return win, nil
}

// percentile of latencies in ns, as milliseconds.
func percentile(xs []int64, p float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	slices.Sort(xs)
	ns := xs[min(len(xs)-1, int(p*float64(len(xs))))]
	return math.Round(float64(ns)/1e3) / 1e3
}
