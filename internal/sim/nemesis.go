package sim

import (
	"time"
)

// nemesis does something bad to the cell every now and then, until the given time.
type nemesis struct {
	*cell
	until time.Duration
	every time.Duration
	// restores is how often the log may still be lost, twins whether copies of data directories are started.
	restores int
	twins    bool
	did      map[string]int
}

func (c *cell) unleash(until, every time.Duration, restores int, twins bool) *nemesis {
	m := &nemesis{cell: c, until: until, every: every, restores: restores, twins: twins, did: map[string]int{}}
	m.next()
	return m
}

func (m *nemesis) next() {
	d := m.between(0, 2*m.every)
	if m.now+d < m.until {
		m.After(d, "nemesis", 0, func() {
			m.strike()
			m.next()
		})
	}
}

func (m *nemesis) strike() {
	n := m.nodes[m.rng.IntN(len(m.nodes))]
	kind := m.rng.IntN(100)
	switch {
	case kind < 20:
		m.note("cut")
		m.quorum.cut(n.i)
		m.After(m.between(0, 4*time.Second), "heal", n.i, func() { m.quorum.heal(n.i) })
	case kind < 35:
		m.note("election")
		m.quorum.elect(m.between(50*time.Millisecond, 600*time.Millisecond))
	case kind < 50:
		m.note("kill")
		m.down(n, false)
	case kind < 65:
		m.note("power cut")
		m.down(n, true)
	case kind < 69:
		m.note("power cut of all")
		for _, n := range m.nodes {
			m.down(n, true)
		}
	case kind < 74:
		m.note("stop")
		if n.up && !n.paused {
			n.stop()
			m.After(m.between(0, 2*time.Second), "start", n.i, func() { m.startAgain(n) })
		}
	case kind < 86:
		m.note("pause")
		if n.up && !n.paused {
			m.pause(n)
		}
	case kind < 88 && m.twins:
		if !n.up || n.paused || n.rival {
			return
		}
		// The process hangs, the node is started again from a copy, and then the first one goes on.
		m.note("twin")
		m.pause(n)
		m.startTwin(n)
		m.After(m.between(0, 6*time.Second), "twin ends", n.i, func() { m.endTwin(n) })
	case kind < 94:
		m.note("clock")
		n.wall += m.between(-40*time.Hour, 40*time.Hour)
	default:
		places := m.ledger.complete(m.epoch)
		if m.restores == 0 || len(places) == 0 || m.now+10*time.Second > m.until {
			return
		}
		m.note("restore")
		m.restores--
		m.restore(places[m.rng.IntN(len(places))])
	}
}

func (m *nemesis) pause(n *node) {
	n.paused = true
	gen := n.gen
	m.After(m.between(0, 4*time.Second), "resume", n.i, func() {
		if n.gen == gen && n.paused {
			n.resume()
		}
	})
}

func (m *nemesis) note(what string) {
	m.did[what]++
	m.mark(what, 0, 0)
}

func (m *nemesis) down(n *node, power bool) {
	if !n.up {
		return
	}
	n.crash(power)
	m.After(m.between(50*time.Millisecond, 4*time.Second), "start", n.i, func() { m.startAgain(n) })
}

func (m *nemesis) startAgain(n *node) {
	if !n.up {
		n.start()
	}
}

// storm draws the faults of a run: some runs are nearly calm, others lose a fifth of all messages.
func (l *Loop) storm() Faults {
	scale := l.rng.Float64()
	if l.chance(0.2) {
		scale = 0
	}
	return Faults{
		MaxDelay:    l.between(5*time.Millisecond, 900*time.Millisecond),
		LoseRequest: 0.2 * scale * l.rng.Float64(),
		LoseAnswer:  0.2 * scale * l.rng.Float64(),
		Double:      0.3 * scale * l.rng.Float64(),
		Refuse:      0.1 * scale * l.rng.Float64(),
	}
}
