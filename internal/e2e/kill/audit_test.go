package kill

import (
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// await returns when so many changes have been acknowledged.
func (w *world) await(t *testing.T, target int64, s *harness.Server) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); w.acked.Load() < target; time.Sleep(time.Millisecond) {
		if !s.Running() {
			t.Fatalf("the server ended by itself:\n%s", s.Log())
		}
		if t.Failed() || time.Now().After(deadline) {
			t.Fatalf("%d of %d acknowledgements after two minutes\n%s", w.acked.Load(), target, s.Log())
		}
	}
}

// server tells the plain HTTP people about the new process.
func (w *world) server(s *harness.Server) {
	for _, r := range w.readers {
		r.p.Server = s
	}
}

// settle lets everything under way be answered and begins nothing new.
func (w *world) settle(t *testing.T) {
	t.Helper()
	w.hold.Store(true)
	for deadline := time.Now().Add(2 * time.Minute); w.open.Load() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d changes are not answered after two minutes", w.open.Load())
		}
	}
}

// audit reads every room back over the public API. Everything has been answered, so rooms and notes must agree exactly:
// each acknowledged item once, at its sequence number; nothing else said; each sender's texts in the order of saying;
// members, titles and read marks as acknowledged.
func (w *world) audit(t *testing.T) {
	t.Helper()
	for _, r := range w.rooms {
		w.auditRoom(t, r)
	}
	for _, rd := range w.readers {
		rd.mu.Lock()
		want := rd.read
		rd.mu.Unlock()
		ms, err := w.reader(rd.room).c.ListMembers(ctx(t), rd.room.id)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ms {
			if m.User == rd.p.ID && m.ReadSeq < want {
				t.Errorf("read mark in %s is %d, %d was acknowledged", rd.room.id, m.ReadSeq, want)
			}
		}
	}
	for _, p := range w.people {
		p.mu.Lock()
		for _, fault := range p.order {
			t.Error(fault)
		}
		p.order = nil
		p.mu.Unlock()
	}
	if t.Failed() {
		t.FailNow()
	}
}

// reader is somebody who was in the room from the beginning.
func (w *world) reader(r *room) *person {
	for _, p := range w.people {
		for _, own := range p.rooms {
			if own == r {
				return p
			}
		}
	}
	panic("a room without people")
}

func (w *world) auditRoom(t *testing.T, r *room) {
	t.Helper()
	c := w.reader(r).c
	r.mu.Lock()
	defer r.mu.Unlock()
	texts := map[string]uint64{}
	next, found := uint64(1), 0
	for {
		page, err := c.History(ctx(t), r.id, next, false, 200)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			if m.Seq != next {
				t.Errorf("%s: seq %d where %d was expected", r.id, m.Seq, next)
			}
			next = m.Seq + 1
			want, ok := r.rows[m.Seq]
			switch {
			case ok:
				found++
				if m.Kind != want.kind || m.Author != want.author || want.text != "" && m.Text != want.text {
					t.Errorf("%s seq %d is (%v, %s, %q), acknowledged was (%v, %s, %q)", r.id, m.Seq, m.Kind, m.Author, m.Text, want.kind, want.author, want.text)
				}
			case m.Kind != client.KindCreated:
				t.Errorf("%s seq %d (%v by %s, %q) was never acknowledged to anybody", r.id, m.Seq, m.Kind, m.Author, m.Text)
			}
			if m.Kind == client.KindText && m.Edited.IsZero() {
				if at, twice := texts[m.Author+m.Text]; twice {
					t.Errorf("%s: %q stands at %d and at %d", r.id, m.Text, at, m.Seq)
				}
				texts[m.Author+m.Text] = m.Seq
			}
		}
		if len(page.Messages) == 0 {
			break
		}
	}
	if found != len(r.rows) {
		t.Errorf("%s: %d acknowledged rows, %d of them found up to seq %d", r.id, len(r.rows), found, next-1)
	}
	ms, err := c.ListMembers(ctx(t), r.id)
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]bool{}
	for _, m := range ms {
		in[m.User] = true
	}
	for i := range r.members {
		if !in[w.people[i].id] {
			t.Errorf("%s: person %d was acknowledged to be a member and is none", r.id, i)
		}
	}
	if !r.group {
		return
	}
	if line, err := c.GetRoom(ctx(t), r.id); err != nil || line.Title != r.title {
		t.Errorf("%s: title %q (%v), acknowledged was %q", r.id, line.Title, err, r.title)
	}
}

func (w *world) close() {
	w.cancel()
	w.wg.Wait()
	for _, p := range w.people {
		if err := p.c.Close(); err != nil {
			w.t.Error(err)
		}
	}
}
