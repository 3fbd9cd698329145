package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// burnable are operations of three sites, of which gwangju is out, that note what is asked of them.
func burnable(asked *[]string, steady *bool) *Operations {
	note := func(what string) func(context.Context, string) error {
		return func(_ context.Context, site string) error { *asked = append(*asked, what+" "+site); return nil }
	}
	return &Operations{
		Sites: func(context.Context) (*apiv1.GetSitesResponse, error) {
			return &apiv1.GetSitesResponse{Steady: *steady, Sites: []*apiv1.SiteReport{{Name: "busan"}, {Name: "seoul"},
				{Name: "gwangju", State: apiv1.SiteState_SITE_STATE_UNREACHABLE}}}, nil
		},
		Watch:   func(uint64) *apiv1.WatchSitesResponse { return &apiv1.WatchSitesResponse{Sites: []string{"seoul"}} },
		Backups: func(context.Context) *apiv1.GetBackupsResponse { return &apiv1.GetBackupsResponse{} },
		Drill: func(context.Context) (*apiv1.GetDrillResponse, error) {
			return &apiv1.GetDrillResponse{State: apiv1.DrillState_DRILL_STATE_NONE}, nil
		},
		MayBurn: func(context.Context, string) error { return nil },
		Burn:    note("burn"), Light: note("light"),
	}
}

// everyOperatorCall has a valid request for every method of OperatorService.
func everyOperatorCall(t *testing.T) map[string]obj {
	calls := map[string]obj{"GetSites": {}, "WatchSites": {}, "ListDrills": {}, "GetDrill": {}, "StartDrill": {"site": "seoul", "confirm": "서울"},
		"EndDrill": {"site": "gwangju"}, "ListActs": {}, "GetBackups": {}}
	methods := apiv1.File_bonghwa_api_v1_operator_proto.Services().ByName("OperatorService").Methods()
	for i := range methods.Len() {
		if name := string(methods.Get(i).Name()); calls[name] == nil {
			t.Fatalf("%s is not tried", name)
		}
	}
	return calls
}

// Only who has the role now is answered, by every method, and a role that is taken back binds with the next call.
func TestOnlyOperators(t *testing.T) {
	var asked []string
	steady := true
	w := newWeb(t, func(o *Options) { o.Operations = burnable(&asked, &steady) })
	a := w.person("alice")
	token := ids.Text(a.token)
	tryAll := func(want string) {
		t.Helper()
		for method, body := range everyOperatorCall(t) {
			if _, reason, _ := w.call(token, "OperatorService/"+method, body); reason != want {
				t.Errorf("%s: %q, want %q", method, reason, want)
			}
		}
	}
	me := func() any { return w.ok(token, "PeopleService/GetMe", obj{})["operator"] }
	for method, body := range everyOperatorCall(t) {
		w.refused("UNAUTHENTICATED", "", "OperatorService/"+method, body)
	}
	tryAll("NOT_OPERATOR")
	if len(asked) > 0 || me() != nil {
		t.Fatalf("%v was asked for a person without the role; operator: %v", asked, me())
	}
	if err := w.g.SetOperator(t.Context(), "alice", true); err != nil {
		t.Fatal(err)
	}
	tryAll("")
	if slices.Sort(asked); !slices.Equal(asked, []string{"burn seoul", "light gwangju"}) || me() != true {
		t.Fatalf("%v, operator: %v", asked, me())
	}
	if err := w.g.SetOperator(t.Context(), "alice", false); err != nil {
		t.Fatal(err)
	}
	tryAll("NOT_OPERATOR")
	if len(asked) != 2 || me() != nil {
		t.Fatalf("%v was asked after the role was taken back", asked)
	}

	// A node that is not ready answers nobody, operators neither.
	if err := w.g.SetOperator(t.Context(), "alice", true); err != nil {
		t.Fatal(err)
	}
	w.k.notReady(kernel.ErrNotReady)
	tryAll("NOT_READY")
	if len(asked) != 2 {
		t.Fatalf("%v was asked of a node that is not ready", asked)
	}
}

// A fire starts only with the site's name typed, where the site is known, while all sites are well and no drill is under way; a site
// is lit only if it is out. What is refused leaves no act.
func TestStartDrill(t *testing.T) {
	var asked []string
	steady := true
	fire := &apiv1.GetDrillResponse{}
	var mayNot error
	ops := burnable(&asked, &steady)
	ops.Drill = func(context.Context) (*apiv1.GetDrillResponse, error) { return fire, nil }
	ops.MayBurn = func(context.Context, string) error { return mayNot }
	w := newWeb(t, func(o *Options) { o.Operations = ops })
	token := ids.Text(w.person("alice").token)
	if err := w.g.SetOperator(t.Context(), "alice", true); err != nil {
		t.Fatal(err)
	}
	start := func(want, site, confirm string) {
		t.Helper()
		if _, reason, info := w.call(token, "OperatorService/StartDrill", obj{"site": site, "confirm": confirm}); reason != want {
			t.Fatalf("%s, %q: %q %v, want %q", site, confirm, reason, info, want)
		}
	}
	start("INVALID", "seoul", "")
	start("INVALID", "seoul", "부산")
	start("INVALID", "jeju", "제주")
	steady = false
	start("UNAVAILABLE", "seoul", "서울")
	steady, mayNot = true, errors.New("a drill is under way")
	start("UNAVAILABLE", "seoul", "서울")
	end := func(want, site string) {
		t.Helper()
		if _, reason, _ := w.call(token, "OperatorService/EndDrill", obj{"site": site}); reason != want {
			t.Fatalf("light %s: %q, want %q", site, reason, want)
		}
	}
	end("UNAVAILABLE", "seoul") // no site burns
	if len(asked) > 0 {
		t.Fatalf("%v", asked)
	}
	mayNot = nil
	start("", "seoul", " 서울 ")
	fire = &apiv1.GetDrillResponse{State: apiv1.DrillState_DRILL_STATE_BURNING, Site: "seoul"}
	mayNot = errors.New("a drill is under way")
	start("", "seoul", "서울") // the answer was lost
	start("UNAVAILABLE", "busan", "부산")
	end("UNAVAILABLE", "busan")
	end("", "seoul")
	fire = &apiv1.GetDrillResponse{State: apiv1.DrillState_DRILL_STATE_COMING_BACK, Site: "seoul"}
	end("UNAVAILABLE", "seoul")
	fire, mayNot = &apiv1.GetDrillResponse{State: apiv1.DrillState_DRILL_STATE_FAILED, Site: "seoul"}, nil
	end("", "gwangju") // out, though no drill is under way
	start("", "busan", "Busan")
	if !slices.Equal(asked, []string{"burn seoul", "light seoul", "light gwangju", "burn busan"}) {
		t.Fatalf("%v", asked)
	}
	var what []string
	for _, a := range w.ok(token, "OperatorService/ListActs", obj{})["acts"].([]any) {
		a := a.(obj)
		what = append(what, fmt.Sprintf("%v %v %v", a["handle"], a["what"], a["on"]))
	}
	if !slices.Equal(what, []string{"alice drill_started busan", "alice drill_ended gwangju", "alice drill_ended seoul", "alice drill_started seoul",
		"<nil> granted alice"}) {
		t.Fatalf("acts: %q", what)
	}
}

// Lists come in pages, newest first, without a hole or a double.
func TestPagesOfActs(t *testing.T) {
	w := newWeb(t, nil)
	token := ids.Text(w.person("alice").token)
	if err := w.g.SetOperator(t.Context(), "alice", true); err != nil {
		t.Fatal(err)
	}
	const n = 2*pageSize + 3
	for i := range n - 1 {
		if err := w.g.RecordAct(t.Context(), "drained", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		if err := w.g.RecordDrill(t.Context(), &logv1.RecordDrill{Scenario: "power-loss", Site: "seoul", StartedMs: uint64(i) + 1, EndedMs: uint64(i) + 2}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(method, list, field string) (all []string) {
		before := ""
		for pages := 0; ; pages++ {
			page := w.ok(token, "OperatorService/"+method, obj{"before": before})
			items, _ := page[list].([]any)
			for _, a := range items {
				all = append(all, fmt.Sprint(a.(obj)[field]))
			}
			if page["next"] == nil {
				return all
			}
			before = page["next"].(string)
		}
	}
	acts, drills := read("ListActs", "acts", "on"), read("ListDrills", "drills", "startedMs")
	if len(acts) != n || len(drills) != n-1 {
		t.Fatalf("%d acts and %d drills, want %d and %d", len(acts), len(drills), n, n-1)
	}
	for i := range n - 1 {
		if acts[i] != fmt.Sprint(n-2-i) || drills[i] != fmt.Sprint(n-1-i) {
			t.Fatalf("place %d: act %s, drill %s", i, acts[i], drills[i])
		}
	}
	w.refused("INVALID", token, "OperatorService/ListActs", obj{"before": "no cursor!"})
}
