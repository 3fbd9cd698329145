package main

import (
	"errors"
	"os"
	"strings"
	"sync"
	"time"
)

// turnedClock is the machine's clock plus what a file says ("1h", "-1h", "0s"), for drills: whoever gives the flag has another
// clock without turning the machine's. Nothing but loopback takes it.
func (c serveCmd) turnedClock() (func() time.Time, error) {
	if c.ClockFile == "" {
		return nil, nil
	}
	if !c.onLoopback() {
		return nil, errors.New("--clock-file is for drills on loopback only")
	}
	var mu sync.Mutex
	var next time.Time
	var off time.Duration
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if now.After(next) {
			next = now.Add(100 * time.Millisecond)
			if b, err := os.ReadFile(c.ClockFile); err == nil {
				if d, err := time.ParseDuration(strings.TrimSpace(string(b))); err == nil {
					off = d
				}
			}
		}
		return now.Round(0).Add(off)
	}, nil
}
