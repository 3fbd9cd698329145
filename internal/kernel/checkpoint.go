package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// keepCheckpoints is how many complete checkpoints stay beside the data.
const keepCheckpoints = 7

// ManifestName is the file that makes a checkpoint complete.
const ManifestName = "MANIFEST.json"

// Manifest describes a checkpoint: every domain's view at one position.
type Manifest struct {
	Format    int                       `json:"format"`
	Cell      string                    `json:"cell"`
	Epoch     uint32                    `json:"epoch"`
	N         uint64                    `json:"n"`
	TimeMs    uint64                    `json:"time_ms"`
	Label     string                    `json:"label"`
	Behaviour uint32                    `json:"behaviour"`
	Domains   map[string]ManifestDomain `json:"domains"`
}

// ManifestDomain is one view in a checkpoint.
type ManifestDomain struct {
	Chain       string `json:"chain"`
	ContentHash string `json:"content_hash"`
	Rows        int    `json:"rows"`
}

var checkpointName = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{16}$`)

// IsCheckpoint says whether a name is that of a checkpoint's directory.
func IsCheckpoint(name string) bool { return checkpointName.MatchString(name) }

// CheckpointDir names the directory of a checkpoint below the directory of checkpoints.
func CheckpointDir(root string, pos Position) string {
	return filepath.Join(root, fmt.Sprintf("%08x-%016x", pos.Epoch, pos.N))
}

// checkpoint copies this domain's view at the entry just applied. One that exists is kept (a replay); one that fails is
// reported and is no fault of the view. The copy gets its name when it is whole: after a crash a part of one must not be
// taken for it.
func (r *runner) checkpoint(out *Outcome) {
	if r.n.o.Checkpoints == "" {
		return
	}
	dir := CheckpointDir(r.n.o.Checkpoints, out.Pos)
	target := filepath.Join(dir, r.a.domain.Name())
	if _, err := os.Stat(target); err == nil {
		return
	}
	part := target + ".part"
	err := errors.Join(os.RemoveAll(part), os.MkdirAll(dir, 0o700))
	if err == nil {
		err = r.store.Checkpoint(part)
	}
	if err == nil {
		err = os.Rename(part, target)
	}
	if err != nil {
		_ = os.RemoveAll(part)
		r.n.o.Logger.Error("a checkpoint failed", "domain", r.a.domain.Name(), "cause", err)
	}
}

// FinishCheckpoint hashes the views of a checkpoint, writes its manifest and deletes old checkpoints. It reads every
// row: call it outside the path of commands.
func FinishCheckpoint(root string, pos Position, label, cell string, domains []Domain) (*Manifest, error) {
	dir := CheckpointDir(root, pos)
	m := &Manifest{Format: 1, Cell: cell, Epoch: pos.Epoch, N: pos.N, Label: label, Domains: map[string]ManifestDomain{}}
	for _, d := range domains {
		st, md, err := inspectView(filepath.Join(dir, d.Name()))
		if err != nil {
			return nil, fmt.Errorf("checkpoint %s, view %s: %w", filepath.Base(dir), d.Name(), err)
		}
		if st.pos != pos {
			return nil, fmt.Errorf("checkpoint %s holds view %s at %s", filepath.Base(dir), d.Name(), st.pos)
		}
		m.TimeMs, m.Behaviour = max(m.TimeMs, st.time), max(m.Behaviour, st.behaviour)
		m.Domains[d.Name()] = md
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := WriteDurably(filepath.Join(dir, ManifestName), append(b, '\n')); err != nil {
		return nil, err
	}
	return m, dropOldCheckpoints(root, filepath.Base(dir))
}

func inspectView(dir string) (st viewState, md ManifestDomain, err error) {
	defer CatchStorage(&err)
	s, err := OpenPebble(dir, PebbleOptions{ReadOnly: true})
	if err != nil {
		return st, md, err
	}
	defer s.Close()
	snap := s.Snapshot()
	defer snap.Close()
	if st, err = readState(snap); err != nil {
		return st, md, err
	}
	hash, rows := ContentHash(snap)
	return st, ManifestDomain{fmt.Sprintf("%016x", st.chain), fmt.Sprintf("%016x", hash), rows}, nil
}

// ReadManifest reads the manifest of a complete checkpoint.
func ReadManifest(dir string) (*Manifest, error) {
	b, err := os.ReadFile(filepath.Join(dir, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not a complete checkpoint: it has no %s", dir, ManifestName)
	}
	if err != nil {
		return nil, err
	}
	m := &Manifest{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestName, err)
	}
	if m.Format != 1 {
		return nil, fmt.Errorf("%s has format %d, this binary knows 1", ManifestName, m.Format)
	}
	return m, nil
}

// dropOldCheckpoints keeps the newest complete ones, and of the others only those that are newer than the one just
// finished: they may be under way. A copy that nobody finished would hold back the disk space of its view for ever.
func dropOldCheckpoints(root, finished string) error {
	dirs, err := os.ReadDir(root) // by name, which is by position
	if err != nil {
		return err
	}
	kept := 0
	for _, d := range slices.Backward(dirs) {
		if !checkpointName.MatchString(d.Name()) {
			continue
		}
		dir := filepath.Join(root, d.Name())
		_, err := os.Stat(filepath.Join(dir, ManifestName))
		switch {
		case err == nil && kept < keepCheckpoints:
			kept++
			continue
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case err != nil && d.Name() >= finished:
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// BeginEpoch turns a copied view of a checkpoint into the beginning of a new epoch (BeginEpochIn), durably. It returns the
// content hash, which stays as it was.
func BeginEpoch(dir string, cut Position, epoch uint32) (hash string, err error) {
	defer CatchStorage(&err)
	s, err := OpenPebble(dir, PebbleOptions{})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := BeginEpochIn(s, cut, epoch); err != nil {
		return "", err
	}
	snap := s.Snapshot()
	defer snap.Close()
	h, _ := ContentHash(snap)
	return fmt.Sprintf("%016x", h), nil
}

// BeginEpochIn makes a copied view the beginning of a new epoch: row e says where the old one was cut, the position is
// (epoch, 0), the log's cursor is dropped. It is durable when this returns.
func BeginEpochIn(s Store, cut Position, epoch uint32) error {
	b := s.Begin()
	st, err := readState(b)
	if err != nil {
		b.Discard()
		return err
	}
	if st.pos != cut {
		b.Discard()
		return fmt.Errorf("it stands at %s, not at %s", st.pos, cut)
	}
	b.Set(epochKey(epoch), encodeEpochRow(cut))
	st.pos, st.cursor = Position{Epoch: epoch}, nil
	b.Set(positionKey, st.encode(nil))
	return errors.Join(b.Commit(), s.Sync())
}
