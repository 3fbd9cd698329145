package sim

import (
	"slices"

	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/clientcore"
	"github.com/bonghwa/bonghwa/internal/gateway"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// checkFrame looks at a frame as the gateway queues it: nothing goes to a session after its revocation, no row to
// somebody who may not read it.
func (p *public) checkFrame(w *wire, f gateway.Encoded) {
	frame, err := gateway.DecodeFrame(false, f.Payload())
	if err != nil {
		p.fail("a frame cannot be decoded: %v", err)
		return
	}
	p.report.Reads++
	e, ok := frame.Body.(*livev1.Frame_Event)
	if !ok {
		return
	}
	at, d := positionOf(e.Event.Position), w.phone
	_, aboutPeople := e.Event.Kind.(*livev1.Event_People)
	if d.revoked != (kernel.Position{}) && (d.revoked.Less(at) || d.revoked == at && !aboutPeople) {
		p.fail("node %d: an event of %v goes to phone %d, whose session ended at %v", w.gate.i, at, d.i, d.revoked)
	}
	m, ok := e.Event.Kind.(*livev1.Event_Message)
	if !ok {
		return
	}
	room, err := ids.ParseRoom(m.Message.Room)
	if err != nil {
		p.fail("an event names no room: %v", err)
		return
	}
	if !p.mayRead(room, d.user, at.N, m.Message.Seq) {
		p.fail("node %d: row %d of %v goes to phone %d at %v, which may not read it: %+v", w.gate.i, m.Message.Seq, room, d.i, at, p.seats[seatOf{room, d.user}])
	}
	if c := m.Message.Changed; c != nil && !p.mayRead(room, d.user, at.N, c.Seq) {
		p.fail("node %d: with row %d of %v, row %d is shown to phone %d, which may not read it", w.gate.i, m.Message.Seq, room, c.Seq, d.i)
	}
}

// mayRead says whether somebody was a member at entry n, before or after it, and had joined at or below seq.
func (p *public) mayRead(room ids.Room, user ids.User, n, seq uint64) bool {
	may := false
	for _, s := range p.seats[seatOf{room, user}] {
		switch {
		case s.n < n:
			may = s.in && s.joined <= seq
		case s.n == n:
			may = may || s.in && s.joined <= seq
		}
	}
	return may
}

// joinedAt says whether somebody came back to a room at this number: what lies before is not for them.
func (p *public) joinedAt(id string, user ids.User, seq uint64) bool {
	room, err := ids.ParseRoom(id)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(p.seats[seatOf{room, user}], func(s seatAt) bool { return s.in && s.joined == seq })
}

// check holds the end of a run against the promises.
func (p *public) check() {
	p.checkViews()
	if p.err != nil {
		return
	}
	snap := p.nodes[0].views[1].Snapshot()
	defer snap.Close()
	c := &publicCheck{public: p, r: snap, rooms: map[ids.Room][]chat.Message{}, said: map[string]int{}}
	c.readRooms()
	for _, d := range p.phones {
		c.wishes(d)
		c.local(d)
	}
	c.badges()
}

// publicCheck has the server's rooms, read row by row.
type publicCheck struct {
	*public
	r     kernel.Reader
	rooms map[ids.Room][]chat.Message
	order []ids.Room
	said  map[string]int
}

// readRooms reads every room that anybody has a line of. Sequences have no holes, ord counts the texts, and the messages
// of one device come in the order of their names.
func (c *publicCheck) readRooms() {
	for _, u := range c.users {
		chat.Lines(c.r, u, func(l chat.Line) bool {
			if c.rooms[l.Room] == nil {
				c.rooms[l.Room] = []chat.Message{}
				c.order = append(c.order, l.Room)
			}
			return true
		})
	}
	for _, room := range c.order {
		row, ok := chat.GetRoom(c.r, room)
		if !ok {
			c.fail("room %v is in a list and does not exist", room)
			return
		}
		var ord uint64
		newest := map[ids.Device]uint64{}
		chat.History(c.r, room, 1, row.NextSeq, func(m chat.Message) bool {
			c.rooms[room] = append(c.rooms[room], m)
			if m.Seq != uint64(len(c.rooms[room])) {
				c.fail("room %v: row %d is number %d", room, m.Seq, len(c.rooms[room]))
			}
			if m.Kind == chat.KindText {
				ord++
				c.said[m.Text]++
				if m.N <= newest[m.Device] {
					c.fail("room %v: message %d of a device comes after its %d", room, m.N, newest[m.Device])
				}
				newest[m.Device] = m.N
			}
			if m.Ord != ord {
				c.fail("room %v: row %d has ord %d after %d messages", room, m.Seq, m.Ord, ord)
			}
			return true
		})
		if uint64(len(c.rooms[room])) != row.NextSeq-1 || row.Ord != ord {
			c.fail("room %v: %d rows and %d messages; its row says %d and %d", room, len(c.rooms[room]), ord, row.NextSeq-1, row.Ord)
		}
	}
}

var rowKinds = map[clientcore.Kind]byte{
	clientcore.KindSend: chat.KindText, clientcore.KindEdit: chat.KindEdit, clientcore.KindDelete: chat.KindDelete,
	clientcore.KindReact: chat.KindReaction, clientcore.KindInvite: chat.KindInvited, clientcore.KindRename: chat.KindRenamed,
	clientcore.KindLeave: chat.KindLeft,
}

// wishes: what a phone was told is in, is in once, at its place; what it was told is not, is not. Its messages are in the
// order in which they were written.
func (c *publicCheck) wishes(d *phone) {
	last := map[string]uint64{}
	for _, w := range d.wishes {
		r, said := w.result, c.said[w.text]
		kind := w.op.Kind
		switch {
		case kind == clientcore.KindSend && said > 1:
			c.fail("phone %d: %q is in %d times", d.i, w.text, said)
		case w.lost:
			if kind == clientcore.KindSend && said > 0 {
				c.fail("phone %d: %q was never stored, and is in", d.i, w.text)
			}
		case d.ended != nil || w.replaces != nil: // nobody was told the end; or an edit of what it replaces
		case r == nil:
			c.fail("phone %d: %v %q was never answered", d.i, kind, w.text)
		case r.Err == nil && !r.GivenUp && rowKinds[kind] != 0 && r.Seq != 0:
			room, err := ids.ParseRoom(r.Room)
			if err != nil || r.Seq > uint64(len(c.rooms[room])) {
				c.fail("phone %d: %v %q was acknowledged as %d of %q, which has %d rows", d.i, kind, w.text, r.Seq, r.Room, len(c.rooms[room]))
				return
			}
			m := &c.rooms[room][r.Seq-1]
			if m.Kind != rowKinds[kind] || m.Target != w.op.Seq && kind >= clientcore.KindEdit && kind <= clientcore.KindReact ||
				kind == clientcore.KindSend && (m.Author != d.user || m.Device != d.device || m.Edited == 0 && !m.Deleted && m.Text != w.text) {
				c.fail("phone %d: %v %q was acknowledged at %d of %v; there is %+v", d.i, kind, w.text, r.Seq, room, *m)
			}
			if kind == clientcore.KindSend {
				if r.Seq <= last[r.Room] {
					c.fail("phone %d: %q at %d overtook %d in %v", d.i, w.text, r.Seq, last[r.Room], room)
				}
				last[r.Room] = r.Seq
			}
		case r.Err == nil && !r.GivenUp && kind == clientcore.KindSend:
			c.fail("phone %d: %q was acknowledged without a place", d.i, w.text)
		case (r.Err != nil && r.Err.Reason != apiv1.Reason_REASON_ALREADY_IN || r.GivenUp) && kind == clientcore.KindSend && said > 0:
			c.fail("phone %d: %q ended with %+v %+v, and is in", d.i, w.text, *r, r.Err)
		}
	}
}

// local: what a client has shown is what the server has, up to the newest row of every room it may read. What lies before
// somebody's last return to a group is no longer kept up to date.
func (c *publicCheck) local(d *phone) {
	if d.ended != nil {
		return
	}
	for _, room := range c.order {
		m, ok := chat.GetMember(c.r, room, d.user)
		rows, list := c.rooms[room], d.local[room.String()]
		for _, got := range list {
			if got.Seq > uint64(len(rows)) {
				c.fail("phone %d shows row %d of %v, which has %d", d.i, got.Seq, room, len(rows))
				return
			}
			row := &rows[got.Seq-1]
			if got.Ord != row.Ord || got.TimeMs != row.Time || byte(got.Kind) != row.Kind || row.Kind != chat.KindDelete && row.Author != (ids.User{}) && got.Author != row.Author.String() {
				c.fail("phone %d shows %v; the row of %v is %+v", d.i, got, room, *row)
			}
			if ok && m.Present && got.Seq >= m.Joined && (got.Text != row.Text || got.Deleted != row.Deleted) {
				c.fail("phone %d shows %v; the row of %v is %+v", d.i, got, room, *row)
			}
		}
		if ok && m.Present && len(list) > 0 && list[len(list)-1].Seq != uint64(len(rows)) {
			c.fail("phone %d shows room %v up to %d of %d", d.i, room, list[len(list)-1].Seq, len(rows))
		}
	}
}

// badges: the number beside a room is that of the messages by people after the read mark, counted one by one.
func (c *publicCheck) badges() {
	for _, u := range c.users {
		chat.Lines(c.r, u, func(l chat.Line) bool {
			if !l.Member.Present {
				return true
			}
			var n uint64
			for _, m := range c.rooms[l.Room] {
				if m.Kind == chat.KindText && m.Seq > l.Member.Read {
					n++
				}
			}
			if n != l.Unread {
				c.fail("%v in %v: the badge is %d, %d messages are unread", u, l.Room, l.Unread, n)
			}
			return true
		})
	}
}
