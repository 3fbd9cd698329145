package gateway

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1/apiv1connect"
)

// Largest requests. A message of 40,000 bytes grows to 240,000 in JSON when a client escapes everything.
const (
	maxRequest = 256 << 10
	maxFrame   = 64 << 10
)

const csp = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

// routes is everything that is served over HTTP.
func (g *Gateway) routes() http.Handler {
	srv := connect.NewServer(g.errorWriter, g.authenticate, g.validateAll)
	apiv1connect.RegisterAccountServiceHandler(srv, accounts{g})
	apiv1connect.RegisterPeopleServiceHandler(srv, peoples{g})
	apiv1connect.RegisterChatServiceHandler(srv, chats{g})
	apiv1connect.RegisterOperatorServiceHandler(srv, operators{g})
	calls := http.NewServeMux()
	connecthttp.Mount(calls, srv, connecthttp.WithReadMaxBytes(maxRequest), connecthttp.WithCompressMinBytes(1024))

	mux := http.NewServeMux()
	mux.Handle("/api/", g.callers(http.StripPrefix("/api", private(calls))))
	mux.Handle("/live", g.live)
	mux.HandleFunc("/readyz", g.readyz)
	mux.Handle("/metrics", g.loopbackOnly(promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{})))
	g.public(mux)
	return secure(g.knownHost(mux))
}

// public serves what needs nothing of the cell.
func (g *Gateway) public(mux *http.ServeMux) {
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	if g.o.Status != nil {
		mux.Handle("/status", g.o.Status)
		mux.Handle("/status.json", g.o.Status)
	}
	root := g.o.Root
	if root == nil {
		root = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			say(w, http.StatusNotFound, "This is a Bonghwa server; docs/protocol.md says how to talk to it.")
		})
	}
	if page, ok := root.(OriginsTaker); ok {
		page.SetOrigins(g.origins)
	}
	mux.Handle("/", root)
}

// Waiting serves what a node can serve that has no views yet: health, the status page, and the web client, which then goes to
// another site. Of the options it needs Root, Hosts and Status.
func Waiting(o Options) http.Handler {
	g := &Gateway{o: o}
	mux := http.NewServeMux()
	g.public(mux)
	for _, path := range []string{"/api/", "/live", "/readyz", "/metrics"} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			say(w, http.StatusServiceUnavailable, "This site is not ready yet.")
		})
	}
	return secure(g.knownHost(mux))
}

func say(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, sentence+"\n")
}

// secure sets the headers that every answer has.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		// Under a certificate of the operator's a browser is not to be led back to where others read along. Not on loopback and
		// in the machine's network: names there are other servers' too, and the certificate of --lan is nobody's word.
		if r.TLS != nil && r.Context().Value(namesKey{}) == nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// private serves calls: POST only, so that nothing private gets into addresses and logs, and nothing is cached.
func private(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			say(w, http.StatusMethodNotAllowed, "Calls are POST only.")
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (g *Gateway) readyz(w http.ResponseWriter, _ *http.Request) {
	if g.live.draining() {
		say(w, http.StatusServiceUnavailable, "draining")
		return
	}
	if err := g.k.Ready(); err != nil {
		say(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	say(w, http.StatusOK, "ready")
}

func (g *Gateway) loopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		ip := net.ParseIP(host)
		// What a proxy on this machine passes on comes from somewhere else.
		passedOn := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" || r.Header.Get("Via") != ""
		if !g.o.PublicMetrics && (err != nil || ip == nil || !ip.IsLoopback() || passedOn) {
			say(w, http.StatusForbidden, "Metrics are shown to this machine only.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

type namesKey struct{}

// names are those under which a listener is reached: of loopback its own, of the network of the machine any address and what
// own says.
type names struct {
	network bool
	own     func() []string
}

// ListenerContext marks the connections of a listener that is for known names only: one on loopback, and one that says under
// which names its machine is found (Hosts). For the BaseContext of an http.Server.
func ListenerContext(ctx context.Context, l net.Listener) context.Context {
	if n, ok := l.(interface{ Hosts() []string }); ok {
		return context.WithValue(ctx, namesKey{}, names{network: true, own: n.Hosts})
	}
	if a, ok := l.Addr().(*net.TCPAddr); ok && a.IP.IsLoopback() {
		return context.WithValue(ctx, namesKey{}, names{own: func() []string { return []string{"localhost"} }})
	}
	return ctx
}

// knownHost keeps out pages of a foreign name that was made to lead to this machine (DNS rebinding): to a browser they
// are of one origin with what is served here. On a loopback listener only names of loopback are served, on one for the
// machine's network only addresses and the machine's names, and those in Options.Hosts on both; health tells nothing and is
// shown under any name.
func (g *Gateway) knownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, limited := r.Context().Value(namesKey{}).(names)
		if limited && r.URL.Path != "/healthz" && r.URL.Path != "/readyz" && !g.serves(n, r.Host) {
			if n.network {
				say(w, http.StatusMisdirectedRequest, "This server is found by the addresses and the name of its machine; its --lan-host adds another name.")
			} else {
				say(w, http.StatusMisdirectedRequest, "This server is for its own machine, under the names localhost and 127.0.0.1; --host adds the name of a proxy in front of it.")
			}
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (g *Gateway) serves(n names, host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return n.network || a.Unmap().IsLoopback() // an address cannot be made to lead elsewhere
	}
	for _, name := range append(n.own(), g.o.Hosts...) {
		if strings.EqualFold(host, name) {
			return true
		}
	}
	return false
}
