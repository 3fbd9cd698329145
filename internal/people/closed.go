package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Closed calls fn for every closed account, by id, until it returns false. It reads all accounts: for the start of a
// node, not for a request.
func Closed(r kernel.Reader, fn func(ids.User) bool) {
	prefix := []byte{rowAccount}
	r.Scan(prefix, after(prefix), func(k, v []byte) bool {
		var u ids.User
		copy(u[:], k[len(prefix):])
		return !must(decodeAccount(u, v)).Closed || fn(u)
	})
}
