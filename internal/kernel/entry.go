package kernel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// EntryFormat is the first byte of every entry that this binary writes and reads.
const EntryFormat = 1

// FlagEphemeral marks a command that reaches sessions only.
const FlagEphemeral byte = 1

const (
	entryHeader    = 1 + 4 + 4 + 4 + 8 + 16 + 8 + 1
	checkSize      = 1 + 8 + 8 + 8
	envelopeHeader = 1 + 1 + 4
)

// ErrEntry is wrapped by everything that DecodeEntry refuses. Replay stops there.
var ErrEntry = errors.New("bad entry")

// ErrChecksum: the entry is not what was written.
var ErrChecksum = fmt.Errorf("%w: checksum does not match", ErrEntry)

// Entry is one entry of the log. docs/formats.md, "The log".
type Entry struct {
	Epoch     uint32
	Behaviour uint32
	// Time is the proposer's stamp, Unix milliseconds.
	Time        uint64
	Node        cluster.NodeID
	Incarnation cluster.Incarnation
	// Number counts the entries of an incarnation: 1, 2, 3 ...; 0 in the entry that begins an epoch.
	Number   uint64
	Checks   []Check
	Commands []Envelope
	// CRC is set by DecodeEntry and Encode.
	CRC uint32
}

// Check is what the proposer's view of a domain was when it proposed.
type Check struct {
	Domain byte
	N      uint64
	Chain  uint64
	// Durable is the n up to which this view is synced to disk.
	Durable uint64
}

// Envelope is one command inside an entry.
type Envelope struct {
	Domain byte
	Flags  byte
	Bytes  []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode appends the entry to b.
func (e *Entry) Encode(b []byte) []byte {
	start := len(b)
	b = append(b, EntryFormat, 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, e.Epoch)
	b = binary.BigEndian.AppendUint32(b, e.Behaviour)
	b = binary.BigEndian.AppendUint64(b, e.Time)
	b = append(b, e.Node[:]...)
	b = append(b, e.Incarnation[:]...)
	b = binary.BigEndian.AppendUint64(b, e.Number)
	b = append(b, byte(len(e.Checks)))
	for _, c := range e.Checks {
		b = append(b, c.Domain)
		b = binary.BigEndian.AppendUint64(b, c.N)
		b = binary.BigEndian.AppendUint64(b, c.Chain)
		b = binary.BigEndian.AppendUint64(b, c.Durable)
	}
	for _, c := range e.Commands {
		b = append(b, c.Domain, c.Flags)
		b = binary.BigEndian.AppendUint32(b, uint32(len(c.Bytes)))
		b = append(b, c.Bytes...)
	}
	e.CRC = crc32.Checksum(b[start+5:], castagnoli)
	binary.BigEndian.PutUint32(b[start+1:], e.CRC)
	return b
}

func entryTime(b []byte) uint64 { return binary.BigEndian.Uint64(b[13:]) }

// restamped is a copy of an encoded entry with another time.
func restamped(b []byte, stamp uint64) []byte {
	b = bytes.Clone(b)
	binary.BigEndian.PutUint64(b[13:], stamp)
	binary.BigEndian.PutUint32(b[1:], crc32.Checksum(b[5:], castagnoli))
	return b
}

// Intact says whether an encoded entry is what was written, whatever it says.
func Intact(b []byte) error {
	if len(b) < 5 || crc32.Checksum(b[5:], castagnoli) != binary.BigEndian.Uint32(b[1:]) {
		return ErrChecksum
	}
	return nil
}

// DecodeEntry parses an entry. Commands share b's memory.
func DecodeEntry(b []byte) (*Entry, error) {
	if len(b) < entryHeader {
		return nil, fmt.Errorf("%w: %d bytes are too short", ErrEntry, len(b))
	}
	if b[0] != EntryFormat {
		return nil, fmt.Errorf("%w: format %d is unknown to this binary", ErrEntry, b[0])
	}
	if err := Intact(b); err != nil {
		return nil, err
	}
	e := &Entry{
		CRC: binary.BigEndian.Uint32(b[1:]), Epoch: binary.BigEndian.Uint32(b[5:]), Behaviour: binary.BigEndian.Uint32(b[9:]),
		Time: binary.BigEndian.Uint64(b[13:]), Node: cluster.NodeID(b[21:25]), Incarnation: cluster.Incarnation(b[25:37]),
		Number: binary.BigEndian.Uint64(b[37:]),
	}
	checks := int(b[45])
	b = b[entryHeader:]
	if len(b) < checks*checkSize {
		return nil, fmt.Errorf("%w: %d checks do not fit", ErrEntry, checks)
	}
	for range checks {
		e.Checks = append(e.Checks, Check{b[0], binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:]), binary.BigEndian.Uint64(b[17:])})
		b = b[checkSize:]
	}
	for len(b) > 0 {
		if len(b) < envelopeHeader {
			return nil, fmt.Errorf("%w: a command is cut off", ErrEntry)
		}
		n := binary.BigEndian.Uint32(b[2:])
		if uint64(n) > uint64(len(b)-envelopeHeader) {
			return nil, fmt.Errorf("%w: a command is cut off", ErrEntry)
		}
		if b[1]&^FlagEphemeral != 0 {
			return nil, fmt.Errorf("%w: command flags %#x are unknown to this binary", ErrEntry, b[1])
		}
		e.Commands = append(e.Commands, Envelope{b[0], b[1], b[envelopeHeader : envelopeHeader+n : envelopeHeader+n]})
		b = b[envelopeHeader+n:]
	}
	return e, nil
}

// FirstEntry is entry 1 of an epoch: no commands, written by init and restore.
func FirstEntry(epoch, behaviour uint32, timeMs uint64) []byte {
	e := Entry{Epoch: epoch, Behaviour: behaviour, Time: timeMs}
	return e.Encode(nil)
}
