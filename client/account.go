package client

import (
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// Server is what a server says about itself.
type Server struct {
	Cell    string
	Version string
	// Signup is open, invite or closed.
	Signup string
	Time   time.Time
}

// GetServer asks the server about itself; no session is needed.
func (c *Client) GetServer(ctx context.Context) (Server, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.GetServerResponse, error) {
		return s.account().GetServer(ctx, &apiv1.GetServerRequest{})
	})
	if err != nil {
		return Server{}, err
	}
	return Server{Cell: r.Cell, Version: r.Version, Signup: r.Signup, Time: millis(r.TimeMs)}, nil
}

// CheckHandle says whether a handle (아이디) is free.
func (c *Client) CheckHandle(ctx context.Context, handle string) (bool, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.CheckHandleResponse, error) {
		return s.account().CheckHandle(ctx, &apiv1.CheckHandleRequest{Handle: strings.ToLower(handle)})
	})
	if err != nil {
		return false, err
	}
	return r.Free, nil
}

// SignUpForm is what a new account needs.
type SignUpForm struct {
	Handle, Name, Password string
	// Invitation is the secret of an invitation, where the server asks for one.
	Invitation string
}

// SignUp makes an account and logs in. If the answer gets lost, the same call again finds the account made: id, token and
// device are stored before the request leaves. With another handle after ReasonHandleTaken they stay the same too.
func (c *Client) SignUp(ctx context.Context, f SignUpForm) error {
	c.formMu.Lock()
	defer c.formMu.Unlock()
	form, err := c.form(true)
	if err != nil {
		return err
	}
	r, err := askAs(ctx, c, "", 0, func(ctx context.Context, s *site) (*apiv1.SignUpResponse, error) {
		return s.account().SignUp(ctx, &apiv1.SignUpRequest{Random: form.Random, Handle: f.Handle, DisplayName: norm.NFC.String(f.Name),
			Password: norm.NFC.String(f.Password), Token: form.Token, Device: form.Device[:], DeviceLabel: c.o.DeviceLabel, Invitation: f.Invitation})
	})
	if err != nil {
		return err
	}
	return c.enter(form, r.User, r.Handle)
}

// LogIn opens a session. mustChange: a one-time code was used. Until ChangePassword the session does nothing else, and there is
// no connection.
func (c *Client) LogIn(ctx context.Context, handle, password string) (mustChange bool, err error) {
	c.formMu.Lock()
	defer c.formMu.Unlock()
	c.mu.Lock()
	own := c.mu.account.Handle
	c.mu.Unlock()
	if own != "" && own != strings.ToLower(strings.TrimSpace(handle)) {
		return false, ErrOtherAccount
	}
	form, err := c.form(false)
	if err != nil {
		return false, err
	}
	r, err := askAs(ctx, c, "", 0, func(ctx context.Context, s *site) (*apiv1.LogInResponse, error) {
		return s.account().LogIn(ctx, &apiv1.LogInRequest{Handle: handle, Password: norm.NFC.String(password), Token: form.Token,
			Device: form.Device[:], DeviceLabel: c.o.DeviceLabel})
	})
	if err != nil {
		return false, err
	}
	return r.MustChangePassword, c.enter(form, r.User, r.Handle)
}

// form makes and stores what names a sign-up or log-in. A sign-up goes on with the one that is stored; a log-in makes a
// new token for each submitted form. The device stays that of the outbox, unless the server has said that another copy
// of this profile uses it.
func (c *Client) form(signUp bool) (*clientcore.Form, error) {
	c.mu.Lock()
	f, account := c.mu.form, c.mu.account
	device := c.mu.core.Device()
	ended := c.mu.core.Ended()
	c.mu.Unlock()
	if signUp && account.Handle != "" {
		return nil, ErrOtherAccount
	}
	if signUp && f != nil {
		return f, nil
	}
	n := &clientcore.Form{Random: make([]byte, 16), Token: make([]byte, 32), Device: device}
	for _, b := range [][]byte{n.Random, n.Token} {
		if _, err := crand.Read(b); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	copied := ended != nil && (ended.Reason == apiv1.Reason_REASON_WRONG_DEVICE || ended.Reason == apiv1.Reason_REASON_ID_REUSED)
	if device == (ids.Device{}) || copied {
		if _, err := crand.Read(n.Device[:]); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	if err := c.keep(clientcore.FormRecord(n)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	c.mu.Lock()
	c.mu.form = n
	c.mu.Unlock()
	return n, nil
}

// enter begins the session that a form has opened.
func (c *Client) enter(form *clientcore.Form, user, handle string) error {
	u, err := userOf(user)
	if err != nil {
		return err
	}
	token := ids.Text(form.Token)
	if err := c.keep(clientcore.AccountRecord(u, handle, token, form.Device)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	c.do(func(core *clientcore.Core, now int64) {
		c.mu.account = Account{User: user, Handle: handle, Device: form.Device.String()}
		c.mu.token, c.mu.form = token, nil
		c.mu.state = State{}
		core.GoOffline(now)
		core.SetAccount(u, token, form.Device)
		if !c.o.CallsOnly {
			core.GoOnline(now)
		}
	})
	return nil
}

// LogOut ends this session. Outbox and device stay for the next log-in of the same account.
func (c *Client) LogOut(ctx context.Context) error {
	_, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.LogOutResponse, error) {
		return s.people().LogOut(ctx, &apiv1.LogOutRequest{})
	})
	if r := ReasonOf(err); err != nil && r != ReasonUnauthenticated && r != ReasonSessionRevoked {
		return err
	}
	c.mu.Lock()
	account, device := c.mu.account, c.mu.core.Device()
	c.mu.Unlock()
	u, err := userOf(account.User)
	if err != nil {
		return err
	}
	if err := c.keep(clientcore.AccountRecord(u, account.Handle, "", device)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	c.do(func(core *clientcore.Core, now int64) {
		c.mu.token, c.mu.state = "", State{}
		core.GoOffline(now)
		core.SetAccount(u, "", device)
	})
	return nil
}

// DeviceCode is shown on a new device and confirmed on one that is logged in.
type DeviceCode struct {
	Code  string
	Valid time.Duration
	form  *clientcore.Form
}

// RequestDeviceCode asks for a code with which a logged-in device lets this one in (AdmitDevice there).
func (c *Client) RequestDeviceCode(ctx context.Context) (*DeviceCode, error) {
	c.formMu.Lock()
	defer c.formMu.Unlock()
	form, err := c.form(false)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(form.Token)
	r, err := askAs(ctx, c, "", 0, func(ctx context.Context, s *site) (*apiv1.RequestDeviceCodeResponse, error) {
		return s.account().RequestDeviceCode(ctx, &apiv1.RequestDeviceCodeRequest{TokenHash: hash[:], Device: form.Device[:], DeviceLabel: c.o.DeviceLabel})
	})
	if err != nil {
		return nil, err
	}
	return &DeviceCode{Code: r.Code, Valid: time.Duration(r.ValidMs) * time.Millisecond, form: form}, nil
}

// ErrCodeExpired: ask for a new code.
var ErrCodeExpired = errors.New("client: the code has expired")

// PollDeviceCode says whether the code was confirmed; then this device is logged in.
func (c *Client) PollDeviceCode(ctx context.Context, code *DeviceCode) (admitted bool, err error) {
	c.formMu.Lock()
	defer c.formMu.Unlock()
	r, err := askAs(ctx, c, "", 0, func(ctx context.Context, s *site) (*apiv1.PollDeviceCodeResponse, error) {
		return s.account().PollDeviceCode(ctx, &apiv1.PollDeviceCodeRequest{Token: code.form.Token})
	})
	switch {
	case err != nil:
		return false, err
	case r.Expired:
		return false, ErrCodeExpired
	case !r.Admitted:
		return false, nil
	}
	c.mu.Lock()
	own := c.mu.account
	c.mu.Unlock()
	if own.User != "" && own.User != r.User {
		return false, ErrOtherAccount
	}
	return true, c.enter(code.form, r.User, r.Handle)
}
