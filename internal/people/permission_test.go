package people

import (
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Who may do what. Each column is somebody else who asks for the same: the owner; the owner whose credential version,
// confirming or kept session is out of date; somebody whose account is closed; somebody who has none.
func TestWhoMayDoWhat(t *testing.T) {
	const (
		ok       = kernel.OK
		unknown  = kernel.UnknownUser
		revoked  = kernel.SessionRevoked
		changed  = kernel.CredentialChanged
		noDevice = kernel.UnknownDevice
		badCode  = kernel.BadOneTimeCode
		notHis   = kernel.BadInvitation
		invalid  = kernel.Invalid
		day      = start / dayMS
	)
	fresh := func(token string) string { return token + "'s" }
	for _, row := range []struct {
		what                         string
		make                         func(who, token string, version uint64) *logv1.PeopleCommand
		owner, stale, closed, nobody kernel.Code
	}{
		{"LogIn", func(who, token string, v uint64) *logv1.PeopleCommand { return cmdLogIn(who, fresh(token), "new", v) }, ok, changed, unknown, unknown},
		{"LogIn one-time", func(who, token string, v uint64) *logv1.PeopleCommand { return cmdOneTime(who, fresh(token), v) }, badCode, changed, unknown, unknown},
		{"AdmitDevice", func(who, token string, _ uint64) *logv1.PeopleCommand {
			return cmdAdmit(who, token, fresh(token), "new")
		}, ok, revoked, unknown, unknown},
		{"RenewDevice", func(who, token string, _ uint64) *logv1.PeopleCommand { return cmdRenew(who, token, "new") }, ok, revoked, unknown, unknown},
		{"RevokeSessions all but", func(who, token string, _ uint64) *logv1.PeopleCommand { return cmdRevokeOthers(who, token) }, ok, revoked, unknown, unknown},
		{"RevokeSessions devices", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdRevokeDevices(who, "phone") }, ok, ok, unknown, unknown},
		{"RevokeSessions all", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdRevokeAll(who) }, ok, ok, unknown, unknown},
		{"ChangePassword", func(who, token string, v uint64) *logv1.PeopleCommand { return cmdPassword(who, token, "$new", v) }, ok, changed, unknown, unknown},
		{"ChangePassword, session alone", func(who, token string, _ uint64) *logv1.PeopleCommand { return cmdPassword(who, token, "$new", 2) }, ok, revoked, unknown, unknown},
		{"SetProfile", func(who, _ string, _ uint64) *logv1.PeopleCommand {
			return cmdProfile(who, &logv1.SetProfile{DisplayName: proto.String("x")})
		}, ok, ok, unknown, unknown},
		{"AddFriend", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdAdd(who, "hana") }, ok, ok, unknown, unknown},
		{"AddFriend closed", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdAdd(who, "gone") }, unknown, unknown, unknown, unknown},
		{"AddFriend unknown", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdAdd(who, "none") }, unknown, unknown, unknown, unknown},
		{"AddFriend oneself", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdAdd(who, who) }, invalid, invalid, unknown, unknown},
		{"RemoveFriend", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdRemove(who, "hana") }, ok, ok, unknown, unknown},
		{"DeleteAccount", func(who, _ string, v uint64) *logv1.PeopleCommand { return cmdDelete(who, v) }, ok, changed, unknown, unknown},
		{"ResetPassword", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdReset(who, "$code", start+1) }, ok, ok, unknown, unknown},
		{"CreateInvitation", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdInvite(who, "new", start+1, 1) }, ok, ok, unknown, unknown},
		{"RevokeInvitation own", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdUninvite(who, "hers") }, ok, ok, unknown, unknown},
		{"RevokeInvitation of another", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdUninvite(who, "hana's") }, notHis, notHis, unknown, unknown},
		{"RevokeInvitation of the operator", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdUninvite(who, "door") }, notHis, notHis, unknown, unknown},
		{"Touch", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdTouch(who, "phone", day) }, ok, ok, noDevice, noDevice},
		{"LabelDevice", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdLabel(who, "phone", "x") }, ok, ok, unknown, unknown},
		{"LabelDevice of another", func(who, _ string, _ uint64) *logv1.PeopleCommand { return cmdLabel(who, "hana's", "x") }, noDevice, noDevice, unknown, unknown},
	} {
		for _, col := range []struct {
			name, who, token string
			version          uint64
			want             kernel.Code
		}{
			{"owner", "mina", "mina", 2, row.owner},
			{"stale", "mina", "old", 1, row.stale},
			{"closed", "gone", "gone", 1, row.closed},
			{"nobody", "none", "none", 1, row.nobody},
		} {
			t.Run(row.what+"/"+col.name, func(t *testing.T) {
				w := newWorld(t)
				for _, who := range []string{"mina", "hana", "gone"} {
					w.want(kernel.OK, cmdSignUp(who))
				}
				w.want(kernel.OK, cmdInvite("", "door", start+1, 1))
				w.want(kernel.OK, cmdInvite("hana", "hana's", start+1, 1))
				w.want(kernel.OK, cmdInvite("mina", "hers", start+1, 1))
				w.want(kernel.OK, cmdLogIn("hana", "hana 2", "hana's", 1))
				w.want(kernel.OK, cmdLogIn("mina", "old", "old", 1))
				w.want(kernel.OK, cmdPassword("mina", "mina", "$second", 1))
				w.want(kernel.OK, cmdDelete("gone", 1))
				w.want(col.want, row.make(col.who, col.token, col.version))
				checkInvariants(t, w)
			})
		}
	}
}
