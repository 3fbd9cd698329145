package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

func sampleEntry() Entry {
	return Entry{
		Epoch: 0x01020304, Behaviour: 1, Time: 0x0000019a_0b0c0d0e,
		Node: cluster.NodeID{0xa1, 0xa2, 0xa3, 0xa4}, Incarnation: cluster.Incarnation{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		Number: 7,
		Checks: []Check{{DomainPeople, 40, 0x1122334455667788, 30}, {DomainChat, 41, 0x8877665544332211, 31}},
		Commands: []Envelope{
			{DomainChat, 0, []byte("send")}, {DomainPeople, 0, []byte{}}, {DomainChat, FlagEphemeral, []byte{0xff}}, {DomainKernel, 0, []byte{0x0a, 0}},
		},
	}
}

func sampleEntries() map[string]Entry {
	beat := sampleEntry()
	beat.Commands = nil
	return map[string]Entry{"first": {Epoch: 9, Behaviour: 1, Time: 1764000000000}, "beat": beat, "full": sampleEntry()}
}

func TestEntryGolden(t *testing.T) {
	var b strings.Builder
	for _, name := range []string{"first", "beat", "full"} {
		e := sampleEntries()[name]
		raw := e.Encode(nil)
		fmt.Fprintf(&b, "%s\n", name)
		fields := []struct {
			name string
			size int
		}{{"format", 1}, {"crc", 4}, {"epoch", 4}, {"behaviour", 4}, {"time", 8}, {"node", 4}, {"incarnation", 12}, {"number", 8}, {"checks", 1}}
		for range e.Checks {
			fields = append(fields, []struct {
				name string
				size int
			}{{"- domain", 1}, {"- n", 8}, {"- chain", 8}, {"- durable", 8}}...)
		}
		for _, c := range e.Commands {
			fields = append(fields, []struct {
				name string
				size int
			}{{"* domain", 1}, {"* flags", 1}, {"* length", 4}, {"* bytes", len(c.Bytes)}}...)
		}
		rest := raw
		for _, f := range fields {
			fmt.Fprintf(&b, "  %-12s %x\n", f.name, rest[:f.size])
			rest = rest[f.size:]
		}
		if len(rest) != 0 {
			t.Fatalf("%s: %d bytes are not described", name, len(rest))
		}
	}
	golden(t, "entry.golden", b.String())
}

func TestEntryRoundTrip(t *testing.T) {
	for name, e := range sampleEntries() {
		prefix := []byte("kept")
		raw := e.Encode(prefix)
		if !bytes.HasPrefix(raw, prefix) {
			t.Fatalf("%s: Encode must append", name)
		}
		got, err := DecodeEntry(raw[len(prefix):])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(*got, e) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, *got, e)
		}
	}
	first, err := DecodeEntry(FirstEntry(9, 1, 1764000000000))
	if err != nil || first.Number != 0 || first.Epoch != 9 || len(first.Commands)+len(first.Checks) != 0 {
		t.Errorf("first entry: %+v, %v", first, err)
	}
}

func TestEntryMaximumSize(t *testing.T) {
	e := sampleEntry()
	e.Commands = []Envelope{{DomainChat, 0, bytes.Repeat([]byte{1}, MaxCommand)}}
	rest := cluster.MaxEntry - entryHeader - 2*checkSize - 2*envelopeHeader - MaxCommand
	e.Commands = append(e.Commands, Envelope{DomainChat, 0, bytes.Repeat([]byte{2}, rest)})
	raw := e.Encode(nil)
	if len(raw) != cluster.MaxEntry {
		t.Fatalf("%d bytes", len(raw))
	}
	got, err := DecodeEntry(raw)
	if err != nil || !reflect.DeepEqual(*got, e) {
		t.Fatalf("%v", err)
	}
}

// reseal puts the right checksum on changed bytes, so that the decoder is tested and not the checksum.
func reseal(b []byte) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint32(b[1:], crc32.Checksum(b[5:], castagnoli))
	return b
}

func TestEntryRefused(t *testing.T) {
	e := sampleEntry()
	raw := e.Encode(nil)
	refused := func(what string, b []byte) {
		t.Helper()
		got, err := DecodeEntry(b)
		if !errors.Is(err, ErrEntry) || got != nil {
			t.Errorf("%s: %+v, %v", what, got, err)
		}
	}
	for i := range raw {
		refused(fmt.Sprintf("cut at %d", i), raw[:i])
		b := bytes.Clone(raw)
		b[i] ^= 0x10
		refused(fmt.Sprintf("bit turned at %d", i), b)
	}
	refused("one byte more", append(bytes.Clone(raw), 0))
	refused("nothing", nil)

	format := reseal(raw)
	format[0] = 2
	refused("another format", format)
	flags := bytes.Clone(raw)
	flags[entryHeader+2*checkSize+1] = 0x02
	refused("an unknown flag", reseal(flags))
	checks := bytes.Clone(raw[:entryHeader])
	checks[entryHeader-1] = 255
	refused("checks that are not there", reseal(checks))
	length := bytes.Clone(raw)
	binary.BigEndian.PutUint32(length[entryHeader+2*checkSize+2:], 0xffffffff)
	refused("a length beyond the end", reseal(length))

	// Cut where a command is cut: with the right checksum too. Cuts between commands are other entries.
	ends := map[int]bool{entryHeader + 2*checkSize: true}
	at := entryHeader + 2*checkSize
	for _, c := range e.Commands {
		at += envelopeHeader + len(c.Bytes)
		ends[at] = true
	}
	for i := entryHeader; i < len(raw); i++ {
		if !ends[i] {
			refused(fmt.Sprintf("resealed cut at %d", i), reseal(raw[:i]))
		}
	}
}

func FuzzDecodeEntry(f *testing.F) {
	for _, e := range sampleEntries() {
		f.Add(e.Encode(nil))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, sealed(b)} {
			e, err := DecodeEntry(b)
			if err != nil {
				if !errors.Is(err, ErrEntry) {
					t.Fatalf("an error of another kind: %v", err)
				}
				continue
			}
			if again := e.Encode(nil); !bytes.Equal(again, b) {
				t.Fatalf("decoded and encoded again\n%x\nbecame\n%x", b, again)
			}
		}
	})
}

func sealed(b []byte) []byte {
	if len(b) < 5 {
		return b
	}
	return reseal(b)
}
