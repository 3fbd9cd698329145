package gateway

import (
	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// roomsPerFrame keeps one frame of the opening small enough to share the line with an answer.
const roomsPerFrame = 50

// opening is an answer to Hello that is being sent.
type opening struct {
	id    uint64
	rooms []ids.Room
	floor kernel.Position
}

// hello opens the session: check who it is, register, read what changed, and go live. The order makes sure that nothing
// falls between: what happens after the registration comes as an event, what happened before the reading is in it.
func (s *Session) hello(id uint64, m *livev1.Hello) {
	g := s.hub.g
	if m == nil {
		m = &livev1.Hello{}
	}
	s.authed = false
	s.open.Lock()
	s.opening = nil
	s.open.Unlock()
	c, err := s.enter(m)
	if err == nil {
		err = g.paceSession(g.tries.hellos, g.tries.personHellos, &c)
	}
	if err != nil {
		s.refuseHello(id, err)
		return
	}
	seen, lost := g.lostFuture(m.Seen)
	if lost != nil {
		s.hub.mu.Lock()
		s.hub.detachLocked(s)
		s.state = stateNew
		s.hub.mu.Unlock()
		lost.User, lost.TimeMs = c.user.String(), g.k.Now()
		s.send(&livev1.Frame{Id: id, Body: &livev1.Frame_Welcome{Welcome: lost}})
		return
	}
	if m.Seen != nil && g.k.Position().Less(seen) {
		s.refuseHello(id, fail(apiv1.Reason_REASON_BEHIND))
		return
	}
	s.hub.attach(s, c)
	// Again, after the registration: a revocation in between reached no session.
	err = g.read(kernel.DomainPeople, func(v kernel.Snapshot) error {
		_, err := sessionOf(v, c.token)
		return err
	})
	o := &opening{id: id}
	if err == nil {
		err = g.read(kernel.DomainChat, func(v kernel.Snapshot) error {
			o.floor = v.Position()
			chat.Lines(v, c.user, func(l chat.Line) bool {
				// At the position seen itself too: of that entry the client may have got the first events only.
				if m.Seen == nil || !l.Changed.Less(seen) {
					o.rooms = append(o.rooms, l.Room)
				}
				return true
			})
			return nil
		})
	}
	if err != nil {
		s.unhello(id, err)
		return
	}
	s.authed = true
	s.open.Lock()
	s.opening = o
	s.open.Unlock()
	g.touch(&c)
	s.Writable()
}

// refuseHello answers even a Hello without an id: the client can do nothing else.
func (s *Session) refuseHello(id uint64, err error) {
	f := failureOf(err)
	s.hub.g.metrics.result("hello", f)
	s.send(&livev1.Frame{Id: id, Body: &livev1.Frame_Ack{Ack: &livev1.Ack{Error: f.info(), Message: f.Error()}}})
}

// unhello takes a registration back.
func (s *Session) unhello(id uint64, err error) {
	s.hub.mu.Lock()
	s.hub.detachLocked(s)
	if s.state != stateEnded {
		s.state = stateNew
	}
	s.backlog, s.backlogBytes = nil, 0
	s.hub.mu.Unlock()
	s.refuseHello(id, err)
}

// enter finds the session of a Hello.
func (s *Session) enter(m *livev1.Hello) (c caller, err error) {
	if f := validate(m); f != nil {
		return c, f
	}
	token, err := ids.Bytes(m.Token)
	if err != nil || len(token) != 32 {
		return c, fail(apiv1.Reason_REASON_UNAUTHENTICATED)
	}
	device, err := ids.ParseDevice(m.Device)
	if err != nil {
		return c, invalid("device", "id", "is not a device id")
	}
	// One connection that asks again and again, whoever it is.
	l := &s.hub.g.o.Limits
	if wait := s.hellos.take(s.hub.g.now(), l.HelloEvery, l.Hellos); wait > 0 {
		return c, retryAfter(apiv1.Reason_REASON_BUSY, millisUp(wait))
	}
	err = s.hub.g.read(kernel.DomainPeople, func(v kernel.Snapshot) error {
		c, err = sessionOf(v, ids.HashToken(token))
		return err
	})
	switch {
	case err != nil:
	case c.device != device:
		err = fail(apiv1.Reason_REASON_WRONG_DEVICE)
	case c.oneTime:
		err = fail(apiv1.Reason_REASON_MUST_CHANGE_PASSWORD)
	}
	return c, err
}

// lostFuture applies the rule of a restore to what a client has seen: of another epoch it may be no more than what the
// restore kept. lost is the Welcome that says so.
func (g *Gateway) lostFuture(p *apiv1.Position) (seen kernel.Position, lost *livev1.Welcome) {
	seen = kernel.Position{Epoch: p.GetEpoch(), N: p.GetN()}
	at := g.k.Position()
	if p == nil || seen.Epoch == at.Epoch {
		return seen, nil
	}
	cut, ok := g.k.Cut(seen.Epoch)
	if ok && seen.N <= cut {
		return seen, nil
	}
	lost = &livev1.Welcome{RolledBack: true, Position: position(at)}
	if ok {
		lost.Cut = &apiv1.Position{Epoch: seen.Epoch, N: cut}
	}
	return seen, lost
}

// Writable goes on with the answer to a Hello; called when the client has read what was queued.
func (s *Session) Writable() {
	s.open.Lock()
	defer s.open.Unlock()
	o := s.opening
	if o == nil {
		return
	}
	g := s.hub.g
	for len(o.rooms) > 0 && s.out.Queued() <= g.o.Limits.QueueBytes/4 {
		some := o.rooms[:min(len(o.rooms), roomsPerFrame)]
		f := &livev1.Rooms{}
		err := g.read(kernel.DomainChat, func(v kernel.Snapshot) error {
			for _, room := range some {
				if l, ok := chat.GetLine(v, s.caller.user, room); ok {
					f.Rooms = append(f.Rooms, roomOf(v, &l, &s.caller))
				}
			}
			return nil
		})
		if err != nil {
			s.opening = nil
			s.unhello(o.id, err)
			return
		}
		o.rooms = o.rooms[len(some):]
		s.queue(&livev1.Frame{Body: &livev1.Frame_Rooms{Rooms: f}})
	}
	if len(o.rooms) == 0 {
		s.opening = nil
		s.goLive(o)
	}
	s.out.Flush()
}

// goLive ends the opening: Welcome, then what happened meanwhile, then live.
func (s *Session) goLive(o *opening) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.state != stateOpening {
		return
	}
	s.floor = o.floor
	s.state = stateLive
	s.told, h.mu.stirred = nil, true
	h.arrive(s.person)
	welcome := &livev1.Welcome{User: s.caller.user.String(), Position: position(o.floor), TimeMs: h.g.k.Now()}
	ok := s.out.Send(encode(s.json, &livev1.Frame{Id: o.id, Body: &livev1.Frame_Welcome{Welcome: welcome}}))
	if f := h.g.sitesFrame(); ok && f != nil {
		ok = s.out.Send(encode(s.json, f))
	}
	for _, w := range s.backlog {
		if ok && o.floor.Less(w.pos) {
			ok = s.out.Send(w.frame)
		}
	}
	s.backlog, s.backlogBytes = nil, 0
	s.sent()
	if !ok {
		h.tooSlow(s)
	}
	h.g.metrics.result("hello", nil)
}
