package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// joined is an object that holds segments as they were written, each still sealed for itself: who joins them cannot read them.
type joined struct {
	key   string
	epoch uint32
	parts []part
}

// part is a segment in a joined object.
type part struct {
	first, last uint64
	sum         [sha256.Size]byte
	sealed      []byte
}

// whole says that a part is what was joined.
func (p *part) whole() bool { return sha256.Sum256(p.sealed) == p.sum }

// whole says that all of an object is what was joined.
func (j *joined) whole() bool {
	return !slices.ContainsFunc(j.parts, func(p part) bool { return !p.whole() })
}

// part finds a segment in a joined object; nil: it is not in it.
func (j *joined) part(s Segment) *part {
	for i := range j.parts {
		if p := &j.parts[i]; p.first == s.First && p.last == s.Last {
			return p
		}
	}
	return nil
}

const (
	joinedFormat = 1
	joinedHead   = 1 + 4 + 4
	partRow      = 8 + 8 + 4 + sha256.Size
	// MaxJoined bounds a joined object, which its writer and its readers hold in memory; S3 takes it in one request. It holds at
	// most MaxEntries entries, like a segment, so that shardOf holds for both, and at most maxParts segments.
	MaxJoined = s3Part
	maxParts  = 1024
)

func indexSize(parts int) int { return joinedHead + parts*partRow + sha256.Size }

// joinedKey names a joined object, by its entries and by what is in it: two that differ never have one name.
func joinedKey(epoch uint32, first, last uint64, sum [sha256.Size]byte) string {
	return fmt.Sprintf("%s-%x.joined", nameOf(epoch, first, last), sum[:8])
}

// fillIndex writes into the room before the parts: format1 epoch4 count4, {first8 last8 length4 sha256 (32)} for each part, and the
// sha256 of all that. list are the parts' names and sizes, in order.
func fillIndex(b []byte, epoch uint32, list []Segment) (key string) {
	row := append(b[:0], joinedFormat)
	row = binary.BigEndian.AppendUint32(row, epoch)
	row = binary.BigEndian.AppendUint32(row, uint32(len(list)))
	at, last := indexSize(len(list)), uint64(0)
	for _, s := range list {
		end := at + int(s.Size)
		sum := sha256.Sum256(b[at:end])
		row = binary.BigEndian.AppendUint64(row, s.First)
		row = binary.BigEndian.AppendUint64(row, s.Last)
		row = binary.BigEndian.AppendUint32(row, uint32(s.Size))
		row = append(row, sum[:]...)
		at, last = end, max(last, s.Last)
	}
	sum := sha256.Sum256(row)
	_ = append(row, sum[:]...)
	return joinedKey(epoch, list[0].First, last, sum)
}

// decodeJoined reads the index of a joined object and finds its parts, whose bytes are not looked at. Parts are in order, and
// leave no hole.
func decodeJoined(b []byte) (*joined, error) {
	bad := func(what string) (*joined, error) { return nil, fmt.Errorf("%w: %s", ErrDamaged, what) }
	if len(b) < joinedHead {
		return bad("it is too short")
	}
	if b[0] != joinedFormat {
		return nil, fmt.Errorf("the joined object has format %d, this binary knows %d: install the newer version", b[0], joinedFormat)
	}
	j, count := &joined{epoch: binary.BigEndian.Uint32(b[1:])}, binary.BigEndian.Uint32(b[5:])
	if count == 0 || count > maxParts || len(b) < indexSize(int(count)) {
		return bad("its index does not fit")
	}
	end := indexSize(int(count)) - sha256.Size
	sum := sha256.Sum256(b[:end])
	if !bytes.Equal(sum[:], b[end:end+sha256.Size]) {
		return bad("the checksum of its index does not match")
	}
	rows, rest := b[joinedHead:end], b[end+sha256.Size:]
	first, last := binary.BigEndian.Uint64(rows), uint64(0)
	for before := (Segment{}); len(rows) > 0; rows = rows[partRow:] {
		p := part{first: binary.BigEndian.Uint64(rows), last: binary.BigEndian.Uint64(rows[8:])}
		size := binary.BigEndian.Uint32(rows[16:])
		copy(p.sum[:], rows[20:])
		now := Segment{First: p.first, Last: p.last}
		if p.first == 0 || p.last < p.first || inOrder(before, now) >= 0 || len(j.parts) > 0 && p.first-1 > last {
			return bad("its parts do not follow one another")
		}
		if uint64(size) > uint64(len(rest)) {
			return bad("it ends in the middle")
		}
		p.sealed, rest = rest[:size:size], rest[size:]
		j.parts = append(j.parts, p)
		before, last = now, max(last, p.last)
	}
	if len(rest) > 0 || last-first >= MaxEntries {
		return bad("it does not hold what it says")
	}
	j.key = joinedKey(j.epoch, first, last, sum)
	return j, nil
}

// getJoined reads a joined object, and checks that it is the one of its name.
func getJoined(ctx context.Context, t Target, s Segment) (*joined, error) {
	r, err := t.Get(ctx, s.Key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := bytes.NewBuffer(make([]byte, 0, min(s.Size, MaxJoined)+bytes.MinRead))
	if _, err := b.ReadFrom(io.LimitReader(r, MaxJoined+1)); err != nil {
		return nil, err
	}
	if b.Len() > MaxJoined {
		return nil, fmt.Errorf("%w: it is larger than a joined object can be", ErrDamaged)
	}
	j, err := decodeJoined(b.Bytes())
	if err == nil && j.key != s.Key {
		return nil, fmt.Errorf("%w: it holds another object than its name says", ErrDamaged)
	}
	return j, err
}
