package toydomain

import (
	"encoding/binary"
	"fmt"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Account is the state of an account: its balance, and the number of its journal rows.
type Account struct{ Balance, Seq uint64 }

// Entry is a row of the journal: what was done, and under which name.
type Entry struct {
	Op     Op
	Device ids.Device
	N      uint64
	Item   uint64
	Amount uint64
	To     ids.Room
	Time   uint64
}

const entrySize = 1 + 1 + 16 + 8 + 8 + 8 + 16 + 8

func (e *Entry) encode() []byte {
	b := append(make([]byte, 0, entrySize), rowVersion, byte(e.Op))
	b = append(b, e.Device[:]...)
	b = binary.BigEndian.AppendUint64(b, e.N)
	b = binary.BigEndian.AppendUint64(b, e.Item)
	b = binary.BigEndian.AppendUint64(b, e.Amount)
	b = append(b, e.To[:]...)
	return binary.BigEndian.AppendUint64(b, e.Time)
}

func decodeEntry(b []byte) (e Entry) {
	mustRow(b, entrySize)
	e.Op = Op(b[1])
	copy(e.Device[:], b[2:])
	e.N = binary.BigEndian.Uint64(b[18:])
	e.Item = binary.BigEndian.Uint64(b[26:])
	e.Amount = binary.BigEndian.Uint64(b[34:])
	copy(e.To[:], b[42:])
	e.Time = binary.BigEndian.Uint64(b[58:])
	return e
}

// mustRow treats a row that cannot be decoded as a fault of storage.
func mustRow(b []byte, size int) {
	if len(b) != size || b[0] != rowVersion {
		panic(kernel.StorageFault{Err: fmt.Errorf("a row of %d bytes where %d were expected", len(b), size)})
	}
}

func accountKey(a ids.Room) []byte { return append([]byte{rowAccount}, a[:]...) }

func journalKey(a ids.Room, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append([]byte{rowJournal}, a[:]...), seq)
}

func numberKey(prefix byte, key uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefix}, key)
}

func number(v uint64) []byte { return binary.BigEndian.AppendUint64([]byte{rowVersion}, v) }

// ReadAccount reads an account; the zero Account if there was nothing yet.
func ReadAccount(r kernel.Reader, id ids.Room) (a Account) {
	if b, ok := r.Get(accountKey(id)); ok {
		mustRow(b, 17)
		a.Balance, a.Seq = binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:])
	}
	return a
}

func writeAccount(t kernel.Tx, id ids.Room, a Account) {
	t.Set(accountKey(id), binary.BigEndian.AppendUint64(number(a.Balance), a.Seq))
}

// Damage changes an account's balance as nothing that is in the log would.
func Damage(t kernel.Tx, id ids.Room) {
	a := ReadAccount(t, id)
	a.Balance += 1 << 40
	writeAccount(t, id, a)
}

// EachAccount calls fn for every account, in order of ids.
func EachAccount(r kernel.Reader, fn func(id ids.Room, a Account)) {
	r.Scan([]byte{rowAccount}, []byte{rowAccount + 1}, func(k, v []byte) bool {
		mustRow(v, 17)
		fn(ids.Room(k[1:]), Account{binary.BigEndian.Uint64(v[1:]), binary.BigEndian.Uint64(v[9:])})
		return true
	})
}

// EachEntry calls fn for every row of an account's journal, in order.
func EachEntry(r kernel.Reader, id ids.Room, fn func(seq uint64, e Entry)) {
	r.Scan(journalKey(id, 0), journalKey(id, ^uint64(0)), func(k, v []byte) bool {
		fn(binary.BigEndian.Uint64(k[17:]), decodeEntry(v))
		return true
	})
}

// Register reads a register, 0 if it was never raised.
func Register(r kernel.Reader, key uint64) uint64 {
	b, ok := r.Get(numberKey(rowRegister, key))
	if !ok {
		return 0
	}
	mustRow(b, 9)
	return binary.BigEndian.Uint64(b[1:])
}

// Revoked says whether the key was revoked.
func Revoked(r kernel.Reader, key uint64) bool {
	_, ok := r.Get(numberKey(rowRevoked, key))
	return ok
}
