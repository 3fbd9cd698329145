package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Join does one step of joining the segments of an epoch that begin with entry from, or later, and end before another entry. It
// deletes those that a joined object has already, or makes one of the next that leave no hole, and deletes these. went is how many
// were deleted, next where to go on; none: nothing is left to join. What of the log is at its end must not be asked for: where the
// archive ends is found by the last segment.
//
// Guarantee: at every moment each entry is in a segment or in a joined object that was read back. A segment is deleted only when
// its bytes are, and only Prune deletes joined objects. So several may join at once, and each may be killed at any step.
func Join(ctx context.Context, t Target, epoch uint32, from, end uint64) (went int, next uint64, err error) {
	small, large, err := joinable(ctx, t, epoch, from, end)
	if err != nil {
		return 0, from, err
	}
	for _, g := range large {
		if went, err := sweepJoined(ctx, t, g, small); went > 0 || err != nil {
			return went, from, err
		}
	}
	group := nextGroup(small)
	if len(group) < 2 {
		return 0, from, nil
	}
	if err := join(ctx, t, epoch, group); err != nil {
		return 0, from, err
	}
	return len(group), group[len(group)-1].First + 1, nil
}

// joinable lists the segments that may be joined, as many as one object holds, and the joined objects that may hold some of them.
func joinable(ctx context.Context, t Target, epoch uint32, from, end uint64) (small, large []Segment, err error) {
	err = t.List(ctx, EpochPrefix(epoch), shardOf(epoch, from), func(key string, size int64) bool {
		s, ok := ParseSegment(key, size)
		switch {
		case !ok || s.Last < from:
		case s.First >= end:
			return false
		case s.Joined:
			large = append(large, s)
		case s.First >= from && s.Last < end:
			small = append(small, s)
		}
		return len(small) < maxParts
	})
	return small, large, err
}

// nextGroup picks the first segments, of some in order, that make a joined object.
func nextGroup(small []Segment) (group []Segment) {
	size, last := int64(0), uint64(0)
	for _, s := range small {
		if k := len(group); k > 0 {
			fits := s.First-1 <= last && max(last, s.Last)-group[0].First < MaxEntries &&
				k < maxParts && int64(indexSize(k+1))+size+s.Size < MaxJoined
			if !fits && k > 1 {
				return group
			}
			if !fits {
				group, size, last = nil, 0, 0
			}
		}
		group, size, last = append(group, s), size+s.Size, max(last, s.Last)
	}
	return group
}

// join makes a joined object, whole and durable, reads it back, and deletes what went into it.
func join(ctx context.Context, t Target, epoch uint32, group []Segment) error {
	size := indexSize(len(group))
	for _, s := range group {
		size += int(s.Size)
	}
	b := make([]byte, indexSize(len(group)), size)
	for _, s := range group {
		var err error
		if b, err = appendObject(ctx, t, b, s); err != nil {
			return err
		}
	}
	key := fillIndex(b, epoch, group)
	if err := t.Put(ctx, key, bytes.NewReader(b), int64(len(b))); err != nil {
		return err
	}
	if is, err := holdsExactly(ctx, t, key, b); err != nil {
		return err
	} else if !is {
		return fmt.Errorf("%s was written, and something else is read there", key)
	}
	for _, s := range group {
		if err := t.Delete(ctx, s.Key); err != nil {
			return err
		}
	}
	return nil
}

// appendObject reads an object of a known size behind what is in b, which has room for it.
func appendObject(ctx context.Context, t Target, b []byte, s Segment) ([]byte, error) {
	r, err := t.Get(ctx, s.Key)
	if err != nil {
		return b, err
	}
	defer r.Close()
	at := len(b)
	b = b[:at+int(s.Size)]
	if _, err := io.ReadFull(r, b[at:]); err != nil {
		return b, fmt.Errorf("%s: %w", s.Key, err)
	}
	if n, _ := r.Read(make([]byte, 1)); n > 0 {
		return b, fmt.Errorf("%s has changed while it was read", s.Key)
	}
	return b, nil
}

// sweepJoined deletes those of some segments that a joined object holds, byte for byte: what a joining that was killed has left.
func sweepJoined(ctx context.Context, t Target, g Segment, small []Segment) (went int, err error) {
	var j *joined
	for _, s := range small {
		if !g.holds(s) {
			continue
		}
		if j == nil {
			if j, err = getJoined(ctx, t, g); err == nil && !j.whole() || errors.Is(err, ErrDamaged) {
				return 0, nil // it stands for nothing, and is perhaps written again
			}
			if err != nil {
				return 0, err
			}
		}
		p := j.part(s)
		if p == nil {
			continue
		}
		is, err := holdsExactly(ctx, t, s.Key, p.sealed)
		if err == nil && is {
			went++
			err = t.Delete(ctx, s.Key)
		}
		if err != nil {
			return went, err
		}
	}
	return went, nil
}

// holdsExactly says whether an object has these bytes.
func holdsExactly(ctx context.Context, t Target, key string, b []byte) (bool, error) {
	r, err := t.Get(ctx, key)
	if err != nil {
		return false, err
	}
	defer r.Close()
	rest := unread(b)
	_, err = io.Copy(&rest, r)
	if errors.Is(err, errDiffers) {
		return false, nil
	}
	return err == nil && len(rest) == 0, err
}

// unread is what is still to come of bytes that are expected; writing anything else to it is errDiffers.
type unread []byte

var errDiffers = errors.New("it is not what was expected")

func (u *unread) Write(b []byte) (int, error) {
	if !bytes.HasPrefix(*u, b) {
		return 0, errDiffers
	}
	*u = (*u)[len(b):]
	return len(b), nil
}
