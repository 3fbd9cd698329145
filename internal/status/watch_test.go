package status

import (
	"reflect"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 22, 4, 35, 0, 0, time.UTC)

// rig shows a watcher one look a second.
type rig struct {
	t   *testing.T
	w   *Watcher
	at  time.Time
	all []Site
}

func newRig(t *testing.T, kept ...Incident) *rig {
	return &rig{t: t, w: NewWatcher(kept), at: start, all: []Site{{Name: "busan", State: Up}, {Name: "daejeon", State: Up}, {Name: "seoul", State: Up}}}
}

func (r *rig) set(site string, s State) {
	for i := range r.all {
		if r.all[i].Name == site {
			r.all[i].State = s
		}
	}
}

// look shows the same for so many seconds; the site that looks is Seoul.
func (r *rig) look(seconds int, wait time.Duration) {
	for range seconds {
		r.w.See(Look{At: r.at, Here: "seoul", Sites: r.all, Wait: wait})
		r.at = r.at.Add(time.Second)
	}
}

func (r *rig) want(n, open int) []Incident {
	r.t.Helper()
	list := r.w.Incidents()
	got := 0
	for _, i := range list {
		if !i.Over() {
			got++
		}
	}
	if len(list) != n || got != open {
		r.t.Fatalf("%d incidents, %d of them open; want %d, %d: %+v", len(list), got, n, open, list)
	}
	return list
}

func TestSiteIsLostAndComesBack(t *testing.T) {
	r := newRig(t)
	r.look(5, 10*time.Millisecond)
	r.set("busan", Silent)
	lost := r.at
	r.look(1, 900*time.Millisecond)
	r.look(1, 10*time.Millisecond)
	r.want(0, 0)
	r.look(1, 10*time.Millisecond)
	i := r.want(1, 1)[0]
	if i.Kind != KindSite || i.Sites[0] != "busan" || !i.Since.Equal(lost) || i.Wait != 900 {
		t.Errorf("opened: %+v", i)
	}
	r.set("busan", NotReady) // it is back, and not ready yet
	r.look(20, 0)
	r.want(1, 1)
	r.set("busan", Up)
	back := r.at
	r.look(1, 300*time.Millisecond)
	if i := r.want(1, 1)[0]; !i.Fine.Equal(back) {
		t.Errorf("well again: %+v", i)
	}
	r.look(9, 0)
	r.want(1, 1)
	r.look(1, 0)
	i = r.want(1, 0)[0]
	if !i.Until.Equal(back) || !i.Fine.IsZero() || i.Wait != 900 || i.Late {
		t.Errorf("closed: %+v", i)
	}
	r.look(60, 0)
	r.want(1, 0)
}

// What comes and goes is no incident when it is short, and one incident when it is not well for long in between.
func TestFlapping(t *testing.T) {
	r := newRig(t)
	for range 20 {
		r.set("busan", Silent)
		r.look(2, 0)
		r.set("busan", Up)
		r.look(1, 0)
	}
	r.want(0, 0)
	r.set("busan", Silent)
	r.look(3, 0)
	for range 20 {
		r.set("busan", Up)
		r.look(9, 0)
		r.set("busan", Silent)
		r.look(1, 0)
	}
	r.want(1, 1)
}

func TestSendsStall(t *testing.T) {
	r := newRig(t)
	r.look(5, 1900*time.Millisecond)
	r.want(0, 0)
	stop := r.at.Add(-2500 * time.Millisecond)
	r.look(1, 2500*time.Millisecond)
	i := r.want(1, 1)[0]
	if i.Kind != KindSends || i.Sites[0] != "seoul" || !i.Since.Equal(stop) || i.Wait != 2500 {
		t.Errorf("opened: %+v", i)
	}
	for d := 3500 * time.Millisecond; d < 9*time.Second; d += time.Second {
		r.look(1, d)
	}
	well := r.at
	r.look(11, 5*time.Millisecond)
	if i = r.want(1, 0)[0]; !i.Until.Equal(well) || i.Wait != 8500 {
		t.Errorf("closed: %+v", i)
	}
}

// A node that is not ready may be the one that is cut off: it says nothing of the others.
func TestCutOffAccusesNobody(t *testing.T) {
	r := newRig(t)
	r.look(5, 0)
	r.set("busan", Silent)
	r.set("daejeon", Silent)
	r.look(2, 0)
	r.set("seoul", NotReady)
	r.look(60, time.Second)
	r.want(0, 0)
	r.set("seoul", Up)
	r.look(2, 0)
	r.want(0, 0)
	r.look(1, 0)
	r.want(2, 2)
	r.set("busan", Up) // and it closes nothing either
	r.set("seoul", NotReady)
	r.look(30, 0)
	r.want(2, 2)
}

func TestSitesThatAreNotInServiceYet(t *testing.T) {
	r := newRig(t)
	r.set("busan", Joining)
	r.set("daejeon", Draining)
	r.look(60, 0)
	r.want(0, 0)
	r.set("busan", Up)
	r.look(1, 0)
	r.set("busan", Silent)
	r.look(3, 0)
	r.want(1, 1)
	r.all = r.all[1:] // removed for good
	r.look(1, 0)
	r.want(1, 0)
}

// Machines that are started one after another are no outage; one that does not come is, from when it was missed.
func TestStart(t *testing.T) {
	r := newRig(t)
	r.set("busan", Silent)
	r.set("daejeon", NotReady)
	r.look(40, 0)
	r.set("daejeon", Up)
	r.look(20, 0)
	r.want(0, 0)
	r.look(1, 0)
	if i := r.want(1, 1)[0]; i.Sites[0] != "busan" || !i.Since.Equal(start) {
		t.Errorf("the one that does not come: %+v", i)
	}
	r.set("daejeon", Silent) // it has come, and is missed at once
	r.look(3, 0)
	r.want(2, 2)
}

// A process that was stopped has not seen what was between its looks.
func TestFrozen(t *testing.T) {
	r := newRig(t)
	r.look(1, 0)
	r.set("busan", Silent)
	r.look(1, 0)
	r.at = r.at.Add(time.Minute)
	r.look(2, 0)
	r.want(0, 0)
	r.look(1, 0)
	r.want(1, 1)
	r.set("busan", Up)
	r.look(2, 0)
	r.at = r.at.Add(time.Minute)
	r.look(10, 0)
	r.want(1, 1)
	r.look(1, 0)
	r.want(1, 0)
}

// A node that was away when an incident ended says so, and one that is back while it lasts goes on.
func TestRestart(t *testing.T) {
	open := Incident{Kind: KindSite, Sites: []string{"busan"}, Since: start.Add(-time.Hour)}
	r := newRig(t, open)
	r.look(11, 0)
	if i := r.want(1, 0)[0]; !i.Late || !i.Until.Equal(start) {
		t.Errorf("ended while away: %+v", i)
	}
	r = newRig(t, open)
	r.set("busan", Silent)
	r.look(1, 0)
	r.set("busan", Up)
	r.look(11, 0)
	if i := r.want(1, 0)[0]; i.Late || !i.Since.Equal(open.Since) {
		t.Errorf("ended before one's eyes: %+v", i)
	}
}

// What another site has seen end is known here, too, once, and not while it lasts; what is older than all that is kept is not.
func TestLearn(t *testing.T) {
	r := newRig(t)
	at := func(d time.Duration) Incident {
		return Incident{Kind: KindSite, Sites: []string{"busan"}, Since: start.Add(d), Until: start.Add(d + time.Minute), Wait: 7}
	}
	lasts := at(time.Hour)
	lasts.Until = time.Time{}
	if told := []Incident{at(-time.Hour), lasts}; !r.w.Learn(told) || r.w.Learn(told) {
		t.Error("what was told is not learnt once")
	}
	if list := r.want(1, 0); !reflect.DeepEqual(list[0], at(-time.Hour)) {
		t.Errorf("learnt: %+v", list)
	}
	// It saw the same end half a second earlier.
	if near := at(-time.Hour - 500*time.Millisecond); r.w.Learn([]Incident{near}) {
		t.Error("one outage is two")
	}
	if !r.w.Learn([]Incident{at(-3 * time.Hour)}) || !r.want(2, 0)[0].Since.Equal(start.Add(-3*time.Hour)) {
		t.Error("the oldest is not the first")
	}
	// One that lasts here ends by what is seen here.
	r.look(1, 0)
	r.set("busan", Silent)
	r.look(3, 0)
	if ended := at(0); r.w.Learn([]Incident{ended}) {
		t.Error("told as over, while it lasts here")
	}
	r.want(3, 1)
	for k := range Kept {
		other := at(time.Duration(k+2) * time.Hour)
		other.Sites = []string{"daejeon"}
		r.w.Learn([]Incident{other})
	}
	if r.w.Learn([]Incident{at(-2 * time.Hour)}) || len(r.w.Incidents()) != Kept {
		t.Error("learnt what is older than all that is kept")
	}
}

func TestKept(t *testing.T) {
	r := newRig(t)
	for range Kept + 50 {
		r.set("busan", Silent)
		r.look(3, 0)
		r.set("busan", Up)
		r.look(11, 0)
	}
	list := r.want(Kept, 0)
	got := Decode(Encode(list))
	if !reflect.DeepEqual(got, list) {
		t.Errorf("%d kept, %d read back", len(list), len(got))
	}
	b := append([]byte("{\"kind\":\"site\"\n\x00\n{\"kind\":\"other\",\"sites\":[\"a\"]}\n"), Encode(list)...)
	if got := Decode(b[:len(b)-5]); len(got) != Kept-1 {
		t.Errorf("of a file with damaged lines %d are read", len(got))
	}
}
