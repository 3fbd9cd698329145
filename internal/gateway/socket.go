package gateway

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lxzan/gws"

	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// Sub-protocols of /live.
const (
	ProtocolBinary = "bonghwa.v1.proto"
	ProtocolJSON   = "bonghwa.v1.json"
)

const (
	// readBuffer is small: it stays with every idle connection. Larger frames are read past it.
	readBuffer = 1 << 10
	// writeBuffer is how much is gathered for one write.
	writeBuffer = 32 << 10
	// stuckAfter: a client that takes nothing for so long is cut off.
	stuckAfter = 10 * time.Second
	// maxDrained is how much of a closing connection's input is read away.
	maxDrained = 1 << 20
	// lingerFor is how long a closing connection waits for the client's own close.
	lingerFor = 2 * time.Second
)

// liveServer is the socket side of /live.
type liveServer struct {
	g     *Gateway
	up    *gws.Upgrader
	start time.Time
	pacer pacer
	// hellos: an answer to a Hello reads the whole list of rooms. After a restart everybody asks at once.
	hellos turnstile
	mu     struct {
		sync.Mutex
		conns map[*socket]struct{}
		drain bool
		wg    sync.WaitGroup
	}
}

func newLiveServer(g *Gateway) *liveServer {
	l := &liveServer{g: g, start: time.Now()}
	l.mu.conns = map[*socket]struct{}{}
	l.hellos = newTurnstile(g.o.Limits.HelloSlots, g.o.Limits.HelloWait, g.metrics.helloQueue)
	l.up = gws.NewUpgrader(socketEvents{}, &gws.ServerOption{
		SubProtocols: []string{ProtocolBinary, ProtocolJSON}, ReadMaxPayloadSize: maxFrame, ReadBufferSize: readBuffer,
		ParallelGolimit: 1, HandshakeTimeout: 5 * time.Second, Logger: quiet{},
		NewSession: func() gws.SessionStorage { return &socket{l: l} },
	})
	return l
}

// quiet drops the library's own words: what matters is counted.
type quiet struct{}

func (quiet) Error(...any) {}

// ServeHTTP takes a connection over.
func (l *liveServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !sameOrigin(r) && l.g.siteOrigin(r) == "" {
		say(w, http.StatusForbidden, "Pages of other sites cannot connect here.")
		return
	}
	l.mu.Lock()
	full := l.mu.drain || len(l.mu.conns) >= l.g.o.Limits.Connections
	l.mu.Unlock()
	if full {
		say(w, http.StatusServiceUnavailable, "This server takes no more connections.")
		return
	}
	if r.Header.Get("Sec-WebSocket-Key") == "" {
		say(w, http.StatusUpgradeRequired, "This is a WebSocket.")
		return
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		say(w, http.StatusHTTPVersionNotSupported, "WebSockets need HTTP/1.1.")
		return
	}
	raw, _, err := hijacker.Hijack()
	if err != nil {
		return
	}
	polite := &politeConn{Conn: raw}
	c, err := l.up.UpgradeFromConn(polite, bufio.NewReaderSize(polite, readBuffer), r)
	if err != nil {
		_ = raw.Close() // the client was told
		return
	}
	s := c.Session().(*socket)
	s.conn, polite.s = raw, s
	s.queue.maxBytes, s.queue.maxFrames = l.g.o.Limits.QueueBytes, l.g.o.Limits.QueueFrames
	s.session = NewSession(l.g.hub, s, c.SubProtocol() == ProtocolJSON)
	l.mu.Lock()
	l.mu.conns[s] = struct{}{}
	late := l.mu.drain
	l.mu.wg.Add(1)
	l.mu.Unlock()
	l.g.metrics.connections.Inc()
	if late {
		s.session.end(nil, true, time.Second)
	}
	go l.read(c, s)
}

// read is the connection's one goroutine. What net/http kept for the request is free by then.
func (l *liveServer) read(c *gws.Conn, s *socket) {
	defer l.mu.wg.Done()
	c.ReadLoop()
	s.session.Close()
	s.queue.end()
	// What the client is still sending is read away: closing with unread input resets the connection, and the client
	// would not see why.
	_, _ = io.CopyN(io.Discard, s.conn, maxDrained)
	s.queue.drop()
	_ = s.conn.Close()
	l.mu.Lock()
	delete(l.mu.conns, s)
	l.mu.Unlock()
	l.g.metrics.connections.Dec()
}

func (l *liveServer) draining() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.drain
}

func (l *liveServer) all() []*socket {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]*socket, 0, len(l.mu.conns))
	for s := range l.mu.conns {
		list = append(list, s)
	}
	return list
}

// drain tells everybody to come back elsewhere, spread over some seconds, and waits until they have read it.
func (l *liveServer) drain(ctx context.Context) {
	l.mu.Lock()
	l.mu.drain = true
	l.mu.Unlock()
	all := l.all()
	for _, s := range all {
		spread := time.Duration(min(200+len(all), 5000)) * time.Millisecond
		s.session.end(nil, true, rand.N(spread))
	}
	gone := make(chan struct{})
	go func() { l.mu.wg.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-ctx.Done():
	}
}

// close ends all connections and returns when their goroutines have.
func (l *liveServer) close() {
	l.mu.Lock()
	l.mu.drain = true
	l.mu.Unlock()
	for _, s := range l.all() {
		_ = s.conn.Close()
	}
	l.mu.wg.Wait()
}

// tick cuts off who does not read; about once a second.
func (l *liveServer) tick(now int64) {
	for _, s := range l.all() {
		if at := s.writeSince.Load(); at != 0 && now-at > stuckAfter.Milliseconds() {
			_ = s.conn.Close()
		}
	}
}

// politeConn is the connection as the library has it. The library writes the handshake and, on a broken protocol or in answer
// to the client's, a close frame, and closes: here that ends our side only and gives the client a moment to read it. A client is
// sent one close frame: browsers complain of a second.
type politeConn struct {
	net.Conn
	s    *socket // nil during the handshake
	ours bool    // our own close frame is on its way, and our side ends after it
}

func (c *politeConn) Write(b []byte) (int, error) {
	if c.s != nil && c.s.closing.Swap(true) {
		c.ours = true
		return len(b), nil
	}
	_ = c.Conn.SetWriteDeadline(time.Now().Add(lingerFor))
	return c.Conn.Write(b)
}

func (c *politeConn) Close() error {
	if !c.ours {
		hangUp(c.Conn)
	}
	return nil
}

// hangUp ends our side of a connection and the patience with the other.
func hangUp(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(lingerFor))
	if t, ok := c.(interface{ CloseWrite() error }); ok {
		_ = t.CloseWrite()
	}
}

// socket is the Outbound of a connection. It is also the connection's gws.SessionStorage, which saves a map each.
//
// Everything to the client goes through the queue; a goroutine writes while there is something and then ends. Each
// write holds whole frames, so the close frame that gws writes on a broken protocol cannot fall inside another.
type socket struct {
	l          *liveServer
	conn       net.Conn
	session    *Session
	queue      sendQueue
	writeSince atomic.Int64
	wrote      atomic.Int64 // when the last write began, nanoseconds since the server's start
	late       atomic.Bool  // waiting in pacer
	closing    atomic.Bool
}

var bufferPool = sync.Pool{New: func() any { b := make([]byte, 0, writeBuffer); return &b }}

// Send implements Outbound.
func (s *socket) Send(f Encoded) bool { return s.queue.add(f) }

// Queued implements Outbound.
func (s *socket) Queued() int { return s.queue.queued() }

// Drop implements Outbound.
func (s *socket) Drop() { s.queue.drop() }

// Ping implements Outbound.
func (s *socket) Ping() {
	s.queue.add(ping)
	s.Flush()
}

var ping = control(opPing, nil)

// Flush implements Outbound.
func (s *socket) Flush() {
	if s.queue.start() {
		go s.write()
	}
}

// FlushSoon implements Outbound.
func (s *socket) FlushSoon() {
	if !s.l.pacer.soon(time.Since(s.l.start), time.Duration(s.wrote.Load())) {
		s.Flush()
	} else if !s.late.Swap(true) {
		s.l.pacer.add(s)
	}
}

// Close implements Outbound.
func (s *socket) Close(code uint16, reason string) {
	if s.closing.Swap(true) {
		return
	}
	s.queue.last(control(opClose, append(binary.BigEndian.AppendUint16(nil, code), reason...)))
	s.Flush()
	// A client that never closes itself is not waited for.
	_ = s.conn.SetReadDeadline(time.Now().Add(lingerFor))
}

// write drains the queue: everything that waits in as few writes as its size allows. After the last frame it hangs up.
func (s *socket) write() {
	bp := bufferPool.Get().(*[]byte)
	defer bufferPool.Put(bp)
	for {
		frames, over := s.queue.take()
		if frames == nil {
			if over {
				hangUp(s.conn)
			}
			return
		}
		s.wrote.Store(int64(time.Since(s.l.start)))
		s.writeSince.Store(s.l.g.hub.millis())
		err := s.writeAll(*bp, *frames)
		s.writeSince.Store(0)
		recycle(frames)
		if err != nil {
			s.queue.end()
			_ = s.conn.Close()
			continue
		}
		s.session.Writable()
	}
}

func (s *socket) writeAll(buf []byte, frames []Encoded) error {
	if len(frames) == 1 {
		_, err := s.conn.Write(frames[0])
		return err
	}
	buf = buf[:0]
	for _, f := range frames {
		if len(buf) > 0 && len(buf)+len(f) > cap(buf) {
			if _, err := s.conn.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
		if len(f) > cap(buf) {
			if _, err := s.conn.Write(f); err != nil {
				return err
			}
			continue
		}
		buf = append(buf, f...)
	}
	if len(buf) == 0 {
		return nil
	}
	_, err := s.conn.Write(buf)
	return err
}

// socketEvents is what the library calls, from the goroutine of read.
type socketEvents struct{ gws.BuiltinEventHandler }

// OnPing answers through the queue.
func (socketEvents) OnPing(c *gws.Conn, payload []byte) {
	s := c.Session().(*socket)
	s.session.Alive()
	s.queue.add(control(opPong, payload))
	s.Flush()
}

// OnPong is a sign of life.
func (socketEvents) OnPong(c *gws.Conn, _ []byte) { c.Session().(*socket).session.Alive() }

// OnMessage takes a frame. Only a malformed one ends the connection.
func (socketEvents) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	s := c.Session().(*socket)
	if s.session.authed {
		s.message(m)
		return
	}
	// A Hello goes deep (checks of the schema, the view). On a goroutine of its own it does not leave the connection's
	// with a large stack, which would be half of what an idle session costs.
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.message(m)
	}()
	<-done
}

func (s *socket) message(m *gws.Message) {
	want := gws.OpcodeBinary
	if s.session.json {
		want = gws.OpcodeText
	}
	f, err := DecodeFrame(s.session.json, m.Bytes())
	if m.Opcode != want || err != nil {
		s.l.g.metrics.malformed.Inc()
		s.session.ended.Store(true)
		s.Close(1007, "malformed frame")
		return
	}
	if h := f.GetHello(); h != nil {
		if h.Seen != nil {
			s.l.catchUp(h.Seen)
		}
		leave, ok := s.l.hellos.enter(context.Background())
		if !ok {
			// Come back at different times.
			wait := s.l.hellos.wait + rand.N(4*s.l.hellos.wait+1)
			s.session.refuseHello(f.Id, retryAfter(apiv1.Reason_REASON_BUSY, millisUp(wait)))
			return
		}
		defer leave()
	}
	s.session.Frame(f)
}

// catchUp gives this site a moment to reach what the client has seen elsewhere.
func (l *liveServer) catchUp(seen *apiv1.Position) {
	if l.g.k.Position().Epoch == seen.Epoch {
		_ = l.g.atLeast(context.Background(), seen)
	}
}

// frameFault answers a frame during which the storage failed; the kernel decides what becomes of the node.
func (s *Session) frameFault(f *livev1.Frame) {
	if fault := kernel.FaultOf(recover()); fault != nil {
		s.refuse(f.Id, &Failure{Reason: apiv1.Reason_REASON_UNAVAILABLE, cause: *fault})
	}
}

// Len, Load, Delete, Store and Range make the socket a gws.SessionStorage that keeps nothing.
func (s *socket) Len() int                     { return 0 }
func (s *socket) Load(string) (any, bool)      { return nil, false }
func (s *socket) Delete(string)                {}
func (s *socket) Store(string, any)            {}
func (s *socket) Range(func(string, any) bool) {}
