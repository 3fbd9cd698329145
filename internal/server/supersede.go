package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/gateway"
)

// A cell that is rescued or restored begins a newer epoch. Sites that come back with the epoch before are, as soon as they are
// a majority of it, a cell of their own under the same names. So nodes tell one another in which epoch they are; one that
// hears of a newer one of its own cell has no part in it any more, and stays so (docs/decisions/0006).

// standing is which cell a node is of, and in which epoch of it.
type standing struct {
	Cluster string `json:"cluster"`
	Cell    string `json:"cell,omitempty"`
	// Begun is the epoch in which this node has served; 0: in none yet. One that was rescued or restored and has not served
	// has begun nothing.
	Begun uint32 `json:"begun,omitempty"`
	// Superseded is the newer epoch that this node has heard of; 0: of none. Who hears of it from here need not meet it.
	Superseded uint32 `json:"superseded,omitempty"`
	// disputed is the newest epoch from which nothing follows.
	disputed uint32
}

// newer is the epoch of this cell that another node tells of, if it is newer than the own one; else 0. Numbers of epochs only
// grow, whatever they began with, so that of two that both claim to be the cell one gives way.
func (own standing) newer(told standing) uint32 {
	if own.Begun == 0 || told.Cluster != own.Cluster || told.Cell != own.Cell {
		return 0
	}
	if e := told.newest(); e > max(own.Begun, own.disputed) {
		return e
	}
	return 0
}

// newest is the epoch that stands by what a node tells.
func (s standing) newest() uint32 { return max(s.Begun, s.Superseded) }

// breakOfService is how long a node may be away, or not ready, and still have been serving all the time: nobody rescues a cell in
// that time.
const breakOfService = 30 * time.Second

// service notes since when a node has been serving.
type service struct{ since, last time.Time }

func (s *service) see(at time.Time, ready bool) {
	if at.Sub(s.last) > breakOfService {
		s.since = time.Time{}
	}
	if !ready {
		return
	}
	if s.last = at; s.since.IsZero() {
		s.since = at
	}
}

// during says whether an epoch was begun while this node was serving the one before, which is a rescue beside a cell that lives: one
// that has a quorum does not give way to that. The number of an epoch is the minute in which it began, unless the one before began
// in that minute, too; then it tells nothing.
func (s *service) during(before, epoch uint32) bool {
	return !s.since.IsZero() && epoch > before+2 && s.since.Before(epochBase.Add(time.Duration(epoch)*time.Minute))
}

// standing is this node's.
func (n *nodes) standing() standing {
	n.meta.Lock()
	defer n.meta.Unlock()
	m := n.data.Meta
	s := standing{Cluster: n.cfg.Cluster.ID, Cell: m.Cell, Superseded: max(m.Superseded, n.endedIn.Load()), disputed: m.Disputed}
	if m.Formed && !m.Founds {
		s.Begun = m.Epoch
	}
	return s
}

// epoch is that of this directory; 0: it is not known yet.
func (n *nodes) epoch() uint32 {
	n.meta.Lock()
	defer n.meta.Unlock()
	return n.data.Meta.Epoch
}

// superseded is the sentence about a directory in dir whose epoch was superseded; nil: it was not.
func (m Meta) superseded(dir string) error {
	if m.Superseded == 0 {
		return nil
	}
	return supersededBy(dir, m.Epoch, m.Superseded, m.SupersededBy)
}

func supersededBy(dir string, own, epoch uint32, by string) error {
	return fmt.Errorf("the cell goes on in epoch %d, says %s, since it was rescued or restored; the data in %s are of epoch %d before it, and nobody is served from them: "+
		"stop this site, move the directory away, and start it with an empty one (bonghwa serve --config FILE): it is let in anew. What was acknowledged from these data since then is in them only",
		epoch, by, dir, own)
}

// supersede writes down, for good, that this node has no part in the cell any more.
func (n *nodes) supersede(epoch uint32, by string) {
	if err := n.remember(func(m *Meta) {
		if m.Superseded < epoch {
			m.Superseded, m.SupersededBy = epoch, by
		}
	}); err != nil {
		n.log.Error("that this site was superseded could not be written down", "cause", err)
	}
}

// outOf is why this node has no part in the cell any more; nil: it has.
func (n *nodes) outOf() error {
	if n == nil {
		return nil
	}
	if e := n.ended.Load(); e != nil {
		return *e
	}
	return nil
}

// heed acts on what another site says of epochs.
func (w *watch) heed(a *says) {
	n := w.s.nodes
	own, told, by := n.standing(), a.newest(), n.disputes.Load()
	switch epoch := own.newer(a.standing); {
	case epoch == 0 && told > own.Begun && told == own.disputed: // as before this start
		n.disputes.Store(&a.Site)
	case epoch == 0 && by != nil && *by == a.Site && told <= own.Begun: // it is back
		n.disputes.Store(nil)
	case epoch == 0:
	case own.Superseded == 0 && w.serves.during(own.Begun, epoch):
		n.dispute(epoch, a.Site)
	default:
		n.endedIn.Store(epoch)
		if why := supersededBy(n.data.Dir, n.epoch(), epoch, a.Site); n.ended.CompareAndSwap(nil, &why) {
			n.log.Error(why.Error(), "site", n.cfg.Site)
			w.s.tasks.Go(w.s.leave)
		}
		n.supersede(epoch, a.Site) // again with every look until it is written down
	}
}

// dispute says of a newer epoch that nothing follows from it, and remembers that.
func (n *nodes) dispute(epoch uint32, by string) {
	if n.disputes.Swap(&by) == nil {
		n.log.Error("another site was rescued or restored while this cell serves: stop it, move its directory away and start it with an empty one", "site", by, "epoch", epoch)
	}
	if err := n.remember(func(m *Meta) { m.Disputed = epoch }); err != nil {
		n.log.Error("that an epoch is disputed could not be written down", "cause", err)
	}
}

// archiveAsked is how long a start waits for what the archive says of newer epochs.
const archiveAsked = 3 * time.Second

// goesOn asks the archive whether the cell of this directory went on in a newer epoch, when no other site of its epoch is ready.
// An archive that cannot be asked stops nobody.
func (n *nodes) goesOn(ctx context.Context) error {
	own := n.standing()
	if n.archive == nil || own.Begun == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, archiveAsked)
	defer cancel()
	type told struct {
		epoch uint32
		err   error
	}
	answer := make(chan told, 1)
	go func() { // a directory that hangs does not end with its context
		epoch, err := n.archive.goesOn(ctx, own)
		answer <- told{epoch, err}
	}()
	var a told
	select {
	case a = <-answer:
	case <-ctx.Done():
		a.err = ctx.Err()
	}
	switch {
	case a.err != nil:
		n.log.Warn("the archive cannot be asked whether the cell goes on without this site, which starts all the same", "to", n.archive.t.String(), "cause", a.err)
	case a.epoch != 0:
		return supersededBy(n.data.Dir, own.Begun, a.epoch, "the archive in "+n.archive.t.String())
	}
	return nil
}

// goesOn is the newer epoch that the archive has of this cell, if the own one ended in it when that began; else 0. Where the
// own one went on, both live: somebody tried a restore with the files of this cluster beside it, and nothing is said by that.
func (a *archiver) goesOn(ctx context.Context, own standing) (uint32, error) {
	list, err := archive.BegunAfter(ctx, a.t, own.Begun)
	for _, b := range list {
		if err != nil || b.Cluster != own.Cluster || b.Before != own.Begun {
			continue
		}
		var end uint64
		if end, err = archive.End(ctx, a.t, own.Begun); err == nil && end <= b.Last {
			return b.Epoch, nil
		}
	}
	return 0, err
}

// begin notes in the archive that this cluster began the epoch.
func (a *archiver) begin(ctx context.Context, epoch uint32) error {
	if a.cluster == "" || a.begun {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	err := archive.Begin(ctx, a.t, epoch, a.cluster)
	a.begun = err == nil
	return err
}

// leave ends this node's part in the cell: it answers nobody, votes no more, and sends its people elsewhere. The process goes on,
// to say why.
func (s *Server) leave() {
	select {
	case <-s.started: // a start that is under way ends with the reason
	case <-s.ctx.Done():
		return
	}
	s.offDuty()
	now, cancel := context.WithCancel(s.ctx)
	cancel() // whoever waits is told at once
	if err := errors.Join(s.core.stop(now), s.core.log.Close()); err != nil {
		s.o.Logger.Warn("this site's part in the cell ended with a fault", "cause", err)
	}
	ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
	defer cancel()
	s.gw.Drain(ctx)
	s.answer(gateway.Waiting(gateway.Options{Root: s.o.Root, Hosts: s.o.Hosts, Status: s.page, Sites: s.list}))
}

// supersededStatus is what there is to say of a site that was superseded.
func (n *nodes) supersededStatus(url string, why error) Status {
	one := SiteStatus{Site: n.cfg.Site, URL: url, State: SiteSuperseded, Because: why.Error(), Version: n.version}
	if c := n.core.Load(); c != nil {
		one.N = c.node.Position().N
	}
	return Status{Sites: []SiteStatus{one}, Words: []string{why.Error()}}
}
