package nemesis

import (
	"os"
	"strconv"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if env := os.Getenv(nodeEnv); env != "" {
		os.Exit(runNode(env, os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

func seed(t *testing.T) uint64 {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("BONGHWA_NEMESIS_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("BONGHWA_NEMESIS_SEED=%d", seed)
	return seed
}

// run puts a cell under faults for so long, and audits it.
func run(t *testing.T, nodes int, trim bool, least int, d, longest time.Duration) {
	t.Helper()
	c := newCell(t, nodes, seed(t), trim)
	c.least, c.longest = least, longest
	done := c.run(d)
	n := c.quiet()
	sum, err := c.audit(n)
	c.report(done)
	t.Logf("audited: %d acknowledgements, %d rows, %d entries to n %d, %d reads", sum.acked, sum.rows, sum.entries, n, sum.reads)
	if err != nil {
		t.Fatal(err)
	}
	if sum.acked == 0 || sum.rows == 0 || sum.reads == 0 {
		t.Fatal("nothing happened")
	}
}

// TestNemesis: every fault once or twice at three nodes, then the nodes of a cell of one.
func TestNemesis(t *testing.T) {
	t.Run("three", func(t *testing.T) { run(t, 3, false, 3*len(faults)/2, 0, 2500*time.Millisecond) })
	t.Run("one", func(t *testing.T) { run(t, 1, false, 6, 0, 1500*time.Millisecond) })
}

// TestSoakNemesis goes on for BONGHWA_SOAK: half of it with the whole log kept and replayed, half with the log trimmed
// as in service.
func TestSoakNemesis(t *testing.T) {
	d := 2 * time.Second
	if s := os.Getenv("BONGHWA_SOAK"); s != "" {
		var err error
		if d, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("replayed", func(t *testing.T) { run(t, 3, false, 1, d/2, 5*time.Second) })
	t.Run("trimmed", func(t *testing.T) { run(t, 3, true, 1, d/2, 5*time.Second) })
}
