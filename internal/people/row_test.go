package people

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

var update = flag.Bool("update", false, "write testdata/rows.golden anew; rows are one-way doors, so this is for new rows only")

const goldenFile = "testdata/rows.golden"

// goldenRows has every kind of row at least once.
func goldenRows() []struct {
	name       string
	key, value []byte
} {
	mina, hana, phone, token, secret := userOf("mina"), userOf("hana"), deviceOf("phone"), tokenOf("mina"), secretOf("door")
	return []struct {
		name       string
		key, value []byte
	}{
		{"account", accountKey(mina), encodeAccount(Account{Handle: "mina", DisplayName: "미나", StatusMessage: "점심", ProfileText: "봉화", Created: start, TokenHash: token})},
		{"account-closed", accountKey(hana), encodeAccount(Account{Handle: "hana", Created: start, Closed: true, TokenHash: token})},
		{"handle", handleKey("mina"), encodeHandle(mina)},
		{"credential", credentialKey(mina), encodeCredential(Credential{PHC: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", Version: 3})},
		{"credential-one-time", credentialKey(mina), encodeCredential(Credential{PHC: "$a", Version: 4, OneTimePHC: "$b", OneTimeUntil: start + 1})},
		{"credential-must-change", credentialKey(mina), encodeCredential(Credential{PHC: "$a", Version: 4, OneTimePHC: "$b", MustChange: true})},
		{"session", sessionKey(token), encodeSession(Session{User: mina, Device: phone})},
		{"session-revoked", sessionKey(token), encodeSession(Session{User: mina, Device: phone, Revoked: start + 2})},
		{"session-one-time", sessionKey(token), encodeSession(Session{User: mina, Device: phone, OneTime: true})},
		{"session-index", indexKey(mina, 0, token), encodeIndex(phone)},
		{"session-index-revoked", indexKey(mina, start+2, token), encodeIndex(phone)},
		{"device", deviceKey(mina, phone), encodeDevice(device{lastDay: start / dayMS, label: "내 전화"})},
		{"friend", friendKey(mina, hana), marker},
		{"friend-count", friendCountKey(mina), encodeCount(300)},
		{"added-by", addedByKey(hana, mina), marker},
		{"invitation", invitationKey(secret), encodeInvitation(mina, Invitation{Until: start + 3, Uses: 10, Used: 2, Users: []ids.User{hana, mina}})},
		{"invitation-revoked", invitationKey(secret), encodeInvitation(ids.User{}, Invitation{Until: start + 3, Uses: 1, Revoked: true})},
		{"invited-by", invitedByKey(mina, secret), marker},
		// From version 0.2.0 on.
		{"account-photo", accountKey(mina), encodeAccount(Account{Handle: "mina", DisplayName: "미나", Created: start, TokenHash: token, Photo: PhotoName(secret[:16])})},
		{"account-simulated", accountKey(mina), encodeAccount(Account{Handle: "mina", DisplayName: "미나", Created: start, TokenHash: token, Simulated: true})},
		{"invitation-created", invitationKey(secret), encodeInvitation(mina, Invitation{Created: start, Until: start + 3, Uses: 10, Used: 1, Users: []ids.User{hana}})},
		{"photo", photoKey(mina), encodePhoto([]byte{0xff, 0xd8, 0xff, 0xd9})},
		// From behaviour 3 on.
		{"operator", operatorKey(mina), encodeOperator(start)},
		{"act", actKey(kernel.Position{Epoch: 2, N: 77}, 1), encodeAct(Act{Time: start, Who: mina, Site: "busan", What: "drill_started", On: "seoul"})},
		{"act-terminal", actKey(kernel.Position{Epoch: 2, N: 78}, 0), encodeAct(Act{Time: start, Site: "seoul", What: ActGranted, On: "mina"})},
		{"drill", drillKey(&Drill{Started: start, Site: "seoul", Scenario: "power-loss"}), encodeDrill(Drill{Started: start, Site: "seoul", Scenario: "power-loss",
			Ended: start + 60_000, People: 12, Acked: 3000, Lost: 1, Duplicated: 2, Reordered: 3, Unauthorised: 4, Tried: 500, SendGap: 400, DeliveryGap: 450, MovedSendGap: 800,
			MovedDelivery: 850, Moved: 4, Held: true, HeldInTime: true, Source: "demo"})},
	}
}

// The rows of released versions must be readable for ever: HEAD writes the very bytes that are in the file.
func TestGoldenRows(t *testing.T) {
	var b strings.Builder
	b.WriteString("# name, key, value: the rows of domain people. Reproduced by TestGoldenRows.\n")
	for _, r := range goldenRows() {
		fmt.Fprintf(&b, "%s %x %x\n", r.name, r.key, r.value)
		if err := New(testCell).CheckRow(r.key, r.value); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		for i := range r.value {
			if i > 1 && r.name == "photo" {
				break // its bytes are checked before the log
			}
			if New(testCell).CheckRow(r.key, r.value[:i]) == nil {
				t.Errorf("%s is taken when cut to %d bytes", r.name, i)
			}
		}
		if r.name != "photo" && New(testCell).CheckRow(r.key, append(bytes.Clone(r.value), 0)) == nil {
			t.Errorf("%s is taken with a byte too many", r.name)
		}
		if New(testCell).CheckRow(r.key, append([]byte{r.value[0] + 1}, r.value[1:]...)) == nil {
			t.Errorf("%s of another version is taken", r.name)
		}
		if len(r.key) > 20 && New(testCell).CheckRow(r.key[:len(r.key)-1], r.value) == nil {
			t.Errorf("%s is taken with a short key", r.name)
		}
	}
	if *update {
		if err := os.WriteFile(goldenFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("rows are\n%swant\n%s", b.String(), want)
	}
}

// What decodes encodes to the same bytes, so equal content is equal bytes on every node.
func TestRowsAreCanonical(t *testing.T) {
	for _, c := range []struct {
		what  string
		value []byte
	}{
		{"a length that is longer than needed", []byte{rowVersion, 0, 0, 0, 1, 0x81, 0x00, 'a'}},
		{"a length beyond the value", []byte{rowVersion, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 'a'}},
		{"invalid UTF-8", []byte{rowVersion, 0, 0, 0, 1, 1, 0xff}},
	} {
		if _, err := decodeDevice(c.value); err == nil {
			t.Errorf("%s is taken", c.what)
		}
	}
	if _, err := decodeSession(append([]byte{rowVersion, 2}, make([]byte, 34)...)); err == nil {
		t.Error("an unknown flag is taken")
	}
}

// fuzzRow checks a decoder: no panic, and what decodes encodes to the same bytes.
func fuzzRow(f *testing.F, again func(v []byte) ([]byte, error)) {
	for _, r := range goldenRows() {
		f.Add(r.value)
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		back, err := again(v)
		if err == nil && !bytes.Equal(back, v) {
			t.Fatalf("%x decodes and encodes to %x", v, back)
		}
	})
}

func FuzzAccountRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { a, err := decodeAccount(ids.User{}, v); return encodeAccount(a), err })
}

func FuzzHandleRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { u, err := decodeHandle(v); return encodeHandle(u), err })
}

func FuzzCredentialRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { c, err := decodeCredential(v); return encodeCredential(c), err })
}

func FuzzSessionRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { s, err := decodeSession(v); return encodeSession(s), err })
}

func FuzzIndexRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { d, err := decodeIndex(v); return encodeIndex(d), err })
}

func FuzzDeviceRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { d, err := decodeDevice(v); return encodeDevice(d), err })
}

func FuzzCountRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { n, err := decodeCount(v); return encodeCount(n), err })
}

func FuzzInvitationRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) {
		owner, i, err := decodeInvitation([32]byte{}, v)
		return encodeInvitation(owner, i), err
	})
}

func FuzzPhotoRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { p, err := decodePhoto(v); return encodePhoto(p), err })
}

func FuzzOperatorRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { n, err := decodeOperator(v); return encodeOperator(n), err })
}

func FuzzActRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { a, err := decodeAct(v); return encodeAct(a), err })
}

func FuzzDrillRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { d, err := decodeDrill(v); return encodeDrill(d), err })
}

func FuzzMarkerRow(f *testing.F) {
	fuzzRow(f, func(v []byte) ([]byte, error) { return marker, decodeMarker(v) })
}

// FuzzCheckRow: scans of a damaged view report, they do not fall over.
func FuzzCheckRow(f *testing.F) {
	for _, r := range goldenRows() {
		f.Add(r.key, r.value)
	}
	f.Fuzz(func(_ *testing.T, key, value []byte) { _ = New(testCell).CheckRow(key, value) })
}
