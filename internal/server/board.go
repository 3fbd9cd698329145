package server

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/gateway"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// pulse is what a node tells others of its work, once a second: for the operators' page.
type pulse struct {
	gateway.Load
	// Trips are the round trips to other sites in ms, as this node measures them.
	Trips map[string]float64 `json:"trips,omitempty"`
}

// board keeps what was heard of every site's work: two minutes, so that a page that is opened has a past.
type board struct {
	s *Server
	// gw is set when there is one: this node is asked before.
	gw atomic.Pointer[gateway.Gateway]
	mu sync.Mutex
	// newest is the last pulse of a site and when it came; seconds what each acknowledged, by site and second.
	newest  map[string]pulse
	heard   map[string]time.Time
	seconds map[string]map[uint64]gateway.Second
	trips   map[string]float64
	// asked is the newest answer of status, which is good for a moment.
	asking sync.Mutex
	asked  Status
	at     time.Time
}

const (
	// boardKept is how many seconds the board remembers.
	boardKept = 125
	// pulseGood is for how long a pulse tells how a site is.
	pulseGood = 4 * time.Second
	// settled is by how much the newest second shown lies back: all sites have told of it by then.
	settled = 3
)

func newBoard(s *Server) *board {
	return &board{s: s, newest: map[string]pulse{}, heard: map[string]time.Time{}, seconds: map[string]map[uint64]gateway.Second{}, trips: map[string]float64{}}
}

// own is this node's pulse.
func (b *board) own() *pulse {
	gw := b.gw.Load()
	if gw == nil {
		return nil
	}
	b.mu.Lock()
	trips := maps.Clone(b.trips)
	b.mu.Unlock()
	return &pulse{gw.Load(), trips}
}

// note takes a site's pulse; took is how long the question was under way, 0 for the own one.
func (b *board) note(site string, p *pulse, at time.Time, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if took > 0 {
		// The shortest of the last ones is what the way costs; it rises slowly, so that a way that became longer is seen.
		ms := float64(took.Microseconds()) / 1000
		if old, ok := b.trips[site]; ok && old < ms {
			ms = old + (ms-old)/8
		}
		b.trips[site] = ms
	}
	if p == nil {
		return
	}
	b.newest[site], b.heard[site] = *p, at
	of := b.seconds[site]
	if of == nil {
		of = map[uint64]gateway.Second{}
		b.seconds[site] = of
	}
	for _, s := range p.Seconds {
		of[s.At] = s
	}
	old := uint64(at.Unix()) - boardKept
	maps.DeleteFunc(of, func(at uint64, _ gateway.Second) bool { return at < old })
}

// watch gives the seconds after one, up to those of which every site has told.
func (b *board) watch(after uint64) *apiv1.WatchSitesResponse {
	now := uint64(time.Now().Unix())
	b.mu.Lock()
	defer b.mu.Unlock()
	out := &apiv1.WatchSitesResponse{Sites: slices.Sorted(maps.Keys(b.seconds))}
	for at := max(after+1, now-settled-120+1); at <= now-settled; at++ {
		p := &apiv1.Point{At: at}
		for _, site := range out.Sites {
			s := b.seconds[site][at]
			p.Sends = append(p.Sends, float64(s.Sends))
			p.P99Ms = max(p.P99Ms, s.P99Ms)
		}
		out.Points = append(out.Points, p)
	}
	return out
}

// status is how the cell is, asked at most once a second.
func (b *board) status(ctx context.Context) (Status, error) {
	b.asking.Lock()
	defer b.asking.Unlock()
	if time.Since(b.at) < 900*time.Millisecond {
		return b.asked, nil
	}
	// The answer is everybody's: one who goes away does not take it from the others, nor leaves sites as if they were out.
	s, err := b.s.status(context.WithoutCancel(ctx))
	if err == nil {
		b.asked, b.at = s, time.Now()
	}
	return s, err
}

var siteStates = map[string]apiv1.SiteState{
	SiteReady: apiv1.SiteState_SITE_STATE_READY, SiteDraining: apiv1.SiteState_SITE_STATE_DRAINING, SiteNotReady: apiv1.SiteState_SITE_STATE_NOT_READY,
	SiteCatchingUp: apiv1.SiteState_SITE_STATE_CATCHING_UP, SiteUnreachable: apiv1.SiteState_SITE_STATE_UNREACHABLE, SiteSuperseded: apiv1.SiteState_SITE_STATE_NOT_READY,
}

// sites is what the operators' page shows of the sites.
func (b *board) sites(ctx context.Context) (*apiv1.GetSitesResponse, error) {
	st, err := b.status(ctx)
	if err != nil {
		return nil, err
	}
	out := &apiv1.GetSitesResponse{Matters: mattersOf(st.Matters), Steady: st.Steady, LastHeldMs: st.LastDrillHeldMs, Overdue: st.DrillOverdue}
	if b.s.nodes != nil {
		out.Here = b.s.nodes.cfg.Site
	}
	voters, alive := st.count()
	switch spare := alive - (voters/2 + 1); {
	case voters <= 1:
		out.Outlook = apiv1.Outlook_OUTLOOK_ALONE
	case spare < 0:
		out.Outlook = apiv1.Outlook_OUTLOOK_STOPPED
	case spare == 0:
		out.Outlook = apiv1.Outlook_OUTLOOK_NO_SPARE
	default:
		out.Outlook = apiv1.Outlook_OUTLOOK_SPARE
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range st.Sites {
		r := &apiv1.SiteReport{Name: one.Site, Url: one.URL, State: siteStates[one.State], Because: one.Because, Leader: one.Leader, N: one.N, Behind: one.Behind,
			Version: one.Version}
		if p, ok := b.newest[one.Site]; ok && time.Since(b.heard[one.Site]) < pulseGood && one.State != SiteUnreachable {
			r.People = uint32(p.People)
			over := p.Seconds[:max(len(p.Seconds)-1, 0)]
			last := over[max(len(over)-3, 0):]
			for _, s := range last {
				r.Sends += float64(s.Sends) / float64(len(last))
				r.P99Ms = max(r.P99Ms, s.P99Ms)
			}
			for _, to := range slices.Sorted(maps.Keys(p.Trips)) {
				r.RoundTrips = append(r.RoundTrips, &apiv1.RoundTrip{Site: to, Ms: p.Trips[to]})
			}
		}
		out.Sites = append(out.Sites, r)
	}
	return out, nil
}

// Held is a checkpoint that a site holds, as it tells others.
type Held struct {
	Epoch  uint32 `json:"epoch"`
	N      uint64 `json:"n"`
	TimeMs uint64 `json:"time_ms"`
	Label  string `json:"label"`
}

// held lists this node's complete checkpoints, newest first.
func (d *Data) held() (list []Held) {
	for _, m := range manifests(d.path(checkpointsDir)) {
		list = append(list, Held{m.Epoch, m.N, m.TimeMs, m.Label})
	}
	slices.SortFunc(list, func(a, b Held) int { return int(max(-1, min(1, int64(b.TimeMs)-int64(a.TimeMs)))) })
	return list
}

// backups asks every site for what it holds.
func (b *board) backups(ctx context.Context) *apiv1.GetBackupsResponse {
	out := &apiv1.GetBackupsResponse{}
	if st, err := b.status(ctx); err == nil {
		st.Archive.tell(out, time.Now())
	}
	put := func(site string, list []Held) {
		for _, h := range list {
			out.Backups = append(out.Backups, &apiv1.Backup{Site: site, Epoch: h.Epoch, N: h.N, TimeMs: h.TimeMs, Label: h.Label})
		}
	}
	n := b.s.nodes
	if n == nil {
		put("", b.s.data.held())
		return out
	}
	records, err := b.s.core.sites()
	if err != nil {
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, nodeTimeout)
	defer cancel()
	answers := make([][]Held, len(records))
	var all sync.WaitGroup
	for i, r := range records {
		all.Go(func() { _ = n.ask(ctx, r.Addr, "GET", "/v1/held", nil, &answers[i]) })
	}
	all.Wait()
	for i, r := range records {
		put(r.Site, answers[i])
	}
	return out
}

// tell puts into an answer up to when the archive reaches, and what is wrong with it. Nothing where there is none.
func (s *ArchiveStatus) tell(out *apiv1.GetBackupsResponse, now time.Time) {
	if s == nil {
		return
	}
	behind := uint64(max(s.BehindSeconds, 0) * 1000)
	if s.N > 0 {
		out.ArchivedToMs = uint64(now.UnixMilli()) - behind
	}
	out.ArchiveBehindMs, out.ArchiveMatters = behind, mattersOf(append(s.alarms(now), s.passing()...))
}

// tellHeld answers another node what this one holds.
func (n *nodes) tellHeld(w http.ResponseWriter, _ *http.Request) { reply(w, n.data.held(), nil) }

// operations are what the gateway's service for operators asks.
func (s *Server) operations() *gateway.Operations {
	o := &gateway.Operations{Sites: s.board.sites, Watch: s.board.watch, Backups: s.board.backups}
	if s.o.Node != nil && s.o.Node.Control != "" {
		c := control{s.o.Node.Control}
		o.Drill, o.MayBurn, o.Burn, o.Light = c.drill, c.mayBurn, c.burn, c.light
	}
	return o
}

// status is how the cell is, of one machine too.
func (s *Server) status(ctx context.Context) (st Status, err error) {
	if why := s.nodes.outOf(); why != nil {
		return s.nodes.supersededStatus(s.URL(), why), nil
	}
	if s.nodes != nil {
		st, err = s.nodes.status(ctx)
	} else {
		one := SiteStatus{State: SiteReady, Votes: true, URL: s.URL(), Leader: true, N: s.core.node.Position().N, Version: s.o.Version}
		if err := s.core.node.Ready(); err != nil {
			one.State, one.Because = SiteNotReady, err.Error()
		}
		st.Sites = []SiteStatus{one}
		st.say()
		st.Archive = s.archive.status(s.core)
		st.sayArchive(time.Now())
	}
	if err == nil {
		s.alarm.add(&st)
	}
	return st, err
}
