package people

import (
	"fmt"
	"testing"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

func alive(w *world, token string) bool {
	s, ok := GetSession(w.tx, tokenOf(token))
	return ok && s.Revoked == 0
}

func TestLogInAgain(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdSignUp("hana"))
	w.want(kernel.OK, cmdLogIn("mina", "second", "tablet", 1))
	w.wantEvents(DevicesChanged{userOf("mina")})
	w.silent(cmdLogIn("mina", "second", "tablet", 1))
	w.want(kernel.IDReused, cmdLogIn("hana", "second", "tablet", 1))
	w.want(kernel.CredentialChanged, cmdLogIn("mina", "third", "tablet", 2))
	w.want(kernel.UnknownUser, cmdLogIn("nobody", "third", "tablet", 1))
	// The repetition is answered even if the password has changed since, as long as the session lives.
	w.want(kernel.OK, cmdPassword("mina", "second", "$new", 1))
	w.silent(cmdLogIn("mina", "second", "tablet", 1))
}

func TestLateLogInCannotRevive(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdLogIn("mina", "second", "tablet", 1))
	w.want(kernel.OK, cmdRevokeDevices("mina", "tablet"))
	w.wantEvents(SessionEnded{tokenOf("second"), userOf("mina"), deviceOf("tablet")}, DevicesChanged{userOf("mina")})
	for range 3 {
		w.want(kernel.SessionRevoked, cmdLogIn("mina", "second", "tablet", 1))
		w.want(kernel.SessionRevoked, cmdAdmit("mina", "mina", "second", "tablet"))
		w.want(kernel.SessionRevoked, cmdRenew("mina", "second", "watch"))
		w.time += 100 * dayMS
		w.want(kernel.OK, cmdLogIn("mina", fmt.Sprint("other", w.time), "phone", 1)) // gives forgetting a chance
	}
	if s, _ := GetSession(w.tx, tokenOf("second")); s.Revoked != start {
		t.Fatalf("revoked %d", s.Revoked)
	}
	w.time = start + keepRevoked + 1
	w.want(kernel.OK, cmdLogIn("mina", "last", "phone", 1))
	if _, ok := GetSession(w.tx, tokenOf("second")); ok {
		t.Fatal("a session revoked more than 400 days ago is kept")
	}
}

func TestForgettingIsBounded(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	for i := range purgeBatch + 3 {
		w.want(kernel.OK, cmdLogIn("mina", fmt.Sprint(i), "tablet", 1))
	}
	w.want(kernel.OK, cmdRevokeDevices("mina", "tablet"))
	left := func() (n int) {
		for i := range purgeBatch + 3 {
			if _, ok := GetSession(w.tx, tokenOf(fmt.Sprint(i))); ok {
				n++
			}
		}
		return n
	}
	w.time += keepRevoked
	w.want(kernel.OK, cmdLogIn("mina", "not yet", "phone", 1))
	if left() != purgeBatch+3 {
		t.Fatal("forgotten on the day itself")
	}
	w.time++
	w.want(kernel.OK, cmdLogIn("mina", "a", "phone", 1))
	if left() != 3 {
		t.Fatalf("%d left", left())
	}
	w.want(kernel.OK, cmdAdmit("mina", "a", "b", "phone"))
	if left() != 0 {
		t.Fatalf("%d left", left())
	}
}

func TestAdmitDevice(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdSignUp("hana"))
	w.want(kernel.SessionRevoked, cmdAdmit("mina", "unknown", "second", "tablet"))
	w.want(kernel.SessionRevoked, cmdAdmit("mina", "hana", "second", "tablet"))
	w.want(kernel.OK, cmdAdmit("mina", "mina", "second", "tablet"))
	w.wantEvents(DevicesChanged{userOf("mina")})
	w.silent(cmdAdmit("mina", "mina", "second", "tablet"))
	w.want(kernel.IDReused, cmdAdmit("hana", "hana", "second", "tablet"))
	w.want(kernel.OK, cmdRevokeOthers("mina", "second"))
	w.silent(cmdAdmit("mina", "mina", "second", "tablet")) // late, its own session lives
	w.want(kernel.SessionRevoked, cmdAdmit("mina", "mina", "third", "watch"))
}

func TestRenewDevice(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdSignUp("hana"))
	w.want(kernel.OK, cmdAdmit("mina", "mina", "copy", "phone"))
	w.want(kernel.SessionRevoked, cmdRenew("hana", "copy", "fresh"))
	w.want(kernel.OK, cmdRenew("mina", "copy", "fresh"))
	w.wantEvents(DevicesChanged{userOf("mina")})
	w.silent(cmdRenew("mina", "copy", "fresh"))
	if s, _ := GetSession(w.tx, tokenOf("copy")); s.Device != deviceOf("fresh") || s.Revoked != 0 {
		t.Fatalf("%+v", s)
	}
	if n := len(Devices(w.tx, userOf("mina"))); n != 2 {
		t.Fatalf("%d devices", n)
	}
	// The last session of a device takes it along, with its label.
	w.want(kernel.OK, cmdLabel("mina", "phone", "old one"))
	w.want(kernel.OK, cmdRenew("mina", "mina", "newer"))
	for _, d := range Devices(w.tx, userOf("mina")) {
		if d.Device == deviceOf("phone") {
			t.Error("the old device is still listed")
		}
		if d.Device == deviceOf("newer") && d.Label != "old one" {
			t.Errorf("label %q", d.Label)
		}
	}
	// Onto a device that is there already.
	w.want(kernel.OK, cmdRenew("mina", "mina", "fresh"))
	if d := Devices(w.tx, userOf("mina")); len(d) != 1 || d[0].Sessions != 2 || d[0].Label != "my phone" {
		t.Fatalf("%+v", d)
	}
}

func TestRevokeSessions(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *world)
		left []string
	}{
		{"one device with two sessions", func(w *world) { w.want(kernel.OK, cmdRevokeDevices("mina", "tablet")) }, []string{"mina", "d"}},
		{"two devices, one unknown, one twice", func(w *world) { w.want(kernel.OK, cmdRevokeDevices("mina", "watch", "phone", "none", "phone")) }, []string{"b", "c"}},
		{"named", func(w *world) { w.want(kernel.OK, name(cmdRevokeDevices("mina", "tablet"), 1)) }, []string{"mina", "d"}},
		{"all but one", func(w *world) { w.want(kernel.OK, cmdRevokeOthers("mina", "b")) }, []string{"b"}},
		{"all but one, with all", func(w *world) {
			m := cmdRevokeOthers("mina", "b")
			m.GetRevokeSessions().All = true
			w.want(kernel.OK, m)
		}, []string{"b"}},
		{"all", func(w *world) { w.want(kernel.OK, cmdRevokeAll("mina")) }, nil},
		{"none and nothing", func(w *world) { w.want(kernel.Invalid, cmdRevokeDevices("mina")) }, []string{"mina", "b", "c", "d"}},
		{"all and some", func(w *world) {
			m := cmdRevokeDevices("mina", "phone")
			m.GetRevokeSessions().All = true
			w.want(kernel.Invalid, m)
		}, []string{"mina", "b", "c", "d"}},
		{"all but somebody else's", func(w *world) { w.want(kernel.SessionRevoked, cmdRevokeOthers("mina", "hana")) }, []string{"mina", "b", "c", "d"}},
		{"of somebody else's devices", func(w *world) { w.silent(cmdRevokeDevices("hana", "tablet")) }, []string{"mina", "b", "c", "d"}},
		{"by one that is revoked", func(w *world) {
			w.want(kernel.OK, cmdRevokeDevices("mina", "phone"))
			w.want(kernel.SessionRevoked, cmdRevokeOthers("mina", "mina"))
		}, []string{"b", "c", "d"}},
		{"the whole cell", func(w *world) {
			w.want(kernel.OK, cmdEndAll())
			w.wantEvents(AllSessionsEnded{})
			w.silent(cmdEndAll())
			if alive(w, "hana") {
				t.Error("somebody else is still there")
			}
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.want(kernel.OK, cmdSignUp("mina"))
			w.want(kernel.OK, cmdSignUp("hana"))
			w.want(kernel.OK, cmdLogIn("mina", "b", "tablet", 1))
			w.want(kernel.OK, cmdLogIn("mina", "c", "tablet", 1))
			w.want(kernel.OK, cmdLogIn("mina", "d", "watch", 1))
			c.do(w)
			var left []string
			for _, token := range []string{"mina", "b", "c", "d"} {
				if alive(w, token) {
					left = append(left, token)
				}
			}
			if fmt.Sprint(left) != fmt.Sprint(c.left) {
				t.Errorf("left %v, want %v", left, c.left)
			}
			sessions := 0
			for _, d := range Devices(w.tx, userOf("mina")) {
				if d.Sessions == 0 {
					t.Error("a device without a session")
				}
				sessions += d.Sessions
			}
			if sessions != len(c.left) {
				t.Errorf("%d sessions on devices", sessions)
			}
			checkInvariants(t, w)
		})
	}
}

func TestSessionLimit(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	for i := range MaxSessions - 1 {
		w.want(kernel.OK, cmdAdmit("mina", "mina", fmt.Sprint(i), fmt.Sprint(i%7)))
	}
	w.want(kernel.LimitReached, cmdAdmit("mina", "mina", "more", "tablet"))
	w.want(kernel.LimitReached, cmdLogIn("mina", "more", "tablet", 1))
	w.silent(cmdLogIn("mina", "5", "tablet", 1))
	w.want(kernel.OK, cmdRevokeDevices("mina", "3"))
	w.want(kernel.OK, cmdLogIn("mina", "more", "tablet", 1))
}

func TestChangePasswordRevokesOthers(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdSignUp("hana"))
	w.want(kernel.OK, cmdLogIn("mina", "second", "tablet", 1))
	w.want(kernel.CredentialChanged, cmdPassword("mina", "second", "$new", 2))
	w.want(kernel.SessionRevoked, cmdPassword("mina", "hana", "$new", 1))
	w.want(kernel.OK, cmdPassword("mina", "second", "$new", 1))
	w.wantEvents(SessionEnded{tokenOf("mina"), userOf("mina"), deviceOf("phone")}, DevicesChanged{userOf("mina")})
	if alive(w, "mina") || !alive(w, "second") || !alive(w, "hana") {
		t.Fatal("the wrong sessions live")
	}
	if c, _ := GetCredential(w.tx, userOf("mina")); c != (Credential{PHC: "$new", Version: 2}) {
		t.Fatalf("%+v", c)
	}
	w.want(kernel.CredentialChanged, cmdLogIn("mina", "third", "tablet", 1)) // verified before the change
	w.want(kernel.SessionRevoked, cmdPassword("mina", "mina", "$newer", 2))
	w.want(kernel.OK, cmdLogIn("mina", "third", "tablet", 2))
}

func TestResetPassword(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.BadOneTimeCode, cmdOneTime("mina", "early", 1))
	w.want(kernel.BadOneTimeCode, cmdReset("mina", "$code1", start))
	w.want(kernel.OK, cmdReset("mina", "$code1", start+1000))
	w.silent(cmdReset("mina", "$code1", start+1000))
	w.want(kernel.OK, cmdReset("mina", "$code2", start+2000))
	// The first code was verified while the second was made.
	w.want(kernel.CredentialChanged, cmdOneTime("mina", "x", 2))
	w.time = start + 2000
	w.want(kernel.BadOneTimeCode, cmdOneTime("mina", "x", 3))
	w.time--
	w.want(kernel.OK, cmdOneTime("mina", "x", 3))
	w.wantEvents(AccountChanged{User: userOf("mina")}, DevicesChanged{userOf("mina")})
	w.silent(cmdOneTime("mina", "x", 3))
	w.want(kernel.BadOneTimeCode, cmdOneTime("mina", "y", 3)) // used up
	w.silent(cmdReset("mina", "$code2", start+2000))          // late: stays used up
	if c, _ := GetCredential(w.tx, userOf("mina")); !c.MustChange || c.OneTimeUntil != 0 || c.PHC != "$argon2id$mina" {
		t.Fatalf("%+v", c)
	}
	if s, _ := GetSession(w.tx, tokenOf("x")); !s.OneTime {
		t.Fatal("the session does not know how it was opened")
	}
	// The duty is not shed by admitting another device.
	w.want(kernel.OK, cmdAdmit("mina", "x", "z", "watch"))
	if s, _ := GetSession(w.tx, tokenOf("z")); !s.OneTime {
		t.Fatal("an admitted device is free")
	}
	w.want(kernel.OK, cmdPassword("mina", "x", "$new", 3))
	if w.events[len(w.events)-1] != (AccountChanged{User: userOf("mina")}) {
		t.Fatalf("%v", w.events)
	}
	if c, _ := GetCredential(w.tx, userOf("mina")); c.MustChange || c.PHC != "$new" || c.Version != 4 {
		t.Fatalf("%+v", c)
	}
	if s, _ := GetSession(w.tx, tokenOf("x")); s.OneTime || s.Revoked != 0 {
		t.Fatalf("%+v", s)
	}
	w.silent(cmdReset("mina", "$code2", start+9000)) // very late
	w.want(kernel.BadOneTimeCode, cmdOneTime("mina", "q", 4))
}

// A password chosen in another session voids the code that was not used.
func TestChangePasswordVoidsCode(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdReset("mina", "$code", start+1000))
	w.want(kernel.OK, cmdPassword("mina", "mina", "$new", 2))
	w.want(kernel.BadOneTimeCode, cmdOneTime("mina", "x", 3))
}

func TestDevices(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	day := uint32(start / dayMS)
	w.want(kernel.UnknownDevice, cmdTouch("mina", "tablet", day))
	w.want(kernel.UnknownDevice, cmdTouch("nobody", "phone", day))
	w.silent(cmdTouch("mina", "phone", day))
	w.silent(cmdTouch("mina", "phone", day-1))
	w.want(kernel.OK, cmdTouch("mina", "phone", day+1))
	w.silent(cmdTouch("mina", "phone", day+1))
	w.want(kernel.Invalid, cmdTouch("mina", "phone", day+2))
	w.want(kernel.UnknownDevice, cmdLabel("mina", "tablet", "x"))
	w.want(kernel.OK, cmdLabel("mina", "phone", "내 전화"))
	w.wantEvents(DevicesChanged{userOf("mina")})
	w.silent(cmdLabel("mina", "phone", "내 전화"))
	// Another log-in on the same device keeps the label that was given to it.
	w.want(kernel.OK, cmdLogIn("mina", "second", "phone", 1))
	want := fmt.Sprint([]DeviceInfo{{deviceOf("phone"), "내 전화", day + 1, 2}})
	if got := fmt.Sprint(Devices(w.tx, userOf("mina"))); got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	w.want(kernel.OK, cmdRevokeAll("mina"))
	w.want(kernel.UnknownDevice, cmdTouch("mina", "phone", day+1))
	if d := Devices(w.tx, ids.User{}); d != nil {
		t.Fatalf("%v", d)
	}
}
