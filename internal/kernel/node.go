package kernel

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

const (
	// BeatAfter: a node that has proposed nothing for this long proposes an empty entry.
	BeatAfter = 500 * time.Millisecond
	// ReadyWithin: a node reads for others while an own entry proposed within this time has been applied. An election
	// takes up to 550 ms on a bad disk; a revocation binds everywhere after this time at the latest.
	ReadyWithin = 1250 * time.Millisecond
	// syncEvery is how often views are made durable; what a power cut forgets is read again from the log.
	syncEvery = 10 * time.Second
	// maxAhead is how many own entries may be in the log and not yet applied here. A view that does not keep up makes the
	// queue fill, and callers hear busy.
	maxAhead = 64
)

// DomainStore is a domain with its view.
type DomainStore struct {
	Domain Domain
	Store  Store
}

// Options start a Node.
type Options struct {
	Log  cluster.Log
	Node cluster.NodeID
	// URL under which people reach this node, and of a cluster's node its site and where other nodes reach it (host:port);
	// written to node/<id>.
	URL, Site, Addr string
	Domains         []DomainStore
	// Sink gets what was applied, entries without events too: from one goroutine, in log order, and of one entry in the
	// order of Domains. It must not block for long.
	Sink func(Applied)
	// Stamp is the clock of entries, Unix milliseconds; nil = SystemClock.
	Stamp func() uint64
	// Wall is the machine's clock, of which SystemClock makes the stamps; nil = time.Now.
	Wall func() time.Time
	// ClockOff is by how much every other node's clock differs from this one's, as they said when asked before the start; 0: it
	// does not, or fewer than two answered.
	ClockOff time.Duration
	// AcceptClock starts in spite of CheckStart.
	AcceptClock bool
	// DiskGuard says, when asked about once a second, why commands must be refused; nil = never.
	DiskGuard func() error
	// Archived says up to which entry the log is kept outside the cell, so that trimming waits for it, within bounds; nil: it is
	// not kept.
	Archived func() uint64
	// Checkpoints is the directory for checkpoints.
	Checkpoints string
	Forced      []Forced
	// Fenced is told, once, that this node's view differs from those of two others: it serves nobody any more, and its
	// views must come from another site.
	Fenced func(view string)
	// Fatal is told, once, in one sentence, why the node cannot go on. It must end the process.
	Fatal  func(error)
	Logger *slog.Logger
}

// Node is the kernel at work: it batches commands into the log, tails it, applies every entry to every domain's view
// and tells callers and sessions. All methods may be called from any goroutine.
type Node struct {
	o        Options
	start    time.Time
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	runners  []*runner
	cuts     map[uint32]uint64
	wake     chan struct{}
	diskFull atomic.Pointer[string]
	trim     Trimmer
	inc      cluster.Incarnation
	stopping atomic.Bool
	fence    fencing
	skew     Skew
	stamping sync.Mutex // held while the clock is read or set
	turned   *Clock     // the clock, if it is one that can be set
	// seen is the effective time of the newest entry whose events were delivered: what a caller was admitted by is as new.
	seen atomic.Uint64
	// alone: the cell has no other member; asked once a second.
	alone atomic.Bool
	// behaviour is what this node stamps: the highest number that every node of the cell knows.
	behaviour atomic.Uint32
	fatal     sync.Once
	stats     struct{ entries, commands, retries atomic.Uint64 }

	mu struct {
		sync.Mutex
		batcher *Batcher
		opened  bool // the incarnation: until then commands queue and nothing is proposed
		flights *Flights
		waits   waits
	}
}

// Start opens the log's tail and the incarnation. It returns at once; Ready says when the node serves.
func Start(o Options) (n *Node, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	n = &Node{o: o, start: time.Now(), wake: make(chan struct{}, 1)}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.mu.flights = NewFlights(len(o.Domains))
	n.skew.Asked(o.ClockOff)
	defer CatchStorage(&err)
	if _, err := rand.Read(n.inc[:]); err != nil {
		return nil, err
	}
	var last uint64
	for _, d := range o.Domains {
		a, err := NewApplier(d.Domain, d.Store, o.Forced)
		if err != nil {
			return nil, err
		}
		if p := a.Position(); p.Epoch != 0 && p.Epoch != o.Log.Epoch() {
			return nil, fmt.Errorf("%w: view %s is in epoch %d, the log in %d", ErrReplay, d.Domain.Name(), p.Epoch, o.Log.Epoch())
		}
		r := &runner{n: n, a: a, store: d.Store, in: make(chan []numbered, 64), out: make(chan Applied, 1024)}
		r.applied.Store(a.Position().N)
		last = max(last, a.Time())
		n.runners = append(n.runners, r)
	}
	n.seen.Store(last)
	if o.Stamp == nil {
		if !o.AcceptClock {
			if err := CheckStart(o.Wall(), last); err != nil {
				return nil, err
			}
		}
		n.turned = NewClock(o.Wall, bootTime)
		n.o.Stamp = n.turned.Stamp
	}
	n.count()
	n.mu.batcher = NewBatcher(o.Log.Epoch(), o.Node, n.inc, 0)
	snap := o.Domains[0].Store.Snapshot()
	n.cuts = Cuts(snap)
	snap.Close()

	for _, r := range n.runners {
		n.goLabelled("apply", r.run)
	}
	n.goLabelled("deliver", n.dispatch)
	n.goLabelled("log", n.tail)
	n.goLabelled("log", n.propose)
	n.goLabelled("log", n.housekeeping)
	return n, nil
}

// goLabelled runs fn with a pprof label, so that a profile shows the share of each part.
func (n *Node) goLabelled(part string, fn func()) {
	n.wg.Add(1)
	go pprof.Do(n.ctx, pprof.Labels("part", part), func(context.Context) {
		defer n.wg.Done()
		fn()
	})
}

func (n *Node) fail(err error) {
	if n.ctx.Err() != nil {
		return
	}
	n.fatal.Do(func() {
		n.o.Logger.Error("the node stops", "cause", err)
		if n.o.Fatal != nil {
			n.o.Fatal(err)
		}
	})
	n.cancel()
}

// Submit implements Submitter. The result arrives when the command is committed and applied to this node's view.
func (n *Node) Submit(domain byte, command []byte, done func(Result)) error {
	if d := n.diskFull.Load(); d != nil {
		return ErrDiskFull
	}
	return n.add(Waiting{Domain: domain, Bytes: command, Done: done})
}

// SubmitEphemeral implements Submitter.
func (n *Node) SubmitEphemeral(domain byte, command []byte) error {
	return n.add(Waiting{Domain: domain, Flags: FlagEphemeral, Bytes: command})
}

func (n *Node) add(w Waiting) error {
	if len(w.Bytes) > MaxCommand {
		return ErrTooLarge
	}
	if err := n.decodes(w); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	// Looked at under the lock: who is taken after refuseAll has looked would never be answered.
	if n.stopping.Load() {
		return ErrStopped
	}
	if w.Flags&FlagEphemeral != 0 && !n.mu.opened {
		return ErrQueueFull
	}
	if err := n.cutOff(); err != nil {
		return err
	}
	if !n.alone.Load() && n.own() != 0 {
		w.Seen = n.seen.Load()
	}
	if err := n.mu.batcher.Add(w); err != nil {
		return err
	}
	if w.Flags&FlagEphemeral == 0 {
		n.mu.waits.begin()
		if n.mu.batcher.Idle() {
			n.poke()
		}
	}
	return nil
}

// decodes says whether the command can be applied by this binary, and by the others of the cell. Replay stops at what a node
// cannot decode, for good, so that a caller's mistake must not get into the log.
func (n *Node) decodes(w Waiting) error {
	if w.Domain == DomainKernel {
		op, err := decodeKernel(w.Bytes)
		if err != nil || op.GetCheckpoint() == nil || w.Flags != 0 { // the others are the kernel's own
			return ErrMalformed
		}
		return nil
	}
	for _, r := range n.runners {
		if r.a.domain.ID() != w.Domain {
			continue
		}
		c, err := r.a.domain.Decode(w.Bytes)
		if err != nil {
			return ErrMalformed
		}
		if c, ok := c.(Newer); ok && c.Since() > max(n.behaviour.Load(), 1) { // 0: not asked yet, and every node knows 1
			return ErrTooNew
		}
		return nil
	}
	return ErrMalformed
}

func (n *Node) poke() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// propose is the loop of the batcher: one entry in flight, a beat when nothing else was proposed.
func (n *Node) propose() {
	defer n.refuseAll()
	if !n.open() {
		return
	}
	beat := time.NewTimer(0)
	defer beat.Stop()
	var checks []Check
	for {
		for due := n.due(); !due; {
			select {
			case <-n.ctx.Done():
				return
			case <-n.wake:
				due = n.due() // what woke us may have ridden in the entry before
			case <-beat.C:
				due = true
			}
		}
		checks = n.checks(checks[:0])
		stamp := n.stamp()
		n.mu.Lock()
		b := n.mu.batcher
		number, in := b.Next(stamp, n.behaviour.Load(), checks)
		n.mu.flights.Propose(number, in, n.now())
		n.mu.waits.begin()
		p := b.Proposal()
		n.mu.Unlock()
		n.stats.entries.Add(1)
		n.stats.commands.Add(uint64(len(in)))
		for in := false; !in; {
			ok, st, err := n.o.Log.Propose(n.ctx, p)
			if n.ctx.Err() != nil || errors.Is(err, cluster.ErrStopped) {
				return
			}
			n.mu.Lock()
			in = b.Answer(ok, st, err)
			closed := b.Closed()
			n.mu.Unlock()
			if closed {
				n.fail(errors.New("another process has taken over this node's name in the cell (a second start on a copied data directory, or a restore)"))
				return
			}
			if !in {
				n.stats.retries.Add(1)
				p = n.cutOffAgain(p)
				n.pause(2 * time.Millisecond)
			}
		}
		beat.Reset(BeatAfter)
	}
}

// cutOff says why this node, which was ready once, must not take commands: what waits here could come into the log long after
// others have been told that its author may not write any more.
func (n *Node) cutOff() error { return n.vouched(n.own()) }

// cutOffAgain refuses what waits behind an entry that does not get in, once this node is cut off. What is in that entry stays
// open: it may be in the log. From now on it is proposed with the present time, by which its commands are late.
func (n *Node) cutOffAgain(p cluster.Proposal) cluster.Proposal {
	if n.cutOff() == nil {
		return p
	}
	stamp := n.stamp()
	n.mu.Lock()
	refused := n.mu.batcher.TakeQueue()
	n.mu.batcher.Restamp(stamp)
	p = n.mu.batcher.Proposal()
	n.mu.Unlock()
	for _, w := range refused {
		if w.Done != nil {
			w.Done(Result{Err: ErrNotReady})
		}
	}
	return p
}

// due says that commands wait and may go.
func (n *Node) due() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.batcher.Queued() > 0 && n.mu.flights.Len() < maxAhead
}

func (n *Node) pause(d time.Duration) {
	select {
	case <-n.ctx.Done():
	case <-time.After(d):
	}
}

// open writes the incarnation: formats.md, "The log", open.
func (n *Node) open() bool {
	if err := n.retry(func() error {
		return n.o.Log.SetNode(n.ctx, cluster.Node{ID: n.o.Node, Behaviour: Behaviour, URL: n.o.URL, Site: n.o.Site, Addr: n.o.Addr})
	}); err != nil {
		return false
	}
	for {
		st, err := n.o.Log.Producer(n.ctx, n.o.Node)
		if err == nil {
			st, err = n.o.Log.OpenProducer(n.ctx, n.o.Node, st.Version, n.inc)
		}
		if n.ctx.Err() != nil || errors.Is(err, cluster.ErrStopped) {
			return false
		}
		if err == nil {
			err = n.agree()
		}
		if err == nil && st.Incarnation == n.inc {
			if st.Epoch != n.o.Log.Epoch() {
				n.fail(fmt.Errorf("the cell is in epoch %d, this node's log in %d", st.Epoch, n.o.Log.Epoch()))
				return false
			}
			n.mu.Lock()
			n.mu.batcher.Opened(st.Version)
			n.mu.opened = true
			n.mu.Unlock()
			return true
		}
		n.pause(10 * time.Millisecond)
	}
}

// agree finds the highest behaviour that every node of the cell knows: an entry of a newer one would stop the others.
func (n *Node) agree() error {
	nodes, err := n.o.Log.Nodes(n.ctx)
	if err != nil {
		return err
	}
	known := uint32(Behaviour)
	for _, other := range nodes {
		known = min(known, other.Behaviour)
	}
	n.behaviour.Store(known)
	n.trim.Expect(nodes, time.Now())
	return nil
}

// count asks how many members the cell has.
func (n *Node) count() {
	voters, _ := n.o.Log.Members()
	n.alone.Store(voters <= 1)
}

func (n *Node) retry(fn func() error) error {
	for {
		err := fn()
		if err == nil || n.ctx.Err() != nil || errors.Is(err, cluster.ErrStopped) {
			return err
		}
		n.pause(10 * time.Millisecond)
	}
}

// refuseAll tells everybody who still waits that the outcome is unknown.
func (n *Node) refuseAll() {
	n.stopping.Store(true)
	n.mu.Lock()
	ws := append(n.mu.batcher.Drain(), n.mu.flights.Drain()...)
	n.mu.Unlock()
	for _, w := range ws {
		if w.Done != nil {
			w.Done(Result{Err: ErrStopped})
		}
	}
}

func (n *Node) checks(cs []Check) []Check {
	for _, r := range n.runners {
		c := r.check.Load()
		if c != nil {
			cs = append(cs, Check{r.a.domain.ID(), c.n, c.chain, r.durable.Load()})
		}
	}
	return cs
}

// tail hands every entry to every domain.
func (n *Node) tail() {
	from, cursor := n.runners[0].a.Position(), n.runners[0].a.Cursor()
	for _, r := range n.runners[1:] {
		if p := r.a.Position(); p.Less(from) {
			from, cursor = p, r.a.Cursor()
		}
	}
	last := from.N
	err := n.o.Log.Tail(n.ctx, from.N, cursor, func(recs []cluster.Record) error {
		batch := make([]numbered, 0, len(recs))
		for _, rec := range recs {
			if rec.N != last+1 {
				return fmt.Errorf("%w: the log gave entry %d after %d", ErrReplay, rec.N, last)
			}
			last = rec.N
			e, err := DecodeEntry(rec.Value)
			if err != nil {
				return fmt.Errorf("%w: entry %d: %w", ErrReplay, rec.N, err)
			}
			batch = append(batch, numbered{rec.N, rec.Cursor, len(rec.Value), e})
		}
		for _, r := range n.runners {
			select {
			case r.in <- batch:
			case <-n.ctx.Done():
				return n.ctx.Err()
			}
		}
		return nil
	})
	if n.ctx.Err() == nil {
		n.fail(err)
	}
}

// dispatch hands what was applied to the sink: people of entry n before chat of entry n, so that a revocation is never
// overtaken by a message.
func (n *Node) dispatch() {
	for {
		for _, r := range n.runners {
			select {
			case a := <-r.out:
				// What a view had applied before this start was delivered then: its place is kept in order only.
				if a.Pos.Epoch == 0 {
					continue
				}
				if n.o.Sink != nil {
					n.tell(r, a)
				}
				if r == n.runners[0] { // people's: whose session ended, the gateway knows by now
					n.seen.Store(a.Time)
				}
			case <-n.ctx.Done():
				return
			}
		}
	}
}

func (n *Node) tell(r *runner, a Applied) {
	defer n.storageFault(r.a.domain.Name())
	n.o.Sink(a)
}

// storageFault, deferred, ends the node when what it calls met a damaged view.
func (n *Node) storageFault(view string) {
	if f := FaultOf(recover()); f != nil {
		n.fail(fmt.Errorf("view %s: %w", view, *f))
	}
}

// Ready is nil when this node may answer reads: it is known to be within 1.25 s of what the cell has committed. It says
// so of its views at this moment; of what was read from a snapshot Fresh says it.
func (n *Node) Ready() error { return n.within(n.own()) }

// Fresh is nil when a snapshot of this node, which may still be open or not, shows what the cell had committed 1.25 s ago.
// It is asked after the read. Ready is not enough there: a process that is stopped between the read and the question may
// have caught up when it comes to ask, and would vouch for what it read before.
func (n *Node) Fresh(s Snapshot) error {
	p, ok := s.(*positioned)
	if !ok {
		return fmt.Errorf("%w: not a snapshot of this node", ErrNotReady)
	}
	return n.within(p.own)
}

// now is the time since the node's start, above 0.
func (n *Node) now() time.Duration { return max(time.Since(n.start), 1) }

// own is when, since the node's start, the newest own entry that every domain has applied was proposed; 0 = none yet.
func (n *Node) own() time.Duration {
	own := n.runners[0].ownAt.Load()
	for _, r := range n.runners[1:] {
		own = min(own, r.ownAt.Load())
	}
	return time.Duration(own)
}

// within is nil when an own entry that was proposed at this time vouches for now.
func (n *Node) within(own time.Duration) error {
	if n.stopping.Load() || n.ctx.Err() != nil {
		return fmt.Errorf("%w: stopping", ErrNotReady)
	}
	if err := n.vouched(own); err != nil {
		return err
	}
	if own == 0 {
		return fmt.Errorf("%w: still reading the log", ErrNotReady)
	}
	return nil
}

// vouched is within for commands: a node that starts or stops takes and finishes them, one that is cut off or fenced does not.
func (n *Node) vouched(own time.Duration) error {
	if err := n.fence.err(); err != nil {
		return err
	}
	if now := n.now(); own != 0 && !Vouches(own, now, n.alone.Load()) {
		return fmt.Errorf("%w: no own entry came back for %d ms; this site may be cut off", ErrNotReady, (now - own).Milliseconds())
	}
	return nil
}

// Snapshot opens a domain's view as of one position.
func (n *Node) Snapshot(domain byte) Snapshot {
	own := n.own() // before the view is opened: what it shows is at least as new
	for _, r := range n.runners {
		if r.a.domain.ID() == domain {
			return &positioned{StoreSnapshot: r.store.Snapshot(), own: own}
		}
	}
	panic(fmt.Sprintf("no domain %d", domain))
}

type positioned struct {
	StoreSnapshot
	own time.Duration
}

func (p *positioned) Position() Position { return PositionOf(p) }

// Position is what every domain has applied.
func (n *Node) Position() Position {
	p := Position{Epoch: n.o.Log.Epoch(), N: n.runners[0].applied.Load()}
	for _, r := range n.runners[1:] {
		p.N = min(p.N, r.applied.Load())
	}
	return p
}

// Cut says where an older epoch was cut by a restore; ok is false for an epoch that is not part of this history.
func (n *Node) Cut(epoch uint32) (uint64, bool) {
	c, ok := n.cuts[epoch]
	return c, ok && epoch != 0
}

// Now is the time an entry proposed now would carry, within the time since the last one.
func (n *Node) Now() uint64 { return uint64(n.o.Wall().UnixMilli()) }

// Stats for /metrics.
type Stats struct {
	Entries, Commands, Retries uint64
	Queued                     int
	Applied                    map[string]uint64
	DiskFull                   string
}

// Stats reads the counters.
func (n *Node) Stats() Stats {
	s := Stats{Entries: n.stats.entries.Load(), Commands: n.stats.commands.Load(), Retries: n.stats.retries.Load(), Applied: map[string]uint64{}}
	n.mu.Lock()
	s.Queued = n.mu.batcher.Queued()
	n.mu.Unlock()
	for _, r := range n.runners {
		s.Applied[r.a.domain.Name()] = r.applied.Load()
	}
	if d := n.diskFull.Load(); d != nil {
		s.DiskFull = *d
	}
	return s
}

// Stop refuses new commands, waits up to the context for those under way, syncs the views and ends all goroutines. The
// log and the stores stay open.
func (n *Node) Stop(ctx context.Context) error {
	n.stopping.Store(true)
	for n.busy() && ctx.Err() == nil && n.ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
	}
	n.cancel()
	n.wg.Wait()
	n.refuseAll()
	var errs []error
	for _, r := range n.runners {
		errs = append(errs, r.sync())
	}
	return errors.Join(errs...)
}

func (n *Node) busy() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.flights.Awaited() || n.mu.batcher.Queued() > 0
}
