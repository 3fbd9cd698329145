package backup

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// TestLogDump prints the log of a running and of a stopped server: the same entries, what was said only when asked for,
// and never anything with which one could log in.
func TestLogDump(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	if status, out := a.Send(b, "속삭임"); status != 200 {
		t.Fatal(status, out)
	}
	code := oneTimeCode(t, s, b.Handle)
	p := newPerson(t, s, "alice")
	invitation, err := p.c.CreateInvitation(ctxOf(t), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	status := "점심 먹는 중"
	if _, err := p.c.SetProfile(ctxOf(t), client.ProfileChange{Status: &status}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.c.ChangePassword(ctxOf(t), harness.Password, "another password"); err != nil {
		t.Fatal(err)
	}

	plain := run(t, "log", "dump", "--data", s.Data)
	for _, want := range []string{"people {\"sign_up\"", "chat {", "\"send\"", "reset_password", "create_invitation", "change_password", "check  domain 2", "user=" + a.ID} {
		if !strings.Contains(plain, want) {
			t.Errorf("%q is missing in:\n%s", want, plain)
		}
	}
	full := run(t, "log", "dump", "--data", s.Data, "--texts")
	for _, text := range []string{"속삭임", status, "사람"} {
		if strings.Contains(plain, text) {
			t.Errorf("%q is shown without --texts", text)
		}
		if !strings.Contains(full, text) {
			t.Errorf("%q is not shown with --texts", text)
		}
	}
	hash := sha256.Sum256(a.Token)
	secret := sha256.Sum256([]byte(invitation))
	for what, b := range map[string][]byte{"token": a.Token, "hash of the token": hash[:], "hash of the invitation": secret[:]} {
		for _, form := range []string{hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b), harness.Text(b)} {
			if strings.Contains(full, form) {
				t.Errorf("the %s is shown: %s", what, form)
			}
		}
	}
	for _, secret := range []string{"argon2", "$v=19", code, harness.Password, "another password", invitation} {
		if strings.Contains(full, secret) {
			t.Errorf("%q is shown", secret)
		}
	}

	five := run(t, "log", "dump", "--data", s.Data, "--from", "2", "--to", "6")
	if n := len(heads.FindAllString(five, -1)); n != 5 || !strings.Contains(plain, five) {
		t.Errorf("%d entries from 2 to 6:\n%s", n, five)
	}
	if code := s.Stop(); code != 0 {
		t.Fatalf("stopped with %d", code)
	}
	if stopped := run(t, "log", "dump", "--data", s.Data); !strings.HasPrefix(stopped, plain) {
		t.Errorf("the stopped server's log begins differently:\n%s\nwas:\n%s", stopped, plain)
	}
	if !exists(filepath.Join(s.Data, "clean")) {
		t.Error("the dump looks like a crash")
	}
	refused(t, "is not a data directory", "log", "dump", "--data", t.TempDir())
	again := harness.Start(t, s.Data, "")
	a.Server = again
	if status, out := a.Send(b, "둘"); status != 200 {
		t.Errorf("after the dump: %d %v", status, out)
	}
}

var heads = regexp.MustCompile(`(?m)^\d+:\d+  `)

func TestViewDiff(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	if status, out := a.Send(b, "하나"); status != 200 {
		t.Fatal(status, out)
	}
	copied, changed := filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "changed")
	backup(t, s, copied)
	view := filepath.Join(s.Data, "views", "chat")
	if out, code := harness.Run(t, "view", "diff", view, filepath.Join(copied, "chat")); code != 1 || !strings.HasPrefix(out, "bonghwa: ") {
		t.Errorf("the view of a running server: %d %s", code, out)
	}
	if code := s.Stop(); code != 0 {
		t.Fatalf("stopped with %d", code)
	}
	for _, other := range []string{view, filepath.Join(copied, "chat")} {
		if out := run(t, "view", "diff", view, other); !strings.Contains(out, "\nequal\n") {
			t.Errorf("with %s: %s", other, out)
		}
	}
	if out, err := exec.Command("cp", "-r", filepath.Join(copied, "chat"), changed).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var gone, other []byte
	edit(t, changed, func(s kernel.StoreSnapshot, b kernel.Batch) {
		s.Scan([]byte("b"), []byte("c"), func(k, v []byte) bool {
			if gone == nil {
				gone = append([]byte(nil), k...)
				b.Delete(k)
				return true
			}
			other = append([]byte(nil), k...)
			b.Set(k, append(append([]byte(nil), v...), 7))
			return false
		})
		b.Set([]byte("zz new"), []byte{1})
	})
	out, code := harness.Run(t, "view", "diff", view, changed)
	if code != 1 {
		t.Errorf("a changed copy: %d", code)
	}
	for _, want := range []string{fmt.Sprintf(`only in A "b"  %x`, gone), fmt.Sprintf(`differs   "b"  %x`, other), fmt.Sprintf(`only in B "z"  %x`, "zz new"), "3 rows differ\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in: %s", want, out)
		}
	}
	if out, code := harness.Run(t, "view", "diff", view, changed, "--most", "1"); code != 1 || strings.Count(out, "\n") != 4 {
		t.Errorf("with --most 1: %d %s", code, out)
	}
	out, code = harness.Run(t, "view", "diff", view, changed, "--key", hex.EncodeToString(gone))
	if code != 1 || !strings.Contains(out, "A: ") || !strings.Contains(out, "B: no such row") {
		t.Errorf("--key of a row that is gone: %d %s", code, out)
	}
	out, code = harness.Run(t, "view", "diff", view, copied+"/chat", "--key", hex.EncodeToString(gone))
	if code != 0 || strings.Count(out, "00000000  ") != 2 {
		t.Errorf("--key of a row that is equal: %d %s", code, out)
	}
	refused(t, "is no view that can be read", "view", "diff", view, filepath.Join(copied, "nothing"))
}

// TestDamagedCheckpoint: a bit that has turned in a table or in a write-ahead log is noticed by the restore, which says so
// in one sentence and leaves nothing.
func TestDamagedCheckpoint(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	if status, out := a.Send(b, "하나"); status != 200 {
		t.Fatal(status, out)
	}
	if code := s.Stop(); code != 0 {
		t.Fatalf("stopped with %d", code)
	}
	s = harness.Start(t, s.Data, "") // makes tables of what was in the write-ahead logs
	a.Server = s
	if status, out := a.Send(b, "둘"); status != 200 {
		t.Fatal(status, out)
	}
	for what, pattern := range map[string]string{"a table": "*.sst", "a write-ahead log": "*.log"} {
		for _, view := range []string{"people", "chat"} {
			if what == "a write-ahead log" && view == "people" {
				continue // nothing but its position has changed
			}
			copied, to := filepath.Join(t.TempDir(), "copy"), filepath.Join(t.TempDir(), "restored")
			backup(t, s, copied)
			flip(t, filepath.Join(copied, view, pattern))
			refused(t, fmt.Sprintf("view %q of the checkpoint", view), "restore", "--from", copied, "--data", to)
			if left, err := os.ReadDir(to); err != nil || len(left) > 0 {
				t.Errorf("%s of %s: left behind: %v %v", what, view, left, err)
			}
		}
	}
}

// edit writes to the view in a directory of a stopped server or of a copy.
func edit(t *testing.T, dir string, change func(s kernel.StoreSnapshot, b kernel.Batch)) {
	t.Helper()
	v, err := kernel.OpenPebble(dir, kernel.PebbleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	snap, b := v.Snapshot(), v.Begin()
	change(snap, b)
	snap.Close()
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
}

func oneTimeCode(t *testing.T, s *harness.Server, handle string) string {
	t.Helper()
	out := run(t, "people", "reset-password", "--data", s.Data, handle)
	m := regexp.MustCompile(`one-time code for (\S+): (\S+)`).FindStringSubmatch(out)
	if m == nil || m[1] != handle {
		t.Fatalf("no code in: %s", out)
	}
	return m[2]
}

// TestResetPassword: the code opens one session, once, which is told to choose a new password; that ends all others.
func TestResetPassword(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	alice, bob := newPerson(t, s, "alice"), newPerson(t, s, "bob.1")
	code := oneTimeCode(t, s, "alice")
	if strings.Contains(s.Log(), code) {
		t.Error("the code is in the server's log")
	}
	alice.says(bob.id, "아직 들어와 있어요") // a code ends no session
	log := func(password string) (*client.Client, bool, error) {
		c, err := client.Open(client.Options{URLs: []string{s.URL}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		must, err := c.LogIn(ctxOf(t), "alice", password)
		return c, must, err
	}
	first, must, err := log(code)
	if err != nil || !must {
		t.Fatalf("the code: %v, must change: %v", err, must)
	}
	if _, _, err := log(code); client.ReasonOf(err) != client.ReasonBadCredentials {
		t.Errorf("the second use of the code: %v", err)
	}
	asked := func() bool {
		t.Helper()
		_, must, err := first.Me(ctxOf(t))
		if err != nil {
			t.Fatal(err)
		}
		return must
	}
	if !asked() {
		t.Error("the session of the code is not told to choose a new password")
	}
	if err := first.WaitConnected(ctxOf(t)); !errors.Is(err, client.ErrMustChangePassword) || !first.State().MustChangePassword {
		t.Errorf("connected before the new password: %v", err)
	}
	if _, err := first.ListRooms(ctxOf(t)); client.ReasonOf(err) != client.ReasonMustChangePassword {
		t.Errorf("a call before the new password: %v", err)
	}
	if _, err := first.ChangePassword(ctxOf(t), "wrong password", "new password"); client.ReasonOf(err) != client.ReasonBadCredentials {
		t.Errorf("a change with neither code nor password: %v", err)
	}
	if _, err := first.ChangePassword(ctxOf(t), code, "new password"); err != nil {
		t.Fatalf("the new password: %v", err)
	}
	if asked() {
		t.Error("the session of the code is told to choose a new password again")
	}
	if err := first.WaitConnected(ctxOf(t)); err != nil {
		t.Errorf("after the new password: %v", err)
	}
	if err := alice.ended(); client.ReasonOf(err) == 0 {
		t.Errorf("the session of before ends with %v", err)
	}
	for _, password := range []string{code, harness.Password} {
		if _, _, err := log(password); client.ReasonOf(err) != client.ReasonBadCredentials {
			t.Errorf("%q still opens the account: %v", password, err)
		}
	}
	if _, must, err := log("new password"); err != nil || must {
		t.Errorf("the new password: %v, must change: %v", err, must)
	}
	refused(t, `nobody has the handle "nobody & nowhere"`, "people", "reset-password", "--data", s.Data, "nobody & nowhere")
	s.Kill()
	refused(t, "no server is running on this data directory", "people", "reset-password", "--data", s.Data, "alice")
	refused(t, "no server is running on this data directory", "backup", "--data", s.Data)
}

// TestUncleanStop: every row is read while the server serves; a damaged one ends it with one sentence that names the way
// out. After a stop in order nothing is read.
func TestUncleanStop(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	if status, out := a.Send(b, "하나"); status != 200 {
		t.Fatal(status, out)
	}
	data := s.Data
	if code := s.Stop(); code != 0 {
		t.Fatalf("stopped with %d", code)
	}
	s = harness.Start(t, data, "")
	a.Server = s
	if status, out := a.Send(b, "둘"); status != 200 {
		t.Fatal(status, out)
	}
	if strings.Contains(s.Log(), "every row was read") {
		t.Error("everything was read although the last stop was in order")
	}
	s.Kill()
	s = harness.Start(t, data, "")
	until(t, "every row was read", func() bool { return strings.Contains(s.Log(), "every row was read after the unclean stop") })
	if code := s.Stop(); code != 0 {
		t.Fatalf("stopped with %d", code)
	}

	ends := func(t *testing.T, data, want string) {
		t.Helper()
		s := harness.Start(t, data, "") // it serves first
		if code := s.Wait(); code != 1 {
			t.Errorf("ended with %d", code)
		}
		last := ""
		for _, l := range strings.Split(s.Log(), "\n") {
			if strings.HasPrefix(l, "bonghwa: ") {
				last += l
			}
		}
		if !strings.Contains(last, want) || !strings.HasSuffix(last, "`bonghwa restore`") || strings.Contains(last, "하나") || strings.Contains(last, "d0000") {
			t.Errorf("%q, wanted one sentence with %q and the way out:\n%s", last, want, s.Log())
		}
		if exists(filepath.Join(data, "clean")) {
			t.Error("the damaged view is marked as sound")
		}
	}
	t.Run("a row", func(t *testing.T) {
		bad := copyOf(t, data)
		edit(t, filepath.Join(bad, "views", "chat"), func(s kernel.StoreSnapshot, b kernel.Batch) { b.Set([]byte("zz"), []byte("하나")) })
		clean := copyOf(t, bad)
		if err := os.Remove(filepath.Join(bad, "clean")); err != nil {
			t.Fatal(err)
		}
		ends(t, bad, `"chat"`)
		s := harness.Start(t, clean, "")
		a.Server = s
		if status, out := a.Send(b, "셋"); status != 200 {
			t.Error(status, out)
		}
		if code := s.Stop(); code != 0 || strings.Contains(s.Log(), "`bonghwa restore`") {
			t.Errorf("after a stop in order: %d %s", code, s.Log())
		}
	})
	t.Run("a table", func(t *testing.T) {
		bad := copyOf(t, data)
		view := filepath.Join(bad, "views", "people")
		edit(t, view, func(s kernel.StoreSnapshot, b kernel.Batch) {
			// Rows that nobody asks for, so that the scan is what meets the damage; opening the view again makes a table of them.
			for i := range 200 {
				b.Set(append([]byte("d"), fmt.Sprintf("%026d", i)...), []byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 0})
			}
		})
		edit(t, view, func(kernel.StoreSnapshot, kernel.Batch) {})
		flip(t, filepath.Join(view, "*.sst"))
		if err := os.Remove(filepath.Join(bad, "clean")); err != nil {
			t.Fatal(err)
		}
		ends(t, bad, `"people"`)
	})
}

// flip turns one bit near the beginning of the newest file of a pattern.
func flip(t *testing.T, pattern string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	name := files[len(files)-1]
	c, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c[30] ^= 0x10
	if err := os.WriteFile(name, c, 0o600); err != nil {
		t.Fatal(err)
	}
}

func copyOf(t *testing.T, data string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "data")
	if out, err := exec.Command("cp", "-a", data, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return to
}
