package lan

import (
	"crypto/x509"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// place is a machine with a clock and addresses that tests turn.
type place struct {
	t     *testing.T
	dir   string
	at    time.Time
	names []string
	addrs []netip.Addr
}

func newPlace(t *testing.T) *place {
	return &place{t: t, dir: t.TempDir(), at: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), names: []string{"localhost", "desk", "desk.local"},
		addrs: []netip.Addr{netip.MustParseAddr("192.168.0.10"), netip.MustParseAddr("fd00::10")}}
}

func (p *place) open() *Certificate {
	p.t.Helper()
	c, err := openCertificate(p.dir, func() time.Time { return p.at }, func() ([]string, []netip.Addr) { return p.names, p.addrs })
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func leaf(t *testing.T, c *Certificate) *x509.Certificate {
	t.Helper()
	cert, err := c.get()
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

func TestCertificate(t *testing.T) {
	p := newPlace(t)
	c := p.open()
	l := leaf(t, c)
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "desk", "desk.local", "192.168.0.10", "fd00::10"} {
		if err := l.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if l.IsCA || l.PublicKeyAlgorithm != x509.ECDSA || l.NotAfter.Sub(l.NotBefore) > 397*24*time.Hour || l.NotBefore.After(p.at) {
		t.Errorf("CA %v, %v, from %v to %v", l.IsCA, l.PublicKeyAlgorithm, l.NotBefore, l.NotAfter)
	}
	st, err := os.Stat(filepath.Join(p.dir, certFile))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if f := c.Fingerprint(); len(f) != 32*3-1 {
		t.Errorf("fingerprint %q", f)
	}
}

// A device that was told to trust the certificate is not asked again without need.
func TestCertificateStaysAndIsRenewed(t *testing.T) {
	p := newPlace(t)
	first := p.open().Fingerprint()
	if again := p.open().Fingerprint(); again != first {
		t.Error("a start makes a new certificate")
	}
	p.addrs = p.addrs[:1]
	if p.open().Fingerprint() != first {
		t.Error("an address that is gone makes a new certificate")
	}
	p.addrs = []netip.Addr{netip.MustParseAddr("10.1.2.3")}
	moved := p.open()
	if moved.Fingerprint() == first || leaf(t, moved).VerifyHostname("10.1.2.3") != nil {
		t.Error("a new address is not in the certificate")
	}
	before := moved.Fingerprint()
	var told []string
	moved.Renewed = func(f string) { told = append(told, f) }
	p.at = p.at.Add(lifetime - renewal - 2*time.Hour)
	leaf(t, moved)
	if moved.Fingerprint() != before {
		t.Error("renewed too early")
	}
	if len(told) > 0 {
		t.Error("a renewal was told that was none")
	}
	p.at = p.at.Add(2 * time.Hour)
	if l := leaf(t, moved); moved.Fingerprint() == before || l.NotAfter.Before(p.at.Add(300*24*time.Hour)) {
		t.Error("not renewed near its end")
	}
	if len(told) != 1 || told[0] != moved.Fingerprint() {
		t.Errorf("told %q", told)
	}
	if p.open().Fingerprint() != moved.Fingerprint() {
		t.Error("the renewed certificate was not stored")
	}
	p.at = p.at.Add(-2 * lifetime)
	if l := leaf(t, moved); p.at.Before(l.NotBefore) {
		t.Error("a clock that was put right leaves a certificate of the future")
	}
}

func TestCertificateFileThatCannotBeUsed(t *testing.T) {
	p := newPlace(t)
	file := filepath.Join(p.dir, certFile)
	if err := os.WriteFile(file, []byte("not a certificate"), 0o644); err != nil {
		t.Fatal(err)
	}
	leaf(t, p.open())
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	if _, err := openCertificate(filepath.Join(p.dir, "nothing"), time.Now, func() ([]string, []netip.Addr) { return p.names, nil }); err == nil {
		t.Error("a certificate that cannot be stored is used")
	}
}

// A host that is taken does not lead to a new certificate, and so a new fingerprint, with each start.
func TestCertificateOfOtherHostsStays(t *testing.T) {
	for _, h := range []string{"192.168.0.77", "fd00::7", "chat.local", "CHAT.example.org", "my_server"} {
		if err := CheckHost(h); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		first, err := OpenCertificate(dir, h)
		if err != nil {
			t.Fatal(err)
		}
		again, err := OpenCertificate(dir, h)
		if err != nil {
			t.Fatal(err)
		}
		if first.Fingerprint() != again.Fingerprint() {
			t.Errorf("%s: another certificate with each start", h)
		}
	}
}
