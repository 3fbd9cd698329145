package chat

import (
	"testing"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// checkView holds the whole view against what must be true of it, naively: it reads every row and recounts.
func checkView(t testing.TB, b *bed) {
	t.Helper()
	v := b.tx
	rooms := map[ids.Room]bool{}
	members, lines := map[[2]string]MemberRow{}, map[[2]string]lineRow{}
	closed := map[ids.User]bool{}
	for _, k := range v.keys() {
		key := []byte(k)
		if err := b.d.CheckRow(key, v.rows[k]); err != nil {
			t.Fatalf("row %c %x: %v", key[0], key, err)
		}
		switch key[0] {
		case rowRoom:
			rooms[ids.Room(key[1:])] = true
		case rowMember:
			m, _ := decodeMember(v.rows[k])
			members[[2]string{string(key[1 : 1+lenRoom]), string(key[1+lenRoom:])}] = m
		case rowLine:
			l, _ := decodeLine(v.rows[k])
			lines[[2]string{string(key[1+lenUser:]), string(key[1 : 1+lenUser])}] = l
		case rowClosed:
			closed[ids.User(key[1:])] = true
		}
	}
	if len(members) != len(lines) {
		t.Fatalf("%d memberships, %d lines", len(members), len(lines))
	}
	pins := map[string]int{}
	for at, m := range members {
		room, user := ids.Room([]byte(at[0])), ids.User([]byte(at[1]))
		l, ok := lines[at]
		if !ok || !rooms[room] {
			t.Fatalf("membership without line or room")
		}
		if l.pinned {
			pins[at[1]]++
		}
		if l.left && l.pinned {
			t.Fatal("pinned and left")
		}
		checkMember(t, v, room, user, m, l, closed[user])
	}
	for user, n := range pins {
		if n > MaxPinned {
			t.Fatalf("%x has pinned %d rooms", user, n)
		}
	}
	texts := 0
	for room := range rooms {
		texts += checkSequence(t, v, room)
	}
	for _, k := range v.keys() {
		if k[0] == rowMessage || k[0] == rowReaction || k[0] == rowMember {
			if !rooms[ids.Room([]byte(k[1:1+lenRoom]))] {
				t.Fatalf("row %c of no room", k[0])
			}
		}
	}
}

// checkSequence recounts one room: no hole, ord, counters of reactions, members.
func checkSequence(t testing.TB, v *memTx, room ids.Room) (texts int) {
	t.Helper()
	r, _ := GetRoom(v, room)
	next, ord, last := uint64(1), uint64(0), uint64(0)
	reactions := map[uint64][Reactions]uint32{}
	lower, upper := below(append([]byte{rowReaction}, room[:]...))
	v.Scan(lower, upper, func(key, value []byte) bool {
		code, _ := decodeReaction(value)
		n := reactions[seqOf(key)]
		n[code-1]++
		reactions[seqOf(key)] = n
		return true
	})
	var author ids.User
	History(v, room, 0, ^uint64(0), func(m Message) bool {
		if m.Kind == KindText {
			ord++
			last = m.Seq
			texts++
		}
		if m.Seq != next || m.Ord != ord {
			t.Fatalf("row %d with ord %d, want %d with %d", m.Seq, m.Ord, next, ord)
		}
		if m.Reactions != reactions[m.Seq] {
			t.Fatalf("row %d counts %v, there are %v", m.Seq, m.Reactions, reactions[m.Seq])
		}
		delete(reactions, m.Seq)
		if m.Seq == 1 {
			author = m.Author
			if want := map[byte]byte{ids.KindDirect: KindText, ids.KindGroup: KindCreated}[r.Kind]; m.Kind != want {
				t.Fatalf("a room of kind %d begins with %d", r.Kind, m.Kind)
			}
		}
		if m.Target != 0 {
			if target, ok := GetMessage(v, room, m.Target); !ok || target.Kind != KindText {
				t.Fatalf("row %d changes row %d, which is no message", m.Seq, m.Target)
			}
		}
		next++
		return true
	})
	if len(reactions) != 0 {
		t.Fatalf("reactions to nothing: %v", reactions)
	}
	if r.NextSeq != next || r.Ord != ord || r.LastText != last {
		t.Fatalf("room says next %d ord %d text %d, counted %d %d %d", r.NextSeq, r.Ord, r.LastText, next, ord, last)
	}
	present := uint32(0)
	Members(v, room, func(u ids.User, m MemberRow) bool {
		present++
		if m.Role == RoleOwner && u != author {
			t.Fatal("an owner who has not made the group")
		}
		return true
	})
	if present != r.Members {
		t.Fatalf("room says %d members, counted %d", r.Members, present)
	}
	for i, u := range r.Peers {
		if r.Kind == ids.KindDirect && r.has(u, peerBlocks) != HasBlocked(v, u, r.Peers[1-i]) {
			t.Fatal("r and k disagree")
		}
	}
	return texts
}

// checkMember holds one membership against its line and the room, and the badge against a count.
func checkMember(t testing.TB, v *memTx, room ids.Room, user ids.User, m MemberRow, l lineRow, closed bool) {
	t.Helper()
	r, _ := GetRoom(v, room)
	if m.frozen && !r.blocked() {
		t.Fatal("marks are kept back where nobody blocks")
	}
	if m.Read >= r.NextSeq || m.Joined > r.NextSeq || r.Kind == ids.KindGroup && (m.Joined == 0 || m.Read < m.Joined) {
		t.Fatalf("joined %d, read %d in a room of %d", m.Joined, m.Read, r.NextSeq-1)
	}
	switch {
	case r.Kind == ids.KindDirect && (l.left != r.has(user, peerHidden) || closed != r.has(user, peerClosed)):
		t.Fatal("r of a 1:1 disagrees with i or z")
	case r.Kind == ids.KindGroup && l.left == m.Present:
		t.Fatal("i and b disagree about leaving")
	case r.Kind == ids.KindGroup && closed && m.Present:
		t.Fatal("a closed account in a group")
	}
	line, ok := GetLine(v, user, room)
	if !ok {
		t.Fatal("no line")
	}
	badge := uint64(0)
	var newest uint64
	if m.Present {
		History(v, room, max(m.Joined, 1), r.NextSeq, func(msg Message) bool {
			if msg.Kind == KindText {
				newest = msg.Seq
				if msg.Seq > m.Read {
					badge++
				}
			}
			return true
		})
	}
	if line.Unread != badge {
		t.Fatalf("badge %d, counted %d", line.Unread, badge)
	}
	last := LastMessage(v, &line)
	if last == nil && newest != 0 || last != nil && last.Seq != newest {
		t.Fatalf("last message %+v, counted %d", last, newest)
	}
	if !m.Present && (line.Row.NextSeq != 1 || line.Row.Title != "" || line.Changed != l.changed) {
		t.Fatalf("an ex-member sees %+v", line)
	}
}
