package demo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"slices"
	"strconv"
	"strings"
)

// shape is a filled path in a square of 48, in the letters of SVG paths: M L H V C Q Z, all with absolute places, and
// O x y r for a circle.
type shape struct {
	fill string
	path string
}

// drawings are the profile pictures of the twelve: own drawings, few colours, no outlines.
var drawings = map[string][]shape{
	"junho.park":   {{"#cfe0d3", page}, {"#b7cfbd", "M0 40C10 34 20 42 30 37C38 33 44 37 48 35V48H0Z"}, {"#6e4c2d", "M22 32H26V43H22Z"}, {"#2b6a50", "M24 6L34 20H29L38 33H10L19 20H14Z"}},
	"eunji.choi":   {{"#dcd6e8", page}, {"#f2eefa", "O36 10 4"}, {"#f7efe2", "M11 27H37V42H11Z"}, {"#4d4468", "M4 24C12 24 19 18 24 12C29 18 36 24 44 24L40 29H8Z"}, {"#8a5a36", "M21 32H27V42H21Z"}, {"#c9b9a0", "M6 42H42V45H6Z"}},
	"jiwoo.han":    {{"#27374a", page}, {"#ffe1a8", "O31 15 8"}, {"#27374a", "O35 12 7"}, {"#ffe9c4", "O12 12 1"}, {"#ffe9c4", "O19 21 1"}, {"#f4ece0", "M8 34C14 31 20 32 24 35C28 32 34 31 40 34V42C34 39 28 40 24 43C20 40 14 39 8 42Z"}, {"#c9b9a0", "M23 35H25V43H23Z"}},
	"haneul.oh":    {{"#d5e6f0", page}, {"#ffffff", "O35 14 5"}, {"#2c6ca8", "M0 30C8 22 16 22 24 30C32 38 40 38 48 30V48H0Z"}, {"#1f5180", "M0 38C8 32 16 32 24 38C32 44 40 44 48 38V48H0Z"}},
	"taeyang.jung": {{"#e3eadf", page}, {"#f7f1e4", "M23 7V27H10Z"}, {"#e6a158", "M26 12V27H36Z"}, {"#8c4b26", "M8 30H40L35 39H13Z"}, {"#b8cfc4", "M0 41C8 38 16 44 24 41C32 38 40 44 48 41V48H0Z"}},
	"subin.lee":    {{"#e9dccb", page}, {"#3c3a3f", "M12 13L15 8L21 13H27L33 8L36 13V28C36 36 30 40 24 40C18 40 12 36 12 28Z"}, {"#ffd27c", "O19 24 2.4"}, {"#ffd27c", "O29 24 2.4"}, {"#2a282c", "O19 24 0.9"}, {"#2a282c", "O29 24 0.9"}, {"#e08f8f", "M22.5 29H25.5L24 31Z"}},
	"mirae.yoon":   {{"#f6dfe0", page}, {"#5f4036", "M5 45L8 42C17 35 23 27 37 7L39.5 8.5C26 29 19 38 8 46Z"}, {"#c9474f", "O19 26 5"}, {"#c9474f", "O31 25 4"}, {"#c9474f", "O34 12 5"}, {"#ffe9b8", "O19 26 1.7"}, {"#ffe9b8", "O31 25 1.3"}, {"#ffe9b8", "O34 12 1.7"}},
	"eunbi.go":     {{"#efe3cf", page}, {"#8a7a66", "M18 8C20 10 16 13 18 17H20C18 13 22 10 20 7Z"}, {"#8a7a66", "M26 8C28 10 24 13 26 17H28C26 13 30 10 28 7Z"}, {"#a8532d", "O36 28 6"}, {"#efe3cf", "O36 28 3"}, {"#a8532d", "M11 21H36V27C36 35 30 39 23.5 39C17 39 11 35 11 27Z"}, {"#d9c7a8", "M9 41H38V43H9Z"}},
	"doyun.kwon":   {{"#f4e6c8", page}, {"#c98b3f", "M24 9L40 16V34L24 41L8 34V16Z"}, {"#e0a75b", "M24 9L40 16L24 23L8 16Z"}, {"#a86f2d", "M24 23L40 16V34L24 41Z"}, {"#fbf3e0", "M15 13L31 20V26L27.5 24.5V21.5L11.5 14.5Z"}},
	"jian.seo":     {{"#f3d7b3", page}, {"#e0702a", "O24 28 13"}, {"#ee8d4c", "O19 24 3"}, {"#4c6b3c", "M24 17C20 14 16 15 14 17C18 18 21 20 24 20C27 20 30 18 34 17C32 15 28 14 24 17Z"}, {"#6e4c2d", "M23 11H25V17H23Z"}},
	"yejin.na":     {{"#fbe3cf", page}, {"#f2a65a", "O24 24 9"}, {"#3f86a6", "M0 26H48V48H0Z"}, {"#f8d9b0", "M16 30H32V31.5H16Z"}, {"#f8d9b0", "M19 35H29V36.5H19Z"}, {"#f8d9b0", "M21.5 40H26.5V41.5H21.5Z"}},
	"jihun.bae":    {{"#1d2b3c", page}, {"#31465e", "M6 20H16V48H6Z"}, {"#2a3d54", "M18 12H30V48H18Z"}, {"#31465e", "M32 24H43V48H32Z"}, {"#ffd27c", "M21 16H23V19H21Z"}, {"#ffd27c", "M25 22H27V25H25Z"}, {"#ffd27c", "M9 26H11V29H9Z"}, {"#ffd27c", "M36 30H38V33H36Z"}, {"#ffd27c", "M21 32H23V35H21Z"}, {"#ffe9c4", "O39 10 4"}, {"#1d2b3c", "O41 8.6 3.4"}},
}

// page is the whole square.
const page = "M0 0H48V48H0Z"

const (
	pictureSide = 320
	unit        = 48.0
	samples     = 4 // in each direction of a pixel
)

// picture draws the profile picture of one of the twelve.
func picture(handle string) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, pictureSide, pictureSide))
	for _, s := range drawings[handle] {
		edges, err := outline(s.path)
		if err != nil {
			return nil, err
		}
		c, err := colour(s.fill)
		if err != nil {
			return nil, err
		}
		fill(img, edges, c)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 88}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func colour(hex string) (color.RGBA, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 24)
	if err != nil {
		return color.RGBA{}, fmt.Errorf("%q is no colour", hex)
	}
	return color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255}, nil
}

type point struct{ x, y float64 }

// outline turns a path into closed polygons.
func outline(path string) (list [][]point, err error) {
	var cur []point
	words := strings.Fields(strings.Map(func(r rune) rune {
		if r == ',' {
			return ' '
		}
		return r
	}, spaced(path)))
	number := func() float64 {
		if len(words) == 0 {
			err = fmt.Errorf("the path %q ends early", path)
			return 0
		}
		v, e := strconv.ParseFloat(words[0], 64)
		if e != nil {
			err = fmt.Errorf("%q is no number in the path %q", words[0], path)
		}
		words = words[1:]
		return v
	}
	last := func() point {
		if len(cur) == 0 {
			err = fmt.Errorf("the path %q begins nowhere", path)
			return point{}
		}
		return cur[len(cur)-1]
	}
	for len(words) > 0 && err == nil {
		op := words[0]
		words = words[1:]
		switch op {
		case "M":
			cur = []point{{number(), number()}}
		case "L":
			last()
			cur = append(cur, point{number(), number()})
		case "H":
			cur = append(cur, point{number(), last().y})
		case "V":
			cur = append(cur, point{last().x, number()})
		case "C":
			a, b, c, d := last(), point{number(), number()}, point{number(), number()}, point{number(), number()}
			for i := 1; i <= 16; i++ {
				t := float64(i) / 16
				u := 1 - t
				cur = append(cur, point{u*u*u*a.x + 3*u*u*t*b.x + 3*u*t*t*c.x + t*t*t*d.x, u*u*u*a.y + 3*u*u*t*b.y + 3*u*t*t*c.y + t*t*t*d.y})
			}
		case "O":
			x, y, r := number(), number(), number()
			var circle []point
			for i := range 64 {
				s, c := math.Sincos(float64(i) / 64 * 2 * math.Pi)
				circle = append(circle, point{x + r*c, y + r*s})
			}
			list = append(list, circle)
		case "Z":
			list = append(list, cur)
			cur = nil
		default:
			return nil, fmt.Errorf("%q is no letter of a path", op)
		}
	}
	return list, err
}

// spaced puts spaces around the letters.
func spaced(path string) string {
	var b strings.Builder
	for _, r := range path {
		if r >= 'A' && r <= 'Z' {
			b.WriteString(" " + string(r) + " ")
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// fill paints polygons (even-odd) with soft edges: each pixel is looked at in samples x samples places.
func fill(img *image.RGBA, polygons [][]point, c color.RGBA) {
	const scale = pictureSide * samples / unit
	cover := make([]int, pictureSide)
	for py := range pictureSide {
		clear(cover)
		for sub := range samples {
			y := (float64(py*samples+sub) + 0.5) / scale
			var xs []float64
			for _, poly := range polygons {
				for i, a := range poly {
					b := poly[(i+1)%len(poly)]
					if (a.y <= y) != (b.y <= y) {
						xs = append(xs, (a.x+(y-a.y)/(b.y-a.y)*(b.x-a.x))*scale)
					}
				}
			}
			slices.Sort(xs)
			for i := 0; i+1 < len(xs); i += 2 {
				from, to := max(0, int(math.Ceil(xs[i]-0.5))), min(pictureSide*samples, int(math.Ceil(xs[i+1]-0.5)))
				for x := from; x < to; x++ {
					cover[x/samples]++
				}
			}
		}
		for px, n := range cover {
			if n > 0 {
				img.SetRGBA(px, py, mix(img.RGBAAt(px, py), c, n))
			}
		}
	}
}

func mix(under, over color.RGBA, n int) color.RGBA {
	const whole = samples * samples
	part := func(a, b uint8) uint8 { return uint8((int(a)*(whole-n) + int(b)*n) / whole) }
	return color.RGBA{part(under.R, over.R), part(under.G, over.G), part(under.B, over.B), 255}
}
