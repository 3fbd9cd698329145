package gateway

import (
	"net/http"
	"strings"
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// Pages of the sites, and of no other place, may call and connect.
func TestOriginsOfSites(t *testing.T) {
	list := []*apiv1.Site{{Name: "busan", Url: "https://Busan.test:443/"}, {Name: "seoul", Url: "http://seoul.test:8080"}}
	w := newWeb(t, func(o *Options) { o.Sites = func() (string, []*apiv1.Site) { return "seoul", list } })
	ask := func(method, path, origin string) *http.Response {
		t.Helper()
		body := ""
		if method == http.MethodPost {
			body = "{}"
		}
		req, err := http.NewRequest(method, w.srv.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Access-Control-Request-Method", "POST")
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		return r
	}
	const call = "/api/bonghwa.api.v1.AccountService/GetServer"
	of := func(h http.Header) string { return h.Get("Access-Control-Allow-Origin") }
	for _, o := range []string{"https://busan.test", "http://seoul.test:8080"} {
		r := ask(http.MethodOptions, call, o)
		if r.StatusCode != 204 || of(r.Header) != o || r.Header.Get("Access-Control-Allow-Methods") != "POST" ||
			!strings.Contains(r.Header.Get("Access-Control-Allow-Headers"), "Authorization") || !strings.Contains(strings.Join(r.Header.Values("Vary"), ","), "Origin") {
			t.Errorf("asked before by %s: %d %v", o, r.StatusCode, r.Header)
		}
		if r := ask(http.MethodPost, call, o); r.StatusCode != 200 || of(r.Header) != o {
			t.Errorf("called by %s: %d %v", o, r.StatusCode, r.Header)
		}
		// A refusal is to be read too.
		if r := ask(http.MethodPost, "/api/bonghwa.api.v1.PeopleService/ListFriends", o); r.StatusCode != 401 || of(r.Header) != o {
			t.Errorf("refused to %s: %d %v", o, r.StatusCode, r.Header)
		}
		if r := ask(http.MethodGet, "/live", o); r.StatusCode != http.StatusUpgradeRequired {
			t.Errorf("/live for %s: %d", o, r.StatusCode)
		}
		// Nothing else is opened to them, and no credentials of the browser are.
		for _, path := range []string{"/healthz", "/readyz", "/", "/metrics"} {
			if r := ask(http.MethodGet, path, o); of(r.Header) != "" {
				t.Errorf("%s is open to %s", path, o)
			}
		}
		if r.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("credentials are allowed")
		}
	}
	for _, o := range []string{"http://busan.test", "https://busan.test:8443", "https://busan.test.evil.test", "https://evil.test", "null", "https://BUSAN.test"} {
		if r := ask(http.MethodOptions, call, o); r.StatusCode != 405 || of(r.Header) != "" {
			t.Errorf("asked before by %s: %d %v", o, r.StatusCode, r.Header)
		}
		if r := ask(http.MethodPost, call, o); of(r.Header) != "" {
			t.Errorf("called by %s: %v", o, r.Header)
		}
		if r := ask(http.MethodGet, "/live", o); r.StatusCode != http.StatusForbidden {
			t.Errorf("/live for %s: %d", o, r.StatusCode)
		}
	}
	list = list[1:] // the list is as it is now
	if r := ask(http.MethodOptions, call, "https://busan.test"); of(r.Header) != "" {
		t.Error("a site that is gone may still call")
	}
	if r := ask(http.MethodPost, call, w.srv.URL); r.StatusCode != 200 || of(r.Header) != "" {
		t.Errorf("its own page: %d %v", r.StatusCode, r.Header)
	}
}
