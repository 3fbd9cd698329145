package lan

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is the margin that scanners need around a code, in modules.
const quiet = 4

// Colours of a terminal, named exactly: black on white whatever the terminal's own are.
const (
	blackOnWhite = "\x1b[38;5;16m\x1b[48;5;231m"
	ownColours   = "\x1b[0m"
)

// QR draws a text as a QR code for a terminal: two modules in each character.
func QR(text string) (string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("no QR code for this text: %w", err)
	}
	size := code.Bounds().Dx()
	dark := func(x, y int) bool {
		x, y = x-quiet, y-quiet
		return x >= 0 && y >= 0 && x < size && y < size && color.GrayModel.Convert(code.At(x, y)).(color.Gray).Y < 128
	}
	halves := map[[2]bool]rune{{false, false}: ' ', {true, false}: '▀', {false, true}: '▄', {true, true}: '█'}
	var b strings.Builder
	for y := 0; y < size+2*quiet; y += 2 {
		b.WriteString("  " + blackOnWhite)
		for x := range size + 2*quiet {
			b.WriteRune(halves[[2]bool{dark(x, y), dark(x, y+1)}])
		}
		b.WriteString(ownColours + "\n")
	}
	return b.String(), nil
}
