package inspect

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// DiffOptions say what to compare.
type DiffOptions struct {
	// A and B are views: directories of a stopped server (views/chat) or of a checkpoint.
	A, B string
	// Key shows one row of both, in hex.
	Key string
	// Most rows to print; 0 = 50.
	Most int
}

// ErrDiffer is returned when the views differ.
var ErrDiffer = errors.New("the views differ")

// Diff prints where two views differ, row by row, and returns ErrDiffer if they do. Positions are printed; whether they
// and the rows of epochs (e) differ does not matter, as for the content hash: the same contents may stand at different
// positions of different epochs.
func Diff(w io.Writer, o DiffOptions) (err error) {
	defer func() {
		if f := kernel.FaultOf(recover()); f != nil {
			err = errors.New(Sentence(*f))
		}
	}()
	a, err := openSnapshot(o.A)
	if err != nil {
		return err
	}
	defer a.close()
	b := a // a view can be opened once only, and two names may lead to it
	if !same(o.A, o.B) {
		if b, err = openSnapshot(o.B); err != nil {
			return err
		}
		defer b.close()
	}
	for _, v := range []*view{a, b} {
		hash, rows := kernel.ContentHash(v.snap)
		fmt.Fprintf(w, "%s: position %s, %d rows, content hash %016x\n", v.dir, kernel.PositionOf(v.snap), rows, hash)
	}
	if o.Key != "" {
		return diffKey(w, a, b, o.Key)
	}
	return diffAll(w, a, b, max(o.Most, 0))
}

type view struct {
	dir   string
	store *kernel.PebbleStore
	snap  kernel.StoreSnapshot
}

func openSnapshot(dir string) (*view, error) {
	s, err := kernel.OpenPebble(dir, kernel.PebbleOptions{ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("%s is no view that can be read: %s", dir, Sentence(err))
	}
	return &view{filepath.Clean(dir), s, s.Snapshot()}, nil
}

func same(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

func (v *view) close() {
	v.snap.Close()
	v.store.Close()
}

func diffKey(w io.Writer, a, b *view, key string) error {
	k, err := hex.DecodeString(key)
	if err != nil {
		return fmt.Errorf("--key takes hex: %v", err)
	}
	av, aok := a.snap.Get(k)
	bv, bok := b.snap.Get(k)
	for _, x := range []struct {
		n  string
		v  []byte
		ok bool
	}{{"A", av, aok}, {"B", bv, bok}} {
		if !x.ok {
			fmt.Fprintf(w, "%s: no such row\n", x.n)
			continue
		}
		fmt.Fprintf(w, "%s: %d bytes\n%s", x.n, len(x.v), hex.Dump(x.v))
	}
	if aok != bok || !bytes.Equal(av, bv) {
		return ErrDiffer
	}
	return nil
}

// diffAll walks both views in step, a stretch of rows at a time.
func diffAll(w io.Writer, a, b *view, most int) error {
	if most == 0 {
		most = 50
	}
	ra, rb := &walker{r: a.snap, next: []byte{0x01}}, &walker{r: b.snap, next: []byte{0x01}}
	differ := 0
	report := func(what string, k []byte) {
		if differ++; differ <= most {
			fmt.Fprintf(w, "%-9s %s  %s\n", what, strconv.QuoteToASCII(string(k[:1])), hex.EncodeToString(k))
		}
	}
	for {
		ka, va, oka := ra.peek()
		kb, vb, okb := rb.peek()
		switch {
		case !oka && !okb:
			if differ == 0 {
				fmt.Fprintln(w, "equal")
				return nil
			}
			fmt.Fprintf(w, "%d rows differ\n", differ)
			return ErrDiffer
		case !okb || oka && bytes.Compare(ka, kb) < 0:
			report("only in A", ka)
			ra.step()
		case !oka || bytes.Compare(ka, kb) > 0:
			report("only in B", kb)
			rb.step()
		default:
			if !bytes.Equal(va, vb) {
				report("differs", ka)
			}
			ra.step()
			rb.step()
		}
	}
}

type walker struct {
	r    kernel.Reader
	next []byte // nil at the end
	rows [][2][]byte
}

func (x *walker) peek() (k, v []byte, ok bool) {
	if len(x.rows) == 0 && x.next != nil {
		from := x.next
		x.next = nil
		x.r.Scan(from, []byte{0xff, 0xff}, func(k, v []byte) bool {
			if len(x.rows) == 1000 {
				x.next = append([]byte(nil), k...)
				return false
			}
			if k[0] == 'e' {
				return true
			}
			x.rows = append(x.rows, [2][]byte{k, v})
			return true
		})
	}
	if len(x.rows) == 0 {
		return nil, nil, false
	}
	return x.rows[0][0], x.rows[0][1], true
}

func (x *walker) step() { x.rows = x.rows[1:] }
