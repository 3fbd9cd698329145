package gateway

import (
	"context"
	"fmt"
	"slices"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// Presence: who is connected. A person is, from the Welcome of a session until presenceGrace after the last session has
// ended, so that a page that is loaded again does not blink. It is told to sessions that look at a room and is kept
// nowhere. A change costs one step for each room of the person, however large, and a look at what changed for each
// session that has the room in view, at most once a second.
//
// The people of a node are those connected to it, and a cell has one node so far. With three sites the nodes must tell
// each other: an ephemeral command "user is connected at node X", repeated every few seconds, with the lifetime of a few
// repetitions, and lr.online must count people of other nodes too. Nothing else here depends on it.
const (
	presenceGrace = 5_000 // ms
	presenceEvery = 1_000 // ms between two frames about a room to a session
	// namedUpTo is how many members a room has at most for those who are connected to be named.
	namedUpTo = 50
	// answerLook is how many of the oldest and of the newest rows of a 1:1 are looked at for one by the other person.
	answerLook = 100
	// maxHidden bounds what a person remembers of blocks; it is looked up again.
	maxHidden = 4096
)

// told is what a session was last told about a room in view.
type told struct {
	ever    bool
	version uint64
	at      int64
	online  uint32
	users   []string
}

// arrive makes a person connected, with the first session that is welcomed.
func (h *Hub) arrive(p *person) {
	if p.online {
		return
	}
	p.online = true
	for _, st := range p.seats {
		st.room.online++
		h.stir(st.room)
	}
}

// linger keeps a person whose last session has ended in their rooms for a while.
func (h *Hub) linger(p *person) {
	p.gone = h.millis()
	h.mu.gone[p] = struct{}{}
}

// leaveLate takes those out whose time is over.
func (h *Hub) leaveLate(now int64) {
	for p := range h.mu.gone {
		if now-p.gone >= presenceGrace {
			h.forget(p)
		}
	}
}

// forget takes a person out of the rooms.
func (h *Hub) forget(p *person) {
	delete(h.mu.gone, p)
	for _, st := range p.seats {
		h.rise(st)
	}
	if h.mu.people[p.user] == p {
		delete(h.mu.people, p.user)
	}
}

// stir notes that somebody came to a room or went.
func (h *Hub) stir(lr *liveRoom) {
	lr.version++
	h.mu.stirred = true
}

// blockChanged makes two people look again whether they see each other, now or when the other comes back.
func (h *Hub) blockChanged(a, b ids.User) {
	p, q := h.mu.people[a], h.mu.people[b]
	for _, one := range []*person{p, q} {
		if one != nil {
			one.hidden = nil
		}
	}
	if p == nil || q == nil {
		return
	}
	for room, st := range p.seats {
		if q.seats[room] != nil {
			h.stir(st.room)
		}
	}
}

// tellPresence tells the sessions that look at rooms what changed there.
func (h *Hub) tellPresence(now int64, sessions []*Session) {
	h.mu.Lock()
	stirred := h.mu.stirred
	h.mu.stirred = false
	h.mu.Unlock()
	if !stirred {
		return
	}
	for _, s := range sessions {
		s.presence(now, false)
	}
}

// presence tells a session about the rooms in view: all of them, or what changed and may be told again.
func (s *Session) presence(now int64, all bool) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.state != stateLive || s.person == nil {
		return
	}
	if len(s.told) != len(s.view) {
		s.told = make([]told, len(s.view))
	}
	var due []int
	for i, room := range s.view {
		st, was := s.person.seats[room], &s.told[i]
		switch {
		case st == nil || !all && was.ever && was.version == st.room.version:
		case !all && was.ever && now-was.at < presenceEvery:
			h.mu.stirred = true // later
		default:
			due = append(due, i)
		}
	}
	if len(due) == 0 {
		return
	}
	var frames []*livev1.Presence
	added := map[ids.User]bool{} // those of the 1:1s in view who have this person as a friend
	err := h.g.read(kernel.DomainPeople, func(v kernel.Snapshot) error {
		for _, i := range due {
			if lr := s.person.seats[s.view[i]].room; lr.id.Kind() == ids.KindDirect {
				for _, st := range lr.seats {
					added[st.person.user] = people.IsFriend(v, st.person.user, s.person.user)
				}
			}
		}
		return nil
	})
	if err != nil {
		s.told, h.mu.stirred = nil, true
		return
	}
	err = h.g.read(kernel.DomainChat, func(v kernel.Snapshot) error {
		for _, i := range due {
			lr, was := s.person.seats[s.view[i]].room, &s.told[i]
			f := h.presenceOf(v, lr, s.person, added)
			if all || !was.ever || f.Online != was.online || !slices.Equal(f.Users, was.users) {
				frames = append(frames, f)
				was.at = now
			}
			was.ever, was.version, was.online, was.users = true, lr.version, f.Online, f.Users
		}
		return nil
	})
	if err != nil {
		s.told, h.mu.stirred = nil, true // again, when this node can vouch for who blocks whom
		return
	}
	for _, f := range frames {
		if !s.out.Send(encode(s.json, &livev1.Frame{Body: &livev1.Frame_Presence{Presence: f}})) {
			h.tooSlow(s)
			return
		}
		h.g.metrics.framesOut.Inc()
		s.sent()
		h.markDirty(s)
	}
}

// presenceOf says who is connected of a room, as p may see it. added are those who have p as a friend.
func (h *Hub) presenceOf(v kernel.Reader, lr *liveRoom, p *person, added map[ids.User]bool) *livev1.Presence {
	f := &livev1.Presence{Room: lr.id.String()}
	row, ok := chat.GetRoom(v, lr.id)
	if !ok || row.Members > namedUpTo {
		f.Online = uint32(lr.online)
		return f
	}
	direct := lr.id.Kind() == ids.KindDirect
	open := !direct || chat.CanType(v, lr.id, p.user)
	for _, st := range lr.seats {
		q := st.person
		if q != p {
			if !q.online || !open || p.hides(v, q.user) {
				continue
			}
			if direct && !added[q.user] && !answered(v, lr.id, q.user) {
				lr.unanswered = true
				continue
			}
		}
		f.Users = append(f.Users, q.user.String())
	}
	slices.Sort(f.Users)
	f.Online = uint32(len(f.Users)) // not more than are named: the difference would tell of somebody with a block
	return f
}

// answered says whether other has written or reacted in a 1:1, among its oldest rows or its newest: who has not did not ask
// to be in it, and its other person must not learn from it when they are there.
func answered(v kernel.Reader, room ids.Room, other ids.User) (yes bool) {
	row, ok := chat.GetRoom(v, room)
	if !ok {
		return false
	}
	look := func(from, to uint64) {
		chat.History(v, room, from, to, func(m chat.Message) bool {
			yes = m.Author == other
			return !yes
		})
	}
	last := row.NextSeq - 1
	look(1, min(answerLook, last))
	if !yes && last > answerLook {
		look(max(answerLook, last-answerLook)+1, last)
	}
	return yes
}

// addedChanged makes a person look again at their 1:1s: somebody added them as a friend, or did so no longer.
func (h *Hub) addedChanged(u ids.User) {
	p := h.mu.people[u]
	if p == nil {
		return
	}
	for room, st := range p.seats {
		if room.Kind() == ids.KindDirect {
			h.stir(st.room)
		}
	}
}

// hides says whether there is a block between p and another, in either direction.
func (p *person) hides(v kernel.Reader, other ids.User) bool {
	if is, known := p.hidden[other]; known {
		return is
	}
	is := blocked(v, p.user, other)
	if p.hidden == nil || len(p.hidden) >= maxHidden {
		p.hidden = map[ids.User]bool{}
	}
	p.hidden[other] = is
	return is
}

func blocked(v kernel.Reader, a, b ids.User) bool {
	return chat.HasBlocked(v, a, b) || chat.HasBlocked(v, b, a)
}

// online says who of these people is connected.
func (h *Hub) online(users []ids.User) (here []ids.User) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, u := range users {
		if p := h.mu.people[u]; p != nil && p.online {
			here = append(here, u)
		}
	}
	return here
}

// devices are those of a person's devices that are connected.
func (h *Hub) devices(u ids.User) map[ids.Device]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	here := map[ids.Device]bool{}
	if p := h.mu.people[u]; p != nil {
		for _, s := range p.sessions {
			here[s.caller.device] = here[s.caller.device] || s.state == stateLive
		}
	}
	return here
}

// GetPresence names only people who have a reason to be seen by the caller: they have added the caller, or they have
// written in the 1:1 of the two, and there is no block between them.
func (p peoples) GetPresence(ctx context.Context, r *apiv1.GetPresenceRequest) (*apiv1.GetPresenceResponse, error) {
	me := callerOf(ctx).user
	var ask []ids.User
	for i, id := range r.Users {
		u, err := ids.ParseUser(id)
		if err != nil {
			return nil, invalid(fmt.Sprintf("users[%d]", i), "id", "is not a user id")
		}
		if !slices.Contains(ask, u) {
			ask = append(ask, u)
		}
	}
	here := p.g.hub.online(ask)
	added := map[ids.User]bool{}
	err := p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		for _, u := range here {
			added[u] = u == me || people.IsFriend(s, u, me)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &apiv1.GetPresenceResponse{}
	return out, p.g.read(kernel.DomainChat, func(s kernel.Snapshot) error {
		for _, u := range here {
			known := added[u]
			if !known {
				known = answered(s, ids.Direct(me, u), u)
			}
			if known && (u == me || !blocked(s, me, u)) {
				out.Online = append(out.Online, u.String())
			}
		}
		return nil
	})
}
