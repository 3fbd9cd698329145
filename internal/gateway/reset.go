package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
)

// resetValid is how long a one-time code can be used.
const resetValid = 24 * time.Hour

// ResetPassword makes a one-time code with which the owner of an account logs in once and must choose a new password.
// It is the operator's call, on this machine only; the code itself is kept nowhere.
func (g *Gateway) ResetPassword(ctx context.Context, handle string) (code string, untilMs uint64, err error) {
	snap := g.k.Snapshot(kernel.DomainPeople)
	user, ok := people.FindHandle(snap, handle)
	snap.Close()
	if !ok {
		return "", 0, fmt.Errorf("nobody has the handle %q", handle)
	}
	var b [10]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", 0, err
	}
	text := ids.Text(b[:])
	code = text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
	hash, err := g.hasher.hash(ctx, code)
	if err != nil {
		return "", 0, err
	}
	untilMs = g.k.Now() + uint64(resetValid.Milliseconds())
	cmd, err := proto.Marshal(&logv1.PeopleCommand{User: user[:], Op: &logv1.PeopleCommand_ResetPassword{
		ResetPassword: &logv1.ResetPassword{OneTimePhc: hash, UntilMs: untilMs}}})
	if err != nil {
		return "", 0, err
	}
	if _, err := g.submit(ctx, kernel.DomainPeople, cmd); err != nil {
		return "", 0, errors.Join(errors.New("the code could not be stored"), err)
	}
	return code, untilMs, nil
}
