package client

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// Receipt is the server's answer to a change: durable and applied.
type Receipt struct {
	Room string
	Seq  uint64
	Time time.Time
	// Repeated: an earlier attempt had been decided already.
	Repeated bool
	// Refused people of CreateRoom and Invite.
	Refused []string
}

// Pending is a change on its way.
type Pending struct {
	// ID names it in SettledEvent, GiveUp, Replace and Outbox.
	ID      uint64
	done    chan struct{}
	receipt Receipt
	err     error
}

func (p *Pending) finish(r Receipt, err error) {
	p.receipt, p.err = r, err
	close(p.done)
}

// Done is closed when the change is settled.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Wait returns what became of the change. If ctx ends first, the change goes on: it stays in the outbox.
func (p *Pending) Wait(ctx context.Context) (Receipt, error) {
	select {
	case <-p.done:
		return p.receipt, p.err
	case <-ctx.Done():
		select {
		case <-p.done:
			return p.receipt, p.err
		default:
			return Receipt{}, ctx.Err()
		}
	}
}

// submit hands a change to the outbox.
func (c *Client) submit(op clientcore.Op) (*Pending, error) {
	p := &Pending{done: make(chan struct{})}
	err := ErrClosed
	c.do(func(core *clientcore.Core, now int64) {
		if p.ID, err = core.Submit(now, op); err == nil {
			c.mu.waiters[p.ID] = p
		} else if err == clientcore.ErrOffline {
			err = ErrLoggedOut
		}
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (c *Client) change(ctx context.Context, op clientcore.Op) (Receipt, error) {
	p, err := c.submit(op)
	if err != nil {
		return Receipt{}, err
	}
	return p.Wait(ctx)
}

// SendOptions of a message.
type SendOptions struct {
	// ReplyTo is the seq of the message answered.
	ReplyTo uint64
	// ReadSeq is what the author had read when writing.
	ReadSeq uint64
}

// Send sends a text to a room, or to a person by the id, and waits for the server's word.
func (c *Client) Send(ctx context.Context, to, text string) (Receipt, error) {
	p, err := c.SendAsync(to, text, SendOptions{})
	if err != nil {
		return Receipt{}, err
	}
	return p.Wait(ctx)
}

// SendAsync sends without waiting. Messages to one room arrive in the order of the calls.
func (c *Client) SendAsync(to, text string, o SendOptions) (*Pending, error) {
	op := clientcore.Op{Kind: clientcore.KindSend, Text: norm.NFC.String(text), ReplyTo: o.ReplyTo, ReadSeq: o.ReadSeq}
	if err := address(&op, to); err != nil {
		return nil, err
	}
	return c.submit(op)
}

// address fills in room or person.
func address(op *clientcore.Op, to string) error {
	if _, err := ids.ParseUser(to); err == nil {
		op.Peer = to
		return nil
	}
	if _, err := ids.ParseRoom(to); err != nil {
		return fmt.Errorf("client: %q is neither a room's nor a person's id", to)
	}
	op.Room = to
	return nil
}

// GiveUp takes a change back if it is not in yet; its Pending tells.
func (c *Client) GiveUp(id uint64) error {
	err := ErrClosed
	c.do(func(core *clientcore.Core, now int64) { err = core.GiveUp(now, id) })
	return err
}

// Replace corrects a message that is not acknowledged yet: the new text is sent instead, or the message is edited if it
// proves to be in.
func (c *Client) Replace(id uint64, text string) (*Pending, error) {
	p := &Pending{done: make(chan struct{})}
	err := ErrClosed
	c.do(func(core *clientcore.Core, now int64) {
		if p.ID, err = core.Replace(now, id, norm.NFC.String(text)); err == nil {
			c.mu.waiters[p.ID] = p
		}
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// OutboxItem is a change that is not settled.
type OutboxItem struct {
	ID       uint64
	Room     string
	Text     string
	Since    time.Time
	Sending  bool
	GivingUp bool
}

// Outbox lists what is not settled, oldest first.
func (c *Client) Outbox() []OutboxItem {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []OutboxItem
	for _, i := range c.mu.core.Items() {
		list = append(list, OutboxItem{ID: i.ID, Room: i.Op.Room, Text: i.Op.Text, Since: time.UnixMilli(i.Created), Sending: i.Sending, GivingUp: i.GivingUp})
	}
	return list
}

// Edit replaces the text of an own message, within 24 hours.
func (c *Client) Edit(ctx context.Context, room string, seq uint64, text string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindEdit, Room: room, Seq: seq, Text: norm.NFC.String(text)})
}

// Delete removes an own message for everyone, within 24 hours.
func (c *Client) Delete(ctx context.Context, room string, seq uint64) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindDelete, Room: room, Seq: seq})
}

// React sets a reaction, 1 to 6; the same again takes it back.
func (c *Client) React(ctx context.Context, room string, seq uint64, reaction uint32) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindReact, Room: room, Seq: seq, Reaction: reaction})
}

// CreateRoom makes a group with these people.
func (c *Client) CreateRoom(ctx context.Context, title string, members []string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindCreateRoom, Text: norm.NFC.String(title), List: members})
}

// Invite adds people to a group.
func (c *Client) Invite(ctx context.Context, room string, members []string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindInvite, Room: room, List: members})
}

// Leave leaves a group, or hides a 1:1 until the next message.
func (c *Client) Leave(ctx context.Context, room string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindLeave, Room: room})
}

// Rename gives a group a title.
func (c *Client) Rename(ctx context.Context, room, title string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindRename, Room: room, Text: norm.NFC.String(title)})
}

// Mute turns alerts of a room off or on.
func (c *Client) Mute(ctx context.Context, room string, on bool) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindMute, Room: room, On: on})
}

// Pin keeps a room on top of the list.
func (c *Client) Pin(ctx context.Context, room string, on bool) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindPin, Room: room, On: on})
}

// Block stops 1:1 messages of a person.
func (c *Client) Block(ctx context.Context, user string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindBlock, Peer: user})
}

// Unblock undoes Block.
func (c *Client) Unblock(ctx context.Context, user string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindUnblock, Peer: user})
}

// MarkRead says that this person has read a room up to seq. It is passed on as soon as possible and not acknowledged.
func (c *Client) MarkRead(room string, seq uint64) {
	c.do(func(core *clientcore.Core, now int64) { core.MarkRead(now, room, seq) })
}

// Typing tells the others of a room that this person is writing, or has stopped.
func (c *Client) Typing(room string, stopped bool) {
	c.do(func(core *clientcore.Core, _ int64) { core.Typing(room, stopped) })
}

// View says which rooms are looked at, at most eight: they get read marks, typing and presence, and silence in
// them is noticed soon.
func (c *Client) View(rooms ...string) {
	c.do(func(core *clientcore.Core, now int64) { core.View(now, rooms) })
}

// Ping asks the server how far it is, after sleep or on focus.
func (c *Client) Ping() { c.do(func(core *clientcore.Core, _ int64) { core.Ping() }) }

// DirectRoom is the id of the 1:1 with a person. It is worked out here; the room may not exist yet.
func (c *Client) DirectRoom(user string) (string, error) {
	a, ok := c.Account()
	if !ok {
		return "", ErrLoggedOut
	}
	me, err := userOf(a.User)
	if err != nil {
		return "", err
	}
	peer, err := ids.ParseUser(strings.TrimSpace(user))
	if err != nil {
		return "", fmt.Errorf("client: %q is no person's id", user)
	}
	return ids.Direct(me, peer).String(), nil
}

// ListRooms lists all rooms, newest change first.
func (c *Client) ListRooms(ctx context.Context) ([]Room, error) {
	var list []Room
	page := ""
	for {
		r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.ListRoomsResponse, error) {
			return s.chat().ListRooms(ctx, &apiv1.ListRoomsRequest{Page: page, Limit: 200})
		})
		if err != nil {
			return nil, err
		}
		for _, l := range r.Rooms {
			list = append(list, roomOf(l))
		}
		if page = r.NextPage; page == "" {
			return list, nil
		}
	}
}

// GetRoom is one line of the list.
func (c *Client) GetRoom(ctx context.Context, room string) (Room, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.GetRoomResponse, error) {
		return s.chat().GetRoom(ctx, &apiv1.GetRoomRequest{Room: room})
	})
	if err != nil {
		return Room{}, err
	}
	return roomOf(r.Room), nil
}

// Page is a part of a room's history, in ascending order.
type Page struct {
	Messages           []Message
	LastSeq, JoinedSeq uint64
	Position           Position
}

// History reads rows from a sequence number on, or back from it (0: from the newest). limit 0 is 50; at most 200.
func (c *Client) History(ctx context.Context, room string, from uint64, backward bool, limit int) (Page, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.HistoryResponse, error) {
		return s.chat().History(ctx, &apiv1.HistoryRequest{Room: room, From: from, Backward: backward, Limit: uint32(max(0, limit)), AtLeast: c.seen()})
	})
	if err != nil {
		return Page{}, err
	}
	p := Page{LastSeq: r.LastSeq, JoinedSeq: r.JoinedSeq, Position: Position{r.GetPosition().GetEpoch(), r.GetPosition().GetN()}}
	for _, m := range r.Messages {
		p.Messages = append(p.Messages, messageOf(m))
	}
	return p, nil
}

// Reaction of one person to a message, 1 to 6.
type Reaction struct {
	User     string
	Reaction uint32
}

// ListReactions says who reacted to a message, at most 200 people.
func (c *Client) ListReactions(ctx context.Context, room string, seq uint64) ([]Reaction, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.ListReactionsResponse, error) {
		return s.chat().ListReactions(ctx, &apiv1.ListReactionsRequest{Room: room, Seq: seq})
	})
	if err != nil {
		return nil, err
	}
	var list []Reaction
	for _, x := range r.Reactions {
		list = append(list, Reaction{x.User, x.Reaction})
	}
	return list, nil
}

// Member of a room.
type Member struct {
	User               string
	JoinedSeq, ReadSeq uint64
}

// ListMembers lists who is in a room.
func (c *Client) ListMembers(ctx context.Context, room string) ([]Member, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.ListMembersResponse, error) {
		return s.chat().ListMembers(ctx, &apiv1.ListMembersRequest{Room: room})
	})
	if err != nil {
		return nil, err
	}
	var list []Member
	for _, m := range r.Members {
		list = append(list, Member{m.User, m.JoinedSeq, m.ReadSeq})
	}
	return list, nil
}

// ListBlocked lists whom this person has blocked.
func (c *Client) ListBlocked(ctx context.Context) ([]string, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.ListBlockedResponse, error) {
		return s.chat().ListBlocked(ctx, &apiv1.ListBlockedRequest{})
	})
	if err != nil {
		return nil, err
	}
	return r.Users, nil
}
