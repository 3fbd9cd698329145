package archive

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Segment is a piece of the log in the archive, as its name says.
type Segment struct {
	Key         string
	Epoch       uint32
	First, Last uint64
	Size        int64
	// Joined: the object holds segments (joined.go).
	Joined bool
}

// holds says whether a segment has every entry of another one, by their names.
func (s Segment) holds(o Segment) bool { return s.First <= o.First && o.Last <= s.Last }

// inOrder compares segments as their keys are sorted: by the first entry, then by the last.
func inOrder(a, b Segment) int {
	return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last))
}

const (
	logPrefix = "log/"
	// MaxSegment and MaxEntries bound a segment; one entry more than MaxSegment bytes may be in it.
	MaxSegment = 4 << 20
	MaxEntries = 1 << 16
	// maxUnpacked is what a reader takes of a segment.
	maxUnpacked = 2 * MaxSegment
)

// EpochPrefix is where an epoch's segments are.
func EpochPrefix(epoch uint32) string { return fmt.Sprintf("%s%08x/", logPrefix, epoch) }

// SegmentKey names a segment. Names sort by the first entry; the directory in between holds up to 65,536 entries' worth.
func SegmentKey(epoch uint32, first, last uint64) string { return nameOf(epoch, first, last) + ".seg" }

func nameOf(epoch uint32, first, last uint64) string {
	return fmt.Sprintf("%s%012x/%016x-%016x", EpochPrefix(epoch), first>>16, first, last)
}

var segmentName = regexp.MustCompile(`^log/([0-9a-f]{8})/[0-9a-f]{12}/([0-9a-f]{16})-([0-9a-f]{16})(\.seg|-[0-9a-f]{16}\.joined)$`)

// ParseSegment reads a name; ok is false for one that is none.
func ParseSegment(key string, size int64) (s Segment, ok bool) {
	m := segmentName.FindStringSubmatch(key)
	if m == nil {
		return s, false
	}
	epoch, _ := strconv.ParseUint(m[1], 16, 32)
	s = Segment{Key: key, Epoch: uint32(epoch), Size: size, Joined: m[4] != ".seg"}
	s.First, _ = strconv.ParseUint(m[2], 16, 64)
	s.Last, _ = strconv.ParseUint(m[3], 16, 64)
	return s, s.First > 0 && s.First <= s.Last && nameOf(s.Epoch, s.First, s.Last)+m[4] == key
}

// Header is what a segment says about itself.
type Header struct {
	Cell  uint16
	Epoch uint32
	// Prev is where the epoch before was cut; zero for the first.
	Prev        kernel.Position
	First, Last uint64
	// FirstTime and LastTime are stamps of proposers, Unix milliseconds; LastTime is the largest.
	FirstTime, LastTime uint64
}

// Content is a segment's entries, first to last, exactly as they are in the log.
type Content struct {
	Header
	Entries [][]byte
}

const (
	segmentFormat = 1
	headerSize    = 1 + 2 + 4 + 12 + 8 + 8 + 8 + 8
)

// Encode writes format1 cell2 epoch4 prev(epoch4 n8) first8 last8 first time8 last time8, {length4 entry}, a length of 0, and
// the sha256 of all before it.
func (c *Content) Encode(w io.Writer) error {
	h := sha256.New()
	out := io.MultiWriter(w, h)
	b := append(make([]byte, 0, headerSize), segmentFormat)
	b = binary.BigEndian.AppendUint16(b, c.Cell)
	b = binary.BigEndian.AppendUint32(b, c.Epoch)
	b = c.Prev.Append(b)
	for _, v := range []uint64{c.First, c.Last, c.FirstTime, c.LastTime} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	if _, err := out.Write(b); err != nil {
		return err
	}
	for _, e := range c.Entries {
		if _, err := out.Write(append(binary.BigEndian.AppendUint32(b[:0], uint32(len(e))), e...)); err != nil {
			return err
		}
	}
	if _, err := out.Write([]byte{0, 0, 0, 0}); err != nil {
		return err
	}
	_, err := w.Write(h.Sum(nil))
	return err
}

// Decode reads what Encode wrote; every error is damage.
func Decode(b []byte) (*Content, error) {
	bad := func(what string) (*Content, error) { return nil, fmt.Errorf("%w: %s", ErrDamaged, what) }
	if len(b) < headerSize+4+sha256.Size {
		return bad("it is too short")
	}
	if b[0] != segmentFormat {
		return nil, fmt.Errorf("the segment has format %d, this binary knows %d: install the newer version", b[0], segmentFormat)
	}
	end := len(b) - sha256.Size
	if sum := sha256.Sum256(b[:end]); !bytes.Equal(sum[:], b[end:]) {
		return bad("its checksum does not match")
	}
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(b[at:]) }
	c := &Content{Header: Header{
		Cell: binary.BigEndian.Uint16(b[1:]), Epoch: binary.BigEndian.Uint32(b[3:]), Prev: kernel.Position{Epoch: binary.BigEndian.Uint32(b[7:]), N: u64(11)},
		First: u64(19), Last: u64(27), FirstTime: u64(35), LastTime: u64(43),
	}}
	for b = b[headerSize:end]; ; {
		if len(b) < 4 {
			return bad("it ends in the middle")
		}
		n := int(binary.BigEndian.Uint32(b))
		b = b[4:]
		if n == 0 {
			break
		}
		if n > len(b) {
			return bad("it ends in the middle")
		}
		c.Entries = append(c.Entries, b[:n:n])
		b = b[n:]
	}
	if len(b) != 0 || c.First == 0 || c.Last < c.First || uint64(len(c.Entries)) != c.Last-c.First+1 {
		return bad("it does not hold the entries that it says")
	}
	return c, nil
}

// PutSegment writes a segment.
func PutSegment(ctx context.Context, t Target, s *Sealer, c *Content) (size int, err error) {
	var b bytes.Buffer
	w, err := s.Writer(&b)
	if err == nil {
		err = errors.Join(c.Encode(w), w.Close())
	}
	if err != nil {
		return 0, err
	}
	size = b.Len()
	return size, t.Put(ctx, SegmentKey(c.Epoch, c.First, c.Last), &b, int64(size))
}

// GetSegment reads a segment and checks that it is the one of its name.
func GetSegment(ctx context.Context, t Target, o *Opener, s Segment) (*Content, error) {
	r, err := t.Get(ctx, s.Key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readSegment(o, r, s)
}

// readSegment reads a sealed segment, and checks that it holds the entries that it should.
func readSegment(o *Opener, r io.Reader, s Segment) (*Content, error) {
	in, err := o.Reader(r)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, maxUnpacked+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxUnpacked {
		return nil, fmt.Errorf("%w: it is larger than a segment can be", ErrDamaged)
	}
	c, err := Decode(b)
	if err != nil {
		return nil, err
	}
	if c.Epoch != s.Epoch || c.First != s.First || c.Last != s.Last {
		return nil, fmt.Errorf("%w: it holds %d:%d-%d under the name of another", ErrDamaged, c.Epoch, c.First, c.Last)
	}
	return c, nil
}
