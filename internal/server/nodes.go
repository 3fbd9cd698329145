package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/pki"
)

// What a node is, as it tells other nodes.
const (
	// phaseNew: it has no log yet and waits to be let in.
	phaseNew = "new"
	// phaseForming: its log has been made, and the cell has never been ready here.
	phaseForming = "forming"
	// phaseKnown: it has been part of the cell, and is not ready now.
	phaseKnown = "known"
	// phaseReady: it answers reads.
	phaseReady = "ready"
)

// NodeState is what a node tells other nodes of its cluster.
type NodeState struct {
	standing
	Site    string `json:"site"`
	Node    string `json:"node"`
	Phase   string `json:"phase"`
	Version string `json:"version"`
	// NotReady is why the node answers no reads; empty = it does.
	NotReady  string `json:"not_ready,omitempty"`
	Epoch     uint32 `json:"epoch,omitempty"`
	N         uint64 `json:"n,omitempty"`
	Behaviour uint32 `json:"behaviour"`
	Leader    bool   `json:"leader,omitempty"`
	Draining  bool   `json:"draining,omitempty"`
	DiskFull  string `json:"disk_full,omitempty"`
	DiskLow   bool   `json:"disk_low,omitempty"`
	// ClockOffMs is by how much the node's clock is off every other one; 0: it is not.
	ClockOffMs int64 `json:"clock_off_ms,omitempty"`
	// ClockMs is what its clock shows, Unix milliseconds.
	ClockMs int64 `json:"clock_ms,omitempty"`
	// Certificate is when this node's certificate ends, Unix seconds.
	Certificate int64 `json:"certificate,omitempty"`
	// Archive is how the archive is, as this node sees it.
	Archive *ArchiveStatus `json:"archive,omitempty"`
	// Records are what the nodes of the cell have written about themselves, Members those of the log: of a ready node only.
	Records []NodeRecord `json:"records,omitempty"`
	Members []LogMember  `json:"members,omitempty"`
}

// NodeRecord is a node of the cell.
type NodeRecord struct {
	Node      string `json:"node"`
	Site      string `json:"site"`
	URL       string `json:"url"`
	Addr      string `json:"addr"`
	Behaviour uint32 `json:"behaviour"`
}

// LogMember is a member of the log. Name is empty until it has started.
type LogMember struct {
	Name    string `json:"name"`
	PeerURL string `json:"peer_url"`
	Learner bool   `json:"learner,omitempty"`
	Leader  bool   `json:"leader,omitempty"`
}

// nodeTimeout bounds a question to another node that costs it nothing.
const nodeTimeout = 2 * time.Second

// recordsTimeout is how long the quorum is asked for who is part of the cell; then this node's own copy has to do. A quorum that
// has just been lost may be waiting for the very node that asks.
const recordsTimeout = 300 * time.Millisecond

// nodes is this node among the others: what it answers them, over mutual TLS, and how it asks them.
type nodes struct {
	cfg     *config.Node
	data    *Data
	version string
	log     *slog.Logger
	who     *pki.Identity
	wall    func() time.Time
	client  *http.Client
	http    *http.Server
	// core is set when the node has one; draining while it gives its people away.
	core     atomic.Pointer[core]
	draining atomic.Bool
	archive  *archiver
	// wasReady: the cell has been ready here once; meta is held while bonghwa.json changes.
	wasReady atomic.Bool
	meta     sync.Mutex
	// ended is why this node has no part in the cell any more.
	ended atomic.Pointer[error]
	// endedIn is the epoch it gave way to; 0: to none. It is told even if it cannot be written down.
	endedIn atomic.Uint32
	// disputes is a site that was rescued while this cell serves; nil: none is known.
	disputes atomic.Pointer[string]
	// watch looks at the sites, from soon after this node listens.
	watch atomic.Pointer[watch]
	// act writes down what was done to the cell; set when there is a gateway.
	act atomic.Pointer[func(what, on string)]
}

// openNodes listens for other nodes. It answers from now on, also while this node waits to be let in.
func openNodes(cfg *config.Node, data *Data, version string, wall func() time.Time, log *slog.Logger) (*nodes, error) {
	who, err := pki.Load(pki.Files{CA: cfg.Cluster.CA, Cert: cfg.Cluster.Cert, Key: cfg.Cluster.Key})
	if err != nil {
		return nil, err
	}
	if who.Site != cfg.Site {
		return nil, fmt.Errorf("%s is the certificate of site %s, the file says %s", cfg.Cluster.Cert, who.Site, cfg.Site)
	}
	n := &nodes{cfg: cfg, data: data, version: version, log: log, who: who, wall: wall}
	n.client = &http.Client{Transport: &http.Transport{TLSClientConfig: who.Client(), MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second}}
	at := cfg.Self().Node
	if cfg.Cluster.BindNode != "" {
		at = cfg.Cluster.BindNode
	}
	l, err := net.Listen("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s for other nodes: %v", at, cause(err))
	}
	n.wasReady.Store(data.Meta.Formed)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/state", func(w http.ResponseWriter, r *http.Request) {
		st, err := n.state(r.Context())
		reply(w, st, err)
	})
	mux.HandleFunc("GET /v1/incidents", func(w http.ResponseWriter, r *http.Request) {
		look := n.watch.Load()
		if look == nil {
			reply(w, nil, errNoCore)
			return
		}
		reply(w, look.tell(r.FormValue("have")), nil)
	})
	mux.HandleFunc("GET /v1/held", n.tellHeld)
	mux.HandleFunc("POST /v1/join", func(w http.ResponseWriter, r *http.Request) {
		site, _ := pki.Peer(r.TLS)
		var q joinRequest
		if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&q); err != nil {
			http.Error(w, "the question cannot be read", http.StatusBadRequest)
			return
		}
		a, err := n.admit(r.Context(), site, q)
		if refused := refusedError(""); errors.As(err, &refused) {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		reply(w, a, err)
	})
	mux.HandleFunc("POST /v1/checkpoint", func(w http.ResponseWriter, r *http.Request) {
		p, err := n.offer(r.Context())
		reply(w, p, err)
	})
	mux.HandleFunc("GET /v1/checkpoint/{name}/{file...}", n.sendFile)
	n.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() { _ = n.http.Serve(tls.NewListener(l, who.Server())) }()
	return n, nil
}

func (n *nodes) close() {
	_ = n.http.Close()
	n.client.CloseIdleConnections()
}

// state is what this node tells others.
func (n *nodes) state(ctx context.Context) (st NodeState, err error) {
	st = NodeState{standing: n.standing(), Site: n.cfg.Site, Node: n.data.Meta.Node, Phase: phaseNew, Version: n.version,
		Behaviour: kernel.Behaviour, Certificate: n.who.NotAfter.Unix(), Draining: n.draining.Load(), ClockMs: n.wall().UnixMilli()}
	switch {
	case n.wasReady.Load():
		st.Phase = phaseKnown
	case n.data.hasLog():
		st.Phase = phaseForming
	}
	c := n.core.Load()
	if c == nil {
		return st, nil
	}
	pos := c.node.Position()
	st.Epoch, st.N, st.DiskFull = pos.Epoch, pos.N, c.node.Stats().DiskFull
	if why := n.outOf(); why != nil {
		st.NotReady = why.Error()
		return st, nil
	}
	st.DiskLow = diskLow(n.data.Dir)
	_, st.Leader = c.log.Members()
	st.ClockOffMs = c.node.ClockOff().Milliseconds()
	st.Archive = n.archive.status(c)
	if err := c.node.Ready(); err != nil {
		st.NotReady = err.Error()
		return st, nil
	}
	st.Phase = phaseReady
	ctx, cancel := context.WithTimeout(ctx, recordsTimeout)
	defer cancel()
	records, err := c.log.Nodes(ctx)
	if err != nil {
		records, err = c.log.KnownNodes()
	}
	if err != nil {
		return st, err
	}
	for _, r := range records {
		st.Records = append(st.Records, NodeRecord{hex.EncodeToString(r.ID[:]), r.Site, r.URL, r.Addr, r.Behaviour})
	}
	for _, m := range c.log.MemberList() {
		st.Members = append(st.Members, LogMember{m.Name, m.PeerURL, m.Learner, m.Leader})
	}
	return st, nil
}

// sites are the nodes of the cell that have a site, by its name, as this node's own copy of the log has them. A site that is
// being rebuilt may be written twice for a moment: it is there once.
func (c *core) sites() ([]cluster.Node, error) {
	nodes, err := c.log.KnownNodes()
	nodes = slices.DeleteFunc(nodes, func(n cluster.Node) bool { return n.Site == "" })
	slices.SortFunc(nodes, func(a, b cluster.Node) int { return strings.Compare(a.Site, b.Site) })
	return slices.CompactFunc(nodes, func(a, b cluster.Node) bool { return a.Site == b.Site }), err
}

// ask puts a question to another node.
func (n *nodes) ask(ctx context.Context, addr, method, path string, question, answer any) error {
	return n.askWith(ctx, n.client, addr, method, path, question, answer)
}

func (n *nodes) askWith(ctx context.Context, client *http.Client, addr, method, path string, question, answer any) error {
	var body io.Reader
	if question != nil {
		b, err := json.Marshal(question)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+addr+path, body)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 4096))
		why := refusedError(bytes.TrimSpace(b))
		if res.StatusCode == http.StatusConflict {
			return why
		}
		return errors.New(string(why))
	}
	return json.NewDecoder(res.Body).Decode(answer)
}

// refusedError is another node's answer that it will not, and would not if it were asked again. Any other error may pass.
type refusedError string

func (e refusedError) Error() string { return string(e) }

// answer is what came of asking one site for its state.
type answer struct {
	site config.Site
	st   NodeState
	err  error
	// ahead is by how much this node's clock is ahead of that one's; in the time that the answer took nothing is known.
	ahead time.Duration
}

// inCell says that a site answered and is part of a cell: not one that waits to be let in, or was superseded.
func (a answer) inCell() bool {
	return a.err == nil && a.st.Phase != phaseNew && a.st.Superseded == 0
}

// clockOff is by how much this node's clock is off every other one: positive if it is ahead; 0: it is not. One other says it only if it
// serves: its time is the log's. Two that begin at the same moment would each distrust itself, and the log's time would stand still.
func clockOff(answers []answer) time.Duration {
	var nearest time.Duration
	asked, serving := 0, 0
	for _, a := range answers {
		if a.err != nil || a.st.ClockMs == 0 || a.st.ClockOffMs != 0 {
			continue
		}
		asked++
		if a.st.Phase == phaseReady {
			serving++
		}
		if a.ahead.Abs() <= kernel.SkewLimit {
			return 0
		}
		if nearest == 0 || a.ahead.Abs() < nearest.Abs() {
			nearest = a.ahead
		}
	}
	if asked < 2 && serving == 0 {
		return 0
	}
	return nearest
}

// askAll asks these sites for their state, all at once.
func (n *nodes) askAll(ctx context.Context, sites []config.Site) []answer {
	ctx, cancel := context.WithTimeout(ctx, nodeTimeout)
	defer cancel()
	out := make([]answer, len(sites))
	done := make(chan struct{})
	for i, s := range sites {
		go func() {
			defer func() { done <- struct{}{} }()
			out[i].site = s
			before := n.wall()
			out[i].err = n.ask(ctx, s.Node, "GET", "/v1/state", nil, &out[i].st)
			if out[i].err == nil && out[i].st.Cluster != n.cfg.Cluster.ID {
				out[i].err = fmt.Errorf("it belongs to the cluster %s, this node to %s", out[i].st.Cluster, n.cfg.Cluster.ID)
			}
			if out[i].err == nil && out[i].st.Site != s.Name {
				out[i].err = fmt.Errorf("%s answers there, not %s", out[i].st.Site, s.Name)
			}
			out[i].ahead = ahead(before, n.wall(), time.UnixMilli(out[i].st.ClockMs))
		}()
	}
	for range sites {
		<-done
	}
	return out
}

// hasLog says that the directory holds a member of a log. Its write-ahead log gets its name when it is whole; a process that was
// killed before that leaves a directory that would begin a log of its own.
func (d *Data) hasLog() bool {
	_, err := os.Stat(filepath.Join(d.path(etcdDir), "member", "wal"))
	return err == nil
}

var errNoCore = errors.New("this node is not part of the cell yet")

// ahead is by how much a clock that showed before and after is ahead of another one that showed at in between; what the
// answer's way may explain does not count.
func ahead(before, after, at time.Time) time.Duration {
	switch {
	case at.Before(before):
		return before.Sub(at)
	case at.After(after):
		return after.Sub(at)
	}
	return 0
}
