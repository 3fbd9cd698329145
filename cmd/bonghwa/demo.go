package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bonghwa/bonghwa/internal/demo"
	"github.com/bonghwa/bonghwa/internal/gateway"
	"github.com/bonghwa/bonghwa/internal/server"
)

// demoCmd is a server with twelve people, who live in a process of their own: nothing they do can take the server down.
type demoCmd struct {
	Data      string   `help:"Directory for everything that is kept." default:"bonghwa-demo-data" type:"path"`
	Listen    string   `help:"Address for people's clients, on this machine." default:"127.0.0.1:8080"`
	LAN       lanMode  `name:"lan" help:"Let phones and other machines of this network in as well; as of serve."`
	LANHost   []string `name:"lan-host" help:"The address or name by which its network reaches this machine; as of serve." placeholder:"192.168.0.10"`
	LANListen string   `name:"lan-listen" help:"Where --lan listens. Default: port 8443, or 8081 in the open." placeholder:":8443"`
	Seed      uint64   `help:"Another seed, another talk." default:"1"`
	PerDay    int      `help:"How many messages the twelve say among themselves on a day." default:"3000"`
	Sites     int      `help:"3: the same on three sites of this machine, of which you can let any one burn; type help when it is up." enum:"1,3" default:"1"`
	Net       string   `help:"Loopback addresses for three sites, instead of ports of 127.0.0.1." hidden:""`
}

// Waits of the demo: for people who are asked to go, and before those who fell over are started again.
const (
	goWait       = 10 * time.Second
	shortestRest = time.Second
	longestRest  = time.Minute
)

func (c demoCmd) Run() error {
	if c.Sites > 1 {
		return c.onSites()
	}
	serve := serveCmd{Data: c.Data, Listen: c.Listen, LAN: c.LAN, LANListen: c.LANListen, LANHost: c.LANHost, Signup: gateway.SignupOpen, LogLevel: "warn"}
	return serve.run(func(ctx context.Context, s *server.Server) (func(), error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		fmt.Printf("  open      %s\n", s.URL())
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.keep(ctx, self, demoPlace{dir: filepath.Join(s.DataDir(), "demo"), data: []string{s.DataDir()}, urls: []string{s.URL()}})
		}()
		return func() { <-done }, nil
	})
}

// demoPlace is where the people live: what they keep for themselves, and the servers with their data directories.
type demoPlace struct {
	dir        string
	data, urls []string
	// sites are their names, and fire the drill that they are measured for; of several sites.
	sites []string
	fire  *demoFire
}

// keep runs the people until ctx ends. Those who end before are started again, after a rest that grows while they keep
// ending soon.
func (c demoCmd) keep(ctx context.Context, self string, s demoPlace) {
	rest, returning := shortestRest, false
	for {
		start := time.Now()
		err := c.people(ctx, self, s, returning)
		returning = errors.Is(err, errAgain)
		if ctx.Err() != nil {
			return
		}
		if returning {
			continue
		}
		if time.Since(start) > 10*longestRest {
			rest = shortestRest
		}
		fmt.Fprintf(os.Stderr, "bonghwa: the twelve people have ended (%v); they come again in %v\n", err, rest)
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
		rest = min(2*rest, longestRest)
	}
}

// people runs the process of the people once. It goes when its standard input ends: at the end of this process too,
// however that comes.
func (c demoCmd) people(ctx context.Context, self string, s demoPlace, returning bool) error {
	args := []string{"demo-people", "--dir", s.dir, "--seed", strconv.FormatUint(c.Seed, 10), "--per-day", strconv.Itoa(c.PerDay)}
	for i := range s.data {
		args = append(args, "--data", s.data[i], "--url", s.urls[i])
	}
	for _, name := range s.sites {
		args = append(args, "--site", name)
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	// Ctrl-C is for this process, which lets the people go in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = in.Close()
		time.AfterFunc(goWait, func() { _ = cmd.Process.Kill() })
	})
	defer stop()
	var asked atomic.Bool
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		switch line := lines.Text(); {
		// On several sites they are said to be here when a site may burn.
		case line == peopleReady && s.fire == nil, line == peopleMeasured && s.fire != nil:
			if s.fire != nil {
				s.fire.here(in, func() { asked.Store(true); _ = in.Close() })
			}
			if !returning {
				fmt.Println("  people    twelve simulated people are here; sign up, and one of them writes at once")
			}
		case strings.HasPrefix(line, drillLine) && s.fire != nil:
			s.fire.said(strings.TrimPrefix(line, drillLine))
		}
	}
	if s.fire != nil {
		s.fire.here(nil, nil)
	}
	if err := cmd.Wait(); err != nil || !asked.Load() {
		return err
	}
	return errAgain
}

// errAgain: the people were asked to go, and come again.
var errAgain = errors.New("they come again")

// peopleReady is what the people's process says when all are there.
const peopleReady = "ready"

// demoPeopleCmd is the process of the people.
type demoPeopleCmd struct {
	Dir    string   `required:"" type:"path"`
	Data   []string `required:"" type:"path"`
	Site   []string
	URL    []string `name:"url" required:""`
	Seed   uint64
	PerDay int
}

func (c demoPeopleCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := &measured{sites: c.Site, urls: c.URL, out: os.Stdout}
	go func() {
		m.obey(ctx, os.Stdin)
		cancel()
	}()
	err := demo.Run(ctx, demo.Options{
		Dir: c.Dir, URLs: c.URL, Seed: c.Seed, PerDay: c.PerDay,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Ready: func(list []demo.Present) {
			fmt.Println(peopleReady)
			if len(c.Site) > 1 {
				go m.begin(ctx, list)
			}
		},
		Heard: m.heard, Acked: m.acked,
		Operator: demo.Operator{
			MarkSimulated: func(ctx context.Context, handle string) error {
				return c.anywhere(ctx, func(a server.AdminClient) error { return a.MarkSimulated(ctx, handle) })
			},
			Befriend: func(ctx context.Context, handle string, others []string) error {
				return c.anywhere(ctx, func(a server.AdminClient) error { return a.Befriend(ctx, handle, others) })
			},
			SignUps: func(ctx context.Context, after string) (list []demo.SignUp, cursor string, err error) {
				var u server.SignUps
				err = c.anywhere(ctx, func(a server.AdminClient) error {
					var err error
					u, err = a.SignUps(ctx, after)
					return err
				})
				for _, a := range u.Accounts {
					if a.Simulated {
						continue
					}
					list = append(list, demo.SignUp{User: a.User, Handle: a.Handle, Name: a.DisplayName})
				}
				return list, u.Cursor, err
			},
		},
	})
	if err != nil {
		// A server that ends takes the people's calls with it a moment before they learn of its end: no error then.
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
	return err
}

// anywhere asks one site after the other until one does it. With several sites one may be gone, and the next one is asked again
// until it is ready.
func (c demoPeopleCmd) anywhere(ctx context.Context, ask func(server.AdminClient) error) (err error) {
	for round := 0; ; round++ {
		for _, d := range c.Data {
			if err = ask(server.Admin(d)); err == nil || ctx.Err() != nil {
				return err
			}
		}
		if len(c.Data) == 1 || round == 20 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}
