package gateway

import (
	"sync"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// lists keeps people's lists of rooms from growing without end: a Hello and a Pin read the whole of one. A line is never taken out
// of a list, not by leaving either, so who is full stays full. So that nobody can be shut off by strangers who put them into rooms, a
// part of each list is kept for the rooms that they make themselves and those to which people ask them whom they have added. It is a
// rule of the door, like that of accounts that must exist: commands under way at the same moment may pass a list that is almost full,
// by as many as they are.
type lists struct {
	mu     sync.Mutex
	people map[ids.User]lines
}

// lines of a person's list: how many were there when they were counted, which only grows; and those with what may have been added here
// since, never too few by more than other sites have added. At a limit they are counted anew.
type lines struct{ sure, likely int }

// maxCounted bounds the people remembered.
const maxCounted = 1 << 16

// room takes a place in a person's list; false: it has as many as limit. most is the largest limit of anybody.
func (l *lists) room(r kernel.Reader, u ids.User, limit, most int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, known := l.people[u]
	if n.sure < limit && (!known || n.likely >= limit) {
		n.sure = chat.CountLines(r, u, most)
		n.likely = n.sure
	}
	if l.people == nil || !known && len(l.people) >= maxCounted {
		l.people = map[ids.User]lines{}
	}
	free := n.sure < limit
	if free {
		n.likely++
	}
	l.people[u] = n
	return free
}

// placeFor takes a place in the list of somebody whom the caller puts into a room.
func (g *Gateway) placeFor(rooms, accounts kernel.Reader, u ids.User, c *caller) bool {
	limit := g.o.Limits.Rooms
	if !people.IsFriend(accounts, u, c.user) {
		limit = g.o.Limits.RoomsByStrangers
	}
	return g.lists.room(rooms, u, limit, g.o.Limits.Rooms)
}

// enterNew makes sure that the caller may have one more room; a room that is there already is no new one.
func (g *Gateway) enterNew(c *caller, room ids.Room) error {
	s := g.k.Snapshot(kernel.DomainChat)
	defer s.Close()
	if _, ok := chat.GetRoom(s, room); !ok && !g.lists.room(s, c.user, g.o.Limits.Rooms, g.o.Limits.Rooms) {
		return fail(apiv1.Reason_REASON_LIMIT)
	}
	return nil
}
