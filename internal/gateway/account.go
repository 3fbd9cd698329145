package gateway

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
	"github.com/bonghwa/bonghwa/internal/text"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// accounts is AccountService: what a stranger may call. Everything here is limited by address.
type accounts struct{ g *Gateway }

func (a accounts) GetServer(context.Context, *apiv1.GetServerRequest) (*apiv1.GetServerResponse, error) {
	g := a.g
	here, all := g.sites()
	return &apiv1.GetServerResponse{
		Site: here, Sites: all,
		Cell: fmt.Sprintf("%04x", g.o.Cell), Position: position(g.k.Position()), Signup: g.o.Signup, Version: g.o.Version, TimeMs: g.k.Now(),
		WebBuild: g.o.WebBuild,
	}, nil
}

// limit spends a token of key; none left is TOO_MANY_TRIES with the wait.
func (g *Gateway) limit(l *limiter, key string) error {
	if wait := l.take(g.now(), key); wait > 0 {
		return retryAfter(apiv1.Reason_REASON_TOO_MANY_TRIES, millisUp(wait))
	}
	return nil
}

// pace spends a token of key; none left is BUSY with the wait, which a client obeys without asking anybody.
func (g *Gateway) pace(l *limiter, key string) error {
	if wait := l.take(g.now(), key); wait > 0 {
		return retryAfter(apiv1.Reason_REASON_BUSY, millisUp(wait))
	}
	return nil
}

// paceSession spends a token of a session and one of its person; who has many sessions gets no more by them than a few have.
func (g *Gateway) paceSession(session, person *limiter, c *caller) error {
	if err := g.pace(session, string(c.token[:])); err != nil {
		return err
	}
	err := g.pace(person, string(c.user[:]))
	if err != nil {
		session.back(string(c.token[:]))
	}
	return err
}

func millisUp(d time.Duration) uint64 { return uint64((d + time.Millisecond - 1) / time.Millisecond) }

func (a accounts) CheckHandle(ctx context.Context, r *apiv1.CheckHandleRequest) (*apiv1.CheckHandleResponse, error) {
	g := a.g
	if err := g.limit(g.tries.lookUps, addressOf(ctx)); err != nil {
		return nil, err
	}
	out := &apiv1.CheckHandleResponse{}
	err := g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		out.Free = !people.HandleTaken(s, r.Handle)
		return nil
	})
	return out, err
}

func (a accounts) SignUp(ctx context.Context, r *apiv1.SignUpRequest) (*apiv1.SignUpResponse, error) {
	g := a.g
	up, err := signUpOf(r)
	if err != nil {
		return nil, err
	}
	user := ids.NewUser(g.o.Cell, r.Random)
	token := ids.HashToken(r.Token)
	up.TokenHash = token[:]
	// What is answered before the hash tells which handles exist: as rarely as CheckHandle does.
	if err := g.limit(g.tries.lookUps, addressOf(ctx)); err != nil {
		return nil, err
	}
	var again *apiv1.SignUpResponse
	err = g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		if acc, ok := people.GetAccount(s, user); ok {
			if acc.TokenHash != token {
				return fail(apiv1.Reason_REASON_ID_REUSED)
			}
			again = &apiv1.SignUpResponse{User: user.String(), Handle: acc.Handle, Position: position(s.Position())}
			return nil
		}
		return g.admitSignUp(s, r, up)
	})
	if err != nil || again != nil {
		return again, err
	}
	if err := g.limit(g.tries.signUps, addressOf(ctx)); err != nil {
		return nil, err
	}
	password, err := text.Password(r.Password)
	if err != nil {
		return nil, invalidText("password", err)
	}
	if up.Phc, err = g.hasher.hash(ctx, password); err != nil {
		return nil, err
	}
	res, err := g.submitPeople(ctx, &logv1.PeopleCommand{User: user[:], Op: &logv1.PeopleCommand_SignUp{SignUp: up}})
	if err != nil {
		return nil, err
	}
	out := &apiv1.SignUpResponse{User: user.String(), Handle: up.Handle, Position: position(res.Pos)}
	s := g.k.Snapshot(kernel.DomainPeople)
	defer s.Close()
	if acc, ok := people.GetAccount(s, user); ok {
		out.Handle = acc.Handle // of the first of two equal sign-ups
	}
	return out, nil
}

func signUpOf(r *apiv1.SignUpRequest) (up *logv1.SignUp, err error) {
	up = &logv1.SignUp{Device: r.Device}
	if up.Handle, err = text.Handle(r.Handle); err != nil {
		return nil, invalidText("handle", err)
	}
	if up.DisplayName, err = text.Name(r.DisplayName); err != nil {
		return nil, invalidText("display_name", err)
	}
	if _, err = text.Password(r.Password); err != nil {
		return nil, invalidText("password", err)
	}
	if up.DeviceLabel, err = text.Label(r.DeviceLabel); err != nil {
		return nil, invalidText("device_label", err)
	}
	return up, nil
}

// HashInvitation is the form in which the secret of an invitation is known to the server: the sha256 of its text as it
// stands in the link.
func HashInvitation(secret string) [32]byte { return sha256.Sum256([]byte(secret)) }

// admitSignUp says before the costly hash what Apply would say after it, and who may sign up at all.
func (g *Gateway) admitSignUp(s kernel.Reader, r *apiv1.SignUpRequest, up *logv1.SignUp) error {
	switch g.o.Signup {
	case SignupClosed:
		return fail(apiv1.Reason_REASON_SIGNUP_CLOSED)
	case SignupInvite:
		id := HashInvitation(r.Invitation)
		inv, ok := people.GetInvitation(s, id)
		if r.Invitation == "" || !ok || inv.Revoked || inv.Used >= inv.Uses || inv.Until <= g.k.Now() {
			return fail(apiv1.Reason_REASON_BAD_INVITATION)
		}
		up.Invitation = id[:]
	}
	if people.HandleTaken(s, up.Handle) {
		return fail(apiv1.Reason_REASON_HANDLE_TAKEN)
	}
	return nil
}

// submitPeople submits a command of an account and waits.
func (g *Gateway) submitPeople(ctx context.Context, c *logv1.PeopleCommand) (kernel.Result, error) {
	b, err := proto.Marshal(c)
	if err != nil {
		return kernel.Result{}, err
	}
	return g.submit(ctx, kernel.DomainPeople, b)
}

func (a accounts) LogIn(ctx context.Context, r *apiv1.LogInRequest) (*apiv1.LogInResponse, error) {
	g := a.g
	label, err := text.Label(r.DeviceLabel)
	if err != nil {
		return nil, invalidText("device_label", err)
	}
	token := ids.HashToken(r.Token)
	var user ids.User
	var acc people.Account
	var cred people.Credential
	var again *apiv1.LogInResponse
	err = g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		if u, ok := people.FindHandle(s, r.Handle); ok {
			user = u
			acc, _ = people.GetAccount(s, u)
			cred, _ = people.GetCredential(s, u)
		}
		// A token that is known is the same log-in again: whoever knows it has the session already.
		if old, ok := people.GetSession(s, token); ok {
			switch {
			case old.Revoked != 0:
				return fail(apiv1.Reason_REASON_SESSION_REVOKED)
			case old.User != user:
				return fail(apiv1.Reason_REASON_ID_REUSED)
			}
			again = &apiv1.LogInResponse{User: user.String(), Handle: acc.Handle, Position: position(s.Position()), MustChangePassword: old.OneTime}
		}
		return nil
	})
	if err != nil || again != nil {
		return again, err
	}
	oneTime, err := g.verify(ctx, r.Handle, r.Password, cred, cred.OneTimeUntil > g.k.Now())
	if err != nil {
		return nil, err
	}
	res, err := g.submitPeople(ctx, &logv1.PeopleCommand{User: user[:], Op: &logv1.PeopleCommand_LogIn{LogIn: &logv1.LogIn{
		TokenHash: token[:], Device: r.Device, DeviceLabel: label, CredentialVersion: cred.Version, OneTime: oneTime,
	}}})
	if err != nil {
		return nil, err
	}
	return &apiv1.LogInResponse{User: user.String(), Handle: acc.Handle, Position: position(res.Pos), MustChangePassword: oneTime}, nil
}

// verify checks a password, or a one-time code where that is allowed. A try is counted before the hash, so that many at
// once count too, and given back when it was right. An account that is not there costs the same.
func (g *Gateway) verify(ctx context.Context, handle, password string, cred people.Credential, code bool) (oneTime bool, err error) {
	key := handleKey(handle)
	address := addressOf(ctx)
	if err := g.limit(g.tries.passwordAddress, address); err != nil {
		return false, err
	}
	if err := g.limit(g.tries.passwordHandle, key); err != nil {
		g.tries.passwordAddress.back(address)
		return false, err
	}
	back := func() {
		g.tries.passwordAddress.back(address)
		g.tries.passwordHandle.back(key)
	}
	// What cannot be a password is checked all the same: it might be a code, and the time tells nothing.
	if p, err := text.Password(password); err == nil {
		password = p
	}
	ok, err := g.hasher.verify(ctx, cred.PHC, password)
	if err != nil {
		back()
		return false, err
	}
	if !ok && code && cred.OneTimePHC != "" {
		if oneTime, err = g.hasher.verify(ctx, cred.OneTimePHC, password); err != nil {
			back()
			return false, err
		}
	}
	if !ok && !oneTime {
		return false, fail(apiv1.Reason_REASON_BAD_CREDENTIALS)
	}
	back()
	return oneTime, nil
}

// handleKey is the limiter's key of a handle, whatever was typed.
func handleKey(handle string) string {
	if h, err := text.Handle(handle); err == nil {
		return h
	}
	return "" // all that is no handle shares one bucket: none of it can be an account
}

func (a accounts) RequestDeviceCode(ctx context.Context, r *apiv1.RequestDeviceCodeRequest) (*apiv1.RequestDeviceCodeResponse, error) {
	g := a.g
	label, err := text.Label(r.DeviceLabel)
	if err != nil {
		return nil, invalidText("device_label", err)
	}
	if err := g.limit(g.tries.signUps, addressOf(ctx)); err != nil {
		return nil, err
	}
	p := pendingDevice{token: ids.Token(r.TokenHash), device: ids.Device(r.Device), label: label}
	code, ok, err := g.codes.add(g.now(), p)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, retryAfter(apiv1.Reason_REASON_BUSY, uint64(codeValid.Milliseconds()))
	}
	return &apiv1.RequestDeviceCodeResponse{Code: code, ValidMs: uint64(codeValid.Milliseconds())}, nil
}

func (a accounts) PollDeviceCode(ctx context.Context, r *apiv1.PollDeviceCodeRequest) (*apiv1.PollDeviceCodeResponse, error) {
	g := a.g
	token := ids.HashToken(r.Token)
	out := &apiv1.PollDeviceCodeResponse{}
	err := g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		se, ok := people.GetSession(s, token)
		if !ok {
			return nil
		}
		if se.Revoked != 0 {
			return fail(apiv1.Reason_REASON_SESSION_REVOKED)
		}
		acc, _ := people.GetAccount(s, se.User)
		out.Admitted, out.User, out.Handle, out.Position = true, se.User.String(), acc.Handle, position(s.Position())
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !out.Admitted {
		out.Expired = !g.codes.waiting(g.now(), token)
	}
	return out, nil
}
