package kernel

import (
	"github.com/cockroachdb/pebble/v2"
	dto "github.com/prometheus/client_model/go"
)

// Metrics for /metrics: bytes on disk and what the engine is busy with.
func (s *PebbleStore) Metrics() *pebble.Metrics { return s.db.Metrics() }

// Syncs is how many fsyncs the write-ahead log has made.
func (s *PebbleStore) Syncs() float64 {
	h := s.db.Metrics().LogWriter.FsyncLatency
	if h == nil {
		return 0
	}
	var m dto.Metric
	if err := h.Write(&m); err != nil {
		return 0
	}
	return float64(m.GetHistogram().GetSampleCount())
}
