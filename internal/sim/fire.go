package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

// binds is how long after its acknowledgement a revocation may take to bind: nothing that was sent under what was revoked
// comes into the log later, wherever it was admitted and whatever became of that site since.
const binds = 1500 * time.Millisecond

// errRevoked is a node's answer to somebody whose session has ended.
var errRevoked = errors.New("the session has ended")

// fire is a run of three sites under the scenarios of the fire drill, one after the other, each begun when everything is
// well again: a network of a few milliseconds, right clocks, callers with sessions that end, and one fault at a time, or two.
type fire struct {
	*world
	joining map[*node]*join
	made    int // node ids
	keys    uint64
	// ended says of a session when its end was acknowledged.
	ended map[uint64]time.Duration
	did   map[string]int
	over  bool
}

// RunFire plays one seed.
func RunFire(o Options) (Report, error) {
	l := NewLoop(o.Seed, o.Trace)
	w := newWorld(l, o)
	defer w.close()
	f := &fire{world: w, joining: map[*node]*join{}, ended: map[uint64]time.Duration{}, did: map[string]int{}}
	w.fire = f
	w.until, w.pace = time.Hour, l.between(100*time.Millisecond, time.Second)
	w.quorum.faults = calm
	entered := w.entered
	w.entered = func(it *item) {
		entered(it)
		f.authorised(it)
		if t := simStart.Add(f.now).UnixMilli(); int64(f.oracle.time) > t+1000 {
			f.fail("entry %d: its time is %d ms ahead", it.n, int64(f.oracle.time)-t)
		}
	}
	alone := l.chance(0.2)
	for i, n := range w.nodes {
		n.wall = l.between(-100*time.Millisecond, 100*time.Millisecond)
		if alone && i > 0 {
			n.absent, w.quorum.members[i].voter = true, false
		}
	}
	newSites(w.quorum)
	w.start()
	w.people(3 + l.rng.IntN(4))
	f.revocations()
	f.whoLeads()
	f.drill(alone)
	for l.err == nil && !f.over {
		l.Run(l.now + time.Second)
		if l.now > 20*time.Minute {
			f.fail("the drill does not come to an end: %v", f.did)
		}
	}
	w.until = l.now
	w.finish()
	w.check()
	w.report.Did = f.did
	w.report.Trace, w.report.Events, w.report.Virtual = l.trace.Sum64(), l.events, l.now
	return w.report, l.err
}

// calm is a network in which nothing is wrong.
var calm = Faults{MaxDelay: 4 * time.Millisecond}

// steady: every node of the cell votes, is ready, and nothing is left to do about its views.
func (f *fire) steady() bool {
	return len(f.joining) == 0 && f.quorum.sites.able() && !slices.ContainsFunc(f.nodes, func(n *node) bool {
		return !n.absent && (!n.up || n.paused || n.fenced || n.flipped || n.full || n.low() || !n.ready() || n.skew.Off(n.time()) != 0)
	})
}

// newSession is a log-in.
func (f *fire) newSession() uint64 {
	f.keys++
	return 1<<32 + f.keys
}

// admit is what a gateway does before it takes a command: it looks whether the session lives, in a view that is vouched for.
func (f *fire) admit(n *node, r request) error {
	if r.cmd.Op > toydomain.Skip || r.cmd.Key == 0 { // to others the key means something else
		return nil
	}
	snap := n.views[0].Snapshot()
	ended := toydomain.Revoked(snap, r.cmd.Key)
	snap.Close()
	switch {
	case !n.ready():
		return kernel.ErrNotReady
	case ended:
		return errRevoked
	}
	return nil
}

// revocations ends sessions now and then, from elsewhere.
func (f *fire) revocations() {
	f.After(f.between(0, time.Second), "revoke", 0, func() {
		if f.now >= f.until {
			return
		}
		f.revoke(f.clients[f.rng.IntN(len(f.clients))])
		f.revocations()
	})
}

func (f *fire) revoke(c *client) {
	key := c.key
	f.loose.send(toydomain.Cmd{Op: toydomain.Revoke, Key: key}, func(r kernel.Result) {
		if _, twice := f.ended[key]; !twice {
			f.ended[key] = f.now
			f.loose.revoked = append(f.loose.revoked, revocation{key, f.now, r.Pos})
		}
	})
}

// revokeAll ends every session that there is, soon: of people who do not know it where a site has just been lost.
func (f *fire) revokeAll() {
	f.later(0, 300*time.Millisecond, func() {
		for _, c := range f.clients {
			f.revoke(c)
		}
	})
}

// authorised: what comes into the log, and is done, was not sent under a session whose end was acknowledged before.
func (f *fire) authorised(it *item) {
	for i, env := range it.entry.Commands {
		d := it.expected[i]
		if env.Domain == kernel.DomainKernel || d.Repeated || d.Verdict.Code >= kernel.AlreadyIn && d.Verdict.Code <= kernel.Late {
			continue
		}
		c, err := toydomain.Decode(env.Bytes)
		if err != nil || c.Op >= toydomain.Skip {
			continue
		}
		if at, ok := f.ended[c.Key]; ok {
			f.report.Unbound = max(f.report.Unbound, f.now-at)
			if f.now > at+binds {
				f.fail("entry %d of node %v does what was sent under session %d, which was ended %v ago", it.n, it.entry.Node, c.Key-1<<32, f.now-at)
			}
		}
	}
}
