package web

import (
	"bytes"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
)

// A page of one site goes on at another when its own is gone. For that the page names in its policy, and tells its script,
// which the other sites are: the same list in both, as it is when the page is served. And a service worker keeps the page and
// the scripts of its build.

const (
	// sitesHere stands in the page where the other sites belong, filesHere in the worker where the files to keep belong.
	sitesHere  = "__SITES__"
	filesHere  = "__FILES__"
	workerName = "sw.js"
)

// SetOrigins says which origins the sites of the system have, now and whenever it is asked.
func (s *Site) SetOrigins(list func() []string) { s.origins.Store(&list) }

// elsewhere are the origins of the other sites, if this request came to one of the sites by the name that is in the list. Who
// came by another name is of an origin that the other sites do not know.
func (s *Site) elsewhere(r *http.Request) []string {
	list := s.origins.Load()
	if list == nil {
		return nil
	}
	var others []string
	here := false
	for _, o := range (*list)() {
		u, err := url.Parse(o)
		if err != nil || !plainHost(u.Host) || o != u.Scheme+"://"+u.Host || u.Scheme != "http" && u.Scheme != "https" {
			continue // nothing else may get into a policy
		}
		if strings.EqualFold(u.Host, r.Host) {
			here = true
		} else {
			others = append(others, o)
		}
	}
	if !here {
		return nil
	}
	return others
}

// page serves the page, with the other sites in it.
func (s *Site) page(w http.ResponseWriter, r *http.Request) {
	others := s.elsewhere(r)
	policy(w.Header(), r, others)
	s.serve(w, r, s.pages.with(s.files["index.html"], strings.Join(others, " ")), askFirst)
}

// pages are the page as it was served lately, by the sites in it.
type pages struct {
	mu   sync.Mutex
	made map[string]*file
}

// mostPages is more than there are sites; lists that have changed are forgotten some time.
const mostPages = 16

func (p *pages) with(f *file, sites string) *file {
	p.mu.Lock()
	defer p.mu.Unlock()
	if have := p.made[sites]; have != nil {
		return have
	}
	if p.made == nil || len(p.made) >= mostPages {
		p.made = map[string]*file{}
	}
	made := &file{name: f.name, kind: f.kind, text: bytes.ReplaceAll(f.text, []byte(sitesHere), []byte(html.EscapeString(sites)))}
	made.gzip = sync.OnceValue(made.zipped)
	p.made[sites] = made
	return made
}

// shell is the list of what the worker keeps from the beginning: scripts and styles, with which the page opens and every part
// of it. Pictures and fonts are kept when they have been used.
func (s *Site) shell() []byte {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(s.files)), func(name string) bool {
		ext := path.Ext(name)
		return ext != ".js" && ext != ".css"
	})
	if names == nil {
		names = []string{}
	}
	b, _ := json.Marshal(names)
	return b
}
