package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Closed calls fn for every closed account, by id, until it returns false. It reads all accounts: for the start of a
// node, not for a request.
func Closed(r kernel.Reader, fn func(ids.User) bool) {
	Accounts(r, func(a Account) bool { return !a.Closed || fn(a.ID) })
}
