package cluster_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// A unix socket's address holds 108 bytes; the data directory may have any path. Nor is a socket that a killed process
// left behind in the way.
func TestAdminSocketInLongPath(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		dir = filepath.Join(dir, strings.Repeat("봉화", 10))
	}
	before, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		e := openOne(t, dir)
		initEtcd(t, e)
		d, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := grpc.NewClient(fmt.Sprintf("unix:/proc/self/fd/%d/%s", d.Fd(), cluster.SocketName),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := pb.NewKVClient(conn).Range(t.Context(), &pb.RangeRequest{Key: []byte("epoch")}); err != nil || len(r.Kvs) != 1 {
			t.Fatalf("%v, %v", r, err)
		}
		conn.Close()
		d.Close()
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, cluster.SocketName), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := os.Getwd(); err != nil || after != before {
		t.Fatalf("the working directory is now %q, %v", after, err)
	}
}

// One member listens on nothing but its socket: no TCP, no abstract socket.
func TestNoTCP(t *testing.T) {
	tcp, abstract := listeners(t)
	e := openOne(t, t.TempDir())
	initEtcd(t, e)
	tcpNow, abstractNow := listeners(t)
	if tcpNow != tcp || abstractNow != abstract {
		t.Fatalf("%d TCP and %d abstract listeners before, %d and %d now", tcp, abstract, tcpNow, abstractNow)
	}
	// The count is able to count.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if n, _ := listeners(t); n != tcp+1 {
		t.Fatalf("a listener of our own is not seen: %d, expected %d", n, tcp+1)
	}
}

// listeners counts this process's TCP listeners and its unix sockets without a file.
func listeners(t *testing.T) (tcp, abstract int) {
	t.Helper()
	own := map[string]bool{}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if link, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(link, "socket:[") {
			own[strings.TrimSuffix(strings.TrimPrefix(link, "socket:["), "]")] = true
		}
	}
	count := func(file string, match func(f []string) bool) (n int) {
		f, err := os.Open(file)
		if os.IsNotExist(err) {
			return 0 // no IPv6
		}
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			if match(strings.Fields(s.Text())) {
				n++
			}
		}
		return n
	}
	isListening := func(f []string) bool { return len(f) > 9 && f[3] == "0A" && own[f[9]] }
	tcp = count("/proc/self/net/tcp", isListening) + count("/proc/self/net/tcp6", isListening)
	abstract = count("/proc/self/net/unix", func(f []string) bool {
		return len(f) > 7 && own[f[6]] && strings.HasPrefix(f[7], "@")
	})
	return tcp, abstract
}
