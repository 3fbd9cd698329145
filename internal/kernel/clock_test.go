package kernel

import (
	"math/rand/v2"
	"testing"
	"time"
)

// machine is a machine's two clocks, under the test's hand.
type machine struct {
	wall time.Time
	boot time.Duration
}

func (m *machine) clock() *Clock {
	return NewClock(func() time.Time { return m.wall }, func() time.Duration { return m.boot })
}

func (m *machine) pass(d time.Duration) { m.wall, m.boot = m.wall.Add(d), m.boot+d }

func ms(t time.Time) uint64 { return uint64(t.UnixMilli()) }

func TestClockFollowsAtTenMillisecondsASecond(t *testing.T) {
	for _, off := range []time.Duration{time.Hour, -time.Hour} {
		m := &machine{wall: time.UnixMilli(1764000000000)}
		c := m.clock()
		m.wall = m.wall.Add(off) // somebody turns the clock
		last := c.Stamp()
		if last != 1764000000000 {
			t.Fatalf("the turn shows at once: %d", last)
		}
		for second := range 100 {
			m.pass(time.Second)
			s := c.Stamp()
			step := time.Duration(s-last) * time.Millisecond
			if want := time.Second + 10*time.Millisecond*time.Duration(off/time.Hour); step != want {
				t.Fatalf("second %d turned by %v moved stamps by %v, want %v", second, off, step, want)
			}
			last = s
		}
	}
}

func TestClockReachesTheWallClock(t *testing.T) {
	m := &machine{wall: time.UnixMilli(1764000000000)}
	c := m.clock()
	m.wall = m.wall.Add(-300 * time.Millisecond)
	for range 31 {
		m.pass(time.Second)
		c.Stamp()
	}
	if got := c.Stamp(); got != ms(m.wall) {
		t.Errorf("stamp %d, wall clock %d", got, ms(m.wall))
	}
}

// TestClockCountsSleep: a laptop that slept for two hours stamps the time after them at once.
func TestClockCountsSleep(t *testing.T) {
	m := &machine{wall: time.UnixMilli(1764000000000)}
	c := m.clock()
	m.pass(2 * time.Hour)
	if got := c.Stamp(); got != ms(m.wall) {
		t.Errorf("stamp %d, wall clock %d", got, ms(m.wall))
	}
}

func TestClockNeverGoesBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	m := &machine{wall: time.UnixMilli(1764000000000)}
	c := m.clock()
	for last, i := c.Stamp(), 0; i < 20000; i++ {
		m.pass(time.Duration(rng.Int64N(int64(50 * time.Millisecond))))
		if rng.IntN(20) == 0 {
			m.wall = m.wall.Add(time.Duration(rng.Int64N(int64(48*time.Hour))) - 24*time.Hour)
		}
		if rng.IntN(100) == 0 {
			m.boot -= time.Duration(rng.Int64N(int64(time.Second))) // no clock does this, and if one did
		}
		s := c.Stamp()
		if s < last {
			t.Fatalf("from %d back to %d", last, s)
		}
		last = s
	}
}

func TestSystemClock(t *testing.T) {
	before := ms(time.Now())
	got := SystemClock().Stamp()
	if after := ms(time.Now()); got+1 < before || got > after+1 {
		t.Errorf("stamp %d between %d and %d", got, before, after)
	}
}

func TestCheckStart(t *testing.T) {
	last := time.UnixMilli(1764000000000)
	for _, c := range []struct {
		off time.Duration
		ok  bool
	}{
		{0, true}, {-24 * time.Hour, true}, {-24*time.Hour - time.Second, false}, {400 * 24 * time.Hour, true}, {400*24*time.Hour + time.Second, false},
	} {
		if err := CheckStart(last.Add(c.off), ms(last)); (err == nil) != c.ok {
			t.Errorf("%v: %v", c.off, err)
		}
	}
	if err := CheckStart(last, 0); err != nil {
		t.Errorf("a new cell: %v", err)
	}
}

// A clock whose stamps are not used goes to the machine's at once when that has been set right.
func TestClockIsSet(t *testing.T) {
	m := &machine{wall: time.UnixMilli(1764000000000)}
	c := m.clock()
	m.wall = m.wall.Add(time.Hour)
	m.pass(time.Minute)
	c.Stamp()
	c.Set()
	if got := c.Stamp(); got != ms(m.wall) {
		t.Errorf("set: %d, wall clock %d", got, ms(m.wall))
	}
	m.pass(time.Second)
	if got := c.Stamp(); got != ms(m.wall) {
		t.Errorf("a second later: %d, wall clock %d", got, ms(m.wall))
	}
}
