package sites

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
	"github.com/bonghwa/bonghwa/internal/server"
)

// leading says which site leads, as one of them has it.
func leading(t *testing.T, file string) string {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		out, _ := harness.Run(t, "status", "--json", "--config", file)
		var st server.Status
		if json.Unmarshal([]byte(out), &st) != nil {
			continue
		}
		for _, s := range st.Sites {
			if s.Leader {
				return s.Site
			}
		}
	}
	t.Fatal("no site leads")
	return ""
}

// waitFor waits for something, of which ok says what is still wrong.
func waitFor(t *testing.T, what string, ok func() string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		wrong := ok()
		if wrong == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s:\n%s", what, wrong)
		}
	}
}

// get asks an address as a browser does.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(b)
}

// TestRescue: of three sites two burn, one after the other, and are gone for good. The third goes on alone with everything that
// was acknowledged while two were there, though it may not have heard that the last of it was. The others may not come back: while
// the third is away they are a majority of the cell before, and nobody can know; as soon as it is there they serve nobody any
// more, whatever they do. With empty directories they are let in.
func TestRescue(t *testing.T) {
	t.Parallel()
	c := harness.NewCluster(t, three)
	c.Start(three...)
	urls := c.URLs("seoul")
	people := []*client.Client{person(t, "alice", urls), person(t, "bob.1", urls), person(t, "carol", urls)}
	k := startTalk(t, people)
	k.more(30)

	leader := leading(t, c.File("seoul"))
	var follower, left string
	for _, s := range three {
		switch {
		case s == leader:
		case follower == "":
			follower = s
		default:
			left = s
		}
	}
	c.Sites[follower].Kill()
	k.more(60)
	if out, code := harness.Run(t, "cluster", "rescue", "--yes", "--config", c.File(left)); code != 1 || !strings.Contains(out, "another bonghwa process") {
		t.Errorf("a site that runs is no one to rescue: %d %s", code, out)
	}
	c.Sites[leader].Kill()
	c.Sites[left].Kill()
	if out, code := harness.Run(t, "cluster", "rescue", "--config", c.File(left)); code != 1 || !strings.Contains(out, "nothing was changed") {
		t.Errorf("without a word: %d %s", code, out)
	}
	out, code := harness.Run(t, "cluster", "rescue", "--yes", "--keep-sessions", "--config", c.File(left))
	if code != 0 {
		t.Fatalf("rescue ended with %d: %s", code, out)
	}
	t.Log(out)
	c.Start(left)
	k.more(30)

	// The others as they were are of the epoch before.
	loud := k.silence()
	c.Sites[left].Kill()
	c.Start(follower, leader)
	stray := harness.Stranger(t, c.Sites[leader])
	form := map[string]any{"random": harness.B64(harness.Random(16)), "handle": stray.Handle, "displayName": "사람", "password": harness.Password,
		"token": harness.B64(stray.Token), "device": harness.B64(stray.Device), "deviceLabel": "test"}
	waitFor(t, "the sites of before take somebody in", func() string {
		code, out := stray.Call("AccountService/SignUp", form)
		if code != http.StatusOK {
			return fmt.Sprint(code, out)
		}
		return ""
	})
	c.Start(left)
	before := []string{follower, leader}
	for _, s := range before {
		waitFor(t, s+" gives up", func() string {
			out, code := harness.Run(t, "status", "--config", c.File(s))
			if code != 0 || !strings.Contains(out, "the cell goes on in epoch") || !strings.Contains(out, "superseded") {
				return out
			}
			return ""
		})
		waitFor(t, s+" serves nobody and its page says so", func() string {
			ready, _ := get(t, c.Sites[s].URL+"/readyz")
			status, page := get(t, c.Sites[s].URL+"/status?lang=en")
			if ready != http.StatusServiceUnavailable || status != http.StatusOK || !strings.Contains(page, "No longer in use") {
				return fmt.Sprint(ready, status, page)
			}
			return ""
		})
	}
	if code, out := stray.Call("PeopleService/ListFriends", map[string]any{}); code == http.StatusOK {
		t.Errorf("a site of before answers: %v", out)
	}
	for _, s := range before {
		if code := c.Sites[s].Stop(); code != 0 || strings.Count(c.Sites[s].Log(), "the cell goes on in epoch") != 1 {
			t.Errorf("%s ended with code %d:\n%s", s, code, c.Sites[s].Log())
		}
		if s, err := c.TryFor(s, 20*time.Second); err == nil || !strings.Contains(err.Error(), "the cell goes on in epoch") {
			t.Errorf("a site of before came back: %v", err)
			s.Kill()
		}
		if out, code := harness.Run(t, "status", "--config", c.File(s)); code != 0 || !strings.Contains(out, "start it with an empty one") {
			t.Errorf("status of %s: %d %s", s, code, out)
		}
		if err := os.Rename(c.Data(s), c.Data(s)+".old"); err != nil {
			t.Fatal(err)
		}
	}
	loud()
	k.more(30)
	c.Start(follower, leader)
	k.more(30)
	k.audit(c.Sites)
	sameViews(t, c, three...)

	// It was a mistake: a rescue of what was superseded takes it back.
	if err := errors.Join(os.RemoveAll(c.Data(follower)), os.Rename(c.Data(follower)+".old", c.Data(follower))); err != nil {
		t.Fatal(err)
	}
	out, code = harness.Run(t, "cluster", "rescue", "--yes", "--keep-sessions", "--config", c.File(follower))
	if code != 0 || !strings.Contains(out, "takes that back") {
		t.Fatalf("rescue of a superseded site ended with %d: %s", code, out)
	}
	c.Start(follower)
	stray.Server = c.Sites[follower]
	stray.Must("PeopleService/ListFriends", map[string]any{})
	if s, err := c.TryFor(left, 20*time.Second); err == nil || !strings.Contains(err.Error(), "the cell goes on in epoch") {
		t.Errorf("what was a mistake came back: %v", err)
		s.Kill()
	}
}

// block gives the file that stands below a heading of the manual.
func block(t *testing.T, heading, kind string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "\n## "+heading+"\n")
	_, text, found := strings.Cut(text, "\n```"+kind+"\n")
	if !found {
		t.Fatalf("section %q has no %s", heading, kind)
	}
	text, _, _ = strings.Cut(text, "```")
	return text
}

// TestAllSitesLost runs the manual's sections on backup: an archive is kept, every site is lost with its disks, and three empty
// ones get everything back that was acknowledged more than ten seconds before.
func TestAllSitesLost(t *testing.T) {
	t.Parallel()
	m := &manual{t: t, dir: t.TempDir(), net: fmt.Sprintf("127.%d.%d", 1+rand.IntN(254), rand.IntN(256)), servers: map[string]*harness.Server{}}
	m.run(section(t, "Three sites from nothing")[0])
	var files []string
	for _, site := range three {
		files = append(files, m.file("bonghwa-cluster", site, "node.toml"))
	}

	commands := section(t, "Backup")
	recipient := strings.TrimSpace(m.run(commands[0]))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.NewReplacer("/backup/bonghwa", m.file("archive"), "age1...", recipient).Replace(block(t, "Backup", "toml"))
		if err := os.WriteFile(f, append(b, "\n"+text...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m.serveAll(files)
	m.says(files[0], "the newest checkpoint in the archive is of")

	urls := func() (urls []string) {
		for _, f := range files {
			urls = append(urls, m.servers[f].URL)
		}
		return urls
	}
	people := []*client.Client{person(t, "alice", urls()), person(t, "bob.1", urls())}
	k := startTalk(t, people)
	k.more(100)
	// The one that writes the archive dies in the middle of it; another one takes over.
	leader := leading(t, files[0])
	m.servers[m.file("bonghwa-cluster", leader, "node.toml")].Kill()
	k.more(100)
	m.run("bonghwa serve --config bonghwa-cluster/" + leader + "/node.toml")
	k.mu.Lock()
	var before []map[uint64]string
	for _, acked := range k.acked {
		one := map[uint64]string{}
		for seq, text := range acked {
			one[seq] = text
		}
		before = append(before, one)
	}
	k.mu.Unlock()
	time.Sleep(10 * time.Second)
	k.end()
	for _, f := range files {
		m.servers[f].Kill()
	}

	if out := m.run(commands[1]); !strings.Contains(out, "everything is there and as it was") {
		t.Errorf("verify-backup: %s", out)
	}
	old := m.file("bonghwa-cluster", "daejeon", "old")
	data := m.file("bonghwa-cluster", "daejeon", "data")
	if err := os.Rename(data, old); err != nil {
		t.Fatal(err)
	}
	for _, c := range section(t, "All sites are lost") {
		if out := m.run(c); out != "" {
			t.Log(out)
		}
	}
	m.says(files[0], "any one site may be lost")
	for _, f := range files {
		for i, p := range people {
			got := read(t, at(t, p, m.servers[f].URL), k.rooms[i])
			for seq, text := range before[i] {
				if got[seq] != text {
					t.Errorf("%s: message %d of person %d is %q, acknowledged was %q", filepath.Dir(f), seq, i, got[seq], text)
				}
			}
		}
	}
	// The archive goes on in the new epoch.
	m.says(files[0], "the newest checkpoint in the archive is of")
	if r, err := at(t, people[0], m.servers[files[0]].URL).Send(ctxOf(t), user(t, people[1]), "그 뒤"); err != nil {
		t.Fatal(r, err)
	}
	for _, f := range files {
		m.servers[f].Kill()
	}
	for _, c := range section(t, "Two sites are lost") {
		m.run(c)
	}
	m.says(files[0], "any one site may be lost")
	if got := read(t, at(t, people[0], m.servers[files[2]].URL), k.rooms[0]); !slices.Contains(slices.Collect(maps.Values(got)), "그 뒤") {
		t.Error("what was acknowledged last is not there after the rescue")
	}
	for _, f := range files {
		m.stop(f)
	}
	// A directory of before turns up where nobody is there to say so but the archive.
	if err := errors.Join(os.RemoveAll(data), os.Rename(old, data)); err != nil {
		t.Fatal(err)
	}
	if s, err := harness.Serve(t, data, "--config", files[1]); err == nil || !strings.Contains(err.Error(), "says the archive in "+m.file("archive")) {
		t.Errorf("a site of before came back: %v", err)
		s.Kill()
	}
	if out, code := harness.Run(t, "verify-backup", "--config", files[1], "--identity", m.file("backup-key.txt"), "--all"); code != 0 {
		t.Errorf("verify-backup over all three epochs ended with %d: %s", code, out)
	}
}

// serveAll starts sites at the same time, as on machines of their own.
func (m *manual) serveAll(files []string) {
	m.t.Helper()
	type result struct {
		file string
		s    *harness.Server
		err  error
	}
	started := make(chan result)
	for _, file := range files {
		n, err := config.Load(file)
		if err != nil {
			m.t.Fatal(err)
		}
		go func() {
			s, err := harness.Serve(m.t, n.Data, "--config", file)
			started <- result{file, s, err}
		}()
	}
	for range files {
		r := <-started
		if r.err != nil {
			m.t.Fatal(r.err)
		}
		m.servers[r.file] = r.s
	}
}
