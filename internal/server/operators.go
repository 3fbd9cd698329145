package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bonghwa/bonghwa/internal/gateway"
)

// actWait bounds the writing down of an act, which never holds up what was done.
const actWait = 10 * time.Second

// act writes down what somebody did at a terminal of this site. That it cannot be is logged, and undoes nothing.
func (s *Server) act(what, on string) {
	ctx, cancel := context.WithTimeout(s.ctx, actWait)
	s.tasks.Go(func() {
		defer cancel()
		if err := s.gw.RecordAct(ctx, what, on); err != nil {
			s.o.Logger.Warn("an operator's act could not be written down", "what", what, "on", on, "cause", err)
		}
	})
}

// actNow writes an act down, and returns when it is.
func (s *Server) actNow(ctx context.Context, what, on string) error {
	ctx, cancel := context.WithTimeout(ctx, actWait)
	defer cancel()
	return s.gw.RecordAct(ctx, what, on)
}

// operatorAdmin adds what somebody at the terminal can do about operators and drills.
func (s *Server) operatorAdmin(mux *http.ServeMux) {
	mux.HandleFunc("POST /operator", func(w http.ResponseWriter, r *http.Request) {
		reply(w, struct{}{}, s.gw.SetOperator(r.Context(), r.FormValue("handle"), r.FormValue("yes") != ""))
	})
	// What is typed at the terminal of a demo is done by the process that runs the sites, which says so here.
	mux.HandleFunc("POST /act", func(w http.ResponseWriter, r *http.Request) {
		what := r.FormValue("what")
		if what != ActBurned && what != ActLit {
			reply(w, nil, errors.New("no such act"))
			return
		}
		reply(w, struct{}{}, s.actNow(r.Context(), what, r.FormValue("on")))
	})
	mux.HandleFunc("GET /operators", func(w http.ResponseWriter, _ *http.Request) {
		list, err := s.gw.OperatorList()
		reply(w, list, err)
	})
	mux.HandleFunc("POST /drill", func(w http.ResponseWriter, r *http.Request) {
		var d DrillFound
		if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&d); err != nil || d.Scenario == "" || d.StartedMs == 0 || d.EndedMs < d.StartedMs {
			reply(w, nil, errors.New("the drill cannot be read"))
			return
		}
		err := s.gw.RecordDrill(r.Context(), d.record())
		if err == nil && r.FormValue("by_hand") != "" {
			s.act("drill_recorded", d.Scenario)
		}
		reply(w, struct{}{}, err)
	})
}

// SetOperator gives the role of operator to an account, or takes it back.
func (a AdminClient) SetOperator(ctx context.Context, handle string, yes bool) error {
	q := url.Values{"handle": {handle}}
	if yes {
		q.Set("yes", "1")
	}
	return a.call(ctx, "POST", "/operator?"+q.Encode(), &struct{}{})
}

// Acts of who runs the sites of a demo.
const (
	ActBurned = "drill_started"
	ActLit    = "drill_ended"
)

// RecordAct writes down that somebody at a terminal let a site burn or lit it.
func (a AdminClient) RecordAct(ctx context.Context, what, site string) error {
	return a.call(ctx, "POST", "/act?"+url.Values{"what": {what}, "on": {site}}.Encode(), &struct{}{})
}

// Operators lists who has the role.
func (a AdminClient) Operators(ctx context.Context) (list []gateway.OperatorAt, err error) {
	return list, a.call(ctx, "GET", "/operators", &list)
}

// RecordDrill writes down what a drill found. By hand: somebody does it, which is an act.
func (a AdminClient) RecordDrill(ctx context.Context, d DrillFound, byHand bool) error {
	b, err := json.Marshal(d)
	if err != nil {
		return err
	}
	path := "/drill"
	if byHand {
		path += "?by_hand=1"
	}
	res, err := a.send(ctx, "POST", path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	return res.Body.Close()
}

var descDrillHeld = desc("last_drill_held_timestamp_seconds", "When the last fire drill ended that held; 0: none has been recorded.")

// Describe implements prometheus.Collector.
func (a *alarm) Describe(ch chan<- *prometheus.Desc) { ch <- descDrillHeld }

// Collect implements prometheus.Collector.
func (a *alarm) Collect(ch chan<- prometheus.Metric) {
	if held, err := a.s.gw.LastHeld(); err == nil {
		ch <- prometheus.MustNewConstMetric(descDrillHeld, prometheus.GaugeValue, float64(held)/1000)
	}
}
