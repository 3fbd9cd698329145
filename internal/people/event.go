package people

import "github.com/bonghwa/bonghwa/internal/ids"

// Events tell sessions what a command did, in the order in which it was done. They are no part of the state.
type (
	// SessionEnded: the session was revoked; whoever uses it is cut off.
	SessionEnded struct {
		Token  ids.Token
		User   ids.User
		Device ids.Device
	}
	// AllSessionsEnded: every session of the cell was revoked (no SessionEnded is sent for each).
	AllSessionsEnded struct{}
	// AccountCreated: somebody signed up.
	AccountCreated struct{ User ids.User }
	// AccountChanged: the account appeared, or its profile, photo or its duty to change the password changed. Shown: what
	// others see beside a name did (name, status message, photo, that it is simulated).
	AccountChanged struct {
		User  ids.User
		Shown bool
	}
	// AccountClosed: the account was deleted. Its sessions' SessionEnded come before.
	AccountClosed struct{ User ids.User }
	// FriendsChanged: the friend list of User changed.
	FriendsChanged struct{ User ids.User }
	// AddedMeChanged: somebody added User or took User off the list.
	AddedMeChanged struct{ User ids.User }
	// DevicesChanged: a device or a session of User came, went or was renamed.
	DevicesChanged struct{ User ids.User }
)
