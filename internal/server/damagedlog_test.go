package server

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// TestDamagedOldEntry: a machine that is alone starts although a bit of an entry is flipped that its views have, since nobody has
// more than these; an entry that they miss must be whole.
func TestDamagedOldEntry(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir)
	commands(t, s, 3)
	var old cluster.Record
	if err := s.core.log.Tail(t.Context(), 1, nil, func(list []cluster.Record) error {
		old = list[0]
		old.Value = bytes.Clone(old.Value)
		return context.Canceled
	}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	epoch := s.core.log.Epoch()
	stopServer(t, s)

	file := filepath.Join(dir, etcdDir, "member", "snap", "db")
	db, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(old.Value)
	flipped[len(flipped)-1] ^= 1
	if bytes.Count(db, old.Value) == 0 {
		t.Fatal("the entry is not in the database as it was read")
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(db, old.Value, flipped), 0o600); err != nil {
		t.Fatal(err)
	}
	s = startServer(t, dir)
	commands(t, s, 1)
	stopServer(t, s)

	if intactAfter(kernel.Position{Epoch: epoch, N: old.N})(epoch, old.N, flipped) != nil || intactAfter(kernel.Position{Epoch: epoch, N: old.N - 1})(epoch, old.N, flipped) == nil {
		t.Error("what the views have is looked at, or what they miss is not")
	}
}
