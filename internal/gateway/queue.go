package gateway

import "sync"

// sendQueue is what waits to be written to one connection. It holds nothing while it is empty: an idle connection costs
// no buffer.
type sendQueue struct {
	maxBytes, maxFrames int
	mu                  struct {
		sync.Mutex
		frames *[]Encoded
		bytes  int
		// writing: a writer is at work and will take what is added.
		writing bool
		// closed: nothing is taken any more.
		closed bool
	}
}

var framesPool = sync.Pool{New: func() any { f := make([]Encoded, 0, 16); return &f }}

func recycle(f *[]Encoded) {
	if cap(*f) > 1024 {
		return
	}
	clear(*f)
	*f = (*f)[:0]
	framesPool.Put(f)
}

// add queues a frame; false when it is over the bounds.
func (q *sendQueue) add(f Encoded) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.closed {
		return true // nobody will read it
	}
	if q.mu.frames == nil {
		q.mu.frames = framesPool.Get().(*[]Encoded)
	} else if len(*q.mu.frames) >= q.maxFrames || q.mu.bytes+len(f) > q.maxBytes {
		return false
	}
	*q.mu.frames = append(*q.mu.frames, f)
	q.mu.bytes += len(f)
	return true
}

// last queues a frame after which nothing is taken any more, whatever the bounds.
func (q *sendQueue) last(f Encoded) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.closed {
		return
	}
	if q.mu.frames == nil {
		q.mu.frames = framesPool.Get().(*[]Encoded)
	}
	*q.mu.frames = append(*q.mu.frames, f)
	q.mu.bytes += len(f)
	q.mu.closed = true
}

// start says whether the caller must become the writer.
func (q *sendQueue) start() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.mu.writing || q.mu.frames == nil {
		return false
	}
	q.mu.writing = true
	return true
}

// take gives the writer all that waits; nil ends the writer. over: and nothing will come any more.
func (q *sendQueue) take() (frames *[]Encoded, over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := q.mu.frames
	q.mu.frames, q.mu.bytes = nil, 0
	if f == nil {
		q.mu.writing = false
	}
	return f, q.mu.closed
}

// drop forgets what waits.
func (q *sendQueue) drop() {
	q.mu.Lock()
	f := q.mu.frames
	q.mu.frames, q.mu.bytes = nil, 0
	q.mu.Unlock()
	if f != nil {
		recycle(f)
	}
}

func (q *sendQueue) queued() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.mu.bytes
}

// end stops taking frames.
func (q *sendQueue) end() {
	q.mu.Lock()
	q.mu.closed = true
	q.mu.Unlock()
}
