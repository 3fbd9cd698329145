package term

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/bonghwa/bonghwa/client"
)

// numbered takes "42 text".
func (a *app) numbered(rest string) (room string, seq uint64, text string, ok bool) {
	room, ok = a.current()
	if !ok {
		return
	}
	word, text, _ := strings.Cut(rest, " ")
	seq, err := strconv.ParseUint(word, 10, 64)
	if err != nil || seq == 0 {
		a.s.Print(a.l.say("help"))
		return room, 0, "", false
	}
	return room, seq, strings.TrimSpace(text), true
}

func (a *app) reply(_ context.Context, rest string) {
	if _, seq, text, ok := a.numbered(rest); ok && text != "" {
		a.send(text, seq)
	}
}

func (a *app) edit(ctx context.Context, rest string) {
	if room, seq, text, ok := a.numbered(rest); ok && text != "" {
		if _, err := a.c.Edit(ctx, room, seq, text); err != nil {
			a.failed(err)
		}
	}
}

func (a *app) remove(ctx context.Context, rest string) {
	if room, seq, _, ok := a.numbered(rest); ok {
		if _, err := a.c.Delete(ctx, room, seq); err != nil {
			a.failed(err)
		}
	}
}

func (a *app) react(ctx context.Context, rest string) {
	room, seq, text, ok := a.numbered(rest)
	if !ok {
		return
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > 6 {
		a.s.Print(a.l.say("help"))
		return
	}
	if _, err := a.c.React(ctx, room, seq, uint32(n)); err != nil {
		a.failed(err)
	}
}

// group makes a room: the words with @ are people, the others its title.
func (a *app) group(ctx context.Context, rest string) {
	var title, who []string
	for _, w := range strings.Fields(rest) {
		if strings.HasPrefix(w, "@") {
			who = append(who, w)
		} else {
			title = append(title, w)
		}
	}
	list, ok := a.persons(ctx, who)
	if !ok {
		return
	}
	r, err := a.c.CreateRoom(ctx, strings.Join(title, " "), list)
	if err != nil {
		a.failed(err)
		return
	}
	if room, err := a.c.GetRoom(ctx, r.Room); err == nil {
		a.mu.Lock()
		a.rooms[room.ID] = room
		a.mu.Unlock()
	}
	a.openRoom(ctx, r.Room, "")
}

func (a *app) invite(ctx context.Context, rest string) {
	room, ok := a.current()
	if !ok {
		return
	}
	if list, ok := a.persons(ctx, strings.Fields(rest)); ok && len(list) > 0 {
		if _, err := a.c.Invite(ctx, room, list); err != nil {
			a.failed(err)
		}
	}
}

func (a *app) rename(ctx context.Context, rest string) {
	if room, ok := a.current(); ok {
		if _, err := a.c.Rename(ctx, room, rest); err != nil {
			a.failed(err)
		}
	}
}

func (a *app) leave(ctx context.Context, _ string) {
	room, ok := a.current()
	if !ok {
		return
	}
	if _, err := a.c.Leave(ctx, room); err != nil {
		a.failed(err)
		return
	}
	a.mu.Lock()
	a.room, a.peer = "", ""
	a.mu.Unlock()
	a.c.View()
	a.s.Print(a.l.say("done"))
}

// on reads "켬" or "on", "끔" or "off".
func on(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "켬", "on":
		return true, true
	case "끔", "off":
		return false, true
	}
	return false, false
}

// alerts is 알림 켬/끔, mute the opposite.
func (a *app) alerts(ctx context.Context, rest string) { a.setMute(ctx, rest, false) }

func (a *app) mute(ctx context.Context, rest string) { a.setMute(ctx, rest, true) }

func (a *app) setMute(ctx context.Context, rest string, word bool) {
	room, ok := a.current()
	value, valid := on(rest)
	switch {
	case !ok:
	case !valid:
		a.s.Print(a.l.say("help"))
	default:
		a.did(a.c.Mute(ctx, room, value == word))
	}
}

func (a *app) pin(ctx context.Context, rest string) {
	room, ok := a.current()
	value, valid := on(rest)
	switch {
	case !ok:
	case !valid:
		a.s.Print(a.l.say("help"))
	default:
		a.did(a.c.Pin(ctx, room, value))
	}
}

func (a *app) block(ctx context.Context, rest string) {
	if u, ok := a.person(ctx, rest); ok {
		a.did(a.c.Block(ctx, u.ID))
	}
}

func (a *app) unblock(ctx context.Context, rest string) {
	if u, ok := a.person(ctx, rest); ok {
		a.did(a.c.Unblock(ctx, u.ID))
	}
}

// outbox lists what is not sent yet.
func (a *app) outbox(context.Context, string) {
	list := a.c.Outbox()
	if len(list) == 0 {
		a.s.Print(a.l.say("nothing"))
	}
	for i, it := range list {
		a.s.Print(fmt.Sprintf("%3d  %s  [%s] %s", i+1, a.l.clock(it.Since), a.title(it.Room), line(it.Text)))
	}
}

// cancel gives up one item of the outbox, by default the last one.
func (a *app) cancel(_ context.Context, rest string) {
	list := a.c.Outbox()
	n := len(list)
	if rest != "" {
		k, err := strconv.Atoi(rest)
		if err != nil || k < 1 || k > len(list) {
			a.s.Print(a.l.say("nothing"))
			return
		}
		n = k
	}
	if n == 0 {
		a.s.Print(a.l.say("nothing"))
		return
	}
	it := list[n-1]
	a.mu.Lock()
	a.pending[it.ID] = it.Text
	a.mu.Unlock()
	if err := a.c.GiveUp(it.ID); err != nil {
		a.failed(err)
	}
}

func (a *app) status(ctx context.Context, rest string) {
	a.did(a.c.SetProfile(ctx, client.ProfileChange{Status: &rest}))
}

func (a *app) password(ctx context.Context, _ string) {
	old, err := a.s.Read(a.l.say("password.in"), true)
	if err != nil {
		return
	}
	next, err := a.newPassword("password.new")
	if err != nil {
		return
	}
	// The user has taken time to type: the command's own patience begins now.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if _, err := a.c.ChangePassword(ctx, old, next); err != nil {
		a.failed(err)
		return
	}
	a.s.Print(a.l.say("password.done"))
}

func (a *app) devices(ctx context.Context, _ string) {
	list, err := a.c.Devices(ctx)
	if err != nil {
		a.failed(err)
		return
	}
	for _, d := range list {
		s := "  " + line(d.Label) + "  " + d.LastDay.Format("2006-01-02 MST")
		if d.Connected {
			s = "  " + line(d.Label) + "  " + a.l.say("device.on")
		}
		if d.Current {
			s += a.l.say("device.this")
		}
		a.s.Print(s)
	}
}

func (a *app) invitation(ctx context.Context, _ string) {
	secret, err := a.c.CreateInvitation(ctx, 1, 7)
	if err != nil {
		a.failed(err)
		return
	}
	a.s.Print(a.l.say("invite.secret", secret))
}
