package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/bonghwa/bonghwa/internal/inspect"
	"github.com/bonghwa/bonghwa/internal/server"
)

type peopleCmd struct {
	Invite        inviteCmd        `cmd:"" help:"Print an invitation with which people sign up where the server asks for one."`
	ResetPassword resetPasswordCmd `cmd:"" help:"Print a one-time code with which the owner of an account logs in once and chooses a new password."`
	Grant         grantCmd         `cmd:"" help:"Give somebody a role: operator, who sees how the sites are, what was done to them, and the drills."`
	Revoke        revokeCmd        `cmd:"" help:"Take a role back; it binds at once."`
	Operators     operatorsCmd     `cmd:"" help:"List who is an operator."`
}

type inviteCmd struct {
	Data string `help:"Data directory of the running server." default:"bonghwa-data" type:"path"`
	Uses uint32 `help:"How many people may sign up with it." default:"1"`
	Days uint16 `help:"How long it is valid." default:"7"`
}

func (c inviteCmd) Run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	i, err := server.Admin(c.Data).Invite(ctx, c.Uses, c.Days)
	if err != nil {
		return err
	}
	fmt.Printf("invitation: %s\nvalid until %s for %d; `bonghwa chat` asks for it when somebody signs up\n", i.Secret, time.UnixMilli(int64(i.UntilMs)).Format("2006-01-02 15:04"), c.Uses)
	return nil
}

type resetPasswordCmd struct {
	Data   string `help:"Data directory of the running server." default:"bonghwa-data" type:"path"`
	Handle string `arg:"" help:"The account's 아이디."`
}

func (c resetPasswordCmd) Run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := server.Admin(c.Data).ResetPassword(ctx, c.Handle)
	if err != nil {
		return err
	}
	fmt.Printf("one-time code for %s: %s\nvalid until %s, once; the owner logs in with it in the place of the password and must then choose a new one\n",
		r.Handle, r.Code, time.UnixMilli(int64(r.UntilMs)).Format("2006-01-02 15:04"))
	return nil
}

type logCmd struct {
	Dump logDumpCmd `cmd:"" help:"Print entries of the log. Secrets are never printed."`
}

type logDumpCmd struct {
	Data  string `help:"Data directory, of a running or a stopped server." default:"bonghwa-data" type:"path"`
	From  uint64 `help:"First entry; older ones may have been trimmed." default:"1"`
	To    uint64 `help:"Last entry; 0 = the newest."`
	Texts bool   `help:"Print what people wrote and how they are called, too."`
}

func (c logDumpCmd) Run() error {
	return server.DumpLog(context.Background(), server.DumpOptions{Data: c.Data, From: c.From, To: c.To, Texts: c.Texts}, os.Stdout)
}

type viewCmd struct {
	Diff viewDiffCmd `cmd:"" help:"Compare two views (of stopped servers or backups) row by row."`
}

type viewDiffCmd struct {
	A    string `arg:"" help:"A view, such as bonghwa-data/views/chat or a backup's chat directory." type:"path"`
	B    string `arg:"" help:"The other view." type:"path"`
	Key  string `help:"Show this row (hex) of both."`
	Most int    `help:"Rows to print at the most." default:"50"`
}

func (c viewDiffCmd) Run() error {
	return inspect.Diff(os.Stdout, inspect.DiffOptions{A: filepath.Clean(c.A), B: filepath.Clean(c.B), Key: c.Key, Most: c.Most})
}
