package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/bonghwa/bonghwa/internal/e2e/harness"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

const page = "../../../docs/protocol.md"

// fenced is one example: its language, line and text.
type fenced struct {
	lang string
	line int
	text string
}

func examples(t *testing.T) (list []fenced) {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var open *fenced
	for i, l := range strings.Split(string(b), "\n") {
		switch {
		case open == nil && strings.HasPrefix(l, "```"):
			open = &fenced{lang: strings.TrimPrefix(l, "```"), line: i + 2}
		case open != nil && l == "```":
			list = append(list, *open)
			open = nil
		case open != nil:
			open.text += l + "\n"
		}
	}
	if open != nil {
		t.Fatalf("the example at line %d does not end", open.line)
	}
	return list
}

// TestExamples runs the shell examples as one script and then the live ones with the values that the script has found.
func TestExamples(t *testing.T) {
	dir := t.TempDir()
	s := harness.Start(t, filepath.Join(dir, "data"), "")
	script := "set -euo pipefail\n"
	shells, lives := 0, 0
	for _, e := range examples(t) {
		if e.lang == "sh test" {
			shells++
			script += fmt.Sprintf("where='%s:%d'\n%s", filepath.Base(page), e.line, e.text)
		}
	}
	env := filepath.Join(dir, "env")
	script = "trap 'echo \"failed in the example at $where: $BASH_COMMAND\" >&2' ERR\n" + script +
		"BOB_DEVICE_ID=$(echo \"$BOB_DEVICE\" | id)\nfor v in ALICE BOB ROOM BOB_BEARER BOB_DEVICE_ID; do echo \"$v=${!v}\"; done > '" + env + "'\n"
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Env = append(os.Environ(), "SERVER="+s.URL)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, s.Log())
	}
	b, err := os.ReadFile(env)
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]string{}
	for _, l := range strings.Fields(string(b)) {
		k, v, _ := strings.Cut(l, "=")
		vars[k] = v
	}
	for _, e := range examples(t) {
		if e.lang == "live test" {
			lives++
			play(t, ctx, s, e, vars)
		}
	}
	if shells < 5 || lives < 1 {
		t.Fatalf("only %d shell and %d live examples were found", shells, lives)
	}
}

// play sends the lines that begin with > and waits for frames that contain those that begin with <.
func play(t *testing.T, ctx context.Context, s *harness.Server, e fenced, vars map[string]string) {
	t.Helper()
	c, resp, err := websocket.Dial(ctx, s.URL+"/live", &websocket.DialOptions{Subprotocols: []string{"bonghwa.v1.json"}})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body != nil {
		defer resp.Body.Close()
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(4 << 20)
	for i, l := range strings.Split(strings.TrimSpace(e.text), "\n") {
		text := os.Expand(l[2:], func(k string) string { return vars[k] })
		switch {
		case strings.HasPrefix(l, "> "):
			if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
				t.Fatalf("%s:%d: %v", page, e.line+i, err)
			}
		case strings.HasPrefix(l, "< "):
			var want any
			if err := json.Unmarshal([]byte(text), &want); err != nil {
				t.Fatalf("%s:%d: %v", page, e.line+i, err)
			}
			var seen bytes.Buffer
			for {
				_, b, err := c.Read(ctx)
				if err != nil {
					t.Fatalf("%s:%d: %v; wanted %s, came:\n%s", page, e.line+i, err, text, seen.String())
				}
				fmt.Fprintf(&seen, "%s\n", b)
				var got any
				if err := json.Unmarshal(b, &got); err != nil {
					t.Fatal(err)
				}
				if contains(got, want) {
					break
				}
				// An answer with the same id that says something else will not come again.
				if g, ok := got.(map[string]any); ok && g["ack"] != nil && want.(map[string]any)["id"] == g["id"] {
					t.Fatalf("%s:%d: wanted %s, got %s", page, e.line+i, text, b)
				}
			}
		default:
			t.Fatalf("%s:%d: %q is neither sent nor expected", page, e.line+i, l)
		}
	}
}

// contains says whether everything in want is in got.
func contains(got, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return false
		}
		for k, v := range w {
			if !contains(g[k], v) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !contains(g[i], w[i]) {
				return false
			}
		}
		return true
	}
	return got == want
}

// ruleLine is a rule of the server: reason, consumed, again.
var ruleLine = regexp.MustCompile(`(?m)^\s+apiv1\.Reason_REASON_([A-Z_]+):\s+\{connect\.\w+, (true|false), (true|false),`)

var reasonRow = regexp.MustCompile(`(?m)^\| ([A-Z_]+) \| (yes|no) \| (yes|no) \| \S`)

// TestErrorsAreComplete: the table has every reason of the schema, once, and no other, and says of each what the server says.
func TestErrorsAreComplete(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile("../../gateway/reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	yes := map[string]string{"yes": "true", "no": "false"}
	flags := map[string]string{}
	for _, m := range reasonRow.FindAllStringSubmatch(string(b), -1) {
		flags[m[1]] = yes[m[2]] + " " + yes[m[3]]
	}
	rules := ruleLine.FindAllStringSubmatch(string(src), -1)
	if len(rules) != len(apiv1.Reason_name)-1 {
		t.Fatalf("%d rules were found in the server's source for %d reasons", len(rules), len(apiv1.Reason_name)-1)
	}
	for _, m := range rules {
		if said := flags[m[1]]; said != m[2]+" "+m[3] {
			t.Errorf("%s: the table says consumed, again = %s, the server %s %s", m[1], said, m[2], m[3])
		}
	}
	rows := map[string]int{}
	for _, m := range reasonRow.FindAllStringSubmatch(string(b), -1) {
		rows[m[1]]++
	}
	for n, name := range apiv1.Reason_name {
		short := strings.TrimPrefix(name, "REASON_")
		if n != 0 && rows[short] != 1 {
			t.Errorf("%s is in the table %d times", short, rows[short])
		}
		delete(rows, short)
	}
	for name := range rows {
		t.Errorf("%s is no reason", name)
	}
}
