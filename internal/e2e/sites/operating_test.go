package sites

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// manual runs the commands of docs/operating.md as they stand there, in a directory of its own.
type manual struct {
	t       *testing.T
	dir     string
	net     string // the first three bytes of this run's loopback addresses
	mina    string // whom the manual calls mina
	servers map[string]*harness.Server
}

// section gives the commands below a heading.
func section(t *testing.T, heading string) (commands []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(b), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/operating.md has no section %q", heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	in := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "```sh":
			in = true
		case line == "```":
			in = false
		case in && line != "":
			commands = append(commands, line)
		}
	}
	if len(commands) == 0 {
		t.Fatalf("section %q has no commands", heading)
	}
	return commands
}

// run runs a command of the manual. Nodes get loopback addresses of this test's own; nothing else is changed.
func (m *manual) run(command string) string {
	m.t.Helper()
	args := strings.Fields(command)
	for i, a := range args {
		switch {
		case i > 0 && args[i-1] == "--sites":
			var list []string
			for k, s := range strings.Split(a, ",") {
				list = append(list, fmt.Sprintf("%s=%s.%d", s, m.net, k+1))
			}
			args[i] = strings.Join(list, ",")
		case a == "mina":
			args[i] = m.mina
		case a == "gwangju" && args[2] == "add":
			args[i] = fmt.Sprintf("gwangju=%s.9", m.net)
		}
	}
	if args[0] == "bonghwa" && args[1] == "serve" {
		m.serve(args[2:])
		return ""
	}
	if args[0] == "bonghwa" {
		args[0] = harness.Binary(m.t)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = m.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

func (m *manual) serve(args []string) {
	m.t.Helper()
	file := filepath.Join(m.dir, args[1])
	n, err := config.Load(file)
	if err != nil {
		m.t.Fatal(err)
	}
	m.stop(file)
	s, err := harness.Serve(m.t, n.Data, append([]string{"--config", file}, args[2:]...)...)
	if err != nil {
		m.t.Fatal(err)
	}
	m.servers[file] = s
}

func (m *manual) stop(file string) {
	if s := m.servers[file]; s != nil && s.Running() {
		if code := s.Stop(); code != 0 {
			m.t.Errorf("%s ended with code %d:\n%s", file, code, s.Log())
		}
	}
}

func (m *manual) file(parts ...string) string {
	return filepath.Join(append([]string{m.dir}, parts...)...)
}

// says waits until status says these words.
func (m *manual) says(file, words string) {
	m.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		out, _ := harness.Run(m.t, "status", "--config", file)
		if strings.Contains(out, words) {
			return
		}
		if time.Now().After(deadline) {
			m.t.Fatalf("status does not say %q:\n%s", words, out)
		}
	}
}

func TestOperating(t *testing.T) {
	t.Parallel()
	m := &manual{t: t, dir: t.TempDir(), net: fmt.Sprintf("127.%d.%d", 1+rand.IntN(254), rand.IntN(256)), servers: map[string]*harness.Server{}}
	seoul := m.file("bonghwa-cluster", "seoul", "node.toml")

	// Three sites: all are started at once, as on three machines.
	commands := section(t, "Three sites from nothing")
	m.run(commands[0])
	type result struct {
		file string
		s    *harness.Server
		err  error
	}
	started := make(chan result)
	for _, c := range commands[1:] {
		file := m.file(strings.Fields(c)[3])
		n, err := config.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			s, err := harness.Serve(t, n.Data, "--config", file)
			started <- result{file, s, err}
		}()
	}
	for range commands[1:] {
		r := <-started
		if r.err != nil {
			t.Fatal(r.err)
		}
		m.servers[r.file] = r.s
	}
	if out := m.run(section(t, "What is the matter?")[0]); !strings.Contains(out, "any one site may be lost") {
		t.Errorf("three sites: %s", out)
	}

	commands = section(t, "A site is gone")
	busan := m.file("bonghwa-cluster", "busan", "node.toml")
	m.servers[busan].Kill()
	m.says(seoul, "one more loss stops sends")
	m.run(commands[0])
	m.says(seoul, "any one site may be lost")
	m.servers[busan].Kill()
	m.run(commands[1])
	m.run(commands[2])
	m.says(seoul, "any one site may be lost")

	commands = section(t, "Restarting, one site after the other")
	m.run(commands[0])
	m.says(seoul, "daejeon has sent its people elsewhere")
	m.run(commands[1])
	m.says(seoul, "any one site may be lost")
	for _, site := range three {
		m.stop(m.file("bonghwa-cluster", site, "node.toml"))
	}

	// One machine becomes three.
	m.net = fmt.Sprintf("127.%d.%d", 1+rand.IntN(254), rand.IntN(256))
	alone := harness.Start(t, m.file("bonghwa-data"), "")
	a, b := harness.SignUp(t, alone), harness.SignUp(t, alone)
	a.Send(b, "그대로 있나요?")
	commands = section(t, "One machine becomes three sites")
	m.run(commands[0])
	alone.Stop()
	for _, c := range commands[1:] {
		m.run(c)
	}
	seoul = m.file("grown", "seoul", "node.toml")
	m.says(seoul, "any one site may be lost")

	commands = section(t, "Another site, and one less")
	for _, c := range commands[:3] {
		m.run(c)
	}
	m.says(seoul, "gwangju")
	m.run(commands[3])
	gwangju := m.file("grown", "gwangju", "node.toml")
	m.stop(gwangju)
	m.run(commands[4])
	m.says(seoul, "any one site may be lost: 3 of 3 work")

	a.Server = m.servers[m.file("grown", "busan", "node.toml")]
	if got := a.Texts(b); len(got) != 1 || got[0] != "그대로 있나요?" {
		t.Errorf("what was said before: %q", got)
	}
	for _, c := range section(t, "A copy by hand") {
		m.run(c)
	}
	// The report of a drill that was run elsewhere.
	report, err := os.ReadFile(filepath.Join("..", "..", "..", "drill", "results", "2026-11-29.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.file("drill.json"), report, 0o600); err != nil {
		t.Fatal(err)
	}
	m.mina, a.Server = a.Handle, m.servers[seoul]
	commands = section(t, "Operators and drills")
	m.run(commands[0])
	if out := m.run(commands[1]); !strings.Contains(out, a.Handle) {
		t.Errorf("the operators: %s", out)
	}
	if code, out := a.Call("OperatorService/ListActs", map[string]any{}); code != 200 {
		t.Errorf("an operator is refused: %v", out)
	}
	m.run(commands[2])
	if code, out := a.Call("OperatorService/ListActs", map[string]any{}); code != 403 {
		t.Errorf("somebody whose role was taken back: %d %v", code, out)
	}
	var played struct{ Scenarios []json.RawMessage }
	if err := json.Unmarshal(report, &played); err != nil || len(played.Scenarios) == 0 {
		t.Fatal(err)
	}
	if out := m.run(commands[3]); strings.Count(out, "recorded") != len(played.Scenarios) {
		t.Errorf("of %d drills: %s", len(played.Scenarios), out)
	}
	if out, _ := harness.Run(t, "status", "--config", seoul, "--json"); !strings.Contains(out, "last_drill_held_ms") {
		t.Errorf("status: %s", out)
	}
	restored := harness.Start(t, m.file("restored"), "")
	if _, out := a.Call("AccountService/GetServer", map[string]any{}); out["cell"] == nil {
		t.Errorf("the cluster after the backup: %v", out)
	}
	restored.Stop()
	// The command of "Is it true?" is run by internal/e2e/drill.
}
