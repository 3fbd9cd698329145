package client

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// User is a person as others see them.
type User struct {
	ID, Handle, Name, Status, Profile string
	// Closed: the account was deleted; the other fields are empty.
	Closed bool
	// Photo names the profile photo as it is now (Photos); empty: none. Another photo has another name.
	Photo string
	// Simulated: a program of the operator drives it.
	Simulated bool
}

func personOf(u *apiv1.User) User {
	return User{ID: u.GetId(), Handle: u.GetHandle(), Name: u.GetDisplayName(), Status: u.GetStatusMessage(), Profile: u.GetProfileText(), Closed: u.GetClosed(),
		Photo: u.GetPhoto(), Simulated: u.GetSimulated()}
}

func peopleOf(list []*apiv1.User) []User {
	var out []User
	for _, u := range list {
		out = append(out, personOf(u))
	}
	return out
}

// Me is one's own account. mustChange: a one-time code opened this session, and ChangePassword comes first.
func (c *Client) Me(ctx context.Context) (me User, mustChange bool, err error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.GetMeResponse, error) {
		return s.people().GetMe(ctx, &apiv1.GetMeRequest{})
	})
	if err != nil {
		return User{}, false, err
	}
	return personOf(r.Me), r.MustChangePassword, nil
}

// Users looks people up by id, at most 200.
func (c *Client) Users(ctx context.Context, list []string) ([]User, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.GetUsersResponse, error) {
		return s.people().GetUsers(ctx, &apiv1.GetUsersRequest{Ids: list})
	})
	if err != nil {
		return nil, err
	}
	return peopleOf(r.Users), nil
}

// FindUser finds one person by handle (아이디); found is false if nobody has it.
func (c *Client) FindUser(ctx context.Context, handle string) (u User, found bool, err error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.FindUserResponse, error) {
		return s.people().FindUser(ctx, &apiv1.FindUserRequest{Handle: strings.TrimPrefix(strings.TrimSpace(handle), "@")})
	})
	if err != nil || r.User == nil {
		return User{}, false, err
	}
	return personOf(r.User), true, nil
}

// Friends lists one's friends.
func (c *Client) Friends(ctx context.Context) ([]User, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.ListFriendsResponse, error) {
		return s.people().ListFriends(ctx, &apiv1.ListFriendsRequest{})
	})
	if err != nil {
		return nil, err
	}
	return peopleOf(r.Friends), nil
}

// AddedMe lists who has added this person and is not on the own list.
func (c *Client) AddedMe(ctx context.Context) ([]User, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.ListAddedMeResponse, error) {
		return s.people().ListAddedMe(ctx, &apiv1.ListAddedMeRequest{})
	})
	if err != nil {
		return nil, err
	}
	return peopleOf(r.Users), nil
}

// AddFriend adds a person to the list of friends.
func (c *Client) AddFriend(ctx context.Context, user string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindAddFriend, Peer: user})
}

// RemoveFriend takes a person from the list of friends.
func (c *Client) RemoveFriend(ctx context.Context, user string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindRemoveFriend, Peer: user})
}

// ProfileChange has the fields that are to change.
type ProfileChange struct{ Name, Status, Profile *string }

// SetProfile changes the own profile.
func (c *Client) SetProfile(ctx context.Context, p ProfileChange) (Receipt, error) {
	nfc := func(s *string) *string {
		if s == nil {
			return nil
		}
		n := norm.NFC.String(*s)
		return &n
	}
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindSetProfile, Name: nfc(p.Name), Status: nfc(p.Status), Profile: nfc(p.Profile)})
}

// SetPhoto replaces the profile photo by a square JPEG of 16 to 320 pixels and at most 48 KiB; nil removes it. What the
// file says beside the picture (camera, place) is not kept.
func (c *Client) SetPhoto(ctx context.Context, jpeg []byte) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindSetPhoto, Bytes: bytes.Clone(jpeg)})
}

// Photo is somebody's profile photo.
type Photo struct {
	// Name is as in User.Photo.
	User, Name string
	JPEG       []byte
}

// Photos reads the profile photos of at most 40 people; those who have none are left out.
func (c *Client) Photos(ctx context.Context, users []string) ([]Photo, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.GetPhotosResponse, error) {
		return s.people().GetPhotos(ctx, &apiv1.GetPhotosRequest{Users: users})
	})
	if err != nil {
		return nil, err
	}
	var list []Photo
	for _, p := range r.Photos {
		list = append(list, Photo{p.User, p.Photo, p.Jpeg})
	}
	return list, nil
}

// Presence says who of at most 200 people is connected: those who have added this person as a friend, or with whom there
// is a 1:1, and no block. Others are never named. For rooms in view there is PresenceEvent.
func (c *Client) Presence(ctx context.Context, users []string) (online []string, err error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.GetPresenceResponse, error) {
		return s.people().GetPresence(ctx, &apiv1.GetPresenceRequest{Users: users})
	})
	if err != nil {
		return nil, err
	}
	return r.Online, nil
}

// ChangePassword sets a new password and ends all other sessions. Passwords are never stored: if the process ends before
// the answer, the change is given up, and the old password holds unless it was in already.
func (c *Client) ChangePassword(ctx context.Context, old, password string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindChangePassword, Old: norm.NFC.String(old), New: norm.NFC.String(password)})
}

// DeleteAccount closes the account for good.
func (c *Client) DeleteAccount(ctx context.Context, password string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindDeleteAccount, Old: norm.NFC.String(password)})
}

// Device is one logged-in device of the account.
type Device struct {
	ID, Label string
	// LastDay is the day, in UTC, on which the device was last connected, as far as it is noted: once a day.
	LastDay  time.Time
	Current  bool
	Sessions int
	// Connected: now, at the site that answered.
	Connected bool
}

// Devices lists the account's devices.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.ListDevicesResponse, error) {
		return s.people().ListDevices(ctx, &apiv1.ListDevicesRequest{})
	})
	if err != nil {
		return nil, err
	}
	var list []Device
	for _, d := range r.Devices {
		list = append(list, Device{d.Id, d.Label, time.Unix(int64(d.LastDay)*86400, 0).UTC(), d.Current, int(d.Sessions), d.Connected})
	}
	return list, nil
}

// RevokeDevices logs other devices out.
func (c *Client) RevokeDevices(ctx context.Context, devices []string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindRevokeDevices, List: devices})
}

// RevokeOtherDevices logs every other device out.
func (c *Client) RevokeOtherDevices(ctx context.Context) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindRevokeDevices, On: true})
}

// LabelDevice renames a device of the account.
func (c *Client) LabelDevice(ctx context.Context, device, label string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindLabelDevice, Peer: device, Text: norm.NFC.String(label)})
}

// PeekDeviceCode tells which device shows the code.
func (c *Client) PeekDeviceCode(ctx context.Context, code string) (label string, err error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.PeekDeviceCodeResponse, error) {
		return s.people().PeekDeviceCode(ctx, &apiv1.PeekDeviceCodeRequest{Code: code})
	})
	if err != nil {
		return "", err
	}
	return r.DeviceLabel, nil
}

// AdmitDevice lets the device that shows the code in.
func (c *Client) AdmitDevice(ctx context.Context, code string) error {
	_, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.AdmitDeviceResponse, error) {
		return s.people().AdmitDevice(ctx, &apiv1.AdmitDeviceRequest{Code: code})
	})
	return err
}

// Invitation lets people sign up.
type Invitation struct {
	ID         string
	Until      time.Time
	Uses, Used int
	Users      []string
	Revoked    bool
	// Created is zero for invitations made before it was kept.
	Created time.Time
}

// Invitations lists the invitations that this person has made.
func (c *Client) Invitations(ctx context.Context) ([]Invitation, error) {
	r, err := ask(ctx, c, func(ctx context.Context, s *site) (*apiv1.ListInvitationsResponse, error) {
		return s.people().ListInvitations(ctx, &apiv1.ListInvitationsRequest{})
	})
	if err != nil {
		return nil, err
	}
	var list []Invitation
	for _, i := range r.Invitations {
		list = append(list, Invitation{i.Id, millis(i.UntilMs), int(i.Uses), int(i.Used), i.Users, i.Revoked, millis(i.CreatedMs)})
	}
	return list, nil
}

// CreateInvitation makes an invitation for so many people and days (0: 1 and 7). The secret is what goes into the link;
// the server keeps its hash only.
func (c *Client) CreateInvitation(ctx context.Context, uses, days uint32) (secret string, err error) {
	b := make([]byte, 16)
	if _, err := crand.Read(b); err != nil {
		return "", fmt.Errorf("client: %w", err)
	}
	secret = ids.Text(b)
	hash := sha256.Sum256([]byte(secret))
	if _, err := c.change(ctx, clientcore.Op{Kind: clientcore.KindCreateInvitation, Bytes: hash[:], Uses: uses, Days: days}); err != nil {
		return "", err
	}
	return secret, nil
}

// RevokeInvitation takes an invitation back.
func (c *Client) RevokeInvitation(ctx context.Context, id string) (Receipt, error) {
	return c.change(ctx, clientcore.Op{Kind: clientcore.KindRevokeInvitation, Text: id})
}
