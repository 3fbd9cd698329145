package demo

import (
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The binary holds the page and everything that it names.
func TestPage(t *testing.T) {
	ctx, cancel := bounded(t)
	defer cancel()
	p := start(t, "serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0")
	url := p.line(ctx, "address", 1)
	get := func(path string) (*http.Response, string) {
		t.Helper()
		r, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r, string(b)
	}
	r, page := get("/chats")
	if r.StatusCode != 200 || r.Header.Get("Cache-Control") != "no-cache" || !strings.Contains(r.Header.Get("Content-Security-Policy"), "require-trusted-types-for 'script'") {
		t.Fatalf("%d %v", r.StatusCode, r.Header)
	}
	named := regexp.MustCompile(`"(/a/[0-9a-f]{16}/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(named) < 3 {
		t.Fatalf("the page names %d files:\n%s", len(named), page)
	}
	for _, n := range named {
		if r, _ := get(n[1]); r.StatusCode != 200 || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", n[1], r.StatusCode, r.Header)
		}
	}
	if strings.Contains(page, "<style") || strings.Contains(page, "style=") || regexp.MustCompile(`<script[^>]*>[^<]`).MatchString(page) {
		t.Errorf("the page holds a script or a style, which its policy stops:\n%s", page)
	}
	if r, _ := get("/a/0123456789abcdef/app.js"); r.StatusCode != 404 || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("an unknown build: %d %v", r.StatusCode, r.Header)
	}
	if r, body := get("/manifest.webmanifest"); r.StatusCode != 200 || strings.Contains(body, "__BUILD__") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	sent, err := http.Post(url+"/csp", "application/csp-report", strings.NewReader(`{"csp-report":{"violated-directive":"img-src","blocked-uri":"https://x.example/y"}}`))
	if err != nil {
		t.Fatal(err)
	}
	sent.Body.Close()
	if _, metrics := get("/metrics"); sent.StatusCode != 204 || !strings.Contains(metrics, `bonghwa_csp_reports_total{directive="img-src"} 1`) {
		t.Errorf("a report is answered with %d and not counted", sent.StatusCode)
	}
	p.stop(ctx)
}
