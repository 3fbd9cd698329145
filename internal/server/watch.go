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
	Site    string       `json:"site"`
	State   status.State `json:"state"`
	Refuses bool         `json:"refuses,omitempty"`
	Slow    bool         `json:"slow,omitempty"`
	// Rev changes with the incidents, which are left out for who has them.
	Rev       string            `json:"rev"`
	Incidents []status.Incident `json:"incidents,omitempty"`
}

// watch looks once a second at how the sites are, opens and closes incidents, and tells the page.
type watch struct {
	s      *Server
	page   *status.Page
	client *http.Client
	// said is what this node tells others, heard what they told last; heard is of the looking goroutine alone.
	said  atomic.Pointer[says]
	heard map[string]*heard
	w     *status.Watcher
	// formed: this node has been ready, in this process or an earlier one.
	formed atomic.Bool
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
}

// newWatch reads what was kept. A file that cannot be read is no reason not to start: it is logged, and begun again.
func newWatch(s *Server, page *status.Page) *watch {
	b, err := os.ReadFile(s.data.path(incidentsFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.o.Logger.Warn("the incidents of before cannot be read", "cause", err)
	}
	w := &watch{s: s, page: page, heard: map[string]*heard{}, w: status.NewWatcher(status.Decode(b)), boot: rand.Text(), save: make(chan []byte, 1)}
	w.formed.Store(s.data.Meta.Formed)
	if s.nodes != nil {
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
	sites := w.ask(ctx, at)
	if ctx.Err() != nil {
		return // what was not answered says nothing
	}
	wait := w.s.core.node.Waited()
	here := w.site()
	for i := range sites {
		if sites[i].Name == here {
			sites[i] = w.own(sites[i].URL, wait)
		}
	}
	if w.w.See(status.Look{At: at, Here: here, Sites: sites, Wait: wait}) {
		w.rev++
		select {
		case <-w.save: // an older state that was not written yet
		default:
		}
		w.save <- status.Encode(w.w.Incidents())
	}
	w.say(wait)
	lists := [][]status.Incident{w.w.Incidents()}
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
	node := w.s.core.node
	s := status.Site{Name: w.site(), URL: url, State: status.Up, Refuses: node.Stats().DiskFull != "" || wait >= stoppedFrom, Slow: wait >= slowFrom}
	switch n := w.s.nodes; {
	case n != nil && n.draining.Load():
		s.State = status.Draining
	case node.Ready() == nil:
		w.formed.Store(true)
	case !w.formed.Load():
		s.State = status.Joining
	default:
		s.State = status.NotReady
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
	s.State = w.own("", 0).State // as it is now, not as it was at the last look
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
			if w.s.nodes.askWith(ctx, w.client, m.addr, "GET", "/v1/incidents?have="+url.QueryEscape(have), nil, &a) == nil && a.Site == m.name {
				answers[i] = &a
			}
		}()
	}
	for range sites {
		<-done
	}
	for i, a := range answers {
		out[i].State = stateOf(a, w.heard[sites[i].name])
		if a == nil {
			continue
		}
		out[i].Refuses, out[i].Slow = a.Refuses, a.Slow
		if h := w.heard[a.Site]; h != nil && h.Rev == a.Rev {
			a.Incidents = h.Incidents
		}
		w.heard[a.Site] = &heard{*a, at}
	}
	return out
}

// stateOf is how a site is by its answer, or without one by the last. One that has sent its people elsewhere and is gone was
// stopped on purpose.
func stateOf(a *says, last *heard) status.State {
	switch {
	case a != nil:
		return a.State
	case last != nil && last.State == status.Draining:
		return status.Draining
	}
	return status.Silent
}

// known are the sites of the cell, by name: those that are written in it, or else those of this node's file.
func (w *watch) known() (sites []member) {
	cfg := w.s.nodes.cfg
	if records, err := w.s.core.log.KnownNodes(); err == nil {
		for _, r := range records {
			if r.Site != "" {
				sites = append(sites, member{r.Site, r.Addr, r.URL})
			}
		}
	}
	if !slices.ContainsFunc(sites, func(m member) bool { return m.name == cfg.Site }) {
		sites = nil
		for _, s := range cfg.Cluster.Sites {
			sites = append(sites, member{name: s.Name, addr: s.Node})
		}
	}
	slices.SortFunc(sites, func(a, b member) int { return strings.Compare(a.name, b.name) })
	// A site that is being rebuilt may be there twice for a moment.
	return slices.CompactFunc(sites, func(a, b member) bool { return a.name == b.name })
}
