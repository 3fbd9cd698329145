package sim

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"google.golang.org/protobuf/proto"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	"github.com/bonghwa/bonghwa/internal/gateway"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// gate is the gateway of one life of a node. It implements gateway.Kernel over the node's cores.
type gate struct {
	*node
	gen   int
	g     *gateway.Gateway
	wires []*wire
	cuts  map[uint32]uint64
}

// newGate opens the gateway of a node that has just started.
func (p *public) newGate(n *node) *gate {
	g := &gate{node: n, gen: n.gen}
	snap := n.views[0].Snapshot()
	g.cuts = kernel.Cuts(snap)
	snap.Close()
	var err error
	g.g, err = gateway.New(gateway.Options{Kernel: g, Cell: cellNumber, Signup: gateway.SignupOpen, Now: func() time.Time { return simStart.Add(p.now) }})
	if err != nil {
		p.fail("node %d: the gateway does not start: %v", n.i, err)
		return g
	}
	g.tick()
	return g
}

func (g *gate) alive() bool { return g.up && g.node.gen == g.gen }

func (g *gate) tick() {
	g.at(100*time.Millisecond, "tick", func() {
		g.g.Tick()
		g.flush()
		g.tick()
	})
}

// Submit implements kernel.Submitter.
func (g *gate) Submit(domain byte, command []byte, done func(kernel.Result)) error {
	if g.chance(g.quorum.faults.Refuse) {
		return kernel.ErrQueueFull
	}
	return g.submit(kernel.Waiting{Domain: domain, Bytes: command, Done: done})
}

// SubmitEphemeral implements kernel.Submitter.
func (g *gate) SubmitEphemeral(domain byte, command []byte) error {
	return g.submit(kernel.Waiting{Domain: domain, Flags: kernel.FlagEphemeral, Bytes: command})
}

// positioned is a snapshot that knows when the newest own entry in every view was proposed as it was taken.
type positioned struct {
	kernel.StoreSnapshot
	ownAt time.Duration
}

func (s positioned) Position() kernel.Position { return kernel.PositionOf(s) }

// Snapshot implements gateway.Kernel.
func (g *gate) Snapshot(domain byte) kernel.Snapshot {
	for i, d := range g.domains {
		if d.ID() == domain {
			return positioned{g.views[i].Snapshot(), g.ownAt()}
		}
	}
	panic("the gateway asks for a domain that does not exist")
}

// Ready implements gateway.Kernel.
func (g *gate) Ready() error {
	if !g.alive() || !g.ready() {
		return kernel.ErrNotReady
	}
	return nil
}

// Fresh implements gateway.Kernel.
func (g *gate) Fresh(s kernel.Snapshot) error {
	if p, ok := s.(positioned); !ok || !g.alive() || !kernel.Vouches(p.ownAt, g.now, false) {
		return kernel.ErrNotReady
	}
	return nil
}

// Position implements gateway.Kernel.
func (g *gate) Position() kernel.Position {
	at := g.runners[0].Position()
	for _, r := range g.runners[1:] {
		if p := r.Position(); p.Less(at) {
			at = p
		}
	}
	return at
}

// Cut implements gateway.Kernel.
func (g *gate) Cut(epoch uint32) (uint64, bool) { n, ok := g.cuts[epoch]; return n, ok }

// Now implements gateway.Kernel.
func (g *gate) Now() uint64 { return uint64(g.local().UnixMilli()) }

// flush puts on the way to the clients what the gateway has queued. It is called after everything that may have queued
// something, so that the order in which the gateway serves its sessions is no part of the run.
func (g *gate) flush() {
	for _, w := range g.wires {
		for len(w.out) > 0 {
			w.ship()
			if !w.closing {
				w.session.Writable()
			}
		}
	}
}

// wire is one connection between a phone and a gate. It implements gateway.Outbound.
type wire struct {
	p       *public
	phone   *phone
	gate    *gate
	conn    uint64
	session *gateway.Session
	out     []gateway.Encoded
	bytes   int
	closing bool
	// lastUp and lastDown keep the order of a connection.
	lastUp, lastDown time.Duration
	// silent: nothing arrives any more in either direction, and nobody is told. gone: the phone has let go.
	silent, gone bool
}

// queueBytes is what may wait for a client; little, so that some are too slow.
const queueBytes = 12 << 10

// Send implements gateway.Outbound.
func (w *wire) Send(f gateway.Encoded) bool {
	if w.closing {
		return true
	}
	if w.bytes+len(f) > queueBytes {
		return false
	}
	w.out, w.bytes = append(w.out, f), w.bytes+len(f)
	w.p.checkFrame(w, f)
	return true
}

// Queued implements gateway.Outbound.
func (w *wire) Queued() int { return w.bytes }

// Flush implements gateway.Outbound; what is queued leaves at the next gate.flush.
func (w *wire) Flush() {}

// FlushSoon implements gateway.Outbound.
func (w *wire) FlushSoon() {}

// Drop implements gateway.Outbound.
func (w *wire) Drop() { w.out, w.bytes = nil, 0 }

// Ping implements gateway.Outbound: the client's socket answers by itself.
func (w *wire) Ping() {
	if !w.silent && !w.gone {
		w.session.Alive()
	}
}

// Close implements gateway.Outbound.
func (w *wire) Close(uint16, string) {
	if !w.closing {
		w.closing = true
		w.out = append(w.out, nil) // the end
	}
}

// ship sends what is queued. Frames keep their order; a connection that ends tells so after the last of them.
func (w *wire) ship() {
	frames := w.out
	w.out, w.bytes = nil, 0
	w.lastDown = max(w.lastDown, w.p.now+w.p.quorum.delay())
	w.p.After(w.lastDown-w.p.now, "down", w.phone.i, func() {
		for _, f := range frames {
			switch {
			case w.gone || w.silent:
				return
			case f == nil:
				w.phone.lost(w)
				return
			}
			frame, err := gateway.DecodeFrame(false, f.Payload())
			if err != nil {
				w.p.fail("a frame for phone %d cannot be decoded: %v", w.phone.i, err)
				return
			}
			w.p.tell("phone %d < node %d: %v", w.phone.i, w.gate.i, frame)
			w.phone.core.Frame(w.phone.time(), w.conn, frame)
			w.phone.pump()
		}
	})
}

// up sends a client's frame to the gate.
func (w *wire) up(frame *livev1.Frame) {
	w.p.tell("phone %d > node %d: %v", w.phone.i, w.gate.i, frame)
	b, err := proto.Marshal(frame)
	if err != nil {
		w.p.fail("a frame of phone %d cannot be encoded: %v", w.phone.i, err)
		return
	}
	w.lastUp = max(w.lastUp, w.p.now+w.p.quorum.delay())
	w.p.After(w.lastUp-w.p.now, "up", w.phone.i, func() {
		switch {
		case w.gone || w.silent:
		case !w.gate.alive():
			w.phone.lost(w)
		default:
			w.gate.atOnce(func() {
				if f, err := gateway.DecodeFrame(false, b); err == nil && w.gate.alive() && !w.closing {
					w.session.Frame(f)
					w.gate.flush()
				}
			})
		}
	})
}

// hangUp ends a connection from the client's side.
func (w *wire) hangUp() {
	w.gone = true
	w.p.After(w.p.quorum.delay(), "hang up", w.phone.i, func() {
		if w.gate.alive() {
			w.session.Close()
		}
		w.gate.drop(w)
	})
}

func (g *gate) drop(w *wire) {
	for i, o := range g.wires {
		if o == w {
			g.wires = append(g.wires[:i], g.wires[i+1:]...)
			return
		}
	}
}

// history asks for a page over HTTP. The handler runs at once, on this goroutine; a site that is behind would wait in
// real time, so it is not asked.
func (g *gate) history(token string, r *apiv1.HistoryRequest) (*apiv1.HistoryResponse, *clientcore.Refusal, error) {
	if want := (kernel.Position{Epoch: r.AtLeast.GetEpoch(), N: r.AtLeast.GetN()}); g.Position().Less(want) {
		return nil, &clientcore.Refusal{Reason: apiv1.Reason_REASON_BEHIND, Again: true}, nil
	}
	body, err := proto.Marshal(r)
	if err != nil {
		return nil, nil, err
	}
	req := httptest.NewRequest(http.MethodPost, "/api/bonghwa.api.v1.ChatService/History", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/proto")
	req.Header.Set("Connect-Protocol-Version", "1")
	req.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	g.g.Handler().ServeHTTP(rec, req)
	answer, err := io.ReadAll(rec.Body)
	if err != nil {
		return nil, nil, err
	}
	if rec.Code == http.StatusOK {
		page := &apiv1.HistoryResponse{}
		return page, nil, proto.Unmarshal(answer, page)
	}
	ref, err := refusalOf(answer)
	return nil, ref, err
}

// refusalOf reads the error of a Connect call.
func refusalOf(b []byte) (*clientcore.Refusal, error) {
	var e struct {
		Message string
		Details []struct{ Type, Value string }
	}
	if err := json.Unmarshal(b, &e); err != nil {
		return nil, err
	}
	for _, d := range e.Details {
		info := &apiv1.ErrorInfo{}
		if d.Type != string(info.ProtoReflect().Descriptor().FullName()) {
			continue
		}
		v, err := base64.RawStdEncoding.DecodeString(d.Value)
		if err == nil {
			err = proto.Unmarshal(v, info)
		}
		return clientcore.RefusalOf(info, e.Message), err
	}
	return nil, errors.New("an error without its reason: " + e.Message)
}
