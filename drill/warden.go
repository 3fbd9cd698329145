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

// drillDevice is what sessions that a drill opens are called among people's devices.
const drillDevice = "화재 훈련"

// revocationBinds is how long after its acknowledgement a revocation, a departure or a block may still not be known at a
// site.
const revocationBinds = 1500 * time.Millisecond

// warden tries, at every site and all the time, what must not be possible: reading with a session that was revoked, reading
// a room that was left, writing to somebody by whom one is blocked. It speaks plain HTTP: a client of ours would stop by
// itself.
type warden struct {
	urls []string
	http *http.Client
	// every is the pause between two tries of one thing at one site; binds how long after its acknowledgement an act may be unknown.
	every, binds time.Duration
	mu           sync.Mutex
	// breaches are successes of tries that began when it was forbidden everywhere.
	breaches []string
	asked    int
	wg       sync.WaitGroup
	stop     chan struct{}
}

func newWarden(urls []string, way http.RoundTripper) *warden {
	return &warden{urls: urls, every: 100 * time.Millisecond, binds: revocationBinds, stop: make(chan struct{}),
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

// session is a session of somebody who has an account.
func (w *warden) session(ctx context.Context, handle, password string) (*suspect, error) {
	s := &suspect{w: w, handle: handle, token: random(32), device: random(16), n: map[string]uint64{}}
	out, err := s.must(ctx, "AccountService/LogIn", map[string]any{"handle": handle, "password": password, "token": b64(s.token), "device": b64(s.device), "deviceLabel": drillDevice})
	s.id, _ = out["user"].(string)
	return s, err
}

// ban is something that will be forbidden by an act: it is possible before, and tried at every site after it.
type ban struct {
	what string
	act  func(ctx context.Context) error
	try  func(ctx context.Context, url string) (bool, map[string]any)
}

// round has a session that is to be revoked, somebody who is to leave a room, and somebody who is to be blocked by owner.
type round struct {
	thief, member, blocked *suspect
	room, owner            string
	revoke, leave, block   func(ctx context.Context) error
}

func (r *round) bans() []ban {
	return []ban{
		{"a revoked session read", r.revoke, func(ctx context.Context, url string) (bool, map[string]any) {
			return r.thief.call(ctx, url, "ChatService/ListRooms", map[string]any{})
		}},
		{"somebody who had left read the room", r.leave, func(ctx context.Context, url string) (bool, map[string]any) {
			return r.member.call(ctx, url, "ChatService/History", map[string]any{"room": r.room, "from": 1, "limit": 10})
		}},
		{"somebody who was blocked wrote", r.block, func(ctx context.Context, url string) (bool, map[string]any) {
			return r.blocked.call(ctx, url, "ChatService/Send", map[string]any{"name": r.blocked.name(r.owner), "peer": r.owner, "text": "나야"})
		}},
	}
}

// prepare makes people for one round of trespasses, in calm times.
func (w *warden) prepare(ctx context.Context) ([]ban, error) {
	var r round
	var owner *suspect
	var err error
	for _, s := range []**suspect{&owner, &r.member, &r.blocked} {
		if *s, err = w.signUp(ctx); err != nil {
			return nil, err
		}
	}
	r.owner = owner.id
	if r.thief, err = w.session(ctx, owner.handle, password); err != nil {
		return nil, err
	}
	out, err := owner.must(ctx, "ChatService/CreateRoom", map[string]any{"random": b64(random(16)), "title": "비밀", "members": []string{r.member.id}})
	if err != nil {
		return nil, err
	}
	if r.room, _ = out["room"].(string); r.room == "" {
		return nil, fmt.Errorf("no room was made: %v", out)
	}
	does := func(s *suspect, procedure, scope string, in map[string]any) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			in["name"] = s.name(scope)
			_, err := s.must(ctx, procedure, in)
			return err
		}
	}
	r.revoke = does(owner, "PeopleService/RevokeDevices", "people", map[string]any{"allOthers": true})
	r.leave = does(r.member, "ChatService/Leave", r.room, map[string]any{"room": r.room})
	r.block = does(owner, "ChatService/Block", "people/block", map[string]any{"user": r.blocked.id})
	bans := r.bans()
	return bans, w.possible(ctx, bans)
}

// possible sees that all of it can be done now, at the first site that answers.
func (w *warden) possible(ctx context.Context, bans []ban) error {
	for _, b := range bans {
		var ok bool
		var out map[string]any
		for _, url := range w.urls {
			if ok, out = b.try(ctx, url); out != nil {
				break
			}
		}
		if !ok {
			return fmt.Errorf("%s: refused before it was forbidden: %v", b.what, out)
		}
	}
	return nil
}

// forbid does the acts, and from then on tries all of it at every site until the end.
func (w *warden) forbid(ctx context.Context, bans []ban) error {
	for _, b := range bans {
		if err := b.act(ctx); err != nil {
			return fmt.Errorf("%s: could not be forbidden: %w", b.what, err)
		}
		binds := time.Now().Add(w.binds)
		for _, url := range w.urls {
			w.wg.Go(func() { w.watch(b, url, binds) })
		}
	}
	return nil
}

func (w *warden) watch(t ban, url string, binds time.Time) {
	for {
		select {
		case <-w.stop:
			return
		case <-time.After(w.every):
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
			w.breaches = append(w.breaches, fmt.Sprintf("%s at %s, %.1f s after it was acknowledged to be forbidden", t.what, url, began.Sub(binds).Seconds()+w.binds.Seconds()))
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
