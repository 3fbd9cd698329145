package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"github.com/bonghwa/bonghwa/internal/gateway"
	"github.com/bonghwa/bonghwa/internal/lan"
	"github.com/bonghwa/bonghwa/internal/server"
)

// lanMode is the value of --lan: nothing, "https" or "http". The flag alone means https.
type lanMode string

// IsBool lets the flag stand alone.
func (lanMode) IsBool() bool { return true }

// Decode implements kong.MapperValue.
func (m *lanMode) Decode(ctx *kong.DecodeContext) error {
	value := "https"
	if t := ctx.Scan.Peek(); t.Type == kong.FlagValueToken {
		value = fmt.Sprint(ctx.Scan.Pop().Value)
	}
	switch value {
	case "https", "http":
		*m = lanMode(value)
		return nil
	}
	return errors.New("--lan stands alone or is --lan=http")
}

// openLAN lets other machines of the network in, and says how to reach this one.
func (c serveCmd) openLAN(s *server.Server) error {
	if c.LAN == "" {
		if len(c.LANHost) > 0 {
			return errors.New("--lan-host says where --lan is reached: add --lan")
		}
		return nil
	}
	for _, h := range c.LANHost {
		if err := lan.CheckHost(h); err != nil {
			return fmt.Errorf("--lan-host: %v", err)
		}
	}
	var cert *lan.Certificate
	addr := ":8081"
	if c.LAN == "https" {
		var err error
		if cert, err = lan.OpenCertificate(s.DataDir(), c.LANHost...); err != nil {
			return err
		}
		// Else the fingerprint printed at the start would make a person refuse the right one.
		cert.Renewed = func(f string) {
			fmt.Printf("  The certificate for the network is a new one, because addresses changed or the old one ends soon. Its SHA-256 fingerprint:\n  %s\n", f)
		}
		addr = ":8443"
	}
	if c.LANListen != "" {
		addr = c.LANListen
	}
	l, err := lan.Listen(addr, cert, c.LANHost...)
	if err != nil {
		return fmt.Errorf("--lan cannot listen on %s; choose another port with --lan-listen: %v", addr, err)
	}
	s.ServeAlso(l)
	c.sayLAN(l, cert, s.Signup())
	return nil
}

// sayLAN prints addresses, a QR code for the first if somebody looks, and what to expect of the browser.
func (c serveCmd) sayLAN(l *lan.Listener, cert *lan.Certificate, signup string) {
	p := lanPlace{way: string(c.LAN), port: l.Port(), hosts: c.LANHost, open: signup == gateway.SignupOpen}
	if a, err := netip.ParseAddrPort(l.Addr().String()); err == nil && !a.Addr().IsUnspecified() {
		p.own = []netip.Addr{a.Addr()}
	} else {
		p.own, p.contained = lan.Addresses(), lan.Contained()
	}
	if cert != nil {
		p.fingerprint = cert.Fingerprint()
	}
	urls := p.urls()
	for i, u := range urls {
		label := "network"
		if i > 0 {
			label = ""
		}
		fmt.Printf("  %-9s %s\n", label, u)
	}
	if len(urls) > 0 && !p.unreachable() && term.IsTerminal(int(os.Stdout.Fd())) {
		if code, err := lan.QR(urls[0]); err == nil {
			fmt.Printf("\n%s\n", code)
		}
	}
	for _, w := range p.words() {
		fmt.Println("  " + w)
	}
}

// lanPlace is where --lan listens, as far as the words about it depend on it.
type lanPlace struct {
	way  string // https or http
	port uint16
	// own are this machine's addresses; hosts what it is called from outside, as the operator says.
	own   []netip.Addr
	hosts []string
	// contained: in a container with a network of its own.
	contained   bool
	open        bool // everybody may sign up
	fingerprint string
}

// unreachable: no phone reaches the addresses that are known.
func (p lanPlace) unreachable() bool { return p.contained && len(p.hosts) == 0 }

// urls are where phones find this machine, the likeliest first. What a container is called inside is of no use beside what it is
// called outside.
func (p lanPlace) urls() (list []string) {
	hosts := slices.Clone(p.hosts)
	if !p.contained || len(hosts) == 0 {
		for _, a := range p.own {
			hosts = append(hosts, a.String())
		}
	}
	for _, h := range hosts {
		list = append(list, p.way+"://"+net.JoinHostPort(h, strconv.Itoa(int(p.port))))
	}
	return list
}

// words are what else there is to know.
func (p lanPlace) words() (list []string) {
	say := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if len(p.urls()) == 0 {
		if p.contained {
			say("network   this container has no network; start it with one, publish port %d and give the machine's address with --lan-host", p.port)
		} else {
			say("network   this machine is in no network now; start again when it is")
		}
		return list
	}
	if p.unreachable() {
		say("This runs in a container, and that address is the container's own: no phone reaches it. Publish the port (with Docker: -p %d:%d) and start with", p.port, p.port)
		say("--lan-host ADDRESS, the address of the machine in its network; or let the container share the machine's network (with Docker: --network host).")
	}
	if p.fingerprint != "" {
		say("The browser will warn, because nobody but this machine vouches for its certificate: go on only if the SHA-256 fingerprint that it shows is")
		say("%s", p.fingerprint)
	} else {
		say("In the open: everybody in this network can read along and take over sessions; browsers turn some functions off. Only for a network that you trust.")
	}
	who := "Everybody in this network"
	if p.contained {
		say("In a container it cannot be told who is near: whoever reaches the published port is let in, from wherever. Publish it for your network only (with Docker: -p ADDRESS:%d:%d).", p.port, p.port)
		who = "Everybody who reaches the port"
	}
	if p.open {
		say("%s may sign up; --signup invite asks for an invitation.", who)
	}
	return list
}
