package chat

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Values (integers big-endian; pos = epoch4 n8; the version byte is 1 in all of them but some b):
//
//	r   version1 kind1 next8 ord8 text8 pos12 members4, then
//	      1:1: (user10 state1) twice, the lower user first; in the self chat both are the same
//	      group: the title, to the end
//	    next = the next seq to be taken; ord = messages by people so far; text = seq of the newest of them, 0 = none;
//	    pos = where the room last took a seq. State of a person in a 1:1: 1 hidden (has left), 2 closed, 4 blocks the
//	    other. The rows i, z and k are where these come from; they are kept here because a send reads r anyway.
//	b   version1 state1 role1 joined8 read8 [joined8 read8]
//	    state: 1 present, 2 left; role: 0 member, 1 owner (who made the group). Version 2 has the second pair, of a 1:1 with
//	    a block in it: what the other person goes on seeing, wherever the first pair moves.
//	i   version1 flags1 pos12                     flags: 1 muted, 2 pinned, 4 left
//	x   version1 reaction1
//	k   version1
//	z   version1
//
// m: message.go. Every value has exactly one encoding: what decodes, encodes to the same bytes.
const version = 1

// Role of a member. It gives no rights yet.
const (
	RoleMember byte = 0
	RoleOwner  byte = 1
)

// Limits that Apply enforces.
const (
	MaxMembers = 3000 // people in a group
	MaxInvite  = 200  // people named by one CreateRoom or Invite
	MaxPinned  = 10   // pinned rooms of a person
)

// Reactions are 1..Reactions.
const Reactions = 6

// States of a person in the row of a 1:1.
const (
	peerHidden byte = 1
	peerClosed byte = 2
	peerBlocks byte = 4
)

var errRow = errors.New("malformed row")

// RoomRow is the row r of a room.
type RoomRow struct {
	Kind  byte
	Title string
	// NextSeq is the next sequence number to be taken: the newest row is NextSeq-1. Numbers start at 1.
	NextSeq uint64
	// Ord counts the messages by people so far; LastText is the seq of the newest of them, 0 = none.
	Ord, LastText uint64
	// Changed is where the room last took a number.
	Changed kernel.Position
	// Members are the present ones.
	Members uint32
	// Peers of a 1:1, the lower first; equal in the self chat.
	Peers [2]ids.User

	state [2]byte
}

const lenRoomHead = 1 + 1 + 8 + 8 + 8 + 12 + 4

func (r *RoomRow) append(b []byte) []byte {
	b = append(b, version, r.Kind)
	b = binary.BigEndian.AppendUint64(b, r.NextSeq)
	b = binary.BigEndian.AppendUint64(b, r.Ord)
	b = binary.BigEndian.AppendUint64(b, r.LastText)
	b = r.Changed.Append(b)
	b = binary.BigEndian.AppendUint32(b, r.Members)
	if r.Kind == ids.KindDirect {
		for i := range r.Peers {
			b = append(append(b, r.Peers[i][:]...), r.state[i])
		}
		return b
	}
	return append(b, r.Title...)
}

func (r *RoomRow) encode() []byte {
	return r.append(make([]byte, 0, lenRoomHead+2*(lenUser+1)+len(r.Title)))
}

func decodeRoom(b []byte) (r RoomRow, err error) {
	if len(b) < lenRoomHead || b[0] != version {
		return r, errRow
	}
	r.Kind = b[1]
	r.NextSeq = binary.BigEndian.Uint64(b[2:])
	r.Ord = binary.BigEndian.Uint64(b[10:])
	r.LastText = binary.BigEndian.Uint64(b[18:])
	r.Changed = position(b[26:])
	r.Members = binary.BigEndian.Uint32(b[38:])
	rest := b[lenRoomHead:]
	if r.NextSeq < 2 || r.Ord >= r.NextSeq || r.LastText >= r.NextSeq || r.Ord > r.LastText || r.Ord == 0 && r.LastText != 0 {
		return r, errRow
	}
	switch r.Kind {
	case ids.KindDirect:
		if len(rest) != 2*(lenUser+1) {
			return r, errRow
		}
		for i := range r.Peers {
			copy(r.Peers[i][:], rest[i*(lenUser+1):])
			r.state[i] = rest[i*(lenUser+1)+lenUser]
			if r.state[i] > peerHidden|peerClosed|peerBlocks {
				return r, errRow
			}
		}
		order, members := bytes.Compare(r.Peers[0][:], r.Peers[1][:]), uint32(2)
		if order == 0 {
			members = 1
		}
		self := order == 0 && (r.state[0] != r.state[1] || r.state[0]&peerBlocks != 0)
		if order > 0 || self || r.Members != members {
			return r, errRow
		}
	case ids.KindGroup:
		r.Title = string(rest)
	default:
		return r, errRow
	}
	return r, nil
}

// peer is the other person of a 1:1 (oneself in the self chat); ok = user is one of the two.
func (r *RoomRow) peer(user ids.User) (other ids.User, ok bool) {
	switch user {
	case r.Peers[0]:
		return r.Peers[1], true
	case r.Peers[1]:
		return r.Peers[0], true
	}
	return other, false
}

// has says whether user is in this state in a 1:1; set puts them into it or takes them out.
func (r *RoomRow) has(user ids.User, state byte) bool {
	return r.Kind == ids.KindDirect && (r.Peers[0] == user && r.state[0]&state != 0 || r.Peers[1] == user && r.state[1]&state != 0)
}

func (r *RoomRow) set(user ids.User, state byte, on bool) {
	for i := range r.Peers {
		if r.Peers[i] != user {
			continue
		}
		r.state[i] &^= state
		if on {
			r.state[i] |= state
		}
	}
}

// shut says that nothing may be sent in this 1:1: an account is closed, or one person blocks the other.
func (r *RoomRow) shut() bool {
	return r.Kind == ids.KindDirect && (r.state[0]|r.state[1])&(peerClosed|peerBlocks) != 0
}

// blocked says that one person of this 1:1 blocks the other.
func (r *RoomRow) blocked() bool {
	return r.Kind == ids.KindDirect && (r.state[0]|r.state[1])&peerBlocks != 0
}

// MemberRow is the row b of a person in a room.
type MemberRow struct {
	// Joined is the first seq the person may read, Read the last one they have read.
	Joined, Read uint64
	Present      bool
	Role         byte

	// frozen: there is a block in this 1:1; shownJoined and shownRead are the marks of before it.
	frozen                 bool
	shownJoined, shownRead uint64
}

// Shown are the marks that others may see: a block must not show by what is read after it, nor by what goes blank.
func (m MemberRow) Shown() (joined, read uint64) {
	if m.frozen {
		return m.shownJoined, m.shownRead
	}
	return m.Joined, m.Read
}

// Frozen says that the marks of before a block are known. They are not of one that began before behaviour 4, until they move.
func (m MemberRow) Frozen() bool { return m.frozen }

// freeze keeps what the other person of a 1:1 sees behind a block: when it begins, and before marks move behind one of
// before behaviour 4, whose logs had no such row. It tells whether they are kept now.
func (m *MemberRow) freeze(a *kernel.Apply, r *RoomRow) bool {
	if a.Behaviour >= 4 && !m.frozen && r.blocked() {
		m.frozen, m.shownJoined, m.shownRead = true, m.Joined, m.Read
	}
	return m.frozen
}

const (
	frozenVersion = 2
	lenMember     = 1 + 1 + 1 + 8 + 8
	lenFrozen     = lenMember + 8 + 8

	statePresent = 1
	stateLeft    = 2
)

func (m MemberRow) encode() []byte {
	state := byte(stateLeft)
	if m.Present {
		state = statePresent
	}
	b := append(make([]byte, 0, lenFrozen), version, state, m.Role)
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, m.Joined), m.Read)
	if m.frozen {
		b[0] = frozenVersion
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, m.shownJoined), m.shownRead)
	}
	return b
}

func decodeMember(b []byte) (m MemberRow, err error) {
	frozen := len(b) == lenFrozen && b[0] == frozenVersion
	if !frozen && (len(b) != lenMember || b[0] != version) || b[1] != statePresent && b[1] != stateLeft || b[2] > RoleOwner {
		return m, errRow
	}
	m = MemberRow{
		Present: b[1] == statePresent,
		Role:    b[2],
		Joined:  binary.BigEndian.Uint64(b[3:]),
		Read:    binary.BigEndian.Uint64(b[11:]),
	}
	if frozen {
		m.frozen, m.shownJoined, m.shownRead = true, binary.BigEndian.Uint64(b[19:]), binary.BigEndian.Uint64(b[27:])
		if m.shownJoined > m.Joined || m.shownRead > m.Read {
			return MemberRow{}, errRow
		}
	}
	return m, nil
}

// lineRow is the row i: what a person has set for a room, and where that last changed.
type lineRow struct {
	muted, pinned, left bool
	changed             kernel.Position
}

const (
	lenLine    = 1 + 1 + 12
	lineMuted  = 1
	linePinned = 2
	lineLeft   = 4
)

func (l lineRow) encode() []byte {
	flags := byte(0)
	if l.muted {
		flags |= lineMuted
	}
	if l.pinned {
		flags |= linePinned
	}
	if l.left {
		flags |= lineLeft
	}
	return l.changed.Append(append(make([]byte, 0, lenLine), version, flags))
}

func decodeLine(b []byte) (l lineRow, err error) {
	if len(b) != lenLine || b[0] != version || b[1] > lineMuted|linePinned|lineLeft {
		return l, errRow
	}
	return lineRow{
		muted:   b[1]&lineMuted != 0,
		pinned:  b[1]&linePinned != 0,
		left:    b[1]&lineLeft != 0,
		changed: position(b[2:]),
	}, nil
}

func encodeReaction(code byte) []byte { return []byte{version, code} }

func decodeReaction(b []byte) (code byte, err error) {
	if len(b) != 2 || b[0] != version || b[1] < 1 || b[1] > Reactions {
		return 0, errRow
	}
	return b[1], nil
}

// encodeMark is the value of k and z: that the row is there says it all.
func encodeMark() []byte { return []byte{version} }

func checkMark(b []byte) error {
	if len(b) != 1 || b[0] != version {
		return errRow
	}
	return nil
}

func position(b []byte) kernel.Position {
	return kernel.Position{Epoch: binary.BigEndian.Uint32(b), N: binary.BigEndian.Uint64(b[4:])}
}

// damaged ends the reading of a view that holds a row it cannot hold. The kernel treats it like any storage fault.
func damaged(kind byte) {
	panic(kernel.StorageFault{Err: fmt.Errorf("chat: row %c: %w", kind, errRow)})
}
