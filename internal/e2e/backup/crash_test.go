package backup

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// process runs a command of the program that is going to be killed.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

func begin(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(harness.Binary(t), args...), done: make(chan struct{})}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait()
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// filled is a server with enough in it that copies are not made at once.
func filled(t *testing.T, flags ...string) (s *harness.Server, a, b *person) {
	t.Helper()
	s = harness.Start(t, filepath.Join(t.TempDir(), "data"), "", flags...)
	a, b = newPerson(t, s, "alice"), newPerson(t, s, "bob.1")
	body := strings.Repeat("긴 이야기 ", 1000)
	for i := range 150 {
		a.writes(b.id, fmt.Sprintf("%d %s", i, body))
	}
	a.says(b.id, "끝")
	return s, a, b
}

// TestKilledCheckpoint kills the server while it copies its views. Whatever has a manifest then can be restored; what has
// none is no checkpoint and goes with the next one that is finished; nothing acknowledged is lost.
func TestKilledCheckpoint(t *testing.T) {
	s, a, b := filled(t)
	c := harness.SignUp(t, s)
	data, whole := s.Data, 0
	const rounds = 4
	for round := range rounds {
		before := len(checkpoints(t, data))
		p := begin(t, "backup", "--data", data)
		until(t, "a checkpoint is begun", func() bool { return len(checkpoints(t, data)) > before || p.ended() })
		s.Kill()
		<-p.done
		for _, name := range checkpoints(t, data) {
			dir := filepath.Join(data, "checkpoints", name)
			to := filepath.Join(t.TempDir(), "restored")
			out, code := harness.Run(t, "restore", "--from", dir, "--data", to)
			if exists(filepath.Join(dir, "MANIFEST.json")) {
				if whole++; code != 0 {
					t.Errorf("a checkpoint that says that it is whole is not: %s", out)
				}
			} else if code != 1 || !strings.Contains(out, "no complete checkpoint") || exists(to) {
				t.Errorf("a part of a checkpoint: %d %s", code, out)
			}
		}
		s = harness.Start(t, data, "")
		c.Server = s
		if status, out := c.Send(c, fmt.Sprint(round)); status != 200 {
			t.Fatal(status, out)
		}
	}
	t.Logf("%d rounds left %d whole checkpoints", rounds, whole)
	run(t, "backup", "--data", data)
	for _, name := range checkpoints(t, data) {
		if !exists(filepath.Join(data, "checkpoints", name, "MANIFEST.json")) {
			t.Errorf("%s was never finished and is still there", name)
		}
	}
	if got := c.Texts(c); !slices.Equal(got, []string{"0", "1", "2", "3"}) {
		t.Errorf("%q was acknowledged between the rounds", got)
	}
	v := visitor(t, s, a.handle)
	if n := len(v.texts(v.direct(b))); n != 151 {
		t.Errorf("%d of 151 messages", n)
	}
}

// TestKilledCopy kills the program while it copies a checkpoint elsewhere: the name asked for is not there, or whole.
func TestKilledCopy(t *testing.T) {
	s, _, _ := filled(t)
	root, whole := filepath.Join(t.TempDir(), "copies"), 0
	const rounds = 4
	for round := range rounds {
		to := filepath.Join(root, fmt.Sprint(round), "copy")
		p := begin(t, "backup", "--data", s.Data, "--to", to)
		until(t, "a copy is begun", func() bool {
			found, _ := os.ReadDir(filepath.Dir(to))
			return len(found) > 0 || p.ended()
		})
		p.kill()
		target := filepath.Join(t.TempDir(), "restored")
		out, code := harness.Run(t, "restore", "--from", filepath.Dir(to), "--data", target)
		if exists(to) {
			if whole++; code != 0 {
				t.Errorf("a copy under its name is not whole: %s", out)
			}
		} else if code != 1 || !strings.Contains(out, "no complete checkpoint") || exists(target) {
			t.Errorf("a part of a copy: %d %s", code, out)
		}
	}
	t.Logf("%d rounds left %d whole copies", rounds, whole)
}

// TestKilledRestore kills a restore, of a copy and of an archive: no server runs on what it left, unless it was finished, and
// the next one brings everything.
func TestKilledRestore(t *testing.T) {
	v := newVault(t)
	s, a, b := filled(t, v.flags()...)
	copied := filepath.Join(t.TempDir(), "copy")
	backup(t, s, copied)
	if code := s.Stop(); code != 0 {
		t.Fatalf("stopped with %d", code)
	}
	for of, from := range map[string][]string{"copy": {"--from", copied}, "archive": {"--from", v.to, "--identity", v.key}} {
		whole := 0
		steps := []string{"views", "views/people", "views/chat", "end-sessions"}
		for _, step := range steps {
			to := filepath.Join(t.TempDir(), "restored")
			again := append([]string{"restore", "--data", to}, from...)
			p := begin(t, again...)
			until(t, "a restore is under way", func() bool { return exists(filepath.Join(to, step)) || p.ended() })
			p.kill()
			if exists(filepath.Join(to, "bonghwa.json")) {
				whole++
				hasAll(t, to, b)
				continue
			}
			refused(t, "a restore that was interrupted must be done again", "serve", "--data", to, "--listen", "127.0.0.1:0")
			refused(t, "is not empty", again...)
		}
		t.Logf("%d rounds of a restore of the %s left %d whole data directories", len(steps), of, whole)
	}
	data, _ := v.restore()
	hasAll(t, data, b)
	restored := restore(t, copied, "--keep-sessions")
	a.line.leadTo(restored)
	a.says(b.id, "그 뒤")
}

// hasAll: a server on this directory has all that filled wrote.
func hasAll(t *testing.T, data string, b *person) {
	t.Helper()
	restored := harness.Start(t, data, "")
	v := visitor(t, restored, "alice")
	if n := len(v.texts(v.direct(b))); n != 151 {
		t.Errorf("%d of 151 messages came out of a restore that was finished", n)
	}
	restored.Kill()
}
