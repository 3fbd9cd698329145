package chat

import (
	"bytes"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// send adds a message. In a 1:1 that does not exist it makes the room; the list of both shows it from this message on.
type send struct {
	head
	// Peer is the other person of a 1:1; not looked at in a group.
	Peer    ids.User
	HasPeer bool
	Text    string
	ReplyTo uint64
	// Read is what the author had read when writing.
	Read uint64
}

func decodeSend(w *logv1.ChatCommand, op *logv1.Send) (kernel.Command, error) {
	h, err := decodeHead(w, needRoom|needName)
	if err != nil {
		return nil, err
	}
	c := &send{head: h, Text: op.GetText(), ReplyTo: op.GetReplyTo(), Read: op.GetRead()}
	if len(op.GetPeer()) != 0 {
		c.HasPeer = true
		if c.Peer, err = ids.UserOf(op.Peer); err != nil {
			return nil, errID
		}
	}
	return c, nil
}

func (c *send) apply(a *kernel.Apply) kernel.Verdict {
	p, fresh, code := c.enter(a)
	if code != kernel.OK {
		return refuse(code)
	}
	if c.ReplyTo != 0 {
		if _, ok := p.text(a, c.ReplyTo); !ok {
			return refuse(kernel.UnknownMessage)
		}
	}

	if fresh {
		join(a, p.id, c.User, p.member)
		if c.Peer != c.User {
			join(a, p.id, c.Peer, MemberRow{})
		}
	} else if p.row.Kind == ids.KindDirect {
		p.show(a)
	}
	mark := p.member.Read
	p.member.Read = readAfterSend(&p, c.Read)
	m := Message{Kind: KindText, Device: c.name.Device, N: c.name.N, Text: c.Text, ReplyTo: c.ReplyTo}
	seq := p.add(a, &m)
	a.Emit(MessageAdded{Message: m})
	if p.member.Read != mark {
		a.Set(memberKey(p.id, c.User), p.member.encode())
		a.Emit(ReadMoved{Room: p.id, User: c.User, Seq: p.member.Read})
	}
	return done(seq)
}

// enter is the membership rule of a send. fresh = the 1:1 has no row yet.
func (c *send) enter(a *kernel.Apply) (p place, fresh bool, code kernel.Code) {
	if c.Room.Kind() != ids.KindDirect {
		p, code = enter(a, c.Room, c.User)
		return p, false, code
	}
	p = place{id: c.Room, user: c.User, key: roomKey(c.Room)}
	row, ok := getRoom(a, p.key)
	if !ok {
		p.row, code = c.open(a)
		p.member.Read = 1 // the author of the first message has read it
		return p, true, code
	}
	p.row = row
	if peer, ok := row.peer(c.User); !ok || !c.HasPeer || peer != c.Peer {
		return p, false, kernel.Invalid
	}
	if row.shut() {
		return p, false, kernel.CannotReceive
	}
	if p.member, ok = GetMember(a, c.Room, c.User); !ok {
		damaged(rowMember)
	}
	return p, false, kernel.OK
}

// open is the row of a 1:1 before its first message. While it has no row, the rows z and k decide.
func (c *send) open(a *kernel.Apply) (RoomRow, kernel.Code) {
	if !c.HasPeer || ids.Direct(c.User, c.Peer) != c.Room {
		return RoomRow{}, kernel.Invalid
	}
	if isClosed(a, c.User) || isClosed(a, c.Peer) || HasBlocked(a, c.User, c.Peer) || HasBlocked(a, c.Peer, c.User) {
		return RoomRow{}, kernel.CannotReceive
	}
	r := RoomRow{Kind: ids.KindDirect, NextSeq: 1, Members: 2, Peers: [2]ids.User{c.User, c.Peer}}
	if bytes.Compare(c.User[:], c.Peer[:]) > 0 {
		r.Peers = [2]ids.User{c.Peer, c.User}
	}
	if c.User == c.Peer {
		r.Members = 1
	}
	return r, kernel.OK
}

// show puts a 1:1 back on the list of whoever had left it. Their joined and read marks stay as leaving made them.
func (p *place) show(a *kernel.Apply) {
	for i, u := range p.row.Peers {
		if p.row.state[i]&peerHidden == 0 {
			continue
		}
		p.row.set(u, peerHidden, false)
		changeLine(a, u, p.id, func(l *lineRow) { l.left = false })
		a.Emit(LineChanged{Room: p.id, User: u})
	}
}

// readAfterSend is the author's read mark after a send, before the message takes its number. What the author had read
// when writing counts, and what another device of theirs has read since. If that covers every message by people, the own
// one is read too: it must not show as unread to its author. If not, the mark stays before the unseen, and the badge
// counts from there, own messages after it included.
func readAfterSend(p *place, claimed uint64) uint64 {
	mark := max(p.member.Read, min(claimed, p.row.NextSeq-1))
	if mark >= p.row.LastText {
		return p.row.NextSeq
	}
	return mark
}
