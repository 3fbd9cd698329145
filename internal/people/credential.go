package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// changePassword sets a new password and ends the other sessions. Whoever opened the session with a one-time code is
// an ordinary owner again.
type changePassword struct {
	phc     string
	version uint64
	keep    ids.Token
}

func (o *changePassword) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	cred, ok := GetCredential(a, u)
	if !ok || cred.Version != o.version {
		return kernel.CredentialChanged
	}
	session, ok := liveSession(a, u, o.keep)
	if !ok {
		return kernel.SessionRevoked
	}

	mustChange := cred.MustChange
	// The one-time code is void, used or not; its hash stays, so that a late ResetPassword cannot arm it again.
	cred.PHC, cred.Version, cred.OneTimeUntil, cred.MustChange = o.phc, cred.Version+1, 0, false
	a.Set(credentialKey(u), encodeCredential(cred))
	if session.OneTime {
		session.OneTime = false
		a.Set(sessionKey(o.keep), encodeSession(session))
	}
	endSessions(a, u, without(liveSessions(a, u), o.keep))
	if mustChange {
		a.Emit(AccountChanged{User: u})
	}
	return kernel.OK
}

// resetPassword arms a one-time code. The password goes on working until it is changed: an operator's slip locks nobody
// out. The credential's version moves on, so that a log-in with an earlier code which is under way is refused.
type resetPassword struct {
	phc   string
	until uint64
}

func (o *resetPassword) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	cred, ok := GetCredential(a, u)
	if !ok {
		return kernel.UnknownUser
	}
	// A PHC string carries a random salt: the same one is the same command again, used up or not.
	if cred.OneTimePHC == o.phc {
		return kernel.OK
	}
	if o.until <= a.Time {
		return kernel.BadOneTimeCode
	}

	cred.Version, cred.OneTimePHC, cred.OneTimeUntil = cred.Version+1, o.phc, o.until
	a.Set(credentialKey(u), encodeCredential(cred))
	return kernel.OK
}
