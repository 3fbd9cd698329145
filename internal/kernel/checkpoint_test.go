package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// diskNode is a node with both views on disk and a directory for checkpoints. It runs in real time: nothing here
// depends on it.
type diskNode struct {
	*testNode
	root    string
	domains []Domain
}

func startDiskNode(t *testing.T) *diskNode {
	c := newCell(t, 1)
	dir := t.TempDir()
	d := &diskNode{root: filepath.Join(dir, "check[1]points"), domains: []Domain{&bank{id: DomainPeople}, &bank{id: DomainChat}}}
	d.testNode = c.start(0, openPebble(t, filepath.Join(dir, "people"), PebbleOptions{}), openPebble(t, filepath.Join(dir, "chat"), PebbleOptions{}),
		func(o *Options) { o.Checkpoints = d.root })
	t.Cleanup(d.stop)
	return d
}

func (d *diskNode) checkpoint() Position {
	d.t.Helper()
	op, err := proto.Marshal(&logv1.KernelCommand{Op: &logv1.KernelCommand_Checkpoint{Checkpoint: &logv1.Checkpoint{Label: "backup"}}})
	if err != nil {
		d.t.Fatal(err)
	}
	return d.mustOK(DomainKernel, op).Pos
}

func (d *diskNode) finish(p Position) *Manifest {
	d.t.Helper()
	m, err := FinishCheckpoint(d.root, p, "backup", "cell", d.domains)
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

func (d *diskNode) dirs() (names []string) {
	entries, err := os.ReadDir(d.root)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestCheckpointHoldsAllViewsAtOnePosition(t *testing.T) {
	d := startDiskNode(t)
	for range 5 {
		d.mustOK(DomainPeople, unnamed(opAdd, "p"))
		d.mustOK(DomainChat, unnamed(opAdd, "c"))
	}
	want := map[string]string{"bank1": content(d.people), "bank2": content(d.chat)}
	pos := d.checkpoint()
	d.mustOK(DomainPeople, unnamed(opAdd, "p")) // not in it
	m := d.finish(pos)
	if m.Format != 1 || m.Cell != "cell" || m.Epoch != pos.Epoch || m.N != pos.N || m.Label != "backup" || m.TimeMs == 0 || m.Behaviour != Behaviour {
		t.Errorf("%+v", m)
	}
	for name, w := range want {
		md := m.Domains[name]
		if got := fmt.Sprintf("%s/%d", strings.TrimLeft(md.ContentHash, "0"), md.Rows); got != w || len(md.Chain) != 16 {
			t.Errorf("%s: %s, want %s; chain %q", name, got, w, md.Chain)
		}
	}
	again, err := ReadManifest(CheckpointDir(d.root, pos))
	if err != nil || !reflect.DeepEqual(again, m) {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestManifestGolden(t *testing.T) {
	dir := filepath.Join("testdata", "checkpoint")
	m, err := ReadManifest(dir)
	want := &Manifest{Format: 1, Cell: "0001", Epoch: 1000000, N: 42, TimeMs: 1764000000000, Label: "daily", Behaviour: 1, Domains: map[string]ManifestDomain{
		"chat":   {"00000000000000aa", "00000000000000bb", 12},
		"people": {"00000000000000cc", "00000000000000dd", 3},
	}}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("%+v, %v", m, err)
	}
	b, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("checkpoint", ManifestName), string(b)+"\n")
}

func TestManifestRefused(t *testing.T) {
	for what, text := range map[string]string{"nothing": "", "no JSON": "{", "another format": `{"format": 2}`, "another kind": `[]`} {
		dir := t.TempDir()
		if what != "nothing" {
			if err := os.WriteFile(filepath.Join(dir, ManifestName), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if m, err := ReadManifest(dir); err == nil {
			t.Errorf("%s: %+v", what, m)
		}
	}
}

func TestCheckpointIncompleteIsRefused(t *testing.T) {
	d := startDiskNode(t)
	pos := d.checkpoint()
	for what, damage := range map[string]func(dir string) error{
		"a view is missing": func(dir string) error { return os.RemoveAll(filepath.Join(dir, "bank2")) },
		"a view of another position": func(dir string) error {
			other := CheckpointDir(d.root, d.checkpoint())
			return errors.Join(os.RemoveAll(filepath.Join(dir, "bank2")), os.Rename(filepath.Join(other, "bank2"), filepath.Join(dir, "bank2")))
		},
		"a view that is no view": func(dir string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "bank2")), os.MkdirAll(filepath.Join(dir, "bank2"), 0o700))
		},
	} {
		dir := CheckpointDir(d.root, pos)
		if err := damage(dir); err != nil {
			t.Fatal(what, err)
		}
		if m, err := FinishCheckpoint(d.root, pos, "backup", "cell", d.domains); err == nil {
			t.Errorf("%s: %+v", what, m)
		}
		if _, err := ReadManifest(dir); err == nil {
			t.Errorf("%s: it has a manifest", what)
		}
		pos = d.checkpoint()
	}
}

// TestCheckpointExistingIsKept: a replay meets the checkpoint it has made before; what a crash left half made is made
// anew.
func TestCheckpointExistingIsKept(t *testing.T) {
	d := startDiskNode(t)
	d.mustOK(DomainChat, unnamed(opAdd, "c"))
	pos := d.checkpoint()
	d.finish(pos)
	r := d.runners[1]
	target := filepath.Join(CheckpointDir(d.root, pos), "bank2")
	mark := filepath.Join(target, "mark")
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	replayed := &Outcome{Applied: Applied{Pos: pos}, Checkpoint: &logv1.Checkpoint{}}
	r.checkpoint(replayed)
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("it was made again: %v", err)
	}

	part := target + ".part"
	if err := os.Rename(target, part); err != nil {
		t.Fatal(err)
	}
	r.checkpoint(replayed)
	if _, err := os.Stat(mark); err == nil {
		t.Error("a part was taken for the whole")
	}
	for path, there := range map[string]bool{target: true, part: false} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
}

func TestCheckpointFailureIsNoFault(t *testing.T) {
	d := startDiskNode(t)
	if err := os.WriteFile(d.root, []byte("in the way"), 0o600); err != nil {
		t.Fatal(err)
	}
	pos := d.checkpoint()
	if _, err := FinishCheckpoint(d.root, pos, "backup", "cell", d.domains); err == nil {
		t.Error("finished what was never made")
	}
	d.mustOK(DomainChat, unnamed(opAdd, "c"))
	if f := d.fatal(); len(f) != 0 {
		t.Error(f)
	}
}

func TestCheckpointsSevenAreKept(t *testing.T) {
	d := startDiskNode(t)
	unfinished := d.checkpoint()
	var made []Position
	for range keepCheckpoints + 3 {
		p := d.checkpoint()
		d.finish(p)
		made = append(made, p)
	}
	underWay := d.checkpoint()
	last := made[len(made)-1]
	foreign := filepath.Join(d.root, "notes")
	if err := os.MkdirAll(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	d.finish(last) // once more: the same result
	var want []string
	for _, p := range made[3:] {
		want = append(want, filepath.Base(CheckpointDir(d.root, p)))
	}
	want = append(want, filepath.Base(CheckpointDir(d.root, underWay)), "notes")
	if got := d.dirs(); !slices.Equal(got, want) {
		t.Errorf("left are\n%q, want\n%q; the unfinished one was %v", got, want, unfinished)
	}
}

func TestBeginEpoch(t *testing.T) {
	d := startDiskNode(t)
	d.mustOK(DomainChat, named(opAdd, 1, 1, "c"))
	pos := d.checkpoint()
	m := d.finish(pos)
	dir := filepath.Join(CheckpointDir(d.root, pos), "bank2")
	if _, err := BeginEpoch(dir, Position{pos.Epoch, pos.N + 1}, 9); err == nil {
		t.Error("cut where the view does not stand")
	}
	hash, err := BeginEpoch(dir, pos, 9)
	if err != nil || hash != m.Domains["bank2"].ContentHash {
		t.Fatalf("content %s, in the manifest %s; %v", hash, m.Domains["bank2"].ContentHash, err)
	}
	s := openPebble(t, dir, PebbleOptions{})
	a := newApplier(t, s)
	if a.Position() != (Position{9, 0}) || len(a.Cursor()) != 0 || a.Time() < m.TimeMs {
		t.Errorf("it begins at %v, cursor %q", a.Position(), a.Cursor())
	}
	snap := s.Snapshot()
	defer snap.Close()
	if cuts := Cuts(snap); cuts[pos.Epoch] != pos.N {
		t.Errorf("cuts %v", cuts)
	}
	mustApply(t, a, 1, FirstEntry(9, Behaviour, 1))
	e := Entry{Epoch: 9, Behaviour: Behaviour, Commands: envelope(named(opAdd, 1, 1, "c"))}
	if out := mustApply(t, a, 2, e.Encode(nil)); !out.Decided[0].Repeated || out.Decided[0].Verdict != (Verdict{OK, 1}) {
		t.Errorf("a name of before the restore: %+v", out.Decided)
	}
}

func TestWriteDurablyReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, text := range []string{"one", "two, longer", ""} {
		if err := WriteDurably(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("%q, %v", b, err)
		}
	}
	if err := WriteDurably(filepath.Join(path, "below a file"), nil); err == nil {
		t.Error("written below a file")
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
