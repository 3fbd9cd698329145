package client

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/connect/v2/connectproto"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1/apiv1connect"
)

// busyServer says "come back later" so many times.
type busyServer struct {
	apiv1connect.UnimplementedAccountServiceHandler
	asked, busy atomic.Int64
	after       uint64
}

func (b *busyServer) CheckHandle(context.Context, *apiv1.CheckHandleRequest) (*apiv1.CheckHandleResponse, error) {
	if b.asked.Add(1) <= b.busy.Load() {
		d, err := connectproto.NewErrorDetail(&apiv1.ErrorInfo{Reason: apiv1.Reason_REASON_BUSY, Again: true, RetryAfterMs: b.after})
		if err != nil {
			return nil, err
		}
		return nil, connect.NewError(connect.CodeResourceExhausted, "busy").WithDetail(d)
	}
	return &apiv1.CheckHandleResponse{Free: true}, nil
}

// serve is the address of a site that is b.
func (b *busyServer) serve(t *testing.T) string {
	srv := connect.NewServer()
	apiv1connect.RegisterAccountServiceHandler(srv, b)
	mux := http.NewServeMux()
	connecthttp.Mount(mux, srv)
	hs := httptest.NewServer(http.StripPrefix("/api", mux))
	t.Cleanup(hs.Close)
	return hs.URL
}

// A site that is busy keeps nobody from asking another; it is left alone for as long as it says, and asked again if no other answers.
func TestBusySiteDelaysNoOther(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, x := range []struct {
		other   string
		busy    int64
		after   uint64
		asked   int64
		refused bool
	}{
		{other: (&busyServer{}).serve(t), busy: 1 << 40, after: 20_000, asked: 1},
		{other: gone.URL, busy: 2, after: 1, asked: 3},
		{other: gone.URL, busy: 1 << 40, after: 3_000_000, asked: 1, refused: true},
	} {
		b := &busyServer{after: x.after}
		b.busy.Store(x.busy)
		c, err := Open(Options{URLs: []string{b.serve(t), x.other}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		free, err := c.CheckHandle(ctx, "alice")
		cancel()
		if free == x.refused || x.refused && ReasonOf(err) != ReasonBusy || b.asked.Load() != x.asked {
			t.Errorf("%+v: %v, %v; the busy site was asked %d times", x, free, err, b.asked.Load())
		}
		_ = c.Close()
	}
}

// A call that is told to come back later does so, as often as it takes; one that would wait too long ends with what was said.
func TestCallComesBackLater(t *testing.T) {
	b := &busyServer{after: 1}
	c, err := Open(Options{URLs: []string{b.serve(t)}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	b.busy.Store(5)
	if free, err := c.CheckHandle(t.Context(), "alice"); err != nil || !free || b.asked.Load() != 6 {
		t.Fatalf("%v, %v after %d tries", free, err, b.asked.Load())
	}
	b.busy.Store(1 << 40)
	b.after = uint64((busyPatience + time.Second).Milliseconds())
	if _, err := c.CheckHandle(t.Context(), "alice"); ReasonOf(err) != ReasonBusy || b.asked.Load() != 7 {
		t.Fatalf("%v after %d tries", err, b.asked.Load())
	}
	b.after = 1 << 63
	if _, err := c.CheckHandle(t.Context(), "alice"); ReasonOf(err) != ReasonBusy || b.asked.Load() != 8 {
		t.Fatalf("%v after %d tries", err, b.asked.Load())
	}
}
