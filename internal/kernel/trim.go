package kernel

import (
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

const (
	// holdBytes and holdTime bound how much of the log an absent member can keep from being trimmed; after that its view
	// comes from another site. The same holds for an archive; after that a checkpoint bridges what it has missed.
	holdBytes = 1 << 30
	holdTime  = time.Hour
	// markEvery entries, or half a second, a mark (n, cursor) is kept: trimming needs a cursor to trim to.
	markEvery = 1024
)

// trimmer knows how far the log may be trimmed: to the lowest durable n of all members that count, never past this
// node's own.
type trimmer struct {
	mu sync.Mutex
	// seen is the newest entry noted; each domain notes every entry, the first one counts.
	seen    uint64
	bytes   uint64 // total size of entries up to seen
	marks   []mark
	members map[cluster.NodeID]*durableAt
	// archived is what is kept outside the cell; nil: nothing is. It holds the log as an absent member does.
	archived *durableAt
	done     uint64
}

type mark struct {
	n      uint64
	cursor cluster.Cursor
	bytes  uint64
	at     time.Time
}

type durableAt struct {
	n    uint64
	seen time.Time
}

// note takes an applied entry.
func (t *trimmer) note(it numbered) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if it.n <= t.seen {
		return
	}
	t.seen = it.n
	t.bytes += uint64(it.size)
	now := time.Now()
	if len(it.e.Checks) > 0 {
		d := it.e.Checks[0].Durable
		for _, c := range it.e.Checks[1:] {
			d = min(d, c.Durable)
		}
		t.member(it.e.Node, durableAt{d, now})
	}
	if k := len(t.marks); k == 0 || it.n >= t.marks[k-1].n+markEvery || now.Sub(t.marks[k-1].at) >= BeatAfter {
		t.marks = append(t.marks, mark{it.n, it.cursor, t.bytes, now})
	}
}

// expect says which nodes the cell has. One that has not spoken yet - it was down when this node started, or has just been
// announced and is fetching its views - may need everything that is not trimmed now, and counts as absent from now on.
func (t *trimmer) expect(nodes []cluster.Node, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range nodes {
		if t.members[n.ID] == nil {
			t.member(n.ID, durableAt{t.done, now})
		}
	}
}

// hold says up to where the log is kept outside the cell. An archive that does not go on counts as absent from its last step.
func (t *trimmer) hold(n uint64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.archived == nil || t.archived.n != n {
		t.archived = &durableAt{n, now}
	}
}

func (t *trimmer) member(id cluster.NodeID, d durableAt) {
	if t.members == nil {
		t.members = map[cluster.NodeID]*durableAt{}
	}
	t.members[id] = &d
}

// target says what to trim to, given this node's own durable n.
func (t *trimmer) target(own uint64, now time.Time) (uint64, cluster.Cursor, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	limit := own
	wait := func(m *durableAt) {
		if m.n < limit && now.Sub(m.seen) < holdTime && t.bytesAfter(m.n) < holdBytes {
			limit = m.n
		}
	}
	for _, m := range t.members {
		wait(m)
	}
	if t.archived != nil {
		wait(t.archived)
	}
	best := -1
	for i, m := range t.marks {
		if m.n <= limit {
			best = i
		}
	}
	if best < 0 || t.marks[best].n <= t.done {
		return 0, nil, false
	}
	m := t.marks[best]
	t.done = m.n
	t.marks = append([]mark(nil), t.marks[best:]...)
	return m.n, m.cursor, true
}

func (t *trimmer) bytesAfter(n uint64) uint64 {
	for _, m := range t.marks {
		if m.n >= n {
			return t.bytes - m.bytes
		}
	}
	return 0
}
