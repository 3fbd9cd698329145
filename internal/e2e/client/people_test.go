package client

import (
	"bytes"
	"image"
	"image/jpeg"
	"path/filepath"
	"slices"
	"testing"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
	"github.com/bonghwa/bonghwa/internal/server"
)

// watcher signs up and keeps its events.
func watcher(t *testing.T, s *harness.Server, handle string) *client.Client {
	t.Helper()
	c, err := client.Open(client.Options{URLs: []string{s.URL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SignUp(ctxOf(t), client.SignUpForm{Handle: handle, Name: handle, Password: harness.Password}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitConnected(ctxOf(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

// until reads events until one is the wanted.
func until[E client.Event](t *testing.T, c *client.Client, wanted func(E) bool) {
	t.Helper()
	ctx := ctxOf(t)
	for {
		select {
		case e := <-c.Events():
			if e, ok := e.(E); ok && wanted(e) {
				return
			}
		case <-ctx.Done():
			t.Fatal("the event did not come")
		}
	}
}

// TestPeopleOfTheOperator: a program of the operator learns of a sign-up, makes friends of people and is shown as a
// program; they see each other's photos, presence and reactions, over a restart too.
func TestPeopleOfTheOperator(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := harness.Start(t, data, "")
	admin := server.Admin(data)
	robot := watcher(t, s, "robot")
	if err := admin.MarkSimulated(ctxOf(t), "robot"); err != nil {
		t.Fatal(err)
	}
	first, err := admin.SignUps(ctxOf(t), "")
	if err != nil || len(first.Accounts) != 1 || first.Accounts[0].User != user(t, robot) || !first.Accounts[0].Simulated {
		t.Fatalf("%+v, %v", first, err)
	}
	type answer struct {
		server.SignUps
		error
	}
	more := make(chan answer)
	go func() {
		u, err := admin.SignUps(ctxOf(t), first.Cursor)
		more <- answer{u, err}
	}()
	mina := watcher(t, s, "mina")
	second := <-more
	if second.error != nil || len(second.Accounts) == 0 || second.Accounts[len(second.Accounts)-1].Handle != "mina" {
		t.Fatalf("%+v", second)
	}
	if err := admin.Befriend(ctxOf(t), "mina", []string{"robot"}); err != nil {
		t.Fatal(err)
	}
	if err := admin.Befriend(ctxOf(t), "mina", []string{"nobody"}); err == nil {
		t.Fatal("somebody without an account is a friend")
	}
	friends, err := mina.Friends(ctxOf(t))
	if err != nil || len(friends) != 1 || !friends[0].Simulated || friends[0].Photo != "" {
		t.Fatalf("%+v, %v", friends, err)
	}

	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 64, 64)), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := robot.SetPhoto(ctxOf(t), photo.Bytes()); err != nil {
		t.Fatal(err)
	}
	until(t, mina, func(e client.PeopleEvent) bool { return slices.Contains(e.Users, user(t, robot)) })
	if _, err := robot.SetPhoto(ctxOf(t), []byte("no picture")); client.ReasonOf(err) != client.ReasonInvalid {
		t.Fatal(err)
	}

	r, err := robot.Send(ctxOf(t), user(t, mina), "안녕하세요")
	if err != nil {
		t.Fatal(err)
	}
	mina.View(r.Room)
	until(t, mina, func(e client.PresenceEvent) bool { return e.Room == r.Room && e.Online == 2 && len(e.Users) == 2 })
	if online, err := mina.Presence(ctxOf(t), []string{user(t, robot)}); err != nil || len(online) != 1 {
		t.Fatalf("%v, %v", online, err)
	}
	if _, err := mina.React(ctxOf(t), r.Room, r.Seq, 3); err != nil {
		t.Fatal(err)
	}
	if who, err := robot.ListReactions(ctxOf(t), r.Room, r.Seq); err != nil || !slices.Equal(who, []client.Reaction{{User: user(t, mina), Reaction: 3}}) {
		t.Fatalf("%v, %v", who, err)
	}
	if _, err := mina.CreateInvitation(ctxOf(t), 1, 1); err != nil {
		t.Fatal(err)
	}
	if all, err := mina.Invitations(ctxOf(t)); err != nil || len(all) != 1 || all[0].Created.IsZero() || !all[0].Created.Before(all[0].Until) {
		t.Fatalf("%+v, %v", all, err)
	}

	s.Kill()
	harness.Start(t, data, s.URL[len("http://"):])
	photos, err := mina.Photos(ctxOf(t), []string{user(t, robot), user(t, mina)})
	if err != nil || len(photos) != 1 || photos[0].User != user(t, robot) || !bytes.Equal(photos[0].JPEG, photo.Bytes()) {
		t.Fatalf("%d photos, %v", len(photos), err)
	}
	if again, err := admin.SignUps(ctxOf(t), first.Cursor); err != nil || again.Cursor != second.Cursor {
		t.Fatalf("%+v, %v; the cursor was %s", again, err, second.Cursor)
	}
	if err := robot.WaitConnected(ctxOf(t)); err != nil {
		t.Fatal(err)
	}
	until(t, mina, func(e client.PresenceEvent) bool { return e.Room == r.Room && e.Online == 2 })
}
