package client

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connecthttp"
	"connectrpc.com/connect/v2/connectproto"
	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/clientcore/coretest"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1/apiv1connect"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
)

// fake is one system of imitated sites over real HTTP and WebSockets.
type fake struct {
	apiv1connect.UnimplementedAccountServiceHandler
	apiv1connect.UnimplementedChatServiceHandler
	apiv1connect.UnimplementedPeopleServiceHandler

	t  *testing.T
	mu struct {
		sync.Mutex
		server  *coretest.Server
		handles map[string]string // handle -> user
		lines   map[*line]bool
		signUps int
		// loseAnswers: the answers to so many sign-ups get lost.
		loseAnswers int
		// mute: connections are taken and nothing is answered, by site.
		mute map[int]bool
	}
	urls []string
}

type line struct {
	site    int
	session *coretest.Session
	socket  *websocket.Conn
	wake    chan struct{}
}

func newFake(t *testing.T, sites int) *fake {
	t.Helper()
	f := &fake{t: t}
	f.mu.server = coretest.New()
	f.mu.handles, f.mu.lines, f.mu.mute = map[string]string{}, map[*line]bool{}, map[int]bool{}
	for i := range sites {
		srv := connect.NewServer()
		apiv1connect.RegisterAccountServiceHandler(srv, f)
		apiv1connect.RegisterChatServiceHandler(srv, f)
		apiv1connect.RegisterPeopleServiceHandler(srv, f)
		calls := http.NewServeMux()
		connecthttp.Mount(calls, srv)
		mux := http.NewServeMux()
		mux.Handle("/api/", http.StripPrefix("/api", calls))
		mux.HandleFunc("/live", func(w http.ResponseWriter, r *http.Request) { f.live(i, w, r) })
		hs := httptest.NewServer(mux)
		t.Cleanup(hs.Close)
		f.urls = append(f.urls, hs.URL)
	}
	return f
}

func failure(reason apiv1.Reason) error {
	d, err := connectproto.NewErrorDetail(&apiv1.ErrorInfo{Reason: reason})
	if err != nil {
		return err
	}
	return connect.NewError(connect.CodeFailedPrecondition, "refused").WithDetail(d)
}

func (f *fake) SignUp(_ context.Context, r *apiv1.SignUpRequest) (*apiv1.SignUpResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.signUps++
	user := ids.NewUser(1, r.Random)
	if owner, taken := f.mu.handles[r.Handle]; taken && owner != user.String() {
		return nil, failure(apiv1.Reason_REASON_HANDLE_TAKEN)
	}
	f.mu.handles[r.Handle] = user.String()
	dev, err := ids.DeviceOf(r.Device)
	if err != nil {
		return nil, failure(apiv1.Reason_REASON_INVALID)
	}
	f.mu.server.Add(ids.Text(r.Token), user, dev)
	if f.mu.loseAnswers > 0 {
		f.mu.loseAnswers--
		return nil, connect.NewError(connect.CodeUnavailable, "the line broke")
	}
	return &apiv1.SignUpResponse{User: user.String(), Handle: r.Handle}, nil
}

func token(ctx context.Context) string {
	info, _ := connect.CallInfoForServerContext(ctx)
	const prefix = "Bearer "
	if h := info.RequestHeader().Get("Authorization"); len(h) > len(prefix) {
		return h[len(prefix):]
	}
	return ""
}

func (f *fake) History(ctx context.Context, r *apiv1.HistoryRequest) (*apiv1.HistoryResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	page, info := f.mu.server.History(token(ctx), r)
	if info != nil {
		return nil, failure(info.Reason)
	}
	return page, nil
}

func (f *fake) LogOut(context.Context, *apiv1.LogOutRequest) (*apiv1.LogOutResponse, error) {
	return &apiv1.LogOutResponse{}, nil
}

// live serves one connection: a reader here, a writer beside it.
func (f *fake) live(site int, w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		return
	}
	l := &line{site: site, socket: socket, wake: make(chan struct{}, 1)}
	f.mu.Lock()
	l.session = f.mu.server.Connect()
	f.mu.lines[l] = true
	f.mu.Unlock()
	ctx, cancel := context.WithCancel(r.Context())
	var writer sync.WaitGroup
	writer.Add(1)
	go func() {
		defer writer.Done()
		for {
			select {
			case <-l.wake:
			case <-ctx.Done():
				return
			}
			f.mu.Lock()
			out, over := l.session.Out(), l.session.Closed
			f.mu.Unlock()
			for _, fr := range out {
				b, err := proto.Marshal(fr)
				if err != nil || socket.Write(ctx, websocket.MessageBinary, b) != nil {
					return
				}
			}
			if over {
				_ = socket.CloseNow()
			}
		}
	}()
	for {
		_, b, err := socket.Read(ctx)
		if err != nil {
			break
		}
		fr := &livev1.Frame{}
		if proto.Unmarshal(b, fr) != nil {
			break
		}
		f.mu.Lock()
		if !f.mu.mute[site] {
			l.session.Frame(fr)
		}
		for o := range f.mu.lines {
			select {
			case o.wake <- struct{}{}:
			default:
			}
		}
		f.mu.Unlock()
	}
	cancel()
	writer.Wait()
	f.mu.Lock()
	l.session.Close()
	delete(f.mu.lines, l)
	f.mu.Unlock()
	_ = socket.CloseNow()
}

// cut breaks all connections.
func (f *fake) cut() {
	f.mu.Lock()
	var all []*websocket.Conn
	for l := range f.mu.lines {
		all = append(all, l.socket)
	}
	f.mu.Unlock()
	for _, s := range all {
		_ = s.CloseNow()
	}
}

func (f *fake) rows(room string) (texts []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.mu.server.Rows(room) {
		texts = append(texts, m.Text)
	}
	return texts
}
