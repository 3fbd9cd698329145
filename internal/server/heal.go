package server

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"syscall"

	"github.com/bonghwa/bonghwa/internal/inspect"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// damagedView is a view that cannot be used.
type damagedView struct {
	name  string
	cause error
}

// Error is the one sentence about it where no other site has the view.
func (d damagedView) Error() string {
	return fmt.Sprintf("the view %q cannot be used (%s); nothing else was touched: restore the newest checkpoint into an empty directory with `bonghwa restore`", d.name, inspect.Sentence(d.cause))
}

func (d damagedView) Unwrap() error { return d.cause }

func damaged(name string, err error) error { return damagedView{name, err} }

// heal looks at why this node ends. Of a damaged view other sites have the like: the next start fetches it from one of them. A
// disk that is full, or refuses, says nothing of what is on it.
func (s *Server) heal(err error) error {
	var view damagedView
	var fault kernel.StorageFault
	var errno syscall.Errno
	if s.nodes == nil || !errors.As(err, &view) && !errors.As(err, &fault) || errors.As(err, &errno) {
		return err
	}
	if e := s.nodes.remember(func(m *Meta) { m.Fetch = true }); e != nil {
		return errors.Join(err, e)
	}
	why := err
	if errors.As(err, &view) {
		why = view.cause
	}
	return fmt.Errorf("a view cannot be used (%s); nothing else was touched: start this site anew (bonghwa serve --config FILE), and its views are fetched from another site", inspect.Sentence(why))
}

// damagedLog is what the log's engine says of files that it cannot read.
var damagedLog = regexp.MustCompile(`crc|corrupt|unexpected EOF|walpb|snap:|wal:|bbolt|database`)

// logDamaged adds what to do to why the log ended, if its files are at fault. A member of a cluster has forgotten what it voted,
// and must not vote again.
func (n *nodes) logDamaged(why string) string {
	if strings.Contains(why, syscall.ENOSPC.Error()) {
		return why
	}
	if n == nil {
		return why + "; if it ends so at the next start, too, the log is damaged: restore the archive, or the newest checkpoint, into an empty directory with `bonghwa restore`"
	}
	return fmt.Sprintf("%s; if it ends so at the next start, too, the log is damaged: move %s away and start the site with --rebuild (bonghwa serve --config FILE --rebuild)", why, n.data.Dir)
}

// replayed adds the same to why a node ended that has read a damaged entry.
func (n *nodes) replayed(err error) error {
	if errors.Is(err, kernel.ErrChecksum) {
		return errors.New(n.logDamaged(err.Error()))
	}
	return err
}
