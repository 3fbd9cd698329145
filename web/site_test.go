package web

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func testBuild() fstest.MapFS {
	return fstest.MapFS{
		"index.html":           {Data: []byte(`<!doctype html><script type="module" src="/a/__BUILD__/app.js"></script>`)},
		"app.js":               {Data: []byte("console.log('" + strings.Repeat("봉화 ", 500) + "')")},
		"app.css":              {Data: []byte("body{color:red}")},
		"fonts/a.woff2":        {Data: []byte("wOF2 0123456789")},
		"manifest.webmanifest": {Data: []byte(`{"icons":[{"src":"/a/__BUILD__/icon.png"}]}`)},
		"icon.png":             {Data: []byte("\x89PNG")},
		"favicon.svg":          {Data: []byte("<svg/>")},
	}
}

func newSite(t *testing.T, fsys fstest.MapFS) *Site {
	t.Helper()
	s, err := New(fsys, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(s *Site, method, path string, header ...string) *http.Response {
	r := httptest.NewRequest(method, "http://bonghwa.test:8080"+path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFilesOfTheBuild(t *testing.T) {
	s := newSite(t, testBuild())
	at := "/a/" + s.Build() + "/"
	for name, kind := range map[string]string{
		"app.js": "text/javascript; charset=utf-8", "app.css": "text/css; charset=utf-8", "fonts/a.woff2": "font/woff2",
		"manifest.webmanifest": "application/manifest+json", "icon.png": "image/png", "favicon.svg": "image/svg+xml",
	} {
		r := get(s, "GET", at+name)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != kind || r.Header.Get("Cache-Control") != keepForEver {
			t.Errorf("%s: %d %v", name, r.StatusCode, r.Header)
		}
		if got := body(t, r); strings.Contains(got, placeholder) || got == "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if r := get(s, "GET", at+"fonts/a.woff2", "Range", "bytes=5-7"); r.StatusCode != 206 || body(t, r) != "012" {
		t.Errorf("a part of a font: %d", r.StatusCode)
	}
}

func TestUnknownIs404AndNotKept(t *testing.T) {
	s := newSite(t, testBuild())
	at := "/a/" + s.Build() + "/"
	for _, p := range []string{
		"/a/0000000000000000/app.js", "/a/", "/a", "/a/" + s.Build(), at, at + "nothing.js", at + "index.html", at + "fonts", at + "fonts/",
		at + "../index.html", at + "./app.js", at + "/app.js", at + "fonts/../app.js", "/app.js", "/index.html", "/icon.png", "/favicon.ico", "/.env",
		"/../web/site.go", "/chats/../../x.go", "/api", "/live/x", "/healthz/x", "/metrics/x", "/debug/pprof",
	} {
		r := get(s, "GET", p)
		if r.StatusCode != 404 || r.Header.Get("Cache-Control") != keepNot {
			t.Errorf("%s: %d %s", p, r.StatusCode, r.Header.Get("Cache-Control"))
		}
		if r.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s has no policy", p)
		}
	}
}

func TestThePage(t *testing.T) {
	s := newSite(t, testBuild())
	for _, p := range []string{"/", "/chats", "/chats/abcdef", "/friends", "/more/devices", "/api-of-mine"} {
		r := get(s, "GET", p)
		if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-cache" || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %v", p, r.StatusCode, r.Header)
		}
		if got := body(t, r); !strings.Contains(got, "/a/"+s.Build()+"/app.js") {
			t.Errorf("%s does not name the build: %s", p, got)
		}
	}
	for _, p := range []string{"/manifest.webmanifest", "/favicon.svg"} {
		if r := get(s, "GET", p); r.StatusCode != 200 || r.Header.Get("Cache-Control") != keepShort {
			t.Errorf("%s: %d %v", p, r.StatusCode, r.Header)
		}
	}
}

func TestHeadersOfThePage(t *testing.T) {
	h := get(newSite(t, testBuild()), "GET", "/").Header
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; " +
			"connect-src 'self' ws://bonghwa.test:8080 wss://bonghwa.test:8080; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; " +
			"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types bonghwa; report-uri /csp; report-to csp",
		"Reporting-Endpoints":          `csp="/csp"`,
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           permissions,
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
}

// A browser complains about an opener policy where the origin is not safe.
func TestOpenerPolicy(t *testing.T) {
	for host, want := range map[string]string{
		"localhost:8080": "same-origin", "127.0.0.1:8080": "same-origin", "[::1]:8080": "same-origin", "127.0.0.1": "same-origin", "[::1]": "same-origin",
		"192.168.0.10:8081": "", "desk.local:8081": "", "localhost.evil.test": "", "[fd00::1]:80": "", "": "",
	} {
		h := http.Header{"Cross-Origin-Opener-Policy": {"same-origin"}} // as the server sets it
		policy(h, &http.Request{Host: host}, nil)
		if got := h.Get("Cross-Origin-Opener-Policy"); got != want {
			t.Errorf("%q: %q", host, got)
		}
		for _, r := range []*http.Request{{Host: host, TLS: &tls.ConnectionState{}}, {Host: host, Header: http.Header{"X-Forwarded-Proto": {"https"}}}} {
			policy(h, r, nil)
			if h.Get("Cross-Origin-Opener-Policy") == "" {
				t.Errorf("%q by TLS has none", host)
			}
		}
	}
}

// A Host header must never add to the policy.
func TestPolicyTakesNoForeignWords(t *testing.T) {
	for host, named := range map[string]bool{
		"127.0.0.1:8080": true, "[::1]:8080": true, "desk.local:8443": true, "localhost": true,
		"x; script-src *": false, "x *": false, "a,b": false, "*": false, "": false, strings.Repeat("a", 300): false, "[fe80::1%25eth0]:80": false,
	} {
		h := http.Header{}
		policy(h, &http.Request{Host: host}, nil)
		got := h.Get("Content-Security-Policy")
		if strings.Contains(got, " ws://"+host+" wss://"+host+";") != named || strings.Contains(got, "%LIVE%") {
			t.Errorf("%q: %s", host, got)
		}
		if !named && !strings.Contains(got, "connect-src 'self';") {
			t.Errorf("%q: %s", host, got)
		}
	}
}

func TestCompression(t *testing.T) {
	s := newSite(t, testBuild())
	at := "/a/" + s.Build() + "/app.js"
	plain := body(t, get(s, "GET", at))
	for accept, want := range map[string]bool{
		"gzip": true, "gzip, deflate, br": true, "br;q=1, GZIP;q=0.5": true, "*": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.0, br": false,
	} {
		r := get(s, "GET", at, "Accept-Encoding", accept)
		if (r.Header.Get("Content-Encoding") == "gzip") != want || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %v", accept, r.Header)
			continue
		}
		got := body(t, r)
		if want {
			z, err := gzip.NewReader(strings.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			got = string(b)
		}
		if got != plain {
			t.Errorf("%q: another content", accept)
		}
	}
	if r := get(s, "GET", "/a/"+s.Build()+"/fonts/a.woff2", "Accept-Encoding", "gzip"); r.Header.Get("Content-Encoding") != "" {
		t.Error("a font is compressed twice")
	}
}

func TestMethods(t *testing.T) {
	s := newSite(t, testBuild())
	for _, p := range []string{"/", "/a/" + s.Build() + "/app.js", "/a/" + s.Build() + "/fonts/a.woff2"} {
		got, want := get(s, "HEAD", p), get(s, "GET", p)
		if got.StatusCode != 200 || got.Header.Get("Content-Length") != want.Header.Get("Content-Length") || body(t, got) != "" {
			t.Errorf("HEAD %s: %d %v", p, got.StatusCode, got.Header)
		}
		if r := get(s, "POST", p); r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d", p, r.StatusCode)
		}
	}
}

// The name of a build depends on names and contents, and on nothing else.
func TestBuildName(t *testing.T) {
	base := newSite(t, testBuild()).Build()
	if again := newSite(t, testBuild()).Build(); again != base || len(base) != 16 {
		t.Errorf("%q and %q", base, again)
	}
	for what, change := range map[string]func(fstest.MapFS){
		"content of a text":    func(m fstest.MapFS) { m["app.css"] = &fstest.MapFile{Data: []byte("body{color:tan}")} },
		"content of a picture": func(m fstest.MapFS) { m["icon.png"] = &fstest.MapFile{Data: []byte("\x89PNH")} },
		"a name":               func(m fstest.MapFS) { m["app2.css"] = m["app.css"]; delete(m, "app.css") },
		"a new file":           func(m fstest.MapFS) { m["b.js"] = &fstest.MapFile{} },
		"moved bytes": func(m fstest.MapFS) {
			m["app.css"], m["app.js"] = &fstest.MapFile{Data: m["app.css"].Data[:3]}, &fstest.MapFile{Data: append(bytes.Clone(m["app.css"].Data[3:]), m["app.js"].Data...)}
		},
	} {
		m := testBuild()
		change(m)
		if newSite(t, m).Build() == base {
			t.Errorf("%s does not change the name", what)
		}
	}
}

func TestBuildsThatAreRefused(t *testing.T) {
	if _, err := New(fstest.MapFS{"app.js": {}}, nil); err == nil {
		t.Error("a build without a page is served")
	}
	m := testBuild()
	m["app.exe"] = &fstest.MapFile{}
	if _, err := New(m, nil); err == nil {
		t.Error("a file of an unknown kind is served")
	}
}
