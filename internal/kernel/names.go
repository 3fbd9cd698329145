package kernel

import (
	"encoding/binary"
	"errors"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// ringSize is how many verdicts are kept per (device, scope). A client has at most 8 names open, so that twice as many
// answer every retry that an honest client can still make; docs/formats.md, "Names of commands".
const ringSize = 16

const nameRowVersion = 1

// nameRow is the row d | device | scope: the last decided n and the last verdicts, oldest first.
type nameRow struct {
	last uint64
	ring []ringItem
}

type ringItem struct {
	n       uint64
	verdict Verdict
	tag     [8]byte
}

var errNameRow = errors.New("name row cannot be decoded")

func nameKey(b []byte, d ids.Device, scope []byte) []byte {
	b = append(b, 'd')
	b = append(b, d[:]...)
	return append(b, scope...)
}

// encode writes version1 last8 count1 {uvarint last-n, uvarint code, uvarint seq, tag8}.
func (r *nameRow) encode(b []byte) []byte {
	b = append(b, nameRowVersion)
	b = binary.BigEndian.AppendUint64(b, r.last)
	b = append(b, byte(len(r.ring)))
	for i := range r.ring {
		it := &r.ring[i]
		b = binary.AppendUvarint(b, r.last-it.n)
		b = binary.AppendUvarint(b, uint64(it.verdict.Code))
		b = binary.AppendUvarint(b, it.verdict.Seq)
		b = append(b, it.tag[:]...)
	}
	return b
}

func (r *nameRow) decode(b []byte) error {
	r.last, r.ring = 0, r.ring[:0]
	if len(b) == 0 {
		return nil
	}
	if len(b) < 10 || b[0] != nameRowVersion || b[9] > ringSize {
		return errNameRow
	}
	r.last = binary.BigEndian.Uint64(b[1:])
	count := int(b[9])
	b = b[10:]
	for range count {
		var it ringItem
		var back, code uint64
		for _, p := range []*uint64{&back, &code, &it.verdict.Seq} {
			v, k := binary.Uvarint(b)
			if k <= 0 {
				return errNameRow
			}
			*p, b = v, b[k:]
		}
		if back > r.last || code > 0xffff || len(b) < 8 {
			return errNameRow
		}
		it.n, it.verdict.Code = r.last-back, Code(code)
		copy(it.tag[:], b)
		b = b[8:]
		r.ring = append(r.ring, it)
	}
	if len(b) != 0 {
		return errNameRow
	}
	return nil
}

// standing is what the kernel finds out about a name before any domain sees the command.
type standing struct {
	decide   bool // n is next: decide and record
	verdict  Verdict
	repeated bool
	last     uint64
}

// look applies the rules of names to (row, name). It changes row only by base.
func (r *nameRow) look(name *Name) standing {
	if name.Base > 0 && r.last < name.Base-1 {
		r.last = name.Base - 1
	}
	// Written so that no n overflows: what is asked comes from a client.
	if name.N > r.last {
		if name.N-r.last == 1 {
			return standing{decide: true}
		}
		return standing{verdict: Verdict{Code: Expected}, last: r.last}
	}
	for i := range r.ring {
		if it := &r.ring[i]; it.n == name.N {
			if it.tag != name.Tag {
				return standing{verdict: Verdict{Code: IDReused}, last: r.last}
			}
			return standing{verdict: it.verdict, repeated: true, last: r.last}
		}
	}
	return standing{verdict: Verdict{Code: AlreadyIn}, last: r.last, repeated: true}
}

// record consumes the name.
func (r *nameRow) record(name *Name, v Verdict) {
	r.last = name.N
	if len(r.ring) == ringSize {
		copy(r.ring, r.ring[1:])
		r.ring = r.ring[:ringSize-1]
	}
	r.ring = append(r.ring, ringItem{name.N, v, name.Tag})
}
