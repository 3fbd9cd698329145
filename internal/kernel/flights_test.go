package kernel

import (
	"slices"
	"testing"
	"time"
)

// A command is answered once, by its own domain; the kernel's by the last one; what is not answered can be taken back.
func TestFlights(t *testing.T) {
	var told []string
	to := func(name string) func(Result) {
		return func(r Result) {
			switch {
			case r.Err != nil:
				name += " " + r.Err.Error()
			case r.Verdict.Seq > 0:
				name += " done"
			}
			told = append(told, name)
		}
	}
	heard := func(want ...string) {
		t.Helper()
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		told = nil
	}
	tell := func(l *Landed, fenced bool) {
		for _, a := range l.Answers {
			a.Tell(fenced)
		}
	}
	f := NewFlights(2)
	f.Propose(1, []Waiting{{Domain: 1, Done: to("a")}, {Domain: 2, Done: to("b")}, {Domain: DomainKernel, Done: to("k")}, {Domain: 1, Flags: FlagEphemeral}}, 7*time.Second)
	f.Propose(2, []Waiting{{Domain: 2, Done: to("c")}, {Domain: 1, Done: to("d")}}, 8*time.Second)
	f.Propose(3, []Waiting{{Domain: 1, Done: to("e")}}, 9*time.Second)
	done := Decided{Verdict: Verdict{Seq: 1}}
	out := &Outcome{Decided: []Decided{done, done, {}, {}}}

	if f.Applied(4, 1, out) != nil || f.Len() != 3 || !f.Awaited() {
		t.Error("an entry that is not under way has landed")
	}
	l := f.Applied(1, 1, out)
	tell(l, false)
	heard("a done")
	if l.Last || l.Proposed != 7*time.Second {
		t.Errorf("%+v", l)
	}
	l = f.Applied(1, 2, out)
	tell(l, false)
	heard("b done", "k")
	if !l.Last || f.Len() != 2 {
		t.Errorf("%+v, %d under way", l, f.Len())
	}
	late := &Outcome{Decided: []Decided{{Verdict: Verdict{Code: Late}}, done}}
	tell(f.Applied(2, 2, late), false)
	heard("c not ready")
	tell(f.Applied(2, 1, late), true)
	heard("d outcome unknown")
	if f.Len() != 1 || !f.Awaited() {
		t.Error("the third is no longer under way")
	}
	for _, w := range f.Drain() {
		w.Done(Result{Err: ErrStopped})
	}
	heard("e stopping")
	if f.Len() != 0 || f.Awaited() || len(f.Drain()) != 0 {
		t.Error("what was taken back is still there")
	}
}

func TestVouches(t *testing.T) {
	for _, c := range []struct {
		own, now time.Duration
		alone    bool
		want     bool
	}{
		{0, time.Second, false, false}, {0, time.Second, true, false}, {time.Second, time.Second + ReadyWithin, false, true},
		{time.Second, time.Second + ReadyWithin + 1, false, false}, {time.Second, time.Hour, true, true},
	} {
		if got := Vouches(c.own, c.now, c.alone); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
