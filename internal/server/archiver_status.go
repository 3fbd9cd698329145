package server

import (
	"fmt"
	"time"
)

const (
	// archiveLate and checkpointLate are what an operator must hear of.
	archiveLate    = time.Minute
	checkpointLate = 48 * time.Hour
)

// ArchiveStatus is how the archive is, as one node sees it.
type ArchiveStatus struct {
	To    string `json:"to"`
	Epoch uint32 `json:"epoch"`
	// N is the last entry in it. BehindSeconds is how old the oldest command is that is not.
	N             uint64  `json:"n"`
	BehindSeconds float64 `json:"behind_seconds"`
	// Writes: this node writes the log into it.
	Writes bool `json:"writes,omitempty"`
	// Failing is why the target cannot be used.
	Failing string `json:"failing,omitempty"`
	// CheckpointN and CheckpointMs (Unix) are of the newest checkpoint of this epoch in it.
	CheckpointN  uint64 `json:"checkpoint_n,omitempty"`
	CheckpointMs uint64 `json:"checkpoint_ms,omitempty"`
	// Hole says what of the log is missing in it, since this node's start.
	Hole string `json:"hole,omitempty"`
}

// status is how the archive is.
func (a *archiver) status(c *core) *ArchiveStatus {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &ArchiveStatus{To: a.t.String(), Epoch: c.log.Epoch(), N: a.archived.Load(), Writes: a.mu.writes, Failing: a.mu.failing,
		CheckpointN: a.mu.checkpoint.N, CheckpointMs: a.mu.checkpointMs, Hole: a.mu.hole}
	var behind time.Duration
	switch {
	case a.mu.writes && !a.mu.since.IsZero():
		behind = a.now().Sub(a.mu.since)
	case a.mu.failing != "":
		behind = a.now().Sub(a.mu.moved)
	case !a.mu.writes && c.node.Ready() == nil:
		// The one that writes does so once a minute at least.
		if still := a.now().Sub(a.mu.moved); still > archiveIdle+2*archiveHear {
			behind = still
		}
	}
	s.BehindSeconds = behind.Seconds()
	return s
}

// alarms are what an operator must look at. A cell that has no checkpoint in the archive yet has had no day for it.
func (s *ArchiveStatus) alarms(now time.Time) (list []Matter) {
	if s.late() {
		list = append(list, Matter{MatterArchiveBehind, s.To, int64(s.BehindSeconds), s.Failing})
	}
	if age := now.Sub(time.UnixMilli(int64(s.CheckpointMs))); s.CheckpointMs != 0 && age > checkpointLate {
		list = append(list, Matter{MatterCheckpointLate, s.To, int64(age.Hours()), ""})
	}
	if s.Hole != "" {
		list = append(list, Matter{MatterArchiveHole, s.To, 0, s.Hole})
	}
	return list
}

func (s *ArchiveStatus) late() bool { return s.BehindSeconds > archiveLate.Seconds() }

// passing is what keeps it from being current for the moment, and is no alarm yet.
func (s *ArchiveStatus) passing() []Matter {
	switch {
	case s.late():
	case s.Failing != "":
		return []Matter{{MatterArchiveFails, s.To, 0, s.Failing}}
	case s.N == 0:
		return []Matter{{MatterArchiveEmpty, s.To, 0, ""}}
	}
	return nil
}

// words say how it is, besides what is an alarm.
func (s *ArchiveStatus) words(now time.Time) (words []string) {
	for _, m := range s.passing() {
		words = append(words, m.String())
	}
	if len(words) == 0 && !s.late() {
		words = append(words, fmt.Sprintf("the archive in %s has everything up to entry %d, %d s ago", s.To, s.N, int(s.BehindSeconds)))
	}
	switch at := time.UnixMilli(int64(s.CheckpointMs)); {
	case s.CheckpointMs == 0:
		words = append(words, "no checkpoint of this epoch is in the archive yet")
	case now.Sub(at) <= checkpointLate:
		words = append(words, "the newest checkpoint in the archive is of "+at.Format("2006-01-02 15:04"))
	}
	return words
}

// sayArchive says how the archive is, if there is one.
func (s *Status) sayArchive(now time.Time) {
	if s.Archive != nil {
		s.add(s.Archive.alarms(now)...)
		s.Words = append(s.Words, s.Archive.words(now)...)
	}
}

// worse picks, of what two nodes say, the one that writes, or else the one that is further behind.
func worse(a, b *ArchiveStatus) *ArchiveStatus {
	if a == nil || b != nil && (b.Writes && !a.Writes || b.Writes == a.Writes && b.BehindSeconds > a.BehindSeconds) {
		return b
	}
	return a
}
