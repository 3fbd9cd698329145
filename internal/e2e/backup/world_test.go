package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// limit is for everything that waits for something to happen; reaching it is a failure.
const limit = time.Minute

func ctxOf(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	return ctx
}

// until polls for something that another process does.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// run runs a command of the program that must work.
func run(t *testing.T, args ...string) string {
	t.Helper()
	out, code := harness.Run(t, args...)
	if code != 0 {
		t.Fatalf("%q ended with %d: %s", args, code, out)
	}
	return out
}

// refused runs one that must not, and say why in one sentence.
func refused(t *testing.T, want string, args ...string) {
	t.Helper()
	out, code := harness.Run(t, args...)
	out = strings.TrimSpace(out)
	if code != 1 || !strings.HasPrefix(out, "bonghwa: ") || !strings.Contains(out, want) || strings.Contains(out, "\n") {
		t.Fatalf("%q ended with %d: %s\nwanted: 1, and one sentence with %q", args, code, out, want)
	}
}

// backup takes a copy of the running server into a new directory.
func backup(t *testing.T, s *harness.Server, to string) kernel.Manifest {
	t.Helper()
	run(t, "backup", "--data", s.Data, "--to", to)
	return manifest(t, to)
}

func manifest(t *testing.T, dir string) (m kernel.Manifest) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "MANIFEST.json"))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// restore makes a new data directory of a backup and starts a server on it.
func restore(t *testing.T, from string, flags ...string) *harness.Server {
	t.Helper()
	data := filepath.Join(t.TempDir(), "restored")
	run(t, append([]string{"restore", "--from", from, "--data", data}, flags...)...)
	return harness.Start(t, data, "")
}

// person is a public client behind a line of its own, with what it was told.
type person struct {
	t      *testing.T
	c      *client.Client
	line   *line
	store  *client.MemoryStore
	handle string
	id     string
	device string

	mu     sync.Mutex
	events []client.Event
}

func newPerson(t *testing.T, s *harness.Server, handle string) *person {
	t.Helper()
	p := &person{t: t, line: newLine(t, s), store: &client.MemoryStore{}, handle: handle}
	c, err := client.Open(client.Options{URLs: []string{p.line.url}, Store: p.store, DeviceLabel: "시험", OnEvent: p.event})
	if err != nil {
		t.Fatal(err)
	}
	p.c = c
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SignUp(ctxOf(t), client.SignUpForm{Handle: handle, Name: handle, Password: harness.Password}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitConnected(ctxOf(t)); err != nil {
		t.Fatal(err)
	}
	a, _ := c.Account()
	p.id, p.device = a.User, a.Device
	return p
}

// visitor is an account on a device that has seen nothing.
func visitor(t *testing.T, s *harness.Server, handle string) *person {
	t.Helper()
	p := &person{t: t, handle: handle}
	c, err := client.Open(client.Options{URLs: []string{s.URL}, OnEvent: p.event})
	if err != nil {
		t.Fatal(err)
	}
	p.c = c
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.LogIn(ctxOf(t), handle, harness.Password); err != nil {
		t.Fatal(err)
	}
	a, _ := c.Account()
	p.id, p.device = a.User, a.Device
	return p
}

func (p *person) event(e client.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
}

// told says whether the person was told something, and what came first of it.
func told[E client.Event](p *person, ok func(E) bool) (found E, yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if e, is := e.(E); is && ok(e) {
			return e, true
		}
	}
	return found, false
}

func await[E client.Event](p *person, what string, ok func(E) bool) (found E) {
	p.t.Helper()
	until(p.t, p.handle+" was told of "+what, func() (yes bool) {
		found, yes = told(p, ok)
		return yes
	})
	return found
}

func always[E client.Event](E) bool { return true }

// hears waits for a text.
func (p *person) hears(text string) client.Message {
	p.t.Helper()
	return await(p, fmt.Sprintf("%q", text), func(e client.MessageEvent) bool { return e.Message.Text == text }).Message
}

// says sends a text and waits for the acknowledgement.
func (p *person) says(to, text string) client.Receipt {
	p.t.Helper()
	r, err := p.c.Send(ctxOf(p.t), to, text)
	if err != nil {
		p.t.Fatalf("%s says %q: %v", p.handle, text, err)
	}
	return r
}

// writes puts a text into the outbox.
func (p *person) writes(to, text string) *client.Pending {
	p.t.Helper()
	pending, err := p.c.SendAsync(to, text, client.SendOptions{})
	if err != nil {
		p.t.Fatalf("%s writes %q: %v", p.handle, text, err)
	}
	return pending
}

// settled waits for what became of something in the outbox.
func (p *person) settled(pending *client.Pending) client.Receipt {
	p.t.Helper()
	r, err := pending.Wait(ctxOf(p.t))
	if err != nil {
		p.t.Fatalf("%s: item %d: %v", p.handle, pending.ID, err)
	}
	return r
}

func (p *person) group(title string, members ...*person) string {
	p.t.Helper()
	var ids []string
	for _, m := range members {
		ids = append(ids, m.id)
	}
	r, err := p.c.CreateRoom(ctxOf(p.t), title, ids)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.Room
}

func (p *person) direct(other *person) string {
	p.t.Helper()
	room, err := p.c.DirectRoom(other.id)
	if err != nil {
		p.t.Fatal(err)
	}
	return room
}

// rows reads a whole room and checks its sequence.
func (p *person) rows(room string) (rows []client.Message) {
	p.t.Helper()
	for next := uint64(1); ; {
		page, err := p.c.History(ctxOf(p.t), room, next, false, 200)
		if err != nil {
			p.t.Fatalf("%s reads %s: %v", p.handle, room, err)
		}
		if len(page.Messages) == 0 {
			return rows
		}
		for _, m := range page.Messages {
			if m.Seq != next {
				p.t.Fatalf("%s: seq %d where %d was expected", room, m.Seq, next)
			}
			next++
			rows = append(rows, m)
		}
	}
}

// texts are those of a whole room, in order.
func (p *person) texts(room string) (texts []string) {
	p.t.Helper()
	for _, m := range p.rows(room) {
		if m.Kind == client.KindText {
			texts = append(texts, m.Text)
		}
	}
	return texts
}

func (p *person) wantTexts(room string, want ...string) {
	p.t.Helper()
	if got := p.texts(room); !slices.Equal(got, want) {
		p.t.Errorf("%s reads %q, want %q", p.handle, got, want)
	}
}

// ended waits until the session of the person is over.
func (p *person) ended() error {
	p.t.Helper()
	err := p.c.WaitConnected(ctxOf(p.t))
	for err == nil {
		st := await(p, "the end of the session", func(e client.StateEvent) bool { return e.State.Ended != nil })
		err = st.State.Ended
	}
	if errors.Is(err, context.DeadlineExceeded) {
		p.t.Fatalf("%s: the session does not end", p.handle)
	}
	return err
}
