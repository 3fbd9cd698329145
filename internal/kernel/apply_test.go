package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// history builds entries of epoch 3 as a log would hold them.
type history struct{ entries [][]byte }

func newHistory() *history { return &history{entries: [][]byte{FirstEntry(3, 1, 1000)}} }

func (h *history) add(commands ...Envelope) {
	n := uint64(len(h.entries) + 1)
	e := Entry{Epoch: 3, Behaviour: 1, Time: 1000 + n, Node: [4]byte{1}, Number: n, Commands: commands}
	h.entries = append(h.entries, e.Encode(nil))
}

// play applies everything that the view has not seen.
func (h *history) play(t testing.TB, a *Applier) (outs []*Outcome) {
	t.Helper()
	for i := a.Position().N; i < uint64(len(h.entries)); i++ {
		outs = append(outs, mustApply(t, a, i+1, h.entries[i]))
	}
	return outs
}

func mustApply(t testing.TB, a *Applier, n uint64, raw []byte) *Outcome {
	t.Helper()
	e, err := DecodeEntry(raw)
	if err != nil {
		t.Fatal(err)
	}
	out, err := a.Apply(n, fmt.Append(nil, "c", n), e)
	if err != nil || out == nil {
		t.Fatalf("entry %d: %+v, %v", n, out, err)
	}
	return out
}

func newApplier(t testing.TB, s Store, forced ...Forced) *Applier {
	t.Helper()
	a, err := NewApplier(&bank{}, s, forced)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func content(s Store) string {
	snap := s.Snapshot()
	defer snap.Close()
	h, rows := ContentHash(snap)
	return fmt.Sprintf("%x/%d", h, rows)
}

func sum(s Store, scope string) uint64 {
	snap := s.Snapshot()
	defer snap.Close()
	return bankSum(snap, room(scope))
}

// randomHistory has names that are repeated, skipped, too far ahead and reused, refusals and panics.
func randomHistory(seed uint64, entries int) *history {
	rng := rand.New(rand.NewPCG(seed, 2))
	h := newHistory()
	for range entries {
		var cs []Envelope
		for range rng.IntN(5) {
			op := []byte{opAdd, opAdd, opAdd, opRefuse, opSkip, opPanic, opCopy}[rng.IntN(7)]
			scope := string(rune('a' + rng.IntN(4)))
			c := Envelope{Domain: DomainChat}
			if c.Bytes = named(op, byte(rng.IntN(3)), uint64(1+rng.IntN(6+len(h.entries)/8)), scope); rng.IntN(3) == 0 {
				c.Bytes = unnamed(op, scope)
			}
			if rng.IntN(9) == 0 {
				c = Envelope{DomainChat, FlagEphemeral, unnamed(opTyping, scope)}
			}
			if rng.IntN(9) == 0 {
				c = Envelope{Domain: DomainPeople, Bytes: []byte("another domain's")}
			}
			cs = append(cs, c)
		}
		h.add(cs...)
	}
	return h
}

// TestReplayEqualsLive: the same log gives the same chain after every entry, the same rows and the same verdicts, in
// memory and on disk, in one go and after restarts that forgot what was not synced.
func TestReplayEqualsLive(t *testing.T) {
	for seed := range uint64(20) {
		h := randomHistory(seed, 120)
		live := newApplier(t, NewMemStore())
		outs := h.play(t, live)
		chains := []uint64{0}
		for n := range outs {
			c, ok := live.ChainAt(uint64(n + 1))
			if !ok {
				t.Fatal("a chain is missing")
			}
			chains = append(chains, c)
		}
		rng := rand.New(rand.NewPCG(seed, 3))
		mem := NewMemStore()
		disk := openPebble(t, t.TempDir(), PebbleOptions{})
		for _, s := range []Store{mem, disk} {
			for at := 0; at < len(h.entries); {
				a := newApplier(t, s)
				if c := a.Chain(); c != chains[a.Position().N] {
					t.Fatalf("seed %d: after a restart at %d the chain is %x, not %x", seed, a.Position().N, c, chains[a.Position().N])
				}
				part := &history{h.entries[:min(len(h.entries), int(a.Position().N)+1+rng.IntN(60))]}
				for _, out := range part.play(t, a) {
					n := out.Pos.N
					if c, _ := a.ChainAt(n); c != chains[n] {
						t.Fatalf("seed %d: chain %d is %x, was %x", seed, n, c, chains[n])
					}
					if want := outs[n-1]; !reflect.DeepEqual(out.Decided, want.Decided) || !reflect.DeepEqual(out.Events, want.Events) {
						t.Fatalf("seed %d: entry %d: %+v, live it was %+v", seed, n, out, want)
					}
				}
				at = len(part.entries)
				if mem, ok := s.(*MemStore); ok && rng.IntN(2) == 0 && at < len(h.entries) {
					mem.Crash(rng.IntN(mem.Unsynced() + 1))
				}
			}
			if got, want := content(s), content(live.store); got != want {
				t.Errorf("seed %d: content %s, live %s", seed, got, want)
			}
			snap := s.Snapshot()
			snap.Scan([]byte{0}, []byte{0xff}, func(k, v []byte) bool {
				if err := CheckRow(&bank{}, k, v); err != nil {
					t.Errorf("row %x: %v", k, err)
				}
				return true
			})
			snap.Close()
		}
	}
}

func TestApplyPosition(t *testing.T) {
	s := NewMemStore()
	a := newApplier(t, s)
	h := newHistory()
	h.add(envelope(unnamed(opAdd, "a"))...)
	h.play(t, a)
	early := Entry{Epoch: 3, Behaviour: Behaviour, Time: 5}
	mustApply(t, a, 3, early.Encode(nil))
	if a.Position() != (Position{3, 3}) || a.Time() != 1002 || string(a.Cursor()) != "c3" {
		t.Errorf("%v, time %d, cursor %q: time must not go back", a.Position(), a.Time(), a.Cursor())
	}
	again := newApplier(t, s)
	if again.Position() != a.Position() || again.Time() != a.Time() || string(again.Cursor()) != "c3" || again.Chain() != a.Chain() {
		t.Error("another applier of the same view stands elsewhere")
	}
	if cuts := Cuts(s.Snapshot()); !reflect.DeepEqual(cuts, map[uint32]uint64{0: 0}) {
		t.Errorf("cuts of a new cell: %v", cuts)
	}
}

func TestApplyIgnoresWhatIsApplied(t *testing.T) {
	a := newApplier(t, NewMemStore())
	h := newHistory()
	h.add(envelope(unnamed(opAdd, "a"))...)
	h.play(t, a)
	before, chain := content(a.store), a.Chain()
	for n := uint64(1); n <= 2; n++ {
		e, _ := DecodeEntry(h.entries[n-1])
		if out, err := a.Apply(n, nil, e); out != nil || err != nil {
			t.Errorf("entry %d again: %+v, %v", n, out, err)
		}
	}
	if content(a.store) != before || a.Chain() != chain || string(a.Cursor()) != "c2" {
		t.Error("an entry that was applied changed the view")
	}
}

func TestReplayStops(t *testing.T) {
	kernelOp := func(b []byte) Entry {
		return Entry{Epoch: 3, Behaviour: 1, Commands: []Envelope{{Domain: DomainKernel, Bytes: b}}}
	}
	for what, c := range map[string]struct {
		n uint64
		e Entry
	}{
		"a hole":                        {4, Entry{Epoch: 3, Behaviour: 1}},
		"another epoch":                 {3, Entry{Epoch: 4, Behaviour: 1}},
		"another epoch begins":          {1, Entry{Epoch: 4, Behaviour: 1}},
		"an older epoch":                {1, Entry{Epoch: 2, Behaviour: 1}},
		"a behaviour of the future":     {3, Entry{Epoch: 3, Behaviour: Behaviour + 1}},
		"an unknown operation":          {3, Entry{Epoch: 3, Behaviour: 1, Commands: envelope(unnamed(opAdd, "a"), unnamed(99, "a"))}},
		"an unknown ephemeral":          {3, Entry{Epoch: 3, Behaviour: 1, Commands: []Envelope{{DomainChat, FlagEphemeral, []byte{99, 0}}}}},
		"an empty command":              {3, Entry{Epoch: 3, Behaviour: 1, Commands: envelope(nil)}},
		"an unknown kernel operation":   {3, kernelOp([]byte{0x7a, 0})},
		"an empty kernel command":       {3, kernelOp(nil)},
		"bytes that are no kernel's op": {3, kernelOp([]byte{0xff})},
	} {
		a := newApplier(t, NewMemStore())
		h := newHistory()
		h.add(envelope(unnamed(opAdd, "a"))...)
		h.play(t, a)
		before := content(a.store)
		e, err := DecodeEntry(c.e.Encode(nil))
		if err != nil {
			t.Fatal(err)
		}
		out, err := a.Apply(c.n, nil, e)
		if !errors.Is(err, ErrReplay) || out != nil {
			t.Errorf("%s: %+v, %v", what, out, err)
		}
		if content(a.store) != before || a.Position() != (Position{3, 2}) {
			t.Errorf("%s: the view was changed", what)
		}
	}
	a := newApplier(t, NewMemStore())
	e, _ := DecodeEntry(newHistory().entries[0])
	if _, err := a.Apply(2, nil, e); !errors.Is(err, ErrReplay) {
		t.Errorf("a new view began at entry 2: %v", err)
	}
}

func TestViewOfTheFutureIsRefused(t *testing.T) {
	for what, row := range map[string][]byte{
		"behaviour": (&viewState{pos: Position{3, 1}, behaviour: Behaviour + 1}).encode(nil),
		"damaged":   {1, 2, 3},
	} {
		s := NewMemStore()
		write(t, s, "\x00="+string(row))
		if _, err := NewApplier(&bank{}, s, nil); err == nil {
			t.Errorf("%s: opened", what)
		}
	}
}

// TestPanic: the command gets internal and consumes its name; the other commands of the entry, rows and events are as
// if it had not been there; two nodes agree.
func TestPanic(t *testing.T) {
	play := func(s Store, forced []Forced, commands ...[]byte) (*Applier, *Outcome) {
		a := newApplier(t, s, forced...)
		h := newHistory()
		h.add(envelope(commands...)...)
		return a, h.play(t, a)[1]
	}
	a1, a2, bad := named(opAdd, 1, 1, "x"), unnamed(opAdd, "x"), unnamed(opPanic, "x")

	mem, out := play(NewMemStore(), nil, a1, bad, a2, bad)
	disk, _ := play(openPebble(t, t.TempDir(), PebbleOptions{}), nil, a1, bad, a2, bad)
	if mem.Chain() != disk.Chain() || content(mem.store) != content(disk.store) {
		t.Error("two nodes differ")
	}
	without, _ := play(NewMemStore(), nil, a1, a2)
	if content(mem.store) != content(without.store) {
		t.Error("the panicking commands left something behind")
	}
	if want := []Decided{{Verdict: Verdict{OK, 1}, Last: 1}, {Verdict: Verdict{Code: Internal}}, {Verdict: Verdict{OK, 2}}, {Verdict: Verdict{Code: Internal}}}; !reflect.DeepEqual(out.Decided, want) {
		t.Errorf("decided %+v", out.Decided)
	}
	if want := []any{bankEvent{string(room("x")), 1}, bankEvent{string(room("x")), 2}}; !reflect.DeepEqual(out.Events, want) {
		t.Errorf("events %v", out.Events)
	}
	if len(out.Panicked) != 2 || !strings.Contains(out.Panicked[1], "no rule for") {
		t.Errorf("panicked %v", out.Panicked)
	}

	// The name is consumed, and the same again gets the same.
	named1 := named(opPanic, 1, 1, "x")
	m, out := play(NewMemStore(), nil, named1, named1, named(opAdd, 1, 2, "x"))
	if want := []Decided{{Verdict: Verdict{Code: Internal}, Last: 1}, {Verdict: Verdict{Code: Internal}, Repeated: true, Last: 1}, {Verdict: Verdict{OK, 1}, Last: 2}}; !reflect.DeepEqual(out.Decided, want) {
		t.Errorf("decided %+v", out.Decided)
	}
	// Forced by an operator at one node it is the same as a panic at the others.
	f, out := play(NewMemStore(), []Forced{{3, 2, 0}}, named1, named1, named(opAdd, 1, 2, "x"))
	if f.Chain() != m.Chain() || content(f.store) != content(m.store) || len(out.Panicked) != 0 {
		t.Error("forced differs from panicked")
	}
	if g, _ := play(NewMemStore(), []Forced{{3, 2, 2}, {3, 1, 0}, {2, 2, 0}}, named1, named1, named(opAdd, 1, 2, "x")); g.Chain() == m.Chain() {
		t.Error("forcing another command changed nothing")
	}
}

// failing is a store whose batches fail on demand.
type failing struct {
	Store
	commit error
}

type failingBatch struct {
	Batch
	err error
}

func (f *failing) Begin() Batch { return failingBatch{f.Store.Begin(), f.commit} }
func (b failingBatch) Commit() error {
	if b.err != nil {
		b.Discard()
		return b.err
	}
	return b.Batch.Commit()
}

func TestStorageFaults(t *testing.T) {
	eachStore(t, func(t *testing.T, s Store) {
		f := &failing{Store: s}
		a := newApplier(t, f)
		h := newHistory()
		h.add(envelope(named(opAdd, 1, 1, "a"))...)
		h.play(t, a)
		before, chain := content(s), a.Chain()
		stands := func(what string) {
			t.Helper()
			if content(s) != before || a.Chain() != chain || a.Position() != (Position{3, 2}) || newApplier(t, s).Position() != (Position{3, 2}) {
				t.Errorf("%s: something was half written", what)
			}
		}

		bad := Entry{Epoch: 3, Behaviour: 1, Commands: envelope(unnamed(opAdd, "b"), unnamed(opFault, "a"), unnamed(opAdd, "c"))}
		out, err := a.Apply(3, nil, &bad)
		var fault StorageFault
		if out != nil || !errors.As(err, &fault) || !errors.Is(fault.Err, syscall.EIO) || errors.Is(err, ErrReplay) {
			t.Errorf("a fault while applying: %+v, %v", out, err)
		}
		stands("a fault while applying")

		f.commit = syscall.ENOSPC
		good := Entry{Epoch: 3, Behaviour: 1, Commands: envelope(unnamed(opAdd, "b"))}
		if out, err := a.Apply(3, nil, &good); out != nil || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("a fault of the commit: %+v, %v", out, err)
		}
		stands("a fault of the commit")
		f.commit = nil

		// A damaged name row is a fault of storage, not of the command.
		key := nameKey(nil, [16]byte{1}, room("a"))
		write(t, s, string(key)+"=damaged")
		before = content(s)
		damaged := Entry{Epoch: 3, Behaviour: 1, Commands: envelope(unnamed(opAdd, "b"), named(opAdd, 1, 2, "a"))}
		if out, err := a.Apply(3, nil, &damaged); out != nil || !errors.As(err, &fault) {
			t.Errorf("a damaged row: %+v, %v", out, err)
		}
		stands("a damaged row")
	})
}

// TestNamesThroughApply plays the stories of docs/formats.md: what a client hears when names are repeated, skipped,
// refused and reused.
func TestNamesThroughApply(t *testing.T) {
	withTag := func(op byte, n uint64, tg byte, base uint64) []byte {
		c := bankCommand{op: op, name: &Name{Device: [16]byte{1}, N: n, Tag: tag(tg), Base: base}, scope: room("x")}
		return c.bytes()
	}
	for _, c := range []struct {
		story    string
		commands [][]byte
		want     []Decided
		sum      uint64
	}{
		{"a lost answer", [][]byte{withTag(opAdd, 1, 1, 1), withTag(opAdd, 1, 1, 1), withTag(opAdd, 2, 2, 2)},
			[]Decided{{Verdict{OK, 1}, false, 1}, {Verdict{OK, 1}, true, 1}, {Verdict{OK, 2}, false, 2}}, 2},
		{"skip first, the late original is told", [][]byte{withTag(opSkip, 1, 1, 1), withTag(opAdd, 1, 1, 1)},
			[]Decided{{Verdict{Code: Skipped}, false, 1}, {Verdict{Code: Skipped}, true, 1}}, 0},
		{"skip after the original answers the original's verdict", [][]byte{withTag(opAdd, 1, 1, 1), withTag(opSkip, 1, 1, 1)},
			[]Decided{{Verdict{OK, 1}, false, 1}, {Verdict{OK, 1}, true, 1}}, 1},
		{"a skip does not need a rule of the domain", [][]byte{withTag(opRefuse, 1, 1, 1), withTag(opSkip, 2, 2, 1)},
			[]Decided{{Verdict{NotMember, 7}, false, 1}, {Verdict{Code: Skipped}, false, 2}}, 0},
		{"a refusal consumes", [][]byte{withTag(opRefuse, 1, 1, 1), withTag(opAdd, 1, 1, 1), withTag(opAdd, 2, 2, 1)},
			[]Decided{{Verdict{NotMember, 7}, false, 1}, {Verdict{NotMember, 7}, true, 1}, {Verdict{OK, 1}, false, 2}}, 1},
		{"too far ahead is not recorded", [][]byte{withTag(opAdd, 2, 2, 1), withTag(opAdd, 1, 1, 1), withTag(opAdd, 2, 2, 1)},
			[]Decided{{Verdict{Code: Expected}, false, 0}, {Verdict{OK, 1}, false, 1}, {Verdict{OK, 2}, false, 2}}, 2},
		{"too far ahead with a base is not recorded either", [][]byte{withTag(opAdd, 9, 9, 5), withTag(opAdd, 1, 1, 1)},
			[]Decided{{Verdict{Code: Expected}, false, 4}, {Verdict{OK, 1}, false, 1}}, 1},
		{"two tabs of one profile", [][]byte{withTag(opAdd, 1, 1, 1), withTag(opAdd, 1, 77, 1), withTag(opSkip, 1, 77, 1), withTag(opAdd, 2, 2, 1)},
			[]Decided{{Verdict{OK, 1}, false, 1}, {Verdict{Code: IDReused}, false, 1}, {Verdict{Code: IDReused}, false, 1}, {Verdict{OK, 2}, false, 2}}, 2},
		{"after a restore base closes the gap", [][]byte{withTag(opAdd, 41, 41, 41), withTag(opAdd, 40, 40, 40), withTag(opAdd, 42, 42, 41)},
			[]Decided{{Verdict{OK, 1}, false, 41}, {Verdict{Code: AlreadyIn}, true, 41}, {Verdict{OK, 2}, false, 42}}, 2},
	} {
		t.Run(c.story, func(t *testing.T) {
			apart, together := newHistory(), newHistory()
			for _, cmd := range c.commands {
				apart.add(envelope(cmd)...)
			}
			together.add(envelope(c.commands...)...)
			a, b := newApplier(t, NewMemStore()), newApplier(t, NewMemStore())
			var got []Decided
			for _, out := range apart.play(t, a)[1:] {
				got = append(got, out.Decided...)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("in entries of their own:\ngot  %+v\nwant %+v", got, c.want)
			}
			if got := together.play(t, b)[1].Decided; !reflect.DeepEqual(got, c.want) {
				t.Errorf("in one entry:\ngot  %+v\nwant %+v", got, c.want)
			}
			if sum(a.store, "x") != c.sum || content(a.store) != content(b.store) {
				t.Errorf("sum %d, want %d", sum(a.store, "x"), c.sum)
			}
		})
	}
}

func TestNamesAreApartByDeviceAndScope(t *testing.T) {
	a := newApplier(t, NewMemStore())
	h := newHistory()
	h.add(envelope(named(opAdd, 1, 1, "x"), named(opAdd, 2, 1, "x"), named(opAdd, 1, 1, "y"))...)
	for i, d := range h.play(t, a)[1].Decided {
		if d.Verdict.Code != OK || d.Repeated {
			t.Errorf("command %d: %+v", i, d)
		}
	}
}

func TestEphemeralIsOnlyPassedOn(t *testing.T) {
	a, plain := newApplier(t, NewMemStore()), newApplier(t, NewMemStore())
	h := newHistory()
	typing := named(opTyping, 1, 1, "x")
	h.add(Envelope{DomainChat, FlagEphemeral, typing}, Envelope{DomainChat, 0, named(opAdd, 1, 1, "x")}, Envelope{DomainPeople, FlagEphemeral, []byte("theirs")})
	out := h.play(t, a)[1]
	h2 := newHistory()
	h2.add(envelope(named(opAdd, 1, 1, "x"))...)
	h2.play(t, plain)
	if content(a.store) != content(plain.store) {
		t.Error("an ephemeral command left a row")
	}
	if len(out.Ephemeral) != 1 || out.Ephemeral[0].(*bankCommand).op != opTyping || len(out.Events) != 1 {
		t.Errorf("passed on: %+v", out.Applied)
	}
	if out.Decided[0] != (Decided{}) || out.Decided[1].Verdict != (Verdict{OK, 1}) {
		t.Errorf("decided: %+v", out.Decided)
	}
}

// TestChainCovers: whatever differs between two histories or views shows in the chain.
func TestChainCovers(t *testing.T) {
	chain := func(d *bank, s Store, stamp uint64, commands ...[]byte) uint64 {
		a, err := NewApplier(d, s, nil)
		if err != nil {
			t.Fatal(err)
		}
		newHistory().play(t, a)
		e := Entry{Epoch: 3, Behaviour: 1, Time: stamp, Commands: envelope(commands...)}
		mustApply(t, a, 2, e.Encode(nil))
		return a.Chain()
	}
	cmd := unnamed(opPanic, "x")
	same := chain(&bank{}, NewMemStore(), 5, cmd)
	if chain(&bank{}, NewMemStore(), 5, cmd) != same {
		t.Fatal("not repeatable")
	}
	if chain(&bank{}, NewMemStore(), 6, cmd) == same {
		t.Error("the entry is not covered")
	}
	if chain(&bank{fixed: true}, NewMemStore(), 5, cmd) == same {
		t.Error("verdict and writes are not covered")
	}
	refuse := unnamed(opRefuse, "x")
	if chain(&bank{}, NewMemStore(), 5, refuse) == chain(&bank{}, NewMemStore(), 5, unnamed(opPanic, "x")) {
		t.Error("the verdict is not covered")
	}
	other := NewMemStore()
	write(t, other, string(bankKey('k', room("x")))+"=\x01\x00\x00\x00\x00\x00\x00\x00\x05")
	add := unnamed(opAdd, "x")
	if chain(&bank{}, other, 5, add) == chain(&bank{}, NewMemStore(), 5, add) {
		t.Error("what was written is not covered")
	}
}

func TestCheckpointCommandIsReported(t *testing.T) {
	a := newApplier(t, NewMemStore())
	op, err := proto.Marshal(&logv1.KernelCommand{Op: &logv1.KernelCommand_Checkpoint{Checkpoint: &logv1.Checkpoint{Label: "backup"}}})
	if err != nil {
		t.Fatal(err)
	}
	h := newHistory()
	h.add(Envelope{Domain: DomainKernel, Bytes: op}, Envelope{Domain: DomainChat, Bytes: unnamed(opAdd, "x")})
	h.add()
	outs := h.play(t, a)
	if outs[1].Checkpoint.GetLabel() != "backup" || outs[0].Checkpoint != nil || outs[2].Checkpoint != nil {
		t.Errorf("%v %v %v", outs[0].Checkpoint, outs[1].Checkpoint, outs[2].Checkpoint)
	}
	if len(outs[1].Decided) != 2 || outs[1].Decided[1].Verdict.Code != OK {
		t.Errorf("%+v", outs[1].Decided)
	}
}

func TestEventsKeepTheirOrder(t *testing.T) {
	a := newApplier(t, NewMemStore())
	h := newHistory()
	var cs [][]byte
	var want []any
	for i := range 20 {
		scope := string(rune('a' + i%3))
		cs = append(cs, unnamed(opAdd, scope))
		want = append(want, bankEvent{string(room(scope)), uint64(i/3 + 1)})
		if i%4 == 0 {
			cs = append(cs, unnamed(opPanic, scope))
		}
	}
	h.add(envelope(cs...)...)
	h.add()
	outs := h.play(t, a)
	if !slices.Equal(outs[1].Events, want) {
		t.Errorf("%v", outs[1].Events)
	}
	if len(outs[2].Events) != 0 {
		t.Error("events of the entry before")
	}
}

func TestChainRing(t *testing.T) {
	var r chainRing
	if _, ok := r.at(0); ok {
		t.Error("an empty ring knows something")
	}
	r.put(41, 1)
	for n := uint64(42); n <= 41+chainWindow+5; n++ {
		r.put(n, n*10)
	}
	newest := uint64(41 + chainWindow + 5)
	for _, c := range []struct {
		n  uint64
		ok bool
	}{{40, false}, {41, false}, {newest - chainWindow, false}, {newest - chainWindow + 1, true}, {newest, true}, {newest + 1, false}} {
		if v, ok := r.at(c.n); ok != c.ok || ok && v != c.n*10 {
			t.Errorf("chain %d: %d %v", c.n, v, ok)
		}
	}
	r.put(1, 7) // another epoch begins
	if v, ok := r.at(1); !ok || v != 7 {
		t.Error("the new epoch's first")
	}
	if _, ok := r.at(newest); ok {
		t.Error("a chain of the old epoch is still there")
	}
}

func TestApplyKeepsNoMemoryOfTheEntry(t *testing.T) {
	s := NewMemStore()
	a := newApplier(t, s)
	h := newHistory()
	h.add(envelope(named(opAdd, 1, 1, "x"))...)
	raw := bytes.Clone(h.entries[1])
	mustApply(t, a, 1, h.entries[0])
	mustApply(t, a, 2, raw)
	before := content(s)
	for i := range raw {
		raw[i] = 0xee
	}
	if content(s) != before {
		t.Error("the view shares memory with the log")
	}
}

// TestChainGolden pins the chain and the content hash: nodes of two versions compare them while one after the other is
// upgraded.
func TestChainGolden(t *testing.T) {
	h := newHistory()
	h.add(envelope(named(opAdd, 1, 1, "a"), unnamed(opRefuse, "a"), unnamed(opPanic, "b"))...)
	h.add(Envelope{DomainChat, FlagEphemeral, unnamed(opTyping, "a")}, Envelope{Domain: DomainPeople, Bytes: []byte("another domain's")})
	h.add(envelope(named(opSkip, 1, 2, "a"), named(opAdd, 1, 1, "a"), named(opCopy, 2, 1, "b"), named(opAdd, 2, 9, "b"))...)
	h.add()
	a := newApplier(t, NewMemStore())
	var b strings.Builder
	for _, out := range h.play(t, a) {
		c, _ := a.ChainAt(out.Pos.N)
		fmt.Fprintf(&b, "entry %d %x\n  chain %016x\n", out.Pos.N, h.entries[out.Pos.N-1], c)
	}
	snap := a.store.Snapshot()
	hash, rows := ContentHash(snap)
	fmt.Fprintf(&b, "content of %d rows %016x\n", rows, hash)
	golden(t, "chain.golden", b.String())
}

// Commands of an entry that comes too late after what they were admitted by are not applied and use no name up: the same
// again, in time, gets its verdict. A late entry that is a repetition, or that has a Skip, is no exception.
func TestLate(t *testing.T) {
	a := newApplier(t, NewMemStore())
	n := uint64(0)
	apply := func(stamp, seen uint64, commands ...[]byte) *Outcome {
		t.Helper()
		n++
		e := Entry{Epoch: 3, Behaviour: Behaviour, Time: stamp, Node: [4]byte{1}, Number: n}
		e.Commands = append(envelope(commands...), Envelope{Domain: DomainChat, Flags: FlagEphemeral, Bytes: unnamed(opTyping, "x")})
		e.Commands = append(e.Commands, Envelope{Domain: DomainKernel, Bytes: encodeSeen(seen)})
		return mustApply(t, a, n, e.Encode(nil))
	}
	add := named(opAdd, 1, 1, "x")
	for i, c := range []struct {
		stamp, seen uint64
		late        bool
		verdict     Verdict
	}{
		{10_000, 10_000, false, Verdict{OK, 1}},
		{10, 10_000 - LateAfter, true, Verdict{Code: Late}},     // by the time of the one before
		{10, 10_000 - LateAfter + 1, false, Verdict{OK, 1}},     // the name was known since the first
		{99_000, 99_000 - LateAfter, true, Verdict{Code: Late}}, // by its own
		{99_000, 99_000 - LateAfter + 1, false, Verdict{OK, 1}},
		{10, 1 << 63, false, Verdict{OK, 1}},
	} {
		out := apply(c.stamp, c.seen, add)
		if out.Late != c.late || out.Decided[0].Verdict != c.verdict || len(out.Ephemeral) == 1 == c.late {
			t.Errorf("entry %d: %+v", i, out)
		}
	}
	before := content(a.store)
	out := apply(99_500, 1, named(opAdd, 1, 2, "x"), unnamed(opAdd, "y"), named(opPanic, 1, 3, "x"))
	for i := range 3 {
		if out.Decided[i] != (Decided{Verdict: Verdict{Code: Late}}) || len(out.Events) > 0 || len(out.Panicked) > 0 {
			t.Errorf("%+v", out)
		}
	}
	if out.Time != 99_500 {
		t.Errorf("time stays at %d", out.Time)
	}
	if content(a.store) != before {
		t.Error("a late entry wrote rows")
	}
	if out := apply(99_600, 99_500, named(opAdd, 1, 2, "x")); out.Decided[0] != (Decided{Verdict: Verdict{OK, 2}, Last: 2}) {
		t.Errorf("again: %+v", out.Decided)
	}
}
