package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/gateway"
	"github.com/bonghwa/bonghwa/internal/server"
)

// demoSites are three sites of this machine, a process each, of which the person at the terminal can let any one burn.
type demoSites struct {
	self  string
	nodes []*config.Node
	files []string

	fire *demoFire

	mu    sync.Mutex
	procs map[string]*exec.Cmd
	ended map[string]chan struct{}
}

var demoNames = []string{"seoul", "daejeon", "busan"}

const demoHelp = `  burn SITE    take the power from a site: it falls silent, and its process is killed
  light SITE   start it again; then everything that was acknowledged is read back
  status       how the sites are
  quit         stop everything`

// onSites is `demo --sites 3`.
func (c demoCmd) onSites() error {
	if c.LAN != "" {
		return errors.New("--lan and --sites do not go together yet: the sites of the demo are on this machine only")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	d, dir, err := c.prepare()
	if err != nil {
		return err
	}
	defer d.stopAll()
	d.fire = newDemoFire(ctx, d)
	closing, err := server.ServeControl(filepath.Join(dir, controlSocket), d.fire.control())
	if err != nil {
		return err
	}
	defer closing()
	ready := make(chan error)
	for _, n := range d.nodes {
		go func() { ready <- d.light(ctx, n.Site) }()
	}
	for range d.nodes {
		err = errors.Join(err, <-ready)
	}
	if err != nil {
		return err
	}
	fmt.Println("봉화 세 곳이 켜졌어요 · three beacons are lit")
	place := demoPlace{dir: filepath.Join(dir, "demo"), fire: d.fire}
	for _, n := range d.nodes {
		fmt.Printf("  %-9s %s\n", n.Site, n.URL)
		place.data, place.urls, place.sites = append(place.data, n.Data), append(place.urls, n.URL), append(place.sites, n.Site)
	}
	handle, password, err := d.operator(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Printf("  operator  log in as %s, password %s, and open %s/ops\n", handle, password, d.nodes[len(d.nodes)-1].URL)
	fmt.Println("open one of them, sign up, and let its site burn while you write. Type here:")
	fmt.Println(demoHelp)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		c.keep(ctx, d.self, place)
	}()
	d.obey(ctx, stop)
	stop()
	fmt.Println("stopping")
	<-gone
	return nil
}

// prepare reads the files of the three sites, or writes them at the first time.
func (c demoCmd) prepare() (d *demoSites, dir string, err error) {
	d = &demoSites{procs: map[string]*exec.Cmd{}, ended: map[string]chan struct{}{}}
	if d.self, err = os.Executable(); err != nil {
		return nil, "", err
	}
	dir = c.Data + "-sites"
	for _, name := range demoNames {
		d.files = append(d.files, filepath.Join(dir, name, config.FileName))
	}
	if _, err := os.Stat(d.files[0]); err != nil {
		p := config.Plan{Dir: dir, Sites: demoNames, Hosts: make([]string, len(demoNames)), Now: time.Now()}
		for i := range p.Hosts {
			if c.Net != "" {
				p.Hosts[i] = fmt.Sprintf("%s.%d", c.Net, i+1)
			}
		}
		if _, err := config.Init(p); err != nil {
			return nil, "", err
		}
	}
	for _, f := range d.files {
		if err := config.SetControl(f, filepath.Join("..", controlSocket)); err != nil {
			return nil, "", err
		}
		n, err := config.Load(f)
		if err != nil {
			return nil, "", err
		}
		d.nodes = append(d.nodes, n)
	}
	return d, dir, nil
}

func (d *demoSites) find(site string) (int, bool) {
	for i, n := range d.nodes {
		if n.Site == site {
			return i, true
		}
	}
	return 0, false
}

// light starts a site's node and returns when it serves.
func (d *demoSites) light(ctx context.Context, site string) error {
	i, ok := d.find(site)
	if !ok {
		return fmt.Errorf("there is no site %q", site)
	}
	if d.lit(site) {
		return fmt.Errorf("%s is lit already", site)
	}
	cmd := exec.Command(d.self, "serve", "--config", d.files[i], "--signup", gateway.SignupOpen, "--log-level", "error")
	cmd.Stderr = os.Stderr
	// Ctrl-C is for this process, which stops the sites in order. If it ends otherwise they are killed: one that is frozen hears
	// nothing else.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	ended, up := make(chan struct{}), make(chan struct{}, 1)
	// Pdeathsig follows the thread that started the child: it must live as long as this process.
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			<-ended
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	d.mu.Lock()
	d.procs[site], d.ended[site] = cmd, ended
	d.mu.Unlock()
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == "address" {
				up <- struct{}{}
			}
		}
		_ = cmd.Wait()
		close(ended)
	}()
	select {
	case <-up:
		return nil
	case <-ended:
		return fmt.Errorf("the node of %s could not be started", site)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lit says whether a site's process runs.
func (d *demoSites) lit(site string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.procs[site] == nil {
		return false
	}
	select {
	case <-d.ended[site]:
		return false
	default:
		return true
	}
}

// signal sends a signal to a site's process.
func (d *demoSites) signal(site string, s syscall.Signal) error {
	if !d.lit(site) {
		return fmt.Errorf("%s is out already", site)
	}
	d.mu.Lock()
	cmd := d.procs[site]
	d.mu.Unlock()
	return cmd.Process.Signal(s)
}

// burn kills a site's process at once.
func (d *demoSites) burn(site string) error {
	if !d.lit(site) {
		return fmt.Errorf("%s is out already", site)
	}
	d.mu.Lock()
	cmd, ended := d.procs[site], d.ended[site]
	d.mu.Unlock()
	_ = cmd.Process.Kill()
	<-ended
	return nil
}

// stopAll ends the sites in order, all at once.
func (d *demoSites) stopAll() {
	var wg sync.WaitGroup
	for _, n := range d.nodes {
		if !d.lit(n.Site) {
			continue
		}
		d.mu.Lock()
		cmd, ended := d.procs[n.Site], d.ended[n.Site]
		d.mu.Unlock()
		wg.Go(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Process.Signal(syscall.SIGCONT) // one that burns is frozen
			select {
			case <-ended:
			case <-time.After(goWait):
				_ = cmd.Process.Kill()
			}
		})
	}
	wg.Wait()
}

// obey does what is typed until quit, or until ctx ends. A terminal that is not there says nothing.
func (d *demoSites) obey(ctx context.Context, quit func()) {
	typed := make(chan string)
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			select {
			case typed <- strings.TrimSpace(lines.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		var line string
		select {
		case <-ctx.Done():
			return
		case line = <-typed:
		}
		word, site, _ := strings.Cut(line, " ")
		site = strings.TrimSpace(site)
		var err error
		switch word {
		case "":
			continue
		case "burn":
			if err = d.fire.burn(site); err == nil {
				go d.act(ctx, server.ActBurned, site)
				fmt.Printf("%s is out; its people go on at the other sites\n", site)
			}
		case "light":
			if err = d.fire.light(site); err == nil {
				go d.act(ctx, server.ActLit, site)
				if d.fire.comes(site) {
					err = d.fire.wait(ctx, os.Stdout)
				} else {
					fmt.Printf("%s is being started again; no drill is under way, so nothing is read back\n", site)
				}
			}
		case "status":
			err = d.say(ctx, os.Stdout)
		case "quit", "exit":
			quit()
			return
		default:
			fmt.Println(demoHelp)
		}
		if err != nil && ctx.Err() == nil {
			fmt.Println(err)
		}
	}
}

// act has a site that stays write down what was typed here.
func (d *demoSites) act(ctx context.Context, what, site string) {
	ctx, cancel := context.WithTimeout(ctx, goWait)
	defer cancel()
	err := errors.New("no site answers")
	for err != nil && ctx.Err() == nil {
		for _, n := range d.nodes {
			if n.Site == site {
				continue
			}
			if err = server.Admin(n.Data).RecordAct(ctx, what, site); err == nil {
				return
			}
		}
		time.Sleep(500 * time.Millisecond)
	}
	fmt.Fprintln(os.Stderr, "bonghwa: what was typed could not be written down:", err)
}

// say asks the first site that answers.
func (d *demoSites) say(ctx context.Context, w io.Writer) (err error) {
	s, err := d.status(ctx)
	if err != nil {
		return err
	}
	return printStatus(w, s)
}

// status asks the first site that answers. One that burns is frozen, and is not asked.
func (d *demoSites) status(ctx context.Context) (s server.Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = errors.New("no site answers")
	burns := d.fire.burns()
	for _, n := range d.nodes {
		if n.Site == burns {
			continue
		}
		if s, err = server.Admin(n.Data).Status(ctx); err == nil {
			return s, nil
		}
	}
	return s, err
}
