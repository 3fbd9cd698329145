// Package drill is the fire drill: it brings up the sites of a cluster as processes of this machine, with a relay in every way
// between them, puts people on them who write without pause, lets a site burn, and then holds what everybody was told
// against what every site has.
//
// What it counts: an acknowledged message that is not at every site afterwards, or under another number, is lost; a text that
// is there twice is duplicated; a person's messages that changed places are reordered; a revoked session, somebody who left
// or somebody who was blocked and got through later than 1.5 s after that was acknowledged is unauthorised. A gap is the
// longest time from a person's first unanswered send in a room to the next answer, or between two deliveries while others
// kept writing; what is unanswered at the end counts.
package drill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
)

// Options of a drill.
type Options struct {
	// Scenarios by name; "all" for all.
	Scenarios []string
	People    int
	// Duration is how long a fault is felt.
	Duration time.Duration
	Seed     uint64
	// Dir is where the sites' data live meanwhile; empty: a temporary directory.
	Dir string
	// Binary is the program of the nodes; empty: this one.
	Binary, Version string
	Out             io.Writer
	// Keep leaves the directory.
	Keep bool
	// Rounds of the random scenario; 0 = 3.
	Rounds int
}

func (o Options) tell(format string, args ...any) { fmt.Fprintf(o.Out, format+"\n", args...) }

// Sites of the cluster under drill.
var Sites = []string{"seoul", "daejeon", "busan"}

// delay is one way between sites: 2 ms there and back.
const delay = time.Millisecond

// Names lists the scenarios with what they do.
func Names() (list []string) {
	for _, k := range scenarios {
		list = append(list, fmt.Sprintf("%-18s %s", k.name, k.help))
	}
	return list
}

// Run plays the scenarios one after another, on sites that must be steady before each. The error is about the drill, not
// about what it found: that is in the report.
func Run(ctx context.Context, o Options) (r *Report, err error) {
	list, err := chosen(o.Scenarios)
	if err != nil {
		return nil, err
	}
	if o.Binary == "" {
		if o.Binary, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp(o.Dir, "bonghwa-drill-")
	if err != nil {
		return nil, err
	}
	if !o.Keep {
		defer os.RemoveAll(dir)
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano() % 1e9)
	}
	if o.Rounds == 0 {
		o.Rounds = 3
	}
	rng := rand.New(rand.NewPCG(o.Seed, 1))
	tell := o.tell
	r = &Report{Date: time.Now().UTC().Truncate(time.Second), Version: o.Version, Seed: o.Seed, DurationS: o.Duration.Seconds(), Sites: Sites, Machine: machine()}
	l, err := newLab(o.Binary, dir, Sites, fmt.Sprintf("127.%d.%d", 1+rng.IntN(254), rng.IntN(256)), config.Plan{})
	if err != nil {
		return nil, err
	}
	defer l.close()
	r.Network, _ = l.relay.words()
	tell("forming a cluster of %s; its logs: %s", strings.Join(Sites, ", "), filepath.Join(dir, "nodes.log"))
	if err := l.startAll(Sites); err != nil {
		return nil, err
	}
	c, err := gather(ctx, l, o.People, tell)
	if c != nil {
		defer c.close()
	}
	if err != nil {
		return nil, err
	}
	r.People, r.Offered, r.RoomOffered = len(c.people), c.offered(), c.slowestRoom()
	if r.Capacity, err = capacity(ctx, c); err != nil {
		return nil, err
	}
	tell("these sites carry %.0f sends a second here; offered are %.0f, to each room at least %.0f by people of different sites", r.Capacity, r.Offered, r.RoomOffered)
	if r.Offered > r.Capacity/2 {
		tell("that is more than half: gaps will say more about this machine than about the sites")
	}
	v, err := newVisitor(ctx, l)
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		tell("%s", k)
		if why := k.why(); why != "" {
			tell("  skipped: %s", why)
			r.Skipped = append(r.Skipped, Skipped{k.String(), why})
			continue
		}
		s, err := Scenario{}, error(nil)
		if k.alone != nil {
			s, err = k.alone(ctx, o, rng)
		} else {
			s, err = play(ctx, k, l, c, v, o)
		}
		if err != nil {
			return r, fmt.Errorf("%s: %w", k, err)
		}
		if r.Scenarios = append(r.Scenarios, s); len(s.Schedule) > 0 {
			r.Rounds = o.Rounds
		}
		s.print(tell)
	}
	r.conclude()
	return r, nil
}

// chosen finds scenarios by name, and parts of them by theirs.
func chosen(names []string) (out []played, err error) {
	for _, n := range names {
		found := false
		for _, k := range scenarios {
			for _, p := range k.parts() {
				if n == "all" || n == k.name || n == p.String() {
					out, found = append(out, p), true
				}
			}
		}
		if !found {
			return nil, fmt.Errorf("no scenario %q; there are:\n  %s", n, strings.Join(Names(), "\n  "))
		}
	}
	return out, nil
}

func (s *Scenario) print(tell func(string, ...any)) {
	verdict := "HELD"
	switch {
	case !s.Held:
		verdict = "NOT HELD"
	case !s.HeldInTime:
		verdict = "held, not in time"
	}
	tell("  %s: %d acknowledged, %d lost, %d doubled, %d out of order, %d unauthorised of %d tries", verdict, s.Acked, s.Lost, s.Duplicated, s.Reordered, s.Unauthorised, s.Tried)
	tell("  worst wait for an acknowledgement %.0f ms (who moved: %.0f), for a delivery %.0f ms (who moved: %.0f); median %.0f ms",
		s.WorstSendGapMs, s.MovedWorstSendGapMs, s.WorstDeliveryGapMs, s.MovedWorstDeliveryGapMs, s.MedianSendGapMs)
	if len(s.BackMs) > 0 {
		tell("  back and current after %v ms, which cost the others at most %.0f ms", s.BackMs, s.ReturnGapMs)
	}
	if len(s.Checks) > 0 {
		tell("  at the other sites during the fire: %s", s.Checks)
	}
	for _, w := range s.Why {
		tell("  ! %s", w)
	}
}

// capacity measures how many sends a second the sites carry, with everybody sending as fast as it is answered.
func capacity(ctx context.Context, c *crowd) (perSecond float64, err error) {
	const length = 3 * time.Second
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var total int
	done := make(chan int)
	start := time.Now()
	for _, v := range c.voices {
		go func() {
			n := 0
			for ctx.Err() == nil {
				text := fmt.Sprintf("%s %s %d 얼마나 버티는지 봅니다", v.p.name, v.room.id[len(v.room.id)-6:], time.Now().UnixNano())
				if _, err := v.p.c.Send(ctx, v.to, text); err == nil {
					n++
				}
			}
			done <- n
		}()
	}
	for range c.voices {
		total += <-done
	}
	perSecond = float64(total) / time.Since(start).Seconds()
	if total == 0 {
		return 0, errors.New("nobody could send anything")
	}
	return perSecond, nil
}

func machine() Machine {
	m := Machine{CPU: "unknown", Cores: runtime.NumCPU()}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for l := range strings.Lines(string(b)) {
			if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
				m.CPU = strings.TrimSpace(v)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb float64
		if _, err := fmt.Sscanf(string(b), "MemTotal: %f kB", &kb); err == nil {
			m.MemGiB = float64(int(kb/(1<<20)*10)) / 10
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		first, _, _ := strings.Cut(string(b), " ")
		m.Load1, _ = strconv.ParseFloat(first, 64)
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	return m
}
