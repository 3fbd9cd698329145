// Package start tests what an operator meets when something is wrong: one clear sentence, a non-zero exit, and nothing
// damaged.
package start

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// refused starts a server that must not run, and checks that it says why in one sentence.
func refused(t *testing.T, data, listen string, want string, args ...string) {
	t.Helper()
	s, err := harness.TryStart(t, data, listen, args...)
	if err == nil {
		s.Kill()
		t.Fatalf("the server runs; wanted: %s", want)
	}
	msg := err.Error()
	if !strings.Contains(msg, want) || !strings.Contains(msg, "code 1") {
		t.Fatalf("%s\nwanted: code 1, %s", msg, want)
	}
	if lines := strings.Count(strings.TrimSpace(msg), "\n"); lines != 1 { // the harness's own line and one sentence
		t.Errorf("not one sentence:\n%s", msg)
	}
}

func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	data := filepath.Join(t.TempDir(), "data")
	refused(t, data, l.Addr().String(), "is taken by another program")
	if _, err := os.Stat(data); err == nil {
		t.Error("the data directory was made although nothing could run")
	}
}

func TestSecondProcess(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := harness.Start(t, data, "")
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	refused(t, data, "", "another bonghwa process is using the data directory")
	if status, out := a.Send(b, "아직 살아 있어요"); status != 200 {
		t.Fatalf("the first server was disturbed: %d %v", status, out)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, filepath.Join(file, "data"), "", "cannot be made: not a directory")
	// Root writes everywhere but to a pseudo file system.
	refused(t, "/proc/bonghwa", "", "cannot be made")
}

func TestNewerVersion(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := harness.Start(t, data, "")
	if code := s.Stop(); code != 0 {
		t.Fatalf("stopped with %d", code)
	}
	meta := filepath.Join(data, "bonghwa.json")
	b, err := os.ReadFile(meta)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	m["format"] = 99
	newer, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(meta, newer, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, data, "", "was written by a newer version of bonghwa")
	if now, err := os.ReadFile(meta); err != nil || !bytes.Equal(now, newer) {
		t.Errorf("the directory was changed: %v", err)
	}
}

func TestBeyondLoopback(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	out, code := harness.Run(t, "serve", "--data", data, "--listen", "0.0.0.0:0")
	if code == 0 || !strings.Contains(out, "--tls-cert") {
		t.Fatalf("code %d: %s", code, out)
	}
	out, code = harness.Run(t, "serve", "--data", data, "--listen", "127.0.0.1:0", "--tls-cert", "x.pem")
	if code == 0 || !strings.Contains(out, "go together") {
		t.Fatalf("code %d: %s", code, out)
	}
}

func TestDamagedView(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := harness.Start(t, data, "")
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	if status, out := a.Send(b, "하나"); status != 200 {
		t.Fatal(status, out)
	}
	s.Stop()
	// Every file of the view gets a flipped byte where its content is.
	files, err := filepath.Glob(filepath.Join(data, "views", "chat", "*.log"))
	tables, _ := filepath.Glob(filepath.Join(data, "views", "chat", "MANIFEST-*"))
	for _, f := range append(files, tables...) {
		c, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(c) > 12 {
			c[len(c)/2] ^= 0x40
		}
		if err := os.WriteFile(f, c, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err != nil || len(files) == 0 {
		t.Fatal("no files of the view", err)
	}
	refused(t, data, "", "bonghwa restore")
}

// TestDiskFull uses a small file system of its own: first nearly full, then full to the last byte.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("not root: a file system cannot be mounted, so a full disk cannot be tried here")
		return
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=400m", "bonghwa-test", dir).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	data := filepath.Join(dir, "data")
	s := harness.Start(t, data, "")
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	var acked []string
	send := func(text string) (int, map[string]any) {
		status, out := a.Send(b, text)
		if status == 200 {
			acked = append(acked, text)
		}
		return status, out
	}
	if status, out := send("처음"); status != 200 {
		t.Fatal(status, out)
	}

	filler := filepath.Join(dir, "filler")
	fill(t, filler, dir, 10<<20)
	eventually(t, "commands are refused", func() bool {
		status, out := send("거의 가득")
		if status != 200 {
			a.GiveBack(b.ID) // the name was not consumed: the same n is used again
			if r := harness.Reason(out); r != "REASON_DISK_FULL" {
				t.Fatalf("%d %v", status, out)
			}
		}
		return status != 200
	})
	if got := a.Texts(b); len(got) != len(acked) {
		t.Fatalf("reading while the disk is full: %d texts, %d acknowledged", len(got), len(acked))
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "commands are taken again", func() bool {
		status, _ := send("다시")
		if status != 200 {
			a.GiveBack(b.ID)
		}
		return status == 200
	})

	// Full to the last byte, faster than the guard looks: the process may end, with a sentence, but loses nothing.
	fill(t, filler, dir, 0)
	for range 50 {
		if status, _ := send("가득"); status != 200 {
			break
		}
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	again := harness.Start(t, data, "")
	a.Server, b.Server = again, again
	got := a.Texts(b)
	for i, want := range acked {
		if i >= len(got) || got[i] != want {
			t.Fatalf("acknowledged %q is not at its place %d of %d", want, i, len(got))
		}
	}
}

// fill writes a file until only `left` bytes are free.
func fill(t *testing.T, file, dir string, left int64) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	chunk := make([]byte, 64<<10)
	for {
		var st syscall.Statfs_t
		if err := syscall.Statfs(dir, &st); err != nil {
			t.Fatal(err)
		}
		free := int64(st.Bavail) * st.Bsize
		if free <= left {
			return
		}
		if _, err := f.Write(chunk[:min(int64(len(chunk)), free-left)]); err != nil {
			return // full
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 300 {
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("never: " + what)
}
