package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/server"
)

// Cluster is what several sites on this one machine give beside one machine, measured in the same run: they do the work as
// many times over, and the generator shares the cores with them.
type Cluster struct {
	Sites int `json:"sites"`
	// Idle cost of a node in cores, resident MiB of each before and after the load, and how much of the latter are pages of files
	// (the log is one that is mapped): site by site.
	IdleCores  []float64 `json:"idle_cores"`
	IdleMiB    []float64 `json:"idle_mib"`
	LoadedMiB  []float64 `json:"loaded_mib"`
	LoadedFile []float64 `json:"loaded_file_mib"`
	One, Three []Scenario
	Returns    []Return `json:"returns"`
	Bounds     []Bound  `json:"bounds"`
}

// Return is a site that was away while others wrote, and comes back under load.
type Return struct {
	// Load is what the living were offered meanwhile.
	Load string `json:"load"`
	// Missed messages, acknowledged while it was away.
	Missed int64 `json:"missed"`
	// ReadyS is from its start until it serves; CurrentS until every site is ready and current.
	ReadyS   float64 `json:"ready_s"`
	CurrentS float64 `json:"current_s"`
	// Acknowledged per second by the living sites before the start, while it caught up, and once it served again.
	Before float64 `json:"acked_per_s_before"`
	During float64 `json:"acked_per_s_during"`
	After  float64 `json:"acked_per_s_after"`
}

var benchSites = []string{"seoul", "daejeon", "busan", "gwangju", "daegu"}

// cluster measures: one machine, then so many sites, then a site that comes back after having missed a million messages.
func (o Options) cluster(ctx context.Context, r *Report, dir string) error {
	if o.Sites > len(benchSites) {
		return fmt.Errorf("%d sites at most", len(benchSites))
	}
	length, warm, pairs, missed := 15*time.Second, 3*time.Second, 100, int64(1_000_000)
	if o.Quick {
		length, warm, pairs, missed = 4*time.Second, time.Second, 20, 20_000
	}
	c := &Cluster{Sites: o.Sites}
	r.Cluster = c
	loads := func(h *house) (ss []Scenario, err error) {
		for _, outstanding := range []int{1, 8} {
			s, err := h.pairs(fmt.Sprintf("%d pairs, %d outstanding each, %d site(s)", pairs, outstanding, len(h.srvs)), pairs, outstanding)
			if err != nil {
				return nil, err
			}
			s.print(o.Out)
			ss = append(ss, *s)
		}
		return ss, nil
	}

	alone, err := startServer(ctx, o.Binary, dir)
	if err != nil {
		return err
	}
	h, err := moveIn(ctx, o, servers{alone}, 2*pairs, length, warm)
	if err == nil {
		c.One, err = loads(h)
	}
	if _, serr := alone.stop(); errors.Join(err, serr) != nil {
		return errors.Join(err, serr)
	}

	files, err := config.Init(config.Plan{Dir: filepath.Join(dir, "cluster"), Sites: benchSites[:o.Sites], Hosts: make([]string, o.Sites), Now: time.Now()})
	if err != nil {
		return err
	}
	all := make(servers, o.Sites)
	defer func() {
		for _, p := range all {
			if p != nil {
				_ = p.cmd.Process.Kill()
			}
		}
	}()
	if err := inParallel(o.Sites, o.Sites, func(i int) (err error) {
		all[i], err = start(ctx, o.Binary, "--config", files[i])
		return err
	}); err != nil {
		return err
	}
	sites := lab{ctx: ctx, binary: o.Binary, files: files, all: all}
	if _, err := sites.steady(); err != nil {
		return err
	}
	if c.IdleCores, c.IdleMiB, err = sites.idle(warm + length); err != nil {
		return err
	}
	if h, err = moveIn(ctx, o, all, 2*pairs, length, warm); err != nil {
		return err
	}
	if c.Three, err = loads(h); err != nil {
		return err
	}
	half := c.Three[0].AckedPerS / 2 // of what writers with one outstanding reach
	for _, perS := range []float64{0, half} {
		b, err := sites.back(h, o.Out, pairs, missed, perS)
		if err != nil {
			return err
		}
		c.Returns = append(c.Returns, b)
	}
	if _, c.LoadedMiB, err = sites.idle(time.Second); err != nil {
		return err
	}
	for _, p := range all {
		_, files, err := memoryOf(p.cmd.Process.Pid)
		if err != nil {
			return err
		}
		c.LoadedFile = append(c.LoadedFile, round(float64(files)/(1<<20), 1))
	}
	c.Bounds = []Bound{
		atLeast("share of one machine's acked/s, 1 outstanding", round(c.Three[0].AckedPerS/c.One[0].AckedPerS, 3), .2, .35),
		atLeast("share of one machine's acked/s, 8 outstanding", round(c.Three[1].AckedPerS/c.One[1].AckedPerS, 3), .2, .35),
	}
	for _, b := range c.Returns {
		c.Bounds = append(c.Bounds, atMost(fmt.Sprintf("s until a site that missed %d messages serves, %s", b.Missed, b.Load), b.ReadyS, 60, 60),
			atLeast("share of acked/s that the living keep meanwhile, "+b.Load, round(b.During/b.Before, 3), .8, .8))
	}
	for i, x := range c.IdleCores {
		c.Bounds = append(c.Bounds, atMost("idle cores of "+benchSites[i], x, .04, .02))
	}
	c.print(o.Out)
	return nil
}

// moveIn signs people up at the first server.
func moveIn(ctx context.Context, o Options, srvs servers, people int, length, warm time.Duration) (*house, error) {
	h := &house{ctx: ctx, srvs: srvs, length: length, warm: warm, api: &api{base: "http://" + srvs[0].addr, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}}
	fmt.Fprintf(o.Out, "%d people sign up (one argon2id hash each) ...\n", people)
	var err error
	h.people, err = h.api.signUp(ctx, people, 2)
	return h, err
}

// lab is a cluster whose last site goes and comes.
type lab struct {
	ctx    context.Context
	binary string
	files  []string
	all    servers
}

// steady waits until every site is ready and current, and returns how long that took.
func (l lab) steady() (float64, error) {
	t0 := time.Now()
	n, err := config.Load(l.files[0])
	if err != nil {
		return 0, err
	}
	for {
		st, err := server.Admin(n.Data).Status(l.ctx)
		if err == nil && st.Steady && len(st.Sites) == len(l.files) {
			return round(time.Since(t0).Seconds(), 2), nil
		}
		select {
		case <-l.ctx.Done():
			return 0, errors.Join(errors.New("the sites are not steady"), err, l.ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// idle is what each node takes while nobody does anything: cores, resident MiB.
func (l lab) idle(d time.Duration) (cores, mib []float64, err error) {
	cores, mib = make([]float64, len(l.all)), make([]float64, len(l.all))
	return cores, mib, inParallel(len(l.all), len(l.all), func(i int) (err error) {
		cores[i], mib[i], err = l.all[i].idleCost(l.ctx, d)
		return err
	})
}

// back kills the last site, lets the living write as fast as they can until it has missed enough, and starts it again while they
// are offered perS sends a second; 0 = as fast as they can, so that both cores are full and the site that comes back takes its share
// of them from the living, which it would not on a machine of its own.
func (l lab) back(h *house, out io.Writer, pairs int, missed int64, perS float64) (r Return, err error) {
	last := len(l.all) - 1
	_ = l.all[last].cmd.Process.Kill()
	_ = l.all[last].cmd.Wait()
	h.srvs = l.all[:last]
	var acked atomic.Int64
	// rate is what is acknowledged per second while fn runs.
	rate := func(fn func()) float64 {
		t0, a0 := time.Now(), acked.Load()
		fn()
		return round(float64(acked.Load()-a0)/time.Since(t0).Seconds(), 0)
	}
	write := func(outstanding int, pace time.Duration, during func()) error {
		ws, err := h.inPairs(pairs, outstanding)
		if err != nil {
			return err
		}
		for _, w := range ws {
			w.acked, w.pace = &acked, pace
		}
		_, err = drive(ws, h.warm, 0, during)
		return err
	}
	away := func() {
		for acked.Load() < missed-int64(perS*h.length.Seconds()) && l.ctx.Err() == nil {
			time.Sleep(100 * time.Millisecond)
		}
	}
	wait := func() {
		select {
		case <-time.After(h.length):
		case <-l.ctx.Done():
		}
	}
	comes := func() {
		if r.Before = rate(away); perS > 0 {
			r.Before = rate(wait)
		}
		r.Missed = acked.Load()
		fmt.Fprintf(out, "%d messages missed; the site starts again, %s ...\n", r.Missed, r.Load)
		t0 := time.Now()
		r.During = rate(func() {
			if l.all[last], err = start(l.ctx, l.binary, "--config", l.files[last]); err != nil {
				return
			}
			r.ReadyS = round(time.Since(t0).Seconds(), 2)
			_, err = l.steady()
			r.CurrentS = round(time.Since(t0).Seconds(), 2)
		})
		r.After = rate(wait)
	}
	if r.Load = "as fast as they can"; perS == 0 {
		derr := write(8, 0, comes)
		return r, errors.Join(err, derr)
	}
	r.Load = fmt.Sprintf("at %.0f/s", perS)
	if err := write(8, 0, away); err != nil {
		return r, err
	}
	derr := write(1, time.Duration(float64(2*pairs)/perS*float64(time.Second)), comes)
	return r, errors.Join(err, derr)
}

func (c *Cluster) print(w io.Writer) {
	fmt.Fprintf(w, "\n%d sites on this machine: idle %v cores, %v MiB; after the load %v MiB, of which files %v\n", c.Sites, c.IdleCores, c.IdleMiB, c.LoadedMiB, c.LoadedFile)
	for _, b := range c.Returns {
		fmt.Fprintf(w, "a site that missed %d messages served after %.1f s, was current after %.1f s; the living, %s: acked/s %.0f before, %.0f meanwhile, %.0f with it\n",
			b.Missed, b.ReadyS, b.CurrentS, b.Load, b.Before, b.During, b.After)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	printBounds(t, c.Bounds)
	_ = t.Flush()
}
