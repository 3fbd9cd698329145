package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// collector shows kernel, log and views at /metrics.
type collector struct {
	c       *core
	archive *archiver
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("bonghwa_"+name, help, labels, nil)
}

var (
	descEntries  = desc("entries_total", "Entries this node proposed.")
	descCommands = desc("commands_total", "Commands in them.")
	descRetries  = desc("proposal_retries_total", "Proposals made again because their outcome was unknown.")
	descQueued   = desc("queued_commands", "Commands waiting for the next entry.")
	descApplied  = desc("applied_n", "Last entry applied.", "domain")
	descReady    = desc("ready", "1 when this node answers reads.")
	descDisk     = desc("disk_reserve_used", "1 when commands are refused to keep the disk from filling up.")
	descDB       = desc("log_db_bytes", "Size of the log's database.")
	descLeader   = desc("log_leader", "1 when this member leads.")
	descTerm     = desc("log_term", "Raft term.")
	descLag      = desc("log_apply_lag", "Committed entries the log has not applied.")
	descSyncs    = desc("log_fsyncs_total", "fsyncs of the log's write-ahead log and database.")
	descViewSync = desc("view_fsyncs_total", "fsyncs of the views' write-ahead logs.")
	descViewDisk = desc("view_disk_bytes", "Size of a view on disk.", "domain")

	descArchiveN      = desc("archive_n", "Last entry in the archive.")
	descArchiveBehind = desc("archive_behind_seconds", "How old the oldest command is that is not in the archive.")
	descArchiveAlarm  = desc("archive_alarm", "1 when the archive is more than 60 s behind, its newest checkpoint more than 48 h old, or a part of the log missing in it.")
	descArchiveTaken  = desc("archive_checkpoint_timestamp_seconds", "When the newest checkpoint in the archive was taken; 0: none of this epoch.")
	descTaken         = desc("checkpoint_timestamp_seconds", "When the newest checkpoint beside the data was taken.")
)

func (k collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(k, ch) }

func (k collector) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, t, v, labels...)
	}
	flag := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	s := k.c.node.Stats()
	put(descEntries, prometheus.CounterValue, float64(s.Entries))
	put(descCommands, prometheus.CounterValue, float64(s.Commands))
	put(descRetries, prometheus.CounterValue, float64(s.Retries))
	put(descQueued, prometheus.GaugeValue, float64(s.Queued))
	for domain, n := range s.Applied {
		put(descApplied, prometheus.GaugeValue, float64(n), domain)
	}
	put(descReady, prometheus.GaugeValue, flag(k.c.node.Ready() == nil))
	put(descDisk, prometheus.GaugeValue, flag(s.DiskFull != ""))
	l := k.c.log.Stats()
	put(descDB, prometheus.GaugeValue, float64(l.DBBytes))
	put(descLeader, prometheus.GaugeValue, flag(l.Leader))
	put(descTerm, prometheus.GaugeValue, float64(l.Term))
	put(descLag, prometheus.GaugeValue, float64(l.Lag))
	put(descSyncs, prometheus.CounterValue, etcdSyncs())
	var syncs float64
	for i, st := range k.c.stores {
		m := st.Metrics()
		put(descViewDisk, prometheus.GaugeValue, float64(m.DiskSpaceUsage()), k.c.doms[i].Name())
		syncs += st.Syncs()
	}
	if taken := k.c.newestCheckpoint(); !taken.IsZero() {
		put(descTaken, prometheus.GaugeValue, float64(taken.Unix()))
	}
	if a := k.archive.status(k.c); a != nil {
		put(descArchiveN, prometheus.GaugeValue, float64(a.N))
		put(descArchiveBehind, prometheus.GaugeValue, a.BehindSeconds)
		put(descArchiveAlarm, prometheus.GaugeValue, flag(len(a.alarms(time.Now())) > 0))
		put(descArchiveTaken, prometheus.GaugeValue, float64(a.CheckpointMs/1000))
	}
	put(descViewSync, prometheus.CounterValue, syncs)
}

// etcdSyncs adds up what etcd counts of its own fsyncs in the default registry.
func etcdSyncs() (n float64) {
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		return 0
	}
	for _, f := range families {
		switch f.GetName() {
		case "etcd_disk_wal_fsync_duration_seconds", "etcd_disk_backend_commit_duration_seconds":
			for _, m := range f.GetMetric() {
				n += float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return n
}
