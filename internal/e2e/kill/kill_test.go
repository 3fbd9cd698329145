package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

const (
	users     = 50
	groups    = 20
	roundAcks = 3000
	// threads of a person write at a time, so that names of one scope are outstanding together.
	threads = 3
	// auditEvery rounds, and at the end, every room is read back.
	auditEvery = 5
)

func rounds(t *testing.T) int {
	if s := os.Getenv("BONGHWA_KILL_ROUNDS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 20
}

func TestKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("BONGHWA_KILL_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("BONGHWA_KILL_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	data := filepath.Join(t.TempDir(), "data")
	listen := freeAddr(t)
	s := harness.Start(t, data, listen)
	w := newWorld(t, s, seed)
	defer w.close()

	n := rounds(t)
	for round := range n {
		from := w.acked.Load()
		target := from + roundAcks + rng.Int64N(1000)
		w.hold.Store(false)
		w.await(t, target, s)
		// The moment is random within what a few commits take, not aligned with an acknowledgement.
		time.Sleep(time.Duration(rng.Int64N(int64(20 * time.Millisecond))))
		s.Kill()
		got := w.acked.Load() - from
		s = harness.Start(t, data, listen)
		w.server(s)
		if got < roundAcks {
			t.Fatalf("round %d: only %d acknowledgements", round, got)
		}
		if (round+1)%auditEvery == 0 || round == n-1 {
			w.settle(t)
			w.audit(t)
			t.Logf("round %d of %d: %d acknowledged in all, audited in %d rooms", round+1, n, w.acked.Load(), len(w.rooms))
		}
	}
	if code := s.Stop(); code != 0 {
		t.Fatalf("stopped with code %d:\n%s", code, s.Log())
	}
}

// freeAddr is a loopback address to be used again and again.
func freeAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func ctx(t testing.TB) context.Context {
	c, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return c
}

func text(user int, k int64) string { return fmt.Sprintf("사람 %d의 말 %d", user, k) }
