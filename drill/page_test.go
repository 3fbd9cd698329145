package drill

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// madeUp is a report of three sites: a fire that held, and a cut that did not, with names as hostile as can be.
func madeUp() *Report {
	fire := Scenario{
		Name: "power-loss", Seconds: 24, Acked: 24816, Delivered: 49631, BoundMs: 2000,
		WorstSendGapMs: 921.4, WorstDeliveryGapMs: 934, MedianSendGapMs: 11.3, MovedWorstSendGapMs: 1287, MovedWorstDeliveryGapMs: 1391, BackMs: []float64{3120}, ReturnGapMs: 233, Tried: 1452,
		Faults: []Fault{
			{AtMs: 6000, What: "power lost", Site: "seoul", By: "injected: the relay holds packets back"},
			{AtMs: 6300, What: "dead", Site: "seoul", By: "real: SIGKILL"},
			{AtMs: 14000, What: "started", Site: "seoul", By: "real: the process is started"},
			{AtMs: 17120, What: "all current", By: "status"},
		},
		Checks:   Checks{{"daejeon", "log in", 68.1, 1, ""}, {"busan", "bonghwa backup", 412, 3, "exit status 1: <none>"}},
		Audited:  []Audit{{"seoul", 24819, "9f2ce5a07b1d4481"}, {"daejeon", 24819, "9f2ce5a07b1d4481"}, {"busan", 24819, "9f2ce5a07b1d4481"}},
		Timeline: madeUpTimeline(24, 0, 6000, 7300),
	}
	cutOff := Scenario{
		Name: `cut-off"><script>alert(1)</script>`, Seconds: 12, Acked: 11207, Delivered: 22390, Lost: 2, Duplicated: 1, Reordered: 3, Unauthorised: 4, BoundMs: 3000,
		WorstSendGapMs: 2480, WorstDeliveryGapMs: 2511, MedianSendGapMs: 12, MovedWorstSendGapMs: 3777, MovedWorstDeliveryGapMs: 3808, BackMs: []float64{640, 655},
		Faults: []Fault{
			{AtMs: 4000, What: "cut off", Site: "busan", By: "packets swallowed by a relay"},
			{AtMs: 4300, What: `<img src=x onerror="alert(2)">`, Site: `"'<b>&`, By: "</title></svg><script>"},
			{AtMs: 8000, What: "reconnected", Site: "busan", By: "relay lets packets pass"},
		},
		Audited:  []Audit{{"seoul", 11205, "aa01"}, {"busan", 11207, "bb02"}},
		Why:      []string{"2 acknowledged messages of room <i>7</i> are gone", "busan answered a read while it was cut off & alone"},
		Timeline: madeUpTimeline(12, 2, 4000, 7800),
	}
	r := &Report{
		Date: time.Date(2026, 11, 29, 13, 5, 0, 0, time.UTC), Version: "v0.2.0-dev", Seed: 20221015, People: 1200, Sites: []string{"seoul", "daejeon", "busan"},
		Network: "relay of this drill, 2 ms each way", Machine: Machine{"A Processor", 2, 7.8, "6.8.0-test", 1.25}, Capacity: 9120, Offered: 4321,
		Scenarios: []Scenario{fire, cutOff}, RoomOffered: 21.4, Skipped: []Skipped{{"full-disk", "a file system <of> its own needs root"}},
	}
	for i := range r.Scenarios {
		r.Scenarios[i].conclude()
	}
	r.conclude()
	return r
}

func madeUpTimeline(secs, site int, fromMs, toMs float64) []Slice {
	random := rand.New(rand.NewPCG(1, uint64(site)))
	var all []Slice
	for i := range secs * 10 {
		s := Slice{Ms: float64(i) * 100, Acked: make([]int, 3), Delivered: make([]int, 3), P50: make([]float64, 3), P99: make([]float64, 3)}
		for k := range 3 {
			pause := s.Ms >= fromMs && (k == site && s.Ms < toMs || s.Ms < fromMs+800)
			if pause {
				continue
			}
			slow := math.Exp(-math.Max(0, s.Ms-fromMs-800)/700) * 400
			if s.Ms < fromMs {
				slow = 0
			}
			s.Acked[k] = 28 + 4*k + random.IntN(9)
			s.Delivered[k] = 2 * s.Acked[k]
			s.P50[k] = 6 + 3*random.Float64() + slow/3
			s.P99[k] = 18 + 14*random.Float64() + slow
		}
		all = append(all, s)
	}
	return all
}

// page writes a report and reads the file; BONGHWA_DRILL_PAGE names where it is to stay, to be looked at.
func page(t *testing.T, r *Report) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "drill.html")
	if err := r.WriteHTML(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("BONGHWA_DRILL_PAGE"); keep != "" && t.Name() == "TestPage" {
		if err := os.WriteFile(keep, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return string(b)
}

// wellFormed reads the page as XML, as strict as it gets: the template closes what it opens, and quotes what it should.
func wellFormed(t *testing.T, html string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(html))
	d.Entity = xml.HTMLEntity
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			line, column := d.InputPos()
			t.Fatalf("line %d, column %d: %v", line, column, err)
		}
		if e, ok := token.(xml.StartElement); ok {
			if e.Name.Local == "script" || e.Name.Local == "img" || e.Name.Local == "b" && len(e.Attr) > 0 {
				t.Errorf("<%s> is in the page", e.Name.Local)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "src" || a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
					t.Errorf("<%s> has %s=%q", e.Name.Local, a.Name.Local, a.Value)
				}
			}
		}
	}
}

func TestPage(t *testing.T) {
	r := madeUp()
	html := page(t, r)
	wellFormed(t, html)

	for _, outside := range []string{"http://", "https://", "//cdn", "@import", "url(h", "ZgotmplZ", "%!"} {
		if strings.Contains(html, outside) {
			t.Errorf("the page contains %q", outside)
		}
	}
	if n := len(regexp.MustCompile(`url\([^#]`).FindAllString(html, -1)); n > 0 {
		t.Errorf("%d references outside the page", n)
	}

	text := unescaped(html)
	for _, want := range []string{
		// the sentence
		"화재 훈련에서 서울의 전원을 끊고 다른 고장을 1번 냈습니다.", "받았다고 답한 메시지 36,023개 가운데 2개를 잃었습니다.", "가장 오래 기다린 사람은 3.81초를 기다렸습니다.",
		"In this fire drill Seoul lost power, and 1 other fault was caused.", "Of 36,023 acknowledged messages 2 were lost.", "was 3.81 s.", "지키지 못했습니다", "Not held",
		"2026년 11월 29일 일요일 오후 1:05",
		// figures of both scenarios
		">24,816<", ">49,631<", ">921 ms<", ">934 ms<", ">11.3 ms<", ">1,287 ms<", ">1,391 ms<", ">3,120 ms<", "≤ 2,000 ms", ">233 ms<", ">1,452<",
		">11,207<", ">22,390<", ">2<", ">1<", ">3<", ">4<", ">2,480 ms<", ">2,511 ms<", ">12 ms<", ">3,777 ms<", ">3,808 ms<", ">640 ms<", ">655 ms<", "≤ 3,000 ms",
		r.Scenarios[1].Why[0], r.Scenarios[1].Why[1], "지켰습니다", "한계 2.00초",
		// what happened, by what, and what was read back
		"서울 전원 끊김", ">SIGKILL<", "the relay holds packets back", "packets swallowed by a relay", "6.00초", "14.0초", "부산 끊김",
		">24,819<", ">11,205<", "9f2ce5a07b1d4481", "aa01", "bb02", "3곳의 내용이 모두 같습니다", "데이터센터마다 내용이 다릅니다",
		// what was done elsewhere meanwhile, and what was not played
		"로그인", ">68.1 ms<", "bonghwa backup", "exit status 1: <none>", "a file system <of> its own needs root", "방마다 적어도", ">21 <small>",
		// the machine and the command
		"A Processor", "7.8 GiB", "6.8.0-test", "1.25", "9,120", "4,321", "47%", "20221015", "1,200명", "v0.2.0-dev", r.Network,
		"--people 1200 --duration 0s --seed 20221015",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

func TestPageOfADrillThatHeld(t *testing.T) {
	r := madeUp()
	r.Scenarios = r.Scenarios[:1]
	r.conclude()
	html := page(t, r)
	wellFormed(t, html)
	for _, want := range []string{"가운데 잃은 것은 없습니다.", "none was lost", "가장 오래 기다린 사람은 1.39초를 기다렸습니다.", `<section class="verdict good">`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}

	all := r.Scenarios[0]
	all.Name, all.BoundMs, all.MovedWorstDeliveryGapMs = "all-killed", 0, 2640
	r.Scenarios = append(r.Scenarios, all)
	if html := page(t, r); !strings.Contains(html, "한 곳이 멈췄을 때 1.39초, 남은 곳이 모자랐을 때 2.64초를 기다렸습니다.") {
		t.Error("the wait that no bound can be given for is not told apart")
	}
	r.Scenarios = r.Scenarios[:1]

	r.Scenarios[0].BoundMs = 1000
	r.Scenarios[0].conclude()
	r.conclude()
	html = page(t, r)
	for _, want := range []string{"지켰지만 늦었습니다", "Held, but late", `<section class="verdict warn">`} {
		if !strings.Contains(html, want) {
			t.Errorf("a drill that was late: the page does not say %q", want)
		}
	}

	// Nobody had to move: that is no gap of 0 ms that was kept.
	r.Scenarios[0].MovedWorstSendGapMs = 0
	if html = page(t, r); strings.Contains(html, "<b>0 ms</b>") {
		t.Error("the page has a gap of 0 ms")
	}

	r.Scenarios[0].Audited = nil
	if html = page(t, r); strings.Contains(html, "잃은 것은 없습니다") || !strings.Contains(html, "알 수 없습니다") {
		t.Error("nothing was read back, and the page claims that nothing was lost")
	}
}

// What is missing in a report must not break its page.
func TestPageOfLittle(t *testing.T) {
	long := madeUp()
	long.Scenarios[0].Timeline = madeUpTimeline(900, 0, 6000, 9000)
	ragged := madeUp()
	ragged.Scenarios[0].Timeline = []Slice{{Ms: 0}, {Ms: 100, Acked: []int{3}}, {Ms: 200, Acked: []int{1, 2, 3, 4}, P50: []float64{0.04}}}
	for name, r := range map[string]*Report{
		"nothing": {}, "no timeline": {Sites: []string{"a"}, Scenarios: []Scenario{{Name: "x"}}}, "ragged": ragged, "long": long,
		"five sites": {Sites: []string{"a", "b", "c", "d", "e"}, Scenarios: []Scenario{{Name: "x", Timeline: []Slice{{}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			html := page(t, r)
			wellFormed(t, html)
			if strings.Contains(html, "NaN") || strings.Contains(html, "Inf") {
				t.Error("a number is none")
			}
			if len(html) > 600_000 {
				t.Errorf("the page has %d bytes", len(html))
			}
		})
	}
}

func TestBeaconLit(t *testing.T) {
	picture := func(acked string) string {
		var timeline []Slice
		for _, c := range acked {
			timeline = append(timeline, Slice{Acked: []int{int(c - '0')}})
		}
		out := ""
		for _, lit := range beaconLit(timeline, func(s Slice) int { return s.Acked[0] }) {
			out += map[bool]string{true: "*", false: "."}[lit]
		}
		return out
	}
	for in, want := range map[string]string{"1110111": "*******", "1100011": "**...**", "0010000": "***....", "0000": "....", "": ""} {
		if got := picture(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestOrigin(t *testing.T) {
	for by, want := range map[string]string{
		"SIGKILL": "true false", "network namespace down, then SIGKILL": "true false", "packets swallowed by a relay": "false true",
		"relay swallows packets, then the process is killed": "true true", "real: the relay is killed": "true false", "injected: a process that lies": "false true", "": "false false",
	} {
		if o, _ := origin(by); fmt.Sprint(o.Real, o.Injected) != want {
			t.Errorf("%q: real, injected = %v, want %s", by, o, want)
		}
	}
}

func TestPageWords(t *testing.T) {
	for got, want := range map[string]string{
		count(0): "0", count(999): "999", count(1000): "1,000", count(-12345): "-12,345", count(1234567): "1,234,567",
		inMs(0): "0 ms", inMs(3.4): "3.4 ms", inMs(1280.4): "1,280 ms", inSeconds(420): "0.42", inSeconds(3.4): "0.003", inSeconds(75_300): "75.3",
		(&Report{Sites: []string{"a"}, Scenarios: []Scenario{{Name: "x-a"}, {Name: "y"}, {Name: "x-b"}}}).command(): "bonghwa drill --scenario x,y,x-b --people 0 --duration 0s --seed 0 --html drill.html",
		scenarioName("power-loss-seoul").Ko: "전원이 끊긴 데이터센터 (서울)", scenarioName("powerful").Ko: "powerful",
		dayAndTime(time.Date(2026, 11, 22, 0, 5, 0, 0, time.UTC)).Ko: "2026년 11월 22일 일요일 오전 12:05", shellWord("a,b"): "a,b", shellWord("a'b"): `'a'\''b'`,
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// The page's colours are those of the web client.
func TestPageTokens(t *testing.T) {
	client, err := os.ReadFile("../web/src/ui/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	style, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(style), "* { box-sizing")
	for _, d := range regexp.MustCompile(`--[a-z0-9-]+: #[0-9a-f]+;`).FindAllString(head, -1) {
		if strings.HasPrefix(d, "--site-4") || strings.HasPrefix(d, "--site-5") || strings.HasPrefix(d, "--own-bg: #ffcf94") {
			continue // more sites than the client draws; its own-bg is a reference
		}
		if !strings.Contains(string(client), d) {
			t.Errorf("tokens.css has no %s", d)
		}
	}
}

func unescaped(html string) string {
	return strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&", "&#43;", "+").Replace(html)
}
