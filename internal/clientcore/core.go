// Package clientcore is the client of Bonghwa without clock, goroutines or I/O: outbox, names, connections, rooms. The
// public client (package client) and the simulation drive it; both give it calls, frames, ticks and answers, and carry
// out what it asks for.
//
// Guarantees: an item gets its name (device, n, tag) in the same record that stores it, and leaves only after that record
// is safe; at most eight names of a scope are under way; whatever is lost, doubled or answered late, an item is decided
// once, and its caller is told what was decided. Messages of a room are delivered once and in order of their sequence.
// The same inputs give the same outputs: every random number comes from Config.Rand, and no decision follows the order
// of a map. Not given: a Core is not safe for use by several goroutines; read marks and typing may be lost; when two copies
// of one profile write at once, a message whose name the other copy took comes again after later ones.
//
// Times are Unix milliseconds; within one Core they must not go back.
package clientcore

import (
	"math/rand/v2"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// Limits of the protocol and of patience, in milliseconds where they are times. docs/protocol.md.
const (
	window          = 8     // names of a scope under way
	silenceActive   = 1100  // a send under way or a room in view, and no frame
	silenceIdle     = 80000 // no frame in an idle session
	unanswered      = 700   // a send without answer, with another site to go to
	unansweredAlone = 5000  // the same with one site only
	openLimitActive = 1500  // from opening a connection to Welcome, with another site to go to
	openLimitIdle   = 10000
	historyPage     = 200
	maxFetches      = 4
	maxPending      = 128
	ownRowWait      = 300 // for answers that stand for rows missing in a room
	maxFindPages    = 200
	seenEvery       = 5000
	maxRenewals     = 3
	renewalWindow   = 3600000
)

// Config of a Core.
type Config struct {
	// Sites is the number of URLs the client knows, at least 1. Outputs name them by index.
	Sites int
	// Rand gives jitter, tags and device ids.
	Rand *rand.Rand
	// Volatile: nothing is to be stored; no Persist is put out.
	Volatile bool
	// Since says up to which sequence number of a room the caller has everything already, at the first opening. Rooms it
	// does not know (and all, if nil) start at their head.
	Since func(room string) (seq uint64, ok bool)
	// State is what the store held; nil at first start.
	State *State
}

// Outputs: what the driver is to do, in this order.
type (
	// Open asks for a connection to a site; answered by Opened or Lost with the same Conn.
	Open struct {
		Conn uint64
		Site int
	}
	// Close ends a connection; nothing more is expected of it.
	Close struct{ Conn uint64 }
	// Write sends a frame. The frame is not touched any more by the core.
	Write struct {
		Conn  uint64
		Frame *livev1.Frame
	}
	// Persist appends records to the store, all or none, in order of ID; answered by Stored. Only with Sync must they be
	// safe from a power cut before the answer.
	Persist struct {
		ID      uint64
		Records [][]byte
		Sync    bool
	}
	// KnowSites tells where else the system can be reached; the driver keeps the list and calls SetSites. A URL is only as
	// good as the connection over which it came.
	KnowSites struct{ URLs []string }
	// Fetch reads history over HTTP; answered by Fetched.
	Fetch struct {
		ID      uint64
		Site    int
		Request *apiv1.HistoryRequest
	}
	// Call sends a named change of the account over HTTP; answered by Called. With Skip the name is given up instead,
	// under OldDevice if that is set.
	Call struct {
		ID        uint64
		Site      int
		Op        Op
		Name      *apiv1.CommandName
		Skip      bool
		OldDevice string
	}
	// Renew gives the session a new device id over HTTP; answered by Renewed.
	Renew struct {
		ID     uint64
		Site   int
		Device ids.Device
	}
	// Settled ends an item, exactly once.
	Settled struct {
		Item   uint64
		Result Result
	}
	// Deliver hands an event to the user, in order. One field is set.
	Deliver struct {
		Message    *apiv1.Message
		Read       *livev1.Read
		Typing     *livev1.Typing
		Room       *apiv1.Room
		People     *livev1.PeopleChanged
		Presence   *livev1.Presence
		State      *StateChange
		RolledBack *RolledBack
	}
)

// StateChange tells about the connection.
type StateChange struct {
	Connected bool
	Site      int
	// Ended is set when the session is over: the client stays offline until it logs in again.
	Ended *Refusal
	// MustChange: the server takes nothing but a new password. There is no connection until it is changed.
	MustChange bool
}

// RolledBack tells that the server was restored from a copy: these rooms must be read again from the server.
type RolledBack struct {
	Rooms []string
}

// Output is one of the types above.
type Output any

// Core is one client. See the package comment.
type Core struct {
	cfg    Config
	out    []Output
	online bool
	ended  *Refusal
	// mustChange: the server takes nothing but a new password.
	mustChange bool
	changedAt  int64 // when a new password was taken

	// account
	user   ids.User
	token  string
	device ids.Device

	// names and items
	nextItem   uint64
	items      map[uint64]*item
	scopes     map[string]*scope
	active     []*scope // with open items, in order of their first
	creating   map[string]*item
	counters   map[counterKey]uint64
	persistID  uint64
	storedUpTo uint64
	pendingRec [][]byte
	pendingSyn bool
	storeErr   error

	// connection
	cur, next  *conn
	nextConn   uint64
	nextFrame  uint64
	site       int
	dropped    []bool   // sites that are no longer part of the system
	known      []string // URLs of all sites, as the system has told
	tried      int      // the last one asked beside a connection that is silent
	httpSite   int      // where calls and history go: the site of the connection, another after a failure
	failures   int
	hedges     int
	connectAt  int64
	restTo     map[int]int64 // until when a site that refused a Hello is to be left alone
	hedgeAt    int64
	suspect    bool
	budget     budget
	flights    map[uint64]*flight
	fifo       []*flight
	activeFrom int64
	nextCall   uint64
	calls      map[uint64]*item
	views      []string
	marks      []mark

	// positions and rooms
	seen       *apiv1.Position
	opened     bool // an opening has been completed: unknown rooms are new ones
	epoch      uint32
	seenStored int64
	rooms      map[string]*room
	behind     []*room
	fetches    map[uint64]*fetch
	nextFetch  uint64
	full       bool
	wakeFetch  int64

	// device renewal
	renewing   bool
	renewID    uint64
	renewAt    int64
	renewNeeds uint64 // the Persist that makes the new device id safe
	renewFails int
	renewals   []int64
}

// New makes a core. It is offline until GoOnline.
func New(cfg Config) *Core {
	c := &Core{
		cfg: cfg, items: map[uint64]*item{}, scopes: map[string]*scope{}, creating: map[string]*item{},
		counters: map[counterKey]uint64{}, flights: map[uint64]*flight{}, calls: map[uint64]*item{},
		restTo: map[int]int64{}, rooms: map[string]*room{}, fetches: map[uint64]*fetch{}, budget: budget{tokens: budgetCap},
	}
	if cfg.State != nil {
		c.load(cfg.State)
	}
	return c
}

// Take returns the outputs since the last call, in order.
func (c *Core) Take() []Output {
	c.flushRecords()
	out := c.out
	c.out = nil
	return out
}

// SetAccount tells whose client this is and under which session. It must come before GoOnline and before any item. With
// another device than before, open items are recovered as after a renewal.
func (c *Core) SetAccount(user ids.User, token string, device ids.Device) {
	c.user, c.token, c.device = user, token, device
	c.ended, c.mustChange, c.changedAt, c.renewing, c.renewals = nil, false, 0, false, nil
	for _, s := range c.active {
		c.rename(s)
	}
}

// GoOnline starts to connect.
func (c *Core) GoOnline(now int64) {
	c.online, c.ended = true, nil
	c.connectAt = now
	c.Tick(now)
}

// GoOffline closes the connections. Open items stay.
func (c *Core) GoOffline(now int64) {
	c.online = false
	c.dropConns(now)
}

// Ended is why the session is over, or nil.
func (c *Core) Ended() *Refusal { return c.ended }

// Connected says whether a connection is open and welcomed.
func (c *Core) Connected() bool { return c.cur != nil }

// Device is the device id that names are taken under.
func (c *Core) Device() ids.Device { return c.device }

// Site is the index of the site that is or was last connected.
func (c *Core) Site() int { return c.site }

// Seen is the largest position this client has seen; nil before the first.
func (c *Core) Seen() *apiv1.Position { return c.seen }

// Epoch the client lives in; 0 before the first opening.
func (c *Core) Epoch() uint32 { return c.epoch }

// OpenItems is how many items are not settled.
func (c *Core) OpenItems() int { return len(c.items) }

func (c *Core) emit(o Output) { c.out = append(c.out, o) }

// end is called when the session is over for good.
func (c *Core) end(now int64, why *Refusal) {
	if c.ended != nil {
		return
	}
	c.ended = why
	c.dropConns(now)
	c.emit(Deliver{State: &StateChange{Site: c.site, Ended: why}})
}

func less(a, b *apiv1.Position) bool {
	return a.GetEpoch() < b.GetEpoch() || a.GetEpoch() == b.GetEpoch() && a.GetN() < b.GetN()
}
