package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// The status page is there for everybody, also when this node answers nothing else, and under a policy of its own.
func TestStatusPageIsServedInEveryState(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "its own")
		_, _ = w.Write([]byte(r.URL.Path))
	})
	for _, with := range []bool{true, false} {
		r := newRig(t, func(o *Options) {
			if with {
				o.Status = page
			}
		})
		late := error(errors.Join(kernel.ErrNotReady))
		r.k.ready.Store(&late)
		for _, path := range []string{"/status", "/status.json"} {
			w := httptest.NewRecorder()
			r.g.Handler().ServeHTTP(w, httptest.NewRequest("GET", path+"?lang=en", nil))
			got := w.Code == http.StatusOK && w.Body.String() == path && w.Header().Get("Content-Security-Policy") == "its own" &&
				w.Header().Get("X-Content-Type-Options") == "nosniff"
			if got != with {
				t.Errorf("%s, with a page %v: %d %v %s", path, with, w.Code, w.Header(), w.Body)
			}
		}
	}
}

// A node that has no views yet says so, and serves what needs none.
func TestWaiting(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("page")) })
	root := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("client")) })
	h := Waiting(Options{Status: page, Root: root, Hosts: []string{"known.example"}})
	loopback := ListenerContext(t.Context(), listenerAt{netip.MustParseAddrPort("127.0.0.1:8080")})
	for target, want := range map[string]int{
		"http://known.example/status": 200, "http://known.example/status.json": 200, "http://known.example/": 200, "http://known.example/healthz": 200,
		"http://known.example/readyz": 503, "http://known.example/live": 503, "http://known.example/metrics": 503,
		"http://known.example/api/bonghwa.api.v1.ChatService/Send": 503, "http://other.example/status": 421,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", target, nil).WithContext(loopback))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
}
