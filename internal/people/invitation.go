package people

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// createInvitation stores the hash of an invitation's secret. The zero user is the operator, who can invite the first.
type createInvitation struct {
	id    [32]byte
	until uint64
	uses  uint32
}

func (o *createInvitation) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if !mayInvite(a, u) {
		return kernel.UnknownUser
	}
	if owner, _, ok := getInvitation(a, o.id); ok {
		if owner == u {
			return kernel.OK
		}
		return kernel.IDReused
	}
	if o.until <= a.Time || o.uses < 1 || o.uses > MaxUses {
		return kernel.Invalid
	}
	all := Invitations(a, u)
	oldest := -1
	if len(all) >= MaxInvitations {
		for i, inv := range all {
			if inv.ended(a.Time) && (oldest < 0 || inv.Until < all[oldest].Until) {
				oldest = i
			}
		}
		if oldest < 0 {
			return kernel.LimitReached
		}
	}

	if oldest >= 0 {
		removeInvitation(a, u, all[oldest].ID)
	}
	inv := Invitation{Until: o.until, Uses: o.uses}
	if a.Behaviour >= 2 {
		inv.Created = now(a)
	}
	a.Set(invitationKey(o.id), encodeInvitation(u, inv))
	a.Set(invitedByKey(u, o.id), marker)
	return kernel.OK
}

// revokeInvitation takes an invitation back; who came by it stays.
type revokeInvitation struct{ id [32]byte }

func (o *revokeInvitation) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if !mayInvite(a, u) {
		return kernel.UnknownUser
	}
	owner, inv, ok := getInvitation(a, o.id)
	if !ok || owner != u {
		return kernel.BadInvitation
	}
	if !inv.Revoked {
		inv.Revoked = true
		a.Set(invitationKey(o.id), encodeInvitation(owner, inv))
	}
	return kernel.OK
}

func mayInvite(r kernel.Reader, u ids.User) bool {
	if u == (ids.User{}) {
		return true
	}
	_, ok := openAccount(r, u)
	return ok
}

// ended says that nobody can sign up with it any more.
func (i *Invitation) ended(at uint64) bool {
	return i.Revoked || i.Until <= at || i.Used >= i.Uses
}

// admits says whether an invitation lets one more person in.
func admits(a *kernel.Apply, id [32]byte) bool {
	_, inv, ok := getInvitation(a, id)
	return ok && !inv.ended(a.Time)
}

// useInvitation records that u came by it.
func useInvitation(a *kernel.Apply, id [32]byte, u ids.User) {
	owner, inv, _ := getInvitation(a, id)
	inv.Used++
	inv.Users = append(inv.Users, u)
	a.Set(invitationKey(id), encodeInvitation(owner, inv))
}

func removeInvitation(a *kernel.Apply, owner ids.User, id [32]byte) {
	a.Delete(invitationKey(id))
	a.Delete(invitedByKey(owner, id))
}

// removeInvitations takes all invitations of a closed account away.
func removeInvitations(a *kernel.Apply, u ids.User) {
	for _, inv := range Invitations(a, u) {
		removeInvitation(a, u, inv.ID)
	}
}
