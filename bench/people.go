package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// person is an account of the load generator; session is one logged-in device of it.
type person struct {
	id string
	session
}

type session struct {
	token  []byte
	device []byte
}

type api struct {
	base string
	http *http.Client
}

func (a *api) call(ctx context.Context, token []byte, procedure string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", a.base+"/api/bonghwa.api.v1."+procedure, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != nil {
		req.Header.Set("Authorization", "Bearer "+ids.Text(token))
	}
	res, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", procedure, res.Status, body)
	}
	return json.Unmarshal(body, out)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// signUp makes n accounts, as many at a time as the server hashes passwords.
func (a *api) signUp(ctx context.Context, n, parallel int) ([]*person, error) {
	ps := make([]*person, n)
	err := inParallel(n, parallel, func(i int) error {
		p := &person{session: session{random(32), random(16)}}
		var out struct{ User string }
		err := a.call(ctx, nil, "AccountService/SignUp", map[string]any{
			"random": b64(random(16)), "handle": fmt.Sprintf("bench%05d", i), "displayName": fmt.Sprintf("사람 %d", i),
			"password": "bench-password", "token": b64(p.token), "device": b64(p.device), "deviceLabel": "bench",
		}, &out)
		p.id = out.User
		ps[i] = p
		return err
	})
	return ps, err
}

// admit logs another device of p in, confirmed by its first one.
func (a *api) admit(ctx context.Context, p *person) (session, error) {
	s := session{random(32), random(16)}
	h := ids.HashToken(s.token)
	var code struct{ Code string }
	err := a.call(ctx, nil, "AccountService/RequestDeviceCode", map[string]any{"tokenHash": b64(h[:]), "device": b64(s.device), "deviceLabel": "bench"}, &code)
	if err != nil {
		return s, err
	}
	return s, a.call(ctx, p.token, "PeopleService/AdmitDevice", map[string]any{"code": code.Code}, &struct{}{})
}

// open connects a session and says hello.
func (s session) open(addr string) (*conn, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	err = c.queue(&livev1.Frame{Body: &livev1.Frame_Hello{Hello: &livev1.Hello{Token: ids.Text(s.token), Device: ids.Text(s.device)}}})
	if err = errors.Join(err, c.flush()); err != nil {
		c.Close()
		return nil, err
	}
	for {
		b, err := c.next()
		if err != nil {
			c.Close()
			return nil, err
		}
		f, err := parse(b)
		if err != nil || f.bye || f.failed != "" {
			c.Close()
			return nil, fmt.Errorf("hello was refused: %s %v", f.failed, err)
		}
		if f.welcome {
			return c, nil
		}
	}
}

// inParallel calls fn(0..n-1) from a few goroutines and returns the first error.
func inParallel(n, workers int, fn func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, workers)
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if errs[w] = fn(i); errs[w] != nil {
					next.Store(int64(n))
					return
				}
			}
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}
