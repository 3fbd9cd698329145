package nemesis

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"
)

// story is a small run, as its files would tell it: a log of one node, and an outbox.
type story struct {
	entries []*kernel.Entry
	records []record
	device  ids.Device
}

// newStory has three deposits and one transfer that is refused, an entry each.
func newStory() *story {
	s := &story{device: ids.Device{1}}
	s.entry(0)
	for n := uint64(1); n <= 3; n++ {
		s.entry(n, s.take(toydomain.Deposit, n))
		s.tell(n, kernel.OK, n)
	}
	s.entry(4, s.take(toydomain.Transfer, 4))
	s.tell(4, kernel.LimitReached, 0)
	return s
}

func (s *story) take(op toydomain.Op, n uint64) toydomain.Cmd {
	r := record{What: taken, Domain: kernel.DomainPeople, Op: byte(op), Account: account(0), Device: s.device, N: n, Item: n, Amount: 1000 * n}
	if op == toydomain.Transfer {
		r.To, r.Amount = account(1), 100_000
	}
	s.records = append(s.records, r)
	return toydomain.Cmd{Op: op, Account: r.Account, To: r.To, Item: r.Item, Amount: r.Amount, Name: kernel.Name{Device: r.Device, N: n, Base: n}}
}

func (s *story) tell(n uint64, code kernel.Code, seq uint64) {
	s.records = append(s.records, record{What: told, Domain: kernel.DomainPeople, Account: account(0), Device: s.device, N: n, Code: uint16(code), Seq: seq})
}

func (s *story) entry(number uint64, cmds ...toydomain.Cmd) *kernel.Entry {
	e := &kernel.Entry{Epoch: epoch, Behaviour: kernel.Behaviour, Node: cluster.NodeID{1}, Incarnation: cluster.Incarnation{1}, Number: number}
	for _, c := range cmds {
		e.Commands = append(e.Commands, kernel.Envelope{Domain: kernel.DomainPeople, Bytes: c.Append(nil)})
	}
	s.entries = append(s.entries, e)
	return e
}

func (s *story) audit(t *testing.T) findings {
	r, err := newReplay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for i, e := range s.entries {
		if err := r.entry(uint64(i+1), e.Encode(nil)); err != nil {
			t.Fatal(err)
		}
	}
	r.checkClaims()
	f := r.findings
	j := &journal{rows: map[name]row{}}
	snap := r.stores[0].Snapshot()
	defer snap.Close()
	j.read(kernel.DomainPeople, snap, &f)
	checkOutboxes(&f, s.records, j, r.decided)
	return f
}

// TestAuditFinds: an audit that finds nothing in a good run finds what is wrong in a bad one.
func TestAuditFinds(t *testing.T) {
	for _, k := range []struct {
		what, want string
		change     func(s *story)
	}{
		{"nothing wrong", "", func(*story) {}},
		{"acknowledged and not in the log", "is lost", func(s *story) {
			s.take(toydomain.Deposit, 5)
			s.tell(5, kernel.OK, 4)
		}},
		{"another verdict than recorded", "the log says", func(s *story) { s.tell(4, kernel.OK, 4) }},
		{"two verdicts", "and before that", func(s *story) { s.tell(2, kernel.Skipped, 0) }},
		{"refused and done", "is done", func(s *story) {
			s.entry(5, s.take(toydomain.Deposit, 5))
			s.tell(5, kernel.LimitReached, 0)
		}},
		{"done and not taken", "nobody asked", func(s *story) {
			s.entry(5, s.take(toydomain.Deposit, 5))
			s.records = s.records[:len(s.records)-1]
		}},
		{"another item than taken", "taken was", func(s *story) { s.records[0].Item++ }},
		{"never answered", "never answered", func(s *story) { s.records = s.records[:len(s.records)-1] }},
		{"an entry twice", "in the place of", func(s *story) { s.entries = append(s.entries, s.entries[3]) }},
		{"an entry missing", "in the place of", func(s *story) { s.entry(6) }},
		{"an incarnation that was over", "that was over", func(s *story) {
			s.entry(1).Incarnation[0] = 2
			s.entry(5)
		}},
		{"an incarnation without its beginning", "has number 2", func(s *story) { s.entry(2).Incarnation[0] = 2 }},
		{"a proposer with another chain", "a replay does not give", func(s *story) {
			s.entry(5).Checks = []kernel.Check{{Domain: kernel.DomainPeople, N: 3, Chain: 1}}
		}},
	} {
		t.Run(k.what, func(t *testing.T) {
			s := newStory()
			k.change(s)
			f := s.audit(t)
			found := slices.ContainsFunc(f, func(s string) bool { return k.want != "" && strings.Contains(s, k.want) })
			if found != (k.want != "") || k.want == "" && len(f) > 0 {
				t.Fatalf("findings: %q", f)
			}
		})
	}
}

// Rows that no replay of a sound kernel can give are put into the journal by hand.
func TestJournalFinds(t *testing.T) {
	s := newStory()
	first := name{kernel.DomainPeople, account(0), s.device, 1}
	second := first
	second.n = 2
	j := &journal{rows: map[name]row{}, order: []name{second, first}, sum: 2, made: 1}
	var f findings
	checkOutboxes(&f, s.records, j, nil)
	for _, want := range []string{"comes after n 2", "of money was made", "is lost"} {
		if !slices.ContainsFunc(f, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("not found: %s in %q", want, f)
		}
	}
}

func TestReadsFind(t *testing.T) {
	within := kernel.ReadyWithin.Nanoseconds()
	writes := []raised{{1, 0, 10, 1000}, {1, 0, 20, 3000}, {1, 0, 15, 2000}, {2, 0, 99, 0}}
	for _, k := range []struct {
		at    int64
		value uint64
		stale bool
	}{
		{1000 + within, 10, false},
		{1000 + within, 9, true},
		{999 + within, 0, false},
		{2999 + within, 15, false},
		{3000 + within, 15, true},
		{3000 + within, 20, false},
		{time.Hour.Nanoseconds(), 19, true},
	} {
		var f findings
		checkReads(&f, []read{{Domain: 1, At: k.at, Values: [maxSlots]uint64{k.value}}}, writes)
		if (len(f) > 0) != k.stale {
			t.Errorf("value %d at %d: %q", k.value, k.at, f)
		}
	}
}

// What a kill has left half written is cut off before the next start appends.
func TestFiles(t *testing.T) {
	path := t.TempDir() + "/records"
	want := []raised{{1, 2, 3, 4}, {5, 6, 7, 8}}
	for i, w := range want {
		f, err := appendTo[raised](path)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(f, w); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(make([]byte, 1+5*i)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := loadRecords[raised](path)
		if err != nil || !slices.Equal(got, want[:i+1]) {
			t.Fatalf("%v, %v", got, err)
		}
	}
}
