package toydomain

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Op is what a command does. Named ones have the account as their scope.
type Op byte

const (
	// Deposit (named) makes money.
	Deposit Op = iota + 1
	// Transfer (named) moves money to another account; LimitReached when there is not enough, Invalid to itself.
	Transfer
	// Panic (named) writes, and then panics if the account has an odd number of journal rows; otherwise it is a deposit
	// of nothing.
	Panic
	// Skip (named) consumes a name.
	Skip
	// Max (unnamed) raises a register; the largest value wins.
	Max
	// Revoke (unnamed) remembers a key for ever.
	Revoke
	// Note is to be sent as ephemeral only. Applied, it leaves a row that CheckRow refuses.
	Note
)

// Cmd is a command of the toy domain.
type Cmd struct {
	Op      Op
	Account ids.Room
	To      ids.Room // Transfer
	Name    kernel.Name
	// Item identifies what the caller wants done, whatever name it travels under.
	Item   uint64
	Amount uint64 // Deposit, Transfer; the value of Max
	Key    uint64 // the register of Max, the key of Revoke
}

const commandSize = 1 + 16 + 16 + 16 + 8 + 8 + 8 + 8 + 8 + 8

// ErrCommand is wrapped by every refusal of Decode.
var ErrCommand = errors.New("bad toy command")

// Append encodes the command.
func (c *Cmd) Append(b []byte) []byte {
	b = append(b, byte(c.Op))
	b = append(b, c.Account[:]...)
	b = append(b, c.To[:]...)
	b = append(b, c.Name.Device[:]...)
	b = binary.BigEndian.AppendUint64(b, c.Name.N)
	b = append(b, c.Name.Tag[:]...)
	b = binary.BigEndian.AppendUint64(b, c.Name.Base)
	b = binary.BigEndian.AppendUint64(b, c.Item)
	b = binary.BigEndian.AppendUint64(b, c.Amount)
	return binary.BigEndian.AppendUint64(b, c.Key)
}

// Decode parses a command.
func Decode(b []byte) (*Cmd, error) {
	if len(b) != commandSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrCommand, len(b))
	}
	c := &Cmd{Op: Op(b[0])}
	if c.Op < Deposit || c.Op > Note {
		return nil, fmt.Errorf("%w: operation %d is unknown", ErrCommand, b[0])
	}
	copy(c.Account[:], b[1:])
	copy(c.To[:], b[17:])
	copy(c.Name.Device[:], b[33:])
	c.Name.N = binary.BigEndian.Uint64(b[49:])
	copy(c.Name.Tag[:], b[57:])
	c.Name.Base = binary.BigEndian.Uint64(b[65:])
	c.Item = binary.BigEndian.Uint64(b[73:])
	c.Amount = binary.BigEndian.Uint64(b[81:])
	c.Key = binary.BigEndian.Uint64(b[89:])
	return c, nil
}

// Named implements kernel.Command.
func (c *Cmd) Named() (scope []byte, name *kernel.Name) {
	if c.Op > Skip {
		return nil, nil
	}
	return c.Account[:], &c.Name
}

// IsSkip implements kernel.Command.
func (c *Cmd) IsSkip() bool { return c.Op == Skip }
