package drill

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/client"
)

// Every watched room is offered at least 20 sends a second by people of different sites.
const (
	groupPause = 140 * time.Millisecond // three voices: 21/s
	pairPause  = 95 * time.Millisecond  // two voices: 21/s
)

const password = "화재 훈련을 위한 비밀번호"

// crowd is the people of a drill: in groups of one person of each site, and in pairs across sites, all of whom have their
// rooms in view and write without waiting for answers.
type crowd struct {
	http   *http.Client // of where people are
	sites  []string
	urls   map[string]string
	people []*person
	rooms  []*room
	voices []*voice

	stop  chan struct{}
	wg    sync.WaitGroup
	meter *meter
}

// person is one client of the public library, as anybody would run it.
type person struct {
	name  string
	id    string
	home  int // site, by number
	c     *client.Client
	open  client.Options // with which it is opened again
	crowd *crowd
	mu    sync.Mutex
	hears map[string]*hearing // by room
}

type room struct {
	id      string
	members []*person
}

// voice is one person writing in one room.
type voice struct {
	p     *person
	room  *room
	to    string
	pause time.Duration
	said  chan said
	mu    sync.Mutex
	acked []ackedSend
	// open are sends without an answer, in order; lastAck is when the newest answer came.
	open    []time.Time
	lastAck time.Time
	failed  []error
	gap     time.Duration
}

type said struct {
	at      time.Time
	text    string
	pending *client.Pending
}

type ackedSend struct {
	seq  uint64
	text string
}

// hearing is one person in one room in which others write.
type hearing struct {
	p      *person
	room   *room
	last   time.Time
	seq    uint64
	heard  map[uint64]struct{} // every number that was brought
	wrong  int
	gap    time.Duration
	silent bool // nothing has been heard in this window yet
}

// gather signs people up, each at a site, and makes the rooms. n is rounded to a multiple of the sites.
func gather(ctx context.Context, l *lab, n int, tell func(string, ...any)) (c *crowd, err error) {
	sites, urls, hc := l.sites, l.urls, l.people
	c = &crowd{sites: sites, urls: urls, http: hc, meter: &meter{sites: len(sites)}}
	groups := max(n/len(sites), 1)
	for i := range groups * len(sites) {
		p := &person{name: fmt.Sprintf("drill.%d.%d", rand.IntN(1e6), i), home: i % len(sites), crowd: c, hears: map[string]*hearing{}}
		list := []string{urls[sites[p.home]]}
		for k := 1; k < len(sites); k++ {
			list = append(list, urls[sites[(p.home+k)%len(sites)]])
		}
		p.open = client.Options{URLs: list, Store: &client.MemoryStore{}, HTTPClient: hc, OnEvent: p.event}
		if p.c, err = client.Open(p.open); err != nil {
			return c, err
		}
		if err = p.c.SignUp(ctx, client.SignUpForm{Handle: p.name, Name: fmt.Sprintf("%s의 %d번", sites[p.home], i), Password: password}); err != nil {
			return c, fmt.Errorf("a person could not sign up: %w", err)
		}
		a, _ := p.c.Account()
		p.id = a.User
		c.people = append(c.people, p)
	}
	for g := range groups {
		members := c.people[g*len(sites) : (g+1)*len(sites)]
		var others []string
		for _, m := range members[1:] {
			others = append(others, m.id)
		}
		r, err := members[0].c.CreateRoom(ctx, fmt.Sprintf("훈련 %d조", g+1), others)
		if err != nil {
			return c, fmt.Errorf("a room could not be made: %w", err)
		}
		c.enter(r.Room, groupPause, func(*person) string { return r.Room }, members...)
		// A pair: this group's first with the next group's second, who are of different sites.
		a, b := members[0], c.people[((g+1)%groups)*len(sites)+1%len(sites)]
		if a == b {
			continue
		}
		id, err := a.c.DirectRoom(b.id)
		if err != nil {
			return c, err
		}
		c.enter(id, pairPause, func(p *person) string { return map[*person]string{a: b.id, b: a.id}[p] }, a, b)
	}
	for _, p := range c.people {
		if err := p.c.WaitConnected(ctx); err != nil {
			return c, err
		}
		p.look()
	}
	tell("%d people of %d sites in %d rooms, %.0f sends a second", len(c.people), len(sites), len(c.rooms), c.offered())
	return c, nil
}

// enter makes a room of these people, each of whom writes to `to`: to the room, or in a pair to the other.
func (c *crowd) enter(id string, pause time.Duration, to func(*person) string, members ...*person) {
	r := &room{id: id, members: members}
	c.rooms = append(c.rooms, r)
	for _, m := range members {
		c.voices = append(c.voices, &voice{p: m, room: r, to: to(m), pause: pause, said: make(chan said, 4096)})
		m.mu.Lock()
		m.hears[id] = &hearing{p: m, room: r, silent: true, heard: map[uint64]struct{}{}}
		m.mu.Unlock()
	}
}

// goHome brings everybody back to where they live, as a new start of their client does: who has moved stays there, and a
// fire would meet a site without people.
func (c *crowd) goHome(ctx context.Context) (err error) {
	for _, p := range c.people {
		if p.c.State().URL == c.urls[c.sites[p.home]] {
			continue
		}
		_ = p.c.Close()
		if p.c, err = client.Open(p.open); err != nil {
			return err
		}
		if err := p.c.WaitConnected(ctx); err != nil {
			return fmt.Errorf("%s could not go home: %w", p.name, err)
		}
		p.look()
	}
	return nil
}

// look brings all of a person's rooms into view.
func (p *person) look() {
	var in []string
	p.mu.Lock()
	for id, h := range p.hears {
		in = append(in, id)
		h.silent = true
	}
	p.mu.Unlock()
	p.c.View(in...)
}

// offered is how many sends a second the voices make.
func (c *crowd) offered() (perSecond float64) {
	for _, v := range c.voices {
		perSecond += float64(time.Second) / float64(v.pause)
	}
	return perSecond
}

// slowestRoom is how many sends a second the room with the fewest is offered. Every room has people of different sites.
func (c *crowd) slowestRoom() float64 {
	rooms := map[*room]float64{}
	for _, v := range c.voices {
		rooms[v.room] += float64(time.Second) / float64(v.pause)
	}
	slowest := math.Inf(1)
	for _, perSecond := range rooms {
		slowest = min(slowest, perSecond)
	}
	return slowest
}

// speak starts all voices.
func (c *crowd) speak() {
	c.stop = make(chan struct{})
	for i, v := range c.voices {
		v.said = make(chan said, 4096)
		c.wg.Go(func() { v.speak(i) })
		c.wg.Go(v.listen)
	}
}

func (v *voice) speak(i int) {
	defer close(v.said)
	// Voices begin one after another, not all at once.
	tick := time.NewTimer(v.pause * time.Duration(i%7) / 7)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-v.p.crowd.stop:
			return
		case <-tick.C:
		}
		tick.Reset(v.pause)
		text := fmt.Sprintf("%s %s %d 여기는 괜찮아요. 그쪽은 어때요? 다들 무사한지 알려 주세요.", v.p.name, v.room.id[len(v.room.id)-6:], time.Now().UnixNano())
		at := time.Now()
		v.mu.Lock()
		v.open = append(v.open, at)
		v.mu.Unlock()
		p, err := v.p.c.SendAsync(v.to, text, client.SendOptions{})
		if err != nil {
			v.fail(err)
			return
		}
		v.said <- said{at, text, p}
	}
}

// listen takes the answers, which come in the order of the sends.
func (v *voice) listen() {
	for s := range v.said {
		r, err := s.pending.Wait(context.Background())
		now := time.Now()
		if err != nil {
			v.fail(err)
			continue
		}
		v.mu.Lock()
		v.gap = max(v.gap, v.owedSince(now))
		v.open = v.open[1:]
		v.lastAck = now
		v.acked = append(v.acked, ackedSend{r.Seq, s.text})
		v.mu.Unlock()
		v.p.crowd.meter.acked(v.p.home, now, now.Sub(s.at))
	}
}

// owedSince is for how long an answer has been owed: since the first unanswered send or, if that was later, the newest answer.
func (v *voice) owedSince(now time.Time) time.Duration {
	if len(v.open) == 0 {
		return 0
	}
	from := v.open[0]
	if v.lastAck.After(from) {
		from = v.lastAck
	}
	return now.Sub(from)
}

func (v *voice) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.open) > 0 {
		v.open = v.open[1:]
	}
	v.failed = append(v.failed, err)
}

// event takes what is brought to a person.
func (p *person) event(e client.Event) {
	m, ok := e.(client.MessageEvent)
	if !ok || m.Message.Kind != client.KindText {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.hears[m.Message.Room]
	if h == nil {
		return
	}
	now := time.Now()
	if m.Message.Seq <= h.seq {
		h.wrong++
	}
	h.seq = m.Message.Seq
	h.heard[h.seq] = struct{}{}
	if m.Message.Author == p.id {
		return
	}
	if !h.silent {
		h.gap = max(h.gap, now.Sub(h.last))
	}
	h.last, h.silent = now, false
	p.crowd.meter.delivered(p.home, now)
}

// hush stops the voices and waits until everything is answered, or patience ends. It returns how many sends were not.
func (c *crowd) hush(patience time.Duration) (unanswered int) {
	close(c.stop)
	done := make(chan struct{})
	go func() { c.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
	}
	for _, v := range c.voices {
		v.mu.Lock()
		unanswered += len(v.open)
		v.mu.Unlock()
	}
	return unanswered
}

// window forgets the gaps so far.
func (c *crowd) window() {
	for _, v := range c.voices {
		v.mu.Lock()
		v.gap = 0
		v.mu.Unlock()
	}
	for _, p := range c.people {
		p.mu.Lock()
		for _, h := range p.hears {
			h.gap = 0
		}
		p.mu.Unlock()
	}
}

// gaps are the longest waits of a window.
type gaps struct {
	sends, deliveries           []float64 // ms, of people who stayed where they were
	movedSends, movedDeliveries []float64
	worstSend, worstDelivery    float64
	movedSend, movedDelivery    float64
	medianSend                  float64
}

// measure ends a window. moved are people whose site went; what is unanswered now counts.
func (c *crowd) measure(moved map[*person]bool) (g gaps) {
	now := time.Now()
	for _, v := range c.voices {
		v.mu.Lock()
		ms := millis(max(v.gap, v.owedSince(now)))
		v.mu.Unlock()
		if moved[v.p] {
			g.movedSends = append(g.movedSends, ms)
		} else {
			g.sends = append(g.sends, ms)
		}
	}
	for _, p := range c.people {
		p.mu.Lock()
		for _, h := range p.hears {
			gap := h.gap
			if !h.silent {
				gap = max(gap, now.Sub(h.last))
			}
			// Who hears only people that had to move, waits for these.
			all := true
			for _, m := range h.room.members {
				all = all && (m == p || moved[m])
			}
			if moved[p] || all {
				g.movedDeliveries = append(g.movedDeliveries, millis(gap))
			} else {
				g.deliveries = append(g.deliveries, millis(gap))
			}
		}
		p.mu.Unlock()
	}
	g.medianSend = quantile(g.sends, 0.5)
	g.worstSend, g.worstDelivery = quantile(g.sends, 1), quantile(g.deliveries, 1)
	g.movedSend, g.movedDelivery = quantile(g.movedSends, 1), quantile(g.movedDeliveries, 1)
	return g
}

// at lists the people who are connected to a site now.
func (c *crowd) at(site string) map[*person]bool {
	found := map[*person]bool{}
	for _, p := range c.people {
		if p.c.State().URL == c.urls[site] {
			found[p] = true
		}
	}
	return found
}

// faults lists what went wrong with sends that must not fail.
func (c *crowd) faults() (list []string) {
	for _, v := range c.voices {
		v.mu.Lock()
		if n := len(v.failed); n > 0 && len(list) < 10 {
			list = append(list, fmt.Sprintf("%d sends of %s failed: %v", n, v.p.name, v.failed[0]))
		}
		v.failed = nil
		v.mu.Unlock()
	}
	return list
}

func (c *crowd) close() {
	for _, p := range c.people {
		if p.c != nil {
			_ = p.c.Close()
		}
	}
}

// sayer is the voice's part of a text: who says it where.
func sayer(text string) string {
	f := strings.Fields(text)
	if len(f) < 3 {
		return ""
	}
	return f[0] + " " + f[1]
}
