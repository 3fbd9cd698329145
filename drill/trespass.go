package drill

import (
	"context"
	"errors"
	"time"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/server"
)

// liveTries is the pause between two tries of one thing at one site, where people are there for other things, too.
const liveTries = 500 * time.Millisecond

// guard readies what will be forbidden at the fire, with three of the people: one session of theirs each. It begins by undoing what an
// earlier time has left, and so nothing has to be undone at the end.
func (l *Live) guard(ctx context.Context) error {
	if len(l.members) < 3 {
		return errors.New("fewer than three people are here")
	}
	first := len(l.members) - 3
	who := l.c.people[first:]
	owner, member, blocked := who[0], who[1], who[2]
	for _, p := range l.c.people {
		if err := forget(ctx, p); err != nil {
			return err
		}
	}
	if _, err := owner.c.Unblock(ctx, blocked.id); err != nil {
		return err
	}
	r := round{owner: owner.id}
	var err error
	if r.room, err = roomOf(ctx, "화재 훈련 문단속", []*person{owner, member}); err != nil {
		return err
	}
	if _, err := owner.c.Invite(ctx, r.room, []string{member.id}); err != nil {
		return err
	}
	var urls []string
	for _, s := range l.c.sites {
		urls = append(urls, l.c.urls[s])
	}
	l.w = newWarden(urls, l.http.Transport)
	l.w.every = liveTries
	for i, s := range []**suspect{&r.thief, &r.member, &r.blocked} {
		m := l.members[first+i]
		if *s, err = l.w.session(ctx, m.Handle, m.Password); err != nil {
			return err
		}
	}
	r.revoke = func(ctx context.Context) error {
		_, err := owner.c.RevokeDevices(ctx, []string{ids.Text(r.thief.device)})
		return err
	}
	r.leave = func(ctx context.Context) error { _, err := member.c.Leave(ctx, r.room); return err }
	r.block = func(ctx context.Context) error { _, err := owner.c.Block(ctx, blocked.id); return err }
	l.bans = r.bans()
	return l.w.possible(ctx, l.bans)
}

// forget ends the sessions that drills have left.
func forget(ctx context.Context, p *person) error {
	list, err := p.c.Devices(ctx)
	if err != nil {
		return err
	}
	var old []string
	for _, d := range list {
		if d.Label == drillDevice {
			old = append(old, d.ID)
		}
	}
	if len(old) == 0 {
		return nil
	}
	_, err = p.c.RevokeDevices(ctx, old)
	return err
}

// forbid forbids it while the site burns.
func (l *Live) forbid(ctx context.Context) {
	l.forbidden = make(chan error, 1)
	go func() { l.forbidden <- l.w.forbid(ctx, l.bans) }()
}

// trespassed ends the tries, and says how many there were, how many did what must not be possible, and what is wrong with that.
func (l *Live) trespassed() (tried, unauthorised int, why []server.Matter) {
	err := <-l.forbidden
	breaches, tried := l.w.end()
	if err == nil && tried == 0 {
		err = errors.New("no site answered")
	}
	if err != nil {
		why = append(why, server.Matter{Kind: server.MatterNotTried, Detail: err.Error()})
	}
	for _, b := range breaches[:min(len(breaches), 10)] {
		why = append(why, server.Matter{Kind: server.MatterTrespass, Detail: b})
	}
	return tried, len(breaches), why
}
