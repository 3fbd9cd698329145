package lan

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func listener(t *testing.T, cert *Certificate) *Listener {
	t.Helper()
	l, err := Listen("127.0.0.1:0", cert)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "tls %v", r.TLS != nil)
	})}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return l
}

// say writes bytes and returns all that comes back.
func say(t *testing.T, l *Listener, s string) string {
	t.Helper()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEncryptedListener(t *testing.T) {
	cert := newPlace(t).open()
	l := listener(t, cert)
	roots := x509.NewCertPool()
	roots.AddCert(leaf(t, cert))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}}
	for range 3 {
		r, err := client.Get("https://" + l.Addr().String() + "/")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || string(b) != "tls true" {
			t.Fatalf("%s %v", b, err)
		}
	}
}

func TestPlainRequestsToTheEncryptedPort(t *testing.T) {
	l := listener(t, newPlace(t).open())
	for request, want := range map[string]string{
		"GET /chats?token=x HTTP/1.1\r\nHost: 192.168.0.10:8443\r\n\r\n":  "Location: https://192.168.0.10:8443/chats\r\n",
		"GET / HTTP/1.1\r\nHost: desk.local\r\n\r\n":                      "Location: https://desk.local/\r\n",
		"GET / HTTP/1.1\r\nHost: [fd00::10]:8443\r\n\r\n":                 "Location: https://[fd00::10]:8443/\r\n",
		"POST /api/x HTTP/1.1\r\nHost: desk\r\nContent-Length: 0\r\n\r\n": "400 Bad Request",
		"GET / HTTP/1.1\r\nHost: a@evil\r\n\r\n":                          "400 Bad Request",
		"GET / HTTP/1.0\r\n\r\n":                                          "400 Bad Request",
		"nonsense\r\n\r\n":                                                "400 Bad Request",
	} {
		got := say(t, l, request)
		if !strings.Contains(got, want) || strings.Contains(got, "tls ") || strings.Contains(got, "token") {
			t.Errorf("%q is answered\n%s", request, got)
		}
	}
}

// A connection that says nothing holds up neither others nor the end.
func TestSilentConnections(t *testing.T) {
	l := listener(t, newPlace(t).open())
	var open []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
	}
	if got := say(t, l, "GET / HTTP/1.1\r\nHost: desk\r\n\r\n"); !strings.Contains(got, "Location:") {
		t.Errorf("answered %q", got)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range open {
		if _, err := bufio.NewReader(c).ReadByte(); err == nil {
			t.Error("a silent connection lives on")
		}
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// One address cannot take the places of all: past its share it is closed at once, others go on.
func TestSilentConnectionsOfOneAddress(t *testing.T) {
	s := &silence{of: map[netip.Addr]int{}}
	one, other := origin(netip.MustParseAddr("192.168.0.2")), origin(netip.MustParseAddr("192.168.0.3"))
	for range mostSilentOfOne {
		if !s.begin(one) {
			t.Fatal("refused before its share was used up")
		}
	}
	if s.begin(one) || s.begin(origin(netip.MustParseAddr("::ffff:192.168.0.2"))) || !s.begin(other) {
		t.Error("the share is not by address")
	}
	s.end(one)
	if !s.begin(one) {
		t.Error("a place that was left is not free")
	}
	if origin(netip.MustParseAddr("fd00::1:0:0:0:1")) != origin(netip.MustParseAddr("fd00::1:0:0:0:2")) {
		t.Error("one network counts as many")
	}

	l := listener(t, newPlace(t).open())
	for range mostSilentOfOne {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if got := say(t, l, ""); got != "" {
		t.Errorf("answered %q", got)
	}
}

func TestPlainListener(t *testing.T) {
	l := listener(t, nil)
	if got := say(t, l, "GET / HTTP/1.0\r\nHost: desk\r\n\r\n"); !strings.HasSuffix(got, "tls false") {
		t.Errorf("answered %q", got)
	}
}

// The world is closed out, whatever else goes wrong.
func TestAdmitted(t *testing.T) {
	networks := func() []netip.Prefix {
		return []netip.Prefix{netip.MustParsePrefix("203.0.113.8/28"), netip.MustParsePrefix("2001:db8:1::5/64"), netip.MustParsePrefix("0.0.0.0/0")}
	}
	for addr, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "192.168.3.4": true, "10.0.0.1": true, "172.16.9.9": true, "fd12::1": true, "fe80::1%eth0": true,
		"100.64.1.1": true, "169.254.3.3": true, "::ffff:192.168.3.4": true, "203.0.113.14": true, "2001:db8:1::77": true,
		"203.0.113.17": false, "8.8.8.8": false, "::ffff:8.8.8.8": false, "172.32.0.1": false, "2001:db8:2::1": false, "100.128.0.1": false,
	} {
		if got := admitted(netip.MustParseAddr(addr), networks); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	if admitted(netip.Addr{}, networks) {
		t.Error("an unknown address is admitted")
	}
}

func TestOutsidersAreClosed(t *testing.T) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := serve(outside{raw}, nil, func() []netip.Prefix { return nil })
	defer l.Close()
	if got := say(t, l, ""); got != "" {
		t.Errorf("answered %q", got)
	}
}

// outside makes every connection come from the world.
type outside struct{ net.Listener }

func (o outside) Accept() (net.Conn, error) {
	c, err := o.Listener.Accept()
	return worldly{c}, err
}

type worldly struct{ net.Conn }

func (worldly) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("8.8.8.8:53"))
}

func TestAddresses(t *testing.T) {
	for _, a := range Addresses() {
		if a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.Is4In6() {
			t.Errorf("%v is no address for others", a)
		}
	}
	if h := hosts(); h[0] != "localhost" {
		t.Error(h)
	}
}
