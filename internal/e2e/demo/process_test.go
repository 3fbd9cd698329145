package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// process is a running `bonghwa demo`.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    io.Writer
	done  chan struct{}
	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed and replaced at each line
}

// bounded ends a test that hangs. The time begins when the binary is there.
func bounded(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	harness.Binary(t)
	return context.WithTimeout(context.Background(), 5*time.Minute)
}

// start runs the binary. It is killed at the end of the test, with what it has started.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, done: make(chan struct{}), more: make(chan struct{})}
	p.cmd = exec.Command(harness.Binary(t), args...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in = in
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = os.Stderr
	// Pdeathsig follows the thread that started the child: it must live as long as the test.
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			<-p.done
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			p.mu.Lock()
			p.lines = append(p.lines, lines.Text())
			close(p.more)
			p.more = make(chan struct{})
			p.mu.Unlock()
		}
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop ends it in order.
func (p *process) stop(ctx context.Context) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.t.Fatal("the process does not end")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("it ends with %d", code)
	}
}

// line waits for the nth line that begins with a word, and returns the word after it.
func (p *process) line(ctx context.Context, word string, n int) string {
	p.t.Helper()
	for {
		p.mu.Lock()
		more, found := p.more, 0
		for _, l := range p.lines {
			f := strings.Fields(l)
			if len(f) < 2 || f[0] != word {
				continue
			}
			if found++; found == n {
				p.mu.Unlock()
				return f[1]
			}
		}
		p.mu.Unlock()
		select {
		case <-more:
		case <-p.done:
			p.t.Fatalf("it ends before it says %q: %q", word, p.lines)
		case <-ctx.Done():
			p.t.Fatalf("it never says %q", word)
		}
	}
}

// people is the process id of the twelve, 0 if there is none now.
func (p *process) people() int {
	entries, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(e)
		if err != nil {
			continue // it has ended meanwhile
		}
		// pid (name) state parent ...; the name may hold anything.
		_, rest, ok := strings.Cut(string(b[strings.LastIndexByte(string(b), ')')+1:]), " ")
		f := strings.Fields(rest)
		if !ok || len(f) < 2 || f[1] != strconv.Itoa(p.cmd.Process.Pid) || f[0] == "Z" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(e)))
		if err == nil && pid > 0 {
			return pid
		}
	}
	return 0
}

// gone waits until a process has ended.
func gone(ctx context.Context, pid int) error {
	for {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if errors.Is(err, os.ErrNotExist) || err == nil && strings.Contains(string(b), ") Z ") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("process %d lives on", pid)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
