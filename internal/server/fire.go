package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"time"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// Who runs the sites of a demo gives its nodes a way to have one burned and lit: a unix socket that is named in their files. A
// cluster of one's own has none.

// Of a fire, in Fire.State.
const (
	FireNone    = "none"
	FireBurning = "burning"
	FireComing  = "coming back"
	FireReading = "reading"
	FireDone    = "done"
	FireFailed  = "failed"
)

// Fire is how a drill of the demo stands.
type Fire struct {
	State     string      `json:"state"`
	Site      string      `json:"site,omitempty"`
	StartedMs uint64      `json:"started_ms,omitempty"`
	Acked     uint64      `json:"acked,omitempty"`
	Checked   uint64      `json:"checked,omitempty"`
	Moved     uint32      `json:"moved,omitempty"`
	GapMs     uint32      `json:"gap_ms,omitempty"`
	Drill     *DrillFound `json:"drill,omitempty"`
	Why       []Matter    `json:"why,omitempty"`
	// Waiting: those who are measured are not there yet.
	Waiting bool `json:"waiting,omitempty"`
}

// DrillFound is what a drill found, as it is recorded.
type DrillFound struct {
	Scenario           string `json:"scenario"`
	Site               string `json:"site"`
	StartedMs          uint64 `json:"started_ms"`
	EndedMs            uint64 `json:"ended_ms"`
	People             uint32 `json:"people"`
	Acked              uint64 `json:"acked"`
	Lost               uint64 `json:"lost"`
	Duplicated         uint64 `json:"duplicated"`
	Reordered          uint64 `json:"reordered"`
	Unauthorised       uint64 `json:"unauthorised"`
	Tried              uint64 `json:"tried"`
	SendGapMs          uint32 `json:"send_gap_ms"`
	DeliveryGapMs      uint32 `json:"delivery_gap_ms"`
	MovedSendGapMs     uint32 `json:"moved_send_gap_ms"`
	MovedDeliveryGapMs uint32 `json:"moved_delivery_gap_ms"`
	Moved              uint32 `json:"moved"`
	Held               bool   `json:"held"`
	HeldInTime         bool   `json:"held_in_time"`
	Source             string `json:"source"`
}

func (d *DrillFound) record() *logv1.RecordDrill {
	return &logv1.RecordDrill{Scenario: d.Scenario, Site: d.Site, StartedMs: d.StartedMs, EndedMs: d.EndedMs, People: d.People, Acked: d.Acked, Lost: d.Lost,
		Duplicated: d.Duplicated, Reordered: d.Reordered, Unauthorised: d.Unauthorised, Tried: d.Tried, SendGapMs: d.SendGapMs, DeliveryGapMs: d.DeliveryGapMs,
		MovedSendGapMs: d.MovedSendGapMs, MovedDeliveryGapMs: d.MovedDeliveryGapMs, Moved: d.Moved, Held: d.Held, HeldInTime: d.HeldInTime, Source: d.Source}
}

func (d *DrillFound) api() *apiv1.Drill {
	if d == nil {
		return nil
	}
	return &apiv1.Drill{Scenario: d.Scenario, Site: d.Site, StartedMs: d.StartedMs, EndedMs: d.EndedMs, People: d.People, Acked: d.Acked, Lost: d.Lost,
		Duplicated: d.Duplicated, Reordered: d.Reordered, Unauthorised: d.Unauthorised, Tried: d.Tried, SendGapMs: d.SendGapMs, DeliveryGapMs: d.DeliveryGapMs,
		MovedSendGapMs: d.MovedSendGapMs, MovedDeliveryGapMs: d.MovedDeliveryGapMs, Moved: d.Moved, Held: d.Held, HeldInTime: d.HeldInTime, Source: d.Source}
}

// Control is what the one who runs the sites does for them. May says why a site cannot be burned now. Burn and Light return when it has begun: the node that asks may be the
// one that goes.
type Control struct {
	May, Burn, Light func(site string) error
	Fire             func() Fire
}

// ServeControl serves control on a unix socket that only its owner can use, until close is called.
func ServeControl(path string, c Control) (closing func(), err error) {
	l, dir, err := listenPrivate(path)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /fire", func(w http.ResponseWriter, _ *http.Request) { reply(w, c.Fire(), nil) })
	mux.HandleFunc("GET /may-burn", func(w http.ResponseWriter, r *http.Request) { reply(w, struct{}{}, c.May(r.FormValue("site"))) })
	mux.HandleFunc("POST /burn", func(w http.ResponseWriter, r *http.Request) { reply(w, struct{}{}, c.Burn(r.FormValue("site"))) })
	mux.HandleFunc("POST /light", func(w http.ResponseWriter, r *http.Request) { reply(w, struct{}{}, c.Light(r.FormValue("site"))) })
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = srv.Serve(l) }()
	return func() {
		_ = srv.Close()
		_ = os.Remove(path)
		_ = dir.Close()
	}, nil
}

// control asks whoever runs the sites.
type control struct{ path string }

func (c control) call(ctx context.Context, method, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, nodeTimeout)
	defer cancel()
	res, err := unixCall(ctx, c.path, method, path, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(into)
}

func (c control) mayBurn(ctx context.Context, site string) error {
	return c.call(ctx, "GET", "/may-burn?site="+url.QueryEscape(site), &struct{}{})
}

func (c control) burn(ctx context.Context, site string) error {
	return c.call(ctx, "POST", "/burn?site="+url.QueryEscape(site), &struct{}{})
}

func (c control) light(ctx context.Context, site string) error {
	return c.call(ctx, "POST", "/light?site="+url.QueryEscape(site), &struct{}{})
}

var fireStates = map[string]apiv1.DrillState{
	FireNone: apiv1.DrillState_DRILL_STATE_NONE, FireBurning: apiv1.DrillState_DRILL_STATE_BURNING, FireComing: apiv1.DrillState_DRILL_STATE_COMING_BACK,
	FireReading: apiv1.DrillState_DRILL_STATE_READING, FireDone: apiv1.DrillState_DRILL_STATE_DONE, FireFailed: apiv1.DrillState_DRILL_STATE_FAILED,
}

func (c control) drill(ctx context.Context) (*apiv1.GetDrillResponse, error) {
	var f Fire
	if err := c.call(ctx, "GET", "/fire", &f); err != nil {
		return nil, err
	}
	return &apiv1.GetDrillResponse{State: fireStates[f.State], Site: f.Site, StartedMs: f.StartedMs, Acked: f.Acked, Checked: f.Checked, Moved: f.Moved,
		GapMs: f.GapMs, Drill: f.Drill.api(), Why: mattersOf(f.Why), Waiting: f.Waiting}, nil
}
