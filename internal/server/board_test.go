package server

import (
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/gateway"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// A site that is gone keeps what it told before; seconds come once each, in order, and only those of which all have told.
func TestBoard(t *testing.T) {
	b := newBoard(nil)
	now := time.Now()
	sec := func(ago, sends int, p99 float64) gateway.Second {
		return gateway.Second{At: uint64(now.Unix()) - uint64(ago), Sends: sends, P99Ms: p99}
	}
	b.note("seoul", &pulse{Load: gateway.Load{People: 4, Seconds: []gateway.Second{sec(7, 10, 20), sec(6, 5, 30)}}}, now, time.Millisecond)
	b.note("seoul", nil, now, 3*time.Millisecond) // an answer without a pulse is an answer
	b.note("busan", &pulse{Load: gateway.Load{Seconds: []gateway.Second{sec(7, 1, 90), sec(6, 2, 0), sec(5, 3, 0), sec(1, 9, 0)}}}, now, 0)
	w := b.watch(0)
	if len(w.Sites) != 2 || w.Sites[0] != "busan" || len(w.Points) != 120 {
		t.Fatalf("%v, %d points", w.Sites, len(w.Points))
	}
	after := b.watch(uint64(now.Unix()) - 8).Points
	for i, want := range [][3]float64{{1, 10, 90}, {2, 5, 30}, {3, 0, 0}, {0, 0, 0}} {
		p := after[i]
		if p.At != uint64(now.Unix())-7+uint64(i) || p.Sends[0] != want[0] || p.Sends[1] != want[1] || p.P99Ms != want[2] {
			t.Errorf("second %d: %v, want %v", i, p, want)
		}
	}
	if ms := b.trips["seoul"]; ms < 1 || ms > 2 {
		t.Errorf("the way to seoul costs %v ms after answers in 1 and 3", ms)
	}
	b.note("seoul", &pulse{}, now.Add(time.Hour), 0)
	if n := len(b.seconds["seoul"]); n != 0 {
		t.Errorf("%d seconds are remembered an hour later", n)
	}
}

func TestArchiveOnThePage(t *testing.T) {
	now := time.UnixMilli(1_800_000_000_000)
	var out apiv1.GetBackupsResponse
	(*ArchiveStatus)(nil).tell(&out, now)
	if out.ArchivedToMs != 0 || len(out.ArchiveMatters) != 0 {
		t.Errorf("no archive: %v", &out)
	}
	(&ArchiveStatus{To: "/copies"}).tell(&out, now)
	if out.ArchivedToMs != 0 || len(out.ArchiveMatters) != 1 || out.ArchiveMatters[0].Kind != MatterArchiveEmpty {
		t.Errorf("an archive that is empty looks like none: %v", &out)
	}
	(&ArchiveStatus{N: 7, BehindSeconds: 90, Hole: "3 to 5"}).tell(&out, now)
	if out.ArchivedToMs != 1_799_999_910_000 || out.ArchiveBehindMs != 90_000 || len(out.ArchiveMatters) != 2 || out.ArchiveMatters[0].N != 90 ||
		!strings.Contains(out.ArchiveMatters[1].Text, "3 to 5 are not in the archive") {
		t.Errorf("%v", &out)
	}
}
