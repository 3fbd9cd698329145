package people

import (
	"encoding/binary"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// First bytes of the keys of the view. The kernel's own rows (00, d, e) lie in the same directory.
const (
	rowAccount    = 'u' // user
	rowHandle     = 'h' // handle
	rowCredential = 'c' // user
	rowSession    = 's' // token hash
	rowIndex      = 'x' // user, time of revocation (8 bytes, 0 = alive), token hash
	rowDevice     = 'v' // user, device
	rowFriend     = 'f' // user, friend; user alone: how many
	rowAddedBy    = 'g' // user, who added
	rowInvitation = 'j' // secret hash
	rowInvitedBy  = 'w' // owner, secret hash
	rowPhoto      = 'p' // user
	rowOperator   = 'o' // user
	rowAct        = 'a' // place, inverted: the newest first
	rowDrill      = 'l' // start (8 bytes, inverted), site / scenario
)

const (
	lenUser  = len(ids.User{})
	lenToken = len(ids.Token{})

	lenFriendKey = 1 + 2*lenUser
	lenCountKey  = 1 + lenUser
	lenIndexKey  = 1 + lenUser + 8 + lenToken
	lenDeviceKey = 1 + lenUser + len(ids.Device{})
	lenOwnerKey  = 1 + lenUser + 32
	lenActKey    = 1 + 12 + 4
)

// join makes a key of its parts.
func join(prefix byte, parts ...[]byte) []byte {
	n := 1
	for _, p := range parts {
		n += len(p)
	}
	k := make([]byte, 1, n)
	k[0] = prefix
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

// after is the end of the range of keys that begin with prefix.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		end[i]++
		if end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil // not reached: every prefix begins with a letter
}

func accountKey(u ids.User) []byte                { return join(rowAccount, u[:]) }
func handleKey(handle string) []byte              { return join(rowHandle, []byte(handle)) }
func credentialKey(u ids.User) []byte             { return join(rowCredential, u[:]) }
func sessionKey(t ids.Token) []byte               { return join(rowSession, t[:]) }
func deviceKey(u ids.User, d ids.Device) []byte   { return join(rowDevice, u[:], d[:]) }
func friendKey(u, friend ids.User) []byte         { return join(rowFriend, u[:], friend[:]) }
func friendCountKey(u ids.User) []byte            { return join(rowFriend, u[:]) }
func addedByKey(u, by ids.User) []byte            { return join(rowAddedBy, u[:], by[:]) }
func invitationKey(id [32]byte) []byte            { return join(rowInvitation, id[:]) }
func photoKey(u ids.User) []byte                  { return join(rowPhoto, u[:]) }
func operatorKey(u ids.User) []byte               { return join(rowOperator, u[:]) }
func invitedByKey(u ids.User, id [32]byte) []byte { return join(rowInvitedBy, u[:], id[:]) }

// indexKey orders the sessions of a user: those alive first, then the revoked ones by time.
func indexKey(u ids.User, revoked uint64, t ids.Token) []byte {
	return join(rowIndex, u[:], binary.BigEndian.AppendUint64(nil, revoked), t[:])
}
