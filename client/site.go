package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1/apiv1connect"
)

// site is one URL and the calls to it, made when first needed.
type site struct {
	url  string
	once sync.Once
	http *http.Client
	conn *connect.Client
}

// site is one of the sites by its number.
func (c *Client) site(i int) *site { return (*c.sites.Load())[i] }

// merge adds the URLs that the system names to the sites known, and says which of these it does not name any more. A system
// reached over TLS cannot lead out of it: the session goes where the list says.
// Those that the caller gave, the first ones, stay in any case: only they may lead there from where this client is.
func merge(known []*site, given int, told []string, hc *http.Client) (all []*site, dropped []bool) {
	all = slices.Clone(known)
	if len(told) == 0 {
		return all, nil
	}
	named := map[string]bool{}
	for _, u := range told {
		u = strings.TrimRight(u, "/")
		if !strings.HasPrefix(u, "https://") && (!strings.HasPrefix(u, "http://") || strings.HasPrefix(known[0].url, "https://")) {
			continue
		}
		if !named[u] && !slices.ContainsFunc(all, func(s *site) bool { return s.url == u }) {
			all = append(all, &site{url: u, http: hc})
		}
		named[u] = true
	}
	if len(named) == 0 {
		return all, nil
	}
	for i, s := range all {
		dropped = append(dropped, i >= given && !named[s.url])
	}
	return all, dropped
}

const (
	// callTimeout bounds one attempt of a call.
	callTimeout = 10 * time.Second
	// callElsewhere bounds it while another site could be asked: one that has burnt does not refuse, it is silent.
	callElsewhere = 2500 * time.Millisecond
)

func (s *site) calls() *connect.Client {
	s.once.Do(func() {
		s.conn = connect.NewClient(connecthttp.NewTransport(s.http, s.url+"/api", connecthttp.WithReadMaxBytes(maxFrame)))
	})
	return s.conn
}

func (s *site) chat() apiv1connect.ChatServiceClient {
	return apiv1connect.NewChatServiceClient(s.calls())
}

func (s *site) people() apiv1connect.PeopleServiceClient {
	return apiv1connect.NewPeopleServiceClient(s.calls())
}

func (s *site) account() apiv1connect.AccountServiceClient {
	return apiv1connect.NewAccountServiceClient(s.calls())
}

// authorized adds the session to a call.
func authorized(ctx context.Context, token string) context.Context {
	ctx, info := connect.NewClientContext(ctx)
	if token != "" {
		info.RequestHeader().Set("Authorization", "Bearer "+token)
	}
	return ctx
}

// busyPatience is how long a call goes on asking while it is told to come back later.
const busyPatience = 30 * time.Second

// ask makes a call that changes nothing, or that names itself, at the current site; another one is asked if this one
// does not answer, is not ready, or is busy. Each is asked three times at most, but one that says that it is busy, or that this session
// has asked it too often, as often as it likes: when the time has come that it gave, within busyPatience.
func ask[T any](ctx context.Context, c *Client, f func(context.Context, *site) (*T, error)) (*T, error) {
	c.mu.Lock()
	token, first := c.mu.token, c.mu.core.Site()
	c.mu.Unlock()
	return askAs(ctx, c, token, first, f)
}

func askAs[T any](ctx context.Context, c *Client, token string, first int, f func(context.Context, *site) (*T, error)) (*T, error) {
	sites := *c.sites.Load()
	turns := make([]turn, len(sites))
	until := time.Now().Add(busyPatience)
	var last, busy error
	for asked := 0; ; asked++ {
		i := soonest(turns, first%len(sites))
		if i < 0 {
			return nil, last
		}
		wait := time.Until(turns[i].from)
		if turns[i].busy && time.Now().Add(wait).After(until) {
			return nil, busy
		}
		if wait > 0 {
			if err := c.pause(ctx, wait); err != nil {
				return nil, err
			}
		}
		limit := callTimeout
		if asked < len(sites)-1 {
			limit = callElsewhere
		}
		once, cancel := context.WithTimeout(ctx, limit)
		r, err := f(authorized(once, token), sites[i])
		cancel()
		switch {
		case err == nil:
			return r, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		ref, lost := refusalOf(err)
		if lost {
			last = errors.Join(ErrUnreachable, err)
			turns[i].failed()
			continue
		}
		switch last = errorOf(ref); ref.Reason {
		case apiv1.Reason_REASON_BUSY:
			busy = last
			turns[i].leaveAlone(ref.RetryAfter)
		case apiv1.Reason_REASON_NOT_READY, apiv1.Reason_REASON_BEHIND, apiv1.Reason_REASON_UNKNOWN_OUTCOME, apiv1.Reason_REASON_DISK_FULL:
			turns[i].failed()
		default:
			return nil, last
		}
	}
}

// turn is when a site may be asked next, and how often it was asked in vain.
type turn struct {
	from time.Time
	busy bool
	vain int
}

func (t *turn) failed() {
	t.vain++
	t.from, t.busy = time.Now().Add(time.Duration(150*t.vain)*time.Millisecond), false
}

// leaveAlone waits as long as the server says, with a little at random, so that many who were told the same do not come back together.
func (t *turn) leaveAlone(ms uint64) {
	ms = min(ms, 3600_000)
	t.from, t.busy = time.Now().Add(time.Duration(ms+10+rand.Uint64N(ms/4+40))*time.Millisecond), true
}

// soonest is the site that may be asked first, of those that may be now the first one from this on; -1: none may any more.
func soonest(turns []turn, from int) int {
	best, now := -1, time.Now()
	at := func(i int) time.Time {
		if turns[i].from.Before(now) {
			return now
		}
		return turns[i].from
	}
	for k := range turns {
		i := (from + k) % len(turns)
		if turns[i].vain < 3 && (best < 0 || at(i).Before(at(best))) {
			best = i
		}
	}
	return best
}

// pause waits, unless the caller or the client ends before.
func (c *Client) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return ErrClosed
	}
}

func (c *Client) seen() *apiv1.Position {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.mu.core.Seen()
	if p == nil {
		return nil
	}
	return &apiv1.Position{Epoch: p.Epoch, N: p.N}
}

// attempt makes one call for the core: it decides itself what follows.
func (c *Client) attempt(f func(ctx context.Context)) {
	c.mu.Lock()
	token := c.mu.token
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(c.ctx, callTimeout)
	defer cancel()
	f(authorized(ctx, token))
}

func (c *Client) fetch(o clientcore.Fetch) {
	c.attempt(func(ctx context.Context) {
		page, err := c.site(o.Site).chat().History(ctx, o.Request)
		var ref *clientcore.Refusal
		if err != nil {
			page = nil
			ref, _ = refusalOf(err)
		}
		c.do(func(core *clientcore.Core, now int64) { core.Fetched(now, o.ID, page, ref) })
		c.dispatch()
	})
}

func (c *Client) renew(o clientcore.Renew) {
	c.attempt(func(ctx context.Context) {
		_, err := c.site(o.Site).people().RenewDevice(ctx, &apiv1.RenewDeviceRequest{Device: o.Device[:]})
		var ref *clientcore.Refusal
		lost := false
		if err != nil {
			ref, lost = refusalOf(err)
		}
		c.do(func(core *clientcore.Core, now int64) { core.Renewed(now, o.ID, ref, lost) })
	})
}

func (c *Client) call(o clientcore.Call) {
	c.attempt(func(ctx context.Context) {
		resp, err := change(ctx, c.site(o.Site).people(), &o)
		var ref *clientcore.Refusal
		lost := false
		if err != nil {
			resp = nil
			ref, lost = refusalOf(err)
		}
		c.do(func(core *clientcore.Core, now int64) { core.Called(now, o.ID, resp, ref, lost) })
	})
}

// change makes the call of a change of the account.
func change(ctx context.Context, p apiv1connect.PeopleServiceClient, o *clientcore.Call) (*apiv1.ChangeResponse, error) {
	op, name := &o.Op, o.Name
	if o.Skip {
		return p.SkipAccountCommand(ctx, &apiv1.SkipAccountCommandRequest{Name: name, Device: o.OldDevice})
	}
	switch op.Kind {
	case clientcore.KindAddFriend:
		return p.AddFriend(ctx, &apiv1.AddFriendRequest{Name: name, User: op.Peer})
	case clientcore.KindRemoveFriend:
		return p.RemoveFriend(ctx, &apiv1.RemoveFriendRequest{Name: name, User: op.Peer})
	case clientcore.KindSetProfile:
		return p.SetProfile(ctx, &apiv1.SetProfileRequest{Name: name, DisplayName: op.Name, StatusMessage: op.Status, ProfileText: op.Profile})
	case clientcore.KindChangePassword:
		return p.ChangePassword(ctx, &apiv1.ChangePasswordRequest{Name: name, OldPassword: op.Old, NewPassword: op.New})
	case clientcore.KindDeleteAccount:
		return p.DeleteAccount(ctx, &apiv1.DeleteAccountRequest{Name: name, Password: op.Old})
	case clientcore.KindRevokeDevices:
		return p.RevokeDevices(ctx, &apiv1.RevokeDevicesRequest{Name: name, Devices: op.List, AllOthers: op.On})
	case clientcore.KindLabelDevice:
		return p.LabelDevice(ctx, &apiv1.LabelDeviceRequest{Name: name, Device: op.Peer, Label: op.Text})
	case clientcore.KindCreateInvitation:
		return p.CreateInvitation(ctx, &apiv1.CreateInvitationRequest{Name: name, SecretHash: op.Bytes, Uses: op.Uses, ValidDays: op.Days})
	case clientcore.KindSetPhoto:
		return p.SetPhoto(ctx, &apiv1.SetPhotoRequest{Name: name, Jpeg: op.Bytes})
	case clientcore.KindRevokeInvitation:
		return p.RevokeInvitation(ctx, &apiv1.RevokeInvitationRequest{Name: name, Id: op.Text})
	}
	return nil, connect.NewError(connect.CodeUnimplemented, "this client does not know the change")
}
