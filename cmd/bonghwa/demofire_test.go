package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/drill"
	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/server"
)

// threeLit are three sites that are said to run, with nobody to be measured.
func threeLit(t *testing.T) *demoFire {
	d := &demoSites{procs: map[string]*exec.Cmd{}, ended: map[string]chan struct{}{}}
	for _, name := range demoNames {
		d.nodes = append(d.nodes, &config.Node{Site: name, Data: t.TempDir()})
		d.procs[name], d.ended[name] = &exec.Cmd{}, make(chan struct{})
	}
	d.fire = newDemoFire(t.Context(), d)
	return d.fire
}

// A site burns only while the twelve are there and measured: not before they came, not while they come again.
func TestBurnNeedsThePeople(t *testing.T) {
	f := threeLit(t)
	if err := f.burn("seoul"); err == nil || !strings.Contains(err.Error(), "twelve") {
		t.Fatalf("nobody is there: %v", err)
	}
	if !f.control().Fire().Waiting {
		t.Fatal("nobody is waited for")
	}
	var said strings.Builder
	ends := 0
	f.here(&said, func() { ends++ })
	if err := f.may("seoul"); err != nil || f.control().Fire().Waiting {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.f = server.Fire{State: server.FireReading, Site: "seoul"}
	f.mu.Unlock()
	if err := f.may("busan"); err == nil {
		t.Fatal("two drills at once")
	}
	line, err := json.Marshal(foundFire(drill.LiveFound{Acked: 9, Why: []server.Matter{{Kind: server.MatterNotRead}}}))
	if err != nil {
		t.Fatal(err)
	}
	f.said(string(line))
	if got := f.control().Fire(); got.State != server.FireFailed || got.Drill != nil || len(got.Why) != 1 {
		t.Fatalf("a reading that failed: %+v", got)
	}
	if err := f.may("seoul"); err == nil || ends != 1 {
		t.Fatalf("%v, %d ends: the twelve of a drill that failed are measured again", err, ends)
	}
}

// What was read back is a finding, whether it held or not.
func TestFoundFire(t *testing.T) {
	got := foundFire(drill.LiveFound{ReadBack: true, Acked: 9, Checked: 8, Lost: 1})
	if got.State == server.FireFailed || got.Drill == nil || got.Drill.Lost != 1 || got.Drill.Held || got.Checked != 8 {
		t.Fatalf("%+v", got)
	}
}

// A site that a drill left out when it failed can be lit, once at a time; one that is lit cannot.
func TestLightAfterFailure(t *testing.T) {
	f := threeLit(t)
	f.here(&strings.Builder{}, func() {})
	f.mu.Lock()
	f.f, f.out = server.Fire{State: server.FireBurning, Site: "seoul"}, make(chan struct{})
	f.mu.Unlock()
	f.here(nil, nil)
	if got := f.control().Fire(); got.State != server.FireFailed {
		t.Fatalf("%+v", got)
	}
	if err := f.light("busan"); err == nil {
		t.Fatal("a site is lit that is lit")
	}
	if err := f.light("seoul"); err != nil { // it is going: lit when it is gone
		t.Fatal(err)
	}
	if err := f.light("seoul"); err == nil {
		t.Fatal("a site is lit twice at once")
	}
	// Its start is refused here, because it never went; then it may be tried again.
	close(f.out)
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		lighting := f.lighting["seoul"]
		f.mu.Unlock()
		if !lighting {
			break
		}
		if time.Now().After(until) {
			t.Fatal("it is being lit for ever")
		}
	}
	close(f.d.ended["busan"])
	if err := f.burn("seoul"); err == nil {
		t.Fatal("a second site burns")
	}
	f.d.files = []string{"", "", "/nowhere"}
	f.d.self = "/nowhere"
	if err := f.light("busan"); err != nil {
		t.Fatalf("a site that ended by itself cannot be lit: %v", err)
	}
}
