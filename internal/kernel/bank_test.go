package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// bank is the domain of these tests: counters, with commands that fail in every way a domain can.
type bank struct {
	id    byte
	fixed bool // opPanic goes well: what a later binary would do
}

// Operations of bank.
const (
	opAdd    byte = iota + 1 // add one to the counter of the scope, answer the sum, emit it
	opRefuse                 // refused by verdict
	opPanic                  // write, emit, then panic
	opFault                  // write, then meet a storage fault
	opSkip                   // consume the name
	opCopy                   // three rows and nothing else: the benchmark
	opTyping                 // ephemeral
	opNew                    // add one; only nodes of today's behaviour know it
	opLast
)

// bankCommand: op1 named1 [device16 n8 tag8 base8] scope.
type bankCommand struct {
	op    byte
	name  *Name
	scope []byte
}

type bankEvent struct {
	Scope string
	Sum   uint64
}

// Since makes opNew one that older nodes do not decode.
func (c *bankCommand) Since() uint32 {
	if c.op == opNew {
		return Behaviour
	}
	return 1
}

func (c bankCommand) bytes() []byte {
	b := []byte{c.op, 0}
	if c.name != nil {
		b[1] = 1
		b = append(b, c.name.Device[:]...)
		b = binary.BigEndian.AppendUint64(b, c.name.N)
		b = append(b, c.name.Tag[:]...)
		b = binary.BigEndian.AppendUint64(b, c.name.Base)
	}
	return append(b, c.scope...)
}

func (c *bankCommand) Named() ([]byte, *Name) { return c.scope, c.name }
func (c *bankCommand) IsSkip() bool           { return c.op == opSkip }

func (d *bank) ID() byte {
	if d.id == 0 {
		return DomainChat
	}
	return d.id
}
func (d *bank) Name() string { return fmt.Sprintf("bank%d", d.ID()) }

func (d *bank) Decode(b []byte) (Command, error) {
	if len(b) < 2 || b[0] == 0 || b[0] >= opLast {
		return nil, errors.New("unknown operation")
	}
	c := &bankCommand{op: b[0]}
	named := b[1] == 1
	b = b[2:]
	if named {
		if len(b) < 40 {
			return nil, errors.New("the name is cut")
		}
		c.name = &Name{Device: ids.Device(b[:16]), N: binary.BigEndian.Uint64(b[16:]), Tag: [8]byte(b[24:32]), Base: binary.BigEndian.Uint64(b[32:])}
		b = b[40:]
	}
	c.scope = b
	return c, nil
}

func bankKey(prefix byte, scope []byte) []byte {
	return append([]byte{prefix}, scope...)
}

func bankSum(r Reader, scope []byte) uint64 {
	v, ok := r.Get(bankKey('k', scope))
	if !ok {
		return 0
	}
	return binary.BigEndian.Uint64(v[1:])
}

func (d *bank) Apply(a *Apply, command Command) Verdict {
	c := command.(*bankCommand)
	sum := bankSum(a, c.scope) + 1
	row := binary.BigEndian.AppendUint64([]byte{1}, sum)
	switch c.op {
	case opRefuse:
		return Verdict{NotMember, 7}
	case opCopy:
		a.Set(bankKey('k', c.scope), row)
		a.Set(binary.BigEndian.AppendUint64(bankKey('m', c.scope), sum), benchBody)
		a.Set(bankKey('u', c.scope), row)
		return Verdict{OK, sum}
	}
	a.Set(bankKey('k', c.scope), row)
	a.Emit(bankEvent{string(c.scope), sum})
	switch {
	case c.op == opPanic && !d.fixed:
		panic(fmt.Sprintf("no rule for %q", c.scope))
	case c.op == opFault:
		panic(StorageFault{syscall.EIO})
	}
	return Verdict{OK, sum}
}

var benchBody = make([]byte, 120)

func (d *bank) CheckRow(key, value []byte) error {
	if key[0] == 'k' && len(value) != 9 {
		return errors.New("counter cannot be decoded")
	}
	return nil
}

// Commands for tests: the device and the tag follow from the caller's number.
func named(op byte, caller byte, n uint64, scope string) []byte {
	return bankCommand{op: op, name: &Name{Device: ids.Device{caller}, N: n, Tag: tag(byte(n)), Base: 1}, scope: room(scope)}.bytes()
}

func unnamed(op byte, scope string) []byte {
	return bankCommand{op: op, scope: room(scope)}.bytes()
}

// room makes a scope of a room's length, so that CheckRow knows its names.
func room(s string) []byte {
	b := make([]byte, 16)
	copy(b, s)
	return b
}

func envelope(commands ...[]byte) (out []Envelope) {
	for _, c := range commands {
		out = append(out, Envelope{Domain: DomainChat, Bytes: c})
	}
	return out
}
