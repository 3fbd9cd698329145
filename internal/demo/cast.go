package demo

import (
	"cmp"
	"container/heap"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// What the twelve do. Who is a place in people; Room is a room's id.
type (
	// Say is a message. In a 1:1 Room may not exist yet: To is the person.
	Say struct {
		ID       uint64
		Who      int
		Room, To string
		Text     string
		ReplyTo  uint64
	}
	// React sets a reaction.
	React struct {
		Who      int
		Room     string
		Seq      uint64
		Reaction uint32
	}
	// Type says that somebody is writing, to a room or a person.
	Type struct {
		Who      int
		Room, To string
	}
	// Read is a read mark.
	Read struct {
		Who  int
		Room string
		Seq  uint64
	}
	// Invite brings a newcomer into a room.
	Invite struct {
		Who        int
		Room, User string
	}
	// Done says that a step of a newcomer's welcome is over; it must not be repeated after a restart.
	Done struct{ User, Step string }
)

// Allowance is what was said on a day.
type Allowance struct {
	// Day as in 2026-11-24, of the machine's own time.
	Day     string
	Said    int
	Answers int
}

// Heard is a row of a room as one of the twelve got it.
type Heard struct {
	By     int
	Room   string
	Direct bool
	Author string
	Seq    uint64
	// Text of a message; Reaction if it is one.
	Text     string
	Reaction bool
}

// Bounds of what they do.
const (
	answersPerDay    = 3000
	answersPerMinute = 20 // to one person
	mostGuests       = 500
	slower           = 6 // times slower when nobody looks
	lookingFor       = 10 * time.Minute
)

// Cast decides what the twelve do. It is driven by one goroutine with times that do not go back.
type Cast struct {
	rand   *rand.Rand
	now    time.Time
	tasks  tasks
	serial uint64
	out    []any

	ids    map[string]int // user ids of the twelve
	rooms  []*roomState
	guests map[string]*guest
	perDay int
	spent  Allowance

	current  *roomState
	waiting  map[uint64]said
	reads    map[readKey]uint64
	sayings  map[string]*saying // what people said in rooms and nobody has answered yet
	answered map[string]uint64  // by room: the last message of a person that was looked at
}

type readKey struct {
	who  int
	room string
}

// said is a message on its way.
type said struct {
	room      *roomState
	reactions []line
}

// NewCast makes the twelve. users are their ids, by place; roomIDs those of their rooms, by key. What was said today
// already goes into the chances, so that a restart does not say the same again.
func NewCast(seed uint64, now time.Time, users []string, roomIDs map[string]string, perDay int, spent Allowance) *Cast {
	c := &Cast{
		rand: rand.New(rand.NewPCG(seed, uint64(spent.Said))), now: now, ids: map[string]int{}, guests: map[string]*guest{}, perDay: perDay, spent: spent,
		waiting: map[uint64]said{}, reads: map[readKey]uint64{}, sayings: map[string]*saying{}, answered: map[string]uint64{},
	}
	for i, u := range users {
		c.ids[u] = i
	}
	for _, r := range rooms() {
		c.rooms = append(c.rooms, &roomState{room: r, id: roomIDs[r.key]})
	}
	c.after(c.between(2, 5), c.talk)
	return c
}

// task is something that is due at a time.
type task struct {
	at     time.Time
	serial uint64
	do     func()
}

type tasks []task

func (t tasks) Len() int { return len(t) }
func (t tasks) Less(i, j int) bool {
	return t[i].at.Before(t[j].at) || t[i].at.Equal(t[j].at) && t[i].serial < t[j].serial
}
func (t tasks) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *tasks) Push(x any)   { *t = append(*t, x.(task)) }
func (t *tasks) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	*t = (*t)[:last]
	return x
}

func (c *Cast) after(d time.Duration, do func()) {
	c.serial++
	heap.Push(&c.tasks, task{c.now.Add(d), c.serial, do})
}

// between is a random time between so many seconds.
func (c *Cast) between(low, high float64) time.Duration {
	return time.Duration((low + c.rand.Float64()*(high-low)) * float64(time.Second))
}

// Tick does what is due.
func (c *Cast) Tick(now time.Time) {
	for len(c.tasks) > 0 && !c.tasks[0].at.After(now) {
		t := heap.Pop(&c.tasks).(task)
		c.advance(t.at)
		t.do()
	}
	c.advance(now)
}

func (c *Cast) advance(now time.Time) {
	if now.After(c.now) {
		c.now = now
	}
}

// Next is when Tick has something to do; there always is something.
func (c *Cast) Next() time.Time { return c.tasks[0].at }

// Take returns what is to be done, in order.
func (c *Cast) Take() []any {
	out := c.out
	c.out = nil
	return out
}

// Spent is what was said today.
func (c *Cast) Spent() Allowance { return c.spent }

// spend takes one message out of the day's allowance.
func (c *Cast) spend(answer bool) bool {
	if day := c.now.Format(time.DateOnly); day != c.spent.Day {
		c.spent = Allowance{Day: day}
	}
	n, most := &c.spent.Said, c.perDay
	if answer {
		n, most = &c.spent.Answers, answersPerDay
	}
	if *n >= most {
		return false
	}
	*n++
	return true
}

// write types a text and then says it. after is called when it leaves.
func (c *Cast) write(s Say, after func(id uint64)) {
	c.out = append(c.out, Type{Who: s.Who, Room: s.Room, To: s.To})
	c.after(typing(s.Text), func() {
		c.serial++
		s.ID = c.serial
		c.out = append(c.out, s)
		if after != nil {
			after(s.ID)
		}
	})
}

// typing is how long a text takes to write.
func typing(text string) time.Duration {
	return min(1100*time.Millisecond+time.Duration(utf8.RuneCountInString(text))*70*time.Millisecond, 4500*time.Millisecond)
}

// text makes a line ready to be said to a newcomer, or to nobody in particular.
func (c *Cast) text(template, name string) string {
	s, err := expand(template, c.rand)
	if err != nil { // tests read every line: cannot be
		s = template
	}
	return strings.ReplaceAll(s, nameHere, name)
}

// Said is the answer to a Say: its place in the room.
func (c *Cast) Said(now time.Time, id, seq uint64) {
	c.advance(now)
	w, ok := c.waiting[id]
	delete(c.waiting, id)
	if !ok || seq == 0 {
		return
	}
	w.room.last = seq
	for _, r := range w.reactions {
		c.after(c.between(1, 7), func() {
			c.out = append(c.out, React{Who: r.who, Room: w.room.id, Seq: seq, Reaction: r.reaction})
		})
	}
}

// Heard takes a row that one of the twelve got.
func (c *Cast) Heard(now time.Time, h Heard) {
	c.advance(now)
	_, own := c.ids[h.Author]
	c.read(h, !own && h.Direct)
	if own || h.Author == "" {
		return
	}
	g := c.guests[h.Author]
	if g == nil {
		return // made friends soon, and greeted then
	}
	g.seen = c.now
	switch {
	case h.Reaction && h.Direct:
		c.thankForReaction(g, h)
	case h.Text != "":
		c.listen(g, h)
	}
}

// read marks what was heard as read, after as long as this one takes to look. Marks of a room go together.
func (c *Cast) read(h Heard, soon bool) {
	k := readKey{h.By, h.Room}
	_, pending := c.reads[k]
	c.reads[k] = max(c.reads[k], h.Seq)
	if pending {
		return
	}
	wait := c.between(1, float64(people[h.By].slow))
	if soon {
		wait = c.between(0.6, 1.4)
	}
	c.after(wait, func() {
		c.out = append(c.out, Read{Who: k.who, Room: k.room, Seq: c.reads[k]})
		delete(c.reads, k)
	})
}

// Looking says which newcomers are connected now.
func (c *Cast) Looking(now time.Time, users []string) {
	c.advance(now)
	for _, u := range users {
		if g := c.guests[u]; g != nil {
			g.seen = now
		}
	}
}

// watched says that somebody was here a short while ago.
func (c *Cast) watched() bool {
	for _, g := range c.guests {
		if c.now.Sub(g.seen) < lookingFor {
			return true
		}
	}
	return false
}

// roomOf is the room of theirs with this id, nil: another room.
func (c *Cast) roomOf(id string) *roomState {
	i := slices.IndexFunc(c.rooms, func(r *roomState) bool { return r.id == id && id != "" })
	if i < 0 {
		return nil
	}
	return c.rooms[i]
}

// guestIDs are the people known, the latest activity first.
func (c *Cast) guestIDs() []string {
	return slices.SortedFunc(maps.Keys(c.guests), func(a, b string) int {
		return cmp.Or(c.guests[b].seen.Compare(c.guests[a].seen), strings.Compare(a, b))
	})
}
