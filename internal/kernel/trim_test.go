package kernel

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// at notes entry n, of a node whose views are durable up to these.
func (t *Trimmer) at(n uint64, size int, node byte, durable ...uint64) {
	e := &Entry{Node: cluster.NodeID{node}}
	for i, d := range durable {
		e.Checks = append(e.Checks, Check{Domain: byte(i + 1), Durable: d})
	}
	t.Note(n, cluster.Cursor(fmt.Sprint(n)), size, e, time.Now())
}

func wantTarget(t *testing.T, tr *Trimmer, own uint64, want uint64) {
	t.Helper()
	n, cursor, ok := tr.Target(own, time.Now())
	if ok != (want > 0) || n != want || ok && string(cursor) != fmt.Sprint(n) {
		t.Errorf("target %d %q %v, want %d", n, cursor, ok, want)
	}
}

func TestTrimNeverPastTheOwnDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr Trimmer
		wantTarget(t, &tr, 100, 0)
		for n := uint64(1); n <= 20; n++ {
			time.Sleep(BeatAfter)
			tr.at(n, 100, 1, n-1, n-1)
			tr.at(n, 100, 1, n-1, n-1) // the second domain notes it too
		}
		if tr.bytes != 2000 {
			t.Errorf("%d bytes were counted", tr.bytes)
		}
		wantTarget(t, &tr, 0, 0)
		wantTarget(t, &tr, 7, 7)
		wantTarget(t, &tr, 7, 0) // again is nothing new
		wantTarget(t, &tr, 15, 15)
		wantTarget(t, &tr, 3, 0)
		wantTarget(t, &tr, 1000, 19) // what the node itself reported last
	})
}

func TestTrimWaitsForTheSlowestView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr Trimmer
		for n := uint64(1); n <= 20; n++ {
			time.Sleep(BeatAfter)
			tr.at(n, 100, byte(1+n%3), 18, 4+n%3) // the second domain's view is behind
		}
		wantTarget(t, &tr, 19, 4)
		tr.at(21, 100, 1, 20, 20)
		wantTarget(t, &tr, 19, 5)
	})
}

func TestTrimMarksHaveACursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr Trimmer
		for n := uint64(1); n <= 3*markEvery; n++ {
			tr.at(n, 10, 1) // all at one moment; entries without checks say nothing about durability
		}
		if len(tr.marks) != 3 {
			t.Errorf("%d marks for %d entries", len(tr.marks), 3*markEvery)
		}
		wantTarget(t, &tr, markEvery, 1)
		wantTarget(t, &tr, 2*markEvery+5, 2*markEvery+1)
		if len(tr.marks) != 1 {
			t.Errorf("%d marks are kept after trimming", len(tr.marks))
		}
	})
}

func TestTrimAbsentMembersHoldForAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr Trimmer
		n := uint64(0)
		beats := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); {
				time.Sleep(BeatAfter)
				n++
				tr.at(n, 100, 1, n-1)
			}
		}
		beats(time.Second)
		n++
		tr.at(n, 100, 2, 2) // member 2 is heard for the last time
		beats(holdTime - time.Minute)
		wantTarget(t, &tr, n, 2)
		beats(2 * time.Minute)
		wantTarget(t, &tr, n, n-1)
	})
}

// A node that was down before this one started, or that has just been announced, was not heard of, and holds the log all
// the same: nothing beyond what was trimmed when it became known.
func TestTrimWaitsForNodesNeverHeardOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr Trimmer
		nodes := []cluster.Node{{ID: cluster.NodeID{1}}, {ID: cluster.NodeID{2}}, {ID: cluster.NodeID{3}}}
		note := func(from, to uint64) {
			for n := from; n <= to; n++ {
				time.Sleep(BeatAfter)
				tr.at(n, 100, byte(1+n%2), n-1)
			}
		}
		tr.Expect(nodes, time.Now())
		note(1, 20)
		wantTarget(t, &tr, 10, 0)
		tr.at(21, 100, 3, 7)
		wantTarget(t, &tr, 10, 7)

		// Announced while the others go on; its view is somewhere after what is trimmed now.
		tr.Expect(append(nodes, cluster.Node{ID: cluster.NodeID{4}}), time.Now())
		tr.at(22, 100, 3, 21)
		note(23, 40)
		wantTarget(t, &tr, 30, 0)
		tr.at(41, 100, 4, 15)
		wantTarget(t, &tr, 30, 15)

		tr = Trimmer{}
		tr.Expect(nodes, time.Now())
		note(1, 20)
		time.Sleep(holdTime)
		wantTarget(t, &tr, 10, 10)
	})
}

func TestTrimAbsentMembersHoldOneGiB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr Trimmer
		tr.at(1, 100, 2, 0)
		n := uint64(1)
		for total := 0; total < holdBytes-64<<20; total += 1 << 20 {
			time.Sleep(BeatAfter / 10)
			n++
			tr.at(n, 1<<20, 1, n-1)
		}
		wantTarget(t, &tr, n, 0)
		for range 128 {
			time.Sleep(BeatAfter)
			n++
			tr.at(n, 1<<20, 1, n-1)
		}
		wantTarget(t, &tr, n, n-1)
	})
}

// An archive holds the log like a member: until it has the entries, or has not gone on for an hour.
func TestTrimWaitsForTheArchive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr Trimmer
		note := func(from, to uint64) {
			for n := from; n <= to; n++ {
				time.Sleep(BeatAfter)
				tr.at(n, 100, 1, n-1)
			}
		}
		tr.Hold(0, time.Now())
		note(1, 20)
		wantTarget(t, &tr, 19, 0)
		tr.Hold(7, time.Now())
		wantTarget(t, &tr, 19, 7)
		time.Sleep(holdTime - time.Minute)
		note(21, 30)
		tr.Hold(7, time.Now()) // again is no step
		wantTarget(t, &tr, 29, 0)
		time.Sleep(time.Minute)
		tr.Hold(7, time.Now())
		wantTarget(t, &tr, 29, 29)
		tr.Hold(8, time.Now()) // it is back, behind what is gone
		note(31, 40)
		wantTarget(t, &tr, 39, 0)
		tr.Hold(35, time.Now())
		wantTarget(t, &tr, 39, 35)
	})
}
