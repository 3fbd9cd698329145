package gateway

import (
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// One's own lines and lists within chat: block and unblock, typing, and the end of an account.

func (g *Gateway) fillBlock(c *caller, user string, on bool, out *logv1.ChatCommand) error {
	u, err := ids.ParseUser(user)
	if err != nil || u == c.user {
		return invalid("user", "id", "is not another person's id")
	}
	s := g.k.Snapshot(kernel.DomainPeople)
	defer s.Close()
	if _, ok := people.GetAccount(s, u); !ok {
		return failOn(apiv1.Reason_REASON_UNKNOWN_USER, user)
	}
	if on {
		out.Op = &logv1.ChatCommand_Block{Block: &logv1.Block{Other: u[:]}}
	} else {
		out.Op = &logv1.ChatCommand_Unblock{Unblock: &logv1.Unblock{Other: u[:]}}
	}
	return nil
}

// typingBytes is the ephemeral command.
func typingBytes(u ids.User, room ids.Room, stopped bool) ([]byte, error) {
	return proto.Marshal(&logv1.ChatCommand{User: u[:], Room: room[:], Op: &logv1.ChatCommand_Typing{Typing: &logv1.Typing{Stopped: stopped}}})
}

// closeAgain is between two attempts to close an account in chat.
const closeAgain = time.Second

// closeUser submits the chat part of a closed account, again and again while this node lives: nobody else asks for it, and once
// more does nothing. A crash before it is in the log is made good by Reconcile.
func (g *Gateway) closeUser(u ids.User) {
	b, err := proto.Marshal(&logv1.ChatCommand{User: u[:], Op: &logv1.ChatCommand_CloseUser{CloseUser: &logv1.CloseUser{}}})
	if err != nil {
		panic(err) // two messages of known fields always encode
	}
	var try func()
	later := func(err error) {
		if err == nil || errors.Is(err, kernel.ErrStopped) {
			return
		}
		g.log.Warn("the chat part of a closed account waits", "cause", err)
		time.AfterFunc(closeAgain, try)
	}
	try = func() {
		if err := g.k.Submit(kernel.DomainChat, b, func(r kernel.Result) { later(r.Err) }); err != nil {
			later(err)
		}
	}
	try()
}
