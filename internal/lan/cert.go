package lan

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Times of a certificate. Phones refuse more than 397 days.
const (
	lifetime  = 397 * 24 * time.Hour
	renewal   = 30 * 24 * time.Hour // before its end
	lookEvery = 10 * time.Minute    // for changed addresses, while somebody connects
)

// certFile holds certificate and key, so that one never is without the other.
const certFile = "lan.pem"

// Certificate is this machine's own certificate for its addresses. It is made anew when an address is not in it, or when
// it nears its end.
type Certificate struct {
	// Renewed, if it is set, is told the fingerprint of each certificate that takes the place of another one.
	Renewed func(fingerprint string)

	path   string
	now    func() time.Time
	names  func() ([]string, []netip.Addr)
	mu     sync.Mutex
	cert   *tls.Certificate
	looked time.Time
}

// OpenCertificate reads the certificate of a data directory, or makes it. It is for this machine's names and addresses, and for the
// others that are given.
func OpenCertificate(dir string, others ...string) (*Certificate, error) {
	return openCertificate(dir, time.Now, func() ([]string, []netip.Addr) {
		names, addrs := hosts(), Addresses()
		for _, o := range others {
			if a, err := netip.ParseAddr(o); err == nil {
				addrs = append(addrs, a)
			} else {
				names = append([]string{o}, names...)
			}
		}
		return names, addrs
	})
}

func openCertificate(dir string, now func() time.Time, names func() ([]string, []netip.Addr)) (*Certificate, error) {
	c := &Certificate{path: filepath.Join(dir, certFile), now: now, names: names}
	b, err := os.ReadFile(c.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the certificate cannot be read: %w", err)
	}
	if err == nil {
		// A file that cannot be used is replaced: nothing depends on this certificate but a question in a browser.
		if cert, err := tls.X509KeyPair(b, b); err == nil {
			c.cert = &cert
		}
	}
	if _, err := c.get(); err != nil {
		return nil, err
	}
	return c, nil
}

// Fingerprint is the SHA-256 of the certificate as browsers show it.
func (c *Certificate) Fingerprint() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fingerprint()
}

func (c *Certificate) fingerprint() string {
	sum := sha256.Sum256(c.cert.Certificate[0])
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// Config is for a listener.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.get() },
	}
}

// get is the certificate as it must be now. When a new one cannot be stored, the old one goes on.
func (c *Certificate) get() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.cert != nil && now.Sub(c.looked) < lookEvery && !now.Before(c.looked) {
		return c.cert, nil
	}
	c.looked = now
	names, addrs := c.names()
	if c.cert != nil && good(c.cert.Leaf, now, names, addrs) {
		return c.cert, nil
	}
	cert, err := c.make(now, names, addrs)
	if err != nil {
		if c.cert != nil {
			return c.cert, nil
		}
		return nil, fmt.Errorf("the certificate cannot be made: %w", err)
	}
	renewed := c.cert != nil
	c.cert = cert
	if renewed && c.Renewed != nil {
		c.Renewed(c.fingerprint())
	}
	return cert, nil
}

// good says that a certificate is valid for a while yet, and for all these names.
func good(leaf *x509.Certificate, now time.Time, names []string, addrs []netip.Addr) bool {
	if leaf == nil || now.Before(leaf.NotBefore) || now.After(leaf.NotAfter.Add(-renewal)) {
		return false
	}
	for _, n := range names {
		if leaf.VerifyHostname(n) != nil {
			return false
		}
	}
	for _, a := range addrs {
		if leaf.VerifyHostname(a.String()) != nil {
			return false
		}
	}
	return true
}

// make makes and stores a certificate.
func (c *Certificate) make(now time.Time, names []string, addrs []netip.Addr) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	ips := []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	for _, a := range addrs {
		ips = append(ips, a.AsSlice())
	}
	begin := now.Add(-time.Hour) // a phone's clock may be a little behind
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Bonghwa on " + names[len(names)-1]},
		NotBefore: begin, NotAfter: begin.Add(lifetime - time.Second),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, DNSNames: names, IPAddresses: ips,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	file := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
	cert, err := tls.X509KeyPair(file, file)
	if err != nil {
		return nil, err
	}
	// A new file each time: one that exists keeps the permissions it has.
	tmp := c.path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.WriteFile(tmp, file, 0o600); err != nil {
		return nil, err
	}
	return &cert, os.Rename(tmp, c.path)
}
