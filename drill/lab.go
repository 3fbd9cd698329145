package drill

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/server"
)

// Ports of a site's machine: where others think it is, and where its process listens behind the relay.
const (
	portPeople, portPeer, portNode = "8080", "2380", "2480"
	behindRelay                    = "1" // 8080 -> 18080
)

// lab is the sites under drill: a process each, with the relay between them and before them.
type lab struct {
	binary, dir string
	sites       []string
	relay       network
	people      *http.Client // asks from where people are
	hosts       map[string]string
	files       map[string]string
	dirs        map[string]string // of their data
	urls        map[string]string
	log         io.Writer
	copied      string // the checkpoint that is compared
	formed      int    // how many sites the cluster has by now
	// before is what a site's node is started through, more are its further arguments.
	before, more map[string][]string
	// undo gives back what the machine lent, the newest first.
	undo []func() error

	mu    sync.Mutex
	procs map[string]*process
}

// process is a site's node.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	said *lines // on its standard error
}

// newLab writes a cluster's files and opens the network; nothing runs yet. On loopback the sites have addresses of its own, below
// net3; in namespaces there is nobody else. The plan says from what the cluster grows, if from anything.
func newLab(binary, dir string, sites []string, net3 string, plan config.Plan) (*lab, error) {
	l := &lab{binary: binary, dir: dir, sites: sites, formed: len(sites), hosts: map[string]string{}, files: map[string]string{}, dirs: map[string]string{},
		urls: map[string]string{}, procs: map[string]*process{}, before: map[string][]string{}, more: map[string][]string{}}
	var err error
	if l.log, err = os.Create(filepath.Join(dir, "nodes.log")); err != nil {
		return nil, err
	}
	var own []string
	for i := range sites {
		own = append(own, fmt.Sprintf("%s.%d", namespaceNet, i+1))
	}
	l.relay = choose(sites, own, namespaceNet+".100")
	l.people = &http.Client{Transport: transport(l.relay, 64)}
	relay, proxied := l.relay.(*relay)
	hosts := own
	if proxied {
		hosts = nil
		for i := range sites {
			hosts = append(hosts, fmt.Sprintf("%s.%d", net3, i+1))
		}
	}
	plan.Dir, plan.Sites, plan.Hosts, plan.Now = filepath.Join(dir, "cluster"), sites, hosts, time.Now()
	files, err := config.Init(plan)
	if err != nil {
		return nil, err
	}
	for i, site := range sites {
		n, err := config.Load(files[i])
		if err != nil {
			return nil, err
		}
		at := func(port string) string { return net.JoinHostPort(hosts[i], port) }
		behind := at
		if proxied {
			behind = func(port string) string { return at(behindRelay + port) }
		}
		n.Signup = "open"
		n.Listen, n.URL = behind(portPeople), "http://"+at(portPeople)
		n.Cluster.BindPeer, n.Cluster.BindNode = behind(portPeer), behind(portNode)
		if err := n.Save(files[i]); err != nil {
			return nil, err
		}
		for _, port := range []string{portPeople, portPeer, portNode} {
			if !proxied {
				continue
			}
			if err := relay.into(site, at(port), behind(port)); err != nil {
				relay.close()
				return nil, err
			}
		}
		l.hosts[site], l.files[site], l.dirs[site], l.urls[site] = hosts[i], files[i], n.Data, n.URL
	}
	return l, nil
}

func (l *lab) data(site string) string { return l.dirs[site] }

// start starts a site's node and returns when it serves.
func (l *lab) start(ctx context.Context, site string, args ...string) error {
	ready, err := l.begin(site, args...)
	if err != nil {
		return err
	}
	select {
	case err := <-ready:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// startAll starts these sites' nodes at once and returns when all serve.
func (l *lab) startAll(sites []string) error {
	var ready []<-chan error
	for _, site := range sites {
		r, err := l.begin(site)
		if err != nil {
			return err
		}
		ready = append(ready, r)
	}
	late := time.After(time.Minute)
	for i, r := range ready {
		select {
		case err := <-r:
			if err != nil {
				return err
			}
		case <-late:
			return fmt.Errorf("%s did not serve within a minute", sites[i])
		}
	}
	return nil
}

// begin starts a site's node; ready tells when it serves, or why it does not.
func (l *lab) begin(site string, args ...string) (ready <-chan error, err error) {
	p := &process{done: make(chan struct{})}
	line := slices.Concat(l.before[site], []string{l.binary, "serve", "--config", l.files[site], "--no-limits", "--log-level", "warn"}, l.relay.flags(), l.more[site], args)
	p.cmd = exec.Command(line[0], line[1:]...)
	prefix := &lines{to: l.log, prefix: site + ": "}
	p.cmd.Stderr, p.said = prefix, prefix
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	// Pdeathsig follows the thread that started the child: it must live as long as the drill.
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := l.relay.enter(site)
		if err == nil {
			err = p.cmd.Start()
		}
		started <- err
		if err == nil {
			<-p.done
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.procs[site] = p
	l.mu.Unlock()
	l.relay.runs(site, p.cmd.Process.Pid)
	told := make(chan error, 1)
	go func() {
		scan := bufio.NewScanner(out)
		for scan.Scan() {
			if f := strings.Fields(scan.Text()); len(f) == 2 && f[0] == "address" {
				told <- nil
			}
		}
		_ = p.cmd.Wait()
		close(p.done)
		select {
		case told <- fmt.Errorf("the node of %s ended: %s", site, prefix.last()):
		default:
		}
	}()
	return told, nil
}

// lines writes whole lines with a prefix, and remembers the last one.
type lines struct {
	mu     sync.Mutex
	to     io.Writer
	prefix string
	rest   string
	newest string
}

func (w *lines) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest += string(b)
	for {
		line, rest, ok := strings.Cut(w.rest, "\n")
		if !ok {
			return len(b), nil
		}
		w.rest, w.newest = rest, line
		fmt.Fprintln(w.to, w.prefix+line)
	}
}

func (w *lines) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newest + w.rest
}

func (l *lab) proc(site string) *process {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.procs[site]
}

func (l *lab) signal(site string, sig syscall.Signal) error {
	p := l.proc(site)
	if p == nil {
		return fmt.Errorf("no node of %s runs", site)
	}
	return p.cmd.Process.Signal(sig)
}

// kill ends a site's process at once and waits for it.
func (l *lab) kill(site string) {
	if p := l.proc(site); p != nil {
		_ = p.cmd.Process.Signal(syscall.SIGCONT)
		_ = p.cmd.Process.Signal(syscall.SIGKILL)
		<-p.done
	}
}

// stop ends it in order.
func (l *lab) stop(site string) error {
	p := l.proc(site)
	if p == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Process.Signal(syscall.SIGCONT) // one that stands still would not hear of it
	select {
	case <-p.done:
		return nil
	case <-time.After(30 * time.Second):
		l.kill(site)
		return fmt.Errorf("the node of %s did not stop", site)
	}
}

// around lists the ways between a site and everything else.
func (l *lab) around(site string, withPeople bool) (ws []way) {
	for _, s := range l.sites {
		if s != site {
			ws = append(ws, way{site, s}, way{s, site})
		}
	}
	if withPeople {
		ws = append(ws, way{site, people}, way{people, site})
	}
	return ws
}

// settled is steady within two minutes.
func (l *lab) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return l.steady(ctx)
}

// steady waits until every site votes, is ready and current.
func (l *lab) steady(ctx context.Context) error {
	var last server.Status
	var err error
	for {
		for _, site := range l.sites {
			if last, err = server.Admin(l.data(site)).Status(ctx); err == nil {
				break
			}
		}
		if err == nil && last.Steady && len(last.Sites) == l.formed {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the sites are not steady: %s", strings.Join(last.Words, "; ")), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// close ends all processes and the relay.
func (l *lab) close() {
	for _, s := range l.sites {
		l.kill(s)
	}
	l.relay.close()
	for _, undo := range slices.Backward(l.undo) {
		_ = undo()
	}
}

// drain sends a site's people elsewhere.
func (l *lab) drain(ctx context.Context, site string) error {
	return server.Admin(l.data(site)).Drain(ctx)
}
