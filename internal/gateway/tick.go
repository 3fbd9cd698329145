package gateway

import (
	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// Times of a connection, in milliseconds.
const (
	beatActive   = 500    // of silence towards a session that sends or looks at a room
	beatIdle     = 40_000 // towards all others
	helloWithin  = 10_000 // from connecting, or from a Resync, to Hello
	silentWithin = 90_000 // without a sign of life from the client
	ticksPerScan = 10     // all sessions are looked at about once a second
)

// tick does what is due.
func (h *Hub) tick() {
	now := h.millis()
	h.ticks++
	h.lateAcks()

	h.acks.Lock()
	at := h.acks.delivered
	h.acks.Unlock()
	h.mu.Lock()
	h.leaveLate(now)
	h.flushReads(at)
	h.mu.Unlock()

	ready := h.g.k.Ready() == nil
	active := h.activeSessions()
	if ready {
		h.tellPresence(now, active)
	}
	h.mu.Lock()
	dirty := h.takeDirty(nil)
	h.mu.Unlock()
	for _, s := range dirty {
		s.out.Flush()
	}
	for _, s := range active {
		s.expire(now)
		if ready && now-s.outAt.Load() >= beatActive {
			s.beat(0)
		}
	}
	if h.ticks%ticksPerScan == 0 {
		h.scan(now, ready)
		h.tellSites()
		h.g.live.tick(now)
	}
}

// lateAcks answers what waited for an entry whose events never came, because it had none. The position is left out:
// whether everything before it is queued is not known.
func (h *Hub) lateAcks() {
	h.settling.Lock()
	defer h.settling.Unlock()
	h.acks.Lock()
	h.acks.ticks++
	late := h.takeParked(func(p *parked) bool { return p.ticks+1 < h.acks.ticks })
	h.acks.Unlock()
	for i := range late {
		late[i].s.settle(&late[i], false)
		late[i].s.out.Flush()
	}
}

// activeSessions lists who sends or has a room in view, and forgets who does not any more.
func (h *Hub) activeSessions() (list []*Session) {
	h.active.Lock()
	defer h.active.Unlock()
	for s := range h.active.sessions {
		s.mu.Lock()
		if len(s.mu.flights) == 0 && !s.viewing.Load() {
			s.mu.active = false
			s.mu.flights = nil
			delete(h.active.sessions, s)
		} else {
			list = append(list, s)
		}
		s.mu.Unlock()
	}
	return list
}

// expire tells the client about commands that were not answered in time. Whatever becomes of them, a repetition under
// the same name gets the verdict.
func (s *Session) expire(now int64) {
	var gone []flight
	s.mu.Lock()
	rest := s.mu.flights[:0]
	for _, f := range s.mu.flights {
		if now >= f.deadline {
			gone = append(gone, f)
		} else {
			rest = append(rest, f)
		}
	}
	s.mu.flights = rest
	s.mu.Unlock()
	for _, f := range gone {
		s.refuse(f.id, fail(apiv1.Reason_REASON_UNKNOWN_OUTCOME))
	}
}

// scan looks at every session for what must not last.
func (h *Hub) scan(now int64, ready bool) {
	type look struct {
		s *Session
		state
	}
	h.mu.Lock()
	all := make([]look, 0, len(h.mu.sessions))
	for s := range h.mu.sessions {
		all = append(all, look{s, s.state})
	}
	h.mu.Unlock()
	for _, l := range all {
		s := l.s
		switch {
		case now-s.in.Load() > silentWithin,
			(l.state == stateNew || l.state == stateResync) && now-s.since.Load() > helloWithin:
			s.ended.Store(true)
			s.out.Close(1008, "silent")
		case l.state == stateLive && ready && now-s.outAt.Load() >= beatIdle:
			s.beat(0)
			s.out.Ping()
			s.out.Flush()
		}
	}
}

// beat tells the client how far this node is. Everything up to the position shown has been queued for it.
func (s *Session) beat(id uint64) {
	h := s.hub
	b := &livev1.Beat{TimeMs: h.g.k.Now()}
	h.acks.Lock()
	at := h.acks.delivered
	h.acks.Unlock()
	h.mu.Lock()
	if s.state != stateLive {
		h.mu.Unlock()
		return
	}
	if at.Less(s.floor) {
		at = s.floor
	}
	b.Position = position(at)
	for _, room := range s.view {
		if st := s.person.seats[room]; st != nil && st.room.head > 0 {
			b.Heads = append(b.Heads, &livev1.RoomHead{Room: room.String(), LastSeq: st.room.head})
		}
	}
	f := encode(s.json, &livev1.Frame{Id: id, Body: &livev1.Frame_Beat{Beat: b}})
	if !s.out.Send(f) {
		h.tooSlow(s)
	}
	s.sent()
	h.mu.Unlock()
	s.out.Flush()
}

// ping answers with a beat at once.
func (s *Session) ping(id uint64) {
	if err := s.hub.g.ready(); err != nil {
		s.refuse(id, err)
		return
	}
	s.beat(id)
}

// setView notes which rooms are looked at, and says at once how far they are and who is connected.
func (s *Session) setView(id uint64, m *livev1.View) {
	if m == nil {
		m = &livev1.View{}
	}
	if f := validate(m); f != nil {
		s.refuse(id, f)
		return
	}
	var view []ids.Room
	for _, r := range m.Rooms {
		room, err := ids.ParseRoom(r)
		if err != nil {
			s.refuse(id, invalid("rooms", "id", "is not a room id"))
			return
		}
		view = append(view, room)
	}
	h := s.hub
	heads := map[ids.Room]uint64{}
	err := h.g.read(kernel.DomainChat, func(v kernel.Snapshot) error {
		for _, room := range view {
			if row, ok := chat.GetRoom(v, room); ok {
				heads[room] = row.NextSeq - 1
			}
		}
		return nil
	})
	if err != nil {
		s.refuse(id, err)
		return
	}
	h.mu.Lock()
	s.view, s.told = view, nil
	if s.person != nil {
		for room, head := range heads {
			if st := s.person.seats[room]; st != nil {
				st.room.head = max(st.room.head, head)
			}
		}
	}
	h.mu.Unlock()
	s.viewing.Store(len(view) > 0)
	if len(view) > 0 {
		s.mu.Lock()
		wake := !s.mu.active
		s.mu.active = true
		s.mu.Unlock()
		if wake {
			h.activate(s)
		}
	}
	s.beat(id)
	s.presence(h.millis(), true)
	s.out.Flush()
}

// typing passes typing on to sessions of all nodes; it is never kept and may be dropped.
func (s *Session) typing(id uint64, m *livev1.Typing) {
	if m == nil {
		m = &livev1.Typing{}
	}
	if f := validateHot(m); f != nil {
		s.refuse(id, f)
		return
	}
	room, err := ids.ParseRoom(m.Room)
	if err != nil {
		s.refuse(id, invalid("room", "id", "is not a room id"))
		return
	}
	if err := s.admit(); err != nil {
		s.refuse(id, err)
		return
	}
	may := false
	err = s.hub.g.read(kernel.DomainChat, func(v kernel.Snapshot) error {
		may = chat.CanType(v, room, s.caller.user)
		return nil
	})
	if err != nil || !may {
		if err != nil {
			s.refuse(id, err)
		}
		return
	}
	b, err := typingBytes(s.caller.user, room, m.Stopped)
	if err == nil {
		_ = s.hub.g.k.SubmitEphemeral(kernel.DomainChat, b)
	}
}

// touch records the day a device was last active, at most once a day.
func (g *Gateway) touch(c *caller) {
	day := uint32(g.k.Now() / 86_400_000)
	if !g.dayIsNew(c, day) {
		return
	}
	b, err := proto.Marshal(logTouch(c, day))
	if err == nil {
		_ = g.k.Submit(kernel.DomainPeople, b, func(kernel.Result) {})
	}
}
