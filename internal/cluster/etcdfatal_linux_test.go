package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// childDir tells the child process of TestStorageFault where its log is.
const childDir = "BONGHWA_TEST_FAULT_DIR"

// A write to disk that fails ends in one sentence through OnFatal: no stack trace, no exit inside etcd, no call that hangs. The
// fault is real: a child process may not write beyond the present size of its files.
func TestStorageFault(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		faultyChild(dir)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestStorageFault$")
	cmd.Env = append(os.Environ(), childDir+"="+t.TempDir())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if cmd.ProcessState.ExitCode() != 7 || len(lines) != 1 || !strings.HasPrefix(lines[0], "sentence: the log's storage failed: ") {
		t.Fatalf("%v:\n%s", err, out.String())
	}
}

func faultyChild(dir string) {
	ctx := context.Background()
	signal.Ignore(syscall.SIGXFSZ) // a write that is too far is then an error, as a full disk is
	sentences := make(chan string, 10)
	e, err := cluster.OpenEtcd(ctx, cluster.EtcdOptions{Dir: dir, Logger: slog.New(slog.DiscardHandler), OnFatal: func(s string) { sentences <- s }})
	if err == nil {
		err = e.Init(ctx, 1, nil)
	}
	if err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for version := int64(0); ; version++ {
		_, _, err := e.Propose(ctx, cluster.Proposal{Epoch: 1, Version: version, Entry: make([]byte, 60<<10)})
		if err == cluster.ErrStopped {
			break
		}
	}
	fmt.Println("sentence:", <-sentences)
	_, errHead := e.Head(ctx)
	_, errProducer := e.Producer(ctx, cluster.NodeID{})
	errTail := e.Tail(ctx, 0, nil, func([]cluster.Record) error { return nil })
	for _, err := range []error{errHead, errProducer, errTail, e.Close()} {
		if err != cluster.ErrStopped {
			fmt.Println("after the fault:", err)
		}
	}
	if len(sentences) > 0 {
		fmt.Println("and again:", <-sentences)
	}
	os.Exit(7)
}
