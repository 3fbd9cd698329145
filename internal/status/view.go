package status

import (
	"slices"
	"time"
)

// State is how a site is.
type State string

const (
	Up       State = "up"
	Draining State = "draining"
	// Joining: it has not been part of the cell yet.
	Joining State = "joining"
	// NotReady: it answers other nodes, but nobody else.
	NotReady State = "not ready"
	// Superseded: the cell goes on in a newer epoch without it.
	Superseded State = "superseded"
	Silent     State = "silent"
	// Unknown: it does not answer a node that may itself be cut off.
	Unknown State = "unknown"
)

// Site is a site as people may know it.
type Site struct {
	// Name is empty where this machine is all there is.
	Name  string
	URL   string
	State State
	// Refuses: it takes no sends, because its disk is nearly full. Slow: its acknowledgements are waited for.
	Refuses, Slow bool
}

// View is what a page shows.
type View struct {
	At time.Time
	// Here is the site that says it.
	Here      string
	Sites     []Site
	Incidents []Incident
}

// Level is how well something works.
type Level int

const (
	Fine Level = iota
	Worse
	Off
	// Dark: this site cannot tell.
	Dark
	// Planned: taken out of service on purpose, or not in service yet.
	Planned
)

// What people can do. Each works, or not, with what it needs of the system.
const (
	Sending = "send"  // an acknowledgement: a quorum
	Reading = "read"  // a site that is ready
	LogIn   = "login" // a session is written before it is given
	Photos  = "photo" // looking at them is reading; changing one is sending
)

// services in their order on the page.
var services = []string{Sending, Reading, LogIn, Photos}

// Alone says that this machine is all there is.
func (v View) Alone() bool { return len(v.Sites) == 1 && v.Sites[0].Name == "" }

// Blind says that this site is not ready and sees no other one that is.
func (v View) Blind() bool {
	return !v.Alone() && !slices.ContainsFunc(v.Sites, func(s Site) bool { return s.State == Up }) && v.any(Unknown)
}

func (v View) any(st State) bool {
	return slices.ContainsFunc(v.Sites, func(s Site) bool { return s.State == st })
}

// Service says how well a service works.
func (v View) Service(name string) Level {
	read, send := v.reads(), v.sends()
	switch name {
	case Reading:
		return read
	case Photos:
		if read == Fine && send != Fine {
			return Worse
		}
		return read
	}
	return send
}

func (v View) reads() Level {
	switch {
	case v.any(Up):
		return Fine
	case v.Blind():
		return Dark
	}
	return Off
}

func (v View) sends() Level {
	var well, slow, off int
	for _, s := range v.Sites {
		switch {
		case s.State != Up:
		case s.Refuses:
			off++
		case s.Slow:
			slow++
		default:
			well++
		}
	}
	switch {
	case v.Blind():
		return Dark
	case well > 0 && slow+off == 0:
		return Fine
	case well+slow > 0:
		return Worse
	}
	return Off
}

// Level says how well a site works.
func (s Site) Level() Level {
	switch s.State {
	case Up:
		if s.Refuses || s.Slow {
			return Worse
		}
		return Fine
	case Draining, Joining:
		return Planned
	case Unknown:
		return Dark
	}
	return Off
}

// Indicator sums it up, in the words of well-known status pages: none, minor, major or critical.
func (v View) Indicator() string {
	worst := Fine
	for _, name := range services {
		worst = max(worst, v.Service(name))
	}
	switch {
	case worst >= Off:
		return "critical"
	case worst == Worse:
		return "major"
	case len(v.Open()) > 0, slices.ContainsFunc(v.Sites, func(s Site) bool { return s.Level() != Fine && s.Level() != Planned }):
		return "minor"
	}
	return "none"
}

// Open are the incidents that last.
func (v View) Open() []Incident {
	return slices.DeleteFunc(slices.Clone(v.Incidents), Incident.Over)
}

// lit are the sites that serve people, away those that should and do not.
func (v View) lit() (names []string) { return v.names(func(s Site) bool { return s.State == Up }) }
func (v View) away() (names []string) {
	return v.names(func(s Site) bool { return s.State == Silent || s.State == NotReady || s.State == Superseded })
}

func (v View) names(want func(Site) bool) (names []string) {
	for _, s := range v.Sites {
		if want(s) {
			names = append(names, s.Name)
		}
	}
	return names
}
