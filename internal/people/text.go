package people

import "unicode/utf8"

// Sizes of texts as Decode takes them, in code points. What people may write is internal/text's to say and may be
// less; a limit here may be raised but never lowered, or the log would no longer replay.
const (
	minHandle        = 4
	maxHandle        = 20
	maxDisplayName   = 30
	maxStatusMessage = 60
	maxProfileText   = 2000
	maxLabel         = 40
	maxPHC           = 512 // bytes
	maxRole          = 20
	maxSite          = 64
	maxWhat          = 40
	maxOn            = 120
	maxScenario      = 60
)

// lower gives the form in which a handle is stored. Only A-Z are changed: a letter of another script whose lower case
// is one of a-z (the Kelvin sign) must not pass for it.
func lower(handle string) string {
	b := []byte(handle)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// validHandle says whether s is a handle as stored: 4 to 20 of a-z, 0-9, dot and underscore.
func validHandle(s string) bool {
	if len(s) < minHandle || len(s) > maxHandle {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '_' {
			return false
		}
	}
	return true
}

// within says whether s has lo to hi code points.
func within(s string, lo, hi int) bool {
	if len(s) > hi*utf8.UTFMax {
		return false
	}
	n := utf8.RuneCountInString(s)
	return n >= lo && n <= hi
}
