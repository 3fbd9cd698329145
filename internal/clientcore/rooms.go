package clientcore

import (
	"maps"
	"slices"

	"golang.org/x/text/unicode/norm"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// room is how far one room has been delivered, and how far the server is known to be.
type room struct {
	id        string
	peer      string
	delivered uint64
	head      uint64
	joined    uint64
	ord       uint64 // messages by people up to delivered, if that is known
	ordKnown  bool
	changed   *apiv1.Position
	rebase    bool // dropped by a restore: the next head is the new start
	queued    bool // in Core.behind
	fetching  bool
	attempts  int
	retryAt   int64
	pending   []*apiv1.Message // came while a gap was open, by seq
}

// fetch is one request for history.
type fetch struct {
	room *room // a gap
	item *item // or the search for an item that is in already
	page int
	site int // that was asked
}

func (c *Core) room(id string) *room {
	r := c.rooms[id]
	if r == nil {
		r = &room{id: id, ordKnown: c.opened}
		if !c.opened {
			r.rebase = true
			if c.cfg.Since != nil {
				if seq, ok := c.cfg.Since(id); ok {
					r.rebase, r.delivered = false, seq
				}
			}
		}
		c.rooms[id] = r
	}
	return r
}

// lines takes lines of the room list, at an opening.
func (c *Core) lines(now int64, rooms []*apiv1.Room) {
	for _, l := range rooms {
		c.line(l)
		c.emit(Deliver{Room: l})
	}
	c.pumpFetches(now)
}

func (c *Core) line(l *apiv1.Room) {
	r := c.room(l.Id)
	r.peer, r.joined = l.Peer, l.JoinedSeq
	if l.Changed != nil {
		r.changed = l.Changed
	}
	if l.Left && l.Kind == apiv1.RoomKind_ROOM_KIND_GROUP {
		r.head, r.pending = r.delivered, nil // nothing more may be read
		return
	}
	c.head(r, l.LastSeq)
	if m := l.LastMessage; r.delivered == l.LastSeq && (m != nil || l.LastSeq == 0) {
		r.ord, r.ordKnown = m.GetOrd(), true
	}
}

// headAt notes the head of a room in view.
func (c *Core) headAt(id string, seq uint64) {
	if r := c.rooms[id]; r != nil {
		c.head(r, seq)
	}
}

// head notes how far a room is.
func (c *Core) head(r *room, seq uint64) {
	if r.rebase {
		r.rebase, r.delivered, r.head = false, seq, seq
		return
	}
	if r.joined > 0 && r.delivered+1 < r.joined {
		r.delivered, r.ordKnown = r.joined-1, false
	}
	r.head = max(r.head, seq)
	if r.head > r.delivered {
		c.queue(r)
	}
}

func (c *Core) queue(r *room) {
	if !r.queued && !r.fetching {
		r.queued = true
		c.behind = append(c.behind, r)
	}
}

// event takes one event of the current connection.
func (c *Core) event(now int64, e *livev1.Event) {
	switch k := e.Kind.(type) {
	case *livev1.Event_Message:
		if k.Message != nil {
			c.message(now, k.Message, e.Position)
		}
	case *livev1.Event_Room:
		if k.Room != nil {
			c.line(k.Room)
			c.emit(Deliver{Room: k.Room})
		}
	case *livev1.Event_Read:
		c.emit(Deliver{Read: k.Read})
	case *livev1.Event_Typing:
		c.emit(Deliver{Typing: k.Typing})
	case *livev1.Event_People:
		c.emit(Deliver{People: k.People})
	}
	c.see(now, e.Position)
	c.pumpFetches(now)
}

// message takes a new row. It is delivered if it is the next one; if not, the gap is read first.
func (c *Core) message(now int64, m *apiv1.Message, at *apiv1.Position) {
	r := c.room(m.Room)
	r.changedBy(at)
	if r.rebase {
		r.rebase, r.delivered, r.ordKnown = false, m.Seq-1, false
	}
	if m.Seq <= r.delivered {
		return
	}
	r.head = max(r.head, m.Seq)
	if !c.full {
		r.wait(m)
		c.drain(r)
	}
	if r.delivered >= r.head {
		return
	}
	if s := c.scopes[r.id]; s != nil && s.inflight > 0 && !r.queued {
		// The rows that are missing may be one's own: no event tells of them, only the answers on their way. The wait is from the
		// first row after the gap: in a lively room the next one always comes within it.
		r.retryAt = max(r.retryAt, now+ownRowWait)
	}
	c.queue(r)
}

// ownRow takes the row of an own message from its answer: the session that sends a message is not told of it again.
func (c *Core) ownRow(now int64, it *item, res Result) {
	id := res.Room
	if id == "" {
		id = it.op.Room
	}
	if res.Repeated {
		// The answer's time is not the row's: history has it.
		r := c.room(id)
		if r.rebase {
			return
		}
		r.changedBy(res.at)
		if r.head = max(r.head, res.Seq); r.head > r.delivered {
			c.queue(r)
		}
		return
	}
	m := &apiv1.Message{Room: id, Seq: res.Seq, Kind: apiv1.MessageKind_MESSAGE_KIND_TEXT, Author: c.user.String(),
		TimeMs: res.Time, Text: it.op.Text, ReplyTo: it.op.ReplyTo}
	if it.dev == c.device {
		m.N = it.n
	}
	c.message(now, m, res.at)
}

// changedBy notes that what is known of the room is as of a position at the latest. A restore to before it drops the room:
// once too often does no harm, once too seldom would hide what is said there from then on.
func (r *room) changedBy(at *apiv1.Position) {
	if at != nil && (r.changed == nil || less(r.changed, at)) {
		r.changed = position(at)
	}
}

// wait keeps a row until those before it are there. What does not fit is read from history.
func (r *room) wait(m *apiv1.Message) {
	i := len(r.pending)
	for i > 0 && r.pending[i-1].Seq >= m.Seq {
		i--
	}
	if i < len(r.pending) && r.pending[i].Seq == m.Seq {
		return
	}
	if len(r.pending) >= maxPending {
		if i == maxPending {
			return
		}
		r.pending = r.pending[:maxPending-1]
	}
	r.pending = slices.Insert(r.pending, i, m)
}

func (c *Core) deliver(r *room, m *apiv1.Message) {
	if m.Ord == 0 && m.Kind == apiv1.MessageKind_MESSAGE_KIND_TEXT {
		m.Ord = r.ord + 1 // an own message, made of its answer
	}
	r.delivered, r.ord, r.ordKnown = m.Seq, m.Ord, true
	c.emit(Deliver{Message: m})
}

// drain delivers what is next among the rows that wait.
func (c *Core) drain(r *room) {
	for len(r.pending) > 0 && !c.full && r.pending[0].Seq <= r.delivered+1 {
		m := r.pending[0]
		if m.Seq == r.delivered+1 {
			if m.Ord == 0 && m.Kind == apiv1.MessageKind_MESSAGE_KIND_TEXT && !r.ordKnown {
				r.pending = r.pending[1:] // history knows its place among the messages by people
				break
			}
			c.deliver(r, m)
		}
		r.pending = r.pending[1:]
	}
	if len(r.pending) == 0 {
		r.pending = nil
	}
}

// SetFull tells that the user does not keep up. Nothing is lost: what is not delivered now is read from history later.
func (c *Core) SetFull(now int64, full bool) {
	c.full = full
	c.pumpFetches(now)
}

// pumpFetches asks for what is missing.
func (c *Core) pumpFetches(now int64) {
	c.wakeFetch = 0
	if c.cur == nil || c.full {
		return
	}
	rest := c.behind[:0]
	for _, r := range c.behind {
		switch {
		case r.delivered >= r.head:
			r.queued = false
		case r.retryAt > now:
			if c.wakeFetch == 0 || r.retryAt < c.wakeFetch {
				c.wakeFetch = r.retryAt
			}
			rest = append(rest, r)
		case len(c.fetches) >= maxFetches:
			rest = append(rest, r)
		default:
			r.queued, r.fetching = false, true
			// Another site than the one that told of the change may be asked: it must have got as far as that.
			req := &apiv1.HistoryRequest{Room: r.id, From: r.delivered + 1, Limit: historyPage, AtLeast: position(r.changed)}
			c.fetch(&fetch{room: r}, req)
		}
	}
	clear(c.behind[len(rest):])
	c.behind = rest
}

func (c *Core) fetch(f *fetch, req *apiv1.HistoryRequest) {
	if req.AtLeast == nil || c.seen != nil && less(req.AtLeast, c.seen) {
		req.AtLeast = position(c.seen)
	}
	c.nextFetch++
	f.site = c.httpSite
	c.fetches[c.nextFetch] = f
	c.emit(Fetch{ID: c.nextFetch, Site: c.httpSite, Request: req})
}

// retryFetches: a new connection, a new chance. What was asked of the site before, which may never answer, is asked here.
func (c *Core) retryFetches(now int64) {
	for _, id := range slices.Sorted(maps.Keys(c.fetches)) {
		f := c.fetches[id]
		if f.site == c.httpSite {
			continue
		}
		delete(c.fetches, id)
		if f.item != nil {
			c.found(now, f, nil, nil)
		} else {
			c.filled(now, f.room, nil, nil)
		}
	}
	for _, r := range c.behind {
		r.retryAt, r.attempts = 0, 0
	}
}

// Fetched answers a Fetch: the page, or a refusal, or neither if no answer came.
func (c *Core) Fetched(now int64, id uint64, page *apiv1.HistoryResponse, ref *Refusal) {
	f := c.fetches[id]
	if f == nil {
		return
	}
	delete(c.fetches, id)
	if page == nil && ref == nil {
		c.httpSite = c.after(c.httpSite)
	}
	if ref != nil && (ref.Reason == apiv1.Reason_REASON_UNAUTHENTICATED || ref.Reason == apiv1.Reason_REASON_SESSION_REVOKED) {
		c.end(now, ref)
		return
	}
	if f.item != nil {
		c.found(now, f, page, ref)
	} else {
		c.filled(now, f.room, page, ref)
	}
	c.Tick(now)
}

func (c *Core) filled(now int64, r *room, page *apiv1.HistoryResponse, ref *Refusal) {
	r.fetching = false
	if c.rooms[r.id] != r || r.rebase {
		return // dropped by a restore meanwhile
	}
	if page == nil {
		if ref != nil && !ref.Again && (ref.Reason == apiv1.Reason_REASON_NOT_MEMBER || ref.Reason == apiv1.Reason_REASON_UNKNOWN_ROOM) {
			r.head, r.pending = r.delivered, nil
			return
		}
		r.attempts++
		r.retryAt = now + ref.after() + c.jitter(r.attempts)
		c.queue(r)
		return
	}
	if page.JoinedSeq > r.delivered+1 {
		r.delivered, r.ordKnown = page.JoinedSeq-1, false
	}
	r.changedBy(page.Position)
	before := r.delivered
	for _, m := range page.Messages {
		if m.Seq == r.delivered+1 && !c.full {
			c.deliver(r, m)
		}
	}
	c.drain(r)
	if r.head = max(r.head, page.LastSeq); r.head > r.delivered {
		if r.delivered == before {
			// The site does not have it yet.
			r.attempts++
			r.retryAt = now + c.jitter(r.attempts)
		}
		c.queue(r)
		return
	}
	r.attempts, r.retryAt = 0, 0
}

// dropRooms forgets rooms that changed after the cut of a restore.
func (c *Core) dropRooms(cut *apiv1.Position) {
	ids := []string{}
	for id, r := range c.rooms {
		if cut == nil || r.changed == nil || less(cut, r.changed) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		// A fresh struct: an answer to an old request no longer finds it.
		c.rooms[id] = &room{id: id, peer: c.rooms[id].peer, rebase: true}
	}
	keep := c.behind[:0]
	for _, r := range c.behind {
		if c.rooms[r.id] == r {
			keep = append(keep, r)
		}
	}
	clear(c.behind[len(keep):])
	c.behind = keep
	c.emit(Deliver{RolledBack: &RolledBack{Rooms: ids}})
}

// find looks for the row of an item that is known to be decided, by its own (device, n): the author sees it on the device
// that sent it. Names and sequence numbers grow together, so an own lower name ends the search.
func (c *Core) find(now int64, it *item) {
	it.finding = true
	c.fetch(&fetch{item: it}, &apiv1.HistoryRequest{Room: it.op.Room, Backward: true, Limit: historyPage})
}

func (c *Core) found(now int64, f *fetch, page *apiv1.HistoryResponse, ref *Refusal) {
	it := f.item
	if c.items[it.id] != it {
		return
	}
	it.finding = false
	if page == nil {
		if ref != nil && !ref.Again {
			c.settle(now, it, Result{Err: alreadyIn(it)})
			return
		}
		c.later(now, it.scope, ref.after()) // the item itself asks again
		return
	}
	ended := len(page.Messages) == 0 || f.page >= maxFindPages
	for i := len(page.Messages) - 1; i >= 0; i-- {
		m := page.Messages[i]
		if m.N == it.n {
			if !it.is(m) {
				c.renew(now, &Refusal{Reason: apiv1.Reason_REASON_ID_REUSED, Subject: it.op.Room, Consumed: true,
					Message: "another copy of this profile has used the name"})
				return
			}
			c.settle(now, it, Result{Seq: m.Seq, Time: m.TimeMs, Repeated: true})
			return
		}
		if m.N != 0 && m.N < it.n || m.Seq <= page.JoinedSeq || m.Seq <= 1 {
			ended = true
		}
	}
	if ended {
		c.settle(now, it, Result{Err: alreadyIn(it)})
		return
	}
	it.finding = true
	c.fetch(&fetch{item: it, page: f.page + 1}, &apiv1.HistoryRequest{
		Room: it.op.Room, From: page.Messages[0].Seq - 1, Backward: true, Limit: historyPage})
}

// is: the row under the item's name is the item. Otherwise a copy of this profile has used the name. The text of a message
// tells, unless it was changed since.
func (it *item) is(m *apiv1.Message) bool {
	if it.op.Kind != KindSend || m.EditedMs != 0 || m.Deleted {
		return true
	}
	return m.Kind == apiv1.MessageKind_MESSAGE_KIND_TEXT && m.Text == norm.NFC.String(it.op.Text)
}

// alreadyIn: the name was decided, and the room does not show the item: it was refused or given up.
func alreadyIn(it *item) *Refusal {
	return &Refusal{Reason: apiv1.Reason_REASON_ALREADY_IN, Subject: it.op.Room, Consumed: true,
		Message: "this was decided long ago, and the room does not show it"}
}
