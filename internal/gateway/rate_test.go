package gateway

import (
	"strconv"
	"testing"
	"time"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// A session that calls without end is told how long to wait; another session of the same person is not, and what needs no session
// is counted by address.
func TestCallsOfASession(t *testing.T) {
	w := newWeb(t, func(o *Options) {
		o.Limits.Calls, o.Limits.CallEvery = 3, time.Second
		o.Limits.Strangers, o.Limits.StrangerEvery = 4, time.Second
	})
	w.ok("", "AccountService/SignUp", signUp(200, "alice"))
	w.ok("", "AccountService/LogIn", obj{"handle": "alice", "password": "correct horse", "token": rnd(32, 201), "device": rnd(16, 201)})
	for range 3 {
		w.ok(bearer(200), "PeopleService/GetMe", obj{})
	}
	info := w.refused("BUSY", bearer(200), "ChatService/ListRooms", obj{})
	if info["again"] != true || info["consumed"] == true || info["retryAfterMs"] != "1000" {
		t.Error(info)
	}
	w.ok(bearer(201), "PeopleService/GetMe", obj{})
	w.clock.advance(time.Second)
	w.ok(bearer(200), "ChatService/ListRooms", obj{})
	w.refused("BUSY", bearer(200), "PeopleService/GetMe", obj{})

	for range 3 { // and the sign-up and log-in, less the second that went by
		w.ok("", "AccountService/PollDeviceCode", obj{"token": rnd(32, 1)})
	}
	w.refused("BUSY", "", "AccountService/PollDeviceCode", obj{"token": rnd(32, 1)})
	w.refused("BUSY", "", "AccountService/CheckHandle", obj{"handle": "someone"})
	for range 20 {
		w.ok("", "AccountService/GetServer", obj{})
	}
}

// What an honest client asks for at its start is far from the limit: the Go client reads on in each of 500 rooms at once, the page
// asks for people and photos of 500.
func TestStartOf500Rooms(t *testing.T) {
	w := newWeb(t, nil)
	a := w.person("alice")
	token := ids.Text(a.token)
	for range 500 {
		w.refused("NOT_MEMBER", token, "ChatService/History", obj{"room": ids.Direct(a.user, a.user).String(), "from": "1"})
	}
	for range 500/200 + 1 {
		w.ok(token, "PeopleService/GetUsers", obj{"ids": []string{a.user.String()}})
		w.ok(token, "PeopleService/GetPresence", obj{"users": []string{a.user.String()}})
	}
	for range 500/40 + 1 {
		w.ok(token, "PeopleService/GetPhotos", obj{"users": []string{a.user.String()}})
	}
	for range 20 { // the attempts that a client makes at once
		a.live()
	}
}

// Hellos cost a reading of the whole list: a session gets so many, on whatever connections, and a connection, whoever asks.
func TestHellosOfASession(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.Hellos, o.Limits.HelloEvery = 3, time.Second })
	a, b := r.person("alice"), r.person("bob.1")
	hello := func(l *line, p *someone) *livev1.Frame {
		t.Helper()
		l.Frame(p.hello(nil))
		fs := l.take()
		if len(fs) == 0 {
			t.Fatal("no answer")
		}
		return fs[len(fs)-1]
	}
	for range 3 {
		a.live()
	}
	f := hello(a.connect(false), a)
	if e := f.GetAck().GetError(); e.GetReason() != apiv1.Reason_REASON_BUSY || !e.Again || e.RetryAfterMs != 1000 {
		t.Fatal(f)
	}
	b.live()
	r.clock.advance(time.Second)
	a.live()

	// However many sessions a person opens: together they get as much as a few.
	let := 0
	for range 3 * sessionShare {
		other := a.another(false)
		for range 3 {
			if hello(other.connect(false), other).GetAck().GetError() == nil {
				let++
			}
		}
	}
	if let < 2*sessionShare || let > 3*sessionShare {
		t.Fatalf("%d sessions of one person were let in %d times", 3*sessionShare, let)
	}
	b.live()

	stranger := *b
	stranger.token = rnd(32, 250)
	l := stranger.connect(false)
	for range 3 {
		if f := hello(l, &stranger); f.GetAck().GetError().GetReason() != apiv1.Reason_REASON_UNAUTHENTICATED {
			t.Fatal(f)
		}
	}
	if f := hello(l, &stranger); f.GetAck().GetError().GetReason() != apiv1.Reason_REASON_BUSY {
		t.Fatal(f)
	}
}

// A limiter that is full of keys does not look through them for each that is unknown; who is known goes on.
func TestFullLimiterIsSweptSeldom(t *testing.T) {
	l, now := newLimiter(20*time.Millisecond, 2), time.UnixMilli(1_800_000_000_000)
	for i := range maxKeys {
		if l.take(now, strconv.Itoa(i)) != 0 {
			t.Fatal(i)
		}
	}
	for range 3 {
		if l.take(now, "stranger") == 0 {
			t.Fatal("one more is remembered than may be")
		}
		now = now.Add(sweepEvery / 4) // all are back to a full bucket, and nobody looks yet
	}
	if l.take(now, "7") != 0 {
		t.Error("who is known waits too")
	}
	now = now.Add(sweepEvery / 4)
	if l.take(now, "stranger") != 0 || len(l.mu.keys) > 2 {
		t.Errorf("%d keys are left", len(l.mu.keys))
	}
}
