package chat

import (
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// create makes a group. It has no name: the room's id is derived from the creator and random bytes, so the same again
// meets its row, succeeds again and writes nothing.
type create struct {
	head
	Title   string
	Members []ids.User
}

func decodeCreate(w *logv1.ChatCommand, op *logv1.CreateRoom) (kernel.Command, error) {
	h, err := decodeHead(w, needRoom)
	if err != nil {
		return nil, err
	}
	us, err := decodeUsers(op.GetMembers())
	return &create{head: h, Title: op.GetTitle(), Members: us}, err
}

func (c *create) apply(a *kernel.Apply) kernel.Verdict {
	if c.Room.Kind() != ids.KindGroup || len(c.Members) > MaxInvite {
		return refuse(kernel.Invalid)
	}
	p := place{id: c.Room, user: c.User, key: roomKey(c.Room)}
	if _, ok := getRoom(a, p.key); ok {
		first, ok := GetMessage(a, c.Room, 1)
		if !ok {
			damaged(rowMessage)
		}
		if first.Author != c.User {
			return refuse(kernel.IDReused)
		}
		return done(1)
	}
	if isClosed(a, c.User) {
		return refuse(kernel.UnknownUser)
	}
	// The creator is a member already, so that naming oneself says nothing.
	add, refused := invited(a, c.Room, c.User, c.Members, func(u ids.User) bool { return u == c.User })
	if len(add) == 0 && refused {
		return refuse(kernel.CannotReceive)
	}

	p.row = RoomRow{Kind: ids.KindGroup, Title: c.Title, NextSeq: 1, Members: uint32(1 + len(add))}
	join(a, c.Room, c.User, MemberRow{Joined: 1, Read: 1, Role: RoleOwner})
	for _, u := range add {
		join(a, c.Room, u, MemberRow{Joined: 1, Read: 1})
	}
	m := Message{Kind: KindCreated, Users: add}
	seq := p.add(a, &m)
	a.Emit(MessageAdded{Message: m})
	return done(seq)
}

// invited picks those of a list who can be added, in its order and each once: not present, not closed, not blocking the
// inviter. refused = somebody who is not present cannot be added.
func invited(a *kernel.Apply, room ids.Room, by ids.User, list []ids.User, present func(ids.User) bool) (add []ids.User, refused bool) {
	seen := make(map[ids.User]bool, len(list))
	for _, u := range list {
		if seen[u] || present(u) {
			continue
		}
		seen[u] = true
		if isClosed(a, u) || HasBlocked(a, u, by) {
			refused = true
			continue
		}
		add = append(add, u)
	}
	return add, refused
}

// invite adds people to a group. They read from the row of the invitation on.
type invite struct {
	head
	Members []ids.User
}

func decodeInvite(w *logv1.ChatCommand, op *logv1.Invite) (kernel.Command, error) {
	h, err := decodeHead(w, needRoom|needName)
	if err != nil {
		return nil, err
	}
	us, err := decodeUsers(op.GetMembers())
	return &invite{head: h, Members: us}, err
}

func (c *invite) apply(a *kernel.Apply) kernel.Verdict {
	if len(c.Members) == 0 || len(c.Members) > MaxInvite {
		return refuse(kernel.Invalid)
	}
	p, code := enter(a, c.Room, c.User)
	if code != kernel.OK {
		return refuse(code)
	}
	if p.row.Kind != ids.KindGroup {
		return refuse(kernel.WrongRoomKind)
	}
	add, refused := invited(a, c.Room, c.User, c.Members, func(u ids.User) bool {
		m, ok := GetMember(a, c.Room, u)
		return ok && m.Present
	})
	switch {
	case len(add) == 0 && refused:
		return refuse(kernel.CannotReceive)
	case len(add) == 0:
		return done(0) // all of them are members: nothing happened
	case int(p.row.Members)+len(add) > MaxMembers:
		return refuse(kernel.RoomFull)
	}

	for _, u := range add {
		join(a, c.Room, u, MemberRow{Joined: p.row.NextSeq, Read: p.row.NextSeq})
	}
	p.row.Members += uint32(len(add))
	m := Message{Kind: KindInvited, Users: add}
	seq := p.add(a, &m)
	a.Emit(MessageAdded{Message: m})
	return done(seq)
}

// rename sets the title of a group.
type rename struct {
	head
	Title string
}

func (c *rename) apply(a *kernel.Apply) kernel.Verdict {
	p, code := enter(a, c.Room, c.User)
	if code != kernel.OK {
		return refuse(code)
	}
	if p.row.Kind != ids.KindGroup {
		return refuse(kernel.WrongRoomKind)
	}
	p.row.Title = c.Title
	m := Message{Kind: KindRenamed, Text: c.Title}
	seq := p.add(a, &m)
	a.Emit(MessageAdded{Message: m})
	return done(seq)
}
