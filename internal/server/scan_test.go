package server

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/chat"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/people"
)

// viewOf makes a view of chat with so many name rows.
func viewOf(t *testing.T, rows int) *kernel.PebbleStore {
	t.Helper()
	s, err := kernel.OpenPebble(t.TempDir(), kernel.PebbleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	b := s.Begin()
	for i := range rows {
		key := append([]byte("d"), make([]byte, 16+16)...)
		copy(key[1:], fmt.Sprintf("%08d", i))
		b.Set(key, []byte{1, 0, 0, 0, 0, 0, 0, 0, 1, 0})
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestScanReadsEverything over the edges of its stretches, each row once.
func TestScanReadsEverything(t *testing.T) {
	for _, rows := range []int{0, 1, scanBatch - 1, scanBatch, scanBatch + 1, 2*scanBatch + 7} {
		if n, err := scanView(t.Context(), chat.New(1), viewOf(t, rows)); err != nil || n != rows {
			t.Errorf("%d of %d rows: %v", n, rows, err)
		}
	}
}

// TestScanFindsDamage: the last row of all too; the sentence names the way out and holds nothing of the row's value.
func TestScanFindsDamage(t *testing.T) {
	s := viewOf(t, 2*scanBatch)
	b := s.Begin()
	b.Set([]byte("z\xff"), []byte("비밀 이야기"))
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	people := people.New(1)
	empty := viewOf(t, 0)
	err := scanViews(t.Context(), slog.New(slog.DiscardHandler), []kernel.Domain{people, chat.New(1)}, []*kernel.PebbleStore{empty, s})
	if err == nil {
		t.Fatal("a damaged row was passed over")
	}
	for _, want := range []string{`"chat"`, "7aff", "`bonghwa restore`"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "비밀") || strings.Contains(err.Error(), "\n") {
		t.Errorf("not one sentence without contents: %v", err)
	}
}

// TestScanCutOff: a stop in order forgives an unclean one only when every row has been read, and what a stop does to a
// scan is no damage.
func TestScanCutOff(t *testing.T) {
	s := &Server{core: &core{doms: []kernel.Domain{chat.New(1)}, stores: []*kernel.PebbleStore{viewOf(t, 10)}}}
	s.o = Options{Logger: slog.New(slog.DiscardHandler), Fatal: func(err error) { t.Error(err) }}
	s.duty, s.offDuty = context.WithCancel(t.Context())
	s.offDuty()
	if s.scan(); s.sound.Load() {
		t.Fatal("a scan that was cut off passed for a whole one")
	}
	s.duty, s.offDuty = context.WithCancel(t.Context())
	defer s.offDuty()
	if s.scan(); !s.sound.Load() {
		t.Fatal("a whole scan did not count")
	}
}

// TestMarks: a server that runs is not marked as stopped in order; one that found the mark missing sets it when it has
// read every row and stops; one that could not start changes nothing.
func TestMarks(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	clean := filepath.Join(data, cleanFile)
	marked := func() bool {
		_, err := os.Stat(clean)
		return err == nil
	}
	s := startServer(t, data)
	if marked() {
		t.Error("a running server is marked as stopped in order")
	}
	if stopServer(t, s); !marked() {
		t.Error("not marked after a stop in order")
	}
	if _, err := Start(t.Context(), Options{Data: data, Listen: "127.0.0.1:0", Signup: "nobody knows this", Fatal: func(err error) { t.Error(err) }}); err == nil {
		t.Fatal("started with settings that make no sense")
	}
	if !marked() {
		t.Error("a start that failed looks like a crash")
	}
	if err := os.Remove(clean); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	s, err := Start(t.Context(), Options{Data: data, Listen: "127.0.0.1:0", Fatal: func(err error) { t.Error(err) },
		Logger: slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
			if bytes.Contains(p, []byte("every row was read")) {
				close(read)
			}
			return len(p), nil
		}), nil))})
	if err != nil {
		t.Fatal(err)
	}
	<-read
	if stopServer(t, s); !marked() {
		t.Error("not marked after the scan")
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
