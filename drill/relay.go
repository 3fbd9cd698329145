package drill

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// relay stands in every way into a site: between sites, and between people and sites. It needs no rights beyond those of
// its user. What a network would drop it holds back: bytes wait, like in a sender that repeats until it is heard, and a
// connection that is closed meanwhile is not seen to be closed at the other end.
//
// It differs from a network in one thing: a connection to a site that is cut off is accepted by the relay, and then silent.
type relay struct {
	mu    sync.Mutex
	cond  *sync.Cond // a way was opened or closed, or the relay ends
	cuts  map[way]bool
	delay time.Duration // one way, between sites
	slow  time.Duration // added to the chunks that are "lost" and repeated
	loss  float64       // share of chunks between sites that are
	pids  map[string]int
	ended bool

	listeners []net.Listener
	wg        sync.WaitGroup
}

func newRelay(delay time.Duration) *relay {
	r := &relay{cuts: map[way]bool{}, delay: delay, pids: map[string]int{}}
	r.cond = sync.NewCond(&r.mu)
	return r
}

// into opens a way into a site: what connects to addr reaches target.
func (r *relay) into(site, addr, target string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	r.listeners = append(r.listeners, l)
	r.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() { r.carry(c, site, target) })
		}
	})
	return nil
}

// close ends everything.
func (r *relay) close() {
	r.mu.Lock()
	r.ended = true
	r.cond.Broadcast()
	r.mu.Unlock()
	for _, l := range r.listeners {
		_ = l.Close()
	}
	r.wg.Wait()
}

func (r *relay) set(cut bool, ways ...way) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range ways {
		r.cuts[w] = cut
	}
	r.cond.Broadcast()
}

func (r *relay) weather(delay time.Duration, loss float64, repeat time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay, r.loss, r.slow = delay, loss, repeat
}

// runs: a site's connections are known by the sockets of its process.
func (r *relay) runs(site string, pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pids[site] = pid
}

func (r *relay) enter(string) error { return nil }

func (r *relay) flags() []string { return nil }

func (r *relay) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, addr)
}

func (r *relay) words() (network, by string) {
	return "a relay of this program in every way between sites and to people: " + there(delay) + "; it holds back what a network would drop",
		"injected: the relay holds back and delays"
}

// open waits until all these ways are; false: the relay has ended, or gone is closed.
func (r *relay) open(gone *bool, ways ...way) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.ended || *gone {
			return false
		}
		shut := false
		for _, w := range ways {
			shut = shut || r.cuts[w]
		}
		if !shut {
			return true
		}
		r.cond.Wait()
	}
}

// carry brings one connection to where it wants to go.
func (r *relay) carry(c net.Conn, to, target string) {
	defer c.Close()
	from := r.whose(c)
	gone := false
	if !r.open(&gone, way{from, to}, way{to, from}) {
		return
	}
	d, err := net.DialTimeout("tcp", target, 5*time.Second)
	if err != nil {
		return // nobody listens: the connection is closed, which is what a machine without the process does
	}
	defer d.Close()
	var ways sync.WaitGroup
	ways.Go(func() { r.copy(d, c, way{from, to}, &gone) })
	ways.Go(func() { r.copy(c, d, way{to, from}, &gone) })
	ways.Wait()
}

// chunk is what was read at once, and when it is due at the other end.
type chunk struct {
	b   []byte
	due time.Time
}

// copy carries bytes one way. Both ways of a connection end together.
func (r *relay) copy(dst, src net.Conn, w way, gone *bool) {
	queue := make(chan chunk, 64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var last time.Time
		for c := range queue {
			if wait := time.Until(c.due); wait > 0 && c.due.After(last) {
				time.Sleep(wait)
			}
			last = c.due
			if !r.open(gone, w) {
				break
			}
			if _, err := dst.Write(c.b); err != nil {
				break
			}
		}
		for range queue {
		}
	}()
	sites := w.from != people && w.to != people
	var due time.Time
	for {
		b := make([]byte, 16<<10)
		n, err := src.Read(b)
		if n > 0 {
			at := time.Now()
			if sites {
				at = at.Add(r.lag())
			}
			if at.After(due) { // order is kept: what comes after a repeated chunk waits for it
				due = at
			}
			queue <- chunk{b[:n], due}
		}
		if err != nil {
			break
		}
	}
	close(queue)
	<-done
	// The end of a connection travels like its bytes: over a way that is cut it does not arrive, until the relay itself ends.
	r.open(new(bool), w)
	r.mu.Lock()
	*gone = true
	r.cond.Broadcast()
	r.mu.Unlock()
	_ = dst.Close()
	_ = src.Close()
}

func (r *relay) lag() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	lag := r.delay
	if r.loss > 0 && rand.Float64() < r.loss {
		lag += r.slow
	}
	return lag
}

// whose finds the site from which a connection comes: the one whose process holds the socket.
func (r *relay) whose(c net.Conn) string {
	inode := socketInode(c.RemoteAddr().(*net.TCPAddr), c.LocalAddr().(*net.TCPAddr))
	r.mu.Lock()
	defer r.mu.Unlock()
	if inode == "" {
		return people
	}
	for site, pid := range r.pids {
		if holds(pid, inode) {
			return site
		}
	}
	return people
}

// socketInode looks a connection up from the end that dialled.
func socketInode(local, remote *net.TCPAddr) string {
	f, err := os.Open("/proc/net/tcp")
	if err != nil {
		return ""
	}
	defer f.Close()
	want := hexAddr(local) + " " + hexAddr(remote)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if v := strings.Fields(lines.Text()); len(v) > 9 && v[1]+" "+v[2] == want {
			return v[9]
		}
	}
	return ""
}

// hexAddr is an IPv4 address as the kernel prints it: the address in its own byte order.
func hexAddr(a *net.TCPAddr) string {
	ip := a.IP.To4()
	if ip == nil {
		return ""
	}
	return fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], a.Port)
}

func holds(pid int, inode string) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, fd := range fds {
		if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && to == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}
