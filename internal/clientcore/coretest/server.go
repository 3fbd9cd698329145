// Package coretest is a small faithful imitation of the server for tests of clients: names, rooms, history and the frames
// of /live, all in memory, without clock, I/O or goroutines.
//
// Guarantees: names are decided as docs/formats.md, "Names of commands", says (base, ring of 16, tags, skip), every row
// gets the next number of its room, and every welcomed session is told every row of its rooms in order. Not given:
// passwords, friends, limits; everybody may read every room. Methods must not be called at the same time.
package coretest

import (
	"slices"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

const ringSize = 16

// Server is the state that all sites share.
type Server struct {
	Epoch uint32
	// Refuse decides verdicts of sends; nil accepts all.
	Refuse func(text string) apiv1.Reason
	// Busy decides refusals that do not consume; nil: never.
	Busy func(n uint64) apiv1.Reason

	n        uint64
	tokens   map[string]*account
	rooms    map[string]*roomState
	names    map[string]*nameState
	sessions []*Session
	sender   *Session // whose command is being decided
	cut      *apiv1.Position
}

type account struct {
	user   ids.User
	device string
}

type roomState struct {
	id      string
	kind    apiv1.RoomKind
	rows    []*row
	ord     uint64
	changed uint64
}

type row struct {
	msg    *apiv1.Message
	device string
	n      uint64
}

type nameState struct {
	last uint64
	ring []decided
}

type decided struct {
	n       uint64
	tag     string
	verdict verdict
}

type verdict struct {
	reason apiv1.Reason // 0 = ok
	seq    uint64
	time   uint64
}

// New makes a server in epoch 1.
func New() *Server {
	return &Server{Epoch: 1, tokens: map[string]*account{}, rooms: map[string]*roomState{}, names: map[string]*nameState{}}
}

// Add opens a session for a user, or moves it to another device.
func (s *Server) Add(token string, user ids.User, device ids.Device) {
	s.tokens[token] = &account{user: user, device: device.String()}
}

// RenewDevice is PeopleService.RenewDevice.
func (s *Server) RenewDevice(token string, device ids.Device) *apiv1.ErrorInfo {
	a := s.tokens[token]
	if a == nil {
		return &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_UNAUTHENTICATED}
	}
	a.device = device.String()
	return nil
}

// Rows are the rows of a room as this user sees them from this device.
func (s *Server) Rows(room string) []*apiv1.Message {
	var list []*apiv1.Message
	if r := s.rooms[room]; r != nil {
		for _, w := range r.rows {
			list = append(list, w.msg)
		}
	}
	return list
}

// Restore goes back to an earlier length of every room and begins a new epoch.
func (s *Server) Restore(n uint64) {
	for id, r := range s.rooms {
		for len(r.rows) > 0 && r.rows[len(r.rows)-1].msg.TimeMs > n {
			r.rows = r.rows[:len(r.rows)-1]
		}
		r.ord = 0
		if len(r.rows) > 0 {
			r.ord = r.rows[len(r.rows)-1].msg.Ord
		}
		r.changed = min(r.changed, n)
		if len(r.rows) == 0 {
			delete(s.rooms, id)
		}
	}
	for _, st := range s.names {
		st.ring = slices.DeleteFunc(st.ring, func(d decided) bool { return d.verdict.time > n })
		st.last = 0
		if len(st.ring) > 0 {
			st.last = st.ring[len(st.ring)-1].n
		}
	}
	s.cut = &apiv1.Position{Epoch: s.Epoch, N: n}
	s.Epoch++
	s.n = 0
}

// N is the number of the last entry of this epoch.
func (s *Server) N() uint64 { return s.n }

func (s *Server) position() *apiv1.Position { return &apiv1.Position{Epoch: s.Epoch, N: s.n} }

// History is ChatService.History.
func (s *Server) History(token string, req *apiv1.HistoryRequest) (*apiv1.HistoryResponse, *apiv1.ErrorInfo) {
	a := s.tokens[token]
	if a == nil {
		return nil, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_UNAUTHENTICATED}
	}
	r := s.rooms[req.Room]
	if r == nil {
		return nil, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_UNKNOWN_ROOM}
	}
	last := uint64(len(r.rows))
	page := &apiv1.HistoryResponse{LastSeq: last, JoinedSeq: 1, Position: s.position()}
	limit := uint64(req.Limit)
	if limit == 0 {
		limit = 50
	}
	from, to := max(req.From, 1), last
	if req.Backward {
		if to = last; req.From != 0 {
			to = min(req.From, last)
		}
		from = 1
		if to > limit {
			from = to - limit + 1
		}
	}
	for seq := from; seq <= to && uint64(len(page.Messages)) < limit; seq++ {
		page.Messages = append(page.Messages, s.show(a, r.rows[seq-1]))
	}
	return page, nil
}

// show is a row as one device sees it.
func (s *Server) show(a *account, w *row) *apiv1.Message {
	m := &apiv1.Message{Room: w.msg.Room, Seq: w.msg.Seq, Kind: w.msg.Kind, Author: w.msg.Author, TimeMs: w.msg.TimeMs,
		Text: w.msg.Text, Target: w.msg.Target, ReplyTo: w.msg.ReplyTo, Ord: w.msg.Ord, Users: w.msg.Users}
	if w.device == a.device && w.msg.Author == a.user.String() {
		m.N = w.n
	}
	return m
}

// decide is the state machine of names around one change.
func (s *Server) decide(device, scope string, name *apiv1.CommandName, skip bool, change func() verdict) (v verdict, repeated bool, info *apiv1.ErrorInfo) {
	st := s.names[device+"/"+scope]
	if st == nil {
		st = &nameState{}
		s.names[device+"/"+scope] = st
	}
	st.last = max(st.last, name.Base-1)
	switch {
	case name.N > st.last+1:
		return v, false, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_EXPECTED, Again: true, N: st.last + 1}
	case name.N <= st.last:
		for _, d := range st.ring {
			if d.n == name.N {
				if d.tag != string(name.Tag) {
					return v, false, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_ID_REUSED, Consumed: true}
				}
				return d.verdict, true, nil
			}
		}
		return v, false, &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_ALREADY_IN, Consumed: true, N: st.last}
	}
	s.n++
	v = verdict{reason: apiv1.Reason_REASON_SKIPPED}
	if !skip {
		v = change()
	}
	v.time = s.n
	st.last = name.N
	st.ring = append(st.ring, decided{n: name.N, tag: string(name.Tag), verdict: v})
	if len(st.ring) > ringSize {
		st.ring = st.ring[1:]
	}
	return v, false, nil
}

func (s *Server) room(id string, kind apiv1.RoomKind) *roomState {
	r := s.rooms[id]
	if r == nil {
		r = &roomState{id: id, kind: kind}
		s.rooms[id] = r
	}
	return r
}

// add appends a row and tells every session.
func (s *Server) add(r *roomState, a *account, n uint64, m *apiv1.Message) uint64 {
	m.Room, m.Seq, m.Author, m.TimeMs = r.id, uint64(len(r.rows)+1), a.user.String(), s.n
	w := &row{msg: m, device: a.device, n: n}
	r.rows = append(r.rows, w)
	r.changed = s.n
	if m.Kind == apiv1.MessageKind_MESSAGE_KIND_TEXT {
		r.ord++
	}
	m.Ord = r.ord
	for _, x := range s.sessions {
		// The session that sends a message is not told of it again: its Ack stands for it.
		if x.live && (x != s.sender || m.Kind != apiv1.MessageKind_MESSAGE_KIND_TEXT) {
			x.put(&livev1.Frame{Body: &livev1.Frame_Event{Event: &livev1.Event{
				Position: s.position(), Kind: &livev1.Event_Message{Message: s.show(x.account, w)}}}})
		}
	}
	return m.Seq
}
