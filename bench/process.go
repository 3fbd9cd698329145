package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/pprof/profile"
)

// process is a server of its own for the benchmark.
type process struct {
	cmd    *exec.Cmd
	addr   string // host:port
	pprof  string
	readyS float64
}

// startServer runs this binary's serve on loopback with real fsync, its data below dir.
func startServer(ctx context.Context, binary, dir string) (*process, error) {
	return start(ctx, binary, "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0")
}

// start runs serve with some arguments and returns when it serves.
func start(ctx context.Context, binary string, args ...string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &process{pprof: fmt.Sprintf("127.0.0.1:%d", port)}
	p.cmd = exec.CommandContext(ctx, binary, append([]string{"serve", "--pprof", p.pprof, "--no-limits", "--log-level", "warn"}, args...)...)
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == "address" {
			p.addr = strings.TrimPrefix(f[1], "http://")
			p.readyS = time.Since(start).Seconds()
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return p, nil
		}
	}
	return nil, errors.Join(errors.New("the server did not start"), p.cmd.Wait())
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// stop ends the server in order and returns how long that took.
func (p *process) stop() (time.Duration, error) {
	t0 := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	err := p.cmd.Wait()
	return time.Since(t0), err
}

// servers are the nodes under load.
type servers []*process

// sample is a moment of the servers, all together, and of this process.
type sample struct {
	at                        time.Time
	server, client            float64 // CPU seconds
	fsyncs, entries, commands float64
}

func (ps servers) sample(ctx context.Context) (s sample, err error) {
	s.at = time.Now()
	var u syscall.Rusage
	if err = syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return s, err
	}
	s.client = time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
	for _, p := range ps {
		cpu, err := cpuOf(p.cmd.Process.Pid)
		if err != nil {
			return s, err
		}
		m, err := p.metrics(ctx)
		if err != nil {
			return s, err
		}
		s.server += cpu
		s.fsyncs += m["bonghwa_log_fsyncs_total"] + m["bonghwa_view_fsyncs_total"]
		s.entries += m["bonghwa_entries_total"]
		s.commands += m["bonghwa_commands_total"]
	}
	return s, nil
}

// clockTick of /proc/<pid>/stat is 100 on every Linux that Go runs on.
const clockTick = 100

func cpuOf(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0, errors.New("unexpected /proc stat")
	}
	user, err1 := strconv.ParseFloat(f[11], 64)
	system, err2 := strconv.ParseFloat(f[12], 64)
	return (user + system) / clockTick, errors.Join(err1, err2)
}

func rssOf(pid int) (int64, error) {
	rss, _, err := memoryOf(pid)
	return rss, err
}

// memoryOf is what is resident of a process, and how much of that are pages of files, which the kernel takes back when it
// wants them, in bytes.
func memoryOf(pid int) (resident, files int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, 0, err
	}
	if _, err := fmt.Sscan(string(b), new(int64), &resident, &files); err != nil {
		return 0, 0, errors.New("unexpected /proc statm")
	}
	size := int64(os.Getpagesize())
	return resident * size, files * size, nil
}

// settledRSS is the resident memory after garbage has been collected and given back: when two looks, a second apart,
// differ by less than a MiB.
func (p *process) settledRSS(ctx context.Context) (rss int64, err error) {
	for range 15 {
		res, err := p.get(ctx, "http://"+p.pprof+"/debug/free")
		if err != nil {
			return 0, err
		}
		res.Close()
		time.Sleep(time.Second)
		before := rss
		if rss, err = rssOf(p.cmd.Process.Pid); err != nil {
			return 0, err
		}
		if d := rss - before; d > -1<<20 && d < 1<<20 {
			break
		}
	}
	return rss, nil
}

func (p *process) get(ctx context.Context, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, fmt.Errorf("%s: %s", url, res.Status)
	}
	return res.Body, nil
}

// metrics reads the plain counters and gauges of /metrics.
func (p *process) metrics(ctx context.Context) (map[string]float64, error) {
	body, err := p.get(ctx, "http://"+p.addr+"/metrics")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	m := map[string]float64{}
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		name, _, _ = strings.Cut(name, "{")
		if v, err := strconv.ParseFloat(value, 64); err == nil {
			m[name] += v
		}
	}
	return m, lines.Err()
}

// shares profiles the server and says what share of its CPU each part took, by the labels its goroutines carry.
func (p *process) shares(ctx context.Context, length time.Duration) (map[string]float64, error) {
	secs := max(1, int(length.Seconds()))
	body, err := p.get(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", p.pprof, secs))
	if err != nil {
		return nil, err
	}
	defer body.Close()
	prof, err := profile.Parse(body)
	if err != nil {
		return nil, err
	}
	total, parts := 0.0, map[string]float64{}
	for _, s := range prof.Sample {
		part := "runtime and other"
		if l := s.Label["part"]; len(l) > 0 {
			part = l[0]
		}
		v := float64(s.Value[len(s.Value)-1])
		parts[part] += v
		total += v
	}
	for k, v := range parts {
		parts[k] = round(v/total, 3)
	}
	return parts, nil
}

func round(x float64, digits int) float64 {
	k := math.Pow(10, float64(digits))
	return math.Round(x*k) / k
}
