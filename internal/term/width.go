package term

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// runeWidth is how many columns a terminal gives to a rune: 2 for Hangul, Chinese characters and most emoji, 0 for what
// combines with the rune before.
func runeWidth(r rune) int {
	switch {
	case r == 0 || r < ' ' || r >= 0x7f && r < 0xa0:
		return 0
	case r >= 0x1160 && r <= 0x11ff || r >= 0xd7b0 && r <= 0xd7ff: // vowels and finals of decomposed Hangul
		return 0
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

func runesWidth(rs []rune) (n int) {
	for _, r := range rs {
		n += runeWidth(r)
	}
	return n
}

// pad fills a text up to n columns.
func pad(s string, n int) string {
	if w := runesWidth([]rune(s)); w < n {
		return s + strings.Repeat(" ", n-w)
	}
	return s
}

// clean makes a text of other people harmless: no control characters, no change of direction, no bytes that are no text.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == unicode.ReplacementChar:
			return '·'
		}
		return r
	}, s)
}

// line is clean on one line.
func line(s string) string { return strings.ReplaceAll(clean(s), "\n", " ") }
