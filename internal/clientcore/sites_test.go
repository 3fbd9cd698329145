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

// A gap is read although the client itself writes without pause and the room goes on: after a move to another site there is
// one in every lively room.
func TestGapInALivelyRoom(t *testing.T) {
	me, room := ids.NewUser(1, []byte("alice")), ""
	c := New(Config{Sites: 1, Rand: rand.New(rand.NewPCG(1, 2)), Volatile: true})
	now := int64(1000)
	c.SetAccount(me, "token", ids.Device{1})
	room = ids.Direct(me, ids.NewUser(1, []byte("bob"))).String()
	c.GoOnline(now)
	c.Opened(now, 1)
	pos := func(n uint64) *apiv1.Position { return &apiv1.Position{Epoch: 1, N: n} }
	c.Frame(now, 1, &livev1.Frame{Body: &livev1.Frame_Rooms{Rooms: &livev1.Rooms{Rooms: []*apiv1.Room{{Id: room, LastSeq: 10, Changed: pos(10)}}}}})
	c.Frame(now, 1, &livev1.Frame{Body: &livev1.Frame_Welcome{Welcome: &livev1.Welcome{Position: pos(10)}}})
	if _, err := c.Submit(now, Op{Kind: KindSend, Room: room, Text: "never answered"}); err != nil {
		t.Fatal(err)
	}
	for seq := uint64(15); seq < 25; seq++ { // 11 to 14 are missing
		now += 100
		m := &apiv1.Message{Room: room, Seq: seq, Kind: apiv1.MessageKind_MESSAGE_KIND_TEXT, Author: "aaaqcywwscrwu42d", Text: "hello"}
		c.Frame(now, 1, &livev1.Frame{Body: &livev1.Frame_Event{Event: &livev1.Event{Position: pos(seq), Kind: &livev1.Event_Message{Message: m}}}})
		for _, o := range c.Take() {
			if f, ok := o.(Fetch); ok && f.Request.Room == room && f.Request.From == 11 {
				return
			}
		}
	}
	t.Fatal("nobody read what is missing")
}

// What was asked of a site that has burnt is asked of the next one as soon as that has welcomed the client.
func TestFetchesMove(t *testing.T) {
	c := New(Config{Sites: 2, Rand: rand.New(rand.NewPCG(1, 2)), Volatile: true})
	now := int64(1000)
	me := ids.NewUser(1, []byte("alice"))
	c.SetAccount(me, "token", ids.Device{1})
	room := ids.Direct(me, ids.NewUser(1, []byte("bob"))).String()
	c.GoOnline(now)
	fetched := func() (sites []int) {
		for _, o := range c.Take() {
			if f, ok := o.(Fetch); ok {
				sites = append(sites, f.Site)
			}
		}
		return sites
	}
	welcome := func(conn, head uint64) {
		c.Opened(now, conn)
		at := &apiv1.Position{Epoch: 1, N: head}
		c.Frame(now, conn, &livev1.Frame{Body: &livev1.Frame_Rooms{Rooms: &livev1.Rooms{Rooms: []*apiv1.Room{{Id: room, LastSeq: head, Changed: at}}}}})
		c.Frame(now, conn, &livev1.Frame{Body: &livev1.Frame_Welcome{Welcome: &livev1.Welcome{Position: at}}})
	}
	welcome(1, 10)
	fetched()
	m := &apiv1.Message{Room: room, Seq: 12, Kind: apiv1.MessageKind_MESSAGE_KIND_TEXT, Text: "after a gap"}
	c.Frame(now, 1, &livev1.Frame{Body: &livev1.Frame_Event{Event: &livev1.Event{Position: &apiv1.Position{Epoch: 1, N: 12}, Kind: &livev1.Event_Message{Message: m}}}})
	if got := fetched(); !slices.Equal(got, []int{0}) {
		t.Fatalf("asked %v", got)
	}
	c.Lost(now, 1)
	for len(opened(c)) == 0 {
		now += 100
		c.Tick(now)
	}
	welcome(2, 15)
	if got := fetched(); !slices.Equal(got, []int{1}) {
		t.Fatalf("after the move %v were asked", got)
	}
}

// Beside a connection that is silent every other site is tried, not the next one only.
func TestEverySiteIsTriedBesideASilentOne(t *testing.T) {
	c := New(Config{Sites: 3, Rand: rand.New(rand.NewPCG(1, 2)), Volatile: true})
	now := int64(1000)
	me := ids.NewUser(1, []byte("alice"))
	c.SetAccount(me, "token", ids.Device{1})
	c.GoOnline(now)
	c.Opened(now, 1)
	c.Frame(now, 1, &livev1.Frame{Body: &livev1.Frame_Welcome{Welcome: &livev1.Welcome{Position: &apiv1.Position{Epoch: 1, N: 1}}}})
	c.View(now, []string{ids.Direct(me, ids.NewUser(1, []byte("bob"))).String()})
	opened(c)
	var tried []int
	for range 200 {
		now += 100
		c.Tick(now)
		for _, s := range opened(c) {
			tried = append(tried, s)
			c.Lost(now, c.nextConn)
		}
	}
	if !slices.Contains(tried, 1) || !slices.Contains(tried, 2) || slices.Contains(tried, 0) {
		t.Fatalf("tried %v", tried)
	}
}
