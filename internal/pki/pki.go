// Package pki is the small certificate authority of a cluster: it makes the authority, certificates for its nodes, and
// the TLS settings under which nodes talk to one another.
//
// Guarantee: with these settings a connection stands only between two holders of certificates of the same authority. The
// name of a site in a certificate is what its node may speak for; addresses are checked by whoever dials.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

const (
	// validity of the authority and of what it signs: a cluster whose certificates run out in the night is an outage
	// nobody needed, so they outlive the machines, and status says in good time when they end.
	validity = 10 * 365 * 24 * time.Hour
	// skew lets a node with a clock behind take a certificate made a moment ago.
	skew = 24 * time.Hour
	// organization marks certificates of nodes.
	organization = "Bonghwa cluster"
)

// Authority signs the certificates of one cluster's nodes.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	// CertPEM and KeyPEM are what is kept in files. The key adds nodes: whoever holds it can become one.
	CertPEM, KeyPEM []byte
}

// NewAuthority makes the authority of a cluster.
func NewAuthority(cluster string, now time.Time) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		Subject:   pkix.Name{CommonName: cluster, Organization: []string{organization}},
		NotBefore: now.Add(-skew), NotAfter: now.Add(validity),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	certPEM, err := sign(t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	return ParseAuthority(certPEM, keyPEM)
}

// ParseAuthority reads what NewAuthority made.
func ParseAuthority(certPEM, keyPEM []byte) (*Authority, error) {
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return nil, fmt.Errorf("the authority cannot be used: %v", err)
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, errors.New("the authority cannot be used: this is not a certificate that signs others")
	}
	return &Authority{cert: pair.Leaf, key: key, CertPEM: certPEM, KeyPEM: keyPEM}, nil
}

// Issue makes a certificate and key (PEM) for the node of a site that is reached under these host names and addresses.
func (a *Authority) Issue(site string, hosts []string, now time.Time) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		Subject:   pkix.Name{CommonName: site, Organization: []string{organization}},
		NotBefore: now.Add(-skew), NotAfter: min2(now.Add(validity), a.cert.NotAfter),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	if certPEM, err = sign(t, a.cert, key.Public(), a.key); err != nil {
		return nil, nil, err
	}
	keyPEM, err = encodeKey(key)
	return certPEM, keyPEM, err
}

func min2(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func sign(t, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) ([]byte, error) {
	var err error
	if t.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, public, key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Files are the PEM files of a node: the authority's certificate, its own, and the key of its own.
type Files struct{ CA, Cert, Key string }

// Identity is a node's certificate, ready for use.
type Identity struct {
	// Site is the name in the certificate, NotAfter when it ends.
	Site     string
	NotAfter time.Time
	pair     tls.Certificate
	roots    *x509.CertPool
}

// Load reads and checks a node's files. Errors are one sentence for the operator.
func Load(f Files) (*Identity, error) {
	ca, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("the authority's certificate cannot be read: %v", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", f.CA)
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("the node's certificate cannot be used: %v", err)
	}
	if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		return nil, fmt.Errorf("the node's certificate %s cannot be used: %v", f.Cert, err)
	}
	return &Identity{Site: pair.Leaf.Subject.CommonName, NotAfter: pair.Leaf.NotAfter, pair: pair, roots: roots}, nil
}

// Server are the settings of a listener that lets only nodes of the cluster in.
func (i *Identity) Server() *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{i.pair}, ClientCAs: i.roots, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}
}

// Client are the settings under which this node dials another.
func (i *Identity) Client() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{i.pair}, RootCAs: i.roots, MinVersion: tls.VersionTLS13}
}

// Peer is the site that the other end of a connection has proved to be.
func Peer(s *tls.ConnectionState) (site string, ok bool) {
	if s == nil || len(s.VerifiedChains) == 0 {
		return "", false
	}
	return s.VerifiedChains[0][0].Subject.CommonName, true
}
