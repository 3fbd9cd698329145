package gateway

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/ids"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// client is a real WebSocket client.
type client struct {
	t    *testing.T
	c    *websocket.Conn
	json bool
}

func (w *web) dial(t *testing.T, json bool) *client {
	t.Helper()
	p := ProtocolBinary
	if json {
		p = ProtocolJSON
	}
	c, _, err := websocket.Dial(t.Context(), w.srv.URL+"/live", &websocket.DialOptions{Subprotocols: []string{p}})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return &client{t, c, json}
}

func (c *client) send(f *livev1.Frame) {
	c.t.Helper()
	kind, b, err := websocket.MessageBinary, []byte(nil), error(nil)
	if c.json {
		kind = websocket.MessageText
		b, err = protojson.Marshal(f)
	} else {
		b, err = proto.Marshal(f)
	}
	if err == nil {
		err = c.c.Write(c.t.Context(), kind, b)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next() (*livev1.Frame, error) {
	_, b, err := c.c.Read(c.t.Context())
	if err != nil {
		return nil, err
	}
	return DecodeFrame(c.json, b)
}

// until reads to the first frame that fn takes.
func (c *client) until(fn func(*livev1.Frame) bool) *livev1.Frame {
	c.t.Helper()
	for {
		f, err := c.next()
		if err != nil {
			c.t.Fatal(err)
		}
		if fn(f) {
			return f
		}
	}
}

func (c *client) open(p *someone) {
	c.t.Helper()
	c.send(p.hello(nil))
	c.until(func(f *livev1.Frame) bool { return f.GetWelcome() != nil })
}

// closed reads to the end and returns the close status.
func (c *client) closed() websocket.StatusCode {
	c.t.Helper()
	for {
		if _, err := c.next(); err != nil {
			var ce websocket.CloseError
			if !errors.As(err, &ce) {
				c.t.Fatalf("no close frame: %v", err)
			}
			return ce.Code
		}
	}
}

func TestSockets(t *testing.T) {
	w := newWeb(t, nil)
	a, b := w.person("alice"), w.person("bobby")
	ca, cb := w.dial(t, false), w.dial(t, true)
	ca.open(a)
	cb.open(b)
	const n = 200
	go func() {
		for i := range n {
			ca.send(a.sendTo(b, fmt.Sprint(i)))
		}
	}()
	for i := range n {
		f := cb.until(func(f *livev1.Frame) bool { return f.GetEvent().GetMessage() != nil })
		if x := f.GetEvent().GetMessage(); x.Text != fmt.Sprint(i) {
			t.Fatalf("%d: %v", i, x)
		}
		f = ca.until(func(f *livev1.Frame) bool { return f.GetAck() != nil })
		if f.GetAck().Error != nil || f.GetAck().Seq != uint64(i+1) {
			t.Fatal(f)
		}
	}
	if err := ca.c.Ping(pinging(t, ca)); err != nil {
		t.Fatal(err)
	}
	w.g.Drain(t.Context())
	_ = ca.c.CloseNow()
}

// pinging reads in the background, since a pong is seen by a reader only, and gives the context to ping with.
func pinging(t *testing.T, c *client) context.Context {
	go func() {
		for {
			if _, err := c.next(); err != nil {
				return
			}
		}
	}()
	return t.Context()
}

// TestMalformedFrames: only the connection that sent one ends, with 1007; frames over the limit end with 1009.
func TestMalformedFrames(t *testing.T) {
	w := newWeb(t, nil)
	a := w.person("alice")
	good := w.dial(t, false)
	good.open(a)
	for what, c := range map[string]struct {
		json bool
		kind websocket.MessageType
		b    []byte
		want websocket.StatusCode
	}{
		"garbage":         {false, websocket.MessageBinary, []byte{0xff, 0xff}, 1007},
		"truncated":       {false, websocket.MessageBinary, []byte{0x0a, 0x05, 0x01}, 1007},
		"invalid UTF-8":   {false, websocket.MessageBinary, mustMarshal(t, "a\xffb"), 1007},
		"no JSON":         {true, websocket.MessageText, []byte(`{"send":`), 1007},
		"wrong type":      {true, websocket.MessageText, []byte(`{"send":{"text":5}}`), 1007},
		"JSON not UTF-8":  {true, websocket.MessageText, []byte("{\"send\":{\"text\":\"a\xff\"}}"), 1007},
		"text for binary": {false, websocket.MessageText, []byte(`{}`), 1007},
		"binary for text": {true, websocket.MessageBinary, []byte{}, 1007},
		"oversize":        {false, websocket.MessageBinary, make([]byte, maxFrame+1), 1009},
	} {
		l := w.dial(t, c.json)
		if err := l.c.Write(t.Context(), c.kind, c.b); err != nil {
			t.Fatal(err)
		}
		if got := l.closed(); got != c.want {
			t.Errorf("%s: closed with %d, want %d", what, got, c.want)
		}
	}
	// Well-formed nonsense gets an answer, and the connection lives.
	l := w.dial(t, true)
	l.open(a)
	for _, s := range []string{`{"id":"5"}`, `{"id":"5","beat":{}}`, `{"id":"5","send":{}}`, `{"id":"5","unknownField":{}}`, `{"id":"5","leave":{"room":"?"}}`} {
		if err := l.c.Write(t.Context(), websocket.MessageText, []byte(s)); err != nil {
			t.Fatal(err)
		}
		f := l.until(func(f *livev1.Frame) bool { return f.GetAck() != nil })
		if f.GetAck().Error.GetReason() != apiv1.Reason_REASON_INVALID || f.GetAck().Error.Consumed {
			t.Errorf("%s: %v", s, f)
		}
	}
	good.send(&livev1.Frame{Id: 1, Body: &livev1.Frame_Ping{Ping: &livev1.Ping{}}})
	good.until(func(f *livev1.Frame) bool { return f.GetBeat() != nil })
}

// mustMarshal makes the bytes of a frame whose text is no UTF-8, which the library would refuse to write.
func mustMarshal(t *testing.T, text string) []byte {
	t.Helper()
	b, err := proto.Marshal(&livev1.Frame{Body: &livev1.Frame_Send{Send: &apiv1.SendRequest{Text: strings.Repeat("z", len(text))}}})
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.ReplaceAll(string(b), strings.Repeat("z", len(text)), text))
}

func TestOrigin(t *testing.T) {
	w := newWeb(t, nil)
	for origin, want := range map[string]int{"https://evil.example": http.StatusForbidden, "null": http.StatusForbidden, w.srv.URL: http.StatusSwitchingProtocols, "": http.StatusSwitchingProtocols} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		c, res, err := websocket.Dial(t.Context(), w.srv.URL+"/live", &websocket.DialOptions{Subprotocols: []string{ProtocolBinary}, HTTPHeader: h})
		if c != nil {
			_ = c.CloseNow()
		}
		if res == nil || res.StatusCode != want {
			t.Errorf("%q: %v, %v", origin, res, err)
		}
	}
}

// TestSlowLoris: who never finishes a request header is cut off by the listener's deadline, and who never says hello by
// the session's.
func TestSlowLoris(t *testing.T) {
	w := newWeb(t, nil)
	c, err := net.Dial("tcp", w.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /live HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(c); err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
		t.Fatal(err)
	}
	l := w.dial(t, false)
	l.send(&livev1.Frame{Id: 1, Body: &livev1.Frame_Ping{Ping: &livev1.Ping{}}})
	l.until(func(f *livev1.Frame) bool { return f.GetAck() != nil }) // the session is there, though not open
	for _, s := range w.g.live.all() {
		for s.writeSince.Load() != 0 { // its writer has not noticed yet that it is done, which would pass for being stuck
			time.Sleep(time.Millisecond)
		}
	}
	w.clock.advance((helloWithin + 1000) * time.Millisecond)
	for range ticksPerScan {
		w.g.Tick()
	}
	if got := l.closed(); got != websocket.StatusPolicyViolation {
		t.Fatal(got)
	}
}

// Who finds too many before the door is told when to come back, each at another time, and is let in then.
func TestHelloQueue(t *testing.T) {
	w := newWeb(t, func(o *Options) { o.Limits.HelloSlots, o.Limits.HelloWait = 1, time.Millisecond })
	a := w.person("alice")
	leave, ok := w.g.live.hellos.enter(t.Context())
	if !ok {
		t.Fatal("no turn")
	}
	c := w.dial(t, false)
	times := map[uint64]bool{}
	for range 8 {
		c.send(a.hello(nil))
		e := c.until(func(f *livev1.Frame) bool { return f.GetAck() != nil }).GetAck().GetError()
		if e.GetReason() != apiv1.Reason_REASON_BUSY || !e.Again || e.RetryAfterMs < 1 || e.RetryAfterMs > 5 {
			t.Fatal(e)
		}
		times[e.RetryAfterMs] = true
	}
	if len(times) < 2 {
		t.Error("all are to come back at the same time")
	}
	leave()
	c.send(a.hello(nil))
	c.until(func(f *livev1.Frame) bool { return f.GetWelcome() != nil })
	for len(w.g.live.hellos.slots) > 0 { // given back
		time.Sleep(time.Millisecond)
	}
}

// TestSlowReader: a client that does not read loses its queue, not the server's memory, and is cut off when it goes on.
func TestSlowReader(t *testing.T) {
	w := newWeb(t, func(o *Options) { o.Limits.QueueBytes, o.Limits.QueueFrames = 64<<10, 64 })
	a, b := w.person("alice"), w.person("bobby")
	conn, br := rawDial(t, w)
	defer conn.Close()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4 << 10)
	}
	hello, err := proto.Marshal(b.hello(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(masked(opBinary, hello)); err != nil {
		t.Fatal(err)
	}
	readFrame(t, br) // Welcome
	la := a.live()
	long := strings.Repeat("가", 9000)
	dropped := func() bool {
		w.g.hub.mu.Lock()
		defer w.g.hub.mu.Unlock()
		for s := range w.g.hub.mu.sessions {
			if s.state == stateResync {
				return true
			}
		}
		return false
	}
	for i := 0; !dropped(); i++ {
		if i > 10_000 {
			t.Fatal("the queue has no bound")
		}
		w.clock.advance(10 * time.Millisecond)
		la.Frame(a.sendTo(b, long))
		la.take()
	}
	w.clock.advance(stuckAfter + time.Second)
	for range ticksPerScan {
		w.g.Tick()
	}
	w.g.live.mu.wg.Wait() // the connection's goroutine ends
}

// rawDial opens a WebSocket by hand.
func rawDial(t *testing.T, w *web) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", w.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(c, "GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "+ProtocolBinary+"\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	br := bufio.NewReaderSize(c, 512)
	res, err := http.ReadResponse(br, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(res, err)
	}
	return c, br
}

// masked is a frame from a client with a mask of zeros.
func masked(opcode byte, payload []byte) []byte {
	b := []byte{0x80 | opcode}
	if len(payload) <= 125 {
		b = append(b, 0x80|byte(len(payload)))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(len(payload)))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

func readFrame(t *testing.T, br *bufio.Reader) (opcode byte, payload []byte) {
	t.Helper()
	h := make([]byte, 2)
	if _, err := io.ReadFull(br, h); err != nil {
		t.Fatal(err)
	}
	n := int(h[1])
	if n == 126 {
		x := make([]byte, 2)
		if _, err := io.ReadFull(br, x); err != nil {
			t.Fatal(err)
		}
		n = int(binary.BigEndian.Uint16(x))
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(br, payload); err != nil {
		t.Fatal(err)
	}
	return h[0] & 15, payload
}

func TestPingAndFragments(t *testing.T) {
	w := newWeb(t, nil)
	a := w.person("alice")
	c, br := rawDial(t, w)
	defer c.Close()
	if _, err := c.Write(masked(opPing, []byte("are you there"))); err != nil {
		t.Fatal(err)
	}
	if op, p := readFrame(t, br); op != opPong || string(p) != "are you there" {
		t.Fatal(op, p)
	}
	hello, err := proto.Marshal(a.hello(nil))
	if err != nil {
		t.Fatal(err)
	}
	first := masked(opBinary, hello[:10])
	first[0] &^= 0x80
	last := masked(0, hello[10:])
	if _, err := c.Write(append(first, last...)); err != nil {
		t.Fatal(err)
	}
	_, p := readFrame(t, br)
	if f, err := DecodeFrame(false, p); err != nil || f.GetWelcome() == nil {
		t.Fatal(f, err)
	}
}

func TestRevokedSocket(t *testing.T) {
	w := newWeb(t, nil)
	a := w.person("alice")
	l := w.dial(t, false)
	l.open(a)
	w.ok(ids.Text(a.token), "PeopleService/LogOut", obj{})
	f := l.until(func(f *livev1.Frame) bool { return f.GetBye() != nil })
	if f.GetBye().Reconnect || f.GetBye().Error.GetReason() != apiv1.Reason_REASON_SESSION_REVOKED {
		t.Fatal(f)
	}
	if got := l.closed(); got != websocket.StatusNormalClosure {
		t.Fatal(got)
	}
}

func TestDrain(t *testing.T) {
	w := newWeb(t, nil)
	a := w.person("alice")
	var all []*client
	for range 5 {
		l := w.dial(t, false)
		l.open(a)
		all = append(all, l)
	}
	var wg sync.WaitGroup
	for _, l := range all {
		wg.Go(func() {
			f := l.until(func(f *livev1.Frame) bool { return f.GetBye() != nil })
			if !f.GetBye().Reconnect {
				t.Error(f)
			}
			l.closed()
			_ = l.c.CloseNow()
		})
	}
	w.g.Drain(t.Context())
	wg.Wait()
	if _, res, err := websocket.Dial(t.Context(), w.srv.URL+"/live", nil); err == nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Fatal(res, err)
	}
	res, err := w.srv.Client().Get(w.srv.URL + "/readyz")
	if err != nil || res.StatusCode != http.StatusServiceUnavailable {
		t.Fatal(res, err)
	}
	res.Body.Close()
}

// TestSocketsAtOnce has many clients write to one another while others come and go; run it with -race.
func TestSocketsAtOnce(t *testing.T) {
	w := newWeb(t, nil)
	var people []*someone
	for i := range 8 {
		people = append(people, w.person(fmt.Sprintf("user%d", i)))
	}
	room := w.group(people[0], people[1:]...)
	const each = 30
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			w.g.Tick()
			l := w.dial(t, false)
			l.open(people[7])
			_ = l.c.CloseNow()
		}
	})
	var ready, senders sync.WaitGroup
	for _, p := range people[:7] {
		ready.Add(1)
		senders.Go(func() {
			l := w.dial(t, false)
			l.open(p)
			l.send(view(room))
			ready.Done()
			ready.Wait()
			acked, heard := 0, 0
			for i := range each {
				l.send(p.sendIn(room, fmt.Sprint(i)))
				l.send(markRead(room, uint64(i)))
			}
			for acked < each || heard < 6*each {
				f, err := l.next()
				if err != nil {
					t.Error(err)
					return
				}
				if a := f.GetAck(); a != nil {
					if a.Error != nil {
						t.Errorf("%v", a)
					}
					acked++
				}
				if f.GetEvent().GetMessage() != nil {
					heard++
				}
			}
		})
	}
	senders.Wait()
	close(stop)
	wg.Wait()
}

// TestOneClose: a client whose own close crosses the server's is sent one close frame all the same. Browsers complain of a second.
func TestOneClose(t *testing.T) {
	w := newWeb(t, nil)
	both := append(masked(opBinary, []byte{0xff, 0xff}), masked(opClose, binary.BigEndian.AppendUint16(nil, 1000))...)
	for range 100 {
		c, br := rawDial(t, w)
		if _, err := c.Write(both); err != nil {
			t.Fatal(err)
		}
		if op, p := readFrame(t, br); op != opClose || binary.BigEndian.Uint16(p) != 1007 {
			t.Fatal(op, p)
		}
		rest, err := io.ReadAll(br)
		if len(rest) > 0 || err != nil {
			t.Fatalf("after the close frame: %x, %v", rest, err)
		}
		_ = c.Close()
	}
}
