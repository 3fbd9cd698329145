package drill

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"time"
)

// Report is what a drill found.
type Report struct {
	Date    time.Time `json:"date"`
	Version string    `json:"version"`
	Seed    uint64    `json:"seed"`
	People  int       `json:"people"`
	// Rounds of the random scenario, if it was played.
	Rounds int `json:"rounds,omitempty"`
	// DurationS is how long each fault was felt, in seconds.
	DurationS float64 `json:"duration_s"`
	// Sites are the names of the sites, in the order of all lists of sites below.
	Sites []string `json:"sites"`
	// Network says what stood between the sites: by what packets were lost, and what the way cost.
	Network string  `json:"network"`
	Machine Machine `json:"machine"`
	// Capacity is how many sends a second these sites carried on this machine before the drill, Offered how many they were
	// offered during it.
	Capacity float64 `json:"capacity_per_s"`
	Offered  float64 `json:"offered_per_s"`
	// RoomOffered is how many sends a second the room with the fewest was offered, by people of at least two sites.
	RoomOffered float64    `json:"room_offered_per_s"`
	Scenarios   []Scenario `json:"scenarios"`
	// Skipped lists what this machine could not play.
	Skipped []Skipped `json:"skipped,omitempty"`
	// Held: in every scenario nothing was lost, doubled, out of order or seen by somebody who may not, and everyone was served
	// again. HeldInTime: within the bounds, too.
	Held       bool `json:"held"`
	HeldInTime bool `json:"held_in_time"`
}

// Skipped is a scenario that was not played, and why.
type Skipped struct {
	Name string `json:"scenario"`
	Why  string `json:"why"`
}

// Machine is what the drill ran on.
type Machine struct {
	CPU    string  `json:"cpu"`
	Cores  int     `json:"cores"`
	MemGiB float64 `json:"mem_gib"`
	Kernel string  `json:"kernel"`
	Load1  float64 `json:"load_before"`
}

// Scenario is one fault, or a row of them, and what became of people meanwhile.
type Scenario struct {
	Name string `json:"scenario"`
	// Seconds the people talked.
	Seconds float64 `json:"seconds"`
	Faults  []Fault `json:"faults"`

	Acked        int `json:"acked"`
	Delivered    int `json:"delivered"`
	Lost         int `json:"lost"`
	Duplicated   int `json:"duplicated"`
	Reordered    int `json:"reordered"`
	Unauthorised int `json:"unauthorised"`
	// Mistimed messages bear a time that is not that of their sending.
	Mistimed int `json:"mistimed"`

	// Gaps, of people of sites that survived: the longest time from a first unanswered send to the next acknowledgement of the same
	// person in a room, and between two deliveries to a person in a room in which others kept sending. The median is over people and rooms.
	WorstSendGapMs     float64 `json:"worst_send_gap_ms"`
	WorstDeliveryGapMs float64 `json:"worst_delivery_gap_ms"`
	MedianSendGapMs    float64 `json:"median_send_gap_ms"`
	// The same of people who had to move.
	MovedWorstSendGapMs     float64 `json:"moved_worst_send_gap_ms"`
	MovedWorstDeliveryGapMs float64 `json:"moved_worst_delivery_gap_ms"`
	// BoundMs is what the gaps were held against; 0: against nothing, as where all sites were down.
	BoundMs float64 `json:"bound_ms"`
	// ReturnGapMs is the longest wait of people elsewhere while a site came back.
	ReturnGapMs float64 `json:"return_gap_ms,omitempty"`
	// Tried counts what was tried that must not be possible.
	Tried int `json:"unauthorised_tries"`
	// BackMs is the time from the return of a site until it served again, for each that returned.
	BackMs []float64 `json:"back_ms,omitempty"`
	// Schedule is what the seed drew, of a random scenario.
	Schedule []string `json:"schedule,omitempty"`
	// Checks are what was done at each other site while a site burnt, to see that nothing depends on the burnt one.
	Checks Checks `json:"without_burnt_site,omitempty"`
	// Audited lists the sites whose whole content was read back, with the content hash of their views.
	Audited []Audit `json:"audited"`

	Held       bool `json:"held"`
	HeldInTime bool `json:"held_in_time"`
	// Why says what did not hold.
	Why []string `json:"why,omitempty"`

	// Timeline has one slice for every 100 ms.
	Timeline []Slice `json:"timeline"`
}

// Fault is something that was done to the sites.
type Fault struct {
	// AtMs is when, after the beginning of the timeline.
	AtMs float64 `json:"at_ms"`
	// What: power lost, cut off, frozen, thawed, started, rebuilt, served again ...
	What string `json:"what"`
	Site string `json:"site,omitempty"`
	// By says by what means: it is real (a killed process) or injected (packets swallowed by a relay).
	By string `json:"by"`
}

// Audit is one site's answer.
type Audit struct {
	Site     string `json:"site"`
	Messages int    `json:"messages"`
	Hash     string `json:"hash"`
}

// Slice is 100 ms of the timeline; lists are by site where people lived at the beginning.
type Slice struct {
	Ms        float64   `json:"ms"`
	Acked     []int     `json:"acked"`
	Delivered []int     `json:"delivered"`
	P50       []float64 `json:"p50_ms"`
	P99       []float64 `json:"p99_ms"`
}

// sliceLength of the timeline.
const sliceLength = 100 * time.Millisecond

// conclude fills in Held and HeldInTime from the figures and from what has been noted in Why.
func (s *Scenario) conclude() {
	s.Held = s.Lost == 0 && s.Duplicated == 0 && s.Reordered == 0 && s.Unauthorised == 0 && len(s.Why) == 0
	worst := max(s.WorstSendGapMs, s.WorstDeliveryGapMs, s.MovedWorstSendGapMs, s.MovedWorstDeliveryGapMs)
	s.HeldInTime = s.Held && (s.BoundMs == 0 || worst <= s.BoundMs)
}

func (r *Report) conclude() {
	r.Held, r.HeldInTime = len(r.Scenarios) > 0, len(r.Scenarios) > 0
	for _, s := range r.Scenarios {
		r.Held, r.HeldInTime = r.Held && s.Held, r.HeldInTime && s.HeldInTime
	}
}

// WriteJSON writes the report to a file, in one line: indented, its timelines would be a hundred thousand.
func (r *Report) WriteJSON(path string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// millis is a duration for a report.
func millis(d time.Duration) float64 { return math.Round(float64(d)/float64(time.Millisecond)*10) / 10 }

// quantile of unsorted values, which it sorts; 0 of none.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[min(int(q*float64(len(v))), len(v)-1)]
}
