package gateway

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Pages of one site talk to the others when their own is gone. So the origins of the sites, and no other, may call /api and
// open /live. Calls carry their token in a header: no cookies, no credentials of the browser.

// OriginsTaker is a Root that serves pages, and must name in their policy where else they may connect to.
type OriginsTaker interface{ SetOrigins(list func() []string) }

// origins are those of the sites, as browsers write them.
func (g *Gateway) origins() []string {
	_, all := g.sites()
	list := make([]string, 0, len(all))
	for _, s := range all {
		if o := originOf(s.Url); o != "" {
			list = append(list, o)
		}
	}
	return list
}

// originOf is the origin of an address as browsers write it: in lower case, without the port that goes without saying.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	if p := u.Port(); p == "" || u.Scheme == "http" && p == "80" || u.Scheme == "https" && p == "443" {
		host = strings.TrimSuffix(host, ":"+p)
	}
	return u.Scheme + "://" + host
}

// sameOrigin lets pages of this server and programs without an origin in. A token in the first frame is needed all the
// same; this keeps other pages from guessing at all.
func sameOrigin(r *http.Request) bool {
	o := r.Header.Get("Origin")
	if o == "" {
		return true
	}
	u, err := url.Parse(o)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, r.Host)
}

// siteOrigin is the origin of a request that comes from a page of another site of the system; empty: it does not.
func (g *Gateway) siteOrigin(r *http.Request) string {
	o := r.Header.Get("Origin")
	if o == "" || sameOrigin(r) || !slices.Contains(g.origins(), o) {
		return ""
	}
	return o
}

// callers lets pages of the other sites make calls. To every other page the answers are as they would be without it, and its
// browser keeps them from it.
func (g *Gateway) callers(next http.Handler) http.Handler {
	if g.o.Sites == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Origin")
		o := g.siteOrigin(r)
		if o == "" {
			next.ServeHTTP(w, r)
			return
		}
		h.Set("Access-Control-Allow-Origin", o)
		if r.Method != http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Methods", http.MethodPost)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Connect-Protocol-Version, Connect-Timeout-Ms")
		h.Set("Access-Control-Max-Age", "7200")
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNoContent)
	})
}
