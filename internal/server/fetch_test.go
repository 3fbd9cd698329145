package server

import (
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
)

// TestFetchWithoutQuorum: of two sites one has to fetch its views from the other, which is not ready without its vote.
func TestFetchWithoutQuorum(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cluster")
	files, err := config.Init(config.Plan{Dir: dir, Sites: []string{"one", "two"}, Hosts: []string{"", ""}, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	var sites []config.Site
	for _, name := range []string{"one", "two"} {
		sites = append(sites, config.Site{Name: name, Peer: freePort(t), Node: freePort(t)})
	}
	var cfgs []*config.Node
	for _, file := range files {
		cfg, err := config.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Listen = freePort(t)
		cfg.URL, cfg.Cluster.Sites = "http://"+cfg.Listen, sites
		cfgs = append(cfgs, cfg)
	}
	both := func() (list [2]*Server) {
		t.Helper()
		var wg sync.WaitGroup
		var errs [2]error
		for i, cfg := range cfgs {
			wg.Go(func() {
				list[i], errs[i] = Start(t.Context(), Options{Data: cfg.Data, Listen: cfg.Listen, Node: cfg, Fatal: func(err error) { t.Error(err) },
					Logger: slog.New(slog.NewTextHandler(t.Output(), nil)).With("site", cfg.Site)})
			})
		}
		wg.Wait()
		if err := errors.Join(errs[:]...); err != nil {
			t.Fatal(err)
		}
		return list
	}
	stop := func(list [2]*Server) {
		t.Helper()
		for _, s := range list {
			stopServer(t, s)
		}
	}
	list := both()
	commands(t, list[0], 3)
	n := list[0].core.node.Position().N
	stop(list)
	d, err := OpenData(cfgs[1].Data)
	if err != nil {
		t.Fatal(err)
	}
	d.Meta.Fetch = true
	if err := errors.Join(d.writeMeta(), d.Close()); err != nil {
		t.Fatal(err)
	}
	list = both()
	if got := list[1].core.node.Position().N; got < n || list[1].data.Meta.Fetch {
		t.Errorf("two stands at %d of %d, fetch %v", got, n, list[1].data.Meta.Fetch)
	}
	stop(list)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
