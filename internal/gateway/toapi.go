package gateway

import (
	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// messageOf is a row as others see it. joined is where the reader came in: a change of something older is told without
// it. n is the author's name for it, 0 for everybody else.
func messageOf(m *chat.Message, n uint64) *apiv1.Message {
	out := &apiv1.Message{
		Room: m.Room.String(), Seq: m.Seq, Kind: apiv1.MessageKind(m.Kind), TimeMs: m.Time, Ord: m.Ord, Text: m.Text,
		ReplyTo: m.ReplyTo, EditedMs: m.Edited, Deleted: m.Deleted, Target: m.Target, Reaction: uint32(m.Reaction), N: n,
	}
	if m.Author != (ids.User{}) {
		out.Author = m.Author.String()
	}
	for _, u := range m.Users {
		out.Users = append(out.Users, u.String())
	}
	if m.Reactions != [chat.Reactions]uint32{} {
		out.Reactions = append(out.Reactions, m.Reactions[:]...)
	}
	return out
}

// nameFor is the n of a message for a reader: only for its author, on the device that sent it.
func nameFor(m *chat.Message, user ids.User, device ids.Device) uint64 {
	if m.Author == user && m.Device == device {
		return m.N
	}
	return 0
}

// roomOf is a line of a person's list.
func roomOf(r kernel.Reader, l *chat.Line, c *caller) *apiv1.Room {
	out := &apiv1.Room{
		Id: l.Room.String(), Kind: apiv1.RoomKind(l.Row.Kind), Title: l.Row.Title, LastSeq: l.Row.NextSeq - 1,
		JoinedSeq: l.Member.Joined, ReadSeq: l.Member.Read, Unread: l.Unread, MemberCount: l.Row.Members, Muted: l.Muted,
		Pinned: l.Pinned, Left: l.Left, Blocked: l.Blocked, Changed: position(l.Changed),
	}
	if l.Row.Kind == ids.KindDirect {
		peer := l.Row.Peers[0]
		if peer == c.user {
			peer = l.Row.Peers[1]
		}
		out.Peer = peer.String()
	}
	if m := chat.LastMessage(r, l); m != nil {
		out.LastMessage = messageOf(m, nameFor(m, c.user, c.device))
	}
	return out
}

// userOf is a person as others see them.
func userOf(a *people.Account) *apiv1.User {
	if a.Closed {
		return &apiv1.User{Id: a.ID.String(), Closed: true}
	}
	return &apiv1.User{
		Id: a.ID.String(), Handle: a.Handle, DisplayName: a.DisplayName, StatusMessage: a.StatusMessage, ProfileText: a.ProfileText,
		Photo: a.Photo.String(), Simulated: a.Simulated,
	}
}

func usersOf(r kernel.Reader, us []ids.User) (out []*apiv1.User) {
	for _, u := range us {
		if a, ok := people.GetAccount(r, u); ok {
			out = append(out, userOf(&a))
		}
	}
	return out
}

func idsOf(us []ids.User) (out []string) {
	for _, u := range us {
		out = append(out, u.String())
	}
	return out
}
