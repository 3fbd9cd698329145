package lan

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Bounds of connections that have not said yet what they speak.
const (
	firstByte       = 10 * time.Second
	mostSilent      = 512
	mostSilentOfOne = 32 // by address; an IPv6 network counts as one
)

// tlsHandshake is the first byte of a TLS connection.
const tlsHandshake = 0x16

// Listener takes connections of machines that are near (admitted). With a certificate they are TLS; whoever speaks plain HTTP is told to
// come again by https.
type Listener struct {
	raw      net.Listener
	others   []string
	config   *tls.Config
	networks func() []netip.Prefix
	ready    chan net.Conn
	plain    *http.Server
	plainIn  *queue
	cancel   context.CancelCauseFunc
	ctx      context.Context
	tasks    sync.WaitGroup
}

// Listen listens on an address like ":8443". Without a certificate everything is in the open. The others are names by which this
// machine is found beside its own.
func Listen(addr string, cert *Certificate, others ...string) (*Listener, error) {
	raw, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	var config *tls.Config
	if cert != nil {
		config = cert.Config()
	}
	l := serve(raw, config, prefixes)
	l.others = others
	return l, nil
}

func serve(raw net.Listener, config *tls.Config, networks func() []netip.Prefix) *Listener {
	l := &Listener{raw: raw, config: config, networks: networks, ready: make(chan net.Conn)}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.plainIn = &queue{l: l, conns: make(chan net.Conn)}
	l.plain = &http.Server{Handler: http.HandlerFunc(toHTTPS), ReadHeaderTimeout: firstByte, ReadTimeout: firstByte, WriteTimeout: firstByte, MaxHeaderBytes: 8 << 10}
	l.plain.SetKeepAlivesEnabled(false)
	l.tasks.Go(l.accept)
	if config != nil {
		l.tasks.Go(func() { _ = l.plain.Serve(l.plainIn) })
	}
	return l
}

// silence counts connections that have not said anything yet, by where they come from.
type silence struct {
	sync.Mutex
	all int
	of  map[netip.Addr]int
}

// begin counts one more, unless there are as many as may be.
func (s *silence) begin(from netip.Addr) bool {
	s.Lock()
	defer s.Unlock()
	if s.all >= mostSilent || s.of[from] >= mostSilentOfOne {
		return false
	}
	s.all++
	s.of[from]++
	return true
}

func (s *silence) end(from netip.Addr) {
	s.Lock()
	defer s.Unlock()
	s.all--
	if s.of[from]--; s.of[from] == 0 {
		delete(s.of, from)
	}
}

// origin is the address that a connection counts for.
func origin(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); a.Is6() && !a.IsLinkLocalUnicast() {
		return netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}

// accept sorts connections until the listener ends.
func (l *Listener) accept() {
	silent := &silence{of: map[netip.Addr]int{}}
	for failed := 0; ; {
		c, err := l.raw.Accept()
		if err != nil {
			// Too many open files, or a peer that has gone: it passes, or it does not within ten seconds.
			if failed++; errors.Is(err, net.ErrClosed) || failed > 100 {
				l.cancel(err)
				return
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-l.ctx.Done():
				return
			}
			continue
		}
		failed = 0
		a, ok := c.RemoteAddr().(*net.TCPAddr)
		if !ok || !admitted(a.AddrPort().Addr(), l.networks) {
			_ = c.Close()
			continue
		}
		if l.config == nil {
			l.hand(l.ready, c)
			continue
		}
		from := origin(a.AddrPort().Addr())
		if !silent.begin(from) {
			_ = c.Close()
			continue
		}
		l.tasks.Go(func() {
			defer silent.end(from)
			l.sort(c)
		})
	}
}

// sort looks at the first byte.
func (l *Listener) sort(c net.Conn) {
	ended := context.AfterFunc(l.ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })
	first := make([]byte, 1)
	_ = c.SetReadDeadline(time.Now().Add(firstByte))
	_, err := io.ReadFull(c, first)
	if !ended() || err != nil {
		_ = c.Close()
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	peeked := &peekedConn{Conn: c, first: first}
	if first[0] == tlsHandshake {
		l.hand(l.ready, tls.Server(peeked, l.config))
		return
	}
	l.hand(l.plainIn.conns, peeked)
}

func (l *Listener) hand(to chan net.Conn, c net.Conn) {
	select {
	case to <- c:
	case <-l.ctx.Done():
		_ = c.Close()
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ready:
		return c, nil
	case <-l.ctx.Done():
		return nil, context.Cause(l.ctx)
	}
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.raw.Addr() }

// Hosts are the names by which this machine is found; a browser that comes by another one was misled.
func (l *Listener) Hosts() []string { return append(hosts(), l.others...) }

// Port is where it listens.
func (l *Listener) Port() uint16 {
	a, ok := l.raw.Addr().(*net.TCPAddr)
	if !ok {
		return 0
	}
	return a.AddrPort().Port()
}

// Close implements net.Listener. It returns when everything has ended.
func (l *Listener) Close() error {
	l.cancel(net.ErrClosed)
	err := l.raw.Close()
	_ = l.plain.Close()
	l.tasks.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// peekedConn is a connection whose first byte has been read.
type peekedConn struct {
	net.Conn
	first []byte
}

// Read implements net.Conn.
func (c *peekedConn) Read(p []byte) (int, error) {
	if len(c.first) > 0 && len(p) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// queue is the listener of those who speak in the open.
type queue struct {
	l     *Listener
	conns chan net.Conn
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.l.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (q *queue) Close() error   { return nil }
func (q *queue) Addr() net.Addr { return q.l.raw.Addr() }

// toHTTPS sends a browser on. Programs are not: what they said in the open they would say again.
func toHTTPS(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if host := r.Host; (r.Method == http.MethodGet || r.Method == http.MethodHead) && plainHost(host) && r.URL.Path != "" && r.URL.Path[0] == '/' {
		w.Header().Set("Location", "https://"+host+r.URL.EscapedPath())
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	http.Error(w, "This port speaks https.", http.StatusBadRequest)
}

// plainHost says that a Host header is an address or a name, with or without a port.
func plainHost(host string) bool {
	if a, err := netip.ParseAddrPort(host); err == nil {
		return a.Addr().Zone() == ""
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
	}
	for _, c := range []byte(port) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return name != "" && plainName(name)
}
