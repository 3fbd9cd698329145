package clientcore

import (
	"encoding/binary"
	"errors"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// Records of the outbox. Each starts with its type; numbers are uvarints, strings and bytes carry their length. The types
// are stored: append-only.
const (
	recAccount byte = 1 // user handle token device: who is logged in; an empty token = logged out
	recForm    byte = 2 // random token device: a sign-up or log-in form that is under way
	recItem    byte = 3 // id scope device n tag created op
	recName    byte = 4 // id device n tag: the item's new name
	recGiveUp  byte = 5 // id replacement? refusal?: the item is being given up
	recSettled byte = 6 // id
	recCounter byte = 7 // device scope n: the last n taken
	recSeen    byte = 8 // epoch n
	recRenew   byte = 9 // device: a copied profile was noticed, the session is to get this device
	recRenewed byte = 10
	recSites   byte = 11 // url...: where the system can be reached
)

// State is what the records of a store add up to.
type State struct {
	User   ids.User
	Handle string
	Token  string
	Device ids.Device
	Form   *Form
	Seen   *apiv1.Position
	// Sites are the URLs of all sites, as the system has told.
	Sites []string

	items    []*item
	byID     map[uint64]*item
	counters map[counterKey]uint64
	renewing bool
	nextItem uint64
}

// Form is a sign-up or log-in whose outcome may be unknown.
type Form struct {
	Random []byte
	Token  []byte
	Device ids.Device
}

type counterKey struct {
	device ids.Device
	scope  string
}

// ErrRecord is returned for bytes that are no record of an outbox.
var ErrRecord = errors.New("a record of the outbox cannot be read")

// NewState is an empty state.
func NewState() *State {
	return &State{byID: map[uint64]*item{}, counters: map[counterKey]uint64{}, nextItem: 1}
}

// Add applies one record.
func (s *State) Add(b []byte) error {
	if len(b) == 0 {
		return ErrRecord
	}
	d := &decoder{b: b[1:]}
	var apply func()
	switch b[0] {
	case recAccount:
		var u ids.User
		d.fixed(u[:])
		handle, token := d.str(), d.str()
		var dev ids.Device
		d.fixed(dev[:])
		apply = func() { s.User, s.Handle, s.Token, s.Device = u, handle, token, dev; s.Form = nil }
	case recForm:
		f := &Form{Random: d.bytes(), Token: d.bytes()}
		d.fixed(f.Device[:])
		apply = func() { s.Form = f }
	case recItem:
		it := &item{id: d.num(), scopeKey: d.str()}
		d.fixed(it.dev[:])
		it.n = d.num()
		d.fixed(it.tag[:])
		it.created = int64(d.num())
		it.op = d.op()
		if d.err == nil && (it.id == 0 || s.byID[it.id] != nil || !it.op.Kind.known()) {
			return ErrRecord
		}
		apply = func() {
			s.items, s.byID[it.id] = append(s.items, it), it
			s.nextItem = max(s.nextItem, it.id+1)
			s.count(counterKey{it.dev, it.scopeKey}, it.n)
		}
	case recName:
		id := d.num()
		var dev ids.Device
		d.fixed(dev[:])
		n := d.num()
		var tag [8]byte
		d.fixed(tag[:])
		apply = func() {
			if it := s.byID[id]; it != nil {
				it.dev, it.n, it.tag = dev, n, tag
				s.count(counterKey{dev, it.scopeKey}, n)
			}
		}
	case recGiveUp:
		id := d.num()
		var repl *Op
		replID := d.num()
		if d.num() == 1 {
			o := d.op()
			repl = &o
		}
		var ref *Refusal
		if d.num() == 1 {
			ref = &Refusal{Reason: apiv1.Reason(d.num()), Message: d.str()}
		}
		apply = func() {
			if it := s.byID[id]; it != nil {
				it.giveUp, it.replace, it.replaceID, it.refusal = true, repl, replID, ref
				s.nextItem = max(s.nextItem, replID+1)
			}
		}
	case recSettled:
		id := d.num()
		apply = func() {
			if s.byID[id] != nil {
				delete(s.byID, id)
				for i, it := range s.items {
					if it.id == id {
						s.items = append(s.items[:i], s.items[i+1:]...)
						break
					}
				}
			}
		}
	case recCounter:
		var k counterKey
		d.fixed(k.device[:])
		k.scope = d.str()
		n := d.num()
		apply = func() { s.count(k, n) }
	case recSeen:
		p := &apiv1.Position{Epoch: uint32(d.num()), N: d.num()}
		apply = func() { s.Seen = p }
	case recRenew:
		var dev ids.Device
		d.fixed(dev[:])
		apply = func() { s.Device, s.renewing = dev, true }
	case recSites:
		var urls []string
		for len(d.b) > 0 {
			urls = append(urls, d.str())
		}
		apply = func() { s.Sites = urls }
	case recRenewed:
		apply = func() { s.renewing = false }
	default:
		return ErrRecord
	}
	if d.err != nil || len(d.b) != 0 {
		return ErrRecord
	}
	apply()
	return nil
}

func (s *State) count(k counterKey, n uint64) {
	if n > s.counters[k] {
		s.counters[k] = n
	}
}

// AccountRecord says who is logged in.
func AccountRecord(user ids.User, handle, token string, device ids.Device) []byte {
	b := append([]byte{recAccount}, user[:]...)
	b = putStr(putStr(b, handle), token)
	return append(b, device[:]...)
}

// FormRecord stores a form before it is sent.
func FormRecord(f *Form) []byte {
	b := putStr(putStr([]byte{recForm}, string(f.Random)), string(f.Token))
	return append(b, f.Device[:]...)
}

func itemRecord(it *item) []byte {
	b := putStr(binary.AppendUvarint([]byte{recItem}, it.id), it.scopeKey)
	b = append(b, it.dev[:]...)
	b = binary.AppendUvarint(b, it.n)
	b = append(b, it.tag[:]...)
	b = binary.AppendUvarint(b, uint64(it.created))
	return putOp(b, &it.op)
}

func nameRecord(it *item) []byte {
	b := binary.AppendUvarint([]byte{recName}, it.id)
	b = append(b, it.dev[:]...)
	b = binary.AppendUvarint(b, it.n)
	return append(b, it.tag[:]...)
}

func giveUpRecord(it *item) []byte {
	b := binary.AppendUvarint([]byte{recGiveUp}, it.id)
	b = binary.AppendUvarint(b, it.replaceID)
	if it.replace != nil {
		b = putOp(append(b, 1), it.replace)
	} else {
		b = append(b, 0)
	}
	if it.refusal != nil {
		b = putStr(binary.AppendUvarint(append(b, 1), uint64(it.refusal.Reason)), it.refusal.Message)
	} else {
		b = append(b, 0)
	}
	return b
}

func settledRecord(id uint64) []byte { return binary.AppendUvarint([]byte{recSettled}, id) }

func counterRecord(k counterKey, n uint64) []byte {
	b := append([]byte{recCounter}, k.device[:]...)
	return binary.AppendUvarint(putStr(b, k.scope), n)
}

func seenRecord(p *apiv1.Position) []byte {
	return binary.AppendUvarint(binary.AppendUvarint([]byte{recSeen}, uint64(p.GetEpoch())), p.GetN())
}

func sitesRecord(urls []string) []byte {
	b := []byte{recSites}
	for _, u := range urls {
		b = putStr(b, u)
	}
	return b
}

func renewRecord(d ids.Device) []byte { return append([]byte{recRenew}, d[:]...) }

func putStr(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }

func putOpt(b []byte, s *string) []byte {
	if s == nil {
		return append(b, 0)
	}
	return putStr(append(b, 1), *s)
}

func putOp(b []byte, op *Op) []byte {
	b = putStr(putStr(append(b, byte(op.Kind)), op.Room), op.Peer)
	b = putStr(binary.AppendUvarint(b, op.Seq), op.Text)
	b = binary.AppendUvarint(binary.AppendUvarint(b, op.ReplyTo), op.ReadSeq)
	b = binary.AppendUvarint(b, uint64(op.Reaction))
	if op.On {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = binary.AppendUvarint(b, uint64(len(op.List)))
	for _, s := range op.List {
		b = putStr(b, s)
	}
	b = putStr(b, string(op.Bytes))
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(op.Uses)), uint64(op.Days))
	return putOpt(putOpt(putOpt(b, op.Name), op.Status), op.Profile)
}

// decoder reads fields; after the first error everything is empty.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() { d.b, d.err = nil, ErrRecord }

func (d *decoder) num() uint64 {
	v, k := binary.Uvarint(d.b)
	if k <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[k:]
	return v
}

func (d *decoder) fixed(into []byte) {
	if len(d.b) < len(into) {
		d.fail()
		return
	}
	d.b = d.b[copy(into, d.b):]
}

func (d *decoder) bytes() []byte {
	n := d.num()
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	v := append([]byte(nil), d.b[:n]...)
	d.b = d.b[n:]
	return v
}

func (d *decoder) str() string { return string(d.bytes()) }

func (d *decoder) opt() *string {
	if d.num() != 1 {
		return nil
	}
	s := d.str()
	return &s
}

func (d *decoder) op() (op Op) {
	var k [1]byte
	d.fixed(k[:])
	op.Kind = Kind(k[0])
	op.Room, op.Peer, op.Seq, op.Text = d.str(), d.str(), d.num(), d.str()
	op.ReplyTo, op.ReadSeq, op.Reaction, op.On = d.num(), d.num(), uint32(d.num()), d.num() == 1
	n := d.num()
	if n > uint64(len(d.b)) {
		d.fail()
		return op
	}
	for range n {
		op.List = append(op.List, d.str())
	}
	if v := d.bytes(); len(v) > 0 {
		op.Bytes = v
	}
	op.Uses, op.Days = uint32(d.num()), uint32(d.num())
	op.Name, op.Status, op.Profile = d.opt(), d.opt(), d.opt()
	return op
}
