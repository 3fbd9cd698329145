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

// Trimmer knows how far the log may be trimmed: to the lowest durable n of all members that count, never past this
// node's own.
type Trimmer struct {
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

// Note takes an applied entry of so many bytes; of each entry the first note counts.
func (t *Trimmer) Note(n uint64, cursor cluster.Cursor, size int, e *Entry, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n <= t.seen {
		return
	}
	t.seen = n
	t.bytes += uint64(size)
	if len(e.Checks) > 0 {
		d := e.Checks[0].Durable
		for _, c := range e.Checks[1:] {
			d = min(d, c.Durable)
		}
		t.member(e.Node, durableAt{d, now})
	}
	if k := len(t.marks); k == 0 || n >= t.marks[k-1].n+markEvery || now.Sub(t.marks[k-1].at) >= BeatAfter {
		t.marks = append(t.marks, mark{n, cursor, t.bytes, now})
	}
}

// Expect says which nodes the cell has. One that has not spoken yet - it was down when this node started, or has just been
// announced and is fetching its views - may need everything that is not trimmed now, and counts as absent from now on.
func (t *Trimmer) Expect(nodes []cluster.Node, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range nodes {
		if t.members[n.ID] == nil {
			t.member(n.ID, durableAt{t.done, now})
		}
	}
}

// Hold says up to where the log is kept outside the cell. An archive that does not go on counts as absent from its last step.
func (t *Trimmer) Hold(n uint64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.archived == nil || t.archived.n != n {
		t.archived = &durableAt{n, now}
	}
}

func (t *Trimmer) member(id cluster.NodeID, d durableAt) {
	if t.members == nil {
		t.members = map[cluster.NodeID]*durableAt{}
	}
	t.members[id] = &d
}

// Target says what to trim to, given this node's own durable n.
func (t *Trimmer) Target(own uint64, now time.Time) (uint64, cluster.Cursor, bool) {
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

func (t *Trimmer) bytesAfter(n uint64) uint64 {
	for _, m := range t.marks {
		if m.n >= n {
			return t.bytes - m.bytes
		}
	}
	return 0
}
