package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/cespare/xxhash/v2"
	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// Behaviour is the number of the newest rules that this binary knows; entries stamped with a higher one are refused.
//
//	1  v0.1.0
//	2  an invitation keeps when it was made; profile photos, simulated people (new operations and rows)
//	3  commands of an entry that comes too late are not applied; operators, their acts, drills (new operations and rows)
//	4  read marks of a 1:1 that move behind a block are kept from the other person (new form of a row)
const Behaviour uint32 = 4

// EphemeralMaxAge in milliseconds: older typing and presence are dropped at delivery (design, "Ephemeral").
const EphemeralMaxAge = 5000

// LateAfter in milliseconds: commands of an entry by which the log's time goes on by so much since their author was looked
// at are not applied (Late). Together with BeatAfter, at which time goes on at the latest, it is what a revocation
// takes to bind everywhere; it leaves a command half a second at least to get through the queue and into the log.
const LateAfter = 1000

// ErrReplay is wrapped by everything that makes replay stop: going on would be guessing.
var ErrReplay = errors.New("replay stops")

// Decided is what became of one command of an entry.
type Decided struct {
	Verdict  Verdict
	Repeated bool
	Last     uint64
}

// Outcome is what a domain did with one entry.
type Outcome struct {
	Applied
	// Decided has an item per command of the entry; only those of this domain, and not ephemeral, are filled in.
	Decided []Decided
	// Checkpoint is set when the entry asks for one.
	Checkpoint *logv1.Checkpoint
	// Late: the entry came too late, and none of its commands was applied.
	Late bool
	// Panicked lists commands whose domain code panicked (by index), with what it said.
	Panicked map[int]string
}

// Applier applies entries to one view, one after another, on one goroutine. It knows no clock and no log.
type Applier struct {
	domain Domain
	store  Store
	state  viewState
	row    nameRow
	buf    []byte
	keyBuf []byte
	digest xxhash.Digest
	chains chainRing
	forced map[Forced]bool
}

// Forced names a command whose verdict an operator has set to internal, because applying it ends the process in a way
// that cannot be recovered from: serve --force-internal E:N:I.
type Forced struct {
	Epoch uint32
	N     uint64
	Index int
}

// NewApplier continues the view in store.
func NewApplier(d Domain, s Store, forced []Forced) (a *Applier, err error) {
	defer CatchStorage(&err)
	a = &Applier{domain: d, store: s, forced: map[Forced]bool{}}
	for _, f := range forced {
		a.forced[f] = true
	}
	snap := s.Snapshot()
	defer snap.Close()
	if a.state, err = readState(snap); err != nil {
		return nil, fmt.Errorf("view %s: %w", d.Name(), err)
	}
	if a.state.behaviour > Behaviour {
		return nil, fmt.Errorf("%w: view %s was written by a newer version (behaviour %d, this binary knows %d)", ErrReplay, d.Name(), a.state.behaviour, Behaviour)
	}
	a.chains.put(a.state.pos.N, a.state.chain)
	return a, nil
}

// Position is the position of the last entry applied.
func (a *Applier) Position() Position { return a.state.pos }

// Time is the effective time of the last entry applied, Unix milliseconds.
func (a *Applier) Time() uint64 { return a.state.time }

// Chain is chain(n) of the last entry applied.
func (a *Applier) Chain() uint64 { return a.state.chain }

// Cursor is the log's cursor of the last entry applied; empty right after a restore.
func (a *Applier) Cursor() []byte { return a.state.cursor }

// ChainAt returns chain(n) for one of the last 65,536 entries.
func (a *Applier) ChainAt(n uint64) (uint64, bool) { return a.chains.at(n) }

// Apply applies entry n. Entries already applied are ignored (nil, nil). Errors are final: a storage fault, or
// ErrReplay.
func (a *Applier) Apply(n uint64, cursor []byte, e *Entry) (*Outcome, error) {
	if e.Epoch == a.state.pos.Epoch && n <= a.state.pos.N {
		return nil, nil
	}
	switch {
	case a.state.pos.Epoch == 0 && n == 1: // a new view
	case e.Epoch != a.state.pos.Epoch:
		return nil, fmt.Errorf("%w: entry of epoch %d, the view %s is in epoch %d", ErrReplay, e.Epoch, a.domain.Name(), a.state.pos.Epoch)
	case n != a.state.pos.N+1:
		return nil, fmt.Errorf("%w: entry %d follows %d in view %s", ErrReplay, n, a.state.pos.N, a.domain.Name())
	}
	if e.Behaviour > Behaviour {
		return nil, fmt.Errorf("%w: entry %d:%d has behaviour %d, this binary knows %d: install the newer version", ErrReplay, e.Epoch, n, e.Behaviour, Behaviour)
	}
	cmds, kernelOps, err := a.decode(e)
	if err != nil {
		return nil, fmt.Errorf("%w: entry %d:%d: %v", ErrReplay, e.Epoch, n, err)
	}
	next := viewState{pos: Position{e.Epoch, n}, time: max(a.state.time, e.Time), behaviour: max(a.state.behaviour, e.Behaviour), cursor: cursor}
	out := &Outcome{Applied: Applied{Domain: a.domain.ID(), Pos: next.pos, Time: next.time}}
	for _, op := range kernelOps {
		switch op := op.Op.(type) {
		case *logv1.KernelCommand_Checkpoint:
			out.Checkpoint = op.Checkpoint
		case *logv1.KernelCommand_Seen:
			out.Late = next.time >= LateAfter && next.time-LateAfter >= op.Seen.TimeMs
		}
	}
	internal := map[int]bool{}
	for {
		again, err := a.try(e, &next, cmds, internal, out)
		if err != nil {
			return nil, err
		}
		if !again {
			break
		}
	}
	for i, c := range cmds {
		if c != nil && e.Commands[i].Flags&FlagEphemeral != 0 && !out.Late {
			out.Ephemeral = append(out.Ephemeral, c)
		}
	}
	a.state = next
	a.chains.put(n, next.chain)
	return out, nil
}

func (a *Applier) decode(e *Entry) ([]Command, []*logv1.KernelCommand, error) {
	var cmds []Command
	var ops []*logv1.KernelCommand
	for i, env := range e.Commands {
		switch env.Domain {
		case DomainKernel:
			op, err := decodeKernel(env.Bytes)
			if err != nil {
				return nil, nil, fmt.Errorf("command %d of the kernel: %w", i, err)
			}
			ops = append(ops, op)
		case a.domain.ID():
			c, err := a.domain.Decode(env.Bytes)
			if err != nil {
				return nil, nil, fmt.Errorf("command %d of %s: %w", i, a.domain.Name(), err)
			}
			if cmds == nil {
				cmds = make([]Command, len(e.Commands))
			}
			cmds[i] = c
		}
	}
	return cmds, ops, nil
}

func decodeKernel(b []byte) (*logv1.KernelCommand, error) {
	op := &logv1.KernelCommand{}
	if err := proto.Unmarshal(b, op); err != nil {
		return nil, err
	}
	if op.Op == nil {
		return nil, errors.New("unknown to this binary")
	}
	return op, nil
}

// try applies all commands in one batch. again = a command panicked: it is in internal now and everything is redone.
func (a *Applier) try(e *Entry, next *viewState, cmds []Command, internal map[int]bool, out *Outcome) (again bool, err error) {
	batch := a.store.Begin()
	done := false
	defer func() {
		if !done {
			batch.Discard()
		}
		if f := FaultOf(recover()); f != nil {
			err = fmt.Errorf("view %s: %w", a.domain.Name(), *f)
		}
	}()
	a.digest.Reset()
	t := &tx{Batch: batch, h: &a.digest}
	var b [12]byte
	binary.BigEndian.PutUint64(b[:], a.state.chain)
	binary.BigEndian.PutUint32(b[8:], e.CRC)
	t.h.Write(b[:])
	out.Events = out.Events[:0]
	if cmds != nil {
		out.Decided = make([]Decided, len(cmds))
	}
	ap := &Apply{Tx: t, Pos: next.pos, Time: next.time, Behaviour: e.Behaviour, Events: out.Events}
	for i, c := range cmds {
		if c == nil || e.Commands[i].Flags&FlagEphemeral != 0 {
			continue
		}
		ap.Index = i
		if out.Late {
			out.Decided[i] = Decided{Verdict: Verdict{Code: Late}}
			t.verdict(Verdict{Code: Late})
			continue
		}
		force := internal[i] || a.forced[Forced{next.pos.Epoch, next.pos.N, i}]
		d, what := a.one(ap, c, force)
		if what != "" {
			internal[i] = true
			if out.Panicked == nil {
				out.Panicked = map[int]string{}
			}
			out.Panicked[i] = what
			return true, nil
		}
		out.Decided[i] = d
		t.verdict(d.Verdict)
	}
	out.Events = ap.Events
	if a.state.pos.Epoch == 0 {
		// The first entry of a new cell: nothing came before it.
		t.Set(epochKey(next.pos.Epoch), encodeEpochRow(Position{}))
	}
	next.chain = t.h.Sum64()
	a.buf = next.encode(a.buf[:0])
	batch.Set(positionKey, a.buf)
	done = true
	if err := batch.Commit(); err != nil {
		return false, fmt.Errorf("view %s: %w", a.domain.Name(), err)
	}
	return false, nil
}

// one decides one command; the kernel, not the domain, looks at names and records verdicts.
func (a *Applier) one(ap *Apply, c Command, force bool) (d Decided, panicked string) {
	scope, name := c.Named()
	if name == nil {
		v, what := a.ask(ap, c, force)
		return Decided{Verdict: v}, what
	}
	a.keyBuf = nameKey(a.keyBuf[:0], name.Device, scope)
	b, _ := ap.Get(a.keyBuf)
	if err := a.row.decode(b); err != nil {
		panic(StorageFault{fmt.Errorf("row %x: %w", a.keyBuf, err)})
	}
	s := a.row.look(name)
	if !s.decide {
		return Decided{s.verdict, s.repeated, s.last}, ""
	}
	v := Verdict{Code: Skipped}
	if !c.IsSkip() {
		if v, panicked = a.ask(ap, c, force); panicked != "" {
			return d, panicked
		}
	}
	a.row.record(name, v)
	a.buf = a.row.encode(a.buf[:0])
	a.keyBuf = nameKey(a.keyBuf[:0], name.Device, scope)
	ap.Set(a.keyBuf, a.buf)
	return Decided{Verdict: v, Last: name.N}, ""
}

func (a *Applier) ask(ap *Apply, c Command, force bool) (v Verdict, panicked string) {
	if force {
		return Verdict{Code: Internal}, ""
	}
	defer func() {
		if r := recover(); r != nil {
			if f, ok := r.(StorageFault); ok {
				panic(f)
			}
			panicked = fmt.Sprintf("%v\n%s", r, debug.Stack())
		}
	}()
	return a.domain.Apply(ap, c), ""
}
