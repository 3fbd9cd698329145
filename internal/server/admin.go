package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/gateway"
	"github.com/bonghwa/bonghwa/internal/inspect"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// adminServer answers the operator's commands on a unix socket in the data directory: whoever may enter the directory
// may use it, nobody else can.
type adminServer struct {
	http *http.Server
	path string
	dir  *os.File
}

// dumpError is the trailer in which the server says why a dump ends early.
const dumpError = "Bonghwa-Error"

// BackupDone is the answer to a backup.
type BackupDone struct {
	Dir      string           `json:"dir"`
	Manifest *kernel.Manifest `json:"manifest"`
}

// Name is what the checkpoint is called at every node.
func (b BackupDone) Name() string { return filepath.Base(b.Dir) }

// ResetDone is the answer to a password reset.
type ResetDone struct {
	Handle  string `json:"handle"`
	Code    string `json:"code"`
	UntilMs uint64 `json:"until_ms"`
}

func serveAdmin(s *Server) (*adminServer, error) {
	path := s.data.path(adminSocket)
	l, dir, err := listenPrivate(path)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /backup", func(w http.ResponseWriter, r *http.Request) {
		dir, m, err := s.core.checkpoint(r.Context(), "backup")
		if err == nil && r.FormValue("archive") != "" {
			if s.archive == nil {
				err = errors.New("this server keeps no archive")
			} else {
				err = s.archive.upload(r.Context(), dir, m)
			}
		}
		if err == nil {
			s.act("backup", filepath.Base(dir))
		}
		reply(w, BackupDone{dir, m}, err)
	})
	mux.HandleFunc("POST /invite", func(w http.ResponseWriter, r *http.Request) {
		uses, err1 := strconv.ParseUint(r.FormValue("uses"), 10, 32)
		days, err2 := strconv.ParseUint(r.FormValue("days"), 10, 16)
		if err := errors.Join(err1, err2); err != nil {
			reply(w, nil, err)
			return
		}
		secret, until, err := s.gw.Invite(r.Context(), uint32(uses), time.Duration(days)*24*time.Hour)
		if err == nil {
			s.act("invited", fmt.Sprintf("%d, %d d", uses, days))
		}
		reply(w, Invited{secret, until}, err)
	})
	mux.HandleFunc("POST /reset-password", func(w http.ResponseWriter, r *http.Request) {
		handle := r.FormValue("handle")
		code, until, err := s.gw.ResetPassword(r.Context(), handle)
		if err == nil {
			s.act("password_reset", handle)
		}
		reply(w, ResetDone{handle, code, until}, err)
	})
	mux.HandleFunc("POST /mark-simulated", func(w http.ResponseWriter, r *http.Request) {
		reply(w, struct{}{}, s.gw.MarkSimulated(r.Context(), r.FormValue("handle")))
	})
	mux.HandleFunc("POST /befriend", func(w http.ResponseWriter, r *http.Request) {
		handle := r.FormValue("handle")
		reply(w, struct{}{}, s.gw.Befriend(r.Context(), handle, r.Form["other"]))
	})
	mux.HandleFunc("GET /sign-ups", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), signUpsWait)
		defer cancel()
		list, next, err := s.gw.SignUps(ctx, r.FormValue("after"))
		reply(w, SignUps{list, next}, err)
	})
	mux.HandleFunc("GET /log", func(w http.ResponseWriter, r *http.Request) {
		from, _ := strconv.ParseUint(r.FormValue("from"), 10, 64)
		to, _ := strconv.ParseUint(r.FormValue("to"), 10, 64)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Trailer", dumpError)
		if err := dump(r.Context(), s.core.log, DumpOptions{From: from, To: to, Texts: r.FormValue("texts") != ""}, w); err != nil {
			w.Header().Set(dumpError, url.QueryEscape(err.Error()))
		}
		if r.FormValue("texts") != "" { // whether it came to its end or not: something was shown
			s.act("texts_read", fmt.Sprintf("%d:%d", from, to))
		}
	})
	s.operatorAdmin(mux)
	s.clusterAdmin(mux)
	a := &adminServer{http: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}, path: path, dir: dir}
	go func() { _ = a.http.Serve(l) }()
	return a, nil
}

func (a *adminServer) close() {
	_ = a.http.Close()
	_ = os.Remove(a.path)
	_ = a.dir.Close()
}

// socketAddr names a socket in a directory whose path may be longer than the 107 bytes that a socket's address holds:
// through the open directory.
func socketAddr(path string) (string, *os.File, error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), dir, nil
}

// listenPrivate opens a unix socket that only its owner can use. The directory stays open as long as the socket is used.
func listenPrivate(path string) (l net.Listener, dir *os.File, err error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	addr, dir, err := socketAddr(path)
	if err != nil {
		return nil, nil, err
	}
	l, err = net.Listen("unix", addr)
	if err != nil {
		dir.Close()
		return nil, nil, fmt.Errorf("the operator's socket %s cannot be made: %v", path, cause(err))
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		dir.Close()
		return nil, nil, err
	}
	return l, dir, nil
}

func reply(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// AdminClient asks the running server of a data directory.
type AdminClient struct{ data string }

// Admin asks the server that is running on this data directory.
func Admin(data string) AdminClient { return AdminClient{data} }

// Backup takes a checkpoint.
func (a AdminClient) Backup(ctx context.Context) (b BackupDone, err error) {
	return b, a.call(ctx, "POST", "/backup", &b)
}

// BackupToArchive takes a checkpoint and puts it into the archive.
func (a AdminClient) BackupToArchive(ctx context.Context) (b BackupDone, err error) {
	return b, a.call(ctx, "POST", "/backup?archive=1", &b)
}

// ResetPassword makes a one-time code for the owner of an account.
func (a AdminClient) ResetPassword(ctx context.Context, handle string) (r ResetDone, err error) {
	return r, a.call(ctx, "POST", "/reset-password?handle="+url.QueryEscape(handle), &r)
}

// Invited is the answer to an invitation.
type Invited struct {
	Secret  string `json:"secret"`
	UntilMs uint64 `json:"until_ms"`
}

// Invite makes an invitation for so many people and days.
func (a AdminClient) Invite(ctx context.Context, uses uint32, days uint16) (i Invited, err error) {
	return i, a.call(ctx, "POST", fmt.Sprintf("/invite?uses=%d&days=%d", uses, days), &i)
}

// signUpsWait is how long the server waits for a sign-up before it answers that there was none.
const signUpsWait = 20 * time.Second

// SignUps is the answer to a question for sign-ups.
type SignUps struct {
	Accounts []gateway.SignedUp `json:"accounts"`
	Cursor   string             `json:"cursor"`
}

// SignUps lists the accounts made after a cursor, oldest first, simulated ones too; an empty cursor: all there are. It
// waits until there is one. Cursors stay good when the server starts anew. Nobody is left out; somebody who signed up
// in the same millisecond as the last one named may come twice.
func (a AdminClient) SignUps(ctx context.Context, after string) (u SignUps, err error) {
	for {
		if err := a.call(ctx, "GET", "/sign-ups?after="+url.QueryEscape(after), &u); err != nil || len(u.Accounts) > 0 {
			return u, err
		}
		after = u.Cursor
	}
}

// MarkSimulated says that a program of the operator drives an account. It is shown to others and never taken back.
func (a AdminClient) MarkSimulated(ctx context.Context, handle string) error {
	return a.call(ctx, "POST", "/mark-simulated?handle="+url.QueryEscape(handle), &struct{}{})
}

// Befriend puts a person and each of others on one another's lists of friends; those who are already stay.
func (a AdminClient) Befriend(ctx context.Context, handle string, others []string) error {
	return a.call(ctx, "POST", "/befriend?"+url.Values{"handle": {handle}, "other": others}.Encode(), &struct{}{})
}

func (a AdminClient) call(ctx context.Context, method, path string, into any) error {
	res, err := a.open(ctx, method, path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return errors.New("the server ended before it answered")
	}
	return nil
}

// errNotRunning: no server is running on the data directory.
var errNotRunning = errors.New("no server is running on this data directory")

func (a AdminClient) open(ctx context.Context, method, path string) (*http.Response, error) {
	return a.send(ctx, method, path, nil)
}

func (a AdminClient) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	res, err := unixCall(ctx, filepath.Join(a.data, adminSocket), method, path, body)
	if errors.Is(err, errNobody) {
		return nil, fmt.Errorf("%w (%s): start it with `bonghwa serve --data %s`", errNotRunning, a.data, a.data)
	}
	return res, err
}

// errNobody: nobody listens at a socket.
var errNobody = errors.New("nobody answers at the socket")

// unixCall asks who serves a unix socket. What is refused comes back as an error with its sentence.
func unixCall(ctx context.Context, path, method, what string, body io.Reader) (*http.Response, error) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		addr, dir, err := socketAddr(path)
		if err != nil {
			return nil, err
		}
		defer dir.Close()
		return (&net.Dialer{}).DialContext(ctx, "unix", addr)
	}}}
	req, err := http.NewRequestWithContext(ctx, method, "http://admin"+what, body)
	if err != nil {
		return nil, err
	}
	res, err := c.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, errNobody
	}
	if res.StatusCode != http.StatusOK {
		defer res.Body.Close()
		b, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
		return nil, errors.New(string(bytes.TrimSpace(b)))
	}
	return res, nil
}

// DumpOptions say which entries to print.
type DumpOptions struct {
	Data     string
	From, To uint64
	Texts    bool
}

// DumpLog prints entries, from the running server of the directory or, when none runs, from the directory itself.
func DumpLog(ctx context.Context, o DumpOptions, w io.Writer) error {
	texts := ""
	if o.Texts {
		texts = "&texts=1"
	}
	res, err := Admin(o.Data).open(ctx, "GET", fmt.Sprintf("/log?from=%d&to=%d%s", o.From, o.To, texts))
	if err == nil {
		defer res.Body.Close()
		if _, err := io.Copy(w, res.Body); err != nil {
			return err
		}
		if why, err := url.QueryUnescape(res.Trailer.Get(dumpError)); why != "" && err == nil {
			return errors.New(why)
		}
		return nil
	}
	if !errors.Is(err, errNotRunning) {
		return err
	}
	if _, err := os.Stat(filepath.Join(o.Data, metaFile)); err != nil {
		return fmt.Errorf("%s is not a data directory", o.Data)
	}
	d, err := OpenData(o.Data)
	if err != nil {
		return err
	}
	defer d.Close()
	log, err := cluster.OpenEtcd(ctx, cluster.EtcdOptions{Dir: d.path(etcdDir), Name: d.Meta.Node})
	if err != nil {
		return err
	}
	return errors.Join(dump(ctx, log, o, w), log.Close())
}

// errDumped ends the tail behind the last entry wanted.
var errDumped = errors.New("done")

func dump(ctx context.Context, log cluster.Log, o DumpOptions, w io.Writer) error {
	head, err := log.Head(ctx)
	if err != nil {
		return err
	}
	to := head
	if o.To > 0 {
		to = min(o.To, head)
	}
	from := max(o.From, 1)
	if from > to {
		return nil
	}
	err = log.Tail(ctx, from-1, nil, func(recs []cluster.Record) error {
		for _, r := range recs {
			if r.N > to {
				return errDumped
			}
			if err := inspect.Entry(w, r, o.Texts); err != nil {
				return err
			}
			if r.N == to {
				return errDumped
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, errDumped):
		return nil
	case errors.Is(err, cluster.ErrCompacted):
		return fmt.Errorf("entry %d has been trimmed from the log; the newest is %d: try a larger --from", from, head)
	}
	return err
}
