package status

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed" // the page's files
	"encoding/base64"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// shownIncidents is how many a page lists.
const shownIncidents = 30

// refresh is how often a browser asks again, in seconds.
const refresh = 10

var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string
)

// icon is the mark, so that the page asks for no other file.
const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 40'%3E%3Cpath d='M9.5 15.5v20h21v-20M9.5 26h21' fill='none' stroke='%238f8271' stroke-width='3.7' stroke-linecap='round' stroke-linejoin='round'/%3E%3Cpath d='M20 1.5c.9 5.2 6 7.2 6 12.9a6 6 0 0 1-12 0c0-3.1 1.6-4.5 2.5-6.3.6 1.8 1.3 2.6 2.4 3-.7-3.5 0-6.4 1.1-9.6z' fill='%23ff9b3d'/%3E%3C/svg%3E"

// policy lets the page have its own style and its icon, and nothing else.
var policy = func() string {
	h := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(h[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// Page serves /status and /status.json to anybody, from what it was shown last. Each is rendered at most once for each view,
// however many ask.
type Page struct {
	shown atomic.Pointer[shown]
}

// shown is a view, and what has been made of it.
type shown struct {
	view View
	ko   rendering
	en   rendering
	json rendering
}

type rendering struct {
	once   sync.Once
	plain  []byte
	zipped []byte
}

// Show is told how things are, about once a second.
func (p *Page) Show(v View) { p.shown.Store(&shown{view: v}) }

func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "This page is only to be read.", http.StatusMethodNotAllowed)
		return
	}
	s := p.shown.Load()
	if s == nil {
		http.Error(w, "Not known yet; please ask again.", http.StatusServiceUnavailable)
		return
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "public, max-age=1")
	h.Add("Vary", "Accept-Encoding")
	var out *rendering
	if strings.HasSuffix(r.URL.Path, ".json") {
		h.Set("Content-Type", "application/json")
		out = s.json.make(s.view.json)
	} else {
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Refresh", strconv.Itoa(refresh))
		h.Add("Vary", "Accept-Language")
		if choose(r) == ko {
			h.Set("Content-Language", "ko")
			out = s.ko.make(func() ([]byte, error) { return ko.html(s.view) })
		} else {
			h.Set("Content-Language", "en")
			out = s.en.make(func() ([]byte, error) { return en.html(s.view) })
		}
	}
	b := out.plain
	if len(b) == 0 {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		b = out.zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(b)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(b)
	}
}

func (r *rendering) make(render func() ([]byte, error)) *rendering {
	r.once.Do(func() {
		b, err := render()
		if err != nil {
			return
		}
		var z bytes.Buffer
		g, _ := gzip.NewWriterLevel(&z, gzip.BestSpeed) // a level that exists
		_, _ = g.Write(b)                               // to memory
		_ = g.Close()
		r.plain, r.zipped = b, z.Bytes()
	})
	return r
}

// choose is the language of an answer: as asked for, else what the browser wants more, else Korean where it says nothing.
func choose(r *http.Request) lang {
	switch r.URL.Query().Get("lang") {
	case "ko":
		return ko
	case "en":
		return en
	}
	header := r.Header.Get("Accept-Language")
	if len(header) > 200 {
		header = header[:200]
	}
	best, got := 0.0, ko
	for i, part := range strings.Split(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if s, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			q, _ = strconv.ParseFloat(s, 64)
		}
		l := en // who reads neither reads English more likely
		if primary, _, _ := strings.Cut(strings.ToLower(tag), "-"); primary == "ko" || primary == "*" || primary == "" {
			l = ko
		}
		if q > best {
			best, got = q, l
		}
		if i > 20 {
			break
		}
	}
	return got
}

// What the template is given.
type pageData struct {
	Lang, Other, Title, Product       string
	Icon                              template.URL
	Style                             template.CSS
	Head, Sentence, Checked, Checking string
	Flames                            []flame
	Words                             map[string]string
	Open, Past                        []card
	Services                          []row
	Sites                             []row
	Elsewhere                         []link
}

type card struct {
	ID, Title, Progress, SinceISO, Since, Moment, Happened, Kept, Broken, Waited, Day, Span string
	Well                                                                                    bool
	Feed                                                                                    []event
}

type event struct{ ISO, At, Text string }

type row struct{ Name, Word, Class string }

type link struct{ Name, URL string }

// html writes a view as a page.
func (l lang) html(v View) ([]byte, error) {
	d := pageData{Lang: string(l), Other: string(en), Title: l.say("서비스 현황", "Service status"), Product: l.say("봉화", "Bonghwa"), Icon: icon,
		Style: template.CSS(pageStyle), Flames: flames(v), Words: l.pageWords()}
	if l == en {
		d.Other = string(ko)
	}
	d.Head, d.Sentence = l.head(v)
	d.Checked = v.At.UTC().Format(time.RFC3339)
	d.Checking = l.say(l.day(v.At)+" "+l.clock(v.At), l.clock(v.At)+" KST, "+l.day(v.At))
	if v.Here != "" {
		d.Checking += l.say(", "+l.site(v.Here)+"에서 확인", ", checked at "+l.site(v.Here))
	} else {
		d.Checking += l.say("에 확인", ", checked")
	}
	for _, i := range v.Incidents[:min(len(v.Incidents), shownIncidents)] {
		c := l.card(v, i)
		if i.Over() {
			d.Past = append(d.Past, c)
		} else {
			d.Open = append(d.Open, c)
		}
	}
	for _, name := range services {
		s := v.Service(name)
		d.Services = append(d.Services, row{l.service(name), l.level(s), class(s)})
	}
	for _, s := range slices.SortedFunc(slices.Values(v.Sites), func(a, b Site) int { return place(a.Name, b.Name) }) {
		d.Sites = append(d.Sites, row{l.site(s.Name), l.state(s), class(s.Level())})
		if s.Name != v.Here && s.URL != "" {
			d.Elsewhere = append(d.Elsewhere, link{l.site(s.Name), strings.TrimSuffix(s.URL, "/") + "/status?lang=" + string(l)})
		}
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, d)
	return b.Bytes(), err
}

var pageTemplate = template.Must(template.New("page").Parse(pageSource))

func class(l Level) string {
	return [...]string{Fine: "good", Worse: "warn", Off: "bad", Dark: "dark", Planned: "plan"}[l]
}

func (l lang) card(v View, i Incident) card {
	c := card{ID: i.ID(), Title: l.title(i), Progress: l.progress(i), SinceISO: i.Since.UTC().Format(time.RFC3339), Since: l.clock(i.Since), Moment: l.moment(i.Since), Happened: l.happened(i),
		Kept: l.kept(v), Broken: l.broken(v), Waited: l.waited(i), Day: l.day(i.Since), Well: !i.Fine.IsZero()}
	if i.Over() {
		c.Span = l.span(i)
		return c
	}
	if c.Well {
		c.Feed = append(c.Feed, event{i.Fine.UTC().Format(time.RFC3339), l.clock(i.Fine),
			l.say("다시 정상입니다. 10초 동안 그대로이면 끝난 것으로 적습니다.", "Well again. It counts as over when it stays so for 10 s.")})
	}
	begin := l.say("응답이 끊겼습니다.", "It stopped answering.")
	if i.Kind == KindSends {
		begin = l.say("보낸 메시지가 확인되지 않기 시작했습니다.", "Messages were not confirmed from here on.")
	}
	c.Feed = append(c.Feed, event{c.SinceISO, c.Since, begin})
	return c
}

func (l lang) pageWords() map[string]string {
	return map[string]string{
		"now": l.say("지금 상태", "Now"), "since": l.say("부터", "since"), "what": l.say("무슨 일인가요", "What happened"),
		"safe": l.say("메시지는 안전한가요", "Are messages safe"), "broken": l.say("지금 안 되는 것", "What does not work now"),
		"measured": l.say("측정한 값", "Measured"), "services": l.say("서비스별 상태", "Services"), "sites": l.say("데이터센터", "Data centres"),
		"past": l.say("지난 장애", "Past incidents"), "none": l.say("적어 둔 장애가 없어요.", "No incident is on record."),
		"everywhere": l.say("이 페이지는 데이터센터마다 따로 있어서, 하나가 꺼져도 다른 곳에서 열려요.", "Every data centre serves this page, so it opens when one of them is off."),
		"alone":      l.say("컴퓨터가 꺼지면 이 페이지도 열리지 않아요.", "When this PC is off, this page does not open either."),
		"other":      l.say("English", "한국어"), "otherLang": l.say("en", "ko"),
		"refresh": l.say("10초마다 새로 고쳐요", "refreshed every 10 s"), "lasted": l.say("동안", ""), "zone": l.say("시각은 한국 시각이에요.", "Times are Korean (KST)."),
		"at": l.say("다른 곳에서 보기", "See it from"),
	}
}

// flame is a site in the picture of the hills. Layer says in front of which ridge it stands.
type flame struct {
	X, Y, Layer int
	Scale       float64
	Lit, Out    bool
}

// spots in the order in which they are taken: of three none is as high as the words on a phone.
var spots = []flame{{X: 875, Y: 237, Layer: 2, Scale: 1.4}, {X: 781, Y: 217, Layer: 1, Scale: 1.15}, {X: 700, Y: 235, Layer: 1, Scale: 1},
	{X: 946, Y: 157, Layer: 0, Scale: .95}, {X: 690, Y: 152, Layer: 0, Scale: .9}}

// flames puts the sites that are lit in front.
func flames(v View) (out []flame) {
	for _, lit := range []bool{true, false} {
		for _, s := range v.Sites {
			if on := s.State == Up || s.State == Draining; on == lit && len(out) < len(spots) {
				f := spots[len(out)]
				f.Lit, f.Out = lit, !lit
				out = append(out, f)
			}
		}
	}
	return out
}
