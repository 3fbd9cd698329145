package chat

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

const (
	machineUsers  = 5
	machineGroups = 3
)

// machine plays commands made of bytes against two views and keeps what the events have told.
type machine struct {
	*bed
	twin  *memTx
	in    []byte
	seqs  map[ids.Room]uint64
	told  map[ids.Room]map[ids.User]bool // members as the events tell
	moved map[ids.Room]kernel.Position   // where the room last took a number
}

func (m *machine) next(n int) int {
	if len(m.in) == 0 {
		return 0
	}
	b := m.in[0]
	m.in = m.in[1:]
	return int(b) % n
}

// text is different each time, so that an old one can be looked for.
func (m *machine) text() string { return fmt.Sprintf("text-%d;", m.pos.N) }

func (m *machine) room(user ids.User) (room ids.Room, peer ids.User) {
	if n := m.next(machineGroups + machineUsers); n < machineGroups {
		return groupOf(userN(n), 1), peer
	} else {
		peer = userN(n - machineGroups)
	}
	return ids.Direct(user, peer), peer
}

func (m *machine) people() (us []ids.User) {
	mask := m.next(1 << machineUsers)
	for i := range machineUsers {
		if mask&(1<<i) != 0 {
			us = append(us, userN(i))
		}
	}
	return us
}

// op takes one operation from the input. Closing an account is rare: after it little can happen.
func (m *machine) op() (user ids.User, room ids.Room, op any) {
	kind := m.next(64)
	user = userN(m.next(machineUsers))
	room, peer := m.room(user)
	r, _ := GetRoom(m.tx, room)
	seq := func() uint64 { return uint64(m.next(int(min(r.NextSeq, 200)) + 2)) }
	other := userN(m.next(machineUsers))
	switch {
	case kind < 18:
		op := &logv1.Send{Text: m.text(), Read: seq()}
		if peer != (ids.User{}) {
			op.Peer = peer[:]
		}
		if m.next(4) == 0 {
			op.ReplyTo = seq()
		}
		return user, room, op
	case kind < 24:
		return user, room, &logv1.Edit{Seq: seq(), Text: m.text()}
	case kind < 28:
		return user, room, &logv1.Delete{Seq: seq()}
	case kind < 36:
		return user, room, &logv1.React{Seq: seq(), Reaction: uint32(m.next(Reactions+1)) + 1}
	case kind < 42:
		return user, room, &logv1.Read{Seq: seq()}
	case kind < 46:
		return user, room, &logv1.Invite{Members: raw(m.people()...)}
	case kind < 49:
		return user, room, &logv1.Leave{}
	case kind < 51:
		return user, room, &logv1.Rename{Title: m.text()}
	case kind < 53:
		return user, room, &logv1.Mute{On: m.next(2) == 1}
	case kind < 55:
		return user, room, &logv1.Pin{On: m.next(2) == 1}
	case kind < 57:
		return user, ids.Room{}, &logv1.Block{Other: other[:]}
	case kind < 59:
		return user, ids.Room{}, &logv1.Unblock{Other: other[:]}
	case kind < 62:
		return user, groupOf(user, 1), &logv1.CreateRoom{Title: m.text(), Members: raw(m.people()...)}
	case kind < 63:
		m.time += uint64(m.next(256)) * 1000 * 600 // up to 42 hours
		return user, room, &logv1.Skip{}
	case m.next(8) == 7:
		return user, ids.Room{}, &logv1.CloseUser{}
	default:
		return user, room, &logv1.Typing{}
	}
}

// play applies the input and checks the view every so often and at the end.
func (m *machine) play(every int) {
	for step := 1; len(m.in) > 0; step++ {
		user, room, op := m.op()
		raw := m.command(user, room, op)
		v := m.apply(raw)
		events := m.events
		c, _ := m.d.Decode(raw)
		a := &kernel.Apply{Tx: m.twin, Pos: m.pos, Time: m.time, Behaviour: kernel.Behaviour}
		if w := m.d.Apply(a, c); w != v || !reflect.DeepEqual(a.Events, events) {
			m.t.Fatalf("the twin answers %v, not %v", w, v)
		}
		m.hear(events)
		if step%every == 0 {
			checkView(m.t, m.bed)
		}
	}
	checkView(m.t, m.bed)
	m.compare()
}

// hear follows the events: numbers without holes, joins before the row that tells of them, leaving after it.
func (m *machine) hear(events []any) {
	for _, e := range events {
		switch e := e.(type) {
		case MemberJoined:
			if m.told[e.Room] == nil {
				m.told[e.Room] = map[ids.User]bool{}
			}
			if m.told[e.Room][e.User] {
				m.t.Fatal("joined twice")
			}
			m.told[e.Room][e.User] = true
			if e.Joined > m.seqs[e.Room]+1 {
				m.t.Fatalf("joined at %d before row %d", e.Joined, m.seqs[e.Room]+1)
			}
		case MessageAdded:
			msg := e.Message
			if msg.Seq != m.seqs[msg.Room]+1 || !m.told[msg.Room][msg.Author] {
				m.t.Fatalf("row %d after %d", msg.Seq, m.seqs[msg.Room])
			}
			m.seqs[msg.Room] = msg.Seq
			m.moved[msg.Room] = m.pos
			for _, u := range msg.Users {
				if !m.told[msg.Room][u] {
					m.t.Fatal("a row about a member before they joined")
				}
			}
			if got, _ := GetMessage(m.tx, msg.Room, msg.Seq); !reflect.DeepEqual(normal(got), normal(msg)) {
				m.t.Fatalf("told %+v, stored %+v", msg, got)
			}
			if e.Changed != nil {
				if got, _ := GetMessage(m.tx, msg.Room, msg.Target); !reflect.DeepEqual(got, *e.Changed) {
					m.t.Fatalf("told %+v, stored %+v", *e.Changed, got)
				}
			}
			if (e.Changed != nil) != (msg.Target != 0) {
				m.t.Fatal("a change without its target")
			}
		case MemberLeft:
			delete(m.told[e.Room], e.User)
		case ReadMoved:
			if b, _ := GetMember(m.tx, e.Room, e.User); b.Read != e.Seq {
				m.t.Fatal("told another read mark")
			}
		}
	}
}

func normal(m Message) Message {
	if len(m.Users) == 0 {
		m.Users = nil
	}
	return m
}

// compare holds the end against the twin and against what was told, and looks for what must be gone.
func (m *machine) compare() {
	if m.tx.digest() != m.twin.digest() {
		m.t.Fatal("the same commands gave other bytes")
	}
	live := map[string]bool{}
	for room, last := range m.seqs {
		r, _ := GetRoom(m.tx, room)
		if r.NextSeq != last+1 || r.Changed != m.moved[room] {
			m.t.Fatalf("room %+v after row %d at %v", r, last, m.moved[room])
		}
		n := 0
		Members(m.tx, room, func(u ids.User, _ MemberRow) bool {
			n++
			if !m.told[room][u] {
				m.t.Fatal("a member nobody was told of")
			}
			return true
		})
		if n != len(m.told[room]) {
			m.t.Fatalf("%d members, %d told", n, len(m.told[room]))
		}
		live[r.Title] = true
		History(m.tx, room, 1, last, func(msg Message) bool { live[msg.Text] = true; return true })
	}
	for k, v := range m.tx.rows {
		for rest := string(v); ; {
			i := strings.Index(rest, "text-")
			if i < 0 {
				break
			}
			end := strings.IndexByte(rest[i:], ';') + i + 1
			if !live[rest[i:end]] {
				m.t.Fatalf("row %c keeps %q", k[0], rest[i:end])
			}
			rest = rest[end:]
		}
	}
}

func newMachine(t testing.TB, in []byte) *machine {
	return &machine{
		bed: newBed(t), twin: newMemTx(), in: in, seqs: map[ids.Room]uint64{},
		told: map[ids.Room]map[ids.User]bool{}, moved: map[ids.Room]kernel.Position{},
	}
}

// TestMachine plays long random runs; FuzzMachine looks for short ones that break something.
func TestMachine(t *testing.T) {
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		in := make([]byte, 6000)
		for i := range in {
			in[i] = byte(rnd.Uint32())
		}
		m := newMachine(t, in)
		m.play(50)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzMachine(f *testing.F) {
	f.Add([]byte{60, 0, 0, 0, 31, 1, 1, 0, 0, 0, 0})
	f.Add(bytes.Repeat([]byte{0, 1, 4, 0, 0, 0}, 40))
	f.Add(bytes.Repeat([]byte{3, 0, 4, 9, 1, 48, 1, 3, 0, 0, 20, 0, 4, 1, 1}, 20))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 2000 {
			return
		}
		newMachine(t, in).play(10)
	})
}
