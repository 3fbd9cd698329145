package term

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/client"
)

// app is one conversation of a user with the client.
type app struct {
	c *client.Client
	s screen
	l lang
	// verbose: causes of what does not work are shown in Korean too.
	verbose bool

	mu      sync.Mutex
	me      client.User
	rooms   map[string]client.Room
	listed  []string // rooms by the numbers of the last /list
	names   map[string]client.User
	room    string // open room, which may not exist yet
	peer    string // to send to a room that does not exist yet
	oldest  uint64 // first seq shown of the open room
	newest  uint64 // last seq shown of the open room
	day     string // last day printed
	ownLast client.Message
	members map[string]client.Member
	pending map[uint64]string // own texts under way, by item
	state   client.State
	typing  map[string]time.Time
}

// slow is when a message that is still under way is shown as such.
const slow = 1500 * time.Millisecond

func newApp(c *client.Client, s screen, l lang) *app {
	return &app{c: c, s: s, l: l, rooms: map[string]client.Room{}, names: map[string]client.User{}, members: map[string]client.Member{},
		pending: map[uint64]string{}, typing: map[string]time.Time{}}
}

// why explains an error to the person.
func (a *app) why(err error) string { return a.l.why(err, a.verbose) }

func (a *app) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.s.Print(a.l.say("welcome"))
	if err := a.enter(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { defer wg.Done(); a.watch(ctx) }()
	defer wg.Wait()
	defer cancel()
	a.list(ctx)
	for {
		text, err := a.s.Read(a.prompt(), false)
		if err != nil {
			a.linger(ctx)
			return err
		}
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if strings.HasPrefix(text, "/") && !strings.HasPrefix(text, "//") {
			if quit := a.command(ctx, text); quit {
				a.linger(ctx)
				return nil
			}
			continue
		}
		a.send(strings.TrimPrefix(text, "/"), 0)
	}
}

// linger gives what was just typed a moment to be sent. What is not sent then stays in the outbox for the next time.
func (a *app) linger(ctx context.Context) {
	end := time.Now().Add(slow)
	for len(a.c.Outbox()) > 0 && a.c.State().Connected && time.Now().Before(end) && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	if n := len(a.c.Outbox()); n > 0 {
		a.s.Print(a.l.say("kept", n))
	}
	a.s.Print(a.l.say("bye"))
}

// prompt names the open room.
func (a *app) prompt() string {
	a.mu.Lock()
	room := a.room
	a.mu.Unlock()
	if room == "" {
		return "> "
	}
	return a.title(room) + "> "
}

// enter logs in or signs up, unless the profile has a session.
func (a *app) enter(ctx context.Context) error {
	if _, ok := a.c.Account(); !ok {
		if err := a.account(ctx); err != nil {
			return err
		}
	}
	for {
		short, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := a.c.WaitConnected(short)
		cancel()
		var ended *client.EndedError
		switch {
		case err == nil:
			return a.hello(ctx)
		case errors.As(err, &ended):
			a.s.Print(a.l.say("ended", a.why(err)))
			a.s.Print(a.l.say("login.first"))
			if err := a.logIn(ctx); err != nil {
				return err
			}
		case errors.Is(err, client.ErrMustChangePassword):
			if err := a.mustChange(ctx, ""); err != nil {
				return err
			}
		case ctx.Err() != nil:
			return ctx.Err()
		default:
			a.s.Print(a.l.say("reconnecting"))
		}
	}
}

// account asks until somebody is logged in.
func (a *app) account(ctx context.Context) error {
	acc, _ := a.c.Account()
	// A server that cannot be reached is told before a form is filled in.
	short, cancel := context.WithTimeout(ctx, 5*time.Second)
	if _, err := a.c.GetServer(short); err != nil && ctx.Err() == nil {
		a.s.Print(a.why(err))
	}
	cancel()
	if acc.Handle != "" {
		return a.logIn(ctx)
	}
	for {
		choice, err := a.s.Read(a.l.say("signup.or"), false)
		if err != nil {
			return err
		}
		switch strings.TrimSpace(choice) {
		case "1":
			err = a.signUp(ctx)
		case "2":
			err = a.logIn(ctx)
		case "/나가기", "/quit":
			return io.EOF
		default:
			continue
		}
		return err
	}
}

func (a *app) signUp(ctx context.Context) error {
	f := client.SignUpForm{}
	if s, err := a.c.GetServer(ctx); err == nil && s.Signup == "invite" {
		if f.Invitation, err = a.s.Read(a.l.say("invitation"), false); err != nil {
			return err
		}
		f.Invitation = strings.TrimSpace(f.Invitation)
	}
	for {
		var err error
		if f.Handle, err = a.s.Read(a.l.say("handle"), false); err != nil {
			return err
		}
		f.Handle = strings.ToLower(strings.TrimPrefix(strings.TrimSpace(f.Handle), "@"))
		if f.Name == "" {
			if f.Name, err = a.s.Read(a.l.say("name"), false); err != nil {
				return err
			}
			f.Name = strings.TrimSpace(f.Name)
		}
		if f.Password == "" {
			if f.Password, err = a.newPassword("password"); err != nil {
				return err
			}
		}
		if err = a.c.SignUp(ctx, f); err == nil {
			return nil
		}
		a.s.Print(a.l.say("failed", a.why(err)))
		switch client.ReasonOf(err) {
		case client.ReasonHandleTaken: // only the handle is asked again
		case client.ReasonBadInvitation:
			if f.Invitation, err = a.s.Read(a.l.say("invitation"), false); err != nil {
				return err
			}
			f.Invitation = strings.TrimSpace(f.Invitation)
		default:
			f.Name, f.Password = "", ""
		}
	}
}

// newPassword asks twice.
func (a *app) newPassword(key string) (string, error) {
	for {
		one, err := a.s.Read(a.l.say(key), true)
		if err != nil {
			return "", err
		}
		two, err := a.s.Read(a.l.say("password.two"), true)
		if err != nil {
			return "", err
		}
		if one == two {
			return one, nil
		}
		a.s.Print(a.l.say("password.diff"))
	}
}

func (a *app) logIn(ctx context.Context) error {
	for {
		acc, _ := a.c.Account()
		handle := acc.Handle
		if handle == "" {
			var err error
			if handle, err = a.s.Read(a.l.say("handle"), false); err != nil {
				return err
			}
			handle = strings.TrimPrefix(strings.TrimSpace(handle), "@")
		} else {
			a.s.Print("@" + handle)
		}
		password, err := a.s.Read(a.l.say("password.in"), true)
		if err != nil {
			return err
		}
		must, err := a.c.LogIn(ctx, handle, password)
		if err != nil {
			a.s.Print(a.l.say("failed", a.why(err)))
			continue
		}
		if !must {
			return nil
		}
		return a.mustChange(ctx, password)
	}
}

// mustChange asks for a new password until one is taken: a one-time code opened the session, and it opens no other. The code is
// asked for if it is not known any more.
func (a *app) mustChange(ctx context.Context, code string) error {
	a.s.Print(a.l.say("password.must"))
	for {
		var err error
		if code == "" {
			if code, err = a.s.Read(a.l.say("password.code"), true); err != nil {
				return err
			}
		}
		next, err := a.newPassword("password.new")
		if err != nil {
			return err
		}
		var ended *client.EndedError
		_, err = a.c.ChangePassword(ctx, code, next)
		switch {
		case err == nil:
			a.s.Print(a.l.say("password.done"))
			return nil
		case errors.As(err, &ended), ctx.Err() != nil:
			return nil // the caller looks what became of the session
		case client.ReasonOf(err) == client.ReasonBadCredentials:
			code = ""
			a.s.Print(a.l.say("failed", a.l.say("password.badcode")))
		default:
			a.s.Print(a.l.say("failed", a.why(err)))
		}
	}
}

func (a *app) hello(ctx context.Context) error {
	me, _, err := a.c.Me(ctx)
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.me = me
	a.names[me.ID] = me
	a.state = client.State{Connected: true}
	a.mu.Unlock()
	a.s.Print(a.l.say("hello", line(me.Name), me.Handle))
	return nil
}

// send hands a text to the outbox. It is shown when it comes back from the server; when that takes long, as under way.
func (a *app) send(text string, replyTo uint64) {
	a.mu.Lock()
	to, room, read := a.peer, a.room, a.newest
	a.mu.Unlock()
	if to == "" {
		to = room
	}
	if to == "" {
		a.s.Print(a.l.say("notopen"))
		return
	}
	a.mu.Lock() // until it is noted: its verdict may come at once
	p, err := a.c.SendAsync(to, text, client.SendOptions{ReplyTo: replyTo, ReadSeq: read})
	if err == nil {
		a.pending[p.ID] = text
	}
	a.mu.Unlock()
	if err != nil {
		a.s.Print(a.l.say("refused", line(text), a.why(err)))
		return
	}
	time.AfterFunc(slow, func() {
		select {
		case <-p.Done():
		default:
			a.s.Print(a.l.say("sending", line(text)))
		}
	})
}

// learn looks up people whose names are not known yet.
func (a *app) learn(ctx context.Context, list ...string) {
	var missing []string
	a.mu.Lock()
	seen := map[string]bool{}
	for _, id := range list {
		if _, ok := a.names[id]; !ok && id != "" && !seen[id] {
			seen[id] = true
			missing = append(missing, id)
		}
	}
	a.mu.Unlock()
	for len(missing) > 0 {
		n := min(200, len(missing))
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		users, err := a.c.Users(short, missing[:n])
		cancel()
		if err != nil {
			return // ids are shown instead of names
		}
		a.mu.Lock()
		for _, u := range users {
			a.names[u.ID] = u
		}
		a.mu.Unlock()
		missing = missing[n:]
	}
}

// name of a person as it is shown.
func (a *app) name(id string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, ok := a.names[id]
	switch {
	case id == a.me.ID:
		return a.l.say("me")
	case ok && u.Closed, id == "":
		return a.l.say("closed")
	case ok:
		return line(u.Name)
	}
	return id
}

// title of a room as it is shown.
func (a *app) title(room string) string {
	a.mu.Lock()
	r, ok := a.rooms[room]
	peer := r.Peer
	if room == a.room && peer == "" {
		peer = a.peer
	}
	me := a.me.ID
	a.mu.Unlock()
	switch {
	case peer != "" && peer == me:
		return a.l.say("self")
	case peer != "":
		return a.name(peer)
	case ok && r.Title != "":
		return line(r.Title)
	case ok:
		return a.l.say("unnamed")
	}
	return room
}
