package sim

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

const (
	// window is how far a client may run ahead of base.
	window = 8
	// sendTimeout: a command unanswered for this long is sent again elsewhere.
	sendTimeout = 700 * time.Millisecond
)

// errRolledBack is a node's answer to somebody who has seen another epoch.
var errRolledBack = errors.New("rolled back")

// client is an honest caller with an outbox, by docs/formats.md, "Names of commands". It may have two tabs: connections to
// different nodes that share the outbox and know nothing of each other.
type client struct {
	*world
	i       int
	device  ids.Device
	domain  int
	tabs    []*tab
	scopes  []*scope
	dormant bool
	key     uint64 // its session, where callers have one
}

// tab is one connection. A new one (gen) knows nothing of what the old one had sent.
type tab struct {
	node  int
	gen   int
	epoch uint32
	// last is when the newest frame arrives: a connection keeps the order.
	last time.Duration
	sent map[*order]int
}

// scope is what a client's outbox knows of one account.
type scope struct {
	account ids.Room
	next    uint64 // the next n
	open    []*order
	all     []*order
}

// order is one item of the outbox.
type order struct {
	*scope
	cmd     toydomain.Cmd
	tries   int
	givenUp bool
	settled bool
	// saved: that it is settled has been written to the client's disk.
	saved bool
	// forgotten: it was settled, and a restart of the client forgot that.
	forgotten bool
	// told is what the client first heard, at this position; zero if a restore has taken it back.
	told kernel.Verdict
	pos  kernel.Position
}

func (w *world) newClient(i int) *client {
	c := &client{world: w, i: i, domain: w.rng.IntN(len(w.domains))}
	binary.BigEndian.PutUint64(c.device[:], w.rng.Uint64())
	c.device[15] = byte(i)
	if w.fire != nil {
		c.key = w.fire.newSession()
	}
	for range 1 + w.rng.IntN(2) {
		c.tabs = append(c.tabs, &tab{node: w.rng.IntN(members), epoch: firstEpoch, sent: map[*order]int{}})
	}
	for _, k := range w.rng.Perm(len(w.accounts))[:1+w.rng.IntN(min(3, len(w.accounts)))] {
		c.scopes = append(c.scopes, &scope{account: w.accounts[k], next: 1})
	}
	return c
}

func (s *scope) base() uint64 {
	if len(s.open) == 0 {
		return s.next
	}
	return s.open[0].cmd.Name.N
}

// live goes through the client's day until the end of the faults.
func (c *client) live() {
	c.After(c.between(0, 2*c.pace), "client", c.i, func() {
		if c.now >= c.until {
			return
		}
		s := c.scopes[c.rng.IntN(len(c.scopes))]
		switch k := c.rng.IntN(100); {
		case k < 75:
			for range 1 + c.rng.IntN(3) { // bursts fill the window
				if len(s.open) < 14 {
					c.add(s)
				}
			}
		case k < 83:
			c.giveUp(s)
		case k < 87:
			c.restart()
		case k < 91:
			t := c.tabs[c.rng.IntN(len(c.tabs))]
			c.move(t)
		case k < 93:
			c.dormant = !c.dormant
		default:
			c.note()
		}
		c.flushAll()
		c.live()
	})
}

// add takes a name and puts a new item into the outbox, in one local transaction.
func (c *client) add(s *scope) *order {
	o := &order{scope: s}
	o.cmd = toydomain.Cmd{Account: s.account, Item: c.newItem()}
	o.cmd.Name = kernel.Name{Device: c.device, N: s.next}
	binary.BigEndian.PutUint64(o.cmd.Name.Tag[:], c.rng.Uint64())
	s.next++
	switch k := c.rng.IntN(60); {
	case k < 24:
		o.cmd.Op, o.cmd.Amount = toydomain.Deposit, c.rng.Uint64N(100)
	case k < 58:
		o.cmd.Op, o.cmd.Amount, o.cmd.To = toydomain.Transfer, c.rng.Uint64N(200), c.accounts[c.rng.IntN(len(c.accounts))]
	default:
		o.cmd.Op = toydomain.Panic
	}
	s.open, s.all = append(s.open, o), append(s.all, o)
	return o
}

// giveUp replaces an open item by Skip under the same name, and perhaps writes it anew under the next.
func (c *client) giveUp(s *scope) {
	if len(s.open) == 0 {
		return
	}
	o := s.open[c.rng.IntN(len(s.open))]
	if o.givenUp {
		return
	}
	o.givenUp = true
	c.tell("client %d gives up %d of %v", c.i, o.cmd.Name.N, s.account)
	for _, t := range c.tabs {
		delete(t.sent, o)
	}
	if c.chance(0.5) {
		c.add(s)
	}
}

// restart forgets everything but what is on the client's disk: the outbox, in which an answer heard just before may not
// be noted yet.
func (c *client) restart() {
	c.tell("client %d restarts", c.i)
	for _, s := range c.scopes {
		for i := len(s.all) - 1; i >= 0 && i >= len(s.all)-2*window; i-- {
			if o := s.all[i]; o.settled && !o.saved {
				o.settled, o.forgotten = false, true
				s.open = append(s.open, o)
			}
		}
		slices.SortFunc(s.open, func(a, b *order) int { return int(a.cmd.Name.N) - int(b.cmd.Name.N) })
	}
	for _, t := range c.tabs {
		c.move(t)
	}
}

// move opens a connection to another node, or to the same anew.
func (c *client) move(t *tab) {
	t.gen++
	t.node, t.last = c.rng.IntN(members), c.now
	clear(t.sent)
}

func (c *client) flushAll() {
	for _, s := range c.scopes {
		c.flush(s)
	}
}

// flush sends what is open and not under way, in order, within the window.
func (c *client) flush(s *scope) {
	if c.dormant {
		return
	}
	for _, t := range c.tabs {
		for _, o := range s.open {
			if _, under := t.sent[o]; !under && o.cmd.Name.N < s.base()+window {
				c.send(t, o)
			}
		}
	}
}

func (c *client) send(t *tab, o *order) {
	o.tries++
	try, gen := o.tries, t.gen
	t.sent[o] = try
	cmd := o.cmd
	cmd.Name.Base, cmd.Key = o.base(), c.key
	if o.givenUp {
		cmd.Op, cmd.Amount, cmd.Item = toydomain.Skip, 0, 0
	}
	t.last = max(t.last, c.now+c.quorum.delay())
	request := request{domain: c.domains[c.domain].ID(), cmd: cmd, epoch: t.epoch, node: t.node}
	if !c.chance(c.quorum.faults.LoseRequest) {
		c.After(t.last-c.now, "request", c.i, func() {
			c.request(request, func(r response) {
				if c.chance(c.quorum.faults.LoseAnswer) {
					return
				}
				c.After(c.quorum.delay(), "response", c.i, func() {
					if t.gen == gen {
						c.answered(t, o, try, r)
					}
				})
			})
		})
	}
	c.After(sendTimeout+c.between(0, 300*time.Millisecond), "send times out", c.i, func() {
		if t.gen == gen && t.sent[o] == try && !o.settled {
			c.move(t)
			c.flushAll()
		}
	})
}

// answered takes a node's answer to one try.
func (c *client) answered(t *tab, o *order, try int, r response) {
	if t.sent[o] == try {
		delete(t.sent, o)
	}
	name := o.cmd.Name
	switch {
	case o.settled:
	case r.Err == errRolledBack:
		t.epoch = r.Pos.Epoch
		c.move(t)
		c.flushAll()
	case r.Err == errRevoked:
		if _, ended := c.fire.ended[c.key]; ended { // and not only one from before
			c.key = c.fire.newSession()
			c.dormant = true // what it had under way is not asked for again until it has logged in
			c.After(c.between(0, 10*time.Second), "logged in", c.i, func() {
				c.dormant = false
				c.flushAll()
			})
			return
		}
		c.After(c.between(10*time.Millisecond, 500*time.Millisecond), "again", c.i, c.flushAll)
	case r.Err == kernel.ErrDiskFull: // elsewhere it may be taken
		c.move(t)
		c.After(c.between(10*time.Millisecond, 500*time.Millisecond), "again", c.i, c.flushAll)
	case r.Err != nil:
		c.After(c.between(10*time.Millisecond, 500*time.Millisecond), "again", c.i, c.flushAll)
	case r.Verdict.Code == kernel.Expected:
		for p := range t.sent { // go back; the order of this map does not matter
			if p.scope == o.scope && p.cmd.Name.N > r.Last {
				delete(t.sent, p)
			}
		}
		c.After(c.between(time.Millisecond, 50*time.Millisecond), "go back", c.i, c.flushAll)
	case r.Verdict.Code == kernel.IDReused:
		c.fail("client %d: id_reused for %d of %v, though nobody else has this device", c.i, name.N, o.account)
	case r.Verdict.Code == kernel.AlreadyIn && !o.forgotten:
		c.fail("client %d: the verdict of %d of %v is no longer known, though it was never heard", c.i, name.N, o.account)
	default:
		c.settle(o, r)
		c.flush(o.scope)
	}
}

// settle takes the outcome of an item. It must be the truth, and the same as before.
func (c *client) settle(o *order, r response) {
	c.tell("client %d: %d of %v is %+v, forgotten %v", c.i, o.cmd.Name.N, o.account, r, o.forgotten)
	v := r.Verdict
	if !c.survives(r.Pos) { // acknowledged before a restore and heard of after it
		c.done(o, v, kernel.Position{})
		return
	}
	truth, ok := c.oracle.toys[c.domains[c.domain].ID()].recorded(c.device, o.account, o.cmd.Name.N)
	switch {
	case v.Code == kernel.AlreadyIn && r.found != (ok && truth.Code == kernel.OK):
		c.fail("client %d finds %d of %v: %v; on record is %v", c.i, o.cmd.Name.N, o.account, r.found, truth)
	case v.Code == kernel.AlreadyIn && ok:
		v = truth
	case v.Code == kernel.AlreadyIn: // cut off by a restore, and passed over by base since
	case !ok || truth != v:
		c.fail("client %d was told %v about %d of %v; on record is %v (%v)", c.i, v, o.cmd.Name.N, o.account, truth, ok)
	}
	if o.forgotten && o.told != v && o.pos != (kernel.Position{}) {
		c.fail("client %d was told %v about %d of %v after %v", c.i, v, o.cmd.Name.N, o.account, o.told)
	}
	if o.pos != (kernel.Position{}) {
		r.Pos = o.pos
	}
	c.done(o, v, r.Pos)
}

func (c *client) done(o *order, v kernel.Verdict, pos kernel.Position) {
	o.settled, o.saved, o.told, o.pos = true, c.chance(0.7), v, pos
	o.open = slices.DeleteFunc(o.open, func(p *order) bool { return p == o })
	c.report.Acknowledged++
	if v.Code == kernel.Skipped {
		c.report.Skipped++
	}
}

// note sends an ephemeral command.
func (c *client) note() {
	n := c.nodes[c.tabs[0].node]
	if n.up && !n.paused && n.batcher != nil {
		cmd := toydomain.Cmd{Op: toydomain.Note, Item: c.newItem()}
		_ = n.submit(kernel.Waiting{Domain: c.domains[c.domain].ID(), Flags: kernel.FlagEphemeral, Bytes: cmd.Append(nil)}) // may be dropped
	}
}
