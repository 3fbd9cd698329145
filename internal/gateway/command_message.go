package gateway

import (
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/text"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// Messages: send, edit, skip.

func (g *Gateway) fillSend(c *caller, m *apiv1.SendRequest, cmd *command, out *logv1.ChatCommand) error {
	t, err := text.Message(m.Text)
	if err != nil {
		return invalidText("text", err)
	}
	send := &logv1.Send{Text: t, ReplyTo: m.ReplyTo, Read: m.ReadSeq}
	if cmd.room.Kind() == ids.KindDirect {
		if err := g.peerOf(c, cmd); err != nil {
			return err
		}
		send.Peer = cmd.peer[:]
	}
	out.Op = &logv1.ChatCommand_Send{Send: send}
	return nil
}

func fillEdit(m *apiv1.EditRequest, out *logv1.ChatCommand) error {
	t, err := text.Message(m.Text)
	if err != nil {
		return invalidText("text", err)
	}
	out.Op = &logv1.ChatCommand_Edit{Edit: &logv1.Edit{Seq: m.Seq, Text: t}}
	return nil
}

// fillSkip gives a name up. After RenewDevice the names that are open belong to the old device.
func fillSkip(m *apiv1.SkipRequest, out *logv1.ChatCommand) error {
	if m.Device != "" {
		d, err := ids.ParseDevice(m.Device)
		if err != nil {
			return invalid("device", "id", "is not a device id")
		}
		out.Name.Device = d[:]
	}
	out.Op = &logv1.ChatCommand_Skip{Skip: &logv1.Skip{}}
	return nil
}
