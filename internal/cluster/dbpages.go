package cluster

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// The pages of etcd's database (bbolt), read without its engine, which ends the process where a page is not what it must be,
// in goroutines of its own. Of what a page consists only the two heads have checksums; everything else is held against what
// must be so: a page knows its number, what is in it lies without gaps, keys ascend, and nothing is referred to twice.

const (
	pageHeader, branchElem, leafElem = 16, 16, 16
	branchPage, leafPage             = 0x01, 0x02
	// isBucket marks an element whose value is a bucket: the number of its first page, or 0 and a small page right there.
	isBucket     = 0x01
	bucketHeader = 16
	boltMagic    = 0xED0CDAED
	boltVersion  = 2
	// headSize is what the checksum of a head covers.
	headSize = 56
	// deepest is more than any tree that fits on a disk.
	deepest = 64
)

var native = binary.NativeEndian

// dbFile is a database that nobody has open.
type dbFile struct {
	r    io.ReaderAt
	page int64
	// root is the first page of the bucket of buckets, end the first that was never used.
	root, end uint64
	used      []bool
	bufs      [deepest][]byte
}

// openDB finds the newest head whose checksum is right.
func openDB(r io.ReaderAt, size int64) (*dbFile, error) {
	d := &dbFile{r: r}
	newest := uint64(0)
	look := func(at int64) {
		var b [pageHeader + headSize + 8]byte
		if _, err := r.ReadAt(b[:], at); err != nil {
			return
		}
		h := b[pageHeader:]
		sum := fnv.New64a()
		sum.Write(h[:headSize])
		if native.Uint32(h) != boltMagic || native.Uint32(h[4:]) != boltVersion || native.Uint64(h[headSize:]) != sum.Sum64() {
			return
		}
		if page, tx := int64(native.Uint32(h[8:])), native.Uint64(h[48:]); d.page == 0 || page == d.page && tx > newest {
			d.page, d.root, d.end, newest = page, native.Uint64(h[16:]), native.Uint64(h[40:]), tx
		}
	}
	look(0)
	if d.page != 0 {
		look(d.page)
	} else { // how large a page is says the second one, which is somewhere
		for at := int64(1 << 10); d.page == 0 && at <= 1<<24; at *= 2 {
			look(at)
		}
	}
	if d.page < 1<<10 || d.end > uint64(size/d.page) {
		return nil, errors.New("it has no valid head, or is cut off")
	}
	d.used = make([]bool, d.end)
	return d, nil
}

// buckets lists the buckets: what their elements say.
func (d *dbFile) buckets() (names []string, values map[string][]byte, err error) {
	values = map[string][]byte{}
	err = d.tree(d.root, 0, nil, nil, func(flags uint32, key, value []byte) error {
		if flags != isBucket || len(value) < bucketHeader {
			return fmt.Errorf("%q is no bucket", key)
		}
		names = append(names, string(key))
		values[string(key)] = bytes.Clone(value)
		return nil
	})
	return names, values, err
}

// bucket calls each with every key of a bucket, in order. Keys and values are valid during the call.
func (d *dbFile) bucket(value []byte, each func(key, value []byte) error) error {
	leaf := func(flags uint32, key, value []byte) error {
		if flags != 0 {
			return errors.New("an element has flags that nothing has")
		}
		return each(key, value)
	}
	if root := native.Uint64(value); root != 0 {
		return d.tree(root, 0, nil, nil, leaf)
	}
	inside := value[bucketHeader:]
	if len(inside) < pageHeader || native.Uint16(inside[8:]) != leafPage {
		return errors.New("a small bucket is no page")
	}
	end, err := leaves(inside, nil, nil, leaf)
	if err == nil && end != len(inside) {
		err = errors.New("a small bucket does not end where its last value does")
	}
	return err
}

// tree walks a tree from a page on, whose keys lie in [from, to); nil is no bound.
func (d *dbFile) tree(id uint64, depth int, from, to []byte, leaf func(flags uint32, key, value []byte) error) error {
	p, err := d.read(id, depth)
	if err == nil {
		switch native.Uint16(p[8:]) {
		case leafPage:
			_, err = leaves(p, from, to, leaf)
		case branchPage:
			return d.branches(id, p, depth, from, to, leaf) // which names the page below that is at fault
		default:
			err = errors.New("it is of no kind that is known")
		}
	}
	if err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// read reads a page with those that belong to it.
func (d *dbFile) read(id uint64, depth int) ([]byte, error) {
	if depth == deepest {
		return nil, errors.New("the tree is too deep")
	}
	if id < 2 || id >= d.end {
		return nil, errors.New("it does not exist")
	}
	p := d.bufs[depth]
	if p == nil {
		p = make([]byte, d.page)
	}
	if _, err := d.r.ReadAt(p[:d.page], int64(id)*d.page); err != nil {
		return nil, err
	}
	count := uint64(native.Uint32(p[12:])) + 1
	if native.Uint64(p) != id || count > d.end-id {
		return nil, errors.New("it is another one, or too long")
	}
	for i := id; i < id+count; i++ {
		if d.used[i] {
			return nil, errors.New("it is referred to twice")
		}
		d.used[i] = true
	}
	if size := int64(count) * d.page; size > int64(cap(p)) {
		p = append(p[:d.page], make([]byte, size-d.page)...)
	} else {
		p = p[:size]
	}
	d.bufs[depth] = p
	if count > 1 {
		if _, err := d.r.ReadAt(p[d.page:], (int64(id)+1)*d.page); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// leaves walks the elements of a page of keys and values, and says where the last one ends.
func leaves(p []byte, from, to []byte, leaf func(flags uint32, key, value []byte) error) (end int, err error) {
	count := int(native.Uint16(p[10:]))
	end = pageHeader + count*leafElem
	for i := range count {
		at := pageHeader + i*leafElem
		if at+leafElem > len(p) {
			return 0, errNoRoom
		}
		pos, ksize, vsize := int(native.Uint32(p[at+4:])), int(native.Uint32(p[at+8:])), int(native.Uint32(p[at+12:]))
		if at+pos != end || ksize == 0 || ksize > len(p) || vsize > len(p) || end+ksize+vsize > len(p) {
			return 0, errNoRoom
		}
		key, value := p[end:end+ksize], p[end+ksize:end+ksize+vsize]
		end += ksize + vsize
		if from != nil && bytes.Compare(key, from) < 0 || i > 0 && bytes.Equal(key, from) || to != nil && bytes.Compare(key, to) >= 0 {
			return 0, errOrder
		}
		from = key
		if err := leaf(native.Uint32(p[at:]), key, value); err != nil {
			return 0, err
		}
	}
	return end, nil
}

// branches walks the trees below a page.
func (d *dbFile) branches(id uint64, p []byte, depth int, from, to []byte, leaf func(flags uint32, key, value []byte) error) error {
	type child struct {
		id  uint64
		key []byte
	}
	count := int(native.Uint16(p[10:]))
	end := pageHeader + count*branchElem
	var children []child
	for i := range count {
		at := pageHeader + i*branchElem
		if at+branchElem > len(p) {
			return fmt.Errorf("page %d: %w", id, errNoRoom)
		}
		pos, ksize := int(native.Uint32(p[at:])), int(native.Uint32(p[at+4:]))
		if at+pos != end || ksize == 0 || ksize > len(p) || end+ksize > len(p) {
			return fmt.Errorf("page %d: %w", id, errNoRoom)
		}
		key := p[end : end+ksize]
		end += ksize
		if from != nil && bytes.Compare(key, from) < 0 || i > 0 && bytes.Equal(key, from) || to != nil && bytes.Compare(key, to) >= 0 {
			return fmt.Errorf("page %d: %w", id, errOrder)
		}
		from = key
		children = append(children, child{native.Uint64(p[at+8:]), key})
	}
	if count == 0 {
		return fmt.Errorf("page %d: it leads nowhere", id)
	}
	for i, c := range children {
		below := to
		if i+1 < count {
			below = children[i+1].key
		}
		if err := d.tree(c.id, depth+1, c.key, below, leaf); err != nil {
			return err
		}
	}
	return nil
}

var (
	errNoRoom = errors.New("what is in it does not lie where it must")
	errOrder  = errors.New("its keys are not in order")
)
