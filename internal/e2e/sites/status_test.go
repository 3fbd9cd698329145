package sites

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// statusPage is what is read of /status.json, as any reader of well-known status pages would.
type statusPage struct {
	Status     struct{ Indicator string }
	Components []struct{ ID, Status string }
	Incidents  []struct {
		ID, Name, Status string
		Sites            []string
		Started          time.Time  `json:"started_at"`
		Resolved         *time.Time `json:"resolved_at"`
		Wait             int64      `json:"longest_wait_ms"`
	}
}

func (p statusPage) component(id string) string {
	for _, c := range p.Components {
		if c.ID == id {
			return c.Status
		}
	}
	return "missing"
}

// incident is how the newest incident about a site stands.
func (p statusPage) incident(site string) string {
	for _, i := range p.Incidents {
		if strings.HasPrefix(i.ID, "site-"+site) {
			return i.Status
		}
	}
	return "none"
}

func readStatus(url string) (p statusPage, err error) {
	c := http.Client{Timeout: 2 * time.Second}
	res, err := c.Get(url + "/status.json")
	if err != nil {
		return p, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return p, fmt.Errorf("%s", res.Status)
	}
	return p, json.NewDecoder(res.Body).Decode(&p)
}

// until asks a site until its page is as wanted.
func until(t *testing.T, url, what string, ok func(statusPage) bool) statusPage {
	t.Helper()
	begun := time.Now()
	var last statusPage
	for {
		p, err := readStatus(url)
		if err == nil {
			last = p
		}
		if err == nil && ok(p) {
			t.Logf("%s: after %.1f s", what, time.Since(begun).Seconds())
			return p
		}
		if time.Since(begun) > patience {
			t.Fatalf("%s does not come true at %s: %v; the last page: %+v", what, url, err, last)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// One site of three is killed: the others' pages say so, the incident is over by itself after the site is back, and the site
// that was away tells it then, too.
func TestStatusPage(t *testing.T) {
	t.Parallel()
	c := harness.NewCluster(t, three)
	c.Start(three...)
	urls := map[string]string{}
	for _, s := range three {
		urls[s] = c.Sites[s].URL
		p := until(t, urls[s], s+" sees all sites", func(p statusPage) bool {
			all := p.Status.Indicator == "none" && len(p.Components) == 7
			for _, c := range p.Components {
				all = all && c.Status == "operational"
			}
			return all
		})
		if len(p.Incidents) != 0 {
			t.Errorf("%s begins with incidents: %+v", s, p.Incidents)
		}
	}
	lost := time.Now()
	c.Sites["busan"].Kill()
	for _, s := range []string{"seoul", "daejeon"} {
		p := until(t, urls[s], s+" tells that busan is lost", func(p statusPage) bool { return p.incident("busan") == "investigating" })
		if p.component("site-busan") != "major_outage" || p.component("send") != "operational" || p.Status.Indicator != "minor" {
			t.Errorf("%s: %+v", s, p)
		}
		if at := p.Incidents[0].Started; at.Before(lost.Add(-2*time.Second)) || at.After(time.Now()) {
			t.Errorf("%s: lost at %v, told as %v", s, lost, at)
		}
	}
	c.Start("busan")
	back := time.Now()
	for _, s := range three { // also the one that was away, and has seen nothing of it itself
		p := until(t, urls[s], s+" tells that it is over", func(p statusPage) bool { return p.incident("busan") == "resolved" && p.Status.Indicator == "none" })
		if len(p.Incidents) != 1 {
			t.Errorf("%s: more than one incident: %+v", s, p.Incidents)
		}
		if i := p.Incidents[0]; i.Resolved == nil || i.Resolved.Before(i.Started) || i.Resolved.After(back.Add(3*time.Second)) || i.Wait <= 0 {
			t.Errorf("%s: %+v", s, i)
		}
	}

	// Two are lost: the third serves nobody, and its page says what it knows, and accuses nobody of more.
	var both sync.WaitGroup
	for _, s := range []string{"busan", "seoul"} {
		both.Go(c.Sites[s].Kill) // at once: one after the other, the first may be told about before the second is gone
	}
	both.Wait()
	p := until(t, urls["daejeon"], "daejeon tells that it is cut off", func(p statusPage) bool { return p.Status.Indicator == "critical" })
	if p.component("send") != "major_outage" || p.component("read") != "major_outage" {
		t.Errorf("%+v", p)
	}
	if res, err := http.Get(urls["daejeon"] + "/status"); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the page of a site that is not ready: %v", err)
	} else {
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !strings.Contains(string(b), "대전에서는 메시지를 주고받을 수 없어요") {
			t.Errorf("it does not say so:\n%s", b)
		}
		leaksNothing(t, c, string(b))
	}
	until(t, urls["daejeon"], "daejeon tells that sends are not confirmed", func(p statusPage) bool {
		for _, i := range p.Incidents {
			if strings.HasPrefix(i.ID, "sends-daejeon") && i.Status == "investigating" {
				return true
			}
		}
		return false
	})

	// What is on disk survives a restart, also one by SIGKILL. It is written apart from everything else, soon after.
	kept := filepath.Join(c.Data("daejeon"), "incidents.jsonl")
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if b, err := os.ReadFile(kept); err == nil && strings.Contains(string(b), `"sends"`) {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the incident is not written down: %v %s", err, b)
		}
	}
	c.Sites["daejeon"].Kill()
	// Alone it cannot become ready; its page says so all the same.
	started := make(chan error, 1)
	go func() {
		_, err := c.TryFor("daejeon", patience)
		if err != nil {
			t.Error(err)
		}
		started <- err
	}()
	until(t, urls["daejeon"], "daejeon tells that it waits for the others", func(p statusPage) bool {
		return p.Status.Indicator == "critical" && p.incident("busan") == "resolved"
	})
	c.Start("seoul", "busan")
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	until(t, urls["daejeon"], "daejeon remembers", func(p statusPage) bool {
		n := 0
		for _, i := range p.Incidents {
			if i.Status == "resolved" {
				n++
			}
		}
		return n >= 2 && p.Status.Indicator == "none"
	})
	for _, s := range three {
		res, err := http.Get(urls[s] + "/status.json")
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		leaksNothing(t, c, string(b))
	}
}

// leaksNothing holds a page against what is only for operators: addresses between nodes, and why something failed.
func leaksNothing(t *testing.T, c *harness.Cluster, page string) {
	t.Helper()
	for _, s := range three {
		n, err := config.Load(c.File(s))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{n.Self().Node, n.Self().Peer, n.Cluster.ID, n.Data} {
			if strings.Contains(page, secret) {
				t.Errorf("the page tells %q", secret)
			}
		}
	}
	for _, word := range []string{"connection refused", "not ready:", "own entry", "epoch"} {
		if strings.Contains(page, word) {
			t.Errorf("the page tells a cause: %q", word)
		}
	}
}

// A server that is alone has a page, too, without sites of its own to name.
func TestStatusPageAlone(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, t.TempDir(), "")
	p := until(t, s.URL, "all is well", func(p statusPage) bool { return p.Status.Indicator == "none" })
	if len(p.Components) != 5 || p.component("site-") != "operational" || p.component("send") != "operational" || len(p.Incidents) != 0 {
		t.Errorf("%+v", p)
	}
}

// A site that waits to be let in has a page, too.
func TestStatusPageWhileWaiting(t *testing.T) {
	t.Parallel()
	c := harness.NewCluster(t, three)
	n, err := config.Load(c.File("busan"))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = c.TryFor("busan", 10*time.Second)
	}()
	p := until(t, n.URL, "busan tells that it waits", func(p statusPage) bool { return p.Status.Indicator == "critical" })
	if p.component("site-busan") != "under_maintenance" || p.component("site-seoul") != "major_outage" || p.component("send") != "major_outage" || len(p.Incidents) != 0 {
		t.Errorf("%+v", p)
	}
	<-ended
}
