package chat

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// leave ends a membership of a group. A 1:1 is only hidden: it takes no number and the other person is not told.
type leave struct{ head }

func (c *leave) apply(a *kernel.Apply) kernel.Verdict {
	p, code := enter(a, c.Room, c.User)
	if code != kernel.OK {
		return refuse(code)
	}
	if p.row.Kind == ids.KindDirect {
		p.hide(a)
		return done(0)
	}
	return done(p.leave(a))
}

// leave takes the person out of the group: the row b stays and says so, nothing of the room is shown from here on.
func (p *place) leave(a *kernel.Apply) uint64 {
	p.member.Present, p.member.Role = false, RoleMember
	a.Set(memberKey(p.id, p.user), p.member.encode())
	changeLine(a, p.user, p.id, leaveLine)
	p.row.Members--
	m := Message{Kind: KindLeft}
	seq := p.add(a, &m)
	a.Emit(MessageAdded{Message: m})
	a.Emit(MemberLeft{Room: p.id, User: p.user})
	return seq
}

// hide takes a 1:1 off the person's list, with all there is in it so far.
func (p *place) hide(a *kernel.Apply) {
	p.member.freeze(a, &p.row)
	p.member.Joined, p.member.Read = p.row.NextSeq, p.row.NextSeq-1
	a.Set(memberKey(p.id, p.user), p.member.encode())
	changeLine(a, p.user, p.id, leaveLine)
	p.row.set(p.user, peerHidden, true)
	p.write(a)
	a.Emit(LineChanged{Room: p.id, User: p.user})
}

// leaveLine keeps the wish for silence, but a room that is not on the list is not on top of it.
func leaveLine(l *lineRow) { l.left, l.pinned = true, false }

// closeUser marks an account as closed: it leaves its groups, its 1:1 rooms take no more messages, and nobody can invite
// it. One command whatever the number of rooms, because it happens once in an account's life. Repeated it writes nothing.
type closeUser struct{ head }

func (c *closeUser) apply(a *kernel.Apply) kernel.Verdict {
	if isClosed(a, c.User) {
		return done(0)
	}
	var rooms []ids.Room
	lower, upper := linesOf(c.User)
	a.Scan(lower, upper, func(key, _ []byte) bool {
		rooms = append(rooms, lineRoom(key))
		return true
	})

	a.Set(closedKey(c.User), encodeMark())
	for _, room := range rooms {
		p, code := enter(a, room, c.User)
		switch {
		case code != kernel.OK: // a group left before
		case p.row.Kind == ids.KindDirect:
			p.row.set(c.User, peerClosed, true)
			p.write(a)
		default:
			p.leave(a)
		}
	}
	return done(0)
}
