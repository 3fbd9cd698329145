package server

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// scan reads every row after an unclean stop. One that is cut off by a stop is done again at the next start.
func (s *Server) scan() {
	switch err := scanViews(s.duty, s.o.Logger, s.core.doms, s.core.stores); {
	case err == nil:
		s.sound.Store(true)
	case s.duty.Err() == nil:
		s.o.Fatal(err)
	}
}

// scanViews reads every row of every view at low priority: the engine verifies its checksums, the domain says whether
// the row can be what it must. The first damaged row ends the scan with the sentence for the operator.
func scanViews(ctx context.Context, log *slog.Logger, doms []kernel.Domain, stores []*kernel.PebbleStore) error {
	start, rows := time.Now(), 0
	for i, d := range doms {
		n, err := scanView(ctx, d, stores[i])
		rows += n
		if err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	log.Info("every row was read after the unclean stop", "rows", rows, "ms", time.Since(start).Milliseconds())
	return nil
}

// scanBatch rows are read at a stretch, then the scan rests as long as it worked, so that it takes half a core at the
// most.
const scanBatch = 2000

func scanView(ctx context.Context, d kernel.Domain, s kernel.Store) (rows int, err error) {
	from := []byte{0}
	for from != nil && ctx.Err() == nil {
		t0 := time.Now()
		var n int
		if from, n, err = scanSome(d, s, from); err != nil {
			return rows, damaged(d.Name(), err)
		}
		rows += n
		select {
		case <-ctx.Done():
		case <-time.After(time.Since(t0)):
		}
	}
	return rows, nil
}

// scanSome checks the next rows and says where to go on, nil at the end.
func scanSome(d kernel.Domain, s kernel.Store, from []byte) (next []byte, n int, err error) {
	defer kernel.CatchStorage(&err)
	snap := s.Snapshot()
	defer snap.Close()
	snap.Scan(from, []byte{0xff, 0xff}, func(k, v []byte) bool {
		if n == scanBatch {
			next = append([]byte(nil), k...)
			return false
		}
		n++
		if e := kernel.CheckRow(d, k, v); e != nil {
			err = fmt.Errorf("row %x: %v", k, e)
			return false
		}
		return true
	})
	return next, n, err
}
