package gateway

import (
	"context"
	"net"
	"strings"
	"sync"

	"connectrpc.com/connect/v2"
	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1/apiv1connect"
)

// sessionOf finds a live session in the view.
func sessionOf(r kernel.Reader, token ids.Token) (caller, error) {
	s, ok := people.GetSession(r, token)
	switch {
	case !ok:
		return caller{}, fail(apiv1.Reason_REASON_UNAUTHENTICATED)
	case s.Revoked != 0:
		return caller{}, fail(apiv1.Reason_REASON_SESSION_REVOKED)
	}
	return caller{user: s.User, device: s.Device, token: token, oneTime: s.OneTime}, nil
}

type callerKey struct{}
type addrKey struct{}

// callerOf is who asks; present in every handler that needs a session.
func callerOf(ctx context.Context) *caller { return ctx.Value(callerKey{}).(*caller) }

// addressOf is where the request comes from, without port. Addresses of one IPv6 network count as one.
func addressOf(ctx context.Context) string {
	a, _ := ctx.Value(addrKey{}).(string)
	return a
}

func addressKey(peer string) string {
	host, _, err := net.SplitHostPort(peer)
	if err != nil {
		host = peer
	}
	ip := net.ParseIP(host)
	if ip == nil {
		return host
	}
	if ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return ip.String()
}

// anonymous is the service that needs no session.
const anonymous = "/" + apiv1connect.AccountServiceName + "/"

// withOneTime is all that a session does which a one-time code opened, until its password is changed: the change itself, giving
// its name up or renewing a device id that is refused, asking whose session it is, and logging out. Whatever is not named here, and
// Hello, is refused.
var withOneTime = map[string]bool{
	apiv1connect.PeopleServiceChangePasswordProcedure:     true,
	apiv1connect.PeopleServiceSkipAccountCommandProcedure: true,
	apiv1connect.PeopleServiceRenewDeviceProcedure:        true,
	apiv1connect.PeopleServiceGetMeProcedure:              true,
	apiv1connect.PeopleServiceLogOutProcedure:             true,
}

// errorWriter is the outermost interceptor: whatever a handler or an inner interceptor returns leaves as one of the
// reasons.
func (g *Gateway) errorWriter(next connect.ServerFunc) connect.ServerFunc {
	return func(ctx context.Context, spec connect.Spec, s connect.ServerStream) error {
		err := next(ctx, spec, s)
		if err == nil {
			g.metrics.result("call", nil)
			return nil
		}
		f := failureOf(err)
		g.metrics.result("call", f)
		if f.cause != nil && f.Reason == apiv1.Reason_REASON_INTERNAL {
			g.log.Error("a call failed", "procedure", spec.Procedure, "cause", f.cause)
		}
		return f.connectError()
	}
}

// authenticate comes before validation: a stranger learns nothing from what a handler would say.
func (g *Gateway) authenticate(next connect.ServerFunc) connect.ServerFunc {
	return func(ctx context.Context, spec connect.Spec, s connect.ServerStream) error {
		info, ok := connect.CallInfoForServerContext(ctx)
		if !ok {
			return fail(apiv1.Reason_REASON_UNAUTHENTICATED)
		}
		ctx = context.WithValue(ctx, addrKey{}, addressKey(info.PeerAddr))
		if strings.HasPrefix(spec.Procedure, anonymous) {
			// GetServer is answered from memory: refusing it would cost as much, and all who are behind one proxy ask it at once.
			if spec.Procedure != apiv1connect.AccountServiceGetServerProcedure {
				if err := g.pace(g.tries.strangers, addressOf(ctx)); err != nil {
					return err
				}
			}
			return next(ctx, spec, s)
		}
		text, ok := strings.CutPrefix(info.RequestHeader().Get("Authorization"), "Bearer ")
		if !ok {
			return fail(apiv1.Reason_REASON_UNAUTHENTICATED)
		}
		token, err := ids.Bytes(text)
		if err != nil || len(token) != 32 {
			return fail(apiv1.Reason_REASON_UNAUTHENTICATED)
		}
		c, err := g.callerBy(ids.HashToken(token))
		if err != nil {
			return err
		}
		if err := g.paceSession(g.tries.calls, g.tries.personCalls, &c); err != nil {
			return err
		}
		if c.oneTime && !withOneTime[spec.Procedure] {
			return fail(apiv1.Reason_REASON_MUST_CHANGE_PASSWORD)
		}
		return next(context.WithValue(ctx, callerKey{}, &c), spec, s)
	}
}

// callerBy is whose session a token is, now.
func (g *Gateway) callerBy(token ids.Token) (caller, error) {
	v := g.k.Snapshot(kernel.DomainPeople)
	defer v.Close()
	c, err := sessionOf(v, token)
	if late := notReady(g.k.Fresh(v)); err != nil && late != nil {
		return c, late // a site that is behind may not know the session yet
	}
	return c, err
}

// checked validates every request as it is received.
type checked struct {
	connect.ServerStream
	g *Gateway
	// caller is nil where no session is needed.
	caller *caller
}

func (c checked) Receive(m any) error {
	if err := c.ServerStream.Receive(m); err != nil {
		switch connect.CodeOf(err) {
		case connect.CodeResourceExhausted:
			return &Failure{Reason: apiv1.Reason_REASON_TOO_LARGE, cause: err}
		case connect.CodeInvalidArgument:
			return &Failure{Reason: apiv1.Reason_REASON_INVALID, cause: err}
		}
		return err
	}
	// A body may take its time: a session that ended meanwhile does nothing more.
	if c.caller != nil {
		if _, err := c.g.callerBy(c.caller.token); err != nil {
			return err
		}
	}
	msg, ok := m.(proto.Message)
	if !ok {
		return fail(apiv1.Reason_REASON_INVALID)
	}
	if f := validate(msg); f != nil {
		return f
	}
	return nil
}

func (g *Gateway) validateAll(next connect.ServerFunc) connect.ServerFunc {
	return func(ctx context.Context, spec connect.Spec, s connect.ServerStream) error {
		c, _ := ctx.Value(callerKey{}).(*caller)
		return next(ctx, spec, checked{s, g, c})
	}
}

// days remembers which devices were touched today, so that the log hears of each about once a day.
type days struct {
	mu struct {
		sync.Mutex
		day     uint32
		devices map[ids.Device]struct{}
	}
}

const maxTouched = 200_000

func (g *Gateway) dayIsNew(c *caller, day uint32) bool {
	d := &g.days
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mu.day != day || d.mu.devices == nil || len(d.mu.devices) >= maxTouched {
		d.mu.day, d.mu.devices = day, map[ids.Device]struct{}{}
	}
	if _, known := d.mu.devices[c.device]; known {
		return false
	}
	d.mu.devices[c.device] = struct{}{}
	return true
}
