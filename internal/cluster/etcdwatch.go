package cluster

import (
	"context"
	"sync"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

// What one watch may hold for its consumer. More than this is read again from history.
const (
	watchEvents = 1024
	watchBytes  = 4 << 20
)

// watch drains an etcd watch into a bounded queue, always: a watch that is not drained makes etcd re-read the log every
// round and holds up the applier. When the queue is full, the watch ends and its consumer goes on from history.
type watch struct {
	stream mvcc.WatchStream
	// wake has a token when there is something to take.
	wake chan struct{}
	done chan struct{}
	stop chan struct{}

	mu struct {
		sync.Mutex
		events []*mvccpb.Event
		bytes  int
		ended  bool
	}
}

func noDelete(e *mvccpb.Event) bool { return e.Type == mvccpb.Event_DELETE }

// watchKey watches a key from now on.
func watchKey(ctx context.Context, kv mvcc.WatchableKV, key []byte) (*watch, error) {
	w := &watch{stream: kv.NewWatchStream(), wake: make(chan struct{}, 1), done: make(chan struct{}), stop: make(chan struct{})}
	if _, err := w.stream.Watch(ctx, 0, key, nil, 0, noDelete); err != nil {
		w.stream.Close()
		return nil, err
	}
	go w.drain()
	return w, nil
}

func (w *watch) drain() {
	defer close(w.done)
	defer w.stream.Close()
	for {
		select {
		case <-w.stop:
			return
		case r, ok := <-w.stream.Chan():
			if !ok || !w.add(r) {
				return
			}
		}
	}
}

// add queues what the watch delivered; false = the watch is over.
func (w *watch) add(r mvcc.WatchResponse) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range r.Events {
		if len(w.mu.events) >= watchEvents || w.mu.bytes >= watchBytes {
			w.mu.ended = true
			break
		}
		w.mu.events = append(w.mu.events, e)
		w.mu.bytes += len(e.Kv.Value)
	}
	if r.CompactRevision != 0 {
		w.mu.ended = true
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return !w.mu.ended
}

// take empties the queue. ended: nothing will follow.
func (w *watch) take() (events []*mvccpb.Event, ended bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	events, ended = w.mu.events, w.mu.ended
	w.mu.events, w.mu.bytes = nil, 0
	return events, ended
}

func (w *watch) close() {
	close(w.stop)
	<-w.done
}
