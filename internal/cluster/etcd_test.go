package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/cluster/clustertest"
)

const testEpoch = 1_480_000

func openOne(t *testing.T, dir string) *cluster.Etcd {
	t.Helper()
	return openEtcd(t, cluster.EtcdOptions{Dir: dir})
}

func openEtcd(t *testing.T, o cluster.EtcdOptions) *cluster.Etcd {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	o.OnFatal = func(s string) { t.Errorf("fatal: %s", s) }
	e, err := cluster.OpenEtcd(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func initEtcd(t *testing.T, e *cluster.Etcd) {
	t.Helper()
	if err := e.Init(t.Context(), testEpoch, []byte("entry 1")); err != nil {
		t.Fatal(err)
	}
}

func TestEtcdOne(t *testing.T) {
	dir, root := t.TempDir(), t // the member outlives the case that opens it
	clustertest.Run(t, func(t *testing.T) *clustertest.Cluster {
		e := openOne(root, dir)
		if e.Epoch() != 0 {
			t.Fatalf("a new log has epoch %d", e.Epoch())
		}
		initEtcd(t, e)
		return &clustertest.Cluster{
			Logs:   []cluster.Log{e},
			Reopen: func(*testing.T, int) cluster.Log { return openOne(root, dir) },
		}
	})
}

func TestEtcdThree(t *testing.T) {
	var options []cluster.EtcdOptions
	c := &clustertest.Cluster{}
	root := t // members live as long as the whole test
	clustertest.Run(t, func(t *testing.T) *clustertest.Cluster {
		options = threeOptions(root)
		for _, e := range openThree(root, options) {
			c.Logs = append(c.Logs, e)
		}
		c.Reopen = func(_ *testing.T, member int) cluster.Log { return openEtcd(root, options[member]) }
		return c
	})
	if t.Failed() {
		return
	}

	// The leader dies without a word; the other two go on, and what was acknowledged is there.
	leader := -1
	for i, log := range c.Logs {
		if _, leads := log.Members(); leads {
			leader = i
		}
	}
	if leader < 0 {
		t.Fatal("no leader")
	}
	c.Logs[leader].(*cluster.Etcd).Kill()
	rest := &clustertest.Cluster{Reopen: c.Reopen}
	for i, log := range c.Logs {
		if i != leader {
			rest.Logs = append(rest.Logs, log)
		}
	}
	for _, k := range clustertest.Cases()[:4] {
		if !t.Run("without the leader: "+k.Name, func(t *testing.T) { k.Run(t, rest) }) {
			return
		}
	}
	back := c.Reopen(t, leader)
	rest.Logs = append(rest.Logs, back)
	for _, k := range clustertest.Cases()[8:10] {
		t.Run("with the member back: "+k.Name, func(t *testing.T) { k.Run(t, rest) })
	}
}

func threeOptions(t *testing.T) (o []cluster.EtcdOptions) {
	var members []string
	for i, addr := range freeAddrs(t, 3) {
		name := string(rune('a' + i))
		o = append(o, cluster.EtcdOptions{Dir: filepath.Join(t.TempDir(), name), Name: name, PeerURL: "http://" + addr})
		members = append(members, name+"=http://"+addr)
	}
	for i := range o {
		o[i].InitialCluster = strings.Join(members, ",")
	}
	return o
}

// freeAddrs are addresses that nobody else uses between now and the start of a member: loopback addresses of our own,
// where the system has more than one of them, since the ports of outgoing connections belong to 127.0.0.1.
func freeAddrs(t *testing.T, n int) (addrs []string) {
	t.Helper()
	host := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
	for range n {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			host = "127.0.0.1"
			l, err = net.Listen("tcp", host+":0")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

func openThree(t *testing.T, options []cluster.EtcdOptions) []*cluster.Etcd {
	t.Helper()
	members := make([]*cluster.Etcd, len(options))
	errs := make(chan error, len(options))
	for i, o := range options {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
		go func() {
			e, err := cluster.OpenEtcd(t.Context(), o)
			if err == nil {
				members[i] = e
				err = e.Init(t.Context(), testEpoch, []byte("entry 1")) // all three: one of them creates it
			}
			errs <- err
		}()
	}
	for range options {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		done := make(chan struct{})
		for _, e := range members {
			go func() { e.Close(); done <- struct{}{} }()
		}
		for range members {
			<-done
		}
	})
	return members
}

func TestInit(t *testing.T) {
	dir := t.TempDir()
	e := openOne(t, dir)
	ctx := t.Context()
	if err := e.Tail(ctx, 0, nil, func([]cluster.Record) error { return nil }); err == nil {
		t.Fatal("a log without an epoch was tailed")
	}
	initEtcd(t, e)
	initEtcd(t, e) // again: success again, no second entry
	if n, err := e.Head(ctx); n != 1 || err != nil {
		t.Fatalf("head %d, %v", n, err)
	}
	if err := e.Init(ctx, testEpoch-1, nil); err == nil {
		t.Fatal("an earlier epoch was created")
	}
	if err := e.Init(ctx, testEpoch+1, []byte("the next epoch")); err != nil || e.Epoch() != testEpoch+1 {
		t.Fatalf("epoch %d, %v", e.Epoch(), err)
	}
	enough := errors.New("enough")
	err := e.Tail(ctx, 0, nil, func(rs []cluster.Record) error {
		if len(rs) != 1 || rs[0].N != 1 || string(rs[0].Value) != "the next epoch" {
			t.Errorf("%+v", rs)
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	e.Close()
	if e = openOne(t, dir); e.Epoch() != testEpoch+1 {
		t.Fatalf("reopened at epoch %d", e.Epoch())
	}
}

func TestOpenUnderEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if e, err := cluster.OpenEtcd(ctx, cluster.EtcdOptions{Dir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, %v", e, err)
	}
}

func TestStats(t *testing.T) {
	e := openOne(t, t.TempDir())
	initEtcd(t, e)
	if s := e.Stats(); s.DBBytes <= 0 || s.DBUsedBytes <= 0 || !s.Leader || s.Term == 0 {
		t.Fatalf("%+v", s)
	}
}

// A directory that etcd cannot use is an error in one sentence, not the end of the process.
func TestOpenDamaged(t *testing.T) {
	dir := t.TempDir()
	openOne(t, dir).Close()
	db := filepath.Join(dir, "member", "snap", "db")
	if err := os.WriteFile(db, []byte(strings.Repeat("no database", 10000)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := cluster.OpenEtcd(ctx, cluster.EtcdOptions{Dir: dir, Logger: slog.New(slog.DiscardHandler), OnFatal: func(string) {}})
	if err == nil || ctx.Err() != nil || strings.Contains(err.Error(), "\n") {
		t.Fatalf("%v", err)
	}
}
