package clientcore

import (
	"slices"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// conn is one connection: opening until Welcome, then the current one.
type conn struct {
	id        uint64
	site      int
	openAt    int64
	opened    bool
	helloID   uint64
	lastFrame int64
	waiting   bool            // told to synchronise: nothing is sent until the next Welcome
	seen      *apiv1.Position // stated in Hello
}

// active: somebody waits. A send is under way or a room is in view.
func (c *Core) isActive() bool {
	return len(c.flights) > 0 || len(c.views) > 0 || len(c.items) > 0 && c.cur == nil
}

// Opened tells that a connection asked for is open.
func (c *Core) Opened(now int64, id uint64) {
	if c.next == nil || c.next.id != id {
		c.emit(Close{Conn: id})
		return
	}
	c.next.opened, c.next.lastFrame = true, now
	c.hello(c.next)
}

func (c *Core) hello(n *conn) {
	c.nextFrame++
	n.helloID = c.nextFrame
	// At the first opening everything is listed; a restore since the last run shows by the epoch (welcome).
	n.seen = nil
	if c.opened {
		n.seen = position(c.seen)
	}
	c.emit(Write{Conn: n.id, Frame: &livev1.Frame{Id: n.helloID, Body: &livev1.Frame_Hello{
		Hello: &livev1.Hello{Token: c.token, Device: c.device.String(), Seen: position(n.seen)}}}})
}

// Lost tells that a connection failed to open or has ended.
func (c *Core) Lost(now int64, id uint64) {
	switch {
	case c.next != nil && c.next.id == id:
		c.openFailed(now)
	case c.cur != nil && c.cur.id == id:
		c.cur = nil
		c.cancelFlights()
		c.emit(Deliver{State: &StateChange{Site: c.site}})
		if c.next == nil {
			c.site, c.connectAt = c.nextSite(c.site, now+c.firstDelay())
		}
	}
	c.Tick(now)
}

// firstDelay spreads a crowd that lost its server at once; who waits for something goes first.
func (c *Core) firstDelay() int64 {
	if c.isActive() {
		return c.cfg.Rand.Int64N(100)
	}
	return c.cfg.Rand.Int64N(3000)
}

// openFailed gives up the connection that is being opened and goes on with the next site, after a while.
func (c *Core) openFailed(now int64) {
	failed := c.next.site
	c.next = nil
	c.failures++
	wait := c.backoff()
	if c.cur != nil {
		c.hedgeAt = now + wait
		return
	}
	c.site, c.connectAt = c.nextSite(failed, now+wait)
}

// nextSite is where to connect from then on, and when: the first of those that follow that has not asked to be left alone, else the one
// that is to be left alone for the shortest time.
func (c *Core) nextSite(site int, from int64) (next int, at int64) {
	next, at = -1, 0
	for range c.cfg.Sites {
		site = c.after(site)
		if t := max(from, c.restTo[site]); next < 0 || t < at {
			next, at = site, t
		}
	}
	return next, at
}

// after is the site that follows, of those that are still part of the system.
func (c *Core) after(site int) int {
	for range c.cfg.Sites {
		if site = (site + 1) % c.cfg.Sites; site >= len(c.dropped) || !c.dropped[site] {
			return site
		}
	}
	return site
}

// knowSites takes the list of the system's sites.
func (c *Core) knowSites(sites []*apiv1.Site) {
	urls := make([]string, 0, len(sites))
	for _, s := range sites {
		urls = append(urls, s.GetUrl())
	}
	if len(urls) == 0 || slices.Equal(urls, c.known) {
		return
	}
	c.known = urls
	c.persist(sitesRecord(urls), false)
	c.emit(KnowSites{urls})
}

// SetSites says that there are now so many sites, of which some are no longer part of the system. Numbers keep their
// meaning: new sites come at the end.
func (c *Core) SetSites(now int64, n int, dropped []bool) {
	c.cfg.Sites, c.dropped = max(n, c.cfg.Sites), dropped
	c.Tick(now)
}

// backoff grows with every round through all the sites.
func (c *Core) backoff() int64 {
	top := int64(100) << min(c.failures/c.cfg.Sites, 10)
	limit := int64(30000)
	if c.isActive() {
		limit = 2000
	}
	return 10 + c.cfg.Rand.Int64N(min(top, limit))
}

func (c *Core) open(now int64, site int) {
	c.nextConn++
	c.next = &conn{id: c.nextConn, site: site, openAt: now}
	c.emit(Open{Conn: c.nextConn, Site: site})
}

// reopen closes everything and connects again.
func (c *Core) reopen(now int64) {
	c.dropConns(now)
	c.connectAt = now + c.firstDelay()
}

func (c *Core) dropConns(now int64) {
	if c.next != nil {
		c.emit(Close{Conn: c.next.id})
		c.next = nil
	}
	if c.cur != nil {
		c.emit(Close{Conn: c.cur.id})
		c.cur = nil
		c.cancelFlights()
		c.emit(Deliver{State: &StateChange{Site: c.site}})
	}
}

// Frame takes a frame that arrived.
func (c *Core) Frame(now int64, id uint64, f *livev1.Frame) {
	switch {
	case c.next != nil && c.next.id == id:
		c.next.lastFrame = now
		c.opening(now, c.next, f)
	case c.cur != nil && c.cur.id == id:
		c.cur.lastFrame = now
		c.live(now, f)
	}
	c.Tick(now)
}

// opening takes what comes before Welcome.
func (c *Core) opening(now int64, n *conn, f *livev1.Frame) {
	switch b := f.Body.(type) {
	case *livev1.Frame_Rooms:
		c.lines(now, b.Rooms.GetRooms())
	case *livev1.Frame_Welcome:
		c.welcome(now, n, b.Welcome)
	case *livev1.Frame_Ack:
		if b.Ack.GetError() != nil && (f.Id == n.helloID || f.Id == 0) {
			ref := RefusalOf(b.Ack.Error, b.Ack.Message)
			c.restTo[n.site] = now + ref.after()
			c.byeOpening(now, ref, true, 0)
		}
	case *livev1.Frame_Bye:
		c.byeOpening(now, RefusalOf(b.Bye.GetError(), b.Bye.GetMessage()), b.Bye.GetReconnect(), int64(b.Bye.GetAfterMs()))
	}
}

// welcome makes a connection the current one, unless the old one has come to life again.
func (c *Core) welcome(now int64, n *conn, w *livev1.Welcome) {
	if c.cur != nil && c.cur != n && c.healthy(now) {
		c.emit(Close{Conn: n.id})
		c.next = nil
		return
	}
	if w.RolledBack && n.seen != nil {
		cut := w.Cut
		if cut != nil && !less(cut, n.seen) {
			cut = nil // not even the cut is known any more
		}
		c.rolledBack(now, cut)
		return
	}
	if c.cur != nil && c.cur != n {
		c.emit(Close{Conn: c.cur.id})
		c.cancelFlights()
	}
	if c.next != nil && c.next != n {
		c.emit(Close{Conn: c.next.id}) // the connection that was to take its place, welcomed again after a Resync
	}
	again := c.cur == n
	n.waiting = false
	c.cur, c.next = n, nil
	c.site, c.httpSite = n.site, n.site
	delete(c.restTo, n.site)
	c.failures, c.suspect, c.tried = 0, false, n.site
	if !c.opened && c.seen != nil && c.seen.Epoch != w.Position.GetEpoch() {
		c.seen = nil // restored while this client was not running
		c.emit(Deliver{RolledBack: &RolledBack{}})
	}
	c.opened = true
	c.epoch = w.Position.GetEpoch()
	c.see(now, w.Position)
	for _, s := range c.active {
		s.pausedTo = 0
	}
	if !again {
		c.activeFrom = now
		c.emit(Deliver{State: &StateChange{Connected: true, Site: c.site}})
	}
	if len(c.views) > 0 {
		c.sendView()
	}
	c.retryFetches(now)
	c.pump(now)
}

// healthy: the current connection has nothing that would make one look for another.
func (c *Core) healthy(now int64) bool {
	return !c.suspect && now < c.troubleAt()
}

// troubleAt is when the current connection will have been silent or unanswering for too long.
func (c *Core) troubleAt() int64 {
	at := c.cur.lastFrame + silenceIdle
	if len(c.flights) > 0 || len(c.views) > 0 {
		at = max(c.cur.lastFrame, c.activeFrom) + silenceActive
	}
	patience := int64(unanswered)
	if c.cfg.Sites == 1 {
		patience = unansweredAlone
	}
	for _, f := range c.fifo {
		if !f.done && f.item != nil {
			at = min(at, f.at+patience)
			break
		}
	}
	return at
}

// live takes a frame of the current connection.
func (c *Core) live(now int64, f *livev1.Frame) {
	switch b := f.Body.(type) {
	case *livev1.Frame_Ack:
		if c.cur.waiting && f.Id == c.cur.helloID {
			ref := RefusalOf(b.Ack.GetError(), b.Ack.GetMessage())
			c.restTo[c.cur.site] = now + ref.after()
			c.bye(now, ref, true, 0)
			return
		}
		c.see(now, b.Ack.GetPosition())
		c.ack(now, f.Id, b.Ack)
	case *livev1.Frame_Event:
		c.event(now, b.Event)
	case *livev1.Frame_Beat:
		c.see(now, b.Beat.GetPosition())
		for _, h := range b.Beat.GetHeads() {
			c.headAt(h.GetRoom(), h.GetLastSeq())
		}
		c.pumpFetches(now)
	case *livev1.Frame_Rooms:
		c.lines(now, b.Rooms.GetRooms())
	case *livev1.Frame_Presence:
		if b.Presence != nil {
			c.emit(Deliver{Presence: b.Presence})
		}
	case *livev1.Frame_Sites:
		c.knowSites(b.Sites.GetSites())
	case *livev1.Frame_Resync:
		// Answers may have been dropped too: what is under way is sent again after the Welcome.
		c.cancelFlights()
		c.cur.waiting = true
		c.hello(c.cur)
	case *livev1.Frame_Welcome: // after a Resync
		c.welcome(now, c.cur, b.Welcome)
	case *livev1.Frame_Bye:
		c.bye(now, RefusalOf(b.Bye.GetError(), b.Bye.GetMessage()), b.Bye.GetReconnect(), int64(b.Bye.GetAfterMs()))
	}
}

// byeOpening: the site does not take us. If it is only this site, the current connection stays.
func (c *Core) byeOpening(now int64, why *Refusal, reconnect bool, after int64) {
	if c.fatal(now, why, reconnect) {
		return
	}
	if c.next != nil {
		c.emit(Close{Conn: c.next.id})
		c.openFailed(now)
		c.connectAt = max(c.connectAt, now+after)
	}
}

func (c *Core) bye(now int64, why *Refusal, reconnect bool, after int64) {
	if c.fatal(now, why, reconnect) {
		return
	}
	c.dropConns(now)
	c.site, c.connectAt = c.nextSite(c.site, now+after+c.firstDelay())
}

// fatal handles what is about the session and not about the site.
func (c *Core) fatal(now int64, why *Refusal, reconnect bool) bool {
	if why == nil {
		why = &Refusal{Message: "the server ended the session"}
	}
	switch why.Reason {
	case apiv1.Reason_REASON_ROLLED_BACK:
		c.rolledBack(now, nil)
	case apiv1.Reason_REASON_WRONG_DEVICE:
		c.renew(now, why)
	case apiv1.Reason_REASON_MUST_CHANGE_PASSWORD:
		if now < c.changedAt+changeSeenAfter {
			return false
		}
		c.hold()
	case apiv1.Reason_REASON_UNAUTHENTICATED, apiv1.Reason_REASON_SESSION_REVOKED:
		c.end(now, why)
	default:
		if reconnect || why.Again {
			return false
		}
		c.end(now, why)
	}
	return true
}

// hold: a one-time code opened the session. Until its password is changed nothing else is sent, and no connection is tried.
func (c *Core) hold() {
	if c.mustChange {
		return
	}
	c.mustChange = true
	for _, n := range []*conn{c.next, c.cur} {
		if n != nil {
			c.emit(Close{Conn: n.id})
		}
	}
	c.next, c.cur = nil, nil
	c.cancelFlights()
	c.emit(Deliver{State: &StateChange{Site: c.site, MustChange: true}})
}

// changeSeenAfter is when every site that answers knows of a new password (docs/formats.md: views are at most 1.25 s old).
const changeSeenAfter = 3000

// release: the password was changed. A Hello that is under way may have been refused before, and another site may not know yet.
func (c *Core) release(now int64) {
	c.changedAt = now
	if c.cur == nil && c.next != nil {
		c.emit(Close{Conn: c.next.id})
		c.next, c.connectAt = nil, now
	}
	if c.mustChange {
		c.mustChange, c.connectAt = false, now
		c.emit(Deliver{State: &StateChange{Site: c.site}})
	}
}

// rolledBack: the server was restored and what this client had seen is partly gone. Rooms that changed after the cut are
// dropped; items go on under the same names. With no cut everything is dropped.
func (c *Core) rolledBack(now int64, cut *apiv1.Position) {
	c.dropRooms(cut)
	c.seen = position(cut)
	if cut == nil {
		c.opened = false // the next Hello asks for everything
	}
	c.reopen(now)
}

// see notes a position of the current connection. Only a Welcome leads into another epoch: it can tell what was lost.
func (c *Core) see(now int64, p *apiv1.Position) {
	if p == nil || p.Epoch != c.epoch || !less(c.seen, p) {
		return
	}
	c.seen = position(p)
	if now-c.seenStored >= seenEvery {
		c.seenStored = now
		c.persist(seenRecord(c.seen), false)
	}
}

// Tick lets time pass.
func (c *Core) Tick(now int64) {
	if !c.online || c.ended != nil {
		return
	}
	if c.renewing {
		c.pumpRenew(now)
		return
	}
	if c.next != nil && now >= c.next.openAt+c.openLimit() {
		c.emit(Close{Conn: c.next.id})
		c.openFailed(now)
	}
	switch {
	case c.next != nil:
	case c.mustChange:
	case c.cur == nil:
		if now >= c.connectAt {
			if ok, at := c.budget.take(now); ok {
				c.open(now, c.site)
			} else {
				c.connectAt = at
			}
		}
	case now >= c.hedgeAt && !c.healthy(now):
		// The old connection stays until the new one answers.
		c.tried = c.after(c.tried)
		if c.tried == c.site {
			c.tried = c.after(c.tried)
		}
		if c.restTo[c.tried] > now {
			c.hedgeAt = now + c.hedgePause()
		} else if ok, at := c.budget.take(now); ok {
			c.hedges++
			c.hedgeAt = now + c.hedgePause()
			c.open(now, c.tried)
		} else {
			c.hedgeAt = at
		}
	}
	c.pump(now)
	c.pumpFetches(now)
}

// hedgePause keeps a client from hopping between sites that are all slow.
func (c *Core) hedgePause() int64 {
	top := int64(500) << min(c.hedges, 6)
	return top/2 + c.cfg.Rand.Int64N(top)
}

func (c *Core) openLimit() int64 {
	if c.cfg.Sites > 1 && c.isActive() {
		return openLimitActive
	}
	return openLimitIdle
}

// NextWake is when Tick must be called at the latest; ok is false if nothing waits for time.
func (c *Core) NextWake() (at int64, ok bool) {
	if !c.online || c.ended != nil {
		return 0, false
	}
	const never = int64(1) << 62
	at = never
	if c.renewing {
		if c.renewID == 0 && (c.renewNeeds <= c.storedUpTo || c.storeErr != nil) {
			at = c.renewAt
		}
		return at, at != never
	}
	switch {
	case c.next != nil:
		at = c.next.openAt + c.openLimit()
	case c.mustChange:
	case c.cur == nil:
		at = c.connectAt
	default:
		trouble := c.troubleAt()
		if c.suspect {
			trouble = 0
		}
		at = max(trouble, c.hedgeAt)
	}
	for _, s := range c.active {
		if s.pausedTo > 0 && (c.cur != nil || s.key == scopePeople) {
			at = min(at, s.pausedTo)
		}
	}
	if c.wakeFetch > 0 && c.cur != nil {
		at = min(at, c.wakeFetch)
	}
	return at, at != never
}

// budget bounds repeated attempts: twenty at once, one more a second, and one for each success.
type budget struct {
	tokens int64 // thousandths
	at     int64
}

const budgetCap = 20000

func (b *budget) take(now int64) (ok bool, at int64) {
	if b.at == 0 || now-b.at > 60000 {
		b.tokens = budgetCap
	} else {
		b.tokens = min(budgetCap, b.tokens+now-b.at)
	}
	b.at = now
	if b.tokens >= 1000 {
		b.tokens -= 1000
		return true, now
	}
	return false, now + 1000 - b.tokens
}

func (b *budget) refund() { b.tokens = min(budgetCap, b.tokens+1000) }
