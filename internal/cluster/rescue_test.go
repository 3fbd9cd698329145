package cluster_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/etcd/server/v3/storage/datadir"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.etcd.io/etcd/server/v3/storage/wal/walpb"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// written gives a stopped member's files what it would have after a crash in which it had written down one more entry, and had
// not been told that it is committed.
func written(t *testing.T, dir string, value string) {
	t.Helper()
	put := func(key, value string) *pb.RequestOp {
		return &pb.RequestOp{Request: &pb.RequestOp_RequestPut{RequestPut: &pb.PutRequest{Key: []byte(key), Value: []byte(value)}}}
	}
	data, err := proto.Marshal(&pb.InternalRaftRequest{
		Header: &pb.RequestHeader{ID: 1 << 50},
		Txn:    &pb.TxnRequest{Success: []*pb.RequestOp{put(fmt.Sprintf("log/%08x", testEpoch), value)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	lg, walDir := zap.NewNop(), datadir.ToWALDir(dir)
	from := &walpb.Snapshot{}
	snaps, err := wal.ValidSnapshotEntries(lg, walDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(snaps) > 0 {
		from = snaps[len(snaps)-1]
	}
	w, err := wal.Open(lg, walDir, from)
	if err != nil {
		t.Fatal(err)
	}
	_, state, entries, err := w.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	last := entries[len(entries)-1]
	state.Commit = new(last.GetIndex()) // the one after it is not
	one := &raftpb.Entry{Term: new(state.GetTerm()), Index: new(last.GetIndex() + 1), Type: raftpb.EntryNormal.Enum(), Data: data}
	if err := w.Save(state, []*raftpb.Entry{one}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestCommitAll: what the last member has written down is in its log, though it was never told so.
func TestCommitAll(t *testing.T) {
	for _, all := range []bool{false, true} {
		t.Run(fmt.Sprint(all), func(t *testing.T) {
			dir := t.TempDir()
			e := openOne(t, dir)
			initEtcd(t, e)
			propose := proposer(t, e, 1)
			for head := uint64(0); head < 20; {
				var err error
				if head, err = e.Head(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			head := propose() + 1
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			written(t, dir, "acknowledged elsewhere")
			if all {
				if err := cluster.CommitAll(dir); err != nil {
					t.Fatal(err)
				}
				if err := cluster.CommitAll(dir); err != nil { // again is nothing new
					t.Fatal(err)
				}
				head++
			}
			e = openEtcd(t, cluster.EtcdOptions{Dir: dir, Alone: true})
			got := entries(t, e, head)
			if n, err := e.Head(t.Context()); err != nil || n != head {
				t.Errorf("the log ends with %d, %v; want %d", n, err, head)
			}
			if last := got[len(got)-1]; all != (last == "acknowledged elsewhere") {
				t.Errorf("the last entry is %q", last)
			}
		})
	}
}

// TestCommitAllTorn: power that was lost in the middle of a write costs only what was not written whole.
func TestCommitAllTorn(t *testing.T) {
	dir := t.TempDir()
	e := openOne(t, dir)
	initEtcd(t, e)
	head := proposer(t, e, 1)() + 1
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	written(t, dir, "whole")
	whole := walEnd(t, dir)
	written(t, dir, strings.Repeat("torn", 1000))
	files, err := filepath.Glob(filepath.Join(datadir.ToWALDir(dir), "*.wal"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	if err := os.Truncate(files[len(files)-1], whole+2000); err != nil {
		t.Fatal(err)
	}
	if err := cluster.CommitAll(dir); err != nil {
		t.Fatal(err)
	}
	e = openEtcd(t, cluster.EtcdOptions{Dir: dir, Alone: true})
	head++
	for n := uint64(0); n < head; {
		if n, err = e.Head(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n > head {
			t.Fatalf("the log ends with %d, want %d", n, head)
		}
	}
	if got := entries(t, e, head); got[len(got)-1] != "whole" {
		t.Errorf("the last entry is %q", got[len(got)-1])
	}
}

// walEnd is where the next record of the write-ahead log comes.
func walEnd(t *testing.T, dir string) int64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(datadir.ToWALDir(dir), "*.wal"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	b, err := os.ReadFile(files[len(files)-1])
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(bytes.TrimRight(b, "\x00")))
}

func TestCommitAllWithoutALog(t *testing.T) {
	if err := cluster.CommitAll(t.TempDir()); err == nil {
		t.Error("a directory without a log was taken for one")
	}
}
