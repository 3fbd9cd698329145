package people

import (
	"bytes"
	"testing"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

func TestSetPhoto(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.UnknownUser, cmdPhoto("mina", []byte("a")))
	w.want(kernel.OK, cmdSignUp("mina"))
	mina := userOf("mina")
	before, _ := w.tx.Get(accountKey(mina))
	w.silent(cmdPhoto("mina", nil))

	w.want(kernel.OK, cmdPhoto("mina", []byte("first")))
	w.wantEvents(AccountChanged{mina, true})
	first, _ := GetAccount(w.tx, mina)
	w.silent(cmdPhoto("mina", []byte("first")))
	w.want(kernel.OK, cmdPhoto("mina", bytes.Repeat([]byte("2"), MaxPhoto)))
	second, _ := GetAccount(w.tx, mina)
	if len(first.Photo.String()) != 26 || first.Photo == second.Photo {
		t.Fatalf("photos are named %q and %q", first.Photo, second.Photo)
	}
	if jpeg, ok := Photo(w.tx, mina); !ok || len(jpeg) != MaxPhoto {
		t.Fatalf("%d bytes, %v", len(jpeg), ok)
	}

	w.want(kernel.OK, cmdPhoto("mina", nil))
	if after, _ := w.tx.Get(accountKey(mina)); !bytes.Equal(after, before) {
		t.Fatalf("without a photo the account is %x, was %x", after, before)
	}
	if _, ok := Photo(w.tx, mina); ok {
		t.Fatal("the photo is still there")
	}
}

// TestClosedAccountHasNoPhoto: of who has left, no picture is kept.
func TestClosedAccountHasNoPhoto(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdPhoto("mina", []byte("a photo")))
	w.want(kernel.OK, cmdSimulated("mina"))
	w.want(kernel.OK, cmdDelete("mina", 1))
	if _, ok := Photo(w.tx, userOf("mina")); ok {
		t.Fatal("the photo was kept")
	}
	if acc, _ := GetAccount(w.tx, userOf("mina")); acc.later() {
		t.Fatalf("%+v", acc)
	}
	w.want(kernel.UnknownUser, cmdPhoto("mina", []byte("another")))
	w.want(kernel.UnknownUser, cmdSimulated("mina"))
	checkInvariants(t, w)
}

func TestMarkSimulated(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdSignUp("mina"))
	w.want(kernel.OK, cmdSimulated("mina"))
	w.wantEvents(AccountChanged{userOf("mina"), true})
	w.silent(cmdSimulated("mina"))
	if acc, _ := GetAccount(w.tx, userOf("mina")); !acc.Simulated {
		t.Fatalf("%+v", acc)
	}
}

func TestBefriend(t *testing.T) {
	w := newWorld(t)
	for _, who := range []string{"mina", "hana", "dora", "sora"} {
		w.want(kernel.OK, cmdSignUp(who))
	}
	mina, hana, dora := userOf("mina"), userOf("hana"), userOf("dora")
	w.want(kernel.OK, cmdAdd("hana", "mina"))
	w.want(kernel.UnknownUser, cmdBefriend("mina", "hana", "nobody"))
	w.want(kernel.UnknownUser, cmdBefriend("nobody", "hana"))
	w.want(kernel.Invalid, cmdBefriend("mina", "hana", "mina"))
	w.want(kernel.Invalid, cmdBefriend("mina", "hana", "hana"))
	w.want(kernel.OK, cmdBefriend("mina", "hana", "dora"))
	w.wantEvents(FriendsChanged{mina}, AddedMeChanged{hana}, FriendsChanged{mina}, AddedMeChanged{dora}, FriendsChanged{dora}, AddedMeChanged{mina})
	for _, pair := range [][2]string{{"mina", "hana"}, {"hana", "mina"}, {"mina", "dora"}, {"dora", "mina"}} {
		if !IsFriend(w.tx, userOf(pair[0]), userOf(pair[1])) {
			t.Errorf("%v are no friends", pair)
		}
	}
	w.silent(cmdBefriend("mina", "hana", "dora"))
	checkInvariants(t, w)

	// Full lists, on either side.
	w.want(kernel.OK, cmdSignUp("bora"))
	w.tx.Set(friendCountKey(mina), encodeCount(MaxFriends-1))
	w.want(kernel.LimitReached, cmdBefriend("mina", "sora", "bora"))
	w.want(kernel.OK, cmdBefriend("mina", "sora"))
	w.want(kernel.LimitReached, cmdBefriend("bora", "mina"))
	w.silent(cmdBefriend("mina", "sora", "hana"))
}

// TestInvitationKeepsWhenItWasMade, but for entries of version 0.1.0, which did not.
func TestInvitationKeepsWhenItWasMade(t *testing.T) {
	w := newWorld(t)
	w.want(kernel.OK, cmdInvite("", "door", start+1000, 5))
	if inv, ok := GetInvitation(w.tx, secretOf("door")); !ok || inv.Created != start {
		t.Fatalf("%+v", inv)
	}
	w.want(kernel.OK, cmdUninvite("", "door"))
	if inv, ok := GetInvitation(w.tx, secretOf("door")); !ok || inv.Created != start || !inv.Revoked {
		t.Fatalf("%+v", inv)
	}
	a := &kernel.Apply{Tx: w.tx, Time: w.time, Behaviour: 1}
	if v := w.d.Apply(a, w.decode(cmdInvite("", "old", start+1000, 5))); v.Code != kernel.OK {
		t.Fatal(v)
	}
	if inv, ok := GetInvitation(w.tx, secretOf("old")); !ok || inv.Created != 0 {
		t.Fatalf("%+v", inv)
	}
}
