package server

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// TestDumpOfTrimmed: what the log no longer has is an error of the command, of a running server too, and not a line of
// its output.
func TestDumpOfTrimmed(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := startServer(t, data)
	defer stopServer(t, s)
	if _, err := Admin(data).Backup(t.Context()); err != nil {
		t.Fatal(err)
	}
	var second cluster.Record
	stop := errors.New("enough")
	if err := s.core.log.Tail(t.Context(), 1, nil, func(recs []cluster.Record) error {
		second = recs[0]
		return stop
	}); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if err := s.core.log.Trim(t.Context(), second.N, second.Cursor); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := DumpLog(t.Context(), DumpOptions{Data: data, From: 1}, &out)
	if err == nil || !strings.Contains(err.Error(), "entry 1 has been trimmed from the log") || out.Len() > 0 {
		t.Errorf("%v\n%s", err, out.String())
	}
	if err := DumpLog(t.Context(), DumpOptions{Data: data, From: second.N + 1, To: second.N + 1}, &out); err != nil || strings.Count(out.String(), ":3  ") != 1 {
		t.Errorf("%v\n%s", err, out.String())
	}
}
