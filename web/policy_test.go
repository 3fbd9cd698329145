package web

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func report(s *Site, kind, body string) int {
	r := httptest.NewRequest("POST", "/csp", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code
}

// counted reads the metric: reports by directive.
func counted(t *testing.T, s *Site) map[string]float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(s.Metrics())
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	return got
}

func TestReportsAreCountedWithoutAddresses(t *testing.T) {
	var log bytes.Buffer
	s, err := New(testBuild(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	old := `{"csp-report":{"document-uri":"https://b.test/chats/SECRETROOM","blocked-uri":"https://evil.test/x?token=SECRET","violated-directive":"img-src 'self'"}}`
	if code := report(s, "application/csp-report", old); code != 204 {
		t.Fatal(code)
	}
	now := `[{"type":"csp-violation","url":"https://b.test/SECRET","body":{"effectiveDirective":"script-src-elem","blockedURL":"inline","sample":"SECRET"}},
		{"type":"deprecation","body":{}}, {"type":"csp-violation","body":{"effectiveDirective":"SECRET","blockedURL":"SECRET://x/y"}}]`
	if code := report(s, "application/reports+json; charset=utf-8", now); code != 204 {
		t.Fatal(code)
	}
	got := counted(t, s)
	if got["img-src"] != 1 || got["script-src-elem"] != 1 || got["other"] != 1 || len(got) != 3 {
		t.Errorf("counted %v", got)
	}
	out := log.String()
	if strings.Contains(out, "SECRET") || !strings.Contains(out, "blocked=https://evil.test") || !strings.Contains(out, "blocked=inline") {
		t.Errorf("logged:\n%s", out)
	}
}

func TestReportsAreBounded(t *testing.T) {
	var log bytes.Buffer
	s, err := New(testBuild(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	for body, kind := range map[string]string{
		`{"csp-report":{}}`: "text/plain", `{}`: "application/csp-report", `[`: "application/reports+json", `[]`: "application/reports+json",
		"": "application/csp-report", `{"csp-report":{"blocked-uri":"` + strings.Repeat("x", maxReport) + `"}}`: "application/csp-report",
	} {
		if code := report(s, kind, body); code != 400 && code != 415 {
			t.Errorf("%d for %.40q", code, body)
		}
	}
	if r := get(s, "GET", "/csp"); r.StatusCode != 405 {
		t.Error(r.StatusCode)
	}
	many := "[" + strings.TrimSuffix(strings.Repeat(`{"type":"csp-violation","body":{}},`, 100), ",") + "]"
	for range 10 * reportsPerMinute {
		report(s, "application/reports+json", many)
	}
	// A minute may begin in between.
	if n := strings.Count(log.String(), "\n"); n == 0 || n > 2*reportsPerMinute*maxReportsAtOnce {
		t.Errorf("%d lines logged", n)
	}
	if got := counted(t, s); got["unread"] < 8*reportsPerMinute {
		t.Errorf("counted %v", got)
	}
}
