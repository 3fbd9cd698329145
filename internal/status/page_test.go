package status

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

func three(busan, daejeon, seoul State) View {
	return View{At: start, Here: "seoul", Sites: []Site{{Name: "busan", URL: "https://busan.example/", State: busan},
		{Name: "daejeon", URL: "https://daejeon.example", State: daejeon}, {Name: "seoul", URL: "https://seoul.example", State: seoul}}}
}

// What works follows from the sites and from nothing else.
func TestView(t *testing.T) {
	slow, full := three(Up, Up, Up), three(Up, Up, Up)
	slow.Sites[0].Slow = true
	full.Sites[0].Refuses, full.Sites[1].Refuses, full.Sites[2].Refuses = true, true, true
	lasting := three(Up, Up, Up)
	lasting.Incidents = []Incident{inc(KindSite, "busan", 0, 0)}
	over := three(Up, Up, Up)
	over.Incidents = []Incident{inc(KindSite, "busan", 0, 20)}
	for name, c := range map[string]struct {
		v          View
		indicator  string
		send, read Level
		says       string
	}{
		"all":               {three(Up, Up, Up), "none", Fine, Fine, "메시지를 주고받을 수 있어요|서울, 대전과 부산 데이터센터가 모두 켜져 있어요."},
		"one is off":        {three(Silent, Up, Up), "minor", Fine, Fine, "메시지를 주고받을 수 있어요|부산 데이터센터가 꺼져 있어 서울과 대전에서 이어 가고 있어요."},
		"one comes back":    {three(NotReady, Up, Up), "minor", Fine, Fine, "메시지를 주고받을 수 있어요|부산 데이터센터가 꺼져 있어 서울과 대전에서 이어 가고 있어요."},
		"one is drained":    {three(Draining, Up, Up), "none", Fine, Fine, "메시지를 주고받을 수 있어요|부산 데이터센터를 점검하는 동안 서울과 대전에서 이어 가고 있어요."},
		"well, and watched": {lasting, "minor", Fine, Fine, "메시지를 주고받을 수 있어요|"},
		"over":              {over, "none", Fine, Fine, "메시지를 주고받을 수 있어요|"},
		"this one is cut off": {three(Unknown, Unknown, NotReady), "critical", Dark, Dark,
			"서울에서는 메시지를 주고받을 수 없어요|여기서는 다른 데이터센터가 보이지 않아요."},
		"this one is behind": {three(Up, Up, NotReady), "minor", Fine, Fine, "메시지를 주고받을 수 있어요|"},
		"none is ready":      {three(NotReady, NotReady, NotReady), "critical", Off, Off, "지금은 메시지를 주고받을 수 없어요|"},
		"slow":               {slow, "major", Worse, Fine, "메시지가 늦게 가고 있어요|"},
		"full":               {full, "critical", Off, Fine, "지금은 메시지를 보낼 수 없어요|"},
		"alone":              {View{At: start, Sites: []Site{{State: Up}}}, "none", Fine, Fine, "메시지를 주고받을 수 있어요|이 컴퓨터에서 돌아가는 봉화예요."},
		"alone, not ready":   {View{At: start, Sites: []Site{{State: NotReady}}}, "critical", Off, Off, "지금은 메시지를 주고받을 수 없어요|"},
	} {
		head, sentence := ko.head(c.v)
		if c.v.Indicator() != c.indicator || c.v.Service(Sending) != c.send || c.v.Service(Reading) != c.read || !strings.HasPrefix(head+"|"+sentence, c.says) {
			t.Errorf("%s: %s, send %d, read %d, %s|%s", name, c.v.Indicator(), c.v.Service(Sending), c.v.Service(Reading), head, sentence)
		}
		for _, l := range []lang{ko, en} {
			if _, err := l.html(c.v); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if b, err := c.v.json(); err != nil || !json.Valid(b) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if full.Service(Photos) != Worse || full.Service(LogIn) != Off {
		t.Error("photos can be seen when they cannot be changed, and nobody can log in")
	}
}

func get(t *testing.T, p *Page, target string, header ...string) (*httptest.ResponseRecorder, string) {
	t.Helper()
	r := httptest.NewRequest("GET", target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w, w.Body.String()
}

func shownPage() *Page {
	v := three(Silent, Up, Up)
	lasting, over := inc(KindSite, "busan", -60, 0), inc(KindSends, "seoul", -4000, 0)
	lasting.Wait, over.Wait, over.Until = 870, 4321, at(-3995)
	v.Incidents = []Incident{lasting, over}
	p := &Page{}
	p.Show(v)
	return p
}

func TestPage(t *testing.T) {
	p := &Page{}
	if w, _ := get(t, p, "/status"); w.Code != 503 {
		t.Errorf("before anything is known: %d", w.Code)
	}
	p = shownPage()
	w, body := get(t, p, "/status")
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Refresh") != "10" || w.Header().Get("Cache-Control") != "public, max-age=1" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, want := range []string{`<html lang="ko">`, "2026년 11월 22일 일요일 오후 1:35:00", "부산 데이터센터 장애를 안내드립니다", "오후 1:34:00부터 부산 데이터센터를 쓸 수 없습니다",
		"0.9초입니다", "두 곳 이상의 데이터센터에 보관", "4.3초입니다", "5초 동안 서울에서 보낸 메시지가 확인되지 않았습니다", `href="https://busan.example/status?lang=ko"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(body, "ZgotmplZ") || strings.Contains(body, "<script") || strings.Contains(body, " style=") || strings.Contains(body, "seoul.example") {
		t.Errorf("the page has what it must not have:\n%s", body)
	}
	if w, _ := get(t, p, "/status?lang=xx"); w.Header().Get("Content-Language") != "ko" {
		t.Error("a language that is not there")
	}
	r := httptest.NewRequest("POST", "/status", nil)
	post := httptest.NewRecorder()
	if p.ServeHTTP(post, r); post.Code != 405 {
		t.Errorf("POST: %d", post.Code)
	}
	r.Method = "HEAD"
	head := httptest.NewRecorder()
	if p.ServeHTTP(head, r); head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(len(body)) {
		t.Errorf("HEAD: %d, %d bytes, %v", head.Code, head.Body.Len(), head.Header())
	}
	zipped, b := get(t, p, "/status", "Accept-Encoding", "gzip, br")
	g, err := gzip.NewReader(strings.NewReader(b))
	if err != nil || zipped.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal(err, zipped.Header())
	}
	if plain, err := io.ReadAll(g); err != nil || string(plain) != body {
		t.Errorf("zipped is not what is plain: %v", err)
	}
}

// The policy allows exactly the style that is in the page.
func TestPolicyFitsThePage(t *testing.T) {
	w, body := get(t, shownPage(), "/status")
	m := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(body, -1)
	if len(m) != 1 || len(m[0][1]) < 1000 {
		t.Fatalf("%d styles", len(m))
	}
	sum := sha256.Sum256([]byte(m[0][1]))
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.HasPrefix(policy, "default-src 'none'") ||
		strings.Contains(policy, "unsafe") {
		t.Errorf("%s", policy)
	}
}

func TestLanguage(t *testing.T) {
	for header, want := range map[string]lang{
		"": ko, "ko-KR,ko;q=0.9,en-US;q=0.8": ko, "en-US,en;q=0.9,ko;q=0.8": en, "en": en, "fr-FR, fr": en, "fr;q=0.3, ko;q=0.5": ko, "*": ko,
		strings.Repeat("x,", 5000): en, ";;;q=,": ko, "ko;q=nonsense": ko,
	} {
		r := httptest.NewRequest("GET", "/status", nil)
		r.Header.Set("Accept-Language", header)
		if got := choose(r); got != want {
			t.Errorf("%.40q: %s", header, got)
		}
	}
	_, body := get(t, shownPage(), "/status?lang=en", "Accept-Language", "ko")
	if !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, "Busan is off; Seoul and Daejeon carry on.") {
		t.Errorf("asked for English:\n%.600s", body)
	}
	if text := regexp.MustCompile(`(?s)<style>.*?</style>|lang="ko">한국어`).ReplaceAllString(body, ""); regexp.MustCompile(`[가-힣]`).MatchString(text) {
		t.Errorf("Korean in the English page: %s", regexp.MustCompile(`.{20}[가-힣].{20}`).FindString(text))
	}
}

// The JSON can be read by what reads well-known status pages.
func TestSummary(t *testing.T) {
	w, body := get(t, shownPage(), "/status.json")
	if w.Header().Get("Content-Type") != "application/json" {
		t.Error(w.Header())
	}
	var s struct {
		Page       struct{ Name, URL string }
		Status     struct{ Indicator, Description string }
		Components []struct{ ID, Name, Status string }
		Incidents  []struct {
			Name, Status, Impact string
			Started              time.Time  `json:"started_at"`
			Resolved             *time.Time `json:"resolved_at"`
			Updates              []struct {
				Status, Body string
				Created      time.Time `json:"created_at"`
			} `json:"incident_updates"`
		}
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		t.Fatal(err)
	}
	if s.Page.URL != "https://seoul.example/status" || s.Status.Indicator != "minor" {
		t.Errorf("%+v", s)
	}
	var got []string
	for _, c := range s.Components {
		got = append(got, c.ID+"="+c.Status)
	}
	if want := "send=operational read=operational login=operational photo=operational site-busan=major_outage site-daejeon=operational site-seoul=operational"; strings.Join(got, " ") != want {
		t.Error(got)
	}
	if len(s.Incidents) != 2 || s.Incidents[0].Status != "investigating" || s.Incidents[0].Resolved != nil || s.Incidents[1].Status != "resolved" ||
		s.Incidents[1].Resolved == nil || s.Incidents[1].Resolved.Sub(s.Incidents[1].Started) != 5*time.Second || len(s.Incidents[1].Updates) == 0 {
		t.Errorf("%+v", s.Incidents)
	}
}

// Each view is rendered once, however many ask at the same time, and a new one shows at once.
func TestPageIsRenderedOnce(t *testing.T) {
	p := shownPage()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { get(t, p, "/status") })
	}
	wg.Wait()
	first := p.shown.Load().ko.plain
	if get(t, p, "/status"); &first[0] != &p.shown.Load().ko.plain[0] {
		t.Error("rendered again")
	}
	p.Show(three(Up, Up, Up))
	if _, body := get(t, p, "/status"); bytes.Equal([]byte(body), first) {
		t.Error("the old page is shown")
	}
}

// Names come from a file of the operator's; they are text all the same.
func TestNamesAreText(t *testing.T) {
	v := View{At: start, Here: "<b>", Sites: []Site{{Name: "<b>", State: Up}, {Name: "x", URL: "javascript:alert(1)//", State: Up}},
		Incidents: []Incident{inc(KindSite, `"><script>`, 1, 0)}}
	b, err := ko.html(v)
	if err != nil || bytes.Contains(b, []byte("<script>")) || bytes.Contains(b, []byte("<b><b>")) || bytes.Contains(b, []byte(`href="javascript`)) {
		t.Errorf("%v\n%s", err, html.EscapeString(string(b)))
	}
}

func BenchmarkPage(b *testing.B) {
	p := shownPage()
	r := httptest.NewRequest("GET", "/status", nil)
	b.ReportAllocs()
	for b.Loop() {
		p.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// What a look costs with as many incidents as are kept, of three sites that have seen the same.
func BenchmarkMerge(b *testing.B) {
	var list []Incident
	for i := range Kept {
		list = append(list, inc(KindSite, "busan", 100*i+1, 100*i+20))
	}
	for b.Loop() {
		Merge(list, list, list)
	}
}
