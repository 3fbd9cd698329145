package term

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// typed feeds keys byte by byte, as a slow line would, and returns the editor.
func typed(keys string) (*editor, []action) {
	e := &editor{}
	var got []action
	for i := range len(keys) {
		b := []byte{keys[i]}
		for len(b) > 0 {
			var a action
			a, b = e.feed(b)
			if a != none {
				got = append(got, a)
			}
		}
	}
	return e, got
}

func TestEditor(t *testing.T) {
	for _, c := range []struct {
		name, keys, text string
		column           int
	}{
		{"ascii", "hello", "hello", 5},
		{"hangul is two columns", "안녕", "안녕", 4},
		{"backspace takes a syllable", "안녕\x7f", "안", 2},
		{"left and insert", "안녕\x1b[D하", "안하녕", 4},
		{"home end", "ab\x1b[Hx\x1b[Fy", "xaby", 4},
		{"application keys", "ab\x1bOD\x1bODx", "xab", 1},
		{"delete", "한글\x1b[H\x1b[3~", "글", 0},
		{"ctrl-w", "점심 같이 먹어\x17", "점심 같이 ", 10},
		{"ctrl-u", "abc\x1b[D\x15", "c", 0},
		{"ctrl-k", "abc\x1b[D\x0b", "ab", 2},
		{"emoji", "👍a\x1b[D\x1b[D\x1b[C", "👍a", 2},
		{"combining mark goes with its letter", "e\u0301x\x1b[D\x7f", "x", 0},
		{"decomposed hangul goes as one", "\u1112\u1161\u11ab\x7f", "", 0},
		{"unknown key", "a\x1b[15~b", "ab", 2},
		{"pasted newline does not send", "\x1b[200~a\rb\x1b[201~", "a b", 3},
		{"bad bytes", "a\xff\xfeb", "ab", 2},
		{"ctrl-d deletes", "ab\x1b[H\x04", "b", 0},
	} {
		e, _ := typed(c.keys)
		text, column := e.view(80)
		if text != c.text || column != c.column {
			t.Errorf("%s: %q column %d, want %q column %d", c.name, text, column, c.text, c.column)
		}
	}
}

func TestEditorActions(t *testing.T) {
	e, got := typed("하나\r")
	if len(got) != 1 || got[0] != submit || e.take() != "하나" {
		t.Fatalf("%v", got)
	}
	if _, got := typed("\x04"); len(got) != 1 || got[0] != eof {
		t.Fatalf("%v", got)
	}
	if _, got := typed("\x03"); len(got) != 1 || got[0] != cancel {
		t.Fatalf("%v", got)
	}
	// Two lines in one read: the second waits.
	e = &editor{}
	a, rest := e.feed([]byte("one\rtwo\r"))
	if a != submit || string(rest) != "two\r" || e.take() != "one" {
		t.Fatalf("%v %q", a, rest)
	}
	if a, _ = e.feed(rest); a != submit || e.take() != "two" {
		t.Fatal(a)
	}
	e.feed([]byte("\x1b[A\x1b[A"))
	if text, _ := e.view(80); text != "one" {
		t.Fatalf("history: %q", text)
	}
	e.feed([]byte("\x1b[B\x1b[B"))
	if text, _ := e.view(80); text != "" {
		t.Fatalf("history: %q", text)
	}
}

func TestTakeComposes(t *testing.T) {
	e, _ := typed("\u1112\u1161\u11ab")
	if got := e.take(); got != "한" {
		t.Fatalf("%q", got)
	}
}

func TestSecretIsNotShownNorKept(t *testing.T) {
	e := &editor{secret: true}
	e.feed([]byte("비밀"))
	if text, _ := e.view(80); text != "**" {
		t.Fatalf("%q", text)
	}
	e.take()
	if len(e.history) != 0 {
		t.Fatal("a password is in the history")
	}
}

func TestLongLineScrolls(t *testing.T) {
	e, _ := typed(strings.Repeat("가", 100))
	for columns := 4; columns < 30; columns++ {
		text, column := e.view(columns)
		if w := runesWidth([]rune(text)); w >= columns || column != w {
			t.Fatalf("%d columns: width %d, cursor at %d", columns, w, column)
		}
	}
	if s := drawLine(e, "아주아주 긴 이름의 방> ", 20); runesWidth([]rune(strings.NewReplacer(eraseLine, "", "\r", "").Replace(s))) > 30 {
		t.Fatalf("%q", s)
	}
}

func FuzzEditor(f *testing.F) {
	f.Add([]byte("안녕\x1b[D\x7f\r\x1b[200~x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		e := &editor{}
		for len(b) > 0 {
			_, b = e.feed(b)
			text, column := e.view(20)
			if !utf8.ValidString(text) || column < 0 || column > 20 || e.cursor > len(e.text) {
				t.Fatalf("%q column %d cursor %d", text, column, e.cursor)
			}
		}
	})
}

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{"a": 1, "한": 2, "漢": 2, "👍": 2, "é": 1, "e\u0301": 1, "ﾊ": 1, "Ａ": 2, "\u1112\u1161\u11ab": 2, "": 0} {
		if got := runesWidth([]rune(s)); got != want {
			t.Errorf("%q is %d columns, want %d", s, got, want)
		}
	}
	if got := pad("한글", 6); got != "한글  " {
		t.Errorf("%q", got)
	}
}

func TestOthersCannotMoveTheCursor(t *testing.T) {
	for _, s := range []string{"\x1b[2J", "a\rb", "\x07", "\u009b31m", "\u202eabc", "\x00", "\xff"} {
		for _, r := range clean(s) {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e {
				t.Errorf("%q becomes %q", s, clean(s))
			}
		}
	}
	if got := line("a\nb"); got != "a b" {
		t.Errorf("%q", got)
	}
}

func TestTimes(t *testing.T) {
	at := func(h, m int) time.Time { return time.Date(2026, 11, 22, h, m, 0, 0, time.UTC) }
	for _, c := range []struct{ got, want string }{
		{lang("ko").clock(at(13, 35)), "오후 1:35"},
		{lang("ko").clock(at(0, 5)), "오전 12:05"},
		{lang("ko").clock(at(12, 0)), "오후 12:00"},
		{lang("en").clock(at(13, 35)), "1:35 PM"},
		{lang("ko").day(at(1, 1)), "2026년 11월 22일 일요일"},
		{lang("en").day(at(1, 1)), "Sunday, 22 November 2026"},
		{lang("ko").josa("철수", "이", "가"), "철수가"},
		{lang("ko").josa("영신", "을", "를"), "영신을"},
		{lang("ko").josa("방1", "으로", "로"), "방1로"},
		{lang("ko").josa("서울", "으로", "로"), "서울로"},
		{lang("ko").josa("모임방", "으로", "로"), "모임방으로"},
		{lang("en").josa("Kim", "이", "가"), "Kim"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// TestTexts: every text exists in both languages and takes the same values in both.
func TestTexts(t *testing.T) {
	for key, two := range texts {
		if two[0] == "" || two[1] == "" {
			t.Errorf("%s is missing in one language", key)
		}
		if a, b := strings.Count(two[0], "%"), strings.Count(two[1], "%"); a != b {
			t.Errorf("%s takes %d values in Korean and %d in English", key, a, b)
		}
	}
	for name := range commands {
		help := lang("ko").say("help") + lang("en").say("help")
		if !strings.Contains(help, "/"+name) && name != "도움" && name != "도움말" && name != "help" {
			t.Errorf("/%s is not in the help", name)
		}
	}
}
