package demo

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/lan"
)

// A phone that compares the fingerprint gets in by TLS; one that forgets the s is sent on.
func TestLAN(t *testing.T) {
	ctx, cancel := bounded(t)
	defer cancel()
	p := start(t, "serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--lan", "--lan-listen", "127.0.0.1:0")
	local, network := p.line(ctx, "address", 1), p.line(ctx, "network", 1)
	if !strings.HasPrefix(network, "https://") {
		t.Fatal(network)
	}
	p.line(ctx, "talk", 1)
	var seen string
	phone := &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true, // as a person who goes on, after comparing
			VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
				sum := sha256.Sum256(raw[0])
				seen = strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
				return nil
			},
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if got := fetch(t, phone, network+"/healthz"); got != "200 ok" {
		t.Error(got)
	}
	p.mu.Lock()
	printed := strings.Join(p.lines, "\n")
	p.mu.Unlock()
	if seen == "" || !strings.Contains(printed, seen) {
		t.Errorf("the certificate's fingerprint %s is not printed:\n%s", seen, printed)
	}
	if got := fetch(t, phone, strings.Replace(network, "https://", "http://", 1)+"/chats"); got != "307 "+network+"/chats" {
		t.Error(got)
	}
	if got := fetch(t, phone, local+"/healthz"); got != "200 ok" {
		t.Error(got)
	}
	// Calls and the live connection go the same way, and everybody in the network may sign up.
	c, err := client.Open(client.Options{URLs: []string{network}, HTTPClient: phone})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SignUp(ctx, client.SignUpForm{Handle: "phone", Name: name, Password: "a password of tests"}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitConnected(ctx); err != nil {
		t.Fatal(err)
	}
	p.stop(ctx)
}

func TestLANInTheOpen(t *testing.T) {
	ctx, cancel := bounded(t)
	defer cancel()
	p := start(t, "serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0", "--lan=http", "--lan-listen", "127.0.0.1:0", "--lan-host", "127.0.0.1,desk.example")
	network := p.line(ctx, "network", 1)
	if got := fetch(t, http.DefaultClient, network+"/healthz"); got != "200 ok" || !strings.HasPrefix(network, "http://") {
		t.Error(network, got)
	}
	// A page of a foreign name that was made to lead here is not of one origin with what is served here.
	for host, want := range map[string]int{"": http.StatusOK, "localhost": http.StatusOK, "evil.example": http.StatusMisdirectedRequest, "desk.example": http.StatusOK} {
		r, err := http.NewRequest(http.MethodPost, network+"/api/bonghwa.api.v1.AccountService/GetServer", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		r.Header.Set("Content-Type", "application/json")
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if got.Body.Close(); got.StatusCode != want {
			t.Errorf("under the name %q: %d", host, got.StatusCode)
		}
	}
	p.stop(ctx)
}

func fetch(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if at := r.Header.Get("Location"); at != "" {
		b = []byte(at)
	}
	return fmt.Sprintf("%d %s", r.StatusCode, bytes.TrimSpace(b))
}

// A scanner reads what the terminal shows, on a light one and on a dark one.
func TestScannersReadTheCode(t *testing.T) {
	for _, url := range []string{"https://192.168.0.10:8443", "http://10.1.2.3:8081", "https://[fd12:3456:789a:1::1234]:8443"} {
		drawn, err := lan.QR(url)
		if err != nil {
			t.Fatal(err)
		}
		for _, terminal := range []color.Gray{{0}, {255}} {
			file := filepath.Join(t.TempDir(), "code.png")
			if err := os.WriteFile(file, screenshot(t, drawn, terminal), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("zbarimg", "--quiet", "--raw", file).Output()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(out)); got != url {
				t.Errorf("%s is read as %q on a terminal of colour %d", url, got, terminal.Y)
			}
		}
	}
}

// screenshot paints drawn text as a terminal of this colour would: half blocks in black on white where their colours are
// set, the terminal's own elsewhere.
func screenshot(t *testing.T, drawn string, terminal color.Gray) []byte {
	t.Helper()
	const cell, margin = 6, 30
	lines := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	img := image.NewGray(image.Rect(0, 0, 80*cell, len(lines)*2*cell+2*margin))
	for i := range img.Pix {
		img.Pix[i] = terminal.Y
	}
	paint := func(x, y int, dark bool) {
		c := color.Gray{255}
		if dark {
			c.Y = 0
		}
		for dy := range cell {
			for dx := range cell {
				img.SetGray(x*cell+dx, y*cell+dy+margin, c)
			}
		}
	}
	for i, l := range lines {
		before, coloured, ok := strings.Cut(l, "\x1b[38;5;16m\x1b[48;5;231m")
		coloured, after, end := strings.Cut(coloured, "\x1b[0m")
		if !ok || !end || strings.TrimSpace(before+after) != "" {
			t.Fatalf("a line without its colours: %q", l)
		}
		x := len(before)
		for _, r := range coloured {
			paint(x, 2*i, r == '▀' || r == '█')
			paint(x, 2*i+1, r == '▄' || r == '█')
			x++
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
