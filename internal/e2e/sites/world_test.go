package sites

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

var three = []string{"seoul", "daejeon", "busan"}

const patience = 2 * time.Minute

func ctxOf(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// person signs up at the first of the sites and knows all.
func person(t *testing.T, handle string, urls []string) *client.Client {
	t.Helper()
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
	c, err := client.Open(client.Options{URLs: urls, Store: &client.MemoryStore{}, HTTPClient: hc, NoEvents: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SignUp(ctxOf(t), client.SignUpForm{Handle: handle, Name: handle, Password: harness.Password}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitConnected(ctxOf(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

func user(t *testing.T, c *client.Client) string {
	t.Helper()
	a, ok := c.Account()
	if !ok {
		t.Fatal("nobody is logged in")
	}
	return a.User
}

// talk is people who write to the next one of them without pause, and what was acknowledged.
type talk struct {
	t      *testing.T
	people []*client.Client
	rooms  []string
	mu     sync.Mutex
	acked  []map[uint64]string // by room: seq -> text
	gap    time.Duration       // the longest between two acknowledgements in any room
	count  atomic.Int64
	stop   chan struct{}
	wg     sync.WaitGroup
	// quiet is held, shared, by each who sends.
	quiet sync.RWMutex
}

func startTalk(t *testing.T, people []*client.Client) *talk {
	t.Helper()
	k := &talk{t: t, people: people, stop: make(chan struct{})}
	for i, p := range people {
		to := user(t, people[(i+1)%len(people)])
		room, err := p.DirectRoom(to)
		if err != nil {
			t.Fatal(err)
		}
		k.rooms = append(k.rooms, room)
		k.acked = append(k.acked, map[uint64]string{})
		k.wg.Go(func() { k.write(i, to) })
	}
	t.Cleanup(k.end)
	return k
}

func (k *talk) write(i int, to string) {
	last := time.Now()
	for n := 0; ; n++ {
		select {
		case <-k.stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
		k.quiet.RLock()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		text := fmt.Sprintf("%d번의 %d번째 말", i, n)
		r, err := k.people[i].Send(ctx, to, text)
		cancel()
		k.quiet.RUnlock()
		if err != nil {
			k.t.Errorf("person %d, message %d: %v", i, n, err)
			return
		}
		now := time.Now()
		k.mu.Lock()
		k.acked[i][r.Seq] = text
		k.gap = max(k.gap, now.Sub(last))
		k.mu.Unlock()
		last = now
		k.count.Add(1)
	}
}

// silence lets nobody talk until loud is called, or the test ends.
func (k *talk) silence() (loud func()) {
	k.quiet.Lock()
	loud = sync.OnceFunc(k.quiet.Unlock)
	k.t.Cleanup(loud)
	return loud
}

// more waits until everybody's talk has gone on for a while.
func (k *talk) more(n int64) {
	k.t.Helper()
	until := k.count.Load() + n
	for deadline := time.Now().Add(patience); k.count.Load() < until; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) || k.t.Failed() {
			k.t.Fatal("nobody talks any more")
		}
	}
}

// worst is the longest anybody waited for an acknowledgement since the last call.
func (k *talk) worst() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	g := k.gap
	k.gap = 0
	return g
}

func (k *talk) end() {
	select {
	case <-k.stop:
	default:
		close(k.stop)
	}
	k.wg.Wait()
}

// audit ends the talk and reads every room back at these sites: what was acknowledged is there, once, in its place.
func (k *talk) audit(sites map[string]*harness.Server) {
	k.t.Helper()
	k.end()
	for site, s := range sites {
		for i, p := range k.people {
			a := at(k.t, p, s.URL)
			got := read(k.t, a, k.rooms[i])
			for seq, text := range k.acked[i] {
				if got[seq] != text {
					k.t.Errorf("%s: message %d of person %d is %q, acknowledged was %q", site, seq, i, got[seq], text)
				}
			}
			seen := map[string]uint64{}
			for seq, text := range got {
				if other, twice := seen[text]; twice {
					k.t.Errorf("%s: %q is there twice: %d and %d", site, text, seq, other)
				}
				seen[text] = seq
			}
		}
	}
	k.t.Logf("%d messages acknowledged and found at %d sites", k.count.Load(), len(sites))
}

// at is the same person, asking one site only.
func at(t *testing.T, c *client.Client, url string) *client.Client {
	t.Helper()
	a, _ := c.Account()
	o, err := client.Open(client.Options{URLs: []string{url}, NoEvents: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	if _, err := o.LogIn(ctxOf(t), a.Handle, harness.Password); err != nil {
		t.Fatal(err)
	}
	return o
}

func read(t *testing.T, c *client.Client, room string) map[uint64]string {
	t.Helper()
	out := map[uint64]string{}
	for from := uint64(1); ; {
		p, err := c.History(ctxOf(t), room, from, false, 200)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range p.Messages {
			if m.Seq != from {
				t.Fatalf("seq %d follows %d", m.Seq, from-1)
			}
			from++
			if m.Kind == client.KindText {
				out[m.Seq] = m.Text
			}
		}
		if from > p.LastSeq {
			return out
		}
	}
}

// sameViews holds the views of these sites against those of the first at one position, row by row, and stops them all.
func sameViews(t *testing.T, c *harness.Cluster, sites ...string) {
	t.Helper()
	if out, code := harness.Run(t, "backup", "--data", c.Data(sites[0])); code != 0 {
		t.Fatal(out)
	}
	made, err := filepath.Glob(filepath.Join(c.Data(sites[0]), "checkpoints", "*"))
	if err != nil || len(made) == 0 {
		t.Fatalf("no checkpoint was made: %v", err)
	}
	name := filepath.Base(made[len(made)-1]) // by position
	for _, s := range sites[1:] {
		for _, view := range []string{"people", "chat"} {
			there := filepath.Join(c.Data(s), "checkpoints", name, view)
			for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
				if _, err := os.Stat(there); err == nil {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%s has not made the checkpoint %s:\n%s", s, name, c.Sites[s].Log())
				}
			}
			if out, code := harness.Run(t, "view", "diff", filepath.Join(made[len(made)-1], view), there); code != 0 {
				t.Errorf("%s and %s differ in %s:\n%s", sites[0], s, view, out)
			}
		}
	}
	for _, s := range sites {
		if code := c.Sites[s].Stop(); code != 0 {
			t.Errorf("%s ended with code %d:\n%s", s, code, c.Sites[s].Log())
		}
		if log := c.Sites[s].Log(); strings.Contains(log, "views differ") {
			t.Errorf("%s has seen other chains than its own:\n%s", s, log)
		}
	}
}
