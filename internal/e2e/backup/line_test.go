package backup

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// line is the way of one person to the server, under one address whichever server is behind it. It can swallow what the
// server says: then what the person asks for is done, and the answer is lost.
type line struct {
	url string
	mu  struct {
		sync.Mutex
		target string
		mute   bool
		conns  map[net.Conn]bool
	}
	wg sync.WaitGroup
}

func newLine(t *testing.T, s *harness.Server) *line {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := &line{url: "http://" + l.Addr().String()}
	ln.mu.conns = map[net.Conn]bool{}
	ln.leadTo(s)
	ln.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			ln.wg.Go(func() { ln.carry(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		ln.cut()
		ln.wg.Wait()
	})
	return ln
}

// leadTo makes the line lead to a server from now on, and heard again; what goes through it is cut.
func (l *line) leadTo(s *harness.Server) {
	l.mu.Lock()
	l.mu.target, l.mu.mute = strings.TrimPrefix(s.URL, "http://"), false
	l.mu.Unlock()
	l.cut()
}

// mute lets nothing from the server through any more.
func (l *line) mute() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.mute = true
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.mu.conns {
		_ = c.Close()
	}
}

func (l *line) keep(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.conns[c] = true
}

func (l *line) forget(c net.Conn) {
	_ = c.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.mu.conns, c)
}

func (l *line) carry(person net.Conn) {
	l.keep(person)
	defer l.forget(person)
	l.mu.Lock()
	target := l.mu.target
	l.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	l.keep(server)
	defer l.forget(server)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, person)
		_ = server.Close()
	}()
	b := make([]byte, 32<<10)
	for err == nil {
		var n int
		n, err = server.Read(b)
		l.mu.Lock()
		mute := l.mu.mute
		l.mu.Unlock()
		if n > 0 && !mute {
			_, werr := person.Write(b[:n])
			err = errors.Join(err, werr)
		}
	}
	_ = person.Close()
	<-done
}
