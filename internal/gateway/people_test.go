package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/people"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

func TestPhotoCalls(t *testing.T) {
	w := newWeb(t, nil)
	a, b := w.person("alice"), w.person("bobby")
	ta, tb := ids.Text(a.token), ids.Text(b.token)
	photos := func(users ...string) []any {
		t.Helper()
		list, _ := w.ok(tb, "PeopleService/GetPhotos", obj{"users": users})["photos"].([]any)
		return list
	}
	if x := photos(a.user.String()); x != nil {
		t.Fatal(x)
	}
	plain := picture(t, 64, 64)
	set := obj{"name": nm(1), "jpeg": insert(plain, segment(0xe1, "Exif\x00\x00somewhere"))}
	w.ok(ta, "PeopleService/SetPhoto", set)
	if x := w.ok(ta, "PeopleService/SetPhoto", set); x["repeated"] != true {
		t.Fatal(x)
	}
	me := w.ok(ta, "PeopleService/GetMe", obj{})["me"].(obj)
	name, _ := me["photo"].(string)
	got := photos(a.user.String(), b.user.String(), a.user.String())
	if len(name) != 26 || len(got) != 1 || got[0].(obj)["photo"] != name || got[0].(obj)["user"] != a.user.String() {
		t.Fatalf("%v, %v", me, got)
	}
	if kept, err := base64.StdEncoding.DecodeString(got[0].(obj)["jpeg"].(string)); err != nil || !bytes.Equal(kept, plain) {
		t.Fatalf("%d bytes were kept of %d: %v", len(kept), len(plain), err)
	}

	for what, jpeg := range map[string][]byte{"no picture": []byte("x"), "too large": make([]byte, people.MaxPhoto+1), "no square": picture(t, 64, 32)} {
		info := w.refused("INVALID", ta, "PeopleService/SetPhoto", obj{"name": nm(2), "jpeg": jpeg})
		if info["consumed"] == true || info["fields"].([]any)[0].(obj)["field"] != "jpeg" {
			t.Errorf("%s: %v", what, info)
		}
	}
	w.refused("UNAUTHENTICATED", "", "PeopleService/GetPhotos", obj{"users": []string{a.user.String()}})
	w.refused("INVALID", tb, "PeopleService/GetPhotos", obj{"users": []string{"nobody"}})

	w.ok(ta, "PeopleService/SetPhoto", obj{"name": nm(2)})
	if x := photos(a.user.String()); x != nil {
		t.Fatal(x)
	}
}

// TestLargestPhoto: 48 KiB fit into a command, an entry and an answer.
func TestLargestPhoto(t *testing.T) {
	r := newRig(t, nil)
	a := r.person("alice")
	b := bytes.Repeat([]byte{0xa5}, people.MaxPhoto)
	r.submitPeople(&logv1.PeopleCommand{User: a.user[:], Name: logName(a.device, named8(1, 1)), Op: &logv1.PeopleCommand_SetPhoto{SetPhoto: &logv1.SetPhoto{Jpeg: b}}})
	res, err := (peoples{r.g}).GetPhotos(withCaller(t, a), &apiv1.GetPhotosRequest{Users: []string{a.user.String()}})
	if err != nil || len(res.Photos) != 1 || !bytes.Equal(res.Photos[0].Jpeg, b) {
		t.Fatal(err)
	}
}

// TestPhotoReads: a session can read photos so often, and again when time has passed; another session is not held up.
func TestPhotoReads(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.PhotoReads = 2 })
	a, b := r.person("alice"), r.person("bobby")
	ask := func(p *someone) error {
		_, err := (peoples{r.g}).GetPhotos(withCaller(t, p), &apiv1.GetPhotosRequest{Users: []string{a.user.String()}})
		return err
	}
	for range 2 {
		if err := ask(a); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(a); err == nil || failureOf(err).Reason != apiv1.Reason_REASON_TOO_MANY_TRIES {
		t.Fatal(err)
	}
	if err := ask(b); err != nil {
		t.Fatal(err)
	}
	r.clock.advance(100 * time.Millisecond)
	if err := ask(a); err != nil {
		t.Fatal(err)
	}
}

// TestShown: friends and those who share a room, and nobody else, are told who looks different now; of a large room those
// who look at it.
func TestShown(t *testing.T) {
	r := newRig(t, nil)
	a, fan, stranger := r.person("alice"), r.person("bobby"), r.person("carol")
	r.submitPeople(&logv1.PeopleCommand{User: fan.user[:], Name: logName(fan.device, named8(1, 1)), Op: &logv1.PeopleCommand_AddFriend{AddFriend: &logv1.AddFriend{Other: a.user[:]}}})
	la, lf, ls := a.live(), fan.live(), stranger.live()
	as := context.WithValue(t.Context(), callerKey{}, &caller{user: a.user, device: a.device, token: tokenOf(a)})
	told := func(l *line) (users []string, me bool) {
		for _, f := range l.take() {
			p := f.GetEvent().GetPeople()
			users, me = append(users, p.GetUsers()...), me || p.GetMe()
		}
		return users, me
	}
	n := uint64(0)
	name := func() *apiv1.CommandName { n++; return named8(n, n) }
	for what, do := range map[string]func() error{
		"status": func() error {
			_, err := (peoples{r.g}).SetProfile(as, &apiv1.SetProfileRequest{Name: name(), StatusMessage: ptr("휴가")})
			return err
		},
		"name": func() error {
			_, err := (peoples{r.g}).SetProfile(as, &apiv1.SetProfileRequest{Name: name(), DisplayName: ptr("앨리스")})
			return err
		},
		"photo": func() error {
			_, err := (peoples{r.g}).SetPhoto(as, &apiv1.SetPhotoRequest{Name: name(), Jpeg: picture(t, 32, 32)})
			return err
		},
		"simulated": func() error { return r.g.MarkSimulated(t.Context(), "alice") },
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if users, me := told(lf); me || !slices.Equal(users, []string{a.user.String()}) {
			t.Errorf("%s: the friend is told %v, %v", what, users, me)
		}
		if users, me := told(la); !me || users != nil {
			t.Errorf("%s: the person is told %v, %v", what, users, me)
		}
		if users, me := told(ls); me || users != nil {
			t.Errorf("%s: a stranger is told %v, %v", what, users, me)
		}
	}
	if _, err := (peoples{r.g}).SetProfile(as, &apiv1.SetProfileRequest{Name: name(), ProfileText: ptr("긴 이야기")}); err != nil {
		t.Fatal(err)
	}
	if users, _ := told(lf); users != nil {
		t.Errorf("of what is not shown in a list the friend is told %v", users)
	}

	// In a 1:1 and a group, once; in a group that was left, no longer; in a large one, who looks at it.
	c := r.person("dayoung")
	lc := c.live()
	r.group(a, c)
	la.must(t, a.sendTo(c, "hello"))
	rename := func() {
		t.Helper()
		told(lc)
		told(ls)
		if _, err := (peoples{r.g}).SetProfile(as, &apiv1.SetProfileRequest{Name: name(), DisplayName: ptr(fmt.Sprint("앨리스", n))}); err != nil {
			t.Fatal(err)
		}
	}
	rename()
	if users, _ := told(lc); !slices.Equal(users, []string{a.user.String()}) {
		t.Errorf("who shares rooms is told %v", users)
	}
	if users, _ := told(ls); users != nil {
		t.Errorf("a stranger is told %v", users)
	}
	many := []*someone{c, stranger}
	for i := range namedUpTo {
		x := r.person(fmt.Sprint("many", i))
		x.live()
		many = append(many, x)
	}
	large := r.group(a, many...)
	lv := stranger.live()
	lv.Frame(view(large))
	lv.take()
	rename()
	if users, _ := told(lv); !slices.Equal(users, []string{a.user.String()}) {
		t.Errorf("who looks at a large room is told %v", users)
	}
	if users, _ := told(ls); users != nil {
		t.Errorf("who does not look at it is told %v", users)
	}
}

// TestPhotoLimit: whoever sets photos without end waits; the refusal does not use the name up.
func TestPhotoLimit(t *testing.T) {
	w := newWeb(t, func(o *Options) { o.Limits.Photos = 1 })
	a := w.person("alice")
	w.ok(ids.Text(a.token), "PeopleService/SetPhoto", obj{"name": nm(1), "jpeg": picture(t, 16, 16)})
	again := obj{"name": nm(2), "jpeg": picture(t, 32, 32)}
	if info := w.refused("TOO_MANY_TRIES", ids.Text(a.token), "PeopleService/SetPhoto", again); info["again"] != true || info["consumed"] == true {
		t.Fatal(info)
	}
	w.clock.advance(w.g.o.Limits.PhotoEvery)
	w.ok(ids.Text(a.token), "PeopleService/SetPhoto", again)
}

func TestListReactions(t *testing.T) {
	w := newWeb(t, nil)
	a, b, c := w.person("alice"), w.person("bobby"), w.person("carol")
	room := w.group(a, b)
	la, lb := a.live(), b.live()
	seq := la.must(t, a.sendIn(room, "점심?")).Seq
	list := func(p *someone, seq uint64) (out []string) {
		t.Helper()
		rs, _ := w.ok(ids.Text(p.token), "ChatService/ListReactions", obj{"room": room.String(), "seq": seq})["reactions"].([]any)
		for _, r := range rs {
			if r.(obj)["reaction"] != 1.0 {
				t.Error(r)
			}
			out = append(out, r.(obj)["user"].(string))
		}
		slices.Sort(out)
		return out
	}
	if x := list(a, seq); x != nil {
		t.Fatal(x)
	}
	la.must(t, react(a, room, seq))
	lb.must(t, react(b, room, seq))
	both := []string{a.user.String(), b.user.String()}
	slices.Sort(both)
	if x := list(b, seq); !slices.Equal(x, both) {
		t.Fatal(x)
	}
	lb.must(t, react(b, room, seq)) // the same again takes it back
	if x := list(a, seq); !slices.Equal(x, []string{a.user.String()}) {
		t.Fatal(x)
	}
	w.refused("NOT_MEMBER", ids.Text(c.token), "ChatService/ListReactions", obj{"room": room.String(), "seq": seq})
	w.refused("UNKNOWN_MESSAGE", ids.Text(a.token), "ChatService/ListReactions", obj{"room": room.String(), "seq": 99})
	la.must(t, invite(a, room, c))
	w.refused("UNKNOWN_MESSAGE", ids.Text(c.token), "ChatService/ListReactions", obj{"room": room.String(), "seq": seq})
}

// TestWhenInvitationsWereMade and which web client is served.
func TestWhenInvitationsWereMade(t *testing.T) {
	w := newWeb(t, func(o *Options) { o.WebBuild = "0123abcd" })
	a := w.person("alice")
	hash := HashInvitation("a-secret")
	made := w.ok(ids.Text(a.token), "PeopleService/CreateInvitation", obj{"name": nm(1), "secretHash": hash[:]})
	inv := w.ok(ids.Text(a.token), "PeopleService/ListInvitations", obj{})["invitations"].([]any)[0].(obj)
	if inv["createdMs"] == nil || inv["createdMs"] != made["timeMs"] {
		t.Fatalf("%v, made at %v", inv, made)
	}
	if x := w.ok("", "AccountService/GetServer", obj{}); x["webBuild"] != "0123abcd" {
		t.Fatal(x)
	}
}

func TestBefriendByHandle(t *testing.T) {
	r := newRig(t, nil)
	a, b, c := r.person("alice"), r.person("bobby"), r.person("carol")
	la, lb := a.live(), b.live()
	if err := r.g.Befriend(t.Context(), "Alice", []string{"bobby", "carol"}); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*line{la, lb} {
		if fs := l.take(); !slices.ContainsFunc(fs, func(f *livev1.Frame) bool { return f.GetEvent().GetPeople().GetFriends() }) {
			t.Errorf("not told: %v", fs)
		}
	}
	s := r.k.Snapshot(1)
	defer s.Close()
	for _, p := range []*someone{b, c} {
		if !people.IsFriend(s, a.user, p.user) || !people.IsFriend(s, p.user, a.user) {
			t.Error("no friends")
		}
	}
	for _, others := range [][]string{{"nobody"}, {"alice"}, {"bobby", "bobby"}} {
		if err := r.g.Befriend(t.Context(), "alice", others); err == nil {
			t.Errorf("%v is taken", others)
		}
	}
	if err := r.g.Befriend(t.Context(), "nobody", []string{"alice"}); err == nil {
		t.Error("nobody has friends")
	}
	if err := r.g.MarkSimulated(t.Context(), "nobody"); err == nil {
		t.Error("nobody is simulated")
	}
}

func TestSignUps(t *testing.T) {
	r := newRig(t, nil)
	after := ""
	next := func(wait bool) (handles []string) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if !wait {
			cancel()
		}
		list, cursor, err := r.g.SignUps(ctx, after)
		if err != nil {
			t.Fatal(err)
		}
		after = cursor
		for _, u := range list {
			handles = append(handles, u.Handle)
		}
		return handles
	}
	if x := next(false); x != nil {
		t.Fatal(x)
	}
	r.person("alice")
	r.person("bobby")
	if x := next(true); !slices.Equal(x, []string{"alice", "bobby"}) {
		t.Fatal(x)
	}
	if x := next(false); x != nil {
		t.Fatal(x)
	}
	done := make(chan []string)
	go func() { done <- next(true) }()
	r.person("carol")
	if x := <-done; !slices.Equal(x, []string{"carol"}) {
		t.Fatal(x)
	}
	// Two in one millisecond: the second is not left out.
	before := after
	r.k.mu.Lock()
	r.k.time--
	r.k.mu.Unlock()
	r.person("david")
	if x := next(true); !slices.Contains(x, "david") {
		t.Fatalf("%v after %s", x, before)
	}
	if err := r.g.MarkSimulated(t.Context(), "alice"); err != nil {
		t.Fatal(err)
	}
	after = ""
	list, _, err := r.g.SignUps(t.Context(), "")
	if err != nil || len(list) != 4 || list[0].Handle != "alice" || !list[0].Simulated || list[1].Simulated || list[0].CreatedMs == 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, c := range []string{"x", "1", "1.2.3", "-1.0", "1.1x"} {
		if _, _, err := r.g.SignUps(t.Context(), c); err == nil {
			t.Errorf("the cursor %q is taken", c)
		}
	}
}
