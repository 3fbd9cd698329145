package gateway

import (
	"bytes"
	"image/jpeg"

	"github.com/bonghwa/bonghwa/internal/people"
)

// Profile photos are checked before the log: a square JPEG that decodes, of 16 to 320 pixels. What is kept has nothing
// in it but the picture: camera, place, previews and remarks are left out, and so is whatever follows the picture. The
// work is bounded by the size of the request, which the schema bounds, by maxScans and by the number of pixels.

const (
	minPhotoSide = 16
	maxPhotoSide = 320
	// maxScans is how many passes over the picture a progressive JPEG may have; usual are ten.
	maxScans = 64
)

// Markers of JPEG (ITU-T T.81, table B.1), the byte after ff.
const (
	markSOF0 = 0xc0 // baseline
	markSOF1 = 0xc1 // extended
	markSOF2 = 0xc2 // progressive
	markDHT  = 0xc4
	markRST0 = 0xd0
	markRST7 = 0xd7
	markSOI  = 0xd8
	markEOI  = 0xd9
	markSOS  = 0xda
	markDQT  = 0xdb
	markDRI  = 0xdd
	markAPP0 = 0xe0
	markAPPe = 0xee // APP14
	markAPPf = 0xef // APP15
	markCOM  = 0xfe
)

// cleanPhoto checks a photo and returns what is kept of it; no bytes are no photo.
func cleanPhoto(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, nil
	}
	if len(b) > people.MaxPhoto {
		return nil, invalid("jpeg", "size", "is too large")
	}
	out, side, ok := stripJPEG(b)
	switch {
	case !ok:
		return nil, invalid("jpeg", "jpeg", "is not a JPEG")
	case side[0] != side[1]:
		return nil, invalid("jpeg", "square", "is not a square")
	case side[0] < minPhotoSide || side[0] > maxPhotoSide:
		return nil, invalid("jpeg", "side", "must be 16 to 320 pixels wide")
	}
	if _, err := jpeg.Decode(bytes.NewReader(out)); err != nil {
		return nil, invalid("jpeg", "jpeg", "is not a JPEG")
	}
	return out, nil
}

// stripJPEG copies the segments that make the picture, up to its end, and says how wide and high it is. ok is false for
// what is not built like a JPEG of one or three components. It never grows: what it returns is no longer than b.
func stripJPEG(b []byte) (out []byte, side [2]int, ok bool) {
	if len(b) < 2 || b[0] != 0xff || b[1] != markSOI {
		return nil, side, false
	}
	out = append(make([]byte, 0, len(b)), b[:2]...)
	scans, jfif, adobe := 0, false, false
	for i := 2; ; {
		if i >= len(b) || b[i] != 0xff {
			return nil, side, false
		}
		for i < len(b) && b[i] == 0xff { // any number of ff may stand before a marker
			i++
		}
		if i == len(b) {
			return nil, side, false
		}
		mark := b[i]
		i++
		if mark == markEOI {
			return append(out, 0xff, markEOI), side, scans > 0
		}
		if len(b)-i < 2 {
			return nil, side, false
		}
		n := int(b[i])<<8 | int(b[i+1])
		if n < 2 || len(b)-i < n {
			return nil, side, false
		}
		payload := b[i+2 : i+n]
		i += n
		switch mark {
		case markDHT, markDQT, markDRI:
		case markSOF0, markSOF1, markSOF2:
			// precision1 height2 width2 components1
			if side != [2]int{} || len(payload) < 6 || payload[5] != 1 && payload[5] != 3 {
				return nil, side, false
			}
			side = [2]int{int(payload[3])<<8 | int(payload[4]), int(payload[1])<<8 | int(payload[2])}
			if side[0] == 0 || side[1] == 0 {
				return nil, side, false
			}
		case markSOS:
			if scans++; scans > maxScans || side == [2]int{} {
				return nil, side, false
			}
		case markAPP0:
			// How colours are stored; without the preview that may follow.
			if jfif || len(payload) < 14 || !bytes.HasPrefix(payload, []byte("JFIF\x00")) {
				continue
			}
			jfif = true
			payload = append(bytes.Clone(payload[:12]), 0, 0)
		case markAPPe:
			// The same, as another company writes it.
			if adobe || len(payload) < 12 || !bytes.HasPrefix(payload, []byte("Adobe")) {
				continue
			}
			adobe = true
			payload = payload[:12]
		default:
			if mark > markAPP0 && mark <= markAPPf || mark == markCOM {
				continue
			}
			return nil, side, false
		}
		n = len(payload) + 2
		out = append(append(out, 0xff, mark, byte(n>>8), byte(n)), payload...)
		if mark == markSOS {
			end := i + scanLength(b[i:])
			out = append(out, b[i:end]...)
			i = end
		}
	}
}

// scanLength is how long the coded data at the front of b is: up to a marker that is no part of it.
func scanLength(b []byte) int {
	for i := 0; i+1 < len(b); i++ {
		if b[i] == 0xff && b[i+1] != 0 && (b[i+1] < markRST0 || b[i+1] > markRST7) {
			return i
		}
	}
	return len(b)
}
