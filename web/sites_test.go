package web

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func sitesBuild() fstest.MapFS {
	m := testBuild()
	m["index.html"] = &fstest.MapFile{Data: []byte(`<meta name="bonghwa-sites" content="__SITES__"><script src="/a/__BUILD__/app.js"></script>`)}
	m["sw.js"] = &fstest.MapFile{Data: []byte("const build = '__BUILD__', files = __FILES__")}
	return m
}

// connects is what the policy of an answer lets the page connect to, and what the page itself says of it.
func connects(t *testing.T, s *Site, host, path string) (policy, told string) {
	t.Helper()
	r := httptest.NewRequest("GET", "http://"+host+path, nil)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	_, rest, _ := strings.Cut(w.Header().Get("Content-Security-Policy"), "connect-src ")
	policy, _, _ = strings.Cut(rest, ";")
	_, rest, _ = strings.Cut(w.Body.String(), `content="`)
	told, _, _ = strings.Cut(rest, `"`)
	return policy, told
}

// The page may connect to its own site and to exactly the others, as they are when it is served.
func TestThePageNamesTheOtherSites(t *testing.T) {
	s := newSite(t, sitesBuild())
	own := func(host string) string { return "'self' ws://" + host + " wss://" + host }
	if p, told := connects(t, s, "seoul.test", "/"); p != own("seoul.test") || told != "" {
		t.Errorf("alone: %q and %q", p, told)
	}
	list := []string{"https://busan.test:8443", "https://daejeon.test", "http://seoul.test"}
	s.SetOrigins(func() []string { return list })
	others := "https://busan.test:8443 https://daejeon.test"
	want := own("seoul.test") + " https://busan.test:8443 wss://busan.test:8443 https://daejeon.test wss://daejeon.test"
	for range 2 {
		if p, told := connects(t, s, "seoul.test", "/room/x"); p != want || told != others {
			t.Errorf("%q and %q", p, told)
		}
	}
	// By another name it is of an origin that the others do not know.
	for _, host := range []string{"localhost", "seoul.test:8080", "evil.test"} {
		if p, told := connects(t, s, host, "/"); p != own(host) || told != "" {
			t.Errorf("as %s: %q and %q", host, p, told)
		}
	}
	// Nothing but the page gets more than before.
	for _, path := range []string{"/a/" + s.Build() + "/app.js", "/sw.js", "/nothing.txt", "/api", "/favicon.svg"} {
		if p, _ := connects(t, s, "seoul.test", path); p != own("seoul.test") {
			t.Errorf("%s: %q", path, p)
		}
	}
	list = []string{"http://daejeon.test:80", "http://seoul.test"}
	if p, told := connects(t, s, "seoul.test", "/"); !strings.HasSuffix(p, " http://daejeon.test:80 ws://daejeon.test:80") || told != "http://daejeon.test:80" {
		t.Errorf("after the list changed: %q and %q", p, told)
	}
	for _, bad := range []string{"https://x.test; script-src *", "https://*", "https://x.test/path", "ftp://x.test", "https://a b", "javascript:alert(1)", "https://u@x.test", ""} {
		list = []string{bad, "http://seoul.test"}
		if p, told := connects(t, s, "seoul.test", "/"); p != own("seoul.test") || told != "" {
			t.Errorf("%q is in it: %q and %q", bad, p, told)
		}
	}
	for i := range 100 {
		list = []string{"http://seoul.test", "http://n" + strings.Repeat("x", i) + ".test"}
		connects(t, s, "seoul.test", "/")
	}
	if n := len(s.pages.made); n > mostPages {
		t.Errorf("%d pages are kept", n)
	}
}

func TestTheWorker(t *testing.T) {
	s := newSite(t, sitesBuild())
	r := get(s, "GET", "/sw.js")
	if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-cache" || r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	if got, want := body(t, r), `const build = '`+s.Build()+`', files = ["app.css","app.js"]`; got != want {
		t.Errorf("%s", got)
	}
	if r := get(s, "GET", "/a/"+s.Build()+"/sw.js"); r.StatusCode != 404 {
		t.Errorf("under the build: %d", r.StatusCode)
	}
	if r := get(newSite(t, testBuild()), "GET", "/sw.js"); r.StatusCode != 404 {
		t.Errorf("of a build without one: %d", r.StatusCode)
	}
	m := sitesBuild()
	m["sw.js"] = &fstest.MapFile{Data: []byte("// another")}
	if newSite(t, m).Build() == s.Build() {
		t.Error("another worker is the same build")
	}
}
