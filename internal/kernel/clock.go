package kernel

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Clock stamps entries: the wall clock at start plus a clock that counts sleep, drawn towards the wall clock by at most
// 10 ms a second. A clock that is turned while the node runs therefore moves stamps slowly, and never backwards.
type Clock struct {
	wall func() time.Time
	boot func() time.Duration
	cur  time.Time
	last time.Duration
}

// slew is the largest correction per second of running time.
const slew = 10 * time.Millisecond

// NewClock starts a clock. wall and boot are the sources; SystemClock has the real ones.
func NewClock(wall func() time.Time, boot func() time.Duration) *Clock {
	return &Clock{wall: wall, boot: boot, cur: wall().Round(0), last: boot()}
}

// SystemClock uses the machine's wall clock and CLOCK_BOOTTIME.
func SystemClock() *Clock { return NewClock(time.Now, bootTime) }

func bootTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(ts.Nano())
}

// Stamp is the time to put on an entry, Unix milliseconds. Not safe for concurrent use.
func (c *Clock) Stamp() uint64 {
	b := c.boot()
	d := max(b-c.last, 0)
	c.last = b
	c.cur = c.cur.Add(d)
	limit := time.Duration(float64(d) * float64(slew) / float64(time.Second))
	off := c.wall().Round(0).Sub(c.cur)
	c.cur = c.cur.Add(min(max(off, -limit), limit))
	return uint64(max(c.cur.UnixMilli(), 0))
}

// Set goes to the wall clock at once. It is for a clock whose stamps are not used because it is off: drawn slowly, one that
// was an hour off would take days after it has been set right. Not safe for concurrent use.
func (c *Clock) Set() { c.last, c.cur = c.boot(), c.wall().Round(0) }

// CheckStart compares the wall clock at start with the time of the last entry: a clock far off would put wrong times on
// everything for good. Both limits can be overridden by the operator.
func CheckStart(now time.Time, lastMs uint64) error {
	if lastMs == 0 {
		return nil
	}
	last := time.UnixMilli(int64(lastMs))
	switch {
	case now.Before(last.Add(-24 * time.Hour)):
		return fmt.Errorf("this machine's clock says %s, more than a day before the last entry (%s); set it, or start with --accept-clock", now.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339))
	case now.After(last.Add(400 * 24 * time.Hour)):
		return fmt.Errorf("this machine's clock says %s, more than 400 days after the last entry (%s); set it, or start with --accept-clock", now.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339))
	}
	return nil
}
