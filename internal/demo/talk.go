package demo

import (
	"slices"
	"time"
)

// roomState is a room with its place in the script.
type roomState struct {
	room
	id string
	// order are the scenes of this round that are left; scene is the one being played, from line next on.
	order []int
	scene *scene
	next  int
	// rests until then: between scenes, while its history is written, and while a person speaks.
	rests time.Time
	held  bool
	// last is the last message of the script.
	last uint64
	// tail are the scenes played last.
	tail []int
}

// Hold keeps the script of a room waiting until Release.
func (c *Cast) Hold(key string) { c.byKey(key).held = true }

// Release lets the script of a room begin.
func (c *Cast) Release(now time.Time, key string) {
	c.advance(now)
	c.byKey(key).held = false
}

func (c *Cast) byKey(key string) *roomState {
	return c.rooms[slices.IndexFunc(c.rooms, func(r *roomState) bool { return r.key == key })]
}

// talk plays the next line of some room, and comes again.
func (c *Cast) talk() {
	wait := c.between(4, 15)
	if !c.watched() {
		wait *= slower
	}
	defer func() { c.after(wait, c.talk) }()
	r := c.pick()
	if r == nil || !c.spend(false) {
		return
	}
	c.current = r
	if r.scene == nil {
		r.begin(c)
	}
	l := r.scene.lines[r.next]
	r.next++
	var reactions []line
	for r.next < len(r.scene.lines) && r.scene.lines[r.next].reaction > 0 {
		reactions = append(reactions, r.scene.lines[r.next])
		r.next++
	}
	say := Say{Who: l.who, Room: r.id, Text: c.text(l.text, "")}
	if l.reply {
		say.ReplyTo = r.last
	}
	if r.next >= len(r.scene.lines) {
		r.scene, r.next = nil, 0
		r.rests = c.now.Add(time.Duration(r.pause)*time.Second + c.between(0, float64(r.pause)))
		c.current = nil
	}
	c.write(say, func(id uint64) { c.waiting[id] = said{r, reactions} })
}

// pick is the room that talks now: mostly the one that is in the middle of something.
func (c *Cast) pick() *roomState {
	var free []*roomState
	sum := 0
	for _, r := range c.rooms {
		if !r.held && r.id != "" && !c.now.Before(r.rests) {
			free = append(free, r)
			sum += r.weight
		}
	}
	if c.current != nil && slices.Contains(free, c.current) && c.rand.Float64() < 0.8 {
		return c.current
	}
	for _, r := range free {
		if r.scene != nil && r != c.current && c.rand.Float64() < 0.8 {
			return r
		}
	}
	n := c.rand.IntN(max(sum, 1))
	for _, r := range free {
		if n -= r.weight; n < 0 {
			return r
		}
	}
	return nil
}

// begin chooses the next scene: every one once a round, those of this hour only, and at the turn of a round none of those
// just played.
func (r *roomState) begin(c *Cast) {
	for range 2 {
		for i, s := range r.order {
			if r.scenes[s].at(c.now.Hour()) {
				r.order = slices.Delete(r.order, i, i+1)
				r.play(s)
				return
			}
		}
		fresh, late := []int{}, []int{}
		for _, s := range c.rand.Perm(len(r.scenes)) {
			if slices.Contains(r.tail, s) {
				late = append(late, s)
			} else {
				fresh = append(fresh, s)
			}
		}
		r.order = append(fresh, late...)
	}
	r.play(r.order[0]) // tests make sure that every hour has scenes
}

func (r *roomState) play(s int) {
	r.scene, r.next = &r.scenes[s], 0
	r.tail = append(r.tail, s)
	if most := len(r.scenes) / 2; len(r.tail) > most {
		r.tail = r.tail[len(r.tail)-most:]
	}
}

// History makes so many older messages of a room, from its script.
func (c *Cast) History(key string, n int) (list []Say) {
	r := c.byKey(key)
	for len(list) < n {
		for _, s := range c.rand.Perm(len(r.scenes)) {
			for _, l := range r.scenes[s].lines {
				if l.reaction == 0 && len(list) < n {
					list = append(list, Say{Who: l.who, Room: r.id, Text: c.text(l.text, "")})
				}
			}
		}
	}
	return list
}
