package cluster

import (
	"errors"
	"fmt"
	"io"

	"go.etcd.io/etcd/server/v3/storage/datadir"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
)

// CommitAll makes everything that a stopped member has written down count as committed, also what it was never told that the others
// have. Without it, opening with Alone forgets the last entries, and of those some were acknowledged: the leader answers
// as soon as one other member has written, and tells that member so later. Use it on a copy, and only where the others are
// gone for good.
func CommitAll(dir string) (err error) {
	defer func() {
		if r := recover(); r != nil { // etcd's way to say that a file is damaged
			err = fmt.Errorf("the log's own files cannot be read: %v", r)
		}
	}()
	lg := zap.NewNop()
	snaps, err := wal.ValidSnapshotEntries(lg, datadir.ToWALDir(dir))
	if err != nil {
		return fmt.Errorf("the log's own files cannot be read: %w", err)
	}
	from := &walpb.Snapshot{}
	if len(snaps) > 0 {
		from = snaps[len(snaps)-1]
	}
	w, state, entries, err := readWAL(lg, dir, from)
	if errors.Is(err, io.ErrUnexpectedEOF) && wal.Repair(lg, datadir.ToWALDir(dir)) {
		// The power went in the middle of a write. What was not yet written whole nobody was answered for.
		w, state, entries, err = readWAL(lg, dir, from)
	}
	if err != nil {
		return fmt.Errorf("the log's own files cannot be read: %w", err)
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if len(entries) == 0 || entries[len(entries)-1].GetIndex() <= state.GetCommit() {
		return nil
	}
	state.Commit = new(entries[len(entries)-1].GetIndex())
	return w.Save(state, nil)
}

// readWAL opens the write-ahead log after a snapshot and reads it to its end.
func readWAL(lg *zap.Logger, dir string, from *walpb.Snapshot) (*wal.WAL, *raftpb.HardState, []*raftpb.Entry, error) {
	w, err := wal.Open(lg, datadir.ToWALDir(dir), from)
	if err != nil {
		return nil, nil, nil, err
	}
	_, state, entries, err := w.ReadAll()
	if err != nil {
		return nil, nil, nil, errors.Join(err, w.Close())
	}
	return w, state, entries, nil
}
