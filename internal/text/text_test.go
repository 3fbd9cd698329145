package text

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFields(t *testing.T) {
	const (
		nfd = "\u1112\u1161\u11ab" // 한, decomposed
		nfc = "한"
	)
	for _, c := range []struct {
		what string
		fn   func(string) (string, error)
		in   string
		want string
		rule string
	}{
		{"message", Message, "안녕\n\t1", "안녕\n\t1", ""},
		{"message composes", Message, nfd, nfc, ""},
		{"message of white space", Message, " ", " ", ""},
		{"message empty", Message, "", "", "min_len"},
		{"message control", Message, "a\x00b", "", "control"},
		{"message carriage return", Message, "a\rb", "", "control"},
		{"message line separator", Message, "a\u2028b", "", "control"},
		{"message utf8", Message, "a\xffb", "", "utf8"},
		{"message longest", Message, strings.Repeat("가", 10_000), strings.Repeat("가", 10_000), ""},
		{"message longest decomposed", Message, strings.Repeat(nfd, 10_000), strings.Repeat(nfc, 10_000), ""},
		{"message ascii longest", Message, strings.Repeat("a", 10_000), strings.Repeat("a", 10_000), ""},
		{"message ascii too long", Message, strings.Repeat("a", 10_001), "", "max_len"},
		{"message too long", Message, strings.Repeat("가", 10_001), "", "max_len"},
		{"message four bytes each", Message, strings.Repeat("😀", 10_000), strings.Repeat("😀", 10_000), ""},
		{"message huge", Message, strings.Repeat("a", 1<<20), "", "max_len"},
		{"name", Name, "김철수", "김철수", ""},
		{"name longest", Name, strings.Repeat("가", 30), strings.Repeat("가", 30), ""},
		{"name too long", Name, strings.Repeat("가", 31), "", "max_len"},
		{"name blank", Name, " \u3000", "", "blank"},
		{"name newline", Name, "a\nb", "", "control"},
		{"name empty", Name, "", "", "min_len"},
		{"title", Title, strings.Repeat("a", 50), strings.Repeat("a", 50), ""},
		{"title long", Title, strings.Repeat("a", 51), "", "max_len"},
		{"title empty", Title, "", "", "title"},
		{"status", Status, "", "", ""},
		{"status long", Status, strings.Repeat("a", 61), "", "max_len"},
		{"profile", Profile, "a\nb", "a\nb", ""},
		{"profile long", Profile, strings.Repeat("a", 501), "", "max_len"},
		{"label", Label, strings.Repeat("a", 40), strings.Repeat("a", 40), ""},
		{"label long", Label, strings.Repeat("a", 41), "", "max_len"},
		{"password", Password, "12345678", "12345678", ""},
		{"password short", Password, "1234567", "", "min_len"},
		{"password long", Password, strings.Repeat("a", 129), "", "max_len"},
		{"password composes", Password, strings.Repeat(nfd, 8), strings.Repeat(nfc, 8), ""},
		{"password utf8", Password, "1234567\xff", "", "utf8"},
		{"handle", Handle, "Kim.Chul_1", "kim.chul_1", ""},
		{"handle short", Handle, "kim", "", "handle"},
		{"handle long", Handle, strings.Repeat("a", 21), "", "handle"},
		{"handle letters", Handle, "김철수", "", "handle"},
		{"handle kelvin sign", Handle, "\u212Aimchul", "", "handle"},
	} {
		got, err := c.fn(c.in)
		var v *Violation
		rule := ""
		if errors.As(err, &v) {
			rule = v.Rule
		} else if err != nil {
			t.Errorf("%s: %T is no Violation", c.what, err)
		}
		if got != c.want || rule != c.rule {
			t.Errorf("%s: got %.40q, rule %q; want %.40q, rule %q", c.what, got, rule, c.want, c.rule)
		}
	}
}

// FuzzMessage checks the package's guarantee for the widest field.
func FuzzMessage(f *testing.F) {
	for _, s := range []string{"", "a", "안녕", "\u1112\u1161\u11ab", "\xff", "a\u0301\u0323", "\u0958", "\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := Message(in)
		if err != nil {
			return
		}
		if !utf8.ValidString(s) || !norm.NFC.IsNormalString(s) || len(s) > MessageBytes || utf8.RuneCountInString(s) > MessageMax || s == "" {
			t.Fatalf("accepted %q as %q", in, s)
		}
		if again, err := Message(s); err != nil || again != s {
			t.Fatalf("%q became %q, then %q, %v", in, s, again, err)
		}
	})
}
