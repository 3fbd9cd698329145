package sim

import (
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

// scenario is something that happens; then is called when it has, which is not yet when all is well again.
type scenario struct {
	name string
	run  func(f *fire, then func())
}

var scenarios = []scenario{
	{"power loss", func(f *fire, then func()) { f.burn(f.any(), then) }},
	{"power loss of one and, before it is back, of another", func(f *fire, then func()) {
		i := f.rng.IntN(members)
		f.burn(f.nodes[i], func() {})
		f.later(200*time.Millisecond, time.Second, func() { f.burn(f.nodes[(i+1+f.rng.IntN(2))%members], then) })
	}},
	{"power loss twice, rebuilt between", func(f *fire, then func()) {
		first := f.rng.IntN(members)
		f.wipe(f.nodes[first])
		f.whenSteady(func() { f.burn(f.nodes[(first+1+f.rng.IntN(2))%members], then) })
	}},
	{"wiped while another is frozen", func(f *fire, then func()) {
		i := f.rng.IntN(members)
		f.freeze(f.nodes[i], 10*time.Second)
		f.later(0, time.Second, func() { f.wipe(f.nodes[(i+1+f.rng.IntN(2))%members]) })
		f.later(10*time.Second, 11*time.Second, then)
	}},
	{"frozen for 10 s", func(f *fire, then func()) {
		f.freeze(f.any(), 10*time.Second)
		f.later(10*time.Second, 11*time.Second, then)
	}},
	{"frozen for 60 s", func(f *fire, then func()) { f.freeze(f.any(), time.Minute); f.later(time.Minute, 61*time.Second, then) }},
	{"cut off", func(f *fire, then func()) { f.apart(func(m *member) { m.cut = true }, then) }},
	{"hears nothing", func(f *fire, then func()) { f.apart(func(m *member) { m.deaf = true }, then) }},
	{"is not heard", func(f *fire, then func()) { f.apart(func(m *member) { m.mute = true }, then) }},
	{"bad network", func(f *fire, then func()) {
		f.quorum.faults = Faults{MaxDelay: 150 * time.Millisecond, LoseRequest: 0.05, LoseAnswer: 0.05, Double: 0.1}
		f.later(3*time.Second, 10*time.Second, func() { f.quorum.faults = calm; then() })
	}},
	{"slow disk, then power loss of another", func(f *fire, then func()) {
		i := f.rng.IntN(members)
		m := f.quorum.members[i]
		m.disk = []time.Duration{10, 50, 200}[f.rng.IntN(3)] * time.Millisecond
		f.later(time.Second, 4*time.Second, func() {
			f.burn(f.nodes[(i+1+f.rng.IntN(2))%members], func() { m.disk = 0; then() })
		})
	}},
	{"full disk", func(f *fire, then func()) { f.fill(then) }},
	{"clock turned by an hour and back", func(f *fire, then func()) {
		n, d := f.any(), time.Hour
		if f.chance(0.5) {
			d = -d
		}
		turn := func(d time.Duration) {
			n.wall += d
			if f.chance(0.7) { // a running clock hardly notices
				f.down(n, f.chance(0.5), time.Second)
			}
		}
		turn(d)
		f.later(5*time.Second, 30*time.Second, func() { turn(-d); f.later(0, 15*time.Second, then) })
	}},
	{"all killed", func(f *fire, then func()) {
		power := f.chance(0.7)
		for _, n := range f.nodes {
			f.down(n, power, 4*time.Second)
		}
		then()
	}},
	{"bit flipped in a view", func(f *fire, then func()) { f.flip(f.any(), then) }},
	{"lead handed over", func(f *fire, then func()) {
		f.kills(1)
		f.quorum.sites.hand(f.between(50*time.Millisecond, 150*time.Millisecond))
		then()
	}},
	{"rolling restart", func(f *fire, then func()) { f.roll(0, then) }},
	{"taken out and another added", func(f *fire, then func()) {
		n := f.any()
		f.giveUpLead(n)
		n.stop()
		n.absent, f.quorum.members[n.i].voter = true, false
		f.later(0, 3*time.Second, func() { f.kills(f.rng.IntN(4)); f.joins(n, false); then() })
	}},
	{"checkpoint", func(f *fire, then func()) {
		for range 1 + f.rng.IntN(3) {
			f.loose.checkpoint()
		}
		f.later(0, 20*time.Millisecond, func() { f.down(f.any(), f.chance(0.5), 2*time.Second); then() })
	}},
}

// drill plays some scenarios, one after the other. A cell that begins alone grows first.
func (f *fire) drill(alone bool) {
	left := 2 + f.rng.IntN(3)
	var next func()
	next = func() {
		f.whenSteady(func() {
			if left--; left < 0 {
				f.over = true
				return
			}
			s := scenarios[f.rng.IntN(len(scenarios))]
			f.note(s.name)
			s.run(f, next)
		})
	}
	if !alone {
		next()
		return
	}
	f.later(time.Second, 4*time.Second, func() {
		f.note("one grows to three")
		f.kills(f.rng.IntN(3))
		f.joins(f.nodes[1], false)
		f.whenSteady(func() { f.kills(f.rng.IntN(3)); f.joins(f.nodes[2], false); next() })
	})
}

func (f *fire) note(what string) {
	f.did[what]++
	f.mark(what, 0, 0)
	f.tell("scenario: %s", what)
}

func (f *fire) any() *node { return f.nodes[f.rng.IntN(len(f.nodes))] }

func (f *fire) later(a, b time.Duration, fn func()) { f.After(f.between(a, b), "scenario", 0, fn) }

// whenSteady runs fn when all has been well for a second.
func (f *fire) whenSteady(fn func()) {
	well, limit := 0, f.now+3*time.Minute
	var look func()
	look = func() {
		f.After(200*time.Millisecond, "steady?", 0, func() {
			if f.now > limit {
				f.fail("all is not well again after 3 minutes: %v", f.did)
				return
			}
			if well++; !f.steady() {
				well = 0
			}
			if well >= 5 {
				fn()
				return
			}
			look()
		})
	}
	look()
}

// down kills a node, which is started again within so long.
func (f *fire) down(n *node, power bool, within time.Duration) {
	if n.up {
		n.crash(power)
	}
	f.later(20*time.Millisecond, within, func() { f.up(n) })
}

func (f *fire) up(n *node) {
	if !n.up && !n.absent && n.disk.free > 0 && (f.joining[n] == nil || f.joining[n].step == stepLearn) {
		n.start()
	}
}

// burn swallows what a site sends and is sent, and then takes its power; it comes back with its disks.
func (f *fire) burn(n *node, then func()) {
	f.quorum.cut(n.i)
	f.revokeAll()
	f.later(0, 50*time.Millisecond, func() { n.crash(true) })
	f.later(time.Second, 8*time.Second, func() { f.quorum.heal(n.i); f.up(n); then() })
}

// wipe takes power and disks; the site is rebuilt as a new member, and whoever takes part in that may be killed.
func (f *fire) wipe(n *node) {
	f.quorum.cut(n.i)
	f.later(0, 50*time.Millisecond, func() {
		n.crash(true)
		n.absent = true
		f.later(500*time.Millisecond, 5*time.Second, func() { f.quorum.heal(n.i); f.kills(f.rng.IntN(4)); f.joins(n, false) })
	})
}

func (f *fire) freeze(n *node, d time.Duration) {
	if !n.up || n.paused {
		return
	}
	n.paused = true
	f.revokeAll()
	gen := n.gen
	f.After(d, "thaw", n.i, func() {
		if n.gen == gen && n.paused {
			n.resume()
		}
	})
}

// apart separates a site for a while, in one direction or both.
func (f *fire) apart(how func(*member), then func()) {
	n := f.any()
	how(f.quorum.members[n.i])
	f.revokeAll()
	f.later(200*time.Millisecond, 12*time.Second, func() { f.quorum.heal(n.i); then() })
}

// giveUpLead hands the lead over if it is this node's.
func (f *fire) giveUpLead(n *node) {
	if s := f.quorum.sites; s.leader == n.i {
		s.hand(f.between(50*time.Millisecond, 150*time.Millisecond))
	}
}

// kills ends whoever it may be, so many times in the next seconds.
func (f *fire) kills(count int) {
	for range count {
		f.later(0, 5*time.Second, func() {
			if n := f.any(); n.up {
				f.tell("node %d is killed on the way", n.i)
				f.down(n, f.chance(0.5), 2*time.Second)
			}
		})
	}
}

// roll restarts one node after the other in good order.
func (f *fire) roll(i int, then func()) {
	if i == len(f.nodes) {
		then()
		return
	}
	n := f.nodes[i]
	f.giveUpLead(n)
	f.later(50*time.Millisecond, 500*time.Millisecond, func() {
		n.stop()
		f.later(100*time.Millisecond, 2*time.Second, func() { f.up(n); f.whenSteady(func() { f.roll(i+1, then) }) })
	})
}

// chainAt is the right chain at a position that some right view has reached.
func (f *fire) chainAt(d int, pos kernel.Position) uint64 {
	if r := f.ledger.at(pos.Epoch, pos.N).results[d]; r != nil {
		return r.chain
	}
	return 0
}

// flip changes balances in a node's view, as a damaged disk might under a right checksum. The fence finds it as soon as a
// command reads one; what it does not find in half a minute a scan does. Then the views come from another site.
func (f *fire) flip(n *node, then func()) {
	if !n.up { // of the kills of before
		then()
		return
	}
	d := f.rng.IntN(len(f.domains))
	b := n.views[d].Begin()
	for _, id := range f.accounts {
		if a := toydomain.ReadAccount(b, id); a.Seq > 0 {
			toydomain.Damage(b, id)
			n.flipped, n.damaged[n.inc] = true, true
		}
	}
	if err := b.Commit(); err != nil {
		f.fail("node %d: %v", n.i, err)
	}
	n.runners[d].unsynced++
	limit := f.now + 30*time.Second
	var look func()
	look = func() {
		f.later(100*time.Millisecond, time.Second, func() {
			switch {
			case !n.flipped:
				then()
			case n.fenced || f.now > limit:
				if !n.fenced {
					f.note("a flipped bit was found by a scan")
					if n.up && n.runners[d].Chain() != f.chainAt(d, n.runners[d].Position()) {
						f.fail("node %d differs from the others and was not fenced", n.i)
					}
				}
				n.crash(false)
				f.joins(n, true)
				then()
			default:
				look()
			}
		})
	}
	look()
}
