package chat

import (
	"encoding/binary"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// Keys begin with one letter for the kind of row; integers are big-endian, so that rows of a room sort by sequence.
//
//	r | room16               the room
//	m | room16 | seq8        one row of its sequence
//	b | room16 | user10      membership: the authority
//	i | user10 | room16      a line of the person's list
//	x | room16 | seq8 | user10   the reaction of one person to one message
//	k | user10 | user10      the first has blocked the second
//	z | user10               the account is closed
const (
	rowRoom     = 'r'
	rowMessage  = 'm'
	rowMember   = 'b'
	rowLine     = 'i'
	rowReaction = 'x'
	rowBlock    = 'k'
	rowClosed   = 'z'
)

const (
	lenUser = len(ids.User{})
	lenRoom = len(ids.Room{})

	lenRoomKey     = 1 + lenRoom
	lenMessageKey  = 1 + lenRoom + 8
	lenMemberKey   = 1 + lenRoom + lenUser
	lenLineKey     = 1 + lenUser + lenRoom
	lenReactionKey = 1 + lenRoom + 8 + lenUser
	lenBlockKey    = 1 + lenUser + lenUser
	lenClosedKey   = 1 + lenUser
)

func roomKey(room ids.Room) []byte {
	return append(append(make([]byte, 0, lenRoomKey), rowRoom), room[:]...)
}

func messageKey(room ids.Room, seq uint64) []byte {
	k := append(append(make([]byte, 0, lenMessageKey), rowMessage), room[:]...)
	return binary.BigEndian.AppendUint64(k, seq)
}

func memberKey(room ids.Room, user ids.User) []byte {
	return append(append(append(make([]byte, 0, lenMemberKey), rowMember), room[:]...), user[:]...)
}

func lineKey(user ids.User, room ids.Room) []byte {
	return append(append(append(make([]byte, 0, lenLineKey), rowLine), user[:]...), room[:]...)
}

func reactionKey(room ids.Room, seq uint64, user ids.User) []byte {
	k := append(append(make([]byte, 0, lenReactionKey), rowReaction), room[:]...)
	return append(binary.BigEndian.AppendUint64(k, seq), user[:]...)
}

func blockKey(who, other ids.User) []byte {
	return append(append(append(make([]byte, 0, lenBlockKey), rowBlock), who[:]...), other[:]...)
}

func closedKey(user ids.User) []byte {
	return append(append(make([]byte, 0, lenClosedKey), rowClosed), user[:]...)
}

// below is the range of keys that begin with prefix. The first byte of a prefix is a letter, so there is always an end.
func below(prefix []byte) (lower, upper []byte) {
	upper = append([]byte(nil), prefix...)
	for i := len(upper) - 1; ; i-- {
		upper[i]++
		if upper[i] != 0 {
			return prefix, upper[:i+1]
		}
	}
}

// linesOf and membersOf are the ranges of a person's lines and of a room's members.
func linesOf(user ids.User) (lower, upper []byte) {
	return below(append([]byte{rowLine}, user[:]...))
}

func membersOf(room ids.Room) (lower, upper []byte) {
	return below(append([]byte{rowMember}, room[:]...))
}

func blocksOf(who ids.User) (lower, upper []byte) {
	return below(append([]byte{rowBlock}, who[:]...))
}

// reactionsOf is the range of the reactions to one message.
func reactionsOf(room ids.Room, seq uint64) (lower, upper []byte) {
	return below(binary.BigEndian.AppendUint64(append([]byte{rowReaction}, room[:]...), seq))
}

// lineRoom and memberUser take the second half of a key that came out of the ranges above.
func lineRoom(key []byte) ids.Room   { return ids.Room(key[1+lenUser:]) }
func memberUser(key []byte) ids.User { return ids.User(key[1+lenRoom:]) }

func reactionUser(key []byte) ids.User { return ids.User(key[lenReactionKey-lenUser:]) }

func blockOther(key []byte) ids.User { return ids.User(key[1+lenUser:]) }
