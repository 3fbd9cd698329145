package term

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// editor is the line being typed: a pure state, fed with the bytes of a terminal in raw mode.
type editor struct {
	text    []rune
	cursor  int
	history []string
	at      int    // place in history; len(history) = the new line
	kept    []rune // the new line while one looks at history
	rest    []byte // the beginning of a character or key that is not complete
	paste   bool
	secret  bool
}

// action is what a key asks for beyond editing.
type action int

const (
	none action = iota
	submit
	cancel // Ctrl-C
	eof    // Ctrl-D on an empty line
	redraw // Ctrl-L
)

// maxLine is the longest line taken, in code points; a message has 10,000 at most.
const maxLine = 12000

// feed takes bytes and stops behind the first one that is an action. It returns what it did not take.
func (e *editor) feed(b []byte) (action, []byte) {
	b = append(e.rest, b...)
	e.rest = nil
	for len(b) > 0 {
		if b[0] == 0x1b {
			n := e.escape(b)
			if n == 0 {
				e.rest = append(e.rest, b...)
				return none, nil
			}
			b = b[n:]
			continue
		}
		if b[0] < 0x20 || b[0] == 0x7f {
			k := b[0]
			b = b[1:]
			if a := e.control(k); a != none {
				return a, b
			}
			continue
		}
		if !utf8.FullRune(b) {
			e.rest = append(e.rest, b...)
			return none, nil
		}
		r, n := utf8.DecodeRune(b)
		b = b[n:]
		if r != utf8.RuneError && !unicode.IsControl(r) {
			e.insert(r)
		}
	}
	return none, nil
}

// escape takes one key that begins with ESC. 0: it is not complete.
func (e *editor) escape(b []byte) int {
	if len(b) == 1 {
		return 0
	}
	if b[1] != '[' && b[1] != 'O' {
		return 1 // a lone ESC
	}
	end := 2
	for end < len(b) && (b[end] < 0x40 || b[end] > 0x7e) {
		if end++; end > 32 {
			return end // no key is that long
		}
	}
	if end == len(b) {
		return 0
	}
	switch key := string(b[2 : end+1]); key {
	case "A":
		e.recall(-1)
	case "B":
		e.recall(1)
	case "C":
		e.move(1)
	case "D":
		e.move(-1)
	case "H", "1~", "7~":
		e.cursor = 0
	case "F", "4~", "8~":
		e.cursor = len(e.text)
	case "3~":
		e.remove(1)
	case "200~":
		e.paste = true
	case "201~":
		e.paste = false
	}
	return end + 1
}

func (e *editor) control(k byte) action {
	switch k {
	case '\r', '\n':
		if e.paste {
			e.insert(' ')
			return none
		}
		return submit
	case 0x7f, 0x08:
		e.remove(-1)
	case 0x01:
		e.cursor = 0
	case 0x05:
		e.cursor = len(e.text)
	case 0x02:
		e.move(-1)
	case 0x06:
		e.move(1)
	case 0x0b:
		e.text = e.text[:e.cursor]
	case 0x15:
		e.text = append([]rune(nil), e.text[e.cursor:]...)
		e.cursor = 0
	case 0x17:
		e.word()
	case 0x10:
		e.recall(-1)
	case 0x0e:
		e.recall(1)
	case '\t':
		e.insert(' ')
	case 0x03:
		return cancel
	case 0x04:
		if len(e.text) == 0 {
			return eof
		}
		e.remove(1)
	case 0x0c:
		return redraw
	}
	return none
}

func (e *editor) insert(r rune) {
	if len(e.text) >= maxLine {
		return
	}
	e.text = append(e.text, 0)
	copy(e.text[e.cursor+1:], e.text[e.cursor:])
	e.text[e.cursor] = r
	e.cursor++
}

// step is how far one character reaches from i: marks and decomposed Hangul belong to the rune before.
func (e *editor) step(i, dir int) int {
	i += dir
	for i > 0 && i < len(e.text) && runeWidth(e.text[i]) == 0 {
		i += dir
	}
	return max(0, min(i, len(e.text)))
}

func (e *editor) move(dir int) { e.cursor = e.step(e.cursor, dir) }

func (e *editor) remove(dir int) {
	a, b := e.cursor, e.step(e.cursor, dir)
	if a > b {
		a, b = b, a
	}
	e.text = append(e.text[:a], e.text[b:]...)
	e.cursor = a
}

// word deletes the word before the cursor.
func (e *editor) word() {
	i := e.cursor
	for i > 0 && e.text[i-1] == ' ' {
		i--
	}
	for i > 0 && e.text[i-1] != ' ' {
		i--
	}
	e.text = append(e.text[:i], e.text[e.cursor:]...)
	e.cursor = i
}

func (e *editor) recall(dir int) {
	next := e.at + dir
	if e.secret || next < 0 || next > len(e.history) {
		return
	}
	if e.at == len(e.history) {
		e.kept = e.text
	}
	e.at = next
	if next == len(e.history) {
		e.text = e.kept
	} else {
		e.text = []rune(e.history[next])
	}
	e.cursor = len(e.text)
}

// take ends the line and returns it.
func (e *editor) take() string {
	s := norm.NFC.String(string(e.text))
	if !e.secret && s != "" && (len(e.history) == 0 || e.history[len(e.history)-1] != s) {
		e.history = append(e.history, s)
		if len(e.history) > 100 {
			e.history = e.history[1:]
		}
	}
	e.clear()
	return s
}

func (e *editor) clear() {
	e.text, e.cursor, e.kept, e.at = nil, 0, nil, len(e.history)
}

// view is the part of the line that fits into so many columns, and the column of the cursor in it.
func (e *editor) view(columns int) (text string, column int) {
	rs := e.text
	if e.secret {
		rs = make([]rune, len(e.text))
		for i := range rs {
			rs[i] = '*'
		}
	}
	columns = max(columns, 4)
	from := 0
	// One column stays free for the cursor behind the last character.
	for runesWidth(rs[from:e.cursor]) > columns-1 {
		from++
	}
	to, used := from, 0
	for to < len(rs) {
		w := runeWidth(rs[to])
		if used+w > columns-1 {
			break
		}
		used += w
		to++
	}
	return string(rs[from:to]), runesWidth(rs[from:e.cursor])
}
