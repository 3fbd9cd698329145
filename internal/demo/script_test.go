package demo

import (
	"bytes"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/text"
)

// Every text of the twelve is one that the server takes, whatever is chosen in its braces.
func TestEveryTextCanBeSaid(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(template string) {
		t.Helper()
		for range 5 {
			s, err := expand(template, r)
			if err != nil {
				t.Error(err)
				return
			}
			s = strings.ReplaceAll(s, nameHere, "도현")
			if _, err := text.Message(s); err != nil || strings.ContainsAny(s, "{}|") {
				t.Errorf("%q: %v", s, err)
			}
		}
	}
	if len(people) != 12 {
		t.Errorf("%d people", len(people))
	}
	for _, p := range people {
		if h, err := text.Handle(p.handle); err != nil || h != p.handle {
			t.Errorf("%s: %v", p.handle, err)
		}
		if _, err := text.Status(p.status); err != nil || p.status == "" {
			t.Errorf("%s: %q %v", p.handle, p.status, err)
		}
		if _, err := text.Profile(p.profile); err != nil {
			t.Errorf("%s: %v", p.handle, err)
		}
		if !strings.HasSuffix(p.name, p.given) || len(p.hello) == 0 || len(p.topics) < 3 || p.slow < 2 {
			t.Errorf("%s is not complete", p.handle)
		}
		for _, s := range slices.Concat(p.hello, p.topics) {
			check(s)
		}
		for what, lines := range p.own {
			for _, s := range lines {
				check(s)
			}
			if len(lines) == 0 || len(answers[what]) == 0 {
				t.Errorf("%s has no answers to %d", p.handle, what)
			}
		}
	}
	for _, list := range []map[intent][]string{answers, inEnglish} {
		for what := other; what <= question; what++ {
			if what != clock && len(list[what]) == 0 {
				t.Errorf("nobody can answer %d", what)
			}
			for _, s := range list[what] {
				check(s)
			}
		}
	}
	for _, r := range rooms() {
		if _, err := text.Title(r.title); err != nil {
			t.Error(err)
		}
		if !slices.Contains(r.members, r.host) || slices.Contains(r.members, -1) {
			t.Errorf("%s: host %d of %v", r.title, r.host, r.members)
		}
		for _, s := range r.welcome {
			check(s)
		}
		for hour := range 24 {
			if !slices.ContainsFunc(r.scenes, func(s scene) bool { return s.at(hour) }) {
				t.Errorf("%s has nothing to say at %d", r.title, hour)
			}
		}
		for _, s := range r.scenes {
			for _, l := range s.lines {
				if !slices.Contains(r.members, l.who) {
					t.Errorf("%s is not in %s and says %q", people[l.who].given, r.title, l.text)
				}
			}
		}
	}
	for _, g := range greeters {
		if personCalled(g.given) < 0 {
			t.Errorf("nobody is called %s", g.given)
		}
	}
}

func TestMistakesInScripts(t *testing.T) {
	for _, s := range []string{"", "\n\n", "준호", "누구: 안녕", "준호:", "준호: {a", "준호: {a}", "준호: {3~1}", "준호: {a~b}", "준호+7", "준호+1", "준호+x",
		"준호>: 답", "@x\n준호: 네", "@5-11"} {
		if list, err := parseScenes(s); err == nil {
			t.Errorf("%q is a script: %v", s, list)
		}
	}
}

func TestPictures(t *testing.T) {
	seen := map[string]string{}
	for _, p := range people {
		b, err := picture(p.handle)
		if err != nil {
			t.Fatal(err)
		}
		c, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil || c.Width != pictureSide || c.Height != pictureSide || len(b) > 48<<10 || len(drawings[p.handle]) < 3 {
			t.Errorf("%s: %v, %dx%d, %d bytes", p.handle, err, c.Width, c.Height, len(b))
		}
		if who := seen[string(b)]; who != "" {
			t.Errorf("%s and %s look the same", p.handle, who)
		}
		seen[string(b)] = p.handle
	}
	for _, bad := range []string{"L1 1", "M1", "M1 x", "W1 1", "M0 0C1 1 2 2"} {
		if _, err := outline(bad); err == nil {
			t.Errorf("%q is a path", bad)
		}
	}
}
