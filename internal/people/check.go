package people

import (
	"bytes"
	"encoding/binary"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// CheckRow says whether a row of the view is one of this domain's, decodes, and holds what such a row must. What rows
// must hold together is not seen from one of them.
func (d *Domain) CheckRow(key, value []byte) error {
	if len(key) == 0 {
		return errRow
	}
	rest := key[1:]
	switch key[0] {
	case rowAccount:
		return checkAccount(rest, value)
	case rowHandle:
		if !validHandle(string(rest)) {
			return errRow
		}
		_, err := decodeHandle(value)
		return err
	case rowCredential:
		c, err := decodeCredential(value)
		return firstOf(err, len(rest) == lenUser && c.Version > 0 && c.PHC != "" && len(c.PHC) <= maxPHC && len(c.OneTimePHC) <= maxPHC)
	case rowSession:
		s, err := decodeSession(value)
		return firstOf(err, len(rest) == lenToken && s.User != ids.User{})
	case rowIndex:
		_, err := decodeIndex(value)
		return firstOf(err, len(key) == lenIndexKey)
	case rowDevice:
		dev, err := decodeDevice(value)
		return firstOf(err, len(key) == lenDeviceKey && within(dev.label, 0, maxLabel))
	case rowFriend:
		if len(key) == lenCountKey {
			n, err := decodeCount(value)
			return firstOf(err, n > 0 && n <= MaxFriends)
		}
		return firstOf(decodeMarker(value), len(key) == lenFriendKey)
	case rowAddedBy:
		return firstOf(decodeMarker(value), len(key) == lenFriendKey)
	case rowInvitation:
		if len(rest) != 32 {
			return errRow
		}
		_, inv, err := decodeInvitation([32]byte(rest), value)
		return firstOf(err, inv.Uses > 0 && inv.Uses <= MaxUses && inv.Used <= inv.Uses)
	case rowPhoto:
		_, err := decodePhoto(value)
		return firstOf(err, len(rest) == lenUser)
	case rowOperator:
		since, err := decodeOperator(value)
		return firstOf(err, len(rest) == lenUser && since > 0)
	case rowAct:
		a, err := decodeAct(value)
		return firstOf(err, len(key) == lenActKey && within(a.Site, 0, maxSite) && within(a.What, 1, maxWhat) && within(a.On, 0, maxOn))
	case rowDrill:
		dr, err := decodeDrill(value)
		return firstOf(err, bytes.Equal(key, drillKey(&dr)) && within(dr.Site, 0, maxSite) && within(dr.Scenario, 1, maxScenario) && within(dr.Source, 0, maxOn))
	case rowInvitedBy:
		return firstOf(decodeMarker(value), len(key) == lenOwnerKey)
	}
	return errRow
}

func checkAccount(rest, value []byte) error {
	u, err := ids.UserOf(rest)
	if err != nil {
		return errRow
	}
	a, err := decodeAccount(u, value)
	if err != nil || !validHandle(a.Handle) {
		return errRow
	}
	if a.Closed {
		return firstOf(nil, !a.later() && a.DisplayName == "" && a.StatusMessage == "" && a.ProfileText == "")
	}
	return firstOf(nil, within(a.DisplayName, 1, maxDisplayName) && within(a.StatusMessage, 0, maxStatusMessage) &&
		within(a.ProfileText, 0, maxProfileText))
}

// firstOf is err, or errRow if the row does not hold what it must.
func firstOf(err error, holds bool) error {
	if err == nil && !holds {
		return errRow
	}
	return err
}

// splitIndex takes the time of revocation and the token from an index key.
func splitIndex(k []byte) (revoked uint64, t ids.Token) {
	copy(t[:], k[lenIndexKey-lenToken:])
	return binary.BigEndian.Uint64(k[1+lenUser:]), t
}
