package client

import (
	"sync"
)

// Store keeps account and outbox of one client: a list of records that only the client understands. Calls do not overlap.
type Store interface {
	// Load calls fn with every record, oldest first. It is called once, before anything else.
	Load(fn func(record []byte) error) error
	// Append adds records, all of them or none. With sync they are safe from a power cut when it returns.
	Append(records [][]byte, sync bool) error
	// Replace puts these records in the place of all others, at once, safely.
	Replace(records [][]byte) error
	Close() error
}

// MemoryStore is a Store that outlives its clients but not the process.
type MemoryStore struct {
	mu      sync.Mutex
	records [][]byte
}

// Load implements Store.
func (m *MemoryStore) Load(fn func([]byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

// Append implements Store.
func (m *MemoryStore) Append(records [][]byte, _ bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, records...)
	return nil
}

// Replace implements Store.
func (m *MemoryStore) Replace(records [][]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = records
	return nil
}

// Close implements Store.
func (m *MemoryStore) Close() error { return nil }

// job is something to append to the store.
type job struct {
	records [][]byte
	sync    bool
	done    func(error)
}

// compactAfter is how many records are appended before the store is rewritten.
const compactAfter = 4000

// store queues a job; the lock is held. One goroutine works while there is something to store: what waits meanwhile is
// stored with one sync.
func (c *Client) store(j job) {
	c.mu.jobs = append(c.mu.jobs, j)
	if !c.mu.storing {
		c.mu.storing = true
		c.tasks.Add(1)
		go func() {
			defer c.tasks.Done()
			c.storeLoop()
		}()
	}
}

func (c *Client) storeLoop() {
	for {
		c.mu.Lock()
		jobs := c.mu.jobs
		c.mu.jobs = nil
		if len(jobs) == 0 {
			if c.mu.written > compactAfter && !c.mu.closed {
				c.compact() // unlocks
				continue
			}
			c.mu.storing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		var records [][]byte
		sync := false
		for _, j := range jobs {
			records = append(records, j.records...)
			sync = sync || j.sync
		}
		err := c.o.Store.Append(records, sync)
		c.mu.Lock()
		c.mu.written += len(records)
		c.mu.Unlock()
		for _, j := range jobs {
			if j.done != nil {
				j.done(err)
			}
		}
	}
}

// compact rewrites the store with what holds now. Nothing is queued, so nothing is stored twice; what comes meanwhile
// waits. The lock is held and given back.
func (c *Client) compact() {
	recs := c.mu.core.Snapshot(c.mu.account.Handle, c.mu.form)
	c.mu.written = len(recs)
	c.mu.Unlock()
	// A failure leaves the old records in place; the next compaction comes as many records later.
	_ = c.o.Store.Replace(recs)
}

// keep stores records of the account before a request leaves, and waits.
func (c *Client) keep(records ...[]byte) error {
	if c.o.Store == nil {
		return nil
	}
	done := make(chan error, 1)
	c.mu.Lock()
	if c.mu.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	c.store(job{records: records, sync: true, done: func(err error) { done <- err }})
	c.mu.Unlock()
	return <-done
}
