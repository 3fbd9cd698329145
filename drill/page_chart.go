package drill

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// chart is the timeline of a scenario as shapes for the page: from top to bottom the labels of what happened, sends acknowledged
// a second (people of all sites stacked), a lane of beacons that are dark where nobody was answered, and latency by site.
type chart struct {
	W, H  int
	Label words
	// Shapes; Class refers to page.css.
	Bars  []bar
	Areas []path
	Lines []path
	Texts []text
	Marks []mark
}

type (
	path struct{ Class, D string }
	bar  struct {
		Class      string
		X, Y, W, H float64
		Title      words
	}
	text struct {
		Class, Anchor, S string
		X, Y             float64
	}
	// mark is a moment: a line through everything, a pill with its number and, where there is room, its words.
	mark struct {
		Class           string
		X, PillX, PillY float64
		PillW           float64
		Top, Bottom     float64
		S               string
		Title           words
	}
)

func (m mark) TextX() float64 { return m.PillX + m.PillW/2 }
func (m mark) TextY() float64 { return m.PillY + 15 }

const (
	// darkAfter so many slices without an answer a beacon is drawn dark: less is the ordinary spacing of sends.
	darkAfter = 3
	laneTop   = 22 // room for a lane's caption
	pillH     = 21
	stripH    = 13
)

// frame of a chart: where time lies.
type frame struct {
	left, right float64
	endMs       float64
	perBucket   int // slices in a point of a curve
	narrow      bool
}

func (f frame) x(ms float64) float64 { return f.left + (f.right-f.left)*ms/f.endMs }

// drawTimeline for a page w wide; nil if there is nothing to draw. A narrow one carries the numbers of events without their words.
func drawTimeline(s *Scenario, sites []string, w int, narrow bool) *chart {
	timeline := whileTalking(s)
	if len(timeline) == 0 || len(sites) == 0 {
		return nil
	}
	f := frame{left: 56, right: float64(w) - 14, narrow: narrow}
	if narrow {
		f.left = 44
	}
	sliceMs := float64(sliceLength.Milliseconds())
	f.endMs = timeline[len(timeline)-1].Ms + sliceMs
	for _, fault := range s.Faults {
		f.endMs = max(f.endMs, fault.AtMs)
	}
	points := int(f.right-f.left) / 2
	f.perBucket = max(1, (len(timeline)+points-1)/points)

	c := &chart{W: w}
	c.Label = words{
		fmt.Sprintf("시간표: %s초 동안 데이터센터별 초당 메시지와 지연 시간, 일어난 일 %d가지", inSeconds(f.endMs), len(s.Faults)),
		fmt.Sprintf("Timeline: messages a second and latency by site over %s s, with %d events", inSeconds(f.endMs), len(s.Faults)),
	}
	y := c.placeMarks(f, s.Faults)
	top := y
	y = c.drawThroughput(f, timeline, sites, y)
	y = c.drawBeacons(f, timeline, sites, y)
	y = c.drawLatency(f, timeline, s.BoundMs, sites, y)
	for i := range c.Marks {
		c.Marks[i].Top, c.Marks[i].Bottom = c.Marks[i].PillY+pillH, y
	}
	c.drawTime(f, top, y)
	c.H = int(y) + 26
	return c
}

// placeMarks puts the pills into as few rows as keep them apart, and returns where the lanes begin.
func (c *chart) placeMarks(f frame, faults []Fault) float64 {
	var ends []float64 // of each row
	for i, fault := range faults {
		name, k := eventName(fault)
		m := mark{Class: string(k), X: f.x(max(0, fault.AtMs)), S: strconv.Itoa(i + 1), Title: words{
			fmt.Sprintf("%s초 %s", inSeconds(fault.AtMs), name.Ko), fmt.Sprintf("%s s %s", inSeconds(fault.AtMs), name.En)}}
		if !f.narrow {
			m.S += "  " + cut(name.Ko, 24)
		}
		m.PillW = textWidth(m.S, 12) + 16
		m.PillX = min(max(m.X-m.PillW/2, 2), float64(c.W)-2-m.PillW)
		row := 0
		for row < len(ends) && ends[row]+5 > m.PillX {
			row++
		}
		if row == len(ends) {
			ends = append(ends, 0)
		}
		ends[row] = m.PillX + m.PillW
		m.PillY = float64(row) * (pillH + 4)
		c.Marks = append(c.Marks, m)
	}
	return float64(len(ends)) * (pillH + 4)
}

func (c *chart) drawThroughput(f frame, timeline []Slice, sites []string, y float64) float64 {
	height := 176.0
	if f.narrow {
		height = 140
	}
	c.caption(f, y, "초당 받았다고 답한 메시지", "acknowledged a second")
	y += laneTop + 4
	n := (len(timeline) + f.perBucket - 1) / f.perBucket
	at := make([]float64, n)
	stack := make([][]float64, len(sites)+1) // stack[i+1] lies above stack[i] by the rate of site i
	for i := range stack {
		stack[i] = make([]float64, n)
	}
	top := 0.0
	for b := range n {
		group := timeline[b*f.perBucket : min((b+1)*f.perBucket, len(timeline))]
		length := float64(len(group)) * float64(sliceLength.Milliseconds())
		at[b] = f.x(group[0].Ms + length/2)
		for i := range sites {
			sum := 0
			for _, s := range group {
				sum += valueAt(s.Acked, i)
			}
			stack[i+1][b] = stack[i][b] + float64(sum)*1000/length
		}
		top = max(top, stack[len(sites)][b])
	}
	step := niceStep(top, 4)
	top = max(step, math.Ceil(top/step)*step)
	scale := func(v float64) float64 { return y + height*(1-v/top) }
	for v := 0.0; v <= top+step/2; v += step {
		c.gridLine(f, scale(v), rate(v))
	}
	for i := range sites {
		var d strings.Builder
		for b := range n {
			d.WriteString(pen(b == 0, at[b], scale(stack[i+1][b])))
		}
		for b := n - 1; b >= 0; b-- {
			d.WriteString(pen(false, at[b], scale(stack[i][b])))
		}
		c.Areas = append(c.Areas, path{"area " + siteClass(i), d.String() + "Z"})
	}
	return y + height + 14
}

// drawBeacons draws a strip for each site: lit while its people were answered, dark where none of them was; and a pale one beneath it
// for what was delivered to them.
func (c *chart) drawBeacons(f frame, timeline []Slice, sites []string, y float64) float64 {
	c.caption(f, y, "보낸 것에 답이 온 때, 받은 때(연한 줄)", "answered, delivered (pale)")
	y += laneTop
	for i, site := range sites {
		name := siteName(site)
		c.Texts = append(c.Texts, text{"ax", "end", cut(name.Ko, 4), f.left - 8, y + stripH + 4})
		c.strip(f, timeline, func(s Slice) int { return valueAt(s.Acked, i) }, siteClass(i), y,
			words{name.Ko + ": 답을 받음", name.En + ": answered"}, words{name.Ko + ": 답이 없음", name.En + ": no answer"})
		c.strip(f, timeline, func(s Slice) int { return valueAt(s.Delivered, i) }, "pale "+siteClass(i), y+stripH+1,
			words{name.Ko + ": 메시지가 옴", name.En + ": delivered"}, words{name.Ko + ": 온 메시지가 없음", name.En + ": nothing delivered"})
		y += 2*stripH + 7
	}
	return y + 9
}

// strip draws where something happened and where not, and says how long not.
func (c *chart) strip(f frame, timeline []Slice, of func(Slice) int, class string, y float64, on, off words) {
	sliceMs := float64(sliceLength.Milliseconds())
	lit := beaconLit(timeline, of)
	for from, to := 0, 0; from < len(timeline); from = to {
		for to = from + 1; to < len(timeline) && lit[to] == lit[from]; to++ {
		}
		x := f.x(timeline[from].Ms)
		b := bar{"lit " + class, x, y, f.x(timeline[to-1].Ms+sliceMs) - x, stripH, on}
		if !lit[from] {
			ms := float64(to-from) * sliceMs
			b.Class, b.Title = "dark", words{off.Ko + " (" + inSeconds(ms) + "초)", off.En + " (" + inSeconds(ms) + " s)"}
			label := strconv.FormatFloat(ms/1000, 'f', 1, 64) + "초"
			if textWidth(label, 11)+6 <= b.W {
				c.Texts = append(c.Texts, text{"gap", "middle", label, b.X + b.W/2, y + 10.5})
			}
		}
		c.Bars = append(c.Bars, b)
	}
}

// beaconLit says for each slice whether something happened; a pause shorter than darkAfter slices belongs to the light around it.
func beaconLit(timeline []Slice, of func(Slice) int) []bool {
	lit := make([]bool, len(timeline))
	for from, to := 0, 0; from < len(timeline); from = to {
		some := of(timeline[from]) > 0
		for to = from + 1; to < len(timeline) && (of(timeline[to]) > 0) == some; to++ {
		}
		for i := from; i < to; i++ {
			lit[i] = some || to-from < darkAfter
		}
	}
	return lit
}

// whileTalking leaves out the end of a timeline, when all was said and nobody waited for an answer any more.
func whileTalking(s *Scenario) []Slice {
	n := len(s.Timeline)
	for n > 0 && s.Timeline[n-1].Ms >= s.Seconds*1000 && !slices.ContainsFunc(s.Timeline[n-1].Acked, func(v int) bool { return v > 0 }) {
		n--
	}
	return s.Timeline[:n]
}

// drawLatency draws one lane for each site, all on the same logarithmic scale: half of the people were answered below the thick
// line, 99 of 100 below the thin one. A curve ends where nobody was answered.
func (c *chart) drawLatency(f frame, timeline []Slice, bound float64, sites []string, y float64) float64 {
	lo, hi := math.Inf(1), bound
	for _, slice := range timeline {
		for i := range sites {
			if v := valueAt(slice.P50, i); v > 0 {
				lo = min(lo, v)
			}
			hi = max(hi, valueAt(slice.P99, i), valueAt(slice.P50, i))
		}
	}
	if math.IsInf(lo, 1) {
		lo = 1
	}
	from := math.Floor(math.Log10(lo))
	to := max(math.Ceil(math.Log10(max(hi, lo))), from+2)
	height := 20 * (to - from)
	c.caption(f, y, "지연 시간 p50 · p99", "latency, log scale")
	y += laneTop + 4
	for i, site := range sites {
		scale := func(ms float64) float64 { return y + height*(to-math.Log10(ms))/(to-from) }
		for e := from; e <= to; e++ {
			label := ""
			if int(to-e)%2 == 1 { // every second one, and not where lanes meet
				label = decade(e)
			}
			c.gridLine(f, scale(math.Pow(10, e)), label)
		}
		if bound > 0 {
			c.Lines = append(c.Lines, path{"bound", pen(true, f.left, scale(bound)) + pen(false, f.right, scale(bound))})
			if i == 0 {
				c.Texts = append(c.Texts, text{"bound", "start", "한계 " + inSeconds(bound) + "초", f.left + 4, scale(bound) - 4})
			}
		}
		var p50, p99, band strings.Builder
		var back []string // the lower edge of the band so far, backwards
		closeBand := func() {
			for k := len(back) - 1; k >= 0; k-- {
				band.WriteString(back[k])
			}
			if len(back) > 0 {
				band.WriteString("Z")
			}
			back = nil
		}
		for b := 0; b < len(timeline); b += f.perBucket {
			group := timeline[b:min(b+f.perBucket, len(timeline))]
			half, most := latencyOf(group, i)
			if half <= 0 {
				closeBand()
				continue
			}
			x := f.x(group[0].Ms + float64(len(group))*float64(sliceLength.Milliseconds())/2)
			if back == nil { // so that a moment between two gaps is a dot
				p50.WriteString(pen(true, x, scale(half)))
				p99.WriteString(pen(true, x, scale(most)))
			}
			p50.WriteString(pen(false, x, scale(half)))
			p99.WriteString(pen(false, x, scale(most)))
			band.WriteString(pen(back == nil, x, scale(most)))
			back = append(back, pen(false, x, scale(half)))
		}
		closeBand()
		class := siteClass(i)
		c.Areas = append(c.Areas, path{"band " + class, band.String()})
		c.Lines = append(c.Lines, path{"p99 " + class, p99.String()}, path{"p50 " + class, p50.String()})
		c.Texts = append(c.Texts, text{"lane-site", "end", cut(siteName(site).Ko, 16), f.right - 4, y + 12})
		y += height + 16
	}
	return y - 8
}

// latencyOf a few slices: the mean of their medians, and the worst of their 99th percentiles.
func latencyOf(group []Slice, site int) (p50, p99 float64) {
	n := 0
	for _, s := range group {
		if v := valueAt(s.P50, site); v > 0 {
			p50, n = p50+v, n+1
			p99 = max(p99, valueAt(s.P99, site), v)
		}
	}
	return p50 / float64(max(n, 1)), p99
}

// drawTime draws the axis of seconds.
func (c *chart) drawTime(f frame, top, bottom float64) {
	ticks := 10
	if f.narrow {
		ticks = 4
	}
	step := niceStep(f.endMs/1000, ticks)
	for v := 0.0; v*1000 <= f.endMs; v += step {
		x := f.x(v * 1000)
		c.Lines = append(c.Lines, path{"tick", pen(true, x, bottom) + pen(false, x, bottom+4)})
		anchor := "middle"
		if v > 0 && x > f.right-12 {
			anchor = "end"
		}
		c.Texts = append(c.Texts, text{"ax", anchor, strconv.FormatFloat(v, 'f', -1, 64) + "초", x, bottom + 18})
	}
}

func (c *chart) caption(f frame, y float64, ko, en string) {
	if !f.narrow {
		ko += "  ·  " + en
	}
	c.Texts = append(c.Texts, text{"lane", "start", ko, f.left, y + 15})
}

func (c *chart) gridLine(f frame, y float64, label string) {
	c.Lines = append(c.Lines, path{"grid", pen(true, f.left, y) + pen(false, f.right, y)})
	if label != "" {
		c.Texts = append(c.Texts, text{"ax", "end", label, f.left - 8, y + 4})
	}
}

func siteClass(i int) string { return "s" + strconv.Itoa(i%5+1) }

// valueAt is v[i]; a list that is too short has zeroes.
func valueAt[T int | float64](v []T, i int) T {
	if i < len(v) {
		return v[i]
	}
	return 0
}

// pen moves or draws to a point of a path.
func pen(move bool, x, y float64) string {
	op := "L"
	if move {
		op = "M"
	}
	return op + strconv.FormatFloat(x, 'f', 1, 64) + " " + strconv.FormatFloat(y, 'f', 1, 64)
}

// niceStep is 1, 2 or 5 times a power of ten, so that at most n steps reach top.
func niceStep(top float64, n int) float64 {
	if top <= 0 {
		return 1
	}
	raw := top / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw {
			return m * power
		}
	}
	return 10 * power
}

func rate(v float64) string {
	if v == math.Trunc(v) {
		return count(int(v))
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// decade is a power of ten milliseconds.
func decade(e float64) string {
	if ms := math.Pow(10, e); ms < 1000 {
		return strconv.FormatFloat(ms, 'g', 3, 64) + "ms"
	}
	return count(int(math.Pow(10, e-3))) + "초"
}

// textWidth is about how wide a text is; Hangul is as wide as it is high.
func textWidth(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		switch {
		case r >= 0x1100:
			w += .92
		default:
			w += .58
		}
	}
	return w * size
}

// cut shortens a text to n letters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
