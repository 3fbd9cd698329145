package drill

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

const (
	byRelay  = "" // what stands between the sites says it itself
	byKill   = "real: SIGKILL"
	byStop   = "real: SIGSTOP"
	byThaw   = "real: SIGCONT"
	byStart  = "real: the process is started"
	byRemove = "real: the data directory is removed"
)

// burn is the fire itself.
func (s *stage) burn(ctx context.Context, site string) error {
	s.goes(site)
	forbidden := s.trespass(ctx)
	time.Sleep(200 * time.Millisecond)
	s.l.relay.set(true, s.l.around(site, true)...)
	s.did("power lost", site, byRelay)
	time.Sleep(beforeKill)
	s.l.kill(site)
	s.did("dead", site, byKill)
	felt := time.After(s.length)
	s.withoutBurnt(ctx, site)
	<-felt
	s.measured()
	return <-forbidden
}

func powerLoss(ctx context.Context, s *stage, site string) error {
	if err := s.burn(ctx, site); err != nil {
		return err
	}
	return s.again(ctx, site)
}

func wiped(ctx context.Context, s *stage, _ string) error {
	site := s.l.sites[len(s.l.sites)-1]
	if err := s.burn(ctx, site); err != nil {
		return err
	}
	if err := s.wipe(site); err != nil {
		return err
	}
	return s.again(ctx, site, "--rebuild")
}

// wipe takes a stopped site's disks away.
func (s *stage) wipe(site string) error {
	if err := os.RemoveAll(s.l.data(site)); err != nil {
		return err
	}
	s.did("disks gone", site, byRemove)
	return nil
}

// twice is a fire, a rebuild, and the next fire as soon as status says that all is well.
func twice(ctx context.Context, s *stage, part string) error {
	if err := wiped(ctx, s, part); err != nil {
		return err
	}
	return powerLoss(ctx, s, s.l.sites[0])
}

// wipedAndFrozen: with one site without disks and another one frozen nothing can be acknowledged, and nothing may be lost.
func wipedAndFrozen(ctx context.Context, s *stage, _ string) error {
	burnt, cold := s.l.sites[len(s.l.sites)-1], s.l.sites[0]
	if err := s.burn(ctx, burnt); err != nil {
		return err
	}
	if err := s.wipe(burnt); err != nil {
		return err
	}
	s.goes(cold)
	if err := s.l.signal(cold, syscall.SIGSTOP); err != nil {
		return err
	}
	s.did("frozen", cold, byStop)
	s.l.relay.set(false, s.l.around(burnt, true)...)
	t := time.Now()
	ready, err := s.l.begin(burnt, "--rebuild")
	if err != nil {
		return err
	}
	s.did("started", burnt, byStart)
	time.Sleep(frozenFor)
	if err := s.l.signal(cold, syscall.SIGCONT); err != nil {
		return err
	}
	s.did("thawed", cold, byThaw)
	select {
	case err = <-ready:
	case <-time.After(time.Minute):
		err = errors.New("the site without disks was not rebuilt within a minute")
	}
	if err == nil {
		err = s.l.settled(ctx)
	}
	if err != nil {
		return err
	}
	s.out.BackMs = append(s.out.BackMs, millis(time.Since(t)))
	s.did("all current", "", "status")
	time.Sleep(time.Second)
	s.measured()
	return nil
}

// again brings a burnt site back.
func (s *stage) again(ctx context.Context, site string, args ...string) error {
	s.l.relay.set(false, s.l.around(site, true)...)
	t := time.Now()
	s.did("started", site, byStart)
	if err := s.l.start(ctx, site, args...); err != nil {
		return err
	}
	return s.returned(ctx, t)
}

func cutOff(ctx context.Context, s *stage, site string) error {
	s.goes(site)
	forbidden := s.trespass(ctx)
	time.Sleep(200 * time.Millisecond)
	s.l.relay.set(true, s.l.around(site, false)...)
	s.did("cut off from the other sites", site, byRelay)
	time.Sleep(s.length)
	s.measured()
	t := time.Now()
	s.l.relay.set(false, s.l.around(site, false)...)
	s.did("heard again", site, byRelay)
	return errors.Join(s.returned(ctx, t), <-forbidden)
}

func oneWay(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	for i, site := range s.l.sites[:2] {
		var ways []way
		for _, other := range s.l.sites {
			if other == site {
				continue
			}
			if i == 0 {
				ways = append(ways, way{other, site})
			} else {
				ways = append(ways, way{site, other})
			}
		}
		s.goes(site)
		s.l.relay.set(true, ways...)
		s.did([]string{"does not hear the others", "is not heard by the others"}[i], site, byRelay)
		time.Sleep(s.length)
		s.measured()
		t := time.Now()
		s.l.relay.set(false, ways...)
		s.did("heals", site, byRelay)
		if err := s.returned(ctx, t); err != nil {
			return err
		}
	}
	return <-forbidden
}

func frozen(ctx context.Context, s *stage, _ string) error {
	return s.freeze(ctx, s.l.sites[0], max(frozenFor, s.length))
}

func frozenMinute(ctx context.Context, s *stage, _ string) error {
	return s.freeze(ctx, s.l.sites[0], frozenLong)
}

func (s *stage) freeze(ctx context.Context, site string, length time.Duration) error {
	s.goes(site)
	forbidden := s.trespass(ctx)
	time.Sleep(200 * time.Millisecond)
	if err := s.l.signal(site, syscall.SIGSTOP); err != nil {
		return err
	}
	s.did("frozen", site, byStop)
	time.Sleep(length)
	s.measured()
	t := time.Now()
	if err := s.l.signal(site, syscall.SIGCONT); err != nil {
		return err
	}
	s.did("thawed", site, byThaw)
	return errors.Join(s.returned(ctx, t), <-forbidden)
}

func badNetwork(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	s.l.relay.weather(25*time.Millisecond, 0.05, 200*time.Millisecond)
	s.did("50 ms there and back, 5% lost", "", byRelay)
	time.Sleep(s.length)
	s.measured()
	s.l.relay.weather(delay, 0, 0)
	s.did("fine again", "", byRelay)
	return errors.Join(s.returned(ctx, time.Now()), <-forbidden)
}

func rolling(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	for _, site := range s.l.sites {
		s.goes(site)
		s.did("drained", site, "real: bonghwa cluster drain")
		if err := s.l.drain(ctx, site); err != nil {
			return err
		}
		if err := s.l.stop(site); err != nil {
			return err
		}
		t := time.Now()
		s.did("started", site, byStart)
		if err := s.l.start(ctx, site); err != nil {
			return err
		}
		if err := s.l.settled(ctx); err != nil {
			return err
		}
		s.out.BackMs = append(s.out.BackMs, millis(time.Since(t)))
	}
	time.Sleep(time.Second)
	s.measured()
	return <-forbidden
}

func allKilled(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	time.Sleep(200 * time.Millisecond)
	for _, site := range s.l.sites {
		s.goes(site)
		s.l.kill(site)
		s.did("dead", site, byKill)
	}
	time.Sleep(time.Second)
	t := time.Now()
	if err := s.allBack(ctx, t); err != nil {
		return err
	}
	return <-forbidden
}

// allBack starts every site after all have been down, and ends the measured time when people have been served again.
func (s *stage) allBack(ctx context.Context, since time.Time) error {
	for _, site := range s.l.sites {
		s.did("started", site, byStart)
	}
	if err := s.l.startAll(s.l.sites); err != nil {
		return err
	}
	if err := s.l.settled(ctx); err != nil {
		return err
	}
	s.out.BackMs = append(s.out.BackMs, millis(time.Since(since)))
	s.did("all current", "", "status")
	time.Sleep(3 * time.Second)
	s.measured()
	return nil
}
