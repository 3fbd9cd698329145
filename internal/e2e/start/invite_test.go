package start

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// TestInvite: where people sign up by invitation only, the operator invites the first; an invitation is used up.
func TestInvite(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := harness.Start(t, data, "", "--signup", "invite")
	signUp := func(handle, invitation string) (int, map[string]any) {
		p := harness.Stranger(t, s)
		return p.Call("AccountService/SignUp", map[string]any{"random": harness.B64(harness.Random(16)), "handle": handle, "displayName": "사람",
			"password": harness.Password, "token": harness.B64(p.Token), "device": harness.B64(p.Device), "invitation": invitation})
	}
	for _, wrong := range []string{"", "guess"} {
		if status, out := signUp("first", wrong); status == 200 || harness.Reason(out) != "REASON_BAD_INVITATION" {
			t.Fatalf("invitation %q: %d %v", wrong, status, out)
		}
	}
	out, code := harness.Run(t, "people", "invite", "--data", data)
	_, secret, ok := strings.Cut(out, "invitation: ")
	secret, _, _ = strings.Cut(secret, "\n")
	if code != 0 || !ok {
		t.Fatalf("code %d: %s", code, out)
	}
	if status, out := signUp("first", secret); status != 200 {
		t.Fatalf("%d %v", status, out)
	}
	if status, out := signUp("second", secret); status == 200 || harness.Reason(out) != "REASON_BAD_INVITATION" {
		t.Fatalf("used twice: %d %v", status, out)
	}
}
