package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
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
