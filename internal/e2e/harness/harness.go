// Package harness starts the real binary for end-to-end tests, on loopback and in a directory of the test's own, and
// ends what it started by pid.
package harness

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
)

var build = sync.OnceValues(func() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	root := filepath.Join(filepath.Dir(file), "..", "..", "..")
	dir, err := os.MkdirTemp("", "bonghwa-e2e-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "bonghwa")
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/bonghwa")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %v\n%s", err, out)
	}
	return bin, nil
})

// Binary builds the program once per test process.
func Binary(t testing.TB) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// Run runs the binary to its end and returns what it printed and its exit code.
func Run(t testing.TB, args ...string) (out string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, Binary(t), args...)
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", args, err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

// Server is a running server process.
type Server struct {
	t    testing.TB
	cmd  *exec.Cmd
	done chan struct{}
	log  *lockedBuffer
	url  chan string
	// URL is where it listens, Data its directory.
	URL, Data string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Start runs serve on a data directory and waits until it serves. listen "" is a free port. It is killed at the end of
// the test if it still runs.
func Start(t testing.TB, data, listen string, args ...string) *Server {
	t.Helper()
	s, err := TryStart(t, data, listen, args...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TryStart is Start for servers that may refuse to run; the error holds what was printed.
func TryStart(t testing.TB, data, listen string, args ...string) (*Server, error) {
	t.Helper()
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	return try(t, data, append([]string{"serve", "--data", data, "--listen", listen, "--no-limits"}, args...))
}

func try(t testing.TB, data string, args []string) (*Server, error) {
	t.Helper()
	s, err := begin(t, data, args)
	if err != nil {
		return nil, err
	}
	return s, s.serving(time.Minute)
}

// begin starts a process that is to become a server.
func begin(t testing.TB, data string, args []string) (*Server, error) {
	t.Helper()
	s := &Server{t: t, Data: data, done: make(chan struct{}), log: &lockedBuffer{}, url: make(chan string, 1)}
	s.cmd = exec.Command(Binary(t), args...)
	s.cmd.Stderr = s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	// Pdeathsig follows the thread that started the child: it must live as long as the test.
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := s.cmd.Start()
		started <- err
		if err == nil {
			<-s.done
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	t.Cleanup(s.Kill)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(s.log, lines.Text())
			if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == "address" {
				s.url <- f[1]
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = s.cmd.Wait()
		close(s.done)
	}()
	return s, nil
}

// serving waits until the server serves; one that does not is killed.
func (s *Server) serving(patience time.Duration) error {
	select {
	case s.URL = <-s.url:
		return nil
	case <-s.done:
		return fmt.Errorf("the server ended with code %d:\n%s", s.cmd.ProcessState.ExitCode(), s.Log())
	case <-time.After(patience):
		s.Kill()
		return fmt.Errorf("the server did not serve within %v:\n%s", patience, s.Log())
	}
}

// Serve runs serve with these flags and waits until it serves; data is where its data are.
func Serve(t testing.TB, data string, args ...string) (*Server, error) {
	t.Helper()
	return try(t, data, append([]string{"serve", "--no-limits"}, args...))
}

// Cluster is the files of a cluster on loopback addresses of its own.
type Cluster struct {
	t testing.TB
	// Dir is what cluster init wrote.
	Dir string
	// Sites are the nodes by site; nil while one is down.
	Sites map[string]*Server
}

// NewCluster writes the files of a cluster; nothing runs yet. args go to cluster init.
func NewCluster(t testing.TB, sites []string, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t, Dir: filepath.Join(t.TempDir(), "cluster"), Sites: map[string]*Server{}}
	// Each site has a loopback address of its own, so that the ports are always free and stay so while a node is down.
	net := fmt.Sprintf("127.%d.%d", 1+rand.IntN(254), rand.IntN(256))
	var list []string
	for i, s := range sites {
		list = append(list, fmt.Sprintf("%s=%s.%d", s, net, i+1))
	}
	if out, code := Run(t, append([]string{"cluster", "init", "--sites", strings.Join(list, ","), "--out", c.Dir}, args...)...); code != 0 {
		t.Fatal(out)
	}
	return c
}

// File is the file of a site's node, Data its directory.
func (c *Cluster) File(site string) string { return filepath.Join(c.Dir, site, "node.toml") }
func (c *Cluster) Data(site string) string {
	c.t.Helper()
	n, err := config.Load(c.File(site))
	if err != nil {
		c.t.Fatal(err)
	}
	return n.Data
}

// Try starts a site's node and waits until it serves.
func (c *Cluster) Try(site string, args ...string) (*Server, error) {
	s, err := try(c.t, c.Data(site), append([]string{"serve", "--config", c.File(site), "--no-limits"}, args...))
	if err == nil {
		c.Sites[site] = s
	}
	return s, err
}

// TryFor is Try for a node that is not expected to serve within a time.
func (c *Cluster) TryFor(site string, patience time.Duration) (*Server, error) {
	s, err := begin(c.t, c.Data(site), []string{"serve", "--config", c.File(site), "--no-limits"})
	if err == nil {
		err = s.serving(patience)
	}
	return s, err
}

// Start starts nodes, all at once, and waits until all serve.
func (c *Cluster) Start(sites ...string) {
	c.t.Helper()
	type result struct {
		site string
		s    *Server
		err  error
	}
	done := make(chan result)
	for _, site := range sites {
		go func() {
			s, err := try(c.t, c.Data(site), []string{"serve", "--config", c.File(site), "--no-limits"})
			done <- result{site, s, err}
		}()
	}
	for range sites {
		r := <-done
		if r.err != nil {
			c.t.Fatalf("%s: %v", r.site, r.err)
		}
		c.Sites[r.site] = r.s
	}
}

// URLs are where the sites are reached, the first one first.
func (c *Cluster) URLs(first string) []string {
	urls := []string{c.Sites[first].URL}
	for _, site := range slices.Sorted(maps.Keys(c.Sites)) {
		if site != first && c.Sites[site] != nil {
			urls = append(urls, c.Sites[site].URL)
		}
	}
	return urls
}

// Log is what the server has printed so far.
func (s *Server) Log() string { return s.log.String() }

// Signal sends a signal.
func (s *Server) Signal(sig syscall.Signal) {
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Error(err)
	}
}

// Kill ends the process at once (SIGKILL) and waits for it.
func (s *Server) Kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL)
	<-s.done
}

// Stop ends the process in order and returns its exit code.
func (s *Server) Stop() int {
	s.Signal(syscall.SIGTERM)
	return s.Wait()
}

// Wait waits for the process to end by itself and returns its exit code.
func (s *Server) Wait() int {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(time.Minute):
		s.t.Fatalf("the server did not end within a minute:\n%s", s.Log())
	}
	return s.cmd.ProcessState.ExitCode()
}

// Running says whether the process lives.
func (s *Server) Running() bool {
	select {
	case <-s.done:
		return false
	default:
		return true
	}
}
