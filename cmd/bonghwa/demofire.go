package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
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
	// people takes words for the process of the twelve; nil while there is none that can be measured. talking: they were told to write.
	people  io.Writer
	talking bool
	// asked is when somebody looked last: the twelve write for the drill's sake only while somebody does.
	asked time.Time
	// out is closed when the site that burns is gone.
	out chan struct{}
	// again lets the process of the twelve end, so that it is started anew and everybody goes home.
	again func()
	// lighting are sites that are being started again.
	lighting map[string]bool
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
	// comeBack is how long a site may take until it serves, and then until all are well; readLong how long reading back may take.
	comeBack = 2 * time.Minute
	readLong = 3 * time.Minute
)

func newDemoFire(ctx context.Context, d *demoSites) *demoFire {
	f := &demoFire{d: d, ctx: ctx, f: server.Fire{State: server.FireNone}, lighting: map[string]bool{}}
	go f.mind()
	return f
}

// control is what the nodes may ask.
func (f *demoFire) control() server.Control {
	return server.Control{May: f.may, Burn: f.burn, Light: f.light, Fire: func() server.Fire {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.asked = time.Now()
		now := f.f
		now.Waiting = f.people == nil
		return now
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
		f.fail(server.Matter{Kind: server.MatterPeopleGone})
	}
}

// fail ends a drill that cannot be gone on with. What the twelve had begun to measure is over, too: they come anew. The lock is held.
func (f *demoFire) fail(why ...server.Matter) {
	f.f.State, f.f.Why = server.FireFailed, append(f.f.Why, why...)
	f.renew()
}

// renew lets the process of the twelve end: until those who come again can be measured, no site burns. The lock is held.
func (f *demoFire) renew() {
	if f.again != nil {
		f.again()
	}
	f.people, f.again, f.talking = nil, nil, false
}

// may says why a site cannot be burned now; nil: it can.
func (f *demoFire) may(site string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refuse(site)
}

// refuse is may with the lock held.
func (f *demoFire) refuse(site string) error {
	if _, ok := f.d.find(site); !ok {
		return fmt.Errorf("there is no site %q", site)
	}
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
		if f.lighting[n.Site] {
			return fmt.Errorf("%s is being started again: wait until it is well", n.Site)
		}
	}
	if f.people == nil {
		return errors.New("the twelve people who are measured are not there yet: wait a moment")
	}
	return nil
}

// burn takes the power from a site: it returns when that has begun.
func (f *demoFire) burn(site string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.refuse(site); err != nil {
		return err
	}
	wait := replied
	if !f.talking {
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

// light starts a site again that is out, whether it burns or a drill that failed has left it so: it returns when that has begun.
func (f *demoFire) light(site string) error {
	if _, ok := f.d.find(site); !ok {
		return fmt.Errorf("there is no site %q", site)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	burns := f.f.Site == site && f.f.State == server.FireBurning
	going := f.f.Site == site && f.out != nil && !closed(f.out)
	switch {
	case f.lighting[site]:
		return fmt.Errorf("%s is being started again already", site)
	case !burns && !going && f.d.lit(site):
		return fmt.Errorf("%s is lit already", site)
	}
	if burns {
		f.f.State = server.FireComing
	}
	f.lighting[site] = true
	var out chan struct{}
	if burns || going {
		out = f.out
	}
	go f.bring(site, out, burns)
	return nil
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// bring waits until the site is gone, starts it, and in a drill lets the twelve read back what every site has then.
func (f *demoFire) bring(site string, out chan struct{}, drill bool) {
	if out != nil {
		<-out
	}
	wrong := f.come(site, drill)
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.lighting, site)
	switch {
	case !drill && wrong != nil && f.ctx.Err() == nil:
		fmt.Fprintln(os.Stderr, "bonghwa:", wrong)
		return
	case !drill || f.f.State != server.FireComing:
		return
	case wrong != nil:
		f.fail(*wrong)
		return
	}
	f.f.State, f.f.Checked = server.FireReading, 0
	f.tell("lit")
	this := f.out
	time.AfterFunc(readLong, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.out == this && f.f.State == server.FireReading {
			f.fail(server.Matter{Kind: server.MatterReadLate, N: int64(readLong.Seconds())})
		}
	})
}

// come starts a site and returns when it serves, and in a drill when all are well; or what is in the way.
func (f *demoFire) come(site string, drill bool) *server.Matter {
	ctx, cancel := context.WithTimeout(f.ctx, comeBack)
	defer cancel()
	within := int64(comeBack.Seconds())
	if err := f.d.light(ctx, site); err != nil {
		if ctx.Err() != nil {
			return &server.Matter{Kind: server.MatterNotServing, On: site, N: within}
		}
		return &server.Matter{Kind: server.MatterNotStarted, On: site, Detail: err.Error()}
	}
	for until := time.Now().Add(comeBack); drill && f.ctx.Err() == nil; {
		if s, err := f.d.status(f.ctx); err == nil && s.Steady {
			break
		}
		if time.Now().After(until) {
			return &server.Matter{Kind: server.MatterNotWell, N: within}
		}
		time.Sleep(500 * time.Millisecond)
	}
	return nil
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
	if got.State == server.FireFailed {
		f.fail(got.Why...)
	}
	if got.Drill == nil {
		f.mu.Unlock()
		return
	}
	f.f.Drill, f.f.Why = got.Drill, got.Why
	f.f.Drill.Site = f.f.Site
	drill := *f.f.Drill
	f.mu.Unlock()
	// Recorded first: who reads that it is done finds it in the list.
	err := f.record(drill)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case !f.under(): // it took too long
	case err != nil:
		f.fail(server.Matter{Kind: server.MatterNotRecorded, Detail: err.Error()})
	default:
		f.f.State = server.FireDone
		f.renew()
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

// comes says whether a site comes back in a drill.
func (f *demoFire) comes(site string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.f.Site == site && f.f.State == server.FireComing
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
		if !lit && (now.State == server.FireReading || now.State == server.FireDone) {
			lit = true
			fmt.Fprintf(w, "%s is lit again; what was acknowledged is read back\n", now.Site)
		}
		switch now.State {
		case server.FireDone:
			d := now.Drill
			fmt.Fprintf(w, "drill     %d acknowledged, %d lost, %d doubled, %d out of order, %d unauthorised of %d tries, longest wait %d ms, %d people moved\n",
				d.Acked, d.Lost, d.Duplicated, d.Reordered, d.Unauthorised, d.Tried, now.GapMs, d.Moved)
			if !d.Held {
				fmt.Fprintln(w, "drill     it did not hold:")
			}
			for _, why := range now.Why {
				fmt.Fprintln(w, " ", why)
			}
			return nil
		case server.FireFailed:
			var why []string
			for _, m := range now.Why {
				why = append(why, m.String())
			}
			return fmt.Errorf("the drill failed: %s", strings.Join(why, "; "))
		}
	}
}
