package demo

import (
	"context"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/bonghwa/bonghwa/client"
)

const name = "이도현"

// newcomer signs up and gets events.
func newcomer(ctx context.Context, t *testing.T, url, handle string) (*client.Client, <-chan client.Event) {
	t.Helper()
	c, err := client.Open(client.Options{URLs: []string{url}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	events := c.Events()
	if err := c.SignUp(ctx, client.SignUpForm{Handle: handle, Name: name, Password: "a password of tests"}); err != nil {
		t.Fatal(err)
	}
	return c, events
}

// until waits for an event.
func until(ctx context.Context, t *testing.T, events <-chan client.Event, what string, want func(client.Event) bool) {
	t.Helper()
	for {
		select {
		case e := <-events:
			if want(e) {
				return
			}
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		}
	}
}

func TestNewcomerMeetsTwelve(t *testing.T) {
	ctx, cancel := bounded(t)
	defer cancel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, "demo", "--data", data, "--listen", "127.0.0.1:0", "--seed", "3")
	url := p.line(ctx, "address", 1)
	p.line(ctx, "people", 1)

	c, events := newcomer(ctx, t, url, "dohyun.lee")
	var writer string
	until(ctx, t, events, "somebody writes to the newcomer", func(e client.Event) bool {
		m, ok := e.(client.MessageEvent)
		if ok && m.Message.Kind == client.KindText {
			writer = m.Message.Author
		}
		return writer != ""
	})
	friends, err := c.Friends(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wrote := false
	for _, f := range friends {
		if !f.Simulated || f.Photo == "" || f.Status == "" {
			t.Errorf("%s: simulated %v, photo %q, status %q", f.Handle, f.Simulated, f.Photo, f.Status)
		}
		wrote = wrote || f.ID == writer
	}
	if len(friends) != 12 || !wrote {
		t.Errorf("%d friends, the writer is one of them: %v", len(friends), wrote)
	}

	// An answer: read, typed, said.
	room, err := c.DirectRoom(writer)
	if err != nil {
		t.Fatal(err)
	}
	c.View(room)
	sent, err := c.Send(ctx, writer, "지금 몇 시예요?")
	if err != nil {
		t.Fatal(err)
	}
	read, typed, said := false, false, false
	until(ctx, t, events, "the answer", func(e client.Event) bool {
		switch e := e.(type) {
		case client.ReadEvent:
			read = read || e.User == writer && e.Seq >= sent.Seq
		case client.TypingEvent:
			typed = typed || e.User == writer
		case client.MessageEvent:
			m := e.Message
			said = said || m.Room == room && m.Author == writer && m.Kind == client.KindText && m.Seq > sent.Seq
		}
		return read && typed && said
	})

	// The people fall over: the server does not mind, and they come again.
	first := p.people()
	if first == 0 {
		t.Fatal("the twelve have no process of their own")
	}
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(ctx, writer, "아직 계세요?"); err != nil {
		t.Fatal(err)
	}
	p.line(ctx, "people", 2)
	second := p.people()
	if second == 0 || second == first {
		t.Fatalf("process %d after %d", second, first)
	}
	if sent, err = c.Send(ctx, writer, "고마워요, 다시 오셨네요"); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, events, "an answer or a reaction after the restart", func(e client.Event) bool {
		m, ok := e.(client.MessageEvent)
		return ok && m.Message.Room == room && m.Message.Author == writer && m.Message.Seq > sent.Seq
	})

	// The server falls over: nobody stays behind.
	p.kill()
	if err := gone(ctx, second); err != nil {
		t.Error(err)
	}

	// The same data again: the same people, and an end in order.
	again := start(t, "demo", "--data", data, "--listen", "127.0.0.1:0", "--seed", "4")
	url = again.line(ctx, "address", 1)
	again.line(ctx, "people", 1)
	third := again.people()
	other, _ := newcomer(ctx, t, url, "harin.kim")
	if list, err := other.Friends(ctx); err != nil || len(list) > 12 {
		t.Errorf("%d friends, %v", len(list), err)
	}
	if third == 0 {
		t.Error("the twelve have no process of their own")
	}
	again.stop(ctx)
	if err := gone(ctx, third); err != nil {
		t.Error(err)
	}
}
