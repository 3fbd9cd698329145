package gateway

import (
	"github.com/prometheus/client_golang/prometheus"
)

// metrics of the gateway. Labels never hold ids.
type metrics struct {
	registry                              *prometheus.Registry
	connections, hashQueue, helloQueue    prometheus.Gauge
	framesIn, framesOut, submits, dropped prometheus.Counter
	malformed                             prometheus.Counter
	results                               *prometheus.CounterVec
	lag                                   prometheus.Histogram
}

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "bonghwa", Subsystem: "gateway", Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "bonghwa", Subsystem: "gateway", Name: name, Help: help})
	}
	m := &metrics{
		registry:    prometheus.NewRegistry(),
		connections: gauge("connections", "WebSocket connections open."),
		hashQueue:   gauge("hash_queue", "Log-ins waiting for their turn to hash a password."),
		helloQueue:  gauge("hello_queue", "Clients waiting for their turn to be told what they have missed."),
		framesIn:    counter("frames_in_total", "Frames received over /live."),
		framesOut:   counter("frames_out_total", "Frames queued for /live connections."),
		submits:     counter("submits_total", "Commands submitted for /live sessions."),
		dropped:     counter("queue_drops_total", "Connections that were too slow and told to resync."),
		malformed:   counter("malformed_frames_total", "Connections closed because of a malformed frame."),
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "bonghwa", Subsystem: "gateway", Name: "results_total", Help: "Answers by way and reason.",
		}, []string{"way", "reason"}),
		lag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "bonghwa", Subsystem: "gateway", Name: "delivery_lag_seconds", Help: "From an entry's time to its events being queued here.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5},
		}),
	}
	m.registry.MustRegister(m.connections, m.hashQueue, m.helloQueue, m.framesIn, m.framesOut, m.submits, m.dropped, m.malformed, m.results, m.lag)
	return m
}

// Registry has the gateway's metrics; others may add theirs to be shown at /metrics.
func (g *Gateway) Registry() *prometheus.Registry { return g.metrics.registry }

func (m *metrics) result(way string, f *Failure) {
	reason := "ok"
	if f != nil {
		reason = f.Reason.String()
	}
	m.results.WithLabelValues(way, reason).Inc()
}
