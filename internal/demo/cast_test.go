package demo

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// stage plays a cast with a clock of its own and a server that takes everything.
type stage struct {
	t     *testing.T
	now   time.Time
	cast  *Cast
	users []string
	ids   map[string]string
	seqs  map[string]uint64
	log   []event
}

// event is an action at its time.
type event struct {
	at time.Time
	do any
}

func newStage(t *testing.T, seed uint64, perDay int) *stage {
	s := &stage{t: t, now: time.Date(2026, 11, 24, 13, 0, 0, 0, time.UTC), ids: map[string]string{}, seqs: map[string]uint64{}}
	for i := range people {
		s.users = append(s.users, fmt.Sprintf("user%d", i))
	}
	for _, r := range rooms() {
		s.ids[r.key] = "room-" + r.key
	}
	s.cast = NewCast(seed, s.now, s.users, s.ids, perDay, Allowance{})
	return s
}

// play lets the time pass. Every message is heard by all others of its room.
func (s *stage) play(d time.Duration) {
	end := s.now.Add(d)
	for {
		for _, a := range s.cast.Take() {
			s.log = append(s.log, event{s.now, a})
			if say, ok := a.(Say); ok {
				s.said(say)
			}
		}
		next := s.cast.Next()
		if next.After(end) {
			s.now = end
			s.cast.Tick(end)
			return
		}
		s.now = next
		s.cast.Tick(next)
	}
}

func (s *stage) said(say Say) {
	room := say.Room
	if say.To != "" {
		room = fmt.Sprintf("%s+%d", say.To, say.Who)
	}
	s.seqs[room]++
	s.cast.Said(s.now, say.ID, s.seqs[room])
	if r := s.cast.roomOf(room); r != nil {
		for _, m := range r.members {
			if m != say.Who {
				s.cast.Heard(s.now, Heard{By: m, Room: room, Author: s.users[say.Who], Seq: s.seqs[room], Text: say.Text})
			}
		}
	}
}

// person says something in a room, to all of the twelve in it.
func (s *stage) person(user, room string, direct bool, by []int, text string) {
	s.seqs[room]++
	for _, b := range by {
		s.cast.Heard(s.now, Heard{By: b, Room: room, Direct: direct, Author: user, Seq: s.seqs[room], Text: text})
	}
}

func says(log []event, want func(Say) bool) (list []event) {
	for _, e := range log {
		if say, ok := e.do.(Say); ok && want(say) {
			list = append(list, e)
		}
	}
	return list
}

func anySay(Say) bool { return true }

func TestSameSeedSameTalk(t *testing.T) {
	play := func(seed uint64) []event {
		s := newStage(t, seed, 3000)
		s.cast.Joined(s.now, "guest", "이도현", nil)
		s.play(10 * time.Minute)
		s.person("guest", s.ids["trail"], false, called("준호", "은지"), "안녕하세요")
		s.play(10 * time.Minute)
		return s.log
	}
	if !reflect.DeepEqual(play(7), play(7)) {
		t.Error("the same seed gives another talk")
	}
	if reflect.DeepEqual(play(7), play(8)) {
		t.Error("another seed gives the same talk")
	}
}

func TestNewcomerIsGreeted(t *testing.T) {
	for seed := range uint64(20) {
		s := newStage(t, seed, 3000)
		s.play(time.Minute)
		joined := s.now
		s.cast.Joined(s.now, "guest", "이도현", nil)
		s.play(10 * time.Minute)
		mine := says(s.log, func(m Say) bool { return m.To == "guest" })
		if len(mine) < 4 {
			t.Fatalf("seed %d: %d messages", seed, len(mine))
		}
		first := mine[0]
		if first.at.Sub(joined) > 8*time.Second || !strings.Contains(first.do.(Say).Text, "도현 님") {
			t.Errorf("seed %d: the first message comes after %v: %q", seed, first.at.Sub(joined), first.do.(Say).Text)
		}
		typed, invited, steps := false, map[string]int{}, map[string]int{}
		for _, e := range s.log {
			switch a := e.do.(type) {
			case Type:
				typed = typed || a.To == "guest" && e.at.Before(first.at)
			case Invite:
				invited[a.Room]++
			case Done:
				steps[a.Step]++
			}
		}
		if !typed || len(invited) != 3 || invited[s.ids["trail"]] != 1 || steps[stepHello] != 1 || steps["work"] != 1 {
			t.Errorf("seed %d: typed %v, invited %v, steps %v", seed, typed, invited, steps)
		}
	}
}

// After a restart nobody is greeted or invited again.
func TestKnownPeopleAreNotGreetedAgain(t *testing.T) {
	s := newStage(t, 1, 3000)
	s.cast.Joined(s.now, "guest", "이도현", []string{stepHello, "trail", "work", "market"})
	s.cast.Joined(s.now, "guest", "이도현", nil)
	s.play(time.Hour)
	for _, e := range s.log {
		if say, ok := e.do.(Say); ok && say.To == "guest" {
			t.Fatalf("told %q", say.Text)
		}
		if _, ok := e.do.(Invite); ok {
			t.Fatal("invited again")
		}
	}
	s.person("guest", "guest+3", true, []int{3}, "오랜만이에요 안녕하세요")
	at := len(s.log)
	s.play(time.Minute)
	if len(says(s.log[at:], func(m Say) bool { return m.To == "guest" && m.Who == 3 })) == 0 {
		t.Error("a known person is not answered")
	}
}

// An hour of talk, watched: neither too much nor too little, and nothing said twice.
func TestAnHour(t *testing.T) {
	for seed := range uint64(5) {
		s := newStage(t, seed, 3000)
		s.cast.Joined(s.now, "guest", "이도현", nil)
		quiet := map[string]int{}
		for range 60 {
			s.cast.Looking(s.now, []string{"guest"})
			s.play(time.Minute)
		}
		all := says(s.log, anySay)
		if n := len(all); n < 240 || n > 700 {
			t.Errorf("seed %d: %d messages in an hour", seed, n)
		}
		for i := 1; i < len(all); i++ {
			if gap := all[i].at.Sub(all[i-1].at); gap > time.Minute {
				t.Errorf("seed %d: nobody says anything for %v", seed, gap)
			}
		}
		count := map[string]int{}
		for _, e := range all {
			say := e.do.(Say)
			quiet[say.Room]++
			if len(say.Text) > 30 {
				count[say.Text]++
			}
		}
		twice := 0
		for text, n := range count {
			if n > 1 {
				twice++
			}
			if n > 2 {
				t.Errorf("seed %d: %d times %q", seed, n, text)
			}
		}
		if twice > len(count)/10 {
			t.Errorf("seed %d: %d of %d texts come again within an hour", seed, twice, len(count))
		}
		if n := quiet[s.ids["market"]]; n == 0 || n > 20 {
			t.Errorf("seed %d: %d messages in the quiet room", seed, n)
		}
	}
}

// What is said is read, and quotes and reactions meet messages that are there.
func TestReadsAndReactions(t *testing.T) {
	s := newStage(t, 3, 3000)
	s.cast.Joined(s.now, "guest", "이도현", nil)
	s.play(30 * time.Minute)
	read, reacted, quoted := map[readKey]uint64{}, 0, 0
	seqs := map[string]uint64{}
	for _, e := range s.log {
		switch a := e.do.(type) {
		case Say:
			if a.ReplyTo > seqs[a.Room] {
				t.Errorf("%q quotes what is not there yet", a.Text)
			}
			if a.ReplyTo > 0 {
				quoted++
			}
			if a.To == "" {
				seqs[a.Room]++
			}
		case React:
			if a.Seq == 0 || a.Seq > seqs[a.Room] {
				t.Errorf("a reaction to %d of %d", a.Seq, seqs[a.Room])
			}
			reacted++
		case Read:
			k := readKey{a.Who, a.Room}
			if a.Seq <= read[k] {
				t.Errorf("read %d after %d", a.Seq, read[k])
			}
			read[k] = a.Seq
		}
	}
	if reacted == 0 || quoted == 0 {
		t.Errorf("%d reactions, %d quotes", reacted, quoted)
	}
	trail := s.cast.byKey("trail")
	for _, m := range trail.members {
		if read[readKey{m, trail.id}] == 0 {
			t.Errorf("%s reads nothing", people[m].given)
		}
	}
}

func TestAnswers(t *testing.T) {
	for seed := range uint64(30) {
		s := newStage(t, seed, 0)
		s.cast.Joined(s.now, "guest", "이도현", []string{stepHello, "trail", "work", "market"})
		answer := func(room string, direct bool, by []int, text string) []event {
			at := len(s.log)
			s.person("guest", room, direct, by, text)
			s.play(25 * time.Second)
			return says(s.log[at:], anySay)
		}
		if got := answer("guest+7", true, []int{7}, "지금 몇 시예요?"); len(got) != 1 || !strings.Contains(got[0].do.(Say).Text, "오후 1시") {
			t.Errorf("seed %d: the time: %v", seed, got)
		}
		if got := answer("guest+7", true, []int{7}, "What are you? A robot?"); len(got) != 1 || !strings.Contains(got[0].do.(Say).Text, "program") {
			t.Errorf("seed %d: who: %v", seed, got)
		}
		if got := answer("guest+4", true, []int{4}, "혹시 프로그램인가요"); len(got) != 1 || !strings.Contains(got[0].do.(Say).Text, "프로그램") {
			t.Errorf("seed %d: who: %v", seed, got)
		}
		trail := called("준호", "은지", "지우", "하늘")
		got := answer(s.ids["trail"], false, trail, "은지 님은 뭐 드셨어요?")
		if len(got) > 0 && people[got[0].do.(Say).Who].given != "은지" {
			t.Errorf("seed %d: 은지 was asked, and %v answers", seed, got)
		}
		if len(got) == 0 {
			t.Errorf("seed %d: nobody answers", seed)
		}
	}
}

// Several messages at once get one answer, to the last; a flood gets a bounded number.
func TestFlood(t *testing.T) {
	s := newStage(t, 1, 0)
	s.cast.Joined(s.now, "guest", "이도현", []string{stepHello, "trail", "work", "market"})
	for i := range 5 {
		s.person("guest", "guest+7", true, []int{7}, fmt.Sprintf("메시지 %d", i))
		s.play(200 * time.Millisecond)
	}
	s.play(6 * time.Second)
	if n := len(says(s.log, anySay)); n != 1 {
		t.Errorf("%d answers to five messages in a second", n)
	}
	for range 24 * 60 * 6 {
		s.person("guest", "guest+7", true, []int{7}, "안녕하세요")
		s.play(10 * time.Second)
	}
	if n := len(says(s.log, anySay)); n > 2*answersPerDay {
		t.Errorf("%d answers in a day and a bit", n)
	}
	if len(s.cast.sayings) != 0 || len(s.cast.tasks) > 20 {
		t.Errorf("%d sayings and %d tasks are kept", len(s.cast.sayings), len(s.cast.tasks))
	}
}

func TestAllowanceOfADay(t *testing.T) {
	s := newStage(t, 1, 50)
	s.cast.Joined(s.now, "guest", "이도현", []string{stepHello, "trail", "work", "market"})
	for range 10 * 60 {
		s.cast.Looking(s.now, []string{"guest"})
		s.play(time.Minute)
	}
	inRooms := func() int { return len(says(s.log, func(m Say) bool { return m.To == "" })) }
	if n := inRooms(); n != 50 {
		t.Errorf("%d messages of 50", n)
	}
	if spent := s.cast.Spent(); spent.Said != 50 || spent.Day != "2026-11-24" {
		t.Errorf("%+v", spent)
	}
	again := NewCast(1, s.now, s.users, s.ids, 50, s.cast.Spent())
	again.Tick(s.now.Add(10 * time.Minute))
	if got := again.Take(); len(got) != 0 {
		t.Errorf("a restart begins the day anew: %v", got)
	}
	for range 12 * 60 {
		s.play(time.Minute)
	}
	if n := inRooms(); n <= 50 || n > 100 {
		t.Errorf("%d messages on the second day", n-50)
	}
}

// Without people they talk much less.
func TestUnwatched(t *testing.T) {
	s := newStage(t, 1, 3000)
	s.play(time.Hour)
	if n := len(says(s.log, anySay)); n < 30 || n > 150 {
		t.Errorf("%d messages in an hour in which nobody is there", n)
	}
}

func TestHistory(t *testing.T) {
	s := newStage(t, 1, 3000)
	s.cast.Hold("trail")
	s.play(30 * time.Minute)
	if n := len(says(s.log, func(m Say) bool { return m.Room == s.ids["trail"] })); n != 0 {
		t.Errorf("%d messages before the room has its past", n)
	}
	list := s.cast.History("trail", 1000)
	if len(list) != 1000 {
		t.Fatalf("%d messages", len(list))
	}
	different := map[string]bool{}
	for _, m := range list {
		different[m.Text] = true
	}
	if len(different) < 200 {
		t.Errorf("%d different texts", len(different))
	}
	s.cast.Release(s.now, "trail")
	s.play(30 * time.Minute)
	if n := len(says(s.log, func(m Say) bool { return m.Room == s.ids["trail"] })); n == 0 {
		t.Error("a released room is silent")
	}
}
