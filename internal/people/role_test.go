package people

import (
	"fmt"
	"slices"
	"testing"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

func aDrill() *logv1.RecordDrill {
	return &logv1.RecordDrill{Scenario: "power-loss", Site: "seoul", StartedMs: start, EndedMs: start + 60_000, People: 12, Acked: 3000, Tried: 500, SendGapMs: 400,
		DeliveryGapMs: 450, MovedSendGapMs: 800, MovedDeliveryGapMs: 850, Moved: 4, Held: true, HeldInTime: true, Source: "demo"}
}

// acts reads what there is, newest first, in pages of n.
func acts(w *world, n int) (all []string) {
	var cursor []byte
	for {
		page := 0
		Acts(w.tx, cursor, func(c []byte, a Act) bool {
			who := "terminal"
			if a.Who != (ids.User{}) {
				who = "person"
			}
			all = append(all, fmt.Sprintf("%s %s %s@%s", who, a.What, a.On, a.Site))
			cursor = c
			page++
			return page < n
		})
		if page < n {
			return all
		}
	}
}

func TestRoles(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdSignUp("hana"))
	w.want(kernel.UnknownUser, cmdGrant("nobody"))
	w.want(kernel.NotOperator, cmdAct("mina", "drained", "busan"))
	bad := cmdGrant("mina")
	bad.GetGrantRole().Role = "king"
	w.want(kernel.Invalid, bad)

	w.want(kernel.OK, cmdGrant("mina"))
	w.wantEvents(AccountChanged{userOf("mina"), false})
	w.silent(cmdGrant("mina"))
	if !IsOperator(w.tx, userOf("mina")) || IsOperator(w.tx, userOf("hana")) {
		t.Fatal("who is an operator?")
	}
	if got := Operators(w.tx); len(got) != 1 || got[0] != (OperatorSince{userOf("mina"), start}) {
		t.Fatalf("%+v", got)
	}
	w.want(kernel.OK, cmdAct("mina", "drill_started", "seoul"))
	w.want(kernel.OK, cmdTakeRole("mina"))
	w.silent(cmdTakeRole("mina"))
	w.want(kernel.NotOperator, cmdAct("mina", "drill_ended", "seoul"))
	w.want(kernel.OK, cmdAct("", "drained", "busan"))

	// A closed account has no role, and there is an act of it.
	w.want(kernel.OK, cmdGrant("hana"))
	w.want(kernel.OK, cmdDelete("hana", 1))
	if len(Operators(w.tx)) != 0 {
		t.Fatal("a closed account has the role")
	}
	want := []string{"person revoked hana@", "terminal granted hana@seoul", "terminal drained busan@busan", "terminal revoked mina@seoul",
		"person drill_started seoul@busan", "terminal granted mina@seoul"}
	for n := 1; n <= 7; n++ {
		if got := acts(w, n); !slices.Equal(got, want) {
			t.Fatalf("pages of %d: %v, want %v", n, got, want)
		}
	}
	checkInvariants(t, w)
}

func TestDrills(t *testing.T) {
	w := newWorld(t)
	if LastHeld(w.tx) != 0 {
		t.Fatal("a drill held before there was one")
	}
	first := aDrill()
	w.want(kernel.OK, cmdDrill(first))
	w.silent(cmdDrill(first))
	second := aDrill()
	second.StartedMs, second.EndedMs, second.Held, second.Lost = start+100_000, start+160_000, false, 1
	w.want(kernel.OK, cmdDrill(second))
	if got := LastHeld(w.tx); got != first.EndedMs {
		t.Fatalf("held last at %d", got)
	}
	var lost []uint64
	Drills(w.tx, nil, func(_ []byte, d Drill) bool { lost = append(lost, d.Lost); return true })
	if !slices.Equal(lost, []uint64{1, 0}) {
		t.Fatalf("not the newest first, or not two: %v", lost)
	}
	checkInvariants(t, w)
}
