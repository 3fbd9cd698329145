package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
)

// What a program of the operator may do beyond a client: say which accounts it drives, make people friends, and learn
// of sign-ups. It comes over the operator's socket only.

// MarkSimulated says that a program drives the account.
func (g *Gateway) MarkSimulated(ctx context.Context, handle string) error {
	user, err := g.byHandle(handle)
	if err != nil {
		return err
	}
	return g.operate(ctx, &logv1.PeopleCommand{User: user[:], Op: &logv1.PeopleCommand_MarkSimulated{MarkSimulated: &logv1.MarkSimulated{}}})
}

// Befriend puts a person and each of others on one another's lists of friends.
func (g *Gateway) Befriend(ctx context.Context, handle string, others []string) error {
	user, err := g.byHandle(handle)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(others, people.MaxBefriend) {
		op := &logv1.Befriend{}
		for _, h := range some {
			other, err := g.byHandle(h)
			if err != nil {
				return err
			}
			op.Others = append(op.Others, other[:])
		}
		if err := g.operate(ctx, &logv1.PeopleCommand{User: user[:], Op: &logv1.PeopleCommand_Befriend{Befriend: op}}); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gateway) operate(ctx context.Context, cmd *logv1.PeopleCommand) error {
	if _, err := g.submitPeople(ctx, cmd); err != nil {
		return errors.Join(errors.New("it could not be stored"), err)
	}
	return nil
}

func (g *Gateway) byHandle(handle string) (user ids.User, err error) {
	return user, g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		var ok bool
		if user, ok = people.FindHandle(s, handle); !ok {
			return fmt.Errorf("nobody has the handle %q", handle)
		}
		return nil
	})
}

// SignedUp is an account as the operator sees it.
type SignedUp struct {
	User        string `json:"user"`
	Handle      string `json:"handle"`
	DisplayName string `json:"display_name"`
	CreatedMs   uint64 `json:"created_ms"`
	Simulated   bool   `json:"simulated,omitempty"`
}

// cursor says how far somebody has followed the sign-ups: the time of the newest one seen, and how many had that time.
// Times never go back, but several sign-ups may share one.
type cursor struct {
	time, count uint64
}

func (c cursor) String() string { return fmt.Sprintf("%d.%d", c.time, c.count) }

func parseCursor(s string) (c cursor, err error) {
	if s == "" {
		return c, nil
	}
	if n, err := fmt.Sscanf(s, "%d.%d", &c.time, &c.count); err != nil || n != 2 || c.String() != s {
		return c, errors.New("this is not a cursor of an answer")
	}
	return c, nil
}

// SignUps lists the open accounts made after what the cursor has seen, oldest first (an empty cursor: all), and the
// cursor for the next call. With none it waits for one until ctx ends, which is then no error. Nobody is left out; those
// who signed up in the same millisecond as the newest one seen may be named twice. Each answer reads all accounts.
func (g *Gateway) SignUps(ctx context.Context, after string) (list []SignedUp, next string, err error) {
	seen, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	for {
		more := g.hub.signUps() // before the reading, so that none falls between
		now := cursor{}
		err := g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
			at := map[uint64]uint64{}
			people.Accounts(s, func(a people.Account) bool {
				if a.Created < seen.time {
					return true
				}
				at[a.Created]++
				now.time = max(now.time, a.Created)
				if !a.Closed {
					list = append(list, SignedUp{a.ID.String(), a.Handle, a.DisplayName, a.Created, a.Simulated})
				}
				return true
			})
			now.count = at[now.time]
			if at[seen.time] <= seen.count {
				list = slices.DeleteFunc(list, func(u SignedUp) bool { return u.CreatedMs == seen.time })
			}
			return nil
		})
		if err != nil {
			return nil, "", err
		}
		if len(list) > 0 {
			slices.SortStableFunc(list, func(a, b SignedUp) int { return int(min(1, max(-1, int64(a.CreatedMs)-int64(b.CreatedMs)))) })
			return list, now.String(), nil
		}
		if now.time >= seen.time {
			seen = now
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, seen.String(), nil
		}
	}
}

// SetOperator gives or takes the role of operator, for somebody at a terminal of this site.
func (g *Gateway) SetOperator(ctx context.Context, handle string, yes bool) error {
	user, err := g.byHandle(handle)
	if err != nil {
		return err
	}
	here, _ := g.sites()
	if yes {
		return g.operate(ctx, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_GrantRole{GrantRole: &logv1.GrantRole{Whom: user[:], Role: people.Operator, Site: here}}})
	}
	return g.operate(ctx, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RevokeRole{RevokeRole: &logv1.RevokeRole{Whom: user[:], Role: people.Operator, Site: here}}})
}

// RecordAct writes down what somebody did at a terminal of this site.
func (g *Gateway) RecordAct(ctx context.Context, what, on string) error {
	here, _ := g.sites()
	return g.operate(ctx, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RecordAct{RecordAct: &logv1.RecordAct{Site: here, What: what, On: on}}})
}

// RecordDrill writes down what a drill found.
func (g *Gateway) RecordDrill(ctx context.Context, d *logv1.RecordDrill) error {
	return g.operate(ctx, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RecordDrill{RecordDrill: d}})
}

// OperatorAt is one of the operators.
type OperatorAt struct {
	Handle      string `json:"handle"`
	DisplayName string `json:"display_name"`
	SinceMs     uint64 `json:"since_ms"`
}

// OperatorList lists who has the role.
func (g *Gateway) OperatorList() (list []OperatorAt, err error) {
	return list, g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		for _, o := range people.Operators(s) {
			a, _ := people.GetAccount(s, o.User)
			list = append(list, OperatorAt{a.Handle, a.DisplayName, o.Since})
		}
		return nil
	})
}

// LastHeld is when the newest drill ended that held, Unix ms; 0: none did.
func (g *Gateway) LastHeld() (held uint64, err error) {
	return held, g.read(kernel.DomainPeople, func(s kernel.Snapshot) error { held = people.LastHeld(s); return nil })
}

// FirstDay is when the first account was made. It needs no ready node: the past does not change.
func (g *Gateway) FirstDay() (first uint64, err error) {
	defer kernel.CatchStorage(&err)
	s := g.k.Snapshot(kernel.DomainPeople)
	defer s.Close()
	people.Accounts(s, func(a people.Account) bool {
		if first == 0 || a.Created < first {
			first = a.Created
		}
		return true
	})
	return first, nil
}
