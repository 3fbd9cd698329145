package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// presences are the frames about who is connected, as "count: names".
func (r *rig) presences(fs []*livev1.Frame, names ...*someone) (out []string) {
	for _, f := range fs {
		p := f.GetPresence()
		if p == nil {
			continue
		}
		var who []int
		for _, u := range p.Users {
			who = append(who, slices.IndexFunc(names, func(s *someone) bool { return s.user.String() == u }))
		}
		slices.Sort(who)
		out = append(out, fmt.Sprint(p.Online, who))
	}
	return out
}

// later lets time pass, in ticks.
func (r *rig) later(d time.Duration) {
	for range d / (100 * time.Millisecond) {
		r.clock.advance(100 * time.Millisecond)
		r.g.Tick()
	}
}

func TestPresenceInView(t *testing.T) {
	r := newRig(t, nil)
	a, b, c := r.person("alice"), r.person("bobby"), r.person("carol")
	room := r.group(a, b, c)
	r.later(10 * time.Second) // who made the group is gone
	la := a.live()
	see := func(what string, want ...string) {
		t.Helper()
		if got := r.presences(la.take(), a, b, c); !slices.Equal(got, want) {
			t.Fatalf("%s: %q, want %q", what, got, want)
		}
	}
	la.Frame(view(room))
	see("at once", "1 [0]")
	r.later(3 * time.Second)
	see("nothing has changed")

	lb := b.live()
	r.later(time.Second)
	see("somebody came", "2 [0 1]")
	lb2 := b.another(false).live()
	lb.Session.Close()
	r.later(6 * time.Second)
	see("one of two sessions ended")
	lb2.Session.Close()
	r.later(4 * time.Second)
	see("a reload does not blink")
	lb = b.live()
	r.later(6 * time.Second)
	see("and is back")
	lb.Session.Close()
	r.later(6 * time.Second)
	see("gone for good", "1 [0]")

	// However much happens, one frame a second, with what is true then.
	for range 5 {
		lb, lc := b.live(), c.live()
		r.later(100 * time.Millisecond)
		lb.Session.Close()
		lc.Session.Close()
	}
	r.later(2 * time.Second)
	see("all at once", "3 [0 1 2]")
	r.later(6 * time.Second)
	see("both left", "1 [0]")

	la.Frame(view())
	c.live()
	r.later(2 * time.Second)
	see("not in view")
	la.Frame(view(room))
	see("in view again", "2 [0 2]")
}

// TestPresenceOfMembers: who joins or leaves a room while connected counts or does not.
func TestPresenceOfMembers(t *testing.T) {
	r := newRig(t, nil)
	a, b, c := r.person("alice"), r.person("bobby"), r.person("carol")
	room := r.group(a, b)
	la, lb, lc := a.live(), b.live(), c.live()
	la.Frame(view(room))
	lc.Frame(view(room))
	if got := r.presences(lc.take(), a, b, c); got != nil {
		t.Fatalf("somebody who is no member is told %q", got)
	}
	la.take()
	la.must(t, invite(a, room, c))
	r.later(time.Second)
	if got := r.presences(la.take(), a, b, c); !slices.Equal(got, []string{"3 [0 1 2]"}) {
		t.Fatalf("%q", got)
	}
	if got := r.presences(lc.take(), a, b, c); !slices.Equal(got, []string{"3 [0 1 2]"}) {
		t.Fatalf("the new member is told %q", got)
	}
	lb.must(t, leave(b, room))
	r.later(time.Second)
	if got := r.presences(la.take(), a, b, c); !slices.Equal(got, []string{"2 [0 2]"}) {
		t.Fatalf("%q", got)
	}
	lc.take()
	lc.must(t, leave(c, room))
	lb.Session.Close()
	r.later(10 * time.Second)
	if got := r.presences(lc.take(), a, b, c); got != nil {
		t.Fatalf("after leaving: %q", got)
	}
}

func block(other *someone, n uint64, on bool) *livev1.Frame {
	if on {
		return &livev1.Frame{Body: &livev1.Frame_Block{Block: &apiv1.BlockRequest{Name: named8(n, n), User: other.user.String()}}}
	}
	return &livev1.Frame{Body: &livev1.Frame_Unblock{Unblock: &apiv1.UnblockRequest{Name: named8(n, n), User: other.user.String()}}}
}

// TestPresenceAndBlocks: a block hides both from one another, in the group and in the 1:1, and also from the count.
func TestPresenceAndBlocks(t *testing.T) {
	r := newRig(t, nil)
	a, b, c := r.person("alice"), r.person("bobby"), r.person("carol")
	room, direct := r.group(a, b, c), ids.Direct(a.user, b.user)
	la, lb, lc := a.live(), b.live(), c.live()
	la.must(t, a.sendTo(b, "hi"))
	lb.must(t, b.sendTo(a, "hi"))
	for _, l := range []*line{la, lb, lc} {
		l.Frame(view(room, direct))
		l.take()
	}
	see := func(what string, l *line, want ...string) {
		t.Helper()
		if got := r.presences(l.take(), a, b, c); !slices.Equal(got, want) {
			t.Fatalf("%s: %q, want %q", what, got, want)
		}
	}
	lb.must(t, block(a, 1, true))
	r.later(time.Second)
	see("blocked", la, "2 [0 2]", "1 [0]")
	see("who blocks", lb, "2 [1 2]", "1 [1]")
	see("a third", lc)
	lb.must(t, block(a, 2, false))
	r.later(2 * time.Second)
	see("unblocked", la, "3 [0 1 2]", "2 [0 1]")
	see("who unblocks", lb, "3 [0 1 2]", "2 [0 1]")

	// A block while the other is away holds when they come back.
	lb.Session.Close()
	r.later(7 * time.Second)
	see("gone", la, "2 [0 2]", "1 [0]")
	la.must(t, block(b, 1, true))
	b.live()
	r.later(2 * time.Second)
	see("blocked while away", la)
}

// TestPresenceOfStrangers: whoever opens a 1:1 with somebody does not see them there before they answer or add one as a friend.
func TestPresenceOfStrangers(t *testing.T) {
	r := newRig(t, nil)
	a, b, c := r.person("alice"), r.person("bobby"), r.person("carol")
	la, lb := a.live(), b.live()
	c.live()
	la.must(t, a.sendTo(b, "hi"))
	la.must(t, a.sendTo(c, "hi"))
	see := func(what string, l *line, want ...string) {
		t.Helper()
		if got := r.presences(l.take(), a, b, c); !slices.Equal(got, want) {
			t.Fatalf("%s: %q, want %q", what, got, want)
		}
	}
	la.take()
	lb.take()
	la.Frame(view(ids.Direct(a.user, b.user), ids.Direct(a.user, c.user)))
	see("not answered", la, "1 [0]", "1 [0]")
	lb.Frame(view(ids.Direct(a.user, b.user)))
	see("who was written to", lb, "2 [0 1]")
	lb.must(t, b.sendTo(a, "hello"))
	r.later(2 * time.Second)
	see("answered", la, "2 [0 1]")
	if _, err := (peoples{r.g}).AddFriend(withCaller(t, c), &apiv1.AddFriendRequest{Name: named8(1, 1), User: a.user.String()}); err != nil {
		t.Fatal(err)
	}
	r.later(2 * time.Second)
	see("added", la, "2 [0 2]")
}

// TestAnswered: an answer counts wherever it is among the oldest or the newest rows.
func TestAnswered(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	la, lb := a.live(), b.live()
	room := ids.Direct(a.user, b.user)
	is := func(want bool) {
		t.Helper()
		err := r.g.read(kernel.DomainChat, func(v kernel.Snapshot) error {
			if got := answered(v, room, b.user); got != want {
				return fmt.Errorf("answered: %v", got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	is(false)
	for range answerLook + 50 {
		la.must(t, a.sendTo(b, "hi"))
		la.take()
	}
	is(false)
	lb.must(t, b.sendTo(a, "hello"))
	is(true)
	for range answerLook {
		la.must(t, a.sendTo(b, "hi"))
		la.take()
	}
	is(false)
}

// TestPresenceOfLargeRooms: above fifty members there is a number, and no names.
func TestPresenceOfLargeRooms(t *testing.T) {
	r := newRig(t, nil)
	var all []*someone
	for i := range namedUpTo + 1 {
		all = append(all, r.person(fmt.Sprintf("person.%d", i)))
	}
	room := r.group(all[0], all[1:]...)
	la := all[0].live()
	for _, p := range all[1:4] {
		p.live()
	}
	la.Frame(view(room))
	if got := r.presences(la.take()); !slices.Equal(got, []string{"4 []"}) {
		t.Fatalf("%q", got)
	}
	l := all[5].live()
	r.later(time.Second)
	if got := r.presences(la.take()); !slices.Equal(got, []string{"5 []"}) {
		t.Fatalf("%q", got)
	}
	// Somebody else comes as one goes: the same number is not told again.
	l.Session.Close()
	r.later(4900 * time.Millisecond)
	all[6].live()
	r.clock.advance(200 * time.Millisecond)
	r.g.Tick()
	r.later(time.Second)
	if got := r.presences(la.take()); got != nil {
		t.Fatalf("%q", got)
	}
}

// TestPresenceNeedsAReadySite: a site that may be behind does not say who blocks whom; it tells when it has caught up.
func TestPresenceNeedsAReadySite(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	room := r.group(a, b)
	la := a.live()
	la.Frame(view(room))
	la.take()
	b.live()
	r.k.notReady(errors.New("cut off"))
	r.later(2 * time.Second)
	if got := r.presences(la.take(), a, b); got != nil {
		t.Fatalf("%q", got)
	}
	r.k.notReady(nil)
	r.later(time.Second)
	if got := r.presences(la.take(), a, b); !slices.Equal(got, []string{"2 [0 1]"}) {
		t.Fatalf("%q", got)
	}
}

// TestResyncTellsPresenceAnew: a client that starts anew on the same connection is told again.
func TestResyncTellsPresenceAnew(t *testing.T) {
	r := newRig(t, nil)
	a, b := r.person("alice"), r.person("bobby")
	room := r.group(a, b)
	la := a.live()
	la.Frame(view(room))
	la.take()
	la.Frame(a.hello(nil))
	r.later(100 * time.Millisecond)
	if got := r.presences(la.take(), a, b); !slices.Equal(got, []string{"1 [0]"}) {
		t.Fatalf("%q", got)
	}
}

func TestGetPresence(t *testing.T) {
	r := newRig(t, nil)
	me, friend, fan, peer, stranger, offline := r.person("alice"), r.person("bobby"), r.person("carol"), r.person("david"), r.person("erica"), r.person("frank")
	as := func(p *someone) context.Context {
		return context.WithValue(t.Context(), callerKey{}, &caller{user: p.user, device: p.device, token: tokenOf(p)})
	}
	add := func(p, other *someone) {
		t.Helper()
		if _, err := (peoples{r.g}).AddFriend(as(p), &apiv1.AddFriendRequest{Name: named8(1, 1), User: other.user.String()}); err != nil {
			t.Fatal(err)
		}
	}
	add(me, friend) // one's own list says nothing about what others want
	add(fan, me)
	add(offline, me)
	lines := map[*someone]*line{}
	for _, p := range []*someone{me, friend, fan, peer, stranger} {
		lines[p] = p.live()
	}
	lines[peer].must(t, peer.sendTo(me, "hi"))
	lines[me].must(t, me.sendTo(stranger, "hi")) // a 1:1 that they did not ask for
	ask := func() (out []int) {
		t.Helper()
		all := []*someone{me, friend, fan, peer, stranger, offline}
		req := &apiv1.GetPresenceRequest{}
		for _, p := range append(all, fan) {
			req.Users = append(req.Users, p.user.String())
		}
		res, err := (peoples{r.g}).GetPresence(as(me), req)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range res.Online {
			out = append(out, slices.IndexFunc(all, func(p *someone) bool { return p.user.String() == u }))
		}
		return out
	}
	if got := ask(); !slices.Equal(got, []int{0, 2, 3}) {
		t.Fatalf("%v", got)
	}
	lines[fan].must(t, block(me, 1, true))
	lines[me].must(t, block(peer, 1, true))
	if got := ask(); !slices.Equal(got, []int{0}) {
		t.Fatalf("with blocks: %v", got)
	}
	lines[fan].must(t, block(me, 2, false))
	lines[fan].Session.Close()
	if got := ask(); !slices.Equal(got, []int{0, 2}) {
		t.Fatalf("within the grace: %v", got)
	}
	r.later(6 * time.Second)
	if got := ask(); !slices.Equal(got, []int{0}) {
		t.Fatalf("after it: %v", got)
	}
	if _, err := (peoples{r.g}).GetPresence(as(me), &apiv1.GetPresenceRequest{Users: []string{"nobody"}}); failureOf(err).Reason != apiv1.Reason_REASON_INVALID {
		t.Fatal(err)
	}
}

// BenchmarkPresence3000 is one person who comes to a room of 3,000 and goes, with somebody looking on.
func BenchmarkPresence3000(b *testing.B) {
	r := newRig(b, nil)
	h := r.g.hub
	lr := &liveRoom{id: ids.Room{0, 1, ids.KindGroup}}
	h.mu.rooms[lr.id] = lr
	for i := range 3000 {
		p := &person{user: ids.User{byte(i >> 8), byte(i)}, online: true}
		h.sit(p, lr.id, 1)
	}
	p := &person{user: ids.User{9}, online: true}
	for b.Loop() {
		h.sit(p, lr.id, 1)
		h.rise(p.seats[lr.id])
	}
}
