package backup

import (
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// lossBound is how old an acknowledged message is when it is in the archive, whatever becomes of every site.
const lossBound = 10 * time.Second

// vault is an archive in a directory, with its key.
type vault struct {
	t                  *testing.T
	to, key, recipient string
}

func newVault(t *testing.T) *vault {
	t.Helper()
	dir := t.TempDir()
	v := &vault{t: t, to: filepath.Join(dir, "archive"), key: filepath.Join(dir, "key.txt")}
	v.recipient = strings.TrimSpace(run(t, "backup-key", "new", v.key))
	return v
}

func (v *vault) flags() []string {
	return []string{"--backup-to", v.to, "--backup-recipient", v.recipient}
}

// restore makes a data directory of the archive.
func (v *vault) restore(args ...string) (data, out string) {
	v.t.Helper()
	data = filepath.Join(v.t.TempDir(), "restored")
	return data, run(v.t, append([]string{"restore", "--from", v.to, "--identity", v.key, "--data", data}, args...)...)
}

func (v *vault) verify(args ...string) (out string, code int) {
	v.t.Helper()
	return harness.Run(v.t, append([]string{"verify-backup", "--from", v.to, "--identity", v.key}, args...)...)
}

// files are those of the archive whose names end so, in order.
func (v *vault) files(end string) (names []string) {
	v.t.Helper()
	err := filepath.WalkDir(v.to, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, end) {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return names
}

// join joins what can be joined, as a node does once an hour, and says how many segments went into larger objects.
func (v *vault) join() (segments int) {
	v.t.Helper()
	tg, err := archive.Open(archive.Location{To: v.to})
	if err != nil {
		v.t.Fatal(err)
	}
	epochs, err := archive.Epochs(v.t.Context(), tg)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, epoch := range epochs {
		end, err := archive.Last(v.t.Context(), tg, epoch, 0)
		for from, went := uint64(0), 1; went > 0 && err == nil; segments += went {
			went, from, err = archive.Join(v.t.Context(), tg, epoch, from, end)
		}
		if err != nil {
			v.t.Fatal(err)
		}
	}
	return segments
}

// TestArchive: people write, an archive is kept; then everything is lost but the archive.
func TestArchive(t *testing.T) {
	v := newVault(t)
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "", v.flags()...)
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	var said []string
	say := func(n int) {
		t.Helper()
		for range n {
			text := fmt.Sprintf("%d번째 말", len(said))
			if status, out := a.Send(b, text); status != 200 {
				t.Fatal(status, out)
			}
			said = append(said, text)
		}
	}
	say(20)
	until(t, "a segment is written", func() bool { return exists(v.to) && len(v.files(".seg")) > 0 })
	noon := time.Now()
	time.Sleep(20 * time.Millisecond)
	say(20)
	until(t, "another segment is written", func() bool { return len(v.files(".seg")) > 1 })
	run(t, "backup", "--data", s.Data, "--archive")
	say(20)
	before := len(said)
	time.Sleep(lossBound)
	say(20)
	s.Kill()
	if err := os.RemoveAll(s.Data); err != nil {
		t.Fatal(err)
	}

	texts := func(data string) []string {
		t.Helper()
		restored := harness.Start(t, data, "")
		p := *a
		p.Server = restored
		got := p.Texts(b)
		restored.Kill()
		return got
	}
	data, out := v.restore("--keep-sessions")
	t.Log(out)
	if got := texts(data); len(got) < before || !slices.Equal(got, said[:len(got)]) {
		t.Errorf("%d messages are there of %d that were acknowledged %s before the loss: %q", len(got), before, lossBound, got)
	}

	// What is in the archive is what it says.
	out, code := v.verify("--all")
	if code != 0 || !strings.Contains(out, "everything is there") {
		t.Fatalf("verify-backup ended with %d: %s", code, out)
	}
	t.Log(out)
	refused(t, "is encrypted", "verify-backup", "--from", v.to)
	other := newVault(t)
	refused(t, "another key", "verify-backup", "--from", v.to, "--identity", other.key)
	refused(t, "another key", "restore", "--from", v.to, "--identity", other.key, "--data", filepath.Join(t.TempDir(), "d"))
	refused(t, "does not go back", "restore", "--from", v.to, "--identity", v.key, "--data", filepath.Join(t.TempDir(), "d"), "--at", "2020-01-01")
	for _, file := range v.files("") {
		if b, err := os.ReadFile(file); err == nil && strings.Contains(string(b), "번째") {
			t.Errorf("%s can be read without the key", file)
		}
	}

	segments := v.files(".seg")
	hurt := segments[len(segments)/2]
	whole, err := os.ReadFile(hurt)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(whole)
	flipped[len(flipped)/2] ^= 4
	if err := os.WriteFile(hurt, flipped, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, code := v.verify("--all"); code != 1 || !strings.Contains(out, "damaged") || !strings.Contains(out, filepath.Base(hurt)) {
		t.Errorf("a bit was turned, and verify-backup ended with %d: %s", code, out)
	}
	if err := os.Remove(hurt); err != nil {
		t.Fatal(err)
	}
	if out, code := v.verify("--all"); code != 1 || !strings.Contains(out, "the archive has no entries") {
		t.Errorf("a segment was removed, and verify-backup ended with %d: %s", code, out)
	}
	if err := os.WriteFile(hurt, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	views := v.files("views.tar")
	for _, file := range views {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, whole[:len(whole)-1], 0o600); err != nil {
			t.Fatal(err)
		}
		if out, code := v.verify("--all"); code != 1 || !strings.Contains(out, "the checkpoint") || !strings.Contains(out, "damaged") {
			t.Errorf("a checkpoint was cut short, and verify-backup ended with %d: %s", code, out)
		}
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := v.verify("--all"); code != 0 {
		t.Errorf("everything is as it was again, and verify-backup ended with %d: %s", code, out)
	}

	// Joined, by somebody who has no key, it is the same archive; and what is damaged is named as before.
	if n := v.join(); n < 2 || len(v.files(".seg")) != 1 {
		t.Fatalf("%d segments were joined, %d are left", n, len(v.files(".seg")))
	}
	if out, code := v.verify("--all"); code != 0 {
		t.Errorf("joined, verify-backup ended with %d: %s", code, out)
	}
	data, _ = v.restore("--keep-sessions", "--at", noon.Format(time.RFC3339Nano))
	if got := texts(data); !slices.Equal(got, said[:20]) {
		t.Errorf("as of a time between the 20th and the 21st message there are %d: %q", len(got), got)
	}
	hurt = v.files(".joined")[0]
	if whole, err = os.ReadFile(hurt); err != nil {
		t.Fatal(err)
	}
	whole[len(whole)-1] ^= 4
	if err := os.WriteFile(hurt, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	out, code = v.verify("--all")
	if last := regexp.MustCompile(`the entries \d+ to (\d+) of epoch \d+ in (\S+) cannot be used: it is damaged`).FindStringSubmatch(out); code != 1 || last == nil || !strings.HasSuffix(hurt, last[2]) {
		t.Errorf("a bit was turned in a joined object, and verify-backup ended with %d: %s", code, out)
	}
}

// TestArchiveOverEpochs: a restore begins an epoch; the same archive goes on with it, and leads back to any time of either.
func TestArchiveOverEpochs(t *testing.T) {
	v := newVault(t)
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "", v.flags()...)
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	send := func(text string) time.Time {
		t.Helper()
		if status, out := a.Send(b, text); status != 200 {
			t.Fatal(status, out)
		}
		time.Sleep(5 * time.Millisecond)
		defer time.Sleep(5 * time.Millisecond)
		return time.Now()
	}
	first := send("하나")
	send("둘")
	s.Stop() // in order: nothing is left out of the archive
	data, _ := v.restore("--keep-sessions", "--at", first.Format(time.RFC3339Nano))
	a.GiveBack(b.ID) // of the future that is lost
	s = harness.Start(t, data, "", v.flags()...)
	a.Server = s
	second := send("셋")
	send("넷")
	s.Stop()
	if out, code := v.verify("--all"); code != 0 {
		t.Errorf("verify-backup ended with %d: %s", code, out)
	}
	// Without the checkpoints of the second epoch there is still the first one and its cut.
	for _, m := range v.files("MANIFEST.json") {
		if err := os.Remove(m); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		at   time.Time
		want []string
	}{{first, []string{"하나"}}, {second, []string{"하나", "셋"}}, {time.Now(), []string{"하나", "셋", "넷"}}} {
		data, _ := v.restore("--keep-sessions", "--at", c.at.Format(time.RFC3339Nano))
		a.Server = harness.Start(t, data, "")
		if got := a.Texts(b); !slices.Equal(got, c.want) {
			t.Errorf("as of %s: %q, want %q", c.at.Format(time.TimeOnly), got, c.want)
		}
		a.Server.Kill()
	}
	if out, code := v.verify("--all"); code != 0 {
		t.Errorf("verify-backup without checkpoints ended with %d: %s", code, out)
	}
}

// TestKilledArchiver kills the server while it writes segments and checkpoints: the archive has no hole, nothing in it is a
// part of something, and nothing that was acknowledged long enough before is missing.
func TestKilledArchiver(t *testing.T) {
	v := newVault(t)
	data := filepath.Join(t.TempDir(), "data")
	s := harness.Start(t, data, "", v.flags()...)
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	var said []string
	for round := range 4 {
		for i := range 15 {
			text := fmt.Sprintf("%d-%d %s", round, i, strings.Repeat("긴 이야기 ", 500))
			if status, out := a.Send(b, text); status != 200 {
				t.Fatal(status, out)
			}
			said = append(said, text)
		}
		if round%2 == 0 {
			p := begin(t, "backup", "--data", data, "--archive")
			parts := len(v.files("views.tar"))
			until(t, "an upload is begun", func() bool {
				return p.ended() || len(v.files("views.tar")) > parts || slices.ContainsFunc(v.files(""), func(f string) bool { return strings.HasPrefix(filepath.Base(f), ".part-") })
			})
		} else {
			v.join() // while it writes
			have := len(v.files(".seg"))
			until(t, "a segment is written", func() bool { return len(v.files(".seg")) > have })
		}
		s.Kill()
		if out, code := v.verify("--all"); code != 0 {
			t.Fatalf("round %d: verify-backup ended with %d: %s", round, code, out)
		}
		v.join()
		s = harness.Start(t, data, "", v.flags()...)
		a.Server = s
	}
	s.Stop()
	out, code := v.verify("--all")
	if code != 0 {
		t.Fatalf("verify-backup ended with %d: %s", code, out)
	}
	t.Log(out)
	restored, _ := v.restore("--keep-sessions")
	a.Server = harness.Start(t, restored, "")
	if got := a.Texts(b); !slices.Equal(got, said) {
		t.Errorf("%d messages came back of %d", len(got), len(said))
	}
}

// TestArchiveInS3: the program against an S3 server that others wrote.
func TestArchiveInS3(t *testing.T) {
	back := s3mem.New()
	if err := back.CreateBucket("bonghwa"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(gofakes3.New(back).Server())
	defer srv.Close()
	dir := t.TempDir()
	cert, credentials := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "credentials")
	if err := errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600),
		os.WriteFile(credentials, []byte("[default]\naws_access_key_id = someone\naws_secret_access_key = topsecret\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", cert)
	v := newVault(t)
	v.to = "s3://bonghwa/a/place"
	s := harness.Start(t, filepath.Join(dir, "data"), "", append(v.flags(), "--backup-endpoint", srv.URL, "--backup-credentials", credentials)...)
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	for _, text := range []string{"하나", "둘"} {
		if status, out := a.Send(b, text); status != 200 {
			t.Fatal(status, out)
		}
	}
	run(t, "backup", "--data", s.Data, "--archive")
	if status, out := a.Send(b, "셋"); status != 200 {
		t.Fatal(status, out)
	}
	s.Stop()
	if strings.Contains(s.Log(), "topsecret") {
		t.Error("the log tells a secret")
	}
	at := []string{"--endpoint", srv.URL, "--credentials", credentials}
	if out, code := v.verify(append(at, "--all")...); code != 0 {
		t.Errorf("verify-backup ended with %d: %s", code, out)
	}
	data, _ := v.restore(append(at, "--keep-sessions")...)
	a.Server = harness.Start(t, data, "")
	if got := a.Texts(b); !slices.Equal(got, []string{"하나", "둘", "셋"}) {
		t.Errorf("%q came back", got)
	}
	srv.Close()
	if out, code := v.verify(at...); code != 1 || strings.Contains(out, "topsecret") || strings.Count(strings.TrimSpace(out), "\n") > 0 {
		t.Errorf("a target that is away: %d %s", code, out)
	}
}
