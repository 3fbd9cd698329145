package gateway

import (
	"fmt"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
	"github.com/bonghwa/bonghwa/internal/text"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// Groups: create, invite, rename.

func (g *Gateway) fillCreate(c *caller, m *apiv1.CreateRoomRequest, cmd *command, out *logv1.ChatCommand) error {
	create := &logv1.CreateRoom{}
	if m.Title != "" {
		t, err := text.Title(m.Title)
		if err != nil {
			return invalidText("title", err)
		}
		create.Title = t
	}
	err := g.enterNew(c, cmd.room)
	if err != nil {
		return err
	}
	if create.Members, err = g.invitees(c, m.Members, cmd); err != nil {
		return err
	}
	out.Op = &logv1.ChatCommand_CreateRoom{CreateRoom: create}
	return nil
}

func (g *Gateway) fillInvite(c *caller, m *apiv1.InviteRequest, cmd *command, out *logv1.ChatCommand) error {
	members, err := g.invitees(c, m.Members, cmd)
	if err != nil {
		return err
	}
	if len(members) == 0 {
		return fail(apiv1.Reason_REASON_CANNOT_RECEIVE)
	}
	out.Op = &logv1.ChatCommand_Invite{Invite: &logv1.Invite{Members: members}}
	return nil
}

// invitees parses the people to be added and leaves out the inviter, doubles, and who has no account or too many rooms: chat cannot
// know.
func (g *Gateway) invitees(c *caller, members []string, cmd *command) (out [][]byte, err error) {
	s := g.k.Snapshot(kernel.DomainPeople)
	defer s.Close()
	rooms := g.k.Snapshot(kernel.DomainChat)
	defer rooms.Close()
	_, made := chat.GetRoom(rooms, cmd.room)
	seen := map[ids.User]bool{c.user: true}
	for i, m := range members {
		u, err := ids.ParseUser(m)
		if err != nil {
			return nil, invalid(fmt.Sprintf("members[%d]", i), "id", "is not a user id")
		}
		if seen[u] {
			continue
		}
		seen[u] = true
		if a, ok := people.GetAccount(s, u); !ok || a.Closed {
			cmd.absent = append(cmd.absent, u)
			continue
		}
		// Who is or was in this room has a line of it.
		if _, ok := chat.GetMember(rooms, cmd.room, u); !(made && ok) && !g.placeFor(rooms, s, u, c) {
			cmd.absent = append(cmd.absent, u)
			continue
		}
		cmd.invited = append(cmd.invited, u)
		out = append(out, u[:])
	}
	return out, nil
}

// refusedOf lists who was named and is not in the room now; to its members only, since a repeated command is answered
// to somebody who has left, too.
func (g *Gateway) refusedOf(c *caller, cmd *command) (out []string) {
	for _, u := range cmd.absent {
		out = append(out, u.String())
	}
	if len(cmd.invited) == 0 {
		return out
	}
	s := g.k.Snapshot(kernel.DomainChat)
	defer s.Close()
	if m, ok := chat.GetMember(s, cmd.room, c.user); !ok || !m.Present {
		return out
	}
	for _, u := range cmd.invited {
		if m, ok := chat.GetMember(s, cmd.room, u); !ok || !m.Present {
			out = append(out, u.String())
		}
	}
	return out
}

func fillRename(m *apiv1.RenameRequest, out *logv1.ChatCommand) error {
	t, err := text.Title(m.Title)
	if err != nil {
		return invalidText("title", err)
	}
	out.Op = &logv1.ChatCommand_Rename{Rename: &logv1.Rename{Title: t}}
	return nil
}
