package gateway

import (
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/bonghwa/bonghwa/internal/ids"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// A session that a one-time code opened does nothing but what leads to a new password; with that it is a session like others.
func TestOneTimeCodeLeadsToNewPasswordOnly(t *testing.T) {
	w := newWeb(t, nil)
	w.ok("", "AccountService/SignUp", signUp(200, "alice"))
	code, _, err := w.g.ResetPassword(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	in := w.ok("", "AccountService/LogIn", obj{"handle": "alice", "password": code, "token": rnd(32, 201), "device": rnd(16, 201)})
	if in["mustChangePassword"] != true {
		t.Fatal(in)
	}
	user, err := ids.ParseUser(in["user"].(string))
	if err != nil {
		t.Fatal(err)
	}
	token := bearer(201)
	p := &someone{r: w.rig, user: user, token: rnd(32, 201), device: ids.Device(rnd(16, 201)), n: map[ids.Room]uint64{}}

	free := map[string]bool{"ChangePassword": true, "SkipAccountCommand": true, "RenewDevice": true, "GetMe": true, "LogOut": true}
	n := 0
	for _, file := range []protoreflect.FileDescriptor{apiv1.File_bonghwa_api_v1_people_proto, apiv1.File_bonghwa_api_v1_chat_proto, apiv1.File_bonghwa_api_v1_operator_proto} {
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			for j := range s.Methods().Len() {
				n++
				if m := string(s.Methods().Get(j).Name()); !free[m] {
					info := w.refused("MUST_CHANGE_PASSWORD", token, string(s.Name())+"/"+m, obj{})
					if info["again"] != true || info["consumed"] == true {
						t.Errorf("%s: %v", m, info)
					}
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d methods were tried", n)
	}
	l := p.connect(false)
	l.Frame(p.hello(nil))
	if a := acks(l.take()); len(a) != 1 || a[0].GetError().GetReason() != apiv1.Reason_REASON_MUST_CHANGE_PASSWORD {
		t.Fatalf("Hello: %v", a)
	}
	l.Frame(p.sendTo(p, "쓸 수 없는 글"))
	if a := acks(l.take()); len(a) != 1 || a[0].GetError().GetReason() != apiv1.Reason_REASON_UNAUTHENTICATED {
		t.Fatalf("a send without a Hello that was taken: %v", a)
	}

	// What is left to it works, and after the change everything does.
	if me := w.ok(token, "PeopleService/GetMe", obj{}); me["mustChangePassword"] != true {
		t.Error(me)
	}
	w.refused("BAD_CREDENTIALS", token, "PeopleService/ChangePassword", obj{"name": nm(1), "oldPassword": "wrong", "newPassword": "a new password"})
	w.refused("SKIPPED", token, "PeopleService/SkipAccountCommand", obj{"name": nm(1)})
	for _, old := range []string{code, "wrong"} { // the code itself is no new password, whatever is given as the old one
		w.refused("INVALID", token, "PeopleService/ChangePassword", obj{"name": nm(2), "oldPassword": old, "newPassword": code})
	}
	w.ok(token, "PeopleService/ChangePassword", obj{"name": nm(2), "oldPassword": code, "newPassword": "a new password"})
	if me := w.ok(token, "PeopleService/GetMe", obj{}); me["mustChangePassword"] != nil {
		t.Error(me)
	}
	w.ok(token, "PeopleService/ListFriends", obj{})
	p.live()
}
