package chat

import "github.com/bonghwa/bonghwa/internal/ids"

// Events of a command, in the order in which its effects happened. They are not part of the state.

// MessageAdded is a new row of a room. Whether a session may see it (joined number) is the gateway's question.
type MessageAdded struct {
	Message Message
	// Changed is the message that an edit, deletion or reaction changed, as it is now.
	Changed *Message
}

// MemberJoined: from now on User reads Room from Joined on. It also means that the person's line of the room changed.
type MemberJoined struct {
	Room   ids.Room
	User   ids.User
	Joined uint64
}

// MemberLeft: User is out of the group; the line is marked left. Nobody "leaves" a 1:1: see LineChanged.
type MemberLeft struct {
	Room ids.Room
	User ids.User
}

// ReadMoved is a new read mark, of a Read or of an own message, or one that a block kept from the other person so far. The
// person's badge changed with it.
type ReadMoved struct {
	Room ids.Room
	User ids.User
	Seq  uint64
}

// LineChanged: User's line of Room changed by mute, pin, block, or because a 1:1 was hidden or is shown again. For User
// only.
type LineChanged struct {
	Room ids.Room
	User ids.User
}

// BlockChanged: User's list of blocked people changed at Other. For User only: the other is never told.
type BlockChanged struct {
	User, Other ids.User
}
