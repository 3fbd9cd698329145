package gateway

import (
	"sync"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// lists keeps people's lists of rooms from growing without end: a Hello and a Pin read the whole of one. A line is never taken out
// of a list, not by leaving either, so who is full stays full. It is a rule of the door, like that of accounts that must exist:
// commands under way at the same moment may pass a list that is almost full, by as many as they are.
type lists struct {
	mu sync.Mutex
	// lines is how many lines a person had when they were counted, and those that may have been added here since: never too few by
	// more than other sites have added. At the limit they are counted anew.
	lines map[ids.User]int
	full  map[ids.User]struct{}
}

// maxCounted bounds the people remembered.
const maxCounted = 1 << 16

// room takes a place in a person's list; false: it is full.
func (l *lists) room(r kernel.Reader, u ids.User, limit int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, full := l.full[u]; full {
		return false
	}
	n, known := l.lines[u]
	if !known || n >= limit {
		n = chat.CountLines(r, u, limit)
	}
	if l.lines == nil || len(l.lines) >= maxCounted {
		l.lines, l.full = map[ids.User]int{}, map[ids.User]struct{}{}
	}
	if n >= limit {
		l.full[u] = struct{}{}
		return false
	}
	l.lines[u] = n + 1
	return true
}

// enterNew makes sure that the caller may have one more room; a room that is there already is no new one.
func (g *Gateway) enterNew(c *caller, room ids.Room) error {
	s := g.k.Snapshot(kernel.DomainChat)
	defer s.Close()
	if _, ok := chat.GetRoom(s, room); !ok && !g.lists.room(s, c.user, g.o.Limits.Rooms) {
		return fail(apiv1.Reason_REASON_LIMIT)
	}
	return nil
}
