package chat

import (
	"encoding/binary"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// Kinds of rows in a room's sequence; the numbers are those of the API's MessageKind.
const (
	KindText     byte = 1
	KindEdit     byte = 2
	KindDelete   byte = 3
	KindReaction byte = 4
	KindCreated  byte = 5
	KindInvited  byte = 6
	KindLeft     byte = 7
	KindRenamed  byte = 8
)

// Message is one row of a room's sequence.
type Message struct {
	Room   ids.Room
	Seq    uint64
	Kind   byte
	Author ids.User
	// Device and N are the author's name of the command. Texts only; for nobody but the author.
	Device ids.Device
	N      uint64
	// Time is the effective time in Unix ms, Ord the number of texts up to and including this row.
	Time, Ord uint64
	// Text of a message, or the new title of a rename. Empty when deleted.
	Text string
	// ReplyTo is the seq answered, Edited the time of the last edit, 0 = none.
	ReplyTo, Edited uint64
	Deleted         bool
	// Target is the seq that an edit, deletion or reaction changed; Reaction is what was set, 0 = taken back.
	Target   uint64
	Reaction byte
	// Users who were added by a created or invited row; in the former without its author.
	Users []ids.User
	// Reactions counts the people per reaction: Reactions[0] is of reaction 1.
	Reactions [Reactions]uint32
}

// Value of m:
//
//	version1 kind1 time8 user10 ord8, then
//	  text               flags1 device16 n8 [reply8] [edited8] [reactions 6x4] text, to the end
//	                     flags: 1 deleted (then no reply, no edited, no text), 2 reply, 4 edited, 8 reactions
//	  edit, delete       target8
//	  reaction           target8 reaction1
//	  created, invited   user10 each, to the end
//	  left               nothing
//	  renamed            title, to the end
const (
	lenMessageHead = 1 + 1 + 8 + lenUser + 8
	offsetOrd      = 1 + 1 + 8 + lenUser

	flagDeleted   = 1
	flagReply     = 2
	flagEdited    = 4
	flagReactions = 8
)

func (m *Message) encode() []byte {
	// Room for all but an optional field of a text; those are rare.
	b := make([]byte, 0, lenMessageHead+1+len(m.Device)+8+len(m.Text)+lenUser*len(m.Users))
	b = append(b, version, m.Kind)
	b = binary.BigEndian.AppendUint64(b, m.Time)
	b = append(b, m.Author[:]...)
	b = binary.BigEndian.AppendUint64(b, m.Ord)
	switch m.Kind {
	case KindText:
		b = m.appendText(b)
	case KindEdit, KindDelete:
		b = binary.BigEndian.AppendUint64(b, m.Target)
	case KindReaction:
		b = append(binary.BigEndian.AppendUint64(b, m.Target), m.Reaction)
	case KindCreated, KindInvited:
		for i := range m.Users {
			b = append(b, m.Users[i][:]...)
		}
	case KindRenamed:
		b = append(b, m.Text...)
	}
	return b
}

func (m *Message) appendText(b []byte) []byte {
	flags := byte(0)
	if m.Deleted {
		flags |= flagDeleted
	}
	if m.ReplyTo != 0 {
		flags |= flagReply
	}
	if m.Edited != 0 {
		flags |= flagEdited
	}
	if m.Reactions != [Reactions]uint32{} {
		flags |= flagReactions
	}
	b = append(append(b, flags), m.Device[:]...)
	b = binary.BigEndian.AppendUint64(b, m.N)
	if flags&flagReply != 0 {
		b = binary.BigEndian.AppendUint64(b, m.ReplyTo)
	}
	if flags&flagEdited != 0 {
		b = binary.BigEndian.AppendUint64(b, m.Edited)
	}
	if flags&flagReactions != 0 {
		for _, n := range m.Reactions {
			b = binary.BigEndian.AppendUint32(b, n)
		}
	}
	return append(b, m.Text...)
}

// decodeMessage reads the value of m; room and seq are those of the key. ord <= seq, and a target lies before its row.
func decodeMessage(room ids.Room, seq uint64, b []byte) (m Message, err error) {
	if len(b) < lenMessageHead || b[0] != version {
		return m, errRow
	}
	m.Room, m.Seq, m.Kind = room, seq, b[1]
	m.Time = binary.BigEndian.Uint64(b[2:])
	copy(m.Author[:], b[10:])
	m.Ord = binary.BigEndian.Uint64(b[offsetOrd:])
	if seq == 0 || m.Ord > seq {
		return m, errRow
	}
	b = b[lenMessageHead:]
	switch m.Kind {
	case KindText:
		return m, m.decodeText(b)
	case KindEdit, KindDelete, KindReaction:
		want := 8
		if m.Kind == KindReaction {
			want++
		}
		if len(b) != want {
			return m, errRow
		}
		m.Target = binary.BigEndian.Uint64(b)
		if m.Kind == KindReaction {
			m.Reaction = b[8]
		}
		if m.Target == 0 || m.Target >= seq || m.Reaction > Reactions {
			return m, errRow
		}
	case KindCreated, KindInvited:
		n := len(b) / lenUser
		if len(b)%lenUser != 0 || n > MaxInvite || m.Kind == KindInvited && n == 0 || m.Kind == KindCreated && seq != 1 {
			return m, errRow
		}
		m.Users = make([]ids.User, n)
		for i := range m.Users {
			copy(m.Users[i][:], b[i*lenUser:])
		}
	case KindLeft:
		if len(b) != 0 {
			return m, errRow
		}
	case KindRenamed:
		m.Text = string(b)
	default:
		return m, errRow
	}
	return m, nil
}

func (m *Message) decodeText(b []byte) error {
	if len(b) < 1+len(m.Device)+8 {
		return errRow
	}
	flags := b[0]
	copy(m.Device[:], b[1:])
	m.N = binary.BigEndian.Uint64(b[1+len(m.Device):])
	b = b[1+len(m.Device)+8:]
	if flags > flagDeleted|flagReply|flagEdited|flagReactions || m.N == 0 || m.Ord == 0 {
		return errRow
	}
	if flags&flagReply != 0 {
		if len(b) < 8 {
			return errRow
		}
		m.ReplyTo, b = binary.BigEndian.Uint64(b), b[8:]
		if m.ReplyTo == 0 || m.ReplyTo >= m.Seq {
			return errRow
		}
	}
	if flags&flagEdited != 0 {
		if len(b) < 8 {
			return errRow
		}
		m.Edited, b = binary.BigEndian.Uint64(b), b[8:]
		if m.Edited == 0 {
			return errRow
		}
	}
	if flags&flagReactions != 0 {
		if len(b) < 4*Reactions {
			return errRow
		}
		for i := range m.Reactions {
			m.Reactions[i], b = binary.BigEndian.Uint32(b), b[4:]
		}
		if m.Reactions == [Reactions]uint32{} {
			return errRow
		}
	}
	m.Deleted = flags&flagDeleted != 0
	if m.Deleted && (len(b) != 0 || m.ReplyTo != 0 || m.Edited != 0) {
		return errRow
	}
	m.Text = string(b)
	return nil
}

// erase takes the content from a text: the row stays, since its ord counts.
func (m *Message) erase() {
	m.Text, m.ReplyTo, m.Edited, m.Deleted = "", 0, 0, true
}
