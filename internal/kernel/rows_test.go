package kernel

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/ids"
)

func sampleStates() []viewState {
	return []viewState{
		{pos: Position{1, 0}},
		{pos: Position{0x01020304, 0x1112131415161718}, chain: 0x2122232425262728, time: 0x3132333435363738, behaviour: 0x41424344, cursor: []byte("0123456789abcdef")},
		{pos: Position{7, 9}, chain: 5, time: 1764000000000, behaviour: 1, cursor: []byte{0, 0, 0, 0, 0, 0, 1, 2}},
	}
}

func TestKernelRowsGolden(t *testing.T) {
	var b strings.Builder
	for _, s := range sampleStates() {
		raw := s.encode(nil)
		fmt.Fprintf(&b, "position key %x\n  version %x epoch %x n %x chain %x time %x behaviour %x cursor %x\n", positionKey,
			raw[:1], raw[1:5], raw[5:13], raw[13:21], raw[21:29], raw[29:33], raw[33:])
		var got viewState
		if err := got.decode(raw); err != nil || got.pos != s.pos || got.chain != s.chain || got.time != s.time || got.behaviour != s.behaviour || !bytes.Equal(got.cursor, s.cursor) {
			t.Errorf("%+v came back as %+v, %v", s, got, err)
		}
	}
	for _, p := range []Position{{}, {0x01020304, 0x1112131415161718}} {
		raw := encodeEpochRow(p)
		fmt.Fprintf(&b, "epoch key %x\n  version %x epoch before %x n of the cut %x\n", epochKey(0x0a0b0c0d), raw[:1], raw[1:5], raw[5:])
	}
	golden(t, "kernelrows.golden", b.String())
}

func FuzzPositionRow(f *testing.F) {
	for _, s := range sampleStates() {
		f.Add(s.encode(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s viewState
		if s.decode(b) == nil && !bytes.Equal(s.encode(nil), b) {
			t.Fatalf("%x became %x", b, s.encode(nil))
		}
	})
}

func TestCuts(t *testing.T) {
	s := NewMemStore()
	b := s.Begin()
	b.Set(epochKey(1), encodeEpochRow(Position{}))
	b.Set(epochKey(5), encodeEpochRow(Position{1, 100}))
	b.Set(epochKey(9), encodeEpochRow(Position{5, 7}))
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := Cuts(s.Snapshot()); !reflect.DeepEqual(got, map[uint32]uint64{0: 0, 1: 100, 5: 7}) {
		t.Errorf("%v", got)
	}
}

func TestCheckRow(t *testing.T) {
	d := &bank{}
	state := sampleStates()[1].encode(nil)
	row := decided(3).encode(nil)
	room, user := nameKey(nil, ids.Device{1}, make([]byte, 16)), nameKey(nil, ids.Device{1}, make([]byte, 10))
	for _, c := range []struct {
		what       string
		key, value []byte
		ok         bool
	}{
		{"position", positionKey, state, true},
		{"position, cut", positionKey, state[:32], false},
		{"position, cursor too long", positionKey, append(bytes.Clone(state), 1), false},
		{"position, other version", positionKey, append([]byte{2}, state[1:]...), false},
		{"a longer key under 00", []byte{0, 1}, state, false},
		{"name in a room", room, row, true},
		{"name in an account", user, row, true},
		{"name, odd scope", append(bytes.Clone(room), 0), row, false},
		{"name, empty", room, nil, false},
		{"name, cut", room, row[:len(row)-1], false},
		{"epoch", epochKey(3), encodeEpochRow(Position{2, 1}), true},
		{"epoch, cut", epochKey(3), encodeEpochRow(Position{2, 1})[:12], false},
		{"epoch, key too long", append(epochKey(3), 0), encodeEpochRow(Position{2, 1}), false},
		{"empty key", nil, nil, false},
		{"the domain's own", []byte("k1"), []byte{1, 0, 0, 0, 0, 0, 0, 0, 9}, true},
		{"the domain's own, damaged", []byte("k1"), []byte{1}, false},
	} {
		if err := CheckRow(d, c.key, c.value); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}
