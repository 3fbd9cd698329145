package clientcore

import (
	"slices"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// flight is one frame that waits for its Ack.
type flight struct {
	id   uint64
	conn uint64
	item *item // nil: a read mark
	mark string
	at   int64
	// skip: the frame gave the item up.
	skip bool
	done bool
}

// mark is a read mark that the server may not have.
type mark struct {
	room      string
	want, got uint64
	flying    bool
}

// pump sends whatever may be sent now.
func (c *Core) pump(now int64) {
	if c.ended != nil || !c.online || c.renewing {
		return
	}
	for i := 0; i < len(c.active); i++ {
		c.pumpScope(now, c.active[i])
	}
	if c.cur == nil || c.cur.waiting {
		return
	}
	for i := range c.marks {
		c.pumpMark(now, &c.marks[i])
	}
}

func (c *Core) pumpScope(now int64, s *scope) {
	if s.pausedTo > now {
		return
	}
	s.pausedTo = 0
	if s.goBack && s.inflight > 0 {
		return
	}
	if s.goBack {
		if s.attempts > 1 {
			ok, at := c.budget.take(now)
			if !ok {
				s.pausedTo = at
				return
			}
		}
		s.goBack = false
	}
	// The first send into a new room waits for the ack of its creation.
	if c.creating[s.key] != nil {
		return
	}
	if c.mustChange && s.key == scopePeople && !c.clearForPassword(s) {
		return
	}
	base, limit := uint64(0), uint64(window)
	if s.key == scopePeople {
		limit = 1 // over HTTP one at a time
	}
	for _, it := range s.items {
		if it.op.Kind != KindCreateRoom {
			if it.n == 0 {
				continue // older ones are being recovered; it gets its name after them
			}
			if base == 0 {
				base = it.n
			}
			if it.n >= base+limit {
				return
			}
		}
		if it.storedAt > c.storedUpTo || it.finding {
			return // a later one must not overtake it
		}
		if it.flight == 0 {
			c.sendItem(now, it, base)
		}
	}
}

// clearForPassword: only a new password is taken, and it cannot come before the names below its own. What stands there is given
// up, and whoever asked for it is told so. false: nobody has chosen a new password yet, and everything waits.
func (c *Core) clearForPassword(s *scope) bool {
	at := slices.IndexFunc(s.items, func(it *item) bool { return it.op.Kind == KindChangePassword })
	for _, it := range s.items[:max(at, 0)] {
		if !it.giveUp {
			c.skip(it, &Refusal{Reason: apiv1.Reason_REASON_MUST_CHANGE_PASSWORD, Message: "a new password came first"})
		}
	}
	return at >= 0
}

func (c *Core) sendItem(now int64, it *item, base uint64) {
	var name *apiv1.CommandName
	old := ""
	if it.n != 0 {
		name = &apiv1.CommandName{N: it.n, Tag: append([]byte(nil), it.tag[:]...), Base: base, Epoch: c.epoch}
		if it.dev != c.device {
			old = it.dev.String()
		}
	}
	skip := it.giveUp || old != ""
	if it.op.Kind.account() {
		if it.scope.inflight > 0 {
			return
		}
		c.nextCall++
		it.flight = c.nextCall
		it.scope.inflight++
		c.calls[c.nextCall] = it
		c.emit(Call{ID: c.nextCall, Site: c.httpSite, Op: it.op, Name: name, Skip: skip, OldDevice: old})
		return
	}
	if c.cur == nil || c.cur.waiting {
		return
	}
	f := c.fly(now, &flight{item: it, skip: skip})
	it.flight = f.id
	it.scope.inflight++
	var frame *livev1.Frame
	if skip {
		frame = it.op.skipFrame(f.id, name, old)
	} else {
		frame = it.op.frame(f.id, name, c.epoch)
	}
	c.emit(Write{Conn: c.cur.id, Frame: frame})
}

func (c *Core) fly(now int64, f *flight) *flight {
	c.nextFrame++
	f.id, f.conn, f.at = c.nextFrame, c.cur.id, now
	if len(c.flights) == 0 && len(c.views) == 0 {
		c.activeFrom = now
	}
	c.flights[f.id] = f
	c.fifo = append(c.fifo, f)
	return f
}

// land takes a flight out.
func (c *Core) land(f *flight) {
	f.done = true
	delete(c.flights, f.id)
	i := 0
	for i < len(c.fifo) && c.fifo[i].done {
		c.fifo[i] = nil
		i++
	}
	if c.fifo = c.fifo[i:]; len(c.fifo) == 0 {
		c.fifo = nil
	}
}

// cancelFlights forgets the frames of a connection that is gone: their items are sent again.
func (c *Core) cancelFlights() {
	for _, f := range c.fifo {
		if f.done {
			continue
		}
		if it := f.item; it != nil && it.flight == f.id {
			it.flight = 0
			it.scope.inflight--
			it.scope.goBack = false
		}
	}
	for i := range c.marks {
		c.marks[i].flying, c.marks[i].got = false, 0
	}
	c.flights, c.fifo = map[uint64]*flight{}, nil
}

// ack takes the answer to a frame.
func (c *Core) ack(now int64, id uint64, a *livev1.Ack) {
	f := c.flights[id]
	if f == nil {
		return
	}
	c.land(f)
	c.hedges = 0
	if a.Error == nil {
		c.suspect = false
	}
	if f.item == nil {
		c.marked(f.mark, a)
		c.pump(now)
		return
	}
	it := f.item
	if c.items[it.id] != it {
		return // decided already, by the answer to another of its frames
	}
	ref := RefusalOf(a.Error, a.Message)
	latest := it.flight == f.id
	if latest {
		it.flight = 0
		it.scope.inflight--
	}
	c.answer(now, it, f.skip, latest, ref, Result{Room: a.Room, Seq: a.Seq, Time: a.TimeMs, Repeated: a.Repeated, Refused: a.Refused, at: a.Position})
	c.pump(now)
}

// Called answers a Call. lost: no answer came, the outcome is unknown.
func (c *Core) Called(now int64, id uint64, resp *apiv1.ChangeResponse, ref *Refusal, lost bool) {
	it := c.calls[id]
	delete(c.calls, id)
	if it == nil || c.items[it.id] != it {
		return
	}
	latest := it.flight == id
	if latest {
		it.flight = 0
		it.scope.inflight--
	}
	if lost {
		c.httpSite = c.after(c.httpSite)
		c.later(now, it.scope, 0)
		return
	}
	c.answer(now, it, it.giveUp || it.dev != c.device, latest, ref, Result{Seq: resp.GetSeq(), Time: resp.GetTimeMs(), Repeated: resp.GetRepeated()})
	c.pump(now)
}

// answer decides what an answer means for an item. skip: the frame answered was a Skip; latest: it was the item's last
// frame. Everything a server can answer is here.
func (c *Core) answer(now int64, it *item, skip, latest bool, ref *Refusal, r Result) {
	s := it.scope
	recovering := it.n != 0 && it.dev != c.device
	if ref == nil {
		// A Skip is answered with the verdict of the original if that was in. An honest "ok" to a row carries its number.
		if skip && it.op.Kind.rows() && r.Seq == 0 {
			c.gone(now, it)
			return
		}
		if it.op.Kind == KindSend && r.Seq > 0 {
			c.ownRow(now, it, r)
		}
		if it.op.Kind == KindChangePassword {
			c.release(now)
		}
		c.settle(now, it, r)
		return
	}
	switch ref.Reason {
	case apiv1.Reason_REASON_SKIPPED:
		c.gone(now, it)
	case apiv1.Reason_REASON_ID_REUSED:
		switch {
		case recovering:
			c.gone(now, it)
		case latest:
			c.renew(now, ref)
		}
	case apiv1.Reason_REASON_ALREADY_IN:
		switch {
		case !latest:
		case recovering || !it.op.Kind.rows():
			// Decided long ago, and nothing can tell how.
			r.Err = ref
			c.settle(now, it, r)
		default:
			c.find(now, it)
		}
	case apiv1.Reason_REASON_EXPECTED:
		if latest {
			c.back(now, s)
		}
	case apiv1.Reason_REASON_HELD:
		switch {
		case !latest:
		case s.items[0] == it:
			c.later(now, s, 0) // waits for nothing that is open here
		default:
			s.goBack = true
		}
	case apiv1.Reason_REASON_ROLLED_BACK:
		s.goBack = true
		c.reopen(now)
	case apiv1.Reason_REASON_WRONG_DEVICE:
		c.renew(now, ref)
	case apiv1.Reason_REASON_MUST_CHANGE_PASSWORD:
		if now < c.changedAt+changeSeenAfter {
			c.later(now, s, 0)
			return
		}
		s.goBack = true
		c.hold()
	case apiv1.Reason_REASON_UNAUTHENTICATED, apiv1.Reason_REASON_SESSION_REVOKED:
		if ref.Consumed {
			r.Err = ref
			c.settle(now, it, r)
			return
		}
		c.end(now, ref)
	default:
		c.refused(now, it, latest, ref, r)
	}
}

func (c *Core) refused(now int64, it *item, latest bool, ref *Refusal, r Result) {
	switch {
	case ref.Consumed:
		r.Err = ref
		c.settle(now, it, r)
	case !latest:
	case ref.Again:
		if ref.Reason == apiv1.Reason_REASON_NOT_READY || ref.Reason == apiv1.Reason_REASON_DISK_FULL {
			c.suspect = c.cfg.Sites > 1 // stays here unless another site is ready
		}
		c.later(now, it.scope, ref.after())
	case it.n == 0:
		r.Err = ref // a CreateRoom has no name to give up
		c.settle(now, it, r)
	case it.giveUp:
		// Not even the Skip can be taken here (no such room for this person): nobody else ever will.
		c.later(now, it.scope, 0)
		if it.scope.attempts >= 3 {
			r.Err = ref
			c.settle(now, it, r)
		}
	default:
		c.skip(it, ref)
	}
}

// gone: the item is certainly not in, and never will be under this name. Under the name of an earlier device that settles a
// give-up only when the wish is safe: after a crash without it the item would go out under a new name. The Skip comes again then.
func (c *Core) gone(now int64, it *item) {
	if it.giveUp && it.dev != c.device && it.storedAt > c.storedUpTo {
		return
	}
	if it.giveUp || it.n == 0 || it.dev == c.device {
		c.settle(now, it, Result{GivenUp: true})
		return
	}
	it.n, it.tag, it.dev = 0, [8]byte{}, c.device
	c.rename(it.scope)
}

// back: the server wants a lower n first. It is open here and comes again before, or it is settled and base will tell.
func (c *Core) back(now int64, s *scope) {
	s.goBack = true
	s.attempts++
	if s.attempts > 2 {
		s.pausedTo = max(s.pausedTo, now+c.jitter(s.attempts))
	}
}

// later: the same again after a while.
func (c *Core) later(now int64, s *scope, after int64) {
	s.goBack = true
	s.attempts++
	s.pausedTo = max(s.pausedTo, now+after+c.jitter(s.attempts))
}

// jitter is a random time that grows with the attempts.
func (c *Core) jitter(attempts int) int64 {
	top := int64(40) << min(attempts, 7)
	return 5 + c.cfg.Rand.Int64N(min(top, 3000))
}

// MarkRead says that the user has read a room up to seq. Only the largest counts.
func (c *Core) MarkRead(now int64, room string, seq uint64) {
	for i := range c.marks {
		if m := &c.marks[i]; m.room == room {
			m.want = max(m.want, seq)
			c.pump(now)
			return
		}
	}
	c.marks = append(c.marks, mark{room: room, want: seq})
	c.pump(now)
}

func (c *Core) pumpMark(now int64, m *mark) {
	if m.flying || m.want <= m.got {
		return
	}
	m.flying = true
	f := c.fly(now, &flight{mark: m.room})
	c.emit(Write{Conn: c.cur.id, Frame: &livev1.Frame{Id: f.id, Body: &livev1.Frame_MarkRead{
		MarkRead: &apiv1.MarkReadRequest{Room: m.room, Seq: m.want, Epoch: c.epoch}}}})
	m.got = m.want
}

// marked: a mark that was refused is not sent again; the next one is.
func (c *Core) marked(room string, _ *livev1.Ack) {
	for i := range c.marks {
		if m := &c.marks[i]; m.room == room {
			m.flying = false
			if m.want <= m.got {
				c.marks = append(c.marks[:i], c.marks[i+1:]...)
			}
			return
		}
	}
}

// View says which rooms the user looks at, at most eight.
func (c *Core) View(now int64, rooms []string) {
	if len(rooms) > 8 {
		rooms = rooms[:8]
	}
	if len(c.views) == 0 && len(rooms) > 0 && len(c.flights) == 0 {
		c.activeFrom = now
	}
	c.views = append([]string(nil), rooms...)
	c.sendView()
}

func (c *Core) sendView() {
	if c.cur != nil && !c.cur.waiting {
		c.emit(Write{Conn: c.cur.id, Frame: &livev1.Frame{Body: &livev1.Frame_View{View: &livev1.View{Rooms: append([]string(nil), c.views...)}}}})
	}
}

// Typing tells the others of a room, if there is a connection.
func (c *Core) Typing(room string, stopped bool) {
	if c.cur != nil && !c.cur.waiting {
		c.emit(Write{Conn: c.cur.id, Frame: &livev1.Frame{Body: &livev1.Frame_Typing{Typing: &livev1.Typing{Room: room, Stopped: stopped}}}})
	}
}

// Ping asks the server how far it is, after sleep and on focus.
func (c *Core) Ping() {
	if c.cur != nil && !c.cur.waiting {
		c.emit(Write{Conn: c.cur.id, Frame: &livev1.Frame{Body: &livev1.Frame_Ping{Ping: &livev1.Ping{}}}})
	}
}
