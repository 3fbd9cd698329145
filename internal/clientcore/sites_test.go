package clientcore

import (
	"math/rand/v2"
	"slices"
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// opened lists the sites at which connections were asked for.
func opened(c *Core) (sites []int) {
	for _, o := range c.Take() {
		if o, ok := o.(Open); ok {
			sites = append(sites, o.Site)
		}
	}
	return sites
}

// A client learns the sites from the system, goes to them in turn, leaves out those that are gone, and knows them after
// a restart.
func TestSitesAreLearned(t *testing.T) {
	st := NewState()
	c := New(Config{Sites: 1, Rand: rand.New(rand.NewPCG(1, 2)), State: st})
	now := int64(1000)
	c.SetAccount(ids.NewUser(1, []byte("alice")), "token", ids.Device{1})
	c.GoOnline(now)
	if got := opened(c); !slices.Equal(got, []int{0}) {
		t.Fatal(got)
	}
	c.Opened(now, c.nextConn)
	c.Frame(now, c.nextConn, &livev1.Frame{Body: &livev1.Frame_Welcome{Welcome: &livev1.Welcome{Position: &apiv1.Position{Epoch: 1, N: 1}}}})
	c.Take()
	list := &livev1.Sites{Here: "a", Sites: []*apiv1.Site{{Name: "a", Url: "http://a"}, {Name: "b", Url: "http://b"}, {Name: "c", Url: "http://c"}}}
	c.Frame(now, c.nextConn, &livev1.Frame{Body: &livev1.Frame_Sites{Sites: list}})
	var told *KnowSites
	for _, o := range c.Take() {
		switch o := o.(type) {
		case KnowSites:
			told = &o
		case Persist:
			for _, r := range o.Records {
				if err := st.Add(r); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if told == nil || !slices.Equal(told.URLs, []string{"http://a", "http://b", "http://c"}) {
		t.Fatalf("%+v", told)
	}
	if !slices.Equal(st.Sites, told.URLs) {
		t.Fatalf("stored: %v", st.Sites)
	}
	c.Frame(now, c.nextConn, &livev1.Frame{Body: &livev1.Frame_Sites{Sites: list}})
	for _, o := range c.Take() {
		if _, ok := o.(KnowSites); ok {
			t.Fatal("told again without a change")
		}
	}

	c.SetSites(now, 3, []bool{false, true, false}) // b is gone
	c.Lost(now, c.nextConn)
	var tried []int
	for range 6 {
		now += 60_000
		c.Tick(now)
		s := opened(c)
		tried = append(tried, s...)
		if len(s) > 0 {
			c.Lost(now, c.nextConn)
		}
	}
	if len(tried) < 4 || slices.Contains(tried, 1) || !slices.Contains(tried, 0) || !slices.Contains(tried, 2) {
		t.Fatalf("tried %v", tried)
	}
}
