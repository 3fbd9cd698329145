package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	"github.com/bonghwa/bonghwa/internal/gateway"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// phone is one device of a person: the client's core on a store that forgets what was not synced.
type phone struct {
	*public
	i       int
	user    ids.User
	token   [32]byte
	device  ids.Device
	core    *clientcore.Core
	offset  time.Duration // of its clock
	life    int           // counts restarts
	woken   int
	records [][][]byte // one batch for each Persist: all of it or nothing
	safe    int
	storing time.Duration
	wires   []*wire

	wishes []*wish // everything the user ever asked for
	open   map[uint64]*wish
	texts  int
	// local is what the user was shown since the start, per room and without holes; lines the newest line of each room.
	local map[string][]*apiv1.Message
	lines map[string]*apiv1.Room
	ended *clientcore.Refusal
	// revoked is where the log ended its session.
	revoked   kernel.Position
	revokedAt time.Duration
}

// wish is one change that a user asked for, and what became of it.
type wish struct {
	op       clientcore.Op
	text     string
	result   *clientcore.Result
	lost     bool // killed before it was stored
	replaces *wish
}

func (p *public) newPhone(user ids.User) *phone {
	d := &phone{public: p, i: len(p.phones), user: user, open: map[uint64]*wish{}}
	for i := range d.token {
		d.token[i] = byte(p.rng.Uint32())
	}
	for i := range d.device {
		d.device[i] = byte(p.rng.Uint32())
	}
	d.offset = p.between(-48*time.Hour, 48*time.Hour)
	d.records = [][][]byte{{clientcore.AccountRecord(user, fmt.Sprintf("user%d", d.i), ids.Text(d.token[:]), d.device)}}
	d.safe = 1
	p.phones = append(p.phones, d)
	return d
}

// time is what the phone's clock says.
func (d *phone) time() int64 { return simStart.Add(d.now + d.offset).UnixMilli() }

// start begins a process on what the store holds.
func (d *phone) start() {
	st := clientcore.NewState()
	for _, batch := range d.records {
		for _, r := range batch {
			if err := st.Add(r); err != nil {
				d.fail("phone %d: a record cannot be read: %v", d.i, err)
			}
		}
	}
	d.safe = len(d.records)
	d.life++
	d.local, d.lines, d.ended = map[string][]*apiv1.Message{}, map[string]*apiv1.Room{}, nil
	d.core = clientcore.New(clientcore.Config{Sites: members, Rand: rand.New(rand.NewPCG(d.rng.Uint64(), 1)), State: st})
	stored := map[uint64]bool{}
	for _, it := range d.core.Items() {
		stored[it.ID] = true
	}
	for id, w := range d.open {
		if w.result == nil && !stored[id] && w.replaces == nil {
			w.lost = true // nobody was told anything, and it must not turn up anywhere
		}
	}
	d.core.GoOnline(d.time())
	d.pump()
}

// restart kills the process.
func (d *phone) restart() {
	d.tell("phone %d restarts", d.i)
	for _, w := range d.wires {
		w.hangUp()
	}
	d.wires = nil
	if keep := len(d.records) - d.safe; keep > 0 && d.chance(0.5) {
		d.records = d.records[:d.safe+d.rng.IntN(keep+1)]
	}
	d.start()
}

// in runs fn if the process still lives then.
func (d *phone) in(t time.Duration, what string, fn func()) {
	life := d.life
	d.After(t, what, d.i, func() {
		if d.life == life {
			fn()
		}
	})
}

// pump carries out what the core asks for.
func (d *phone) pump() {
	for _, o := range d.core.Take() {
		switch o := o.(type) {
		case clientcore.Persist:
			d.records = append(d.records, o.Records)
			n := len(d.records)
			d.storing = max(d.storing, d.now+d.between(0, 3*time.Millisecond)) // answered in order
			d.in(d.storing-d.now, "stored", func() {
				if o.Sync {
					d.safe = max(d.safe, n)
				}
				d.core.Stored(d.time(), o.ID, nil)
				d.pump()
			})
		case clientcore.Open:
			d.connect(o.Conn, o.Site)
		case clientcore.Close:
			if w := d.wire(o.Conn); w != nil {
				d.forget(w)
				w.hangUp()
			}
		case clientcore.Write:
			if w := d.wire(o.Conn); w != nil {
				w.up(o.Frame)
			}
		case clientcore.Fetch:
			d.fetch(o)
		case clientcore.Settled:
			d.settled(o)
		case clientcore.Deliver:
			d.deliver(o)
		default:
			d.fail("phone %d: its core asks for %T, which nothing here should lead to", d.i, o)
		}
	}
	d.wake()
}

// wake ticks the core when it wants to be.
func (d *phone) wake() {
	at, ok := d.core.NextWake()
	if !ok {
		return
	}
	d.woken++
	woken := d.woken
	d.in(max(time.Duration(at-d.time())*time.Millisecond, time.Millisecond), "wake", func() {
		if d.woken == woken {
			d.core.Tick(d.time())
			d.pump()
		}
	})
}

func (d *phone) wire(conn uint64) *wire {
	for _, w := range d.wires {
		if w.conn == conn {
			return w
		}
	}
	return nil
}

func (d *phone) forget(w *wire) {
	for i, o := range d.wires {
		if o == w {
			d.wires = append(d.wires[:i], d.wires[i+1:]...)
			return
		}
	}
}

// lost tells the core that a connection broke.
func (d *phone) lost(w *wire) {
	if w.gone {
		return
	}
	d.forget(w)
	w.hangUp()
	d.core.Lost(d.time(), w.conn)
	d.pump()
}

// connect opens a connection. A process that does not run refuses; one that is paused says nothing.
func (d *phone) connect(conn uint64, site int) {
	d.in(d.quorum.delay(), "connect", func() {
		g := d.gates[site]
		if !g.alive() || d.chance(d.quorum.faults.LoseRequest) {
			d.in(d.quorum.delay(), "refused", func() {
				d.core.Lost(d.time(), conn)
				d.pump()
			})
			return
		}
		w := &wire{p: d.public, phone: d, gate: g, conn: conn}
		life := d.life
		g.atOnce(func() {
			if d.life != life {
				return
			}
			w.session = gateway.NewSession(g.g.Hub(), w, false)
			g.wires = append(g.wires, w)
			d.wires = append(d.wires, w)
			d.in(d.quorum.delay(), "connected", func() {
				if !w.gone {
					d.core.Opened(d.time(), conn)
					d.pump()
				}
			})
		})
	})
}

// fetch reads history over HTTP.
func (d *phone) fetch(o clientcore.Fetch) {
	d.tell("phone %d fetch %d at %d: %v", d.i, o.ID, o.Site, o.Request)
	life, done := d.life, false
	answer := func(page *apiv1.HistoryResponse, ref *clientcore.Refusal) {
		if d.life == life && !done {
			done = true
			d.tell("phone %d fetched %d: %d rows, %+v", d.i, o.ID, len(page.GetMessages()), ref)
			d.core.Fetched(d.time(), o.ID, page, ref)
			d.pump()
		}
	}
	d.in(3*time.Second, "fetch times out", func() { answer(nil, nil) })
	if d.chance(d.quorum.faults.LoseRequest) {
		return
	}
	d.in(d.quorum.delay(), "fetch", func() {
		g := d.gates[o.Site]
		if !g.alive() {
			answer(nil, nil)
			return
		}
		g.atOnce(func() {
			page, ref, err := g.history(ids.Text(d.token[:]), o.Request)
			if err != nil {
				d.fail("phone %d: history: %v", d.i, err)
			}
			d.in(d.quorum.delay(), "fetched", func() { answer(page, ref) })
		})
	})
}

// ask gives the core a change.
func (d *phone) ask(op clientcore.Op) *wish {
	w := &wish{op: op, text: op.Text}
	id, err := d.core.Submit(d.time(), op)
	if err != nil {
		d.fail("phone %d: %+v is not taken: %v", d.i, op, err)
		return w
	}
	d.wishes = append(d.wishes, w)
	d.open[id] = w
	d.pump()
	return w
}

// settled takes the end of an item. Only a restart that forgot the first may ask again, and then hears the same.
func (d *phone) settled(o clientcore.Settled) {
	w := d.open[o.Item]
	if w == nil {
		d.fail("phone %d: an item %d is settled that nobody asked for", d.i, o.Item)
		return
	}
	d.tell("phone %d: %v %q is settled: %+v %+v", d.i, w.op.Kind, w.text, o.Result, o.Result.Err)
	// A room has no name but its random bytes: what was refused is not on record, and may succeed for who asks again.
	again := w.op.Kind == clientcore.KindCreateRoom && w.result != nil && w.result.Err != nil
	if f := w.result; f != nil && !again && (f.Seq != o.Result.Seq || f.GivenUp != o.Result.GivenUp || (f.Err == nil) != (o.Result.Err == nil)) {
		d.fail("phone %d: %v %q was settled as %+v and then as %+v", d.i, w.op.Kind, w.text, *f, o.Result)
	}
	r := o.Result
	w.result = &r
	if e := r.Err; e != nil && (e.Reason == apiv1.Reason_REASON_ID_REUSED || e.Reason == apiv1.Reason_REASON_INTERNAL) {
		d.fail("phone %d: %v %q ends with %v", d.i, w.op.Kind, w.text, e.Reason)
	}
	d.report.Acknowledged++
	if r.GivenUp {
		d.report.Skipped++
	}
	if w.op.Kind == clientcore.KindCreateRoom && r.Err == nil {
		d.groups = append(d.groups, r.Room)
	}
}

// deliver takes what the user is shown.
func (d *phone) deliver(o clientcore.Deliver) {
	switch {
	case o.State != nil && o.State.Ended != nil:
		d.ended = o.State.Ended
	case o.Room != nil:
		d.tell("phone %d line %v", d.i, o.Room)
		d.lines[o.Room.Id] = o.Room
	case o.Message != nil:
		m := o.Message
		list := d.local[m.Room]
		if len(list) > 0 && list[len(list)-1].Seq+1 != m.Seq && !d.joinedAt(m.Room, d.user, m.Seq) {
			d.fail("phone %d: room %s shows %d after %d", d.i, m.Room, m.Seq, list[len(list)-1].Seq)
		}
		d.tell("phone %d shows %v", d.i, m)
		d.local[m.Room] = append(list, m)
		if c := m.Changed; c != nil {
			for _, old := range list {
				if old.Seq == c.Seq {
					old.Text, old.Deleted, old.EditedMs = c.Text, c.Deleted, c.EditedMs
				}
			}
		}
	}
}
