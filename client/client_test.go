package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func ctxOf(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func signUp(t *testing.T, c *Client, handle string) Account {
	t.Helper()
	if err := c.SignUp(ctxOf(t), SignUpForm{Handle: handle, Name: handle, Password: "long enough"}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitConnected(ctxOf(t)); err != nil {
		t.Fatal(err)
	}
	a, ok := c.Account()
	if !ok {
		t.Fatal("nobody is logged in after the sign-up")
	}
	return a
}

// messages reads events until n messages of a room have come, and checks that each came once and in order.
func messages(t *testing.T, c *Client, room string, n int) (list []Message) {
	t.Helper()
	ctx := ctxOf(t)
	for len(list) < n {
		select {
		case e := <-c.Events():
			m, ok := e.(MessageEvent)
			if !ok || m.Message.Room != room {
				continue
			}
			if len(list) > 0 && list[len(list)-1].Seq+1 != m.Message.Seq {
				t.Fatalf("seq %d after %d", m.Message.Seq, list[len(list)-1].Seq)
			}
			list = append(list, m.Message)
		case <-ctx.Done():
			t.Fatalf("%d of %d messages came", len(list), n)
		}
	}
	return list
}

func TestTalk(t *testing.T) {
	f := newFake(t, 1)
	a, b := open(t, Options{URLs: f.urls}), open(t, Options{URLs: f.urls})
	signUp(t, a, "alice")
	bob := signUp(t, b, "bobby")
	r, err := a.Send(ctxOf(t), bob.User, "안녕")
	if err != nil || r.Seq != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	if room, err := a.DirectRoom(bob.User); err != nil || room != r.Room {
		t.Fatalf("%q %v, want %q", room, err, r.Room)
	}
	if m := messages(t, b, r.Room, 1)[0]; m.Text != "안녕" || m.Kind != KindText {
		t.Fatalf("%+v", m)
	}
}

// Who only asks is answered, and opens no connection.
func TestCallsOnly(t *testing.T) {
	f := newFake(t, 1)
	a, b := open(t, Options{URLs: f.urls, CallsOnly: true}), open(t, Options{URLs: f.urls})
	if err := a.SignUp(ctxOf(t), SignUpForm{Handle: "alice", Name: "alice", Password: "long enough"}); err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	conns := len(a.mu.conns)
	a.mu.Unlock()
	if conns != 0 {
		t.Fatal("it connects")
	}
	signUp(t, b, "bobby")
	me, ok := a.Account()
	r, err := b.Send(ctxOf(t), me.User, "안녕")
	if err != nil || !ok {
		t.Fatal(err, ok)
	}
	if p, err := a.History(ctxOf(t), r.Room, 1, false, 10); err != nil || len(p.Messages) != 1 || p.Messages[0].Text != "안녕" {
		t.Fatalf("%+v %v", p, err)
	}
	if a.State().Connected {
		t.Fatal("it is connected")
	}
}

func TestTextIsNormalised(t *testing.T) {
	f := newFake(t, 1)
	a := open(t, Options{URLs: f.urls})
	me := signUp(t, a, "alice")
	r, err := a.Send(ctxOf(t), me.User, "\u1112\u1161\u11ab") // 한, decomposed
	if err != nil {
		t.Fatal(err)
	}
	if got := f.rows(r.Room)[0]; got != "한" {
		t.Fatalf("%q", got)
	}
}

func TestExactlyOnceOverBrokenLines(t *testing.T) {
	f := newFake(t, 2)
	dir := t.TempDir()
	store, err := OpenFileStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	a, b := open(t, Options{URLs: f.urls, Store: store}), open(t, Options{URLs: f.urls})
	signUp(t, a, "alice")
	bob := signUp(t, b, "bobby")
	const n = 200
	var pending []*Pending
	for i := range n {
		p, err := a.SendAsync(bob.User, fmt.Sprint(i), SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		pending = append(pending, p)
		if i%40 == 39 {
			if _, err := p.Wait(ctxOf(t)); err != nil {
				t.Fatal(err)
			}
			f.cut()
		}
	}
	var room string
	for i, p := range pending {
		r, err := p.Wait(ctxOf(t))
		if err != nil || r.Seq != uint64(i+1) {
			t.Fatalf("%d: %+v %v", i, r, err)
		}
		room = r.Room
	}
	for i, m := range messages(t, b, room, n) {
		if m.Text != fmt.Sprint(i) {
			t.Fatalf("message %d is %q", i, m.Text)
		}
	}
}

func TestOutboxSurvivesTheProcess(t *testing.T) {
	f := newFake(t, 1)
	store := &MemoryStore{}
	a := open(t, Options{URLs: f.urls, Store: store})
	me := signUp(t, a, "alice")
	f.mu.Lock()
	f.mu.mute[0] = true
	f.mu.Unlock()
	p, err := a.SendAsync(me.User, "note to self", SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := p.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.mu.mute[0] = false
	f.mu.Unlock()
	b := open(t, Options{URLs: f.urls, Store: store})
	if got, ok := b.Account(); !ok || got.User != me.User {
		t.Fatalf("%+v %v", got, ok)
	}
	for e := range b.Events() {
		if s, ok := e.(SettledEvent); ok {
			if s.Err != nil || s.Receipt.Seq != 1 {
				t.Fatalf("%+v", s)
			}
			break
		}
	}
	if n := len(b.Outbox()); n != 0 {
		t.Fatalf("%d items are open", n)
	}
}

func TestSignUpWhoseAnswersGetLost(t *testing.T) {
	f := newFake(t, 1)
	f.mu.loseAnswers = 2
	a := open(t, Options{URLs: f.urls, Store: &MemoryStore{}})
	signUp(t, a, "alice")
	if f.mu.signUps != 3 || len(f.mu.handles) != 1 {
		t.Fatalf("%d sign-ups, accounts %v", f.mu.signUps, f.mu.handles)
	}
	b := open(t, Options{URLs: f.urls})
	if err := b.SignUp(ctxOf(t), SignUpForm{Handle: "alice", Name: "b", Password: "long enough"}); ReasonOf(err) != ReasonHandleTaken {
		t.Fatal(err)
	}
	signUp(t, b, "other")
}

func TestAnotherSiteAnswers(t *testing.T) {
	f := newFake(t, 2)
	a := open(t, Options{URLs: f.urls})
	me := signUp(t, a, "alice")
	f.mu.Lock()
	f.mu.mute[0] = true
	f.mu.Unlock()
	if _, err := a.Send(ctxOf(t), me.User, "hello"); err != nil {
		t.Fatal(err)
	}
	if got := a.State().URL; got != f.urls[1] {
		t.Fatalf("connected to %s", got)
	}
}

func TestSlowReaderLosesNothing(t *testing.T) {
	f := newFake(t, 1)
	a, b := open(t, Options{URLs: f.urls, NoEvents: true}), open(t, Options{URLs: f.urls})
	signUp(t, a, "alice")
	bob := signUp(t, b, "bobby")
	const n = 3 * eventsHigh
	var last *Pending
	for i := range n {
		p, err := a.SendAsync(bob.User, fmt.Sprint(i), SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		last = p
	}
	r, err := last.Wait(ctxOf(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(messages(t, b, r.Room, n)); got != n {
		t.Fatal(got)
	}
}

func TestLogOutKeepsTheDevice(t *testing.T) {
	f := newFake(t, 1)
	a := open(t, Options{URLs: f.urls, Store: &MemoryStore{}})
	me := signUp(t, a, "alice")
	if err := a.LogOut(ctxOf(t)); err != nil {
		t.Fatal(err)
	}
	if got, ok := a.Account(); ok || got.Device != me.Device {
		t.Fatalf("%+v %v", got, ok)
	}
	if _, err := a.Send(ctxOf(t), me.User, "x"); !errors.Is(err, ErrLoggedOut) {
		t.Fatal(err)
	}
	if _, err := a.LogIn(ctxOf(t), "somebody.else", "password"); !errors.Is(err, ErrOtherAccount) {
		t.Fatal(err)
	}
}

func records(t *testing.T, s Store) (list []string) {
	t.Helper()
	if err := s.Load(func(r []byte) error { list = append(list, string(r)); return nil }); err != nil {
		t.Fatal(err)
	}
	return list
}

// TestTornTail: whatever a power cut leaves of the last block, the blocks before it are read and new ones can follow.
func TestTornTail(t *testing.T) {
	full := append([]byte(outboxMagic), block([][]byte{[]byte("one"), []byte("two")})...)
	whole := len(full)
	full = append(full, block([][]byte{[]byte("three"), []byte("four")})...)
	for cut := whole; cut < len(full); cut++ {
		for _, tail := range [][]byte{nil, {0, 0, 0, 0}, bytes.Repeat([]byte{0xff}, 20)} {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, outboxName), append(bytes.Clone(full[:cut]), tail...), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := OpenFileStore(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := records(t, s); fmt.Sprint(got) != "[one two]" {
				t.Fatalf("cut at %d: %q", cut, got)
			}
			if err := s.Append([][]byte{[]byte("five")}, true); err != nil {
				t.Fatal(err)
			}
			if got := records(t, s); fmt.Sprint(got) != "[one two five]" {
				t.Fatalf("cut at %d: %q", cut, got)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestDamageIsKeptAside(t *testing.T) {
	dir := t.TempDir()
	b := append([]byte(outboxMagic), block([][]byte{[]byte("one")})...)
	b = append(b, block([][]byte{[]byte("two")})...)
	b[len(outboxMagic)+9] ^= 1
	if err := os.WriteFile(filepath.Join(dir, outboxName), b, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := OpenFileStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if got := records(t, s); len(got) != 0 {
		t.Fatalf("%q", got)
	}
	if kept, err := os.ReadFile(filepath.Join(dir, outboxName+".damaged")); err != nil || !bytes.Equal(kept, b[len(outboxMagic):]) {
		t.Fatalf("%q %v", kept, err)
	}
}

func TestOneProcessPerProfile(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenFileStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFileStore(dir); !errors.Is(err, ErrInUse) {
		t.Fatalf("opened twice: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = OpenFileStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
}

func TestCompaction(t *testing.T) {
	f := newFake(t, 1)
	dir := t.TempDir()
	store, err := OpenFileStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	a := open(t, Options{URLs: f.urls, Store: store, NoEvents: true})
	me := signUp(t, a, "alice")
	var last *Pending
	for i := range compactAfter {
		p, err := a.SendAsync(me.User, fmt.Sprint(i), SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		last = p
		if i%100 == 99 { // few are open at any time, however slow the machine is
			if _, err := p.Wait(ctxOf(t)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r, err := last.Wait(ctxOf(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dir, outboxName))
	// Twice as much without compaction; with it at most the records that are not enough for another one.
	if err != nil || st.Size() > 80*compactAfter {
		t.Fatalf("%d bytes %v", st.Size(), err)
	}
	again, err := OpenFileStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, Options{URLs: f.urls, Store: again, NoEvents: true})
	next, err := b.Send(ctxOf(t), me.User, "next")
	if err != nil || next.Seq != r.Seq+1 {
		t.Fatalf("%+v %v after %d", next, err, r.Seq)
	}
}

func FuzzOutbox(f *testing.F) {
	f.Add(block([][]byte{[]byte("one"), []byte("two")}))
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 0, 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, records := readBlock(b)
		if n > len(b) || n > 0 && !bytes.Equal(block(records), b[:n]) {
			// A record's length may be written in more bytes than it needs; it must still mean the same.
			if k, same := readBlock(block(records)); k == 0 || fmt.Sprint(same) != fmt.Sprint(records) {
				t.Fatalf("%d of %d bytes: %q", n, len(b), records)
			}
		}
		damaged(b)
	})
}
