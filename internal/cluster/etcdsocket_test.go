package cluster_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// What an operator does with etcdctl, by etcd's own client.
func TestAdminSocket(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	e := openOne(t, dir)
	initEtcd(t, e)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("the directory of the socket has mode %v, %v", info.Mode(), err)
	}
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{"unix://" + filepath.Join(dir, cluster.SocketName)}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := t.Context()
	r, err := c.Get(ctx, "log/", clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil || len(r.Kvs) != 1 || string(r.Kvs[0].Key) != fmt.Sprintf("log/%08x", testEpoch) {
		t.Fatalf("%v, %v", r, err)
	}
	if m, err := c.MemberList(ctx); err != nil || len(m.Members) != 1 {
		t.Fatalf("%v, %v", m, err)
	}
	_, errPut := c.Put(ctx, "epoch", "x")
	_, errDelete := c.Delete(ctx, string(r.Kvs[0].Key))
	_, errCompact := c.Compact(ctx, r.Header.Revision)
	_, errTxn := c.Txn(ctx).Then(clientv3.OpPut("epoch", "x")).Commit()
	for i, err := range []error{errPut, errDelete, errCompact, errTxn} {
		if status.Code(err) != codes.PermissionDenied {
			t.Fatalf("write %d over the socket: %v", i, err)
		}
	}
	// A watch that an operator left running does not hold up the end.
	w := c.Watch(ctx, "log/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-w
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, cluster.SocketName)); !os.IsNotExist(err) {
		t.Fatalf("the socket is still there: %v", err)
	}
}
