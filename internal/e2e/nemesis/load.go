package nemesis

import (
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

const (
	// callers per node, each a device with an outbox for some accounts of every domain.
	callers = 4
	// accounts of a domain, shared by the callers of all nodes; scopes is how many of them a caller writes to.
	accounts = 6
	scopes   = 2
)

// load is what a node process does to its node: callers, a register that is raised, and a reader.
type load struct {
	n      *node
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	held   atomic.Bool
	file   *os.File
	boxes  []*outbox

	mu struct {
		sync.Mutex
		acked int
		last  time.Time // of an acknowledgement, or of the reset
		gap   time.Duration
	}
}

// startLoad goes on where the last start of this slot was killed.
func startLoad(n *node) (l *load, err error) {
	l = &load{n: n}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.mu.last = time.Now()
	past, err := loadRecords[record](n.file(outboxFile))
	if err != nil {
		return nil, err
	}
	if l.file, err = appendTo[record](n.file(outboxFile)); err != nil {
		return nil, err
	}
	if l.boxes, err = openOutboxes(l, past); err != nil {
		return nil, err
	}
	registers, err := appendTo[raised](n.file(registersFile))
	if err != nil {
		return nil, err
	}
	for _, o := range l.boxes {
		l.wg.Go(o.run)
	}
	for _, d := range domains() {
		l.wg.Go(func() { l.raise(d.ID(), registers) })
		l.wg.Go(func() { l.read(d.ID()) })
	}
	return l, nil
}

// stop ends the load; items stay open in their outboxes.
func (l *load) stop() {
	l.cancel()
	l.wg.Wait()
}

func (l *load) acknowledged() {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := time.Now()
	l.mu.acked++
	l.mu.gap = max(l.mu.gap, t.Sub(l.mu.last))
	l.mu.last = t
}

func (l *load) resetGap() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.gap, l.mu.last = 0, time.Now()
}

func (l *load) fill(a *answer) {
	for _, o := range l.boxes {
		a.Open += int(o.count.Load())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a.Acked = l.mu.acked
	a.Gap = max(l.mu.gap, time.Since(l.mu.last))
}

func (l *load) pause(d time.Duration) bool {
	select {
	case <-l.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// raise writes the time into this slot's register, again and again: any reader can tell how old a value is.
func (l *load) raise(domain byte, file *os.File) {
	done := make(chan kernel.Result, 1)
	for l.pause(time.Duration(rand.IntN(20)) * time.Millisecond) {
		if l.held.Load() {
			continue
		}
		c := toydomain.Cmd{Op: toydomain.Max, Key: uint64(l.n.Slot), Amount: uint64(now())}
		if l.n.k.Submit(domain, c.Append(nil), func(r kernel.Result) { done <- r }) != nil {
			continue
		}
		select {
		case <-l.ctx.Done():
			return
		case r := <-done:
			if r.Err != nil {
				continue
			}
			if err := write(file, raised{domain, c.Key, c.Amount, now()}); err != nil {
				l.fail(err)
			}
		}
	}
}

// read reads as often as it can without starving the rest.
func (l *load) read(domain byte) {
	for l.pause(time.Duration(rand.IntN(4000)) * time.Microsecond) {
		if _, err := l.n.read(domain); err != nil {
			l.fail(err)
		}
	}
}

// fail ends the process: the test cannot say anything without its files.
func (l *load) fail(err error) {
	_, _ = os.Stderr.WriteString("fatal: the load: " + err.Error() + "\n")
	os.Exit(4)
}

// read reads the registers of a domain as anybody is read to, and remembers what the node has vouched for.
func (n *node) read(domain byte) (ready bool, err error) {
	s := n.k.Snapshot(domain)
	defer s.Close()
	r := read{Domain: domain}
	for slot := range n.Slots {
		r.Values[slot] = toydomain.Register(s, uint64(slot))
	}
	r.At = now()
	if n.k.Fresh(s) != nil {
		return false, nil
	}
	return true, write(n.reads, r)
}
