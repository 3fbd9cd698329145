package drill

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/server"
)

// Live measures people who are there anyway, while somebody else burns a site under them: the twelve of the demo. They write in
// rooms of their own, one person of each site in each, and everything that they are told is read back at every site.
type Live struct {
	c       *crowd
	members []Member
	http    *http.Client
	readers map[string]*client.Client // by site and member
	// w tries what bans forbid; forbidden says that they do.
	w         *warden
	bans      []ban
	forbidden chan error

	mu      sync.Mutex
	talking bool
	extra   []aside
	site    string
	started time.Time
	moved   map[*person]bool
	moving  int
	checked int
}

// Member is one of the people, with what is needed to log in as them at a site of one's choice.
type Member struct {
	Client           *client.Client
	Handle, Password string
	// Home is the number of the site where they live.
	Home int
}

// aside is an acknowledged message outside the rooms of the drill.
type aside struct {
	who  int
	room string
	seq  uint64
	text string
	at   time.Time
}

const (
	// livePause is between two messages of a person.
	livePause = 250 * time.Millisecond
	// before is how long before the fire what was acknowledged is looked after, too.
	before = time.Minute
	// liveBound is what the gaps are held against.
	liveBound = 2 * time.Second
)

// LiveFigures are how a drill stands.
type LiveFigures struct {
	Acked, Checked, Moved int
	GapMs                 float64
}

// LiveFound is what a drill found.
type LiveFound struct {
	Started, Ended                     time.Time
	People, Moved, Acked, Checked      int
	Lost, Duplicated, Reordered        int
	Unauthorised, Tried                int
	SendGapMs, DeliveryGapMs           float64
	MovedSendGapMs, MovedDeliveryGapMs float64
	Held, HeldInTime                   bool
	// ReadBack says that everything could be read back at every site: without it the counts of what was lost mean nothing.
	ReadBack bool
	Why      []server.Matter
}

// Measure finds or makes the rooms, and what will be forbidden.
func Measure(ctx context.Context, sites []string, urls map[string]string, members []Member) (*Live, error) {
	l := &Live{c: &crowd{sites: sites, urls: urls, meter: &meter{sites: len(sites)}}, members: members, readers: map[string]*client.Client{},
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
	for _, m := range members {
		a, _ := m.Client.Account()
		l.c.people = append(l.c.people, &person{name: m.Handle, id: a.User, home: m.Home, c: m.Client, crowd: l.c, hears: map[string]*hearing{}})
	}
	n := len(sites)
	for g := range len(members) / n {
		group := l.c.people[g*n : (g+1)*n]
		id, err := roomOf(ctx, fmt.Sprintf("화재 훈련 %d조", g+1), group)
		if err != nil {
			return nil, err
		}
		l.c.enter(id, livePause, func(*person) string { return id }, group...)
	}
	for _, p := range l.c.people {
		p.look()
	}
	if err := l.guard(ctx); err != nil {
		return nil, fmt.Errorf("nothing can be forbidden: %w", err)
	}
	return l, nil
}

// roomOf finds a group's room by its title, or makes it.
func roomOf(ctx context.Context, title string, group []*person) (string, error) {
	list, err := group[0].c.ListRooms(ctx)
	if err != nil {
		return "", err
	}
	for _, r := range list {
		if r.Kind == client.Group && r.Title == title {
			return r.ID, nil
		}
	}
	var others []string
	for _, p := range group[1:] {
		others = append(others, p.id)
	}
	r, err := group[0].c.CreateRoom(ctx, title, others)
	return r.Room, err
}

// Event takes what member i is brought.
func (l *Live) Event(i int, e client.Event) { l.c.people[i].event(e) }

// Acked takes a message that was acknowledged to member i outside these rooms.
func (l *Live) Acked(i int, room string, seq uint64, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for len(l.extra) > 0 && l.started.IsZero() && now.Sub(l.extra[0].at) > before {
		l.extra = l.extra[1:]
	}
	l.extra = append(l.extra, aside{i, room, seq, text, now})
}

// Talk lets them write, Rest stops them. What was acknowledged before is forgotten by Rest.
func (l *Live) Talk() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.talking {
		l.talking = true
		l.c.speak()
	}
}

// Rest stops them, but not while a fire burns.
func (l *Live) Rest() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.talking || !l.started.IsZero() {
		return
	}
	l.talking = false
	l.c.hush(answerPatience)
	l.keepFrom(time.Now())
}

// answerPatience is for how long answers are waited for at the end.
const answerPatience = 20 * time.Second

// Fire says that a site burns from now on.
func (l *Live) Fire(ctx context.Context, site string) {
	l.Talk()
	l.forbid(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.site, l.started = site, time.Now()
	l.moved = l.c.at(site)
	l.moving = len(l.moved)
	l.keepFrom(l.started.Add(-before))
	l.c.window()
}

// keepFrom forgets what was acknowledged before a moment: the third word of a text is when it was written.
func (l *Live) keepFrom(at time.Time) {
	for _, v := range l.c.voices {
		v.mu.Lock()
		i := 0
		for i < len(v.acked) && writtenAt(v.acked[i].text).Before(at) {
			i++
		}
		v.acked = append([]ackedSend(nil), v.acked[i:]...)
		v.mu.Unlock()
	}
}

func writtenAt(text string) time.Time {
	if f := strings.Fields(text); len(f) > 2 {
		if n, err := strconv.ParseInt(f[2], 10, 64); err == nil {
			return time.Unix(0, n)
		}
	}
	return time.Time{}
}

// Figures are how it stands.
func (l *Live) Figures() LiveFigures {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.c.measure(l.moved)
	return LiveFigures{Acked: l.count(), Checked: l.checked, Moved: l.moving, GapMs: max(g.worstSend, g.worstDelivery, g.movedSend, g.movedDelivery)}
}

func (l *Live) count() (n int) {
	for _, v := range l.c.voices {
		v.mu.Lock()
		n += len(v.acked)
		v.mu.Unlock()
	}
	return n + len(l.extra)
}

// Look reads back at the sites that are alive, while the fire burns. A site that does not answer is asked again the next time.
func (l *Live) Look(ctx context.Context) {
	l.mu.Lock()
	burns := l.site
	l.mu.Unlock()
	f, _ := l.read(ctx, func(site string) bool { return site != burns })
	l.mu.Lock()
	l.checked = f.checked
	l.mu.Unlock()
}

// Finish stops them, after the site came back, and reads everything back at every site. It ends the drill.
func (l *Live) Finish(ctx context.Context) LiveFound {
	l.mu.Lock()
	l.checked = 0
	out := LiveFound{Started: l.started, People: len(l.c.people), Moved: l.moving}
	l.mu.Unlock()
	unanswered := l.c.hush(answerPatience)
	g := l.c.measure(l.moved)
	out.SendGapMs, out.DeliveryGapMs, out.MovedSendGapMs, out.MovedDeliveryGapMs = g.worstSend, g.worstDelivery, g.movedSend, g.movedDelivery
	for _, s := range l.c.faults() {
		out.Why = append(out.Why, server.Matter{Kind: server.MatterSendsFailed, Detail: s})
	}
	if unanswered > 0 {
		out.Why = append(out.Why, server.Matter{Kind: server.MatterUnanswered, N: int64(unanswered)})
	}
	var d found
	d.delivery(ctx, l.c)
	for _, s := range d.why {
		out.Why = append(out.Why, server.Matter{Kind: server.MatterNotBrought, Detail: s})
	}
	defer l.leave(ctx)
	f, err := l.read(ctx, func(string) bool { return true })
	for until := time.Now().Add(auditPatience); err != nil && time.Now().Before(until) && ctx.Err() == nil; {
		time.Sleep(200 * time.Millisecond)
		f, err = l.read(ctx, func(string) bool { return true })
	}
	if out.ReadBack = err == nil; !out.ReadBack {
		out.Why = append(out.Why, server.Matter{Kind: server.MatterNotRead, Detail: err.Error()})
	}
	tried, unauthorised, why := l.trespassed()
	out.Tried, out.Unauthorised, out.Why = tried, unauthorised, append(out.Why, why...)
	out.Lost, out.Duplicated, out.Reordered = f.lost, f.doubled, f.moved+d.reordered
	l.mu.Lock()
	defer l.mu.Unlock()
	out.Ended, out.Acked, out.Checked = time.Now(), l.count(), f.checked
	l.checked = f.checked
	out.Held = out.Lost == 0 && out.Duplicated == 0 && out.Reordered == 0 && out.Unauthorised == 0 && len(out.Why) == 0 && out.Acked > 0
	out.HeldInTime = out.Held && max(g.worstSend, g.worstDelivery, g.movedSend, g.movedDelivery) <= millis(liveBound)
	l.talking, l.started, l.site, l.moved, l.extra = false, time.Time{}, "", nil, nil
	return out
}

// leave ends what was opened to read.
func (l *Live) leave(ctx context.Context) {
	for key, k := range l.readers {
		_ = k.LogOut(ctx)
		_ = k.Close()
		delete(l.readers, key)
	}
}

// readBack is what a reading counted: checked are messages that are the same at every site that was read.
type readBack struct{ checked, lost, doubled, moved int }

// read reads the rooms at these sites and holds them against what was acknowledged before it began.
func (l *Live) read(ctx context.Context, at func(site string) bool) (f readBack, err error) {
	l.mu.Lock()
	extra := append([]aside(nil), l.extra...)
	l.mu.Unlock()
	var sites []string
	for _, s := range l.c.sites {
		if at(s) {
			sites = append(sites, s)
		}
	}
	for g, r := range l.c.rooms {
		told := r.told(l.c)
		missing := map[uint64]bool{}
		for _, site := range sites {
			rows, err := l.rows(ctx, site, g*len(l.c.sites), r.id, told)
			if err != nil {
				return f, fmt.Errorf("%s could not be read back: %w", site, err)
			}
			for seq, text := range told {
				if rows[seq].text != text {
					missing[seq] = true
					f.lost++
				}
			}
			_, doubled, moved := r.check(&crowd{}, rows)
			f.doubled, f.moved = f.doubled+doubled, f.moved+moved
		}
		f.checked += len(told) - len(missing)
		l.mu.Lock()
		l.checked = max(l.checked, f.checked)
		l.mu.Unlock()
	}
	for _, e := range extra {
		ok := true
		for _, site := range sites {
			rows, err := l.rows(ctx, site, e.who, e.room, map[uint64]string{e.seq: e.text})
			if err != nil {
				return f, fmt.Errorf("%s could not be read back: %w", site, err)
			}
			if rows[e.seq].text != e.text {
				ok = false
				f.lost++
			}
		}
		if ok {
			f.checked++
		}
	}
	return f, nil
}

// told is what was acknowledged in a room, by its number.
func (r *room) told(c *crowd) map[uint64]string {
	told := map[uint64]string{}
	for _, v := range c.voices {
		if v.room != r {
			continue
		}
		v.mu.Lock()
		for _, a := range v.acked {
			told[a.seq] = a.text
		}
		v.mu.Unlock()
	}
	return told
}

// rows reads a room at a site, as one of its members, from the lowest of these numbers to the highest.
func (l *Live) rows(ctx context.Context, site string, who int, room string, told map[uint64]string) (map[uint64]row, error) {
	if len(told) == 0 {
		return nil, nil
	}
	low, high := ^uint64(0), uint64(0)
	for seq := range told {
		low, high = min(low, seq), max(high, seq)
	}
	k, err := l.reader(ctx, site, who)
	if err != nil {
		return nil, err
	}
	return readRows(ctx, k, room, low, high)
}

// reader is a member logged in at one site and no other, who is not connected and so not counted among the people there.
func (l *Live) reader(ctx context.Context, site string, who int) (*client.Client, error) {
	key := fmt.Sprintf("%s %d", site, who)
	if k := l.readers[key]; k != nil {
		return k, nil
	}
	k, err := client.Open(client.Options{URLs: []string{l.c.urls[site]}, OnlyURLs: true, CallsOnly: true, HTTPClient: l.http, DeviceLabel: drillDevice})
	if err != nil {
		return nil, err
	}
	if _, err := k.LogIn(ctx, l.members[who].Handle, l.members[who].Password); err != nil {
		_ = k.Close()
		return nil, err
	}
	l.readers[key] = k
	return k, nil
}
