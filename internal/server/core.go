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
	Wall        func() time.Time
	URL         string
	// nodes and plan are of a node that belongs to a cluster.
	nodes *nodes
	plan  logPlan
	// archive keeps the log outside the cell; nil: nothing does.
	archive *archiver
}

// tooFar is how many entries behind a view is better fetched from another site than brought up by the log: stepping through
// history takes longer the further it goes (about 1.3 s for 50,000 entries, 7.6 s for 150,000).
const tooFar = 50_000

// openCore starts everything below the gateway on a locked directory.
func openCore(ctx context.Context, d *Data, o coreOptions) (c *core, err error) {
	c = &core{data: d, doms: domains(d.Cell), copying: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
			c = nil
		}
	}()
	if o.plan.fetch {
		if d.hasLog() {
			// The vote of this member may be the one without which no other site is ready.
			if err = c.openLog(ctx, o); err != nil {
				return c, err
			}
			if o.plan.from, err = o.nodes.awaitReady(ctx); err != nil {
				return c, err
			}
		}
		if err = o.nodes.fetchViews(ctx, o.plan.from); err != nil {
			return c, err
		}
	}
	if err = c.openViews(o); err != nil {
		return c, err
	}
	if c.log == nil {
		if err = c.openLog(ctx, o); err != nil {
			return c, err
		}
	}
	if err = c.beginEpoch(ctx, o); err != nil {
		return c, err
	}
	if err = c.catchUp(ctx, o); err != nil {
		return c, err
	}
	var views []kernel.DomainStore
	for i, dom := range c.doms {
		views = append(views, kernel.DomainStore{Domain: dom, Store: c.stores[i]})
	}
	site, addr := "", ""
	if o.nodes != nil {
		site, addr = o.nodes.cfg.Site, o.nodes.cfg.Self().Node
	}
	var archived func() uint64
	if o.archive != nil {
		archived = o.archive.archived.Load
	}
	c.node, err = kernel.Start(kernel.Options{
		Archived: archived,
		Log:      c.log, Node: d.NodeID, URL: o.URL, Site: site, Addr: addr, Domains: views, Sink: o.Sink, AcceptClock: o.AcceptClock, Wall: o.Wall, ClockOff: o.plan.clockOff,
		Fenced:    func(string) { o.nodes.fenced() },
		DiskGuard: DiskGuard(d.Dir), Checkpoints: d.path(checkpointsDir), Forced: o.Forced, Logger: o.Logger,
		Fatal: func(err error) { o.Fatal(o.nodes.replayed(err)) },
	})
	return c, err
}

func (c *core) openViews(o coreOptions) error {
	for _, dom := range c.doms {
		s, err := openView(c.data.path(viewsDir), dom.Name(), kernel.PebbleOptions{Log: o.Logger, OnFatal: func(err error) {
			o.Fatal(damaged(dom.Name(), err))
			select {} // the process is ending
		}})
		if err != nil {
			return err
		}
		c.stores = append(c.stores, s)
	}
	return nil
}

func (c *core) closeViews() error {
	var errs []error
	for _, s := range c.stores {
		errs = append(errs, s.Close())
	}
	c.stores = nil
	return errors.Join(errs...)
}

// catchUp fetches the views from another site when the log no longer has, or would take too long to give, what they miss.
func (c *core) catchUp(ctx context.Context, o coreOptions) error {
	if len(o.plan.from) == 0 {
		return nil // nobody is ready: what there is must do
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	head, err := c.log.Head(ctx) // this member has it from now on
	if err != nil {
		return fmt.Errorf("the log cannot be read: %w", err)
	}
	for i, dom := range c.doms {
		a, err := kernel.NewApplier(dom, c.stores[i], nil)
		if err != nil {
			return err
		}
		pos := a.Position()
		gone := errors.Is(c.log.Holds(pos.N, a.Cursor()), cluster.ErrCompacted)
		if !gone && pos.N+tooFar >= head {
			continue
		}
		o.Logger.Info("the views are fetched from another site", "view", dom.Name(), "n", pos.N, "head", head, "trimmed", gone)
		if err := c.closeViews(); err != nil {
			return err
		}
		if err := o.nodes.fetchViews(ctx, o.plan.from); err != nil {
			return err
		}
		return c.openViews(o)
	}
	return nil
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

// openLog opens the log.
func (c *core) openLog(ctx context.Context, o coreOptions) (err error) {
	d := c.data
	eo := cluster.EtcdOptions{
		Dir: d.path(etcdDir), Name: d.Meta.Node, Intact: c.intact(o), Logger: o.Logger,
		OnFatal: func(s string) { o.Fatal(errors.New(o.nodes.logDamaged(s))) },
	}
	if o.nodes != nil {
		cfg := o.nodes.cfg
		eo.Name, eo.PeerURL, eo.InitialCluster, eo.Token, eo.Join = cfg.Site, cfg.Self().PeerURL(), o.plan.initial, cfg.Cluster.ID, o.plan.join
		if o.plan.token != "" {
			eo.Token = o.plan.token
		}
		eo.BindPeer = cfg.Cluster.BindPeer
		eo.TLS = cluster.TLSFiles{CA: cfg.Cluster.CA, Cert: cfg.Cluster.Cert, Key: cfg.Cluster.Key}
	}
	// etcd's goroutines inherit the label, so that a profile shows the share of the log.
	pprof.Do(ctx, pprof.Labels("part", "log"), func(ctx context.Context) { c.log, err = cluster.OpenEtcd(ctx, eo) })
	if err != nil && damagedLog.MatchString(err.Error()) {
		err = errors.New(o.nodes.logDamaged(err.Error()))
	}
	return err
}

// intact looks at the entries of a log. A site that finds a damaged one comes in anew; a machine that is alone goes on as long as its
// views have it.
func (c *core) intact(o coreOptions) func(uint32, uint64, []byte) error {
	if o.nodes != nil {
		return intactAfter(kernel.Position{})
	}
	return intactAfter(lowest(c.stores))
}

// intactAfter looks at the entries of after a position.
func intactAfter(at kernel.Position) func(uint32, uint64, []byte) error {
	return func(epoch uint32, n uint64, entry []byte) error {
		if p := (kernel.Position{Epoch: epoch, N: n}); !at.Less(p) {
			return nil
		}
		return kernel.Intact(entry)
	}
}

// lowest is what every view has; of one that is damaged nothing is known.
func lowest(stores []*kernel.PebbleStore) (at kernel.Position) {
	var err error
	for i, s := range stores {
		func() {
			defer kernel.CatchStorage(&err)
			snap := s.Snapshot()
			defer snap.Close()
			if p := kernel.PositionOf(snap); i == 0 || p.Less(at) {
				at = p
			}
		}()
	}
	if err != nil {
		return kernel.Position{}
	}
	return at
}

// beginEpoch begins the epoch of a new cell, or the one after a restore.
func (c *core) beginEpoch(ctx context.Context, o coreOptions) error {
	if c.log.Epoch() != 0 {
		return nil
	}
	a, err := kernel.NewApplier(c.doms[0], c.stores[0], nil)
	if err != nil {
		return err
	}
	// Entry 1 carries this machine's time for good, so a clock that is far off must be noticed before it is written.
	if !o.AcceptClock {
		if err := kernel.CheckStart(o.Wall(), a.Time()); err != nil {
			return err
		}
	}
	// A restore has set the epoch in the views; the log then begins with it.
	at := max(a.Time(), uint64(o.Wall().UnixMilli()))
	if epoch := a.Position().Epoch; epoch != 0 {
		return c.log.Init(ctx, epoch, kernel.FirstEntry(epoch, kernel.Behaviour, at))
	}
	epoch := nextEpoch(0, time.Now())
	return c.log.Found(ctx, epoch, kernel.FirstEntry(epoch, kernel.Behaviour, at))
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
	return errors.Join(append(errs, c.closeViews())...)
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

// waitReady returns when the node serves reads, or never will.
func (c *core) waitReady(ctx context.Context, n *nodes) error {
	for c.node.Ready() != nil {
		if why := n.outOf(); why != nil {
			return why
		}
		select {
		case <-ctx.Done():
			return c.node.Ready()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil
}
