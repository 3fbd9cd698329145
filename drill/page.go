package drill

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// The page of a report is one file: it carries its style and its pictures, runs no script and asks no other host for anything.

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.New("page.html.tmpl").Funcs(template.FuncMap{
	"count": count, "ms": inMs, "siteClass": siteClass, "site": siteName, "inc": func(i int) int { return i + 1 },
}).ParseFS(pageFiles, "page/page.html.tmpl"))

// WriteHTML writes the report as a page for people.
func (r *Report) WriteHTML(path string) error {
	style, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		return err
	}
	v := r.view()
	v.Style = template.CSS(style)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, v); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// view is what the template shows.
type view struct {
	Style     template.CSS
	R         *Report
	Date      words
	Head      words // what was burned
	Lost      words // what was lost
	Wait      words // how long anybody waited
	Verdict   verdict
	Beacons   []beacon
	Total     total
	Scenarios []scene
	Means     []means
	Command   string
	// Sends a second, and which part of the first the second is.
	Capacity, Offered, Share string
}

// verdict is held, held but late, or not held.
type verdict struct {
	Class string
	words
	Why words
}

type total struct {
	Acked, Delivered, Lost, Duplicated, Reordered, Unauthorised int
	// BoundedMs is the longest wait in scenarios that have a bound, WorstMs in all.
	BoundedMs, WorstMs float64
	Worst              words
}

// beacon is a site in the picture at the head of the page.
type beacon struct {
	Name words
	X, Y float64
	// Dark: what was last done to it was harm, and nothing brought it back.
	Dark bool
}

type scene struct {
	Scenario
	ID      string
	Title   words
	Verdict verdict
	WorstMs float64
	Counts  []figure
	Waits   []figure
	Events  []event
	Equal   audited
	Visits  []visit
	Wide    *chart
	Narrow  *chart
}

// figure is one line of a table: what, how much, and what it was held against.
type figure struct {
	words
	Value, Bound string
	// OK is "yes", "no", or nothing where there is no bound.
	OK string
}

// visit is something that was done at another site during a fire.
type visit struct {
	Checked
	Name words
}

type event struct {
	Number int
	Name   words
	Kind   kind
	At     words
	By     string
	Origin origins
}

type origins struct{ Real, Injected bool }

// audited says what reading everything back showed.
type audited struct {
	Class string
	words
}

// means is one way in which faults were made, and how often in the whole drill.
type means struct {
	By     string
	Origin origins
	Names  []words
	Times  int
}

func (r *Report) view() *view {
	v := &view{R: r, Date: dayAndTime(r.Date), Command: r.command()}
	for i, s := range r.Scenarios {
		v.Scenarios = append(v.Scenarios, sceneOf(s, r.Sites, i+1))
		v.Total.Acked += s.Acked
		v.Total.Delivered += s.Delivered
		v.Total.Lost += s.Lost
		v.Total.Duplicated += s.Duplicated
		v.Total.Reordered += s.Reordered
		v.Total.Unauthorised += s.Unauthorised
		v.Total.WorstMs = max(v.Total.WorstMs, s.worstMs())
		if s.BoundMs > 0 {
			v.Total.BoundedMs = max(v.Total.BoundedMs, s.worstMs())
		}
	}
	v.Total.Worst = seconds(v.Total.WorstMs)
	v.Capacity, v.Offered = count(int(math.Round(r.Capacity))), count(int(math.Round(r.Offered)))
	if r.Capacity > 0 {
		v.Share = fmt.Sprintf("%.0f%%", 100*r.Offered/r.Capacity)
	}
	v.Head, v.Lost, v.Wait = r.burned(), r.lost(v.Total), waited(v.Total)
	v.Verdict = verdictOf(r.Held, r.HeldInTime)
	if len(r.Scenarios) == 0 {
		v.Verdict.Why = words{"훈련한 것이 없습니다.", "No scenario was run."}
	}
	v.Beacons = r.beacons()
	v.Means = r.means()
	return v
}

// worstMs is how long anybody waited, also while a site came back.
func (s *Scenario) worstMs() float64 {
	return max(s.WorstSendGapMs, s.WorstDeliveryGapMs, s.MovedWorstSendGapMs, s.MovedWorstDeliveryGapMs, s.ReturnGapMs)
}

func verdictOf(held, inTime bool) verdict {
	switch {
	case held && inTime:
		return verdict{"good", words{"지켰습니다", "Held"}, words{
			"받았다고 답한 메시지를 모두 지켰고, 정한 시간 안에 모두 다시 이어졌습니다.",
			"Everything acknowledged was kept, and everyone was served again within the bounds."}}
	case held:
		return verdict{"warn", words{"지켰지만 늦었습니다", "Held, but late"}, words{
			"받았다고 답한 메시지를 모두 지켰지만, 정한 시간보다 오래 기다린 사람이 있습니다.",
			"Everything acknowledged was kept, but somebody waited longer than the bounds allow."}}
	}
	return verdict{"danger", words{"지키지 못했습니다", "Not held"}, words{
		"약속한 것 가운데 지키지 못한 것이 있습니다. 까닭은 아래에 있습니다.",
		"Some of what is promised did not hold. The reasons stand below."}}
}

// burned is the first sentence: the sites that lost power, by name, and how many other faults there were.
func (r *Report) burned() words {
	var ko, en []string
	others := 0
	for _, s := range r.Scenarios {
		down := map[string]bool{} // what follows at a site that is down already (its process dies, too) is the same fault
		for _, f := range s.Faults {
			_, k := eventName(f)
			again := down[f.Site]
			down[f.Site] = k == harm || k == note && again
			if k != harm || again {
				continue
			}
			if !strings.HasPrefix(f.What, "power lost") {
				others++
				continue
			}
			name := siteName(f.Site)
			if f.Site != "" && !slices.Contains(ko, name.Ko) {
				ko, en = append(ko, name.Ko), append(en, name.En)
			}
		}
	}
	switch {
	case len(ko) > 0 && others > 0:
		return words{
			fmt.Sprintf("화재 훈련에서 %s의 전원을 끊고 다른 고장을 %s번 냈습니다.", strings.Join(ko, "·"), count(others)),
			fmt.Sprintf("In this fire drill %s lost power, and %s.", list(en), plural(others, "other fault was caused", "other faults were caused"))}
	case len(ko) > 0:
		return words{
			fmt.Sprintf("화재 훈련에서 %s의 전원을 끊었습니다.", strings.Join(ko, "·")),
			fmt.Sprintf("In this fire drill %s lost power.", list(en))}
	case others > 0:
		return words{
			fmt.Sprintf("재해복구 훈련에서 고장을 %s번 냈습니다.", count(others)),
			fmt.Sprintf("In this drill %s.", plural(others, "fault was caused", "faults were caused"))}
	}
	return words{"재해복구 훈련을 했습니다.", "A drill was run."}
}

// lost never says that nothing was lost before everything was read back.
func (r *Report) lost(t total) words {
	unread := slices.ContainsFunc(r.Scenarios, func(s Scenario) bool { return len(s.Audited) < len(r.Sites) })
	switch {
	case t.Lost > 0:
		return words{
			fmt.Sprintf("받았다고 답한 메시지 %s개 가운데 %s개를 잃었습니다.", count(t.Acked), count(t.Lost)),
			fmt.Sprintf("Of %s acknowledged messages %s.", count(t.Acked), plural(t.Lost, "was lost", "were lost"))}
	case unread || len(r.Scenarios) == 0:
		return words{
			fmt.Sprintf("받았다고 답한 메시지 %s개를 다 다시 읽지는 못해, 잃은 것이 없는지 알 수 없습니다.", count(t.Acked)),
			fmt.Sprintf("Not all of the %s acknowledged messages were read back, so whether any was lost is not known.", count(t.Acked))}
	}
	return words{
		fmt.Sprintf("받았다고 답한 메시지 %s개 가운데 잃은 것은 없습니다.", count(t.Acked)),
		fmt.Sprintf("Of %s acknowledged messages none was lost.", count(t.Acked))}
}

// waited tells what is bounded apart from what no system of three sites could bound: with two of them gone the third waits.
func waited(t total) words {
	s := inSeconds(t.WorstMs)
	if t.BoundedMs > 0 && t.BoundedMs < t.WorstMs {
		one := inSeconds(t.BoundedMs)
		return words{
			fmt.Sprintf("가장 오래 기다린 사람은 한 곳이 멈췄을 때 %s초, 남은 곳이 모자랐을 때 %s초를 기다렸습니다.", one, s),
			fmt.Sprintf("The longest that anybody waited was %s s with one site gone, and %s s while too few were left.", one, s)}
	}
	return words{
		fmt.Sprintf("가장 오래 기다린 사람은 %s초를 기다렸습니다.", s),
		fmt.Sprintf("The longest that anybody waited was %s s.", s)}
}

// list joins names: "Seoul", "Seoul and Busan", "Seoul, Daejeon and Busan".
func list(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

func plural(n int, one, many string) string {
	if n == 1 {
		return count(n) + " " + one
	}
	return count(n) + " " + many
}

// beacons stand on a ridge at the right of the picture, so that they are in view on a phone, too.
func (r *Report) beacons() []beacon {
	dark := map[string]bool{}
	if n := len(r.Scenarios); n > 0 {
		for _, f := range r.Scenarios[n-1].Faults {
			switch _, k := eventName(f); k {
			case harm:
				dark[f.Site] = true
			case heal:
				dark[f.Site] = false
				if f.Site == "" { // all of them
					clear(dark)
				}
			}
		}
	}
	apart := min(86, 260/float64(max(1, len(r.Sites)-1)))
	var all []beacon
	for i, site := range r.Sites {
		x := 952 - apart*float64(len(r.Sites)-1-i)
		all = append(all, beacon{siteName(site), x, 232 - 14*math.Cos(x/46), dark[site]})
	}
	return all
}

func sceneOf(s Scenario, sites []string, number int) scene {
	v := scene{
		Scenario: s, ID: fmt.Sprintf("s%d", number), Title: scenarioName(s.Name), WorstMs: s.worstMs(), Equal: auditedOf(s.Audited),
		Verdict: verdictOf(s.Held, s.HeldInTime),
		Wide:    drawTimeline(&s, sites, 920, false), Narrow: drawTimeline(&s, sites, 340, true),
	}
	must := func(ko, en string, n int) figure {
		return figure{words{ko, en}, count(n), "0", yes(n == 0)}
	}
	v.Counts = []figure{
		{words{"받았다고 답한 메시지", "acknowledged"}, count(s.Acked), "", ""},
		{words{"전해진 메시지", "delivered"}, count(s.Delivered), "", ""},
		must("잃은 메시지", "lost", s.Lost),
		must("두 번 간 메시지", "duplicated", s.Duplicated),
		must("순서가 바뀐 메시지", "out of order", s.Reordered),
		must("권한 없이 보인 것", "unauthorised", s.Unauthorised),
		{words{"보이는지 시험한 횟수", "tries at what is forbidden"}, count(s.Tried), "", ""},
	}
	within := func(ko, en string, ms float64) figure {
		if ms == 0 { // nothing takes no time: there was nobody of this kind
			return figure{words{ko, en}, "—", "", ""}
		}
		if s.BoundMs <= 0 {
			return figure{words{ko, en}, inMs(ms), "", ""}
		}
		return figure{words{ko, en}, inMs(ms), "≤ " + inMs(s.BoundMs), yes(ms <= s.BoundMs)}
	}
	v.Waits = []figure{
		within("보내기가 가장 오래 멈춘 시간", "longest gap of sends", s.WorstSendGapMs),
		within("받기가 가장 오래 멈춘 시간", "longest gap of deliveries", s.WorstDeliveryGapMs),
		{words{"보내기가 멈춘 시간의 가운데값", "median gap of sends"}, inMs(s.MedianSendGapMs), "", ""},
		within("옮겨 간 사람: 보내기", "who had to move: sends", s.MovedWorstSendGapMs),
		within("옮겨 간 사람: 받기", "who had to move: deliveries", s.MovedWorstDeliveryGapMs),
	}
	if s.ReturnGapMs > 0 {
		v.Waits = append(v.Waits, figure{words{"돌아올 때 다른 곳이 멈춘 시간", "longest gap elsewhere at the return"}, inMs(s.ReturnGapMs), "", ""})
	}
	for i, ms := range s.BackMs {
		w := words{"돌아와 다시 받기까지", "back until it served again"}
		if len(s.BackMs) > 1 {
			w = words{fmt.Sprintf("%s (%d번째)", w.Ko, i+1), fmt.Sprintf("%s (no. %d)", w.En, i+1)}
		}
		v.Waits = append(v.Waits, figure{w, inMs(ms), "", ""})
	}
	for _, c := range s.Checks {
		v.Visits = append(v.Visits, visit{c, visitName(c.What)})
	}
	for i, f := range s.Faults {
		name, k := eventName(f)
		e := event{Number: i + 1, Name: name, Kind: k, At: seconds(f.AtMs)}
		if !observed(f) {
			e.Origin, e.By = origin(f.By)
		}
		v.Events = append(v.Events, e)
	}
	return v
}

func yes(ok bool) string {
	if ok {
		return "yes"
	}
	return "no"
}

func auditedOf(all []Audit) audited {
	if len(all) == 0 {
		return audited{"danger", words{"다시 읽은 데이터센터가 없습니다", "no site was read back"}}
	}
	for _, a := range all {
		if a.Hash != all[0].Hash || a.Messages != all[0].Messages {
			return audited{"danger", words{"데이터센터마다 내용이 다릅니다", "the sites differ"}}
		}
	}
	if len(all) == 1 {
		return audited{"warn", words{"한 곳만 다시 읽었습니다", "only one site was read back"}}
	}
	return audited{"good", words{fmt.Sprintf("%d곳의 내용이 모두 같습니다", len(all)), fmt.Sprintf("all %d sites hold the same", len(all))}}
}

// means gathers by what faults were made, in the order of their first use; what ends a fault is left out.
func (r *Report) means() []means {
	var all []means
	for _, s := range r.Scenarios {
		for _, f := range s.Faults {
			f.Site = ""
			name, k := eventName(f)
			if k == heal || observed(f) {
				continue
			}
			o, by := origin(f.By)
			i := slices.IndexFunc(all, func(m means) bool { return m.By == by && m.Origin == o })
			if i < 0 {
				i, all = len(all), append(all, means{By: by, Origin: o})
			}
			all[i].Times++
			if !slices.Contains(all[i].Names, name) {
				all[i].Names = append(all[i].Names, name)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b means) int { return cmp.Compare(a.Origin.rank(), b.Origin.rank()) })
	return all
}

// rank puts what is real first and what is not known last.
func (o origins) rank() int {
	switch {
	case o.Real && !o.Injected:
		return 0
	case o.Real:
		return 1
	case o.Injected:
		return 2
	}
	return 3
}

// command repeats the drill. A scenario that is played at every site in turn has the site after its name.
func (r *Report) command() string {
	var names []string
	for _, s := range r.Scenarios {
		name := s.Name
		for _, site := range r.Sites {
			name = strings.TrimSuffix(name, "-"+site)
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	length := time.Duration(r.DurationS * float64(time.Second))
	rounds := ""
	if r.Rounds > 0 {
		rounds = fmt.Sprintf(" --rounds %d", r.Rounds)
	}
	return fmt.Sprintf("bonghwa drill --scenario %s --people %d --duration %v --seed %d%s --html drill.html", shellWord(strings.Join(names, ",")), r.People, length, r.Seed, rounds)
}
