// Package bench measures a server on this machine: a load generator in its own process, real WebSockets on loopback,
// real fsync. It reports what it saw beside stated limits and judges nothing else; figures of two runs compare only on
// the same, equally busy machine.
package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// Options of a run.
type Options struct {
	// Binary is the server's program; its version is in the report.
	Binary  string
	Version string
	// JSON is a file for the report, if any.
	JSON  string
	Quick bool
	// Sites beyond one measure a cluster beside one machine instead.
	Sites int
	// Dir is where the data of the benchmark lives while it runs: on the disk to be measured.
	Dir string
	Out io.Writer
}

// Report is the whole result.
type Report struct {
	Date      time.Time  `json:"date"`
	Version   string     `json:"version"`
	Quick     bool       `json:"quick"`
	Machine   Machine    `json:"machine"`
	ReadyS    float64    `json:"ready_s"`
	IdleCores float64    `json:"idle_cores"`
	IdleMiB   float64    `json:"idle_mib"`
	StopS     float64    `json:"stop_s"`
	Scenarios []Scenario `json:"scenarios"`
	// Cluster is the run with several sites, instead of the scenarios.
	Cluster *Cluster `json:"cluster,omitempty"`
}

// Machine is what the figures were measured on.
type Machine struct {
	CPU     string  `json:"cpu"`
	Cores   int     `json:"cores"`
	MemGiB  float64 `json:"mem_gib"`
	Kernel  string  `json:"kernel"`
	Go      string  `json:"go"`
	FsyncMs float64 `json:"fsync_p50_ms"`
	Load1   string  `json:"load_before"`
}

// Run measures all scenarios: at most ten minutes, quick one.
func Run(ctx context.Context, o Options) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp(o.Dir, "bonghwa-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &Report{Date: time.Now().UTC().Truncate(time.Second), Version: o.Version, Quick: o.Quick, Machine: machine(dir)}
	if o.Sites > 1 {
		return r, errors.Join(o.cluster(ctx, r, dir), r.write(o.JSON))
	}
	srv, err := startServer(ctx, o.Binary, dir)
	if err != nil {
		return nil, err
	}
	defer func() { _ = srv.cmd.Process.Kill() }()
	r.ReadyS = round(srv.readyS, 3)
	length, warm, people, groups, each := 20*time.Second, 3*time.Second, 1000, 20, 75
	if o.Quick {
		length, warm, people, groups, each = 4*time.Second, time.Second, 200, 4, 10
	}
	if r.IdleCores, r.IdleMiB, err = srv.idleCost(ctx, warm+length/4); err != nil {
		return nil, err
	}
	h, err := moveIn(ctx, o, servers{srv}, people, length, warm)
	if err != nil {
		return nil, err
	}
	steps := []func() (*Scenario, error){
		func() (*Scenario, error) {
			s, err := h.pairs("5 pairs, 1 outstanding (quiet)", 5, 1)
			return bounded(s, err, func() []Bound {
				return []Bound{atMost("ack p50 ms", s.AckP50, 2, 1), atMost("ack p99 ms", s.AckP99, 15, 4)}
			})
		},
		func() (*Scenario, error) {
			s, err := h.pairs("100 pairs, 1 outstanding each", 100, 1)
			return bounded(s, err, func() []Bound {
				return []Bound{atLeast("acked/s", s.AckedPerS, 10000, 20000), atMost("ack p99 ms", s.AckP99, 60, 60), atMost("server CPU s per 1,000", s.ServerCPU, .08, .05)}
			})
		},
		func() (*Scenario, error) {
			s, err := h.pairs("100 pairs, 8 outstanding each", 100, 8)
			return bounded(s, err, func() []Bound {
				return []Bound{atLeast("acked/s", s.AckedPerS, 16000, 24000), atMost("ack p99 ms", s.AckP99, 250, 250), atMost("server CPU s per 1,000", s.ServerCPU, .08, .05)}
			})
		},
		func() (*Scenario, error) {
			s, err := h.groups(fmt.Sprintf("%d groups of 50, four senders each, 1 outstanding", groups), groups, 50, 4)
			return bounded(s, err, func() []Bound { return []Bound{atLeast("deliveries/s", s.DeliveriesPerS, 120000, 250000)} })
		},
		func() (*Scenario, error) { return h.throughClient(5) },
		func() (*Scenario, error) { return h.idle(200, each) },
	}
	for _, step := range steps {
		s, err := step()
		if err != nil {
			return nil, err
		}
		r.Scenarios = append(r.Scenarios, *s)
		s.print(o.Out)
	}
	d, err := srv.stop()
	if err != nil {
		return nil, err
	}
	r.StopS = round(d.Seconds(), 2)
	r.print(o.Out)
	return r, r.write(o.JSON)
}

// write keeps the report as a file, if one was asked for.
func (r *Report) write(file string) error {
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

func bounded(s *Scenario, err error, bounds func() []Bound) (*Scenario, error) {
	if err == nil {
		s.Bounds = bounds()
	}
	return s, err
}

// idleCost is what an empty server takes: cores and resident MiB.
func (p *process) idleCost(ctx context.Context, d time.Duration) (cores, mib float64, err error) {
	before, err := cpuOf(p.cmd.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	select {
	case <-ctx.Done():
		return 0, 0, ctx.Err()
	case <-time.After(d):
	}
	after, err := cpuOf(p.cmd.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	rss, err := rssOf(p.cmd.Process.Pid)
	return round((after-before)/d.Seconds(), 4), round(float64(rss)/(1<<20), 1), err
}

func (s *Scenario) print(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", s.Name)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if s.IdleSessions == 0 {
		delivered := "not measured"
		if s.DeliveryP50 > 0 {
			delivered = fmt.Sprintf("p50 %.2f p99 %.2f ms, %.0f/s", s.DeliveryP50, s.DeliveryP99, s.DeliveriesPerS)
		}
		fmt.Fprintf(t, "  acked/s %.0f\tack p50 %.2f p99 %.2f ms\tdelivery %s\n", s.AckedPerS, s.AckP50, s.AckP99, delivered)
		fmt.Fprintf(t, "  CPU s per 1,000: server %.4f\tclient %.4f\tfsyncs per message %.4f\tcommands per entry %.1f\n", s.ServerCPU, s.ClientCPU, s.Fsyncs, s.EntrySize)
		fmt.Fprintf(t, "  CPU shares: %v\n", s.Shares)
	}
	printBounds(t, s.Bounds)
	_ = t.Flush()
}

func printBounds(w io.Writer, bounds []Bound) {
	for _, b := range bounds {
		mark := "met"
		if !b.Met {
			mark = "MISSED"
		}
		fmt.Fprintf(w, "  %s\t%.4g\tfloor %.4g\tgoal %.4g\t%s\n", b.What, b.Measured, b.Floor, b.Goal, mark)
	}
}

func (r *Report) print(w io.Writer) {
	fmt.Fprintf(w, "\nready after %.2f s (limit 5); idle %.1f%% of a core (limit 3%%), %.0f MiB (limit 200); stopped in %.2f s\n%s, %d cores, %.1f GiB, fsync p50 %.2f ms, load before %s, %s\n",
		r.ReadyS, 100*r.IdleCores, r.IdleMiB, r.StopS, r.Machine.CPU, r.Machine.Cores, r.Machine.MemGiB, r.Machine.FsyncMs, r.Machine.Load1, r.Machine.Go)
}

func machine(dir string) Machine {
	m := Machine{Cores: runtime.NumCPU(), Go: runtime.Version(), CPU: "unknown", FsyncMs: fsyncP50(dir)}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for l := range strings.Lines(string(b)) {
			if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
				m.CPU = strings.TrimSpace(v)
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kb float64
		if _, err := fmt.Sscanf(string(b), "MemTotal: %f kB", &kb); err == nil {
			m.MemGiB = round(kb/(1<<20), 1)
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load1, _, _ = strings.Cut(string(b), " ")
	}
	if b, err := exec.Command("uname", "-r").Output(); err == nil {
		m.Kernel = strings.TrimSpace(string(b))
	}
	return m
}

func fsyncP50(dir string) float64 {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return 0
	}
	defer f.Close()
	var xs []int64
	for range 50 {
		t0 := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil || f.Sync() != nil {
			return 0
		}
		xs = append(xs, int64(time.Since(t0)))
	}
	return percentile(xs, .5)
}
