package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bonghwa/bonghwa/client"
)

// arrive brings the twelve in: accounts, marks, friends, profiles, rooms. Everything is looked at first, so that it can be
// done again after any end in between.
func (t *troupe) arrive(ctx context.Context) error {
	pool := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(people)}}
	for i, p := range people {
		c, err := t.enter(ctx, i, pool)
		if err != nil {
			return fmt.Errorf("%s cannot come: %w", p.handle, err)
		}
		a, _ := c.Account()
		t.users = append(t.users, a.User)
		t.mine[a.User] = true
		if err := t.o.Operator.MarkSimulated(ctx, p.handle); err != nil {
			return err
		}
	}
	for i, p := range people[:len(people)-1] {
		if err := t.o.Operator.Befriend(ctx, p.handle, handles()[i+1:]); err != nil {
			return err
		}
	}
	for i, p := range people {
		if err := t.dress(ctx, t.clients[i], p); err != nil {
			return fmt.Errorf("the profile of %s: %w", p.handle, err)
		}
	}
	for _, r := range rooms() {
		if err := t.gather(ctx, r); err != nil {
			return fmt.Errorf("the room %s: %w", r.title, err)
		}
	}
	return t.state.save()
}

func handles() (list []string) {
	for _, p := range people {
		list = append(list, p.handle)
	}
	return list
}

// at lists the sites for one of them: their own first.
func (t *troupe) at(who int) []string {
	own := who % len(t.o.URLs)
	return append(slices.Clone(t.o.URLs[own:]), t.o.URLs[:own]...)
}

// enter signs one of them up, or goes on with the session of before, or logs in again.
func (t *troupe) enter(ctx context.Context, who int, pool *http.Client) (*client.Client, error) {
	p := people[who]
	dir := filepath.Join(t.o.Dir, p.handle)
	store, err := client.OpenFileStore(dir)
	if err != nil {
		return nil, err
	}
	c, err := client.Open(client.Options{URLs: t.at(who), Store: store, HTTPClient: pool, DeviceLabel: "bonghwa demo",
		OnEvent: func(e client.Event) { t.event(who, e) }})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	t.clients = append(t.clients, c) // closed with the others from here on
	password, err := passwordIn(dir)
	if err != nil {
		return nil, err
	}
	if _, in := c.Account(); in {
		if err = c.WaitConnected(ctx); err == nil {
			return c, nil
		}
		if ended := (*client.EndedError)(nil); !errors.As(err, &ended) {
			return nil, err
		}
		_, err = c.LogIn(ctx, p.handle, password)
	} else {
		err = c.SignUp(ctx, client.SignUpForm{Handle: p.handle, Name: p.name, Password: password})
		if errors.Is(err, client.ErrOtherAccount) || client.ReasonOf(err) == client.ReasonHandleTaken {
			_, err = c.LogIn(ctx, p.handle, password)
		}
	}
	if err != nil {
		return nil, err
	}
	return c, c.WaitConnected(ctx)
}

// passwordIn is the password of a profile, made up at first.
func passwordIn(dir string) (string, error) {
	file := filepath.Join(dir, "password")
	b, err := os.ReadFile(file)
	if err == nil {
		return strings.TrimSpace(string(b)), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	b = make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	password := hex.EncodeToString(b)
	return password, writeFile(file, []byte(password+"\n"))
}

// dress gives one of them status, text and picture.
func (t *troupe) dress(ctx context.Context, c *client.Client, p person) error {
	me, _, err := c.Me(ctx)
	if err != nil {
		return err
	}
	if me.Status != p.status || me.Profile != p.profile {
		if _, err := c.SetProfile(ctx, client.ProfileChange{Status: &p.status, Profile: &p.profile}); err != nil {
			return err
		}
	}
	if me.Photo != "" {
		return nil
	}
	jpeg, err := picture(p.handle)
	if err != nil {
		return err
	}
	_, err = c.SetPhoto(ctx, jpeg)
	return err
}

// gather makes a room with its members, once.
func (t *troupe) gather(ctx context.Context, r room) error {
	if t.state.Rooms[r.key] != "" {
		return nil
	}
	host := t.clients[r.host]
	list, err := host.ListRooms(ctx)
	if err != nil {
		return err
	}
	for _, l := range list { // made, and not noted down
		if l.Kind == client.Group && l.Title == r.title {
			t.state.Rooms[r.key] = l.ID
			return t.state.save()
		}
	}
	var members []string
	for _, i := range r.members {
		if i != r.host {
			members = append(members, t.users[i])
		}
	}
	made, err := host.CreateRoom(ctx, r.title, members)
	if err != nil {
		return err
	}
	t.state.Rooms[r.key] = made.Room
	return t.state.save()
}

// state is what must be known after a restart. It holds ids, and nothing that was said.
type state struct {
	file    string
	Rooms   map[string]string   `json:"rooms"`
	History map[string]bool     `json:"history"`
	Done    map[string][]string `json:"done"`
	Spent   Allowance           `json:"spent"`
}

func openState(file string) (*state, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	s := &state{file: file}
	b, err := os.ReadFile(file)
	if err == nil {
		if err = json.Unmarshal(b, s); err != nil {
			return nil, fmt.Errorf("%s cannot be read: %w; delete it, and the twelve begin anew", file, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if s.Rooms == nil {
		s.Rooms = map[string]string{}
	}
	if s.History == nil {
		s.History = map[string]bool{}
	}
	if s.Done == nil {
		s.Done = map[string][]string{}
	}
	return s, nil
}

func (s *state) save() error {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return writeFile(s.file, b)
}

// writeFile writes a file as a whole or not at all.
func writeFile(file string, b []byte) error {
	f, err := os.OpenFile(file+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}
