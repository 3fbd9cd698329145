package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
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
		return nil
	}
	var cert *lan.Certificate
	addr := ":8081"
	if c.LAN == "https" {
		var err error
		if cert, err = lan.OpenCertificate(s.DataDir()); err != nil {
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
	l, err := lan.Listen(addr, cert)
	if err != nil {
		return fmt.Errorf("--lan cannot listen on %s; choose another port with --lan-listen: %v", addr, err)
	}
	s.ServeAlso(l)
	c.sayLAN(l, cert, s.Signup())
	return nil
}

// sayLAN prints addresses, a QR code for the first if somebody looks, and what to expect of the browser.
func (c serveCmd) sayLAN(l *lan.Listener, cert *lan.Certificate, signup string) {
	addrs := lan.Addresses()
	if a, err := netip.ParseAddrPort(l.Addr().String()); err == nil && !a.Addr().IsUnspecified() {
		addrs = []netip.Addr{a.Addr()}
	}
	if len(addrs) == 0 {
		fmt.Println("  network   this machine is in no network now; start again when it is")
		return
	}
	for i, a := range addrs {
		label := "network"
		if i > 0 {
			label = ""
		}
		fmt.Printf("  %-9s %s\n", label, c.lanURL(a, l.Port()))
	}
	if term.IsTerminal(int(os.Stdout.Fd())) {
		if code, err := lan.QR(c.lanURL(addrs[0], l.Port())); err == nil {
			fmt.Printf("\n%s\n", code)
		}
	}
	if cert != nil {
		fmt.Printf("  The browser will warn, because nobody but this machine vouches for its certificate: go on only if the SHA-256 fingerprint that it shows is\n  %s\n", cert.Fingerprint())
	} else {
		fmt.Println("  In the open: everybody in this network can read along and take over sessions; browsers turn some functions off. Only for a network that you trust.")
	}
	if signup == gateway.SignupOpen {
		fmt.Println("  Everybody in this network may sign up; --signup invite asks for an invitation.")
	}
}

func (c serveCmd) lanURL(a netip.Addr, port uint16) string {
	return string(c.LAN) + "://" + net.JoinHostPort(a.String(), strconv.Itoa(int(port)))
}
