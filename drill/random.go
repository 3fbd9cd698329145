package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"
)

// The random scenario draws rounds of faults from the seed. In a round one or two different sites are hit, at any moments, and
// both are well again at its end; the next round begins when all are current. The same seed draws the same rounds.

// mishap is one fault of a round: what happens to which site, when, and for how long.
type mishap struct {
	kind, site string
	at, length time.Duration
}

func (m mishap) String() string {
	return fmt.Sprintf("%s: %s at %d ms for %d ms", m.site, m.kind, m.at.Milliseconds(), m.length.Milliseconds())
}

// Kinds of mishaps.
var kinds = []string{"power loss", "kill", "freeze", "cut off", "deaf", "mute", "wipe"}

// schedule draws rounds.
func schedule(seed uint64, rounds int, sites []string, length time.Duration) (out [][]mishap) {
	rng := rand.New(rand.NewPCG(seed, 2))
	for range rounds {
		order := rng.Perm(len(sites))
		hit := 1 + rng.IntN(2)
		var round []mishap
		for _, i := range order[:hit] {
			kind := kinds[rng.IntN(len(kinds))]
			if slices.ContainsFunc(round, func(m mishap) bool { return m.kind == "wipe" }) && kind == "wipe" {
				kind = "freeze" // two of three without disks are a loss for good
			}
			round = append(round, mishap{kind, sites[i],
				time.Duration(rng.Int64N(int64(length)/2 + 1)).Truncate(time.Millisecond),
				(length/4 + time.Duration(rng.Int64N(int64(length)))).Truncate(time.Millisecond)})
		}
		slices.SortFunc(round, func(a, b mishap) int { return int(a.at - b.at) })
		out = append(out, round)
	}
	return out
}

func randomFaults(ctx context.Context, s *stage, _ string) error {
	plan := schedule(s.o.Seed, s.o.Rounds, s.l.sites, s.length)
	s.tell("  bonghwa drill --scenario random --seed %d --rounds %d --duration %v draws:", s.o.Seed, s.o.Rounds, s.length)
	for i, round := range plan {
		s.tell("  round %d: %v", i+1, round)
		for _, m := range round {
			s.out.Schedule = append(s.out.Schedule, fmt.Sprintf("%d: %s", i+1, m))
		}
	}
	forbidden := s.trespass(ctx)
	for i, round := range plan {
		errs := make([]error, len(round))
		var all sync.WaitGroup
		for k, m := range round {
			s.goes(m.site)
			all.Go(func() {
				time.Sleep(m.at)
				errs[k] = s.befall(ctx, m)
			})
		}
		all.Wait()
		t := time.Now()
		err := errors.Join(errs...)
		if err == nil {
			err = s.l.settled(ctx)
		}
		if err != nil {
			return fmt.Errorf("round %d (%v): %w", i+1, round, err)
		}
		s.out.BackMs = append(s.out.BackMs, millis(time.Since(t)))
		s.did("all current", "", "status")
	}
	time.Sleep(time.Second)
	s.measured()
	return <-forbidden
}

// befall lets a mishap happen, and makes it good. It returns when the site serves again or, of a site that ran on, at once.
func (s *stage) befall(ctx context.Context, m mishap) error {
	var ways []way
	for _, w := range s.l.around(m.site, m.kind == "power loss" || m.kind == "wipe") {
		if m.kind == "deaf" && w.to != m.site || m.kind == "mute" && w.from != m.site {
			continue
		}
		ways = append(ways, w)
	}
	switch m.kind {
	case "power loss", "wipe":
		s.l.relay.set(true, ways...)
		s.did("power lost", m.site, byRelay)
		time.Sleep(beforeKill)
		s.l.kill(m.site)
		s.did("dead", m.site, byKill)
	case "kill":
		s.l.kill(m.site)
		s.did("dead", m.site, byKill)
	case "freeze":
		if err := s.l.signal(m.site, syscall.SIGSTOP); err != nil {
			return err
		}
		s.did("frozen", m.site, byStop)
	default:
		s.l.relay.set(true, ways...)
		s.did(map[string]string{"cut off": "cut off from the other sites", "deaf": "does not hear the others", "mute": "is not heard by the others"}[m.kind], m.site, byRelay)
	}
	time.Sleep(m.length)
	switch m.kind {
	case "freeze":
		s.did("thawed", m.site, byThaw)
		return s.l.signal(m.site, syscall.SIGCONT)
	case "power loss", "kill", "wipe":
		var args []string
		if m.kind == "wipe" {
			if err := s.wipe(m.site); err != nil {
				return err
			}
			args = []string{"--rebuild"}
		}
		s.l.relay.set(false, ways...)
		s.did("started", m.site, byStart)
		// Two that are down at once may need one another to serve.
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		return s.l.start(ctx, m.site, args...)
	}
	s.l.relay.set(false, ways...)
	s.did("heals", m.site, byRelay)
	return nil
}
