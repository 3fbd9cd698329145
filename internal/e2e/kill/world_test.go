package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// room is what was acknowledged in one room.
type room struct {
	id    string
	group bool
	mu    sync.Mutex
	// rows by sequence number: what must be found there.
	rows map[uint64]row
	// members that were acknowledged to be in it, by index of the person.
	members map[int]bool
	title   string
	titled  uint64 // seq of the newest acknowledged rename
}

type row struct {
	kind   client.MessageKind
	author string
	text   string
}

// person acts through the public client.
type person struct {
	i     int
	c     *client.Client
	id    string
	rooms []*room
	said  atomic.Int64
	last  map[string]uint64 // newest seq delivered, per room
	order []string          // faults of delivery
	mu    sync.Mutex
}

// reader acts over plain HTTP and knows its acknowledged read marks.
type reader struct {
	p    *harness.Person
	room *room
	mu   sync.Mutex
	read uint64
}

type world struct {
	t       *testing.T
	people  []*person
	readers []*reader
	rooms   []*room
	acked   atomic.Int64
	open    atomic.Int64 // changes not settled yet
	hold    atomic.Bool  // nothing new is begun while it is set
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

func newWorld(t *testing.T, s *harness.Server, seed uint64) *world {
	w := &world{t: t}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.hold.Store(true)
	hc := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	for i := range users {
		p := &person{i: i, last: map[string]uint64{}}
		c, err := client.Open(client.Options{URLs: []string{s.URL}, Store: &client.MemoryStore{}, HTTPClient: hc, OnEvent: p.event})
		if err != nil {
			t.Fatal(err)
		}
		p.c = c
		form := client.SignUpForm{Handle: fmt.Sprintf("kill.%d", i), Name: fmt.Sprintf("사람 %d", i), Password: harness.Password}
		if err := c.SignUp(ctx(t), form); err != nil {
			t.Fatal(err)
		}
		a, _ := c.Account()
		p.id = a.User
		w.people = append(w.people, p)
	}
	for g := range groups {
		owner := w.people[g%users]
		members := map[int]bool{owner.i: true}
		var ids []string
		for k := 1; k < 5; k++ {
			m := (g + k*7) % users
			if !members[m] {
				members[m] = true
				ids = append(ids, w.people[m].id)
			}
		}
		rd := &reader{p: harness.SignUp(t, s)}
		ids = append(ids, rd.p.ID)
		r, err := owner.c.CreateRoom(ctx(t), fmt.Sprintf("방 %d", g), ids)
		if err != nil {
			t.Fatal(err)
		}
		rm := &room{id: r.Room, group: true, rows: map[uint64]row{}, members: members, title: fmt.Sprintf("방 %d", g)}
		rd.room = rm
		w.rooms = append(w.rooms, rm)
		w.readers = append(w.readers, rd)
		for m := range members {
			w.people[m].rooms = append(w.people[m].rooms, rm)
		}
	}
	for i := 0; i < users; i += 2 {
		a, b := w.people[i], w.people[i+1]
		id, err := a.c.DirectRoom(b.id)
		if err != nil {
			t.Fatal(err)
		}
		rm := &room{id: id, rows: map[uint64]row{}, members: map[int]bool{a.i: true, b.i: true}}
		w.rooms = append(w.rooms, rm)
		a.rooms, b.rooms = append(a.rooms, rm), append(b.rooms, rm)
		if _, err := w.say(a, rm, b.id); err != nil {
			t.Fatal(err)
		}
	}
	for i, p := range w.people {
		for k := range threads {
			w.wg.Add(1)
			go w.act(p, rand.New(rand.NewPCG(seed, uint64(threads*i+k)+2)))
		}
	}
	for _, r := range w.readers {
		w.wg.Add(1)
		go w.keepReading(r)
	}
	return w
}

// event checks that every room is delivered once and in order, whatever breaks.
func (p *person) event(e client.Event) {
	m, ok := e.(client.MessageEvent)
	if !ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.last[m.Message.Room]; ok && m.Message.Seq != last+1 {
		p.order = append(p.order, fmt.Sprintf("person %d was given seq %d after %d in %s", p.i, m.Message.Seq, last, m.Message.Room))
	}
	p.last[m.Message.Room] = m.Message.Seq
}

// say sends a text of its own and notes where it was acknowledged to be.
func (w *world) say(p *person, r *room, to string) (uint64, error) {
	body := text(p.i, p.said.Add(1))
	pending, err := p.c.SendAsync(to, body, client.SendOptions{})
	if err != nil {
		return 0, err
	}
	rc, err := pending.Wait(w.ctx)
	if err != nil {
		return 0, err
	}
	w.note(r, rc.Seq, row{client.KindText, p.id, body})
	return rc.Seq, nil
}

func (w *world) note(r *room, seq uint64, want row) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if before, ok := r.rows[seq]; ok {
		w.t.Errorf("two acknowledgements for seq %d of %s: %v and %v", seq, r.id, before, want)
	}
	r.rows[seq] = want
	w.acked.Add(1)
}

// begin waits while the world is held; false = it ends.
func (w *world) begin() bool {
	for {
		w.open.Add(1)
		if !w.hold.Load() {
			return true
		}
		w.open.Add(-1)
		select {
		case <-w.ctx.Done():
			return false
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// act is the life of a person: mostly texts, some edits, joins and renames.
func (w *world) act(p *person, rng *rand.Rand) {
	defer w.wg.Done()
	type mine struct {
		r   *room
		seq uint64
	}
	var sent []mine
	for w.ctx.Err() == nil {
		if !w.begin() {
			return
		}
		r := p.rooms[rng.IntN(len(p.rooms))]
		var err error
		switch k := rng.IntN(20); {
		case k == 0 && len(sent) > 0:
			m := sent[rng.IntN(len(sent))]
			err = w.edit(p, m.r, m.seq, rng.IntN(1000))
		case k == 1 && r.group:
			err = w.rename(p, r, rng.IntN(1000))
		case k == 2 && r.group:
			err = w.invite(p, r, (p.i+1+rng.IntN(users-1))%users)
		default:
			var seq uint64
			if seq, err = w.say(p, r, r.id); err == nil {
				sent = append(sent, mine{r, seq})
			}
		}
		w.open.Add(-1)
		if err != nil && w.ctx.Err() == nil {
			w.t.Errorf("person %d: %v", p.i, err)
			return
		}
	}
}

func (w *world) edit(p *person, r *room, seq uint64, k int) error {
	body := fmt.Sprintf("고친 말 %d-%d-%d", p.i, seq, k)
	rc, err := p.c.Edit(w.ctx, r.id, seq, body)
	if err != nil {
		return err
	}
	w.note(r, rc.Seq, row{client.KindEdit, p.id, ""})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows[seq] = row{client.KindText, p.id, body}
	return nil
}

func (w *world) rename(p *person, r *room, k int) error {
	title := fmt.Sprintf("이름 %d-%d", p.i, k)
	rc, err := p.c.Rename(w.ctx, r.id, title)
	if err != nil {
		return err
	}
	w.note(r, rc.Seq, row{client.KindRenamed, p.id, title})
	r.mu.Lock()
	defer r.mu.Unlock()
	if rc.Seq > r.titled {
		r.titled, r.title = rc.Seq, title
	}
	return nil
}

func (w *world) invite(p *person, r *room, who int) error {
	rc, err := p.c.Invite(w.ctx, r.id, []string{w.people[who].id})
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.members[who] = true
	r.mu.Unlock()
	if rc.Seq != 0 { // 0: was in the room already
		w.note(r, rc.Seq, row{client.KindInvited, p.id, ""})
	}
	return nil
}

// keepReading moves a read mark and remembers what was acknowledged.
func (w *world) keepReading(r *reader) {
	defer w.wg.Done()
	for w.ctx.Err() == nil {
		if !w.begin() {
			return
		}
		r.room.mu.Lock()
		var head uint64
		for seq := range r.room.rows {
			head = max(head, seq)
		}
		r.room.mu.Unlock()
		if head > r.read {
			if status, _ := r.p.Call("ChatService/MarkRead", map[string]any{"room": r.room.id, "seq": head}); status == http.StatusOK {
				r.mu.Lock()
				r.read = head
				r.mu.Unlock()
				w.acked.Add(1)
			}
		}
		w.open.Add(-1)
		select {
		case <-w.ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}
