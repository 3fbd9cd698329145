package status

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func fmtInt(n int64) string { return strconv.FormatInt(n, 10) }

func at(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }

func inc(kind Kind, site string, since, until int) Incident {
	i := Incident{Kind: kind, Sites: []string{site}, Since: at(since)}
	if until > 0 {
		i.Until = at(until)
	}
	return i
}

func TestMerge(t *testing.T) {
	wait := func(i Incident, ms int64) Incident { i.Wait = ms; return i }
	late := func(i Incident) Incident { i.Late = true; return i }
	for name, c := range map[string]struct {
		a, b []Incident
		want string
	}{
		"seen by two": {
			[]Incident{wait(inc(KindSite, "busan", 10, 100), 300)}, []Incident{wait(inc(KindSite, "busan", 12, 103), 900)},
			"site busan 10-103 900",
		},
		"one still sees it": {[]Incident{inc(KindSite, "busan", 10, 100)}, []Incident{inc(KindSite, "busan", 11, 0)}, "site busan 10- 0"},
		"two of them": {
			[]Incident{inc(KindSite, "busan", 10, 50)}, []Incident{inc(KindSite, "busan", 100, 0)},
			"site busan 100- 0, site busan 10-50 0",
		},
		"two sites": {
			[]Incident{inc(KindSite, "busan", 10, 50)}, []Incident{inc(KindSite, "seoul", 20, 40)},
			"site seoul 20-40 0, site busan 10-50 0",
		},
		"who was away when it ended": {
			[]Incident{late(inc(KindSite, "busan", 10, 4000))}, []Incident{inc(KindSite, "busan", 10, 100)},
			"site busan 10-100 0",
		},
		"sends stop everywhere": {
			[]Incident{inc(KindSends, "seoul", 10, 50)}, []Incident{wait(inc(KindSends, "busan", 12, 60), 4000)},
			"sends busan,seoul 10-60 4000",
		},
		"a site that was cut off": {
			[]Incident{wait(inc(KindSite, "busan", 10, 50), 800)}, []Incident{wait(inc(KindSends, "busan", 9, 49), 39000)},
			"site busan 10-50 800",
		},
		"the same site at another time": {
			[]Incident{inc(KindSite, "busan", 10, 50)}, []Incident{inc(KindSends, "busan", 500, 550)},
			"sends busan 500-550 0, site busan 10-50 0",
		},
		"nothing": {nil, nil, ""},
	} {
		for _, lists := range [][][]Incident{{c.a, c.b}, {c.b, c.a}} {
			var got []string
			for _, i := range Merge(lists...) {
				until := ""
				if i.Over() {
					until = fmtInt(int64(i.Until.Sub(start) / time.Second))
				}
				got = append(got, string(i.Kind)+" "+strings.Join(i.Sites, ",")+" "+fmtInt(int64(i.Since.Sub(start)/time.Second))+"-"+until+" "+fmtInt(i.Wait))
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("%s: %s, want %s", name, s, c.want)
			}
		}
	}
	// What is merged for a page does not change what is kept.
	kept := inc(KindSends, "seoul", 10, 0)
	Merge([]Incident{kept}, []Incident{inc(KindSends, "busan", 12, 0)})
	if len(kept.Sites) != 1 {
		t.Error("merging changed what was kept")
	}
}
