package gateway

import (
	"slices"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// sites are those of the system, in the order of their names; none: this server is alone.
func (g *Gateway) sites() (here string, all []*apiv1.Site) {
	if g.o.Sites == nil {
		return "", nil
	}
	return g.o.Sites()
}

// sitesFrame says where else a client can go; nil: nowhere.
func (g *Gateway) sitesFrame() *livev1.Frame {
	here, all := g.sites()
	if len(all) == 0 {
		return nil
	}
	return &livev1.Frame{Body: &livev1.Frame_Sites{Sites: &livev1.Sites{Here: here, Sites: all}}}
}

// tellSites sends the list to everybody when it has changed. The lists that were told with a Welcome are the same one or a
// newer one.
func (h *Hub) tellSites() {
	f := h.g.sitesFrame()
	list := f.GetSites().GetSites()
	same := slices.EqualFunc(list, h.toldSites, func(a, b *apiv1.Site) bool { return a.Name == b.Name && a.Url == b.Url })
	if same || f == nil {
		return
	}
	h.toldSites = list
	h.mu.Lock()
	var live []*Session
	for s := range h.mu.sessions {
		if s.state == stateLive {
			live = append(live, s)
		}
	}
	h.mu.Unlock()
	for _, s := range live {
		s.out.Send(encode(s.json, f))
		s.out.Flush()
	}
}
