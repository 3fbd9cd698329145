// Package people is domain 1 of a cell: accounts with their photos, credentials, sessions with
// their devices, friends and invitations.
//
// Guarantees: Apply is a pure function of the view, the command and the entry's time; it makes every check before its
// first write, so a verdict other than OK has written nothing. A session ends by revocation only and is then marked,
// not deleted: for 400 days a late LogIn cannot bring it back. Commands without a name may be repeated: the rows they
// made answer for them. Handles are unique for ever, also those of closed accounts.
//
// Not given: passwords, one-time codes, tokens and invitation secrets are verified by the caller before the log, only
// their hashes arrive here; blocks are chat's, so whether somebody may add somebody is asked there first.
//
// Rows: docs/formats.md, "Rows". Queries are functions over a kernel.Reader and may run on any snapshot of the view. A
// row that cannot be decoded is a fault of the storage: they panic with kernel.StorageFault, as the reader itself does.
package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Limits of one account. They are decided in Apply and so a change of one is a new behaviour.
const (
	// MaxSessions is how many sessions may be alive at once.
	MaxSessions = 200
	// MaxFriends is how long a friend list may get.
	MaxFriends = 10_000
	// MaxInvitations is how many invitations are kept for one owner. Of those that have ended the oldest make room.
	MaxInvitations = 100
	// MaxBefriend is how many people one Befriend makes friends of its user.
	MaxBefriend = 100
	// MaxPhoto is how many bytes a profile photo may have.
	MaxPhoto = 48 << 10
	// MaxUses is for how many people one invitation may be.
	MaxUses = 1000
)

const (
	dayMS = 24 * 60 * 60 * 1000
	// keepRevoked is how long a revoked session is remembered.
	keepRevoked = 400 * dayMS
	// purgeBatch bounds how many forgotten sessions one log-in removes.
	purgeBatch = 16
)

// Domain is the state machine. It keeps nothing between commands.
type Domain struct {
	cell uint16
}

var _ kernel.Domain = (*Domain)(nil)

// New makes the domain of a cell. Accounts of other cells are refused at sign-up.
func New(cell uint16) *Domain { return &Domain{cell: cell} }

// ID is the domain's number in entries.
func (d *Domain) ID() byte { return kernel.DomainPeople }

// Name is the view's directory and the label in metrics.
func (d *Domain) Name() string { return "people" }

// Apply decides one command and writes what follows from it.
func (d *Domain) Apply(a *kernel.Apply, c kernel.Command) kernel.Verdict {
	cmd, ok := c.(*command)
	if !ok {
		return kernel.Verdict{Code: kernel.Invalid}
	}
	return kernel.Verdict{Code: cmd.op.apply(d, a, cmd.user)}
}

// op is what a command does. apply returns the code of its verdict.
type op interface {
	apply(d *Domain, a *kernel.Apply, u ids.User) kernel.Code
}

// now is the time to mark rows with. 0 in a row means "not".
func now(a *kernel.Apply) uint64 { return max(a.Time, 1) }

// today is the effective day, in days since 1970-01-01 UTC.
func today(a *kernel.Apply) uint32 { return uint32(min(a.Time/dayMS, 1<<32-1)) }
