package sim

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/clientcore"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
)

const cellNumber = 1

// public is a run with the real domains, gateways and clients: people sign up, write to each other, change what they
// wrote, come and go, move between sites and lose their phones.
//
// A gateway tells several sessions in no particular order; what each of them gets does not depend on it.
type public struct {
	*cell
	gates  []*gate
	phones []*phone
	users  []ids.User
	groups []string
	seats  map[seatOf][]seatAt
	until  time.Duration
	pace   time.Duration
	asked  int // requests that are repeated until they are acknowledged
	report Report
}

// seatOf is a person's place in a room, seatAt what became of it at a position of the log.
type seatOf struct {
	room ids.Room
	user ids.User
}

type seatAt struct {
	n      uint64
	in     bool
	joined uint64
}

// RunPublic plays one seed with the real domains, gateways and clients. The log is not restored in it.
func RunPublic(o Options) (Report, error) {
	l := NewLoop(o.Seed, o.Trace)
	p := &public{seats: map[seatOf][]seatAt{}}
	domains := []kernel.Domain{people.New(cellNumber), chat.New(cellNumber)}
	p.cell = newCell(l, domains, newViews(o.Pebble, o.Seed))
	defer p.close()
	p.gates = make([]*gate, members)
	p.until = l.between(8*time.Second, 20*time.Second)
	p.pace = l.between(40*time.Millisecond, 400*time.Millisecond)
	p.entered = func(it *item) {
		p.report.Entries++
		p.report.Commands += uint64(len(it.entry.Commands))
	}
	p.started = func(n *node) { p.gates[n.i] = p.newGate(n) }
	p.ended = p.cutOff
	p.sameEvents = func(a, b []any) bool { return reflect.DeepEqual(a, b) }
	p.first = p.learn
	p.sink = func(n *node, a kernel.Applied) {
		if len(a.Events) > 0 || len(a.Ephemeral) > 0 {
			p.gates[n.i].g.Applied(a)
		}
	}
	p.applied = func(n *node) { p.gates[n.i].flush() }
	p.start()
	for i := range 2 + l.rng.IntN(4) {
		p.signUp(i)
	}
	// People come while everything is well; from then on it is not.
	l.Run(3 * time.Second)
	p.until += l.now
	p.quorum.faults = l.storm()
	m := p.unleash(p.until, l.between(400*time.Millisecond, 4*time.Second), 0, false)
	for _, d := range p.phones {
		d.live()
	}
	l.Run(p.until)
	p.finish()
	p.check()
	p.report.Did = m.did
	p.report.Trace, p.report.Events, p.report.Virtual = l.trace.Sum64(), l.events, l.now
	return p.report, l.err
}

// cutOff ends the connections of a process that has ended: the machine says so, unless it lost its power too.
func (p *public) cutOff(n *node, power bool) {
	for _, w := range p.gates[n.i].wires {
		if !power {
			p.After(p.quorum.delay(), "reset", w.phone.i, func() { w.phone.lost(w) })
		}
	}
}

// insist repeats a command of people at any node until it is acknowledged.
func (p *public) insist(cmd *logv1.PeopleCommand, told func(*node, kernel.Result)) {
	b, err := proto.Marshal(cmd)
	if err != nil {
		p.fail("a command cannot be encoded: %v", err)
		return
	}
	p.asked++
	done := false
	var try func()
	try = func() {
		if done {
			return
		}
		g := p.gates[p.rng.IntN(members)]
		p.After(p.quorum.delay(), "request", 100, func() {
			if !g.alive() {
				return
			}
			g.atOnce(func() {
				_ = g.submit(kernel.Waiting{Domain: kernel.DomainPeople, Bytes: b, Done: func(r kernel.Result) { // refused: again
					if r.Err == nil && !done {
						done = true
						p.asked--
						told(g.node, r)
					}
				}})
			})
		})
		p.After(p.between(300*time.Millisecond, time.Second), "again", 100, try)
	}
	try()
}

// signUp makes a person with one or two phones.
func (p *public) signUp(i int) {
	random := make([]byte, 16)
	for k := range random {
		random[k] = byte(p.rng.Uint32())
	}
	user := ids.NewUser(cellNumber, random)
	p.users = append(p.users, user)
	d := p.newPhone(user)
	hash := ids.HashToken(d.token[:])
	p.insist(&logv1.PeopleCommand{User: user[:], Op: &logv1.PeopleCommand_SignUp{SignUp: &logv1.SignUp{
		Handle: fmt.Sprintf("person%d", i), DisplayName: fmt.Sprintf("Person %d", i), Phc: "$argon2id$", TokenHash: hash[:], Device: d.device[:],
	}}}, func(_ *node, r kernel.Result) {
		if r.Verdict.Code != kernel.OK {
			p.fail("person %d: sign-up ends with %v", i, r.Verdict.Code)
		}
		d.start()
		if p.chance(0.5) {
			p.logIn(p.newPhone(user))
		}
	})
}

// logIn opens a session for another phone of somebody.
func (p *public) logIn(d *phone) {
	hash := ids.HashToken(d.token[:])
	p.insist(&logv1.PeopleCommand{User: d.user[:], Op: &logv1.PeopleCommand_LogIn{LogIn: &logv1.LogIn{
		TokenHash: hash[:], Device: d.device[:], CredentialVersion: 1,
	}}}, func(_ *node, r kernel.Result) {
		if r.Verdict.Code != kernel.OK {
			p.fail("phone %d: log-in ends with %v", d.i, r.Verdict.Code)
		}
		d.start()
		if p.now > 3*time.Second {
			d.live()
		}
	})
}

// revoke ends the session of a phone, from elsewhere.
func (p *public) revoke(d *phone) {
	p.insist(&logv1.PeopleCommand{User: d.user[:], Op: &logv1.PeopleCommand_RevokeSessions{RevokeSessions: &logv1.RevokeSessions{
		Devices: [][]byte{d.device[:]},
	}}}, func(_ *node, r kernel.Result) {
		if d.revokedAt == 0 {
			d.revokedAt = p.now
		}
	})
}

// learn takes the events of an entry from the first view that applied it: what everybody may see follows from them.
func (p *public) learn(it *item, d int, events []any) {
	for _, e := range events {
		switch e := e.(type) {
		case chat.MemberJoined:
			k := seatOf{e.Room, e.User}
			p.seats[k] = append(p.seats[k], seatAt{it.n, true, e.Joined})
		case chat.MemberLeft:
			k := seatOf{e.Room, e.User}
			p.seats[k] = append(p.seats[k], seatAt{it.n, false, 0})
		case people.SessionEnded:
			for _, d := range p.phones {
				if ids.HashToken(d.token[:]) == e.Token {
					d.revoked = kernel.Position{Epoch: p.epoch, N: it.n}
				}
			}
		}
	}
}

// finish heals everything and waits until all that was asked for has come to an end and every client has caught up.
func (p *public) finish() {
	p.heal()
	for _, d := range p.phones {
		for _, w := range slices.Clone(d.wires) {
			if w.silent { // what it swallowed is gone: the connection ends
				d.lost(w)
			}
		}
	}
	limit := p.now + 3*time.Minute
	for p.err == nil && !p.settled() {
		if p.now > limit {
			p.fail("after all faults ended, not everything was answered within 3 minutes: %s", p.pending())
		}
		p.Run(p.now + time.Second)
	}
	p.Run(p.now + 8*time.Second) // the last events, and pages that were asked for while everything was bad
	limit = p.now + time.Minute
	for p.err == nil && !p.quiet() {
		if p.now > limit {
			p.fail("the nodes do not come to rest")
		}
		p.Run(p.now + time.Second)
	}
}

func (p *public) settled() bool { return p.asked == 0 && p.pending() == "" }

func (p *public) pending() (s string) {
	for _, d := range p.phones {
		switch {
		case d.core == nil:
			s += fmt.Sprintf(" phone %d has not started;", d.i)
		case d.ended != nil:
		case d.core.OpenItems() > 0 || !d.core.Connected():
			s += fmt.Sprintf(" phone %d: %d open, connected %v;", d.i, d.core.OpenItems(), d.core.Connected())
		case slices.ContainsFunc(d.wires, func(w *wire) bool { return !w.gate.alive() }):
			s += fmt.Sprintf(" phone %d talks to a process that has ended;", d.i)
		case d.revokedAt != 0:
			s += fmt.Sprintf(" phone %d does not know that its session was ended;", d.i)
		}
	}
	return s
}

// live goes through the user's day until the end of the faults.
func (d *phone) live() {
	d.After(d.between(0, 2*d.pace), "phone", d.i, func() {
		if d.now >= d.until {
			return
		}
		if d.ended == nil {
			d.act()
		}
		d.live()
	})
}

// act does one thing that people do.
func (d *phone) act() {
	peer := d.users[d.rng.IntN(len(d.users))].String()
	room, group := ids.Direct(d.user, d.users[d.rng.IntN(len(d.users))]).String(), ""
	if len(d.groups) > 0 {
		group = d.groups[d.rng.IntN(len(d.groups))]
		if d.chance(0.6) {
			room = group
		}
	}
	var seq uint64
	if head := d.lines[room].GetLastSeq(); head > 0 {
		seq = 1 + d.rng.Uint64N(head)
	}
	switch k := d.rng.IntN(100); {
	case d.core.OpenItems() > 25:
	case k < 30:
		d.ask(clientcore.Op{Kind: clientcore.KindSend, Peer: peer, Text: d.say(), ReadSeq: d.lines[room].GetReadSeq()})
	case k < 50 && group != "":
		for range 1 + d.rng.IntN(4) {
			d.ask(clientcore.Op{Kind: clientcore.KindSend, Room: group, Text: d.say(), ReadSeq: d.lines[group].GetReadSeq()})
			if d.chance(0.1) {
				d.change() // thought better of
			}
		}
	case k < 54:
		op := clientcore.Op{Kind: clientcore.KindCreateRoom, Text: "a group"}
		for _, u := range d.users {
			if u != d.user && d.chance(0.6) {
				op.List = append(op.List, u.String())
			}
		}
		d.ask(op)
	case k < 60 && seq > 0:
		d.ask(clientcore.Op{Kind: clientcore.KindEdit, Room: room, Seq: seq, Text: d.say()})
	case k < 64 && seq > 0:
		d.ask(clientcore.Op{Kind: clientcore.KindDelete, Room: room, Seq: seq})
	case k < 69 && seq > 0:
		d.ask(clientcore.Op{Kind: clientcore.KindReact, Room: room, Seq: seq, Reaction: 1 + d.rng.Uint32N(6)})
	case k < 73 && seq > 0:
		d.core.MarkRead(d.time(), room, seq)
		d.pump()
	case k < 76 && group != "":
		d.ask(clientcore.Op{Kind: clientcore.KindInvite, Room: group, List: []string{peer}})
	case k < 78 && group != "":
		d.ask(clientcore.Op{Kind: clientcore.KindLeave, Room: group})
	case k < 80 && group != "":
		d.ask(clientcore.Op{Kind: clientcore.KindRename, Room: group, Text: d.say()})
	case k < 82:
		kind := clientcore.KindBlock
		if d.chance(0.7) {
			kind = clientcore.KindUnblock
		}
		d.ask(clientcore.Op{Kind: kind, Peer: peer})
	case k < 84:
		d.ask(clientcore.Op{Kind: clientcore.KindMute, Room: room, On: d.chance(0.5)})
	case k < 87:
		d.core.View(d.time(), []string{room})
		d.core.Typing(room, false)
		d.pump()
	case k < 92:
		d.change()
	case k < 94:
		d.restart()
	case k < 97 && len(d.wires) > 0:
		w := d.wires[d.rng.IntN(len(d.wires))]
		if w.silent = d.chance(0.5); !w.silent {
			d.lost(w)
		}
	case k == 99 && d.chance(0.3) && d.revokedAt == 0:
		if d.chance(0.5) {
			d.logIn(d.newPhone(d.user)) // and somebody still has the old one
		}
		d.revoke(d)
	}
}

// say makes a text that nobody else says.
func (d *phone) say() string {
	d.texts++
	return fmt.Sprintf("phone %d says %d", d.i, d.texts)
}

// change gives up or replaces one open message.
func (d *phone) change() {
	items := d.core.Items()
	if len(items) == 0 {
		return
	}
	it := items[d.rng.IntN(len(items))]
	w := d.open[it.ID]
	if it.Op.Kind != clientcore.KindSend || it.GivingUp || w == nil || w.replaces != nil {
		return
	}
	if d.chance(0.5) {
		if err := d.core.GiveUp(d.time(), it.ID); err != nil {
			d.fail("phone %d: %q cannot be given up: %v", d.i, w.text, err)
		}
	} else {
		text := d.say()
		id, err := d.core.Replace(d.time(), it.ID, text)
		if err != nil {
			d.fail("phone %d: %q cannot be replaced: %v", d.i, w.text, err)
		}
		n := &wish{op: it.Op, text: text, replaces: w}
		d.wishes, d.open[id] = append(d.wishes, n), n
	}
	d.pump()
}

// positionOf takes a position from the wire.
func positionOf(p *apiv1.Position) kernel.Position {
	return kernel.Position{Epoch: p.GetEpoch(), N: p.GetN()}
}
