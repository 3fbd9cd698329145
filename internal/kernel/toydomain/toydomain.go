// Package toydomain is a small domain for tests of the kernel and for the simulation: accounts with balances, transfers
// between them, registers that keep a maximum, keys that are revoked, and a command that panics.
//
// Every named command that is done leaves exactly one row in the journal of its account, with its name and its item,
// under a sequence number without holes; a command that is refused, skipped or redone leaves none. Money is made by
// Deposit only, so that the sum of all balances tells whether something was done twice or by halves.
package toydomain

import (
	"encoding/binary"
	"errors"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Rows: a | account -> balance, seq; j | account | seq -> Entry; x | register -> value; k | key -> position n, time.
const (
	rowAccount  byte = 'a'
	rowJournal  byte = 'j'
	rowRegister byte = 'x'
	rowRevoked  byte = 'k'
	// rowNote must never be seen: CheckRow refuses it.
	rowNote byte = 'n'
)

const rowVersion = 1

// Domain is a kernel.Domain. Several may live in one cell under different ids.
type Domain struct {
	id   byte
	name string
}

// New makes the domain with this id and name.
func New(id byte, name string) *Domain { return &Domain{id, name} }

// ID implements kernel.Domain.
func (d *Domain) ID() byte { return d.id }

// Name implements kernel.Domain.
func (d *Domain) Name() string { return d.name }

// Decode implements kernel.Domain.
func (d *Domain) Decode(b []byte) (kernel.Command, error) { return Decode(b) }

// Event is emitted for every command that was done.
type Event struct {
	Op      Op
	Account ids.Room
	Seq     uint64
	Item    uint64
}

// Apply implements kernel.Domain.
func (d *Domain) Apply(a *kernel.Apply, command kernel.Command) kernel.Verdict {
	c := command.(*Cmd)
	switch c.Op {
	case Max:
		v := max(Register(a, c.Key), c.Amount)
		a.Set(numberKey(rowRegister, c.Key), number(v))
		a.Emit(Event{Op: c.Op, Item: c.Item})
		return kernel.Verdict{Code: kernel.OK, Seq: v}
	case Note:
		a.Set([]byte{rowNote}, []byte{rowVersion})
		return kernel.Verdict{Code: kernel.Invalid}
	case Revoke:
		if !Revoked(a, c.Key) {
			a.Set(numberKey(rowRevoked, c.Key), binary.BigEndian.AppendUint64(number(a.Pos.N), a.Time))
		}
		a.Emit(Event{Op: c.Op, Item: c.Item})
		return kernel.Verdict{Code: kernel.OK}
	}
	acc := ReadAccount(a, c.Account)
	switch c.Op {
	case Deposit:
		acc.Balance += c.Amount
	case Transfer:
		if c.Account == c.To {
			return kernel.Verdict{Code: kernel.Invalid}
		}
		if acc.Balance < c.Amount {
			return kernel.Verdict{Code: kernel.LimitReached}
		}
		acc.Balance -= c.Amount
		to := ReadAccount(a, c.To)
		to.Balance += c.Amount
		writeAccount(a, c.To, to)
	case Panic:
		odd := acc.Seq%2 == 1
		a.Set(journalKey(c.Account, acc.Seq+1), (&Entry{Op: c.Op, Item: c.Item}).encode())
		a.Emit(Event{Op: c.Op, Account: c.Account, Seq: acc.Seq + 1, Item: c.Item})
		if odd {
			a.Delete(accountKey(c.Account))
			panic("the toy domain was asked to panic")
		}
		a.Events = a.Events[:len(a.Events)-1]
	default:
		return kernel.Verdict{Code: kernel.Invalid}
	}
	acc.Seq++
	writeAccount(a, c.Account, acc)
	e := Entry{Op: c.Op, Device: c.Name.Device, N: c.Name.N, Item: c.Item, Amount: c.Amount, To: c.To, Time: a.Time}
	a.Set(journalKey(c.Account, acc.Seq), e.encode())
	a.Emit(Event{Op: c.Op, Account: c.Account, Seq: acc.Seq, Item: c.Item})
	return kernel.Verdict{Code: kernel.OK, Seq: acc.Seq}
}

// CheckRow implements kernel.Domain.
func (d *Domain) CheckRow(key, value []byte) error {
	keySize, size := 9, 9
	switch key[0] {
	case rowAccount:
		keySize, size = 17, 17
	case rowJournal:
		keySize, size = 25, entrySize
	case rowRegister:
	case rowRevoked:
		size = 17
	default:
		return errors.New("a row that the toy domain does not know")
	}
	if len(key) != keySize || len(value) != size || value[0] != rowVersion {
		return errors.New("a row of the toy domain cannot be decoded")
	}
	return nil
}
