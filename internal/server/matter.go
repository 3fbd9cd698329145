package server

import (
	"fmt"
	"time"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// Matter is one thing that an operator should know of the cell or of a drill: as a word of a list and a figure, so that a page says it
// in the language of who reads it, and as a sentence for terminals.
type Matter struct {
	Kind string `json:"kind"`
	// On is the site, or the archive, that it is about.
	On string `json:"on,omitempty"`
	// N is the figure that goes with the kind.
	N int64 `json:"n,omitempty"`
	// Detail is the cause in the program's own words.
	Detail string `json:"detail,omitempty"`
}

// Kinds of matters. A page that does not know one shows the sentence.
const (
	MatterUnreachable  = "unreachable"
	MatterNotReady     = "not_ready"
	MatterSuperseded   = "superseded"
	MatterDisputed     = "disputed"
	MatterCatchingUp   = "catching_up"
	MatterDraining     = "draining"
	MatterBehind       = "behind" // by N entries
	MatterDiskFull     = "disk_full"
	MatterDiskLow      = "disk_low"
	MatterClockOff     = "clock_off"   // by N ms
	MatterCertificate  = "certificate" // for N days
	MatterNeverDrilled = "never_drilled"
	MatterDrillOverdue = "drill_overdue" // both: for N days

	MatterArchiveBehind  = "archive_behind" // by N seconds
	MatterArchiveFails   = "archive_fails"
	MatterArchiveEmpty   = "archive_empty"
	MatterArchiveHole    = "archive_hole"
	MatterCheckpointLate = "checkpoint_late" // N hours old

	// Of a drill, why it did not hold or could not be gone on with.
	MatterPeopleGone  = "people_gone"
	MatterNotStarted  = "not_started"
	MatterNotServing  = "not_serving"
	MatterNotWell     = "not_well"
	MatterReadLate    = "read_late" // these three: within N seconds
	MatterNotRead     = "not_read"
	MatterNotRecorded = "not_recorded"
	MatterSendsFailed = "sends_failed"
	MatterUnanswered  = "unanswered" // N sends
	MatterNotBrought  = "not_brought"
	MatterTrespass    = "trespass"
	MatterNotTried    = "not_tried"
)

// sentences say each kind, in English.
var sentences = map[string]func(m Matter) string{
	MatterUnreachable: func(m Matter) string { return m.On + " does not answer" + m.because() },
	MatterNotReady:    func(m Matter) string { return m.On + " serves nobody" + m.because() },
	MatterSuperseded:  func(m Matter) string { return m.On + " serves nobody" + m.because() },
	MatterDisputed: func(m Matter) string {
		return m.On + " was rescued or restored while this cell serves: stop it, move its directory away and start it with an empty one"
	},
	MatterCatchingUp: func(m Matter) string { return m.On + " is catching up and does not count yet" },
	MatterDraining:   func(m Matter) string { return m.On + " has sent its people elsewhere until it is started again" },
	MatterBehind:     func(m Matter) string { return fmt.Sprintf("%s is %d entries behind", m.On, m.N) },
	MatterDiskFull:   func(m Matter) string { return m.On + " takes no messages, and its people go elsewhere" + m.because() },
	MatterDiskLow: func(m Matter) string {
		return fmt.Sprintf("the disk of %s is nearly full: make room; it does not lead until there is some", m.On)
	},
	MatterClockOff: func(m Matter) string {
		return fmt.Sprintf("the clock of %s is off by %.1f s: it stamps and leads no more until it is set", m.On, float64(m.N)/1000)
	},
	MatterCertificate: func(m Matter) string { return fmt.Sprintf("the certificate of %s ends in %d days", m.On, m.N) },
	MatterNeverDrilled: func(m Matter) string {
		return fmt.Sprintf("no fire drill has held in the %d days of this cluster: run bonghwa drill, and record its report", m.N)
	},
	MatterDrillOverdue: func(m Matter) string {
		return fmt.Sprintf("the last fire drill that held was %d days ago: run bonghwa drill, and record its report", m.N)
	},
	MatterArchiveBehind: func(m Matter) string {
		s := fmt.Sprintf("the archive in %s is %s behind: what came since is lost with all sites", m.On, time.Duration(m.N)*time.Second)
		if m.Detail != "" {
			s += "; " + m.Detail
		}
		return s
	},
	MatterArchiveFails: func(m Matter) string {
		return fmt.Sprintf("the archive in %s cannot be written at the moment%s", m.On, m.because())
	},
	MatterArchiveEmpty: func(m Matter) string { return fmt.Sprintf("nothing is in the archive in %s yet", m.On) },
	MatterArchiveHole: func(m Matter) string {
		return m.Detail + " are not in the archive: no time between them can be restored"
	},
	MatterCheckpointLate: func(m Matter) string {
		return fmt.Sprintf("the newest checkpoint in the archive is %d hours old: none could be taken since", m.N)
	},
	MatterPeopleGone: func(Matter) string { return "the twelve people ended during the drill" },
	MatterNotStarted: func(m Matter) string { return m.On + " could not be started" + m.because() },
	MatterNotServing: func(m Matter) string { return fmt.Sprintf("%s did not serve within %d s", m.On, m.N) },
	MatterNotWell:    func(m Matter) string { return fmt.Sprintf("the sites did not become well again within %d s", m.N) },
	MatterReadLate: func(m Matter) string {
		return fmt.Sprintf("what was acknowledged could not be read back within %d s", m.N)
	},
	MatterNotRead:     func(m Matter) string { return "not everything could be read back" + m.because() },
	MatterNotRecorded: func(m Matter) string { return "the drill could not be recorded" + m.because() },
	MatterSendsFailed: func(m Matter) string { return "messages could not be sent" + m.because() },
	MatterUnanswered:  func(m Matter) string { return fmt.Sprintf("%d sends were not answered", m.N) },
	MatterNotBrought:  func(m Matter) string { return "messages were not brought to everybody" + m.because() },
	MatterTrespass:    func(m Matter) string { return "what is forbidden was done" + m.because() },
	MatterNotTried:    func(m Matter) string { return "not all that is forbidden was tried" + m.because() },
}

// because is the detail behind a colon, if there is one.
func (m Matter) because() string {
	if m.Detail == "" {
		return ""
	}
	return ": " + m.Detail
}

// String says it in English.
func (m Matter) String() string {
	if say := sentences[m.Kind]; say != nil {
		return say(m)
	}
	return m.Kind + m.because()
}

// mattersOf are matters on the wire.
func mattersOf(list []Matter) (out []*apiv1.Matter) {
	for _, m := range list {
		out = append(out, &apiv1.Matter{Kind: m.Kind, On: m.On, N: m.N, Detail: m.Detail, Text: m.String()})
	}
	return out
}

// add says something in the status.
func (s *Status) add(list ...Matter) {
	for _, m := range list {
		s.Matters, s.Words = append(s.Matters, m), append(s.Words, m.String())
	}
}
