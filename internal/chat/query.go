package chat

import (
	"encoding/binary"
	"math"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

func seqOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[1+lenRoom:]) }

func getRoom(r kernel.Reader, key []byte) (RoomRow, bool) {
	v, ok := r.Get(key)
	if !ok {
		return RoomRow{}, false
	}
	row, err := decodeRoom(v)
	if err != nil {
		damaged(rowRoom)
	}
	return row, true
}

func getLine(r kernel.Reader, key []byte) (lineRow, bool) {
	v, ok := r.Get(key)
	if !ok {
		return lineRow{}, false
	}
	l, err := decodeLine(v)
	if err != nil {
		damaged(rowLine)
	}
	return l, true
}

func isClosed(r kernel.Reader, user ids.User) bool {
	_, ok := r.Get(closedKey(user))
	return ok
}

// GetRoom reads a room.
func GetRoom(r kernel.Reader, room ids.Room) (RoomRow, bool) { return getRoom(r, roomKey(room)) }

// GetMember reads a membership, past ones of groups included (Present says).
func GetMember(r kernel.Reader, room ids.Room, user ids.User) (MemberRow, bool) {
	v, ok := r.Get(memberKey(room, user))
	if !ok {
		return MemberRow{}, false
	}
	m, err := decodeMember(v)
	if err != nil {
		damaged(rowMember)
	}
	return m, true
}

// Members calls fn for the present members, in the order of their ids, until it returns false.
func Members(r kernel.Reader, room ids.Room, fn func(ids.User, MemberRow) bool) {
	lower, upper := membersOf(room)
	r.Scan(lower, upper, func(key, value []byte) bool {
		m, err := decodeMember(value)
		if err != nil {
			damaged(rowMember)
		}
		return !m.Present || fn(memberUser(key), m)
	})
}

// Line is a room as it stands in a person's list.
type Line struct {
	Room ids.Room
	// Row of the room. Of a group that was left only Kind is told, and that there is nothing: what goes on in it, its
	// title included, is no longer the person's business.
	Row    RoomRow
	Member MemberRow
	// Left: no longer a member of the group, or the 1:1 is hidden until its next message. Blocked: the person blocks the
	// peer of this 1:1.
	Muted, Pinned, Left, Blocked bool
	// Changed is the larger of where the room took its last number and where the line changed; of a left group only the
	// latter.
	Changed kernel.Position
	// Unread is the badge: messages by people after the read mark.
	Unread uint64
	// Last is the newest message by a person that may be read; LastMessage fills it in.
	Last *Message
}

// GetLine reads one line of a person's list.
func GetLine(r kernel.Reader, user ids.User, room ids.Room) (Line, bool) {
	l, ok := getLine(r, lineKey(user, room))
	if !ok {
		return Line{}, false
	}
	return line(r, user, room, l), true
}

// Lines calls fn for every line of a person's list, in the order of the room ids, until it returns false. Left groups and
// hidden 1:1 rooms are among them. It reads two rows a line, and a third where something is unread.
func Lines(r kernel.Reader, user ids.User, fn func(Line) bool) {
	lower, upper := linesOf(user)
	r.Scan(lower, upper, func(key, value []byte) bool {
		l, err := decodeLine(value)
		if err != nil {
			damaged(rowLine)
		}
		return fn(line(r, user, lineRoom(key), l))
	})
}

// Rooms calls fn for the rooms in which others may see a person: the groups they are in, and their 1:1s, hidden ones too.
func Rooms(r kernel.Reader, user ids.User, fn func(ids.Room)) {
	lower, upper := linesOf(user)
	r.Scan(lower, upper, func(key, value []byte) bool {
		l, err := decodeLine(value)
		if err != nil {
			damaged(rowLine)
		}
		if room := lineRoom(key); !l.left || room.Kind() == ids.KindDirect {
			fn(room)
		}
		return true
	})
}

// CountLines is how many lines a person's list has, of any kind; it counts to most and no further.
func CountLines(r kernel.Reader, user ids.User, most int) (n int) {
	lower, upper := linesOf(user)
	r.Scan(lower, upper, func(_, _ []byte) bool { n++; return n < most })
	return n
}

func line(r kernel.Reader, user ids.User, room ids.Room, l lineRow) Line {
	m, ok := GetMember(r, room, user)
	if !ok {
		damaged(rowLine)
	}
	out := Line{
		Room: room, Member: m, Muted: l.muted, Pinned: l.pinned, Left: l.left, Changed: l.changed,
		Row: RoomRow{Kind: room.Kind(), NextSeq: 1},
	}
	if !m.Present {
		return out
	}
	if out.Row, ok = GetRoom(r, room); !ok {
		damaged(rowMember)
	}
	if out.Changed.Less(out.Row.Changed) {
		out.Changed = out.Row.Changed
	}
	out.Blocked = out.Row.has(user, peerBlocks)
	out.Unread = unread(r, room, &out.Row, m.Read)
	return out
}

// unread is the badge: ord of the room minus ord at the read mark.
func unread(r kernel.Reader, room ids.Room, row *RoomRow, mark uint64) uint64 {
	switch {
	case mark >= row.LastText:
		return 0
	case mark == 0:
		return row.Ord
	}
	v, ok := r.Get(messageKey(room, mark))
	if !ok || len(v) < lenMessageHead || v[0] != version {
		damaged(rowMessage)
	}
	return row.Ord - binary.BigEndian.Uint64(v[offsetOrd:])
}

// LastMessage reads the newest message by a person that may be read in this line, keeps it in l.Last and returns it; nil
// if there is none.
func LastMessage(r kernel.Reader, l *Line) *Message {
	if l.Last == nil && l.Row.LastText != 0 && l.Row.LastText >= l.Member.Joined {
		if m, ok := GetMessage(r, l.Room, l.Row.LastText); ok {
			l.Last = &m
		}
	}
	return l.Last
}

// GetMessage reads one row of a room's sequence.
func GetMessage(r kernel.Reader, room ids.Room, seq uint64) (Message, bool) {
	v, ok := r.Get(messageKey(room, seq))
	if !ok {
		return Message{}, false
	}
	m, err := decodeMessage(room, seq, v)
	if err != nil {
		damaged(rowMessage)
	}
	return m, true
}

// History calls fn for the rows from..to, both included, ascending, until it returns false.
func History(r kernel.Reader, room ids.Room, from, to uint64, fn func(Message) bool) {
	lower := messageKey(room, from)
	_, upper := below(append([]byte{rowMessage}, room[:]...))
	if to < math.MaxUint64 {
		upper = messageKey(room, to+1)
	}
	if from > to {
		return
	}
	r.Scan(lower, upper, func(key, value []byte) bool {
		m, err := decodeMessage(room, seqOf(key), value)
		if err != nil {
			damaged(rowMessage)
		}
		return fn(m)
	})
}

// MyReaction is the reaction of a person to a message, 0 = none.
func MyReaction(r kernel.Reader, room ids.Room, seq uint64, user ids.User) byte {
	v, ok := r.Get(reactionKey(room, seq, user))
	if !ok {
		return 0
	}
	code, err := decodeReaction(v)
	if err != nil {
		damaged(rowReaction)
	}
	return code
}

// Reactors calls fn for the people who have reacted to a message, in the order of their ids, until it returns false.
func Reactors(r kernel.Reader, room ids.Room, seq uint64, fn func(user ids.User, reaction byte) bool) {
	lower, upper := reactionsOf(room, seq)
	r.Scan(lower, upper, func(key, value []byte) bool {
		code, err := decodeReaction(value)
		if err != nil {
			damaged(rowReaction)
		}
		return fn(reactionUser(key), code)
	})
}

// HasBlocked says whether who has blocked other.
func HasBlocked(r kernel.Reader, who, other ids.User) bool {
	_, ok := r.Get(blockKey(who, other))
	return ok
}

// Blocked lists whom who has blocked, in the order of their ids.
func Blocked(r kernel.Reader, who ids.User) (list []ids.User) {
	lower, upper := blocksOf(who)
	r.Scan(lower, upper, func(key, _ []byte) bool {
		list = append(list, blockOther(key))
		return true
	})
	return list
}

// HasBlock says that one person of this 1:1 blocks the other.
func HasBlock(r kernel.Reader, room ids.Room) bool {
	row, ok := GetRoom(r, room)
	return ok && row.blocked()
}

// CanType says whether the typing of user may be shown in room: to a present member's room, and in a 1:1 not when one
// blocks the other or an account is closed.
func CanType(r kernel.Reader, room ids.Room, user ids.User) bool {
	m, ok := GetMember(r, room, user)
	if !ok || !m.Present {
		return false
	}
	row, ok := GetRoom(r, room)
	return ok && !row.shut()
}
