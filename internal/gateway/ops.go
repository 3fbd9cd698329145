package gateway

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
	"github.com/bonghwa/bonghwa/internal/status"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// Operations are what a server can tell and do for operators. The gateway asks for the role before it calls any of them.
type Operations struct {
	Sites   func(ctx context.Context) (*apiv1.GetSitesResponse, error)
	Watch   func(after uint64) *apiv1.WatchSitesResponse
	Backups func(ctx context.Context) *apiv1.GetBackupsResponse
	// Drill, MayBurn, Burn and Light are nil where sites cannot be burned: everywhere but in a demo. MayBurn says why one cannot be now.
	Drill                func(ctx context.Context) (*apiv1.GetDrillResponse, error)
	MayBurn, Burn, Light func(ctx context.Context, site string) error
}

// operators is OperatorService.
type operators struct{ g *Gateway }

// pageSize of lists of acts and drills.
const pageSize = 50

// allowed asks the view whether the caller is an operator now, and whether this node may answer.
func (o operators) allowed(ctx context.Context) error {
	c := callerOf(ctx)
	return o.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error { return operatorIn(s, c.user) })
}

func operatorIn(s kernel.Reader, u ids.User) error {
	if !people.IsOperator(s, u) {
		return fail(apiv1.Reason_REASON_NOT_OPERATOR)
	}
	return nil
}

// unavailable says why something cannot be done now.
func unavailable(sentence string) error {
	return &Failure{Reason: apiv1.Reason_REASON_UNAVAILABLE, text: sentence}
}

func (o operators) GetSites(ctx context.Context, _ *apiv1.GetSitesRequest) (*apiv1.GetSitesResponse, error) {
	if err := o.allowed(ctx); err != nil {
		return nil, err
	}
	if o.g.o.Operations == nil {
		return nil, unavailable("this server says nothing of its sites")
	}
	out, err := o.g.o.Operations.Sites(ctx)
	if err != nil {
		return nil, unavailable(err.Error())
	}
	out.CanBurn, out.TimeMs = o.g.o.Operations.Burn != nil, o.g.k.Now()
	return out, nil
}

func (o operators) WatchSites(ctx context.Context, r *apiv1.WatchSitesRequest) (*apiv1.WatchSitesResponse, error) {
	if err := o.allowed(ctx); err != nil {
		return nil, err
	}
	if o.g.o.Operations == nil {
		return &apiv1.WatchSitesResponse{}, nil
	}
	return o.g.o.Operations.Watch(r.After), nil
}

func (o operators) GetDrill(ctx context.Context, _ *apiv1.GetDrillRequest) (*apiv1.GetDrillResponse, error) {
	if err := o.allowed(ctx); err != nil {
		return nil, err
	}
	if o.g.o.Operations == nil || o.g.o.Operations.Drill == nil {
		return &apiv1.GetDrillResponse{State: apiv1.DrillState_DRILL_STATE_NONE}, nil
	}
	out, err := o.g.o.Operations.Drill(ctx)
	if err != nil {
		return nil, unavailable(err.Error())
	}
	return out, nil
}

func (o operators) StartDrill(ctx context.Context, r *apiv1.StartDrillRequest) (*apiv1.StartDrillResponse, error) {
	if err := o.allowed(ctx); err != nil {
		return nil, err
	}
	if !confirms(r.Site, r.Confirm) {
		return nil, invalid("confirm", "confirm", "is not the name of the site")
	}
	if o.g.o.Operations == nil || o.g.o.Operations.Burn == nil {
		return nil, unavailable("no site can be burned from here: run bonghwa drill")
	}
	// Asked again, because the answer was lost with the site: it burns already.
	fire, err := o.g.o.Operations.Drill(ctx)
	if err != nil {
		return nil, unavailable(err.Error())
	}
	if burnsAt(fire, r.Site) {
		return &apiv1.StartDrillResponse{}, nil
	}
	sites, err := o.g.o.Operations.Sites(ctx)
	if err != nil {
		return nil, unavailable(err.Error())
	}
	if !slices.ContainsFunc(sites.Sites, func(s *apiv1.SiteReport) bool { return s.Name == r.Site }) {
		return nil, invalid("site", "site", "is no site of this cell")
	}
	if !sites.Steady {
		return nil, unavailable("not every site has everything yet: wait until all are well")
	}
	if err := o.g.o.Operations.MayBurn(ctx, r.Site); err != nil {
		return nil, unavailable(err.Error())
	}
	// The act comes first: what was done is written down even if this node is what burns.
	if err := o.act(ctx, "drill_started", r.Site); err != nil {
		return nil, err
	}
	if err := o.g.o.Operations.Burn(ctx, r.Site); err != nil {
		return nil, unavailable(err.Error())
	}
	return &apiv1.StartDrillResponse{}, nil
}

func burnsAt(fire *apiv1.GetDrillResponse, site string) bool {
	return fire.State == apiv1.DrillState_DRILL_STATE_BURNING && fire.Site == site
}

// confirms says whether what was typed is a name of the site.
func confirms(site, typed string) bool {
	typed = strings.TrimSpace(typed)
	return slices.ContainsFunc(status.SiteNames(site), func(name string) bool { return strings.EqualFold(name, typed) })
}

func (o operators) EndDrill(ctx context.Context, r *apiv1.EndDrillRequest) (*apiv1.EndDrillResponse, error) {
	if err := o.allowed(ctx); err != nil {
		return nil, err
	}
	if o.g.o.Operations == nil || o.g.o.Operations.Light == nil {
		return nil, unavailable("no site can be lit from here")
	}
	if err := o.mayLight(ctx, r.Site); err != nil {
		return nil, err
	}
	if err := o.act(ctx, "drill_ended", r.Site); err != nil {
		return nil, err
	}
	if err := o.g.o.Operations.Light(ctx, r.Site); err != nil {
		return nil, unavailable(err.Error())
	}
	return &apiv1.EndDrillResponse{}, nil
}

// mayLight refuses to light what is not out: it burns, or it does not answer because a drill that failed has left it so.
func (o operators) mayLight(ctx context.Context, site string) error {
	fire, err := o.g.o.Operations.Drill(ctx)
	if err != nil {
		return unavailable(err.Error())
	}
	if burnsAt(fire, site) {
		return nil
	}
	if fire.Site == site && fire.State == apiv1.DrillState_DRILL_STATE_COMING_BACK {
		return unavailable("it is being started again already")
	}
	sites, err := o.g.o.Operations.Sites(ctx)
	if err != nil {
		return unavailable(err.Error())
	}
	if !slices.ContainsFunc(sites.Sites, func(s *apiv1.SiteReport) bool {
		return s.Name == site && s.State == apiv1.SiteState_SITE_STATE_UNREACHABLE
	}) {
		return unavailable("this site is not out")
	}
	return nil
}

// act writes down what the caller does.
func (o operators) act(ctx context.Context, what, on string) error {
	c := callerOf(ctx)
	here, _ := o.g.sites()
	_, err := o.g.submitPeople(ctx, &logv1.PeopleCommand{User: c.user[:], Op: &logv1.PeopleCommand_RecordAct{
		RecordAct: &logv1.RecordAct{Site: here, What: what, On: on}}})
	return err
}

func (o operators) ListDrills(ctx context.Context, r *apiv1.ListDrillsRequest) (*apiv1.ListDrillsResponse, error) {
	c := callerOf(ctx)
	out := &apiv1.ListDrillsResponse{}
	return out, o.page(r.Before, c, func(s kernel.Reader, from []byte) {
		people.Drills(s, from, func(at []byte, d people.Drill) bool {
			if len(out.Drills) == pageSize {
				return false
			}
			out.Drills = append(out.Drills, DrillOf(&d))
			out.Next = cursorOf(at, len(out.Drills))
			return true
		})
	})
}

func (o operators) ListActs(ctx context.Context, r *apiv1.ListActsRequest) (*apiv1.ListActsResponse, error) {
	c := callerOf(ctx)
	out := &apiv1.ListActsResponse{}
	return out, o.page(r.Before, c, func(s kernel.Reader, from []byte) {
		people.Acts(s, from, func(at []byte, a people.Act) bool {
			if len(out.Acts) == pageSize {
				return false
			}
			one := &apiv1.Act{TimeMs: a.Time, Site: a.Site, What: a.What, On: a.On}
			if who, ok := people.GetAccount(s, a.Who); ok {
				one.Who, one.Handle = who.DisplayName, who.Handle
			}
			out.Acts = append(out.Acts, one)
			out.Next = cursorOf(at, len(out.Acts))
			return true
		})
	})
}

// cursorOf names the last of a full page; a page that is not full is the last one.
func cursorOf(at []byte, n int) string {
	if n < pageSize {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(at)
}

// page reads a page of a list, for an operator.
func (o operators) page(before string, c *caller, fn func(s kernel.Reader, from []byte)) error {
	from, err := base64.RawURLEncoding.DecodeString(before)
	if err != nil {
		return invalid("before", "cursor", "is not a cursor of an answer")
	}
	return o.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		if err := operatorIn(s, c.user); err != nil {
			return err
		}
		fn(s, from)
		return nil
	})
}

func (o operators) GetBackups(ctx context.Context, _ *apiv1.GetBackupsRequest) (*apiv1.GetBackupsResponse, error) {
	if err := o.allowed(ctx); err != nil {
		return nil, err
	}
	if o.g.o.Operations == nil {
		return &apiv1.GetBackupsResponse{}, nil
	}
	return o.g.o.Operations.Backups(ctx), nil
}

// DrillOf is a drill on the wire.
func DrillOf(d *people.Drill) *apiv1.Drill {
	return &apiv1.Drill{Scenario: d.Scenario, Site: d.Site, StartedMs: d.Started, EndedMs: d.Ended, People: d.People, Acked: d.Acked, Lost: d.Lost,
		Duplicated: d.Duplicated, Reordered: d.Reordered, Unauthorised: d.Unauthorised, Tried: d.Tried, SendGapMs: d.SendGap, DeliveryGapMs: d.DeliveryGap,
		MovedSendGapMs: d.MovedSendGap, MovedDeliveryGapMs: d.MovedDelivery, Moved: d.Moved, Held: d.Held, HeldInTime: d.HeldInTime, Source: d.Source}
}
