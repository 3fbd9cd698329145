package people

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// memTx is a view in memory that counts what is written to it.
type memTx struct {
	rows                map[string][]byte
	keys                []string // in order
	sets, deletes, size int
}

func newMemTx() *memTx { return &memTx{rows: map[string][]byte{}} }

func (t *memTx) Get(key []byte) ([]byte, bool) {
	v, ok := t.rows[string(key)]
	return v, ok
}

func (t *memTx) Scan(lower, upper []byte, fn func(key, value []byte) bool) {
	i, _ := slices.BinarySearch(t.keys, string(lower))
	j, _ := slices.BinarySearch(t.keys, string(upper))
	for _, k := range slices.Clone(t.keys[i:max(i, j)]) {
		if !fn([]byte(k), t.rows[k]) {
			return
		}
	}
}

func (t *memTx) Set(key, value []byte) {
	t.sets++
	t.size += len(key) + len(value)
	if i, ok := slices.BinarySearch(t.keys, string(key)); !ok {
		t.keys = slices.Insert(t.keys, i, string(key))
	}
	t.rows[string(key)] = bytes.Clone(value)
}

func (t *memTx) Delete(key []byte) {
	t.deletes++
	t.size += len(key)
	if i, ok := slices.BinarySearch(t.keys, string(key)); ok {
		t.keys = slices.Delete(t.keys, i, i+1)
	}
	delete(t.rows, string(key))
}

func (t *memTx) writes() int { return t.sets + t.deletes }

func (t *memTx) equal(o *memTx) bool {
	return slices.Equal(t.keys, o.keys) && maps.EqualFunc(t.rows, o.rows, bytes.Equal)
}

// contains says whether any row has the text in it.
func (t *memTx) contains(text string) bool {
	for k, v := range t.rows {
		if strings.Contains(k, text) || strings.Contains(string(v), text) {
			return true
		}
	}
	return false
}

const testCell = 0x0a0b

// start is 2026-11-24T00:00:00Z.
const start = 1_795_478_400_000

// world applies commands to a view, as the kernel does.
type world struct {
	t      testing.TB
	d      *Domain
	tx     *memTx
	time   uint64
	n      uint64
	events []any
}

func newWorld(t testing.TB) *world {
	return &world{t: t, d: New(testCell), tx: newMemTx(), time: start}
}

// decode encodes and decodes a command: every test goes through the bytes of the log.
func (w *world) decode(m *logv1.PeopleCommand) kernel.Command {
	w.t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := w.d.Decode(b)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

func (w *world) do(m *logv1.PeopleCommand) kernel.Code {
	w.t.Helper()
	w.n++
	a := &kernel.Apply{Tx: w.tx, Pos: kernel.Position{Epoch: 1, N: w.n}, Time: w.time, Behaviour: kernel.Behaviour}
	w.tx.sets, w.tx.deletes, w.tx.size = 0, 0, 0
	code := w.d.Apply(a, w.decode(m)).Code
	w.events = a.Events
	if code != kernel.OK && (w.tx.writes() > 0 || len(a.Events) > 0) {
		w.t.Fatalf("%T was refused with %v and wrote all the same", m.Op, code)
	}
	return code
}

func (w *world) want(code kernel.Code, m *logv1.PeopleCommand) {
	w.t.Helper()
	if got := w.do(m); got != code {
		w.t.Fatalf("%T: %v, want %v", m.Op, got, code)
	}
}

// silent is want OK with nothing written.
func (w *world) silent(m *logv1.PeopleCommand) {
	w.t.Helper()
	w.want(kernel.OK, m)
	if w.tx.writes() > 0 || len(w.events) > 0 {
		w.t.Fatalf("%T: %d writes, events %v, want nothing", m.Op, w.tx.writes(), w.events)
	}
}

func (w *world) wantEvents(want ...any) {
	w.t.Helper()
	if fmt.Sprintf("%#v", w.events) != fmt.Sprintf("%#v", want) {
		w.t.Fatalf("events\n%#v, want\n%#v", w.events, want)
	}
}

// Fixed values made of a word.
func randomOf(s string) []byte   { h := sha256.Sum256([]byte("random " + s)); return h[:16] }
func userOf(s string) ids.User   { return ids.NewUser(testCell, randomOf(s)) }
func tokenOf(s string) ids.Token { return ids.HashToken([]byte(s)) }
func deviceOf(s string) ids.Device {
	h := sha256.Sum256([]byte("device " + s))
	return ids.Device(h[:16])
}
func secretOf(s string) [32]byte  { return sha256.Sum256([]byte("secret " + s)) }
func userBytes(s string) []byte   { u := userOf(s); return u[:] }
func tokenBytes(s string) []byte  { t := tokenOf(s); return t[:] }
func deviceBytes(s string) []byte { d := deviceOf(s); return d[:] }
func secretBytes(s string) []byte { h := secretOf(s); return h[:] }

// name gives a command the next name of a device.
func name(m *logv1.PeopleCommand, n uint64) *logv1.PeopleCommand {
	m.Name = &logv1.Name{Device: deviceBytes("phone"), N: n, Tag: []byte("12345678"), Base: n}
	return m
}

// Commands. People are words: "mina" has the handle mina, the session mina and the device phone.
func cmdSignUp(who string) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_SignUp{SignUp: &logv1.SignUp{
		Handle: who, DisplayName: "미나", Phc: "$argon2id$" + who, TokenHash: tokenBytes(who), Device: deviceBytes("phone"), DeviceLabel: "my phone",
	}}}
}

func cmdLogIn(who, token, device string, version uint64) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_LogIn{LogIn: &logv1.LogIn{
		TokenHash: tokenBytes(token), Device: deviceBytes(device), DeviceLabel: "a " + device, CredentialVersion: version,
	}}}
}

func cmdOneTime(who, token string, version uint64) *logv1.PeopleCommand {
	m := cmdLogIn(who, token, "phone", version)
	m.GetLogIn().OneTime = true
	return m
}

func cmdAdmit(who, by, token, device string) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_AdmitDevice{AdmitDevice: &logv1.AdmitDevice{
		TokenHash: tokenBytes(token), Device: deviceBytes(device), DeviceLabel: "a " + device, By: tokenBytes(by),
	}}}
}

func cmdRenew(who, token, device string) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_RenewDevice{RenewDevice: &logv1.RenewDevice{
		TokenHash: tokenBytes(token), Device: deviceBytes(device),
	}}}
}

func cmdRevokeDevices(who string, devices ...string) *logv1.PeopleCommand {
	p := &logv1.RevokeSessions{}
	for _, d := range devices {
		p.Devices = append(p.Devices, deviceBytes(d))
	}
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_RevokeSessions{RevokeSessions: p}}
}

func cmdRevokeOthers(who, keep string) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_RevokeSessions{RevokeSessions: &logv1.RevokeSessions{AllBut: tokenBytes(keep)}}}
}

func cmdRevokeAll(who string) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_RevokeSessions{RevokeSessions: &logv1.RevokeSessions{All: true}}}
}

func cmdPassword(who, keep, phc string, version uint64) *logv1.PeopleCommand {
	return name(&logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_ChangePassword{ChangePassword: &logv1.ChangePassword{
		Phc: phc, CredentialVersion: version, Keep: tokenBytes(keep),
	}}}, 1)
}

func cmdProfile(who string, p *logv1.SetProfile) *logv1.PeopleCommand {
	return name(&logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_SetProfile{SetProfile: p}}, 1)
}

func cmdAdd(who, other string) *logv1.PeopleCommand {
	return name(&logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_AddFriend{AddFriend: &logv1.AddFriend{Other: userBytes(other)}}}, 1)
}

func cmdRemove(who, other string) *logv1.PeopleCommand {
	return name(&logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_RemoveFriend{RemoveFriend: &logv1.RemoveFriend{Other: userBytes(other)}}}, 1)
}

func cmdDelete(who string, version uint64) *logv1.PeopleCommand {
	return name(&logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_DeleteAccount{DeleteAccount: &logv1.DeleteAccount{CredentialVersion: version}}}, 1)
}

func cmdReset(who, code string, until uint64) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_ResetPassword{ResetPassword: &logv1.ResetPassword{OneTimePhc: code, UntilMs: until}}}
}

// cmdInvite is the operator's with an empty who.
func cmdInvite(who, secret string, until uint64, uses uint32) *logv1.PeopleCommand {
	m := &logv1.PeopleCommand{Op: &logv1.PeopleCommand_CreateInvitation{CreateInvitation: &logv1.CreateInvitation{
		SecretHash: secretBytes(secret), UntilMs: until, Uses: uses,
	}}}
	if who == "" {
		return m
	}
	m.User = userBytes(who)
	return name(m, 1)
}

func cmdUninvite(who, secret string) *logv1.PeopleCommand {
	m := &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RevokeInvitation{RevokeInvitation: &logv1.RevokeInvitation{SecretHash: secretBytes(secret)}}}
	if who == "" {
		return m
	}
	m.User = userBytes(who)
	return name(m, 1)
}

func cmdTouch(who, device string, day uint32) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_Touch{Touch: &logv1.Touch{Device: deviceBytes(device), Day: day}}}
}

func cmdLabel(who, device, label string) *logv1.PeopleCommand {
	return name(&logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_LabelDevice{LabelDevice: &logv1.LabelDevice{Device: deviceBytes(device), Label: label}}}, 1)
}

func cmdPhoto(who string, jpeg []byte) *logv1.PeopleCommand {
	return name(&logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_SetPhoto{SetPhoto: &logv1.SetPhoto{Jpeg: jpeg}}}, 1)
}

func cmdSimulated(who string) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_MarkSimulated{MarkSimulated: &logv1.MarkSimulated{}}}
}

func cmdBefriend(who string, others ...string) *logv1.PeopleCommand {
	op := &logv1.Befriend{}
	for _, o := range others {
		op.Others = append(op.Others, userBytes(o))
	}
	return &logv1.PeopleCommand{User: userBytes(who), Op: &logv1.PeopleCommand_Befriend{Befriend: op}}
}

func cmdGrant(who string) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{Op: &logv1.PeopleCommand_GrantRole{GrantRole: &logv1.GrantRole{Whom: userBytes(who), Role: Operator, Site: "seoul"}}}
}

func cmdTakeRole(who string) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RevokeRole{RevokeRole: &logv1.RevokeRole{Whom: userBytes(who), Role: Operator, Site: "seoul"}}}
}

// cmdAct is the terminal's with an empty who.
func cmdAct(who, what, on string) *logv1.PeopleCommand {
	m := &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RecordAct{RecordAct: &logv1.RecordAct{Site: "busan", What: what, On: on}}}
	if who != "" {
		m.User = userBytes(who)
	}
	return m
}

func cmdDrill(d *logv1.RecordDrill) *logv1.PeopleCommand {
	return &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RecordDrill{RecordDrill: d}}
}

func cmdEndAll() *logv1.PeopleCommand {
	return &logv1.PeopleCommand{Op: &logv1.PeopleCommand_EndAllSessions{EndAllSessions: &logv1.EndAllSessions{}}}
}
