package sim

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seedFlag  = flag.Uint64("sim.seed", 1, "play this one seed")
	traceFlag = flag.Bool("sim.trace", false, "print every event of -sim.seed")
	countFlag = flag.Uint64("sim.count", 1200, "how many seeds TestSeeds plays")
	firstFlag = flag.Uint64("sim.first", 1, "the first seed of TestSeeds")
	pebble    = flag.Bool("sim.pebble", false, "play -sim.seed on Pebble")
)

func options(seed uint64) Options {
	o := Options{Seed: seed, Pebble: *pebble}
	if *traceFlag {
		o.Trace = os.Stdout
	}
	return o
}

// TestSeed plays the one seed that a failure has named.
func TestSeed(t *testing.T) { one(t, Run) }

func one(t *testing.T, run func(Options) (Report, error)) {
	r, err := run(options(*seedFlag))
	t.Logf("%+v", r)
	if err != nil {
		t.Fatalf("seed %d: %v", *seedFlag, err)
	}
}

// A run makes much garbage and keeps little: collecting it less often halves the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}

// play runs seeds on all processors and reports the first failures with the command that repeats them.
func play(t *testing.T, run func(Options) (Report, error), test string, seeds []uint64, pebble bool) {
	var next atomic.Int64
	var sum struct {
		sync.Mutex
		Report
		failed int
	}
	sum.Did = map[string]int{}
	var wg sync.WaitGroup
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				i := int(next.Add(1)) - 1
				sum.Lock()
				enough := sum.failed >= 10
				sum.Unlock()
				if enough || i >= len(seeds) {
					return
				}
				r, err := run(Options{Seed: seeds[i], Pebble: pebble})
				sum.Lock()
				sum.Events += r.Events
				sum.Entries += r.Entries
				sum.Commands += r.Commands
				sum.Acknowledged += r.Acknowledged
				sum.Skipped += r.Skipped
				sum.Reads += r.Reads
				sum.Refused += r.Refused
				sum.Virtual += r.Virtual
				sum.Unbound = max(sum.Unbound, r.Unbound)
				for k, n := range r.Did {
					sum.Did[k] += n
				}
				if err != nil {
					if sum.failed++; sum.failed <= 5 {
						extra := ""
						if pebble {
							extra = " -sim.pebble"
						}
						t.Errorf("seed %d: %v\nto repeat: go test ./internal/sim -run '^%s$' -sim.seed=%d -sim.trace%s\nkeep it in testdata/seeds.txt", seeds[i], err, test, seeds[i], extra)
					}
					if sum.failed == 1 {
						t.Logf("first failure after %d seeds", i+1)
					}
				}
				sum.Unlock()
			}
		}()
	}
	wg.Wait()
	n := uint64(max(len(seeds), 1))
	t.Logf("%d seeds, %d failed; each: %d events, %d entries, %d commands, %d acknowledged (%d given up), %d reads answered and %d not, %v inside; longest unbound %v; on purpose in all: %v",
		len(seeds), sum.failed, sum.Events/n, sum.Entries/n, sum.Commands/n, sum.Acknowledged/n, sum.Skipped/n, sum.Reads/n, sum.Refused/n, sum.Virtual/time.Duration(n), sum.Unbound, sum.Did)
}

func sequence(first, count, step uint64) (seeds []uint64) {
	for s := first; s < first+count; s += step {
		seeds = append(seeds, s)
	}
	return seeds
}

// kept reads the seeds that failed once: lines "scenario seed", with what it was after #.
func kept(t *testing.T, scenario string) (seeds []uint64) {
	b, err := os.ReadFile("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		seed, err := strconv.ParseUint(f[len(f)-1], 10, 64)
		if err != nil || len(f) != 2 {
			t.Fatalf("testdata/seeds.txt: %q is not a line \"scenario seed\"", line)
		}
		if f[0] == scenario {
			seeds = append(seeds, seed)
		}
	}
	return seeds
}

// TestKept plays the seeds that failed once, before anything else, in memory and on Pebble.
func TestKept(t *testing.T) {
	play(t, Run, "TestSeed", kept(t, "kernel"), false)
	play(t, Run, "TestSeed", kept(t, "kernel"), true)
	play(t, RunPublic, "TestPublicSeed", kept(t, "public"), false)
	play(t, RunPublic, "TestPublicSeed", kept(t, "public"), true)
	play(t, RunFire, "TestFireSeed", kept(t, "fire"), false)
	play(t, RunFire, "TestFireSeed", kept(t, "fire"), true)
}

// TestSeeds plays many seeds in memory, and every tenth also on Pebble.
func TestSeeds(t *testing.T) {
	play(t, Run, "TestSeed", sequence(*firstFlag, *countFlag, 1), false)
}

func TestSeedsOnPebble(t *testing.T) {
	play(t, Run, "TestSeed", sequence(*firstFlag, *countFlag, 10), true)
}

// TestPublicSeed plays the one seed of the real domains, gateways and clients that a failure has named.
func TestPublicSeed(t *testing.T) { one(t, RunPublic) }

func TestPublicSeeds(t *testing.T) {
	play(t, RunPublic, "TestPublicSeed", sequence(*firstFlag, *countFlag/2, 1), false)
}

func TestPublicSeedsOnPebble(t *testing.T) {
	play(t, RunPublic, "TestPublicSeed", sequence(*firstFlag, *countFlag/2, 10), true)
}

// TestFireSeed plays the one seed of the drill's scenarios that a failure has named.
func TestFireSeed(t *testing.T) { one(t, RunFire) }

func TestFireSeeds(t *testing.T) {
	play(t, RunFire, "TestFireSeed", sequence(*firstFlag, *countFlag/8, 1), false)
}

// TestRepeats: a seed gives the same events every time, with a trace and without.
func TestRepeats(t *testing.T) {
	for i, run := range []func(Options) (Report, error){Run, RunPublic, RunFire} {
		for _, seed := range sequence(1, []uint64{20, 20, 5}[i], 1) { // the third are long
			a, errA := run(Options{Seed: seed})
			b, errB := run(Options{Seed: seed, Trace: io.Discard})
			if a.Trace != b.Trace || a.Events != b.Events || fmt.Sprint(errA) != fmt.Sprint(errB) {
				t.Errorf("seed %d: %d events and hash %x, then %d and %x", seed, a.Events, a.Trace, b.Events, b.Trace)
			}
		}
	}
}

// TestSoakSeeds goes on for BONGHWA_SOAK with seeds that no other run has played: three of the kernel to one of the whole and one
// of the drill's scenarios.
func TestSoakSeeds(t *testing.T) {
	d := 2 * time.Second
	if s := os.Getenv("BONGHWA_SOAK"); s != "" {
		var err error
		if d, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	first := rand.Uint64N(1 << 40)
	for end := time.Now().Add(d); time.Now().Before(end) && !t.Failed(); first += 200 {
		play(t, Run, "TestSeed", sequence(first, 150, 1), false)
		play(t, Run, "TestSeed", sequence(first, 150, 10), true)
		play(t, RunPublic, "TestPublicSeed", sequence(first, 50, 1), false)
		play(t, RunFire, "TestFireSeed", sequence(first, 30, 1), false)
		play(t, RunFire, "TestFireSeed", sequence(first, 30, 30), true)
	}
}
