// Package client is the Go client of Bonghwa: it signs up, logs in, talks, and stays connected.
//
// Guarantees: what is sent is stored first (Options.Store), survives restarts and is in exactly once, in the order of the
// calls, or the caller is told why not; messages of a room are delivered once and in order of their sequence; a client
// with several URLs moves to another site when its site falls silent. Not given: with no Store nothing survives the
// process; typing and read marks may be lost; events of a room start at the room's head unless Options.Since says
// otherwise.
//
// A Client may be used by any number of goroutines, and a process may hold thousands of clients: each has one reading
// goroutine while connected and one timer.
package client

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// Options of a client.
type Options struct {
	// URLs of the sites, like "https://a.example:8080"; at least one. They are sites of one system, in order of preference.
	// Others that the system has are learned from it, and kept in Store.
	URLs []string
	// OnlyURLs: sites that the system names besides URLs are not used.
	OnlyURLs bool
	// Store keeps account and outbox. nil: memory only, gone with the process.
	Store Store
	// HTTPClient is used for calls and connections; it may be shared by many clients. nil: http.DefaultClient.
	HTTPClient *http.Client
	// DeviceLabel is what the account's owner sees in the list of devices.
	DeviceLabel string
	// OnEvent takes events, in order, one at a time. It must return soon, and must not wait for this client. nil: Events.
	OnEvent func(Event)
	// NoEvents drops all events; for senders that never look.
	NoEvents bool
	// CallsOnly keeps no connection: who only asks (ListRooms, History ...) is not counted among those who are there. Whatever
	// waits for an acknowledgement (Send, Invite ...) waits until the client is opened without this.
	CallsOnly bool
	// Since says up to which sequence number of a room the caller has all messages already; delivery goes on from there.
	// Rooms it does not know, and all if it is nil, start at their head.
	Since func(room string) (seq uint64, ok bool)
}

// Events waiting for the user before delivery stops and goes on later from history.
const (
	eventsHigh = 1024
	eventsLow  = 256
)

// Client is one account on one device. Close it.
type Client struct {
	o     Options
	http  *http.Client
	sites atomic.Pointer[[]*site] // grows at its end only
	start time.Time
	base  int64
	stop  context.CancelFunc
	ctx   context.Context
	tasks sync.WaitGroup

	formMu sync.Mutex // one form (sign-up, log-in) at a time

	mu struct {
		sync.Mutex
		core    *clientcore.Core
		account Account
		token   string
		form    *clientcore.Form
		closed  bool
		state   State
		changed chan struct{} // closed and replaced at each change of state
		waiters map[uint64]*Pending
		conns   map[uint64]*wire
		timer   *time.Timer
		armed   int64
		jobs    []job
		storing bool
		written int // records since the last compaction

		events      []Event
		dispatching bool
		full        bool
		signal      chan struct{}
		channel     chan Event
	}
}

// Account is who is logged in.
type Account struct {
	User   string
	Handle string
	Device string
}

// State of the connection.
type State struct {
	Connected bool
	URL       string
	// Ended is why the session is over: logged out, revoked, or a copied profile. Log in again.
	Ended error
	// MustChangePassword: a one-time code opened the session, and nothing is done before ChangePassword.
	MustChangePassword bool
}

// Open makes a client on what the store holds. If somebody is logged in it connects at once, in the background.
func Open(o Options) (*Client, error) {
	if len(o.URLs) == 0 {
		return nil, errors.New("client: no URL is given")
	}
	c := &Client{o: o, http: o.HTTPClient, start: time.Now()}
	if c.http == nil {
		c.http = http.DefaultClient
	}
	c.base = c.start.UnixMilli()
	var sites []*site
	for _, u := range o.URLs {
		u = strings.TrimRight(u, "/")
		if !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") {
			return nil, fmt.Errorf("client: %q is no http or https URL", u)
		}
		sites = append(sites, &site{url: u, http: c.http})
	}
	st := clientcore.NewState()
	if o.Store != nil {
		if err := o.Store.Load(func(rec []byte) error { c.mu.written++; return st.Add(rec) }); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	if o.OnlyURLs {
		st.Sites = nil
	}
	sites, dropped := merge(sites, len(sites), st.Sites, c.http)
	c.sites.Store(&sites)
	var seed [32]byte
	if _, err := crand.Read(seed[:]); err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	m := &c.mu
	m.core = clientcore.New(clientcore.Config{Sites: len(sites), Rand: rand.New(rand.NewChaCha8(seed)),
		Volatile: o.Store == nil, Since: o.Since, State: st})
	m.waiters, m.conns = map[uint64]*Pending{}, map[uint64]*wire{}
	m.changed, m.signal = make(chan struct{}), make(chan struct{}, 1)
	m.form, m.token = st.Form, st.Token
	if st.Handle != "" {
		m.account = Account{User: st.User.String(), Handle: st.Handle, Device: st.Device.String()}
	}
	c.do(func(core *clientcore.Core, now int64) { core.SetSites(now, len(sites), dropped) })
	if m.token != "" && !o.CallsOnly {
		c.do(func(core *clientcore.Core, now int64) { core.GoOnline(now) })
	}
	return c, nil
}

// Close ends the client. What is open stays in the store for the next time. It returns when everything has finished.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.mu.closed {
		c.mu.Unlock()
		return nil
	}
	c.mu.core.GoOffline(c.now())
	c.flush()
	c.mu.closed = true
	if c.mu.timer != nil {
		c.mu.timer.Stop()
	}
	for id, p := range c.mu.waiters {
		delete(c.mu.waiters, id)
		p.finish(Receipt{}, ErrClosed)
	}
	c.mu.Unlock()
	c.stop()
	c.tasks.Wait()
	c.mu.Lock()
	if c.mu.channel != nil {
		close(c.mu.channel)
		c.mu.channel = nil
	}
	c.mu.Unlock()
	if c.o.Store != nil {
		return c.o.Store.Close()
	}
	return nil
}

// Account says who is logged in; ok is false if nobody is.
func (c *Client) Account() (a Account, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a = c.mu.account
	a.Device = c.mu.core.Device().String()
	return a, c.mu.token != ""
}

// State says how the connection is.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.state
}

// WaitConnected returns when the client is connected, the session is over, a new password must be chosen first
// (ErrMustChangePassword), or ctx ends.
func (c *Client) WaitConnected(ctx context.Context) error {
	for {
		c.mu.Lock()
		st, changed, closed, token := c.mu.state, c.mu.changed, c.mu.closed, c.mu.token
		c.mu.Unlock()
		switch {
		case closed:
			return ErrClosed
		case st.Ended != nil:
			return st.Ended
		case token == "":
			return ErrLoggedOut
		case st.MustChangePassword:
			return ErrMustChangePassword
		case st.Connected:
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.ctx.Done():
			return ErrClosed
		}
	}
}

// now never goes back, whatever the wall clock does.
func (c *Client) now() int64 { return c.base + time.Since(c.start).Milliseconds() }

// do gives the core an input and carries out what it asks for.
func (c *Client) do(f func(core *clientcore.Core, now int64)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.closed {
		return
	}
	f(c.mu.core, c.now())
	c.flush()
}

// flush carries out outputs. Nothing here blocks; the lock is held.
func (c *Client) flush() {
	for _, o := range c.mu.core.Take() {
		switch o := o.(type) {
		case clientcore.Persist:
			c.store(job{records: o.Records, sync: o.Sync, done: func(err error) {
				c.do(func(core *clientcore.Core, now int64) { core.Stored(now, o.ID, err) })
			}})
		case clientcore.Open:
			c.open(o.Conn, c.site(o.Site))
		case clientcore.Close:
			if w := c.mu.conns[o.Conn]; w != nil {
				delete(c.mu.conns, o.Conn)
				w.close()
			}
		case clientcore.Write:
			if w := c.mu.conns[o.Conn]; w != nil {
				c.write(w, o.Frame)
			}
		case clientcore.KnowSites:
			if c.o.OnlyURLs {
				break
			}
			sites, dropped := merge(*c.sites.Load(), len(c.o.URLs), o.URLs, c.http)
			c.sites.Store(&sites)
			c.mu.core.SetSites(c.now(), len(sites), dropped)
		case clientcore.Fetch:
			c.task(func() { c.fetch(o) })
		case clientcore.Call:
			c.task(func() { c.call(o) })
		case clientcore.Renew:
			c.task(func() { c.renew(o) })
		case clientcore.Settled:
			if p := c.mu.waiters[o.Item]; p != nil {
				delete(c.mu.waiters, o.Item)
				p.finish(receipt(o.Result))
			}
			if !c.o.NoEvents {
				c.push(settledEvent(o))
			}
		case clientcore.Deliver:
			c.deliver(o)
		}
	}
	c.arm()
}

// task runs something that may wait, off the lock.
func (c *Client) task(f func()) {
	if c.mu.closed {
		return
	}
	c.tasks.Add(1)
	go func() {
		defer c.tasks.Done()
		f()
	}()
}

// arm sets the timer to the next moment at which the core wants to be called. A timer that is early does no harm, so it
// is moved only when it would be late.
func (c *Client) arm() {
	at, ok := c.mu.core.NextWake()
	if !ok || c.mu.armed != 0 && c.mu.armed <= at {
		return
	}
	c.mu.armed = at
	wait := time.Duration(max(0, at-c.now())) * time.Millisecond
	if c.mu.timer == nil {
		c.mu.timer = time.AfterFunc(wait, c.tick)
	} else {
		c.mu.timer.Reset(wait)
	}
}

func (c *Client) tick() {
	c.do(func(core *clientcore.Core, now int64) {
		c.mu.armed = 0
		if at, ok := core.NextWake(); ok && at <= now {
			core.Tick(now)
		}
	})
}

func (c *Client) deliver(o clientcore.Deliver) {
	if s := o.State; s != nil {
		c.mu.state = State{Connected: s.Connected, URL: c.site(s.Site).url, MustChangePassword: s.MustChange}
		if s.Ended != nil {
			c.mu.state.Ended = &EndedError{Cause: errorOf(s.Ended)}
			for id, p := range c.mu.waiters {
				delete(c.mu.waiters, id)
				p.finish(Receipt{}, c.mu.state.Ended)
			}
		}
		close(c.mu.changed)
		c.mu.changed = make(chan struct{})
	}
	if c.o.NoEvents {
		return
	}
	if e := eventOf(o, c.mu.state); e != nil {
		c.push(e)
	}
}

// userOf reads the text form of a person's id.
func userOf(s string) (ids.User, error) {
	u, err := ids.ParseUser(s)
	if err != nil {
		return u, fmt.Errorf("client: the server's answer carries no person's id: %w", err)
	}
	return u, nil
}
