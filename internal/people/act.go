package people

import (
	"bytes"
	"encoding/binary"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Act is something that an operator did. Acts are kept for ever: they are few.
type Act struct {
	// Time is the entry's, Unix ms.
	Time uint64
	// Who did it; zero: somebody at a machine's terminal.
	Who ids.User
	// Site is where, What a word of a list, On what it was done to.
	Site, What, On string
}

// recordAct writes down what was done. A person must be an operator at that moment.
type recordAct struct{ site, what, on string }

func (o *recordAct) apply(_ *Domain, a *kernel.Apply, u ids.User) kernel.Code {
	if u != (ids.User{}) && !IsOperator(a, u) {
		return kernel.NotOperator
	}
	putAct(a, Act{Who: u, Site: o.site, What: o.what, On: o.on})
	return kernel.OK
}

// putAct writes an act at the place of the command.
func putAct(a *kernel.Apply, act Act) {
	act.Time = a.Time
	a.Set(actKey(a.Pos, a.Index), encodeAct(act))
}

// Drill is what a fire drill found.
type Drill struct {
	Scenario, Site string
	// Started and Ended are Unix ms.
	Started, Ended                                          uint64
	People                                                  uint32
	Acked, Lost, Duplicated, Reordered, Unauthorised, Tried uint64
	SendGap, DeliveryGap, MovedSendGap, MovedDelivery       uint32 // ms
	Moved                                                   uint32
	Held, HeldInTime                                        bool
	Source                                                  string
}

type recordDrill struct{ drill Drill }

func (o *recordDrill) apply(_ *Domain, a *kernel.Apply, _ ids.User) kernel.Code {
	k, v := drillKey(&o.drill), encodeDrill(o.drill)
	if old, ok := a.Get(k); ok && bytes.Equal(old, v) {
		return kernel.OK
	}
	a.Set(k, v)
	return kernel.OK
}

// actKey and drillKey order the newest first.
func actKey(p kernel.Position, index int) []byte {
	k := join(rowAct, p.Append(nil), binary.BigEndian.AppendUint32(nil, uint32(index)))
	for i := range k[1:] {
		k[1+i] ^= 0xff
	}
	return k
}

func drillKey(d *Drill) []byte {
	return join(rowDrill, binary.BigEndian.AppendUint64(nil, ^d.Started), []byte(d.Site+"/"+d.Scenario))
}

// Acts calls fn for acts, newest first, from the one behind the cursor on until it returns false. An empty cursor: from the newest.
func Acts(r kernel.Reader, cursor []byte, fn func(cursor []byte, a Act) bool) {
	newestFirst(r, rowAct, cursor, func(k, v []byte) bool { return fn(k, must(decodeAct(v))) })
}

// Drills calls fn for drills, newest first, as Acts does.
func Drills(r kernel.Reader, cursor []byte, fn func(cursor []byte, d Drill) bool) {
	newestFirst(r, rowDrill, cursor, func(k, v []byte) bool { return fn(k, must(decodeDrill(v))) })
}

func newestFirst(r kernel.Reader, row byte, cursor []byte, fn func(k, v []byte) bool) {
	prefix := []byte{row}
	from := prefix
	if len(cursor) > 0 {
		from = append(join(row, cursor), 0)
	}
	r.Scan(from, after(prefix), func(k, v []byte) bool { return fn(bytes.Clone(k[1:]), v) })
}

// LastHeld is when the newest drill ended that held, Unix ms; 0: none did.
func LastHeld(r kernel.Reader) (ended uint64) {
	Drills(r, nil, func(_ []byte, d Drill) bool {
		if d.Held {
			ended = d.Ended
		}
		return ended == 0
	})
	return ended
}
