package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"google.golang.org/protobuf/proto"
)

// BenchmarkIdleConnection opens 2,000 sessions over loopback and reports what each adds to this process: heap and
// stacks, with the client's half (a bare socket without a goroutine).
func BenchmarkIdleConnection(b *testing.B) {
	const n = 2000
	for b.Loop() {
		r := newRig(b, nil)
		p := r.person("alice")
		srv := httptest.NewServer(r.g.Handler())
		hello, err := proto.Marshal(p.hello(nil))
		if err != nil {
			b.Fatal(err)
		}
		before := memory()
		conns := make([]net.Conn, 0, n)
		for range n {
			conns = append(conns, openRaw(b, srv.Listener.Addr().String(), hello))
		}
		b.ReportMetric(float64(memory()-before)/n, "B/conn")
		for _, c := range conns {
			_ = c.Close()
		}
		r.g.Close()
		srv.Close()
	}
}

func openRaw(b *testing.B, addr string, hello []byte) net.Conn {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.WriteString(c, "GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "+ProtocolBinary+"\r\n\r\n")
	if err != nil {
		b.Fatal(err)
	}
	br := bufio.NewReaderSize(c, 512)
	if res, err := http.ReadResponse(br, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		b.Fatal(res, err)
	}
	if _, err := c.Write(masked(opBinary, hello)); err != nil {
		b.Fatal(err)
	}
	h := make([]byte, 2)
	if _, err := io.ReadFull(br, h); err != nil {
		b.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, br, int64(h[1])); err != nil {
		b.Fatal(err)
	}
	return c
}

func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
