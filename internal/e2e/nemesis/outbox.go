package nemesis

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

const (
	// window is how many items of an outbox may be outstanding: docs/formats.md, "Names of commands".
	window = 8
	// retryAfter an item is sent again, while the first may still be on its way.
	retryAfter = 700 * time.Millisecond
	// maxSends of one item may be unanswered at a time, and maxUnanswered of an outbox.
	maxSends      = 4
	maxUnanswered = 64
)

// outbox sends what one device wants done in one account of one domain, in order. It keeps the rules of a client: a name is
// taken durably before the item is sent, the item keeps name and tag whatever happens, and a verdict is written down
// before it counts.
type outbox struct {
	l       *load
	domain  byte
	account ids.Room
	device  ids.Device
	rng     *rand.Rand
	next    uint64
	open    []*item // by n
	// results has room for all that is unanswered: an answer never blocks.
	results    chan result
	unanswered int
	count      atomic.Int64 // len(open)

	takeAt, sendAt time.Time
}

type item struct {
	record
	givenUp bool
	sends   int // unanswered
	// sent is when it was last sent; zero: it has to be.
	sent time.Time
}

type result struct {
	n uint64
	kernel.Result
}

func hash(what string, numbers ...any) [32]byte {
	return sha256.Sum256(fmt.Append([]byte(what), numbers...))
}

// account names one of the accounts of a cell.
func account(i int) (r ids.Room) {
	h := hash("account", i)
	copy(r[:], h[:])
	return r
}

func openOutboxes(l *load, past []record) (boxes []*outbox, err error) {
	type key struct {
		domain  byte
		account ids.Room
		device  ids.Device
	}
	index := map[key]*outbox{}
	for caller := range callers {
		h := hash("device", l.n.Seed, l.n.Slot, caller)
		device := ids.Device(h[:16])
		for _, d := range domains() {
			for s := range scopes {
				o := &outbox{
					l: l, domain: d.ID(), device: device, account: account((l.n.Slot + caller + 3*s) % accounts),
					// Every start does other things: what has to repeat is the schedule.
					rng:  rand.New(rand.NewPCG(l.n.Seed, uint64(l.n.Start<<24|l.n.Slot<<16|len(boxes)))),
					next: 1, results: make(chan result, maxUnanswered),
				}
				boxes = append(boxes, o)
				index[key{o.domain, o.account, o.device}] = o
			}
		}
	}
	for _, r := range past {
		o := index[key{r.Domain, r.Account, r.Device}]
		if o == nil {
			return nil, fmt.Errorf("the outbox holds an item of a device that is not of this node")
		}
		o.restore(r)
	}
	return boxes, nil
}

// restore takes a record of an earlier start.
func (o *outbox) restore(r record) {
	switch r.What {
	case taken:
		o.open = append(o.open, &item{record: r})
		o.next = r.N + 1
	case givenUp:
		if i := o.find(r.N); i >= 0 {
			o.open[i].givenUp = true
		}
	case told:
		if i := o.find(r.N); i >= 0 {
			o.open = append(o.open[:i], o.open[i+1:]...)
		}
	}
	o.count.Store(int64(len(o.open)))
}

func (o *outbox) find(n uint64) int {
	for i, it := range o.open {
		if it.N == n {
			return i
		}
	}
	return -1
}

func (o *outbox) base() uint64 {
	if len(o.open) > 0 {
		return o.open[0].N
	}
	return o.next
}

func (o *outbox) write(it *item, what byte) {
	r := it.record
	r.What = what
	if err := write(o.l.file, r); err != nil {
		o.l.fail(err)
	}
}

func (o *outbox) run() {
	for {
		t := time.Now()
		for !o.l.held.Load() && !t.Before(o.takeAt) && o.next < o.base()+window {
			o.take()
			if o.rng.IntN(20) > 0 { // else one more at once
				o.takeAt = t.Add(time.Duration(o.rng.IntN(60)) * time.Millisecond)
			}
		}
		o.send(t)
		select {
		case <-o.l.ctx.Done():
			return
		case r := <-o.results:
			o.settle(r)
		case <-time.After(max(time.Until(o.takeAt), 10*time.Millisecond)):
		}
	}
}

// take takes the next name for something to be done.
func (o *outbox) take() {
	it := &item{record: record{Domain: o.domain, Account: o.account, Device: o.device, N: o.next, Item: o.rng.Uint64()}}
	for i := range it.Tag {
		it.Tag[i] = byte(o.rng.Uint32())
	}
	it.Op, it.Amount = byte(toydomain.Deposit), 1+o.rng.Uint64N(10)
	if o.rng.IntN(2) == 0 {
		// More than there may be, at times: a refusal is a verdict too.
		it.Op, it.To, it.Amount = byte(toydomain.Transfer), account(o.rng.IntN(accounts)), o.rng.Uint64N(60)
	}
	o.write(it, taken)
	o.next++
	o.open = append(o.open, it)
	o.count.Store(int64(len(o.open)))
}

// send sends, in order, what was never sent, was refused, or has waited for its answer for too long.
func (o *outbox) send(t time.Time) {
	if t.Before(o.sendAt) {
		return
	}
	base := o.base()
	for _, it := range o.open {
		again := !it.sent.IsZero()
		if again && (t.Sub(it.sent) < retryAfter || it.sends >= maxSends) || it.sends >= maxSends {
			continue
		}
		if again && !it.givenUp && o.rng.IntN(10) == 0 {
			it.givenUp = true
			o.write(it, givenUp)
		}
		if !o.submit(it, base) {
			o.sendAt = t.Add(20 * time.Millisecond)
			return // what follows would be told that this one is expected first
		}
		it.sent = t
		if !it.givenUp && o.rng.IntN(100) == 0 {
			it.givenUp = true // changed their mind in mid-send: the skip follows at once
			o.write(it, givenUp)
			o.submit(it, base)
		}
	}
}

func (o *outbox) submit(it *item, base uint64) bool {
	c := toydomain.Cmd{
		Op: toydomain.Op(it.Op), Account: it.Account, To: it.To, Item: it.Item, Amount: it.Amount,
		Name: kernel.Name{Device: it.Device, N: it.N, Tag: it.Tag, Base: base},
	}
	if it.givenUp {
		c.Op = toydomain.Skip
	}
	n := it.N
	if o.unanswered == maxUnanswered {
		return false
	}
	if o.l.n.k.Submit(o.domain, c.Append(nil), func(r kernel.Result) { o.results <- result{n, r} }) != nil {
		return false
	}
	it.sends++
	o.unanswered++
	return true
}

// settle takes an answer. Answers to items that are settled already must tell the same, and are written down too.
func (o *outbox) settle(r result) {
	o.unanswered--
	i := o.find(r.n)
	if i >= 0 {
		o.open[i].sends--
	}
	switch {
	case r.Err != nil:
		if i >= 0 {
			o.open[i].sent = time.Time{}
			o.sendAt = time.Now().Add(20 * time.Millisecond)
		}
		return
	case r.Verdict.Code == kernel.Expected:
		for _, it := range o.open {
			if it.N > r.Last {
				it.sent = time.Time{}
			}
		}
		o.sendAt = time.Now().Add(5 * time.Millisecond)
		return
	case i < 0 && r.Verdict.Code == kernel.AlreadyIn:
		return // settled long ago
	}
	it := &item{record: record{Domain: o.domain, Account: o.account, Device: o.device, N: r.n}}
	if i >= 0 {
		it = o.open[i]
	}
	it.Code, it.Seq = uint16(r.Verdict.Code), r.Verdict.Seq
	o.write(it, told)
	if i >= 0 {
		o.open = append(o.open[:i], o.open[i+1:]...)
		o.count.Store(int64(len(o.open)))
		o.l.acknowledged()
	}
}
