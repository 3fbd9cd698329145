package gateway

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

const testEpoch = 7

// fakeKernel applies every command at once as an entry of its own through the kernel's Applier on MemStore: names,
// verdicts and rows are the real ones, only the log is missing. Events reach the gateway after the answer, or, while it
// is paused, when the test says so.
type fakeKernel struct {
	t       testing.TB
	g       *Gateway
	mu      sync.Mutex
	n       uint64
	time    uint64
	domains []*fakeDomain
	ready   atomic.Pointer[error]
	cuts    map[uint32]uint64
	// refuse, when set, is what Submit says; swallow, when set, takes a command and never answers.
	refuse  error
	swallow func(domain byte) bool
	// paused keeps events back.
	paused bool
	kept   []kernel.Applied
	// deliver is held while events are handed over, in order.
	deliver sync.Mutex
	// onSubmit runs before a command is applied.
	onSubmit func(domain byte, b []byte)
}

type fakeDomain struct {
	domain  kernel.Domain
	store   *kernel.MemStore
	applier *kernel.Applier
}

type fakeSnapshot struct {
	kernel.StoreSnapshot
	pos kernel.Position
}

func (s fakeSnapshot) Position() kernel.Position { return s.pos }

func newFake(t testing.TB) *fakeKernel {
	k := &fakeKernel{t: t, time: 1_790_000_000_000, cuts: map[uint32]uint64{}}
	for _, d := range []kernel.Domain{people.New(1), chat.New(1)} {
		st := kernel.NewMemStore()
		a, err := kernel.NewApplier(d, st, nil)
		if err != nil {
			t.Fatal(err)
		}
		k.domains = append(k.domains, &fakeDomain{d, st, a})
	}
	k.entry(nil)
	return k
}

// entry applies one entry; the caller holds mu or is alone.
func (k *fakeKernel) entry(cmds []kernel.Envelope) (outs []*kernel.Outcome) {
	k.n++
	k.time++
	e := &kernel.Entry{Epoch: testEpoch, Behaviour: kernel.Behaviour, Time: k.time, Node: cluster.NodeID{1}, Commands: cmds}
	e.Encode(nil)
	for _, d := range k.domains {
		o, err := d.applier.Apply(k.n, nil, e)
		if err != nil {
			k.t.Error(err)
			return nil
		}
		if len(o.Panicked) > 0 {
			k.t.Error(o.Panicked)
		}
		o.Events = append([]any(nil), o.Events...)
		outs = append(outs, o)
	}
	return outs
}

func (k *fakeKernel) Submit(domain byte, b []byte, done func(kernel.Result)) error {
	if k.onSubmit != nil {
		k.onSubmit(domain, b)
	}
	k.mu.Lock()
	if k.refuse != nil {
		defer k.mu.Unlock()
		return k.refuse
	}
	if k.swallow != nil && k.swallow(domain) {
		k.mu.Unlock()
		return nil
	}
	outs := k.entry([]kernel.Envelope{{Domain: domain, Bytes: b}})
	if outs == nil {
		k.mu.Unlock()
		return kernel.ErrStopped
	}
	d := outs[domain-1].Decided[0]
	for _, o := range outs {
		k.kept = append(k.kept, o.Applied)
	}
	k.mu.Unlock()
	done(kernel.Result{Pos: outs[0].Pos, Time: outs[0].Time, Verdict: d.Verdict, Repeated: d.Repeated, Last: d.Last})
	k.pump()
	return nil
}

func (k *fakeKernel) SubmitEphemeral(domain byte, b []byte) error {
	k.mu.Lock()
	outs := k.entry([]kernel.Envelope{{Domain: domain, Flags: kernel.FlagEphemeral, Bytes: b}})
	for _, o := range outs {
		k.kept = append(k.kept, o.Applied)
	}
	k.mu.Unlock()
	k.pump()
	return nil
}

// pump hands kept events over, as the kernel does: nothing for entries without any.
func (k *fakeKernel) pump() {
	k.deliver.Lock()
	defer k.deliver.Unlock()
	for {
		k.mu.Lock()
		if k.paused || len(k.kept) == 0 {
			k.mu.Unlock()
			return
		}
		a := k.kept[0]
		k.kept = k.kept[1:]
		k.mu.Unlock()
		if k.g != nil && (len(a.Events) > 0 || len(a.Ephemeral) > 0) {
			k.g.Applied(a)
		}
	}
}

func (k *fakeKernel) pause(on bool) {
	k.mu.Lock()
	k.paused = on
	k.mu.Unlock()
	k.pump()
}

func (k *fakeKernel) Snapshot(domain byte) kernel.Snapshot {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.domains[domain-1]
	return fakeSnapshot{d.store.Snapshot(), d.applier.Position()}
}

func (k *fakeKernel) Fresh(kernel.Snapshot) error { return k.Ready() }

func (k *fakeKernel) Ready() error {
	if e := k.ready.Load(); e != nil {
		return *e
	}
	return nil
}

func (k *fakeKernel) notReady(err error) {
	if err == nil {
		k.ready.Store(nil)
		return
	}
	k.ready.Store(&err)
}

func (k *fakeKernel) Position() kernel.Position {
	k.mu.Lock()
	defer k.mu.Unlock()
	return kernel.Position{Epoch: testEpoch, N: k.n}
}

func (k *fakeKernel) Cut(epoch uint32) (uint64, bool) {
	n, ok := k.cuts[epoch]
	return n, ok
}

func (k *fakeKernel) Now() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.time
}

// clock is an injected clock.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// rig is a gateway on a fake kernel.
type rig struct {
	t     testing.TB
	k     *fakeKernel
	g     *Gateway
	clock *clock
	last  byte
}

func newRig(t testing.TB, change func(*Options)) *rig {
	k := newFake(t)
	c := &clock{}
	c.ns.Store(1_790_000_000_000_000_000)
	o := Options{Kernel: k, Cell: 1, Signup: SignupOpen, Now: c.now, Version: "test"}
	if change != nil {
		change(&o)
	}
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	k.g = g
	return &rig{t: t, k: k, g: g, clock: c}
}

// someone is an account with a session, made without the costly hash.
type someone struct {
	r      *rig
	user   ids.User
	token  []byte
	device ids.Device
	n      map[ids.Room]uint64
}

func fill(b []byte, v byte) []byte {
	for i := range b {
		b[i] = v
	}
	return b
}

func (r *rig) submitPeople(c *logv1.PeopleCommand) kernel.Result {
	b, err := proto.Marshal(c)
	if err != nil {
		r.t.Fatal(err)
	}
	var res kernel.Result
	if err := r.k.Submit(kernel.DomainPeople, b, func(x kernel.Result) { res = x }); err != nil {
		r.t.Fatal(err)
	}
	if res.Verdict.Code != kernel.OK {
		r.t.Fatalf("verdict %v", res.Verdict.Code)
	}
	return res
}

// person signs somebody up.
func (r *rig) person(handle string) *someone {
	r.last++
	p := &someone{r: r, token: fill(make([]byte, 32), r.last), device: ids.Device(fill(make([]byte, 16), r.last)), n: map[ids.Room]uint64{}}
	p.user = ids.NewUser(1, fill(make([]byte, 16), r.last))
	h := ids.HashToken(p.token)
	r.submitPeople(&logv1.PeopleCommand{User: p.user[:], Op: &logv1.PeopleCommand_SignUp{SignUp: &logv1.SignUp{
		Handle: handle, DisplayName: handle, Phc: phc(make([]byte, saltLen), make([]byte, keyLen)), TokenHash: h[:], Device: p.device[:], DeviceLabel: "phone",
	}}})
	return p
}

// another logs the person in on a second device, or on the same one.
func (p *someone) another(sameDevice bool) *someone {
	r := p.r
	r.last++
	q := &someone{r: r, user: p.user, token: fill(make([]byte, 32), r.last), device: p.device, n: p.n}
	if !sameDevice {
		q.device = ids.Device(fill(make([]byte, 16), r.last))
		q.n = map[ids.Room]uint64{}
	}
	h := ids.HashToken(q.token)
	r.submitPeople(&logv1.PeopleCommand{User: p.user[:], Op: &logv1.PeopleCommand_LogIn{LogIn: &logv1.LogIn{
		TokenHash: h[:], Device: q.device[:], DeviceLabel: "other", CredentialVersion: 1,
	}}})
	return q
}

// name takes the next name in a room; base is n unless told.
func (p *someone) name(room ids.Room) *apiv1.CommandName {
	p.n[room]++
	return named8(p.n[room], p.n[room])
}

func named8(n, base uint64) *apiv1.CommandName {
	return &apiv1.CommandName{N: n, Base: base, Tag: binary.BigEndian.AppendUint64(nil, n)}
}

// line is a session with what its client has got.
type line struct {
	*Session
	p  *someone
	mu sync.Mutex
	// frames that the client has not looked at yet.
	frames []*livev1.Frame
	raw    []Encoded
	limit  int // frames that fit; 0 = any
	drops  int
	pings  int
	closed uint16
	json   bool
}

func (l *line) Send(f Encoded) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limit > 0 && len(l.frames) >= l.limit {
		return false
	}
	if f[0] != 0x80|opBinary && f[0] != 0x80|opText {
		l.p.r.t.Errorf("frame begins with %x", f[0])
	}
	fr, err := DecodeFrame(l.json, f.Payload())
	if err != nil {
		l.p.r.t.Errorf("%v: %q", err, f)
	}
	l.frames = append(l.frames, fr)
	l.raw = append(l.raw, f)
	return true
}

func (l *line) Queued() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limit == 0 {
		return 0
	}
	return len(l.frames)
}
func (l *line) Flush() {}

func (l *line) FlushSoon() {}
func (l *line) Ping()      { l.mu.Lock(); l.pings++; l.mu.Unlock() }
func (l *line) Drop() {
	l.mu.Lock()
	l.frames, l.drops = nil, l.drops+1
	l.mu.Unlock()
}

func (l *line) Close(code uint16, _ string) {
	l.mu.Lock()
	l.closed = code
	l.mu.Unlock()
}

// take returns what has come since the last look.
func (l *line) take() []*livev1.Frame {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.frames
	l.frames = nil
	return f
}

// connect opens a session without a Hello.
func (p *someone) connect(json bool) *line {
	l := &line{p: p, json: json}
	l.Session = NewSession(p.r.g.Hub(), outOf{l}, json)
	return l
}

// outOf keeps Session.Close and Outbound.Close apart.
type outOf struct{ *line }

func (o outOf) Send(f Encoded) bool              { return o.line.Send(f) }
func (o outOf) Close(code uint16, reason string) { o.line.Close(code, reason) }

func (p *someone) hello(seen *apiv1.Position) *livev1.Frame {
	return &livev1.Frame{Id: 1, Body: &livev1.Frame_Hello{Hello: &livev1.Hello{Token: ids.Text(p.token), Device: p.device.String(), Seen: seen}}}
}

// live opens a session and drops its opening.
func (p *someone) live() *line {
	l := p.connect(false)
	l.Frame(p.hello(nil))
	fs := l.take()
	if len(fs) == 0 || fs[len(fs)-1].GetWelcome() == nil {
		p.r.t.Fatalf("no welcome: %v", fs)
	}
	return l
}

func (p *someone) sendTo(peer *someone, text string) *livev1.Frame {
	room := ids.Direct(p.user, peer.user)
	return &livev1.Frame{Id: 100 + p.n[room] + 1, Body: &livev1.Frame_Send{Send: &apiv1.SendRequest{Name: p.name(room), Peer: peer.user.String(), Text: text}}}
}

func (p *someone) sendIn(room ids.Room, text string) *livev1.Frame {
	return &livev1.Frame{Id: 100 + p.n[room] + 1, Body: &livev1.Frame_Send{Send: &apiv1.SendRequest{Name: p.name(room), Room: room.String(), Text: text}}}
}

// group makes a group of all.
func (r *rig) group(owner *someone, members ...*someone) ids.Room {
	r.last++
	req := &apiv1.CreateRoomRequest{Random: fill(make([]byte, 16), r.last), Title: "모임"}
	for _, m := range members {
		req.Members = append(req.Members, m.user.String())
	}
	l := owner.live()
	l.Frame(&livev1.Frame{Id: 9, Body: &livev1.Frame_CreateRoom{CreateRoom: req}})
	for _, f := range l.take() {
		if a := f.GetAck(); a != nil {
			if a.Error != nil {
				r.t.Fatal(a)
			}
			l.Session.Close()
			room, err := ids.ParseRoom(a.Room)
			if err != nil {
				r.t.Fatal(err)
			}
			return room
		}
	}
	r.t.Fatal("no ack")
	return ids.Room{}
}

// acks and messages pick what a test asks about.
func acks(fs []*livev1.Frame) (out []*livev1.Ack) {
	for _, f := range fs {
		if a := f.GetAck(); a != nil {
			out = append(out, a)
		}
	}
	return out
}

func texts(fs []*livev1.Frame) (out []string) {
	for _, f := range fs {
		if m := f.GetEvent().GetMessage(); m != nil && m.Kind == apiv1.MessageKind_MESSAGE_KIND_TEXT {
			out = append(out, m.Text)
		}
	}
	return out
}

func tokenOf(p *someone) ids.Token { return ids.HashToken(p.token) }
