package clientcore

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

var (
	seedFlag  = flag.Uint64("seed", 0, "run only this seed")
	seedCount = flag.Int("seeds", 400, "how many seeds to run")
)

// TestSeeds: whatever is lost, delayed, refused for now, restarted, given up, replaced or copied, every message is in once
// and in order, everyone is told the truth about it, and rooms are delivered once and in order.
// One seed again: go test ./internal/clientcore -run TestSeeds -seed N
func TestSeeds(t *testing.T) {
	if *seedFlag != 0 {
		runSeed(t, *seedFlag)
		return
	}
	for seed := uint64(1); seed <= uint64(*seedCount); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runSeed(t, seed) })
	}
}

func runSeed(t *testing.T, seed uint64) {
	w := newWorld(t, seed, 1+int(seed%3))
	a, b := w.add("alice"), w.add("bob")
	room := ids.Direct(a.user, b.user).String()
	w.server.Refuse = func(text string) apiv1.Reason {
		if len(text) > 0 && text[len(text)-1] == '7' {
			return apiv1.Reason_REASON_CANNOT_RECEIVE
		}
		return 0
	}
	w.server.Busy = func(uint64) apiv1.Reason {
		if w.calm {
			return 0
		}
		reasons := []apiv1.Reason{apiv1.Reason_REASON_BUSY, apiv1.Reason_REASON_NOT_READY, apiv1.Reason_REASON_UNKNOWN_OUTCOME, apiv1.Reason_REASON_INVALID}
		if k := w.rng.IntN(40); k < len(reasons) {
			return reasons[k]
		}
		return 0
	}
	copied := false
	for range 1500 {
		d := w.clients[w.rng.IntN(len(w.clients))]
		d.step()
		switch w.rng.IntN(30) {
		case 0, 1:
			if d.ended == nil && d.core.OpenItems() < 20 {
				d.texts++
				d.send(room, fmt.Sprintf("%s %d", d.name, d.texts))
			}
		case 2:
			if w.rng.IntN(2) == 0 {
				d.trouble()
			}
		case 3:
			d.change()
		case 4:
			if seed%5 == 0 && !copied && w.rng.IntN(10) == 0 {
				copied = true
				w.copyOf(a)
			}
		}
		w.now += w.rng.Int64N(60)
	}
	w.settle()
	w.check(room)
}

// change gives up or replaces one open item.
func (d *device) change() {
	items := d.core.Items()
	if len(items) == 0 || d.ended != nil {
		return
	}
	it := items[d.w.rng.IntN(len(items))]
	f := d.sent[it.ID]
	if it.Op.Kind != KindSend || it.GivingUp || f.replaces != nil {
		return
	}
	if d.w.rng.IntN(2) == 0 {
		if err := d.core.GiveUp(d.w.now, it.ID); err != nil {
			d.w.fail("give up: %v", err)
		}
		d.w.logf("%s gives up %d", d.name, it.ID)
	} else {
		d.texts++
		text := fmt.Sprintf("%s edited %d", f.text, d.texts)
		id, err := d.core.Replace(d.w.now, it.ID, text)
		if err != nil {
			d.w.fail("replace: %v", err)
		}
		n := &fate{text: text, room: f.room, replaces: f}
		d.sent[id], d.list = n, append(d.list, n)
		d.w.logf("%s replaces %d by %d", d.name, it.ID, id)
	}
	f.touched = true
	d.pump()
}

// copyOf makes a second client out of a copy of the profile, as a restored backup of a phone would.
func (w *world) copyOf(d *device) {
	c := &device{w: w, name: d.name + "2", token: d.token, user: d.user, sent: map[uint64]*fate{}, texts: 1000}
	c.records = slices.Clone(d.records)
	for id, f := range d.sent {
		if f.result == nil {
			f.shared = true
			g := *f
			c.sent[id] = &g
		} else {
			g := *f
			g.shared = true
			c.sent[id] = &g
		}
	}
	d.copied, c.copied = true, true
	w.logf("%s copied", d.name)
	w.clients = append(w.clients, c)
	c.start()
}
