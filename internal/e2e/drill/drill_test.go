package drill

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/drill"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// fire runs the command and reads its report. Whether gaps kept to their bounds is reported, not asserted: that is a matter of
// the machine.
func fire(t *testing.T, scenarios string, args ...string) drill.Report {
	t.Helper()
	dir := t.TempDir()
	file, page := filepath.Join(dir, "report.json"), filepath.Join(dir, "report.html")
	out, code := harness.Run(t, append([]string{"drill", "--scenario", scenarios, "--dir", dir, "--json", file, "--html", page}, args...)...)
	t.Log(out)
	if code != 0 {
		t.Fatalf("the drill ended with code %d", code)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r drill.Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if r.RoomOffered < 20 || r.Capacity == 0 {
		t.Errorf("each room was offered %.0f sends a second, of %.0f that these sites carry", r.RoomOffered, r.Capacity)
	}
	if !r.Held || len(r.Scenarios) == 0 {
		t.Errorf("held %v, %d scenarios", r.Held, len(r.Scenarios))
	}
	for _, s := range r.Scenarios {
		if s.Acked < 100 || s.Delivered < 100 || len(s.Audited) != 3 || s.Tried == 0 || len(s.Timeline) < 20 || len(s.Faults) == 0 {
			t.Errorf("%s: %d acknowledged, %d delivered, %d sites audited, %d tries, %d slices, %d faults: this proves nothing",
				s.Name, s.Acked, s.Delivered, len(s.Audited), s.Tried, len(s.Timeline), len(s.Faults))
		}
		for _, a := range s.Audited {
			if a.Messages < s.Acked || a.Hash != s.Audited[0].Hash {
				t.Errorf("%s, %s: %d messages of %d acknowledged, hash %s", s.Name, a.Site, a.Messages, s.Acked, a.Hash)
			}
		}
	}
	if st, err := os.Stat(page); err != nil || st.Size() < 10_000 {
		t.Errorf("the page: %v, %v", st, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "bonghwa-drill-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("the drill left %v", left)
	}
	return r
}

func TestPowerLoss(t *testing.T) {
	// As docs/operating.md says it.
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "bonghwa drill --scenario power-loss --people 6 --duration 3s --json drill.json --html drill.html") {
		t.Error("docs/operating.md shows another drill than this test runs")
	}
	r := fire(t, "power-loss", "--people", "6", "--duration", "3s")
	if len(r.Scenarios) != 3 {
		t.Fatalf("%d fires for three sites", len(r.Scenarios))
	}
	for i, s := range r.Scenarios {
		if s.Name != "power-loss-"+drill.Sites[i] || len(s.BackMs) != 1 || s.MovedWorstSendGapMs == 0 {
			t.Errorf("%+v", s.Name)
		}
		// Everything could be done at both of the others while this one burnt.
		done := map[string]int{}
		for _, c := range s.Checks {
			done[c.What]++
			if c.Site == drill.Sites[i] || c.Why != "" {
				t.Errorf("%s: %+v", s.Name, c)
			}
		}
		for _, what := range []string{"log in", "send", "read history", "profile photo", "page and its files", "/status.json", "bonghwa status", "bonghwa backup",
			"bonghwa backup --to", "bonghwa people invite", "bonghwa people reset-password"} {
			if done[what] != 2 {
				t.Errorf("%s: %q was done at %d sites", s.Name, what, done[what])
			}
		}
	}
}

// A few of the others, so that the list stays short; make soak has all. The seed is a fixed one: what fails can be run again.
func TestSomeOthers(t *testing.T) {
	r := fire(t, "wiped,random", "--people", "6", "--duration", "2s", "--seed", "7", "--rounds", "1")
	if len(r.Scenarios) != 2 || r.Rounds != 1 || len(r.Scenarios[1].Schedule) == 0 {
		t.Errorf("%d scenarios, %d rounds, which drew %v", len(r.Scenarios), r.Rounds, r.Scenarios[1].Schedule)
	}
}

// All of them, as long as the default says.
func TestSoakAll(t *testing.T) {
	if os.Getenv("BONGHWA_SOAK") == "" {
		t.Skip("set BONGHWA_SOAK")
	}
	fire(t, "all", "--people", "24", "--duration", "10s")
}

func TestUnknownScenario(t *testing.T) {
	out, code := harness.Run(t, "drill", "--scenario", "flood")
	if code == 0 || !strings.Contains(out, "power-loss") {
		t.Errorf("code %d: %s", code, out)
	}
}
