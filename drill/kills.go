package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/server"
)

// moments are when, after something has begun, a site is killed.
var moments = []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond}

// killed kills sites again and again in the midst of something.
func killed(ctx context.Context, s *stage, part string) error {
	acts := map[string]func(context.Context) error{"checkpoint": s.killCheckpoint, "fetch": s.killFetch, "handover": s.killHandover}
	forbidden := s.trespass(ctx)
	err := acts[part](ctx)
	if err == nil {
		time.Sleep(time.Second)
		s.measured()
	}
	return errors.Join(err, <-forbidden)
}

// killIn begins something at a site and kills it a moment later; then the site comes back.
func (s *stage) killIn(ctx context.Context, site, what string, after time.Duration, begin func(ctx context.Context)) error {
	s.goes(site)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	go begin(asking) // its answer dies with the site
	time.Sleep(after)
	s.l.kill(site)
	s.did(what, site, byKill)
	t := time.Now()
	s.did("started", site, byStart)
	if err := errors.Join(s.l.start(ctx, site), s.l.settled(ctx)); err != nil {
		return err
	}
	s.out.BackMs = append(s.out.BackMs, millis(time.Since(t)))
	return nil
}

func (s *stage) killCheckpoint(ctx context.Context) error {
	for i, after := range moments {
		site := s.l.sites[i%len(s.l.sites)]
		if err := s.killIn(ctx, site, "killed during a checkpoint", after, func(ctx context.Context) { _, _ = server.Admin(s.l.data(site)).Backup(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) killHandover(ctx context.Context) error {
	for _, after := range moments {
		site, err := s.l.leader(ctx)
		if err != nil {
			return err
		}
		if err := s.killIn(ctx, site, "killed while it hands leadership over", after, func(ctx context.Context) { _ = s.l.drain(ctx, site) }); err != nil {
			return err
		}
	}
	return nil
}

// killFetch kills a site whose disks are gone while it is let in and fetches its views.
func (s *stage) killFetch(ctx context.Context) error {
	site := s.l.sites[len(s.l.sites)-1]
	s.goes(site)
	s.l.kill(site)
	s.did("dead", site, byKill)
	if err := s.wipe(site); err != nil {
		return err
	}
	return s.comeIn(ctx, site, "killed while it is rebuilt", "--rebuild")
}

// comeIn starts a site with an empty directory, kills it at one moment after the other, and then lets it come in.
func (s *stage) comeIn(ctx context.Context, site, what string, args ...string) error {
	for k := range len(moments) + 1 {
		now := args
		if _, err := os.Stat(filepath.Join(s.l.data(site), "etcd", "member")); err == nil {
			now = nil // it was let in: what it has is its own
		}
		if k == len(moments) {
			s.measured()
			t := time.Now()
			s.did("started", site, byStart)
			if err := s.l.start(ctx, site, now...); err != nil {
				return err
			}
			return s.returned(ctx, t)
		}
		if _, err := s.l.begin(site, now...); err != nil {
			return err
		}
		time.Sleep(100*time.Millisecond + 4*moments[k])
		s.l.kill(site)
		s.did(what, site, byKill)
	}
	return nil
}

// growth is a cluster of its own: one machine with its people becomes three sites, and is killed, and the others are, while
// they come in.
func growth(ctx context.Context, o Options, rng *rand.Rand) (out Scenario, err error) {
	out = Scenario{Name: "killed-growth"}
	l, c, err := growing(ctx, o, rng)
	if l != nil {
		defer l.close()
	}
	if c != nil {
		defer c.close()
	}
	if err != nil {
		return out, err
	}
	s := &stage{l: l, c: c, o: o, length: o.Duration, tell: o.tell, out: &out, moved: map[*person]bool{}}
	return out, s.play(ctx, played{scenario{name: "killed-growth", run: grow}, ""})
}

// growing is one machine, already started as the first site of three, with people.
func growing(ctx context.Context, o Options, rng *rand.Rand) (l *lab, c *crowd, err error) {
	dir, err := os.MkdirTemp(o.Dir, "bonghwa-drill-growth-")
	if err != nil {
		return nil, nil, err
	}
	undo := func() error { return os.RemoveAll(dir) }
	if o.Keep {
		undo = func() error { return nil }
	}
	net3 := fmt.Sprintf("127.%d.%d", 1+rng.IntN(254), rng.IntN(256))
	alone := filepath.Join(dir, "alone")
	if err := serveOnce(ctx, o.Binary, alone, net3+".1:1"+portPeople); err != nil {
		return nil, nil, errors.Join(err, undo())
	}
	meta, err := server.ReadMeta(alone)
	if err != nil {
		return nil, nil, errors.Join(err, undo())
	}
	l, err = newLab(o.Binary, dir, Sites, net3, config.Plan{Founder: meta.Node, FounderData: alone})
	if err != nil {
		return nil, nil, errors.Join(err, undo())
	}
	l.undo = append(l.undo, undo)
	l.formed = 1
	if err := l.start(ctx, l.sites[0]); err != nil {
		return l, nil, err
	}
	first := map[string]string{}
	for _, site := range l.sites {
		first[site] = l.urls[l.sites[0]]
	}
	// Everybody comes in at the first; they learn of the others.
	all := l.urls
	l.urls = first
	c, err = gather(ctx, l, o.People, o.tell)
	if l.urls = all; c != nil {
		c.urls = all
	}
	return l, c, err
}

// serveOnce starts a machine that is alone and stops it as soon as it serves: its data are what a cluster grows from.
func serveOnce(ctx context.Context, binary, data, listen string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "serve", "--data", data, "--listen", listen, "--log-level", "warn")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	b := make([]byte, 1<<10)
	said := ""
	for !strings.Contains(said, "address") {
		n, err := out.Read(b)
		said += string(b[:n])
		if err != nil {
			break
		}
	}
	return errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait())
}

func grow(ctx context.Context, s *stage, _ string) error {
	forbidden := s.trespass(ctx)
	first := s.l.sites[0]
	for i, site := range s.l.sites[1:] {
		s.l.formed++
		if err := s.comeIn(ctx, site, "killed while it comes in"); err != nil {
			return err
		}
		if i > 0 {
			break
		}
		// The first site is killed while the second one votes already: from now on both are needed.
		s.l.kill(first)
		s.did("killed while the cluster grows", first, byKill)
		s.did("started", first, byStart)
		if err := s.l.start(ctx, first); err != nil {
			return err
		}
	}
	s.did("three sites", "", "status")
	time.Sleep(time.Second)
	s.measured()
	return <-forbidden
}
