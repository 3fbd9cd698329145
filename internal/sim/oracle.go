package sim

import (
	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

// oracle says what every command must be decided to, from the rules of docs/formats.md and of the toy domain written down
// a second time: naively, in maps, with everything remembered for ever.
type oracle struct {
	time uint64
	toys map[byte]*toy
}

// toy is what a toy domain must hold.
type toy struct {
	balance  map[ids.Room]uint64
	journal  map[ids.Room][]toydomain.Entry
	register map[uint64]uint64
	revoked  map[uint64]bool
	names    map[scopeOf]*history
	made     uint64 // by deposits
}

type scopeOf struct {
	device  ids.Device
	account ids.Room
}

// history is everything that was decided under the names of one (device, scope).
type history struct {
	last    uint64
	records []record
}

type record struct {
	n       uint64
	tag     [8]byte
	verdict kernel.Verdict
}

// remembered is how many verdicts docs/formats.md promises to keep.
const remembered = 16

func newOracle(domains []kernel.Domain) *oracle {
	o := &oracle{toys: map[byte]*toy{}}
	for _, d := range domains {
		o.toys[d.ID()] = &toy{map[ids.Room]uint64{}, map[ids.Room][]toydomain.Entry{}, map[uint64]uint64{}, map[uint64]bool{}, map[scopeOf]*history{}, 0}
	}
	return o
}

// enter takes the next entry and returns what its commands must be decided to.
func (o *oracle) enter(e *kernel.Entry) []kernel.Decided {
	o.time = max(o.time, e.Time)
	late := o.late(e)
	decided := make([]kernel.Decided, len(e.Commands))
	for i, env := range e.Commands {
		t := o.toys[env.Domain]
		if t == nil || env.Flags&kernel.FlagEphemeral != 0 {
			continue
		}
		c, err := toydomain.Decode(env.Bytes)
		if err != nil {
			continue // whoever applies it says so
		}
		if late {
			decided[i] = kernel.Decided{Verdict: kernel.Verdict{Code: kernel.Late}}
			continue
		}
		if c.Op > toydomain.Skip {
			decided[i] = kernel.Decided{Verdict: t.do(c, o.time)}
			continue
		}
		decided[i] = t.named(c, o.time)
	}
	return decided
}

// late: the log's time has gone on by a second since the oldest state by which the entry's commands were admitted.
func (o *oracle) late(e *kernel.Entry) bool {
	for _, env := range e.Commands {
		var op logv1.KernelCommand
		if env.Domain == kernel.DomainKernel && proto.Unmarshal(env.Bytes, &op) == nil && op.GetSeen() != nil {
			return o.time >= op.GetSeen().TimeMs+1000
		}
	}
	return false
}

// named is docs/formats.md, "Names of commands".
func (t *toy) named(c *toydomain.Cmd, time uint64) kernel.Decided {
	h := t.names[scopeOf{c.Name.Device, c.Account}]
	if h == nil {
		h = &history{}
		t.names[scopeOf{c.Name.Device, c.Account}] = h
	}
	last := h.last
	if c.Name.Base > last+1 {
		last = c.Name.Base - 1
	}
	switch {
	case c.Name.N == last+1:
		v := kernel.Verdict{Code: kernel.Skipped}
		if c.Op != toydomain.Skip {
			v = t.do(c, time)
		}
		h.last = c.Name.N
		h.records = append(h.records, record{c.Name.N, c.Name.Tag, v})
		return kernel.Decided{Verdict: v, Last: c.Name.N}
	case c.Name.N > last+1:
		return kernel.Decided{Verdict: kernel.Verdict{Code: kernel.Expected}, Last: last}
	}
	for _, r := range h.records[max(0, len(h.records)-remembered):] {
		if r.n == c.Name.N && r.tag != c.Name.Tag {
			return kernel.Decided{Verdict: kernel.Verdict{Code: kernel.IDReused}, Last: last}
		}
		if r.n == c.Name.N {
			return kernel.Decided{Verdict: r.verdict, Repeated: true, Last: last}
		}
	}
	return kernel.Decided{Verdict: kernel.Verdict{Code: kernel.AlreadyIn}, Repeated: true, Last: last}
}

// recorded is the verdict that is on record for a name, however long ago.
func (t *toy) recorded(device ids.Device, account ids.Room, n uint64) (v kernel.Verdict, ok bool) {
	if h := t.names[scopeOf{device, account}]; h != nil {
		for _, r := range h.records {
			if r.n == n {
				return r.verdict, true
			}
		}
	}
	return v, false
}

// do is the toy domain.
func (t *toy) do(c *toydomain.Cmd, time uint64) kernel.Verdict {
	switch c.Op {
	case toydomain.Max:
		t.register[c.Key] = max(t.register[c.Key], c.Amount)
		return kernel.Verdict{Seq: t.register[c.Key]}
	case toydomain.Revoke:
		t.revoked[c.Key] = true
		return kernel.Verdict{}
	case toydomain.Deposit:
		t.balance[c.Account] += c.Amount
		t.made += c.Amount
	case toydomain.Transfer:
		if c.Account == c.To {
			return kernel.Verdict{Code: kernel.Invalid}
		}
		if t.balance[c.Account] < c.Amount {
			return kernel.Verdict{Code: kernel.LimitReached}
		}
		t.balance[c.Account] -= c.Amount
		t.balance[c.To] += c.Amount
	case toydomain.Panic:
		if len(t.journal[c.Account])%2 == 1 {
			return kernel.Verdict{Code: kernel.Internal}
		}
	}
	t.journal[c.Account] = append(t.journal[c.Account], toydomain.Entry{
		Op: c.Op, Device: c.Name.Device, N: c.Name.N, Item: c.Item, Amount: c.Amount, To: c.To, Time: time,
	})
	return kernel.Verdict{Seq: uint64(len(t.journal[c.Account]))}
}
