package cluster

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestSimStateGuard(t *testing.T) {
	s := NewSimState()
	a, inc1, inc2 := NodeID{1}, Incarnation{1}, Incarnation{2}
	propose := func(epoch uint32, inc Incarnation, version int64) Answer {
		return s.Apply(ProposeOp(Proposal{Epoch: epoch, Node: a, Incarnation: inc, Version: version, Entry: []byte("x")}))
	}
	if propose(7, inc1, 0).In {
		t.Fatal("an entry got in before there was an epoch")
	}
	if got := s.Apply(Op{Kind: OpInit, Epoch: 7}); !got.In || got.N != 1 || s.Head(7) != 1 {
		t.Fatalf("init: %+v, head %d", got, s.Head(7))
	}
	if s.Apply(Op{Kind: OpInit, Epoch: 7}).In || s.Apply(Op{Kind: OpInit, Epoch: 6}).In || s.Head(7) != 1 {
		t.Fatal("an epoch was created twice, or an older one after it")
	}
	if got := s.Apply(OpenOp(a, 0, inc1)); !got.In || got.State != (ProducerState{Version: 1, Incarnation: inc1, Epoch: 7}) {
		t.Fatalf("open: %+v", got)
	}
	if got := propose(7, inc1, 1); !got.In || got.N != 2 || got.State.Version != 2 {
		t.Fatalf("first proposal: %+v", got)
	}
	if got := propose(7, inc1, 1); got.In || got.N != 0 || got.State != (ProducerState{Version: 2, Incarnation: inc1, Epoch: 7}) {
		t.Fatalf("the same again: %+v", got)
	}
	if propose(6, inc1, 2).In {
		t.Fatal("an entry of another epoch got in")
	}
	if !s.Apply(OpenOp(a, 2, inc2)).In || propose(7, inc1, 2).In {
		t.Fatal("a closed incarnation got an entry in")
	}
	if got := s.Apply(Op{Kind: OpInit, Epoch: 9}); !got.In || got.N != 1 || s.Epoch() != 9 || propose(7, inc2, 3).In {
		t.Fatalf("the next epoch does not end the last one: %+v", got)
	}
}

func TestSimStateHistory(t *testing.T) {
	s := NewSimState()
	s.Apply(Op{Kind: OpInit, Epoch: 1})
	s.Apply(OpenOp(NodeID{1}, 0, Incarnation{1}))
	for i := range int64(20) {
		s.Apply(ProposeOp(Proposal{Epoch: 1, Node: NodeID{1}, Incarnation: Incarnation{1}, Version: i + 1, Entry: fmt.Append(nil, i)}))
		s.Apply(Op{Kind: OpSetNode, Info: Node{ID: NodeID{byte(i % 3)}, Behaviour: uint32(i)}})
	}
	all, err := s.Records(1, 0, 100)
	if err != nil || len(all) != 21 || all[20].N != 21 || string(all[20].Value) != "19" {
		t.Fatalf("%d records, %v", len(all), err)
	}
	if err := s.CheckCursor(1, 5, all[4].Cursor); err != nil {
		t.Fatal(err)
	}
	if err := s.CheckCursor(1, 5, all[5].Cursor); err == nil {
		t.Fatal("the cursor of another entry was taken")
	}
	s.Compact(10)
	if _, err := s.Records(1, 9, 100); !errors.Is(err, ErrCompacted) {
		t.Fatalf("entry 10 after trimming it: %v", err)
	}
	if rest, err := s.Records(1, 10, 12); err != nil || len(rest) != 2 || rest[0].N != 11 {
		t.Fatalf("%v, %v", rest, err)
	}
	if s.Compact(100); s.Head(1) != 21 {
		t.Fatalf("trimming moved the head to %d", s.Head(1))
	}
	if len(all) != 21 || all[0].N != 1 {
		t.Fatal("trimming changed a slice that was handed out")
	}
	if nodes := s.Nodes(); len(nodes) != 3 || nodes[0].Behaviour != 18 || nodes[2].ID != (NodeID{2}) {
		t.Fatalf("%+v", nodes)
	}
}

// The same operations give the same answers, and whatever is doubled or reordered, each proposal is in at most once.
func TestSimStateRandom(t *testing.T) {
	run := func(seed uint64) (answers []Answer, in map[string]int) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s, in := NewSimState(), map[string]int{}
		s.Apply(Op{Kind: OpInit, Epoch: 1})
		var sent []Op
		for i := range 400 {
			node := NodeID{byte(rng.IntN(2))}
			if len(sent) > 0 && rng.IntN(3) == 0 {
				answers = append(answers, s.Apply(sent[rng.IntN(len(sent))]))
				continue
			}
			p := s.Producer(node)
			op := OpenOp(node, p.Version, Incarnation{byte(i), byte(i >> 8)})
			if p.Version > 0 && rng.IntN(8) > 0 {
				op = ProposeOp(Proposal{Epoch: 1, Node: node, Incarnation: p.Incarnation, Version: p.Version, Entry: fmt.Append(nil, i)})
			}
			sent = append(sent, op)
			if rng.IntN(4) > 0 {
				answers = append(answers, s.Apply(op))
			}
		}
		records, err := s.Records(1, 1, s.Head(1))
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range records {
			if r.N != uint64(i)+2 {
				t.Fatalf("seed %d: entry %d at place %d", seed, r.N, i)
			}
			in[string(r.Value)]++
		}
		return answers, in
	}
	for seed := range uint64(50) {
		a, in := run(seed)
		b, _ := run(seed)
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Fatalf("seed %d gives other answers the second time", seed)
		}
		for v, n := range in {
			if n != 1 {
				t.Fatalf("seed %d: proposal %s is in %d times", seed, v, n)
			}
		}
	}
}
