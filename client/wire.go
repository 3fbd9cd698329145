package client

import (
	"context"
	"time"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// subprotocol of the binary form of /live.
const subprotocol = "bonghwa.v1.proto"

// maxFrame is the largest frame taken from a server: a page of the room list.
const maxFrame = 4 << 20

const dialTimeout = 10 * time.Second

// wire is one WebSocket: a goroutine that reads, and one that writes while there is something to write.
type wire struct {
	id     uint64
	ctx    context.Context
	cancel context.CancelFunc
	// Guarded by Client.mu.
	socket  *websocket.Conn
	out     []*livev1.Frame
	writing bool
}

// open starts a connection; the lock is held.
func (c *Client) open(id uint64, s *site) {
	w := &wire{id: id}
	w.ctx, w.cancel = context.WithCancel(c.ctx)
	c.mu.conns[id] = w
	c.task(func() { c.run(w, s) })
}

// close ends the connection without waiting; its reader finds out.
func (w *wire) close() { w.cancel() }

// run dials and reads until the end.
func (c *Client) run(w *wire, s *site) {
	defer w.cancel()
	ctx, cancel := context.WithTimeout(w.ctx, dialTimeout)
	socket, resp, err := websocket.Dial(ctx, s.url+"/live", &websocket.DialOptions{
		HTTPClient: c.http, Subprotocols: []string{subprotocol}})
	cancel()
	if resp != nil && resp.Body != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		c.lost(w)
		return
	}
	defer func() { _ = socket.CloseNow() }()
	socket.SetReadLimit(maxFrame)
	c.mu.Lock()
	if c.mu.conns[w.id] != w {
		c.mu.Unlock()
		return
	}
	w.socket = socket
	c.mu.Unlock()
	c.do(func(core *clientcore.Core, now int64) { core.Opened(now, w.id) })
	for {
		_, b, err := socket.Read(w.ctx)
		if err != nil {
			break
		}
		f := &livev1.Frame{}
		if proto.Unmarshal(b, f) != nil {
			break
		}
		c.do(func(core *clientcore.Core, now int64) { core.Frame(now, w.id, f) })
		c.dispatch()
	}
	c.lost(w)
}

func (c *Client) lost(w *wire) {
	c.mu.Lock()
	known := c.mu.conns[w.id] == w
	if known {
		delete(c.mu.conns, w.id)
	}
	c.mu.Unlock()
	if known {
		c.do(func(core *clientcore.Core, now int64) { core.Lost(now, w.id) })
	}
}

// write queues a frame; the lock is held.
func (c *Client) write(w *wire, f *livev1.Frame) {
	if w.socket == nil {
		return
	}
	w.out = append(w.out, f)
	if !w.writing {
		w.writing = true
		c.task(func() { c.writeLoop(w) })
	}
}

func (c *Client) writeLoop(w *wire) {
	var buf []byte
	for {
		c.mu.Lock()
		out := w.out
		w.out = nil
		if len(out) == 0 {
			w.writing = false
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		for _, f := range out {
			b, err := proto.MarshalOptions{}.MarshalAppend(buf[:0], f)
			if err == nil {
				err = w.socket.Write(w.ctx, websocket.MessageBinary, b)
			}
			if err != nil {
				w.close() // the reader reports the loss; writing stays true, nothing more is written
				return
			}
			buf = b
		}
	}
}
