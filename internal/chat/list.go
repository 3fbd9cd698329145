package chat

import (
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// read moves the read mark forward. It has no name and no refusal: the largest wins, and what is not larger, lies beyond
// the last row or comes from somebody outside changes nothing.
type read struct {
	head
	Seq uint64
}

func (c *read) apply(a *kernel.Apply) kernel.Verdict {
	p, code := enter(a, c.Room, c.User)
	if code != kernel.OK || c.Seq <= p.member.Read || c.Seq >= p.row.NextSeq {
		return done(0)
	}
	p.member.freeze(a, &p.row)
	p.member.Read = c.Seq
	a.Set(memberKey(p.id, c.User), p.member.encode())
	changeLine(a, c.User, p.id, func(*lineRow) {})
	a.Emit(ReadMoved{Room: p.id, User: c.User, Seq: c.Seq})
	return done(0)
}

// mute turns the alerts of a room off or on for one person.
type mute struct {
	head
	On bool
}

func (c *mute) apply(a *kernel.Apply) kernel.Verdict {
	if _, code := enter(a, c.Room, c.User); code != kernel.OK {
		return refuse(code)
	}
	if l, _ := getLine(a, lineKey(c.User, c.Room)); l.muted == c.On {
		return done(0)
	}
	changeLine(a, c.User, c.Room, func(l *lineRow) { l.muted = c.On })
	a.Emit(LineChanged{Room: c.Room, User: c.User})
	return done(0)
}

// pin keeps a room on top of a person's list; at most MaxPinned. A hidden 1:1 is not on the list.
type pin struct {
	head
	On bool
}

func (c *pin) apply(a *kernel.Apply) kernel.Verdict {
	if _, code := enter(a, c.Room, c.User); code != kernel.OK {
		return refuse(code)
	}
	l, _ := getLine(a, lineKey(c.User, c.Room))
	switch {
	case l.pinned == c.On:
		return done(0)
	case l.left:
		return refuse(kernel.NotMember)
	case c.On && pinned(a, c.User) >= MaxPinned:
		return refuse(kernel.LimitReached)
	}
	changeLine(a, c.User, c.Room, func(l *lineRow) { l.pinned = c.On })
	a.Emit(LineChanged{Room: c.Room, User: c.User})
	return done(0)
}

func pinned(r kernel.Reader, user ids.User) (n int) {
	lower, upper := linesOf(user)
	r.Scan(lower, upper, func(_, value []byte) bool {
		l, err := decodeLine(value)
		if err != nil {
			damaged(rowLine)
		}
		if l.pinned {
			n++
		}
		return n < MaxPinned
	})
	return n
}

// block stops 1:1 messages and invitations between two people, or lets them again. Its name is in the account's scope.
type block struct {
	head
	Other ids.User
	On    bool
}

func decodeBlock(w *logv1.ChatCommand, other []byte, on bool) (kernel.Command, error) {
	h, err := decodeHead(w, inAccount|needName)
	if err != nil {
		return nil, err
	}
	c := &block{head: h, On: on}
	if c.Other, err = ids.UserOf(other); err != nil {
		return nil, errID
	}
	return c, nil
}

func (c *block) apply(a *kernel.Apply) kernel.Verdict {
	if c.Other == c.User {
		return refuse(kernel.Invalid)
	}
	if HasBlocked(a, c.User, c.Other) == c.On {
		return done(0)
	}
	key := blockKey(c.User, c.Other)
	if c.On {
		a.Set(key, encodeMark())
	} else {
		a.Delete(key)
	}
	a.Emit(BlockChanged{User: c.User, Other: c.Other})
	// The 1:1, if they have one, shows it on the blocker's list; the other's line does not move.
	p, code := enter(a, ids.Direct(c.User, c.Other), c.User)
	if code != kernel.OK {
		return done(0)
	}
	p.row.set(c.User, peerBlocks, c.On)
	p.write(a)
	changeLine(a, c.User, p.id, func(*lineRow) {})
	a.Emit(LineChanged{Room: p.id, User: c.User})
	if p.row.blocked() {
		p.freeze(a)
	} else {
		p.thaw(a)
	}
	return done(0)
}

// freeze keeps the marks of a 1:1 as the two see them now: a block begins.
func (p *place) freeze(a *kernel.Apply) {
	for _, u := range p.row.Peers {
		m, ok := GetMember(a, p.id, u)
		if !ok {
			damaged(rowMember)
		}
		if !m.frozen && m.freeze(a, &p.row) {
			a.Set(memberKey(p.id, u), m.encode())
		}
	}
}

// thaw shows the marks of a 1:1 as they are, when the last block in it has ended.
func (p *place) thaw(a *kernel.Apply) {
	for _, u := range p.row.Peers {
		m, ok := GetMember(a, p.id, u)
		if !ok {
			damaged(rowMember)
		}
		if !m.frozen {
			continue
		}
		joined, read := m.Shown()
		m.frozen = false
		a.Set(memberKey(p.id, u), m.encode())
		if joined != m.Joined || read != m.Read {
			a.Emit(ReadMoved{Room: p.id, User: u, Seq: m.Read})
		}
	}
}
