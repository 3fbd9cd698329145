package drill

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// revocationBinds is how long after its acknowledgement a revocation, a departure or a block may still not be known at a
// site.
const revocationBinds = 1500 * time.Millisecond

// warden tries, at every site and all the time, what must not be possible: reading with a session that was revoked, reading
// a room that was left, writing to somebody by whom one is blocked. It speaks plain HTTP: a client of ours would stop by
// itself.
type warden struct {
	urls []string
	http *http.Client
	mu   sync.Mutex
	// breaches are successes of tries that began when it was forbidden everywhere.
	breaches []string
	asked    int
	wg       sync.WaitGroup
	stop     chan struct{}
}

func newWarden(urls []string, way http.RoundTripper) *warden {
	return &warden{urls: urls, stop: make(chan struct{}),
		http: &http.Client{Timeout: 3 * time.Second, Transport: way}}
}

// suspect is an account with a session over plain HTTP.
type suspect struct {
	w             *warden
	id, handle    string
	token, device []byte
	n             map[string]uint64
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = crand.Read(b) // never fails
	return b
}

var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// call asks one site. ok: it did what was asked.
func (s *suspect) call(ctx context.Context, url, procedure string, in map[string]any) (ok bool, out map[string]any) {
	b, err := json.Marshal(in)
	if err != nil {
		return false, nil
	}
	req, err := http.NewRequestWithContext(ctx, "POST", url+"/api/bonghwa.api.v1."+procedure, bytes.NewReader(b))
	if err != nil {
		return false, nil
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+lower.EncodeToString(s.token))
	res, err := s.w.http.Do(req)
	if err != nil {
		return false, nil
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil || json.Unmarshal(body, &out) != nil {
		return false, nil
	}
	return res.StatusCode == http.StatusOK, out
}

// must repeats a call at one site after the other until one does it; the names in it make that safe.
func (s *suspect) must(ctx context.Context, procedure string, in map[string]any) (map[string]any, error) {
	var last map[string]any
	for try := 0; ; try++ {
		ok, out := s.call(ctx, s.w.urls[try%len(s.w.urls)], procedure, in)
		if ok {
			return out, nil
		}
		if out != nil {
			last = out
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %v", procedure, last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// name takes the next name of a scope. Its base settles all before it: nothing waits for a try that got lost.
func (s *suspect) name(scope string) map[string]any {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.n[scope]++
	return map[string]any{"n": fmt.Sprint(s.n[scope]), "tag": b64(random(8)), "base": fmt.Sprint(s.n[scope])}
}

func (w *warden) signUp(ctx context.Context) (*suspect, error) {
	s := &suspect{w: w, handle: fmt.Sprintf("warden.%d", rand.IntN(1e9)), token: random(32), device: random(16), n: map[string]uint64{}}
	out, err := s.must(ctx, "AccountService/SignUp", map[string]any{"random": b64(random(16)), "handle": s.handle, "displayName": "감시자",
		"password": password, "token": b64(s.token), "device": b64(s.device), "deviceLabel": "drill"})
	if err != nil {
		return nil, err
	}
	s.id, _ = out["user"].(string)
	return s, nil
}

// session is another session of the same person.
func (s *suspect) session(ctx context.Context) (*suspect, error) {
	o := &suspect{w: s.w, id: s.id, handle: s.handle, token: random(32), device: random(16), n: map[string]uint64{}}
	_, err := o.must(ctx, "AccountService/LogIn", map[string]any{"handle": s.handle, "password": password, "token": b64(o.token), "device": b64(o.device), "deviceLabel": "drill"})
	return o, err
}

// cases are people prepared for one round of trespasses.
type cases struct {
	owner, thief, member, blocked *suspect
	room                          string
}

// prepare makes the people of a round, in calm times.
func (w *warden) prepare(ctx context.Context) (c cases, err error) {
	for _, s := range []**suspect{&c.owner, &c.member, &c.blocked} {
		if *s, err = w.signUp(ctx); err != nil {
			return c, err
		}
	}
	if c.thief, err = c.owner.session(ctx); err != nil {
		return c, err
	}
	out, err := c.owner.must(ctx, "ChatService/CreateRoom", map[string]any{"random": b64(random(16)), "title": "비밀", "members": []string{c.member.id}})
	if err != nil {
		return c, err
	}
	c.room, _ = out["room"].(string)
	if c.room == "" {
		return c, fmt.Errorf("no room was made: %v", out)
	}
	// All three can do now what they will not be allowed to.
	for _, t := range c.tries() {
		if ok, out := t.try(ctx, w.urls[0]); !ok {
			return c, fmt.Errorf("%s: refused before it was forbidden: %v", t.what, out)
		}
	}
	return c, nil
}

// try is something that will be forbidden.
type try struct {
	what string
	try  func(ctx context.Context, url string) (bool, map[string]any)
}

func (c *cases) tries() []try {
	return []try{
		{"a revoked session read", func(ctx context.Context, url string) (bool, map[string]any) {
			return c.thief.call(ctx, url, "ChatService/ListRooms", map[string]any{})
		}},
		{"somebody who had left read the room", func(ctx context.Context, url string) (bool, map[string]any) {
			return c.member.call(ctx, url, "ChatService/History", map[string]any{"room": c.room, "from": 1, "limit": 10})
		}},
		{"somebody who was blocked wrote", func(ctx context.Context, url string) (bool, map[string]any) {
			return c.blocked.call(ctx, url, "ChatService/Send", map[string]any{"name": c.blocked.name(c.owner.id), "peer": c.owner.id, "text": "나야"})
		}},
	}
}

// forbid revokes, leaves and blocks, and from then on tries all of it at every site until the end.
func (w *warden) forbid(ctx context.Context, c cases) error {
	acts := []func() error{
		func() error {
			_, err := c.owner.must(ctx, "PeopleService/RevokeDevices", map[string]any{"name": c.owner.name("people"), "allOthers": true})
			return err
		},
		func() error {
			_, err := c.member.must(ctx, "ChatService/Leave", map[string]any{"name": c.member.name(c.room), "room": c.room})
			return err
		},
		func() error {
			_, err := c.owner.must(ctx, "ChatService/Block", map[string]any{"name": c.owner.name("people/block"), "user": c.blocked.id})
			return err
		},
	}
	for i, t := range c.tries() {
		if err := acts[i](); err != nil {
			return err
		}
		binds := time.Now().Add(revocationBinds)
		for _, url := range w.urls {
			w.wg.Go(func() { w.watch(t, url, binds) })
		}
	}
	return nil
}

func (w *warden) watch(t try, url string, binds time.Time) {
	for {
		select {
		case <-w.stop:
			return
		case <-time.After(100 * time.Millisecond):
		}
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		ok, answer := t.try(ctx, url)
		cancel()
		if answer == nil {
			continue // a site that does not answer lets nobody in, and proves nothing
		}
		w.mu.Lock()
		w.asked++
		if ok && began.After(binds) {
			w.breaches = append(w.breaches, fmt.Sprintf("%s at %s, %.1f s after it was acknowledged to be forbidden", t.what, url, began.Sub(binds).Seconds()+revocationBinds.Seconds()))
		}
		w.mu.Unlock()
	}
}

// end stops trying and says what was possible.
func (w *warden) end() (breaches []string, asked int) {
	close(w.stop)
	w.wg.Wait()
	return w.breaches, w.asked
}
