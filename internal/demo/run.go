package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/client"
)

// SignUp is an account as the operator sees it.
type SignUp struct{ User, Handle, Name string }

// Operator are the calls that only the operator of a server can make.
type Operator struct {
	// MarkSimulated says that a program drives an account.
	MarkSimulated func(ctx context.Context, handle string) error
	// Befriend puts a person and others on one another's lists of friends.
	Befriend func(ctx context.Context, handle string, others []string) error
	// SignUps waits for accounts made after a cursor; an empty cursor: all.
	SignUps func(ctx context.Context, after string) (list []SignUp, cursor string, err error)
}

// Options of Run.
type Options struct {
	// Dir keeps profiles and what was done; it is theirs alone.
	Dir string
	// URLs of the server, or of the sites of a system: then some of the twelve live at each.
	URLs []string
	Seed uint64
	// PerDay is how many messages they say among themselves on a day.
	PerDay   int
	Operator Operator
	Logger   *slog.Logger
	// Ready is called when all are there, with each of them.
	Ready func(list []Present)
	// Heard is told what each of them hears, Acked what each has been acknowledged; nil: nobody is.
	Heard func(who int, e client.Event)
	Acked func(who int, room string, seq uint64, text string)
}

// lookEvery is how often the twelve look who is here.
const lookEvery = 30 * time.Second

// troupe is the twelve with their clients.
type troupe struct {
	o       Options
	state   *state
	clients []*client.Client
	users   []string
	mine    map[string]bool // their user ids
	cast    *Cast
	heard   mailbox
	tasks   sync.WaitGroup
}

// Present is one of the twelve who is there: somebody else may write through the client, too.
type Present struct {
	Client           *client.Client
	Handle, Password string
}

// Run signs the twelve up, or in, and lets them live until ctx ends or something cannot go on.
func Run(ctx context.Context, o Options) (err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(ctx)
	t := &troupe{o: o, mine: map[string]bool{}, heard: newMailbox()}
	defer func() {
		cancel()
		t.tasks.Wait()
		for _, c := range t.clients {
			err = errors.Join(err, c.Close())
		}
		if t.state != nil && t.cast != nil {
			t.state.Spent = t.cast.Spent()
			err = errors.Join(err, t.state.save())
		}
	}()
	if t.state, err = openState(filepath.Join(o.Dir, "state.json")); err != nil {
		return err
	}
	if err := t.arrive(ctx); err != nil {
		return ended(ctx, err)
	}
	return ended(ctx, t.live(ctx))
}

// ended hides what goes wrong because the end was asked for.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// live drives the cast.
func (t *troupe) live(ctx context.Context) error {
	t.cast = NewCast(t.o.Seed, time.Now(), t.users, t.state.Rooms, t.o.PerDay, t.state.Spent)
	t.tasks.Go(func() { t.follow(ctx) })
	t.tasks.Go(func() { t.look(ctx) })
	for _, r := range t.cast.rooms {
		if r.history > 0 && !t.state.History[r.key] {
			t.cast.Hold(r.key)
			say := t.cast.History(r.key, r.history)
			t.tasks.Go(func() { t.write(ctx, r.room, say) })
		}
	}
	if t.o.Ready != nil {
		var list []Present
		for i, c := range t.clients {
			password, err := passwordIn(filepath.Join(t.o.Dir, people[i].handle))
			if err != nil {
				return err
			}
			list = append(list, Present{c, people[i].handle, password})
		}
		t.o.Ready(list)
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.heard.signal:
		case <-timer.C:
		}
		for _, f := range t.heard.take() {
			if err := f(); err != nil {
				return err
			}
		}
		t.cast.Tick(time.Now())
		for _, a := range t.cast.Take() {
			if err := t.do(ctx, a); err != nil {
				return err
			}
		}
		timer.Reset(max(0, time.Until(t.cast.Next())))
	}
}

// do carries out what the cast wants. What the server refuses - somebody has blocked one of them, or left - is theirs to
// bear.
func (t *troupe) do(ctx context.Context, action any) error {
	switch a := action.(type) {
	case Say:
		to := a.Room
		if a.To != "" {
			to = a.To
		}
		p, err := t.clients[a.Who].SendAsync(to, a.Text, client.SendOptions{ReplyTo: a.ReplyTo})
		if err != nil {
			return fmt.Errorf("%s cannot write: %w", people[a.Who].handle, err)
		}
		t.tasks.Go(func() {
			r, err := p.Wait(ctx)
			if err != nil {
				t.note(ctx, "a message was not taken", err)
			} else if t.o.Acked != nil {
				t.o.Acked(a.Who, r.Room, r.Seq, a.Text)
			}
			t.heard.put(func() error { t.cast.Said(time.Now(), a.ID, r.Seq); return nil })
		})
	case React:
		t.tasks.Go(func() {
			if _, err := t.clients[a.Who].React(ctx, a.Room, a.Seq, a.Reaction); err != nil {
				t.note(ctx, "a reaction was not taken", err)
			}
		})
	case Type:
		room := a.Room
		if a.To != "" {
			var err error
			if room, err = t.clients[a.Who].DirectRoom(a.To); err != nil {
				return err
			}
		}
		t.clients[a.Who].Typing(room, false)
	case Read:
		t.clients[a.Who].MarkRead(a.Room, a.Seq)
	case Invite:
		t.tasks.Go(func() {
			if _, err := t.clients[a.Who].Invite(ctx, a.Room, []string{a.User}); err != nil {
				t.note(ctx, "an invitation was not taken", err)
			}
		})
	case Done:
		t.state.Done[a.User] = append(t.state.Done[a.User], a.Step)
		t.state.Spent = t.cast.Spent()
		return t.state.save()
	}
	return nil
}

// note logs a refusal by its code; whom it concerns and what was said is not logged.
func (t *troupe) note(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		t.o.Logger.Debug(what, "reason", client.ReasonOf(err).String())
	}
}

// event takes what a client hears. It is called by that client and must not wait.
func (t *troupe) event(who int, e client.Event) {
	if t.o.Heard != nil {
		t.o.Heard(who, e)
	}
	switch e := e.(type) {
	case client.MessageEvent:
		m := e.Message
		if m.Kind != client.KindText && m.Kind != client.KindReaction || m.Kind == client.KindReaction && m.Reaction == 0 {
			return
		}
		t.heard.put(func() error {
			if m.Author == t.users[who] {
				return nil
			}
			direct, err := t.clients[who].DirectRoom(m.Author)
			h := Heard{By: who, Room: m.Room, Direct: err == nil && direct == m.Room, Author: m.Author, Seq: m.Seq, Text: m.Text, Reaction: m.Kind == client.KindReaction}
			t.cast.Heard(time.Now(), h)
			return nil
		})
	case client.StateEvent:
		if e.State.Ended != nil {
			t.heard.put(func() error { return fmt.Errorf("%s was logged out: %w", people[who].handle, e.State.Ended) })
		}
	}
}

// follow learns of sign-ups and makes everybody friends with whoever is new.
func (t *troupe) follow(ctx context.Context) {
	cursor := ""
	known := map[string]bool{}
	for ctx.Err() == nil {
		list, next, err := t.o.Operator.SignUps(ctx, cursor)
		if err == nil {
			err = t.welcome(ctx, list, known)
		}
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			t.heard.put(func() error { return fmt.Errorf("the server does not say who signs up: %w", err) })
			return
		}
		cursor = next
	}
}

func (t *troupe) welcome(ctx context.Context, list []SignUp, known map[string]bool) error {
	for _, s := range list {
		if t.mine[s.User] || known[s.User] {
			continue
		}
		known[s.User] = true
		if err := t.befriend(ctx, s.Handle); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			// The account may be gone already.
			t.o.Logger.Warn("the twelve could not be made friends of a newcomer", "cause", err)
			continue
		}
		t.heard.put(func() error {
			t.cast.Joined(time.Now(), s.User, s.Name, t.state.Done[s.User])
			return nil
		})
	}
	return ctx.Err()
}

// befriend tries again for a while: a server that has just started may not be ready.
func (t *troupe) befriend(ctx context.Context, handle string) (err error) {
	for range 5 {
		if err = t.o.Operator.Befriend(ctx, handle, handles()); err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return err
}

// look asks who of the newcomers is connected.
func (t *troupe) look(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		ask := make(chan []string, 1)
		t.heard.put(func() error { ask <- t.cast.guestIDs(); return nil })
		var users []string
		select {
		case users = <-ask:
		case <-ctx.Done():
			return
		}
		for len(users) > 0 {
			some := users[:min(len(users), 200)]
			users = users[len(some):]
			online, err := t.clients[0].Presence(ctx, some)
			if err != nil {
				t.note(ctx, "who is here is not known", err)
				break
			}
			t.heard.put(func() error { t.cast.Looking(time.Now(), online); return nil })
		}
	}
}

// write gives a room its past.
func (t *troupe) write(ctx context.Context, r room, list []Say) {
	line, err := t.clients[r.host].GetRoom(ctx, t.state.Rooms[r.key])
	for i := int(line.LastSeq); err == nil && i < len(list); i++ {
		_, err = t.clients[list[i].Who].Send(ctx, list[i].Room, list[i].Text)
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		t.note(ctx, "the past of a room could not be written", err)
	}
	t.heard.put(func() error {
		t.cast.Release(time.Now(), r.key)
		if err != nil {
			return nil // what is missing is written at the next start
		}
		t.state.History[r.key] = true
		return t.state.save()
	})
}

// mailbox carries work to the one goroutine that drives the cast. Putting never waits.
type mailbox struct {
	mu     *sync.Mutex
	list   *[]func() error
	signal chan struct{}
}

func newMailbox() mailbox {
	return mailbox{mu: &sync.Mutex{}, list: &[]func() error{}, signal: make(chan struct{}, 1)}
}

func (m mailbox) put(f func() error) {
	m.mu.Lock()
	*m.list = append(*m.list, f)
	m.mu.Unlock()
	select {
	case m.signal <- struct{}{}:
	default:
	}
}

func (m mailbox) take() []func() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := *m.list
	*m.list = nil
	return list
}
