package server

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// TestActsAtTheTerminal: what is done at a terminal is written down when it was done, and what is refused is not.
func TestActsAtTheTerminal(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := startServer(t, data)
	a := Admin(data)
	dump := func(texts bool) string {
		t.Helper()
		var out bytes.Buffer
		if err := DumpLog(t.Context(), DumpOptions{Data: data, Texts: texts}, &out); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	written := func(what string) {
		t.Helper()
		for until := time.Now().Add(20 * time.Second); !strings.Contains(dump(false), what); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%s is not written down:\n%s", what, dump(false))
			}
		}
	}
	if err := a.RecordAct(t.Context(), "granted", "mina"); err == nil {
		t.Error("an act of another kind is taken from a terminal")
	}
	if err := a.Drain(t.Context()); err == nil {
		t.Error("a machine that is alone is drained")
	}
	if _, err := a.ResetPassword(t.Context(), "nobody"); err == nil {
		t.Error("the password of nobody is reset")
	}
	if err := a.RecordAct(t.Context(), ActBurned, "seoul"); err != nil {
		t.Fatal(err)
	}
	written(ActBurned)
	if _, err := a.Invite(t.Context(), 2, 1); err != nil {
		t.Fatal(err)
	}
	written("invited")
	dump(true)
	written("texts_read")
	if all := dump(false); strings.Contains(all, "granted") || strings.Contains(all, "drained") || strings.Contains(all, "password_reset") {
		t.Errorf("an act is written down that never happened:\n%s", all)
	}

	// A restore or a rescue is written down at the first start, and its mark goes only then.
	stopServer(t, s)
	mark := s.data.path(endSessions)
	if err := os.WriteFile(mark, []byte(markOf(actRescued, false)), 0o600); err != nil {
		t.Fatal(err)
	}
	s = startServer(t, data)
	defer stopServer(t, s)
	written(actRescued)
	if _, err := os.Stat(mark); err == nil {
		t.Error("the next start would end the sessions again")
	}
}
