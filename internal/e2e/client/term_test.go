package client

import (
	"bytes"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// window is one `bonghwa chat` with a pipe for a keyboard.
type window struct {
	t    *testing.T
	cmd  *exec.Cmd
	keys io.WriteCloser
	mu   sync.Mutex
	out  bytes.Buffer
	at   int // how far the test has looked
	wake chan struct{}
}

func (w *window) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Write(p)
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return len(p), nil
}

func openWindow(t *testing.T, s *harness.Server, dir, lang string) *window {
	t.Helper()
	w := &window{t: t, wake: make(chan struct{}, 1)}
	w.cmd = exec.Command(harness.Binary(t), "chat", "--server", s.URL, "--profile", dir, "--lang", lang)
	w.cmd.Stdout, w.cmd.Stderr = w, w
	var err error
	if w.keys, err = w.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	return w
}

// see waits until a text comes after what was seen before.
func (w *window) see(text string) {
	w.t.Helper()
	limit := time.After(time.Minute)
	for {
		w.mu.Lock()
		i := strings.Index(w.out.String()[w.at:], text)
		if i >= 0 {
			w.at += i + len(text)
		}
		all := w.out.String()
		w.mu.Unlock()
		if i >= 0 {
			return
		}
		select {
		case <-w.wake:
		case <-limit:
			w.t.Fatalf("%q was not printed; all of it:\n%s", text, all)
		}
	}
}

func (w *window) enter(lines ...string) {
	w.t.Helper()
	if _, err := io.WriteString(w.keys, strings.Join(lines, "\n")+"\n"); err != nil {
		w.t.Fatal(err)
	}
}

func (w *window) end() {
	w.t.Helper()
	if err := w.cmd.Wait(); err != nil {
		w.t.Fatal(err)
	}
}

// TestTwoTerminals: two people sign up, find each other and talk, one in Korean and one in English; the server dies in
// between, and what is typed meanwhile is sent later.
func TestTwoTerminals(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	s := harness.Start(t, data, "")
	a := openWindow(t, s, filepath.Join(dir, "a"), "ko")
	a.enter("1", "alice.kim", "김앨리스", "long enough", "long enough")
	a.see("김앨리스님, 반가워요. (아이디 alice.kim)")
	b := openWindow(t, s, filepath.Join(dir, "b"), "en")
	b.enter("1", "alice.kim", "Bob", "long enough", "long enough")
	b.see("That did not work: this handle is taken")
	b.enter("bob.park")
	b.see("Hello, Bob. (handle bob.park)")

	a.enter("/추가 bob.park", "/열기 @bob.park")
	a.see("Bob를 친구로 추가했어요.")
	a.see("── Bob ──")
	a.enter("점심 같이 먹을래요?")
	a.see("나: 점심 같이 먹을래요?")
	b.see("[김앨리스] 김앨리스: 점심 같이 먹을래요?")
	b.enter("/list", "/open 1")
	b.see("(1)")
	b.see("김앨리스: 점심 같이 먹을래요?")
	a.see("모두 읽었어요")
	b.enter("//slash is a text")
	a.see("Bob: /slash is a text")

	s.Kill()
	a.see("다시 연결하고 있어요")
	a.enter("서버가 꺼진 사이에 쓴 글", "/취소", "이건 보내요", "/보낼글")
	a.see("이건 보내요")
	s = harness.Start(t, data, strings.TrimPrefix(s.URL, "http://"))
	a.see("보내지 않았어요: 서버가 꺼진 사이에 쓴 글")
	b.see("김앨리스: 이건 보내요")

	a.enter("/공감 1 7", "/모르는것", "/나가기")
	a.see("모르는 명령이에요: /모르는것")
	a.see("안녕히 가세요.")
	a.end()

	// The profile has a session: nothing is asked, and the talk is there.
	a = openWindow(t, s, filepath.Join(dir, "a"), "ko")
	a.see("김앨리스님, 반가워요.")
	a.enter("/열기 1")
	a.see("나: 이건 보내요")
	a.enter("/로그아웃")
	a.end()
	if err := b.keys.Close(); err != nil {
		t.Fatal(err)
	}
	b.see("Bye.")
	b.end()
}

// TestProfileInUse: one profile, one window.
func TestProfileInUse(t *testing.T) {
	s := harness.Start(t, t.TempDir(), "")
	dir := t.TempDir()
	a := openWindow(t, s, dir, "en")
	a.see("New here")
	out, code := harness.Run(t, "chat", "--server", s.URL, "--profile", dir, "--lang", "en")
	if code != 1 || !strings.Contains(out, "in use in another window") || strings.Count(out, "\n") != 1 {
		t.Fatalf("code %d, %q", code, out)
	}
}

// TestTerminalOneTimeCode: who comes in by a one-time code chooses a password first, also after closing the window.
func TestTerminalOneTimeCode(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	a := harness.SignUp(t, s)
	out, code := harness.Run(t, "people", "reset-password", "--data", s.Data, a.Handle)
	m := regexp.MustCompile(`one-time code for \S+: (\S+)`).FindStringSubmatch(out)
	if code != 0 || m == nil {
		t.Fatalf("code %d, %q", code, out)
	}
	dir := t.TempDir()
	w := openWindow(t, s, dir, "ko")
	w.enter("2", a.Handle, m[1])
	w.see("새 비밀번호를 정해 주세요")
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = w.cmd.Wait()
	w = openWindow(t, s, dir, "ko")
	w.see("새 비밀번호를 정해 주세요")
	w.enter("not-the-code", "long enough", "long enough")
	w.see("일회용 코드가 달라요")
	w.enter(m[1], "short", "short")
	w.see("하지 못했어요")
	w.enter("long enough", "long enough")
	w.see("비밀번호를 바꿨어요")
	w.see("반가워요")
	w.enter("/나가기")
	w.end()
}
