package cluster

import (
	"context"
	"errors"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/pkg/v3/traceutil"
	"go.etcd.io/etcd/server/v3/storage/mvcc"
)

const (
	// nearRevisions is how far behind the head a tail may be and still follow by watch.
	nearRevisions = 200
	// A step of history is bounded: while it lasts, a compaction, and with it the applier, waits.
	stepRevisions = 256
	stepBytes     = 1 << 20
)

var errHole = errors.New("the log has a hole")

// tail follows the log key on the member itself. Position: everything up to entry n, written at revision rev, was
// delivered.
type tail struct {
	e       *Etcd
	key     []byte
	n       uint64
	rev     int64
	deliver func([]Record) error
}

// Tail implements Log. Far behind the head it steps through history; near, it watches. A consumer that is too slow loses
// its watch, never holds one up, and goes on from history.
func (e *Etcd) Tail(ctx context.Context, n uint64, cursor Cursor, deliver func([]Record) error) error {
	epoch := e.Epoch()
	if epoch == 0 {
		return errNoEpoch
	}
	ctx, cancel := e.untilStopped(ctx)
	defer cancel()
	t := &tail{e: e, key: logKey(epoch), n: n, deliver: deliver}
	var err error
	if t.rev, err = e.find(ctx, t.key, n, cursor); err != nil {
		return err
	}
	for {
		if err := e.ended(ctx); err != nil {
			return err
		}
		var err error
		if head := e.kv.Rev(); head-t.rev > nearRevisions {
			err = t.step(ctx, head)
		} else {
			err = t.follow(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// Holds says whether this member's own copy has what follows entry n: ErrCompacted if it was trimmed. Entries that have not
// arrived yet are no error.
func (e *Etcd) Holds(n uint64, cursor Cursor) error {
	epoch := e.Epoch()
	if epoch == 0 {
		return errNoEpoch
	}
	if _, err := e.locate(logKey(epoch), n, cursor); !errors.Is(err, ErrLogEnds) {
		return err
	}
	return nil
}

// find gives the revision of entry n. This member's own copy may not show it yet: it may be catching up, and a watch
// tells of an entry a moment before it can be read. A linearizable read settles both, and tells a log that really ends
// earlier.
func (e *Etcd) find(ctx context.Context, key []byte, n uint64, cursor Cursor) (int64, error) {
	rev, err := e.locate(key, n, cursor)
	if !errors.Is(err, ErrLogEnds) {
		return rev, err
	}
	if err := e.untilItWorks(ctx, func() error { return e.server.LinearizableReadNotify(ctx) }); err != nil {
		return 0, err
	}
	if rev, err := e.locate(key, n, cursor); !errors.Is(err, ErrLogEnds) {
		return rev, err
	}
	// A member that is alone answers a linearizable read from the commit index that it has stored, and a moment after a kill more
	// than that is in its log (raft, MsgReadIndex of a singleton, which is not postponed until an entry of the term is committed).
	// What goes through the log comes after all of it; this changes nothing.
	err = e.untilItWorks(ctx, func() error {
		_, err := e.server.Alarm(ctx, &pb.AlarmRequest{Action: pb.AlarmRequest_GET})
		return err
	})
	if err != nil {
		return 0, err
	}
	return e.locate(key, n, cursor)
}

// untilItWorks does it until it succeeds, or the member ends.
func (e *Etcd) untilItWorks(ctx context.Context, do func() error) error {
	for do() != nil {
		if err := e.ended(ctx); err != nil {
			return err
		}
		e.pause(ctx)
	}
	return nil
}

// locate gives the revision of entry n (for n = 0, the one before entry 1) from this member's own copy, and checks the
// cursor against it. ErrLogEnds: the copy ends before n.
func (e *Etcd) locate(key []byte, n uint64, cursor Cursor) (int64, error) {
	if !e.beginRead() {
		return 0, ErrStopped
	}
	defer e.endRead()
	tx := e.kv.Read(mvcc.ConcurrentReadTxMode, traceutil.TODO())
	defer tx.End()
	head, err := entryAt(tx, key, 0)
	if errors.Is(err, ErrCompacted) || err == nil && uint64(head.Version) < n {
		return 0, ErrLogEnds // no log at all: not even entry 1 has arrived here
	}
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return head.CreateRevision - 1, nil
	}
	if len(cursor) == 0 {
		return search(tx, key, n, head)
	}
	rev, err := revisionOf(cursor)
	if err != nil {
		return 0, err
	}
	kv, err := entryAt(tx, key, rev)
	switch {
	case errors.Is(err, mvcc.ErrFutureRev):
		return 0, errCursor
	case err != nil:
		return 0, err
	case kv.ModRevision != rev || uint64(kv.Version) != n:
		return 0, errCursor
	}
	return rev, nil
}

// search finds the revision of entry n by halving: numbers grow with revisions.
func search(tx mvcc.TxnRead, key []byte, n uint64, head *mvccpb.KeyValue) (int64, error) {
	// Invariant: the log at revision lo is before n, at revision hi it is at n or later.
	lo, hi := max(head.CreateRevision, tx.FirstRev())-1, head.ModRevision
	for hi-lo > 1 {
		mid := lo + (hi-lo)/2
		kv, err := entryAt(tx, key, mid)
		if err != nil {
			return 0, err
		}
		if uint64(kv.Version) < n {
			lo = mid
		} else {
			hi = mid
		}
	}
	kv, err := entryAt(tx, key, hi)
	if err != nil {
		return 0, err
	}
	if uint64(kv.Version) != n || kv.ModRevision != hi {
		return 0, ErrCompacted // history begins after n
	}
	return hi, nil
}

// entryAt finds the newest entry at or below a revision (0: now), without its value. The log key always has entry 1, so that
// nothing there means that a compaction was faster than this read.
func entryAt(tx mvcc.TxnRead, key []byte, rev int64) (*mvccpb.KeyValue, error) {
	return rangeOne(tx, key, mvcc.RangeOptions{Rev: rev, FastKeysOnly: true})
}

func rangeOne(tx mvcc.TxnRead, key []byte, o mvcc.RangeOptions) (*mvccpb.KeyValue, error) {
	res, err := tx.Range(context.Background(), key, nil, o)
	if errors.Is(err, mvcc.ErrCompacted) || err == nil && len(res.KVs) == 0 {
		return nil, ErrCompacted
	}
	if err != nil {
		return nil, err
	}
	return res.KVs[0], nil
}

// step reads a bounded piece of history, up to revision `to` at most, and delivers it.
func (t *tail) step(ctx context.Context, to int64) error {
	records, rev, err := t.history(to)
	if err != nil {
		return err
	}
	if len(records) > 0 {
		if err := t.deliver(records); err != nil {
			return err
		}
		t.n = records[len(records)-1].N
	}
	t.rev = rev
	return t.e.ended(ctx)
}

// history walks the revisions after t.rev. The key at revision r is the entry of r, or an older one where r was used by another key.
func (t *tail) history(to int64) (records []Record, rev int64, err error) {
	if !t.e.beginRead() {
		return nil, 0, ErrStopped
	}
	defer t.e.endRead()
	tx := t.e.kv.Read(mvcc.ConcurrentReadTxMode, traceutil.TODO())
	defer tx.End()
	to = min(to, tx.Rev(), t.rev+stepRevisions)
	n, size := t.n, 0
	for rev = t.rev; rev < to && size < stepBytes; {
		rev++
		kv, err := rangeOne(tx, t.key, mvcc.RangeOptions{Rev: rev})
		if err != nil {
			return nil, 0, err
		}
		if kv.ModRevision != rev {
			continue
		}
		if n++; uint64(kv.Version) != n {
			return nil, 0, fmt.Errorf("%w: entry %d in the place of %d", errHole, kv.Version, n)
		}
		records = append(records, record(kv))
		size += len(kv.Value)
	}
	return records, rev, nil
}

func record(kv *mvccpb.KeyValue) Record {
	return Record{N: uint64(kv.Version), Cursor: cursorOf(kv.ModRevision), Value: kv.Value}
}

// follow watches until the consumer falls behind (then it returns nil) or something ends the tail. The watch begins at
// the head, where etcd serves it at once (one that begins in the past is served every 100 ms); what lies between is read
// from history, and doubles are dropped.
func (t *tail) follow(ctx context.Context) error {
	w, err := watchKey(ctx, t.e.kv, t.key)
	if err != nil {
		return err
	}
	defer w.close()
	for head := t.e.kv.Rev(); t.rev < head; {
		if err := t.step(ctx, head); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return t.e.ended(ctx)
		case <-w.wake:
		}
		events, ended := w.take()
		records := make([]Record, 0, len(events))
		next := t.n + 1
		for _, ev := range events {
			if ev.Kv.ModRevision <= t.rev {
				continue
			}
			if uint64(ev.Kv.Version) != next {
				return nil // the member was given a snapshot, perhaps: history tells
			}
			records = append(records, record(ev.Kv))
			next++
		}
		if len(records) > 0 {
			if err := t.deliver(records); err != nil {
				return err
			}
			t.n = next - 1
			t.rev, _ = revisionOf(records[len(records)-1].Cursor)
		}
		if ended {
			return nil
		}
	}
}

// Trim implements Log. etcd deletes in the background, in small steps. Entry n itself stays until the next trimming: it
// is what the key holds at the revision that history now begins with.
func (e *Etcd) Trim(ctx context.Context, n uint64, cursor Cursor) error {
	if n == 0 {
		return nil
	}
	ctx, cancel := e.untilStopped(ctx)
	defer cancel()
	rev, err := e.find(ctx, logKey(e.Epoch()), n, cursor)
	if errors.Is(err, ErrCompacted) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err = e.server.Compact(ctx, &pb.CompactionRequest{Revision: rev}); err == nil || errors.Is(err, mvcc.ErrCompacted) {
		return nil
	}
	if err := e.ended(ctx); err != nil {
		return err
	}
	return fmt.Errorf("%w: %v", ErrUnknownOutcome, err)
}
