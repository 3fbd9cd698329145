package people

import (
	"errors"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Account is a person. Of a closed account only id, handle, time and the token hash of its sign-up are left.
type Account struct {
	ID                                              ids.User
	Handle, DisplayName, StatusMessage, ProfileText string
	// Created is the time of the sign-up, Unix ms.
	Created uint64
	Closed  bool
	// Simulated: a program of the operator drives it.
	Simulated bool
	// Photo names the profile photo; zeros for none.
	Photo PhotoName
	// TokenHash is that of the sign-up: the same again is the same sign-up again.
	TokenHash ids.Token
}

// Credential is what a password is verified against.
type Credential struct {
	PHC string
	// Version moves with every change of PHC and every new one-time code.
	Version uint64
	// OneTimePHC is the hash of the last one-time code. It opens a session only before OneTimeUntil (Unix ms); 0 = used
	// up. A session opened with it may prove itself by it while MustChange is set.
	OneTimePHC   string
	OneTimeUntil uint64
	// MustChange: a one-time code was used and the password has not been changed since.
	MustChange bool
}

// Session is what a token's hash stands for.
type Session struct {
	User   ids.User
	Device ids.Device
	// Revoked is when the session ended, Unix ms; 0 = alive.
	Revoked uint64
	// OneTime: opened with a one-time code, or by a session that was, and the password has not been changed since.
	OneTime bool
}

// DeviceInfo is a device with at least one live session.
type DeviceInfo struct {
	Device ids.Device
	Label  string
	// LastDay is the last active day, in days since 1970-01-01 UTC.
	LastDay  uint32
	Sessions int
}

// Invitation lets Uses people sign up before Until (Unix ms). ID is the sha256 of its secret.
type Invitation struct {
	ID [32]byte
	// Created is when it was made, Unix ms; 0 = by version 0.1.0, which did not keep it.
	Created    uint64
	Until      uint64
	Uses, Used uint32
	// Users came by it, in order.
	Users   []ids.User
	Revoked bool
}

// must turns a value that cannot be decoded into a fault of the storage.
func must[T any](v T, err error) T {
	if err != nil {
		panic(kernel.StorageFault{Err: errors.New("people: " + err.Error())})
	}
	return v
}

// GetAccount reads an account, closed ones too.
func GetAccount(r kernel.Reader, u ids.User) (Account, bool) {
	v, ok := r.Get(accountKey(u))
	if !ok {
		return Account{}, false
	}
	return must(decodeAccount(u, v)), true
}

// FindHandle finds who has the handle, in whatever case it is written. Closed accounts are not found.
func FindHandle(r kernel.Reader, handle string) (ids.User, bool) {
	u, ok := handleOwner(r, handle)
	if !ok {
		return ids.User{}, false
	}
	if _, ok := openAccount(r, u); !ok {
		return ids.User{}, false
	}
	return u, true
}

// HandleTaken says that nobody can sign up with the handle: somebody has it, or had it.
func HandleTaken(r kernel.Reader, handle string) bool {
	_, ok := handleOwner(r, handle)
	return ok
}

func handleOwner(r kernel.Reader, handle string) (ids.User, bool) {
	handle = lower(handle)
	if !validHandle(handle) {
		return ids.User{}, false
	}
	v, ok := r.Get(handleKey(handle))
	if !ok {
		return ids.User{}, false
	}
	return must(decodeHandle(v)), true
}

// GetCredential reads what a password is verified against; closed accounts have none.
func GetCredential(r kernel.Reader, u ids.User) (Credential, bool) {
	v, ok := r.Get(credentialKey(u))
	if !ok {
		return Credential{}, false
	}
	return must(decodeCredential(v)), true
}

// GetSession reads the session of a token's hash, revoked ones too.
func GetSession(r kernel.Reader, t ids.Token) (Session, bool) {
	v, ok := r.Get(sessionKey(t))
	if !ok {
		return Session{}, false
	}
	return must(decodeSession(v)), true
}

func getDevice(r kernel.Reader, u ids.User, d ids.Device) (device, bool) {
	v, ok := r.Get(deviceKey(u, d))
	if !ok {
		return device{}, false
	}
	return must(decodeDevice(v)), true
}

// Devices lists the devices of u that are logged in, by device id.
func Devices(r kernel.Reader, u ids.User) []DeviceInfo {
	sessions := make(map[ids.Device]int)
	for _, s := range liveSessions(r, u) {
		sessions[s.device]++
	}
	var all []DeviceInfo
	prefix := join(rowDevice, u[:])
	r.Scan(prefix, after(prefix), func(k, v []byte) bool {
		var d ids.Device
		copy(d[:], k[len(prefix):])
		row := must(decodeDevice(v))
		all = append(all, DeviceInfo{Device: d, Label: row.label, LastDay: row.lastDay, Sessions: sessions[d]})
		return true
	})
	return all
}

// Friends lists whom u has added, by id; accounts that were closed since are among them.
func Friends(r kernel.Reader, u ids.User) []ids.User { return users(r, join(rowFriend, u[:])) }

// AddedMe lists who has added u, by id. Nothing bounds its length but the number of accounts.
func AddedMe(r kernel.Reader, u ids.User) []ids.User { return users(r, join(rowAddedBy, u[:])) }

// EachAddedMe calls fn for those who have added u, by id, until it returns false.
func EachAddedMe(r kernel.Reader, u ids.User, fn func(ids.User) bool) {
	eachUser(r, join(rowAddedBy, u[:]), fn)
}

func users(r kernel.Reader, prefix []byte) (all []ids.User) {
	eachUser(r, prefix, func(u ids.User) bool { all = append(all, u); return true })
	return all
}

// eachUser reads what follows the prefix in keys that are longer than it.
func eachUser(r kernel.Reader, prefix []byte, fn func(ids.User) bool) {
	r.Scan(append(prefix[:len(prefix):len(prefix)], 0), after(prefix), func(k, _ []byte) bool {
		var u ids.User
		copy(u[:], k[len(prefix):])
		return fn(u)
	})
}

// IsFriend says whether a has added b.
func IsFriend(r kernel.Reader, a, b ids.User) bool {
	_, ok := r.Get(friendKey(a, b))
	return ok
}

func friendCount(r kernel.Reader, u ids.User) uint32 {
	v, ok := r.Get(friendCountKey(u))
	if !ok {
		return 0
	}
	return must(decodeCount(v))
}

// Invitations lists those of u, by id; of the zero user those of the operator.
func Invitations(r kernel.Reader, u ids.User) []Invitation {
	var all []Invitation
	prefix := join(rowInvitedBy, u[:])
	r.Scan(prefix, after(prefix), func(k, _ []byte) bool {
		var id [32]byte
		copy(id[:], k[len(prefix):])
		if inv, ok := GetInvitation(r, id); ok {
			all = append(all, inv)
		}
		return true
	})
	return all
}

// GetInvitation reads the invitation of a secret's sha256, whatever has become of it.
func GetInvitation(r kernel.Reader, id [32]byte) (Invitation, bool) {
	_, inv, ok := getInvitation(r, id)
	return inv, ok
}

func getInvitation(r kernel.Reader, id [32]byte) (owner ids.User, inv Invitation, ok bool) {
	v, ok := r.Get(invitationKey(id))
	if !ok {
		return owner, inv, false
	}
	owner, inv, err := decodeInvitation(id, v)
	return owner, must(inv, err), true
}

// Accounts calls fn for every account, closed ones too, by id, until it returns false. It reads all of them: for the
// operator, not for a request.
func Accounts(r kernel.Reader, fn func(Account) bool) {
	prefix := []byte{rowAccount}
	r.Scan(prefix, after(prefix), func(k, v []byte) bool {
		var u ids.User
		copy(u[:], k[len(prefix):])
		return fn(must(decodeAccount(u, v)))
	})
}
