package server

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/status"
)

const (
	// incidentsFile holds what went wrong, as JSON lines, in the data directory.
	incidentsFile = "incidents.jsonl"
	// lookEvery is between two looks at how the sites and this node's own sends are.
	lookEvery = time.Second
	// lookTimeout is how long another site has to answer. It is shorter than nodeTimeout: a look must not be late for the next.
	lookTimeout = 900 * time.Millisecond
	// slowFrom is how long acknowledgements take when sends are called slow.
	slowFrom = time.Second
	// stoppedFrom is how long they take when sends are called stopped.
	stoppedFrom = 5 * time.Second
	// stillTrue is for how long what another site said of an incident that lasts is repeated when it says nothing any more.
	stillTrue = 5 * time.Second
)

// says is what a node tells others of how it is, for the public page. It holds nothing that a page may not show.
type says struct {
	standing
	Site    string       `json:"site"`
	State   status.State `json:"state"`
	Refuses bool         `json:"refuses,omitempty"`
	Slow    bool         `json:"slow,omitempty"`
	// Rev changes with the incidents, which are left out for who has them.
	Rev       string            `json:"rev"`
	Incidents []status.Incident `json:"incidents,omitempty"`
	// Pulse is for operators; the page is not shown it.
	Pulse *pulse `json:"pulse,omitempty"`
}

// watch looks once a second at how the sites are, opens and closes incidents, and tells the page.
type watch struct {
	s *Server
	// core is what this node has of one, which may be nothing yet.
	core   func() *core
	page   *status.Page
	client *http.Client
	// said is what this node tells others, heard what they told last; heard is of the looking goroutine alone.
	said  atomic.Pointer[says]
	heard map[string]*heard
	w     *status.Watcher
	// serves is since when this node has been serving.
	serves service
	// members are the sites of the cell as they were last read.
	members []member
	// boot and rev name what is told: the process and its changes.
	boot string
	rev  int
	save chan []byte
}

// member is a site that can be asked.
type member struct{ name, addr, url string }

type heard struct {
	says
	at time.Time
	// planned: it has sent its people elsewhere, and has not been up since.
	planned bool
}

// newWatch reads what was kept. A file that cannot be read is no reason not to start: it is logged, and begun again.
func newWatch(s *Server) *watch {
	b, err := os.ReadFile(s.data.path(incidentsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.o.Logger.Warn("the incidents of before cannot be read", "cause", err)
	}
	w := &watch{s: s, core: func() *core { return s.core }, page: s.page, heard: map[string]*heard{}, w: status.NewWatcher(status.Decode(b)), boot: rand.Text(),
		save: make(chan []byte, 1)}
	if s.nodes != nil {
		w.core = s.nodes.core.Load
		d := &net.Dialer{Timeout: lookTimeout}
		w.client = &http.Client{Transport: &http.Transport{TLSClientConfig: s.nodes.who.Client(), DialContext: d.DialContext, TLSHandshakeTimeout: lookTimeout,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second}}
	}
	w.say(0)
	return w
}

// run looks until ctx ends.
func (w *watch) run(ctx context.Context) {
	saved := make(chan struct{})
	go func() {
		defer close(saved)
		w.keep()
	}()
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			close(w.save)
			<-saved
			if w.client != nil {
				w.client.CloseIdleConnections()
			}
			return
		case <-t.C:
		}
	}
}

// keep writes incidents to disk, apart from the looks, which a slow disk must not hold up.
func (w *watch) keep() {
	for b := range w.save {
		if err := kernel.WriteDurably(w.s.data.path(incidentsFile), b); err != nil {
			w.s.o.Logger.Warn("an incident could not be written down", "cause", err)
		}
	}
}

// look is one look.
func (w *watch) look(ctx context.Context) {
	at := time.Now()
	w.s.board.note(w.site(), w.s.board.own(), at, 0)
	c := w.core()
	w.serves.see(at, c != nil && c.node.Ready() == nil)
	sites := w.ask(ctx, at)
	if ctx.Err() != nil {
		return // what was not answered says nothing
	}
	var wait time.Duration
	if c != nil && w.s.nodes.outOf() == nil {
		wait = c.node.Waited()
	}
	here := w.site()
	for i := range sites {
		if sites[i].Name == here {
			sites[i] = w.own(sites[i].URL, wait)
		}
	}
	changed := w.w.See(status.Look{At: at, Here: here, Sites: sites, Wait: wait})
	for _, h := range w.heard {
		changed = w.w.Learn(h.Incidents) || changed
	}
	own := w.w.Incidents()
	if changed || slices.ContainsFunc(own, func(i status.Incident) bool { return !i.Over() }) { // while one lasts its wait changes
		w.rev++
	}
	if changed {
		select {
		case <-w.save: // an older state that was not written yet
		default:
		}
		w.save <- status.Encode(own)
	}
	w.say(wait)
	lists := [][]status.Incident{own}
	for _, h := range w.heard {
		list := h.Incidents
		if at.Sub(h.at) > stillTrue {
			list = slices.DeleteFunc(slices.Clone(list), func(i status.Incident) bool { return !i.Over() })
		}
		lists = append(lists, list)
	}
	ready := slices.ContainsFunc(sites, func(s status.Site) bool { return s.Name == here && s.State == status.Up })
	for i := range sites {
		if sites[i].State == status.Silent && !ready {
			sites[i].State = status.Unknown
		}
	}
	w.page.Show(status.View{At: at, Here: here, Sites: sites, Incidents: status.Merge(lists...)})
}

// site is the name of this one; empty: this machine is all there is.
func (w *watch) site() string {
	if w.s.nodes == nil {
		return ""
	}
	return w.s.nodes.cfg.Site
}

// own is how this node is.
func (w *watch) own(url string, wait time.Duration) status.Site {
	s := status.Site{Name: w.site(), URL: url, State: status.NotReady}
	n, c := w.s.nodes, w.core()
	switch {
	case n.outOf() != nil:
		s.State = status.Superseded
	case n != nil && n.draining.Load():
		s.State = status.Draining
	case c != nil && c.node.Ready() == nil:
		s.State = status.Up
	case n != nil && !n.wasReady.Load():
		s.State = status.Joining
	}
	if c != nil {
		s.Refuses, s.Slow = c.node.Stats().DiskFull != "" || wait >= stoppedFrom, wait >= slowFrom
	}
	return s
}

// say makes what others are told.
func (w *watch) say(wait time.Duration) {
	own := w.own("", wait)
	w.said.Store(&says{Site: own.Name, State: own.State, Refuses: own.Refuses, Slow: own.Slow, Rev: w.boot + strconv.Itoa(w.rev), Incidents: w.w.Incidents()})
}

// tell answers another node that has the incidents of a revision.
func (w *watch) tell(have string) says {
	s := w.said.Load().since(have)
	s.Pulse = w.s.board.own()
	s.State = w.own("", 0).State // as it is now, not as it was at the last look
	s.standing = w.s.nodes.standing()
	return s
}

// since leaves the incidents out for who has them.
func (s says) since(have string) says {
	if s.Rev == have {
		s.Incidents = nil
	}
	return s
}

// ask asks the other sites, all at once. The answer lists every site, this one too, in the order of their names.
func (w *watch) ask(ctx context.Context, at time.Time) []status.Site {
	if w.s.nodes == nil {
		return []status.Site{{}}
	}
	sites := w.known()
	out := make([]status.Site, len(sites))
	answers := make([]*says, len(sites))
	done := make(chan struct{}, len(sites))
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	for i, m := range sites {
		out[i] = status.Site{Name: m.name, URL: m.url}
		if m.name == w.site() {
			done <- struct{}{}
			continue
		}
		have := ""
		if h := w.heard[m.name]; h != nil {
			have = h.Rev
		}
		go func() {
			defer func() { done <- struct{}{} }()
			var a says
			begun := time.Now()
			if w.s.nodes.askWith(ctx, w.client, m.addr, "GET", "/v1/incidents?have="+url.QueryEscape(have), nil, &a) == nil && a.Site == m.name {
				answers[i] = &a
				w.s.board.note(m.name, a.Pulse, at, time.Since(begun))
			}
		}()
	}
	for range sites {
		<-done
	}
	for i, a := range answers {
		last := w.heard[sites[i].name]
		out[i].State = stateOf(a, last)
		if a == nil {
			continue
		}
		out[i].Refuses, out[i].Slow = a.Refuses, a.Slow
		if last != nil && last.Rev == a.Rev {
			a.Incidents = last.Incidents
		}
		w.heard[a.Site] = &heard{*a, at, out[i].State == status.Draining}
		w.heed(a)
	}
	return out
}

// stateOf is how a site is by its answer and by what was heard before. One that has sent its people elsewhere was stopped on
// purpose: it is not missed until it has been up again.
func stateOf(a *says, last *heard) status.State {
	planned := last != nil && last.planned
	switch {
	case planned && (a == nil || a.State == status.NotReady):
		return status.Draining
	case a == nil:
		return status.Silent
	}
	return a.State
}

// known are the sites of the cell, by name: those that are written in it, or else those of this node's file.
func (w *watch) known() (sites []member) {
	cfg := w.s.nodes.cfg
	if c := w.core(); c != nil {
		if records, err := c.sites(); err == nil {
			w.members = nil
			for _, r := range records {
				w.members = append(w.members, member{r.Site, r.Addr, r.URL})
			}
		}
	}
	sites = w.members
	if !slices.ContainsFunc(sites, func(m member) bool { return m.name == cfg.Site }) {
		sites = nil
		for _, s := range cfg.Cluster.Sites {
			sites = append(sites, member{name: s.Name, addr: s.Node})
		}
		slices.SortFunc(sites, func(a, b member) int { return strings.Compare(a.name, b.name) })
	}
	return sites
}
