package drill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/client"
)

// Checked is something that was done at one site while another one burnt.
type Checked struct {
	Site string  `json:"site"`
	What string  `json:"what"`
	Ms   float64 `json:"ms"`
	// Tries: a site whose disk is slow may be unready now and then, and is asked again.
	Tries int `json:"tries"`
	// Why it did not go; empty: it did.
	Why string `json:"why,omitempty"`
}

// Checks of one fire or more.
type Checks []Checked

func (c Checks) String() string {
	passed, longest := 0, Checked{}
	for _, one := range c {
		if one.Why == "" {
			passed++
		}
		if one.Ms > longest.Ms {
			longest = one
		}
	}
	return fmt.Sprintf("%d of %d things could be done; the longest, %s at %s, took %.0f ms", passed, len(c), longest.What, longest.Site, longest.Ms)
}

// visitPatience is for how long a thing is tried.
const visitPatience = 10 * time.Second

// visitor is somebody who comes to a site anew while another one burns, and its operator.
type visitor struct {
	l      *lab
	handle string
	id     string
	photo  []byte
	asset  *regexp.Regexp
}

// newVisitor signs somebody up, with a photo, in calm times.
func newVisitor(ctx context.Context, l *lab) (v *visitor, err error) {
	v = &visitor{l: l, handle: fmt.Sprintf("visitor.%d", rand.IntN(1e9)), asset: regexp.MustCompile(`(?:src|href)="(/[^"]+)"`)}
	picture := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 {
		picture.Set(i, i, color.RGBA{255, 155, 61, 255})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		return nil, err
	}
	k, err := client.Open(client.Options{URLs: []string{l.urls[l.sites[0]]}, NoEvents: true, HTTPClient: l.people})
	if err != nil {
		return nil, err
	}
	defer k.Close()
	if err := k.SignUp(ctx, client.SignUpForm{Handle: v.handle, Name: "나그네", Password: password}); err != nil {
		return nil, err
	}
	if _, err := k.SetPhoto(ctx, b.Bytes()); err != nil {
		return nil, err
	}
	a, _ := k.Account()
	v.id = a.User
	photos, err := k.Photos(ctx, []string{v.id})
	if err != nil || len(photos) != 1 {
		return nil, errors.Join(errors.New("the visitor has no photo"), err)
	}
	v.photo = photos[0].JPEG
	return v, nil
}

// withoutBurnt does at each other site what people and operators do, and says what did not go.
func (s *stage) withoutBurnt(ctx context.Context, burnt string) {
	if s.visitor == nil {
		return
	}
	// First people find their way: what follows would make this machine, not the sites, slow.
	time.Sleep(1500 * time.Millisecond)
	var at []string
	for _, site := range s.l.sites {
		if site != burnt && site != s.slow {
			at = append(at, site)
		}
	}
	found := make([]Checks, len(at))
	var all sync.WaitGroup
	for i, site := range at {
		all.Go(func() { found[i] = s.visitor.visit(ctx, site) })
	}
	all.Wait()
	for i, site := range at {
		for _, one := range found[i] {
			if one.Why != "" {
				s.out.Why = append(s.out.Why, fmt.Sprintf("while %s burnt, at %s: %s: %s", burnt, site, one.What, one.Why))
			}
			s.out.Checks = append(s.out.Checks, one)
		}
	}
}

// visit does all of it at one site and at no other.
func (v *visitor) visit(ctx context.Context, site string) (out Checks) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	do := func(what string, fn func() error) {
		t := time.Now()
		one := Checked{Site: site, What: what}
		for {
			err := fn()
			one.Tries++
			if err == nil {
				break
			}
			if time.Since(t) > visitPatience {
				one.Why = err.Error()
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		one.Ms = millis(time.Since(t))
		out = append(out, one)
	}
	k, err := client.Open(client.Options{URLs: []string{v.l.urls[site]}, OnlyURLs: true, NoEvents: true, HTTPClient: v.l.people})
	if err != nil {
		return Checks{{Site: site, What: "log in", Why: err.Error()}}
	}
	defer k.Close()
	do("log in", func() error { _, err := k.LogIn(ctx, v.handle, password); return err })
	do("send", func() error { _, err := k.Send(ctx, v.id, "불이 났대요. 저는 괜찮아요."); return err })
	do("read history", func() error {
		room, err := k.DirectRoom(v.id)
		if err != nil {
			return err
		}
		p, err := k.History(ctx, room, 1, false, 200)
		if err == nil && !slices.ContainsFunc(p.Messages, func(m client.Message) bool { return m.Author == v.id && m.Text != "" }) {
			err = errors.New("what was just sent is not in it")
		}
		return err
	})
	do("profile photo", func() error {
		photos, err := k.Photos(ctx, []string{v.id})
		if err == nil && (len(photos) != 1 || !bytes.Equal(photos[0].JPEG, v.photo)) {
			err = errors.New("it is another one, or none")
		}
		return err
	})
	do("page and its files", func() error { return v.page(ctx, site) })
	do("/status.json", func() error { _, err := v.get(ctx, site, "/status.json"); return err })
	do("/readyz", func() error { _, err := v.get(ctx, site, "/readyz"); return err })
	config := v.l.files[site]
	data := v.l.data(site)
	do("bonghwa status", func() error { return v.command(ctx, "seoul", "status", "--config", config) })
	do("bonghwa backup", func() error { return v.command(ctx, "content hash", "backup", "--data", data) })
	do("bonghwa backup --to", func() error {
		to := filepath.Join(v.l.dir, "copy-"+site)
		defer os.RemoveAll(to)
		return v.command(ctx, "content hash", "backup", "--data", data, "--to", to)
	})
	do("bonghwa people invite", func() error { return v.command(ctx, "invitation", "people", "invite", "--data", data) })
	do("bonghwa people reset-password", func() error {
		return v.command(ctx, "one-time code", "people", "reset-password", "--data", data, v.handle)
	})
	return out
}

// page fetches the web client and every file that it names.
func (v *visitor) page(ctx context.Context, site string) error {
	b, err := v.get(ctx, site, "/")
	if err != nil {
		return err
	}
	files := v.asset.FindAllSubmatch(b, -1)
	if len(files) == 0 {
		return errors.New("the page names no files")
	}
	for _, f := range files {
		if _, err := v.get(ctx, site, string(f[1])); err != nil {
			return err
		}
	}
	return nil
}

func (v *visitor) get(ctx context.Context, site, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", v.l.urls[site]+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := v.l.people.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err == nil && (res.StatusCode != http.StatusOK || len(b) == 0) {
		err = fmt.Errorf("%s: %s, %d bytes", path, res.Status, len(b))
	}
	return b, err
}

// command runs the operator's command, which must say something in particular.
func (v *visitor) command(ctx context.Context, says string, args ...string) error {
	b, err := exec.CommandContext(ctx, v.l.binary, args...).CombinedOutput()
	if err == nil && !strings.Contains(string(b), says) {
		err = errors.New("it does not say " + says)
	}
	if err != nil {
		return fmt.Errorf("%w: %s", err, b)
	}
	return nil
}
