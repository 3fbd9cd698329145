package client

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

func ctxOf(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// person signs up on a server; dir "" keeps everything in memory.
func person(t *testing.T, s *harness.Server, handle, dir string) *client.Client {
	t.Helper()
	c := profile(t, s, dir)
	if err := c.SignUp(ctxOf(t), client.SignUpForm{Handle: handle, Name: handle, Password: harness.Password}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitConnected(ctxOf(t)); err != nil {
		t.Fatal(err)
	}
	return c
}

func profile(t *testing.T, s *harness.Server, dir string) *client.Client {
	t.Helper()
	o := client.Options{URLs: []string{s.URL}, NoEvents: true, DeviceLabel: "test"}
	if dir != "" {
		store, err := client.OpenFileStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		o.Store = store
	}
	c, err := client.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func user(t *testing.T, c *client.Client) string {
	t.Helper()
	a, ok := c.Account()
	if !ok {
		t.Fatal("nobody is logged in")
	}
	return a.User
}

// texts reads a whole room.
func texts(t *testing.T, c *client.Client, room string) (list []string) {
	t.Helper()
	for from := uint64(1); ; {
		p, err := c.History(ctxOf(t), room, from, false, 200)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range p.Messages {
			if m.Seq != from {
				t.Fatalf("seq %d follows %d", m.Seq, from-1)
			}
			from++
			if m.Kind == client.KindText {
				list = append(list, m.Text)
			}
		}
		if from > p.LastSeq {
			return list
		}
	}
}

// TestServerKilledInMidSend: two people write without pause while the server is killed and started again. Every message
// is in once, in each sender's order, and where its receipt says.
func TestServerKilledInMidSend(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	s := harness.Start(t, data, "")
	a, b := person(t, s, "alice", filepath.Join(dir, "alice")), person(t, s, "bobby", filepath.Join(dir, "bobby"))
	const n, rounds = 150, 3
	type sent struct {
		who string
		p   *client.Pending
	}
	var all []sent
	for round := range rounds {
		for i := range n {
			for _, w := range []struct {
				c    *client.Client
				name string
				to   string
			}{{a, "a", user(t, b)}, {b, "b", user(t, a)}} {
				p, err := w.c.SendAsync(w.to, fmt.Sprintf("%s%d", w.name, round*n+i), client.SendOptions{})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, sent{w.name, p})
			}
		}
		if _, err := all[len(all)-2*n+20].p.Wait(ctxOf(t)); err != nil { // some are in, some under way
			t.Fatal(err)
		}
		s.Kill()
		s = harness.Start(t, data, strings.TrimPrefix(s.URL, "http://"))
	}
	seqs := map[uint64]bool{}
	var room string
	for i, x := range all {
		r, err := x.p.Wait(ctxOf(t))
		if err != nil || seqs[r.Seq] {
			t.Fatalf("%d of %s: %+v %v", i, x.who, r, err)
		}
		seqs[r.Seq] = true
		room = r.Room
	}
	want := map[string]int{}
	got := texts(t, a, room)
	for _, text := range got {
		who := text[:1]
		if text != fmt.Sprintf("%s%d", who, want[who]) {
			t.Fatalf("%q where %s%d should be", text, who, want[who])
		}
		want[who]++
	}
	if len(got) != 2*n*rounds {
		t.Fatalf("%d messages, want %d", len(got), 2*n*rounds)
	}
}

// TestProfileSurvives: a client that ends with open items and starts again later sends them, as the same device.
func TestProfileSurvives(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	s := harness.Start(t, data, "")
	a := person(t, s, "alice", filepath.Join(dir, "alice"))
	me, _ := a.Account()
	first, err := a.Send(ctxOf(t), me.User, "one")
	if err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if _, err := a.SendAsync(me.User, "two", client.SendOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	s = harness.Start(t, data, strings.TrimPrefix(s.URL, "http://"))
	again := profile(t, s, filepath.Join(dir, "alice"))
	if got, in := again.Account(); !in || got != me {
		t.Fatalf("%+v, was %+v", got, me)
	}
	if r, err := again.Send(ctxOf(t), me.User, "three"); err != nil || r.Seq != first.Seq+2 {
		t.Fatalf("%+v %v", r, err)
	}
	if got := texts(t, again, first.Room); strings.Join(got, " ") != "one two three" {
		t.Fatalf("%q", got)
	}
}

// TestWholeAPI walks through everything that the client can ask for.
func TestWholeAPI(t *testing.T) {
	s := harness.Start(t, t.TempDir(), "")
	a, b := person(t, s, "alice", ""), person(t, s, "bobby", "")
	ctx := ctxOf(t)
	alice, bob := user(t, a), user(t, b)
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	server, err := a.GetServer(ctx)
	check("server", err)
	if server.Signup != "open" || server.Cell == "" {
		t.Fatalf("%+v", server)
	}
	free, err := a.CheckHandle(ctx, "alice")
	check("handle", err)
	if free {
		t.Fatal("a handle that is taken is free")
	}

	// People.
	u, found, err := a.FindUser(ctx, "@bobby")
	check("find", err)
	if !found || u.ID != bob {
		t.Fatalf("%+v", u)
	}
	_, err = a.AddFriend(ctx, bob)
	check("add friend", err)
	friends, err := a.Friends(ctx)
	check("friends", err)
	if len(friends) != 1 || friends[0].ID != bob {
		t.Fatalf("%+v", friends)
	}
	added, err := b.AddedMe(ctx)
	check("added me", err)
	if len(added) != 1 || added[0].ID != alice {
		t.Fatalf("%+v", added)
	}
	_, err = a.RemoveFriend(ctx, bob)
	check("remove friend", err)
	name, status := "앨리스", "점심 먹는 중"
	_, err = a.SetProfile(ctx, client.ProfileChange{Name: &name, Status: &status})
	check("profile", err)
	me, _, err := a.Me(ctx)
	check("me", err)
	if me.Name != name || me.Status != status {
		t.Fatalf("%+v", me)
	}

	// A group.
	r, err := a.CreateRoom(ctx, "저녁", []string{bob})
	check("create", err)
	room := r.Room
	r, err = b.Send(ctx, room, "갈게요")
	check("send", err)
	_, err = b.Edit(ctx, room, r.Seq, "못 가요")
	check("edit", err)
	_, err = a.React(ctx, room, r.Seq, 6)
	check("react", err)
	if _, err = a.Edit(ctx, room, r.Seq, "not mine"); client.ReasonOf(err) != client.ReasonNotAuthor {
		t.Fatal(err)
	}
	_, err = a.Rename(ctx, room, "저녁 모임")
	check("rename", err)
	_, err = a.Mute(ctx, room, true)
	check("mute", err)
	_, err = a.Pin(ctx, room, true)
	check("pin", err)
	a.MarkRead(room, r.Seq)
	p, err := a.SendAsync(room, "답장", client.SendOptions{ReplyTo: r.Seq})
	check("reply", err)
	reply, err := p.Wait(ctx)
	check("reply", err)
	page, err := a.History(ctx, room, reply.Seq, true, 1)
	check("history of one", err)
	if m := page.Messages[0]; m.Text != "답장" || m.ReplyTo != r.Seq || m.N == 0 {
		t.Fatalf("%+v", m)
	}
	_, err = a.Delete(ctx, room, reply.Seq)
	check("delete", err)
	page, err = a.History(ctx, room, 0, true, 50)
	check("history", err)
	if m := page.Messages[r.Seq-1]; m.Text != "못 가요" || m.Edited.IsZero() || m.Reactions[5] != 1 || m.MyReaction != 6 {
		t.Fatalf("%+v", m)
	}
	if m := page.Messages[reply.Seq-1]; !m.Deleted || m.Text != "" {
		t.Fatalf("%+v", m)
	}
	line, err := a.GetRoom(ctx, room)
	check("room", err)
	if !line.Muted || !line.Pinned || line.Title != "저녁 모임" || line.Members != 2 || line.Kind != client.Group {
		t.Fatalf("%+v", line)
	}
	members, err := b.ListMembers(ctx, room)
	check("members", err)
	if len(members) != 2 {
		t.Fatalf("%+v", members)
	}
	_, err = b.Leave(ctx, room)
	check("leave", err)
	if _, err = b.Send(ctx, room, "x"); client.ReasonOf(err) != client.ReasonNotMember {
		t.Fatal(err)
	}
	_, err = a.Invite(ctx, room, []string{bob})
	check("invite", err)
	_, err = b.Send(ctx, room, "다시 왔어요")
	check("send after the invitation", err)
	rooms, err := b.ListRooms(ctx)
	check("rooms", err)
	if len(rooms) != 1 || rooms[0].ID != room {
		t.Fatalf("%+v", rooms)
	}

	// Refusals are told as they are, and what follows is not blocked by them.
	_, err = a.Block(ctx, bob)
	check("block", err)
	if _, err = b.Send(ctx, alice, "hello?"); client.ReasonOf(err) != client.ReasonCannotReceive {
		t.Fatal(err)
	}
	blocked, err := a.ListBlocked(ctx)
	check("blocked", err)
	if len(blocked) != 1 || blocked[0] != bob {
		t.Fatalf("%+v", blocked)
	}
	_, err = a.Unblock(ctx, bob)
	check("unblock", err)
	if _, err = b.Send(ctx, alice, strings.Repeat("가", 10_001)); client.ReasonOf(err) != client.ReasonInvalid && client.ReasonOf(err) != client.ReasonTooLarge {
		t.Fatal(err)
	}
	direct, err := b.Send(ctx, alice, "hello!")
	check("send after refusals", err)
	if direct.Seq != 1 {
		t.Fatalf("%+v", direct)
	}
	if _, err = a.Send(ctx, "aaaaaaaaaaaaaaaa", "nobody"); err == nil {
		t.Fatal("a message to nobody was taken")
	}

	// Another device, and the end of its session.
	second := profile(t, s, "")
	code, err := second.RequestDeviceCode(ctx)
	check("code", err)
	label, err := a.PeekDeviceCode(ctx, code.Code)
	check("peek", err)
	if label != "test" {
		t.Fatalf("%q", label)
	}
	check("admit", a.AdmitDevice(ctx, code.Code))
	admitted, err := second.PollDeviceCode(ctx, code)
	check("poll", err)
	if !admitted {
		t.Fatal("not admitted")
	}
	check("second device", second.WaitConnected(ctx))
	devices, err := a.Devices(ctx)
	check("devices", err)
	if len(devices) != 2 || !devices[0].Connected || !devices[1].Connected {
		t.Fatalf("%+v", devices)
	}
	_, err = a.ChangePassword(ctx, harness.Password, "another password")
	check("password", err)
	var ended *client.EndedError
	for err = second.WaitConnected(ctx); err == nil && ctx.Err() == nil; err = second.WaitConnected(ctx) {
		// Until the revocation has reached the session.
		if _, sendErr := second.Send(ctx, alice, "still here"); sendErr != nil && !errors.As(sendErr, &ended) {
			t.Fatal(sendErr)
		}
	}
	if !errors.As(err, &ended) || client.ReasonOf(err) != client.ReasonSessionRevoked {
		t.Fatal(err)
	}

	// An invitation, and out and in again.
	secret, err := a.CreateInvitation(ctx, 1, 1)
	check("invitation", err)
	invitations, err := a.Invitations(ctx)
	check("invitations", err)
	if len(invitations) != 1 || secret == "" {
		t.Fatalf("%+v", invitations)
	}
	_, err = a.RevokeInvitation(ctx, invitations[0].ID)
	check("revoke the invitation", err)
	before, _ := a.Account()
	check("log out", a.LogOut(ctx))
	if _, err = a.LogIn(ctx, "alice", harness.Password); client.ReasonOf(err) != client.ReasonBadCredentials {
		t.Fatal(err)
	}
	_, err = a.LogIn(ctx, "alice", "another password")
	check("log in", err)
	check("connected", a.WaitConnected(ctx))
	if after, _ := a.Account(); after != before {
		t.Fatalf("%+v, was %+v", after, before)
	}
	r, err = a.Send(ctx, bob, "back again")
	check("send after the log-in", err)
	if r.Seq < 2 {
		t.Fatalf("%+v", r)
	}
}
