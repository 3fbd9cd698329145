package client

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// FileStore is a Store in a directory: one append-only file of blocks, each with length and checksum, and a lock file.
//
//	outbox = "bonghwa1" | block ...      block = length4 crc4 | {uvarint length, record} ...
//
// A block is one Append: what a power cut leaves of the last one is cut off when the file is opened.
type FileStore struct {
	dir    string
	lock   *os.File
	file   *os.File
	size   int64
	broken error
}

const (
	outboxName  = "outbox"
	outboxMagic = "bonghwa1"
	maxBlock    = 64 << 20
)

// ErrInUse: another process has this profile open.
var ErrInUse = errors.New("this profile is in use by another process")

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// OpenFileStore opens or makes the store in a directory, which belongs to one process at a time.
func OpenFileStore(dir string) (*FileStore, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(lock); err != nil {
		_ = lock.Close()
		return nil, err
	}
	s := &FileStore{dir: dir, lock: lock}
	s.file, err = os.OpenFile(filepath.Join(dir, outboxName), os.O_RDWR|os.O_CREATE, 0o600)
	if err == nil {
		err = s.begin()
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// begin writes the first bytes of a new file.
func (s *FileStore) begin() error {
	st, err := s.file.Stat()
	if err != nil || st.Size() >= int64(len(outboxMagic)) {
		return err
	}
	if _, err := s.file.WriteAt([]byte(outboxMagic), 0); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// Load implements Store.
func (s *FileStore) Load(fn func([]byte) error) error {
	b, err := io.ReadAll(io.NewSectionReader(s.file, 0, 1<<40))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(b, []byte(outboxMagic)) {
		return fmt.Errorf("%s is no outbox of this version", filepath.Join(s.dir, outboxName))
	}
	good := len(outboxMagic)
	for {
		n, records := readBlock(b[good:])
		if n == 0 {
			break
		}
		for _, r := range records {
			if err := fn(r); err != nil {
				return err
			}
		}
		good += n
	}
	if good < len(b) {
		if damaged(b[good:]) {
			// Not a torn tail: something after it can be read. What is cut off is kept for whoever wants to look.
			if err := os.WriteFile(filepath.Join(s.dir, outboxName+".damaged"), b[good:], 0o600); err != nil {
				return err
			}
		}
		if err := s.file.Truncate(int64(good)); err != nil {
			return err
		}
		if err := s.file.Sync(); err != nil {
			return err
		}
	}
	s.size = int64(good)
	return nil
}

// readBlock takes one whole block from the front of b; n = 0 if there is none.
func readBlock(b []byte) (n int, records [][]byte) {
	if len(b) < 8 {
		return 0, nil
	}
	size := binary.BigEndian.Uint32(b)
	if size == 0 || size > maxBlock || uint64(size) > uint64(len(b)-8) {
		return 0, nil
	}
	body := b[8 : 8+size]
	if crc32.Checksum(body, crcTable) != binary.BigEndian.Uint32(b[4:]) {
		return 0, nil
	}
	for len(body) > 0 {
		l, k := binary.Uvarint(body)
		if k <= 0 || l > uint64(len(body)-k) {
			return 0, nil
		}
		records = append(records, body[k:k+int(l)])
		body = body[k+int(l):]
	}
	return 8 + int(size), records
}

// damaged says that a whole block follows the one that cannot be read.
func damaged(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	size := uint64(binary.BigEndian.Uint32(b))
	if size > maxBlock || size+8 >= uint64(len(b)) {
		return false
	}
	n, _ := readBlock(b[8+size:])
	return n > 0
}

func block(records [][]byte) []byte {
	b := make([]byte, 8, 256)
	for _, r := range records {
		b = append(binary.AppendUvarint(b, uint64(len(r))), r...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-8))
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[8:], crcTable))
	return b
}

// Append implements Store. After a failure that could not be undone everything fails: nothing may follow a broken block.
func (s *FileStore) Append(records [][]byte, sync bool) error {
	if s.broken != nil {
		return s.broken
	}
	if len(records) == 0 {
		return nil
	}
	b := block(records)
	_, err := s.file.WriteAt(b, s.size)
	if err == nil && sync {
		err = s.file.Sync()
	}
	if err != nil {
		if undo := errors.Join(s.file.Truncate(s.size), s.file.Sync()); undo != nil {
			s.broken = err
		}
		return err
	}
	s.size += int64(len(b))
	return nil
}

// Replace implements Store.
func (s *FileStore) Replace(records [][]byte) error {
	if s.broken != nil {
		return s.broken
	}
	b := append([]byte(outboxMagic), block(records)...)
	name := filepath.Join(s.dir, outboxName)
	f, err := os.OpenFile(name+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		_ = f.Close()
		_ = os.Remove(name + ".new")
		return err
	}
	// From here on the new file is the one that counts, whatever happens.
	_ = s.file.Close()
	s.file, s.size = f, int64(len(b))
	return syncDir(s.dir)
}

// Close implements Store.
func (s *FileStore) Close() error {
	var err error
	if s.file != nil {
		err = s.file.Close()
	}
	return errors.Join(err, s.lock.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
