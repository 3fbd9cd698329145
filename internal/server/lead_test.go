package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

func TestClockOff(t *testing.T) {
	says := func(ahead time.Duration) answer { return answer{st: NodeState{ClockMs: 1}, ahead: ahead} }
	silent := answer{err: errors.New("nobody is there")}
	wrong := answer{st: NodeState{ClockMs: 1, ClockOffMs: 5000}, ahead: 0}
	for _, c := range []struct {
		what    string
		answers []answer
		want    time.Duration
	}{
		{"nobody answers", []answer{silent, silent}, 0},
		{"one of two cannot tell which is wrong", []answer{says(time.Hour), silent}, 0},
		{"off both", []answer{says(time.Hour), says(time.Hour - time.Second)}, time.Hour - time.Second},
		{"behind both", []answer{says(-time.Hour), says(-time.Hour)}, -time.Hour},
		{"near one", []answer{says(time.Hour), says(300 * time.Millisecond)}, 0},
		{"one that is off itself says nothing", []answer{says(time.Hour), wrong}, 0},
		{"an older one says nothing", []answer{says(time.Hour), {}}, 0},
	} {
		if got := clockOff(c.answers); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

func TestAhead(t *testing.T) {
	before := time.UnixMilli(10_000)
	after := before.Add(200 * time.Millisecond)
	for at, want := range map[int64]time.Duration{10_100: 0, 9_000: time.Second, 12_200: -2 * time.Second} {
		got := ahead(before, after, time.UnixMilli(at))
		if got != want {
			t.Errorf("it showed %d: ahead by %v, want %v", at, got, want)
		}
	}
}

// A damaged view of a cluster's node comes from another site at the next start; a full disk is no damage.
func TestHeal(t *testing.T) {
	d, err := OpenData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s := &Server{data: d}
	bad := damaged("chat", errors.New("checksum mismatch"))
	if got := s.heal(bad); got != bad || !strings.Contains(got.Error(), "bonghwa restore") {
		t.Errorf("alone: %v", got)
	}
	s.nodes = &nodes{data: d}
	for _, err := range []error{errors.New("the port is taken"), damaged("chat", syscall.ENOSPC), kernel.StorageFault{Err: syscall.EIO}} {
		if got := s.heal(err); got != err || d.Meta.Fetch {
			t.Errorf("%v: %v, fetch %v", err, got, d.Meta.Fetch)
		}
	}
	for _, err := range []error{bad, kernel.StorageFault{Err: errors.New("checksum mismatch")}} {
		d.Meta.Fetch = false
		if got := s.heal(err).Error(); !strings.Contains(got, "start this site anew") || !strings.Contains(got, "checksum mismatch") || !d.Meta.Fetch {
			t.Errorf("%v: %q, fetch %v", err, got, d.Meta.Fetch)
		}
	}
}

// A damaged log says what to do: a site of several is rebuilt, a machine that is alone restored. A full disk is no damage, and an
// entry that this binary does not know is none.
func TestLogDamaged(t *testing.T) {
	why := fmt.Errorf("entry 7: %w", kernel.ErrChecksum)
	site, alone := &nodes{data: &Data{Dir: "/data"}}, (*nodes)(nil)
	for n, want := range map[*nodes]string{site: "move /data away and start the site with --rebuild", alone: "bonghwa restore"} {
		if got := n.replayed(why).Error(); !strings.Contains(got, "entry 7") || !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%q does not say %q", got, want)
		}
		if full := syscall.ENOSPC.Error(); n.logDamaged(full) != full {
			t.Errorf("%q became %q", full, n.logDamaged(full))
		}
		if err := fmt.Errorf("entry 7: %w", kernel.ErrEntry); n.replayed(err) != err {
			t.Errorf("%v is no damage", err)
		}
	}
}

// A directory that a killed start has left without a log is no member, and one whose log is gone does not come in as if it were
// new: it may have been a voter.
func TestLogThatIsNone(t *testing.T) {
	d, err := OpenData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.MkdirAll(filepath.Join(d.path(etcdDir), "member", "snap"), 0o700); err != nil {
		t.Fatal(err)
	}
	if d.hasLog() {
		t.Error("a directory without a write-ahead log is taken for a member")
	}
	d.Meta.Formed = true
	n := &nodes{data: d, cfg: &config.Node{Site: "seoul", Cluster: config.Cluster{Sites: []config.Site{{Name: "seoul"}}}}}
	if _, err := n.enter(t.Context(), "", false); err == nil || !strings.Contains(err.Error(), "--rebuild") {
		t.Errorf("a member whose log is gone: %v", err)
	}
	if err := os.Mkdir(filepath.Join(d.path(etcdDir), "member", "wal"), 0o700); err != nil {
		t.Fatal(err)
	}
	if !d.hasLog() {
		t.Error("a member is taken for none")
	}
}
