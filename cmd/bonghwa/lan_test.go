package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// What --lan prints is true where it runs: in a container the container's address is not offered as the way in, and nobody is told
// that only the network gets in.
func TestLANWords(t *testing.T) {
	home := []netip.Addr{netip.MustParseAddr("192.168.0.7"), netip.MustParseAddr("fd00::7")}
	bridge := []netip.Addr{netip.MustParseAddr("172.17.0.2")}
	for _, c := range []struct {
		name      string
		p         lanPlace
		urls      []string
		says, not []string
	}{
		{"at home", lanPlace{way: "https", port: 8443, own: home, fingerprint: "AB:CD", open: true},
			[]string{"https://192.168.0.7:8443", "https://[fd00::7]:8443"}, []string{"AB:CD", "Everybody in this network may sign up"}, []string{"container"}},
		{"at home, with a name", lanPlace{way: "https", port: 8443, own: home, hosts: []string{"chat.local"}, fingerprint: "AB:CD"},
			[]string{"https://chat.local:8443", "https://192.168.0.7:8443", "https://[fd00::7]:8443"}, nil, []string{"container", "sign up"}},
		{"nowhere", lanPlace{way: "https", port: 8443, fingerprint: "AB:CD"}, nil, []string{"in no network now"}, []string{"AB:CD", "container"}},
		{"in a container", lanPlace{way: "https", port: 8443, own: bridge, contained: true, fingerprint: "AB:CD", open: true},
			[]string{"https://172.17.0.2:8443"}, []string{"no phone reaches it", "-p 8443:8443", "--lan-host", "cannot be told who is near", "Everybody who reaches the port may sign up", "AB:CD"}, []string{"Everybody in this network may"}},
		{"in a container that is told its address", lanPlace{way: "http", port: 8081, own: bridge, hosts: []string{"192.168.0.10"}, contained: true},
			[]string{"http://192.168.0.10:8081"}, []string{"In the open", "cannot be told who is near"}, []string{"no phone reaches it", "172.17"}},
		{"in a container without a network", lanPlace{way: "https", port: 8443, contained: true}, nil, []string{"--lan-host"}, []string{"start again when it is"}},
	} {
		if got := c.p.urls(); !slices.Equal(got, c.urls) {
			t.Errorf("%s: %v", c.name, got)
		}
		said := strings.Join(c.p.words(), "\n")
		for _, w := range c.says {
			if !strings.Contains(said, w) {
				t.Errorf("%s: %q is not said:\n%s", c.name, w, said)
			}
		}
		for _, w := range c.not {
			if strings.Contains(said, w) {
				t.Errorf("%s: %q is said:\n%s", c.name, w, said)
			}
		}
	}
}

// What is no host is refused before a certificate is made for it.
func TestLANHostIsChecked(t *testing.T) {
	for _, h := range []string{"", ".", "https://192.168.0.10", "192.168.0.10:8443", "[fd00::7]", "::", "fe80::1%eth0", "봉화.local", "a b"} {
		if err := (serveCmd{LAN: "https", LANHost: []string{h}}).openLAN(nil); err == nil || !strings.Contains(err.Error(), "--lan-host") {
			t.Errorf("%q: %v", h, err)
		}
	}
	if err := (serveCmd{LANHost: []string{"192.168.0.10"}}).openLAN(nil); err == nil {
		t.Error("--lan-host alone is taken")
	}
}
