// Package server puts the parts of one node together: data directory, log, views, kernel, gateway and listeners. It
// decides the order of starting and stopping and which errors end the process; it holds no rules of its own.
//
// Nothing listens but the address asked for, what the caller hands to ServeAlso, and unix sockets inside the data
// directory, which only its owner can enter. Beyond loopback the listener wants TLS.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/gateway"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/status"
)

// Options start a Server.
type Options struct {
	Data   string
	Listen string
	// TLSCert and TLSKey are PEM files. Beyond loopback they are needed, unless Insecure says that something else
	// protects the way.
	TLSCert, TLSKey string
	Insecure        bool
	// Signup is open, invite or closed; empty = open on loopback, invite beyond it.
	Signup      string
	Version     string
	Limits      gateway.Limits
	Forced      []kernel.Forced
	AcceptClock bool
	// Wall is this machine's clock; nil = time.Now.
	Wall          func() time.Time
	PublicMetrics bool
	// Hosts are names under which a loopback listener is reached besides those of loopback.
	Hosts []string
	// Root serves the web client, and WebBuild names its build; without it nothing is at "/". Metrics are its counters.
	Root     http.Handler
	WebBuild string
	// Node is the file of a node that belongs to a cluster; nil: this machine is all there is. Rebuild lets it in with an
	// empty directory although its site is known.
	Node    *config.Node
	Rebuild bool
	// Backup is where everything is kept outside this machine, of one that is alone; a cluster's node has it in its file.
	Backup  *config.Backup
	Metrics []prometheus.Collector
	Logger  *slog.Logger
	// Fatal is told why the server cannot go on, in one sentence; it must end the process.
	Fatal func(error)
}

// Server is one node.
type Server struct {
	o        Options
	data     *Data
	nodes    *nodes
	core     *core
	gw       *gateway.Gateway
	http     *http.Server
	handler  atomic.Pointer[http.Handler]
	listener net.Listener
	page     *status.Page
	board    *board
	alarm    *alarm
	admin    *adminServer
	archive  *archiver // nil: there is none
	ctx      context.Context
	cancel   context.CancelFunc
	applied  chan struct{} // closed when the gateway exists
	started  chan struct{} // closed when Start has done its work
	tasks    sync.WaitGroup
	// duty is of the tasks that are done for the cell: it ends before ctx when this node has no part in the cell any more.
	duty    context.Context
	offDuty context.CancelFunc
	// list is where else clients can go; nil: nowhere.
	list func() (string, []*apiv1.Site)
	// sound says that every row has been read, or need not be: the last stop was in order.
	sound atomic.Bool
}

// Start opens everything and serves. It returns when the node is ready. Every error is one sentence for the operator,
// and nothing was damaged.
func Start(ctx context.Context, o Options) (s *Server, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	loopback, err := checkListen(o)
	if err != nil {
		return nil, err
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.Signup == "" {
		o.Signup = gateway.SignupInvite
		if loopback {
			o.Signup = gateway.SignupOpen
		}
	}
	s = &Server{applied: make(chan struct{}), started: make(chan struct{}), page: &status.Page{}}
	fatal := o.Fatal
	o.Fatal = func(err error) { fatal(s.heal(err)) }
	s.o = o
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.duty, s.offDuty = context.WithCancel(s.ctx)
	s.board, s.alarm = newBoard(s), &alarm{s: s}
	defer func() {
		if err != nil {
			err = s.heal(err)
			s.abort()
		}
	}()
	// The port first: if it is taken, nothing else has been touched.
	if s.listener, err = listen(o); err != nil {
		return s, err
	}
	if s.data, err = OpenData(o.Data); err != nil {
		return s, err
	}
	backup := o.Backup
	if o.Node != nil {
		backup = o.Node.Backup
	}
	if s.archive, err = newArchiver(backup, o.Logger); err != nil {
		return s, err
	}
	if s.archive != nil {
		s.archive.recall(s.data.path(archiveBegun))
	}
	if s.archive != nil && o.Node != nil {
		s.archive.cluster = o.Node.Cluster.ID
	}
	s.sound.Store(s.data.Clean)
	if err = s.data.markRunning(); err != nil {
		return s, fmt.Errorf("the data directory %s cannot be written to: %v", s.data.Dir, cause(err))
	}
	var plan logPlan
	if o.Node == nil {
		err = s.data.alone()
	} else {
		plan, err = s.enter(ctx)
	}
	if err != nil {
		return s, err
	}
	s.core, err = openCore(ctx, s.data, coreOptions{
		Logger: o.Logger, Fatal: o.Fatal, Forced: o.Forced, AcceptClock: o.AcceptClock, Wall: o.Wall, URL: s.URL(), nodes: s.nodes, plan: plan, archive: s.archive,
		Sink: func(a kernel.Applied) {
			<-s.applied
			if s.gw != nil {
				s.gw.Applied(a)
			}
		},
	})
	if err != nil {
		return s, err
	}
	s.list = s.sites()
	s.gw, err = gateway.New(gateway.Options{
		Kernel: s.core.node, Cell: s.data.Cell, Signup: o.Signup, Version: o.Version, Logger: o.Logger, Limits: o.Limits, PublicMetrics: o.PublicMetrics,
		Root: o.Root, WebBuild: o.WebBuild, Hosts: o.Hosts, Sites: s.list, Status: s.page, Operations: s.operations(),
	})
	close(s.applied)
	if err != nil {
		return s, err
	}
	s.board.gw.Store(s.gw)
	s.gw.Registry().MustRegister(append(o.Metrics, collector{s.core, s.archive}, s.alarm)...)
	if s.nodes != nil {
		// A site must be able to speak, and to say that it is not ready, while it waits for the others.
		s.nodes.core.Store(s.core)
		act := s.act
		s.nodes.act.Store(&act)
		if s.admin, err = serveAdmin(s); err != nil {
			return s, err
		}
		s.serve()
	}
	if err = s.core.waitReady(ctx, s.nodes); err != nil {
		return s, err
	}
	if err = s.endSessions(ctx); err != nil {
		return s, err
	}
	s.gw.Reconcile()
	if s.nodes == nil {
		s.watch()
		if s.admin, err = serveAdmin(s); err != nil {
			return s, err
		}
		s.serve()
	} else {
		if err = s.nodes.formed(ctx, s.core); err != nil {
			return s, err
		}
		s.tasks.Go(s.watchLead)
	}
	s.tasks.Go(func() { s.alarm.learn(s.duty) })
	if !s.sound.Load() {
		s.tasks.Go(s.scan)
	}
	if s.archive != nil {
		s.tasks.Go(func() { s.archive.run(s.duty, s.core) })
		s.tasks.Go(func() { s.archive.checkpoints(s.duty, s.nodes, s.core) })
		s.tasks.Go(func() { s.archive.joins(s.duty, s.core) })
	}
	s.tasks.Go(func() {
		daily(s.duty, o.Logger, s.core.newestCheckpoint, func() (string, error) {
			dir, _, err := s.core.checkpoint(s.duty, "daily")
			return dir, err
		})
	})
	close(s.started)
	return s, nil
}

// watch begins to look at how the sites are, for the public page.
func (s *Server) watch() {
	w := newWatch(s)
	if s.nodes != nil {
		s.nodes.watch.Store(w)
	}
	s.tasks.Go(func() { w.run(s.ctx) })
}

// enter is how a node becomes, or finds that it is, part of its cluster.
func (s *Server) enter(ctx context.Context) (plan logPlan, err error) {
	if err := s.data.belongs(s.o.Node); err != nil {
		return plan, err
	}
	if err := s.data.Meta.superseded(s.data.Dir); err != nil {
		return plan, err
	}
	if s.nodes, err = openNodes(s.o.Node, s.data, s.o.Version, s.o.Wall, s.o.Logger); err != nil {
		return plan, err
	}
	s.nodes.archive = s.archive
	// From here on people who come are told how it is, however long this takes.
	s.watch()
	s.answer(gateway.Waiting(gateway.Options{Root: s.o.Root, Hosts: s.o.Hosts, Status: s.page}))
	return s.nodes.enter(ctx, s.URL(), s.o.Rebuild)
}

// sites lists the sites for clients; nil: this machine is all there is. The list is read anew every half second.
func (s *Server) sites() func() (string, []*apiv1.Site) {
	if s.nodes == nil {
		return nil
	}
	var mu sync.Mutex
	var list []*apiv1.Site
	var next time.Time
	return func() (string, []*apiv1.Site) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.After(next) {
			next = now.Add(500 * time.Millisecond)
			if nodes, err := s.core.sites(); err == nil {
				list = nil
				for _, n := range nodes {
					list = append(list, &apiv1.Site{Name: n.Site, Url: n.URL})
				}
			}
		}
		return s.nodes.cfg.Site, list
	}
}

// URL is where this server can be reached.
func (s *Server) URL() string {
	if s.o.Node != nil && s.o.Node.URL != "" {
		return s.o.Node.URL
	}
	scheme := "http"
	if s.o.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + s.listener.Addr().String()
}

// Signup is who may sign up: open, invite or closed.
func (s *Server) Signup() string { return s.o.Signup }

// DataDir is the absolute path of the data.
func (s *Server) DataDir() string { return s.data.Dir }

// answer gives requests to a handler from now on.
func (s *Server) answer(h http.Handler) {
	s.handler.Store(&h)
	if s.http != nil {
		return
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.handler.Load()).ServeHTTP(w, r) }),
		BaseContext:       func(l net.Listener) context.Context { return gateway.ListenerContext(context.Background(), l) },
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.o.Logger.Handler(), slog.LevelDebug),
	}
	s.ServeAlso(s.listener)
}

func (s *Server) serve() {
	s.answer(s.gw.Handler())
	s.tasks.Go(func() {
		t := time.NewTicker(100 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-s.ctx.Done():
				return
			case <-t.C:
				s.gw.Tick()
			}
		}
	})
}

// ServeAlso serves everything on a further listener, until Stop.
func (s *Server) ServeAlso(l net.Listener) {
	// Goroutines of connections inherit the label, so that a profile shows the share of the gateway.
	go pprof.Do(s.ctx, pprof.Labels("part", "gateway"), func(context.Context) {
		if err := s.http.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.o.Fatal(fmt.Errorf("the listener on %s failed: %v", l.Addr(), err))
		}
	})
}

// endSessions does what a restore or a rescue left to be done at the first start.
func (s *Server) endSessions(ctx context.Context) error {
	mark := s.data.path(endSessions)
	b, err := os.ReadFile(mark)
	if err != nil {
		return nil // nothing was restored
	}
	what, keep := parseMark(string(b))
	if !keep {
		r, err := s.core.submit(ctx, kernel.DomainPeople, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_EndAllSessions{EndAllSessions: &logv1.EndAllSessions{}}})
		if err != nil {
			return err
		}
		if r.Verdict.Code != kernel.OK {
			return fmt.Errorf("the sessions of before the restore could not be ended: %s", r.Verdict.Code)
		}
		// What is left to do is to write it down: nobody who logs in from now on is logged out by that.
		if err := kernel.WriteDurably(mark, []byte(markOf(what, true))); err != nil {
			return err
		}
	}
	at := s.core.node.Position().String()
	if s.restored(ctx, mark, what, at) {
		return nil
	}
	s.tasks.Go(func() {
		for again := time.NewTicker(actWait); ; {
			select {
			case <-s.duty.Done():
				return
			case <-again.C:
			}
			if s.restored(s.duty, mark, what, at) {
				return
			}
		}
	})
	return nil
}

// The mark of a restore that leaves everybody logged in says so; that of a rescue begins with its name.
const (
	keepSessions = "keep"
	actRestored  = "restored"
	actRescued   = "rescued"
)

func markOf(what string, keep bool) string {
	mark := ""
	if what == actRescued {
		mark = actRescued + " "
	}
	if keep {
		mark += keepSessions
	}
	return mark
}

func parseMark(mark string) (what string, keep bool) {
	rest, rescued := strings.CutPrefix(mark, actRescued+" ")
	if what = actRestored; rescued {
		what = actRescued
	}
	return what, rest == keepSessions
}

// restored writes the restore down, and takes its mark away then. What cannot be written down yet is later, or at the next start.
func (s *Server) restored(ctx context.Context, mark, what, at string) bool {
	err := s.actNow(ctx, what, at)
	if err == nil {
		err = errors.Join(os.Remove(mark), kernel.SyncDir(s.data.Dir))
	}
	if err != nil {
		s.o.Logger.Warn("a restore could not be written down yet", "cause", err)
	}
	return err == nil
}

// Stop drains the connections, stops the kernel in order and closes everything.
func (s *Server) Stop(ctx context.Context) error {
	s.gw.Drain(ctx)
	s.cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	s.gw.Close()
	if s.admin != nil {
		s.admin.close()
	}
	if s.nodes != nil {
		s.nodes.close()
	}
	s.tasks.Wait()
	err = errors.Join(err, s.core.stop(ctx), s.core.close())
	if s.sound.Load() {
		err = errors.Join(err, s.data.markClean())
	}
	return errors.Join(err, s.data.Close())
}

// abort undoes a start that failed.
func (s *Server) abort() {
	s.cancel()
	select {
	case <-s.applied:
	default:
		close(s.applied)
	}
	if s.http != nil { // before its listener, whose end would count as a fault
		_ = s.http.Close()
	}
	if s.listener != nil {
		s.listener.Close()
	}
	if s.gw != nil {
		s.gw.Close()
	}
	if s.admin != nil {
		s.admin.close()
	}
	if s.nodes != nil {
		s.nodes.close()
	}
	s.tasks.Wait()
	if s.core != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.core.stop(ctx)
		_ = s.core.close()
	}
	if s.data != nil {
		if s.sound.Load() {
			_ = s.data.markClean()
		}
		s.data.Close()
	}
}

// checkListen says whether the address is on this machine only, and refuses to listen beyond it in the open.
func checkListen(o Options) (loopback bool, err error) {
	host, _, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return false, fmt.Errorf("--listen %q is not host:port", o.Listen)
	}
	loopback = host == "localhost"
	if a, err := netip.ParseAddr(host); err == nil {
		loopback = a.IsLoopback()
	}
	if (o.TLSCert == "") != (o.TLSKey == "") {
		return loopback, errors.New("--tls-cert and --tls-key go together")
	}
	if !loopback && o.TLSCert == "" && !o.Insecure {
		return false, fmt.Errorf("%s can be reached from other machines: give --tls-cert and --tls-key, or --insecure if something in front of bonghwa encrypts", o.Listen)
	}
	return loopback, nil
}

func listen(o Options) (net.Listener, error) {
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		msg := cause(err).Error()
		if strings.Contains(msg, "address already in use") {
			return nil, fmt.Errorf("%s is taken by another program; stop it, or choose another address with --listen", o.Listen)
		}
		return nil, fmt.Errorf("cannot listen on %s: %s", o.Listen, msg)
	}
	if o.TLSCert == "" {
		return l, nil
	}
	cert, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("the certificate cannot be used: %v", err)
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}), nil
}
