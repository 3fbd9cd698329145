package ids

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/ids.golden anew; ids are one-way doors, so this is for new kinds only")

// TestGolden: what is derived from the same bytes is the same for ever, or every client and every row would be lost.
func TestGolden(t *testing.T) {
	seq := func(from byte, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = from + byte(i)
		}
		return b
	}
	a, b := NewUser(0x0001, seq(0, 16)), NewUser(0xa0b1, seq(100, 16))
	got := "# what: bytes, text form\n"
	add := func(what string, id []byte, text string) { got += fmt.Sprintf("%s: %x %s\n", what, id, text) }
	ab, self, group := Direct(a, b), Direct(a, a), NewGroup(b, seq(50, 16))
	dev, tok := Device(seq(240, 16)), HashToken(seq(7, 32))
	add("user of 00 01 .. 0f in cell 0001", a[:], a.String())
	add("user of 64 65 .. 73 in cell a0b1", b[:], b.String())
	add("1:1 of both", ab[:], ab.String())
	add("self chat of the first", self[:], self.String())
	add("group of the second, of 32 33 .. 41", group[:], group.String())
	add("device f0 f1 .. ff", dev[:], dev.String())
	add("hash of the token 07 08 .. 26", tok[:], Text(tok[:]))

	path := filepath.Join("testdata", "ids.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("ids have changed.\ngot:\n%s\nwant:\n%s", got, want)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(want)), "\n")[1:] {
		_, both, _ := strings.Cut(line, ": ")
		h, text, _ := strings.Cut(both, " ")
		raw, err := hex.DecodeString(h)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Bytes(text); err != nil || !bytes.Equal(back, raw) {
			t.Errorf("%s reads as %x, %v", text, back, err)
		}
	}
}

func TestDirectIsTheSameFromBothSides(t *testing.T) {
	a, b := NewUser(9, []byte("one")), NewUser(3, []byte("two"))
	if Direct(a, b) != Direct(b, a) {
		t.Error("two people have two rooms")
	}
	if r := Direct(a, b); r[0] != 0 || r[1] != 3 || r.Kind() != KindDirect {
		t.Errorf("%x is not in the cell of the lower one", r)
	}
	if r := NewGroup(a, []byte("x")); r[1] != 9 || r.Kind() != KindGroup {
		t.Errorf("%x is not in its creator's cell", r)
	}
}

// TestCanonical: one id has one text. Whatever else a client sends is no id, and never another person's.
func TestCanonical(t *testing.T) {
	u := NewUser(1, []byte("somebody"))
	good := u.String()
	if back, err := ParseUser(good); err != nil || back != u {
		t.Fatalf("%x, %v", back, err)
	}
	for what, bad := range map[string]string{
		"nothing": "", "upper case": strings.ToUpper(good), "padding": good + "=", "too short": good[:len(good)-1], "too long": good + "a",
		"another alphabet": "0" + good[1:], "space": " " + good, "line": good[:8] + "\n" + good[8:], "a room": Direct(u, u).String(),
	} {
		if _, err := ParseUser(bad); !errors.Is(err, ErrID) {
			t.Errorf("%s: %v", what, err)
		}
	}
	// 16 bytes are 26 letters and 2 bits over: only zeros there.
	room := Direct(u, u).String()
	for _, last := range "abcdefghijklmnopqrstuvwxyz234567" {
		s := room[:len(room)-1] + string(last)
		if r, err := ParseRoom(s); err == nil && r.String() != s {
			t.Errorf("%s is a second text of %s", s, r)
		}
	}
	if _, err := UserOf(u[:9]); !errors.Is(err, ErrID) {
		t.Error("nine bytes are no user")
	}
	if _, err := TokenOf(make([]byte, 33)); !errors.Is(err, ErrID) {
		t.Error("33 bytes are no token")
	}
}

func FuzzBytes(f *testing.F) {
	f.Add("aaaa")
	f.Add("a")
	f.Add("\n=A1")
	f.Fuzz(func(t *testing.T, s string) {
		if b, err := Bytes(s); err == nil && Text(b) != s {
			t.Errorf("%q is not canonical", s)
		}
	})
}
