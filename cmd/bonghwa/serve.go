package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/gateway"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/server"
	"github.com/bonghwa/bonghwa/web"
)

type serveCmd struct {
	Config        string   `help:"File of a cluster's node (bonghwa cluster init writes it). It says where data and addresses are; the flags for them are then not used." type:"path" placeholder:"FILE"`
	Rebuild       bool     `help:"With --config and an empty directory: this site's disks are gone for good; it is let in anew, and its views come from another site."`
	Data          string   `help:"Directory for everything that is kept." default:"bonghwa-data" type:"path"`
	Listen        string   `help:"Address for people's clients." default:"127.0.0.1:8080"`
	LAN           lanMode  `name:"lan" help:"Let phones and other machines of this network in as well, encrypted by a certificate of this machine's own. --lan=http: in the open."`
	LANHost       []string `name:"lan-host" help:"The address or name by which its network reaches this machine, where that is not its own: in a container." placeholder:"192.168.0.10"`
	LANListen     string   `name:"lan-listen" help:"Where --lan listens. Default: port 8443, or 8081 in the open." placeholder:":8443"`
	TLSCert       string   `name:"tls-cert" help:"Certificate (PEM); needed beyond loopback." type:"path"`
	TLSKey        string   `name:"tls-key" help:"Key of the certificate (PEM)." type:"path"`
	Insecure      bool     `help:"Listen beyond loopback without TLS, because something in front encrypts."`
	Signup        string   `help:"Who may sign up: open, invite or closed. Default: open if --listen is loopback (for the network of --lan too), else invite." enum:",open,invite,closed" default:""`
	AcceptClock   bool     `help:"Start although this machine's clock is far from the time of the last entry."`
	ForceInternal []string `help:"Refuse one command of the log that ends the process: E:N:I (epoch, entry, place). Every site needs the same." placeholder:"E:N:I"`
	Host          []string `help:"A name under which a proxy on this machine passes requests on to a loopback --listen, which otherwise answers to names of loopback only." placeholder:"chat.example.org"`
	PublicMetrics bool     `help:"Show /metrics to other machines too."`
	backupFlags
	NoLimits  bool   `help:"Do not limit how often one address or session may ask; for load tests, on loopback only." hidden:""`
	Isolated  bool   `help:"The network namespace of this process leads to nobody but a drill: what holds for loopback holds for it." hidden:""`
	ClockFile string `help:"Add the duration in this file to the machine's clock; for drills, on loopback only." hidden:"" type:"path"`
	Pprof     string `help:"Serve Go profiles on this loopback address." placeholder:"127.0.0.1:6060"`
	LogLevel  string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
}

func (c serveCmd) Run() error {
	return c.run(func(_ context.Context, s *server.Server) (func(), error) {
		fmt.Printf("  talk      open %s, or: bonghwa chat --server %s\n", s.URL(), s.URL())
		return func() {}, nil
	})
}

// run serves until a signal or a fault ends it. beside is called once when the server is up; what it starts ends with
// its context, and wait returns when it has ended.
func (c serveCmd) run(beside func(ctx context.Context, s *server.Server) (wait func(), err error)) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	forced, err := parseForced(c.ForceInternal)
	if err != nil {
		return err
	}
	if err := servePprof(c.Pprof); err != nil {
		return err
	}
	if c.Isolated {
		if err := isolated(); err != nil {
			return err
		}
	}
	node, err := c.node()
	if err != nil {
		return err
	}
	limits, err := c.limits()
	if err != nil {
		return err
	}
	wall, err := c.turnedClock()
	if err != nil {
		return err
	}
	site, err := web.New(web.Dist(), log)
	if err != nil {
		return err
	}
	fatal := make(chan error, 1)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	start := time.Now()
	s, err := started(ctx, fatal, server.Options{
		Node: node, Rebuild: c.Rebuild, Backup: c.backup(),
		Data: c.Data, Listen: c.Listen, TLSCert: c.TLSCert, TLSKey: c.TLSKey, Insecure: c.Insecure, Signup: c.Signup, Version: version(),
		Limits: limits, Forced: forced, AcceptClock: c.AcceptClock, Wall: wall, PublicMetrics: c.PublicMetrics, Hosts: c.Host, Logger: log,
		Root: site, WebBuild: site.Build(), Metrics: []prometheus.Collector{site.Metrics()},
	})
	if err != nil {
		return err
	}
	fmt.Printf("봉화가 켜졌어요 · Bonghwa is up after %d ms\n  address   %s\n  data      %s\n", time.Since(start).Milliseconds(), s.URL(), s.DataDir())
	wait := func() {}
	if err = c.openLAN(s); err == nil {
		wait, err = beside(ctx, s)
	}
	if err == nil {
		select {
		case err = <-fatal:
			return err // the process ends at once: what is on disk is what counts
		case <-ctx.Done():
		}
	}
	stop() // a second signal ends the process at once
	fmt.Println("stopping")
	wait()
	stopCtx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if stopped := s.Stop(stopCtx); err == nil && stopped != nil {
		err = fmt.Errorf("stopped with: %v", stopped)
	}
	return err
}

// started starts a server. A fault that ends the process ends its start, too, which may be waiting for what will never be.
func started(ctx context.Context, fatal chan error, o server.Options) (*server.Server, error) {
	o.Fatal = func(err error) {
		select {
		case fatal <- err:
		default:
		}
	}
	type result struct {
		s   *server.Server
		err error
	}
	done := make(chan result, 1)
	go func() {
		s, err := server.Start(ctx, o)
		done <- result{s, err}
	}()
	select {
	case err := <-fatal:
		return nil, err
	case r := <-done:
		if r.err != nil {
			select {
			case r.err = <-fatal:
			default:
			}
		}
		return r.s, r.err
	}
}

// node reads --config, and takes from it what flags say otherwise.
func (c *serveCmd) node() (*config.Node, error) {
	if c.Config == "" {
		if c.Rebuild {
			return nil, errors.New("--rebuild goes with --config")
		}
		return nil, nil
	}
	if c.BackupTo != "" {
		return nil, errors.New("--backup-to is for a machine that is alone; a cluster's node has [backup] in its file")
	}
	n, err := config.Load(c.Config)
	if err != nil {
		return nil, err
	}
	c.Data, c.Listen, c.TLSCert, c.TLSKey = n.Data, n.Listen, n.TLSCert, n.TLSKey
	c.Insecure = c.Insecure || n.Insecure || c.Isolated
	if c.Signup == "" {
		c.Signup = n.Signup
	}
	return n, nil
}

func (c serveCmd) onLoopback() bool {
	return c.LAN == "" && (c.Isolated || strings.HasPrefix(c.Listen, "127.") || strings.HasPrefix(c.Listen, "localhost:"))
}

func (c serveCmd) limits() (gateway.Limits, error) {
	if !c.NoLimits {
		return gateway.Limits{}, nil
	}
	if !c.onLoopback() {
		return gateway.Limits{}, errors.New("--no-limits is for loopback only")
	}
	const none = 1 << 30
	return gateway.Limits{Passwords: none, Codes: none, LookUps: none, SignUps: none, Profiles: none, PhotoReads: none, CommandsPerSecond: none, CommandBurst: none,
		Calls: none, Hellos: none, Strangers: none, Rooms: none, Pins: none, HelloWait: 5 * time.Second}, nil
}

// quiet logs errors only.
func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

func parseForced(in []string) (out []kernel.Forced, err error) {
	for _, s := range in {
		p := strings.Split(s, ":")
		if len(p) != 3 {
			return nil, fmt.Errorf("--force-internal %q is not E:N:I", s)
		}
		e, err1 := strconv.ParseUint(p[0], 10, 32)
		n, err2 := strconv.ParseUint(p[1], 10, 64)
		i, err3 := strconv.Atoi(p[2])
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, fmt.Errorf("--force-internal %q is not E:N:I", s)
		}
		out = append(out, kernel.Forced{Epoch: uint32(e), N: n, Index: i})
	}
	return out, nil
}
