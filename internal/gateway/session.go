package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// Outbound is the way from a session to its client. It has two implementations: a socket and the simulation's. Methods
// may be called from any goroutine and do not block.
type Outbound interface {
	// Send queues a frame; false = too much is waiting, and the frame is not queued.
	Send(f Encoded) bool
	// Queued is how many bytes wait.
	Queued() int
	// Flush starts writing what is queued; FlushSoon may wait a few milliseconds for more where much is coming.
	Flush()
	FlushSoon()
	// Drop forgets what is queued.
	Drop()
	// Ping asks the client for a sign of life; the answer is Session.Alive.
	Ping()
	// Close ends the connection after what is queued, with a WebSocket status.
	Close(code uint16, reason string)
}

type state byte

const (
	stateNew     state = iota // no Hello yet
	stateOpening              // Hello is being answered; events wait in the backlog
	stateLive
	stateResync // too slow; no events until the next Hello
	stateEnded
)

// Session is one /live connection, without its socket. Frame is called from one goroutine.
type Session struct {
	hub  *Hub
	out  Outbound
	json bool

	// Guarded by Hub.mu. caller is written by the goroutine of Frame only, which may read it without the lock.
	caller       caller
	person       *person
	state        state
	dirty        bool
	floor        kernel.Position // events up to here are in what the client was given
	backlog      []waiting
	backlogBytes int
	view         []ids.Room
	told         []told // of the rooms in view, by index

	// open guards the answer to a Hello, which goes on as the client reads.
	open    sync.Mutex
	opening *opening

	mu struct {
		sync.Mutex
		flights []flight
		held    map[scope]uint64
		rate    gcra
		active  bool
	}

	authed  bool // of the goroutine of Frame
	hellos  gcra // of the same: Hellos on this connection
	ended   atomic.Bool
	viewing atomic.Bool
	// Milliseconds of the hub's clock: the last frame in and out, and when the state that may not last began.
	in, outAt, since atomic.Int64
}

type waiting struct {
	pos   kernel.Position
	frame Encoded
}

// flight is a command between Submit and its answer.
type flight struct {
	id       uint64
	n        uint64
	room     ids.Room
	deadline int64
}

// parked is an answer that waits for the events up to its position to be queued.
type parked struct {
	s     *Session
	cmd   *command
	id    uint64
	res   kernel.Result
	ticks uint64
}

// answerWithin is how long a command may be under way before the client is told UNKNOWN_OUTCOME.
const answerWithin = submitWait

// NewSession makes a session that waits for its Hello. json says which sub-protocol the client speaks.
func NewSession(h *Hub, out Outbound, json bool) *Session {
	s := &Session{hub: h, out: out, json: json}
	now := h.millis()
	s.in.Store(now)
	s.outAt.Store(now)
	s.since.Store(now)
	h.mu.Lock()
	h.mu.sessions[s] = struct{}{}
	h.mu.Unlock()
	return s
}

func (h *Hub) millis() int64 { return h.g.now().UnixMilli() }

// sent notes that something is on its way to the client.
func (s *Session) sent() { s.outAt.Store(s.hub.millis()) }

// Alive notes a sign of life that is no frame.
func (s *Session) Alive() { s.in.Store(s.hub.millis()) }

// Close takes the session out; the connection is gone.
func (s *Session) Close() {
	s.ended.Store(true)
	h := s.hub
	h.mu.Lock()
	h.detachLocked(s)
	s.state = stateEnded
	s.backlog, s.backlogBytes = nil, 0
	delete(h.mu.sessions, s)
	h.mu.Unlock()
	h.active.Lock()
	delete(h.active.sessions, s)
	h.active.Unlock()
}

// end says Bye and closes the connection.
func (s *Session) end(f *Failure, reconnect bool, after time.Duration) {
	if s.ended.Swap(true) {
		return
	}
	s.hub.mu.Lock()
	s.hub.detachLocked(s)
	s.state = stateEnded
	s.hub.mu.Unlock()
	bye := &livev1.Bye{Reconnect: reconnect, AfterMs: uint64(after.Milliseconds())}
	if f != nil {
		bye.Error, bye.Message = f.info(), f.Error()
	}
	b := encode(s.json, &livev1.Frame{Body: &livev1.Frame_Bye{Bye: bye}})
	if !s.out.Send(b) {
		s.out.Drop()
		s.out.Send(b)
	}
	s.out.Close(1000, "")
}

// send queues a frame for this client alone and starts writing it.
func (s *Session) send(f *livev1.Frame) {
	s.queue(f)
	s.out.Flush()
}

func (s *Session) queue(f *livev1.Frame) {
	if s.ended.Load() {
		return
	}
	s.hub.g.metrics.framesOut.Inc()
	if s.out.Send(encode(s.json, f)) {
		s.sent()
		return
	}
	s.hub.mu.Lock()
	if s.state != stateEnded && s.state != stateResync {
		s.hub.tooSlow(s)
	}
	s.hub.mu.Unlock()
}

func (s *Session) views(room ids.Room) bool {
	for _, r := range s.view {
		if r == room {
			return true
		}
	}
	return false
}

// Frame takes one frame of the client.
func (s *Session) Frame(f *livev1.Frame) {
	if s.ended.Load() {
		return
	}
	defer s.frameFault(f)
	s.Alive()
	s.hub.g.metrics.framesIn.Inc()
	if hello, ok := f.Body.(*livev1.Frame_Hello); ok {
		s.hello(f.Id, hello.Hello)
		return
	}
	if !s.authed {
		s.refuse(f.Id, fail(apiv1.Reason_REASON_UNAUTHENTICATED))
		return
	}
	switch b := f.Body.(type) {
	case *livev1.Frame_Send:
		s.command(f.Id, b.Send)
	case *livev1.Frame_MarkRead:
		s.command(f.Id, b.MarkRead)
	case *livev1.Frame_Edit:
		s.command(f.Id, b.Edit)
	case *livev1.Frame_Delete:
		s.command(f.Id, b.Delete)
	case *livev1.Frame_React:
		s.command(f.Id, b.React)
	case *livev1.Frame_Invite:
		s.command(f.Id, b.Invite)
	case *livev1.Frame_Leave:
		s.command(f.Id, b.Leave)
	case *livev1.Frame_Rename:
		s.command(f.Id, b.Rename)
	case *livev1.Frame_Mute:
		s.command(f.Id, b.Mute)
	case *livev1.Frame_Pin:
		s.command(f.Id, b.Pin)
	case *livev1.Frame_Block:
		s.command(f.Id, b.Block)
	case *livev1.Frame_Unblock:
		s.command(f.Id, b.Unblock)
	case *livev1.Frame_Skip:
		s.command(f.Id, b.Skip)
	case *livev1.Frame_CreateRoom:
		s.command(f.Id, b.CreateRoom)
	case *livev1.Frame_Typing:
		s.typing(f.Id, b.Typing)
	case *livev1.Frame_View:
		s.setView(f.Id, b.View)
	case *livev1.Frame_Ping:
		s.ping(f.Id)
	default:
		s.refuse(f.Id, invalid("body", "direction", "is not a frame that a client sends"))
	}
}

// refuse answers a frame that asked for an answer.
func (s *Session) refuse(id uint64, err error) {
	f := failureOf(err)
	s.hub.g.metrics.result("live", f)
	if f.cause != nil && f.Reason == apiv1.Reason_REASON_INTERNAL {
		s.hub.g.log.Error("a frame failed", "cause", f.cause)
	}
	if id != 0 {
		s.send(&livev1.Frame{Id: id, Body: &livev1.Frame_Ack{Ack: &livev1.Ack{Error: f.info(), Message: f.Error()}}})
	}
}

// command checks a command and submits it.
func (s *Session) command(id uint64, m proto.Message) {
	g := s.hub.g
	if m == nil || !m.ProtoReflect().IsValid() {
		s.refuse(id, invalid("body", "required", "is empty"))
		return
	}
	bad := validateHot(m)
	cmd := &command{}
	err := g.aim(&s.caller, m, cmd)
	if err == nil && bad == nil {
		err = g.checkEpoch(cmd.epoch)
	}
	if bad != nil {
		err = bad
	}
	named := cmd.name != nil && cmd.name.N > 0 && (cmd.scope.account || cmd.scope.room != ids.Room{})
	if named && err == nil {
		if n, held := s.heldAt(cmd.scope, cmd.name); held {
			s.refuse(id, &Failure{Reason: apiv1.Reason_REASON_HELD, N: n})
			return
		}
	}
	if err == nil {
		err = s.admit()
	}
	if err == nil {
		err = g.fill(&s.caller, m, cmd)
	}
	if err == nil {
		err = s.submit(id, cmd)
	}
	if err != nil {
		if named {
			s.hold(cmd.scope, cmd.name.N, failureOf(err))
		}
		s.refuse(id, err)
	}
}

// heldAt is the rule of order of arrival (docs/formats.md, "Names of commands"): while a lower n of the scope waits to
// be sent again, larger ones are not let through. A frame with that n, or one whose base says that it is settled, ends
// it.
func (s *Session) heldAt(sc scope, name *apiv1.CommandName) (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.mu.held[sc]
	if !ok {
		return 0, false
	}
	if name.N > n && name.Base <= n {
		return n, true
	}
	if name.N >= n {
		delete(s.mu.held, sc)
	}
	return 0, false
}

// hold remembers a refusal that did not consume its n and leaves later ones without their predecessor.
func (s *Session) hold(sc scope, n uint64, f *Failure) {
	switch f.Reason {
	case apiv1.Reason_REASON_UNKNOWN_OUTCOME, apiv1.Reason_REASON_ROLLED_BACK, apiv1.Reason_REASON_EXPECTED, apiv1.Reason_REASON_HELD:
		return
	}
	if f.info().Consumed {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.mu.held[sc]; ok && old <= n {
		return
	}
	if s.mu.held == nil || len(s.mu.held) >= maxHeld {
		s.mu.held = map[scope]uint64{}
	}
	s.mu.held[sc] = n
}

// maxHeld bounds the scopes remembered; the rule is only economy and may be forgotten.
const maxHeld = 256

// admit is the session's own rate.
func (s *Session) admit() error {
	l := &s.hub.g.o.Limits
	s.mu.Lock()
	defer s.mu.Unlock()
	if wait := s.mu.rate.take(s.hub.g.now(), time.Second/time.Duration(l.CommandsPerSecond), l.CommandBurst); wait > 0 {
		return retryAfter(apiv1.Reason_REASON_BUSY, uint64(wait.Milliseconds())+1)
	}
	return nil
}

// submit hands a command to the kernel. Its answer comes later.
func (s *Session) submit(id uint64, cmd *command) error {
	fl := flight{id: id, room: cmd.room, deadline: s.hub.millis() + answerWithin.Milliseconds()}
	if cmd.name != nil {
		fl.n = cmd.name.N
	}
	s.mu.Lock()
	s.mu.flights = append(s.mu.flights, fl)
	wake := !s.mu.active
	s.mu.active = true
	s.mu.Unlock()
	if wake {
		s.hub.activate(s)
	}
	s.hub.g.metrics.submits.Inc()
	p := &parked{s: s, cmd: cmd, id: id}
	begun := s.hub.g.now()
	err := s.hub.g.k.Submit(kernel.DomainChat, cmd.bytes, func(res kernel.Result) {
		if now := s.hub.g.now(); res.Err == nil && cmd.name != nil {
			s.hub.g.load.acked(now, now.Sub(begun))
		}
		p.res = res
		s.hub.answered(p)
	})
	cmd.bytes = nil // the kernel's now
	if err != nil {
		s.land(fl.id, fl.n, fl.room)
		return refused(err)
	}
	return nil
}

// land ends a flight; false when it was given up.
func (s *Session) land(id, n uint64, room ids.Room) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.mu.flights {
		if f.id == id && f.n == n && f.room == room {
			last := len(s.mu.flights) - 1
			copy(s.mu.flights[i:], s.mu.flights[i+1:])
			s.mu.flights = s.mu.flights[:last]
			return true
		}
	}
	return false
}

// awaits says whether the answer to command n of a room is still to come.
func (s *Session) awaits(room ids.Room, n uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.mu.flights {
		if f.n == n && f.room == room {
			return true
		}
	}
	return false
}

// awaitsIn says whether any command of a room is under way.
func (s *Session) awaitsIn(room ids.Room) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.mu.flights {
		if f.room == room {
			return true
		}
	}
	return false
}

// answered takes a result from the kernel. What succeeded waits until the events up to its position are queued: its
// position may then be shown. Everything else is answered at once, without one.
func (h *Hub) answered(p *parked) {
	if p.res.Err == nil && p.res.Verdict.Code == kernel.OK && !p.res.Repeated {
		h.acks.Lock()
		if h.acks.delivered.Less(p.res.Pos) {
			p.ticks = h.acks.ticks
			h.acks.parked = append(h.acks.parked, *p)
			h.acks.Unlock()
			return
		}
		h.acks.Unlock()
		p.s.settle(p, true)
	} else {
		p.s.settle(p, false)
	}
	p.s.out.Flush()
}

// arrived notes that the events of an entry are queued and returns the answers that waited for it.
func (h *Hub) arrived(pos kernel.Position) (ready []parked) {
	h.acks.Lock()
	defer h.acks.Unlock()
	h.acks.delivered = pos
	return h.takeParked(func(p *parked) bool { return !pos.Less(p.res.Pos) })
}

func (h *Hub) takeParked(due func(*parked) bool) (ready []parked) {
	rest := h.acks.parked[:0]
	for i := range h.acks.parked {
		if p := &h.acks.parked[i]; due(p) {
			ready = append(ready, *p)
		} else {
			rest = append(rest, *p)
		}
	}
	clear(h.acks.parked[len(rest):])
	h.acks.parked = rest
	return ready
}

// settle queues the Ack of a command.
func (s *Session) settle(p *parked, positioned bool) {
	n := uint64(0)
	if p.cmd.name != nil {
		n = p.cmd.name.N
	}
	if !s.land(p.id, n, p.cmd.room) {
		return // given up: the client was told so
	}
	f := verdictOf(p.res)
	s.hub.g.metrics.result("live", f)
	if f != nil && p.cmd.name != nil {
		s.hold(p.cmd.scope, n, f)
	}
	if p.id == 0 {
		return
	}
	ack := &livev1.Ack{TimeMs: p.res.Time, Repeated: p.res.Repeated}
	if p.cmd.scope.room != (ids.Room{}) || p.cmd.room != (ids.Room{}) {
		ack.Room = p.cmd.room.String()
	}
	if f != nil {
		ack.Error, ack.Message = f.info(), f.Error()
	} else {
		ack.Seq = p.res.Verdict.Seq
		if positioned {
			ack.Position = position(p.res.Pos)
		}
		ack.Refused = s.hub.g.refusedOf(&s.caller, p.cmd)
	}
	s.queue(&livev1.Frame{Id: p.id, Body: &livev1.Frame_Ack{Ack: ack}})
}
