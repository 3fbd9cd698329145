package people

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/bonghwa/bonghwa/internal/ids"
)

// Values of rows: a version byte, then fields in a fixed order; integers big-endian, strings with their length in front
// as a varint. The encoding is canonical: what decodes encodes to the same bytes, so that views can be compared.

const (
	rowVersion = 1
	// rowVersion2 is of rows with fields that came later. What has none of them is written as version 1, as ever.
	rowVersion2 = 2
)

var errRow = errors.New("damaged row")

// marker is the value of rows that say everything by their key.
var marker = []byte{rowVersion}

// Bits of the flags byte.
const (
	flagClosed     = 1 // account
	flagSimulated  = 2 // account, from version 2 on
	flagMustChange = 1 // credential
	flagOneTime    = 1 // session
	flagRevoked    = 1 // invitation
	flagHeld       = 1 // drill
	flagHeldInTime = 2 // drill
)

// fields reads a value from front to back. The first fault sticks.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) take(n int) []byte {
	if f.bad || len(f.b) < n {
		f.bad = true
		return nil
	}
	b := f.b[:n]
	f.b = f.b[n:]
	return b
}

func (f *fields) version() { f.versions(rowVersion) }

// versions reads the version of a row that has been written in several.
func (f *fields) versions(newest byte) byte {
	b := f.take(1)
	if b == nil || b[0] < rowVersion || b[0] > newest {
		f.bad = true
		return 0
	}
	return b[0]
}

// flag reads a byte of which only the lowest bit may be set.
func (f *fields) flag() bool { return f.flags(1) == 1 }

// flags reads a byte of which only some bits may be set.
func (f *fields) flags(may byte) byte {
	b := f.take(1)
	if b == nil || b[0]&^may != 0 {
		f.bad = true
		return 0
	}
	return b[0]
}

func (f *fields) u32() uint32 {
	if b := f.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (f *fields) u64() uint64 {
	if b := f.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (f *fields) str() string {
	n, size := binary.Uvarint(f.b)
	if f.bad || size <= 0 || n > uint64(len(f.b)) || len(binary.AppendUvarint(nil, n)) != size {
		f.bad = true
		return ""
	}
	f.b = f.b[size:]
	b := f.take(int(n))
	if !utf8.Valid(b) {
		f.bad = true
	}
	return string(b)
}

func (f *fields) user() (u ids.User)     { copy(u[:], f.take(len(u))); return u }
func (f *fields) device() (d ids.Device) { copy(d[:], f.take(len(d))); return d }
func (f *fields) token() (t ids.Token)   { copy(t[:], f.take(len(t))); return t }

// end is the fault found, if any; bytes left over are one.
func (f *fields) end() error {
	if f.bad || len(f.b) != 0 {
		return errRow
	}
	return nil
}

func appendStr(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendFlag(b []byte, set bool, bit byte) []byte {
	if set {
		return append(b, bit)
	}
	return append(b, 0)
}

// u: version flags created8 token32 handle name status text; version 2, of people who are simulated or have a photo: then
// photo16, zeros for none
func encodeAccount(a Account) []byte {
	version, flags := byte(rowVersion), byte(0)
	if a.later() {
		version = rowVersion2
	}
	if a.Closed {
		flags |= flagClosed
	}
	if a.Simulated {
		flags |= flagSimulated
	}
	b := []byte{version, flags}
	b = binary.BigEndian.AppendUint64(b, a.Created)
	b = append(b, a.TokenHash[:]...)
	b = appendStr(b, a.Handle)
	b = appendStr(b, a.DisplayName)
	b = appendStr(b, a.StatusMessage)
	b = appendStr(b, a.ProfileText)
	if version == rowVersion2 {
		b = append(b, a.Photo[:]...)
	}
	return b
}

func decodeAccount(u ids.User, v []byte) (Account, error) {
	f := fields{b: v}
	version := f.versions(rowVersion2)
	may := byte(flagClosed)
	if version == rowVersion2 {
		may = flagClosed | flagSimulated
	}
	flags := f.flags(may)
	a := Account{ID: u, Closed: flags&flagClosed != 0, Simulated: flags&flagSimulated != 0, Created: f.u64(), TokenHash: f.token()}
	a.Handle, a.DisplayName, a.StatusMessage, a.ProfileText = f.str(), f.str(), f.str(), f.str()
	if version == rowVersion2 {
		copy(a.Photo[:], f.take(len(a.Photo)))
		f.bad = f.bad || !a.later()
	}
	return a, f.end()
}

// later says that the account has fields that rows of version 1 do not know.
func (a *Account) later() bool { return a.Simulated || a.Photo != PhotoName{} }

// p: version jpeg
func encodePhoto(jpeg []byte) []byte { return append([]byte{rowVersion}, jpeg...) }

func decodePhoto(v []byte) ([]byte, error) {
	f := fields{b: v}
	f.version()
	if f.bad || len(f.b) == 0 || len(f.b) > MaxPhoto {
		return nil, errRow
	}
	return f.b, nil
}

// h: version user10
func encodeHandle(u ids.User) []byte { return append([]byte{rowVersion}, u[:]...) }

func decodeHandle(v []byte) (ids.User, error) {
	f := fields{b: v}
	f.version()
	u := f.user()
	return u, f.end()
}

// c: version credentialVersion8 flags until8 phc oneTimePHC
func encodeCredential(c Credential) []byte {
	b := binary.BigEndian.AppendUint64([]byte{rowVersion}, c.Version)
	b = appendFlag(b, c.MustChange, flagMustChange)
	b = binary.BigEndian.AppendUint64(b, c.OneTimeUntil)
	b = appendStr(b, c.PHC)
	return appendStr(b, c.OneTimePHC)
}

func decodeCredential(v []byte) (Credential, error) {
	f := fields{b: v}
	f.version()
	c := Credential{Version: f.u64(), MustChange: f.flag(), OneTimeUntil: f.u64()}
	c.PHC, c.OneTimePHC = f.str(), f.str()
	return c, f.end()
}

// s: version flags revoked8 user10 device16
func encodeSession(s Session) []byte {
	b := appendFlag([]byte{rowVersion}, s.OneTime, flagOneTime)
	b = binary.BigEndian.AppendUint64(b, s.Revoked)
	b = append(b, s.User[:]...)
	return append(b, s.Device[:]...)
}

func decodeSession(v []byte) (Session, error) {
	f := fields{b: v}
	f.version()
	s := Session{OneTime: f.flag(), Revoked: f.u64(), User: f.user(), Device: f.device()}
	return s, f.end()
}

// x: version device16
func encodeIndex(d ids.Device) []byte { return append([]byte{rowVersion}, d[:]...) }

func decodeIndex(v []byte) (ids.Device, error) {
	f := fields{b: v}
	f.version()
	d := f.device()
	return d, f.end()
}

// device is the value of a v row.
type device struct {
	lastDay uint32
	label   string
}

// v: version lastDay4 label
func encodeDevice(d device) []byte {
	return appendStr(binary.BigEndian.AppendUint32([]byte{rowVersion}, d.lastDay), d.label)
}

func decodeDevice(v []byte) (device, error) {
	f := fields{b: v}
	f.version()
	d := device{lastDay: f.u32(), label: f.str()}
	return d, f.end()
}

// f without a friend in its key: version count4
func encodeCount(n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{rowVersion}, n) }

func decodeCount(v []byte) (uint32, error) {
	f := fields{b: v}
	f.version()
	n := f.u32()
	return n, f.end()
}

// j: version flags until8 uses4 owner10 used4 users (used x 10); version 2: created8 before flags
func encodeInvitation(owner ids.User, i Invitation) []byte {
	b := []byte{rowVersion}
	if i.Created != 0 {
		b = binary.BigEndian.AppendUint64([]byte{rowVersion2}, i.Created)
	}
	b = appendFlag(b, i.Revoked, flagRevoked)
	b = binary.BigEndian.AppendUint64(b, i.Until)
	b = binary.BigEndian.AppendUint32(b, i.Uses)
	b = append(b, owner[:]...)
	b = binary.BigEndian.AppendUint32(b, i.Used)
	for _, u := range i.Users {
		b = append(b, u[:]...)
	}
	return b
}

func decodeInvitation(id [32]byte, v []byte) (owner ids.User, i Invitation, err error) {
	f := fields{b: v}
	i.ID = id
	if f.versions(rowVersion2) == rowVersion2 {
		i.Created = f.u64()
		f.bad = f.bad || i.Created == 0
	}
	i.Revoked, i.Until, i.Uses = f.flag(), f.u64(), f.u32()
	owner, i.Used = f.user(), f.u32()
	if f.bad || uint64(len(f.b)) != uint64(i.Used)*uint64(lenUser) {
		return owner, i, errRow
	}
	for range i.Used {
		i.Users = append(i.Users, f.user())
	}
	return owner, i, f.end()
}

// o: version since8
func encodeOperator(since uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{rowVersion}, since)
}

func decodeOperator(v []byte) (uint64, error) {
	f := fields{b: v}
	f.version()
	since := f.u64()
	return since, f.end()
}

// a: version time8 user10 site what on; zeros for a terminal
func encodeAct(a Act) []byte {
	b := binary.BigEndian.AppendUint64([]byte{rowVersion}, a.Time)
	b = append(b, a.Who[:]...)
	b = appendStr(b, a.Site)
	b = appendStr(b, a.What)
	return appendStr(b, a.On)
}

func decodeAct(v []byte) (Act, error) {
	f := fields{b: v}
	f.version()
	a := Act{Time: f.u64(), Who: f.user()}
	a.Site, a.What, a.On = f.str(), f.str(), f.str()
	return a, f.end()
}

// l: version flags started8 ended8 people4 acked8 lost8 duplicated8 reordered8 unauthorised8 tried8 send4 delivery4 movedSend4
// movedDelivery4 moved4 scenario site source
func encodeDrill(d Drill) []byte {
	flags := byte(0)
	if d.Held {
		flags |= flagHeld
	}
	if d.HeldInTime {
		flags |= flagHeldInTime
	}
	b := []byte{rowVersion, flags}
	for _, n := range []uint64{d.Started, d.Ended} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	b = binary.BigEndian.AppendUint32(b, d.People)
	for _, n := range []uint64{d.Acked, d.Lost, d.Duplicated, d.Reordered, d.Unauthorised, d.Tried} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	for _, n := range []uint32{d.SendGap, d.DeliveryGap, d.MovedSendGap, d.MovedDelivery, d.Moved} {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	b = appendStr(b, d.Scenario)
	b = appendStr(b, d.Site)
	return appendStr(b, d.Source)
}

func decodeDrill(v []byte) (Drill, error) {
	f := fields{b: v}
	f.version()
	flags := f.flags(flagHeld | flagHeldInTime)
	d := Drill{Held: flags&flagHeld != 0, HeldInTime: flags&flagHeldInTime != 0, Started: f.u64(), Ended: f.u64(), People: f.u32()}
	d.Acked, d.Lost, d.Duplicated, d.Reordered, d.Unauthorised, d.Tried = f.u64(), f.u64(), f.u64(), f.u64(), f.u64(), f.u64()
	d.SendGap, d.DeliveryGap, d.MovedSendGap, d.MovedDelivery, d.Moved = f.u32(), f.u32(), f.u32(), f.u32(), f.u32()
	d.Scenario, d.Site, d.Source = f.str(), f.str(), f.str()
	return d, f.end()
}

func decodeMarker(v []byte) error {
	f := fields{b: v}
	f.version()
	return f.end()
}
