package term

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/bonghwa/bonghwa/client"
)

// ChatCmd is `bonghwa chat`.
type ChatCmd struct {
	Server  []string `help:"Address of the server; several for several sites." default:"http://127.0.0.1:8080" env:"BONGHWA_SERVER"`
	Profile string   `help:"Directory of account and outbox. Default: one for each server and window, among the user's settings." type:"path"`
	Verbose bool     `help:"Show the cause, too, when something does not work, as the system gives it."`
	Lang    string   `help:"Language of the interface: ko or en. Default: the system's." enum:"ko,en," default:""`
}

// Run talks until the user has enough.
func (c ChatCmd) Run() error {
	l := langOf(c.Lang)
	store, err := c.store()
	if errors.Is(err, client.ErrInUse) {
		return errors.New(l.say("inuse"))
	}
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "terminal"
	}
	cl, err := client.Open(client.Options{URLs: c.Server, Store: store, DeviceLabel: "bonghwa chat · " + host})
	if err != nil {
		_ = store.Close()
		return err
	}
	defer func() { _ = cl.Close() }()
	s, err := newScreen(os.Stdin, os.Stdout)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	done := make(chan error, 1)
	a := newApp(cl, s, l)
	a.verbose = c.Verbose
	go func() { done <- a.run(ctx) }()
	select {
	case err := <-done:
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
			return nil
		}
		return errors.New(a.why(err))
	case <-ctx.Done():
		return nil // the terminal is gone or the system stops; what is open is in the outbox
	}
}

// store opens the profile. Without --profile every window gets one of its own: the first that is free.
func (c ChatCmd) store() (*client.FileStore, error) {
	if c.Profile != "" {
		return client.OpenFileStore(c.Profile)
	}
	base, err := os.UserConfigDir()
	if err != nil {
		return nil, fmt.Errorf("no directory for settings; choose one with --profile: %w", err)
	}
	name := "default"
	if u, err := url.Parse(c.Server[0]); err == nil && u.Host != "" {
		name = strings.ReplaceAll(u.Host, ":", "_")
	}
	for i := 1; ; i++ {
		dir := filepath.Join(base, "bonghwa", name)
		if i > 1 {
			dir += fmt.Sprintf("-%d", i)
		}
		s, err := client.OpenFileStore(dir)
		if i < 9 && errors.Is(err, client.ErrInUse) {
			continue
		}
		return s, err
	}
}
