package people

import (
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// What each command writes: rows set, rows deleted, bytes of keys and values. A change of this table is a change of
// what every node's disk is asked to do.
func TestBudget(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdInvite("", "door", start+1000, 10))
	invited := cmdSignUp("sora")
	invited.GetSignUp().Invitation = secretBytes("door")
	for _, c := range []struct {
		what                 string
		m                    *logv1.PeopleCommand
		sets, deletes, bytes int
	}{
		{"SignUp", cmdSignUp("mina"), 6, 0, 306},
		{"SignUp again", cmdSignUp("mina"), 0, 0, 0},
		{"SignUp invited", invited, 7, 0, 385},
		{"LogIn, new device", cmdLogIn("mina", "2", "tablet", 1), 3, 0, 178},
		{"LogIn, same device", cmdLogIn("mina", "3", "tablet", 1), 3, 0, 178},
		{"AdmitDevice", cmdAdmit("mina", "mina", "4", "watch"), 3, 0, 177},
		{"RenewDevice", cmdRenew("mina", "4", "clock"), 3, 1, 204},
		{"Touch, same day", cmdTouch("mina", "phone", start/dayMS), 0, 0, 0},
		{"Touch, next day", cmdTouch("mina", "phone", start/dayMS+1), 1, 0, 41},
		{"LabelDevice", cmdLabel("mina", "phone", "mine"), 1, 0, 37},
		{"RevokeSessions, one", cmdRevokeDevices("mina", "clock"), 2, 2, 215},
		{"SetProfile", cmdProfile("mina", &logv1.SetProfile{StatusMessage: proto.String("hi")}), 1, 0, 69},
		{"AddFriend", cmdAdd("mina", "sora"), 3, 0, 60},
		{"AddFriend again", cmdAdd("mina", "sora"), 0, 0, 0},
		{"RemoveFriend", cmdRemove("mina", "sora"), 0, 3, 53},
		{"Befriend", cmdBefriend("mina", "sora"), 6, 0, 120},
		{"Befriend again", cmdBefriend("mina", "sora"), 0, 0, 0},
		{"SetPhoto", cmdPhoto("mina", make([]byte, 20_000)), 2, 0, 20_097},
		{"SetPhoto again", cmdPhoto("mina", make([]byte, 20_000)), 0, 0, 0},
		{"SetPhoto, none", cmdPhoto("mina", nil), 1, 1, 80},
		{"CreateInvitation", cmdInvite("mina", "hers", start+1000, 3), 2, 0, 113},
		{"RevokeInvitation", cmdUninvite("mina", "hers"), 1, 0, 69},
		{"ResetPassword", cmdReset("mina", "$code", start+1000), 1, 0, 50},
		{"LogIn, one-time", cmdOneTime("mina", "5", 2), 4, 0, 224},
		{"ChangePassword, three others", cmdPassword("mina", "5", "$new", 2), 8, 4, 700},
		{"DeleteAccount", cmdDelete("mina", 3), 3, 8, 416},
		{"EndAllSessions, one left", cmdEndAll(), 2, 2, 215},
	} {
		w.want(kernel.OK, c.m)
		if w.tx.sets != c.sets || w.tx.deletes != c.deletes || w.tx.size != c.bytes {
			t.Errorf("%s: %d, %d, %d; the budget is %d, %d, %d", c.what, w.tx.sets, w.tx.deletes, w.tx.size, c.sets, c.deletes, c.bytes)
		}
	}
}
