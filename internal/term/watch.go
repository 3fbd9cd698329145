package term

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/client"
)

// watch shows what happens until the client ends.
func (a *app) watch(ctx context.Context) {
	for {
		select {
		case e, ok := <-a.c.Events():
			if !ok {
				return
			}
			a.event(ctx, e)
		case <-ctx.Done():
			return
		}
	}
}

func (a *app) event(ctx context.Context, e client.Event) {
	switch e := e.(type) {
	case client.RoomEvent:
		a.mu.Lock()
		a.rooms[e.Room.ID] = e.Room
		a.mu.Unlock()
		a.learn(ctx, e.Room.Peer)
	case client.MessageEvent:
		a.message(ctx, e.Message)
	case client.ReadEvent:
		a.read(e)
	case client.TypingEvent:
		a.isTyping(ctx, e)
	case client.SettledEvent:
		a.settled(e)
	case client.StateEvent:
		a.connection(e.State)
	case client.RolledBackEvent:
		a.mu.Lock()
		a.room, a.peer, a.oldest, a.newest = "", "", 0, 0
		a.mu.Unlock()
		a.s.Print(a.l.say("rolledback"))
	case client.PeopleEvent:
		a.mu.Lock()
		a.names = map[string]client.User{a.me.ID: a.me}
		a.mu.Unlock()
	}
}

func (a *app) connection(st client.State) {
	a.mu.Lock()
	was := a.state
	a.state = st
	a.mu.Unlock()
	switch {
	case st.Ended != nil:
		a.s.Print(a.l.say("ended", a.why(st.Ended)))
	case st.Connected && !was.Connected:
		a.s.Print(a.l.say("connected"))
	case !st.Connected && was.Connected:
		a.s.Print(a.l.say("reconnecting"))
	}
}

// message shows a new row: in the open room as a line of the conversation, elsewhere as a notice.
func (a *app) message(ctx context.Context, m client.Message) {
	a.learn(ctx, append([]string{m.Author}, m.Users...)...)
	a.mu.Lock()
	open := m.Room == a.room
	if open && m.Seq <= a.newest {
		a.mu.Unlock()
		return // shown already, by opening the room
	}
	r, known := a.rooms[m.Room]
	if known {
		r.LastSeq = m.Seq
		if m.Kind == client.KindText && m.Author != a.me.ID && !open {
			r.Unread++
		}
		if m.Kind == client.KindRenamed {
			r.Title = m.Text
		}
		a.rooms[m.Room] = r
	}
	if open {
		a.newest = m.Seq
		if a.oldest == 0 {
			a.oldest = m.Seq
		}
		for _, id := range []string{m.Author, a.me.ID} { // who writes has read, and who sees it here too
			if w, ok := a.members[id]; ok {
				w.ReadSeq = max(w.ReadSeq, m.Seq)
				a.members[id] = w
			}
		}
		if m.Kind == client.KindText && m.Author == a.me.ID {
			a.ownLast = m
		}
		delete(a.typing, m.Author)
	}
	mine := m.Author == a.me.ID
	fresh := open && (len(a.members) == 0 || m.Kind == client.KindInvited || m.Kind == client.KindLeft)
	a.mu.Unlock()
	if open {
		if fresh {
			a.loadMembers(ctx, m.Room)
		}
		a.show(m)
		a.c.MarkRead(m.Room, m.Seq)
		return
	}
	if m.Kind == client.KindText && !mine && !r.Muted {
		a.s.Print(fmt.Sprintf("  ◆ [%s] %s: %s", a.title(m.Room), a.name(m.Author), line(m.Text)))
	}
}

// show prints a row of the open room.
func (a *app) show(m client.Message) {
	text := a.row(m)
	if text == "" {
		return
	}
	a.mu.Lock()
	day := a.l.day(m.Time.Local())
	fresh := day != a.day
	a.day = day
	a.mu.Unlock()
	if fresh {
		a.s.Print("─── " + day + " ───")
	}
	a.s.Print(text)
}

var reactions = [...]string{"", "❤", "👍", "✔", "😄", "😮", "😢"}

// row is the text of a row.
func (a *app) row(m client.Message) string {
	who := a.name(m.Author)
	subject := a.l.josa(who, "이", "가")
	if who == a.l.say("me") && a.l == "ko" {
		subject = "내가"
	}
	switch m.Kind {
	case client.KindText:
		return a.talk(m, who)
	case client.KindEdit:
		return "  " + a.l.say("ev.edit", subject, m.Target, line(m.Text))
	case client.KindDelete:
		return "  " + a.l.say("ev.delete", m.Target)
	case client.KindReaction:
		if m.Reaction == 0 || int(m.Reaction) >= len(reactions) {
			return "  " + a.l.say("ev.unreact", subject, m.Target)
		}
		return "  " + a.l.say("ev.react", subject, m.Target, reactions[m.Reaction])
	case client.KindCreated:
		return "  " + a.l.say("ev.created", subject)
	case client.KindInvited:
		var list []string
		for _, u := range m.Users {
			list = append(list, a.name(u))
		}
		return "  " + a.l.say("ev.invited", subject, a.l.josa(strings.Join(list, ", "), "을", "를"))
	case client.KindLeft:
		return "  " + a.l.say("ev.left", subject)
	case client.KindRenamed:
		title := line(m.Text)
		if a.l == "ko" {
			return "  " + fmt.Sprintf("%s 방 이름을 \"%s\"%s 바꿨어요.", subject, title, strings.TrimPrefix(a.l.josa(title, "으로", "로"), title))
		}
		return "  " + a.l.say("ev.renamed", subject, title)
	}
	return ""
}

// talk is one message: number, time, who, text, reactions, and how many have not read it.
func (a *app) talk(m client.Message, who string) string {
	text := clean(m.Text)
	if m.Deleted {
		text = a.l.say("deleted")
	}
	if m.ReplyTo > 0 {
		text = a.l.say("reply", m.ReplyTo) + text
	}
	if !m.Edited.IsZero() && !m.Deleted {
		text += a.l.say("edited")
	}
	for i, n := range m.Reactions {
		if n > 0 && i+1 < len(reactions) {
			text += fmt.Sprintf(" %s%d", reactions[i+1], n)
		}
	}
	head := fmt.Sprintf("%4d %s  %s: ", m.Seq, a.l.clock(m.Time.Local()), who)
	text = strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", runesWidth([]rune(head))))
	if n := a.unread(m); n > 0 {
		text += fmt.Sprintf("  ·%d", n)
	}
	return head + text
}

// unread is the number beside a message: members but its author who could read it and have not.
func (a *app) unread(m client.Message) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m.Room != a.room {
		return 0
	}
	for _, w := range a.members {
		if w.User != m.Author && w.JoinedSeq <= m.Seq && w.ReadSeq < m.Seq {
			n++
		}
	}
	return n
}

// read notes a read mark. When the last of the others has read the own newest message, that is said once.
func (a *app) read(e client.ReadEvent) {
	a.mu.Lock()
	if e.Room != a.room {
		a.mu.Unlock()
		return
	}
	m := a.ownLast
	w, ok := a.members[e.User]
	news := ok && w.ReadSeq < m.Seq && e.Seq >= m.Seq
	if ok {
		w.ReadSeq = max(w.ReadSeq, e.Seq)
		a.members[e.User] = w
	}
	a.mu.Unlock()
	if news && m.Room == e.Room && e.User != m.Author && a.unread(m) == 0 {
		a.mu.Lock()
		a.ownLast = client.Message{}
		a.mu.Unlock()
		a.s.Print(a.l.say("allread"))
	}
}

// isTyping says so once in a while.
func (a *app) isTyping(ctx context.Context, e client.TypingEvent) {
	a.learn(ctx, e.User)
	a.mu.Lock()
	show := e.Room == a.room && !e.Stopped && e.User != a.me.ID && time.Since(a.typing[e.User]) > 20*time.Second
	if show {
		a.typing[e.User] = time.Now()
	}
	a.mu.Unlock()
	if show {
		a.s.Print(a.l.say("typing", a.l.josa(a.name(e.User), "이", "가")))
	}
}

// settled tells what became of a text, unless it was simply sent: then its row shows it.
func (a *app) settled(e client.SettledEvent) {
	a.mu.Lock()
	text, mine := a.pending[e.ID]
	delete(a.pending, e.ID)
	if e.Err == nil && e.Receipt.Room != "" && e.Receipt.Room == a.room {
		a.peer = ""
	}
	a.mu.Unlock()
	switch {
	case !mine || e.Err == nil:
	case errors.Is(e.Err, client.ErrGivenUp):
		a.s.Print(a.l.say("givenup", line(text)))
	case client.ReasonOf(e.Err) == client.ReasonAlreadyIn:
		a.s.Print(a.l.say("unsure", line(text)))
	default:
		a.s.Print(a.l.say("refused", line(text), a.why(e.Err)))
	}
}
