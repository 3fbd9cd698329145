package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
)

// beside is the node "mine" of a cell with one other, which says what st holds.
func beside(t *testing.T, st *atomic.Pointer[NodeState]) *nodes {
	t.Helper()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		said := *st.Load()
		said.Site = "other"
		_ = json.NewEncoder(w).Encode(said)
	}))
	t.Cleanup(srv.Close)
	sites := []config.Site{{Name: "mine", Node: "127.0.0.1:1"}, {Name: "other", Node: strings.TrimPrefix(srv.URL, "https://")}}
	return &nodes{cfg: &config.Node{Site: "mine", Cluster: config.Cluster{ID: "x", Sites: sites}}, data: &Data{Meta: Meta{Node: "me", Formed: true}},
		client: srv.Client(), wall: time.Now, log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

// TestFound: what was restored begins a cell of its own only where nobody is part of one, be it ready or not.
func TestFound(t *testing.T) {
	var st atomic.Pointer[NodeState]
	n := beside(t, &st)
	for phase, ok := range map[string]bool{phaseNew: true, phaseForming: false, phaseKnown: false, phaseReady: false} {
		st.Store(&NodeState{standing: standing{Cluster: "x"}, Phase: phase})
		if _, err := n.found(t.Context()); (err == nil) != ok {
			t.Errorf("beside a site that is %s: %v", phase, err)
		}
	}
}

// TestAwaitReady: a site without views waits for one that can give them, and is none of a cell that no longer knows it.
func TestAwaitReady(t *testing.T) {
	var st atomic.Pointer[NodeState]
	n := beside(t, &st)
	st.Store(&NodeState{standing: standing{Cluster: "x"}, Phase: phaseKnown})
	ctx, cancel := context.WithTimeout(t.Context(), 2*joinPoll)
	defer cancel()
	if from, err := n.awaitReady(ctx); err == nil {
		t.Errorf("nobody is ready: %v", from)
	}
	st.Store(&NodeState{standing: standing{Cluster: "x"}, Phase: phaseReady, Records: []NodeRecord{{Node: "me"}}})
	if from, err := n.awaitReady(t.Context()); err != nil || len(from) != 1 || from[0].Name != "other" {
		t.Errorf("one is ready: %v, %v", from, err)
	}
	st.Store(&NodeState{standing: standing{Cluster: "x"}, Phase: phaseReady, Records: []NodeRecord{{Node: "someone"}}})
	if from, err := n.awaitReady(t.Context()); err == nil {
		t.Errorf("it was replaced: %v", from)
	}
}
