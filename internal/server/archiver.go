package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

const (
	// archiveWithin is how old a command in the log gets before its segment is closed; archiveIdle, how old anything else does.
	// What is lost with all sites is this, the time that the target takes, and, when the leader has just changed, archiveLook.
	archiveWithin = 4 * time.Second
	archiveIdle   = time.Minute
	// archiveLook is between two looks of the leader at whether it still leads, archiveHear between two looks of the others at the
	// target: they must know how far the log is kept when they trim it.
	archiveLook = time.Second
	archiveHear = 10 * time.Second
	// archiveTimeout is for one segment or one look.
	archiveTimeout = 30 * time.Second
	// checkpointEvery is between two checkpoints in the archive. A node that does not take one in time is replaced by the next one in
	// turn a while later; one that is missed is missed sooner.
	checkpointEvery = 24 * time.Hour
	checkpointTurn  = 10 * time.Minute
	missingTurn     = 20 * time.Second
	// archiveLate and checkpointLate are what an operator must hear of.
	archiveLate    = time.Minute
	checkpointLate = 48 * time.Hour
	// keepDays is the retention if the file says nothing (docs/formats.md, "The archive").
	keepDays = 30
)

// archiver keeps the log and a checkpoint a day in an archive. Every node has one; the leader's writes the log. Nothing of the cell
// waits for it, except the trimming of the log, for a while.
type archiver struct {
	t    archive.Target
	seal *archive.Sealer
	keep time.Duration
	log  *slog.Logger
	// archived: the log up to this entry is in the target, or was bridged by a checkpoint.
	archived atomic.Uint64
	// bridged: a checkpoint stands for the log up to this entry; of run alone.
	bridged uint64
	now     func() time.Time

	mu struct {
		sync.Mutex
		writes bool
		// since is when the oldest command arrived that is not in the target yet; moved, when archived last went on.
		since, moved time.Time
		failing      string
		failed       time.Time
		checkpoint   kernel.Position
		checkpointMs uint64
		hole         string
		// marked: the target bore this cell's mark when it was last looked at.
		marked bool
	}
}

// ArchiveStatus is how the archive is, as one node sees it.
type ArchiveStatus struct {
	To    string `json:"to"`
	Epoch uint32 `json:"epoch"`
	// N is the last entry in it. BehindSeconds is how old the oldest command is that is not.
	N             uint64  `json:"n"`
	BehindSeconds float64 `json:"behind_seconds"`
	// Writes: this node writes the log into it.
	Writes bool `json:"writes,omitempty"`
	// Failing is why the target cannot be used.
	Failing string `json:"failing,omitempty"`
	// CheckpointN and CheckpointMs (Unix) are of the newest checkpoint of this epoch in it.
	CheckpointN  uint64 `json:"checkpoint_n,omitempty"`
	CheckpointMs uint64 `json:"checkpoint_ms,omitempty"`
	// Hole says what of the log is missing in it, since this node's start.
	Hole string `json:"hole,omitempty"`
}

// newArchiver opens the target of a node; nothing is asked of it yet.
func newArchiver(b *config.Backup, log *slog.Logger) (*archiver, error) {
	if b == nil {
		return nil, nil
	}
	if err := b.Check(); err != nil {
		return nil, fmt.Errorf("the backup cannot be made as asked:\n%w", err)
	}
	at := location(b)
	if !b.Encrypted() && at.InTheOpen() {
		return nil, errors.New("the backup would leave this machine neither encrypted (encrypt = false) nor by https: choose one of them")
	}
	t, err := archive.Open(at)
	if err != nil {
		return nil, err
	}
	a := &archiver{t: t, log: log, keep: time.Duration(b.KeepDays) * 24 * time.Hour, now: time.Now}
	if b.KeepDays == 0 {
		a.keep = keepDays * 24 * time.Hour
	}
	if a.seal, err = archive.NewSealer(b.Recipients); err != nil {
		return nil, err
	}
	a.mu.moved = a.now()
	return a, nil
}

func location(b *config.Backup) archive.Location {
	return archive.Location{To: b.To, Endpoint: b.Endpoint, Region: b.Region, Credentials: b.Credentials}
}

// run keeps the archive until ctx ends.
func (a *archiver) run(ctx context.Context, c *core) {
	for ctx.Err() == nil {
		_, leads := c.log.Members()
		var err error
		if leads {
			err = a.write(ctx, c)
		} else {
			err = a.hear(ctx, c, false)
		}
		pause := archiveLook
		if err != nil && ctx.Err() == nil {
			a.fails(err)
		} else if !leads {
			pause = archiveHear
		}
		a.rest(ctx, c, pause, leads)
	}
}

// rest waits, but not longer than leadership stays as it is.
func (a *archiver) rest(ctx context.Context, c *core, pause time.Duration, led bool) {
	for end := a.now().Add(pause); a.now().Before(end); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(pause, archiveLook)):
		}
		if _, leads := c.log.Members(); leads != led {
			return
		}
	}
}

func (a *archiver) fails(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	said := err.Error()
	if a.mu.failing == "" {
		a.mu.failed = a.now()
		a.log.Error("the archive cannot be kept", "to", a.t.String(), "cause", said)
	}
	a.mu.failing = said
}

// has notes what is in the target; works, that it does what this node wants of it.
func (a *archiver) has(n uint64, works bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if works && a.mu.failing != "" {
		a.log.Info("the archive can be kept again", "to", a.t.String(), "seconds", a.now().Sub(a.mu.failed).Seconds())
		a.mu.failing = ""
	}
	if n > a.archived.Load() {
		a.archived.Store(n)
		a.mu.moved = a.now()
	}
}

// hear looks at how far the archive is.
func (a *archiver) hear(ctx context.Context, c *core, writes bool) error {
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	if err := a.there(ctx, c.data.Meta.Cell, writes); err != nil {
		return err
	}
	near := a.archived.Load()
	if near == 0 {
		pos, err := a.newest(ctx, c)
		if err != nil {
			return err
		}
		near = pos.N
	}
	last, err := archive.Last(ctx, a.t, c.log.Epoch(), near)
	if err == nil && last == 0 && near > 0 {
		// Nothing near the checkpoint: whatever there is of the log ends long before. What follows it is still to come.
		last, err = archive.Last(ctx, a.t, c.log.Epoch(), 0)
	}
	if err != nil {
		return err
	}
	if known, has := a.archived.Load(), max(last, a.bridged); has < known {
		// Taken away, or on a disk that is no longer the same. The log is read again from there, or what it lost is bridged.
		a.log.Error("the archive has lost the end of the log", "to", a.t.String(), "had", known, "has", has)
		a.archived.Store(has)
	}
	a.has(last, !writes)
	return nil
}

// there refuses a target that bore the mark of this cell and no longer does, or bears another's: what is written into the
// directory under a disk that is not mounted is not in the archive. The first writer leaves the mark.
func (a *archiver) there(ctx context.Context, cell string, writes bool) error {
	mark, err := archive.Marked(ctx, a.t)
	if err != nil {
		return err
	}
	a.mu.Lock()
	marked := a.mu.marked
	a.mu.marked = marked || mark != ""
	a.mu.Unlock()
	switch {
	case mark == cell:
		return nil
	case mark != "":
		return fmt.Errorf("%s holds the archive of another cell (%s): give this one a place of its own", a.t, mark)
	case marked:
		return fmt.Errorf("the archive is no longer in %s: is its disk mounted? if it is gone for good, start every site anew, and a new archive begins", a.t)
	case !writes:
		return nil
	}
	if err := archive.Mark(ctx, a.t, cell); err != nil {
		return err
	}
	a.mu.Lock()
	a.mu.marked = true
	a.mu.Unlock()
	return nil
}

// newest finds the newest checkpoint of this epoch in the target, the zero position if there is none.
func (a *archiver) newest(ctx context.Context, c *core) (pos kernel.Position, err error) {
	list, err := archive.Checkpoints(ctx, a.t)
	if err != nil || len(list) == 0 {
		return pos, err
	}
	if err := a.ours(list, c); err != nil {
		return pos, err
	}
	newest := list[len(list)-1]
	if newest.Pos.Epoch != c.log.Epoch() {
		return pos, nil
	}
	a.mu.Lock()
	known := a.mu.checkpoint == newest.Pos
	a.mu.Unlock()
	if !known {
		m, err := newest.Manifest(ctx, a.t)
		if err != nil {
			return pos, err
		}
		a.mu.Lock()
		a.mu.checkpoint, a.mu.checkpointMs = newest.Pos, m.TimeMs
		a.mu.Unlock()
	}
	return newest.Pos, nil
}

// ours refuses an archive in which nothing is of this cell's history.
func (a *archiver) ours(list []archive.Checkpoint, c *core) error {
	cuts := c.cuts()
	for _, one := range list {
		if _, ok := cuts[one.Pos.Epoch]; ok || one.Pos.Epoch == c.log.Epoch() {
			return nil
		}
	}
	return fmt.Errorf("%s holds the archive of another cell: give this one a place of its own", a.t)
}

func (c *core) cuts() map[uint32]uint64 { return cutsOf(c.stores[0]) }

func cutsOf(s kernel.Store) map[uint32]uint64 {
	snap := s.Snapshot()
	defer snap.Close()
	return kernel.Cuts(snap)
}

// prevOf is where the epoch before one was cut.
func prevOf(cuts map[uint32]uint64, epoch uint32) (p kernel.Position) {
	for e, n := range cuts {
		if e < epoch && e > p.Epoch {
			p = kernel.Position{Epoch: e, N: n}
		}
	}
	return p
}

// write writes the log into the archive while this node leads. Another one that does so at the same time writes the same
// entries, perhaps cut into other segments. What the log has already lost is bridged by a checkpoint.
func (a *archiver) write(ctx context.Context, c *core) error {
	if err := a.hear(ctx, c, true); err != nil {
		return err
	}
	err := a.follow(ctx, c)
	if errors.Is(err, cluster.ErrCompacted) {
		return a.bridge(ctx, c)
	}
	return err
}

func (a *archiver) follow(ctx context.Context, c *core) error {
	a.writing(true)
	defer a.writing(false)
	tailCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	records := make(chan []cluster.Record)
	ended := make(chan error, 1)
	go func() {
		ended <- c.log.Tail(tailCtx, a.archived.Load(), nil, func(recs []cluster.Record) error {
			select {
			case records <- recs:
				return nil
			case <-tailCtx.Done():
				return tailCtx.Err()
			}
		})
	}()
	b := &piece{cell: c.data.Cell, epoch: c.log.Epoch(), prev: prevOf(c.cuts(), c.log.Epoch())}
	tick := time.NewTicker(archiveLook / 2)
	defer tick.Stop()
	within := archiveLook // what the one before has left is late already
	for {
		select {
		case <-ctx.Done():
			// In order, this is the last of the log for now.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			return a.put(ctx, b)
		case err := <-ended:
			if ctx.Err() != nil {
				return nil
			}
			return err
		case recs := <-records:
			for _, r := range recs {
				if err := b.add(r, a.now()); err != nil {
					return err
				}
				if !b.full() {
					continue
				}
				if err := a.put(ctx, b); err != nil {
					return err
				}
			}
			a.waits(b.command)
		case <-tick.C:
			if _, leads := c.log.Members(); !leads {
				a.waits(time.Time{}) // another one's
				return nil
			}
			if !b.due(a.now(), within) {
				continue
			}
			if err := a.put(ctx, b); err != nil {
				return err
			}
			within = archiveWithin
		}
	}
}

func (a *archiver) writing(yes bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mu.writes = yes
}

// waits notes since when a command has been waiting for the target.
func (a *archiver) waits(since time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if since.IsZero() || a.mu.since.IsZero() {
		a.mu.since = since
	}
}

// put writes what has come together. What fails is read from the log again.
func (a *archiver) put(ctx context.Context, b *piece) error {
	if len(b.c.Entries) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	if err := a.there(ctx, fmt.Sprintf("%04x", b.cell), true); err != nil {
		return err
	}
	if _, err := archive.PutSegment(ctx, a.t, a.seal, b.content()); err != nil {
		return err
	}
	a.has(b.c.Last, true)
	b.clear()
	a.waits(time.Time{})
	return nil
}

// bridge takes a checkpoint where the log no longer has what the archive misses.
func (a *archiver) bridge(ctx context.Context, c *core) error {
	from := a.archived.Load() + 1
	a.log.Error("the log was trimmed before it was archived; a checkpoint bridges what is missing", "from", from)
	m, err := a.takeCheckpoint(ctx, c)
	if err != nil {
		return err
	}
	if from > 1 { // else the archive only begins here
		a.mu.Lock()
		a.mu.hole = fmt.Sprintf("entries %d to %d", from, m.N)
		a.mu.Unlock()
	}
	a.bridged = m.N
	a.has(m.N, true)
	a.waits(time.Time{})
	return nil
}

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

// status is how the archive is.
func (a *archiver) status(c *core) *ArchiveStatus {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &ArchiveStatus{To: a.t.String(), Epoch: c.log.Epoch(), N: a.archived.Load(), Writes: a.mu.writes, Failing: a.mu.failing,
		CheckpointN: a.mu.checkpoint.N, CheckpointMs: a.mu.checkpointMs, Hole: a.mu.hole}
	var behind time.Duration
	switch {
	case a.mu.writes && !a.mu.since.IsZero():
		behind = a.now().Sub(a.mu.since)
	case a.mu.failing != "":
		behind = a.now().Sub(a.mu.moved)
	case !a.mu.writes && c.node.Ready() == nil:
		// The one that writes does so once a minute at least.
		if still := a.now().Sub(a.mu.moved); still > archiveIdle+2*archiveHear {
			behind = still
		}
	}
	s.BehindSeconds = behind.Seconds()
	return s
}

// alarms are what an operator must look at. A cell that has no checkpoint in the archive yet has had no day for it.
func (s *ArchiveStatus) alarms(now time.Time) (list []Matter) {
	if s.late() {
		list = append(list, Matter{MatterArchiveBehind, s.To, int64(s.BehindSeconds), s.Failing})
	}
	if age := now.Sub(time.UnixMilli(int64(s.CheckpointMs))); s.CheckpointMs != 0 && age > checkpointLate {
		list = append(list, Matter{MatterCheckpointLate, s.To, int64(age.Hours()), ""})
	}
	if s.Hole != "" {
		list = append(list, Matter{MatterArchiveHole, s.To, 0, s.Hole})
	}
	return list
}

func (s *ArchiveStatus) late() bool { return s.BehindSeconds > archiveLate.Seconds() }

// passing is what keeps it from being current for the moment, and is no alarm yet.
func (s *ArchiveStatus) passing() []Matter {
	switch {
	case s.late():
	case s.Failing != "":
		return []Matter{{MatterArchiveFails, s.To, 0, s.Failing}}
	case s.N == 0:
		return []Matter{{MatterArchiveEmpty, s.To, 0, ""}}
	}
	return nil
}

// words say how it is, besides what is an alarm.
func (s *ArchiveStatus) words(now time.Time) (words []string) {
	for _, m := range s.passing() {
		words = append(words, m.String())
	}
	if len(words) == 0 && !s.late() {
		words = append(words, fmt.Sprintf("the archive in %s has everything up to entry %d, %d s ago", s.To, s.N, int(s.BehindSeconds)))
	}
	switch at := time.UnixMilli(int64(s.CheckpointMs)); {
	case s.CheckpointMs == 0:
		words = append(words, "no checkpoint of this epoch is in the archive yet")
	case now.Sub(at) <= checkpointLate:
		words = append(words, "the newest checkpoint in the archive is of "+at.Format("2006-01-02 15:04"))
	}
	return words
}

// sayArchive says how the archive is, if there is one.
func (s *Status) sayArchive(now time.Time) {
	if s.Archive != nil {
		s.add(s.Archive.alarms(now)...)
		s.Words = append(s.Words, s.Archive.words(now)...)
	}
}

// worse picks, of what two nodes say, the one that writes, or else the one that is further behind.
func worse(a, b *ArchiveStatus) *ArchiveStatus {
	if a == nil || b != nil && (b.Writes && !a.Writes || b.Writes == a.Writes && b.BehindSeconds > a.BehindSeconds) {
		return b
	}
	return a
}

// piece is a segment in the making.
type piece struct {
	cell  uint16
	epoch uint32
	prev  kernel.Position
	c     archive.Content
	size  int
	// command and first are when the first command, or the first entry, arrived.
	command, first time.Time
}

func (p *piece) add(r cluster.Record, now time.Time) error {
	if len(p.c.Entries) > 0 && r.N != p.c.Last+1 {
		return errors.New("the log gave entry " + strconv.FormatUint(r.N, 10) + " after " + strconv.FormatUint(p.c.Last, 10))
	}
	e, err := kernel.DecodeEntry(r.Value)
	if err != nil {
		return fmt.Errorf("entry %d: %w", r.N, err)
	}
	if len(p.c.Entries) == 0 {
		p.c.First, p.c.FirstTime, p.first = r.N, e.Time, now
	}
	p.c.Last, p.c.LastTime = r.N, max(p.c.LastTime, e.Time)
	p.c.Entries = append(p.c.Entries, r.Value)
	p.size += len(r.Value)
	if p.command.IsZero() && slices.ContainsFunc(e.Commands, func(c kernel.Envelope) bool { return c.Flags&kernel.FlagEphemeral == 0 }) {
		p.command = now
	}
	return nil
}

func (p *piece) full() bool {
	return p.size >= archive.MaxSegment || len(p.c.Entries) >= archive.MaxEntries
}

func (p *piece) due(now time.Time, within time.Duration) bool {
	return len(p.c.Entries) > 0 && (now.Sub(p.first) >= archiveIdle || !p.command.IsZero() && now.Sub(p.command) >= within)
}

func (p *piece) content() *archive.Content {
	p.c.Cell, p.c.Epoch, p.c.Prev = p.cell, p.epoch, p.prev
	return &p.c
}

func (p *piece) clear() {
	p.c, p.size, p.command, p.first = archive.Content{}, 0, time.Time{}, time.Time{}
}
