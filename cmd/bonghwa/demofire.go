package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/bonghwa/bonghwa/internal/server"
)

// demoFire is the drill of `demo --sites 3`: it takes a site's power, and has what the twelve were told read back. One at a time.
type demoFire struct {
	d   *demoSites
	ctx context.Context

	mu sync.Mutex
	f  server.Fire
	// people takes words for the process of the twelve; nil while there is none. talking: they were told to write.
	people  io.Writer
	talking bool
	// asked is when somebody looked last: the twelve write for the drill's sake only while somebody does.
	asked time.Time
	// out is closed when the site that burns is gone.
	out chan struct{}
	// again lets the process of the twelve end, so that it is started anew and everybody goes home.
	again func()
}

const (
	// silent is for how long a site that burns says nothing before it is gone: packets that nobody answers are what a loss of power
	// looks like, and a process that is killed at once says goodbye.
	silent = 3 * time.Second
	// replied is what a node has to pass on the answer by which it burns itself.
	replied = 200 * time.Millisecond
	// warm is how long the twelve write before the fire, at the least.
	warm = 2 * time.Second
	// watched is for how long somebody who looked is taken to look still.
	watched = 10 * time.Second
)

func newDemoFire(ctx context.Context, d *demoSites) *demoFire {
	f := &demoFire{d: d, ctx: ctx, f: server.Fire{State: server.FireNone}}
	go f.mind()
	return f
}

// control is what the nodes may ask.
func (f *demoFire) control() server.Control {
	return server.Control{Burn: f.burn, Light: f.light, Fire: func() server.Fire {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.asked = time.Now()
		return f.f
	}}
}

// under says whether a drill is under way. The lock is held.
func (f *demoFire) under() bool {
	switch f.f.State {
	case server.FireBurning, server.FireComing, server.FireReading:
		return true
	}
	return false
}

// mind lets the twelve write while somebody looks.
func (f *demoFire) mind() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-tick.C:
		}
		f.mu.Lock()
		if want := f.under() || time.Since(f.asked) < watched; want != f.talking && f.people != nil {
			f.talking = want
			f.tell(map[bool]string{true: "talk", false: "rest"}[want])
		}
		f.mu.Unlock()
	}
}

// tell says a word to the twelve. The lock is held.
func (f *demoFire) tell(word string) {
	if f.people != nil {
		fmt.Fprintln(f.people, word)
	}
}

// here says that the twelve are there, or with nil that they have gone. again ends them.
func (f *demoFire) here(people io.Writer, again func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.people, f.talking, f.again = people, false, again
	if people == nil && f.under() {
		f.fail("the twelve people ended during the drill")
	}
}

// fail ends a drill that cannot be gone on with. The lock is held.
func (f *demoFire) fail(why string) {
	f.f.State, f.f.Why = server.FireFailed, append(f.f.Why, why)
}

// burn takes the power from a site: it returns when that has begun.
func (f *demoFire) burn(site string) error {
	if _, ok := f.d.find(site); !ok {
		return fmt.Errorf("there is no site %q", site)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.under():
		return fmt.Errorf("a drill is under way at %s: one at a time", f.f.Site)
	case !f.d.lit(site):
		return fmt.Errorf("%s is out already", site)
	}
	for _, n := range f.d.nodes {
		if !f.d.lit(n.Site) {
			return fmt.Errorf("%s is out: light it first", n.Site)
		}
	}
	wait := replied
	if !f.talking && f.people != nil {
		f.talking, wait = true, warm
		f.tell("talk")
	}
	f.f = server.Fire{State: server.FireBurning, Site: site, StartedMs: uint64(time.Now().Add(wait).UnixMilli())}
	f.out = make(chan struct{})
	go f.take(site, wait, f.out)
	return nil
}

// take makes the site silent, and then gone.
func (f *demoFire) take(site string, wait time.Duration, out chan struct{}) {
	defer close(out)
	time.Sleep(wait)
	f.mu.Lock()
	f.f.StartedMs = uint64(time.Now().UnixMilli())
	f.tell("fire " + site)
	f.mu.Unlock()
	if err := f.d.signal(site, syscall.SIGSTOP); err != nil {
		return // it is gone already
	}
	select {
	case <-f.ctx.Done():
	case <-time.After(silent):
	}
	_ = f.d.burn(site)
}

// light starts the site again: it returns when that has begun.
func (f *demoFire) light(site string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.f.State != server.FireBurning:
		return errors.New("no site burns")
	case f.f.Site != site:
		return fmt.Errorf("it is %s that burns", f.f.Site)
	}
	f.f.State = server.FireComing
	go f.bring(site, f.out)
	return nil
}

// bring waits until the site serves and every site has everything, and lets the twelve read back.
func (f *demoFire) bring(site string, out chan struct{}) {
	<-out
	if err := f.d.light(f.ctx, site); err != nil {
		f.mu.Lock()
		f.fail(err.Error())
		f.mu.Unlock()
		return
	}
	for until := time.Now().Add(2 * time.Minute); f.ctx.Err() == nil; {
		if s, err := f.d.status(f.ctx); err == nil && s.Steady {
			break
		}
		if time.Now().After(until) {
			f.mu.Lock()
			f.fail("the sites did not become well again within two minutes")
			f.mu.Unlock()
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f.State != server.FireComing {
		return
	}
	if f.people == nil {
		f.fail("nobody was there to be measured")
		return
	}
	f.f.State, f.f.Checked = server.FireReading, 0
	f.tell("lit")
}

// drillLine begins a line of the process of the twelve that is a server.Fire with what changed.
const drillLine = "drill "

// said takes such a line.
func (f *demoFire) said(line string) {
	var got server.Fire
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		return
	}
	f.mu.Lock()
	if !f.under() {
		f.mu.Unlock()
		return
	}
	f.f.Acked, f.f.Checked, f.f.Moved, f.f.GapMs = got.Acked, got.Checked, got.Moved, got.GapMs
	if got.Drill == nil {
		f.mu.Unlock()
		return
	}
	again := f.again
	f.f.Drill, f.f.Why = got.Drill, got.Why
	f.f.Drill.Site = f.f.Site
	drill := *f.f.Drill
	f.mu.Unlock()
	// Recorded first: who reads that it is done finds it in the list.
	err := f.record(drill)
	f.mu.Lock()
	f.f.State = server.FireDone
	if err != nil {
		f.fail("the drill could not be recorded: " + err.Error())
	}
	f.mu.Unlock()
	if again != nil {
		again()
	}
}

// record asks one site after the other to write the drill down.
func (f *demoFire) record(d server.DrillFound) (err error) {
	ctx, cancel := context.WithTimeout(f.ctx, 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		for _, n := range f.d.nodes {
			if err = server.Admin(n.Data).RecordDrill(ctx, d, false); err == nil {
				return nil
			}
		}
		time.Sleep(500 * time.Millisecond)
	}
	return err
}

// burns names the site whose process is not to be asked.
func (f *demoFire) burns() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.f.State == server.FireBurning {
		return f.f.Site
	}
	return ""
}

// wait says how the site comes back, and what was found.
func (f *demoFire) wait(ctx context.Context, w io.Writer) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	lit := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		f.mu.Lock()
		now := f.f
		f.mu.Unlock()
		if !lit && now.State != server.FireComing {
			lit = true
			fmt.Fprintf(w, "%s is lit again; what was acknowledged is read back\n", now.Site)
		}
		switch now.State {
		case server.FireDone:
			d := now.Drill
			fmt.Fprintf(w, "drill     %d acknowledged, %d lost, %d doubled, %d out of order, longest wait %d ms, %d people moved\n",
				d.Acked, d.Lost, d.Duplicated, d.Reordered, now.GapMs, d.Moved)
			for _, why := range now.Why {
				fmt.Fprintln(w, " ", why)
			}
			return nil
		case server.FireFailed:
			return fmt.Errorf("the drill failed: %s", strings.Join(now.Why, "; "))
		}
	}
}
