package client

import (
	"time"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// Event is something that happened; one of the types below.
type Event interface{ event() }

type (
	// MessageEvent is a new row of a room: a message, a change of one (see Message.Changed) or a system line.
	MessageEvent struct{ Message Message }
	// RoomEvent is a line of the room list as it is now.
	RoomEvent struct{ Room Room }
	// ReadEvent is somebody's read mark.
	ReadEvent struct {
		Room, User string
		Seq        uint64
	}
	// TypingEvent: somebody is writing, or has stopped.
	TypingEvent struct {
		Room, User string
		Stopped    bool
	}
	// PeopleEvent: what is shown of these must be fetched again. Users are friends whose name, status message or photo
	// changed.
	PeopleEvent struct {
		Me, Friends, Devices, Blocked bool
		Users                         []string
	}
	// PresenceEvent says how many members of a room in view are connected, oneself among them, and in rooms of at most
	// 50 who they are.
	PresenceEvent struct {
		Room   string
		Online int
		Users  []string
	}
	// StateEvent is a change of the connection.
	StateEvent struct{ State State }
	// SettledEvent ends a change that was sent, in this run or an earlier one. Err is as of Pending.Wait.
	SettledEvent struct {
		ID      uint64
		Receipt Receipt
		Err     error
	}
	// RolledBackEvent: the server was restored from a backup. What is shown of these rooms (of all if there are none)
	// must be read again.
	RolledBackEvent struct{ Rooms []string }
)

func (MessageEvent) event()    {}
func (RoomEvent) event()       {}
func (ReadEvent) event()       {}
func (TypingEvent) event()     {}
func (PeopleEvent) event()     {}
func (PresenceEvent) event()   {}
func (StateEvent) event()      {}
func (SettledEvent) event()    {}
func (RolledBackEvent) event() {}

func settledEvent(s clientcore.Settled) Event {
	r, err := receipt(s.Result)
	return SettledEvent{ID: s.Item, Receipt: r, Err: err}
}

func eventOf(o clientcore.Deliver, st State) Event {
	switch {
	case o.Message != nil:
		return MessageEvent{messageOf(o.Message)}
	case o.Room != nil:
		return RoomEvent{roomOf(o.Room)}
	case o.Read != nil:
		return ReadEvent{o.Read.GetRoom(), o.Read.GetUser(), o.Read.GetSeq()}
	case o.Typing != nil:
		return TypingEvent{o.Typing.GetRoom(), o.Typing.GetUser(), o.Typing.GetStopped()}
	case o.People != nil:
		return PeopleEvent{o.People.GetMe(), o.People.GetFriends(), o.People.GetDevices(), o.People.GetBlocked(), o.People.GetUsers()}
	case o.Presence != nil:
		return PresenceEvent{o.Presence.GetRoom(), int(o.Presence.GetOnline()), o.Presence.GetUsers()}
	case o.State != nil:
		return StateEvent{st}
	case o.RolledBack != nil:
		return RolledBackEvent{o.RolledBack.Rooms}
	}
	return nil
}

// push queues an event for the user; the lock is held.
func (c *Client) push(e Event) {
	m := &c.mu
	m.events = append(m.events, e)
	if len(m.events) >= eventsHigh && !m.full {
		m.full = true
		m.core.SetFull(c.now(), true)
	}
	if c.o.OnEvent == nil {
		select {
		case m.signal <- struct{}{}:
		default:
		}
		return
	}
	if !m.dispatching {
		c.task(c.dispatch)
	}
}

// next takes the first event. It tells the core to go on when there is room again.
func (c *Client) next() (e Event, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &c.mu
	if len(m.events) == 0 {
		m.events = nil
		return nil, false
	}
	e = m.events[0]
	m.events[0] = nil
	m.events = m.events[1:]
	if m.full && len(m.events) <= eventsLow && !m.closed {
		m.full = false
		m.core.SetFull(c.now(), false)
		c.flush()
	}
	return e, true
}

// dispatch calls OnEvent for what is queued. Only one goroutine does so at a time: events keep their order.
func (c *Client) dispatch() {
	if c.o.OnEvent == nil {
		return
	}
	c.mu.Lock()
	if c.mu.dispatching {
		c.mu.Unlock()
		return
	}
	c.mu.dispatching = true
	c.mu.Unlock()
	for {
		e, ok := c.next()
		if !ok {
			c.mu.Lock()
			if len(c.mu.events) == 0 {
				c.mu.dispatching = false
				c.mu.Unlock()
				return
			}
			c.mu.Unlock()
			continue
		}
		c.o.OnEvent(e)
	}
}

// Events is the channel of events, closed by Close. If its reader is slow, messages are read from history later; none is
// lost. Every call returns the same channel. It must not be used together with Options.OnEvent.
func (c *Client) Events() <-chan Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &c.mu
	if m.channel == nil {
		ch := make(chan Event)
		if m.closed {
			close(ch)
			return ch
		}
		m.channel = ch
		c.task(func() { c.pump(ch) })
	}
	return m.channel
}

func (c *Client) pump(ch chan<- Event) {
	for {
		e, ok := c.next()
		if !ok {
			select {
			case <-c.mu.signal:
				continue
			case <-c.ctx.Done():
				return
			}
		}
		select {
		case ch <- e:
		case <-c.ctx.Done():
			return
		}
	}
}

// MessageKind says what a row of a room is.
type MessageKind int32

// Kinds of rows. All share the sequence of their room.
const (
	KindText     MessageKind = 1
	KindEdit     MessageKind = 2
	KindDelete   MessageKind = 3
	KindReaction MessageKind = 4
	KindCreated  MessageKind = 5
	KindInvited  MessageKind = 6
	KindLeft     MessageKind = 7
	KindRenamed  MessageKind = 8
)

// Message is one row of a room.
type Message struct {
	Room   string
	Seq    uint64
	Kind   MessageKind
	Author string
	Time   time.Time
	// Ord counts messages by people up to here: the difference of two is the number of messages between them.
	Ord     uint64
	Text    string
	ReplyTo uint64
	Edited  time.Time
	Deleted bool
	// Target of an edit, deletion or reaction, and how it is now if it may be read.
	Target     uint64
	Changed    *Message
	Reaction   uint32
	Users      []string
	Reactions  []uint32
	MyReaction uint32
	// N is the name under which this device sent it; 0 for messages of others.
	N uint64
}

// RoomKind tells rooms apart.
type RoomKind int32

// Kinds of rooms.
const (
	Direct RoomKind = 1
	Group  RoomKind = 2
)

// Room is a line of the room list.
type Room struct {
	ID    string
	Kind  RoomKind
	Title string
	// Peer of a 1:1; oneself in the self chat.
	Peer                        string
	LastSeq, JoinedSeq, ReadSeq uint64
	Unread                      uint64
	Members                     int
	Muted, Pinned, Left         bool
	Blocked                     bool
	LastMessage                 *Message
}

// Position is a place in the server's log.
type Position struct {
	Epoch uint32
	N     uint64
}

func millis(ms uint64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(min(ms, 1<<52)))
}

func messageOf(m *apiv1.Message) Message { return messageAt(m, 0) }

func messageAt(m *apiv1.Message, depth int) Message {
	out := Message{Room: m.GetRoom(), Seq: m.GetSeq(), Kind: MessageKind(m.GetKind()), Author: m.GetAuthor(), Time: millis(m.GetTimeMs()),
		Ord: m.GetOrd(), Text: m.GetText(), ReplyTo: m.GetReplyTo(), Edited: millis(m.GetEditedMs()), Deleted: m.GetDeleted(),
		Target: m.GetTarget(), Reaction: m.GetReaction(), Users: m.GetUsers(), Reactions: m.GetReactions(),
		MyReaction: m.GetMyReaction(), N: m.GetN()}
	// One level only: the target of a change is a message, whatever a server sends.
	if t := m.GetChanged(); t != nil && depth == 0 {
		changed := messageAt(t, depth+1)
		out.Changed = &changed
	}
	return out
}

func roomOf(r *apiv1.Room) Room {
	out := Room{ID: r.GetId(), Kind: RoomKind(r.GetKind()), Title: r.GetTitle(), Peer: r.GetPeer(), LastSeq: r.GetLastSeq(),
		JoinedSeq: r.GetJoinedSeq(), ReadSeq: r.GetReadSeq(), Unread: r.GetUnread(), Members: int(r.GetMemberCount()),
		Muted: r.GetMuted(), Pinned: r.GetPinned(), Left: r.GetLeft(), Blocked: r.GetBlocked()}
	if r.GetLastMessage() != nil {
		m := messageOf(r.GetLastMessage())
		out.LastMessage = &m
	}
	return out
}
