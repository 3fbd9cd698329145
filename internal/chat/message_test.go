package chat

import (
	"reflect"
	"testing"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

func TestSendRow(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	room := b.group(1, a, c)
	first := b.say(c, room, "first")
	seq := b.must(a, room, &logv1.Send{Text: "봉화 올려라", ReplyTo: first, Read: first})
	want := Message{
		Room: room, Seq: seq, Kind: KindText, Author: a, Device: ids.Device(deviceOf(a)), N: 2, Time: b.time, Ord: 2,
		Text: "봉화 올려라", ReplyTo: first,
	}
	if got, _ := GetMessage(b.tx, room, seq); !reflect.DeepEqual(got, want) {
		t.Errorf("row %+v", got)
	}
	if !reflect.DeepEqual(b.events, []any{MessageAdded{Message: want}, ReadMoved{Room: room, User: a, Seq: seq}}) {
		t.Errorf("events %+v", b.events)
	}
	for _, to := range []uint64{1, seq + 1, 1 << 60} {
		b.want(kernel.UnknownMessage, a, room, &logv1.Send{Text: "x", ReplyTo: to})
	}
	var got []uint64
	History(b.tx, room, 2, 3, func(m Message) bool { got = append(got, m.Seq); return true })
	History(b.tx, room, 3, 2, func(m Message) bool { t.Error("an empty range has a row"); return true })
	if !reflect.DeepEqual(got, []uint64{2, 3}) {
		t.Errorf("history %v", got)
	}
	checkView(t, b)
}

// The author's own messages and the badge, case by case.
func TestReadAfterSend(t *testing.T) {
	a, c := userN(1), userN(2)
	for _, x := range []struct {
		name string
		do   func(b *bed, room ids.Room)
		read uint64 // claimed by the send
		mark uint64 // after it
		left uint64 // badge after it
	}{
		{"nothing there", func(*bed, ids.Room) {}, 0, 2, 0},
		{"all read", func(b *bed, r ids.Room) { b.say(c, r, "2") }, 2, 3, 0},
		{"a waiting send does not mark the unseen", func(b *bed, r ids.Room) { b.say(c, r, "2"); b.say(c, r, "3") }, 2, 2, 2},
		{"nothing read", func(b *bed, r ids.Room) { b.say(c, r, "2") }, 0, 1, 2},
		{"read on another device since", func(b *bed, r ids.Room) {
			b.say(c, r, "2")
			b.must(a, r, &logv1.Read{Seq: 2})
		}, 1, 3, 0},
		{"only a rename is unseen", func(b *bed, r ids.Room) {
			b.say(c, r, "2")
			b.must(c, r, &logv1.Rename{Title: "new"})
		}, 2, 4, 0},
		{"only a reaction to one's own is unseen", func(b *bed, r ids.Room) {
			b.say(a, r, "2")
			b.must(c, r, &logv1.React{Seq: 2, Reaction: 1})
		}, 0, 4, 0},
		{"a claim beyond the end is cut", func(b *bed, r ids.Room) { b.say(c, r, "2") }, 1 << 63, 3, 0},
		{"own after unseen", func(b *bed, r ids.Room) { b.say(c, r, "2"); b.say(a, r, "3") }, 0, 1, 3},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := newBed(t)
			room := b.group(1, a, c)
			x.do(b, room)
			b.must(a, room, &logv1.Send{Text: "own", Read: x.read})
			if l := b.line(a, room); l.Member.Read != x.mark || l.Unread != x.left {
				t.Errorf("read %d, badge %d; want %d, %d", l.Member.Read, l.Unread, x.mark, x.left)
			}
			checkView(t, b)
		})
	}
}

func TestReadMark(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	room := b.group(1, a, c)
	b.say(a, room, "2")
	b.say(a, room, "3")
	for _, x := range []struct{ seq, mark uint64 }{{0, 1}, {1, 1}, {2, 2}, {1, 2}, {4, 2}, {1 << 63, 2}, {3, 3}, {3, 3}} {
		writes, was := b.tx.writes, b.line(c, room)
		b.must(c, room, &logv1.Read{Seq: x.seq})
		l := b.line(c, room)
		if l.Member.Read != x.mark || l.Unread != 3-x.mark {
			t.Errorf("read %d: mark %d, badge %d", x.seq, l.Member.Read, l.Unread)
		}
		moved := was.Member.Read != x.mark
		if moved != (b.tx.writes != writes) || moved != (len(b.events) == 1) || moved != (l.Changed == b.pos) {
			t.Errorf("read %d: %d rows, events %v", x.seq, b.tx.writes-writes, b.events)
		}
	}
	if l := b.line(a, room); l.Changed.N != b.pos.N-8 {
		t.Error("a read mark moves the line of others")
	}
	b.must(userN(7), room, &logv1.Read{Seq: 3})
	if _, ok := GetMember(b.tx, room, userN(7)); ok {
		t.Error("a stranger's mark is kept")
	}
	checkView(t, b)
}

func TestEditAndDelete(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	room := b.group(1, a, c)
	seq := b.must(a, room, &logv1.Send{Text: "tpyo", ReplyTo: b.say(c, room, "question")})
	b.want(kernel.NotAuthor, c, room, &logv1.Edit{Seq: seq, Text: "x"})
	b.want(kernel.NotAuthor, c, room, &logv1.Delete{Seq: seq})
	b.want(kernel.UnknownMessage, a, room, &logv1.Edit{Seq: 1, Text: "the created row"})
	b.want(kernel.UnknownMessage, a, room, &logv1.Edit{Seq: 0, Text: "none"})
	b.want(kernel.UnknownMessage, a, room, &logv1.Delete{Seq: seq + 1})

	b.must(c, room, &logv1.React{Seq: seq, Reaction: 3})
	at := b.must(a, room, &logv1.Edit{Seq: seq, Text: "typo"})
	m, _ := GetMessage(b.tx, room, seq)
	if m.Text != "typo" || m.Edited != b.time || m.ReplyTo == 0 || m.Reactions[2] != 1 || m.Ord != 2 {
		t.Errorf("edited %+v", m)
	}
	row := Message{Room: room, Seq: at, Kind: KindEdit, Author: a, Time: b.time, Ord: 2, Target: seq}
	if !reflect.DeepEqual(b.events, []any{MessageAdded{Message: row, Changed: &m}}) {
		t.Errorf("events %+v", b.events)
	}
	b.must(a, room, &logv1.Edit{Seq: seq, Text: "typo"})

	b.must(a, room, &logv1.Delete{Seq: seq})
	m, _ = GetMessage(b.tx, room, seq)
	want := Message{Room: room, Seq: seq, Kind: KindText, Author: a, Device: m.Device, N: 2, Time: m.Time, Ord: 2, Deleted: true,
		Reactions: [Reactions]uint32{2: 1}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("tombstone %+v", m)
	}
	b.want(kernel.Deleted, a, room, &logv1.Delete{Seq: seq})
	b.want(kernel.Deleted, a, room, &logv1.Edit{Seq: seq, Text: "x"})
	b.want(kernel.Deleted, c, room, &logv1.React{Seq: seq, Reaction: 3})
	if l := b.line(c, room); l.Unread != 1 || !LastMessage(b.tx, &l).Deleted {
		t.Errorf("a tombstone still counts and is still the last message: %+v", l)
	}
	checkView(t, b)
}

func TestEditWindow(t *testing.T) {
	b := newBed(t)
	a := userN(1)
	room := b.group(1, a)
	seq := b.say(a, room, "old")
	sent := b.time
	b.time = sent + changeWindow - 1
	b.must(a, room, &logv1.Edit{Seq: seq, Text: "at the last moment"})
	b.want(kernel.TooLate, a, room, &logv1.Edit{Seq: seq, Text: "x"})
	b.want(kernel.TooLate, a, room, &logv1.Delete{Seq: seq})
	b.must(a, room, &logv1.React{Seq: seq, Reaction: 1})
}

func TestReact(t *testing.T) {
	b := newBed(t)
	a, c := userN(1), userN(2)
	room := b.group(1, a, c)
	seq := b.say(a, room, "news")
	b.want(kernel.UnknownMessage, c, room, &logv1.React{Seq: 1, Reaction: 1})
	step := func(user ids.User, code uint32, row, mine byte, counts [Reactions]uint32) {
		t.Helper()
		at := b.must(user, room, &logv1.React{Seq: seq, Reaction: code})
		m, _ := GetMessage(b.tx, room, at)
		target, _ := GetMessage(b.tx, room, seq)
		if m.Kind != KindReaction || m.Target != seq || m.Reaction != row || MyReaction(b.tx, room, seq, user) != mine || target.Reactions != counts {
			t.Errorf("row %+v, counts %v", m, target.Reactions)
		}
		if added := b.events[0].(MessageAdded); len(b.events) != 1 || !reflect.DeepEqual(*added.Changed, target) {
			t.Errorf("events %+v", b.events)
		}
	}
	step(c, 1, 1, 1, [Reactions]uint32{1})
	step(a, 1, 1, 1, [Reactions]uint32{2})
	step(c, 6, 6, 6, [Reactions]uint32{1, 0, 0, 0, 0, 1})
	step(c, 6, 0, 0, [Reactions]uint32{1})
	step(a, 1, 0, 0, [Reactions]uint32{})
	checkView(t, b)
}
