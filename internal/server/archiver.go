package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
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
	// bridged: a checkpoint stands for the log up to this entry; begun: the archive says who began this epoch. Of run alone.
	bridged uint64
	begun   bool
	// cluster is the name of the cluster that this node belongs to; empty: to none.
	cluster string
	now     func() time.Time
	// file remembers where the archive was begun; noted: it says so. Empty: nothing is remembered.
	file  string
	noted atomic.Bool
	// joinEvery is a constant; tests have no hour.
	joinEvery time.Duration

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
	a := &archiver{t: t, log: log, keep: time.Duration(b.KeepDays) * 24 * time.Hour, now: time.Now, joinEvery: joinEvery}
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
