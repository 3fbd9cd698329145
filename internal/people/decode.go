package people

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// command is a decoded PeopleCommand. The zero user is the operator of the cell.
type command struct {
	name *kernel.Name
	user ids.User
	op   op
}

// Named returns the name; its scope is the account.
func (c *command) Named() ([]byte, *kernel.Name) {
	if c.name == nil {
		return nil, nil
	}
	return c.user[:], c.name
}

// IsSkip says that the command gives up its name.
func (c *command) IsSkip() bool {
	_, ok := c.op.(skip)
	return ok
}

// Since is the behaviour that the operation came with, as far as that matters to nodes that are running.
func (c *command) Since() uint32 {
	switch c.op.(type) {
	case *grantRole, *revokeRole, *recordAct, *recordDrill:
		return 3
	}
	return 1
}

// callers is who may ask for an operation, and how it is named.
type callers int

const (
	named         callers = iota // an account, with a name
	unnamed                      // an account, without: the operation's own rows tell a repetition
	maybeNamed                   // an account, either way
	namedOrTheOps                // an account with a name, or the operator without
	theOps                       // the operator, without a name
	oneOfTheOps                  // the operator or an account, without a name
)

// Decode parses a command. Malformed is what no honest gateway writes: bytes that are no PeopleCommand, an operation
// this binary does not know, an id, hash, tag or text of the wrong size, a name where none belongs or none where one
// does. What is well formed but not allowed is left to the verdict.
func (d *Domain) Decode(b []byte) (kernel.Command, error) {
	var m logv1.PeopleCommand
	if err := proto.Unmarshal(b, &m); err != nil {
		return nil, errors.New("people command: not protobuf")
	}
	k := &check{}
	o, who := decodeOp(k, &m)
	if o == nil {
		return nil, errors.New("people command: unknown operation")
	}
	c := &command{op: o}
	c.name = k.name(m.Name)
	operator := len(m.User) == 0 && (who == theOps || who == namedOrTheOps || who == oneOfTheOps)
	if !operator {
		c.user = k.user("user", m.User)
		k.that(c.user != ids.User{}, "user")
	}
	switch who {
	case named:
		k.that(c.name != nil, "name")
	case namedOrTheOps:
		k.that(operator == (c.name == nil), "name")
	case unnamed, oneOfTheOps:
		k.that(c.name == nil, "name")
	case theOps:
		k.that(c.name == nil && operator, "name")
	case maybeNamed:
	}
	if k.err != nil {
		return nil, k.err
	}
	return c, nil
}

// decodeOp maps every operation of the log by hand: a changed rule of the public API never changes a replay.
func decodeOp(k *check, m *logv1.PeopleCommand) (op, callers) {
	switch o := m.Op.(type) {
	case *logv1.PeopleCommand_SignUp:
		return decodeSignUp(k, o.SignUp), unnamed
	case *logv1.PeopleCommand_LogIn:
		p := o.LogIn
		return &logIn{
			token: k.token("token_hash", p.TokenHash), device: k.device("device", p.Device), label: k.text("device_label", p.DeviceLabel, 0, maxLabel),
			version: p.CredentialVersion, oneTime: p.OneTime,
		}, unnamed
	case *logv1.PeopleCommand_AdmitDevice:
		p := o.AdmitDevice
		return &admitDevice{
			token: k.token("token_hash", p.TokenHash), device: k.device("device", p.Device), label: k.text("device_label", p.DeviceLabel, 0, maxLabel),
			by: k.token("by", p.By),
		}, unnamed
	case *logv1.PeopleCommand_RenewDevice:
		p := o.RenewDevice
		return &renewDevice{token: k.token("token_hash", p.TokenHash), device: k.device("device", p.Device)}, unnamed
	case *logv1.PeopleCommand_RevokeSessions:
		return decodeRevokeSessions(k, o.RevokeSessions), maybeNamed
	case *logv1.PeopleCommand_ChangePassword:
		p := o.ChangePassword
		return &changePassword{phc: k.phc("phc", p.Phc), version: p.CredentialVersion, keep: k.token("keep", p.Keep)}, named
	case *logv1.PeopleCommand_SetProfile:
		return decodeSetProfile(k, o.SetProfile), named
	case *logv1.PeopleCommand_AddFriend:
		return &addFriend{other: k.user("other", o.AddFriend.GetOther())}, named
	case *logv1.PeopleCommand_RemoveFriend:
		return &removeFriend{other: k.user("other", o.RemoveFriend.GetOther())}, named
	case *logv1.PeopleCommand_DeleteAccount:
		return &deleteAccount{version: o.DeleteAccount.GetCredentialVersion()}, named
	case *logv1.PeopleCommand_ResetPassword:
		p := o.ResetPassword
		return &resetPassword{phc: k.phc("one_time_phc", p.OneTimePhc), until: p.UntilMs}, unnamed
	case *logv1.PeopleCommand_CreateInvitation:
		p := o.CreateInvitation
		return &createInvitation{id: k.token("secret_hash", p.SecretHash), until: p.UntilMs, uses: p.Uses}, namedOrTheOps
	case *logv1.PeopleCommand_RevokeInvitation:
		return &revokeInvitation{id: k.token("secret_hash", o.RevokeInvitation.GetSecretHash())}, namedOrTheOps
	case *logv1.PeopleCommand_Touch:
		return &touch{device: k.device("device", o.Touch.GetDevice()), day: o.Touch.GetDay()}, unnamed
	case *logv1.PeopleCommand_Skip:
		return skip{}, named
	case *logv1.PeopleCommand_LabelDevice:
		p := o.LabelDevice
		return &labelDevice{device: k.device("device", p.Device), label: k.text("label", p.Label, 1, maxLabel)}, named
	case *logv1.PeopleCommand_EndAllSessions:
		return endAllSessions{}, theOps
	case *logv1.PeopleCommand_SetPhoto:
		jpeg := o.SetPhoto.GetJpeg()
		k.that(len(jpeg) <= MaxPhoto, "jpeg")
		return &setPhoto{jpeg: jpeg}, named
	case *logv1.PeopleCommand_MarkSimulated:
		return markSimulated{}, unnamed
	case *logv1.PeopleCommand_Befriend:
		return decodeBefriend(k, o.Befriend), unnamed
	case *logv1.PeopleCommand_GrantRole:
		p := o.GrantRole
		return &grantRole{whom: k.user("whom", p.GetWhom()), role: k.text("role", p.GetRole(), 1, maxRole), site: k.text("site", p.GetSite(), 0, maxSite)}, theOps
	case *logv1.PeopleCommand_RevokeRole:
		p := o.RevokeRole
		return &revokeRole{whom: k.user("whom", p.GetWhom()), role: k.text("role", p.GetRole(), 1, maxRole), site: k.text("site", p.GetSite(), 0, maxSite)}, theOps
	case *logv1.PeopleCommand_RecordAct:
		p := o.RecordAct
		return &recordAct{site: k.text("site", p.GetSite(), 0, maxSite), what: k.text("what", p.GetWhat(), 1, maxWhat), on: k.text("on", p.GetOn(), 0, maxOn)}, oneOfTheOps
	case *logv1.PeopleCommand_RecordDrill:
		return decodeDrillCommand(k, o.RecordDrill), theOps
	}
	return nil, named
}

func decodeSignUp(k *check, p *logv1.SignUp) *signUp {
	o := &signUp{
		handle: p.Handle, displayName: k.text("display_name", p.DisplayName, 1, maxDisplayName), phc: k.phc("phc", p.Phc),
		token: k.token("token_hash", p.TokenHash), device: k.device("device", p.Device), label: k.text("device_label", p.DeviceLabel, 0, maxLabel),
	}
	k.that(validHandle(p.Handle), "handle")
	if len(p.Invitation) > 0 {
		o.invited, o.invitation = true, k.token("invitation", p.Invitation)
	}
	return o
}

func decodeRevokeSessions(k *check, p *logv1.RevokeSessions) *revokeSessions {
	o := &revokeSessions{all: p.All}
	for _, b := range p.Devices {
		o.devices = append(o.devices, k.device("devices", b))
	}
	if len(p.AllBut) > 0 {
		o.all, o.sparing, o.spare = true, true, k.token("all_but", p.AllBut)
	}
	return o
}

func decodeBefriend(k *check, p *logv1.Befriend) *befriend {
	o := &befriend{}
	k.that(len(p.Others) >= 1 && len(p.Others) <= MaxBefriend, "others")
	for _, b := range p.Others {
		o.others = append(o.others, k.user("others", b))
	}
	return o
}

func decodeDrillCommand(k *check, p *logv1.RecordDrill) *recordDrill {
	return &recordDrill{Drill{
		Scenario: k.text("scenario", p.GetScenario(), 1, maxScenario), Site: k.text("site", p.GetSite(), 0, maxSite), Started: p.GetStartedMs(), Ended: p.GetEndedMs(),
		People: p.GetPeople(), Acked: p.GetAcked(), Lost: p.GetLost(), Duplicated: p.GetDuplicated(), Reordered: p.GetReordered(), Unauthorised: p.GetUnauthorised(), Tried: p.GetTried(),
		SendGap: p.GetSendGapMs(), DeliveryGap: p.GetDeliveryGapMs(), MovedSendGap: p.GetMovedSendGapMs(), MovedDelivery: p.GetMovedDeliveryGapMs(),
		Moved: p.GetMoved(), Held: p.GetHeld(), HeldInTime: p.GetHeldInTime(), Source: k.text("source", p.GetSource(), 0, maxOn),
	}}
}

func decodeSetProfile(k *check, p *logv1.SetProfile) *setProfile {
	o := &setProfile{displayName: p.DisplayName, statusMessage: p.StatusMessage, profileText: p.ProfileText}
	k.text("display_name", p.GetDisplayName(), 0, maxDisplayName)
	k.that(p.DisplayName == nil || *p.DisplayName != "", "display_name")
	k.text("status_message", p.GetStatusMessage(), 0, maxStatusMessage)
	k.text("profile_text", p.GetProfileText(), 0, maxProfileText)
	return o
}

// skip gives up a name. The kernel records it; there is nothing left to apply.
type skip struct{}

func (skip) apply(*Domain, *kernel.Apply, ids.User) kernel.Code { return kernel.OK }

// check collects the first fault of a command. Errors name the field, never its value.
type check struct{ err error }

func (k *check) that(ok bool, field string) {
	if !ok && k.err == nil {
		k.err = fmt.Errorf("people command: malformed %s", field)
	}
}

func (k *check) user(field string, b []byte) ids.User {
	u, err := ids.UserOf(b)
	k.that(err == nil, field)
	return u
}

func (k *check) device(field string, b []byte) ids.Device {
	d, err := ids.DeviceOf(b)
	k.that(err == nil, field)
	return d
}

func (k *check) token(field string, b []byte) ids.Token {
	t, err := ids.TokenOf(b)
	k.that(err == nil, field)
	return t
}

func (k *check) text(field, s string, lo, hi int) string {
	k.that(within(s, lo, hi), field)
	return s
}

func (k *check) phc(field, s string) string {
	k.that(s != "" && len(s) <= maxPHC, field)
	return s
}

func (k *check) name(m *logv1.Name) *kernel.Name {
	if m == nil {
		return nil
	}
	n := &kernel.Name{Device: k.device("name.device", m.Device), N: m.N, Base: m.Base}
	k.that(copy(n.Tag[:], m.Tag) == len(n.Tag) && len(m.Tag) == len(n.Tag), "name.tag")
	k.that(m.Base >= 1 && m.Base <= m.N, "name.base")
	return n
}
