package gateway

import (
	"sync"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// caller is who asks: a session as the view knows it.
type caller struct {
	user    ids.User
	device  ids.Device
	token   ids.Token
	oneTime bool
}

// scope of a command's name within chat: a room, or the account.
type scope struct {
	account bool
	room    ids.Room
}

// command is a chat command on its way from the API to the log.
type command struct {
	scope scope
	// name is nil on unnamed commands.
	name *apiv1.CommandName
	// epoch the client states, 0 = none.
	epoch uint32
	// room it concerns, for the answer; peer of a 1:1.
	room ids.Room
	peer ids.User
	// invited are the people to be added; absent those who have no account here.
	invited, absent []ids.User
	bytes           []byte
}

// named is a request with a name: all changes but CreateRoom, MarkRead and Typing.
type named interface{ GetName() *apiv1.CommandName }

// aim finds out a command's scope and name: what is needed to say held, expected or rolled_back about it.
func (g *Gateway) aim(c *caller, m proto.Message, cmd *command) error {
	if n, ok := m.(named); ok {
		if cmd.name = n.GetName(); cmd.name != nil {
			cmd.epoch = cmd.name.Epoch
		}
	}
	switch m := m.(type) {
	case *apiv1.CreateRoomRequest:
		cmd.epoch = m.Epoch
		cmd.room = ids.NewGroup(c.user, m.Random)
	case *apiv1.MarkReadRequest:
		cmd.epoch = m.Epoch
		return cmd.inRoom(m.Room)
	case *apiv1.BlockRequest, *apiv1.UnblockRequest:
		cmd.scope.account = true
	case *apiv1.SendRequest:
		return g.aimAt(c, cmd, m.Room, m.Peer)
	case *apiv1.SkipRequest:
		if m.Room == "" && m.Peer == "" {
			cmd.scope.account = true
			return nil
		}
		if m.Peer == "" {
			return cmd.inRoom(m.Room)
		}
		return g.aimAt(c, cmd, m.Room, m.Peer)
	case interface{ GetRoom() string }:
		return cmd.inRoom(m.GetRoom())
	}
	return nil
}

func (cmd *command) inRoom(room string) error {
	r, err := ids.ParseRoom(room)
	if err != nil || r.Kind() != ids.KindDirect && r.Kind() != ids.KindGroup {
		return invalid("room", "id", "is not a room id")
	}
	cmd.room, cmd.scope.room = r, r
	return nil
}

// aimAt takes a room, or the peer of a 1:1, or both when they agree.
func (g *Gateway) aimAt(c *caller, cmd *command, room, peer string) error {
	if peer == "" {
		return cmd.inRoom(room)
	}
	p, err := ids.ParseUser(peer)
	if err != nil {
		return invalid("peer", "id", "is not a user id")
	}
	r := ids.Direct(c.user, p)
	if room != "" && room != r.String() {
		return invalid("room", "peer", "is not the 1:1 with peer")
	}
	cmd.room, cmd.scope.room, cmd.peer = r, r, p
	return nil
}

// checkEpoch refuses a command of a client that lives in another epoch.
func (g *Gateway) checkEpoch(epoch uint32) error {
	if epoch != 0 && epoch != g.k.Position().Epoch {
		return fail(apiv1.Reason_REASON_ROLLED_BACK)
	}
	return nil
}

// fill makes the bytes for the log. aim came before.
func (g *Gateway) fill(c *caller, m proto.Message, cmd *command) error {
	out := &logv1.ChatCommand{User: c.user[:]}
	if cmd.name != nil {
		out.Name = logName(c.device, cmd.name)
	}
	if !cmd.scope.account {
		out.Room = cmd.room[:]
	}
	var err error
	switch m := m.(type) {
	case *apiv1.SendRequest:
		err = g.fillSend(c, m, cmd, out)
	case *apiv1.EditRequest:
		err = fillEdit(m, out)
	case *apiv1.DeleteRequest:
		out.Op = &logv1.ChatCommand_Delete{Delete: &logv1.Delete{Seq: m.Seq}}
	case *apiv1.ReactRequest:
		out.Op = &logv1.ChatCommand_React{React: &logv1.React{Seq: m.Seq, Reaction: m.Reaction}}
	case *apiv1.MarkReadRequest:
		out.Op = &logv1.ChatCommand_Read{Read: &logv1.Read{Seq: m.Seq}}
	case *apiv1.SkipRequest:
		err = fillSkip(m, out)
	case *apiv1.CreateRoomRequest:
		err = g.fillCreate(c, m, cmd, out)
	case *apiv1.InviteRequest:
		err = g.fillInvite(c, m, cmd, out)
	case *apiv1.LeaveRequest:
		out.Op = &logv1.ChatCommand_Leave{Leave: &logv1.Leave{}}
	case *apiv1.RenameRequest:
		err = fillRename(m, out)
	case *apiv1.MuteRequest:
		out.Op = &logv1.ChatCommand_Mute{Mute: &logv1.Mute{On: m.On}}
	case *apiv1.PinRequest:
		if err := g.pace(g.tries.pins, string(c.user[:])); err != nil {
			return err
		}
		out.Op = &logv1.ChatCommand_Pin{Pin: &logv1.Pin{On: m.On}}
	case *apiv1.BlockRequest:
		err = g.fillBlock(c, m.User, true, out)
	case *apiv1.UnblockRequest:
		err = g.fillBlock(c, m.User, false, out)
	default:
		return fail(apiv1.Reason_REASON_INVALID)
	}
	if err != nil {
		return err
	}
	if cmd.bytes, err = proto.Marshal(out); err != nil {
		return err
	}
	if len(cmd.bytes) > kernel.MaxCommand {
		return fail(apiv1.Reason_REASON_TOO_LARGE)
	}
	return nil
}

func logName(d ids.Device, n *apiv1.CommandName) *logv1.Name {
	return &logv1.Name{Device: d[:], N: n.N, Tag: n.Tag, Base: n.Base}
}

// directs remembers the two people of 1:1 rooms whose accounts are known to exist, so that a send does not read them
// each time. Neither ever changes; that an account was closed meanwhile is chat's own verdict.
type directs struct {
	mu struct {
		sync.RWMutex
		rooms map[ids.Room][2]ids.User
	}
}

const maxDirects = 1 << 16

func (d *directs) get(room ids.Room) ([2]ids.User, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	p, ok := d.mu.rooms[room]
	return p, ok
}

func (d *directs) put(room ids.Room, a, b ids.User) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mu.rooms == nil || len(d.mu.rooms) >= maxDirects {
		d.mu.rooms = map[ids.Room][2]ids.User{}
	}
	d.mu.rooms[room] = [2]ids.User{a, b}
}

// peerOf makes sure that the other person of a 1:1 is known and has an account. cmd.peer may be set already.
func (g *Gateway) peerOf(c *caller, cmd *command) error {
	if both, ok := g.directs.get(cmd.room); ok {
		return cmd.setPeer(c, both)
	}
	if cmd.peer == (ids.User{}) {
		s := g.k.Snapshot(kernel.DomainChat)
		row, ok := chat.GetRoom(s, cmd.room)
		s.Close()
		if !ok {
			return failOn(apiv1.Reason_REASON_UNKNOWN_ROOM, cmd.room.String())
		}
		if err := cmd.setPeer(c, row.Peers); err != nil {
			return err
		}
	}
	s := g.k.Snapshot(kernel.DomainPeople)
	defer s.Close()
	if a, ok := people.GetAccount(s, cmd.peer); !ok || a.Closed {
		return failOn(apiv1.Reason_REASON_CANNOT_RECEIVE, cmd.peer.String())
	}
	if err := g.openDirect(c, cmd, s); err != nil {
		return err
	}
	g.directs.put(cmd.room, c.user, cmd.peer)
	return nil
}

// openDirect makes sure that both may have one more room, if the 1:1 is not there yet.
func (g *Gateway) openDirect(c *caller, cmd *command, accounts kernel.Reader) error {
	if err := g.enterNew(c, cmd.room); err != nil {
		return err
	}
	s := g.k.Snapshot(kernel.DomainChat)
	defer s.Close()
	if _, ok := chat.GetRoom(s, cmd.room); !ok && cmd.peer != c.user && !g.placeFor(s, accounts, cmd.peer, c) {
		return failOn(apiv1.Reason_REASON_CANNOT_RECEIVE, cmd.peer.String())
	}
	return nil
}

func (cmd *command) setPeer(c *caller, both [2]ids.User) error {
	switch c.user {
	case both[0]:
		cmd.peer = both[1]
	case both[1]:
		cmd.peer = both[0]
	default:
		return failOn(apiv1.Reason_REASON_NOT_MEMBER, cmd.room.String())
	}
	return nil
}
