package people

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// pick returns a number below n.
type pick func(n int) int

var (
	somePeople  = []string{"mina", "hana", "dora", "sora", "bora", "none"}
	someDevices = []string{"phone", "tablet", "watch", "desk"}
	someSecrets = []string{"s1", "s2", "s3"}
)

// someTokens are the sessions of the sign-ups and those of later log-ins.
var someTokens = func() []string {
	all := append([]string(nil), somePeople...)
	for i := range 30 {
		all = append(all, fmt.Sprintf("t%d", i))
	}
	return all
}()

// randomCommand draws a command over so few people, tokens and devices that they meet. Mostly the asker exists, with a
// session that lives and the credential version that the view has: commands that are all refused find nothing.
func randomCommand(w *world, n pick) *logv1.PeopleCommand {
	one := func(of []string) string { return of[n(len(of))] }
	who, device := one(somePeople), one(someDevices)
	if acc, ok := GetAccount(w.tx, userOf(who)); !ok && n(4) > 0 {
		return randomSignUp(n, who, device)
	} else if acc.Closed {
		who = one(somePeople)
	}
	cred, _ := GetCredential(w.tx, userOf(who))
	version := cred.Version
	if n(8) == 0 {
		version++
	}
	token, mine := one(someTokens), one(someTokens)
	if n(4) > 0 {
		for _, t := range someTokens {
			if _, ok := liveSession(w.tx, userOf(who), tokenOf(t)); ok {
				mine = t
				if n(2) == 0 {
					break
				}
			}
		}
	}
	soon := w.time + uint64(n(3))*dayMS
	switch n(31) {
	case 0:
		return randomSignUp(n, who, device)
	case 1, 2, 3:
		return cmdLogIn(who, token, device, version)
	case 4:
		return cmdOneTime(who, token, version)
	case 5, 6, 7:
		return cmdAdmit(who, mine, token, device)
	case 8, 9:
		return cmdRenew(who, mine, device)
	case 10:
		return cmdRevokeDevices(who, device, one(someDevices))
	case 11:
		return []*logv1.PeopleCommand{cmdRevokeOthers(who, mine), cmdRevokeOthers(who, mine), cmdRevokeAll(who)}[n(3)]
	case 12:
		return cmdPassword(who, mine, "$"+fmt.Sprint(n(100)), version)
	case 13:
		return cmdProfile(who, &logv1.SetProfile{StatusMessage: proto.String(fmt.Sprint(n(3)))})
	case 14, 15, 16:
		return cmdAdd(who, one(somePeople))
	case 17:
		return cmdRemove(who, one(somePeople))
	case 18:
		return cmdReset(who, "$code"+fmt.Sprint(n(6)), soon)
	case 19:
		return cmdInvite(append(somePeople, "")[n(len(somePeople)+1)], one(someSecrets), soon, uint32(n(3)))
	case 20:
		return cmdUninvite(append(somePeople, "")[n(len(somePeople)+1)], one(someSecrets))
	case 23:
		return cmdPhoto(who, []byte(fmt.Sprint(n(3)))[:n(2)])
	case 24:
		return cmdSimulated(who)
	case 25, 26:
		others := somePeople[n(len(somePeople)):]
		return cmdBefriend(who, others[:min(len(others), 1+n(2))]...)
	case 28:
		return []*logv1.PeopleCommand{cmdGrant(who), cmdTakeRole(who)}[n(2)]
	case 29:
		return cmdAct(append(somePeople, "")[n(len(somePeople)+1)], "drained", one(someSecrets))
	case 30:
		d := aDrill()
		d.StartedMs, d.Lost = d.StartedMs+uint64(n(5)), uint64(n(2))
		return cmdDrill(d)
	case 21, 22:
		return cmdTouch(who, device, uint32(w.time/dayMS)-1+uint32(n(4)))
	default:
		switch n(10) {
		case 0:
			return cmdEndAll()
		case 1:
			return cmdDelete(who, version)
		}
		return cmdLabel(who, device, "label "+fmt.Sprint(n(3)))
	}
}

func randomSignUp(n pick, who, device string) *logv1.PeopleCommand {
	m := cmdSignUp(who)
	p := m.GetSignUp()
	p.Device = deviceBytes(device)
	p.TokenHash = tokenBytes([]string{who, someTokens[n(len(someTokens))]}[n(8)/7])
	p.Handle = []string{who, somePeople[n(len(somePeople))], who + fmt.Sprint(n(5))}[n(3)]
	if n(3) == 0 {
		p.Invitation = secretBytes(someSecrets[n(len(someSecrets))])
	}
	return m
}

// run applies random commands to two views and checks after every one what must hold.
func run(t testing.TB, steps int, n pick) {
	w, twin := newWorld(t), newWorld(t)
	for range steps {
		w.time += []uint64{0, 1, 1, dayMS, 101 * dayMS}[n(5)]
		twin.time, twin.n = w.time, w.n
		revoked := revokedSessions(w)

		m := randomCommand(w, n)
		code := w.do(m)
		events := fmt.Sprintf("%#v", w.events)
		if twin.do(m) != code || fmt.Sprintf("%#v", twin.events) != events {
			t.Fatalf("%v: the twin decided otherwise", m)
		}
		if m.Name == nil && m.GetRecordAct() == nil && code == kernel.OK {
			w.silent(m) // the rows of an unnamed command answer for it
		}
		if !w.tx.equal(twin.tx) {
			t.Fatalf("%v: the twin wrote otherwise", m)
		}

		checkInvariants(t, w)
		for token, at := range revoked {
			s, ok := GetSession(w.tx, token)
			if ok && s.Revoked != at || !ok && at+keepRevoked >= w.time {
				t.Fatalf("%v: a session revoked at %d is now %v, %+v", m, at, ok, s)
			}
		}
	}
}

func revokedSessions(w *world) map[ids.Token]uint64 {
	all := map[ids.Token]uint64{}
	w.tx.Scan([]byte{rowSession}, []byte{rowSession + 1}, func(k, v []byte) bool {
		if s := must(decodeSession(v)); s.Revoked != 0 {
			all[ids.Token(k[1:])] = s.Revoked
		}
		return true
	})
	return all
}

func TestRandomCommands(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			run(t, 300, rand.New(rand.NewPCG(seed, 1)).IntN)
		})
	}
}

func FuzzCommands(f *testing.F) {
	for seed := range byte(8) {
		data := make([]byte, 400)
		rand.NewChaCha8([32]byte{seed}).Read(data)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		run(t, min(len(data)/6, 60), func(n int) int {
			if len(data) == 0 {
				return 0
			}
			b := data[0]
			data = data[1:]
			return int(b) % n
		})
	})
}

// checkInvariants holds all rows of a view against one another.
func checkInvariants(t testing.TB, w *world) {
	t.Helper()
	live := map[ids.User]int{}
	devices := map[string]bool{}
	friends := map[ids.User]uint32{}
	has := func(key []byte) bool { _, ok := w.tx.Get(key); return ok }
	open := func(u ids.User) bool { _, ok := openAccount(w.tx, u); return ok }
	for _, key := range w.tx.keys {
		k, v := []byte(key), w.tx.rows[key]
		fail := func(why string) { t.Helper(); t.Fatalf("row %x %x: %s", k, v, why) }
		if err := w.d.CheckRow(k, v); err != nil {
			fail(err.Error())
		}
		switch k[0] {
		case rowAccount:
			acc, _ := GetAccount(w.tx, ids.User(k[1:]))
			if u, ok := handleOwner(w.tx, acc.Handle); !ok || u != acc.ID {
				fail("its handle is not its own")
			}
			if has(credentialKey(acc.ID)) == acc.Closed {
				fail("open accounts have a credential, closed ones none")
			}
			if _, ok := Photo(w.tx, acc.ID); ok != (acc.Photo != PhotoName{}) {
				fail("it names a photo that is not there, or does not name its photo")
			}
		case rowPhoto:
			acc, _ := GetAccount(w.tx, ids.User(k[1:]))
			if sum := sha256.Sum256(v[1:]); !bytes.Equal(acc.Photo[:], sum[:len(acc.Photo)]) {
				fail("not the photo of the account")
			}
		case rowHandle:
			acc, ok := GetAccount(w.tx, must(decodeHandle(v)))
			if !ok || acc.Handle != key[1:] {
				fail("the account has another handle")
			}
		case rowCredential:
			if !open(ids.User(k[1:])) {
				fail("no open account")
			}
		case rowSession:
			s, _ := GetSession(w.tx, ids.Token(k[1:]))
			if at, ok := w.tx.Get(indexKey(s.User, s.Revoked, ids.Token(k[1:]))); !ok || must(decodeIndex(at)) != s.Device {
				fail("not in the index")
			}
			if s.Revoked != 0 {
				break
			}
			if !open(s.User) {
				fail("alive without an open account")
			}
			if cred, _ := GetCredential(w.tx, s.User); s.OneTime && !cred.MustChange {
				fail("one-time, but the password need not be changed")
			}
			if !has(deviceKey(s.User, s.Device)) {
				fail("alive without a device")
			}
			live[s.User]++
			devices[string(deviceKey(s.User, s.Device))] = true
		case rowIndex:
			at, token := splitIndex(k)
			if s, ok := GetSession(w.tx, token); !ok || s.Revoked != at || !bytes.Equal(s.User[:], k[1:1+lenUser]) {
				fail("the session is not what the index says")
			}
		case rowFriend:
			if len(k) == lenCountKey {
				break
			}
			u, other := ids.User(k[1:11]), ids.User(k[11:])
			if !has(addedByKey(other, u)) || !open(u) || u == other {
				fail("no mirror, or the owner is gone")
			}
			friends[u]++
		case rowAddedBy:
			if !has(friendKey(ids.User(k[11:]), ids.User(k[1:11]))) {
				fail("no mirror")
			}
		case rowInvitation:
			owner, inv, _ := getInvitation(w.tx, [32]byte(k[1:]))
			if !has(invitedByKey(owner, inv.ID)) || owner != (ids.User{}) && !open(owner) {
				fail("not in the index, or the owner is gone")
			}
			for _, u := range inv.Users {
				if !has(accountKey(u)) {
					fail("nobody came by it")
				}
			}
		case rowOperator:
			if !open(ids.User(k[1:])) {
				fail("an operator without an open account")
			}
		case rowInvitedBy:
			if owner, _, ok := getInvitation(w.tx, [32]byte(k[11:])); !ok || owner != ids.User(k[1:11]) {
				fail("the invitation is not its owner's")
			}
		}
	}
	for _, key := range w.tx.keys {
		if key[0] == rowDevice && !devices[key] {
			t.Fatalf("device %x has no live session", key)
		}
		if key[0] == rowAccount {
			u := ids.User([]byte(key[1:]))
			if live[u] > MaxSessions || friendCount(w.tx, u) != friends[u] || int(friends[u]) != len(Friends(w.tx, u)) {
				t.Fatalf("%v: %d sessions, %d friends of %d", u, live[u], friends[u], friendCount(w.tx, u))
			}
		}
	}
}
