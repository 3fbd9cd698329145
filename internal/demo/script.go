package demo

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

//go:embed scripts/*.txt
var scripts embed.FS

// A script is a file of scenes, which blank lines separate. The first line of a scene may say at which hours it makes
// sense:
//
//	@5-11
//	준호: 좋은 아침이에요!
//	은지>: an answer to the line before, quoted
//	하늘+1          a reaction, 1 to 6, to the last message
//
// {a|b|c} is one of these, {3~9} a number: another one each time. {n} is how a newcomer is called, in texts for one.

// nameHere is where the newcomer's name goes. It is put in last: a name is text, whatever is in it.
const nameHere = "{n}"

// line of a scene: a message, or a reaction to the last one.
type line struct {
	who      int
	text     string
	reply    bool
	reaction uint32
}

// scene is a piece of talk that belongs together.
type scene struct {
	from, to int // hours, to excluded
	lines    []line
}

// at says whether the scene makes sense at this hour.
func (s scene) at(hour int) bool { return hour >= s.from && hour < s.to }

// mustScenes reads an embedded script; a mistake in one ends every test of this package.
func mustScenes(name string) []scene {
	b, err := scripts.ReadFile("scripts/" + name + ".txt")
	if err != nil {
		panic(err)
	}
	list, err := parseScenes(string(b))
	if err != nil {
		panic(fmt.Sprintf("%s: %v", name, err))
	}
	return list
}

func parseScenes(text string) (list []scene, err error) {
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		s := scene{to: 24}
		for l := range strings.SplitSeq(strings.TrimSpace(part), "\n") {
			if hours, ok := strings.CutPrefix(l, "@"); ok {
				if _, err := fmt.Sscanf(hours, "%d-%d", &s.from, &s.to); err != nil {
					return nil, fmt.Errorf("%q names no hours", l)
				}
				continue
			}
			parsed, err := parseLine(l)
			if err != nil {
				return nil, err
			}
			if len(s.lines) == 0 && (parsed.reaction > 0 || parsed.reply) {
				return nil, fmt.Errorf("%q follows nothing", l)
			}
			s.lines = append(s.lines, parsed)
		}
		if len(s.lines) == 0 {
			return nil, fmt.Errorf("an empty scene")
		}
		list = append(list, s)
	}
	return list, nil
}

func parseLine(l string) (line, error) {
	if name, n, ok := strings.Cut(l, "+"); ok && !strings.Contains(name, ":") {
		who := personCalled(name)
		reaction, err := strconv.ParseUint(n, 10, 32)
		if who < 0 || err != nil || reaction < 1 || reaction > 6 {
			return line{}, fmt.Errorf("%q is no reaction", l)
		}
		return line{who: who, reaction: uint32(reaction)}, nil
	}
	name, text, ok := strings.Cut(l, ": ")
	name, reply := strings.CutSuffix(name, ">")
	who := personCalled(name)
	if !ok || who < 0 || text == "" {
		return line{}, fmt.Errorf("%q is no line of a script", l)
	}
	if _, err := expand(text, rand.New(rand.NewPCG(1, 1))); err != nil {
		return line{}, err
	}
	return line{who: who, text: text, reply: reply}, nil
}

// personCalled is who has this given name; -1: nobody.
func personCalled(given string) int {
	for i, p := range people {
		if p.given == given {
			return i
		}
	}
	return -1
}

// expand replaces what is in braces.
func expand(text string, r *rand.Rand) (string, error) {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		choice, after, ok := strings.Cut(rest, "}")
		if !ok {
			return "", fmt.Errorf("%q has an open brace", text)
		}
		if choice == "n" {
			b.WriteString(nameHere)
		} else if low, high, ok := strings.Cut(choice, "~"); ok {
			from, err1 := strconv.Atoi(low)
			to, err2 := strconv.Atoi(high)
			if err1 != nil || err2 != nil || to < from {
				return "", fmt.Errorf("%q is no range", choice)
			}
			b.WriteString(strconv.Itoa(from + r.IntN(to-from+1)))
		} else {
			words := strings.Split(choice, "|")
			if len(words) < 2 {
				return "", fmt.Errorf("%q is no choice", choice)
			}
			b.WriteString(words[r.IntN(len(words))])
		}
		text = after
	}
}
