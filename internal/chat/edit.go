package chat

import (
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// changeWindow is how long an author may edit or delete a message, in ms of effective time.
const changeWindow = 24 * 60 * 60 * 1000

// edit replaces the text of an own message. The old text is kept nowhere.
type edit struct {
	head
	Seq  uint64
	Text string
}

func (c *edit) apply(a *kernel.Apply) kernel.Verdict {
	p, code := enter(a, c.Room, c.User)
	if code != kernel.OK {
		return refuse(code)
	}
	if p.row.shut() {
		return refuse(kernel.CannotReceive)
	}
	m, code := p.own(a, c.Seq)
	if code != kernel.OK {
		return refuse(code)
	}
	m.Text, m.Edited = c.Text, a.Time
	return p.change(a, m, Message{Kind: KindEdit, Target: c.Seq})
}

// remove deletes an own message for everyone. Its row stays as a tombstone, because its ord counts, and keeps the
// counters of its reactions, because their rows stay too. It is allowed where nothing may be sent any more.
type remove struct {
	head
	Seq uint64
}

func (c *remove) apply(a *kernel.Apply) kernel.Verdict {
	p, code := enter(a, c.Room, c.User)
	if code != kernel.OK {
		return refuse(code)
	}
	m, code := p.own(a, c.Seq)
	if code != kernel.OK {
		return refuse(code)
	}
	m.erase()
	return p.change(a, m, Message{Kind: KindDelete, Target: c.Seq})
}

// own is the rule of editing and deleting: the author only, for 24 h, while there is something.
func (p *place) own(a *kernel.Apply, seq uint64) (Message, kernel.Code) {
	m, ok := p.text(a, seq)
	switch {
	case !ok:
		return m, kernel.UnknownMessage
	case m.Author != p.user:
		return m, kernel.NotAuthor
	case m.Deleted:
		return m, kernel.Deleted
	case a.Time > m.Time && a.Time-m.Time > changeWindow:
		return m, kernel.TooLate
	}
	return m, kernel.OK
}

// change rewrites the target and adds the row that tells of it.
func (p *place) change(a *kernel.Apply, target, row Message) kernel.Verdict {
	a.Set(messageKey(p.id, target.Seq), target.encode())
	seq := p.add(a, &row)
	a.Emit(MessageAdded{Message: row, Changed: &target})
	return done(seq)
}

// react sets, changes or (the same again) takes back the person's reaction to a message.
type react struct {
	head
	Seq      uint64
	Reaction uint32
}

func (c *react) apply(a *kernel.Apply) kernel.Verdict {
	if c.Reaction < 1 || c.Reaction > Reactions {
		return refuse(kernel.Invalid)
	}
	p, code := enter(a, c.Room, c.User)
	if code != kernel.OK {
		return refuse(code)
	}
	if p.row.shut() {
		return refuse(kernel.CannotReceive)
	}
	m, ok := p.text(a, c.Seq)
	if !ok {
		return refuse(kernel.UnknownMessage)
	}
	if m.Deleted {
		return refuse(kernel.Deleted)
	}
	was, now := MyReaction(a, c.Room, c.Seq, c.User), byte(c.Reaction)
	if was == now {
		now = 0
	}

	key := reactionKey(c.Room, c.Seq, c.User)
	if was != 0 {
		m.Reactions[was-1]--
	}
	if now != 0 {
		m.Reactions[now-1]++
		a.Set(key, encodeReaction(now))
	} else {
		a.Delete(key)
	}
	return p.change(a, m, Message{Kind: KindReaction, Target: c.Seq, Reaction: now})
}
