package nemesis

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take before the test says that it hangs. Nothing is measured by it.
const patience = time.Minute

// slot is a node of the cell under test: its directory, and the process that runs on it now.
type slot struct {
	config
	t testing.TB
	p *process
}

type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan answer
	done    chan struct{}
}

// start begins a process; it returns before the node runs.
func (s *slot) start() {
	s.t.Helper()
	s.Start++
	env, err := json.Marshal(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	stderr, err := os.OpenFile(s.file("stderr"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer stderr.Close() // the process has its own
	p := &process{cmd: exec.Command(os.Args[0]), answers: make(chan answer, 1), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), nodeEnv+"="+string(env))
	p.cmd.Stderr = stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		s.t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	started := make(chan error, 1)
	go func() {
		// Pdeathsig follows the thread that started the process: it must live as long as that.
		runtime.LockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			<-p.done
		}
	}()
	if err := <-started; err != nil {
		s.t.Fatal(err)
	}
	go func() {
		lines := json.NewDecoder(bufio.NewReader(out))
		for {
			var a answer
			if lines.Decode(&a) != nil {
				break
			}
			p.answers <- a
		}
		_ = p.cmd.Wait()
		close(p.done)
	}()
	s.p = p
}

// tell writes a request. The node reads it when it runs.
func (s *slot) tell(r request) {
	s.t.Helper()
	b, err := json.Marshal(r)
	if err == nil {
		_, err = s.p.in.Write(append(b, '\n'))
	}
	if err != nil {
		s.t.Fatalf("node %d: %v\n%s", s.Slot, err, s.log())
	}
}

// await takes the answer to what was told last.
func (s *slot) await() answer {
	s.t.Helper()
	select {
	case a := <-s.p.answers:
		if a.Error != "" {
			s.t.Fatalf("node %d: %s\n%s", s.Slot, a.Error, s.log())
		}
		return a
	case <-s.p.done:
		s.t.Fatalf("node %d ended by itself: %v\n%s", s.Slot, s.p.cmd.ProcessState, s.log())
	case <-time.After(patience):
		s.t.Fatalf("node %d does not answer\n%s", s.Slot, s.log())
	}
	return answer{}
}

func (s *slot) ask(r request) answer {
	s.t.Helper()
	s.tell(r)
	return s.await()
}

func (s *slot) signal(sig syscall.Signal) {
	s.t.Helper()
	if err := s.p.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("node %d: %v: %v\n%s", s.Slot, sig, err, s.log())
	}
}

// kill ends the process at once and waits for it.
func (s *slot) kill() {
	s.t.Helper()
	s.signal(syscall.SIGKILL)
	s.gone()
}

// gone waits for the end of the process.
func (s *slot) gone() {
	s.t.Helper()
	select {
	case <-s.p.done:
	case <-time.After(patience):
		s.t.Fatalf("node %d does not end\n%s", s.Slot, s.log())
	}
}

// close makes sure, at the end of a test that may have failed, that nothing runs on.
func (s *slot) close() {
	if s.p == nil {
		return
	}
	_ = s.p.cmd.Process.Kill()
	for {
		select {
		case <-s.p.done:
			return
		case <-s.p.answers:
		}
	}
}

// said is what the slot's processes have said.
func (s *slot) said() string {
	b, err := os.ReadFile(s.file("stderr"))
	if err != nil {
		return fmt.Sprint(err)
	}
	return strings.TrimSpace(string(b))
}

// log is the end of it.
func (s *slot) log() string {
	lines := strings.Split(s.said(), "\n")
	return strings.Join(lines[max(len(lines)-30, 0):], "\n")
}
