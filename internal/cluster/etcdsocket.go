package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// SocketName is the unix socket for etcdctl inside the log's directory:
// etcdctl --endpoints unix:///data/log/etcd.sock member list
const SocketName = "etcd.sock"

// maxSocketPath is what sockaddr_un holds on every system we run on (108 bytes on Linux, 104 on others, with a final 0).
const maxSocketPath = 103

// adminSocket serves etcd's gRPC API on a unix socket in a directory of mode 0700, for operators. It is our own listener
// rather than embed's, because embed waits up to six seconds for clients to go when it closes, and brings an HTTP
// gateway that nobody needs.
type adminSocket struct {
	server *grpc.Server
	path   string
	dir    *os.File // keeps /proc/self/fd/<n> alive, where the path is too long
	done   chan struct{}
}

func openAdminSocket(s *etcdserver.EtcdServer, dir string) (*adminSocket, error) {
	a := &adminSocket{path: filepath.Join(dir, SocketName), done: make(chan struct{})}
	addr := a.path
	if len(addr) > maxSocketPath {
		// The kernel follows this link into the directory whatever its length, without a chdir of the process. An
		// abstract socket would be short too, but open to every user of the machine.
		d, err := os.Open(dir)
		if err != nil {
			return nil, err
		}
		a.dir, addr = d, fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), SocketName)
	}
	// A socket that a killed process left behind. The caller holds the lock on the directory: nobody else listens on it.
	if err := os.Remove(a.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		a.closeDir()
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: addr, Net: "unix"})
	if err != nil {
		a.closeDir()
		return nil, fmt.Errorf("cannot listen on the socket for etcdctl: %w", err)
	}
	l.SetUnlinkOnClose(false) // close removes it by its real path
	a.server = v3rpc.Server(s, nil, refuseWrites)
	go func() {
		defer close(a.done)
		a.server.Serve(l) // ends with Stop; nothing else can be done about an error, and the log does not need the socket
	}()
	return a, nil
}

func (a *adminSocket) close() {
	a.server.Stop()
	<-a.done
	os.Remove(a.path)
	a.closeDir()
}

func (a *adminSocket) closeDir() {
	if a.dir != nil {
		a.dir.Close()
	}
}

// refuseWrites keeps the log's keys and history in one hand: compaction belongs to Trim, a deleted log/<epoch> would
// start again at 1, and a defragmentation stops the member for seconds. Reading, status, snapshots and membership stay.
func refuseWrites(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	switch info.FullMethod {
	case "/etcdserverpb.KV/Put", "/etcdserverpb.KV/DeleteRange", "/etcdserverpb.KV/Txn", "/etcdserverpb.KV/Compact",
		"/etcdserverpb.Maintenance/Defragment", "/etcdserverpb.Maintenance/Downgrade",
		"/etcdserverpb.Lease/LeaseGrant", "/etcdserverpb.Auth/AuthEnable":
		return nil, status.Error(codes.PermissionDenied, "the log is written by bonghwa only")
	}
	return handler(ctx, req)
}
