package kernel

import "errors"

// Result is what the caller of Submit gets, once.
type Result struct {
	// Err is nil when the command is committed by a quorum and applied to the local view. ErrUnknownOutcome and
	// ErrStopped mean that it may be in the log: ask again under the same name.
	Err error
	// Pos and Time are the entry's.
	Pos  Position
	Time uint64
	// Verdict of the command. With Repeated it is the recorded verdict of an earlier send of the same name.
	Verdict  Verdict
	Repeated bool
	// Last is the last decided n of the name's scope, with AlreadyIn and Expected.
	Last uint64
}

var (
	// ErrNotReady: this node may be cut off; nothing was submitted, or what was came too late and was not done.
	ErrNotReady = errors.New("not ready")
	// ErrQueueFull: too much is waiting; nothing was submitted.
	ErrQueueFull = errors.New("busy")
	// ErrUnknownOutcome: the command may be in the log.
	ErrUnknownOutcome = errors.New("outcome unknown")
	// ErrStopped: the node is stopping; the command may be in the log.
	ErrStopped = errors.New("stopping")
	// ErrDiskFull: the node refuses commands to keep the disk from filling up; nothing was submitted.
	ErrDiskFull = errors.New("disk full")
	// ErrTooLarge: the command exceeds MaxCommand; nothing was submitted.
	ErrTooLarge = errors.New("command too large")
	// ErrMalformed: no domain of this node decodes the command; nothing was submitted. In the log it would stop every
	// node for good.
	ErrMalformed = errors.New("malformed command")
	// ErrTooNew: not every node of the cell knows the operation yet; nothing was submitted. In the log it would stop the others.
	ErrTooNew = errors.New("not every site knows this operation yet: they need the newer version first")
)

// MaxCommand is the largest command in bytes (docs/formats.md).
const MaxCommand = 56 << 10

// Submitter takes commands. done is called exactly once, from any goroutine, and must not block. It never calls done
// before Submit returns an error: either Submit fails and done is never called, or it returns nil and done will be.
type Submitter interface {
	Submit(domain byte, command []byte, done func(Result)) error
	// SubmitEphemeral passes a command to sessions of every node without verdict or row; it may be dropped.
	SubmitEphemeral(domain byte, command []byte) error
}

// Applied is what a domain did with one entry, handed to the gateway in log order.
type Applied struct {
	Domain byte
	Pos    Position
	Time   uint64
	Events []any
	// Ephemeral commands of this entry, decoded; at most 5 s old.
	Ephemeral []Command
}

// Snapshot is a consistent view of one domain at one position. It must be closed.
type Snapshot interface {
	Reader
	Position() Position
	Close()
}
