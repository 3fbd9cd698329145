package drill

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// scenario is one that can be asked for by name.
type scenario struct {
	name string
	// each: once for every site in turn.
	each bool
	// bound of the gaps; 0 = none.
	bound time.Duration
	help  string
	run   func(ctx context.Context, s *stage, site string) error
}

// scenarios are all scenarios, in the order in which `all` plays them.
var scenarios = []scenario{
	{"power-loss", true, 2 * time.Second, "every packet of the site is dropped, then its process is killed; later it comes back with its disks", powerLoss},
	{"wiped", false, 2 * time.Second, "the same, and the disks are gone: the site is rebuilt from another", wiped},
	{"cut-off", true, 3 * time.Second, "a site hears the other sites no more, nor they it; its people still reach it", cutOff},
	{"one-way", false, 3 * time.Second, "a site is heard by the others and does not hear them, and the other way round", oneWay},
	{"frozen", false, 3 * time.Second, "a site's process stands still for 10 s", frozen},
	{"bad-network", false, 0, "50 ms and 5% repeated packets between the sites", badNetwork},
	{"rolling-restart", false, 2 * time.Second, "every site is drained and started anew, one after the other", rolling},
	{"all-killed", false, 0, "all sites are killed at once and started again", allKilled},
}

// stage is one scenario under way.
type stage struct {
	l      *lab
	c      *crowd
	w      *warden
	cases  cases
	length time.Duration
	tell   func(string, ...any)
	began  time.Time
	out    *Scenario
	moved  map[*person]bool
}

// warm is how long people talk before the measured time begins, calm how long before the first fault.
const (
	warm = 2 * time.Second
	calm = 2 * time.Second
	// beforeKill: power loss first silences a site, then kills it; a kill alone would be kind and send resets.
	beforeKill = 300 * time.Millisecond
	frozenFor  = 10 * time.Second
)

// play runs one scenario: people talk, something happens, it is measured and audited.
func play(ctx context.Context, k scenario, site string, l *lab, c *crowd, length time.Duration, tell func(string, ...any)) (out Scenario, err error) {
	name := k.name
	if site != "" {
		name += "-" + site
	}
	out = Scenario{Name: name, BoundMs: millis(k.bound)}
	s := &stage{l: l, c: c, length: length, tell: tell, out: &out, moved: map[*person]bool{}}
	if err := l.steady(ctx); err != nil {
		return out, err
	}
	if err := c.goHome(ctx); err != nil {
		return out, err
	}
	var urls []string
	for _, site := range l.sites {
		urls = append(urls, l.urls[site])
	}
	s.w = newWarden(urls, transport(l.relay, 8))
	if s.cases, err = s.w.prepare(ctx); err != nil {
		return out, fmt.Errorf("nothing could be forbidden: %w", err)
	}
	c.speak()
	time.Sleep(warm)
	c.window()
	s.began = time.Now()
	c.meter.begin(s.began)
	time.Sleep(calm)
	fault := k.run(ctx, s, site)
	out.Seconds = time.Since(s.began).Seconds()
	if n := c.hush(30 * time.Second); n > 0 {
		out.Why = append(out.Why, fmt.Sprintf("%d sends were not answered within 30 s of the end", n))
	}
	out.Timeline, out.Acked, out.Delivered = c.meter.end()
	breaches, asked := s.w.end()
	out.Unauthorised, out.Tried = len(breaches), asked
	out.Why = append(out.Why, c.faults()...)
	out.Why = append(out.Why, breaches[:min(len(breaches), 10)]...)
	if fault != nil {
		out.Why = append(out.Why, fault.Error())
	} else if err := l.steady(ctx); err != nil {
		out.Why = append(out.Why, err.Error())
	}
	if asked == 0 && fault == nil {
		out.Why = append(out.Why, "nothing that is forbidden was tried")
	}
	f := c.audit(ctx, l, l.sites)
	out.Lost, out.Duplicated, out.Reordered, out.Audited = f.lost, f.duplicated, f.reordered, f.audits
	out.Why = append(out.Why, f.why...)
	out.conclude()
	return out, nil
}

// did notes a fault, or its end.
func (s *stage) did(what, site, by string) {
	if by == byRelay {
		_, by = s.l.relay.words()
	}
	s.out.Faults = append(s.out.Faults, Fault{AtMs: millis(time.Since(s.began)), What: what, Site: site, By: by})
	s.tell("  %6.1f s  %s %s", time.Since(s.began).Seconds(), what, site)
}

// goes takes note of the people who are at a site that is about to go.
func (s *stage) goes(site string) {
	for p := range s.c.at(site) {
		s.moved[p] = true
	}
}

// trespass forbids things in the background, so that it happens while a site goes.
func (s *stage) trespass(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.w.forbid(ctx, s.cases) }()
	return done
}

// measured ends the time in which the fault is felt; what follows is the return.
func (s *stage) measured() {
	g := s.c.measure(s.moved)
	s.out.WorstSendGapMs = max(s.out.WorstSendGapMs, g.worstSend)
	s.out.WorstDeliveryGapMs = max(s.out.WorstDeliveryGapMs, g.worstDelivery)
	s.out.MovedWorstSendGapMs = max(s.out.MovedWorstSendGapMs, g.movedSend)
	s.out.MovedWorstDeliveryGapMs = max(s.out.MovedWorstDeliveryGapMs, g.movedDelivery)
	s.out.MedianSendGapMs = max(s.out.MedianSendGapMs, g.medianSend)
	s.c.window()
}

// returned waits until all sites are current again, and notes what that took and what it cost the others.
func (s *stage) returned(ctx context.Context, since time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := s.l.steady(ctx); err != nil {
		return err
	}
	s.out.BackMs = append(s.out.BackMs, millis(time.Since(since)))
	s.did("all current", "", "status")
	time.Sleep(time.Second)
	g := s.c.measure(nil)
	s.out.ReturnGapMs = max(s.out.ReturnGapMs, g.worstSend, g.worstDelivery)
	s.c.window()
	return nil
}

const (
	byRelay  = "" // by what stands between the sites, which says it itself
	byKill   = "real: SIGKILL"
	byStop   = "real: SIGSTOP"
	byStart  = "real: the process is started"
	byRemove = "real: the data directory is removed"
)

// burn is the fire itself.
func (s *stage) burn(ctx context.Context, site string) error {
	s.goes(site)
	forbidden := s.trespass(ctx)
	time.Sleep(200 * time.Millisecond)
	s.l.relay.set(true, s.l.around(site, true)...)
	s.did("power lost", site, byRelay)
	time.Sleep(beforeKill)
	s.l.kill(site)
	s.did("dead", site, byKill)
	time.Sleep(s.length)
	s.measured()
	return <-forbidden
}

func powerLoss(ctx context.Context, s *stage, site string) error {
	if err := s.burn(ctx, site); err != nil {
		return err
	}
	return s.again(ctx, site)
}

func wiped(ctx context.Context, s *stage, _ string) error {
	site := s.l.sites[len(s.l.sites)-1]
	if err := s.burn(ctx, site); err != nil {
		return err
	}
	if err := os.RemoveAll(s.l.data(site)); err != nil {
		return err
	}
	s.did("disks gone", site, byRemove)
	return s.again(ctx, site, "--rebuild")
}

// again brings a burnt site back.
func (s *stage) again(ctx context.Context, site string, args ...string) error {
	s.l.relay.set(false, s.l.around(site, true)...)
	t := time.Now()
	s.did("started", site, byStart)
	if err := s.l.start(ctx, site, args...); err != nil {
		return err
	}
	return s.returned(ctx, t)
}

func cutOff(ctx context.Context, s *stage, site string) error {
	s.goes(site)
	forbidden := s.trespass(ctx)
	time.Sleep(200 * time.Millisecond)
	s.l.relay.set(true, s.l.around(site, false)...)
	s.did("cut off from the other sites", site, byRelay)
	time.Sleep(s.length)
	s.measured()
	t := time.Now()
	s.l.relay.set(false, s.l.around(site, false)...)
	s.did("heard again", site, byRelay)
	return errors.Join(s.returned(ctx, t), <-forbidden)
}

func oneWay(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	for i, site := range s.l.sites[:2] {
		var ways []way
		for _, other := range s.l.sites {
			if other == site {
				continue
			}
			if i == 0 {
				ways = append(ways, way{other, site})
			} else {
				ways = append(ways, way{site, other})
			}
		}
		s.goes(site)
		s.l.relay.set(true, ways...)
		s.did([]string{"does not hear the others", "is not heard by the others"}[i], site, byRelay)
		time.Sleep(s.length)
		s.measured()
		t := time.Now()
		s.l.relay.set(false, ways...)
		s.did("heals", site, byRelay)
		if err := s.returned(ctx, t); err != nil {
			return err
		}
	}
	return <-forbidden
}

func frozen(ctx context.Context, s *stage, _ string) error {
	site := s.l.sites[0]
	s.goes(site)
	forbidden := s.trespass(ctx)
	time.Sleep(200 * time.Millisecond)
	if err := s.l.signal(site, syscall.SIGSTOP); err != nil {
		return err
	}
	s.did("frozen", site, byStop)
	time.Sleep(max(frozenFor, s.length))
	s.measured()
	t := time.Now()
	if err := s.l.signal(site, syscall.SIGCONT); err != nil {
		return err
	}
	s.did("thawed", site, "real: SIGCONT")
	return errors.Join(s.returned(ctx, t), <-forbidden)
}

func badNetwork(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	s.l.relay.weather(25*time.Millisecond, 0.05, 200*time.Millisecond)
	s.did("50 ms there and back, 5% repeated after 200 ms", "", "injected: the relay delays")
	time.Sleep(s.length)
	s.measured()
	s.l.relay.weather(delay, 0, 0)
	s.did("fine again", "", "injected: the relay delays")
	return errors.Join(s.returned(ctx, time.Now()), <-forbidden)
}

func rolling(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	for _, site := range s.l.sites {
		s.goes(site)
		s.did("drained", site, "real: bonghwa cluster drain")
		if err := s.l.drain(ctx, site); err != nil {
			return err
		}
		if err := s.l.stop(site); err != nil {
			return err
		}
		t := time.Now()
		s.did("started", site, byStart)
		if err := s.l.start(ctx, site); err != nil {
			return err
		}
		if err := s.l.steady(ctx); err != nil {
			return err
		}
		s.out.BackMs = append(s.out.BackMs, millis(time.Since(t)))
	}
	time.Sleep(time.Second)
	s.measured()
	return <-forbidden
}

func allKilled(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	time.Sleep(200 * time.Millisecond)
	for _, site := range s.l.sites {
		s.goes(site)
		s.l.kill(site)
		s.did("dead", site, byKill)
	}
	time.Sleep(time.Second)
	t := time.Now()
	var ready []<-chan error
	for _, site := range s.l.sites {
		r, err := s.l.begin(site)
		if err != nil {
			return err
		}
		s.did("started", site, byStart)
		ready = append(ready, r)
	}
	for _, r := range ready {
		select {
		case err := <-r:
			if err != nil {
				return err
			}
		case <-time.After(time.Minute):
			return errors.New("a site did not come back within a minute")
		}
	}
	if err := s.l.steady(ctx); err != nil {
		return err
	}
	s.out.BackMs = append(s.out.BackMs, millis(time.Since(t)))
	s.did("all current", "", "status")
	time.Sleep(3 * time.Second)
	s.measured()
	return <-forbidden
}
