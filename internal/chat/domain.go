package chat

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Domain is the state machine of the rooms of one cell. It holds no state of its own.
type Domain struct {
	cell uint16
}

var _ kernel.Domain = (*Domain)(nil)

// New makes the domain of a cell. Commands about rooms of another cell are answered Invalid.
func New(cell uint16) *Domain { return &Domain{cell: cell} }

// ID is 2.
func (d *Domain) ID() byte { return kernel.DomainChat }

// Name is "chat".
func (d *Domain) Name() string { return "chat" }

// command is a decoded operation. apply makes every check before its first write.
type command interface {
	kernel.Command
	apply(a *kernel.Apply) kernel.Verdict
	where() (room ids.Room, ok bool)
}

// Apply decides and writes one command. Typing is ephemeral and never a part of the state: Invalid.
func (d *Domain) Apply(a *kernel.Apply, c kernel.Command) kernel.Verdict {
	op, ok := c.(command)
	if !ok {
		return refuse(kernel.Invalid)
	}
	if room, ok := op.where(); ok && (room[0] != byte(d.cell>>8) || room[1] != byte(d.cell)) {
		return refuse(kernel.Invalid)
	}
	return op.apply(a)
}

// CheckRow says whether a row can be decoded and whether key and value agree. It cannot see other rows.
func (d *Domain) CheckRow(key, value []byte) error {
	if len(key) == 0 {
		return errRow
	}
	want := map[byte]int{
		rowRoom: lenRoomKey, rowMessage: lenMessageKey, rowMember: lenMemberKey, rowLine: lenLineKey,
		rowReaction: lenReactionKey, rowBlock: lenBlockKey, rowClosed: lenClosedKey,
	}[key[0]]
	if want == 0 || len(key) != want {
		return errRow
	}
	switch key[0] {
	case rowRoom:
		return checkRoom(ids.Room(key[1:]), value)
	case rowMessage:
		_, err := decodeMessage(ids.Room(key[1:]), seqOf(key), value)
		return err
	case rowMember:
		m, err := decodeMember(value)
		if room := ids.Room(key[1:]); err == nil && room.Kind() == ids.KindDirect && !m.Present {
			return errRow
		}
		return err
	case rowLine:
		_, err := decodeLine(value)
		return err
	case rowReaction:
		_, err := decodeReaction(value)
		return err
	case rowBlock:
		if ids.User(key[1:]) == blockOther(key) {
			return errRow
		}
		return checkMark(value)
	default:
		return checkMark(value)
	}
}

func checkRoom(room ids.Room, value []byte) error {
	r, err := decodeRoom(value)
	if err != nil {
		return err
	}
	if r.Kind != room.Kind() || r.Kind == ids.KindDirect && ids.Direct(r.Peers[0], r.Peers[1]) != room {
		return errRow
	}
	return nil
}

func refuse(code kernel.Code) kernel.Verdict { return kernel.Verdict{Code: code} }

func done(seq uint64) kernel.Verdict { return kernel.Verdict{Code: kernel.OK, Seq: seq} }

// place is a room as one of its members meets it in a command: the rows r and b, read once.
type place struct {
	id     ids.Room
	user   ids.User
	key    []byte
	row    RoomRow
	member MemberRow
}

// enter reads the room and the membership of user. Whether a 1:1 exists is no business of anybody but its two people,
// and its id can be computed from theirs: a stranger is answered as if it did not exist.
func enter(a *kernel.Apply, room ids.Room, user ids.User) (place, kernel.Code) {
	p := place{id: room, user: user, key: roomKey(room)}
	row, ok := getRoom(a, p.key)
	if !ok {
		return p, kernel.UnknownRoom
	}
	p.row = row
	p.member, ok = GetMember(a, room, user)
	switch {
	case !ok && row.Kind == ids.KindDirect:
		return p, kernel.UnknownRoom
	case !ok || !p.member.Present:
		return p, kernel.NotMember
	}
	return p, kernel.OK
}

// text reads a message that the person may see.
func (p *place) text(a *kernel.Apply, seq uint64) (Message, bool) {
	if seq == 0 || seq < p.member.Joined || seq >= p.row.NextSeq {
		return Message{}, false
	}
	m, ok := GetMessage(a, p.id, seq)
	return m, ok && m.Kind == KindText
}

// add gives m the next number of the room and writes it and the room.
func (p *place) add(a *kernel.Apply, m *Message) uint64 {
	m.Room, m.Author, m.Seq, m.Time = p.id, p.user, p.row.NextSeq, a.Time
	p.row.NextSeq++
	if m.Kind == KindText {
		p.row.Ord++
		p.row.LastText = m.Seq
	}
	m.Ord = p.row.Ord
	p.row.Changed = a.Pos
	a.Set(messageKey(p.id, m.Seq), m.encode())
	p.write(a)
	return m.Seq
}

// write stores the room without taking a number: nobody's list sees that as a change.
func (p *place) write(a *kernel.Apply) { a.Set(p.key, p.row.encode()) }

// changeLine rewrites a person's line (a new one, if there was none) and moves its position.
func changeLine(a *kernel.Apply, user ids.User, room ids.Room, change func(*lineRow)) {
	key := lineKey(user, room)
	l, _ := getLine(a, key)
	change(&l)
	l.changed = a.Pos
	a.Set(key, l.encode())
}

// join makes user a member who reads from seq on and has read up to `read`, and puts the room on their list.
func join(a *kernel.Apply, room ids.Room, user ids.User, m MemberRow) {
	m.Present = true
	a.Set(memberKey(room, user), m.encode())
	changeLine(a, user, room, func(l *lineRow) { l.left = false })
	a.Emit(MemberJoined{Room: room, User: user, Joined: m.Joined})
}
