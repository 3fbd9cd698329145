package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

func TestNextEpoch(t *testing.T) {
	for _, c := range []struct {
		old  uint32
		now  time.Time
		want uint32
	}{
		{0, epochBase.Add(90 * time.Second), 1},
		{0, epochBase.Add(90 * time.Minute), 90},
		{0, epochBase.Add(-time.Hour), 1},         // a clock that knows nothing
		{90, epochBase.Add(90 * time.Minute), 91}, // restored twice within a minute
		{90, epochBase.Add(89 * time.Minute), 91}, // a clock that went back
		{90, epochBase.Add(95*time.Minute + 59*time.Second), 95},
	} {
		if got := nextEpoch(c.old, c.now); got != c.want {
			t.Errorf("after %d at %s: %d, want %d", c.old, c.now, got, c.want)
		}
	}
}

// TestDaily: once a day, ten minutes after one that failed, and none beyond those that operators take themselves.
func TestDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		newest := start
		var taken []time.Duration
		fail := 0
		var mu sync.Mutex // of the three above
		take := func() (string, error) {
			mu.Lock()
			defer mu.Unlock()
			if fail > 0 {
				fail--
				return "", errors.New("disk full")
			}
			newest = time.Now()
			taken = append(taken, time.Since(start))
			return "dir", nil
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			daily(ctx, slog.New(slog.DiscardHandler), func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return newest
			}, take)
		}()
		time.Sleep(24*time.Hour + 11*time.Minute)
		synctest.Wait()
		mu.Lock()
		if want := []time.Duration{24*time.Hour + 10*time.Minute}; !slices.Equal(taken, want) {
			t.Fatalf("after a day: %v, want %v", taken, want)
		}
		fail = 2
		mu.Unlock()
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		mu.Lock()
		if want := 48*time.Hour + 40*time.Minute; len(taken) != 2 || taken[1] != want {
			t.Fatalf("after two failures: %v, want the second at %v", taken, want)
		}
		mu.Unlock()
		time.Sleep(10 * time.Hour)
		mu.Lock()
		newest = time.Now() // an operator's backup
		mu.Unlock()
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		cancel()
		<-done
		if len(taken) != 2 {
			t.Fatalf("a backup of less than a day ago did not count: %v", taken)
		}
	})
}

// TestDailyAtStart: a server that was off for days does not wait.
func TestDailyAtStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	taken := 0
	daily(ctx, slog.New(slog.DiscardHandler), func() time.Time { return time.Now().Add(-48 * time.Hour) }, func() (string, error) {
		taken++
		cancel()
		return "dir", nil
	})
	if taken != 1 {
		t.Fatalf("%d checkpoints at the start", taken)
	}
}

func writeManifest(t *testing.T, dir string, m kernel.Manifest) {
	t.Helper()
	m.Format = 1
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, kernel.ManifestName), b, 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestFindCheckpoint: the newest by position, whatever the directories are called; never one without a manifest, with one
// that cannot be read, or that is still being copied.
func TestFindCheckpoint(t *testing.T) {
	root := filepath.Join(t.TempDir(), "back[ups]*")
	writeManifest(t, filepath.Join(root, "z-old"), kernel.Manifest{Epoch: 5, N: 900})
	writeManifest(t, filepath.Join(root, "a-new"), kernel.Manifest{Epoch: 7, N: 3})
	writeManifest(t, filepath.Join(root, "m"), kernel.Manifest{Epoch: 7, N: 2})
	writeManifest(t, filepath.Join(root, "zz.1"+unfinished), kernel.Manifest{Epoch: 9, N: 9})
	if err := errors.Join(os.MkdirAll(filepath.Join(root, "00000009-0000000000000009", "chat"), 0o700), os.Mkdir(filepath.Join(root, "torn"), 0o700),
		os.WriteFile(filepath.Join(root, "torn", kernel.ManifestName), []byte(`{"form`), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{root, filepath.Join(root, "a-new")} {
		if got, err := findCheckpoint(from); err != nil || got != filepath.Join(root, "a-new") {
			t.Errorf("%s: %s, %v", from, got, err)
		}
	}
	data := t.TempDir()
	writeManifest(t, filepath.Join(data, checkpointsDir, "x"), kernel.Manifest{Epoch: 1, N: 1})
	if got, err := findCheckpoint(data); err != nil || got != filepath.Join(data, checkpointsDir, "x") {
		t.Errorf("of a data directory: %s, %v", got, err)
	}
	if _, err := findCheckpoint(t.TempDir()); err == nil {
		t.Error("an empty directory held a checkpoint")
	}
}

// backedUp is a stopped server's data with one complete checkpoint.
func backedUp(t *testing.T) (data, checkpoint string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	s := startServer(t, data)
	b, err := Admin(data).Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stopServer(t, s)
	return data, b.Dir
}

func startServer(t *testing.T, data string) *Server {
	t.Helper()
	s, err := Start(t.Context(), Options{Data: data, Listen: "127.0.0.1:0", Fatal: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stopServer(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestBackupsAtOnce: callers at the same moment each get a complete checkpoint, and seven stay.
func TestBackupsAtOnce(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := startServer(t, data)
	defer stopServer(t, s)
	const callers = 9
	dirs := make([]string, callers)
	errs := make(chan error, callers)
	for i := range callers {
		go func() {
			b, err := Admin(data).Backup(t.Context())
			dirs[i] = b.Dir
			errs <- err
		}()
	}
	for range callers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	slices.Sort(dirs)
	if n := len(slices.Compact(slices.Clone(dirs))); n != callers {
		t.Fatalf("%d callers shared %d checkpoints: %q", callers, n, dirs)
	}
	kept := manifests(filepath.Join(data, checkpointsDir))
	if len(kept) != 7 {
		t.Fatalf("%d checkpoints are kept", len(kept))
	}
	for _, d := range dirs[2:] {
		if kept[d] == nil {
			t.Errorf("%s is newer than what was kept", d)
		}
	}
}

func TestCopyCheckpoint(t *testing.T) {
	_, from := backedUp(t)
	root := t.TempDir()
	to := filepath.Join(root, "new", "copy")
	if err := CopyCheckpoint(from, to); err != nil {
		t.Fatal(err)
	}
	if err := CopyCheckpoint(from, to); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a copy was written over another: %v", err)
	}
	if _, err := Restore(RestoreOptions{From: to, Data: filepath.Join(root, "data"), Now: time.Now()}); err != nil {
		t.Error(err)
	}
	// The manifest cannot be copied: nothing stays, under no name.
	broken := filepath.Join(root, "broken")
	if err := errors.Join(copyTree(from, broken), os.Remove(filepath.Join(broken, kernel.ManifestName))); err != nil {
		t.Fatal(err)
	}
	if err := CopyCheckpoint(broken, filepath.Join(root, "elsewhere", "copy")); err == nil {
		t.Error("a copy without manifest")
	}
	if left, err := os.ReadDir(filepath.Join(root, "elsewhere")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// TestRestoreRefuses: each damage is refused with one sentence, and leaves a directory in which the next restore works.
func TestRestoreRefuses(t *testing.T) {
	_, good := backedUp(t)
	edit := func(change func(m *kernel.Manifest)) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			m, err := kernel.ReadManifest(dir)
			if err != nil {
				t.Fatal(err)
			}
			change(m)
			writeManifest(t, dir, *m)
		}
	}
	for name, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		want   string
	}{
		"another content": {edit(func(m *kernel.Manifest) {
			d := m.Domains["chat"]
			d.ContentHash = "0123456789abcdef"
			m.Domains["chat"] = d
		}), `view "chat" of the checkpoint is damaged`},
		"another position": {edit(func(m *kernel.Manifest) { m.N++ }), `view "people" of the checkpoint cannot be used`},
		"a view too few":   {edit(func(m *kernel.Manifest) { delete(m.Domains, "chat") }), `has no view "chat"`},
		"a strange cell":   {edit(func(m *kernel.Manifest) { m.Cell = "cell" }), "not four hex digits"},
		"a view gone": {func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "chat")); err != nil {
				t.Fatal(err)
			}
		}, `view "chat" cannot be copied`},
		"a newer format": {func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, kernel.ManifestName), []byte(`{"format":2}`), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "has format 2, this binary knows 1"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := filepath.Join(t.TempDir(), "bad")
			if err := copyTree(good, bad); err != nil {
				t.Fatal(err)
			}
			c.damage(t, bad)
			to := filepath.Join(t.TempDir(), "data")
			_, err := Restore(RestoreOptions{From: bad, Data: to, Now: time.Now()})
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%v\nwanted one sentence with: %s", err, c.want)
			}
			if _, err := Restore(RestoreOptions{From: good, Data: to, Now: time.Now()}); err != nil {
				t.Fatalf("the directory cannot be used any more: %v", err)
			}
		})
	}
}

func TestRestore(t *testing.T) {
	data, from := backedUp(t)
	before, err := kernel.ReadManifest(from)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(RestoreOptions{From: from, Data: data, Now: time.Now()}); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("into a directory in use: %v", err)
	}
	to := t.TempDir() // exists and is empty
	r, err := Restore(RestoreOptions{From: from, Data: to, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if r.Epoch != nextEpoch(before.Epoch, time.Now()) && r.Epoch != before.Epoch+1 {
		t.Errorf("epoch %d follows %d", r.Epoch, before.Epoch)
	}
	s := startServer(t, to)
	b, err := Admin(to).Backup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stopServer(t, s)
	for name, d := range before.Domains {
		now := b.Manifest.Domains[name]
		if name == "people" && now.Rows == d.Rows+1 {
			continue // that it was restored is written down
		}
		if now.ContentHash != d.ContentHash || now.Rows != d.Rows {
			t.Errorf("%s: %v, was %v", name, now, d)
		}
	}
	if b.Manifest.Epoch != r.Epoch {
		t.Errorf("the server is in epoch %d, restored was %d", b.Manifest.Epoch, r.Epoch)
	}
}

// TestInterruptedRestore: at whatever point a restore is cut off, no server runs on what it left.
func TestInterruptedRestore(t *testing.T) {
	_, from := backedUp(t)
	for _, left := range [][]string{{viewsDir}, {viewsDir, endSessions}, {viewsDir, endSessions, cleanFile}, {viewsDir, cleanFile, metaFile + ".new"}} {
		t.Run(fmt.Sprint(left), func(t *testing.T) {
			to := filepath.Join(t.TempDir(), "data")
			if _, err := Restore(RestoreOptions{From: from, Data: to, Now: time.Now()}); err != nil {
				t.Fatal(err)
			}
			all, err := os.ReadDir(to)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				if !slices.Contains(left, e.Name()) {
					if err := os.RemoveAll(filepath.Join(to, e.Name())); err != nil {
						t.Fatal(err)
					}
				}
			}
			d, err := OpenData(to)
			if err == nil {
				d.Close()
				t.Fatal("a part of a restore passed for a data directory")
			}
			if !strings.Contains(err.Error(), "interrupted") {
				t.Error(err)
			}
		})
	}
}

// The mark says what it was and who stays logged in; those of before a rescue was told apart are of a restore.
func TestMarkOfRestore(t *testing.T) {
	for _, what := range []string{actRestored, actRescued} {
		for _, keep := range []bool{false, true} {
			if gotWhat, gotKeep := parseMark(markOf(what, keep)); gotWhat != what || gotKeep != keep {
				t.Errorf("%s, %v: %s, %v", what, keep, gotWhat, gotKeep)
			}
		}
	}
	for mark, keep := range map[string]bool{"": false, "keep": true} {
		if what, got := parseMark(mark); what != actRestored || got != keep {
			t.Errorf("%q: %s, %v", mark, what, got)
		}
	}
}
