package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Rows that the kernel keeps in every view, beside the domain's own.
var positionKey = []byte{0}

const (
	prefixNames  byte = 'd'
	prefixEpochs byte = 'e'
)

const positionVersion = 1

// viewState is the row 00: where the view stands.
type viewState struct {
	pos       Position
	chain     uint64
	time      uint64
	behaviour uint32
	cursor    []byte
}

var errPositionRow = errors.New("position row cannot be decoded")

// encode writes version1 epoch4 n8 chain8 time8 behaviour4 cursor.
func (s *viewState) encode(b []byte) []byte {
	b = append(b, positionVersion)
	b = s.pos.Append(b)
	b = binary.BigEndian.AppendUint64(b, s.chain)
	b = binary.BigEndian.AppendUint64(b, s.time)
	b = binary.BigEndian.AppendUint32(b, s.behaviour)
	return append(b, s.cursor...)
}

func (s *viewState) decode(b []byte) error {
	if len(b) < 33 || len(b) > 33+16 || b[0] != positionVersion {
		return errPositionRow
	}
	s.pos = Position{binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint64(b[5:])}
	s.chain, s.time = binary.BigEndian.Uint64(b[13:]), binary.BigEndian.Uint64(b[21:])
	s.behaviour = binary.BigEndian.Uint32(b[29:])
	s.cursor = append([]byte(nil), b[33:]...)
	return nil
}

func readState(r Reader) (s viewState, err error) {
	b, ok := r.Get(positionKey)
	if !ok {
		return s, nil
	}
	return s, s.decode(b)
}

const epochRowVersion = 1

func epochKey(epoch uint32) []byte { return binary.BigEndian.AppendUint32([]byte{prefixEpochs}, epoch) }

// encodeEpochRow writes the row e | epoch: version1, the previous epoch, n of the cut.
func encodeEpochRow(prev Position) []byte { return prev.Append([]byte{epochRowVersion}) }

// Cuts reads where each older epoch was cut by a restore: the last position of that epoch which is still part of
// history.
func Cuts(r Reader) map[uint32]uint64 {
	m := map[uint32]uint64{}
	r.Scan([]byte{prefixEpochs}, []byte{prefixEpochs + 1}, func(_, v []byte) bool {
		if len(v) == 13 && v[0] == epochRowVersion {
			m[binary.BigEndian.Uint32(v[1:])] = binary.BigEndian.Uint64(v[5:])
		}
		return true
	})
	return m
}

// EffectiveTime reads the effective time of the newest entry that a view has applied, Unix milliseconds; 0: there is none.
func EffectiveTime(r Reader) uint64 {
	s, err := readState(r)
	if err != nil {
		return 0 // not of a view that is at work: its start has read it
	}
	return s.time
}

// CheckRow says whether a row of the view of d can be decoded, the kernel's own rows included.
func CheckRow(d Domain, key, value []byte) error {
	if len(key) == 0 {
		return errors.New("empty key")
	}
	switch key[0] {
	case 0:
		if len(key) != 1 {
			return errors.New("unknown row of the kernel")
		}
		var s viewState
		return s.decode(value)
	case prefixNames:
		if len(key) != 1+16+10 && len(key) != 1+16+16 {
			return fmt.Errorf("name row with a key of %d bytes", len(key))
		}
		if len(value) == 0 {
			return errNameRow // decode takes it for a row that is not there
		}
		var r nameRow
		return r.decode(value)
	case prefixEpochs:
		if len(key) != 5 || len(value) != 13 || value[0] != epochRowVersion {
			return errors.New("epoch row cannot be decoded")
		}
		return nil
	}
	return d.CheckRow(key, value)
}

// PositionOf reads where a view stands; the zero position for a new view.
func PositionOf(r Reader) Position {
	s, err := readState(r)
	if err != nil {
		panic(StorageFault{err})
	}
	return s.pos
}
