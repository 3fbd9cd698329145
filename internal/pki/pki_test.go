package pki_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/pki"
)

func authority(t *testing.T) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority("a cluster", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	// From its files, as a node is added later.
	if a, err = pki.ParseAuthority(a.CertPEM, a.KeyPEM); err != nil {
		t.Fatal(err)
	}
	return a
}

// files writes the files of a node; trust is the authority that it trusts.
func files(t *testing.T, signer, trust *pki.Authority, site string, hosts ...string) pki.Files {
	t.Helper()
	dir := t.TempDir()
	cert, key, err := signer.Issue(site, hosts, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	f := pki.Files{CA: filepath.Join(dir, "ca"), Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	for name, b := range map[string][]byte{f.CA: trust.CertPEM, f.Cert: cert, f.Key: key} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func load(t *testing.T, f pki.Files) *pki.Identity {
	t.Helper()
	i, err := pki.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func get(url string, c *tls.Config) (string, error) {
	client := http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func TestOnlyNodesOfTheClusterGetThrough(t *testing.T) {
	ours, theirs := authority(t), authority(t)
	seoul := load(t, files(t, ours, ours, "seoul", "127.0.0.1"))
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site, _ := pki.Peer(r.TLS)
		io.WriteString(w, site)
	}))
	srv.TLS = seoul.Server()
	srv.StartTLS()
	defer srv.Close()

	busan := load(t, files(t, ours, ours, "busan", "127.0.0.1"))
	if site, err := get(srv.URL, busan.Client()); err != nil || site != "busan" {
		t.Fatalf("a node of the cluster: %q, %v", site, err)
	}
	stranger := load(t, files(t, theirs, theirs, "busan", "127.0.0.1")).Client()
	stranger.RootCAs = busan.Client().RootCAs // it trusts us, so that the refusal is ours
	bare := busan.Client()
	bare.Certificates = nil
	for name, c := range map[string]*tls.Config{"another cluster's certificate": stranger, "no certificate": bare} {
		if got, err := get(srv.URL, c); err == nil {
			t.Errorf("%s got through: %q", name, got)
		}
	}
	// The other way round: who dials refuses a listener of another cluster, and one that is not at its own address.
	if _, err := get(srv.URL, load(t, files(t, theirs, theirs, "busan", "127.0.0.1")).Client()); err == nil {
		t.Error("a listener of another cluster was trusted")
	}
	srv2 := httptest.NewUnstartedServer(srv.Config.Handler)
	srv2.TLS = load(t, files(t, ours, ours, "daejeon", "10.1.2.3")).Server()
	srv2.StartTLS()
	defer srv2.Close()
	if _, err := get(srv2.URL, busan.Client()); err == nil {
		t.Error("a certificate was taken at an address that is not in it")
	}
}

func TestLoadRefuses(t *testing.T) {
	ours, theirs := authority(t), authority(t)
	if _, err := pki.Load(files(t, ours, theirs, "seoul", "127.0.0.1")); err == nil {
		t.Error("a certificate that the authority has not signed was loaded")
	}
	f := files(t, ours, ours, "seoul", "127.0.0.1")
	f.Key = files(t, ours, ours, "seoul", "127.0.0.1").Key
	if _, err := pki.Load(f); err == nil {
		t.Error("a key that is not the certificate's was loaded")
	}
	if _, err := pki.ParseAuthority(ours.CertPEM, theirs.KeyPEM); err == nil {
		t.Error("an authority with another's key")
	}
	cert, key, _ := ours.Issue("seoul", nil, time.Now())
	if _, err := pki.ParseAuthority(cert, key); err == nil {
		t.Error("a node's certificate is no authority")
	}
}
