package clientcore

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/clientcore/coretest"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// world runs clients against the imitated server over connections that delay and break, one random step after another.
type world struct {
	t       *testing.T
	rng     *rand.Rand
	now     int64
	server  *coretest.Server
	clients []*device
	sites   int
	calm    bool
	trace   []string
}

// device is one client with its store.
type device struct {
	w       *world
	name    string
	token   string
	user    ids.User
	core    *Core
	records [][][]byte // one batch for each Persist: all of it or nothing
	safe    int
	links   map[uint64]*link
	order   []uint64
	todo    []func()
	sent    map[uint64]*fate
	list    []*fate
	got     map[string][]*apiv1.Message
	texts   int
	ended   *Refusal
	copied  bool
	calls   []Call
	// rollbacks is how often the user was told of a restore.
	rollbacks int
}

type link struct {
	session *coretest.Session
	opened  bool
	up      []*livev1.Frame
	dead    bool // the server's side is silent for ever
}

// fate is what a test knows about one item.
type fate struct {
	text     string
	room     string
	result   *Result
	touched  bool // given up or replaced at some time
	shared   bool // open in two copies of a profile
	lost     bool
	replaces *fate
}

func newWorld(t *testing.T, seed uint64, sites int) *world {
	return &world{t: t, rng: rand.New(rand.NewPCG(seed, 4)), now: 1_764_000_000_000, server: coretest.New(), sites: sites}
}

func (w *world) logf(format string, args ...any) {
	w.trace = append(w.trace, fmt.Sprintf("%d ", w.now%1e9)+fmt.Sprintf(format, args...))
}

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	from := max(0, len(w.trace)-150)
	w.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(w.trace[from:], "\n"))
}

func (w *world) add(name string) *device {
	var dev ids.Device
	copy(dev[:], "device-"+name+"-0123456789")
	d := &device{w: w, name: name, token: "token-" + name, user: ids.NewUser(1, []byte(name)), sent: map[uint64]*fate{}}
	w.server.Add(d.token, d.user, dev)
	d.records = [][][]byte{{AccountRecord(d.user, name, d.token, dev)}}
	d.safe = 1
	d.start()
	w.clients = append(w.clients, d)
	return d
}

// start begins a process on what the store holds.
func (d *device) start() {
	st := NewState()
	for _, batch := range d.records {
		for _, r := range batch {
			if err := st.Add(r); err != nil {
				d.w.fail("record: %v", err)
			}
		}
	}
	d.safe = len(d.records)
	d.links, d.order, d.todo = map[uint64]*link{}, nil, nil
	d.got = map[string][]*apiv1.Message{}
	d.core = New(Config{Sites: d.w.sites, Rand: rand.New(rand.NewPCG(d.w.rng.Uint64(), 1)), State: st})
	d.ended = nil
	for id, f := range d.sent {
		// Killed before it was stored: nobody was told anything, and it must not turn up anywhere.
		if f.result == nil && d.core.items[id] == nil && !d.core.replacing(id) {
			f.lost = true
		}
	}
	d.core.GoOnline(d.w.now)
	d.pump()
}

// restart kills the process: what was not synced may be gone from any point on.
func (d *device) restart(lose bool) {
	for _, id := range d.order {
		d.links[id].session.Close()
	}
	if lose && len(d.records) > d.safe {
		d.records = d.records[:d.safe+d.w.rng.IntN(len(d.records)-d.safe+1)]
	}
	d.w.logf("%s restarts", d.name)
	d.start()
}

// pump carries out what the core asks for.
func (d *device) pump() {
	w := d.w
	for _, o := range d.core.Take() {
		switch o := o.(type) {
		case Persist:
			d.todo = append(d.todo, func() {
				d.records = append(d.records, o.Records)
				if o.Sync {
					d.safe = len(d.records)
				}
				d.core.Stored(w.now, o.ID, nil)
			})
		case Open:
			d.links[o.Conn] = &link{session: w.server.Connect()}
			d.order = append(d.order, o.Conn)
			d.todo = append(d.todo, func() {
				if l := d.links[o.Conn]; l != nil {
					if !w.calm && w.rng.IntN(8) == 0 {
						d.cut(o.Conn)
						return
					}
					l.opened = true
					d.core.Opened(w.now, o.Conn)
				}
			})
		case Close:
			d.unlink(o.Conn)
		case Write:
			if l := d.links[o.Conn]; l != nil {
				w.logf("%s>%d %v", d.name, o.Conn, o.Frame)
				l.up = append(l.up, o.Frame)
			}
		case Fetch:
			d.todo = append(d.todo, func() {
				if !w.calm && w.rng.IntN(5) == 0 {
					d.core.Fetched(w.now, o.ID, nil, nil)
					return
				}
				page, info := w.server.History(d.token, o.Request)
				d.core.Fetched(w.now, o.ID, page, RefusalOf(info, ""))
			})
		case Renew:
			d.todo = append(d.todo, func() {
				lost := !w.calm && w.rng.IntN(3) == 0
				if lost && w.rng.IntN(2) == 0 {
					d.core.Renewed(w.now, o.ID, nil, true)
					return
				}
				info := w.server.RenewDevice(d.token, o.Device)
				d.core.Renewed(w.now, o.ID, RefusalOf(info, ""), lost)
			})
		case Call:
			d.calls = append(d.calls, o)
		case Settled:
			d.settled(o)
		case Deliver:
			d.deliver(o)
		}
	}
}

func (d *device) settled(o Settled) {
	f := d.sent[o.Item]
	if f == nil {
		d.w.fail("%s: unknown item %d settled", d.name, o.Item)
	}
	d.w.logf("%s settled %d %q %+v %v", d.name, o.Item, f.text, o.Result, o.Result.Err)
	if f.result != nil {
		// Only a restart that forgot the first verdict may ask again, and then hears the same.
		a, b := f.result, o.Result
		// The other copy may have pushed the first verdict out of the server's ring: given up or refused is all it knows then.
		forgotten := b.Err != nil && b.Err.Reason == apiv1.Reason_REASON_ALREADY_IN && a.GivenUp && d.copied
		if !forgotten && (a.Seq != b.Seq || a.GivenUp != b.GivenUp || (a.Err == nil) != (b.Err == nil)) {
			d.w.fail("%s: item %d %q settled as %+v and as %+v", d.name, o.Item, f.text, *a, b)
		}
	}
	r := o.Result
	f.result = &r
}

func (d *device) deliver(o Deliver) {
	if o.State != nil && o.State.Ended != nil {
		d.ended = o.State.Ended
	}
	if o.RolledBack != nil {
		d.rollbacks++
		d.got = map[string][]*apiv1.Message{}
	}
	m := o.Message
	if m == nil {
		return
	}
	d.w.logf("%s got %s:%d", d.name, m.Room[:6], m.Seq)
	list := d.got[m.Room]
	if len(list) > 0 && list[len(list)-1].Seq+1 != m.Seq {
		d.w.fail("%s: room %s delivered %d after %d", d.name, m.Room, m.Seq, list[len(list)-1].Seq)
	}
	d.got[m.Room] = append(list, m)
}

func (d *device) unlink(id uint64) {
	if l := d.links[id]; l != nil {
		l.session.Close()
		delete(d.links, id)
		for i, o := range d.order {
			if o == id {
				d.order = append(d.order[:i], d.order[i+1:]...)
				break
			}
		}
	}
}

// cut breaks a connection: frames under way in either direction are lost.
func (d *device) cut(id uint64) {
	d.w.logf("%s cut %d", d.name, id)
	d.unlink(id)
	d.core.Lost(d.w.now, id)
}

func (d *device) send(room, text string) uint64 {
	id, err := d.core.Submit(d.w.now, Op{Kind: KindSend, Room: room, Text: text})
	if err != nil {
		d.w.fail("%s submit: %v", d.name, err)
	}
	f := &fate{text: text, room: room}
	d.sent[id], d.list = f, append(d.list, f)
	d.w.logf("%s submits %d %q", d.name, id, text)
	d.pump()
	return id
}

// step lets one thing happen to this device.
func (d *device) step() {
	w := d.w
	switch k := w.rng.IntN(10); {
	case k < 3 && len(d.todo) > 0:
		f := d.todo[0]
		d.todo = d.todo[1:]
		f()
	case k < 6 && len(d.order) > 0: // a frame to the server
		l := d.links[d.order[w.rng.IntN(len(d.order))]]
		if l.opened && len(l.up) > 0 && !l.dead {
			f := l.up[0]
			l.up = l.up[1:]
			l.session.Frame(f)
		}
	case k < 9 && len(d.order) > 0: // frames to the client
		id := d.order[w.rng.IntN(len(d.order))]
		if l := d.links[id]; l.opened && !l.dead {
			for _, f := range l.session.Out() {
				if d.links[id] == nil {
					break
				}
				w.logf("%s<%d %v", d.name, id, f)
				d.core.Frame(w.now, id, f)
				d.pump()
			}
			if l.session.Closed && d.links[id] != nil {
				d.unlink(id)
				d.core.Lost(w.now, id)
			}
		}
	default:
		for _, id := range d.order {
			if !d.links[id].dead {
				d.links[id].session.Beat()
			}
		}
	}
	d.pump()
	for i := 0; ; i++ {
		at, ok := d.core.NextWake()
		if !ok || at > w.now {
			return
		}
		if i == 3 {
			w.fail("%s: wakes at %d again and again, now %d%s", d.name, at, w.now, w.describe())
		}
		d.core.Tick(w.now)
		d.pump()
	}
}

// trouble breaks something at random.
func (d *device) trouble() {
	w := d.w
	if len(d.order) > 0 {
		id := d.order[w.rng.IntN(len(d.order))]
		switch w.rng.IntN(12) {
		case 0, 1:
			d.cut(id)
		case 2:
			d.links[id].dead = true
		case 3:
			d.links[id].session.Resync()
		case 4:
			d.restart(true)
		}
	}
	if w.rng.IntN(40) == 0 {
		d.restart(true)
		w.now += 30 * 24 * 3600 * 1000 // weeks later
	}
	d.pump()
}

// settle runs without trouble until nothing is open.
func (w *world) settle() {
	w.calm = true
	w.server.Busy = nil
	for _, d := range w.clients {
		for _, id := range d.order {
			d.links[id].dead = false
		}
	}
	quiet := 0
	for range 60000 {
		open := 0
		for _, d := range w.clients {
			d.step()
			if d.ended == nil {
				open += d.core.OpenItems()
				if !d.core.Connected() || len(d.todo) > 0 {
					open++
				}
				for _, r := range d.core.rooms {
					if r.head > r.delivered {
						open++
					}
				}
			}
		}
		w.now += w.rng.Int64N(20)
		if open > 0 {
			quiet = 0
		} else if quiet++; quiet > 200 { // so that the last events have arrived
			return
		}
	}
	w.fail("not settled: %s", w.describe())
}

func (w *world) describe() string {
	s := ""
	for _, d := range w.clients {
		s += fmt.Sprintf("\n%s connected %v ended %v open %d", d.name, d.core.Connected(), d.ended, d.core.OpenItems())
		for _, i := range d.core.Items() {
			s += fmt.Sprintf("\n  %d %q sending %v giving up %v", i.ID, i.Op.Text, i.Sending, i.GivingUp)
		}
		for _, sc := range d.core.active {
			s += fmt.Sprintf("\n  scope %s inflight %d goBack %v paused %d attempts %d", sc.key, sc.inflight, sc.goBack, sc.pausedTo-w.now, sc.attempts)
		}
	}
	return s
}

// check compares what callers were told with what the server has.
func (w *world) check(room string) {
	rows := w.server.Rows(room)
	at := map[string][]uint64{}
	for _, m := range rows {
		if m.Kind == apiv1.MessageKind_MESSAGE_KIND_TEXT {
			at[m.Text] = append(at[m.Text], m.Seq)
		}
	}
	for _, d := range w.clients {
		last := uint64(0)
		for _, f := range d.list {
			if f.room != room {
				continue
			}
			in := at[f.text]
			if len(in) > 1 && !f.shared {
				w.fail("%s: %q is in %d times: %v", d.name, f.text, len(in), in)
			}
			if d.ended != nil || f.shared {
				continue
			}
			r := f.result
			switch {
			case f.lost:
				if len(in) != 0 {
					w.fail("%s: %q was never stored, but is at %v", d.name, f.text, in)
				}
			case r == nil:
				w.fail("%s: %q never settled", d.name, f.text)
			case f.replaces != nil:
			case r.Err == nil && !r.GivenUp:
				if len(in) != 1 || in[0] != r.Seq {
					w.fail("%s: %q told seq %d, is at %v", d.name, f.text, r.Seq, in)
				}
			case r.Err != nil && r.Err.Reason == apiv1.Reason_REASON_ALREADY_IN:
			case len(in) != 0:
				w.fail("%s: %q told %+v %v, but is at %v", d.name, f.text, *r, r.Err, in)
			}
			if len(in) == 1 && f.replaces == nil {
				if in[0] < last && !d.copied { // a name taken by the other copy comes again later, under a new one
					w.fail("%s: %q at %d overtook one at %d", d.name, f.text, in[0], last)
				}
				last = in[0]
			}
		}
		list := d.got[room]
		for _, m := range list {
			if w := rows[m.Seq-1]; w.Text != m.Text || w.Kind != m.Kind || w.Ord != m.Ord || w.TimeMs != m.TimeMs || w.Author != m.Author {
				d.w.fail("%s: delivered %v, the row is %v", d.name, m, w)
			}
		}
		if d.ended == nil && len(list) > 0 && list[len(list)-1].Seq != uint64(len(rows)) {
			w.fail("%s: delivered up to %d of %d", d.name, list[len(list)-1].Seq, len(rows))
		}
	}
}

// replacing: an open item is to be replaced by this one.
func (c *Core) replacing(id uint64) bool {
	for _, it := range c.items {
		if it.replace != nil && it.replaceID == id {
			return true
		}
	}
	return false
}
