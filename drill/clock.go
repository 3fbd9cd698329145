package drill

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/bonghwa/bonghwa/internal/server"
)

const byClock = "injected: the node adds what a file says to the machine's clock"

func (l *lab) clockFile(site string) string { return filepath.Join(l.dir, site+".clock") }

func (l *lab) turn(site, by string) error {
	return os.WriteFile(l.clockFile(site), []byte(by+"\n"), 0o600)
}

// clocks gives every site a clock that can be turned.
func clocks(ctx context.Context, l *lab, _ string) (undo func() error, err error) {
	for _, site := range l.sites {
		if err := l.turn(site, "0s"); err != nil {
			return nil, err
		}
		l.more[site] = []string{"--clock-file", l.clockFile(site)}
	}
	nothing := func(string) error { return nil }
	undo = func() error {
		clear(l.more)
		return l.whileStopped(ctx, nothing)
	}
	return undo, l.whileStopped(ctx, nothing)
}

// turnedClock: a clock that is turned under a running node moves its stamps by 10 ms a second only; the same clock at the
// start of a node is the hard case. In both the site must neither stamp nor lead while it is off the two others, and
// messages must bear the time of their sending.
func turnedClock(ctx context.Context, s *stage, by string) error {
	site, err := s.l.leader(ctx)
	if err != nil {
		return err
	}
	forbidden := s.trespass(ctx)
	turned := "clock turned by " + by
	if err := s.l.turn(site, by); err != nil {
		return err
	}
	s.did(turned, site, byClock)
	time.Sleep(s.length)
	s.goes(site)
	s.did("drained", site, "real: bonghwa cluster drain")
	if err := errors.Join(s.l.drain(ctx, site), s.l.stop(site)); err != nil {
		return err
	}
	s.did("started", site, byStart)
	if err := s.l.start(ctx, site); err != nil {
		return err
	}
	if err := s.l.until(ctx, "that the wrong clock is noticed", func(st server.Status) bool {
		one := of(st, site)
		return one.ClockOffMs != 0 && !one.Leader
	}); err != nil {
		return err
	}
	s.did("its clock is not trusted, and it does not lead", site, "status")
	time.Sleep(s.length)
	s.measured()
	t := time.Now()
	if err := s.l.turn(site, "0s"); err != nil {
		return err
	}
	s.did("clock set right", site, byClock)
	return errors.Join(s.returned(ctx, t), <-forbidden)
}
