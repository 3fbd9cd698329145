package gateway

import (
	"time"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// largeRoom: where more than this many members are online, read marks are told once a tick.
const largeRoom = 100

// entry is the work on the events of one entry.
type entry struct {
	h    *Hub
	pos  kernel.Position
	time uint64
	snap kernel.Snapshot // of chat, opened when first needed
	// moved sessions have another device now.
	moved []*Session
}

func (e *entry) view() kernel.Snapshot {
	if e.snap == nil {
		e.snap = e.h.g.k.Snapshot(kernel.DomainChat)
	}
	return e.snap
}

// applied brings what an entry did to the sessions. When it returns, all of it is queued, and then the acks of the
// entry are.
func (h *Hub) applied(a kernel.Applied) {
	e := &entry{h: h, pos: a.Pos, time: a.Time}
	var bye []*Session
	h.mu.Lock()
	for _, ev := range a.Events {
		if a.Domain == kernel.DomainPeople {
			bye = e.people(ev, bye)
		} else {
			e.chat(ev)
		}
	}
	for _, c := range a.Ephemeral {
		if t, ok := c.(*chat.Typing); ok {
			e.typing(t)
		}
	}
	dirty := h.takeDirty(nil)
	h.mu.Unlock()
	if e.snap != nil {
		e.snap.Close()
	}
	for _, s := range bye {
		s.end(fail(apiv1.Reason_REASON_SESSION_REVOKED), false, 0)
	}
	for _, s := range e.moved {
		s.end(fail(apiv1.Reason_REASON_WRONG_DEVICE), true, 0)
	}
	var ready []parked
	if a.Domain == kernel.DomainChat {
		h.settling.Lock()
		ready = h.arrived(a.Pos)
		for i := range ready {
			ready[i].s.settle(&ready[i], true)
		}
		h.settling.Unlock()
	}
	for i := range ready {
		ready[i].s.out.Flush()
	}
	for _, s := range dirty {
		s.out.FlushSoon()
	}
	if len(dirty) > 0 {
		h.g.metrics.lag.Observe(time.Duration(max(0, int64(h.g.k.Now())-int64(a.Time)) * int64(time.Millisecond)).Seconds())
	}
}

func (e *entry) people(ev any, bye []*Session) []*Session {
	ended := func(u ids.User, of func(*Session) bool) {
		if p := e.h.mu.people[u]; p != nil {
			for _, s := range p.sessions {
				if of(s) {
					bye = append(bye, s)
				}
			}
		}
	}
	switch ev := ev.(type) {
	case people.SessionEnded:
		ended(ev.User, func(s *Session) bool { return s.caller.token == ev.Token })
	case people.AccountClosed:
		ended(ev.User, func(*Session) bool { return true })
		e.shown(ev.User)
	case people.AllSessionsEnded:
		for u := range e.h.mu.people {
			ended(u, func(*Session) bool { return true })
		}
	case people.AccountCreated:
		if c := e.h.mu.signUps; c != nil {
			close(c)
			e.h.mu.signUps = nil
		}
	case people.AccountChanged:
		e.changed(ev.User, &livev1.PeopleChanged{Me: true})
		if ev.Shown {
			e.shown(ev.User)
		}
	case people.FriendsChanged:
		e.changed(ev.User, &livev1.PeopleChanged{Friends: true})
	case people.AddedMeChanged:
		e.h.addedChanged(ev.User)
		e.changed(ev.User, &livev1.PeopleChanged{Friends: true})
	case people.DevicesChanged:
		e.changed(ev.User, &livev1.PeopleChanged{Devices: true})
		e.renewed(ev.User)
	}
	return bye
}

// renewed sends away the sessions whose device id was replaced: their frames would still be named by the old one.
func (e *entry) renewed(u ids.User) {
	p := e.h.mu.people[u]
	if p == nil {
		return
	}
	v := e.h.g.k.Snapshot(kernel.DomainPeople)
	defer v.Close()
	for _, s := range p.sessions {
		if se, ok := people.GetSession(v, s.caller.token); ok && se.Device != s.caller.device {
			e.moved = append(e.moved, s)
		}
	}
}

// changed tells all of a person's sessions what to fetch again. It is told whatever the session has seen: fetching once
// too often does no harm.
func (e *entry) changed(u ids.User, c *livev1.PeopleChanged) {
	if p := e.h.mu.people[u]; p != nil && len(p.sessions) > 0 {
		sh := e.event(&livev1.Event{Kind: &livev1.Event_People{People: c}})
		for _, s := range p.sessions {
			e.h.deliver(s, kernel.Position{Epoch: ^uint32(0)}, sh)
		}
	}
}

// maxTold bounds how many are told that somebody looks different now. Others see it when they fetch next.
const maxTold = 10_000

// shown tells those who have a person as a friend, or share a room with them, that name, status message or photo changed: of
// a large room those who look at it.
func (e *entry) shown(u ids.User) {
	h := e.h
	sh := e.event(&livev1.Event{Kind: &livev1.Event_People{People: &livev1.PeopleChanged{Users: []string{u.String()}}}})
	told := map[*Session]bool{}
	tell := func(p *person, room *liveRoom) {
		for _, s := range p.sessions {
			if p.user != u && !told[s] && len(told) < maxTold && (room == nil || len(room.seats) <= namedUpTo || s.views(room.id)) {
				told[s] = true
				h.deliver(s, kernel.Position{Epoch: ^uint32(0)}, sh)
			}
		}
	}
	v := h.g.k.Snapshot(kernel.DomainPeople)
	defer v.Close()
	n := 0
	people.EachAddedMe(v, u, func(who ids.User) bool {
		if p := h.mu.people[who]; p != nil {
			tell(p, nil)
		}
		n++
		return n < maxTold
	})
	chat.Rooms(e.view(), u, func(room ids.Room) {
		if lr := h.mu.rooms[room]; lr != nil {
			for _, st := range lr.seats {
				tell(st.person, lr)
			}
		}
	})
}

func (e *entry) event(ev *livev1.Event) *shared {
	ev.Position = position(e.pos)
	return share(&livev1.Frame{Body: &livev1.Frame_Event{Event: ev}})
}

func (e *entry) chat(ev any) {
	h := e.h
	switch ev := ev.(type) {
	case chat.MessageAdded:
		e.message(&ev)
	case chat.MemberJoined:
		e.member(ev.User, ev.Room, ev)
	case chat.MemberLeft:
		e.member(ev.User, ev.Room, ev)
	case chat.LineChanged:
		if p := h.mu.people[ev.User]; p != nil {
			e.line(p, ev.Room)
		}
	case chat.ReadMoved:
		e.read(ev)
	case chat.BlockChanged:
		if lr := h.mu.rooms[ids.Direct(ev.User, ev.Other)]; lr != nil {
			lr.shut = unknown
		}
		h.blockChanged(ev.User, ev.Other)
		e.changed(ev.User, &livev1.PeopleChanged{Blocked: true})
	}
}

// member takes a person into a room or out of it (ev), and tells their sessions.
func (e *entry) member(user ids.User, room ids.Room, ev any) {
	p := e.h.mu.people[user]
	if p == nil {
		return
	}
	if !p.loaded {
		p.changes = append(p.changes, ev)
	} else {
		e.h.membership(p, ev)
	}
	e.line(p, room)
}

// message goes to all present members who joined at or before it. A session that has the send of it under way gets the
// Ack alone; other sessions of the author on the same device are told its name.
func (e *entry) message(ev *chat.MessageAdded) {
	m := &ev.Message
	lr := e.h.mu.rooms[m.Room]
	if lr == nil {
		return
	}
	lr.head = max(lr.head, m.Seq)
	if lr.unanswered {
		lr.unanswered = false
		e.h.stir(lr)
	}
	var full, blind, own *shared
	for _, st := range lr.seats {
		if st.joined > m.Seq {
			continue
		}
		sh := &full
		if ev.Changed != nil && ev.Changed.Seq < st.joined {
			sh = &blind
		}
		mine := m.Kind == chat.KindText && st.person.user == m.Author
		for _, s := range st.person.sessions {
			switch {
			case !mine || s.caller.device != m.Device:
				e.h.deliver(s, e.pos, e.variant(sh, ev, 0, sh == &full))
			case !s.awaits(m.Room, m.N):
				e.h.deliver(s, e.pos, e.variant(&own, ev, m.N, true))
			}
		}
	}
}

// variant makes one form of a message event: with the author's name for it or not, and with the changed target only for
// those who may read that.
func (e *entry) variant(at **shared, ev *chat.MessageAdded, n uint64, target bool) *shared {
	if *at == nil {
		m := messageOf(&ev.Message, n)
		if ev.Changed != nil && target {
			m.Changed = messageOf(ev.Changed, 0)
		}
		*at = e.event(&livev1.Event{Kind: &livev1.Event_Message{Message: m}})
	}
	return *at
}

// line tells a person's sessions their own line of a room.
func (e *entry) line(p *person, room ids.Room) {
	if len(p.sessions) == 0 {
		return
	}
	l, ok := chat.GetLine(e.view(), p.user, room)
	if !ok {
		return
	}
	for _, s := range p.sessions {
		ln := l
		r := roomOf(e.view(), &ln, &s.caller)
		e.h.deliver(s, e.pos, e.event(&livev1.Event{Kind: &livev1.Event_Room{Room: r}}))
	}
}

// read marks go to all own sessions but the one that moved it, and to others who look at the room.
func (e *entry) read(ev chat.ReadMoved) {
	h := e.h
	lr := h.mu.rooms[ev.Room]
	if lr == nil {
		return
	}
	var sh *shared
	event := func() *shared {
		if sh == nil {
			sh = e.event(&livev1.Event{Kind: &livev1.Event_Read{Read: &livev1.Read{Room: ev.Room.String(), User: ev.User.String(), Seq: ev.Seq}}})
		}
		return sh
	}
	if p := h.mu.people[ev.User]; p != nil {
		for _, s := range p.sessions {
			if !s.awaitsIn(ev.Room) {
				h.deliver(s, e.pos, event())
			}
		}
	}
	if len(lr.seats) > largeRoom {
		if lr.reads == nil {
			lr.reads = map[ids.User]uint64{}
		}
		lr.reads[ev.User] = ev.Seq
		h.mu.reads[lr] = struct{}{}
		return
	}
	e.watchers(lr, ev.User, func(s *Session) {
		if e.open(lr, ev.User) {
			h.deliver(s, e.pos, event())
		}
	})
}

// watchers calls fn for the sessions of others that have a room in view.
func (e *entry) watchers(lr *liveRoom, but ids.User, fn func(*Session)) {
	for _, st := range lr.seats {
		if st.person.user == but {
			continue
		}
		for _, s := range st.person.sessions {
			if s.views(lr.id) {
				fn(s)
			}
		}
	}
}

// open is false in a 1:1 where one blocks the other: neither sees what the other does.
func (e *entry) open(lr *liveRoom, user ids.User) bool {
	if lr.id.Kind() != ids.KindDirect {
		return true
	}
	if lr.shut == unknown {
		lr.shut = yes
		if chat.CanType(e.view(), lr.id, user) {
			lr.shut = no
		}
	}
	return lr.shut == no
}

// typing was checked when it was submitted; between then and now its author may have left or been blocked.
func (e *entry) typing(t *chat.Typing) {
	lr := e.h.mu.rooms[t.Room]
	if lr == nil {
		return
	}
	may := unknown
	var sh *shared
	e.watchers(lr, t.User, func(s *Session) {
		if may == unknown {
			may = no
			if chat.CanType(e.view(), t.Room, t.User) {
				may = yes
			}
			sh = e.event(&livev1.Event{Kind: &livev1.Event_Typing{Typing: &livev1.Typing{Room: t.Room.String(), User: t.User.String(), Stopped: t.Stopped}}})
		}
		if may == yes {
			e.h.deliver(s, e.pos, sh)
		}
	})
}

// flushReads tells the read marks of large rooms.
func (h *Hub) flushReads(pos kernel.Position) {
	e := &entry{h: h, pos: pos}
	for lr := range h.mu.reads {
		for u, seq := range lr.reads {
			var sh *shared
			e.watchers(lr, u, func(s *Session) {
				if sh == nil {
					sh = e.event(&livev1.Event{Kind: &livev1.Event_Read{Read: &livev1.Read{Room: lr.id.String(), User: u.String(), Seq: seq}}})
				}
				h.deliver(s, pos, sh)
			})
		}
		lr.reads = nil
		delete(h.mu.reads, lr)
	}
}

// deliver gives an event to a session: queued when it is live, kept while it is being opened.
func (h *Hub) deliver(s *Session, pos kernel.Position, sh *shared) {
	switch s.state {
	case stateLive:
		if !s.floor.Less(pos) {
			return
		}
		if !s.out.Send(sh.form(s.json)) {
			h.tooSlow(s)
			return
		}
		s.sent()
		h.markDirty(s)
	case stateOpening:
		f := sh.form(s.json)
		if s.backlogBytes += len(f); s.backlogBytes > h.g.o.Limits.BacklogBytes {
			h.tooSlow(s)
			return
		}
		s.backlog = append(s.backlog, waiting{pos, f})
	}
}

// tooSlow drops what waits for a session and tells it to start anew.
func (h *Hub) tooSlow(s *Session) {
	h.g.metrics.dropped.Inc()
	s.state = stateResync
	s.backlog, s.backlogBytes = nil, 0
	s.since.Store(s.hub.millis())
	s.out.Drop()
	s.out.Send(encode(s.json, &livev1.Frame{Body: &livev1.Frame_Resync{Resync: &livev1.Resync{}}}))
	s.sent()
	h.markDirty(s)
}
