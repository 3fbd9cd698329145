package harness

import (
	"bytes"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
)

// Person is an account made through the JSON API, by nothing but HTTP: what a stranger's first client would do.
type Person struct {
	t      testing.TB
	Server *Server
	ID     string
	Handle string
	Token  []byte
	Device []byte
	n      map[string]uint64
}

var handles atomic.Uint64

// Password of every Person.
const Password = "correct horse battery"

// SignUp makes an account on s.
func SignUp(t testing.TB, s *Server) *Person {
	t.Helper()
	p := Stranger(t, s)
	out := p.Must("AccountService/SignUp", map[string]any{"random": B64(Random(16)), "handle": p.Handle, "displayName": "사람",
		"password": Password, "token": B64(p.Token), "device": B64(p.Device), "deviceLabel": "test"})
	p.ID, _ = out["user"].(string)
	return p
}

// Stranger has a token and a device but no account.
func Stranger(t testing.TB, s *Server) *Person {
	return &Person{t: t, Server: s, Handle: fmt.Sprintf("person.%d", handles.Add(1)), Token: Random(32), Device: Random(16), n: map[string]uint64{}}
}

// Call makes one call with the person's session and returns the status and the decoded answer.
func (p *Person) Call(procedure string, in map[string]any) (int, map[string]any) {
	p.t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequest("POST", p.Server.URL+"/api/bonghwa.api.v1."+procedure, bytes.NewReader(b))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+Text(p.Token))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, map[string]any{"message": err.Error()}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, map[string]any{"message": err.Error()}
	}
	out := map[string]any{}
	if err := json.Unmarshal(body, &out); err != nil {
		out["message"] = string(body)
	}
	return res.StatusCode, out
}

// Must is Call for what has to work.
func (p *Person) Must(procedure string, in map[string]any) map[string]any {
	p.t.Helper()
	status, out := p.Call(procedure, in)
	if status != http.StatusOK {
		p.t.Fatalf("%s: %d %v\n%s", procedure, status, out, p.Server.Log())
	}
	return out
}

// Name takes the next name in a scope.
func (p *Person) Name(scope string) map[string]any {
	p.n[scope]++
	return map[string]any{"n": fmt.Sprint(p.n[scope]), "tag": B64(Random(8)), "base": fmt.Sprint(p.n[scope])}
}

// GiveBack takes the last name of a scope back: it was refused without being consumed.
func (p *Person) GiveBack(scope string) { p.n[scope]-- }

// Send sends a text to another person and returns the status and the answer.
func (p *Person) Send(to *Person, text string) (int, map[string]any) {
	p.t.Helper()
	return p.Call("ChatService/Send", map[string]any{"name": p.Name(to.ID), "peer": to.ID, "text": text})
}

// Texts reads the whole 1:1 with another person.
func (p *Person) Texts(with *Person) (texts []string) {
	p.t.Helper()
	room := p.Must("ChatService/OpenDirect", map[string]any{"peer": with.ID})["room"]
	for from := 1; ; {
		out := p.Must("ChatService/History", map[string]any{"room": room, "from": from, "limit": 200})
		ms, _ := out["messages"].([]any)
		for _, m := range ms {
			text, _ := m.(map[string]any)["text"].(string)
			texts = append(texts, text)
		}
		if len(ms) < 200 {
			return texts
		}
		from += len(ms)
	}
}

// Reason is the code of an answer that refused.
func Reason(out map[string]any) string {
	details, _ := out["details"].([]any)
	for _, d := range details {
		debug, _ := d.(map[string]any)["debug"].(map[string]any)
		if r, ok := debug["reason"].(string); ok {
			return r
		}
	}
	return fmt.Sprint(out["code"], " ", out["message"])
}

// Random bytes.
func Random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

// B64 is how JSON carries bytes, Text how ids and tokens are written.
func B64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

var text = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Text is the lower-case base32 form without padding.
func Text(b []byte) string { return text.EncodeToString(b) }
