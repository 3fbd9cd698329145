// Package nemesis runs the kernel on real etcd under faults of processes: nodes as processes of their own, each with a
// member of the log, two toy domains on disk, callers with outboxes, a register that it raises and a reader; a seeded
// schedule kills (SIGKILL) and stops (SIGSTOP) them; then everything that anybody was told is held against the log and
// the views.
//
// What must hold: every verdict that was told is the one that the log decided, once, in the order of its outbox; views
// and chains are equal at equal n and equal to a replay of the whole log; every entry is in the log once; and no read
// that a node vouched for was older than kernel.ReadyWithin.
//
// Not covered: power cuts (a killed process loses nothing that it has written; kernel/powercut and the simulation have
// them) and networks that are cut.
package nemesis

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/kernel/toydomain"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"google.golang.org/protobuf/proto"
)

// nodeEnv holds a node's configuration: a process that finds it set is a node, not a test.
const nodeEnv = "BONGHWA_NEMESIS_NODE"

// epoch of the log under test.
const epoch = 7

// config is what a node process is told at its start. Everything but Start is the same at every start of a slot.
type config struct {
	// Slot numbers the nodes of a cell from 0; Slots is how many there are.
	Slot, Slots int
	// Start counts the starts of this slot.
	Start          int
	Dir            string
	PeerURL        string
	InitialCluster string
	Seed           uint64
	// Trim lets the log be trimmed as in service; without it the whole log can be replayed.
	Trim bool
}

func (c config) name() string        { return fmt.Sprintf("m%d", c.Slot) }
func (c config) checkpoints() string { return filepath.Join(c.Dir, "checkpoints") }
func (c config) file(name string) string {
	return filepath.Join(c.Dir, name)
}

func domains() []kernel.Domain {
	return []kernel.Domain{toydomain.New(kernel.DomainPeople, "first"), toydomain.New(kernel.DomainChat, "second")}
}

// untrimmed is a log whose history stays whole.
type untrimmed struct{ *cluster.Etcd }

func (untrimmed) Trim(context.Context, uint64, cluster.Cursor) error { return nil }

// node is a running node process.
type node struct {
	config
	log    *cluster.Etcd
	stores []*kernel.PebbleStore
	k      *kernel.Node
	load   *load
	reads  *os.File
}

// request and answer are the lines that the test and its nodes exchange; every request has one answer.
type request struct {
	// Op is status, reset (of the gap), read, hold (take no new items), checkpoint, trimmed, dump or stop.
	Op string
	// N and Path: trimmed asks whether entry N is gone, dump writes the log up to entry N into the file.
	N    uint64
	Path string
}

type answer struct {
	N      uint64 // applied by every domain; of a checkpoint: where it was taken
	Ready  bool
	Leader bool
	Gone   bool // answers trimmed
	// Acked counts items settled since this start, Open those in outboxes.
	Acked, Open int
	// Gap is the longest time without an acknowledgement since the last reset.
	Gap   time.Duration
	Error string
}

// runNode is the main function of a node process. It returns the exit code.
func runNode(env string, in io.Reader, out io.Writer) int {
	var c config
	if err := json.Unmarshal([]byte(env), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	n, err := openNode(c)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot start:", err)
		return 2
	}
	lines := bufio.NewScanner(in)
	answers := json.NewEncoder(out)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
		a := n.answer(r)
		if err := answers.Encode(a); err != nil || r.Op == "stop" {
			break
		}
	}
	return 0
}

func openNode(c config) (*node, error) {
	n := &node{config: c}
	logger := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})).With("slot", c.Slot, "start", c.Start)
	fatal := func(err error) {
		fmt.Fprintln(os.Stderr, "fatal:", err)
		os.Exit(3)
	}
	var views []kernel.DomainStore
	for _, d := range domains() {
		s, err := kernel.OpenPebble(c.file("view-"+d.Name()), kernel.PebbleOptions{Log: logger, OnFatal: fatal})
		if err != nil {
			return nil, err
		}
		n.stores = append(n.stores, s)
		views = append(views, kernel.DomainStore{Domain: d, Store: s})
	}
	var err error
	n.log, err = cluster.OpenEtcd(context.Background(), cluster.EtcdOptions{
		Dir: c.file("log"), Name: c.name(), PeerURL: c.PeerURL, InitialCluster: c.InitialCluster, Logger: logger,
		OnFatal: func(s string) { fatal(errors.New(s)) },
	})
	if err != nil {
		return nil, err
	}
	if n.log.Epoch() == 0 {
		entry := kernel.FirstEntry(epoch, kernel.Behaviour, uint64(time.Now().UnixMilli()))
		if err := n.log.Init(context.Background(), epoch, entry); err != nil {
			return nil, err
		}
	}
	var log cluster.Log = n.log
	if !c.Trim {
		log = untrimmed{n.log}
	}
	n.k, err = kernel.Start(kernel.Options{
		Log: log, Node: cluster.NodeID{0, 0, 0, byte(c.Slot + 1)}, URL: c.PeerURL, Domains: views,
		Checkpoints: c.checkpoints(), Fatal: fatal, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	if n.reads, err = appendTo[read](c.file(readsFile)); err != nil {
		return nil, err
	}
	if n.load, err = startLoad(n); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *node) answer(r request) (a answer) {
	var err error
	switch r.Op {
	case "status":
	case "reset":
		n.load.resetGap()
	case "hold":
		n.load.held.Store(true)
	case "read":
		a.Ready, err = n.read(kernel.DomainPeople)
		a.N = n.k.Position().N
		a.Error = text(err)
		return a
	case "checkpoint":
		a.N, err = n.checkpoint()
		a.Error = text(err)
		return a
	case "trimmed":
		a.Gone, err = n.trimmed(r.N)
		a.Error = text(err)
		return a
	case "dump":
		err = n.dump(r.Path, r.N)
	case "stop":
		err = n.stop()
		a.Error = text(err)
		return a
	default:
		err = fmt.Errorf("no operation %q", r.Op)
	}
	a.N = n.k.Position().N
	a.Ready = n.k.Ready() == nil
	_, a.Leader = n.log.Members()
	n.load.fill(&a)
	a.Error = text(err)
	return a
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// checkpoint makes every node copy its views at one entry, and returns its number.
func (n *node) checkpoint() (uint64, error) {
	b, err := proto.Marshal(&logv1.KernelCommand{Op: &logv1.KernelCommand_Checkpoint{Checkpoint: &logv1.Checkpoint{Label: "audit"}}})
	if err != nil {
		return 0, err
	}
	done := make(chan kernel.Result, 1)
	if err := n.k.Submit(kernel.DomainKernel, b, func(r kernel.Result) { done <- r }); err != nil {
		return 0, err
	}
	r := <-done
	return r.Pos.N, r.Err
}

// trimmed says whether an entry that has been in the log is no longer in this member's history.
func (n *node) trimmed(entry uint64) (bool, error) {
	there := errors.New("there")
	err := n.log.Tail(context.Background(), entry, nil, func([]cluster.Record) error { return there })
	if errors.Is(err, cluster.ErrCompacted) {
		return true, nil
	}
	if errors.Is(err, there) {
		return false, nil
	}
	return false, err
}

// dump writes entries 1..last, as this member has them, into a file.
func (n *node) dump(path string, last uint64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	enough := errors.New("enough")
	err = n.log.Tail(context.Background(), 0, nil, func(rs []cluster.Record) error {
		for _, r := range rs {
			if err := writeEntry(w, r.N, r.Value); err != nil {
				return err
			}
			if r.N == last {
				return enough
			}
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return errors.Join(err, w.Flush(), f.Close())
}

// stop ends everything in order.
func (n *node) stop() error {
	n.load.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	errs := []error{n.k.Stop(ctx), n.log.Close()}
	for _, s := range n.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
