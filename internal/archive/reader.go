package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// Lost says that entries of an epoch cannot be had: the archive has none, or what holds them cannot be read.
type Lost struct {
	Epoch    uint32
	From, To uint64
	// Key is the object that cannot be read, Err why; empty: there is none.
	Key string
	Err error
}

func (l *Lost) Error() string {
	if l.Key == "" {
		return fmt.Sprintf("the archive has no entries %d to %d of epoch %d", l.From, l.To, l.Epoch)
	}
	return fmt.Sprintf("the entries %d to %d of epoch %d in %s cannot be used: %v", l.From, l.To, l.Epoch, l.Key, l.Err)
}

func (l *Lost) Unwrap() error { return l.Err }

// Reader reads the entries of an epoch in order, in whatever objects they are, while others may join these.
type Reader struct {
	t     Target
	o     *Opener
	epoch uint32
	// list is what was found last, in order; it holds nothing of before the entry that was asked for last.
	list []piece
	// last is the joined object that was read last.
	last *joined
	// failed are the names of what was away when it was first read, tried of what is not read again; bad, those of the latter that
	// were there; of these, said were asked for.
	failed, tried map[string]bool
	bad           []*Lost
	said          int
}

// piece is a segment, or a joined object that was not read yet.
type piece struct {
	Segment
	name string
	part *part // nil: an object of its own
}

// readWindow is how many names are held at a time.
const readWindow = 10_000

// NewReader reads an epoch.
func NewReader(t Target, o *Opener, epoch uint32) *Reader {
	return &Reader{t: t, o: o, epoch: epoch, failed: map[string]bool{}, tried: map[string]bool{}}
}

// Next reads what holds entry n, which never goes back: at most a segment. Its errors are *Lost, after whose To one may go on,
// io.EOF behind the last entry, or what kept it from looking.
//
// An entry that was in the archive all the time is found: a segment may be joined while the names are listed or before it is read,
// but then the joined object is there when they are listed once more. Where one object cannot be read another one that holds
// the entry is.
func (r *Reader) Next(ctx context.Context, n uint64) (*Content, error) {
	for looks := 0; ; { // since something could not be read, which is then not tried for ever
		if !r.at(n) {
			if looks == 2 {
				return nil, r.lost(n)
			}
			looks++
			if err := r.look(ctx, n); err != nil {
				return nil, err
			}
			continue
		}
		p := r.list[0]
		r.list[0] = piece{} // it may hold much
		r.list = r.list[1:]
		c, err := r.open(ctx, p)
		switch {
		case c != nil:
			return c, nil
		case err == nil: // the parts of a joined object are in the list now
		case ctx.Err() != nil || errors.Is(err, ErrLocked) || errors.Is(err, ErrWrongKey):
			return nil, err
		case errors.Is(err, ErrNotFound):
			r.tried[p.name] = true
			r.list, looks = nil, 0
		case !errors.Is(err, ErrDamaged) && !r.failed[p.name]:
			r.failed[p.name] = true
			r.list, looks = nil, 0 // a target that is away cannot be listed either
		default:
			r.tried[p.name] = true
			r.bad = append(r.bad, &Lost{r.epoch, p.First, p.Last, p.Key, err})
		}
	}
}

// Damaged is what could not be read since it was asked last, whether or not something else held its entries.
func (r *Reader) Damaged() []*Lost {
	list := r.bad[r.said:]
	r.said = len(r.bad)
	return list
}

// at says whether the first piece in the list holds entry n.
func (r *Reader) at(n uint64) bool {
	i := 0
	for i < len(r.list) && r.list[i].Last < n {
		i++
	}
	clear(r.list[:i])
	r.list = r.list[i:]
	return len(r.list) > 0 && r.list[0].First <= n
}

// look lists what holds entry n or a later one.
func (r *Reader) look(ctx context.Context, n uint64) error {
	r.list = nil
	return r.t.List(ctx, EpochPrefix(r.epoch), shardOf(r.epoch, n), func(key string, size int64) bool {
		if s, ok := ParseSegment(key, size); ok && s.Last >= n && !r.tried[key] {
			r.list = append(r.list, piece{Segment: s, name: key})
		}
		return len(r.list) < readWindow
	})
}

// open reads a segment; of a joined object it puts the parts into the list.
func (r *Reader) open(ctx context.Context, p piece) (*Content, error) {
	switch {
	case p.part != nil && !p.part.whole():
		return nil, fmt.Errorf("%w: its bytes are not those that were joined", ErrDamaged)
	case p.part != nil:
		return readSegment(r.o, bytes.NewReader(p.part.sealed), p.Segment)
	case !p.Joined:
		return GetSegment(ctx, r.t, r.o, p.Segment)
	}
	if r.last == nil || r.last.key != p.Key {
		j, err := getJoined(ctx, r.t, p.Segment)
		if err != nil {
			return nil, err
		}
		r.last = j
	}
	list := make([]piece, 0, len(r.last.parts)+len(r.list))
	for i := range r.last.parts {
		part := &r.last.parts[i]
		one := piece{Segment{Key: p.Key, Epoch: p.Epoch, First: part.first, Last: part.last}, fmt.Sprintf("%s#%d", p.Key, i), part}
		if !r.tried[one.name] {
			list = append(list, one)
		}
	}
	r.list = append(list, r.list...)
	slices.SortStableFunc(r.list, func(a, b piece) int { return inOrder(a.Segment, b.Segment) })
	return nil, nil
}

// lost says what becomes of entry n, which nothing that can be read holds.
func (r *Reader) lost(n uint64) error {
	to := uint64(math.MaxUint64)
	if len(r.list) > 0 {
		to = r.list[0].First - 1
	}
	var why *Lost
	for _, b := range r.bad {
		if b.From <= n && n <= b.To && (why == nil || b.To < why.To) {
			why = b
		}
	}
	switch {
	case why != nil:
		return &Lost{r.epoch, n, min(to, why.To), why.Key, why.Err}
	case len(r.list) == 0:
		return io.EOF
	}
	return &Lost{Epoch: r.epoch, From: n, To: to}
}
