package gateway

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/people"
)

// picture is a JPEG as Go writes it: without APP segments.
func picture(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.RGBA{byte(x), byte(y), byte(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 70}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// segment is a marker with its payload.
func segment(mark byte, payload string) []byte {
	n := len(payload) + 2
	return append([]byte{0xff, mark, byte(n >> 8), byte(n)}, payload...)
}

// insert puts segments behind the start of a picture.
func insert(b []byte, segments ...[]byte) []byte {
	out := bytes.Clone(b[:2])
	for _, s := range segments {
		out = append(out, s...)
	}
	return append(out, b[2:]...)
}

const (
	jfif  = "JFIF\x00\x01\x01\x00\x00\x01\x00\x01"
	adobe = "Adobe\x00\x64\x00\x00\x00\x00\x01"
)

func TestPhotoIsOnlyThePicture(t *testing.T) {
	plain := picture(t, 64, 64)
	secrets := []string{"Exif\x00\x00GPS 37.5665 126.9780", "http://ns.adobe.com/xap/1.0/\x00<x>", "ICC_PROFILE\x00secret", "a remark", "JFXX\x00preview", "preview", "tail"}
	full := insert(plain,
		segment(0xe0, jfif+"\x01\x01"+secrets[5]), segment(0xe0, secrets[4]), segment(0xe0, jfif+"\x00\x00"), segment(0xe1, secrets[0]), segment(0xe1, secrets[1]),
		segment(0xe2, secrets[2]), segment(0xee, adobe+secrets[5]), segment(0xee, "Other"), segment(0xed, secrets[0]), segment(0xef, secrets[0]),
		segment(0xfe, secrets[3]), []byte{0xff, 0xff}) // and some filling
	full = append(append(full, segment(0xe1, secrets[0])...), "tail"...)
	got, err := cleanPhoto(full)
	if err != nil {
		t.Fatal(err)
	}
	want := insert(plain, segment(0xe0, jfif+"\x00\x00"), segment(0xee, adobe))
	if !bytes.Equal(got, want) {
		t.Fatalf("%x\nwant\n%x", got, want)
	}
	for _, s := range secrets {
		if bytes.Contains(got, []byte(s)) {
			t.Errorf("%q is kept", s)
		}
	}
	if again, err := cleanPhoto(got); err != nil || !bytes.Equal(again, got) {
		t.Errorf("what is kept is not kept as it is: %v", err)
	}
	if again, err := cleanPhoto(plain); err != nil || !bytes.Equal(again, plain) {
		t.Errorf("a plain picture is changed: %v", err)
	}
}

func TestPhotoSizes(t *testing.T) {
	for side, rule := range map[[2]int]string{
		{16, 16}: "", {320, 320}: "", {15, 15}: "side", {321, 321}: "side", {64, 63}: "square", {320, 16}: "square", {4000, 4000}: "size",
	} {
		_, err := cleanPhoto(picture(t, side[0], side[1]))
		if rule == "" {
			if err != nil {
				t.Errorf("%v: %v", side, err)
			}
		} else if f := failureOf(err); err == nil || len(f.Fields) != 1 || f.Fields[0].RuleId != rule {
			t.Errorf("%v: %+v, want %s", side, f, rule)
		}
	}
	if got, err := cleanPhoto(nil); got != nil || err != nil {
		t.Errorf("no photo: %v, %v", got, err)
	}
}

// head is where the coded data of a plain picture begins.
func head(b []byte) int {
	i := bytes.Index(b, []byte{0xff, 0xda})
	return i + 2 + int(b[i+2])<<8 + int(b[i+3])
}

func TestNoPhoto(t *testing.T) {
	p := picture(t, 32, 32)
	sof := bytes.Index(p, []byte{0xff, 0xc0})
	change := func(at int, to ...byte) []byte {
		b := bytes.Clone(p)
		copy(b[at:], to)
		return b
	}
	sos := p[bytes.Index(p, []byte{0xff, 0xda}):head(p)]
	for what, b := range map[string][]byte{
		"nothing but a start":       {0xff, 0xd8},
		"no start":                  p[2:],
		"another format":            []byte("\x89PNG\r\n\x1a\n" + strings.Repeat("x", 100)),
		"no end":                    p[:len(p)-2],
		"cut in a segment":          p[:sof+5],
		"cut in the picture":        append(bytes.Clone(p[:head(p)+3]), 0xff, 0xd9),
		"no picture":                append(bytes.Clone(p[:sof]), 0xff, 0xd9),
		"two sizes":                 insert(p, p[sof:sof+2+17]),
		"a scan before the size":    insert(p, sos),
		"arithmetic coding":         change(sof, 0xff, 0xc9),
		"four components":           change(sof+9, 4),
		"no height yet":             change(sof+5, 0, 0),
		"a segment without length":  insert(p, []byte{0xff, 0xe1, 0, 1}),
		"a segment beyond the end":  insert(p, []byte{0xff, 0xe1, 0xff, 0xff}),
		"bytes between segments":    insert(p, []byte("x")),
		"a restart outside a scan":  insert(p, []byte{0xff, 0xd0}),
		"a second start":            insert(p, []byte{0xff, 0xd8}),
		"only filling":              {0xff, 0xd8, 0xff, 0xff, 0xff},
		"more scans than are usual": append(append(bytes.Clone(p[:len(p)-2]), bytes.Repeat(sos, maxScans)...), 0xff, 0xd9),
	} {
		if _, err := cleanPhoto(b); err == nil {
			t.Errorf("%s is taken", what)
		} else if f := failureOf(err); f.Fields[0].Field != "jpeg" || f.Fields[0].RuleId != "jpeg" {
			t.Errorf("%s: %+v", what, f)
		}
	}
}

// TestProgressivePhoto: several scans with tables between them, as browsers and cameras write them too.
func TestProgressivePhoto(t *testing.T) {
	p := progressive()
	got, err := cleanPhoto(insert(p, segment(0xe1, "Exif\x00\x00")))
	if err != nil || !bytes.Equal(got, p) {
		t.Fatalf("%v\n%x\nwant\n%x", err, got, p)
	}
}

// progressive is a grey picture of 16 by 16 in two passes: the DC coefficients, then the first AC band, empty.
func progressive() []byte {
	p := []byte{0xff, 0xd8}
	p = append(p, segment(0xdb, "\x00"+strings.Repeat("\x01", 64))...)
	p = append(p, segment(0xc2, "\x08\x00\x10\x00\x10\x01\x01\x11\x00")...)
	lengths := "\x01" + strings.Repeat("\x00", 15) // one code of one bit
	p = append(p, segment(0xc4, "\x00"+lengths+"\x00")...)
	p = append(append(p, segment(0xda, "\x01\x01\x00\x00\x00\x00")...), 0x0f) // four times no difference
	p = append(p, segment(0xc4, "\x10"+lengths+"\x00")...)
	p = append(append(p, segment(0xda, "\x01\x01\x00\x01\x3f\x00")...), 0x0f) // four blocks end at once
	return append(p, 0xff, 0xd9)
}

// FuzzStripJPEG: no panic, nothing grows, and what is kept is kept as it is and holds no segment that was to go.
func FuzzStripJPEG(f *testing.F) {
	p := picture(f, 16, 16)
	f.Add(p)
	f.Add(progressive())
	f.Add(insert(p, segment(0xe0, jfif+"\x00\x00"), segment(0xe1, "Exif\x00\x00"), segment(0xee, adobe), segment(0xfe, "x")))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff})
	f.Add([]byte{0xff, 0xd8, 0xff, 0xd9})
	f.Fuzz(func(t *testing.T, b []byte) {
		out, side, ok := stripJPEG(b)
		if !ok {
			return
		}
		if len(out) > len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(out))
		}
		again, side2, ok := stripJPEG(out)
		if !ok || side2 != side || !bytes.Equal(again, out) {
			t.Fatalf("%x\nis kept as\n%x\nand then as\n%x", b, out, again)
		}
		if len(b) <= people.MaxPhoto {
			_, _ = cleanPhoto(b)
		}
	})
}
