package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/drill"
	"github.com/bonghwa/bonghwa/internal/demo"
	"github.com/bonghwa/bonghwa/internal/server"
)

// measured are the twelve as the crowd of a drill, in their own process: it does what it is told by lines, and says how it stands.
type measured struct {
	sites []string
	urls  []string
	out   io.Writer
	live  atomic.Pointer[drill.Live]
}

// heard and acked pass on what the twelve hear and are told.
func (m *measured) heard(who int, e client.Event) {
	if l := m.live.Load(); l != nil {
		l.Event(who, e)
	}
}

func (m *measured) acked(who int, room string, seq uint64, text string) {
	if l := m.live.Load(); l != nil {
		l.Acked(who, room, seq, text)
	}
}

// peopleMeasured is what the people's process says when they can be measured: only then may a site burn.
const peopleMeasured = "measured"

// begin makes the crowd of those who are there; what keeps it from that is tried again.
func (m *measured) begin(ctx context.Context, list []demo.Present) {
	for {
		err := m.ready(ctx, list)
		if err == nil {
			fmt.Fprintln(m.out, peopleMeasured)
			return
		}
		if ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "bonghwa: the twelve cannot be measured yet:", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(measureAgain):
		}
	}
}

const measureAgain = 5 * time.Second

// ready makes the crowd once.
func (m *measured) ready(ctx context.Context, list []demo.Present) error {
	urls := map[string]string{}
	for i, s := range m.sites {
		urls[s] = m.urls[i]
	}
	var members []drill.Member
	for i, p := range list {
		members = append(members, drill.Member{Client: p.Client, Handle: p.Handle, Password: p.Password, Home: i % len(m.sites)})
	}
	l, err := drill.Measure(ctx, m.sites, urls, members)
	if err == nil {
		m.live.Store(l)
	}
	return err
}

// obey does what the lines of in say, until it ends.
func (m *measured) obey(ctx context.Context, in io.Reader) {
	var lit chan struct{}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		l := m.live.Load()
		if l == nil {
			continue
		}
		switch word, site, _ := strings.Cut(lines.Text(), " "); word {
		case "talk":
			l.Talk()
		case "rest":
			l.Rest()
		case "fire":
			l.Fire(ctx, site)
			lit = make(chan struct{})
			go m.drill(ctx, l, lit)
		case "lit":
			if lit != nil {
				close(lit)
				lit = nil
			}
		}
	}
}

// drill says every second how it stands, and at the end what was found.
func (m *measured) drill(ctx context.Context, l *drill.Live, lit chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	looking := time.NewTimer(4 * time.Second) // the gap is over by then
	defer looking.Stop()
	said := make(chan drill.LiveFound, 1)
	burning := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			m.say(l, nil)
		case <-looking.C:
			if burning {
				l.Look(ctx)
				looking.Reset(5 * time.Second)
			}
		case <-lit:
			lit, burning = nil, false
			go func() { said <- l.Finish(ctx) }()
		case found := <-said:
			m.say(l, &found)
			return
		}
	}
}

func (m *measured) say(l *drill.Live, found *drill.LiveFound) {
	var f server.Fire
	if found != nil {
		f = foundFire(*found)
	} else {
		g := l.Figures()
		f = server.Fire{Acked: uint64(g.Acked), Checked: uint64(g.Checked), Moved: uint32(g.Moved), GapMs: whole(g.GapMs)}
	}
	if b, err := json.Marshal(f); err == nil {
		fmt.Fprintln(m.out, drillLine+string(b))
	}
}

// foundFire is how a drill ended. One whose reading failed has failed: what was counted until then is no finding.
func foundFire(found drill.LiveFound) server.Fire {
	f := server.Fire{Acked: uint64(found.Acked), Checked: uint64(found.Checked), Moved: uint32(found.Moved), Why: found.Why,
		GapMs: whole(max(found.SendGapMs, found.DeliveryGapMs, found.MovedSendGapMs, found.MovedDeliveryGapMs))}
	if !found.ReadBack {
		f.State = server.FireFailed
		return f
	}
	f.Drill = &server.DrillFound{Scenario: "power-loss", StartedMs: uint64(found.Started.UnixMilli()), EndedMs: uint64(found.Ended.UnixMilli()),
		People: uint32(found.People), Acked: uint64(found.Acked), Lost: uint64(found.Lost), Duplicated: uint64(found.Duplicated),
		Reordered: uint64(found.Reordered), Unauthorised: uint64(found.Unauthorised), Tried: uint64(found.Tried), SendGapMs: whole(found.SendGapMs), DeliveryGapMs: whole(found.DeliveryGapMs),
		MovedSendGapMs: whole(found.MovedSendGapMs), MovedDeliveryGapMs: whole(found.MovedDeliveryGapMs), Moved: uint32(found.Moved),
		Held: found.Held, HeldInTime: found.HeldInTime, Source: "demo"}
	return f
}

func whole(ms float64) uint32 { return uint32(math.Ceil(max(ms, 0))) }
