package demo

import (
	"slices"
	"strings"
	"time"
)

// guest is a person who is no program.
type guest struct {
	user, name string
	seen       time.Time
	// done are the steps of the welcome that are over; topics what each of the twelve has begun already.
	done   []string
	topics map[int]int
	// used says when a line was last said to this person.
	used map[string]time.Time
	// minute and count bound the answers.
	minute int64
	count  int
	// thanked: a reaction was answered once.
	thanked bool
}

// saying is what a person said in a room within a few moments.
type saying struct {
	g      *guest
	room   string
	direct bool
	by     []int // who heard it
	text   string
	seq    uint64
}

const stepHello = "hello"

// The greeter and those who follow, with the seconds after which they write.
var greeters = []struct {
	given string
	after float64
}{{"은비", 1}, {"지안", 22}, {"예진", 36}}

// Joined takes a person who has signed up, or who is known from before with the steps done then.
func (c *Cast) Joined(now time.Time, user, name string, done []string) {
	c.advance(now)
	if c.guests[user] != nil || len(c.guests) >= mostGuests {
		return
	}
	g := &guest{user: user, name: callName(name), done: done, topics: map[int]int{}, used: map[string]time.Time{}}
	c.guests[user] = g
	// Somebody known from before counts as here when seen.
	if !slices.Contains(done, stepHello) {
		g.seen = c.now
		c.greet(g)
	}
	for _, r := range c.rooms {
		if r.id != "" && !slices.Contains(done, r.key) {
			c.after(time.Duration(r.inviteAfter)*time.Second+c.between(0, 10), func() { c.invite(g, r) })
		}
	}
	c.after(c.between(240, 480), func() { c.smallTalk(g) })
}

// greet is the first minute: someone writes at once.
func (c *Cast) greet(g *guest) {
	c.step(g, stepHello)
	for _, who := range greeters {
		i := personCalled(who.given)
		c.after(time.Duration(who.after*float64(time.Second)), func() { c.tell(g, i, people[i].hello[0]) })
	}
	i := personCalled(greeters[0].given)
	c.after(8*time.Second, func() { c.tell(g, i, "답장이나 공감을 한번 눌러 보실래요?") })
}

func (c *Cast) step(g *guest, step string) {
	g.done = append(g.done, step)
	c.out = append(c.out, Done{g.user, step})
}

// tell writes to a person.
func (c *Cast) tell(g *guest, who int, template string) {
	if !c.spend(true) {
		return
	}
	g.used[template] = c.now
	c.write(Say{Who: who, To: g.user, Text: c.text(template, g.name)}, nil)
}

// invite brings a person into a room; the host and two others say something to that.
func (c *Cast) invite(g *guest, r *roomState) {
	c.step(g, r.key)
	c.out = append(c.out, Invite{Who: r.host, Room: r.id, User: g.user})
	r.rests = later(r.rests, c.now.Add(25*time.Second))
	c.after(c.between(2, 4), func() { c.inRoom(g, r.host, r.id, r.welcome[c.rand.IntN(len(r.welcome))], 0) })
	if r.key == "market" {
		return // a quiet room
	}
	n := 0
	for _, i := range c.rand.Perm(len(r.members)) {
		if who := r.members[i]; who != r.host && n < 2 {
			n++
			c.after(c.between(float64(6*n), float64(6*n+5)), func() { c.inRoom(g, who, r.id, c.choose(g, who, hello, false), 0) })
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// inRoom says something to a person before others.
func (c *Cast) inRoom(g *guest, who int, room, template string, replyTo uint64) {
	if !c.spend(true) {
		return
	}
	g.used[template] = c.now
	c.write(Say{Who: who, Room: room, Text: c.text(template, g.name), ReplyTo: replyTo}, nil)
}

// smallTalk lets one of the twelve begin a conversation now and then, while the person is here. Each topic comes once.
func (c *Cast) smallTalk(g *guest) {
	c.after(c.between(240, 540), func() { c.smallTalk(g) })
	if c.now.Sub(g.seen) > lookingFor {
		return
	}
	for _, who := range c.rand.Perm(len(people)) {
		if n := g.topics[who]; n < len(people[who].topics) {
			g.topics[who]++
			if n == 0 && g.used[people[who].hello[0]].IsZero() {
				c.tell(g, who, people[who].hello[0])
				c.after(c.between(6, 9), func() { c.tell(g, who, people[who].topics[0]) })
				return
			}
			c.tell(g, who, people[who].topics[n])
			return
		}
	}
}

// thankForReaction answers the first reaction of a person.
func (c *Cast) thankForReaction(g *guest, h Heard) {
	if g.thanked {
		return
	}
	g.thanked = true
	c.after(c.between(1, 2), func() {
		c.tell(g, h.By, "공감 잘 받았어요 ㅎㅎ 이렇게 한 번에 마음을 전할 수 있어요")
	})
}

// listen waits until a person has finished, and then lets somebody answer what was said last.
func (c *Cast) listen(g *guest, h Heard) {
	if r := c.roomOf(h.Room); r != nil {
		r.rests = later(r.rests, c.now.Add(12*time.Second)) // the script lets people finish
	}
	s := c.sayings[h.Room]
	if s != nil && s.g == g && s.seq == h.Seq { // another of the twelve heard the same
		if !slices.Contains(s.by, h.By) {
			s.by = append(s.by, h.By)
		}
		return
	}
	if h.Seq <= c.answered[h.Room] {
		return
	}
	c.answered[h.Room] = h.Seq
	s = &saying{g: g, room: h.Room, direct: h.Direct, by: []int{h.By}, text: h.Text, seq: h.Seq}
	c.sayings[h.Room] = s
	c.after(c.between(1.2, 2.2), func() {
		if c.sayings[h.Room] == s {
			delete(c.sayings, h.Room)
			c.answer(s)
		}
	})
}

// answer lets somebody answer.
func (c *Cast) answer(s *saying) {
	g := s.g
	if m := c.now.Unix() / 60; m != g.minute {
		g.minute, g.count = m, 0
	}
	if g.count++; g.count > answersPerMinute {
		return
	}
	slices.Sort(s.by)
	what, en := intentOf(s.text), english(s.text)
	who := c.answerer(s, what)
	if who < 0 {
		return
	}
	reaction := reactionTo(what)
	if reaction > 0 && c.rand.Float64() < 0.45 {
		c.after(c.between(0.4, 1.5), func() {
			c.out = append(c.out, React{Who: who, Room: s.room, Seq: s.seq, Reaction: reaction})
		})
		if !s.direct && c.rand.Float64() < 0.5 {
			return
		}
	}
	if what == clock {
		c.reply(s, who, timeAnswer(c.now, en))
		return
	}
	c.reply(s, who, c.choose(g, who, what, en))
	if s.direct && !en && (what == other || what == question || what == hello) && c.rand.Float64() < 0.3 {
		if n := g.topics[who]; n < len(people[who].topics) {
			g.topics[who]++
			c.after(c.between(7, 12), func() { c.tell(g, who, people[who].topics[n]) })
		}
	}
	if !s.direct && what == hello {
		for _, i := range c.rand.Perm(len(s.by)) {
			if also := s.by[i]; also != who {
				c.after(c.between(4, 8), func() { c.inRoom(g, also, s.room, c.choose(g, also, hello, en), 0) })
				return
			}
		}
	}
}

// reply says it where the person spoke; in a group it often quotes.
func (c *Cast) reply(s *saying, who int, template string) {
	if s.direct {
		c.tell(s.g, who, template)
		return
	}
	var quote uint64
	if c.rand.Float64() < 0.5 {
		quote = s.seq
	}
	c.inRoom(s.g, who, s.room, template, quote)
}

// answerer is who answers: who was named, else whose matter it is, else anybody; -1 is nobody, in a group.
func (c *Cast) answerer(s *saying, what intent) int {
	if s.direct {
		return s.by[0]
	}
	var theirs []int
	for _, i := range s.by {
		if strings.Contains(s.text, people[i].given) || strings.Contains(s.text, people[i].handle) {
			return i
		}
		if len(people[i].own[what]) > 0 {
			theirs = append(theirs, i)
		}
	}
	if len(theirs) == 0 {
		if (what == other || what == emoji) && c.rand.Float64() < 0.4 {
			return -1
		}
		theirs = s.by
	}
	return theirs[c.rand.IntN(len(theirs))]
}

// choose is a line for the occasion, one that this person has not read for the longest time.
func (c *Cast) choose(g *guest, who int, what intent, en bool) string {
	var lines []string
	if en {
		lines = inEnglish[what]
	} else {
		lines = slices.Concat(people[who].own[what], answers[what])
	}
	best, oldest := "", time.Time{}
	for _, i := range c.rand.Perm(len(lines)) {
		if at := g.used[lines[i]]; best == "" || at.Before(oldest) {
			best, oldest = lines[i], at
		}
	}
	return best
}
