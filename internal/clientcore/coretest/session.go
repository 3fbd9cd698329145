package coretest

import (
	"slices"
	"sort"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// Session is one connection to /live.
type Session struct {
	server  *Server
	account *account
	token   string
	device  string
	authed  bool // a Hello was accepted
	live    bool // and every event is told
	out     []*livev1.Frame
	held    map[string]uint64
	// Closed: the server has said Bye.
	Closed bool
}

// Connect opens a connection.
func (s *Server) Connect() *Session {
	x := &Session{server: s, held: map[string]uint64{}}
	s.sessions = append(s.sessions, x)
	return x
}

// Close ends a connection from the client's side.
func (x *Session) Close() {
	x.live = false
	x.server.sessions = slices.DeleteFunc(x.server.sessions, func(o *Session) bool { return o == x })
}

// Out takes the frames to the client.
func (x *Session) Out() []*livev1.Frame {
	out := x.out
	x.out = nil
	return out
}

// Resync drops what waits and tells the client so.
func (x *Session) Resync() {
	if x.live {
		x.live, x.out = false, []*livev1.Frame{{Body: &livev1.Frame_Resync{Resync: &livev1.Resync{}}}}
	}
}

// Beat tells how far the server is.
func (x *Session) Beat() {
	if x.live {
		x.put(&livev1.Frame{Body: &livev1.Frame_Beat{Beat: &livev1.Beat{Position: x.server.position()}}})
	}
}

func (x *Session) put(f *livev1.Frame) { x.out = append(x.out, f) }

func (x *Session) bye(reason apiv1.Reason) {
	x.put(&livev1.Frame{Body: &livev1.Frame_Bye{Bye: &livev1.Bye{Error: &apiv1.ErrorInfo{Reason: reason}}}})
	x.Closed, x.live = true, false
}

// Frame takes one frame of the client.
func (x *Session) Frame(f *livev1.Frame) {
	if h := f.GetHello(); h != nil {
		x.hello(h)
		return
	}
	if x.Closed {
		return
	}
	if !x.authed {
		x.put(&livev1.Frame{Id: f.Id, Body: &livev1.Frame_Ack{Ack: &livev1.Ack{
			Error: &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_UNAUTHENTICATED, Again: true}}}})
		return
	}
	switch b := f.Body.(type) {
	case *livev1.Frame_Ping:
		x.Beat()
	case *livev1.Frame_View, *livev1.Frame_Typing:
	case *livev1.Frame_MarkRead:
		x.put(&livev1.Frame{Id: f.Id, Body: &livev1.Frame_Ack{Ack: &livev1.Ack{Position: x.server.position()}}})
	case *livev1.Frame_CreateRoom:
		x.create(f.Id, b.CreateRoom)
	default:
		x.command(f)
	}
}

func (x *Session) hello(h *livev1.Hello) {
	s := x.server
	a := s.tokens[h.Token]
	switch {
	case a == nil:
		x.bye(apiv1.Reason_REASON_UNAUTHENTICATED)
		return
	case a.device != h.Device:
		x.bye(apiv1.Reason_REASON_WRONG_DEVICE)
		return
	}
	x.account, x.token, x.device = a, h.Token, h.Device
	since, back := uint64(0), false
	switch {
	case h.Seen == nil:
	case h.Seen.Epoch == s.Epoch:
		since = h.Seen.N
	case s.cut != nil && h.Seen.Epoch == s.cut.Epoch && h.Seen.N <= s.cut.N:
		since = 0
	default:
		back = true
	}
	w := &livev1.Welcome{User: a.user.String(), Position: s.position(), RolledBack: back}
	if back && s.cut != nil && h.Seen.Epoch == s.cut.Epoch {
		w.Cut = s.cut
	}
	if !back {
		var ids []string
		for id := range s.rooms {
			ids = append(ids, id)
		}
		sort.Strings(ids)
		for _, id := range ids {
			r := s.rooms[id]
			if h.Seen == nil || r.changed > since || h.Seen.Epoch != s.Epoch {
				x.put(&livev1.Frame{Body: &livev1.Frame_Rooms{Rooms: &livev1.Rooms{Rooms: []*apiv1.Room{{
					Id: id, Kind: r.kind, LastSeq: uint64(len(r.rows)), JoinedSeq: 1, LastMessage: x.lastMessage(r), Changed: &apiv1.Position{Epoch: s.Epoch, N: r.changed}}}}}})
			}
		}
	}
	x.put(&livev1.Frame{Body: &livev1.Frame_Welcome{Welcome: w}})
	x.authed, x.live = !back, !back
}

func (x *Session) lastMessage(r *roomState) *apiv1.Message {
	for i := len(r.rows) - 1; i >= 0; i-- {
		if m := r.rows[i].msg; m.Kind == apiv1.MessageKind_MESSAGE_KIND_TEXT {
			return x.server.show(x.account, r.rows[i])
		}
	}
	return nil
}

func (x *Session) create(id uint64, req *apiv1.CreateRoomRequest) {
	room := ids.NewGroup(x.account.user, req.Random).String()
	if x.server.rooms[room] == nil {
		x.server.n++
		r := x.server.room(room, apiv1.RoomKind_ROOM_KIND_GROUP)
		x.server.add(r, x.account, 0, &apiv1.Message{Kind: apiv1.MessageKind_MESSAGE_KIND_CREATED, Text: req.Title, Users: req.Members})
	}
	x.put(&livev1.Frame{Id: id, Body: &livev1.Frame_Ack{Ack: &livev1.Ack{Position: x.server.position(), Room: room, Seq: 1}}})
}

// parts of a named frame.
func (x *Session) parts(f *livev1.Frame) (name *apiv1.CommandName, room, device string, skip bool, change func() verdict) {
	s, device := x.server, x.device
	direct := func(room, peer string) string {
		if room == "" && peer != "" {
			if p, err := ids.ParseUser(peer); err == nil {
				room = ids.Direct(x.account.user, p).String()
			}
		}
		return room
	}
	row := func(room string, n uint64, m *apiv1.Message, check string) func() verdict {
		return func() verdict {
			if s.Refuse != nil {
				if reason := s.Refuse(check); reason != 0 {
					return verdict{reason: reason}
				}
			}
			kind := apiv1.RoomKind_ROOM_KIND_DIRECT
			if r, err := ids.ParseRoom(room); err == nil && r.Kind() == ids.KindGroup {
				kind = apiv1.RoomKind_ROOM_KIND_GROUP
				if s.rooms[room] == nil {
					return verdict{reason: apiv1.Reason_REASON_UNKNOWN_ROOM}
				}
			}
			return verdict{seq: s.add(s.room(room, kind), x.account, n, m)}
		}
	}
	switch b := f.Body.(type) {
	case *livev1.Frame_Send:
		room = direct(b.Send.Room, b.Send.Peer)
		return b.Send.Name, room, device, false, row(room, b.Send.Name.N, &apiv1.Message{Kind: apiv1.MessageKind_MESSAGE_KIND_TEXT, Text: b.Send.Text, ReplyTo: b.Send.ReplyTo}, b.Send.Text)
	case *livev1.Frame_Edit:
		return b.Edit.Name, b.Edit.Room, device, false, row(b.Edit.Room, b.Edit.Name.N, &apiv1.Message{Kind: apiv1.MessageKind_MESSAGE_KIND_EDIT, Text: b.Edit.Text, Target: b.Edit.Seq}, b.Edit.Text)
	case *livev1.Frame_Mute:
		return b.Mute.Name, b.Mute.Room, device, false, func() verdict { return verdict{} }
	case *livev1.Frame_Skip:
		if b.Skip.Device != "" {
			device = b.Skip.Device
		}
		return b.Skip.Name, direct(b.Skip.Room, b.Skip.Peer), device, true, nil
	}
	return nil, "", "", false, nil
}

func (x *Session) command(f *livev1.Frame) {
	name, room, device, skip, change := x.parts(f)
	ack := &livev1.Ack{Room: room}
	defer func() {
		ack.Position = x.server.position()
		x.put(&livev1.Frame{Id: f.Id, Body: &livev1.Frame_Ack{Ack: ack}})
	}()
	refuse := func(reason apiv1.Reason, n uint64) {
		ack.Error = &apiv1.ErrorInfo{Reason: reason, Again: true, N: n}
	}
	if name == nil {
		ack.Error = &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_INVALID}
		return
	}
	if name.Epoch != 0 && name.Epoch != x.server.Epoch {
		refuse(apiv1.Reason_REASON_ROLLED_BACK, 0)
		return
	}
	if a := x.server.tokens[x.token]; a == nil || a.device != x.device {
		refuse(apiv1.Reason_REASON_WRONG_DEVICE, 0)
		return
	}
	key := device + "/" + room
	if h := x.held[key]; h != 0 && name.N > h && name.Base <= h {
		refuse(apiv1.Reason_REASON_HELD, h)
		return
	}
	delete(x.held, key)
	if x.server.Busy != nil {
		if reason := x.server.Busy(name.N); reason != 0 {
			ack.Error = &apiv1.ErrorInfo{Reason: reason, Again: true}
			switch reason {
			case apiv1.Reason_REASON_INVALID, apiv1.Reason_REASON_TOO_LARGE:
				ack.Error.Again = false
			}
			if skip {
				ack.Error.Again = true
			}
			x.held[key] = name.N
			return
		}
	}
	x.server.sender = x
	v, repeated, info := x.server.decide(device, room, name, skip, change)
	x.server.sender = nil
	ack.Error, ack.Repeated, ack.Seq, ack.TimeMs = info, repeated, v.seq, x.server.n
	if info == nil && v.reason != 0 {
		ack.Error = &apiv1.ErrorInfo{Reason: v.reason, Consumed: true}
	}
}
