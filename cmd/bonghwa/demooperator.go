package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/server"
)

// controlSocket is where the nodes of the demo ask for a fire.
const controlSocket = "control.sock"

// demoOperator is the handle of the demo's operator.
const demoOperator = "operator"

// operator makes the account of the demo's operator, once, with a password made up for these sites.
func (d *demoSites) operator(ctx context.Context, dir string) (handle, password string, err error) {
	file := filepath.Join(dir, "operator.txt")
	b, err := os.ReadFile(file)
	if err == nil {
		handle, password, _ = strings.Cut(strings.TrimSpace(string(b)), " ")
		return handle, password, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	password = strings.ToLower(rand.Text()[:12])
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c, err := client.Open(client.Options{URLs: []string{d.nodes[0].URL}, Store: &client.MemoryStore{}, NoEvents: true, DeviceLabel: "bonghwa demo"})
	if err != nil {
		return "", "", err
	}
	defer c.Close()
	// Somebody may have the handle already: an earlier start that ended between the two.
	handle = demoOperator
	for i := 2; ; i++ {
		err = c.SignUp(ctx, client.SignUpForm{Handle: handle, Name: "봉화지기", Password: password})
		if client.ReasonOf(err) != client.ReasonHandleTaken || i == 10 {
			break
		}
		handle = fmt.Sprintf("%s%d", demoOperator, i)
	}
	if err != nil {
		return "", "", fmt.Errorf("the operator's account could not be made: %w", err)
	}
	if err := server.Admin(d.nodes[0].Data).SetOperator(ctx, handle, true); err != nil {
		return "", "", err
	}
	_ = c.LogOut(ctx)
	return handle, password, os.WriteFile(file, []byte(handle+" "+password+"\n"), 0o600)
}
