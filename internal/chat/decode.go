package chat

import (
	"errors"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

var (
	errTooLarge  = errors.New("chat: command too large")
	errBytes     = errors.New("chat: not a command")
	errOperation = errors.New("chat: unknown operation")
	errName      = errors.New("chat: malformed name")
	errID        = errors.New("chat: malformed id")
)

// head is what every command carries.
type head struct {
	User ids.User
	Room ids.Room
	name kernel.Name
	// named commands have a name; in account scope it is the user's, else the room's.
	named, account bool
}

// Named is the name and its scope: the 16 bytes of the room, or the 10 of the user.
func (h *head) Named() ([]byte, *kernel.Name) {
	switch {
	case !h.named:
		return nil, nil
	case h.account:
		return h.User[:], &h.name
	default:
		return h.Room[:], &h.name
	}
}

// IsSkip is false for every command but Skip.
func (h *head) IsSkip() bool { return false }

func (h *head) where() (ids.Room, bool) { return h.Room, !h.account }

// What a command's head must hold. Fields that are not asked for are ignored.
const (
	needRoom = 1 << iota
	needName
	inAccount
)

// Decode parses a command from the log. Malformed, and the end of replay, are: more than kernel.MaxCommand bytes, bytes
// that are no ChatCommand, an operation that is not known, a name that is missing where it is needed or is no name
// (16 and 8 bytes, 1 <= base <= n), a user that is not 10 bytes, a room that is not 16 bytes or of no known kind.
// Everything else is for Apply to refuse. The gateway decodes what it is about to submit, so that nothing malformed
// gets into the log.
func (d *Domain) Decode(b []byte) (kernel.Command, error) {
	if len(b) > kernel.MaxCommand {
		return nil, errTooLarge
	}
	var w logv1.ChatCommand
	if err := proto.Unmarshal(b, &w); err != nil {
		return nil, errBytes
	}
	c, err := decode(&w)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func decode(w *logv1.ChatCommand) (kernel.Command, error) {
	switch op := w.Op.(type) {
	case *logv1.ChatCommand_Send:
		return decodeSend(w, op.Send)
	case *logv1.ChatCommand_Read:
		h, err := decodeHead(w, needRoom)
		return &read{head: h, Seq: op.Read.GetSeq()}, err
	case *logv1.ChatCommand_Edit:
		h, err := decodeHead(w, needRoom|needName)
		return &edit{head: h, Seq: op.Edit.GetSeq(), Text: op.Edit.GetText()}, err
	case *logv1.ChatCommand_Delete:
		h, err := decodeHead(w, needRoom|needName)
		return &remove{head: h, Seq: op.Delete.GetSeq()}, err
	case *logv1.ChatCommand_React:
		h, err := decodeHead(w, needRoom|needName)
		return &react{head: h, Seq: op.React.GetSeq(), Reaction: op.React.GetReaction()}, err
	case *logv1.ChatCommand_CreateRoom:
		return decodeCreate(w, op.CreateRoom)
	case *logv1.ChatCommand_Invite:
		return decodeInvite(w, op.Invite)
	case *logv1.ChatCommand_Leave:
		h, err := decodeHead(w, needRoom|needName)
		return &leave{head: h}, err
	case *logv1.ChatCommand_Rename:
		h, err := decodeHead(w, needRoom|needName)
		return &rename{head: h, Title: op.Rename.GetTitle()}, err
	case *logv1.ChatCommand_Mute:
		h, err := decodeHead(w, needRoom|needName)
		return &mute{head: h, On: op.Mute.GetOn()}, err
	case *logv1.ChatCommand_Pin:
		h, err := decodeHead(w, needRoom|needName)
		return &pin{head: h, On: op.Pin.GetOn()}, err
	case *logv1.ChatCommand_Block:
		return decodeBlock(w, op.Block.GetOther(), true)
	case *logv1.ChatCommand_Unblock:
		return decodeBlock(w, op.Unblock.GetOther(), false)
	case *logv1.ChatCommand_Skip:
		return decodeSkip(w)
	case *logv1.ChatCommand_Typing:
		h, err := decodeHead(w, needRoom)
		return &Typing{User: h.User, Room: h.Room, Stopped: op.Typing.GetStopped()}, err
	case *logv1.ChatCommand_CloseUser:
		h, err := decodeHead(w, inAccount)
		return &closeUser{head: h}, err
	}
	return nil, errOperation
}

func decodeHead(w *logv1.ChatCommand, need int) (h head, err error) {
	if h.User, err = ids.UserOf(w.User); err != nil {
		return h, errID
	}
	h.account = need&inAccount != 0
	if need&needRoom != 0 {
		if h.Room, err = ids.RoomOf(w.Room); err != nil {
			return h, errID
		}
		if k := h.Room.Kind(); k != ids.KindDirect && k != ids.KindGroup {
			return h, errID
		}
	}
	if need&needName != 0 {
		h.named = true
		h.name, err = decodeName(w.Name)
	}
	return h, err
}

func decodeName(w *logv1.Name) (n kernel.Name, err error) {
	if n.Device, err = ids.DeviceOf(w.GetDevice()); err != nil {
		return n, errName
	}
	n.N, n.Base = w.GetN(), w.GetBase()
	if len(w.GetTag()) != len(n.Tag) || n.Base == 0 || n.Base > n.N {
		return n, errName
	}
	copy(n.Tag[:], w.GetTag())
	return n, nil
}

func decodeUsers(bs [][]byte) ([]ids.User, error) {
	us := make([]ids.User, len(bs))
	for i, b := range bs {
		u, err := ids.UserOf(b)
		if err != nil {
			return nil, errID
		}
		us[i] = u
	}
	return us, nil
}

// skip consumes a name; with no room, one of the account's scope.
type skip struct{ head }

func decodeSkip(w *logv1.ChatCommand) (kernel.Command, error) {
	need := needRoom | needName
	if len(w.Room) == 0 {
		need = inAccount | needName
	}
	h, err := decodeHead(w, need)
	return &skip{head: h}, err
}

// IsSkip is true.
func (c *skip) IsSkip() bool { return true }

func (c *skip) apply(*kernel.Apply) kernel.Verdict { return refuse(kernel.Skipped) }

// Typing is ephemeral: sessions see it, the state does not.
type Typing struct {
	User    ids.User
	Room    ids.Room
	Stopped bool
}

// Named says that it has no name.
func (*Typing) Named() ([]byte, *kernel.Name) { return nil, nil }

// IsSkip is false.
func (*Typing) IsSkip() bool { return false }
