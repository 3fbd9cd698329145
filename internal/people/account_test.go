package people

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

func TestSignUp(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.wantEvents(AccountCreated{userOf("mina")}, AccountChanged{User: userOf("mina")})
	acc, ok := GetAccount(w.tx, userOf("mina"))
	want := Account{ID: userOf("mina"), Handle: "mina", DisplayName: "미나", Created: start, TokenHash: tokenOf("mina")}
	if !ok || acc != want {
		t.Fatalf("account %+v, want %+v", acc, want)
	}
	if s, ok := GetSession(w.tx, tokenOf("mina")); !ok || s != (Session{User: userOf("mina"), Device: deviceOf("phone")}) {
		t.Fatalf("session %+v", s)
	}
	if c, ok := GetCredential(w.tx, userOf("mina")); !ok || c != (Credential{PHC: "$argon2id$mina", Version: 1}) {
		t.Fatalf("credential %+v", c)
	}
	devices := fmt.Sprint(Devices(w.tx, userOf("mina")))
	if want := fmt.Sprint([]DeviceInfo{{deviceOf("phone"), "my phone", start / dayMS, 1}}); devices != want {
		t.Fatalf("devices %s, want %s", devices, want)
	}
	for _, h := range []string{"mina", "MINA", "Mina"} {
		if u, ok := FindHandle(w.tx, h); !ok || u != userOf("mina") || !HandleTaken(w.tx, h) {
			t.Errorf("handle %q is not found", h)
		}
	}
	for _, h := range []string{"", "min", "minab", "mi\x00na", "m\u0131na", strings.Repeat("m", 1000)} {
		if _, ok := FindHandle(w.tx, h); ok || HandleTaken(w.tx, h) {
			t.Errorf("handle %q is found", h)
		}
	}
}

// The Kelvin sign lower-cases to k: it must not pass for one.
func TestHandleOfAnotherScript(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("kkim"))
	if _, ok := FindHandle(w.tx, "\u212akim"); ok {
		t.Fatal("a handle of another script is found")
	}
}

func TestSignUpAgain(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.silent(cmdSignUp("mina"))

	// Whatever the other fields, even a handle that is taken by somebody else.
	w.want(kernel.OK, cmdSignUp("hana"))
	again := cmdSignUp("mina")
	again.GetSignUp().Handle, again.GetSignUp().Phc, again.GetSignUp().Device = "hana", "$other", deviceBytes("other")
	again.GetSignUp().Invitation = secretBytes("none")
	w.silent(again)
	if acc, _ := GetAccount(w.tx, userOf("mina")); acc.Handle != "mina" {
		t.Fatalf("handle %q", acc.Handle)
	}

	other := cmdSignUp("mina")
	other.GetSignUp().TokenHash = tokenBytes("another")
	w.want(kernel.IDReused, other)
	stolen := cmdSignUp("dora")
	stolen.GetSignUp().TokenHash = tokenBytes("mina")
	w.want(kernel.IDReused, stolen)

	// After the account was closed the answer stays the same, and its session stays revoked.
	w.want(kernel.OK, cmdDelete("mina", 1))
	w.silent(cmdSignUp("mina"))
	if s, _ := GetSession(w.tx, tokenOf("mina")); s.Revoked == 0 {
		t.Fatal("a repeated sign-up revived a session")
	}
}

func TestHandleTakenThenAnother(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	m := cmdSignUp("hana")
	m.GetSignUp().Handle = "mina"
	w.want(kernel.HandleTaken, m)
	m.GetSignUp().Handle = "mina2"
	w.want(kernel.OK, m)
	if u, _ := FindHandle(w.tx, "mina2"); u != userOf("hana") {
		t.Fatal("the second handle is not hers")
	}
}

func TestSignUpOfAnotherCell(t *testing.T) {
	w := newWorld(t)
	m := cmdSignUp("mina")
	u := ids.NewUser(testCell+1, randomOf("mina"))
	m.User = u[:]
	w.want(kernel.Invalid, m)
}

func TestSetProfile(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdProfile("mina", &logv1.SetProfile{StatusMessage: proto.String("점심"), ProfileText: proto.String("text")}))
	w.wantEvents(AccountChanged{userOf("mina"), true})
	acc, _ := GetAccount(w.tx, userOf("mina"))
	if acc.DisplayName != "미나" || acc.StatusMessage != "점심" || acc.ProfileText != "text" {
		t.Fatalf("%+v", acc)
	}
	w.want(kernel.OK, cmdProfile("mina", &logv1.SetProfile{DisplayName: proto.String("하나"), StatusMessage: proto.String("")}))
	acc, _ = GetAccount(w.tx, userOf("mina"))
	if acc.DisplayName != "하나" || acc.StatusMessage != "" || acc.ProfileText != "text" {
		t.Fatalf("%+v", acc)
	}
	w.silent(cmdProfile("mina", &logv1.SetProfile{DisplayName: proto.String("하나")}))
	w.silent(cmdProfile("mina", &logv1.SetProfile{}))
	w.want(kernel.OK, cmdProfile("mina", &logv1.SetProfile{ProfileText: proto.String("longer")}))
	w.wantEvents(AccountChanged{userOf("mina"), false}) // seen only by who opens the profile
}

func TestDeleteAccount(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdInvite("", "first", start+1000, 5))
	for _, who := range []string{"mina", "hana", "dora"} {
		w.want(kernel.OK, cmdSignUp(who))
	}
	w.want(kernel.OK, cmdLogIn("mina", "second", "tablet", 1))
	w.want(kernel.OK, cmdProfile("mina", &logv1.SetProfile{StatusMessage: proto.String("private words"), ProfileText: proto.String("private text")}))
	w.want(kernel.OK, cmdAdd("mina", "hana"))
	w.want(kernel.OK, cmdAdd("dora", "mina"))
	w.want(kernel.OK, cmdInvite("mina", "hers", start+1000, 5))

	w.want(kernel.CredentialChanged, cmdDelete("mina", 2))
	w.time++
	w.want(kernel.OK, cmdDelete("mina", 1))
	mina := userOf("mina")
	ended := []any{SessionEnded{tokenOf("mina"), mina, deviceOf("phone")}, SessionEnded{tokenOf("second"), mina, deviceOf("tablet")}}
	if string(tokenBytes("second")) < string(tokenBytes("mina")) {
		ended[0], ended[1] = ended[1], ended[0]
	}
	w.wantEvents(append(ended, DevicesChanged{mina}, AddedMeChanged{userOf("hana")}, AccountClosed{mina})...)

	acc, ok := GetAccount(w.tx, mina)
	if want := (Account{ID: mina, Handle: "mina", Created: start, Closed: true, TokenHash: tokenOf("mina")}); !ok || acc != want {
		t.Fatalf("%+v", acc)
	}
	if _, ok := FindHandle(w.tx, "mina"); ok {
		t.Error("a closed account is found")
	}
	if !HandleTaken(w.tx, "mina") {
		t.Error("the handle is free")
	}
	if _, ok := GetCredential(w.tx, mina); ok {
		t.Error("the credential is still there")
	}
	if len(Devices(w.tx, mina)) != 0 || len(Friends(w.tx, mina)) != 0 || len(AddedMe(w.tx, userOf("hana"))) != 0 {
		t.Error("devices or friends are left")
	}
	if !IsFriend(w.tx, userOf("dora"), mina) {
		t.Error("the list of somebody else has changed")
	}
	if w.tx.contains("private") {
		t.Error("personal words are left")
	}

	// Nothing works any more, for the account or with it.
	m := cmdSignUp("sora")
	m.GetSignUp().Invitation = secretBytes("hers")
	w.want(kernel.BadInvitation, m)
	w.want(kernel.UnknownUser, cmdAdd("hana", "mina"))
	w.want(kernel.SessionRevoked, cmdLogIn("mina", "mina", "phone", 1))
	w.want(kernel.UnknownUser, cmdLogIn("mina", "third", "phone", 1))
	w.want(kernel.UnknownUser, cmdReset("mina", "$code", start+1000))

	// A node that starts finds the account by its row.
	var closed []ids.User
	Closed(w.tx, func(u ids.User) bool { closed = append(closed, u); return true })
	if len(closed) != 1 || closed[0] != mina {
		t.Errorf("closed: %v", closed)
	}

	// But others may tidy their lists.
	w.want(kernel.OK, cmdRemove("dora", "mina"))
}

func TestFriends(t *testing.T) {
	w := newWorld(t)
	for _, who := range []string{"mina", "hana", "dora"} {
		w.want(kernel.OK, cmdSignUp(who))
	}
	w.want(kernel.OK, cmdAdd("mina", "hana"))
	w.wantEvents(FriendsChanged{userOf("mina")}, AddedMeChanged{userOf("hana")})
	w.silent(cmdAdd("mina", "hana"))
	w.want(kernel.Invalid, cmdAdd("mina", "mina"))
	w.want(kernel.UnknownUser, cmdAdd("mina", "nobody"))
	if !IsFriend(w.tx, userOf("mina"), userOf("hana")) || IsFriend(w.tx, userOf("hana"), userOf("mina")) {
		t.Fatal("friendship has a direction")
	}
	if got := AddedMe(w.tx, userOf("hana")); len(got) != 1 || got[0] != userOf("mina") {
		t.Fatalf("added me: %v", got)
	}
	w.silent(cmdRemove("hana", "mina"))
	w.want(kernel.OK, cmdRemove("mina", "hana"))
	w.wantEvents(FriendsChanged{userOf("mina")}, AddedMeChanged{userOf("hana")})
	if len(Friends(w.tx, userOf("mina"))) != 0 || len(AddedMe(w.tx, userOf("hana"))) != 0 {
		t.Fatal("still there")
	}
}

func TestFriendLimit(t *testing.T) {
	w := newWorld(t)
	for _, who := range []string{"mina", "hana"} {
		w.want(kernel.OK, cmdSignUp(who))
	}
	w.tx.Set(friendCountKey(userOf("mina")), encodeCount(MaxFriends-1))
	w.want(kernel.OK, cmdAdd("mina", "hana"))
	w.want(kernel.OK, cmdSignUp("dora"))
	w.want(kernel.LimitReached, cmdAdd("mina", "dora"))
	w.silent(cmdAdd("mina", "hana"))
	w.want(kernel.OK, cmdRemove("mina", "hana"))
	w.want(kernel.OK, cmdAdd("mina", "dora"))
}

func TestInvitations(t *testing.T) {
	w := newWorld(t)
	join := func(who, secret string) *logv1.PeopleCommand {
		m := cmdSignUp(who)
		m.GetSignUp().Invitation = secretBytes(secret)
		return m
	}
	// The operator lets the first in.
	w.want(kernel.BadInvitation, join("mina", "door"))
	w.want(kernel.OK, cmdInvite("", "door", start+1000, 1))
	w.silent(cmdInvite("", "door", start+9999, 7))
	w.want(kernel.OK, join("mina", "door"))
	w.silent(join("mina", "door"))
	w.want(kernel.BadInvitation, join("hana", "door"))
	if inv := Invitations(w.tx, ids.User{}); len(inv) != 1 || inv[0].Used != 1 || inv[0].Users[0] != userOf("mina") {
		t.Fatalf("%+v", inv)
	}

	w.want(kernel.UnknownUser, cmdInvite("hana", "two", start+1000, 2))
	w.want(kernel.IDReused, cmdInvite("mina", "door", start+1000, 2))
	w.want(kernel.Invalid, cmdInvite("mina", "two", start, 2))
	w.want(kernel.Invalid, cmdInvite("mina", "two", start+1000, 0))
	w.want(kernel.Invalid, cmdInvite("mina", "two", start+1000, MaxUses+1))
	w.want(kernel.OK, cmdInvite("mina", "two", start+1000, 2))

	// A refused sign-up uses nothing.
	taken := join("hana", "two")
	taken.GetSignUp().Handle = "mina"
	w.want(kernel.HandleTaken, taken)
	w.want(kernel.OK, join("hana", "two"))
	w.want(kernel.BadInvitation, cmdUninvite("hana", "two"))
	w.want(kernel.BadInvitation, cmdUninvite("mina", "none"))
	w.want(kernel.OK, cmdUninvite("mina", "two"))
	w.silent(cmdUninvite("mina", "two"))
	w.want(kernel.BadInvitation, join("dora", "two"))

	w.want(kernel.OK, cmdInvite("mina", "late", start+1000, 2))
	w.time += 1000
	w.want(kernel.BadInvitation, join("dora", "late"))
	inv, ok := GetInvitation(w.tx, secretOf("two"))
	if !ok || !inv.Revoked || inv.Uses != 2 || inv.Used != 1 || len(inv.Users) != 1 || inv.Users[0] != userOf("hana") || inv.Until != start+1000 {
		t.Fatalf("%+v", inv)
	}
}

func TestInvitationLimit(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	for i := range MaxInvitations {
		w.want(kernel.OK, cmdInvite("mina", fmt.Sprint(i), start+1000+uint64(i), 1))
	}
	w.want(kernel.LimitReached, cmdInvite("mina", "more", start+5000, 1))
	w.time = start + 1001 // the first two have ended
	w.want(kernel.OK, cmdInvite("mina", "more", start+5000, 1))
	if _, ok := GetInvitation(w.tx, secretOf("0")); ok {
		t.Error("the one that ended first is still there")
	}
	if _, ok := GetInvitation(w.tx, secretOf("1")); !ok {
		t.Error("more than one made room")
	}
	if n := len(Invitations(w.tx, userOf("mina"))); n != MaxInvitations {
		t.Errorf("%d invitations", n)
	}
}
