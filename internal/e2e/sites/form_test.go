package sites

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// Three sites form a cell; people of different sites talk; one site is killed and comes back; then it loses its disks.
func TestThreeSites(t *testing.T) {
	t.Parallel()
	c := harness.NewCluster(t, three)
	c.Start(three...)
	people := []*client.Client{
		person(t, "in.seoul", c.URLs("seoul")), person(t, "in.daejeon", c.URLs("daejeon")), person(t, "in.busan", c.URLs("busan")),
	}
	k := startTalk(t, people)
	k.more(100)

	c.Sites["busan"].Kill()
	// The two others may reach any number before the third has noticed.
	for deadline := time.Now().Add(patience); people[2].State().URL == c.Sites["busan"].URL; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the person of the dead site is still there: %+v", people[2].State())
		}
	}
	k.more(100)
	t.Logf("a site killed: the longest wait for an acknowledgement was %v", k.worst())
	c.Start("busan")
	k.more(100)

	// The same site with an empty directory: refused with the command to use, and let in with it.
	c.Sites["busan"].Kill()
	lost := c.Data("busan") + ".lost"
	if err := os.Rename(c.Data("busan"), lost); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Try("busan"); err == nil || !strings.Contains(err.Error(), "--rebuild") {
		t.Errorf("an empty directory under a known name: %v", err)
	}
	k.more(100)
	if _, err := c.Try("busan", "--rebuild"); err != nil {
		t.Fatal(err)
	}
	k.more(100)
	// The old disks turn up again: their node is no longer one of the cell.
	c.Sites["busan"].Kill()
	fresh := c.Data("busan") + ".fresh"
	if err := os.Rename(c.Data("busan"), fresh); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(lost, c.Data("busan")); err != nil {
		t.Fatal(err)
	}
	if s, err := c.Try("busan"); err == nil {
		t.Error("a node that was replaced is back")
		s.Kill()
	} else if !strings.Contains(err.Error(), "replaced") {
		t.Errorf("a node that was replaced: %v", err)
	}
	if err := os.Rename(c.Data("busan"), lost); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(fresh, c.Data("busan")); err != nil {
		t.Fatal(err)
	}
	c.Start("busan")
	k.more(100)
	k.audit(c.Sites)
	sameViews(t, c, three...)
}

// One machine that has people and messages becomes three sites while they talk.
func TestGrow(t *testing.T) {
	t.Parallel()
	alone := filepath.Join(t.TempDir(), "alone")
	s := harness.Start(t, alone, "")
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	for range 20 {
		if status, out := a.Send(b, "혼자일 때의 말"); status != http.StatusOK {
			t.Fatal(out)
		}
	}
	before := a.Texts(b)

	c := harness.NewCluster(t, three, "--from", alone)
	// A directory that belongs to a cluster is not started without its file.
	if code := s.Stop(); code != 0 {
		t.Fatal(s.Log())
	}
	c.Start("seoul")
	c.Sites["seoul"].Stop()
	if out, code := harness.Run(t, "serve", "--data", alone, "--listen", "127.0.0.1:0"); code == 0 || !strings.Contains(out, "--config") {
		t.Errorf("a directory of a cluster started alone: %s", out)
	}
	c.Start("seoul")
	people := []*client.Client{person(t, "first", c.URLs("seoul")), person(t, "second", c.URLs("seoul")), person(t, "third", c.URLs("seoul"))}
	k := startTalk(t, people)
	k.more(100)
	k.worst()
	c.Start("daejeon")
	k.more(100)
	c.Start("busan")
	k.more(100)
	t.Logf("grown from one to three: the longest wait for an acknowledgement was %v", k.worst())

	a.Server = c.Sites["busan"]
	if after := a.Texts(b); strings.Join(after, "|") != strings.Join(before, "|") {
		t.Errorf("%d messages of before at a new site, there were %d", len(after), len(before))
	}
	// Now any one may go.
	c.Sites["seoul"].Kill()
	k.more(1)
	c.Start("seoul")
	k.audit(c.Sites)
	sameViews(t, c, three...)
}

// Without a certificate of the cluster there is no answer at any port between nodes.
func TestStrangersGetNowhere(t *testing.T) {
	t.Parallel()
	ours, theirs := harness.NewCluster(t, three), harness.NewCluster(t, three)
	ours.Start(three...)
	n, err := config.Load(ours.File("seoul"))
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := config.Load(theirs.File("seoul"))
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(stranger.Cluster.Cert, stranger.Cluster.Key)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*tls.Config{
		"no certificate":    {InsecureSkipVerify: true},
		"another cluster's": {InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}},
	} {
		h := http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
		for _, url := range []string{"https://" + n.Self().Node + "/v1/state", "https://" + n.Self().Peer + "/members", "https://" + n.Self().Peer + "/version"} {
			if res, err := h.Get(url); err == nil {
				t.Errorf("%s, %s: %s", name, url, res.Status)
			}
		}
	}
	// A node whose file speaks of our sites, with its own cluster's certificate.
	stranger.Cluster.Sites = n.Cluster.Sites
	b, err := os.ReadFile(ours.File("daejeon"))
	if err != nil {
		t.Fatal(err)
	}
	ours.Sites["daejeon"].Kill()
	if err := os.WriteFile(theirs.File("daejeon"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := theirs.TryFor("daejeon", 5*time.Second); err == nil || !strings.Contains(s.Log(), "certificate") {
		t.Errorf("a node with a strange certificate: %v", err)
	}
}
