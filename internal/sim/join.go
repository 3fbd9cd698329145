package sim

import (
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/cluster"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// join is a node on its way into the cell, step by step: let in under a new id (unless it keeps its own, because only its
// views are gone), given a checkpoint of another's views, started on it, and made a voter when it is ready. Whoever takes part
// may be killed at any step.
type join struct {
	*fire
	n     *node
	keeps bool
	step  joinStep
	// from makes the checkpoint; asked again when there is none at this time.
	from    *node
	until   time.Duration
	offered []*kernel.MemStore
}

type joinStep int

const (
	stepAdmit joinStep = iota
	stepAsk
	stepOffer
	stepCopy
	stepLearn
)

// joins begins to bring a node in that is not up.
func (f *fire) joins(n *node, keeps bool) {
	j := &join{fire: f, n: n, keeps: keeps}
	if keeps {
		j.step = stepAsk
	} else {
		n.absent = true
	}
	f.joining[n] = j
	j.again()
}

func (j *join) again() {
	j.After(j.between(5*time.Millisecond, 150*time.Millisecond), "join", j.n.i, func() {
		if j.joining[j.n] == j && j.do() {
			j.again()
		}
	})
}

// do makes the next step if it can be made; false when nothing is left.
func (j *join) do() bool {
	n, m := j.n, j.quorum.members[j.n.i]
	switch j.step {
	case stepAdmit:
		if !j.quorum.sites.able() || j.door() == nil {
			return true
		}
		j.made++
		n.id = cluster.NodeID{'n', byte(n.i), byte(j.made >> 8), byte(j.made)}
		m.voter, m.visible = false, 1
		j.quorum.state.Apply(cluster.Op{Kind: cluster.OpSetNode, Info: cluster.Node{ID: n.id, Behaviour: kernel.Behaviour}})
		j.step = stepAsk
	case stepAsk:
		if j.from = j.door(); j.from == nil {
			return true
		}
		b, err := proto.Marshal(&logv1.KernelCommand{Op: &logv1.KernelCommand_Checkpoint{Checkpoint: &logv1.Checkpoint{Label: "node"}}})
		if err != nil {
			j.fail("a checkpoint cannot be encoded: %v", err)
			return false
		}
		from := j.from
		from.wanted, from.offered = true, map[int]*kernel.MemStore{}
		j.until = j.now + 3*time.Second
		j.step = stepOffer
		err = from.submit(kernel.Waiting{Domain: kernel.DomainKernel, Bytes: b, Done: func(r kernel.Result) {
			if r.Err == nil && j.step == stepOffer && j.from == from && len(from.offered) == len(j.domains) {
				j.offered = nil
				for d := range j.domains {
					j.offered = append(j.offered, from.offered[d])
				}
				from.wanted, from.offered = false, nil
				j.step, j.until = stepCopy, j.now+j.between(50*time.Millisecond, 3*time.Second)
			}
		}})
		if err != nil {
			j.step = stepAsk
		}
	case stepOffer:
		if j.now > j.until {
			j.step = stepAsk
		}
	case stepCopy:
		switch {
		case j.now < j.until:
		case !j.from.up || j.from.paused || j.quorum.members[j.from.i].cut:
			if j.chance(0.1) { // not waited for any longer: another must make one
				j.step = stepAsk
			}
		default:
			j.install()
			j.step = stepLearn
		}
	case stepLearn:
		if n.ready() && j.quorum.sites.able() {
			m.voter = true
			delete(j.joining, n)
			return false
		}
	}
	return true
}

// door is a node that lets others in, and copies from it.
func (j *join) door() *node {
	var open []*node
	for _, n := range j.nodes {
		if n != j.n && n.up && !n.paused && !n.absent && !n.flipped && !j.quorum.members[n.i].cut && n.ready() {
			open = append(open, n)
		}
	}
	if len(open) == 0 {
		return nil
	}
	return open[j.rng.IntN(len(open))]
}

// install puts what was copied in the place of the node's views, and starts it.
func (j *join) install() {
	n := j.n
	for d, s := range j.offered {
		v, err := j.newView()
		if err == nil {
			snap := s.Snapshot()
			err = copyRows(v, snap)
			snap.Close()
		}
		if err == nil {
			err = n.views[d].Close()
		}
		if err != nil {
			j.fail("node %d: views cannot be installed: %v", n.i, err)
			return
		}
		n.views[d] = v
	}
	n.flipped, n.absent = false, false
	j.quorum.spread(n.i)
	n.start()
}
