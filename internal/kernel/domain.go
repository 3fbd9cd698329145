package kernel

import (
	"fmt"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// Domains of the cell, the first byte of every command in an entry.
const (
	DomainKernel byte = 0
	DomainPeople byte = 1
	DomainChat   byte = 2
)

// Position is a place in the log: epochs follow one another, n counts within an epoch.
type Position struct {
	Epoch uint32
	N     uint64
}

// Less orders positions.
func (p Position) Less(q Position) bool {
	return p.Epoch < q.Epoch || p.Epoch == q.Epoch && p.N < q.N
}

func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Epoch, p.N) }

// Append writes the 12-byte form used in rows: epoch4 n8.
func (p Position) Append(b []byte) []byte {
	return append(b, byte(p.Epoch>>24), byte(p.Epoch>>16), byte(p.Epoch>>8), byte(p.Epoch),
		byte(p.N>>56), byte(p.N>>48), byte(p.N>>40), byte(p.N>>32), byte(p.N>>24), byte(p.N>>16), byte(p.N>>8), byte(p.N))
}

// Reader reads a view. Slices returned stay valid until the reader (or the entry being applied) ends and must not be
// changed. A storage fault does not come back as an error: it panics with StorageFault, which the kernel handles.
type Reader interface {
	// Get returns the value of key.
	Get(key []byte) (value []byte, ok bool)
	// Scan calls fn for every key in [lower, upper) in ascending order until it returns false.
	Scan(lower, upper []byte, fn func(key, value []byte) bool)
}

// Tx is all that domain code sees of storage: the view as of this point of the entry, and writes to it.
type Tx interface {
	Reader
	Set(key, value []byte)
	Delete(key []byte)
}

// StorageFault is what Reader and Tx panic with when storage fails underneath.
type StorageFault struct{ Err error }

func (f StorageFault) Error() string { return "storage: " + f.Err.Error() }

// Unwrap gives the engine's error.
func (f StorageFault) Unwrap() error { return f.Err }

// FaultOf takes what a deferred function recovered: nil if nothing did, the fault if storage failed. Every other panic
// goes on.
func FaultOf(recovered any) *StorageFault {
	switch f := recovered.(type) {
	case nil:
		return nil
	case StorageFault:
		return &f
	}
	panic(recovered)
}

// CatchStorage, deferred, turns a StorageFault panic of a reader into the error that its caller returns.
func CatchStorage(err *error) {
	if f := FaultOf(recover()); f != nil {
		*err = *f
	}
}

// Name identifies a command for ever: (scope, Device, N). docs/formats.md, "Names of commands".
type Name struct {
	Device ids.Device
	N      uint64
	Tag    [8]byte
	// Base is the lowest n still open in the client's outbox.
	Base uint64
}

// Command is one decoded command of a domain.
type Command interface {
	// Named returns the command's name and its scope within the domain (room or account bytes), or nil for unnamed
	// commands.
	Named() (scope []byte, name *Name)
	// IsSkip says that the command consumes its name and does nothing else.
	IsSkip() bool
}

// Newer is a Command of an operation that came with a later behaviour than the first: nodes of older ones do not decode it.
type Newer interface {
	// Since is the behaviour that it came with.
	Since() uint32
}

// Verdict is the recorded outcome of a command: 10 bytes in the ring of its name.
type Verdict struct {
	Code Code
	// Seq is the room's sequence number that the command took, or another number the domain defines.
	Seq uint64
}

// Apply is the state of applying one command: the transaction, the entry's place and time, and the events it causes.
type Apply struct {
	Tx
	// Pos is the position of the entry, Time its effective time in Unix milliseconds, Index the command's place in it.
	Pos   Position
	Time  uint64
	Index int
	// Behaviour is the number of the rules that the entry was stamped with.
	Behaviour uint32
	// Events collects what sessions are told; set by the domain, read by the gateway. It is not part of the state.
	Events []any
}

// Emit adds an event.
func (a *Apply) Emit(e any) { a.Events = append(a.Events, e) }

// Domain is a deterministic state machine. Apply must not read a clock, random numbers, map order or anything but its
// arguments; verdicts come from checks made before the first write.
type Domain interface {
	ID() byte
	// Name is "people" or "chat": the directory of the view and a label in metrics.
	Name() string
	// Decode parses a command from the log. An unknown operation or malformed bytes are an error, and replay stops.
	Decode(b []byte) (Command, error)
	// Apply decides and writes one command.
	Apply(a *Apply, c Command) Verdict
	// CheckRow says whether a row of the view can be decoded and holds what it must; used by scans and tests.
	CheckRow(key, value []byte) error
}

// Code is the closed list of outcomes. Verdicts are stored, so numbers are append-only.
type Code uint16

const (
	OK       Code = 0
	Internal Code = 1 // the domain panicked on the command; its name is consumed
	Skipped  Code = 2 // the name was given up before the command arrived

	// Answers about names: never recorded.
	AlreadyIn Code = 10 // decided long ago, the verdict has left the ring; Last says the last decided n
	Expected  Code = 11 // n is too far ahead; Last+1 is wanted
	IDReused  Code = 12 // the name is known with another tag (recorded where a domain answers it for row keys)

	// Late: the entry came too late after its author was looked at. Not decided and not recorded: the same again.
	Late Code = 13

	// people
	HandleTaken       Code = 100
	CredentialChanged Code = 101
	SessionRevoked    Code = 102
	UnknownUser       Code = 103
	BadInvitation     Code = 104
	UnknownDevice     Code = 105
	LimitReached      Code = 106
	BadOneTimeCode    Code = 107
	NotOperator       Code = 108

	// chat
	UnknownRoom    Code = 200
	NotMember      Code = 201
	CannotReceive  Code = 202
	WrongRoomKind  Code = 203
	UnknownMessage Code = 204
	NotAuthor      Code = 205
	TooLate        Code = 206
	Deleted        Code = 207
	RoomFull       Code = 208
	Invalid        Code = 209 // a command that the gateway must not have let through
)

var codeNames = map[Code]string{
	OK: "ok", Internal: "internal", Skipped: "skipped", AlreadyIn: "already_in", Expected: "expected", IDReused: "id_reused", Late: "late",
	HandleTaken: "handle_taken", CredentialChanged: "credential_changed", SessionRevoked: "session_revoked",
	UnknownUser: "unknown_user", BadInvitation: "bad_invitation", UnknownDevice: "unknown_device", LimitReached: "limit",
	BadOneTimeCode: "bad_code", NotOperator: "not_operator", UnknownRoom: "unknown_room", NotMember: "not_member", CannotReceive: "cannot_receive",
	WrongRoomKind: "wrong_room_kind", UnknownMessage: "unknown_message", NotAuthor: "not_author", TooLate: "too_late",
	Deleted: "deleted", RoomFull: "room_full", Invalid: "invalid",
}

func (c Code) String() string {
	if s, ok := codeNames[c]; ok {
		return s
	}
	return fmt.Sprintf("code %d", uint16(c))
}
