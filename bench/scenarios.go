package bench

import (
	"context"
	"fmt"
	"time"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// Scenario is what one load gave. Latencies are milliseconds; CPU is user and system time.
type Scenario struct {
	Name             string             `json:"name"`
	Seconds          float64            `json:"seconds"`
	AckedPerS        float64            `json:"acked_per_s"`
	DeliveriesPerS   float64            `json:"deliveries_per_s"`
	AckP50           float64            `json:"ack_p50_ms"`
	AckP99           float64            `json:"ack_p99_ms"`
	DeliveryP50      float64            `json:"delivery_p50_ms"`
	DeliveryP99      float64            `json:"delivery_p99_ms"`
	ServerCPU        float64            `json:"server_cpu_s_per_1000"`
	ServerCPUDeliver float64            `json:"server_cpu_s_per_1000_deliveries"`
	ClientCPU        float64            `json:"client_cpu_s_per_1000"`
	Fsyncs           float64            `json:"fsyncs_per_message"`
	EntrySize        float64            `json:"commands_per_entry"`
	Shares           map[string]float64 `json:"cpu_share,omitempty"`
	IdleSessions     int                `json:"idle_sessions,omitempty"`
	IdleBytes        float64            `json:"rss_bytes_per_idle_connection,omitempty"`
	Bounds           []Bound            `json:"bounds"`
}

// Bound is a stated limit beside what was measured.
type Bound struct {
	What     string  `json:"what"`
	Measured float64 `json:"measured"`
	Floor    float64 `json:"floor"`
	Goal     float64 `json:"goal"`
	Met      bool    `json:"met"`
}

func atLeast(what string, measured, floor, goal float64) Bound {
	return Bound{what, measured, floor, goal, measured >= floor}
}

func atMost(what string, measured, floor, goal float64) Bound {
	return Bound{what, measured, floor, goal, measured <= floor}
}

// house is a server with people in it.
type house struct {
	ctx    context.Context
	srvs   servers
	api    *api
	people []*person
	length time.Duration
	warm   time.Duration
}

// open connects a session to the i-th server of those there are, so that the two of a pair are at different sites. The session
// was made at the first one: another may know it a moment later.
func (h *house) open(s session, i int) (c *conn, err error) {
	addr := h.srvs[i%len(h.srvs)].addr
	for range 50 {
		if c, err = s.open(addr); err == nil {
			return c, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, err
}

// pairs: people 2i and 2i+1 write to each other, each keeping `outstanding` sends open.
func (h *house) pairs(name string, pairs, outstanding int) (*Scenario, error) {
	ws, err := h.inPairs(pairs, outstanding)
	if err != nil {
		return nil, err
	}
	return h.measure(name, ws)
}

func (h *house) inPairs(pairs, outstanding int) (ws []*writer, err error) {
	for i := range 2 * pairs {
		p := h.people[i]
		s, err := h.fresh(p)
		if err != nil {
			return nil, err
		}
		c, err := h.open(s, i)
		if err != nil {
			return nil, err
		}
		ws = append(ws, &writer{c: c, peer: h.people[i^1].id, outstanding: outstanding})
	}
	return ws, nil
}

// fresh logs in another device of p, so that every run has a scope of names of its own that begins at 1.
func (h *house) fresh(p *person) (session, error) { return h.api.admit(h.ctx, p) }

// groups: so many groups of so many people, of whom some write.
func (h *house) groups(name string, groups, size, senders int) (*Scenario, error) {
	if len(h.people) < groups*size {
		return nil, fmt.Errorf("%d people are needed", groups*size)
	}
	ws := make([]*writer, groups*size)
	err := inParallel(groups, 8, func(g int) error {
		members := h.people[g*size : (g+1)*size]
		room := ""
		for i, p := range members {
			s, err := h.fresh(p)
			if err != nil {
				return err
			}
			c, err := h.open(s, i)
			if err != nil {
				return err
			}
			w := &writer{c: c}
			if i == 0 {
				if room, err = createRoom(c, members[1:]); err != nil {
					return err
				}
			}
			if w.room = room; i < senders {
				w.outstanding = 1
			}
			ws[g*size+i] = w
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h.measure(name, ws)
}

func createRoom(c *conn, members []*person) (string, error) {
	req := &apiv1.CreateRoomRequest{Random: random(16), Title: "bench"}
	for _, p := range members {
		req.Members = append(req.Members, p.id)
	}
	if err := c.queue(&livev1.Frame{Id: 1, Body: &livev1.Frame_CreateRoom{CreateRoom: req}}); err != nil {
		return "", err
	}
	if err := c.flush(); err != nil {
		return "", err
	}
	for {
		b, err := c.next()
		if err != nil {
			return "", err
		}
		f, err := parse(b)
		if err != nil {
			return "", err
		}
		if f.ack && f.failed != "" {
			return "", fmt.Errorf("a room was refused: %s", f.failed)
		}
		if f.ack {
			return string(f.room), nil
		}
	}
}

// measure runs the writers and puts what the server did beside it.
func (h *house) measure(name string, ws []*writer) (*Scenario, error) {
	var before, after sample
	var shares map[string]float64
	var err error
	win, derr := drive(ws, h.warm, h.length, func() {
		if before, err = h.srvs.sample(h.ctx); err != nil {
			return
		}
		shares, _ = h.srvs[0].shares(h.ctx, h.length*6/10)
		time.Sleep(h.length * 3 / 10)
		after, err = h.srvs.sample(h.ctx)
	})
	if derr != nil {
		return nil, fmt.Errorf("%s: %w", name, derr)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	span := after.at.Sub(before.at).Seconds()
	acked := float64(len(win.acks)) / win.seconds
	delivered := float64(len(win.deliver)) / win.seconds
	per1000 := func(cpu float64) float64 { return round(cpu/span/acked*1000, 4) }
	s := &Scenario{
		Name: name, Seconds: round(win.seconds, 1), AckedPerS: round(acked, 0), DeliveriesPerS: round(delivered, 0),
		AckP50: percentile(win.acks, .5), AckP99: percentile(win.acks, .99),
		DeliveryP50: percentile(win.deliver, .5), DeliveryP99: percentile(win.deliver, .99),
		ServerCPU: per1000(after.server - before.server), ClientCPU: per1000(after.client - before.client),
		ServerCPUDeliver: round((after.server-before.server)/span/max(delivered, 1)*1000, 4),
		Fsyncs:           round((after.fsyncs-before.fsyncs)/span/acked, 4), Shares: shares,
		EntrySize: round((after.commands-before.commands)/max(after.entries-before.entries, 1), 1),
	}
	return s, nil
}

// idle connects sessions that only listen, and says what each costs the server in resident memory.
func (h *house) idle(accounts, each int) (*Scenario, error) {
	sessions := make([]session, accounts*each)
	err := inParallel(len(sessions), 32, func(i int) (err error) {
		sessions[i], err = h.api.admit(h.ctx, h.people[i%accounts])
		return err
	})
	if err != nil {
		return nil, err
	}
	h.api.http.CloseIdleConnections()
	before, err := h.srvs[0].settledRSS(h.ctx)
	if err != nil {
		return nil, err
	}
	conns := make([]*conn, len(sessions))
	defer func() {
		for _, c := range conns {
			if c != nil {
				c.Close()
			}
		}
	}()
	err = inParallel(len(sessions), 16, func(i int) (err error) {
		conns[i], err = h.open(sessions[i], i)
		return err
	})
	if err != nil {
		return nil, err
	}
	after, err := h.srvs[0].settledRSS(h.ctx)
	if err != nil {
		return nil, err
	}
	s := &Scenario{Name: fmt.Sprintf("%d idle sessions of %d accounts", len(sessions), accounts), IdleSessions: len(sessions),
		IdleBytes: round(float64(after-before)/float64(len(sessions)), 0)}
	s.Bounds = []Bound{atMost("resident bytes per idle session", s.IdleBytes, 12<<10, 8<<10)}
	return s, nil
}
