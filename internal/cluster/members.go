package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/etcdserver/api/membership"
	etcderrors "go.etcd.io/etcd/server/v3/etcdserver/errors"
)

// Member is one member of the log as the membership has it.
type Member struct {
	ID uint64
	// Name is empty until the member has started for the first time.
	Name    string
	PeerURL string
	Learner bool
	Leader  bool
	// Self is the member that was asked.
	Self bool
}

// ErrNoMember: the membership does not have it.
var ErrNoMember = errors.New("the log has no such member")

// errNotSeen: a change is made, and this member has still to see it.
var errNotSeen = errors.New("the change of members has not arrived here yet")

// memberPause is between two attempts at a change of the membership that the cluster refuses for now: a member must have been
// connected for five seconds before the next one comes.
const memberPause = 200 * time.Millisecond

// MemberList is the membership as this member knows it, by peer URL.
func (e *Etcd) MemberList() (ms []Member) {
	leader := e.server.Leader()
	for _, m := range e.server.Cluster().Members() {
		one := Member{ID: uint64(m.ID), Name: m.Name, Learner: m.IsLearner, Leader: m.ID == leader, Self: m.ID == e.server.MemberID()}
		if len(m.PeerURLs) > 0 {
			one.PeerURL = m.PeerURLs[0]
		}
		ms = append(ms, one)
	}
	slices.SortFunc(ms, func(a, b Member) int { return strings.Compare(a.PeerURL, b.PeerURL) })
	return ms
}

// AddLearner announces a member that will start under this URL with Join. It gets the whole log and does not vote. Again under
// the same URL: success again. It repeats what the cluster refuses for now until ctx ends.
func (e *Etcd) AddLearner(ctx context.Context, peerURL string) (Member, error) {
	urls, err := types.NewURLs([]string{peerURL})
	if err != nil {
		return Member{}, fmt.Errorf("%q is not the URL of a member", peerURL)
	}
	now := time.Now()
	m := membership.NewMemberAsLearner("", urls, "", &now)
	err = e.change(ctx, func(ctx context.Context) error {
		if _, ok := e.memberAt(peerURL); ok {
			return nil
		}
		_, err := e.server.AddMember(ctx, *m)
		return err
	})
	if err != nil {
		return Member{}, err
	}
	added, ok := e.memberAt(peerURL)
	if !ok {
		return Member{}, ErrNoMember
	}
	return added, nil
}

// Promote makes a learner a voter as soon as it has caught up. Of a voter: success again.
func (e *Etcd) Promote(ctx context.Context, id uint64) error {
	promoted := false
	return e.change(ctx, func(ctx context.Context) error {
		m, ok := e.member(id)
		switch {
		case !ok:
			return ErrNoMember
		case !m.Learner:
			return nil
		case promoted:
			return errNotSeen
		}
		if _, err := e.server.PromoteMember(ctx, id); err != nil && !errors.Is(err, membership.ErrMemberNotLearner) {
			return err
		}
		promoted = true
		return errNotSeen
	})
}

// RemoveMember ends a membership for good. Of one that is gone: success again. A cluster that would lose its quorum
// refuses until ctx ends.
func (e *Etcd) RemoveMember(ctx context.Context, id uint64) error {
	return e.change(ctx, func(ctx context.Context) error {
		if _, ok := e.member(id); !ok {
			return nil
		}
		_, err := e.server.RemoveMember(ctx, id)
		return err
	})
}

// move says under which URL the others reach this member.
func (e *Etcd) move(ctx context.Context, peerURL string) error {
	return e.change(ctx, func(ctx context.Context) error {
		self := e.server.MemberID()
		if at, ok := e.memberAt(peerURL); ok && at.ID == uint64(self) {
			return nil
		}
		_, err := e.server.UpdateMember(ctx, membership.Member{ID: self, RaftAttributes: membership.RaftAttributes{PeerURLs: []string{peerURL}}})
		return err
	})
}

// DropNode forgets what a node has written about itself: it is no longer part of the cell.
func (e *Etcd) DropNode(ctx context.Context, node NodeID) error {
	return e.insist(ctx, &pb.RequestOp{Request: &pb.RequestOp_RequestDeleteRange{RequestDeleteRange: &pb.DeleteRangeRequest{Key: nodeKey(node)}}})
}

// MoveLeader hands leadership to another voter, if this member has it: to one whose name is fit, or to any if that is nil.
func (e *Etcd) MoveLeader(ctx context.Context, fit func(name string) bool) error {
	return e.moveLeader(ctx, time.Second, fit)
}

// moveLeader asks one voter after the other, each for so long.
func (e *Etcd) moveLeader(ctx context.Context, each time.Duration, fit func(name string) bool) error {
	var last error
	for _, id := range e.voters() {
		self := e.server.MemberID()
		if e.server.Leader() != self {
			return nil
		}
		if m := e.server.Cluster().Member(id); id == self || fit != nil && (m == nil || !fit(m.Name)) {
			continue
		}
		one, cancel := context.WithTimeout(ctx, each)
		last = e.server.MoveLeader(one, uint64(self), uint64(id))
		cancel()
	}
	return last
}

// change repeats a change of the membership until it is done, is refused for good, or ctx ends; then it says what the
// last refusal was.
func (e *Etcd) change(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := e.untilStopped(ctx)
	defer cancel()
	for {
		one, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := fn(one)
		cancel()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrNoMember), errors.Is(err, membership.ErrIDNotFound), errors.Is(err, membership.ErrIDRemoved):
			return ErrNoMember
		}
		if e.isStopped() {
			return ErrStopped
		}
		pause := memberPause
		if errors.Is(err, errNotSeen) {
			pause = retryPause
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the members of the log were not changed: %w", why(err))
		case <-time.After(pause):
		}
	}
}

// why says in our words what etcd refuses.
func why(err error) error {
	switch {
	case errors.Is(err, etcderrors.ErrLearnerNotReady):
		return errors.New("the new member has not caught up yet")
	case errors.Is(err, etcderrors.ErrUnhealthy), errors.Is(err, etcderrors.ErrNotEnoughStartedMembers):
		return errors.New("too few members are connected: another change could stop the whole cluster")
	case errors.Is(err, membership.ErrTooManyLearners):
		return errors.New("another member is joining at the moment")
	}
	return err
}

func (e *Etcd) member(id uint64) (Member, bool) {
	for _, m := range e.MemberList() {
		if m.ID == id {
			return m, true
		}
	}
	return Member{}, false
}

func (e *Etcd) memberAt(peerURL string) (Member, bool) {
	for _, m := range e.MemberList() {
		if m.PeerURL == peerURL {
			return m, true
		}
	}
	return Member{}, false
}
