package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
)

// Begun says, in the open, who began an epoch: a site of an earlier epoch has no key for the segments, and must know that its
// cell goes on without it.
type Begun struct {
	Epoch uint32 `json:"-"`
	// Cluster is the name of the cluster whose site began to write the epoch.
	Cluster string `json:"cluster"`
	// Before is the newest epoch before it that the archive had then, but for those of other clusters, and Last the last entry of
	// that; 0: there was none.
	Before uint32 `json:"before,omitempty"`
	Last   uint64 `json:"last,omitempty"`
}

const begunPrefix = "epoch/"

var begunKey = regexp.MustCompile(`^epoch/([0-9a-f]{8})$`)

func keyOfBegun(epoch uint32) string { return fmt.Sprintf("%s%08x", begunPrefix, epoch) }

// Begin notes who begins an epoch, once: who has begun it stays so.
func Begin(ctx context.Context, t Target, epoch uint32, cluster string) error {
	r, err := t.Get(ctx, keyOfBegun(epoch))
	if err == nil {
		return r.Close()
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	b := Begun{Cluster: cluster}
	logs, err := Epochs(ctx, t)
	if err != nil {
		return err
	}
	known, err := BegunAfter(ctx, t, 0)
	if err != nil {
		return err
	}
	for _, e := range logs {
		others := slices.ContainsFunc(known, func(o Begun) bool { return o.Epoch == e && o.Cluster != cluster })
		if e < epoch && !others {
			b.Before = e
		}
	}
	if b.Last, err = End(ctx, t, b.Before); err != nil {
		return err
	}
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return t.Put(ctx, keyOfBegun(epoch), bytes.NewReader(append(text, '\n')), int64(len(text)+1))
}

// End is the last entry of an epoch that is in the archive; 0: there is none.
func End(ctx context.Context, t Target, epoch uint32) (last uint64, err error) {
	list, err := Checkpoints(ctx, t)
	if err != nil {
		return 0, err
	}
	for _, c := range list {
		if c.Pos.Epoch == epoch {
			last = c.Pos.N
		}
	}
	for _, near := range []uint64{last, 0} { // what follows the checkpoint, or, if nothing does, whatever there is
		n, err := Last(ctx, t, epoch, near)
		if err != nil || n > 0 {
			return max(n, last), err
		}
	}
	return last, nil
}

// BegunAfter lists the epochs after one that somebody has begun, oldest first.
func BegunAfter(ctx context.Context, t Target, epoch uint32) (list []Begun, err error) {
	err = t.List(ctx, begunPrefix, keyOfBegun(epoch), func(key string, _ int64) bool {
		if m := begunKey.FindStringSubmatch(key); m != nil {
			e, _ := strconv.ParseUint(m[1], 16, 32)
			list = append(list, Begun{Epoch: uint32(e)})
		}
		return true
	})
	for i := range list {
		if err == nil {
			err = list[i].read(ctx, t)
		}
	}
	return list, err
}

func (b *Begun) read(ctx context.Context, t Target) error {
	r, err := t.Get(ctx, keyOfBegun(b.Epoch))
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, b); err != nil {
		return fmt.Errorf("%s in %s: %w", keyOfBegun(b.Epoch), t, ErrDamaged)
	}
	return nil
}
