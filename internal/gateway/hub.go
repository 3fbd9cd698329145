package gateway

import (
	"sync"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// Hub knows who is connected to this node and which rooms they are in, and brings them the events.
//
// What it knows of memberships is a copy of the view's rows, read at a person's first session and kept by the events
// after it. Events up to what was read may be applied to it twice; they end in the same state, and no session is shown
// an event from before its Welcome.
type Hub struct {
	g *Gateway

	mu struct {
		sync.Mutex
		people   map[ids.User]*person
		rooms    map[ids.Room]*liveRoom
		sessions map[*Session]struct{}
		// dirty sessions have something queued that is not being written yet.
		dirty []*Session
		// reads of large rooms wait for the next tick.
		reads map[*liveRoom]struct{}
		// signUps is closed at the next sign-up; nil = nobody waits.
		signUps chan struct{}
		// gone people have no session any more and are still counted as connected.
		gone map[*person]struct{}
		// stirred: somebody may have to be told about presence.
		stirred bool
	}

	// settling is held from taking parked answers until they are queued, so that they leave in the order of their commands.
	settling sync.Mutex
	acks     struct {
		sync.Mutex
		// delivered is the position of the last entry whose events are queued.
		delivered kernel.Position
		parked    []parked
		ticks     uint64
	}

	active struct {
		sync.Mutex
		sessions map[*Session]struct{}
	}

	// ticks counts Tick, toldSites is the list last told to everybody; one goroutine.
	ticks     uint64
	toldSites []*apiv1.Site
}

// person is somebody with sessions on this node, or who had one until just now.
type person struct {
	user     ids.User
	sessions []*Session
	seats    map[ids.Room]*seat
	// online: a session was welcomed. gone is when the last session ended, in milliseconds; 0 = there are some.
	online bool
	gone   int64
	// hidden remembers who is blocked in either direction.
	hidden map[ids.User]bool

	// load is held while the person's rooms are read; loaded and changes are guarded by Hub.mu. Membership events that
	// come during the reading wait in changes.
	load    sync.Mutex
	loaded  bool
	changes []any
}

// liveRoom is a room with members online here.
type liveRoom struct {
	id    ids.Room
	seats []*seat
	// head is the newest seq known, 0 = not known yet.
	head uint64
	// shut of a 1:1: one blocks the other, or an account is closed.
	shut tristate
	// online counts the seats of people who are connected; version moves whenever one comes or goes.
	online  int
	version uint64
	// unanswered 1:1: somebody was not shown because they had not written there.
	unanswered bool
	// reads that wait to be told, in rooms where many are online.
	reads map[ids.User]uint64
}

type tristate byte

const (
	unknown tristate = iota
	yes
	no
)

// seat is a person's place in a room.
type seat struct {
	room   *liveRoom
	person *person
	index  int
	joined uint64
}

func newHub(g *Gateway) *Hub {
	h := &Hub{g: g}
	h.mu.people = map[ids.User]*person{}
	h.mu.rooms = map[ids.Room]*liveRoom{}
	h.mu.sessions = map[*Session]struct{}{}
	h.mu.reads = map[*liveRoom]struct{}{}
	h.mu.gone = map[*person]struct{}{}
	h.active.sessions = map[*Session]struct{}{}
	return h
}

// attach registers a session under its person and makes sure that the person's rooms are known. From here on events
// reach the session, which keeps them until it is live.
func (h *Hub) attach(s *Session, c caller) {
	user := c.user
	h.mu.Lock()
	h.detachLocked(s)
	if s.state == stateEnded {
		h.mu.Unlock()
		return
	}
	s.caller = c
	p := h.mu.people[user]
	if p == nil {
		p = &person{user: user}
		h.mu.people[user] = p
	}
	p.sessions = append(p.sessions, s)
	p.gone = 0
	delete(h.mu.gone, p)
	s.person = p
	s.state = stateOpening
	s.backlog, s.backlogBytes = nil, 0
	h.mu.Unlock()

	p.load.Lock()
	defer p.load.Unlock()
	h.mu.Lock()
	loaded := p.loaded
	h.mu.Unlock()
	if loaded {
		return
	}
	type place struct {
		room   ids.Room
		joined uint64
	}
	var places []place
	snap := h.g.k.Snapshot(kernel.DomainChat)
	chat.Lines(snap, user, func(l chat.Line) bool {
		if l.Member.Present {
			places = append(places, place{l.Room, l.Member.Joined})
		}
		return true
	})
	snap.Close()

	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.people[user] != p {
		return // everybody left meanwhile
	}
	for _, pl := range places {
		h.sit(p, pl.room, pl.joined)
	}
	for _, c := range p.changes {
		h.membership(p, c)
	}
	p.changes, p.loaded = nil, true
}

// detachLocked takes a session out of its person, and with its last session the person out of the rooms: at once, or
// after a while when others may have seen the person.
func (h *Hub) detachLocked(s *Session) {
	p := s.person
	if p == nil {
		return
	}
	s.person = nil
	for i, o := range p.sessions {
		if o == s {
			last := len(p.sessions) - 1
			p.sessions[i] = p.sessions[last]
			p.sessions[last] = nil
			p.sessions = p.sessions[:last]
			break
		}
	}
	if len(p.sessions) > 0 {
		return
	}
	if p.online {
		h.linger(p)
	} else {
		h.forget(p)
	}
}

// sit puts a person into a room, or moves the seat's joined number.
func (h *Hub) sit(p *person, room ids.Room, joined uint64) {
	if st := p.seats[room]; st != nil {
		st.joined = joined
		return
	}
	lr := h.mu.rooms[room]
	if lr == nil {
		lr = &liveRoom{id: room}
		h.mu.rooms[room] = lr
	}
	st := &seat{room: lr, person: p, index: len(lr.seats), joined: joined}
	lr.seats = append(lr.seats, st)
	if p.seats == nil {
		p.seats = map[ids.Room]*seat{}
	}
	p.seats[room] = st
	if p.online {
		lr.online++
		h.stir(lr)
	}
}

// rise takes a person out of a room.
func (h *Hub) rise(st *seat) {
	lr := st.room
	last := len(lr.seats) - 1
	lr.seats[st.index] = lr.seats[last]
	lr.seats[st.index].index = st.index
	lr.seats[last] = nil
	lr.seats = lr.seats[:last]
	delete(st.person.seats, lr.id)
	if st.person.online {
		lr.online--
		h.stir(lr)
	}
	if last == 0 {
		delete(h.mu.rooms, lr.id)
		delete(h.mu.reads, lr)
	}
}

// membership applies MemberJoined or MemberLeft to somebody online.
func (h *Hub) membership(p *person, e any) {
	switch e := e.(type) {
	case chat.MemberJoined:
		h.sit(p, e.Room, e.Joined)
	case chat.MemberLeft:
		if st := p.seats[e.Room]; st != nil {
			h.rise(st)
		}
	}
}

// markDirty remembers to start the session's writer when the entry is done: one write takes all of its events.
func (h *Hub) markDirty(s *Session) {
	if !s.dirty {
		s.dirty = true
		h.mu.dirty = append(h.mu.dirty, s)
	}
}

// takeDirty ends the entry; the caller flushes what it returns without the lock.
func (h *Hub) takeDirty(into []*Session) []*Session {
	for _, s := range h.mu.dirty {
		s.dirty = false
		into = append(into, s)
	}
	clear(h.mu.dirty)
	h.mu.dirty = h.mu.dirty[:0]
	return into
}

// Here counts the people who are connected to this node.
func (h *Hub) Here() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.mu.people {
		if p.online && len(p.sessions) > 0 {
			n++
		}
	}
	return n
}

// Sessions counts the sessions that have said hello.
func (h *Hub) Sessions() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, p := range h.mu.people {
		n += len(p.sessions)
	}
	return n
}

// activate puts a session among those that get a beat after 500 ms of silence and whose commands have a deadline.
func (h *Hub) activate(s *Session) {
	h.active.Lock()
	h.active.sessions[s] = struct{}{}
	h.active.Unlock()
}

// signUps is closed at the next sign-up that is applied here.
func (h *Hub) signUps() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mu.signUps == nil {
		h.mu.signUps = make(chan struct{})
	}
	return h.mu.signUps
}
