package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// scenario is one that can be asked for by name.
type scenario struct {
	name string
	// each: once for each of these in turn: sites, or how bad it is.
	each []string
	// bound of the gaps; 0 = none.
	bound time.Duration
	help  string
	run   func(ctx context.Context, s *stage, part string) error
	// prepare changes the sites before people talk; undo brings them back.
	prepare func(ctx context.Context, l *lab, part string) (undo func() error, err error)
	// alone plays it on sites of its own, instead of run.
	alone func(ctx context.Context, o Options, rng *rand.Rand) (Scenario, error)
	// cannot says why this machine cannot play it; nil or "": it can.
	cannot func() string
}

// scenarios are all scenarios, in the order in which `all` plays them.
var scenarios = []scenario{
	{name: "power-loss", each: Sites, bound: 2 * time.Second, help: "every packet of the site is dropped, then its process is killed; later it comes back with its disks", run: powerLoss},
	{name: "wiped", bound: 2 * time.Second, help: "the same, and the disks are gone: the site is rebuilt from another", run: wiped},
	{name: "power-loss-twice", bound: 2 * time.Second, help: "a site burns with its disks and is rebuilt; as soon as all are current another one burns", run: twice},
	{name: "cut-off", each: Sites, bound: 3 * time.Second, help: "a site hears the other sites no more, nor they it; its people still reach it", run: cutOff},
	{name: "one-way", bound: 3 * time.Second, help: "a site is heard by the others and does not hear them, and the other way round", run: oneWay},
	{name: "frozen", bound: 3 * time.Second, help: "a site's process stands still for 10 s", run: frozen},
	{name: "frozen-60", bound: 3 * time.Second, help: "the same for 60 s", run: frozenMinute},
	{name: "wiped-and-frozen", help: "a site without disks comes back while another one stands still for 10 s: one of three is left", run: wipedAndFrozen},
	{name: "bad-network", help: "50 ms and 5% loss between the sites", run: badNetwork},
	{name: "slow-disk", each: []string{"0ms", "10ms", "50ms", "200ms"}, bound: 3 * time.Second, help: "every fsync of one site takes so much longer, and then another site burns", prepare: slowDown, run: slowDisk, cannot: traced},
	{name: "clock", each: []string{"1h", "-1h"}, bound: 3 * time.Second, help: "the clock of a site is turned, the site is started anew with it, and the clock is set right", prepare: clocks, run: turnedClock},
	{name: "full-disk", bound: 3 * time.Second, help: "the disk of the site that leads is filled, and gets room again", prepare: tmpfs.onto, run: fullDisk, cannot: tmpfs.try},
	{name: "damage", each: []string{"table", "log", "db", "row"}, bound: 3 * time.Second, help: "a bit is flipped at a stopped site: in a table of a view, in the log, in the database of its engine, in a row whose checksums are good", run: damage},
	{name: "killed", each: []string{"checkpoint", "fetch", "handover"}, bound: 3 * time.Second, help: "sites are killed in the midst of a checkpoint, of a rebuild, of handing leadership over", run: killed},
	{name: "killed-growth", help: "one machine becomes three sites, all of which are killed meanwhile", alone: growth},
	{name: "rolling-restart", bound: 2 * time.Second, help: "every site is drained and started anew, one after the other", run: rolling},
	{name: "random", help: "rounds of faults drawn from --seed, so many as --rounds says", run: randomFaults},
	{name: "all-killed", help: "all sites are killed at once and started again", run: allKilled},
	{name: "all-forgetful", help: "all sites lose their power at once, and their disks what was not synced", prepare: ext4.onto, run: forgotten, cannot: ext4.try},
}

// played is a scenario with the part of it that is played.
type played struct {
	scenario
	part string
}

func (p played) String() string {
	if p.part == "" {
		return p.name
	}
	return p.name + "-" + p.part
}

// why says why it cannot be played here.
func (k scenario) why() string {
	if k.cannot == nil {
		return ""
	}
	return k.cannot()
}

// parts lists what a scenario is played as.
func (k scenario) parts() (list []played) {
	if len(k.each) == 0 {
		return []played{{k, ""}}
	}
	for _, part := range k.each {
		list = append(list, played{k, part})
	}
	return list
}

// stage is one scenario under way.
type stage struct {
	l      *lab
	c      *crowd
	w      *warden
	bans   []ban
	length time.Duration
	tell   func(string, ...any)
	began  time.Time
	out    *Scenario
	moved  map[*person]bool
	// noting is held while a fault is noted.
	noting sync.Mutex
	// trespassed: what is forbidden has been forbidden.
	trespassed bool
	// options of the drill, and who looks whether anything depends on a burnt site.
	o       Options
	visitor *visitor
	// slow is a site whose disk is: it may be unready while it is needed, whatever burns, and is not asked.
	slow string
}

// warm is how long people talk before the measured time begins, calm how long before the first fault.
const (
	warm = 2 * time.Second
	calm = 2 * time.Second
	// beforeKill: power loss first silences a site, then kills it; a kill alone would be kind and send resets.
	beforeKill = 300 * time.Millisecond
	// frozenFor is the shortest freeze, frozenLong the long one.
	frozenFor, frozenLong = 10 * time.Second, 60 * time.Second
)

// play runs one scenario: people talk, something happens, it is measured and audited.
func play(ctx context.Context, k played, l *lab, c *crowd, v *visitor, o Options) (out Scenario, err error) {
	out = Scenario{Name: k.String(), BoundMs: millis(k.bound)}
	s := &stage{l: l, c: c, o: o, visitor: v, length: o.Duration, tell: o.tell, out: &out, moved: map[*person]bool{}}
	if err := l.settled(ctx); err != nil {
		return out, err
	}
	if k.prepare != nil {
		var undo func() error
		undo, err = k.prepare(ctx, l, k.part)
		if undo != nil {
			defer func() {
				if e := undo(); e != nil {
					err = errors.Join(err, fmt.Errorf("the sites could not be brought back: %w", e))
				}
			}()
		}
		if err != nil {
			return out, err
		}
	}
	if err := c.goHome(ctx); err != nil {
		return out, err
	}
	return out, s.play(ctx, k)
}

// play is a scenario on sites that are steady, with everybody at home.
func (s *stage) play(ctx context.Context, k played) (err error) {
	out, c, l := s.out, s.c, s.l
	var urls []string
	for _, site := range l.sites {
		urls = append(urls, l.urls[site])
	}
	s.w = newWarden(urls, transport(l.relay, 8))
	if s.bans, err = s.w.prepare(ctx); err != nil {
		return fmt.Errorf("nothing could be forbidden: %w", err)
	}
	c.speak()
	time.Sleep(warm)
	c.window()
	s.began = time.Now()
	c.meter.begin(s.began)
	time.Sleep(calm)
	fault := k.run(ctx, s, k.part)
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
	} else if err := l.settled(ctx); err != nil {
		out.Why = append(out.Why, err.Error())
	}
	if asked == 0 && fault == nil {
		out.Why = append(out.Why, "nothing that is forbidden was tried")
	}
	f := c.audit(ctx, l, l.sites)
	out.Lost, out.Duplicated, out.Reordered, out.Audited = f.lost, f.duplicated, f.reordered, f.audits
	out.Mistimed = f.mistimed
	out.Why = append(out.Why, f.why...)
	out.conclude()
	return nil
}

// did notes a fault, or its end.
func (s *stage) did(what, site, by string) {
	if by == byRelay {
		_, by = s.l.relay.words()
	}
	s.noting.Lock()
	defer s.noting.Unlock()
	s.out.Faults = append(s.out.Faults, Fault{AtMs: millis(time.Since(s.began)), What: what, Site: site, By: by})
	s.tell("  %6.1f s  %s %s", time.Since(s.began).Seconds(), what, site)
}

// goes takes note of the people who are at a site that is about to go.
func (s *stage) goes(site string) {
	for p := range s.c.at(site) {
		s.moved[p] = true
	}
}

// trespass forbids things in the background, so that it happens while a site goes: at the first fault of a scenario.
func (s *stage) trespass(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	if s.trespassed {
		done <- nil
		return done
	}
	s.trespassed = true
	go func() { done <- s.w.forbid(ctx, s.bans) }()
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
	s.moved = map[*person]bool{}
	s.c.window()
}

// returned waits until all sites are current again, and notes what that took and what it cost the others.
func (s *stage) returned(ctx context.Context, since time.Time) error {
	if err := s.l.settled(ctx); err != nil {
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
