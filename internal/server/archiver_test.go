package server

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/config"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// kept is a server with an archive that is not encrypted.
func kept(t *testing.T, data, to string) *Server {
	t.Helper()
	s, err := Start(t.Context(), Options{Data: data, Listen: "127.0.0.1:0", Backup: openBackup(to), Fatal: func(err error) { t.Error(err) },
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openBackup(to string) *config.Backup { return &config.Backup{To: to, Encrypt: new(bool)} }

// commands puts some into the log.
func commands(t *testing.T, s *Server, n int) {
	t.Helper()
	for range n {
		if _, err := s.core.submit(t.Context(), kernel.DomainPeople, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_EndAllSessions{EndAllSessions: &logv1.EndAllSessions{}}}); err != nil {
			t.Fatal(err)
		}
	}
}

// eventually waits for what goes on by itself.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func verified(t *testing.T, to string) *Verified {
	t.Helper()
	v, err := VerifyArchive(t.Context(), VerifyOptions{Archive: archive.Location{To: to}, All: true, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestArchiveIsAway: a target that is not there stops nobody, is reported, and gets everything when it comes.
func TestArchiveIsAway(t *testing.T) {
	root := t.TempDir()
	mount := filepath.Join(root, "mount")
	s := kept(t, filepath.Join(root, "data"), filepath.Join(mount, "archive"))
	commands(t, s, 5)
	eventually(t, "the failure is reported", func() bool {
		st, err := Admin(s.DataDir()).Status(t.Context())
		return err == nil && st.Archive.Failing != "" && st.Archive.BehindSeconds > 0 && strings.Contains(strings.Join(st.Words, "\n"), "cannot be written at the moment")
	})
	if err := os.Mkdir(mount, 0o700); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the archive is written", func() bool {
		st, err := Admin(s.DataDir()).Status(t.Context())
		return err == nil && st.Archive.Failing == "" && st.Archive.N > 5
	})
	stopServer(t, s)
	if v := verified(t, filepath.Join(mount, "archive")); len(v.Findings) > 0 || v.Entries < 5 {
		t.Errorf("%+v", v)
	}
}

// TestArchiveBridges: what the log lost before it was archived is bridged by a checkpoint, reported, and found.
func TestArchiveBridges(t *testing.T) {
	root := t.TempDir()
	data, to := filepath.Join(root, "data"), filepath.Join(root, "archive")
	s := kept(t, data, to)
	commands(t, s, 5)
	stopServer(t, s)
	before := verified(t, to)
	if len(before.Findings) > 0 {
		t.Fatalf("%+v", before)
	}

	s = startServer(t, data)
	commands(t, s, 20)
	if err := s.core.log.Trim(t.Context(), s.core.node.Position().N, nil); err != nil {
		t.Fatal(err)
	}
	stopServer(t, s)

	s = kept(t, data, to)
	eventually(t, "the hole is bridged", func() bool {
		st, err := Admin(data).Status(t.Context())
		return err == nil && st.Archive.Hole != "" && strings.Contains(strings.Join(st.Words, "\n"), "are not in the archive") && len(st.Archive.alarms(time.Now())) > 0
	})
	commands(t, s, 5)
	end := s.core.node.Position()
	eventually(t, "the archive goes on", func() bool { return s.archive.archived.Load() >= end.N })
	stopServer(t, s)
	v := verified(t, to)
	if len(v.Findings) != 1 || !strings.Contains(v.Findings[0], fmt.Sprintf("no entries %d to", before.To.N+1)) || v.To.N < end.N {
		t.Errorf("found: %+v", v)
	}
	restored := filepath.Join(root, "restored")
	r, err := RestoreArchive(t.Context(), RestoreOptions{Archive: archive.Location{To: to}, Data: restored, Now: time.Now()})
	if err != nil || r.At.Less(end) || r.Short != "" || len(r.Warnings) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	s = startServer(t, restored)
	stopServer(t, s)
	// As of a moment in the hole there is what was before it, and a word about it.
	r, err = RestoreArchive(t.Context(), RestoreOptions{Archive: archive.Location{To: to}, Data: filepath.Join(root, "hole"), Now: time.Now(), At: before.Time.Add(time.Millisecond)})
	if err != nil || r.At != before.To || r.Short == "" {
		t.Errorf("in the hole: %+v, %v", r, err)
	}
}

// TestTwoArchivers: leaders that are cut off and their successor write and join at once, and join what an epoch of before has left;
// nothing is missing, and nothing is wrong.
func TestTwoArchivers(t *testing.T) {
	root := t.TempDir()
	to := filepath.Join(root, "archive")
	seal, err := archive.NewSealer(nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range uint64(3) {
		c := &archive.Content{Header: archive.Header{Epoch: 5, First: n + 1, Last: n + 1}, Entries: [][]byte{{1}}}
		if _, err := archive.PutSegment(t.Context(), mustOpen(t, to), seal, c); err != nil {
			t.Fatal(err)
		}
	}
	s := kept(t, filepath.Join(root, "data"), to)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	another := func() *archiver {
		a, err := newArchiver(openBackup(to), slog.New(slog.NewTextHandler(t.Output(), nil)))
		if err != nil {
			t.Fatal(err)
		}
		a.joinEvery = 200 * time.Millisecond
		wg.Go(func() { a.joins(ctx, s.core) })
		return a
	}
	one, two := another(), another()
	wg.Go(func() { one.run(ctx, s.core) })
	for range 6 {
		commands(t, s, 20)
		round, stop := context.WithTimeout(ctx, 300*time.Millisecond) // so that they cut differently
		two.run(round, s.core)
		stop()
	}
	eventually(t, "segments are joined", func() bool {
		for _, epoch := range []uint32{5, s.core.log.Epoch()} {
			if list, err := filepath.Glob(filepath.Join(to, archive.EpochPrefix(epoch), "*", "*.joined")); err != nil || len(list) == 0 {
				return false
			}
		}
		return true
	})
	commands(t, s, 20)
	cancel()
	wg.Wait()
	stopServer(t, s)
	v := verified(t, to)
	if len(v.Findings) > 0 || v.Entries < 140 {
		t.Errorf("%+v", v)
	}
}

// TestArchiveOfAnotherCell: two cells do not mix.
func TestArchiveOfAnotherCell(t *testing.T) {
	root := t.TempDir()
	to := filepath.Join(root, "archive")
	s := kept(t, filepath.Join(root, "one"), to)
	commands(t, s, 1)
	eventually(t, "a checkpoint is there", func() bool {
		st, err := Admin(s.DataDir()).Status(t.Context())
		return err == nil && st.Archive.CheckpointN > 0
	})
	stopServer(t, s)
	// Cells that begin in the same minute have the same epoch: this one is told apart by being older.
	list, err := archive.Checkpoints(t.Context(), mustOpen(t, to))
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	if err := os.Rename(filepath.Join(to, "checkpoint", fmt.Sprintf("%08x-%016x", list[0].Pos.Epoch, list[0].Pos.N)),
		filepath.Join(to, "checkpoint", fmt.Sprintf("%08x-%016x", list[0].Pos.Epoch-9, list[0].Pos.N))); err != nil {
		t.Fatal(err)
	}
	s = kept(t, filepath.Join(root, "two"), to)
	eventually(t, "it is refused", func() bool {
		st, err := Admin(s.DataDir()).Status(t.Context())
		return err == nil && strings.Contains(st.Archive.Failing, "another cell")
	})
	stopServer(t, s)
}

func mustOpen(t *testing.T, to string) archive.Target {
	t.Helper()
	tg, err := archive.Open(archive.Location{To: to})
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

func TestArchiveAlarms(t *testing.T) {
	now := time.Now()
	ms := func(ago time.Duration) uint64 { return uint64(now.Add(-ago).UnixMilli()) }
	for _, c := range []struct {
		s     ArchiveStatus
		alarm bool
		says  string
	}{
		{ArchiveStatus{N: 7, BehindSeconds: 5, CheckpointMs: ms(47 * time.Hour)}, false, "entry 7, 5 s ago"},
		{ArchiveStatus{CheckpointMs: ms(time.Hour)}, false, "nothing is in the archive"},
		{ArchiveStatus{BehindSeconds: 61, Failing: "it is full", CheckpointMs: ms(time.Hour)}, true, "1m1s behind: what came since is lost with all sites; it is full"},
		{ArchiveStatus{CheckpointMs: ms(49 * time.Hour)}, true, "49 hours old"},
		{ArchiveStatus{}, false, "no checkpoint of this epoch"},
		{ArchiveStatus{CheckpointMs: ms(time.Hour), Hole: "entries 3 to 9"}, true, "entries 3 to 9 are not in the archive"},
	} {
		st := Status{Archive: &c.s}
		st.sayArchive(now)
		if words := strings.Join(st.Words, "\n"); len(st.Matters) > 0 != c.alarm || !strings.Contains(words, c.says) {
			t.Errorf("%+v: %v, %s", c.s, st.Matters, words)
		}
	}
	writes, behind := &ArchiveStatus{Writes: true, BehindSeconds: 1}, &ArchiveStatus{BehindSeconds: 50}
	for _, pair := range [][2]*ArchiveStatus{{writes, behind}, {behind, writes}, {nil, writes}, {writes, nil}} {
		if worse(pair[0], pair[1]) != writes {
			t.Errorf("of %+v the one that writes was not taken", pair)
		}
	}
}

func TestBackupSettings(t *testing.T) {
	yes, no := true, false
	for what, b := range map[string]*config.Backup{
		"nobody to encrypt for":   {To: "x"},
		"no target":               {Encrypt: &no},
		"both":                    {To: "x", Encrypt: &no, Recipients: []string{"age1"}},
		"no recipient":            {To: "x", Encrypt: &yes, Recipients: []string{"age1x"}},
		"in the open, both ways":  {To: "s3://b", Endpoint: "http://s3.example.org", Encrypt: &no},
		"kept for less than ever": {To: "x", Encrypt: &no, KeepDays: -1},
	} {
		if _, err := newArchiver(b, nil); err == nil {
			t.Errorf("%s: it was taken", what)
		}
	}
	if a, err := newArchiver(nil, nil); a != nil || err != nil || a.status(nil) != nil {
		t.Error("none is none")
	}
}

// TestRestoreDamaged: of a damaged archive there is what comes before the damage, and a sentence.
func TestRestoreDamaged(t *testing.T) {
	root := t.TempDir()
	to := filepath.Join(root, "archive")
	s := kept(t, filepath.Join(root, "data"), to)
	commands(t, s, 3)
	eventually(t, "a segment is there", func() bool { return s.archive.archived.Load() > 0 })
	first := s.archive.archived.Load()
	commands(t, s, 3)
	eventually(t, "another segment is there", func() bool { return s.archive.archived.Load() > first })
	stopServer(t, s)
	tg := mustOpen(t, to)
	list, err := archive.Checkpoints(t.Context(), tg)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list { // so that everything is replayed
		if err := os.RemoveAll(filepath.Join(to, "checkpoint", fmt.Sprintf("%08x-%016x", c.Pos.Epoch, c.Pos.N))); err != nil {
			t.Fatal(err)
		}
	}
	var segments []string
	if err := tg.List(t.Context(), "log/", "", func(key string, _ int64) bool {
		segments = append(segments, key)
		return true
	}); err != nil || len(segments) < 2 {
		t.Fatal(segments, err)
	}
	if err := os.WriteFile(filepath.Join(to, segments[1]), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := RestoreArchive(t.Context(), RestoreOptions{Archive: archive.Location{To: to}, Data: filepath.Join(root, "restored"), Now: time.Now()})
	if err != nil || r.At.N < first || !strings.Contains(r.Short, segments[1]) || r.Manifest != nil {
		t.Errorf("%+v, %v", r, err)
	}
	var pos kernel.Position
	if pos = r.At; pos.Epoch >= r.Epoch {
		t.Errorf("epoch %d follows %d", r.Epoch, pos.Epoch)
	}
}

// TestArchiveUnmounted: what lies under a disk that is not mounted is not the archive; when it is back everything gets there. What
// was taken away from the end is written again.
func TestArchiveUnmounted(t *testing.T) {
	root := t.TempDir()
	to, away := filepath.Join(root, "archive"), filepath.Join(root, "away")
	s := kept(t, filepath.Join(root, "data"), to)
	commands(t, s, 3)
	first := s.core.node.Position().N
	eventually(t, "the archive is written", func() bool { return s.archive.archived.Load() >= first })
	if err := os.Rename(to, away); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	commands(t, s, 3)
	eventually(t, "it is reported", func() bool {
		st, err := Admin(s.DataDir()).Status(t.Context())
		return err == nil && strings.Contains(st.Archive.Failing, "is its disk mounted?")
	})
	stopServer(t, s)
	s = kept(t, filepath.Join(root, "data"), to) // a machine that starts without the disk
	commands(t, s, 3)
	eventually(t, "it is reported after a start, too", func() bool {
		st, err := Admin(s.DataDir()).Status(t.Context())
		return err == nil && strings.Contains(st.Archive.Failing, "is its disk mounted?")
	})
	if under, err := os.ReadDir(to); err != nil || len(under) > 0 {
		t.Errorf("under the mount point: %v, %v", under, err)
	}
	var segments []string
	if err := mustOpen(t, away).List(t.Context(), "log/", "", func(key string, _ int64) bool {
		segments = append(segments, key)
		return true
	}); err != nil || len(segments) == 0 {
		t.Fatal(segments, err)
	}
	if err := os.Remove(filepath.Join(away, segments[len(segments)-1])); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(to); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, to); err != nil {
		t.Fatal(err)
	}
	end := s.core.node.Position().N
	eventually(t, "the archive goes on", func() bool {
		st, err := Admin(s.DataDir()).Status(t.Context())
		return err == nil && st.Archive.Failing == "" && st.Archive.N >= end
	})
	stopServer(t, s)
	if v := verified(t, to); len(v.Findings) > 0 || v.To.N < end {
		t.Errorf("%+v", v)
	}
}

// TestCheckpointsByTheLog: a machine whose clock is far ahead takes no checkpoint for that, and deletes none.
func TestCheckpointsByTheLog(t *testing.T) {
	root := t.TempDir()
	to := filepath.Join(root, "archive")
	s := kept(t, filepath.Join(root, "data"), to)
	have := func() []archive.Checkpoint {
		list, err := archive.Checkpoints(t.Context(), mustOpen(t, to))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	eventually(t, "a checkpoint is there", func() bool { return len(have()) == 1 })
	commands(t, s, 3)
	ahead, err := newArchiver(openBackup(to), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	ahead.now = func() time.Time { return time.Now().Add(40 * 24 * time.Hour) }
	before := have()
	for range 2 {
		var missed time.Time
		if err := ahead.checkpointIfDue(t.Context(), nil, s.core, &missed); err != nil {
			t.Fatal(err)
		}
	}
	if after := have(); !slices.Equal(before, after) {
		t.Errorf("of %v it made %v", before, after)
	}
	stopServer(t, s)
}
