package gateway

import (
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// sink is an Outbound that only counts.
type sink struct{ frames int }

func (s *sink) Send(Encoded) bool    { s.frames++; return true }
func (s *sink) Queued() int          { return 0 }
func (s *sink) Flush()               {}
func (s *sink) FlushSoon()           {}
func (s *sink) Drop()                {}
func (s *sink) Ping()                {}
func (s *sink) Close(uint16, string) {}

// BenchmarkFanOut delivers one message to a room of 50; per delivery divide by 49.
func BenchmarkFanOut(b *testing.B) {
	r := newRig(b, nil)
	owner := r.person("owner")
	var all []*someone
	for i := range 49 {
		all = append(all, r.person(fmt.Sprintf("user%03d", i)))
	}
	room := r.group(owner, all...)
	out := &sink{}
	for _, p := range all {
		s := NewSession(r.g.Hub(), out, false)
		s.Frame(p.hello(nil))
	}
	out.frames = 0
	b.ReportAllocs()
	n := r.k.n
	for i := 0; b.Loop(); i++ {
		n++
		r.g.Applied(kernel.Applied{Domain: kernel.DomainChat, Pos: kernel.Position{Epoch: testEpoch, N: n}, Time: 1, Events: []any{
			chat.MessageAdded{Message: chat.Message{Room: room, Seq: uint64(10 + i), Kind: chat.KindText, Author: owner.user, Text: "점심 같이 먹을래요?"}},
		}})
	}
	b.ReportMetric(float64(out.frames)/float64(b.N), "deliveries/op")
}

// instant answers every command at once and keeps nothing: what is left is the gateway's own work.
type instant struct {
	*fakeKernel
	n, seq uint64
}

func (k *instant) Submit(_ byte, _ []byte, done func(kernel.Result)) error {
	k.n++
	k.seq++
	done(kernel.Result{Pos: kernel.Position{Epoch: testEpoch, N: k.n}, Time: 1, Verdict: kernel.Verdict{Seq: k.seq}})
	return nil
}

// BenchmarkSend is everything the gateway does for a 1:1 message but the two writes: decode, check, submit, one event
// for the peer, one Ack.
func BenchmarkSend(b *testing.B) {
	r := newRig(b, nil)
	x, y := r.person("alice"), r.person("bobby")
	out := &sink{}
	sx, sy := NewSession(r.g.Hub(), out, false), NewSession(r.g.Hub(), out, false)
	room := ids.Direct(x.user, y.user)
	la := x.live()
	la.Frame(x.sendTo(y, "first"))
	la.Session.Close()
	sx.Frame(x.hello(nil))
	sy.Frame(y.hello(nil))
	k := &instant{fakeKernel: r.k, n: r.k.n, seq: 1}
	r.g.k = k
	r.g.o.Limits.CommandsPerSecond = 1 << 30
	frame, err := proto.Marshal(&livev1.Frame{Id: 5, Body: &livev1.Frame_Send{Send: &apiv1.SendRequest{
		Name: named8(2, 2), Room: room.String(), Text: "점심 같이 먹을래요?", ReadSeq: 1,
	}}})
	if err != nil {
		b.Fatal(err)
	}
	out.frames = 0
	b.ReportAllocs()
	for b.Loop() {
		f, err := DecodeFrame(false, frame)
		if err != nil {
			b.Fatal(err)
		}
		sx.Frame(f)
		r.g.Applied(kernel.Applied{Domain: kernel.DomainChat, Pos: kernel.Position{Epoch: testEpoch, N: k.n}, Time: 1, Events: []any{
			chat.MessageAdded{Message: chat.Message{Room: room, Seq: k.seq, Kind: chat.KindText, Author: x.user, Device: x.device, N: 2, Text: "점심 같이 먹을래요?"}},
			chat.ReadMoved{Room: room, User: x.user, Seq: k.seq},
		}})
	}
	b.ReportMetric(float64(out.frames)/float64(b.N), "frames/op")
}
