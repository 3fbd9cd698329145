package gateway

import (
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

func sitesIn(fs []*livev1.Frame) (out []*livev1.Sites) {
	for _, f := range fs {
		if s := f.GetSites(); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// A client is told the sites behind its Welcome, and again when the list has changed; nothing where there are none.
func TestSites(t *testing.T) {
	var list []*apiv1.Site
	r := newRig(t, func(o *Options) { o.Sites = func() (string, []*apiv1.Site) { return "seoul", list } })
	a := r.person("alice")
	l := a.connect(false)
	l.Frame(a.hello(nil))
	if got := sitesIn(l.take()); len(got) != 0 {
		t.Fatalf("sites of a server that is alone: %v", got)
	}
	grow := func(names ...string) {
		list = nil
		for _, n := range names {
			list = append(list, &apiv1.Site{Name: n, Url: "https://" + n + ".example"})
		}
		for range ticksPerScan {
			r.g.Tick()
		}
	}
	grow("daejeon", "seoul")
	got := sitesIn(l.take())
	if len(got) != 1 || got[0].Here != "seoul" || len(got[0].Sites) != 2 || got[0].Sites[0].Url != "https://daejeon.example" {
		t.Fatalf("after the list changed: %v", got)
	}
	grow("daejeon", "seoul")
	if got := sitesIn(l.take()); len(got) != 0 {
		t.Fatalf("told again without a change: %v", got)
	}
	b := r.person("bobby")
	m := b.connect(false)
	m.Frame(b.hello(nil))
	fs := m.take()
	if got := sitesIn(fs); len(got) != 1 || fs[len(fs)-2].GetWelcome() == nil {
		t.Fatalf("with the Welcome: %v", fs)
	}
	grow("busan", "daejeon", "seoul")
	for _, l := range []*line{l, m} {
		if got := sitesIn(l.take()); len(got) != 1 || len(got[0].Sites) != 3 {
			t.Fatalf("after it changed again: %v", got)
		}
	}
}
