package server

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/status"
)

func TestNewer(t *testing.T) {
	own := standing{Cluster: "x", Cell: "0001", Begun: 100}
	for name, c := range map[string]struct {
		own, told standing
		want      uint32
	}{
		"the same epoch":                  {own, own, 0},
		"a newer one":                     {own, standing{Cluster: "x", Cell: "0001", Begun: 101}, 101},
		"an older one":                    {own, standing{Cluster: "x", Cell: "0001", Begun: 99}, 0},
		"one that has not served":         {own, standing{Cluster: "x", Cell: "0001"}, 0},
		"heard from who gave up":          {own, standing{Cluster: "x", Cell: "0001", Begun: 100, Superseded: 200}, 200},
		"what the other gave up for mine": {standing{Cluster: "x", Cell: "0001", Begun: 200}, standing{Cluster: "x", Cell: "0001", Begun: 100, Superseded: 200}, 0},
		"another cell":                    {own, standing{Cluster: "x", Cell: "0002", Begun: 101}, 0},
		"another cluster":                 {own, standing{Cluster: "y", Cell: "0001", Begun: 101}, 0},
		"before this one has served":      {standing{Cluster: "x", Cell: "0001"}, standing{Cluster: "x", Cell: "0001", Begun: 101}, 0},
		"an older version":                {own, standing{Cluster: "x"}, 0},
	} {
		if got := c.own.newer(c.told); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// besideOf is the node "mine", which has served in an epoch, with a directory of its own, beside one other.
func besideOf(t *testing.T, st *atomic.Pointer[NodeState], epoch uint32) *nodes {
	t.Helper()
	n := beside(t, st)
	n.data = &Data{Dir: t.TempDir(), Meta: Meta{Node: "me", Cell: "0001", Cluster: "x", Site: "mine", Formed: true, Epoch: epoch}}
	n.wasReady.Store(true)
	if err := os.MkdirAll(filepath.Join(n.data.path(etcdDir), "member", "wal"), 0o700); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestStandingOfARestored: what was restored or rescued stands for its epoch only once it has served: before, it may still be
// refused.
func TestStandingOfARestored(t *testing.T) {
	var st atomic.Pointer[NodeState]
	n := besideOf(t, &st, 200)
	n.data.Meta.Founds = true
	if got := n.standing().Begun; got != 0 {
		t.Errorf("before its first start it stands for %d", got)
	}
	n.data.Meta.Founds = false
	if got := n.standing().Begun; got != 200 {
		t.Errorf("afterwards it stands for %d", got)
	}
}

// TestStartOfASuperseded: a start that meets a newer epoch, and nobody ready in its own, ends, and writes nothing down: whom it asks
// may have been removed. Sites of an older epoch, ready as they may be, neither refuse it nor give it their views.
func TestStartOfASuperseded(t *testing.T) {
	var st atomic.Pointer[NodeState]
	n := besideOf(t, &st, 100)
	st.Store(&NodeState{standing: standing{Cluster: "x", Cell: "0001", Begun: 99}, Phase: phaseReady, Epoch: 99, Records: []NodeRecord{{Node: "someone"}}})
	if plan, err := n.enter(t.Context(), "", false); err != nil || len(plan.from) != 0 {
		t.Errorf("beside the epoch before: %v, %v", plan.from, err)
	}
	st.Store(&NodeState{standing: standing{Cluster: "x", Cell: "0001", Begun: 100}, Phase: phaseReady, Epoch: 100, Records: []NodeRecord{{Node: "me"}}})
	if plan, err := n.enter(t.Context(), "", false); err != nil || len(plan.from) != 1 {
		t.Errorf("in its own cell: %v, %v", plan.from, err)
	}
	st.Store(&NodeState{standing: standing{Cluster: "x", Cell: "0001", Begun: 101}, Phase: phaseKnown})
	_, err := n.enter(t.Context(), "", false)
	if err == nil || !strings.Contains(err.Error(), "goes on in epoch 101, says other") || !strings.Contains(err.Error(), n.data.Dir) {
		t.Errorf("beside a newer epoch: %v", err)
	}
	if n.data.Meta.Superseded != 0 {
		t.Errorf("written down: %+v", n.data.Meta)
	}
	n.data.Meta.Disputed = 101
	if _, err := n.enter(t.Context(), "", false); err != nil {
		t.Errorf("beside an epoch that is disputed: %v", err)
	}
}

// TestService: a node has been serving since it was first ready, unless it was away, or not ready, for longer than nobody notices.
func TestService(t *testing.T) {
	const before, rescued = 1000, 5000
	minute := epochBase.Add(rescued * time.Minute)
	for name, c := range map[string]struct {
		ready  map[time.Duration]bool // by when, before the rescue
		before uint32
		want   bool
	}{
		"it served an hour ago":         {map[time.Duration]bool{-time.Hour: true, -time.Hour + time.Second: true}, before, false},
		"it serves all the time":        {map[time.Duration]bool{-20 * time.Second: true, 0: true, 20 * time.Second: true}, before, true},
		"an election":                   {map[time.Duration]bool{-20 * time.Second: true, -10 * time.Second: false, 5 * time.Second: true}, before, true},
		"not ready when it was rescued": {map[time.Duration]bool{-60 * time.Second: true, -20 * time.Second: false, 20 * time.Second: false, 40 * time.Second: true}, before, false},
		"frozen meanwhile":              {map[time.Duration]bool{-60 * time.Second: true, 60 * time.Second: true}, before, false},
		"started after it":              {map[time.Duration]bool{10 * time.Second: true, 20 * time.Second: true}, before, false},
		"the number is not the minute":  {map[time.Duration]bool{-20 * time.Second: true, 0: true}, rescued - 1, false},
	} {
		var s service
		var last time.Duration
		for _, at := range slices.Sorted(maps.Keys(c.ready)) {
			s.see(minute.Add(at), c.ready[at])
			last = at
		}
		s.see(minute.Add(max(last+time.Second, 0)), false) // the look at which it hears
		if got := s.during(c.before, rescued); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestDispute: a node that was serving when another site was rescued goes on, remembers it, and says it until that site is back.
func TestDispute(t *testing.T) {
	var st atomic.Pointer[NodeState]
	n := besideOf(t, &st, 100)
	w := &watch{s: &Server{nodes: n, data: n.data}, core: n.core.Load}
	w.serves = service{epochBase.Add(time.Minute), epochBase.Add(time.Minute)}
	told := func(epoch uint32) *says {
		return &says{standing: standing{Cluster: "x", Cell: "0001", Begun: epoch}, Site: "other"}
	}
	w.heed(told(200))
	if m, err := ReadMeta(n.data.Dir); n.outOf() != nil || err != nil || m.Disputed != 200 || m.Superseded != 0 || n.disputes.Load() == nil {
		t.Fatalf("%v, %+v, %v", n.outOf(), m, err)
	}
	w.serves = service{} // it was started anew
	n.disputes.Store(nil)
	if w.heed(told(200)); n.outOf() != nil || n.disputes.Load() == nil {
		t.Error("it gives way after a start, or does not say it any more")
	}
	if w.heed(told(100)); n.disputes.Load() != nil {
		t.Error("the site is back, and it is still said")
	}
}

// TestFoundBesideASuperseded: a site that gave up is part of no cell, and no reason not to begin one.
func TestFoundBesideASuperseded(t *testing.T) {
	var st atomic.Pointer[NodeState]
	n := besideOf(t, &st, 200)
	st.Store(&NodeState{standing: standing{Cluster: "x", Cell: "0001", Begun: 100, Superseded: 150}, Phase: phaseKnown})
	if _, err := n.found(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestHeed: a node that hears of a newer epoch is out at once, for good, and tells others. It hears nothing new in its own.
func TestHeed(t *testing.T) {
	var st atomic.Pointer[NodeState]
	n := besideOf(t, &st, 100)
	s := &Server{nodes: n, data: n.data, started: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(t.Context())
	defer s.tasks.Wait()
	defer s.cancel()
	w := &watch{s: s, core: n.core.Load}
	w.heed(&says{standing: standing{Cluster: "x", Cell: "0001", Begun: 100}, Site: "other"})
	if n.outOf() != nil || w.own("", 0).State != status.NotReady {
		t.Errorf("by its own epoch: %v", n.outOf())
	}
	for range 2 {
		w.heed(&says{standing: standing{Cluster: "x", Cell: "0001", Begun: 101}, Site: "other"})
	}
	if n.outOf() == nil || w.own("", 0).State != status.Superseded {
		t.Error("it has not heard")
	}
	if m, err := ReadMeta(n.data.Dir); err != nil || m.Superseded != 101 || m.SupersededBy != "other" {
		t.Errorf("written down: %+v, %v", m, err)
	}
	if told := n.standing(); told.Superseded != 101 {
		t.Errorf("it tells %+v", told)
	}
	if got := n.supersededStatus("http://mine", n.outOf()); got.Sites[0].State != SiteSuperseded || got.Steady {
		t.Errorf("%+v", got)
	}
}

// TestArchiveGoesOn: a start refuses where the archive has a newer epoch of this cluster, which began when the own one had
// ended; not where both went on, where another cluster tried a restore, or where the archive does not answer.
func TestArchiveGoesOn(t *testing.T) {
	var st atomic.Pointer[NodeState]
	n := besideOf(t, &st, 100)
	st.Store(&NodeState{standing: standing{Cluster: "x", Cell: "0001", Begun: 100}, Phase: phaseKnown})
	to := filepath.Join(t.TempDir(), "archive")
	var err error
	if n.archive, err = newArchiver(openBackup(to), n.log); err != nil {
		t.Fatal(err)
	}
	write := func(epoch uint32, first, last uint64) {
		t.Helper()
		c := &archive.Content{}
		c.Cell, c.Epoch, c.First, c.Last = 1, epoch, first, last
		for range last - first + 1 {
			c.Entries = append(c.Entries, kernel.FirstEntry(epoch, kernel.Behaviour, 1))
		}
		if _, err := archive.PutSegment(t.Context(), n.archive.t, n.archive.seal, c); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(epoch uint32, cluster string) {
		t.Helper()
		if err := archive.Begin(t.Context(), n.archive.t, epoch, cluster); err != nil {
			t.Fatal(err)
		}
	}
	refused := func() string {
		t.Helper()
		_, err := n.enter(t.Context(), "", false)
		if m, e := ReadMeta(n.data.Dir); e == nil && m.Superseded != 0 {
			t.Error("what an archive says was written down for good")
		}
		if err == nil {
			return ""
		}
		return err.Error()
	}
	if why := refused(); why != "" {
		t.Errorf("nothing is in the archive: %s", why)
	}
	begin(100, "x")
	write(100, 1, 10)
	if why := refused(); why != "" {
		t.Errorf("its own epoch: %s", why)
	}
	begin(110, "y")
	write(110, 1, 5)
	if why := refused(); why != "" {
		t.Errorf("another cluster tried a restore: %s", why)
	}
	begin(120, "x")
	write(120, 1, 5)
	if why := refused(); !strings.Contains(why, "goes on in epoch 120, says the archive in "+to) {
		t.Errorf("its cluster went on: %s", why)
	}
	write(100, 11, 12)
	if why := refused(); why != "" {
		t.Errorf("its own epoch goes on, too: %s", why)
	}
	n.archive.t = hangs{n.archive.t}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if why := n.goesOn(ctx); why != nil {
		t.Errorf("the archive hangs: %s", why)
	}
}

// hangs is a directory on a disk that does not answer.
type hangs struct{ archive.Target }

func (hangs) List(context.Context, string, string, func(string, int64) bool) error { select {} }
