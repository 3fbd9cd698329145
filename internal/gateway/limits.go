package gateway

import (
	"sync"
	"time"
)

// Limits bound what one address, handle or session may ask for. Zero means the default.
type Limits struct {
	// Passwords is how many wrong ones an address or a handle may try in PasswordWindow.
	Passwords      int
	PasswordWindow time.Duration
	// Codes is how many wrong device codes an account may try in PasswordWindow.
	Codes int
	// LookUps are CheckHandle and FindUser calls, SignUps and device codes are asked for: per address, a burst and then
	// one per interval.
	LookUps     int
	LookUpEvery time.Duration
	SignUps     int
	SignUpEvery time.Duration
	// Profiles are changes of a name or status message, per account: a burst, and then one per interval. Everybody who shares a
	// room is looked at for each.
	Profiles     int
	ProfileEvery time.Duration
	// Photos an account may set: a burst, and then one per interval. Each costs the log and every site up to 48 KiB.
	Photos     int
	PhotoEvery time.Duration
	// PhotoReads are GetPhotos calls of a session: a burst, and then one per interval. Each answers up to 2 MB.
	PhotoReads     int
	PhotoReadEvery time.Duration
	// Calls of a session, of every service, and its Hellos, on however many connections: a burst, and then one per interval. All the
	// sessions of a person together have sessionShare times that.
	// docs/protocol.md, "Limits", says from what the figures come.
	Calls      int
	CallEvery  time.Duration
	Hellos     int
	HelloEvery time.Duration
	// Strangers are calls of AccountService but GetServer, per address, beside what is limited more narrowly.
	Strangers     int
	StrangerEvery time.Duration
	// Commands a session may submit per second, and at once.
	CommandsPerSecond, CommandBurst int
	// HashSlots is how many password hashes run at once (0 = one per core), HashWait how long one waits for its turn.
	HashSlots int
	HashWait  time.Duration
	// Rooms a person may have in the list, left ones included; RoomsByStrangers is up to how many people may put them into one whom
	// they have not added.
	Rooms, RoomsByStrangers int
	// Pins of a person: a burst, and then one per interval. Each reads the whole list, at every site.
	Pins     int
	PinEvery time.Duration
	// HelloSlots is how many Hellos are answered at once (0 = one per core), HelloWait how long one waits for its turn.
	HelloSlots int
	HelloWait  time.Duration
	// QueueBytes and QueueFrames bound what waits for one connection; BacklogBytes the events that come while the
	// session is being opened.
	QueueBytes, QueueFrames, BacklogBytes int
	// Connections is how many sockets this node takes.
	Connections int
}

func (l *Limits) setDefaults() {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	defTime := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.Passwords, 10)
	def(&l.Codes, 10)
	defTime(&l.PasswordWindow, 10*time.Minute)
	def(&l.LookUps, 60)
	defTime(&l.LookUpEvery, time.Second)
	def(&l.SignUps, 30)
	defTime(&l.SignUpEvery, 10*time.Second)
	def(&l.Profiles, 40)
	defTime(&l.ProfileEvery, time.Second)
	def(&l.Photos, 20)
	defTime(&l.PhotoEvery, 30*time.Second)
	def(&l.PhotoReads, 80)
	defTime(&l.PhotoReadEvery, 100*time.Millisecond)
	def(&l.Calls, 2000)
	defTime(&l.CallEvery, 10*time.Millisecond)
	def(&l.Hellos, 60)
	defTime(&l.HelloEvery, time.Second)
	def(&l.Strangers, 600)
	defTime(&l.StrangerEvery, 20*time.Millisecond)
	def(&l.CommandsPerSecond, 200)
	def(&l.CommandBurst, 400)
	defTime(&l.HashWait, 2*time.Second)
	def(&l.Rooms, 10_000)
	def(&l.RoomsByStrangers, l.Rooms/2)
	def(&l.Pins, 40)
	defTime(&l.PinEvery, time.Second)
	defTime(&l.HelloWait, time.Second)
	def(&l.QueueBytes, 512<<10)
	def(&l.QueueFrames, 2048)
	def(&l.BacklogBytes, 256<<10)
	def(&l.Connections, 100_000)
}

// gcra is a token bucket in one number: the time at which it would be full again (the theoretical arrival time of the
// generic cell rate algorithm), in nanoseconds.
type gcra int64

// fullest bounds how much a bucket can hold, so that no limit, however large, overflows the clock.
const fullest = 365 * 24 * time.Hour

// take spends one token; wait is how long until there is one, 0 = taken.
func (g *gcra) take(now time.Time, every time.Duration, burst int) (wait time.Duration) {
	if every > 0 {
		burst = min(burst, int(fullest/every))
	}
	n := now.UnixNano()
	full := max(int64(*g), n)
	if ahead := time.Duration(full-n) + every - time.Duration(burst)*every; ahead > 0 {
		return ahead
	}
	*g = gcra(full + int64(every))
	return 0
}

// maxKeys bounds a limiter's memory. When it is full, the keys that are back to a full bucket go; if none is, everybody
// unknown waits. Looking through all of them takes milliseconds, so that is done ten times a second at most: who comes from ever new
// addresses must not make it the cost of every call.
const (
	maxKeys    = 50_000
	sweepEvery = 100 * time.Millisecond
)

// limiter keeps a bucket per key.
type limiter struct {
	every time.Duration
	burst int
	mu    struct {
		sync.Mutex
		keys  map[string]gcra
		swept time.Time
	}
}

func newLimiter(every time.Duration, burst int) *limiter {
	l := &limiter{every: every, burst: burst}
	l.mu.keys = map[string]gcra{}
	return l
}

// take spends a token of key; 0 = taken.
func (l *limiter) take(now time.Time, key string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.mu.keys[key]
	if !ok && len(l.mu.keys) >= maxKeys {
		if d := now.Sub(l.mu.swept); d >= sweepEvery || d < 0 {
			l.mu.swept = now
			for k, v := range l.mu.keys {
				if int64(v) <= now.UnixNano() {
					delete(l.mu.keys, k)
				}
			}
		}
		if len(l.mu.keys) >= maxKeys {
			return l.every
		}
	}
	wait := g.take(now, l.every, l.burst)
	l.mu.keys[key] = g
	return wait
}

// back gives a token back.
func (l *limiter) back(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g, ok := l.mu.keys[key]; ok {
		l.mu.keys[key] = g - gcra(l.every)
	}
}

// limiters of the gateway, by what they count.
type limiters struct {
	passwordAddress, passwordHandle, codes, lookUps, signUps, profiles, photos, photoReads, strangers, pins *limiter
	calls, personCalls, hellos, personHellos                                                                *limiter
}

// sessionShare: a person may have 200 sessions, and uses a few at a time.
const sessionShare = 4

func newLimiters(l Limits) limiters {
	window := func(n int) *limiter { return newLimiter(l.PasswordWindow/time.Duration(n), n) }
	return limiters{
		passwordAddress: window(l.Passwords),
		passwordHandle:  window(l.Passwords),
		codes:           window(l.Codes),
		lookUps:         newLimiter(l.LookUpEvery, l.LookUps),
		signUps:         newLimiter(l.SignUpEvery, l.SignUps),
		profiles:        newLimiter(l.ProfileEvery, l.Profiles),
		photos:          newLimiter(l.PhotoEvery, l.Photos),
		photoReads:      newLimiter(l.PhotoReadEvery, l.PhotoReads),
		calls:           newLimiter(l.CallEvery, l.Calls),
		personCalls:     newLimiter(l.CallEvery/sessionShare, l.Calls*sessionShare),
		hellos:          newLimiter(l.HelloEvery, l.Hellos),
		personHellos:    newLimiter(l.HelloEvery/sessionShare, l.Hellos*sessionShare),
		strangers:       newLimiter(l.StrangerEvery, l.Strangers),
		pins:            newLimiter(l.PinEvery, l.Pins),
	}
}
