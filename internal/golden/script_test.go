package golden

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/cluster"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// session is a log under way: everything random in it is the hash of what it is for, and time is told by the script.
type session struct {
	t     *testing.T
	r     *replayer
	epoch uint32
	n     uint64
	time  uint64
	done  uint64 // entries of the incarnation
}

// step is one command, and the verdict it is meant to get.
type step struct {
	env  kernel.Envelope
	want kernel.Verdict
}

// person is an account with one device and what its outbox has counted.
type person struct {
	name   string
	id     ids.User
	device ids.Device
	n      map[string]uint64
}

func random(what string, size int) []byte {
	h := sha256.Sum256([]byte("golden: " + what))
	return h[:size]
}

func newPerson(name string) *person {
	return &person{name: name, id: ids.NewUser(cell, random("sign-up of "+name, 16)), device: ids.Device(random("device of "+name, 16)), n: map[string]uint64{}}
}

func token(what string) []byte { return random("token of "+what, 32) }

// phc has the form of a hash; the state machine never looks into it.
func phc(what string) string {
	return "$argon2id$v=19$m=19456,t=2,p=1$" + hex.EncodeToString(random(what, 8))
}

// named gives the next name in a scope. Everything before it is settled.
func (p *person) named(scope []byte) *logv1.Name {
	p.n[string(scope)]++
	return p.name3(scope, p.n[string(scope)], p.n[string(scope)])
}

// name3 is a name as the script wants it: for repetitions, gaps and names given up.
func (p *person) name3(scope []byte, n, base uint64) *logv1.Name {
	tag := random("tag "+hex.EncodeToString(append(append([]byte{byte(n)}, p.device[:]...), scope...)), 8)
	return &logv1.Name{Device: p.device[:], N: n, Tag: tag, Base: base}
}

func newSession(t *testing.T) *session {
	t.Helper()
	r, err := newReplayer(stores["memory"](t))
	if err != nil {
		t.Fatal(err)
	}
	return &session{t: t, r: r, time: 1_795_478_400_000} // 2026-11-24
}

// begin makes the first entry of an epoch.
func (s *session) begin(epoch uint32) {
	s.t.Helper()
	s.epoch, s.n = epoch, 0
	s.put(kernel.FirstEntry(epoch, kernel.Behaviour, s.time))
}

// restore begins the next epoch at what has been applied.
func (s *session) restore(epoch uint32) {
	s.t.Helper()
	s.r.say("epoch %d", epoch)
	if err := s.r.epoch(epoch); err != nil {
		s.t.Fatal(err)
	}
	s.begin(epoch)
}

// entry appends an entry, ms after the one before, and holds its verdicts against what the steps want.
func (s *session) entry(ms int64, steps ...step) {
	s.t.Helper()
	s.time = uint64(int64(s.time) + ms)
	s.done++
	e := kernel.Entry{Epoch: s.epoch, Behaviour: kernel.Behaviour, Time: s.time, Node: cluster.NodeID(random("node", 4)),
		Incarnation: cluster.Incarnation(random("incarnation", 12)), Number: s.done}
	for i, a := range s.r.views {
		e.Checks = append(e.Checks, kernel.Check{Domain: s.r.domains[i].ID(), N: s.n, Chain: a.Chain(), Durable: s.n / 2})
	}
	for _, st := range steps {
		e.Commands = append(e.Commands, st.env)
	}
	for i, got := range s.put(e.Encode(nil)) {
		if got != steps[i].want {
			s.t.Errorf("entry %d, command %d: %v, meant was %v", s.n, i, got, steps[i].want)
		}
	}
}

func (s *session) put(b []byte) []kernel.Verdict {
	s.t.Helper()
	s.n++
	s.r.say("entry %d %x", s.n, b)
	vs, err := s.r.entry(s.n, b)
	if err != nil {
		s.t.Fatal(err)
	}
	return vs
}

func (s *session) wrap(domain, flags byte, m proto.Message, want kernel.Verdict) step {
	s.t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		s.t.Fatal(err)
	}
	return step{kernel.Envelope{Domain: domain, Flags: flags, Bytes: b}, want}
}

// people is a command about accounts; its answer is a code.
func (s *session) people(want kernel.Code, m *logv1.PeopleCommand) step {
	s.t.Helper()
	return s.wrap(kernel.DomainPeople, 0, m, kernel.Verdict{Code: want})
}

// chat is a command in a room; its answer has the row's sequence number.
func (s *session) chat(want kernel.Code, seq uint64, m *logv1.ChatCommand) step {
	s.t.Helper()
	return s.wrap(kernel.DomainChat, 0, m, kernel.Verdict{Code: want, Seq: seq})
}
