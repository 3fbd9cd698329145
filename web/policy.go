package web

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// reportPath is where browsers report what the policy has stopped.
const reportPath = "/csp"

// contentPolicy is the same for every answer but for the addresses of live connections and, in that of the page, of the other
// sites. The one Trusted Types policy makes the address of the service worker, and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; " +
	"connect-src 'self'%LIVE%; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types bonghwa; report-uri " + reportPath + "; report-to csp"

// permissions turns off what the page does not use.
const permissions = "accelerometer=(), autoplay=(self), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"

// policy sets the headers that every answer of the page has. sites are the origins of other sites, for the page only.
func policy(h http.Header, r *http.Request, sites []string) {
	host := r.Host
	live := ""
	if plainHost(host) {
		// 'self' covers WebSockets too, but not in Safari before 15.4. Whether the browser came by TLS is not known
		// behind a proxy that encrypts: both are named, and an encrypted page opens only the second.
		live = " ws://" + host + " wss://" + host
	}
	for _, o := range sites {
		live += " " + o + " ws" + strings.TrimPrefix(o, "http")
	}
	h.Set("Content-Security-Policy", strings.Replace(contentPolicy, "%LIVE%", live, 1))
	h.Set("Reporting-Endpoints", `csp="`+reportPath+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Permissions-Policy", permissions)
	if trusted(r) {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	} else { // browsers ignore it then, and complain
		h.Del("Cross-Origin-Opener-Policy")
	}
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// trusted says that a browser takes the page's origin for a safe one: it came by TLS, here or to what stands in front, or
// from this machine.
func trusted(r *http.Request) bool {
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		return true
	}
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = r.Host
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && a.IsLoopback()
}

// plainHost says that a Host header is a name or address with or without a port, and nothing that would change the
// meaning of a policy.
func plainHost(host string) bool {
	if _, err := netip.ParseAddrPort(host); err == nil {
		return !strings.Contains(host, "%")
	}
	if host == "" || len(host) > 255 {
		return false
	}
	for _, c := range []byte(host) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_' || c == ':') {
			return false
		}
	}
	return true
}

// Bounds of reports: each request, and how many are looked at in a minute. The rest is counted unread.
const (
	maxReport        = 16 << 10
	maxReportsAtOnce = 16
	reportsPerMinute = 30
)

// directives that a report may name; a label of the metric never comes from outside.
var directives = map[string]bool{}

func init() {
	for _, d := range []string{"default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem", "style-src-attr",
		"img-src", "font-src", "connect-src", "manifest-src", "media-src", "object-src", "frame-src", "worker-src", "base-uri", "form-action",
		"frame-ancestors", "require-trusted-types-for", "trusted-types"} {
		directives[d] = true
	}
}

// reports takes violation reports: counts them by directive, and logs directive and the blocked origin, nothing else.
type reports struct {
	log   *slog.Logger
	count *prometheus.CounterVec
	rate  *rate
}

func newReports(log *slog.Logger) reports {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return reports{log: log, rate: &rate{}, count: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "bonghwa_csp_reports_total", Help: "Violations of the page's content policy that browsers reported.",
	}, []string{"directive"})}
}

// Metrics are the counters of the site.
func (s *Site) Metrics() prometheus.Collector { return s.reports.count }

// violation is what is read of a report, in the old format and in the new one.
type violation struct {
	Effective  string `json:"effectiveDirective"`
	Blocked    string `json:"blockedURL"`
	Effective1 string `json:"effective-directive"`
	Violated1  string `json:"violated-directive"`
	Blocked1   string `json:"blocked-uri"`
}

func (p reports) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "Reports are POST only.")
		return
	}
	// Pages of other origins cannot send these types without asking first, and are not answered then.
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if kind = strings.TrimSpace(kind); kind != "application/csp-report" && kind != "application/reports+json" {
		refuse(w, http.StatusUnsupportedMediaType, "This is not a report.")
		return
	}
	w.Header().Set("Cache-Control", keepNot)
	if !p.rate.take(time.Now()) {
		p.count.WithLabelValues("unread").Inc()
		w.WriteHeader(http.StatusNoContent)
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	list := violations(b)
	if err != nil || len(list) == 0 {
		refuse(w, http.StatusBadRequest, "The report cannot be read.")
		return
	}
	for _, v := range list {
		directive, origin := v.directive(), originOf(v.Blocked+v.Blocked1)
		p.count.WithLabelValues(directive).Inc()
		p.log.Warn("the page's content policy stopped something", "directive", directive, "blocked", origin)
	}
	w.WriteHeader(http.StatusNoContent)
}

// violations reads a body of either format.
func violations(b []byte) (list []violation) {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		var many []struct {
			Type string    `json:"type"`
			Body violation `json:"body"`
		}
		if json.Unmarshal(b, &many) != nil {
			return nil
		}
		for _, m := range many[:min(len(many), maxReportsAtOnce)] {
			if m.Type == "csp-violation" {
				list = append(list, m.Body)
			}
		}
		return list
	}
	var one struct {
		Report *violation `json:"csp-report"`
	}
	if json.Unmarshal(b, &one) != nil || one.Report == nil {
		return nil
	}
	return []violation{*one.Report}
}

func (v violation) directive() string {
	for _, d := range []string{v.Effective, v.Effective1, v.Violated1} {
		d, _, _ = strings.Cut(d, " ")
		if directives[d] {
			return d
		}
	}
	return "other"
}

// originOf is the origin of a blocked address, or the browser's word for what has none. Paths may hold secrets.
func originOf(blocked string) string {
	switch blocked {
	case "inline", "eval", "wasm-eval", "trusted-types-policy", "trusted-types-sink", "self", "data", "blob":
		return blocked
	}
	u, err := url.Parse(blocked)
	if err != nil || !plainHost(u.Host) || len(u.Host) > 100 {
		return "other"
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
		return u.Scheme + "://" + u.Host
	}
	return "other"
}

// rate lets so many reports through in each minute.
type rate struct {
	mu     sync.Mutex
	minute int64
	n      int
}

func (r *rate) take(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := now.Unix() / 60; m != r.minute {
		r.minute, r.n = m, 0
	}
	r.n++
	return r.n <= reportsPerMinute
}
