package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// logIn opens a session for somebody whose password or one-time code was verified.
type logIn struct {
	token   ids.Token
	device  ids.Device
	label   string
	version uint64
	oneTime bool
}

func (o *logIn) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if code, known := knownToken(a, u, o.token); known {
		return code
	}
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	cred, ok := GetCredential(a, u)
	if !ok || cred.Version != o.version {
		return kernel.CredentialChanged
	}
	if o.oneTime && cred.OneTimeUntil <= a.Time {
		return kernel.BadOneTimeCode
	}
	if len(liveSessions(a, u)) >= MaxSessions {
		return kernel.LimitReached
	}

	if o.oneTime {
		cred.OneTimeUntil, cred.MustChange = 0, true
		a.Set(credentialKey(u), encodeCredential(cred))
		a.Emit(AccountChanged{User: u})
	}
	openSession(a, o.token, Session{User: u, Device: o.device, OneTime: o.oneTime}, o.label)
	forgetRevoked(a, u)
	a.Emit(DevicesChanged{u})
	return kernel.OK
}

// admitDevice opens a session for a device that a logged-in one has confirmed.
type admitDevice struct {
	token  ids.Token
	device ids.Device
	label  string
	by     ids.Token
}

func (o *admitDevice) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if code, known := knownToken(a, u, o.token); known {
		return code
	}
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	by, ok := liveSession(a, u, o.by)
	if !ok {
		return kernel.SessionRevoked
	}
	if len(liveSessions(a, u)) >= MaxSessions {
		return kernel.LimitReached
	}

	// A session that must still change the password does not shed that duty by admitting a device.
	openSession(a, o.token, Session{User: u, Device: o.device, OneTime: by.OneTime}, o.label)
	forgetRevoked(a, u)
	a.Emit(DevicesChanged{u})
	return kernel.OK
}

// renewDevice gives a session another device id.
type renewDevice struct {
	token  ids.Token
	device ids.Device
}

func (o *renewDevice) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	s, ok := liveSession(a, u, o.token)
	if !ok {
		return kernel.SessionRevoked
	}
	if s.Device == o.device {
		return kernel.OK
	}

	old := s.Device
	was, _ := getDevice(a, u, old)
	s.Device = o.device
	a.Set(sessionKey(o.token), encodeSession(s))
	a.Set(indexKey(u, 0, o.token), encodeIndex(o.device))
	if _, ok := getDevice(a, u, o.device); !ok {
		a.Set(deviceKey(u, o.device), encodeDevice(was))
	}
	dropDevices(a, u, []ids.Device{old})
	a.Emit(DevicesChanged{u})
	return kernel.OK
}

// revokeSessions ends sessions: those of some devices, all, or all but one.
type revokeSessions struct {
	devices []ids.Device
	all     bool
	sparing bool
	spare   ids.Token
}

func (o *revokeSessions) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if _, ok := openAccount(a, u); !ok {
		return kernel.UnknownUser
	}
	if o.all == (len(o.devices) > 0) {
		return kernel.Invalid
	}
	live := liveSessions(a, u)
	switch {
	case o.sparing:
		// A session that was revoked itself must not log out those who revoked it.
		if _, ok := liveSession(a, u, o.spare); !ok {
			return kernel.SessionRevoked
		}
		live = without(live, o.spare)
	case !o.all:
		// Devices without a live session are logged out already.
		wanted := make(map[ids.Device]bool, len(o.devices))
		for _, d := range o.devices {
			wanted[d] = true
		}
		some := live[:0]
		for _, s := range live {
			if wanted[s.device] {
				some = append(some, s)
			}
		}
		live = some
	}
	endSessions(a, u, live)
	return kernel.OK
}

// endAllSessions ends every session of the cell. Its cost grows with the sessions alive; it follows a restore only.
type endAllSessions struct{}

func (endAllSessions) apply(_ *Domain, a *kernel.Apply, _ ids.User) kernel.Code {
	var users []ids.User
	a.Scan([]byte{rowDevice}, []byte{rowDevice + 1}, func(k, _ []byte) bool {
		var u ids.User
		copy(u[:], k[1:])
		if len(users) == 0 || users[len(users)-1] != u {
			users = append(users, u)
		}
		return true
	})
	for _, u := range users {
		revoke(a, u, liveSessions(a, u))
	}
	if len(users) > 0 {
		a.Emit(AllSessionsEnded{})
	}
	return kernel.OK
}

// knownToken answers a log-in whose token has a row: the same again is success again, but nothing revives a revoked one.
func knownToken(r kernel.Reader, u ids.User, t ids.Token) (kernel.Code, bool) {
	s, ok := GetSession(r, t)
	switch {
	case !ok:
		return kernel.OK, false
	case s.User != u:
		return kernel.IDReused, true
	case s.Revoked != 0:
		return kernel.SessionRevoked, true
	}
	return kernel.OK, true
}

// liveSession reads a session of u that has not been revoked.
func liveSession(r kernel.Reader, u ids.User, t ids.Token) (Session, bool) {
	s, ok := GetSession(r, t)
	return s, ok && s.User == u && s.Revoked == 0
}

// live is a session that has not been revoked.
type live struct {
	token  ids.Token
	device ids.Device
}

// liveSessions reads the index; at most MaxSessions are alive.
func liveSessions(r kernel.Reader, u ids.User) []live {
	var all []live
	r.Scan(indexKey(u, 0, ids.Token{}), indexKey(u, 1, ids.Token{}), func(k, v []byte) bool {
		var s live
		copy(s.token[:], k[lenIndexKey-lenToken:])
		s.device = must(decodeIndex(v))
		all = append(all, s)
		return true
	})
	return all
}

func without(all []live, t ids.Token) []live {
	rest := make([]live, 0, len(all))
	for _, s := range all {
		if s.token != t {
			rest = append(rest, s)
		}
	}
	return rest
}

// openSession writes a session and its device. A device that is known keeps the label its owner may have given it.
func openSession(a *kernel.Apply, t ids.Token, s Session, label string) {
	a.Set(sessionKey(t), encodeSession(s))
	a.Set(indexKey(s.User, 0, t), encodeIndex(s.Device))
	d, _ := getDevice(a, s.User, s.Device)
	if d.label == "" {
		d.label = label
	}
	d.lastDay = max(d.lastDay, today(a))
	a.Set(deviceKey(s.User, s.Device), encodeDevice(d))
}

// endSessions revokes sessions of u and tells those who use them.
func endSessions(a *kernel.Apply, u ids.User, ended []live) {
	if len(ended) == 0 {
		return
	}
	revoke(a, u, ended)
	for _, s := range ended {
		a.Emit(SessionEnded{Token: s.token, User: u, Device: s.device})
	}
	a.Emit(DevicesChanged{u})
}

// revoke marks sessions of u as revoked now.
func revoke(a *kernel.Apply, u ids.User, ended []live) {
	at := now(a)
	devices := make([]ids.Device, 0, len(ended))
	for _, l := range ended {
		s, _ := GetSession(a, l.token)
		s.Revoked = at
		a.Set(sessionKey(l.token), encodeSession(s))
		a.Delete(indexKey(u, 0, l.token))
		a.Set(indexKey(u, at, l.token), encodeIndex(l.device))
		devices = append(devices, l.device)
	}
	dropDevices(a, u, devices)
}

// forgetRevoked removes some of the sessions that were revoked so long ago that no LogIn can still be on its way.
func forgetRevoked(a *kernel.Apply, u ids.User) {
	if a.Time <= keepRevoked {
		return
	}
	var old []uint64
	var tokens []ids.Token
	a.Scan(indexKey(u, 1, ids.Token{}), indexKey(u, a.Time-keepRevoked, ids.Token{}), func(k, _ []byte) bool {
		at, t := splitIndex(k)
		old, tokens = append(old, at), append(tokens, t)
		return len(tokens) < purgeBatch
	})
	for i, t := range tokens {
		a.Delete(indexKey(u, old[i], t))
		a.Delete(sessionKey(t))
	}
}
