package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect/v2"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// web is a rig behind a real listener.
type web struct {
	*rig
	srv *httptest.Server
}

func newWeb(t *testing.T, change func(*Options)) *web {
	r := newRig(t, func(o *Options) {
		o.Limits.HashSlots = 2
		if change != nil {
			change(o)
		}
	})
	srv := httptest.NewUnstartedServer(r.g.Handler())
	srv.Config.ReadHeaderTimeout = time.Second
	srv.Start()
	t.Cleanup(func() {
		r.g.Close()
		srv.Close()
	})
	return &web{rig: r, srv: srv}
}

// call makes a Connect call in JSON as curl would. reason is empty on success.
func (w *web) call(token, method string, body any) (out map[string]any, reason string, info map[string]any) {
	w.t.Helper()
	b, ok := body.([]byte)
	if !ok {
		var err error
		if b, err = json.Marshal(body); err != nil {
			w.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(http.MethodPost, w.srv.URL+"/api/bonghwa.api.v1."+method, bytes.NewReader(b))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := w.srv.Client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		w.t.Errorf("%s: headers %v", method, res.Header)
	}
	all, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(all, &out); err != nil {
		w.t.Fatalf("%s: %q", method, all)
	}
	if res.StatusCode == http.StatusOK {
		return out, "", nil
	}
	details, _ := out["details"].([]any)
	if len(details) != 1 {
		w.t.Fatalf("%s: %d %s", method, res.StatusCode, all)
	}
	info, _ = details[0].(map[string]any)["debug"].(map[string]any)
	reason, _ = info["reason"].(string)
	return out, strings.TrimPrefix(reason, "REASON_"), info
}

func (w *web) ok(token, method string, body any) map[string]any {
	w.t.Helper()
	out, reason, info := w.call(token, method, body)
	if reason != "" {
		w.t.Fatalf("%s: %s %v", method, reason, info)
	}
	return out
}

func (w *web) refused(want, token, method string, body any) map[string]any {
	w.t.Helper()
	_, reason, info := w.call(token, method, body)
	if reason != want {
		w.t.Fatalf("%s: %q %v, want %s", method, reason, info, want)
	}
	return info
}

type obj = map[string]any

func rnd(n int, v byte) []byte { return fill(make([]byte, n), v) }

func signUp(v byte, handle string) obj {
	return obj{"random": rnd(16, v), "handle": handle, "displayName": "이름", "password": "correct horse", "token": rnd(32, v), "device": rnd(16, v), "deviceLabel": "전화"}
}

func bearer(v byte) string { return ids.Text(rnd(32, v)) }

func nm(n uint64) obj { return obj{"n": n, "tag": rnd(8, byte(n)), "base": n} }

func TestAccounts(t *testing.T) {
	w := newWeb(t, nil)
	if x := w.ok("", "AccountService/GetServer", obj{}); x["cell"] != "0001" || x["signup"] != "open" {
		t.Fatal(x)
	}
	if x := w.ok("", "AccountService/CheckHandle", obj{"handle": "Alice"}); x["free"] != true {
		t.Fatal(x)
	}
	first := w.ok("", "AccountService/SignUp", signUp(200, "Alice"))
	if first["handle"] != "alice" {
		t.Fatal(first)
	}
	// A lost answer: the same again, even with other words, is success again.
	again := signUp(200, "alice2")
	if x := w.ok("", "AccountService/SignUp", again); x["user"] != first["user"] || x["handle"] != "alice" {
		t.Fatal(x)
	}
	again["token"] = rnd(32, 201)
	w.refused("ID_REUSED", "", "AccountService/SignUp", again)
	w.refused("HANDLE_TAKEN", "", "AccountService/SignUp", signUp(202, "ALICE"))
	bad := signUp(203, "bobby")
	bad["displayName"] = " \u3000 "
	if x := w.refused("INVALID", "", "AccountService/SignUp", bad); x["consumed"] == true || x["fields"] == nil {
		t.Fatal(x)
	}
	if x := w.ok("", "AccountService/CheckHandle", obj{"handle": "aliCE"}); x["free"] == true {
		t.Fatal(x)
	}

	logIn := obj{"handle": "alice", "password": "correct horse", "token": rnd(32, 210), "device": rnd(16, 210)}
	if x := w.ok("", "AccountService/LogIn", logIn); x["user"] != first["user"] {
		t.Fatal(x)
	}
	w.ok("", "AccountService/LogIn", logIn)
	w.refused("BAD_CREDENTIALS", "", "AccountService/LogIn", obj{"handle": "alice", "password": "wrong horse", "token": rnd(32, 211), "device": rnd(16, 211)})
	w.refused("BAD_CREDENTIALS", "", "AccountService/LogIn", obj{"handle": "nobody", "password": "wrong horse", "token": rnd(32, 211), "device": rnd(16, 211)})

	me := w.ok(bearer(200), "PeopleService/GetMe", obj{})
	if me["me"].(obj)["displayName"] != "이름" {
		t.Fatal(me)
	}
	w.refused("UNAUTHENTICATED", "", "PeopleService/GetMe", obj{})
	w.refused("UNAUTHENTICATED", "x", "PeopleService/GetMe", obj{})
	w.refused("UNAUTHENTICATED", bearer(9), "PeopleService/GetMe", obj{})
	// Who has no session is told so before anything about the request.
	w.refused("UNAUTHENTICATED", "", "ChatService/Send", obj{})

	change := obj{"name": nm(1), "oldPassword": "correct horse", "newPassword": "battery staple"}
	w.ok(bearer(200), "PeopleService/ChangePassword", change)
	if x := w.ok(bearer(200), "PeopleService/ChangePassword", change); x["repeated"] != true {
		t.Fatal(x)
	}
	w.refused("SESSION_REVOKED", bearer(210), "PeopleService/GetMe", obj{})
	w.refused("SESSION_REVOKED", "", "AccountService/LogIn", logIn)
	w.refused("BAD_CREDENTIALS", bearer(200), "PeopleService/DeleteAccount", obj{"name": nm(2), "password": "correct horse"})
	w.ok(bearer(200), "PeopleService/DeleteAccount", obj{"name": nm(2), "password": "battery staple"})
	w.refused("SESSION_REVOKED", bearer(200), "PeopleService/GetMe", obj{})
	w.refused("HANDLE_TAKEN", "", "AccountService/SignUp", signUp(204, "alice"))
	w.refused("BAD_CREDENTIALS", "", "AccountService/LogIn", obj{"handle": "alice", "password": "battery staple", "token": rnd(32, 212), "device": rnd(16, 212)})
}

// lateKernel first refuses a command of chat, then answers one with an error, then does what it is told.
type lateKernel struct {
	*fakeKernel
	asked atomic.Int32
}

func (k *lateKernel) Submit(domain byte, b []byte, done func(kernel.Result)) error {
	if domain == kernel.DomainChat {
		switch k.asked.Add(1) {
		case 1:
			return kernel.ErrNotReady
		case 2:
			done(kernel.Result{Err: kernel.ErrNotReady})
			return nil
		}
	}
	return k.fakeKernel.Submit(domain, b, done)
}

// TestCloseAgain: an account that is closed while chat takes nothing is closed there as soon as it does.
func TestCloseAgain(t *testing.T) {
	w := newWeb(t, nil)
	late := &lateKernel{fakeKernel: w.k}
	w.g.k = late
	w.ok("", "AccountService/SignUp", signUp(200, "alice"))
	w.ok(bearer(200), "PeopleService/DeleteAccount", obj{"name": nm(1), "password": "correct horse"})
	closed := func() bool {
		s := w.k.Snapshot(kernel.DomainChat)
		defer s.Close()
		return chat.IsClosed(s, ids.NewUser(1, rnd(16, 200)))
	}
	for deadline := time.Now().Add(time.Minute); !closed(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the account was never closed in chat")
		}
	}
	if n := late.asked.Load(); n != 3 {
		t.Errorf("it was asked %d times", n)
	}
}

// TestSlowBody: a session that ends while its request is still being sent does nothing more.
func TestSlowBody(t *testing.T) {
	w := newWeb(t, nil)
	w.ok("", "AccountService/SignUp", signUp(200, "alice"))
	token := ids.HashToken(mustBytes(t, bearer(200)))
	c, err := w.g.callerBy(token)
	if err != nil {
		t.Fatal(err)
	}
	late := checked{receives{}, w.g, &c}
	if err := late.Receive(&apiv1.GetMeRequest{}); err != nil {
		t.Fatal(err)
	}
	w.ok(bearer(200), "PeopleService/LogOut", obj{})
	if err := late.Receive(&apiv1.GetMeRequest{}); failureOf(err).Reason != apiv1.Reason_REASON_SESSION_REVOKED {
		t.Errorf("after the session ended: %v", err)
	}
}

// receives has everything already.
type receives struct{ connect.ServerStream }

func (receives) Receive(any) error { return nil }

func mustBytes(t *testing.T, text string) []byte {
	t.Helper()
	b, err := ids.Bytes(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReconcile(t *testing.T) {
	w := newWeb(t, nil)
	w.ok("", "AccountService/SignUp", signUp(200, "alice"))
	b := w.person("bobby")
	chatOnly := func(d byte) bool { return d == kernel.DomainChat }
	w.k.swallow = chatOnly // the process dies between the two parts
	u := w.ok(bearer(200), "PeopleService/DeleteAccount", obj{"name": nm(1), "password": "correct horse"})
	_ = u
	w.k.swallow = nil
	before := w.k.Position()
	w.g.Reconcile()
	after := w.k.Position()
	if after == before {
		t.Fatal("nothing was submitted")
	}
	if w.g.Reconcile(); w.k.Position() != after {
		t.Fatal("submitted again")
	}
	lb := b.live()
	gone := &someone{r: w.rig, user: ids.NewUser(1, rnd(16, 200))}
	lb.Frame(b.sendTo(gone, "still there?"))
	if e := acks(lb.take())[0].Error; e.GetReason() != apiv1.Reason_REASON_CANNOT_RECEIVE || e.Consumed || e.Again {
		t.Fatal(e)
	}
}

func TestSignupModes(t *testing.T) {
	closed := newWeb(t, func(o *Options) { o.Signup = SignupClosed })
	closed.refused("SIGNUP_CLOSED", "", "AccountService/SignUp", signUp(200, "alice"))

	w := newWeb(t, func(o *Options) { o.Signup = SignupInvite })
	a := w.person("owner")
	w.refused("BAD_INVITATION", "", "AccountService/SignUp", signUp(200, "alice"))
	hash := HashInvitation("a-secret")
	w.ok(ids.Text(a.token), "PeopleService/CreateInvitation", obj{"name": nm(1), "secretHash": hash[:], "uses": 1})
	up := signUp(200, "alice")
	up["invitation"] = "another"
	w.refused("BAD_INVITATION", "", "AccountService/SignUp", up)
	up["invitation"] = "a-secret"
	w.ok("", "AccountService/SignUp", up)
	w.ok("", "AccountService/SignUp", up) // used up, but this is the one who used it
	up = signUp(201, "bobby")
	up["invitation"] = "a-secret"
	w.refused("BAD_INVITATION", "", "AccountService/SignUp", up)
	inv := w.ok(ids.Text(a.token), "PeopleService/ListInvitations", obj{})["invitations"].([]any)[0].(obj)
	if inv["used"] != 1.0 || len(inv["users"].([]any)) != 1 {
		t.Fatal(inv)
	}
	w.ok(ids.Text(a.token), "PeopleService/RevokeInvitation", obj{"name": nm(2), "id": inv["id"]})
}

func TestPasswordTries(t *testing.T) {
	w := newWeb(t, func(o *Options) { o.Limits.Passwords = 3 })
	w.ok("", "AccountService/SignUp", signUp(200, "alice"))
	try := func(password string, v byte) obj {
		return obj{"handle": "alice", "password": password, "token": rnd(32, v), "device": rnd(16, v)}
	}
	for range 3 {
		w.ok("", "AccountService/LogIn", try("correct horse", 201)) // right ones do not count
	}
	for range 3 {
		w.refused("BAD_CREDENTIALS", "", "AccountService/LogIn", try("wrong horse!", 202))
	}
	info := w.refused("TOO_MANY_TRIES", "", "AccountService/LogIn", try("correct horse", 203))
	if info["retryAfterMs"] == nil || info["again"] != true {
		t.Fatal(info)
	}
	w.clock.advance(w.g.o.Limits.PasswordWindow / 3)
	w.ok("", "AccountService/LogIn", try("correct horse", 203))
}

func TestHashQueue(t *testing.T) {
	w := newWeb(t, func(o *Options) { o.Limits.HashWait = time.Nanosecond })
	w.ok("", "AccountService/SignUp", signUp(200, "alice"))
	for range cap(w.g.hasher.turns.slots) {
		w.g.hasher.turns.slots <- struct{}{}
	}
	info := w.refused("BUSY", "", "AccountService/LogIn", obj{"handle": "alice", "password": "correct horse", "token": rnd(32, 203), "device": rnd(16, 203)})
	if info["again"] != true {
		t.Fatal(info)
	}
}

func TestLookUpLimit(t *testing.T) {
	w := newWeb(t, func(o *Options) { o.Limits.LookUps = 2 })
	w.ok("", "AccountService/CheckHandle", obj{"handle": "alice"})
	w.ok("", "AccountService/CheckHandle", obj{"handle": "alice"})
	w.refused("TOO_MANY_TRIES", "", "AccountService/CheckHandle", obj{"handle": "alice"})
}

func TestDeviceCodes(t *testing.T) {
	w := newWeb(t, func(o *Options) { o.Limits.Codes = 3 })
	a := w.person("alice")
	hash := ids.HashToken(rnd(32, 210))
	code := w.ok("", "AccountService/RequestDeviceCode", obj{"tokenHash": hash[:], "device": rnd(16, 210), "deviceLabel": "노트북"})["code"].(string)
	poll := obj{"token": rnd(32, 210)}
	if x := w.ok("", "AccountService/PollDeviceCode", poll); x["admitted"] == true || x["expired"] == true {
		t.Fatal(x)
	}
	token := ids.Text(a.token)
	if x := w.ok(token, "PeopleService/PeekDeviceCode", obj{"code": code}); x["deviceLabel"] != "노트북" {
		t.Fatal(x)
	}
	w.ok(token, "PeopleService/AdmitDevice", obj{"code": code})
	if x := w.ok("", "AccountService/PollDeviceCode", poll); x["admitted"] != true || x["handle"] != "alice" {
		t.Fatal(x)
	}
	connected := func() (n int) {
		t.Helper()
		x := w.ok(bearer(210), "PeopleService/ListDevices", obj{})["devices"].([]any)
		if len(x) != 2 {
			t.Fatal(x)
		}
		for _, d := range x {
			if d.(obj)["connected"] == true {
				n++
			}
		}
		return n
	}
	if n := connected(); n != 0 {
		t.Fatal(n)
	}
	la := a.live()
	if n := connected(); n != 1 {
		t.Fatal(n)
	}
	la.Session.Close()
	if n := connected(); n != 0 {
		t.Fatal(n)
	}
	w.ok(bearer(210), "PeopleService/LogOut", obj{})
	w.refused("SESSION_REVOKED", bearer(210), "PeopleService/GetMe", obj{})
	w.refused("SESSION_REVOKED", "", "AccountService/PollDeviceCode", poll)

	hash = ids.HashToken(rnd(32, 211))
	code = w.ok("", "AccountService/RequestDeviceCode", obj{"tokenHash": hash[:], "device": rnd(16, 211)})["code"].(string)
	w.clock.advance(codeValid)
	if x := w.ok("", "AccountService/PollDeviceCode", obj{"token": rnd(32, 211)}); x["expired"] != true {
		t.Fatal(x)
	}
	for range 3 {
		w.refused("BAD_CODE", token, "PeopleService/AdmitDevice", obj{"code": code})
	}
	w.refused("TOO_MANY_TRIES", token, "PeopleService/AdmitDevice", obj{"code": code})
	w.ok(token, "PeopleService/RenewDevice", obj{"device": rnd(16, 212)})
}

func TestCalls(t *testing.T) {
	w := newWeb(t, nil)
	a, b, c := w.person("alice"), w.person("bobby"), w.person("carol")
	ta, tb, tc := ids.Text(a.token), ids.Text(b.token), ids.Text(c.token)
	open := w.ok(ta, "ChatService/OpenDirect", obj{"peer": b.user.String()})
	if open["exists"] == true {
		t.Fatal(open)
	}
	room := open["room"].(string)
	w.refused("UNKNOWN_ROOM", ta, "ChatService/Send", obj{"name": nm(1), "room": room, "text": "x"})
	for i := uint64(1); i <= 5; i++ {
		x := w.ok(ta, "ChatService/Send", obj{"name": nm(i), "peer": b.user.String(), "text": "글"})
		if x["position"] == nil {
			t.Fatal(x)
		}
	}
	w.refused("NOT_MEMBER", tc, "ChatService/Send", obj{"name": nm(1), "room": room, "text": "x"})
	w.refused("NOT_MEMBER", tc, "ChatService/History", obj{"room": room})
	w.refused("UNKNOWN_ROOM", tc, "ChatService/GetRoom", obj{"room": room})
	w.refused("ROLLED_BACK", ta, "ChatService/Send", obj{"name": obj{"n": 6, "tag": rnd(8, 6), "base": 6, "epoch": 3}, "peer": b.user.String(), "text": "x"})
	w.refused("EXPECTED", ta, "ChatService/Send", obj{"name": obj{"n": 9, "tag": rnd(8, 6), "base": 6}, "peer": b.user.String(), "text": "x"})
	w.refused("UNKNOWN_MESSAGE", ta, "ChatService/Edit", obj{"name": nm(6), "room": room, "seq": 99, "text": "x"})
	w.refused("NOT_AUTHOR", tb, "ChatService/Edit", obj{"name": nm(1), "room": room, "seq": 1, "text": "x"})
	w.ok(ta, "ChatService/Edit", obj{"name": nm(7), "room": room, "seq": 1, "text": "고침"})
	w.ok(tb, "ChatService/React", obj{"name": nm(2), "room": room, "seq": 1, "reaction": 1})
	h := w.ok(tb, "ChatService/History", obj{"room": room, "backward": true, "limit": 3})
	ms := h["messages"].([]any)
	if len(ms) != 3 || ms[2].(obj)["seq"] != "7" || ms[0].(obj)["seq"] != "5" || ms[2].(obj)["changed"].(obj)["text"] != "고침" {
		t.Fatal(h)
	}
	h = w.ok(tb, "ChatService/History", obj{"room": room, "from": 1, "limit": 2})
	ms = h["messages"].([]any)
	if len(ms) != 2 || ms[0].(obj)["myReaction"] != 1.0 || ms[0].(obj)["n"] != nil {
		t.Fatal(h)
	}
	if ms := w.ok(ta, "ChatService/History", obj{"room": room, "from": 2, "limit": 1})["messages"].([]any); ms[0].(obj)["n"] != "2" {
		t.Fatal(ms)
	}
	w.refused("BEHIND", ta, "ChatService/History", obj{"room": room, "atLeast": obj{"epoch": testEpoch, "n": "99999"}})
	w.ok(ta, "ChatService/Delete", obj{"name": nm(8), "room": room, "seq": 2})
	w.refused("DELETED", ta, "ChatService/Edit", obj{"name": nm(9), "room": room, "seq": 2, "text": "x"})
	w.ok(tb, "ChatService/MarkRead", obj{"room": room, "seq": 5})
	w.ok(ta, "ChatService/Mute", obj{"name": nm(10), "room": room, "on": true})
	w.ok(ta, "ChatService/Pin", obj{"name": nm(11), "room": room, "on": true})
	w.refused("WRONG_ROOM_KIND", ta, "ChatService/Rename", obj{"name": nm(12), "room": room, "title": "x"})
	w.ok(tb, "ChatService/Block", obj{"name": nm(1), "user": a.user.String()})
	if x := w.refused("CANNOT_RECEIVE", ta, "ChatService/Send", obj{"name": nm(13), "room": room, "text": "x"}); x["consumed"] != true {
		t.Fatal(x)
	}
	if x := w.refused("CANNOT_RECEIVE", ta, "PeopleService/AddFriend", obj{"name": nm(1), "user": b.user.String()}); x["consumed"] == true {
		t.Fatal(x)
	}
	if x := w.ok(tb, "ChatService/ListBlocked", obj{})["users"].([]any); len(x) != 1 {
		t.Fatal(x)
	}
	// What was read before the block stays read for the other one, and what is read behind it does not show.
	mark := func(token string, of ids.User) (seq any) {
		for _, m := range w.ok(token, "ChatService/ListMembers", obj{"room": room})["members"].([]any) {
			if m := m.(obj); m["user"] == of.String() {
				seq = m["readSeq"]
			}
		}
		return seq
	}
	w.ok(tb, "ChatService/MarkRead", obj{"room": room, "seq": 6})
	if x, own := mark(ta, b.user), mark(tb, b.user); x != "5" || own != "6" {
		t.Fatalf("behind a block the other one sees %v, oneself %v", x, own)
	}
	w.ok(tb, "ChatService/Unblock", obj{"name": nm(2), "user": a.user.String()})
	if x := mark(ta, b.user); x != "6" {
		t.Fatalf("after the block the other one sees %v", x)
	}
	w.refused("UNKNOWN_USER", tb, "ChatService/Block", obj{"name": nm(3), "user": ids.NewUser(1, rnd(16, 99)).String()})

	g := w.ok(ta, "ChatService/CreateRoom", obj{"random": rnd(16, 1), "title": "모임", "members": []string{b.user.String(), c.user.String()}})
	group := g["room"].(string)
	w.ok(ta, "ChatService/Rename", obj{"name": nm(1), "room": group, "title": "새 이름"})
	if x := w.ok(tb, "ChatService/ListMembers", obj{"room": group})["members"].([]any); len(x) != 3 {
		t.Fatal(x)
	}
	w.ok(tc, "ChatService/Leave", obj{"name": nm(1), "room": group})
	w.refused("NOT_MEMBER", tc, "ChatService/History", obj{"room": group})
	w.refused("NOT_MEMBER", tc, "ChatService/Leave", obj{"name": nm(2), "room": group})
	w.ok(ta, "ChatService/Invite", obj{"name": nm(2), "room": group, "members": []string{c.user.String()}})
	w.refused("SKIPPED", ta, "ChatService/Skip", obj{"name": nm(3), "room": group})
	w.refused("SKIPPED", ta, "ChatService/Skip", obj{"name": nm(1)})

	list := w.ok(ta, "ChatService/ListRooms", obj{"limit": 1})
	next := w.ok(ta, "ChatService/ListRooms", obj{"limit": 1, "page": list["nextPage"]})
	if list["rooms"].([]any)[0].(obj)["id"] != group || next["rooms"].([]any)[0].(obj)["id"] != room || next["nextPage"] != nil {
		t.Fatal(list, next)
	}
	if x := w.ok(ta, "ChatService/ListRooms", obj{"changedSince": list["position"]}); x["rooms"] != nil {
		t.Fatal(x)
	}
	w.refused("INVALID", ta, "ChatService/ListRooms", obj{"page": "x"})
	if x := w.ok(ta, "ChatService/GetRoom", obj{"room": room})["room"].(obj); x["muted"] != true || x["pinned"] != true || x["peer"] != b.user.String() {
		t.Fatal(x)
	}

	w.ok(ta, "PeopleService/AddFriend", obj{"name": nm(2), "user": c.user.String()})
	if x := w.ok(tc, "PeopleService/FindUser", obj{"handle": "ALICE"}); x["addedMe"] != true || x["user"].(obj)["id"] != a.user.String() {
		t.Fatal(x)
	}
	if x := w.ok(tc, "PeopleService/ListAddedMe", obj{})["users"].([]any); len(x) != 1 {
		t.Fatal(x)
	}
	if x := w.ok(ta, "PeopleService/ListFriends", obj{})["friends"].([]any); len(x) != 1 {
		t.Fatal(x)
	}
	w.ok(ta, "PeopleService/RemoveFriend", obj{"name": nm(3), "user": c.user.String()})
	if x := w.ok(ta, "PeopleService/GetUsers", obj{"ids": []string{b.user.String(), ids.NewUser(1, rnd(16, 99)).String()}})["users"].([]any); len(x) != 1 {
		t.Fatal(x)
	}
	w.ok(ta, "PeopleService/LabelDevice", obj{"name": nm(4), "device": a.device.String(), "label": "새 전화"})
	w.refused("UNKNOWN_DEVICE", ta, "PeopleService/LabelDevice", obj{"name": nm(5), "device": b.device.String(), "label": "x"})
	w.refused("SKIPPED", ta, "PeopleService/SkipAccountCommand", obj{"name": nm(6)})
	w.ok(ta, "PeopleService/RevokeDevices", obj{"name": nm(7), "allOthers": true})
	w.refused("INVALID", ta, "PeopleService/RevokeDevices", obj{"name": nm(8)})
}

func TestRequestsThatAreNone(t *testing.T) {
	w := newWeb(t, nil)
	a := w.person("alice")
	w.refused("INVALID", ids.Text(a.token), "ChatService/Send", []byte(`{"name":`))
	w.refused("INVALID", ids.Text(a.token), "ChatService/Send", []byte(`{"text":7}`))
	w.refused("TOO_LARGE", ids.Text(a.token), "ChatService/Send", obj{"text": strings.Repeat("x", maxRequest)})
	res, err := w.srv.Client().Get(w.srv.URL + "/api/bonghwa.api.v1.AccountService/GetServer?message={}&encoding=json")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Fatal(res.Status)
	}
}

func TestNotReady(t *testing.T) {
	w := newWeb(t, nil)
	a := w.person("alice")
	w.k.notReady(errors.New("not ready: cut off"))
	w.refused("NOT_READY", ids.Text(a.token), "PeopleService/GetMe", obj{})
	// Refusals of a view that may be behind are guesses as well.
	w.refused("NOT_READY", ids.Text(make([]byte, 32)), "PeopleService/GetMe", obj{})
	w.refused("NOT_READY", ids.Text(a.token), "ChatService/History", obj{"room": ids.NewGroup(a.user, make([]byte, 16)).String()})
	get := func(path string) (int, string) {
		res, err := w.srv.Client().Get(w.srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(b)
	}
	if s, b := get("/readyz"); s != http.StatusServiceUnavailable || !strings.Contains(b, "cut off") {
		t.Fatal(s, b)
	}
	if s, _ := get("/healthz"); s != http.StatusOK {
		t.Fatal(s)
	}
	w.k.notReady(nil)
	if s, _ := get("/readyz"); s != http.StatusOK {
		t.Fatal(s)
	}
	if s, b := get("/metrics"); s != http.StatusOK || !strings.Contains(b, "bonghwa_gateway_connections") || strings.Contains(b, a.user.String()) {
		t.Fatal(s, b)
	}
	if s, b := get("/"); s != http.StatusNotFound || !strings.Contains(b, "docs/protocol.md") {
		t.Fatal(s, b)
	}
	for header, want := range map[string]int{"": http.StatusOK, "X-Forwarded-For": http.StatusForbidden, "Forwarded": http.StatusForbidden, "Via": http.StatusForbidden} {
		req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		req.RemoteAddr = "127.0.0.1:1"
		if header != "" {
			req.Header.Set(header, "for=192.0.2.1")
		}
		rec := httptest.NewRecorder()
		if w.g.Handler().ServeHTTP(rec, req); rec.Code != want {
			t.Fatal(header, rec.Code)
		}
	}
	rec := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	w.g.Handler().ServeHTTP(rec, req) // from 192.0.2.1
	if rec.Code != http.StatusForbidden {
		t.Fatal(rec.Code)
	}
}

// TestNamesOfLoopback: a page whose name was made to lead to this machine gets nothing from a loopback listener.
func TestNamesOfLoopback(t *testing.T) {
	w := newWeb(t, nil)
	w.g.o.Hosts = []string{"chat.example.org"}
	ask := func(listener, path, host string) int {
		l := net.Listener(listenerAt{netip.MustParseAddrPort(strings.TrimPrefix(listener, "lan "))})
		if strings.HasPrefix(listener, "lan ") {
			l = foundAs{l}
		}
		req := httptest.NewRequest(http.MethodGet, path, nil)
		req.Host, req.RemoteAddr = host, "127.0.0.1:1"
		req = req.WithContext(ListenerContext(req.Context(), l))
		rec := httptest.NewRecorder()
		w.g.Handler().ServeHTTP(rec, req)
		return rec.Code
	}
	for _, path := range []string{"/", "/live", "/metrics", "/api/bonghwa.api.v1.AccountService/GetServer"} {
		for host, known := range map[string]bool{
			"localhost": true, "LOCALHOST:9": true, "127.0.0.1:8080": true, "127.9.9.9": true, "[::1]:8080": true, "[::1]": true, "Chat.example.org": true,
			"evil.example": false, "evil.example:8080": false, "127.0.0.1.evil.example": false, "192.168.0.2": false, "localhost.evil": false, "": false, "0.0.0.0": false,
		} {
			if got := ask("127.0.0.1:8080", path, host); (got != http.StatusMisdirectedRequest) != known {
				t.Errorf("%s of %q on loopback: %d", path, host, got)
			}
			if got := ask("0.0.0.0:8080", path, host); got == http.StatusMisdirectedRequest {
				t.Errorf("%s of %q beyond loopback: %d", path, host, got)
			}
		}
	}
	for host, known := range map[string]bool{
		"localhost:8081": true, "192.168.0.2:8081": true, "192.168.0.2": true, "[fd00::2]:8081": true, "127.0.0.1": true, "Mybox:8081": true, "mybox.local": true,
		"chat.example.org": true, "evil.example": false, "evil.example:8081": false, "192.168.0.2.evil.example": false, "mybox.evil": false, "": false,
	} {
		for _, path := range []string{"/", "/live", "/api/bonghwa.api.v1.AccountService/GetServer"} {
			if got := ask("lan 0.0.0.0:8081", path, host); (got != http.StatusMisdirectedRequest) != known {
				t.Errorf("%s of %q in the network: %d", path, host, got)
			}
		}
	}
	for _, l := range []string{"127.0.0.1:8080", "lan 0.0.0.0:8081"} {
		if got := ask(l, "/healthz", "evil.example"); got != http.StatusOK {
			t.Error(got)
		}
	}
}

// TestStrictTransport: who came by TLS once comes by TLS always, but for names that are not this server's alone.
func TestStrictTransport(t *testing.T) {
	w := newWeb(t, nil)
	at := listenerAt{netip.MustParseAddrPort("0.0.0.0:8080")}
	for name, x := range map[string]struct {
		l    net.Listener
		tls  *tls.ConnectionState
		want string
	}{
		"with a certificate": {at, &tls.ConnectionState{}, "max-age=31536000"},
		"in the open":        {at, nil, ""},
		"in the network":     {foundAs{at}, &tls.ConnectionState{}, ""},
		"on loopback":        {listenerAt{netip.MustParseAddrPort("127.0.0.1:8080")}, &tls.ConnectionState{}, ""},
	} {
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Host, req.TLS = "localhost", x.tls
		rec := httptest.NewRecorder()
		w.g.Handler().ServeHTTP(rec, req.WithContext(ListenerContext(req.Context(), x.l)))
		if got := rec.Header().Get("Strict-Transport-Security"); got != x.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

type listenerAt struct{ at netip.AddrPort }

func (l listenerAt) Accept() (net.Conn, error) { return nil, net.ErrClosed }
func (l listenerAt) Close() error              { return nil }
func (l listenerAt) Addr() net.Addr            { return net.TCPAddrFromAddrPort(l.at) }

// foundAs is a listener of a network where the machine is found as mybox.
type foundAs struct{ net.Listener }

func (foundAs) Hosts() []string { return []string{"localhost", "mybox", "mybox.local"} }

// TestNoAnswerInTime: the caller's own deadline ends the waiting, and the outcome is unknown.
func TestNoAnswerInTime(t *testing.T) {
	w := newWeb(t, nil)
	a, b := w.person("alice"), w.person("bobby")
	w.k.swallow = func(byte) bool { return true }
	ctx, cancel := context.WithCancel(withCaller(t, a))
	cancel()
	_, err := chats{w.g}.Send(ctx, &apiv1.SendRequest{Name: named8(1, 1), Peer: b.user.String(), Text: "x"})
	if f := failureOf(err); f.Reason != apiv1.Reason_REASON_UNKNOWN_OUTCOME || f.info().Consumed || !f.info().Again {
		t.Fatal(err)
	}
}
