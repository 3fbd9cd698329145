package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// Invite makes an invitation in the operator's name: where people sign up by invitation only, the first has nobody to
// ask. The secret is kept nowhere.
func (g *Gateway) Invite(ctx context.Context, uses uint32, valid time.Duration) (secret string, untilMs uint64, err error) {
	var b [15]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", 0, err
	}
	secret = ids.Text(b[:])
	hash := HashInvitation(secret)
	untilMs = g.k.Now() + uint64(valid.Milliseconds())
	cmd, err := proto.Marshal(&logv1.PeopleCommand{Op: &logv1.PeopleCommand_CreateInvitation{
		CreateInvitation: &logv1.CreateInvitation{SecretHash: hash[:], UntilMs: untilMs, Uses: uses}}})
	if err != nil {
		return "", 0, err
	}
	if _, err := g.submit(ctx, kernel.DomainPeople, cmd); err != nil {
		return "", 0, errors.Join(errors.New("the invitation could not be stored"), err)
	}
	return secret, untilMs, nil
}
