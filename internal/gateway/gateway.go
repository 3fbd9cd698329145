// Package gateway is where people's clients meet the cell: Connect calls under /api/, frames over one WebSocket at
// /live, health and metrics. It turns requests into commands of the log, waits for their verdicts, reads the local
// views and hands events to the sessions of this node.
//
// Guarantees:
//   - A command is acknowledged only when it is committed by a quorum and applied to this node's view.
//   - Commands of one /live session are submitted in the order in which its frames arrived.
//   - A session gets every event after the position of its Welcome, in log order, or a Resync. An Ack that carries a
//     position is queued behind all events up to it, so the largest position seen is a safe place to resume from.
//   - Nobody is sent a row of a room below the number at which they joined, or after they have left it.
//   - A revoked session gets nothing after its revocation was applied here.
//   - A node that is not ready (kernel.Ready) answers no reads and sends no beats.
//   - Errors come from the closed list in reasons.go, with what the client may conclude. Causes are logged, not sent.
//
// Not given: the answer to a command may get lost, and a read mark or typing may not arrive. A session that was told
// Resync gets no events until it says hello again.
//
// Session, Hub and everything they call know no socket, no goroutine and no clock but Options.Now, so the simulation
// runs them as they are. Locks are taken in this order: person.load, Hub.mu, Session.mu, and last the outbound queue's.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// Kernel is what the gateway needs of the kernel. The kernel calls (*Gateway).Applied.
type Kernel interface {
	kernel.Submitter
	// Snapshot opens a domain's view at one position.
	Snapshot(domain byte) kernel.Snapshot
	// Ready is nil when this node may answer reads; the error's text is the reason why not.
	Ready() error
	// Fresh is Ready for what was read from a snapshot, asked after the read.
	Fresh(s kernel.Snapshot) error
	// Position is what every domain has applied.
	Position() kernel.Position
	// Cut says where an older epoch was cut; ok is false for an epoch that is unknown here.
	Cut(epoch uint32) (n uint64, ok bool)
	// Now is the effective time, Unix milliseconds.
	Now() uint64
}

// Who may sign up.
const (
	SignupOpen   = "open"
	SignupInvite = "invite"
	SignupClosed = "closed"
)

// Options make a Gateway.
type Options struct {
	Kernel Kernel
	// Cell is the number of the cell.
	Cell uint16
	// Signup is open, invite or closed.
	Signup  string
	Version string
	// Sites lists the sites of the system and names this one; nil: the server is alone. It is asked often.
	Sites func() (here string, all []*apiv1.Site)
	// WebBuild is the hash of the web client that Root serves; empty = none.
	WebBuild string
	// Now is the clock of deadlines and limits; nil = time.Now.
	Now    func() time.Time
	Logger *slog.Logger
	Limits Limits
	// Root serves what is neither /api/, /live nor health; nil = a sentence that names the protocol.
	Root http.Handler
	// Status serves /status and /status.json to anybody; nil = nothing is there.
	Status http.Handler
	// Operations are what the operators' page asks for; nil: it gets lists and nothing else.
	Operations *Operations
	// PublicMetrics shows /metrics to others than loopback.
	PublicMetrics bool
	// Hosts are names under which a loopback listener is reached besides those of loopback: of a proxy in front.
	Hosts []string
}

// Gateway is the people's side of one node.
type Gateway struct {
	k       Kernel
	o       Options
	people  *people.Domain
	chat    *chat.Domain
	hub     *Hub
	log     *slog.Logger
	now     func() time.Time
	hasher  *hasher
	codes   *deviceCodes
	directs directs
	lists   lists
	days    days
	tries   limiters
	metrics *metrics
	load    loadMeter
	live    *liveServer
	handler http.Handler
}

// New makes a gateway. Tick must be called about every 100 ms.
func New(o Options) (*Gateway, error) {
	switch o.Signup {
	case SignupOpen, SignupInvite, SignupClosed:
	default:
		return nil, errors.New("signup must be open, invite or closed")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Limits.setDefaults()
	g := &Gateway{k: o.Kernel, o: o, people: people.New(o.Cell), chat: chat.New(o.Cell), log: o.Logger, now: o.Now}
	g.metrics = newMetrics()
	g.hasher = newHasher(o.Limits, g.metrics)
	g.codes = newDeviceCodes()
	g.tries = newLimiters(o.Limits)
	g.hub = newHub(g)
	g.live = newLiveServer(g)
	g.handler = g.routes()
	return g, nil
}

// Hub is where sessions register; the simulation makes sessions on it without sockets.
func (g *Gateway) Hub() *Hub { return g.hub }

// Handler serves everything over HTTP.
func (g *Gateway) Handler() http.Handler { return g.handler }

// Applied takes what a domain did with an entry. It is called from one goroutine in log order, people before chat of
// the same entry.
func (g *Gateway) Applied(a kernel.Applied) { g.hub.applied(a) }

// Tick does what is due: beats, deadlines, read marks of large rooms. About every 100 ms, from one goroutine.
func (g *Gateway) Tick() { g.hub.tick() }

// Drain tells every session to reconnect elsewhere, takes no new ones, and returns when the queues are empty or ctx ends.
func (g *Gateway) Drain(ctx context.Context) { g.live.drain(ctx) }

// Close ends all connections.
func (g *Gateway) Close() { g.live.close() }

// Reconcile submits the chat part of closing accounts where a crash came between the two.
func (g *Gateway) Reconcile() {
	snap := g.k.Snapshot(kernel.DomainPeople)
	defer snap.Close()
	rooms := g.k.Snapshot(kernel.DomainChat)
	defer rooms.Close()
	people.Closed(snap, func(u ids.User) bool {
		if !chat.IsClosed(rooms, u) {
			g.closeUser(u)
		}
		return true
	})
}

// read runs fn on a snapshot of a domain and then asks whether this node may answer at all. A storage fault is answered
// with UNAVAILABLE; the kernel decides what else it means.
func (g *Gateway) read(domain byte, fn func(s kernel.Snapshot) error) (err error) {
	defer func() {
		if f := kernel.FaultOf(recover()); f != nil {
			err = &Failure{Reason: apiv1.Reason_REASON_UNAVAILABLE, cause: *f}
		}
	}()
	s := g.k.Snapshot(domain)
	defer s.Close()
	err = fn(s)
	// A refusal is an answer too: of a view that is behind, "not a member" or "unknown session" may have ceased to be true.
	if late := notReady(g.k.Fresh(s)); late != nil {
		return late
	}
	return err
}

// ready is nil or NOT_READY.
func (g *Gateway) ready() error { return notReady(g.k.Ready()) }

func notReady(err error) error {
	if err != nil {
		return &Failure{Reason: apiv1.Reason_REASON_NOT_READY, text: err.Error(), cause: err}
	}
	return nil
}

// behindWait is how long a read waits for this site to reach what the client has seen elsewhere.
const behindWait = 500 * time.Millisecond

// atLeast waits until this node's views have reached p.
func (g *Gateway) atLeast(ctx context.Context, p *apiv1.Position) error {
	if p == nil {
		return nil
	}
	want := kernel.Position{Epoch: p.Epoch, N: p.N}
	deadline := time.NewTimer(behindWait)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		at := g.k.Position()
		if want.Epoch != at.Epoch {
			if cut, ok := g.k.Cut(want.Epoch); !ok || want.N > cut {
				return fail(apiv1.Reason_REASON_ROLLED_BACK)
			}
			return nil
		}
		if !at.Less(want) {
			return nil
		}
		select {
		case <-poll.C:
		case <-deadline.C:
			return fail(apiv1.Reason_REASON_BEHIND)
		case <-ctx.Done():
			return fail(apiv1.Reason_REASON_BEHIND)
		}
	}
}

// submitWait is how long a call waits for its verdict.
const submitWait = 5 * time.Second

// submit waits for the verdict of a command.
func (g *Gateway) submit(ctx context.Context, domain byte, command []byte) (kernel.Result, error) {
	ch := make(chan kernel.Result, 1)
	if err := g.k.Submit(domain, command, func(r kernel.Result) { ch <- r }); err != nil {
		return kernel.Result{}, refused(err)
	}
	t := time.NewTimer(submitWait)
	defer t.Stop()
	select {
	case res := <-ch:
		if f := verdictOf(res); f != nil {
			return res, f
		}
		return res, nil
	case <-t.C:
	case <-ctx.Done():
	}
	return kernel.Result{}, fail(apiv1.Reason_REASON_UNKNOWN_OUTCOME)
}

func position(p kernel.Position) *apiv1.Position { return &apiv1.Position{Epoch: p.Epoch, N: p.N} }
