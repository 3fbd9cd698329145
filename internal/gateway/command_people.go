package gateway

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/text"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// Commands of the account that need nothing but the request. Those that hash or verify come in people.go.

func logPeople(c *caller, n *apiv1.CommandName) *logv1.PeopleCommand {
	out := &logv1.PeopleCommand{User: c.user[:]}
	if n != nil {
		out.Name = logName(c.device, n)
	}
	return out
}

func logTouch(c *caller, day uint32) *logv1.PeopleCommand {
	out := logPeople(c, nil)
	out.Op = &logv1.PeopleCommand_Touch{Touch: &logv1.Touch{Device: c.device[:], Day: day}}
	return out
}

// accountCommand maps a request to the log.
func accountCommand(c *caller, m proto.Message) (*logv1.PeopleCommand, error) {
	n, ok := m.(named)
	if !ok {
		return nil, fail(apiv1.Reason_REASON_INVALID)
	}
	out := logPeople(c, n.GetName())
	switch m := m.(type) {
	case *apiv1.AddFriendRequest:
		u, err := otherUser(c, m.User)
		if err != nil {
			return nil, err
		}
		out.Op = &logv1.PeopleCommand_AddFriend{AddFriend: &logv1.AddFriend{Other: u[:]}}
	case *apiv1.RemoveFriendRequest:
		u, err := otherUser(c, m.User)
		if err != nil {
			return nil, err
		}
		out.Op = &logv1.PeopleCommand_RemoveFriend{RemoveFriend: &logv1.RemoveFriend{Other: u[:]}}
	case *apiv1.SetProfileRequest:
		p, err := profile(m)
		if err != nil {
			return nil, err
		}
		out.Op = &logv1.PeopleCommand_SetProfile{SetProfile: p}
	case *apiv1.SetPhotoRequest:
		jpeg, err := cleanPhoto(m.Jpeg)
		if err != nil {
			return nil, err
		}
		out.Op = &logv1.PeopleCommand_SetPhoto{SetPhoto: &logv1.SetPhoto{Jpeg: jpeg}}
	case *apiv1.RevokeDevicesRequest:
		r, err := revoke(c, m)
		if err != nil {
			return nil, err
		}
		out.Op = &logv1.PeopleCommand_RevokeSessions{RevokeSessions: r}
	case *apiv1.LabelDeviceRequest:
		d, err := ids.ParseDevice(m.Device)
		if err != nil {
			return nil, invalid("device", "id", "is not a device id")
		}
		l, err := text.Label(m.Label)
		if err != nil {
			return nil, invalidText("label", err)
		}
		out.Op = &logv1.PeopleCommand_LabelDevice{LabelDevice: &logv1.LabelDevice{Device: d[:], Label: l}}
	case *apiv1.RevokeInvitationRequest:
		id, err := ids.Bytes(m.Id)
		if err != nil || len(id) != 32 {
			return nil, invalid("id", "id", "is not the id of an invitation")
		}
		out.Op = &logv1.PeopleCommand_RevokeInvitation{RevokeInvitation: &logv1.RevokeInvitation{SecretHash: id}}
	case *apiv1.SkipAccountCommandRequest:
		if m.Device != "" {
			d, err := ids.ParseDevice(m.Device)
			if err != nil {
				return nil, invalid("device", "id", "is not a device id")
			}
			out.Name.Device = d[:]
		}
		out.Op = &logv1.PeopleCommand_Skip{Skip: &logv1.Skip{}}
	default:
		return nil, fail(apiv1.Reason_REASON_INVALID)
	}
	return out, nil
}

func otherUser(c *caller, s string) (ids.User, error) {
	u, err := ids.ParseUser(s)
	if err != nil || u == c.user {
		return u, invalid("user", "id", "is not another person's id")
	}
	return u, nil
}

func profile(m *apiv1.SetProfileRequest) (*logv1.SetProfile, error) {
	out := &logv1.SetProfile{}
	for _, f := range []struct {
		field string
		in    *string
		fn    func(string) (string, error)
		out   **string
	}{
		{"display_name", m.DisplayName, text.Name, &out.DisplayName},
		{"status_message", m.StatusMessage, text.Status, &out.StatusMessage},
		{"profile_text", m.ProfileText, text.Profile, &out.ProfileText},
	} {
		if f.in == nil {
			continue
		}
		t, err := f.fn(*f.in)
		if err != nil {
			return nil, invalidText(f.field, err)
		}
		*f.out = &t
	}
	return out, nil
}

func revoke(c *caller, m *apiv1.RevokeDevicesRequest) (*logv1.RevokeSessions, error) {
	out := &logv1.RevokeSessions{}
	if m.AllOthers {
		out.All, out.AllBut = true, c.token[:]
		return out, nil
	}
	if len(m.Devices) == 0 {
		return nil, invalid("devices", "min_items", "names no device")
	}
	for i, s := range m.Devices {
		d, err := ids.ParseDevice(s)
		if err != nil {
			return nil, invalid(fmt.Sprintf("devices[%d]", i), "id", "is not a device id")
		}
		out.Devices = append(out.Devices, d[:])
	}
	return out, nil
}
