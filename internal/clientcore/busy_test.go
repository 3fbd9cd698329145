package clientcore

import (
	"math/rand/v2"
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// A Hello that is refused for load is not said again before the time that the server gave, nor is a page of history asked for.
func TestBusyServerIsLeftAlone(t *testing.T) {
	b := newBare(t)
	const room = "aaaqclywsm5wzvn2csqhuvy2ya"
	b.refuseHello(&apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_BUSY, Again: true, RetryAfterMs: 7000})
	if at, ok := b.NextWake(); !ok || at < b.now+7000 || at > b.now+8000 {
		t.Fatalf("the next Hello comes in %d ms", at-b.now)
	}
	b.now += 8000
	b.Tick(b.now)
	b.look()
	conn := one[Open](b).Conn
	b.Opened(b.now, conn)
	line := func(last uint64) *livev1.Frame {
		return &livev1.Frame{Body: &livev1.Frame_Rooms{Rooms: &livev1.Rooms{Rooms: []*apiv1.Room{{Id: room, LastSeq: last, JoinedSeq: 1}}}}}
	}
	b.Frame(b.now, conn, line(1))
	b.Frame(b.now, conn, &livev1.Frame{Body: &livev1.Frame_Welcome{Welcome: &livev1.Welcome{Position: &apiv1.Position{Epoch: 7, N: 9}}}})
	b.look()
	b.Frame(b.now, conn, line(4))
	b.look()
	f := one[Fetch](b)
	b.Fetched(b.now, f.ID, nil, &Refusal{Reason: apiv1.Reason_REASON_BUSY, Again: true, RetryAfter: 3000})
	b.now += 2999
	b.Tick(b.now)
	if b.look(); len(b.out) != 0 {
		t.Fatalf("asked again too early: %+v", b.out)
	}
	b.now += 200
	b.Tick(b.now)
	b.look()
	one[Fetch](b)
	if n := (&Refusal{RetryAfter: 1 << 63}).after(); n != 3600_000 {
		t.Errorf("%d", n)
	}
}

// A site that is busy is left alone; the others are not waited for, until all of them are.
func TestBusySiteDelaysNoOther(t *testing.T) {
	b := &bareCore{t: t, now: 1_764_000_000_000, Core: New(Config{Sites: 3, Rand: rand.New(rand.NewPCG(1, 2)), Volatile: true})}
	b.SetAccount(ids.NewUser(1, []byte("alice")), "token", ids.Device{1})
	b.GoOnline(b.now)
	b.look()
	start := b.now
	busy := func(site int, after uint64) {
		t.Helper()
		if o := one[Open](b); o.Site != site {
			t.Fatalf("site %d is asked, want %d", o.Site, site)
		}
		b.refuseHello(&apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_BUSY, Again: true, RetryAfterMs: after})
		at, ok := b.NextWake()
		if !ok {
			t.Fatal("nothing is waited for")
		}
		b.now = max(b.now, at)
		b.Tick(b.now)
		b.look()
	}
	busy(0, 9000)
	busy(1, 5000)
	if b.now > start+1000 {
		t.Fatalf("the third site is asked after %d ms", b.now-start)
	}
	busy(2, 7000)
	if b.now < start+5000 || b.now > start+7000 {
		t.Fatalf("asked again after %d ms", b.now-start)
	}
	if o := one[Open](b); o.Site != 1 {
		t.Fatalf("site %d is asked again first", o.Site)
	}
}
