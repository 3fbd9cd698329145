package sim

import (
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Disks that fill up. What a node does about it is the server's rule: it looks once a second, takes no commands below the reserve,
// and below twice the reserve gives leadership to a node that is fit for it. An engine that meets a full disk ends its process.

const (
	diskSize = 100 << 30
	// lookEvery is between two looks at the disk; soon is when what it says must have been noticed, on a node that runs.
	lookEvery = time.Second
	soon      = lookEvery + 100*time.Millisecond
	// mayLead is for how long a node may lead that is not fit for it while another one is.
	mayLead = 2 * time.Second
)

// disk is a node's disk.
type disk struct {
	free uint64
	// changed is when it last became full, or was no longer.
	changed time.Duration
}

func (n *node) isFull() bool { return kernel.DiskOf(n.disk.free, diskSize) == kernel.DiskFull }

func (n *node) low() bool { return kernel.DiskOf(n.disk.free, diskSize) != kernel.DiskFine }

// leave leaves so much room on the disk.
func (n *node) leave(free uint64) {
	was := n.isFull()
	n.disk.free = free
	if n.isFull() != was {
		n.disk.changed = n.now
	}
	n.tell("node %d has %d MiB of its disk left", n.i, free>>20)
}

// watch is what a node looks at once a second.
func (n *node) watch() {
	s := n.quorum.sites
	if s == nil {
		return
	}
	n.full = n.isFull()
	if s.leader == n.i && n.unfit() {
		if able := s.others(func(o *node) bool { return o.ready() && !o.unfit() }); len(able) > 0 { // or else two would hand it to and fro
			s.given++
			s.handTo(able, n.between(50*time.Millisecond, 150*time.Millisecond))
		}
	}
	n.at(lookEvery, "watch", n.watch)
}

// unfit: this node must not lead, if another one can.
func (n *node) unfit() bool { return n.low() || n.skew.Off(n.time()) != 0 }

// fill lets disks fill up, of one node, of two or of all, to where a node does not lead, takes nothing, or meets the end of the
// disk, perhaps while another one burns. Then there is room again.
func (f *fire) fill(then func()) {
	count := 1
	if f.chance(0.5) {
		count = 2 + f.rng.IntN(members-1)
	}
	reserve := kernel.Reserve(diskSize)
	order := f.rng.Perm(members)
	f.quorum.sites.given = 0
	for _, i := range order[:count] {
		n := f.nodes[i]
		for k, free := range []uint64{reserve * 3 / 2, reserve / 2, 0}[:1+f.rng.IntN(3)] {
			at := time.Duration(2*k) * time.Second
			f.later(at, at+2*time.Second, func() {
				if n.leave(free); free == 0 {
					f.later(0, 300*time.Millisecond, func() { f.note("an engine met the end of its disk"); n.crash(false) })
				}
			})
		}
	}
	if count < members && f.chance(0.3) {
		f.later(time.Second, 6*time.Second, func() { f.burn(f.nodes[order[members-1]], func() {}) })
	}
	f.later(7*time.Second, 20*time.Second, func() {
		if given := f.quorum.sites.given; given > 2*members {
			f.fail("the lead was given away %d times while disks were nearly full", given)
		}
		for _, i := range order[:count] {
			f.nodes[i].leave(diskSize)
			f.up(f.nodes[i])
		}
		f.later(time.Second, 2*time.Second, then)
	})
}

// checkDisk holds the answer to a command against the disk as it is.
func (f *fire) checkDisk(n *node, err error) {
	since := f.now - max(n.disk.changed, n.woke)
	if since <= soon || n.batcher == nil {
		return
	}
	switch full := n.isFull(); {
	case full && err != kernel.ErrDiskFull:
		f.fail("node %d answers a command with %v, and its disk has been full for %v", n.i, err, since)
	case !full && err == kernel.ErrDiskFull:
		f.fail("node %d takes no commands, and has had room for %v", n.i, since)
	}
}

// whoLeads looks all the time whether a node leads whose disk is nearly full, while another one is fit for it.
func (f *fire) whoLeads() {
	const every = 50 * time.Millisecond
	s := f.quorum.sites
	last := s.leader
	could := make([]time.Duration, members) // for how long each node could have led instead
	var look func()
	look = func() {
		f.After(every, "who leads", 0, func() {
			if f.over {
				return
			}
			l := f.nodes[s.leader]
			wrong := s.leader == last && s.able() && f.now > s.election && l.low() && f.now-l.woke > every
			last = s.leader
			for i, n := range f.nodes {
				if could[i] += every; !wrong || n == l || !s.alive(i) || !n.ready() || n.unfit() {
					could[i] = 0
				}
				if could[i] > mayLead {
					f.fail("node %d leads with a disk that is nearly full, and for %v node %d could", l.i, could[i], i)
				}
			}
			look()
		})
	}
	look()
}
