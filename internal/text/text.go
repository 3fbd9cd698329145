// Package text holds what people may write into the product's fields: normalisation to NFC and limits in code points
// (docs/formats.md, "Accounts").
//
// Guarantees: what a function returns is valid UTF-8 in NFC, within its field's limits, and comes out the same when put
// in again. Errors are of type *Violation and never contain the input.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Limits in code points; MessageBytes in bytes after NFC.
const (
	HandleMin, HandleMax     = 4, 20
	PasswordMin, PasswordMax = 8, 128
	NameMax                  = 30
	TitleMax                 = 50
	StatusMax                = 60
	ProfileMax               = 500
	LabelMax                 = 40
	MessageMax               = 10_000
	MessageBytes             = 40_000
)

// Violation is a refused input.
type Violation struct {
	// Rule is a stable word for programs, Message a sentence for people.
	Rule, Message string
}

func (v *Violation) Error() string { return v.Message }

var (
	errUTF8     = &Violation{"utf8", "must be valid UTF-8"}
	errEmpty    = &Violation{"min_len", "must not be empty"}
	errLong     = &Violation{"max_len", "is too long"}
	errBytes    = &Violation{"max_bytes", "is too long"}
	errShort    = &Violation{"min_len", "is too short"}
	errControl  = &Violation{"control", "must not contain control characters"}
	errBlank    = &Violation{"blank", "must not be only white space"}
	errHandle   = &Violation{"handle", "must be 4 to 20 of a-z, 0-9, dot and underscore"}
	errOneTitle = &Violation{"title", "must be 1 to 50 characters"}
)

// field normalises s and checks its length and characters. lines allows \n and \t.
func field(s string, least, most int, lines bool) (string, error) {
	if !utf8.ValidString(s) {
		return "", errUTF8
	}
	// NFC never makes more than three code points of one, nor fewer than a fraction of a long text: an input far beyond
	// the limit is refused before work is spent on it.
	if len(s) > most*utf8.UTFMax*3 {
		return "", errLong
	}
	s = norm.NFC.String(s)
	n := 0
	blank := true
	for _, r := range s {
		n++
		if !(lines && (r == '\n' || r == '\t')) && isControl(r) {
			return "", errControl
		}
		if !unicode.IsSpace(r) {
			blank = false
		}
	}
	switch {
	case n > most:
		return "", errLong
	case n < least:
		return "", errEmpty
	case n > 0 && least > 0 && !lines && blank:
		return "", errBlank
	}
	return s, nil
}

// isControl is true for C0, DEL, C1 and the two separators that terminals and browsers take for line breaks.
func isControl(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}

// Message is the text of a message: 1 to 10,000 code points and at most 40,000 bytes; \n and \t are allowed.
func Message(s string) (string, error) {
	if plain(s) && len(s) <= MessageMax {
		return s, nil
	}
	s, err := field(s, 1, MessageMax, true)
	if err != nil {
		return "", err
	}
	if len(s) > MessageBytes {
		return "", errBytes
	}
	return s, nil
}

// plain says that s is not empty and printable ASCII, which is in NFC as it stands.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

// Name is a display name: 1 to 30 code points, no control characters, not only white space.
func Name(s string) (string, error) { return field(s, 1, NameMax, false) }

// Title is the title of a group: 1 to 50 code points, as Name.
func Title(s string) (string, error) {
	t, err := field(s, 1, TitleMax, false)
	if err == errEmpty {
		err = errOneTitle
	}
	return t, err
}

// Status is a status message: at most 60 code points, one line.
func Status(s string) (string, error) { return field(s, 0, StatusMax, false) }

// Profile is a profile text: at most 500 code points; \n and \t are allowed.
func Profile(s string) (string, error) { return field(s, 0, ProfileMax, true) }

// Label is the name of a device: at most 40 code points, one line.
func Label(s string) (string, error) { return field(s, 0, LabelMax, false) }

// Password is 8 to 128 code points of valid UTF-8. It is taken in NFC, so that every keyboard makes the same one.
func Password(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errUTF8
	}
	if len(s) > PasswordMax*utf8.UTFMax*3 {
		return "", errLong
	}
	s = norm.NFC.String(s)
	switch n := utf8.RuneCountInString(s); {
	case n < PasswordMin:
		return "", errShort
	case n > PasswordMax:
		return "", errLong
	}
	return s, nil
}

// Handle lower-cases s and checks it: 4 to 20 of a-z 0-9 . _
func Handle(s string) (string, error) {
	if len(s) < HandleMin || len(s) > HandleMax {
		return "", errHandle
	}
	for i := 0; i < len(s); i++ { // bytes: the Kelvin sign would become a k
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_') {
			return "", errHandle
		}
	}
	return strings.ToLower(s), nil
}
