package golden

import (
	"bufio"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/bonghwa/bonghwa/internal/chat"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
)

// version whose golden log -update writes: the one that is not released yet.
const version = "v0.4.0"

var update = flag.Bool("update", false, "write the golden log of "+version+" anew; only before it is released")

const declared = `
A log that exists would mean something else after an upgrade, and sites with different versions would differ. If that is
not wanted, the change is a bug. If it is wanted, it is a new behaviour, and is declared:
  1. raise kernel.Behaviour;
  2. keep the old rules for entries stamped with the old number, so that this log goes on as it is;
  3. set version in internal/golden/golden_test.go to the next release and write its log: go test ./internal/golden -update
  4. say so in docs/formats.md and CHANGELOG.md.
Never write the log of a released version anew.`

const cell = 0x0001

// fixture is a golden log: lines of "entry N HEX", "epoch E" where a restore begins a new epoch, and after each of them
// what must hold then: "verdict N I DOMAIN CODE SEQ", "chain N DOMAIN HEX"; at the end "content DOMAIN HASH ROWS".
type fixture []line

type line struct {
	number int
	text   string
	// input is what the replay is given; everything else is what it must say.
	input bool
}

func read(t *testing.T, path string) (f fixture) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		text := lines.Text()
		if text != "" && text[0] != '#' {
			f = append(f, line{n, text, strings.HasPrefix(text, "entry ") || strings.HasPrefix(text, "epoch ")})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return f
}

// replayer applies entries to both views and writes down what becomes of them, in the form of a fixture.
type replayer struct {
	domains []kernel.Domain
	stores  []kernel.Store
	views   []*kernel.Applier
	lines   []string
}

func newReplayer(open func(name string) (kernel.Store, error)) (*replayer, error) {
	r := &replayer{domains: []kernel.Domain{people.New(cell), chat.New(cell)}}
	for _, d := range r.domains {
		s, err := open(d.Name())
		if err != nil {
			return nil, err
		}
		r.stores = append(r.stores, s)
	}
	return r, r.continued()
}

// continued reads the views' positions anew.
func (r *replayer) continued() error {
	r.views = nil
	for i, d := range r.domains {
		a, err := kernel.NewApplier(d, r.stores[i], nil)
		if err != nil {
			return err
		}
		r.views = append(r.views, a)
	}
	return nil
}

func (r *replayer) say(format string, args ...any) {
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

// entry applies entry n and returns what was decided about each command.
func (r *replayer) entry(n uint64, b []byte) ([]kernel.Verdict, error) {
	e, err := kernel.DecodeEntry(b)
	if err != nil {
		return nil, err
	}
	verdicts := make([]kernel.Verdict, len(e.Commands))
	for i, a := range r.views {
		out, err := a.Apply(n, nil, e)
		if err != nil {
			return nil, err
		}
		for k, c := range e.Commands {
			if c.Domain == r.domains[i].ID() && c.Flags&kernel.FlagEphemeral == 0 {
				verdicts[k] = out.Decided[k].Verdict
				r.say("verdict %d %d %s %s %d", n, k, r.domains[i].Name(), verdicts[k].Code, verdicts[k].Seq)
			}
		}
	}
	for i, a := range r.views {
		r.say("chain %d %s %016x", n, r.domains[i].Name(), a.Chain())
	}
	return verdicts, nil
}

// epoch does what a restore does: the views go on in a new epoch.
func (r *replayer) epoch(epoch uint32) error {
	for i, s := range r.stores {
		if err := kernel.BeginEpochIn(s, r.views[i].Position(), epoch); err != nil {
			return err
		}
	}
	return r.continued()
}

func (r *replayer) contents() {
	for i, s := range r.stores {
		snap := s.Snapshot()
		hash, rows := kernel.ContentHash(snap)
		snap.Close()
		r.say("content %s %016x %d", r.domains[i].Name(), hash, rows)
	}
}

// checkRows: what the log has made passes the scan that follows an unclean stop.
func (r *replayer) checkRows(t *testing.T) {
	t.Helper()
	for i, s := range r.stores {
		snap := s.Snapshot()
		snap.Scan([]byte{0}, []byte{0xff, 0xff}, func(k, v []byte) bool {
			if err := kernel.CheckRow(r.domains[i], k, v); err != nil {
				t.Errorf("%s, row %x: %v", r.domains[i].Name(), k, err)
			}
			return true
		})
		snap.Close()
	}
}

var stores = map[string]func(t *testing.T) func(name string) (kernel.Store, error){
	"memory": func(*testing.T) func(string) (kernel.Store, error) {
		return func(string) (kernel.Store, error) { return kernel.NewMemStore(), nil }
	},
	"pebble": func(t *testing.T) func(string) (kernel.Store, error) {
		dir := t.TempDir()
		return func(name string) (kernel.Store, error) {
			s, err := kernel.OpenPebble(filepath.Join(dir, name), kernel.PebbleOptions{})
			if err != nil {
				return nil, err
			}
			t.Cleanup(func() { _ = s.Close() })
			return s, nil
		}
	},
}

// TestReplay replays every golden log on both stores.
func TestReplay(t *testing.T) {
	if *update {
		write(t)
	}
	logs, err := filepath.Glob(filepath.Join("testdata", "golden-*", "log.txt"))
	if err != nil || len(logs) == 0 {
		t.Fatal("no golden log is here", err)
	}
	for _, path := range logs {
		for name, open := range stores {
			t.Run(filepath.Base(filepath.Dir(path))+"/"+name, func(t *testing.T) { replay(t, path, open(t)) })
		}
	}
}

func replay(t *testing.T, path string, open func(string) (kernel.Store, error)) {
	f := read(t, path)
	r, err := newReplayer(open)
	if err != nil {
		t.Fatal(err)
	}
	expect := func(lines fixture) {
		t.Helper()
		for i, l := range lines {
			if i >= len(r.lines) || r.lines[i] != l.text {
				got := "nothing"
				if i < len(r.lines) {
					got = r.lines[i]
				}
				t.Fatalf("%s:%d: the log says %q, this binary says %q\n%s", path, l.number, l.text, got, declared)
			}
		}
		if len(lines) != len(r.lines) {
			t.Fatalf("%s: this binary says more than the log: %q\n%s", path, r.lines[len(lines):], declared)
		}
		r.lines = nil
	}
	for len(f) > 0 {
		in := f[0]
		rest := 1
		for rest < len(f) && !f[rest].input && !strings.HasPrefix(f[rest].text, "content ") {
			rest++
		}
		switch what := strings.Fields(in.text); {
		case what[0] == "content":
			r.contents()
			expect(f)
			r.checkRows(t)
			return
		case !in.input:
			t.Fatalf("%s:%d: %q is out of place", path, in.number, in.text)
		default:
			if err := r.input(what); err != nil {
				t.Fatalf("%s:%d: %v\n%s", path, in.number, err, declared)
			}
		}
		expect(f[1:rest])
		f = f[rest:]
	}
	t.Fatalf("%s ends without its contents", path)
}

// input carries out one "entry" or "epoch" line.
func (r *replayer) input(what []string) error {
	var n uint64
	if _, err := fmt.Sscan(what[1], &n); err != nil {
		return err
	}
	if what[0] == "epoch" {
		return r.epoch(uint32(n))
	}
	b, err := hex.DecodeString(what[2])
	if err != nil {
		return err
	}
	_, err = r.entry(n, b)
	return err
}

// TestSession plays the session behind the newest log again: its steps get the verdicts that they are meant to get, and
// lead to the contents that the log has. So the log can be written for a next release as well.
func TestSession(t *testing.T) {
	s := play(t)
	var want []string
	for _, l := range read(t, filepath.Join("testdata", "golden-"+version, "log.txt")) {
		if strings.HasPrefix(l.text, "content ") {
			want = append(want, l.text)
		}
	}
	if got := s.r.lines[len(s.r.lines)-len(want):]; strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the session leads to\n%s\nthe log to\n%s\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), declared)
	}
}

// TestEveryOperation: the newest log has every operation there is, so that none can change unseen.
func TestEveryOperation(t *testing.T) {
	seen := map[protoreflect.FullName]bool{}
	for _, l := range read(t, filepath.Join("testdata", "golden-"+version, "log.txt")) {
		what := strings.Fields(l.text)
		if what[0] != "entry" {
			continue
		}
		b, err := hex.DecodeString(what[2])
		if err != nil {
			t.Fatal(err)
		}
		e, err := kernel.DecodeEntry(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range e.Commands {
			m := commands[c.Domain].ProtoReflect().New()
			if err := proto.Unmarshal(c.Bytes, m.Interface()); err != nil {
				t.Fatal(err)
			}
			seen[m.WhichOneof(m.Descriptor().Oneofs().ByName("op")).FullName()] = true
		}
	}
	for _, m := range commands {
		ops := m.ProtoReflect().Descriptor().Oneofs().ByName("op").Fields()
		for i := range ops.Len() {
			if name := ops.Get(i).FullName(); !seen[name] {
				t.Errorf("the golden log has no %s; the session must have one in the log of the next release", name)
			}
		}
	}
}

var commands = map[byte]proto.Message{
	kernel.DomainKernel: &logv1.KernelCommand{}, kernel.DomainPeople: &logv1.PeopleCommand{}, kernel.DomainChat: &logv1.ChatCommand{},
}

func write(t *testing.T) {
	t.Helper()
	s := play(t)
	text := "# The golden log of " + version + ": entries as bytes, and what they must do. Never written anew once " + version + " is released.\n" +
		strings.Join(s.r.lines, "\n") + "\n"
	path := filepath.Join("testdata", "golden-"+version, "log.txt")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
