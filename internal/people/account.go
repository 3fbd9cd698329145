package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// signUp makes an account with its first session.
type signUp struct {
	handle, displayName, phc string
	token                    ids.Token
	device                   ids.Device
	label                    string
	invited                  bool
	invitation               [32]byte
}

func (o *signUp) apply(d *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if acc, ok := GetAccount(a, u); ok {
		// The id is made of the client's random bytes, so only the client itself, or a copy of its profile, comes here
		// again. The fields may differ: a client that lost the ack may have tried another handle since.
		if acc.TokenHash == o.token {
			return kernel.OK
		}
		return kernel.IDReused
	}
	if u[0] != byte(d.cell>>8) || u[1] != byte(d.cell) {
		return kernel.Invalid
	}
	if _, ok := GetSession(a, o.token); ok {
		return kernel.IDReused
	}
	if o.invited && !admits(a, o.invitation) {
		return kernel.BadInvitation
	}
	if HandleTaken(a, o.handle) {
		return kernel.HandleTaken
	}

	acc := Account{ID: u, Handle: o.handle, DisplayName: o.displayName, Created: a.Time, TokenHash: o.token}
	a.Set(accountKey(u), encodeAccount(acc))
	a.Set(handleKey(o.handle), encodeHandle(u))
	a.Set(credentialKey(u), encodeCredential(Credential{PHC: o.phc, Version: 1}))
	openSession(a, o.token, Session{User: u, Device: o.device}, o.label)
	if o.invited {
		useInvitation(a, o.invitation, u)
	}
	a.Emit(AccountCreated{u})
	a.Emit(AccountChanged{User: u})
	return kernel.OK
}

// setProfile replaces the fields that are set.
type setProfile struct {
	displayName, statusMessage, profileText *string
}

func (o *setProfile) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	acc, ok := openAccount(a, u)
	if !ok {
		return kernel.UnknownUser
	}
	was := acc
	for _, f := range []struct{ from, to *string }{
		{o.displayName, &acc.DisplayName}, {o.statusMessage, &acc.StatusMessage}, {o.profileText, &acc.ProfileText},
	} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if acc != was {
		a.Set(accountKey(u), encodeAccount(acc))
		a.Emit(AccountChanged{u, acc.DisplayName != was.DisplayName || acc.StatusMessage != was.StatusMessage})
	}
	return kernel.OK
}

// deleteAccount closes the account for ever. What others have written about it stays theirs: their friend rows, with
// the rows that mirror them, and the handle, so that nobody can pass for the person who left.
type deleteAccount struct{ version uint64 }

func (o *deleteAccount) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	acc, ok := openAccount(a, u)
	if !ok {
		return kernel.UnknownUser
	}
	if cred, ok := GetCredential(a, u); !ok || cred.Version != o.version {
		return kernel.CredentialChanged
	}

	endSessions(a, u, liveSessions(a, u))
	a.Delete(credentialKey(u))
	a.Set(accountKey(u), encodeAccount(Account{Closed: true, Created: acc.Created, TokenHash: acc.TokenHash, Handle: acc.Handle}))
	if acc.Photo != (PhotoName{}) {
		a.Delete(photoKey(u))
	}
	removeFriends(a, u)
	removeInvitations(a, u)
	if IsOperator(a, u) {
		a.Delete(operatorKey(u))
		putAct(a, Act{Who: u, What: ActRevoked, On: acc.Handle})
	}
	a.Emit(AccountClosed{u})
	return kernel.OK
}

// openAccount reads the account of somebody who is there.
func openAccount(r kernel.Reader, u ids.User) (Account, bool) {
	acc, ok := GetAccount(r, u)
	return acc, ok && !acc.Closed
}
