package toydomain

import (
	"errors"
	"testing"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

func TestDecode(t *testing.T) {
	c := Cmd{Op: Transfer, Account: ids.Room{1}, To: ids.Room{2}, Name: kernel.Name{Device: ids.Device{3}, N: 4, Tag: [8]byte{5}, Base: 6}, Item: 7, Amount: 8, Key: 9}
	b := c.Append(nil)
	got, err := Decode(b)
	if err != nil || *got != c {
		t.Fatalf("decoded %+v, %v; want %+v", got, err, c)
	}
	for _, bad := range [][]byte{nil, b[1:], append([]byte{0}, b[1:]...), append([]byte{byte(Note) + 1}, b[1:]...)} {
		if _, err := Decode(bad); !errors.Is(err, ErrCommand) {
			t.Errorf("Decode(%x) = %v, want ErrCommand", bad, err)
		}
	}
}

// The domain through the kernel: verdicts, balances, journal, and a panic that leaves nothing behind.
func TestApply(t *testing.T) {
	a, b := ids.Room{1}, ids.Room{2}
	d := New(1, "toy")
	store := kernel.NewMemStore()
	applier, err := kernel.NewApplier(d, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	name := func() kernel.Name { n++; return kernel.Name{Device: ids.Device{9}, N: n, Base: n} }
	cmds := []struct {
		cmd  Cmd
		want kernel.Verdict
	}{
		{Cmd{Op: Deposit, Account: a, Amount: 10, Name: name()}, kernel.Verdict{Seq: 1}},
		{Cmd{Op: Panic, Account: a, Name: name()}, kernel.Verdict{Code: kernel.Internal}},
		{Cmd{Op: Transfer, Account: a, To: b, Amount: 7, Name: name()}, kernel.Verdict{Seq: 2}},
		{Cmd{Op: Transfer, Account: a, To: b, Amount: 7, Name: name()}, kernel.Verdict{Code: kernel.LimitReached}},
		{Cmd{Op: Panic, Account: a, Name: name()}, kernel.Verdict{Seq: 3}},
		{Cmd{Op: Skip, Account: a, Name: name()}, kernel.Verdict{Code: kernel.Skipped}},
		{Cmd{Op: Max, Key: 3, Amount: 5}, kernel.Verdict{Seq: 5}},
		{Cmd{Op: Max, Key: 3, Amount: 4}, kernel.Verdict{Seq: 5}},
		{Cmd{Op: Revoke, Key: 8}, kernel.Verdict{}},
	}
	e := &kernel.Entry{Epoch: 1, Behaviour: kernel.Behaviour, Time: 1}
	for i := range cmds {
		e.Commands = append(e.Commands, kernel.Envelope{Domain: 1, Bytes: cmds[i].cmd.Append(nil)})
	}
	out, err := applier.Apply(1, nil, e)
	if err != nil {
		t.Fatal(err)
	}
	for i := range cmds {
		if out.Decided[i].Verdict != cmds[i].want {
			t.Errorf("command %d: verdict %v, want %v", i, out.Decided[i].Verdict, cmds[i].want)
		}
	}
	if len(out.Panicked) != 1 || len(out.Events) != 6 {
		t.Errorf("%d panics and %d events, want 1 and 6", len(out.Panicked), len(out.Events))
	}
	s := store.Snapshot()
	if x, y := ReadAccount(s, a), ReadAccount(s, b); x != (Account{3, 3}) || y != (Account{7, 0}) {
		t.Errorf("accounts %v and %v", x, y)
	}
	var seqs uint64
	EachEntry(s, a, func(seq uint64, e Entry) {
		if seqs++; seq != seqs {
			t.Errorf("journal row %d follows %d", seq, seqs-1)
		}
	})
	if seqs != 3 || Register(s, 3) != 5 || !Revoked(s, 8) || Revoked(s, 9) {
		t.Errorf("journal %d, register %d", seqs, Register(s, 3))
	}
	s.Scan([]byte{0}, []byte{0xff}, func(k, v []byte) bool {
		if err := kernel.CheckRow(d, k, v); err != nil {
			t.Errorf("row %x: %v", k, err)
		}
		return true
	})
}
