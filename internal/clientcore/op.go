package clientcore

import (
	"fmt"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// Kind of a change. The numbers are stored in outboxes: append-only.
type Kind byte

// Changes of rooms go over the WebSocket, changes of the account over HTTP.
const (
	KindSend       Kind = 1
	KindEdit       Kind = 2
	KindDelete     Kind = 3
	KindReact      Kind = 4
	KindInvite     Kind = 5
	KindLeave      Kind = 6
	KindRename     Kind = 7
	KindMute       Kind = 8
	KindPin        Kind = 9
	KindBlock      Kind = 10
	KindUnblock    Kind = 11
	KindCreateRoom Kind = 12

	KindAddFriend        Kind = 32
	KindRemoveFriend     Kind = 33
	KindSetProfile       Kind = 34
	KindChangePassword   Kind = 35
	KindDeleteAccount    Kind = 36
	KindRevokeDevices    Kind = 37
	KindLabelDevice      Kind = 38
	KindCreateInvitation Kind = 39
	KindRevokeInvitation Kind = 40
	KindSetPhoto         Kind = 41
)

// account says that the change is one of the account's, within people.
func (k Kind) account() bool { return k >= 32 }

// secret says that the change carries a password, which is never stored: after a restart it is given up.
func (k Kind) secret() bool { return k == KindChangePassword || k == KindDeleteAccount }

// rows says that a change that was let in takes a sequence number of its room.
func (k Kind) rows() bool { return k >= KindSend && k <= KindRename }

func (k Kind) known() bool {
	return k >= 1 && k <= KindCreateRoom || k >= 32 && k <= KindSetPhoto
}

// Op is one change that a user asks for. Which fields count depends on the kind.
type Op struct {
	Kind Kind
	// Room of a change in a room; of a CreateRoom it is filled in by the core.
	Room string
	// Peer of a 1:1, or the person a change is about.
	Peer string
	// Seq of the message changed.
	Seq uint64
	// Text of a message, title, label or invitation id.
	Text    string
	ReplyTo uint64
	// ReadSeq is what the author had read.
	ReadSeq  uint64
	Reaction uint32
	On       bool
	// List of people or devices.
	List []string
	// Bytes: the random of a CreateRoom, the secret's hash of an invitation, a photo.
	Bytes []byte
	// Uses and Days of an invitation.
	Uses, Days uint32
	// Name, Status and Profile are the fields of a SetProfile that change.
	Name, Status, Profile *string
	// Old and New passwords; never stored.
	Old, New string
}

const (
	scopeChat   = "chat"   // the account's scope within chat
	scopePeople = "people" // the account's scope within people
)

// place works out room and scope of an op.
func (c *Core) place(op *Op) (scopeKey string, err error) {
	switch {
	case !op.Kind.known():
		return "", fmt.Errorf("unknown kind of change %d", op.Kind)
	case op.Kind.account():
		return scopePeople, nil
	case op.Kind == KindBlock || op.Kind == KindUnblock:
		return scopeChat, nil
	case op.Kind == KindCreateRoom:
		if len(op.Bytes) != 16 {
			op.Bytes = c.random(16)
		}
		op.Room = ids.NewGroup(c.user, op.Bytes).String()
		return "new:" + op.Room, nil
	}
	if op.Room == "" {
		peer, err := ids.ParseUser(op.Peer)
		if err != nil {
			return "", fmt.Errorf("neither room nor person is given: %w", err)
		}
		op.Room = ids.Direct(c.user, peer).String()
		return op.Room, nil
	}
	r, err := ids.ParseRoom(op.Room)
	if err != nil {
		return "", fmt.Errorf("room: %w", err)
	}
	if known := c.rooms[op.Room]; r.Kind() == ids.KindDirect && op.Peer == "" && known != nil {
		op.Peer = known.peer
	}
	return op.Room, nil
}

func (c *Core) random(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 8 {
		v := c.cfg.Rand.Uint64()
		for j := i; j < n && j < i+8; j++ {
			b[j] = byte(v)
			v >>= 8
		}
	}
	return b
}

// frame builds the frame of a change of a room; always a new message, since frames are encoded later, elsewhere.
func (op *Op) frame(id uint64, name *apiv1.CommandName, epoch uint32) *livev1.Frame {
	f := &livev1.Frame{Id: id}
	switch op.Kind {
	case KindSend:
		r := &apiv1.SendRequest{Name: name, Text: op.Text, ReplyTo: op.ReplyTo, ReadSeq: op.ReadSeq}
		if r.Peer = op.Peer; r.Peer == "" {
			r.Room = op.Room
		}
		f.Body = &livev1.Frame_Send{Send: r}
	case KindEdit:
		f.Body = &livev1.Frame_Edit{Edit: &apiv1.EditRequest{Name: name, Room: op.Room, Seq: op.Seq, Text: op.Text}}
	case KindDelete:
		f.Body = &livev1.Frame_Delete{Delete: &apiv1.DeleteRequest{Name: name, Room: op.Room, Seq: op.Seq}}
	case KindReact:
		f.Body = &livev1.Frame_React{React: &apiv1.ReactRequest{Name: name, Room: op.Room, Seq: op.Seq, Reaction: op.Reaction}}
	case KindInvite:
		f.Body = &livev1.Frame_Invite{Invite: &apiv1.InviteRequest{Name: name, Room: op.Room, Members: op.List}}
	case KindLeave:
		f.Body = &livev1.Frame_Leave{Leave: &apiv1.LeaveRequest{Name: name, Room: op.Room}}
	case KindRename:
		f.Body = &livev1.Frame_Rename{Rename: &apiv1.RenameRequest{Name: name, Room: op.Room, Title: op.Text}}
	case KindMute:
		f.Body = &livev1.Frame_Mute{Mute: &apiv1.MuteRequest{Name: name, Room: op.Room, On: op.On}}
	case KindPin:
		f.Body = &livev1.Frame_Pin{Pin: &apiv1.PinRequest{Name: name, Room: op.Room, On: op.On}}
	case KindBlock:
		f.Body = &livev1.Frame_Block{Block: &apiv1.BlockRequest{Name: name, User: op.Peer}}
	case KindUnblock:
		f.Body = &livev1.Frame_Unblock{Unblock: &apiv1.UnblockRequest{Name: name, User: op.Peer}}
	case KindCreateRoom:
		f.Body = &livev1.Frame_CreateRoom{CreateRoom: &apiv1.CreateRoomRequest{
			Random: op.Bytes, Title: op.Text, Members: op.List, Epoch: epoch}}
	}
	return f
}

// skipFrame gives up the name of a change of a room. device is set when the name is one of an earlier device.
func (op *Op) skipFrame(id uint64, name *apiv1.CommandName, device string) *livev1.Frame {
	r := &apiv1.SkipRequest{Name: name, Device: device}
	switch {
	case op.Kind == KindBlock || op.Kind == KindUnblock:
	case op.Kind == KindSend && op.Peer != "":
		r.Peer = op.Peer
	default:
		r.Room = op.Room
	}
	return &livev1.Frame{Id: id, Body: &livev1.Frame_Skip{Skip: r}}
}

// Refusal is an error of the server, or of the client itself (Reason 0).
type Refusal struct {
	Reason   apiv1.Reason
	Subject  string
	Message  string
	Fields   []*apiv1.FieldViolation
	Consumed bool
	Again    bool
	N        uint64
	// RetryAfter in milliseconds.
	RetryAfter uint64
}

// after is how long the server wants to be left alone, in milliseconds; at most an hour, whatever it says.
func (r *Refusal) after() int64 {
	if r == nil {
		return 0
	}
	return int64(min(r.RetryAfter, 3600_000))
}

// RefusalOf takes the error of an answer; nil for none.
func RefusalOf(e *apiv1.ErrorInfo, message string) *Refusal {
	if e == nil {
		return nil
	}
	return &Refusal{Reason: e.Reason, Subject: e.Subject, Message: message, Fields: e.Fields, Consumed: e.Consumed,
		Again: e.Again, N: e.N, RetryAfter: e.RetryAfterMs}
}

// Result of an item.
type Result struct {
	// Err is nil when the change is durable and applied.
	Err *Refusal
	// GivenUp: the item is not in, because it was given up.
	GivenUp bool
	Room    string
	Seq     uint64
	Time    uint64
	// Repeated: an earlier attempt had been decided already.
	Repeated bool
	// Refused people of CreateRoom and Invite.
	Refused []string
	// at is the position of the answer: nothing that it tells of is later.
	at *apiv1.Position
	// Unstored: the item could not be stored and never left.
	Unstored error
}
