package nemesis

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// Files of a slot, written by every start of it. A record is one write, made before what it says is acted upon: a
// killed process loses nothing that it has written, and a record that was cut off was not acted upon.
const (
	outboxFile    = "outbox"
	registersFile = "registers"
	readsFile     = "reads"
)

// What a record of an outbox says.
const (
	taken byte = iota + 1 // a new item under a new name
	givenUp
	told // a verdict
)

// record is a line of the outbox.
type record struct {
	What    byte
	Domain  byte
	Op      byte
	Account ids.Room
	To      ids.Room
	Device  ids.Device
	N       uint64
	Tag     [8]byte
	Item    uint64
	Amount  uint64
	// Of told only.
	Code uint16
	Seq  uint64
}

// raised is an acknowledged write of a register. Times are those of the machine's monotonic clock, which all processes
// share.
type raised struct {
	Domain byte
	Key    uint64
	Value  uint64
	At     int64
}

// read is what a node has vouched for: the registers of a domain, and when it was asked whether it was ready.
type read struct {
	Domain byte
	At     int64
	Values [maxSlots]uint64
}

// maxSlots is how many nodes a cell can have here.
const maxSlots = 3

func now() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err) // there is no Linux without it
	}
	return ts.Nano()
}

// appendTo opens a file of records for this start, and cuts off what a kill has left half written.
func appendTo[T any](path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil {
		var v T
		err = f.Truncate(st.Size() - st.Size()%int64(binary.Size(v)))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// write appends one record.
func write[T any](f *os.File, v T) error {
	b, err := binary.Append(nil, binary.BigEndian, v)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return err
}

// loadRecords reads all whole records of a file. A missing file is empty.
func loadRecords[T any](path string) ([]T, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var v T
	out := make([]T, len(b)/binary.Size(v))
	_, err = binary.Decode(b, binary.BigEndian, out)
	return out, err
}

// writeEntry and readEntries: the dump of a log, n8 size4 bytes.
func writeEntry(w io.Writer, n uint64, value []byte) error {
	b := binary.BigEndian.AppendUint64(nil, n)
	b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
	_, err := w.Write(append(b, value...))
	return err
}

func readEntries(r io.Reader, fn func(n uint64, value []byte) error) error {
	br := bufio.NewReaderSize(r, 1<<20)
	var head [12]byte
	for {
		if _, err := io.ReadFull(br, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		value := make([]byte, binary.BigEndian.Uint32(head[8:]))
		if _, err := io.ReadFull(br, value); err != nil {
			return err
		}
		if err := fn(binary.BigEndian.Uint64(head[:]), value); err != nil {
			return err
		}
	}
}

// sameFile compares two files byte by byte.
func sameFile(a, b string) (bool, error) {
	fa, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer fb.Close()
	ba, bb := make([]byte, 1<<20), make([]byte, 1<<20)
	for {
		na, errA := io.ReadFull(fa, ba)
		nb, errB := io.ReadFull(fb, bb)
		if !bytes.Equal(ba[:na], bb[:nb]) {
			return false, nil
		}
		if errA != nil || errB != nil {
			end := errors.Is(errA, io.EOF) || errors.Is(errA, io.ErrUnexpectedEOF)
			if !end {
				return false, errA
			}
			return true, nil
		}
	}
}
