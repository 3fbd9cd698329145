package clientcore

import (
	"math/rand/v2"
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// bareCore is a core whose outputs the test takes itself.
type bareCore struct {
	*Core
	t   *testing.T
	now int64
	out []Output
}

func newBare(t *testing.T) *bareCore {
	b := &bareCore{t: t, now: 1_764_000_000_000, Core: New(Config{Sites: 1, Rand: rand.New(rand.NewPCG(1, 2)), Volatile: true})}
	b.SetAccount(ids.NewUser(1, []byte("alice")), "token", ids.Device{1})
	b.GoOnline(b.now)
	b.look()
	return b
}

// look takes what was put out.
func (b *bareCore) look() { b.out = b.Take() }

// wake does what is due now.
func (b *bareCore) wake() {
	b.t.Helper()
	if at, ok := b.NextWake(); !ok || at > b.now {
		b.t.Fatalf("nothing is due now: %d, %v", at-b.now, ok)
	}
	b.Tick(b.now)
	b.look()
}

// one is the only output of its kind.
func one[T any](b *bareCore) T {
	b.t.Helper()
	var found []T
	for _, o := range b.out {
		if x, ok := o.(T); ok {
			found = append(found, x)
		}
	}
	if len(found) != 1 {
		b.t.Fatalf("%d of %T in %+v", len(found), found, b.out)
	}
	return found[0]
}

// refuseHello opens the connection that was asked for and refuses its Hello.
func (b *bareCore) refuseHello(e *apiv1.ErrorInfo) {
	b.t.Helper()
	conn := one[Open](b).Conn
	b.Opened(b.now, conn)
	b.look()
	hello := one[Write](b).Frame
	b.Frame(b.now, conn, &livev1.Frame{Id: hello.Id, Body: &livev1.Frame_Ack{Ack: &livev1.Ack{Error: e}}})
	b.look()
}

func mustChange() *apiv1.ErrorInfo {
	return &apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_MUST_CHANGE_PASSWORD, Again: true}
}

// Behind a one-time code nothing is tried but the new password; what stands before it is given up and told so; with it the client
// connects at once.
func TestMustChangePasswordFirst(t *testing.T) {
	b := newBare(t)
	b.refuseHello(mustChange())
	if s := one[Deliver](b).State; s == nil || !s.MustChange || s.Ended != nil {
		t.Fatalf("%+v", s)
	}
	if at, ok := b.NextWake(); ok {
		t.Fatalf("something is waited for: %d ms", at-b.now)
	}
	friend, err := b.Submit(b.now, Op{Kind: KindAddFriend, Peer: peer})
	if err != nil {
		t.Fatal(err)
	}
	b.now += 100_000
	b.Tick(b.now)
	if b.look(); len(b.out) != 0 {
		t.Fatalf("before the new password: %+v", b.out)
	}
	if _, err := b.Submit(b.now, Op{Kind: KindChangePassword, Old: "code", New: "new"}); err != nil {
		t.Fatal(err)
	}
	b.look()
	call := one[Call](b)
	if !call.Skip || call.Op.Kind != KindAddFriend {
		t.Fatalf("%+v", call)
	}
	b.Called(b.now, call.ID, nil, &Refusal{Reason: apiv1.Reason_REASON_SKIPPED, Consumed: true}, false)
	b.look()
	if s := one[Settled](b); s.Item != friend || s.Result.Err == nil || s.Result.Err.Reason != apiv1.Reason_REASON_MUST_CHANGE_PASSWORD {
		t.Fatalf("%+v", s)
	}
	call = one[Call](b)
	if call.Skip || call.Op.Kind != KindChangePassword || call.Name.N != 2 {
		t.Fatalf("%+v", call)
	}
	b.Called(b.now, call.ID, &apiv1.ChangeResponse{}, nil, false)
	b.look()
	if s := one[Deliver](b).State; s == nil || s.MustChange {
		t.Fatalf("%+v", s)
	}
	b.wake()
	one[Open](b)
}

// The refusal of a Hello may arrive after the password was changed: the client asks again.
func TestMustChangePasswordToldLate(t *testing.T) {
	b := newBare(t)
	conn := one[Open](b).Conn
	b.Opened(b.now, conn)
	if _, err := b.Submit(b.now, Op{Kind: KindChangePassword, Old: "code", New: "new"}); err != nil {
		t.Fatal(err)
	}
	b.look()
	b.Called(b.now, one[Call](b).ID, &apiv1.ChangeResponse{}, nil, false)
	b.wake()
	again := one[Open](b).Conn
	b.Frame(b.now, conn, &livev1.Frame{Id: 1, Body: &livev1.Frame_Ack{Ack: &livev1.Ack{Error: mustChange()}}})
	if b.look(); len(b.out) != 0 {
		t.Fatalf("%+v", b.out)
	}
	b.Opened(b.now, again)
	b.look()
	if one[Write](b).Frame.GetHello() == nil {
		t.Fatal("no Hello")
	}
}

// A site that is a moment behind does not know yet that the password was changed at another: that is no reason to ask for a new one
// again.
func TestMustChangePasswordSiteBehind(t *testing.T) {
	b := newBare(t)
	b.refuseHello(mustChange())
	if _, err := b.Submit(b.now, Op{Kind: KindChangePassword, Old: "code", New: "new"}); err != nil {
		t.Fatal(err)
	}
	b.look()
	b.Called(b.now, one[Call](b).ID, &apiv1.ChangeResponse{}, nil, false)
	b.wake()
	b.refuseHello(mustChange())
	for _, o := range b.out {
		if d, ok := o.(Deliver); ok && d.State != nil && d.State.MustChange {
			t.Fatal("a new password is asked for again")
		}
	}
	at, ok := b.NextWake()
	if !ok || at > b.now+1000 {
		t.Fatalf("the next Hello comes in %d ms, %v", at-b.now, ok)
	}
	b.now = at
	b.wake()
	b.now += changeSeenAfter // a site that says so now means it: the operator gave another code
	b.refuseHello(mustChange())
	if s := one[Deliver](b).State; s == nil || !s.MustChange {
		t.Fatalf("%+v", s)
	}
}
