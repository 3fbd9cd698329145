package gateway

import (
	"context"
	"fmt"
	"sort"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// chats is ChatService: rooms and messages.
type chats struct{ g *Gateway }

// change submits a chat command and waits.
func (c chats) change(ctx context.Context, m proto.Message) (*apiv1.ChangeResponse, error) {
	res, _, err := c.submit(ctx, m)
	if err != nil {
		return nil, err
	}
	return changeOf(res), nil
}

func (c chats) submit(ctx context.Context, m proto.Message) (kernel.Result, *command, error) {
	cmd := &command{}
	who := callerOf(ctx)
	if err := c.g.aim(who, m, cmd); err != nil {
		return kernel.Result{}, nil, err
	}
	if err := c.g.checkEpoch(cmd.epoch); err != nil {
		return kernel.Result{}, nil, err
	}
	if err := c.g.fill(who, m, cmd); err != nil {
		return kernel.Result{}, nil, err
	}
	res, err := c.g.submit(ctx, kernel.DomainChat, cmd.bytes)
	return res, cmd, err
}

func (c chats) CreateRoom(ctx context.Context, r *apiv1.CreateRoomRequest) (*apiv1.CreateRoomResponse, error) {
	res, cmd, err := c.submit(ctx, r)
	if err != nil {
		return nil, err
	}
	return &apiv1.CreateRoomResponse{Room: cmd.room.String(), Position: position(res.Pos), Refused: c.g.refusedOf(callerOf(ctx), cmd)}, nil
}

func (c chats) Send(ctx context.Context, r *apiv1.SendRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Edit(ctx context.Context, r *apiv1.EditRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Delete(ctx context.Context, r *apiv1.DeleteRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) React(ctx context.Context, r *apiv1.ReactRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) MarkRead(ctx context.Context, r *apiv1.MarkReadRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Invite(ctx context.Context, r *apiv1.InviteRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Leave(ctx context.Context, r *apiv1.LeaveRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Rename(ctx context.Context, r *apiv1.RenameRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Mute(ctx context.Context, r *apiv1.MuteRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Pin(ctx context.Context, r *apiv1.PinRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Block(ctx context.Context, r *apiv1.BlockRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Unblock(ctx context.Context, r *apiv1.UnblockRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

func (c chats) Skip(ctx context.Context, r *apiv1.SkipRequest) (*apiv1.ChangeResponse, error) {
	return c.change(ctx, r)
}

// listed orders lines: newest change first, the room's id deciding among equals.
type listed struct {
	room    ids.Room
	changed kernel.Position
}

func (a listed) before(b listed) bool {
	if a.changed != b.changed {
		return b.changed.Less(a.changed)
	}
	return string(a.room[:]) < string(b.room[:])
}

// page is where the next page of a list begins: after this line.
func (a listed) page() string { return fmt.Sprintf("%d.%d.%s", a.changed.Epoch, a.changed.N, a.room) }

func parsePage(s string) (l listed, err error) {
	var room string
	if n, err := fmt.Sscanf(s, "%d.%d.%s", &l.changed.Epoch, &l.changed.N, &room); err != nil || n != 3 {
		return l, invalid("page", "page", "is not a page of an answer")
	}
	if l.room, err = ids.ParseRoom(room); err != nil {
		return l, invalid("page", "page", "is not a page of an answer")
	}
	return l, nil
}

// ListRooms pages through a moving list: a room that changes meanwhile moves to the front, where its change is an event.
func (c chats) ListRooms(ctx context.Context, r *apiv1.ListRoomsRequest) (*apiv1.ListRoomsResponse, error) {
	who := callerOf(ctx)
	if err := c.g.atLeast(ctx, r.ChangedSince); err != nil {
		return nil, err
	}
	since := kernel.Position{Epoch: r.ChangedSince.GetEpoch(), N: r.ChangedSince.GetN()}
	var after listed
	if r.Page != "" {
		var err error
		if after, err = parsePage(r.Page); err != nil {
			return nil, err
		}
	}
	limit := int(r.Limit)
	if limit == 0 {
		limit = 100
	}
	out := &apiv1.ListRoomsResponse{}
	return out, c.g.read(kernel.DomainChat, func(s kernel.Snapshot) error {
		var all []listed
		chat.Lines(s, who.user, func(l chat.Line) bool {
			at := listed{l.Room, l.Changed}
			if (r.ChangedSince == nil || since.Less(l.Changed)) && (r.Page == "" || after.before(at)) {
				all = append(all, at)
			}
			return true
		})
		sort.Slice(all, func(i, j int) bool { return all[i].before(all[j]) })
		if len(all) > limit {
			all = all[:limit]
			out.NextPage = all[limit-1].page()
		}
		for _, at := range all {
			if l, ok := chat.GetLine(s, who.user, at.room); ok {
				out.Rooms = append(out.Rooms, roomOf(s, &l, who))
			}
		}
		out.Position = position(s.Position())
		return nil
	})
}

func roomID(s string) (ids.Room, error) {
	room, err := ids.ParseRoom(s)
	if err != nil {
		return room, invalid("room", "id", "is not a room id")
	}
	return room, nil
}

func (c chats) GetRoom(ctx context.Context, r *apiv1.GetRoomRequest) (*apiv1.GetRoomResponse, error) {
	who := callerOf(ctx)
	room, err := roomID(r.Room)
	if err != nil {
		return nil, err
	}
	out := &apiv1.GetRoomResponse{}
	return out, c.g.read(kernel.DomainChat, func(s kernel.Snapshot) error {
		l, ok := chat.GetLine(s, who.user, room)
		if !ok {
			return failOn(apiv1.Reason_REASON_UNKNOWN_ROOM, r.Room)
		}
		out.Room, out.Position = roomOf(s, &l, who), position(s.Position())
		return nil
	})
}

func (c chats) OpenDirect(ctx context.Context, r *apiv1.OpenDirectRequest) (*apiv1.OpenDirectResponse, error) {
	who := callerOf(ctx)
	peer, err := ids.ParseUser(r.Peer)
	if err != nil {
		return nil, invalid("peer", "id", "is not a user id")
	}
	room := ids.Direct(who.user, peer)
	out := &apiv1.OpenDirectResponse{Room: room.String()}
	err = c.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		a, ok := people.GetAccount(s, peer)
		if !ok {
			return failOn(apiv1.Reason_REASON_UNKNOWN_USER, r.Peer)
		}
		out.Peer = userOf(&a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, c.g.read(kernel.DomainChat, func(s kernel.Snapshot) error {
		_, out.Exists = chat.GetRoom(s, room)
		return nil
	})
}

// member is a present member's row, or NOT_MEMBER: whether a room exists is nobody else's business.
func member(s kernel.Reader, room ids.Room, u ids.User) (chat.MemberRow, error) {
	m, ok := chat.GetMember(s, room, u)
	if !ok || !m.Present {
		return m, failOn(apiv1.Reason_REASON_NOT_MEMBER, room.String())
	}
	return m, nil
}

// ListMembers shows marks as far as the caller may see them: in a 1:1 with a block in it those of before the block.
func (c chats) ListMembers(ctx context.Context, r *apiv1.ListMembersRequest) (*apiv1.ListMembersResponse, error) {
	who := callerOf(ctx)
	room, err := roomID(r.Room)
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListMembersResponse{}
	return out, c.g.read(kernel.DomainChat, func(s kernel.Snapshot) error {
		if _, err := member(s, room, who.user); err != nil {
			return err
		}
		blocked := room.Kind() == ids.KindDirect && chat.HasBlock(s, room)
		chat.Members(s, room, func(u ids.User, m chat.MemberRow) bool {
			row := &apiv1.Member{User: u.String(), JoinedSeq: m.Joined, ReadSeq: m.Read}
			if u != who.user {
				row.JoinedSeq, row.ReadSeq = m.Shown()
				if blocked && !m.Frozen() {
					row.ReadSeq = 0 // what was read before the block is not known any more
				}
			}
			out.Members = append(out.Members, row)
			return true
		})
		out.Position = position(s.Position())
		return nil
	})
}

// historyBytes ends an answer early: 200 of the longest messages would be 8 MB.
const historyBytes = 1 << 20

func (c chats) History(ctx context.Context, r *apiv1.HistoryRequest) (*apiv1.HistoryResponse, error) {
	who := callerOf(ctx)
	room, err := roomID(r.Room)
	if err != nil {
		return nil, err
	}
	if err := c.g.atLeast(ctx, r.AtLeast); err != nil {
		return nil, err
	}
	limit := uint64(r.Limit)
	if limit == 0 {
		limit = 50
	}
	out := &apiv1.HistoryResponse{}
	return out, c.g.read(kernel.DomainChat, func(s kernel.Snapshot) error {
		m, err := member(s, room, who.user)
		if err != nil {
			return err
		}
		row, ok := chat.GetRoom(s, room)
		if !ok {
			return failOn(apiv1.Reason_REASON_UNKNOWN_ROOM, r.Room)
		}
		out.LastSeq, out.JoinedSeq, out.Position = row.NextSeq-1, m.Joined, position(s.Position())
		from, to := window(r.From, r.Backward, limit, max(m.Joined, 1), out.LastSeq)
		if from == 0 {
			return nil
		}
		size := 0
		add := func(msg chat.Message) bool {
			out.Messages = append(out.Messages, c.g.historyRow(s, &msg, who, m.Joined))
			size += len(msg.Text) + 100
			return size < historyBytes
		}
		if !r.Backward {
			chat.History(s, room, from, to, add)
			return nil
		}
		// Newest first, so that what is cut off is the far end; the answer is ascending all the same.
		for seq := to; seq >= from; seq-- {
			if msg, ok := chat.GetMessage(s, room, seq); ok && !add(msg) {
				break
			}
		}
		for i, j := 0, len(out.Messages)-1; i < j; i, j = i+1, j-1 {
			out.Messages[i], out.Messages[j] = out.Messages[j], out.Messages[i]
		}
		return nil
	})
}

// window is the range of sequence numbers of a page; from = 0: empty.
func window(from uint64, backward bool, limit, first, last uint64) (lo, hi uint64) {
	if backward {
		hi = last
		if from != 0 && from < last {
			hi = from
		}
		lo = first
		if hi >= limit && hi-limit+1 > first {
			lo = hi - limit + 1
		}
	} else {
		lo = max(from, first)
		hi = last
		if lo <= last && last-lo >= limit {
			hi = lo + limit - 1
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

// historyRow is a row for one reader: with the author's own name for it, the reader's reaction, and the target of a
// change where it may be read.
func (g *Gateway) historyRow(s kernel.Reader, m *chat.Message, who *caller, joined uint64) *apiv1.Message {
	out := messageOf(m, nameFor(m, who.user, who.device))
	switch m.Kind {
	case chat.KindText:
		if m.Reactions != [chat.Reactions]uint32{} {
			out.MyReaction = uint32(chat.MyReaction(s, m.Room, m.Seq, who.user))
		}
	case chat.KindEdit, chat.KindDelete, chat.KindReaction:
		if m.Target >= joined {
			if t, ok := chat.GetMessage(s, m.Room, m.Target); ok {
				out.Changed = messageOf(&t, nameFor(&t, who.user, who.device))
			}
		}
	}
	return out
}

// maxReactors bounds the answer to who reacted.
const maxReactors = 200

func (c chats) ListReactions(ctx context.Context, r *apiv1.ListReactionsRequest) (*apiv1.ListReactionsResponse, error) {
	who := callerOf(ctx)
	room, err := roomID(r.Room)
	if err != nil {
		return nil, err
	}
	out := &apiv1.ListReactionsResponse{}
	return out, c.g.read(kernel.DomainChat, func(s kernel.Snapshot) error {
		m, err := member(s, room, who.user)
		if err != nil {
			return err
		}
		if msg, ok := chat.GetMessage(s, room, r.Seq); !ok || r.Seq < m.Joined || msg.Kind != chat.KindText {
			return failOn(apiv1.Reason_REASON_UNKNOWN_MESSAGE, r.Room)
		}
		chat.Reactors(s, room, r.Seq, func(u ids.User, reaction byte) bool {
			out.Reactions = append(out.Reactions, &apiv1.ReactionBy{User: u.String(), Reaction: uint32(reaction)})
			return len(out.Reactions) < maxReactors
		})
		return nil
	})
}

func (c chats) ListBlocked(ctx context.Context, _ *apiv1.ListBlockedRequest) (*apiv1.ListBlockedResponse, error) {
	out := &apiv1.ListBlockedResponse{}
	return out, c.g.read(kernel.DomainChat, func(s kernel.Snapshot) error {
		out.Users = idsOf(chat.Blocked(s, callerOf(ctx).user))
		return nil
	})
}
