package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/inspect"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
)

// epochBase is the moment from which epochs count minutes, so that restores of different copies never share a number
// (docs/formats.md, "The log").
var epochBase = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// nextEpoch is the epoch that follows old.
func nextEpoch(old uint32, now time.Time) uint32 {
	return max(old+1, uint32(max(now.Sub(epochBase)/time.Minute, 1)))
}

// domains are the state machines of this binary, in the order in which an entry reaches sessions: people first, so that
// a revocation is never overtaken.
func domains(cell uint16) []kernel.Domain {
	return []kernel.Domain{people.New(cell), chat.New(cell)}
}

// core is a data directory at work: log, views and kernel, without any network.
type core struct {
	data   *Data
	log    *cluster.Etcd
	stores []*kernel.PebbleStore
	doms   []kernel.Domain
	node   *kernel.Node
	// copying is held by the checkpoint under way.
	copying chan struct{}
}

type coreOptions struct {
	Logger      *slog.Logger
	Sink        func(kernel.Applied)
	Fatal       func(error)
	Forced      []kernel.Forced
	AcceptClock bool
	URL         string
}

// openCore starts everything below the gateway on a locked directory.
func openCore(ctx context.Context, d *Data, o coreOptions) (c *core, err error) {
	c = &core{data: d, doms: domains(d.Cell), copying: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
			c = nil
		}
	}()
	views := make([]kernel.DomainStore, 0, len(c.doms))
	for _, dom := range c.doms {
		s, err := openView(d.path(viewsDir), dom.Name(), kernel.PebbleOptions{Log: o.Logger, OnFatal: func(err error) {
			o.Fatal(damaged(dom.Name(), err))
			select {} // the process is ending
		}})
		if err != nil {
			return c, err
		}
		c.stores = append(c.stores, s)
		views = append(views, kernel.DomainStore{Domain: dom, Store: s})
	}
	// etcd's goroutines inherit the label, so that a profile shows the share of the log.
	pprof.Do(ctx, pprof.Labels("part", "log"), func(ctx context.Context) {
		c.log, err = openLog(ctx, d, kernel.DomainStore{Domain: c.doms[0], Store: c.stores[0]}, o)
	})
	if err != nil {
		return c, err
	}
	c.node, err = kernel.Start(kernel.Options{
		Log: c.log, Node: d.NodeID, URL: o.URL, Domains: views, Sink: o.Sink, AcceptClock: o.AcceptClock,
		DiskGuard: DiskGuard(d.Dir), Checkpoints: d.path(checkpointsDir), Forced: o.Forced, Fatal: o.Fatal, Logger: o.Logger,
	})
	return c, err
}

func openView(root, name string, o kernel.PebbleOptions) (*kernel.PebbleStore, error) {
	dir := filepath.Join(root, name)
	if !o.ReadOnly {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("the directory %s cannot be made: %v", dir, cause(err))
		}
	}
	s, err := kernel.OpenPebble(dir, o)
	if err != nil {
		return nil, damaged(name, err)
	}
	return s, nil
}

// damaged is the one sentence about a view that cannot be used.
func damaged(name string, err error) error {
	return fmt.Errorf("the view %q cannot be used (%s); nothing else was touched: restore the newest checkpoint into an empty directory with `bonghwa restore`", name, inspect.Sentence(err))
}

// openLog opens the log and, in a new cell or after a restore, begins the epoch.
func openLog(ctx context.Context, d *Data, first kernel.DomainStore, o coreOptions) (*cluster.Etcd, error) {
	log, err := cluster.OpenEtcd(ctx, cluster.EtcdOptions{
		Dir: d.path(etcdDir), Name: d.Meta.Node, Logger: o.Logger,
		OnFatal: func(s string) { o.Fatal(errors.New(s)) },
	})
	if err != nil {
		return nil, err
	}
	if log.Epoch() != 0 {
		return log, nil
	}
	a, err := kernel.NewApplier(first.Domain, first.Store, nil)
	if err != nil {
		return log, err
	}
	// Entry 1 carries this machine's time for good, so a clock that is far off must be noticed before it is written.
	if !o.AcceptClock {
		if err := kernel.CheckStart(time.Now(), a.Time()); err != nil {
			return log, err
		}
	}
	// A restore has set the epoch in the views; the log then begins with it.
	epoch := a.Position().Epoch
	if epoch == 0 {
		epoch = nextEpoch(0, time.Now())
	}
	entry := kernel.FirstEntry(epoch, kernel.Behaviour, max(a.Time(), uint64(time.Now().UnixMilli())))
	return log, log.Init(ctx, epoch, entry)
}

// stop ends the kernel in order; close gives back what is open.
func (c *core) stop(ctx context.Context) error {
	if c.node == nil {
		return nil
	}
	return c.node.Stop(ctx)
}

func (c *core) close() error {
	var errs []error
	if c.log != nil {
		errs = append(errs, c.log.Close())
	}
	for _, s := range c.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// submit puts a command of the server's own into the log and waits until it is applied here.
func (c *core) submit(ctx context.Context, domain byte, command proto.Message) (kernel.Result, error) {
	b, err := proto.Marshal(command)
	if err != nil {
		return kernel.Result{}, err
	}
	done := make(chan kernel.Result, 1)
	if err := c.node.Submit(domain, b, func(r kernel.Result) { done <- r }); err != nil {
		return kernel.Result{}, err
	}
	select {
	case r := <-done:
		return r, r.Err
	case <-ctx.Done():
		return kernel.Result{}, ctx.Err()
	}
}

// waitReady returns when the node serves reads.
func (c *core) waitReady(ctx context.Context) error {
	for c.node.Ready() != nil {
		select {
		case <-ctx.Done():
			return c.node.Ready()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil
}
