package chat

import (
	"testing"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// The budget of every command: how many rows it reads and writes, and how many bytes of keys and values. The kernel adds
// its row d. A change of these numbers is a change of what the product costs: it has to be meant.
func TestBudget(t *testing.T) {
	a, c := userN(1), userN(2)
	group, direct := groupOf(a, 1), ids.Direct(a, c)
	base := func() *bed {
		b := newBed(t)
		b.group(1, a, c)
		b.say(a, group, "text of a") // 2
		b.tell(a, c, "text of a")    // 1
		b.tell(c, a, "text of c")    // 2
		return b
	}
	text := &logv1.Send{Text: "twenty bytes of text", Peer: c[:], Read: 9}
	some := make([]ids.User, MaxInvite)
	for i := range some {
		some[i] = userN(1000 + i)
	}
	for _, x := range []struct {
		name                string
		room                ids.Room
		op                  any
		gets, writes, bytes int
	}{
		{"send, group", group, text, 2, 3, 211},
		{"send, direct", direct, text, 2, 3, 225},
		{"send that opens a direct", ids.Direct(a, userN(5)), &logv1.Send{Text: "twenty bytes of text", Peer: raw(userN(5))[0]}, 7, 6, 353},
		{"edit", group, &logv1.Edit{Seq: 2, Text: "twenty bytes of text"}, 3, 3, 234},
		{"delete", group, &logv1.Delete{Seq: 2}, 3, 3, 206},
		{"react", group, &logv1.React{Seq: 2, Reaction: 1}, 4, 4, 277},
		{"read", direct, &logv1.Read{Seq: 2}, 3, 2, 87},
		{"mute", group, &logv1.Mute{On: true}, 4, 1, 41},
		{"pin", group, &logv1.Pin{On: true}, 4, 1, 41},
		{"leave, group", group, &logv1.Leave{}, 3, 4, 207},
		{"leave, direct", direct, &logv1.Leave{}, 3, 3, 168},
		{"rename", group, &logv1.Rename{Title: "valley"}, 2, 2, 124},
		{"invite 200", group, &logv1.Invite{Members: raw(some...)}, 802, 402, 19520},
		{"create with 200", groupOf(a, 2), &logv1.CreateRoom{Title: "valley", Members: raw(some...)}, 603, 404, 19605},
		{"block", ids.Room{}, &logv1.Block{Other: c[:]}, 6, 5, 268},
		{"close", ids.Room{}, &logv1.CloseUser{}, 6, 6, 300},
	} {
		b := base()
		raw := b.command(a, x.room, x.op)
		b.tx.gets, b.tx.writes, b.tx.bytes = 0, 0, 0
		if v := b.apply(raw); v.Code != kernel.OK {
			t.Errorf("%s: %v", x.name, v.Code)
		}
		if b.tx.gets != x.gets || b.tx.writes != x.writes || b.tx.bytes != x.bytes {
			t.Errorf("%s: %d reads, %d writes, %d bytes; the budget is %d, %d, %d",
				x.name, b.tx.gets, b.tx.writes, b.tx.bytes, x.gets, x.writes, x.bytes)
		}
	}
}

// A list of 10,000 rooms costs at most three reads a line.
func TestLinesBudget(t *testing.T) {
	b := newBed(t)
	me := userN(0)
	const rooms = 10_000
	for i := range rooms {
		from := userN(1 + i)
		b.tell(from, me, "hello")
		if i%2 == 0 {
			b.must(me, ids.Direct(me, from), &logv1.Read{Seq: 1})
		}
	}
	b.tx.gets = 0
	n, unread := 0, uint64(0)
	Lines(b.tx, me, func(l Line) bool {
		n++
		unread += l.Unread
		return true
	})
	if n != rooms || unread != rooms/2 || b.tx.gets > 3*rooms {
		t.Errorf("%d lines, %d unread, %d reads", n, unread, b.tx.gets)
	}
}

func BenchmarkSend(b *testing.B) {
	x := newBed(b)
	a, c := userN(1), userN(2)
	room := ids.Direct(a, c)
	x.tell(a, c, "hello")
	cmd, err := x.d.Decode(x.command(a, room, &logv1.Send{Peer: c[:], Text: "twenty bytes of text", Read: 1}))
	if err != nil {
		b.Fatal(err)
	}
	apply := kernel.Apply{Tx: discard{x.tx}, Pos: x.pos, Time: x.time}
	b.ReportAllocs()
	for b.Loop() {
		apply.Events = apply.Events[:0]
		if v := x.d.Apply(&apply, cmd); v.Code != kernel.OK {
			b.Fatal(v.Code)
		}
	}
}

func BenchmarkDecodeSend(b *testing.B) {
	x := newBed(b)
	a, c := userN(1), userN(2)
	raw := x.command(a, ids.Direct(a, c), &logv1.Send{Peer: c[:], Text: "twenty bytes of text", Read: 1})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.d.Decode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLines10000(b *testing.B) {
	x := newBed(b)
	me := userN(0)
	for i := range 10_000 {
		x.tell(userN(1+i), me, "hello")
	}
	x.tx.keys()
	b.ReportAllocs()
	for b.Loop() {
		Lines(x.tx, me, func(Line) bool { return true })
	}
}

// discard reads from a view and drops what is written: the cost of Apply without storage.
type discard struct{ *memTx }

func (discard) Set(_, _ []byte) {}
func (discard) Delete(_ []byte) {}
