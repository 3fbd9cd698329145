package drill

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// namespaces is a network of packets: every site, and the people, have a network namespace of their own, of which the only way
// out leads to this program. It passes packets on, late, or not at all, so that the kernels' own TCP at both ends meets what it
// meets in a network. It needs the rights to make namespaces (root), and touches nothing of the machine's own network.
type namespaces struct {
	ends             map[netip.Addr]*end
	by               map[string]*end
	readers, writers sync.WaitGroup

	mu    sync.Mutex
	cuts  map[way]bool
	delay time.Duration // one way, between sites
	loss  float64       // share of the packets between sites that is dropped
}

// end is a namespace with the device that is its way out.
type end struct {
	name string
	addr netip.Addr
	ns   *os.File
	tun  *os.File
	in   chan packet
}

type packet struct {
	w   way
	b   []byte
	due time.Time
}

// mtu of the ways: packets larger than Ethernet's, so that the program in between costs less.
const mtu = 9000

// newNamespaces makes one for each site, at the addresses given, and one for the people. The error says that this process may not.
func newNamespaces(delay time.Duration, sites, hosts []string, peoplesHost string) (n *namespaces, err error) {
	n = &namespaces{ends: map[netip.Addr]*end{}, by: map[string]*end{}, cuts: map[way]bool{}, delay: delay}
	defer func() {
		if err != nil {
			n.close()
			n = nil
		}
	}()
	names := append(append([]string{}, sites...), people)
	for i, host := range append(append([]string{}, hosts...), peoplesHost) {
		addr, err := netip.ParseAddr(host)
		if err != nil {
			return n, err
		}
		e := &end{name: names[i], addr: addr, in: make(chan packet, 4096)}
		made := make(chan error)
		go func() {
			runtime.LockOSThread() // for good: the thread lives in the namespace and ends with this goroutine
			made <- e.make()
		}()
		n.ends[addr], n.by[e.name] = e, e
		if err := <-made; err != nil {
			return n, fmt.Errorf("no network namespace could be made: %w", err)
		}
	}
	for _, e := range n.ends {
		n.readers.Go(func() { n.read(e) })
		n.writers.Go(func() { e.write(n) })
	}
	return n, nil
}

// make makes the namespace and its device; the thread is in it afterwards.
func (e *end) make() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return err
	}
	var err error
	if e.ns, err = os.Open("/proc/thread-self/ns/net"); err != nil {
		return err
	}
	// Opened without os.OpenFile: Go may watch it for readiness only once it is a device.
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	const device = "way"
	dev, err := unix.NewIfreq(device)
	if err != nil {
		return err
	}
	dev.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, dev); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	e.tun = os.NewFile(uintptr(fd), "tun")
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(s) }()
	set := func(name string, request uint, put func(*unix.Ifreq) error) {
		r, rerr := unix.NewIfreq(name)
		if rerr == nil {
			rerr = put(r)
		}
		if rerr == nil {
			rerr = unix.IoctlIfreq(s, request, r)
		}
		err = errors.Join(err, rerr)
	}
	addr := e.addr.As4()
	set(device, unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(addr[:]) })
	set(device, unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) })
	set(device, unix.SIOCSIFMTU, func(r *unix.Ifreq) error { r.SetUint32(mtu); return nil })
	for _, name := range []string{device, "lo"} {
		set(name, unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil })
	}
	return err
}

// read takes what comes out of a namespace and puts it on its way.
func (n *namespaces) read(e *end) {
	b := make([]byte, mtu)
	for {
		l, err := e.tun.Read(b)
		if err != nil {
			return
		}
		if l < 20 || b[0]>>4 != 4 {
			continue // IPv6 looks for neighbours; there are none
		}
		to, ok := n.ends[netip.AddrFrom4([4]byte(b[16:20]))]
		if !ok {
			continue
		}
		w := way{e.name, to.name}
		cut, delay := n.state(w, true)
		if cut {
			continue
		}
		select {
		case to.in <- packet{w, append([]byte(nil), b[:l]...), time.Now().Add(delay)}:
		default: // a queue that is full drops, as a router's does
		}
	}
}

// state says whether a packet of this way is dropped, and how long it takes.
func (n *namespaces) state(w way, chance bool) (dropped bool, delay time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cuts[w] {
		return true, 0
	}
	if w.from == people || w.to == people {
		return false, 0
	}
	return chance && n.loss > 0 && rand.Float64() < n.loss, n.delay
}

// write brings packets in, each when it is due. Those of sites wait for the delay; they are in order, for it is the same for all of
// them, and what comes from people does not wait behind them for longer than it.
func (e *end) write(n *namespaces) {
	for p := range e.in {
		if wait := time.Until(p.due); wait > 0 {
			time.Sleep(wait)
		}
		if cut, _ := n.state(p.w, false); cut {
			continue // it was under way when the way was cut
		}
		_, _ = e.tun.Write(p.b)
	}
}

func (n *namespaces) set(cut bool, ways ...way) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range ways {
		n.cuts[w] = cut
	}
}

// weather: what is dropped is repeated by the senders' TCP, when it thinks fit.
func (n *namespaces) weather(delay time.Duration, loss float64, _ time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.delay, n.loss = delay, loss
}

func (n *namespaces) flags() []string { return []string{"--isolated"} }

func (n *namespaces) runs(string, int) {}

func (n *namespaces) enter(site string) error { return n.by[site].enter() }

// enter moves the calling thread, which must be locked, into the namespace.
func (e *end) enter() error { return unix.Setns(int(e.ns.Fd()), unix.CLONE_NEWNET) }

// dial opens a connection from where the people are. A socket belongs to the namespace of the thread that made it, for good.
func (n *namespaces) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer home.Close()
	if err := n.by[people].enter(); err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return c, errors.Join(err, back) // the thread stays locked and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return c, err
}

func (n *namespaces) words() (network, by string) {
	return "a network namespace for each site and for the people, and a relay of packets between them: " + there(delay),
		"injected: the relay between the network namespaces drops and delays packets"
}

func (n *namespaces) close() {
	for _, e := range n.ends {
		if e.tun != nil {
			_ = e.tun.Close()
		}
	}
	n.readers.Wait()
	for _, e := range n.ends {
		close(e.in)
	}
	n.writers.Wait()
	for _, e := range n.ends {
		if e.ns != nil {
			_ = e.ns.Close()
		}
	}
}
