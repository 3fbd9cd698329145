package drill

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// What is let through after it was forbidden is a breach, at whichever site; what is refused, or not answered, is none.
func TestWardenSeesBreaches(t *testing.T) {
	var forbidden, let atomic.Bool
	site := func(lets func() bool) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if forbidden.Load() && !lets() {
				w.WriteHeader(http.StatusForbidden)
			}
			_, _ = w.Write([]byte("{}"))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	good, bad := site(func() bool { return false }), site(let.Load)
	for _, breached := range []bool{false, true} {
		forbidden.Store(false)
		let.Store(breached)
		w := newWarden([]string{good, bad, "http://127.0.0.1:1"}, http.DefaultTransport)
		w.every, w.binds = time.Millisecond, 0
		s := func() *suspect { return &suspect{w: w, n: map[string]uint64{}} }
		act := func(context.Context) error { forbidden.Store(true); return nil }
		r := round{thief: s(), member: s(), blocked: s(), room: "room", owner: "owner", revoke: act, leave: act, block: act}
		bans := r.bans()
		if err := w.possible(t.Context(), bans); err != nil {
			t.Fatal(err)
		}
		if err := w.forbid(t.Context(), bans); err != nil {
			t.Fatal(err)
		}
		for tried, found := 0, 0; tried < 20 || breached && found == 0; time.Sleep(time.Millisecond) {
			w.mu.Lock()
			tried, found = w.asked, len(w.breaches)
			w.mu.Unlock()
		}
		if breaches, asked := w.end(); (len(breaches) > 0) != breached || asked < 20 {
			t.Errorf("let through: %v; %d tries, %q", breached, asked, breaches)
		}
		if err := w.possible(t.Context(), bans); err == nil {
			t.Error("what is refused from the beginning proves nothing")
		}
	}
}
