package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// operator calls OperatorService as a person who is logged in.
type operator struct {
	t     *testing.T
	token string
}

// ask calls at one site after the other, as a page does while one of them burns.
func (o operator) ask(ctx context.Context, urls []string, method string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, url := range urls {
		one, cancel := context.WithTimeout(ctx, 5*time.Second)
		err = func() error {
			req, err := http.NewRequestWithContext(one, http.MethodPost, url+"/api/bonghwa.api.v1."+method, bytes.NewReader(b))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Authorization", "Bearer "+o.token)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			defer res.Body.Close()
			all, err := io.ReadAll(res.Body)
			if err == nil && res.StatusCode != http.StatusOK {
				err = fmt.Errorf("%s", all)
			}
			if err == nil {
				err = json.Unmarshal(all, into)
			}
			return err
		}()
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s: %w", method, err)
}

// connected is how many people the sites say are connected, all together.
func (o operator) connected(ctx context.Context, urls []string) (n int) {
	o.t.Helper()
	var got struct{ Sites []struct{ People int } }
	if err := o.ask(ctx, urls, "OperatorService/GetSites", map[string]any{}, &got); err != nil {
		o.t.Fatal(err)
	}
	for _, s := range got.Sites {
		n += s.People
	}
	return n
}

// drillState is what GetDrill answers, as far as it is looked at.
type drillState struct {
	State string
	Site  string
	Moved int
	Acked string
	Drill struct {
		Acked, Lost, Duplicated, Reordered, Unauthorised, Tried string
		Moved                                                   int
		Held                                                    bool
	}
	Why []struct{ Kind, Text string }
}

// An operator lets the site burn that a newcomer is at; both go on; everything that the twelve were told is read back at every
// site, and the drill and the acts are in the lists.
func TestFireByOperator(t *testing.T) {
	ctx, cancel := bounded(t)
	defer cancel()
	net := fmt.Sprintf("127.%d.%d", 1+rand.IntN(254), rand.IntN(256))
	p := start(t, "demo", "--sites", "3", "--net", net, "--data", filepath.Join(t.TempDir(), "data"))
	seoul, daejeon, busan := p.line(ctx, "seoul", 1), p.line(ctx, "daejeon", 1), p.line(ctx, "busan", 1)
	password := strings.TrimSuffix(p.words(ctx, "operator", "password"), ",")
	p.line(ctx, "people", 1)
	c, _ := newcomer(ctx, t, seoul, "dohyun.lee")
	if err := c.WaitConnected(ctx); err != nil {
		t.Fatal(err)
	}

	// The operator is at the site that will burn, too.
	urls := []string{seoul, daejeon, busan}
	token := bytes.Repeat([]byte{7}, 32)
	o := operator{t: t}
	if err := o.ask(ctx, urls, "AccountService/LogIn", map[string]any{"handle": "operator", "password": password, "token": token, "device": token[:16]}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	o.token = ids.Text(token)
	stranger := operator{t, ids.Text(bytes.Repeat([]byte{8}, 32))}
	if err := stranger.ask(ctx, urls[:1], "OperatorService/StartDrill", map[string]any{"site": "seoul", "confirm": "seoul"}, &struct{}{}); err == nil {
		t.Fatal("a stranger lets a site burn")
	}
	var d drillState
	burn := func(confirm string) error {
		return o.ask(ctx, urls[:1], "OperatorService/StartDrill", map[string]any{"site": "seoul", "confirm": confirm}, &struct{}{})
	}
	if err := burn("부산"); err == nil {
		t.Fatal("a site burns by another's name")
	}
	// The sites may need a moment until each has what the others have.
	err := burn("서울")
	for ; err != nil && ctx.Err() == nil; err = burn("서울") {
		time.Sleep(500 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	fewest := 1000 // people who were connected while all was read back; who moves may count twice for a moment
	wait := func(what string, until func() bool) {
		t.Helper()
		for {
			d = drillState{}
			if err := o.ask(ctx, urls, "OperatorService/GetDrill", map[string]any{}, &d); err != nil && ctx.Err() != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if d.State == "DRILL_STATE_FAILED" {
				t.Fatalf("%s: %q", what, d.Why)
			}
			if d.State == "DRILL_STATE_READING" {
				fewest = min(fewest, o.connected(ctx, urls))
			}
			if until() {
				return
			}
			time.Sleep(300 * time.Millisecond)
		}
	}
	wait("people of the site have moved", func() bool { return d.State == "DRILL_STATE_BURNING" && d.Moved > 0 && d.Acked != "" })
	if _, err := c.Send(ctx, mustAccount(t, c), "서울이 탔지만 적어 둬요"); err != nil {
		t.Fatal(err)
	}
	if err := o.ask(ctx, urls[1:], "OperatorService/EndDrill", map[string]any{"site": "seoul"}, &struct{}{}); err != nil {
		t.Fatal(err)
	}
	wait("the drill is done", func() bool { return d.State == "DRILL_STATE_DONE" })
	if !d.Drill.Held || d.Drill.Lost != "" || d.Drill.Duplicated != "" || d.Drill.Reordered != "" || d.Drill.Acked == "" || d.Drill.Moved == 0 ||
		d.Drill.Unauthorised != "" || d.Drill.Tried == "" {
		t.Fatalf("%+v", d)
	}
	if fewest < 1000 && fewest > 13 {
		t.Errorf("%d people were connected, of the twelve and the newcomer", fewest)
	}
	var list struct {
		Drills []struct{ Site, Source string }
	}
	if err := o.ask(ctx, urls[1:], "OperatorService/ListDrills", map[string]any{}, &list); err != nil || len(list.Drills) != 1 || list.Drills[0].Site != "seoul" {
		t.Fatalf("%+v, %v", list, err)
	}
	var acts struct {
		Acts []struct{ Handle, What, On string }
	}
	if err := o.ask(ctx, urls[1:], "OperatorService/ListActs", map[string]any{}, &acts); err != nil {
		t.Fatal(err)
	}
	var what []string
	for _, a := range acts.Acts {
		if a.What != "added" {
			what = append(what, strings.TrimSpace(a.Handle+" "+a.What+" "+a.On))
		}
	}
	if got := strings.Join(what, ", "); got != "operator drill_ended seoul, operator drill_started seoul, granted operator" {
		t.Fatalf("acts: %s", got)
	}
	fmt.Fprintln(p.in, "quit")
	select {
	case <-p.done:
	case <-ctx.Done():
		t.Fatal("it does not end")
	}
}

func mustAccount(t *testing.T, c *client.Client) string {
	t.Helper()
	a, ok := c.Account()
	if !ok {
		t.Fatal("nobody is logged in")
	}
	return a.User
}

// words gives the word after another one, in the line that begins with a third.
func (p *process) words(ctx context.Context, line, after string) string {
	p.t.Helper()
	p.line(ctx, line, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		f := strings.Fields(l)
		if i := slices.Index(f, after); len(f) > 0 && f[0] == line && i >= 0 && i+1 < len(f) {
			return f[i+1]
		}
	}
	p.t.Fatalf("no %q in the line %q: %q", after, line, p.lines)
	return ""
}
