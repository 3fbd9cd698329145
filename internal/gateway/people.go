package gateway

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
	"github.com/bonghwa/bonghwa/internal/text"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// peoples is PeopleService: one's own account and the people one knows.
type peoples struct{ g *Gateway }

func (p peoples) GetMe(ctx context.Context, _ *apiv1.GetMeRequest) (*apiv1.GetMeResponse, error) {
	c := callerOf(ctx)
	out := &apiv1.GetMeResponse{Device: c.device.String(), MustChangePassword: c.oneTime}
	return out, p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		a, _ := people.GetAccount(s, c.user)
		out.Me, out.Position, out.Operator = userOf(&a), position(s.Position()), people.IsOperator(s, c.user)
		return nil
	})
}

func (p peoples) GetUsers(_ context.Context, r *apiv1.GetUsersRequest) (*apiv1.GetUsersResponse, error) {
	out := &apiv1.GetUsersResponse{}
	return out, p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		for i, id := range r.Ids {
			u, err := ids.ParseUser(id)
			if err != nil {
				return invalid(fmt.Sprintf("ids[%d]", i), "id", "is not a user id")
			}
			out.Users = append(out.Users, usersOf(s, []ids.User{u})...)
		}
		return nil
	})
}

func (p peoples) FindUser(ctx context.Context, r *apiv1.FindUserRequest) (*apiv1.FindUserResponse, error) {
	if err := p.g.limit(p.g.tries.lookUps, addressOf(ctx)); err != nil {
		return nil, err
	}
	c := callerOf(ctx)
	out := &apiv1.FindUserResponse{}
	return out, p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		u, ok := people.FindHandle(s, r.Handle)
		if !ok {
			return nil
		}
		a, _ := people.GetAccount(s, u)
		out.User, out.Friend, out.AddedMe = userOf(&a), people.IsFriend(s, c.user, u), people.IsFriend(s, u, c.user)
		return nil
	})
}

func (p peoples) ListFriends(ctx context.Context, _ *apiv1.ListFriendsRequest) (*apiv1.ListFriendsResponse, error) {
	out := &apiv1.ListFriendsResponse{}
	return out, p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		out.Friends, out.Position = usersOf(s, people.Friends(s, callerOf(ctx).user)), position(s.Position())
		return nil
	})
}

// maxAddedMe bounds an answer that nothing else does.
const maxAddedMe = 1000

func (p peoples) ListAddedMe(ctx context.Context, _ *apiv1.ListAddedMeRequest) (*apiv1.ListAddedMeResponse, error) {
	c := callerOf(ctx)
	out := &apiv1.ListAddedMeResponse{}
	return out, p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		for _, u := range people.AddedMe(s, c.user) {
			if people.IsFriend(s, c.user, u) {
				continue
			}
			if a, ok := people.GetAccount(s, u); ok && !a.Closed {
				out.Users = append(out.Users, userOf(&a))
			}
			if len(out.Users) == maxAddedMe {
				break
			}
		}
		return nil
	})
}

func (p peoples) ListDevices(ctx context.Context, _ *apiv1.ListDevicesRequest) (*apiv1.ListDevicesResponse, error) {
	c := callerOf(ctx)
	out := &apiv1.ListDevicesResponse{}
	connected := p.g.hub.devices(c.user)
	return out, p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		for _, d := range people.Devices(s, c.user) {
			out.Devices = append(out.Devices, &apiv1.Device{
				Id: d.Device.String(), Label: d.Label, LastDay: d.LastDay, Current: d.Device == c.device, Sessions: uint32(d.Sessions),
				Connected: connected[d.Device],
			})
		}
		return nil
	})
}

func (p peoples) ListInvitations(ctx context.Context, _ *apiv1.ListInvitationsRequest) (*apiv1.ListInvitationsResponse, error) {
	out := &apiv1.ListInvitationsResponse{}
	return out, p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		for _, i := range people.Invitations(s, callerOf(ctx).user) {
			out.Invitations = append(out.Invitations, &apiv1.Invitation{
				Id: ids.Text(i.ID[:]), UntilMs: i.Until, Uses: i.Uses, Used: i.Used, Users: idsOf(i.Users), Revoked: i.Revoked,
				CreatedMs: i.Created,
			})
		}
		return nil
	})
}

// change submits a named command of the account.
func (p peoples) change(ctx context.Context, m proto.Message) (*apiv1.ChangeResponse, error) {
	cmd, err := accountCommand(callerOf(ctx), m)
	if err != nil {
		return nil, err
	}
	return p.submit(ctx, m, cmd)
}

func (p peoples) submit(ctx context.Context, m proto.Message, cmd *logv1.PeopleCommand) (*apiv1.ChangeResponse, error) {
	if n, ok := m.(named); ok {
		if err := p.g.checkEpoch(n.GetName().GetEpoch()); err != nil {
			return nil, err
		}
	}
	res, err := p.g.submitPeople(ctx, cmd)
	if err != nil {
		return nil, err
	}
	return changeOf(res), nil
}

func changeOf(res kernel.Result) *apiv1.ChangeResponse {
	return &apiv1.ChangeResponse{Position: position(res.Pos), TimeMs: res.Time, Seq: res.Verdict.Seq, Repeated: res.Repeated}
}

func (p peoples) AddFriend(ctx context.Context, r *apiv1.AddFriendRequest) (*apiv1.ChangeResponse, error) {
	c := callerOf(ctx)
	u, err := otherUser(c, r.User)
	if err != nil {
		return nil, err
	}
	err = p.g.read(kernel.DomainChat, func(s kernel.Snapshot) error {
		if chat.HasBlocked(s, u, c.user) {
			return failOn(apiv1.Reason_REASON_CANNOT_RECEIVE, r.User)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p.change(ctx, r)
}

func (p peoples) RemoveFriend(ctx context.Context, r *apiv1.RemoveFriendRequest) (*apiv1.ChangeResponse, error) {
	return p.change(ctx, r)
}

func (p peoples) SetProfile(ctx context.Context, r *apiv1.SetProfileRequest) (*apiv1.ChangeResponse, error) {
	user := callerOf(ctx).user
	if err := p.g.pace(p.g.tries.profiles, string(user[:])); err != nil {
		return nil, err
	}
	return p.change(ctx, r)
}

func (p peoples) SetPhoto(ctx context.Context, r *apiv1.SetPhotoRequest) (*apiv1.ChangeResponse, error) {
	if err := p.g.limit(p.g.tries.photos, callerOf(ctx).user.String()); err != nil {
		return nil, err
	}
	return p.change(ctx, r)
}

func (p peoples) GetPhotos(ctx context.Context, r *apiv1.GetPhotosRequest) (*apiv1.GetPhotosResponse, error) {
	token := callerOf(ctx).token
	if err := p.g.limit(p.g.tries.photoReads, string(token[:])); err != nil {
		return nil, err
	}
	out := &apiv1.GetPhotosResponse{}
	return out, p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		seen := make(map[ids.User]bool, len(r.Users))
		for i, id := range r.Users {
			u, err := ids.ParseUser(id)
			if err != nil {
				return invalid(fmt.Sprintf("users[%d]", i), "id", "is not a user id")
			}
			if seen[u] {
				continue
			}
			seen[u] = true
			a, _ := people.GetAccount(s, u)
			if jpeg, ok := people.Photo(s, u); ok {
				out.Photos = append(out.Photos, &apiv1.Photo{User: id, Photo: a.Photo.String(), Jpeg: jpeg})
			}
		}
		return nil
	})
}

func (p peoples) RevokeDevices(ctx context.Context, r *apiv1.RevokeDevicesRequest) (*apiv1.ChangeResponse, error) {
	return p.change(ctx, r)
}

func (p peoples) LabelDevice(ctx context.Context, r *apiv1.LabelDeviceRequest) (*apiv1.ChangeResponse, error) {
	return p.change(ctx, r)
}

func (p peoples) RevokeInvitation(ctx context.Context, r *apiv1.RevokeInvitationRequest) (*apiv1.ChangeResponse, error) {
	return p.change(ctx, r)
}

func (p peoples) SkipAccountCommand(ctx context.Context, r *apiv1.SkipAccountCommandRequest) (*apiv1.ChangeResponse, error) {
	return p.change(ctx, r)
}

func (p peoples) CreateInvitation(ctx context.Context, r *apiv1.CreateInvitationRequest) (*apiv1.ChangeResponse, error) {
	cmd := logPeople(callerOf(ctx), r.Name)
	uses, valid := max(r.Uses, 1), uint64(r.ValidDays)
	if valid == 0 {
		valid = 7
	}
	cmd.Op = &logv1.PeopleCommand_CreateInvitation{CreateInvitation: &logv1.CreateInvitation{
		SecretHash: r.SecretHash, UntilMs: p.g.k.Now() + valid*86_400_000, Uses: uses,
	}}
	return p.submit(ctx, r, cmd)
}

// own verifies the password of the caller, or the one-time code that opened the session.
func (p peoples) own(ctx context.Context, c *caller, password string) (cred people.Credential, err error) {
	var acc people.Account
	err = p.g.read(kernel.DomainPeople, func(s kernel.Snapshot) error {
		acc, _ = people.GetAccount(s, c.user)
		cred, _ = people.GetCredential(s, c.user)
		return nil
	})
	if err != nil {
		return cred, err
	}
	_, err = p.g.verify(ctx, acc.Handle, password, cred, c.oneTime && cred.MustChange)
	return cred, err
}

func (p peoples) ChangePassword(ctx context.Context, r *apiv1.ChangePasswordRequest) (*apiv1.ChangeResponse, error) {
	c := callerOf(ctx)
	password, err := text.Password(r.NewPassword)
	if err != nil {
		return nil, invalidText("new_password", err)
	}
	cred, err := p.own(ctx, c, r.OldPassword)
	if f := failureOf(err); err != nil && f.Reason == apiv1.Reason_REASON_BAD_CREDENTIALS {
		// A repetition after a lost answer: the old password is no more, the new one is. The name then has its verdict.
		cred, err = p.own(ctx, c, password)
	}
	if err != nil {
		return nil, err
	}
	if cred.MustChange {
		code, err := p.g.hasher.verify(ctx, cred.OneTimePHC, password)
		if err != nil {
			return nil, err
		}
		if code {
			return nil, invalid("new_password", "new", "must not be the one-time code")
		}
	}
	hash, err := p.g.hasher.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	cmd := logPeople(c, r.Name)
	cmd.Op = &logv1.PeopleCommand_ChangePassword{ChangePassword: &logv1.ChangePassword{Phc: hash, CredentialVersion: cred.Version, Keep: c.token[:]}}
	return p.submit(ctx, r, cmd)
}

// DeleteAccount closes the account in people, then in chat. A crash between the two is made good by Reconcile.
func (p peoples) DeleteAccount(ctx context.Context, r *apiv1.DeleteAccountRequest) (*apiv1.ChangeResponse, error) {
	c := callerOf(ctx)
	cred, err := p.own(ctx, c, r.Password)
	if err != nil {
		return nil, err
	}
	cmd := logPeople(c, r.Name)
	cmd.Op = &logv1.PeopleCommand_DeleteAccount{DeleteAccount: &logv1.DeleteAccount{CredentialVersion: cred.Version}}
	// The client may hang up, and cannot ask again once its session has ended: both parts are submitted all the same.
	out, err := p.submit(context.WithoutCancel(ctx), r, cmd)
	if err != nil {
		return nil, err
	}
	p.g.closeUser(c.user)
	return out, nil
}

// LogOut ends the sessions of this device.
func (p peoples) LogOut(ctx context.Context, _ *apiv1.LogOutRequest) (*apiv1.LogOutResponse, error) {
	c := callerOf(ctx)
	cmd := logPeople(c, nil)
	cmd.Op = &logv1.PeopleCommand_RevokeSessions{RevokeSessions: &logv1.RevokeSessions{Devices: [][]byte{c.device[:]}}}
	if _, err := p.g.submitPeople(ctx, cmd); err != nil {
		return nil, err
	}
	return &apiv1.LogOutResponse{}, nil
}

// byCode finds a device by its code. Wrong codes are counted per account.
func (p peoples) byCode(c *caller, code string) (pendingDevice, error) {
	key := c.user.String()
	if err := p.g.limit(p.g.tries.codes, key); err != nil {
		return pendingDevice{}, err
	}
	d, ok := p.g.codes.find(p.g.now(), code)
	if !ok {
		return d, fail(apiv1.Reason_REASON_BAD_CODE)
	}
	p.g.tries.codes.back(key)
	return d, nil
}

func (p peoples) PeekDeviceCode(ctx context.Context, r *apiv1.PeekDeviceCodeRequest) (*apiv1.PeekDeviceCodeResponse, error) {
	d, err := p.byCode(callerOf(ctx), r.Code)
	if err != nil {
		return nil, err
	}
	return &apiv1.PeekDeviceCodeResponse{DeviceLabel: d.label}, nil
}

func (p peoples) AdmitDevice(ctx context.Context, r *apiv1.AdmitDeviceRequest) (*apiv1.AdmitDeviceResponse, error) {
	c := callerOf(ctx)
	d, err := p.byCode(c, r.Code)
	if err != nil {
		return nil, err
	}
	cmd := logPeople(c, nil)
	cmd.Op = &logv1.PeopleCommand_AdmitDevice{AdmitDevice: &logv1.AdmitDevice{
		TokenHash: d.token[:], Device: d.device[:], DeviceLabel: d.label, By: c.token[:],
	}}
	res, err := p.g.submitPeople(ctx, cmd)
	if err != nil {
		return nil, err
	}
	p.g.codes.remove(r.Code)
	return &apiv1.AdmitDeviceResponse{Position: position(res.Pos)}, nil
}

func (p peoples) RenewDevice(ctx context.Context, r *apiv1.RenewDeviceRequest) (*apiv1.RenewDeviceResponse, error) {
	c := callerOf(ctx)
	cmd := logPeople(c, nil)
	cmd.Op = &logv1.PeopleCommand_RenewDevice{RenewDevice: &logv1.RenewDevice{TokenHash: c.token[:], Device: r.Device}}
	res, err := p.g.submitPeople(ctx, cmd)
	if err != nil {
		return nil, err
	}
	return &apiv1.RenewDeviceResponse{Position: position(res.Pos)}, nil
}
