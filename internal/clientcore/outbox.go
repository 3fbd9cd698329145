package clientcore

import (
	"errors"
	"sort"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// item is one change in the outbox, from the user's call to its verdict. With its name it is frozen.
type item struct {
	id       uint64
	scope    *scope
	scopeKey string
	// The name. n = 0: none yet, because older items of the scope are still being recovered after a renewal, or because
	// the change is named by its random bytes (CreateRoom).
	dev     ids.Device
	n       uint64
	tag     [8]byte
	op      Op
	created int64
	// giveUp: a Skip is sent in the place of the item. What is known then decides: replace is sent if the item was not
	// in, refusal is the reason why it had to be given up.
	giveUp    bool
	replace   *Op
	replaceID uint64
	refusal   *Refusal
	// storedAt is the Persist that makes the latest state of the item safe.
	storedAt uint64
	// flight is the id of the frame or call under way, 0 = none.
	flight  uint64
	finding bool
}

// scope is the order of names in one room, or in the account.
type scope struct {
	key      string
	items    []*item // open, in order
	inflight int
	// goBack: a frame was answered "not now" or "not yet": nothing is sent until every answer is in, then from the lowest.
	goBack   bool
	pausedTo int64
	attempts int
}

// Errors of calls to the core.
var (
	ErrNoItem   = errors.New("there is no such open item")
	ErrNoEdit   = errors.New("only the text of a message that is not sent can be replaced")
	ErrOffline  = errors.New("nobody is logged in")
	ErrGivingUp = errors.New("the item is being given up already")
)

// Submit takes a change: it gets its name, is stored, sent and sent again until it is decided. The id names it in
// Settled.
func (c *Core) Submit(now int64, op Op) (uint64, error) {
	if c.token == "" {
		return 0, ErrOffline
	}
	if c.storeErr != nil {
		return 0, c.storeErr
	}
	key, err := c.place(&op)
	if err != nil {
		return 0, err
	}
	it := c.newItem(now, c.takeID(), key, op)
	c.pump(now)
	return it.id, nil
}

func (c *Core) takeID() uint64 {
	if c.nextItem == 0 {
		c.nextItem = 1
	}
	id := c.nextItem
	c.nextItem++
	return id
}

// newItem names and stores an item, in one record.
func (c *Core) newItem(now int64, id uint64, key string, op Op) *item {
	it := &item{id: id, scopeKey: key, op: op, created: now}
	c.addItem(it)
	if op.Kind != KindCreateRoom && !it.scope.recovering(c.device) {
		c.name(it)
	}
	c.persist(itemRecord(it), true)
	it.storedAt = c.pendingID()
	return it
}

func (c *Core) addItem(it *item) {
	s := c.scopes[it.scopeKey]
	if s == nil {
		s = &scope{key: it.scopeKey}
		c.scopes[it.scopeKey] = s
		c.active = append(c.active, s)
	}
	it.scope = s
	s.items = append(s.items, it)
	c.items[it.id] = it
	if it.op.Kind == KindCreateRoom {
		c.creating[it.op.Room] = it
	}
}

// recovering: the lowest item of the scope still has a name of an earlier device.
func (s *scope) recovering(device ids.Device) bool {
	for _, it := range s.items {
		if it.n != 0 && it.dev != device {
			return true
		}
	}
	return false
}

func (c *Core) name(it *item) {
	k := counterKey{c.device, it.scopeKey}
	c.counters[k]++
	it.dev, it.n = c.device, c.counters[k]
	copy(it.tag[:], c.random(8))
}

// GiveUp asks for an item not to be sent after all. What becomes of it is told by its Settled: given up, or in already.
func (c *Core) GiveUp(now int64, id uint64) error {
	it := c.items[id]
	if it == nil {
		return ErrNoItem
	}
	if it.op.Kind == KindCreateRoom {
		return ErrNoEdit
	}
	if it.giveUp {
		return ErrGivingUp
	}
	c.skip(it, nil)
	c.pump(now)
	return nil
}

// Replace gives an item up and sends this text instead; if the item proves to be in already, the message is edited. The
// new item's id is returned.
func (c *Core) Replace(now int64, id uint64, text string) (uint64, error) {
	it := c.items[id]
	switch {
	case it == nil:
		return 0, ErrNoItem
	case it.op.Kind != KindSend && it.op.Kind != KindEdit:
		return 0, ErrNoEdit
	case it.giveUp:
		return 0, ErrGivingUp
	}
	op := it.op
	op.Text = text
	it.replace, it.replaceID = &op, c.takeID()
	c.skip(it, nil)
	c.pump(now)
	return it.replaceID, nil
}

// skip turns an item into a Skip under the same name. An answer to the item itself that is still under way counts too.
func (c *Core) skip(it *item, why *Refusal) {
	it.giveUp, it.refusal = true, why
	if it.flight != 0 {
		it.flight = 0
		it.scope.inflight--
	}
	c.persist(giveUpRecord(it), true)
	it.storedAt = c.pendingID()
}

// settle ends an item with what was decided.
func (c *Core) settle(now int64, it *item, r Result) {
	s := it.scope
	if r.Room == "" {
		r.Room = it.op.Room
	}
	if it.flight != 0 {
		it.flight = 0
		s.inflight--
	}
	if it.giveUp && it.refusal != nil && r.GivenUp {
		r = Result{Err: it.refusal, Room: r.Room}
	}
	delete(c.items, it.id)
	for i, o := range s.items {
		if o == it {
			s.items = append(s.items[:i], s.items[i+1:]...)
			break
		}
	}
	if it.op.Kind == KindCreateRoom {
		delete(c.creating, it.op.Room)
	}
	s.attempts, s.pausedTo = 0, 0
	c.budget.refund()
	c.persist(settledRecord(it.id), false)
	if it.replace != nil {
		c.followUp(now, it, r)
	}
	c.emit(Settled{Item: it.id, Result: r})
	c.rename(s)
	if len(s.items) == 0 {
		delete(c.scopes, s.key)
		for i, o := range c.active {
			if o == s {
				c.active = append(c.active[:i], c.active[i+1:]...)
				break
			}
		}
	}
}

// followUp sends what was to replace a given-up item: as it is if the item was not in, as an edit if it was, not at all
// if the room refused it.
func (c *Core) followUp(now int64, it *item, r Result) {
	op := *it.replace
	switch {
	case r.GivenUp:
	case r.Err != nil || r.Unstored != nil:
		c.emit(Settled{Item: it.replaceID, Result: r})
		return
	case op.Kind == KindSend:
		op = Op{Kind: KindEdit, Room: r.Room, Seq: r.Seq, Text: op.Text}
	}
	c.newItem(now, it.replaceID, it.scopeKey, op)
}

// rename gives names to the items of a scope that wait for one, in order, once no older one is being recovered.
func (c *Core) rename(s *scope) {
	if s.recovering(c.device) {
		return
	}
	for _, it := range s.items {
		if it.n == 0 && it.op.Kind != KindCreateRoom {
			c.name(it)
			c.persist(nameRecord(it), true)
			it.storedAt = c.pendingID()
		}
	}
}

// persist adds a record to the ones that leave together at the next Take.
func (c *Core) persist(rec []byte, sync bool) {
	if c.cfg.Volatile {
		return
	}
	c.pendingRec = append(c.pendingRec, rec)
	c.pendingSyn = c.pendingSyn || sync
}

// pendingID is the Persist that the records added now will ride in.
func (c *Core) pendingID() uint64 {
	if c.cfg.Volatile {
		return 0
	}
	return c.persistID + 1
}

func (c *Core) flushRecords() {
	if len(c.pendingRec) == 0 {
		return
	}
	c.persistID++
	// Before everything else put out in this step: a caller told of a verdict has it in the store.
	c.out = append([]Output{Persist{ID: c.persistID, Records: c.pendingRec, Sync: c.pendingSyn}}, c.out...)
	c.pendingRec, c.pendingSyn = nil, false
}

// Stored answers a Persist. An error ends all storing: items that are not safe never leave, and no new ones are taken.
func (c *Core) Stored(now int64, id uint64, err error) {
	if err == nil && c.storeErr == nil {
		c.storedUpTo = max(c.storedUpTo, id)
		c.Tick(now)
		return
	}
	if c.storeErr == nil {
		c.storeErr = err
	}
	for _, s := range append([]*scope(nil), c.active...) {
		for _, it := range append([]*item(nil), s.items...) {
			switch {
			case it.storedAt <= c.storedUpTo:
			case it.giveUp:
				it.storedAt = 0 // safe all the same: after a restart the original is answered "skipped"
			default:
				c.settle(now, it, Result{Unstored: c.storeErr})
			}
		}
	}
	c.Tick(now)
}

// load takes over what the store held. Passwords are not stored: such items are given up.
func (c *Core) load(s *State) {
	c.user, c.token, c.device = s.User, s.Token, s.Device
	c.counters, c.seen, c.renewing = s.counters, s.Seen, s.renewing
	c.epoch = s.Seen.GetEpoch()
	c.nextItem, c.known = s.nextItem, s.Sites
	for _, it := range s.items {
		c.addItem(it)
		if it.op.Kind.secret() {
			it.giveUp = true
		}
	}
	for _, s := range c.active {
		c.rename(s)
	}
}

// Items lists what is open, oldest first.
func (c *Core) Items() []ItemInfo {
	list := make([]ItemInfo, 0, len(c.items))
	for _, s := range c.active {
		for _, it := range s.items {
			list = append(list, ItemInfo{ID: it.id, Op: it.op, Created: it.created, Sending: it.flight != 0, GivingUp: it.giveUp})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list
}

// ItemInfo describes an open item.
type ItemInfo struct {
	ID       uint64
	Op       Op
	Created  int64
	Sending  bool
	GivingUp bool
}

// Snapshot is what the store must hold now: the content of a compacted outbox. It must be taken together with the
// outputs (after Take), so that no record is missing or doubled.
func (c *Core) Snapshot(handle string, form *Form) [][]byte {
	recs := [][]byte{AccountRecord(c.user, handle, c.token, c.device)}
	if form != nil {
		recs = append(recs, FormRecord(form))
	}
	if c.seen != nil {
		recs = append(recs, seenRecord(c.seen))
	}
	if len(c.known) > 0 {
		recs = append(recs, sitesRecord(c.known))
	}
	if c.renewing {
		recs = append(recs, renewRecord(c.device))
	}
	keys := make([]counterKey, 0, len(c.counters))
	for k := range c.counters {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		if keys[i].scope != keys[j].scope {
			return keys[i].scope < keys[j].scope
		}
		return string(keys[i].device[:]) < string(keys[j].device[:])
	})
	for _, k := range keys {
		if k.device == c.device {
			recs = append(recs, counterRecord(k, c.counters[k]))
		}
	}
	open := make([]*item, 0, len(c.items))
	for _, s := range c.active {
		open = append(open, s.items...)
	}
	sort.Slice(open, func(i, j int) bool { return open[i].id < open[j].id })
	for _, it := range open {
		recs = append(recs, itemRecord(it))
		if it.giveUp {
			recs = append(recs, giveUpRecord(it))
		}
	}
	return recs
}

func position(p *apiv1.Position) *apiv1.Position {
	if p == nil {
		return nil
	}
	return &apiv1.Position{Epoch: p.Epoch, N: p.N}
}
