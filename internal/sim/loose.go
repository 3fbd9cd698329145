package sim

import (
	"encoding/binary"
	"time"

	"github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
	"google.golang.org/protobuf/proto"
)

// loose sends unnamed commands: registers that keep the maximum, keys that are revoked, checkpoints. Reads check that no
// node that may answer misses a revocation that was acknowledged before.
type loose struct {
	*world
	open    int
	raised  map[uint64]kernel.Result // the register's largest acknowledged value, and where
	revoked []revocation
	keys    uint64
}

// revocation of a key, acknowledged at this time.
type revocation struct {
	key uint64
	at  time.Duration
	pos kernel.Position
}

func newLoose(w *world) *loose {
	l := &loose{world: w, raised: map[uint64]kernel.Result{}}
	l.act()
	l.look()
	return l
}

func (l *loose) settled() bool { return l.open == 0 }

func (l *loose) act() {
	l.After(l.between(0, 600*time.Millisecond), "loose", 0, func() {
		if l.now >= l.until {
			return
		}
		switch l.rng.IntN(9) {
		case 0, 1, 2, 3:
			reg, value := l.rng.Uint64N(3), l.rng.Uint64N(1000)
			l.send(toydomain.Cmd{Op: toydomain.Max, Key: reg, Amount: value}, func(r kernel.Result) {
				if r.Verdict.Seq < value {
					l.fail("register %d was raised to %d and is %d", reg, value, r.Verdict.Seq)
				}
				if l.raised[reg].Verdict.Seq < r.Verdict.Seq {
					l.raised[reg] = r
				}
			})
		case 4, 5, 6, 7:
			l.keys++
			key := l.keys
			l.send(toydomain.Cmd{Op: toydomain.Revoke, Key: key}, func(r kernel.Result) {
				l.revoked = append(l.revoked, revocation{key, l.now, r.Pos})
			})
		default:
			l.checkpoint()
		}
		l.act()
	})
}

// send repeats a command, at any node, until it is acknowledged. told hears of it at the node, at the moment of the
// acknowledgement: the earliest anybody can.
func (l *loose) send(cmd toydomain.Cmd, told func(kernel.Result)) {
	l.open++
	cmd.Item = l.newItem()
	domain, done := l.domains[0].ID(), false
	var try func()
	try = func() {
		if done {
			return
		}
		r := request{domain: domain, cmd: cmd, epoch: l.epoch, node: l.rng.IntN(members)}
		l.After(l.quorum.delay(), "request", 100, func() {
			l.request(r, func(resp response) {
				if resp.Err == nil && !done {
					done = true
					l.open--
					told(resp.Result)
				}
			})
		})
		l.After(l.between(300*time.Millisecond, time.Second), "again", 100, try)
	}
	try()
}

// checkpoint asks for one; nobody waits for it.
func (l *loose) checkpoint() {
	b, err := proto.Marshal(&logv1.KernelCommand{Op: &logv1.KernelCommand_Checkpoint{Checkpoint: &logv1.Checkpoint{Label: "sim"}}})
	if err != nil {
		l.fail("a checkpoint cannot be encoded: %v", err)
		return
	}
	if n := l.nodes[l.rng.IntN(members)]; n.up && !n.paused {
		_ = n.submit(kernel.Waiting{Domain: kernel.DomainKernel, Bytes: b, Done: func(kernel.Result) {}}) // refused is fine
	}
}

// look reads at a node: the view first, the rule of Ready when the answer is sent. In between the node may be paused,
// cut off and healed, and time passes.
func (l *loose) look() {
	l.After(l.between(0, 100*time.Millisecond), "look", 0, func() {
		if l.now >= l.until {
			return
		}
		l.look()
		n := l.nodes[l.rng.IntN(members)]
		if !n.up || n.paused || len(l.revoked) == 0 {
			return
		}
		var keys []uint64
		for range min(4, len(l.revoked)) {
			keys = append(keys, l.revoked[len(l.revoked)-1-l.rng.IntN(min(12, len(l.revoked)))].key)
		}
		own := n.ownAt()
		epoch := n.epoch
		snap := n.views[0].Snapshot()
		missed := map[uint64]bool{}
		for _, k := range keys {
			missed[k] = !toydomain.Revoked(snap, k)
		}
		snap.Close()
		n.at(l.between(0, 40*time.Millisecond), "looked", func() {
			if !kernel.Vouches(own, n.now, false) || n.fenced {
				l.report.Refused++
				return
			}
			l.report.Reads++
			for _, r := range l.revoked {
				if missed[r.key] && r.at+kernel.ReadyWithin < l.now && epoch == l.epoch {
					l.fail("node %d answers as if key %d, revoked at %v, were not", n.i, r.key, r.at)
				}
			}
		})
	})
}

// rollBack forgets what a restore took back.
func (l *loose) rollBack() {
	kept := l.revoked[:0]
	for _, r := range l.revoked {
		if l.survives(r.pos) {
			kept = append(kept, r)
		}
	}
	l.revoked = kept
	for reg, r := range l.raised {
		if !l.survives(r.Pos) {
			delete(l.raised, reg)
		}
	}
}

// newRogue is a caller that keeps no rule of names: it uses a name again for something else, jumps, repeats old ones,
// states any base. It must not get anything done twice, and nobody else may feel it.
func (w *world) newRogue() {
	var device ids.Device
	binary.BigEndian.PutUint64(device[:], w.rng.Uint64())
	device[15] = 0xff
	last := map[ids.Room]uint64{}
	var act func()
	act = func() {
		if w.now >= w.until {
			return
		}
		account := w.accounts[w.rng.IntN(len(w.accounts))]
		cmd := toydomain.Cmd{Op: toydomain.Op(1 + w.rng.IntN(4)), Account: account, To: w.accounts[0], Amount: w.rng.Uint64N(50), Item: w.newItem()}
		cmd.Name = kernel.Name{Device: device, N: last[account] + 1, Base: w.rng.Uint64N(last[account] + 3)}
		cmd.Name.Tag[0] = byte(w.rng.IntN(3))
		switch w.rng.IntN(8) {
		case 0:
			cmd.Name.N += w.rng.Uint64N(40)
		case 1:
			cmd.Name.N = w.rng.Uint64N(cmd.Name.N + 1)
		case 2:
			cmd.Name.N -= w.rng.Uint64N(min(20, cmd.Name.N))
		case 3:
			cmd.Name.Base = w.rng.Uint64N(last[account] + 30)
		case 4:
			if w.chance(0.1) {
				cmd.Name.N, cmd.Name.Base = ^uint64(0), w.rng.Uint64()
			}
		}
		domain := w.domains[w.rng.IntN(len(w.domains))].ID()
		w.request(request{domain: domain, cmd: cmd, epoch: w.epoch, node: w.rng.IntN(members)}, func(r response) {
			if r.Err == nil && r.Last < 1<<40 {
				last[account] = r.Last
			}
		})
		w.After(w.between(0, 400*time.Millisecond), "rogue", 0, act)
	}
	w.After(0, "rogue", 0, act)
}
