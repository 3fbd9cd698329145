package demo

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/bonghwa/bonghwa/client"
)

// On three sites: the twelve are there, a newcomer talks to one of them, the newcomer's site burns, and the talk goes on.
func TestThreeSites(t *testing.T) {
	ctx, cancel := bounded(t)
	defer cancel()
	net := fmt.Sprintf("127.%d.%d", 1+rand.IntN(254), rand.IntN(256))
	p := start(t, "demo", "--sites", "3", "--net", net, "--data", filepath.Join(t.TempDir(), "data"))
	seoul := p.line(ctx, "seoul", 1)
	p.line(ctx, "people", 1)
	c, events := newcomer(ctx, t, seoul, "dohyun.lee")
	var writer string
	until(ctx, t, events, "somebody writes to the newcomer", func(e client.Event) bool {
		if m, ok := e.(client.MessageEvent); ok && m.Message.Kind == client.KindText {
			writer = m.Message.Author
		}
		return writer != ""
	})
	if err := c.WaitConnected(ctx); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(p.in, "burn seoul")
	if said := p.line(ctx, "seoul", 2); said != "is" {
		t.Errorf("seoul %s", said)
	}
	if _, err := c.Send(ctx, writer, "서울이 꺼졌는데 들려요?"); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, events, "an answer at another site", func(e client.Event) bool {
		m, ok := e.(client.MessageEvent)
		return ok && m.Message.Kind == client.KindText && m.Message.Author == writer
	})
	if at := c.State().URL; at == seoul {
		t.Errorf("the newcomer is still at %s", at)
	}
	fmt.Fprintln(p.in, "light seoul")
	p.line(ctx, "seoul", 3)
	fmt.Fprintln(p.in, "quit")
	select {
	case <-p.done:
	case <-ctx.Done():
		t.Fatal("it does not end")
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ends with %d", code)
	}
}
