package clientcore

import (
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
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
