package server

import (
	"context"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

const (
	// checkpointEvery is between two checkpoints in the archive. A node that does not take one in time is replaced by the next one in
	// turn a while later; one that is missed is missed sooner.
	checkpointEvery = 24 * time.Hour
	checkpointTurn  = 10 * time.Minute
	missingTurn     = 20 * time.Second
)

// takeCheckpoint puts a new checkpoint into the target.
func (a *archiver) takeCheckpoint(ctx context.Context, c *core) (*kernel.Manifest, error) {
	dir, m, err := c.checkpoint(ctx, "archive")
	if err != nil {
		return nil, err
	}
	return m, a.upload(ctx, dir, m)
}

// upload puts a checkpoint of this node into the target.
func (a *archiver) upload(ctx context.Context, dir string, m *kernel.Manifest) error {
	start := a.now()
	if err := a.there(ctx, m.Cell, true); err != nil {
		return err
	}
	if err := archive.PutCheckpoint(ctx, a.t, a.seal, dir, m); err != nil {
		return err
	}
	a.log.Info("a checkpoint is in the archive", "to", a.t.String(), "epoch", m.Epoch, "n", m.N, "seconds", a.now().Sub(start).Seconds())
	a.mu.Lock()
	a.mu.checkpoint, a.mu.checkpointMs = kernel.Position{Epoch: m.Epoch, N: m.N}, m.TimeMs
	a.mu.Unlock()
	return nil
}

// checkpoints keeps a checkpoint of the last day in the archive: of a follower rather than of the leader, one after the other if
// one fails.
func (a *archiver) checkpoints(ctx context.Context, n *nodes, c *core) {
	var missed time.Time // since when there is none
	failing := false
	for tick := time.NewTicker(10 * time.Second); ; {
		err := a.checkpointIfDue(ctx, n, c, &missed)
		if err != nil && ctx.Err() == nil && !failing {
			a.log.Error("no checkpoint could be put into the archive", "to", a.t.String(), "cause", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
	}
}

func (a *archiver) checkpointIfDue(ctx context.Context, n *nodes, c *core, missed *time.Time) error {
	if c.node.Ready() != nil || c.node.ClockOff() != 0 {
		return nil
	}
	turn := time.Duration(place(n, c))
	if a.youngEnough(c, turn) {
		return nil
	}
	one, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	pos, err := a.newest(one, c) // another one may have taken it
	if err != nil {
		return err
	}
	if pos.Epoch == 0 {
		if missed.IsZero() {
			*missed = a.now()
		}
		if a.now().Sub(*missed) < turn*missingTurn {
			return nil
		}
	} else if a.youngEnough(c, turn) {
		return nil
	}
	if _, err := a.takeCheckpoint(ctx, c); err != nil {
		return err
	}
	return archive.Prune(ctx, a.t, a.keep)
}

// youngEnough says that the newest checkpoint known is of the last day. The log's own time counts: this machine's clock may be
// days off, and the checkpoints are dated by the log.
func (a *archiver) youngEnough(c *core, turn time.Duration) bool {
	a.mu.Lock()
	at := a.mu.checkpointMs
	a.mu.Unlock()
	if at == 0 {
		return false
	}
	snap := c.stores[0].Snapshot()
	defer snap.Close()
	now := kernel.EffectiveTime(snap)
	return now < at || time.Duration(now-at)*time.Millisecond < checkpointEvery+turn*checkpointTurn
}

// place is this node's turn: followers by name, the leader last.
func place(n *nodes, c *core) int {
	if n == nil {
		return 0
	}
	leader, k := "", 0
	for _, m := range c.log.MemberList() {
		if m.Leader {
			leader = m.Name
		}
	}
	sites, err := c.sites()
	if err != nil {
		return 0
	}
	for _, s := range sites {
		switch {
		case s.Site == leader:
		case s.Site == n.cfg.Site:
			return k
		default:
			k++
		}
	}
	return k
}
