package archive

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// TestMain makes the certificate of test servers one that this process trusts.
func TestMain(m *testing.M) {
	srv := httptest.NewTLSServer(nil)
	file, err := os.CreateTemp("", "bonghwa-test-*.pem")
	if err == nil {
		err = errors.Join(pem.Encode(file, &pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), file.Close(), os.Setenv("SSL_CERT_FILE", file.Name()))
	}
	srv.Close()
	if err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.Remove(file.Name())
	os.Exit(code)
}

// s3Server is an S3 server that others wrote, in memory. It speaks TLS: in the open the client signs parts piece by piece, which
// this server stores as they come.
func s3Server(t *testing.T) Location {
	t.Helper()
	back := s3mem.New()
	if err := back.CreateBucket("bonghwa"); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(gofakes3.New(back).Server())
	t.Cleanup(srv.Close)
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, []byte("[default]\naws_access_key_id = someone\naws_secret_access_key = something\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return Location{To: "s3://bonghwa/here/archive", Endpoint: srv.URL, Region: "us-east-1", Credentials: file}
}

func open(t *testing.T, l Location) Target {
	t.Helper()
	tg, err := Open(l)
	if err != nil {
		t.Fatal(err)
	}
	return tg
}

// onBoth runs a test on a directory and on S3.
func onBoth(t *testing.T, fn func(t *testing.T, tg Target)) {
	t.Run("directory", func(t *testing.T) { fn(t, open(t, Location{To: filepath.Join(t.TempDir(), "archive")})) })
	t.Run("s3", func(t *testing.T) { fn(t, open(t, s3Server(t))) })
}

func keys(t *testing.T, tg Target, prefix, after string, most int) (list []string) {
	t.Helper()
	err := tg.List(t.Context(), prefix, after, func(key string, _ int64) bool {
		list = append(list, key)
		return len(list) < most
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTarget(t *testing.T) {
	onBoth(t, func(t *testing.T, tg Target) {
		ctx := t.Context()
		if got := keys(t, tg, "log/", "", 100); len(got) != 0 {
			t.Errorf("an empty archive lists %q", got)
		}
		if _, err := tg.Get(ctx, "log/x"); !errors.Is(err, ErrNotFound) {
			t.Errorf("what is not there: %v", err)
		}
		all := []string{SegmentKey(1, 1, 5), SegmentKey(1, 6, 6), SegmentKey(1, 7, 70000), SegmentKey(1, 70001, 70002), SegmentKey(2, 1, 9), SegmentKey(0x10, 1, 2)}
		for _, k := range all {
			if err := tg.Put(ctx, k, strings.NewReader(k), int64(len(k))); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(all)
		if got := keys(t, tg, "log/", "", 100); !slices.Equal(got, all) {
			t.Errorf("listed: %q", got)
		}
		if got := keys(t, tg, EpochPrefix(1), "", 2); !slices.Equal(got, all[:2]) {
			t.Errorf("the first two: %q", got)
		}
		for i, k := range all {
			if got := keys(t, tg, "log/", k, 100); !slices.Equal(got, all[i+1:]) {
				t.Errorf("after %s: %q", k, got)
			}
		}
		if got := keys(t, tg, EpochPrefix(1), shardOf(1, 70001), 100); len(got) != 4 {
			t.Errorf("near 70001: %q", got)
		}

		// An object whose size is not known, larger than a part; again replaces it.
		big := bytes.Repeat([]byte("0123456789abcdef"), (s3Part+4096)/16)
		for _, content := range [][]byte{[]byte("small"), big} {
			if err := tg.Put(ctx, "checkpoint/a/views.tar", io.MultiReader(bytes.NewReader(content)), -1); err != nil {
				t.Fatal(err)
			}
			r, err := tg.Get(ctx, "checkpoint/a/views.tar")
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes came back of %d: %v", len(got), len(content), err)
			}
		}

		// What its writer gives up is not there.
		gone := errors.New("gave up")
		if err := tg.Put(ctx, "checkpoint/b/views.tar", io.MultiReader(bytes.NewReader(big), failing{gone}), -1); !errors.Is(err, gone) {
			t.Errorf("a reader that fails: %v", err)
		}
		stopped, cancel := context.WithCancel(ctx)
		cancel()
		if err := tg.Put(stopped, "checkpoint/c/views.tar", strings.NewReader("x"), 1); err == nil {
			t.Error("a put whose time is up was made")
		}
		if got := keys(t, tg, "checkpoint/", "", 100); !slices.Equal(got, []string{"checkpoint/a/views.tar"}) {
			t.Errorf("checkpoints: %q", got)
		}
		for range 2 {
			if err := tg.Delete(ctx, "checkpoint/a/views.tar"); err != nil {
				t.Fatal(err)
			}
		}
		if got := keys(t, tg, "checkpoint/", "", 100); len(got) != 0 {
			t.Errorf("deleted, and still listed: %q", got)
		}
		if err := tg.Sweep(ctx); err != nil {
			t.Error(err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestMark(t *testing.T) {
	onBoth(t, func(t *testing.T, tg Target) {
		if cell, err := Marked(t.Context(), tg); cell != "" || err != nil {
			t.Errorf("nothing was begun: %q, %v", cell, err)
		}
		if err := Mark(t.Context(), tg, "00a1"); err != nil {
			t.Fatal(err)
		}
		if cell, err := Marked(t.Context(), tg); cell != "00a1" || err != nil {
			t.Errorf("marked: %q, %v", cell, err)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	for _, l := range []Location{{}, {To: "ftp://x/y"}, {To: "s3:///prefix"}, {To: "s3://key:secret@bucket/x"}, {To: "s3://bucket?x=y"},
		{To: "s3://bucket", Endpoint: "s3.example.org"}, {To: "s3://bucket", Endpoint: "https://key:secret@s3.example.org"}} {
		if _, err := Open(l); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: %v", l, err)
		}
	}
}

func TestInTheOpen(t *testing.T) {
	for endpoint, open := range map[string]bool{"": false, "https://s3.example.org": false, "http://s3.example.org": true, "http://127.0.0.1:9000": false, "http://localhost": false, "http://10.0.0.1": true} {
		if got := (Location{To: "s3://b", Endpoint: endpoint}).InTheOpen(); got != open {
			t.Errorf("%q: %v", endpoint, got)
		}
	}
}

// What S3 says when it refuses comes through in one line, without what was sent.
func TestS3Refuses(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>")
	}))
	defer srv.Close()
	l := s3Server(t)
	l.Endpoint = srv.URL
	tg := open(t, l)
	for _, err := range []error{
		tg.Put(t.Context(), "log/x", strings.NewReader("x"), 1),
		tg.List(t.Context(), "log/", "", func(string, int64) bool { return true }),
	} {
		if err == nil || !strings.Contains(err.Error(), "AccessDenied") || strings.Contains(err.Error(), "something") || strings.Contains(err.Error(), "\n") {
			t.Errorf("refused: %v", err)
		}
	}
}

// A directory that is not mounted is not an empty one, and what a killed writer has left goes after a day.
func TestDirectory(t *testing.T) {
	root := t.TempDir()
	tg := open(t, Location{To: filepath.Join(root, "mount", "archive")})
	if err := tg.Put(t.Context(), "log/x", strings.NewReader("x"), 1); err == nil {
		t.Error("the mount point's parent is missing, and it was made")
	}
	if err := tg.List(t.Context(), "log/", "", func(string, int64) bool { return true }); err == nil {
		t.Error("the mount point's parent is missing, and it was listed")
	}
	tg = open(t, Location{To: filepath.Join(root, "archive")})
	if err := tg.Put(t.Context(), "log/x", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(root, "archive", "log", "x"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", st, err)
	}
	for name, age := range map[string]time.Duration{".part-old": 25 * time.Hour, ".part-new": time.Hour} {
		path := filepath.Join(root, "archive", "log", name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tg.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(root, "archive", "log", ".part-*"))
	if len(left) != 1 || filepath.Base(left[0]) != ".part-new" {
		t.Errorf("left: %q", left)
	}
	if got := keys(t, tg, "log/", "", 100); !slices.Equal(got, []string{"log/x"}) {
		t.Errorf("listed: %q", got)
	}
}
