package status

import (
	"slices"
	"time"
)

const (
	// openAfter is how long something must be wrong to become an incident.
	openAfter = 2 * time.Second
	// comesAfter is how long a site that this process has not seen at work may take to come: a cell whose machines are
	// started one after another is no outage, one that comes back without a site is.
	comesAfter = time.Minute
	// closeAfter is how long it must be well again to be over.
	closeAfter = 10 * time.Second
	// blink is the longest time between two looks of which the second can go on where the first was: a process that was
	// stopped in between has not seen what happened.
	blink = 5 * time.Second
)

// Look is what a node sees at one moment, about once a second.
type Look struct {
	At time.Time
	// Here is this node's site, Sites are all.
	Here  string
	Sites []Site
	// Wait is the longest that an own entry has been waited for since the look before.
	Wait time.Duration
}

// Watcher opens and closes incidents by what it is shown. It has no clock; one goroutine uses it.
type Watcher struct {
	list   []Incident
	traces map[topic]*trace
	last   time.Time
	// seen are the sites that were at work since this process began.
	seen map[string]bool
}

// topic is what can go wrong.
type topic struct {
	kind Kind
	site string
}

// trace is what is known of a topic that is, or was just now, not well.
type trace struct {
	bad, fine time.Time
	wait      time.Duration
	// open is set once it has become an incident.
	open bool
	// from is of an incident that was open when the process ended before: nobody here saw how it went on.
	from bool
}

// NewWatcher goes on with what was kept, the oldest first.
func NewWatcher(kept []Incident) *Watcher {
	w := &Watcher{list: slices.Clone(kept), traces: map[topic]*trace{}, seen: map[string]bool{}}
	for _, i := range kept {
		if !i.Over() {
			w.traces[topic{i.Kind, i.Sites[0]}] = &trace{bad: i.Since, open: true, from: true}
		}
	}
	return w
}

// Incidents are those of this node, the oldest first.
func (w *Watcher) Incidents() []Incident { return slices.Clone(w.list) }

// See takes a look, and says whether an incident was opened or closed.
func (w *Watcher) See(l Look) (changed bool) {
	if l.At.Sub(w.last) > blink {
		w.forget()
	}
	w.last = l.At
	before := len(w.list)
	ready := slices.ContainsFunc(l.Sites, func(s Site) bool { return s.Name == l.Here && s.State == Up })
	known := map[topic]bool{{KindSends, l.Here}: true}
	for _, s := range l.Sites {
		if s.Name == l.Here {
			continue // the others say it, who can tell
		}
		t := topic{KindSite, s.Name}
		known[t] = true
		switch {
		// A node that is not ready itself may be the one that is cut off: it says nothing of the others, good or bad.
		case !ready, s.State == Joining, s.State == Unknown:
			if tr := w.traces[t]; tr != nil && !tr.open {
				delete(w.traces, t)
			}
		case s.State == Silent || s.State == NotReady:
			after := comesAfter
			if w.seen[s.Name] {
				after = openAfter
			}
			w.bad(t, l.At, l.At, l.Wait, after)
		default:
			w.seen[s.Name] = true
			changed = w.fine(t, l.At) || changed
		}
	}
	if l.Wait >= openAfter {
		w.bad(topic{KindSends, l.Here}, l.At.Add(-l.Wait), l.At, l.Wait, openAfter)
	} else {
		changed = w.fine(topic{KindSends, l.Here}, l.At) || changed
	}
	for t := range w.traces {
		if !known[t] { // the site was removed
			changed = w.end(t, l.At) || changed
		}
	}
	w.waited(l.Wait)
	changed = changed || len(w.list) > before
	w.list = w.list[max(0, len(w.list)-Kept):]
	return changed
}

// Learn takes over what another site has seen end and this one has not noticed: a look may have come a moment too late, and
// who saw it may be away when it is asked for. It says whether there was something.
func (w *Watcher) Learn(told []Incident) (changed bool) {
	for _, i := range told {
		forgotten := len(w.list) == Kept && !i.Since.After(w.list[0].Since)
		if i.Over() && len(i.Sites) > 0 && !forgotten && !slices.ContainsFunc(w.list, func(o Incident) bool { return same(o, i) && slices.Contains(o.Sites, i.Sites[0]) }) {
			w.list, changed = append(w.list, i), true
			slices.SortStableFunc(w.list, func(a, b Incident) int { return a.Since.Compare(b.Since) })
			w.list = w.list[max(0, len(w.list)-Kept):]
		}
	}
	return changed
}

// forget is for after a time in which nothing was seen.
func (w *Watcher) forget() {
	for t, tr := range w.traces {
		if !tr.open {
			delete(w.traces, t)
		} else {
			tr.fine = time.Time{}
		}
	}
}

// bad notes that something is wrong; after that long it is an incident.
func (w *Watcher) bad(t topic, since, at time.Time, wait, after time.Duration) {
	tr := w.traces[t]
	if tr == nil {
		tr = &trace{bad: since}
		w.traces[t] = tr
	}
	tr.from, tr.fine, tr.wait = false, time.Time{}, max(tr.wait, wait)
	if i := w.open(t); i != nil {
		i.Fine = time.Time{}
	}
	if !tr.open && at.Sub(tr.bad) >= after {
		tr.open = true
		w.list = append(w.list, Incident{Kind: t.kind, Sites: []string{t.site}, Since: milli(tr.bad), Wait: tr.wait.Milliseconds()})
	}
}

// fine says whether an incident was closed.
func (w *Watcher) fine(t topic, at time.Time) bool {
	tr := w.traces[t]
	switch {
	case tr == nil:
		return false
	case !tr.open:
		delete(w.traces, t)
		return false
	case tr.fine.IsZero():
		tr.fine = at
		if i := w.open(t); i != nil {
			i.Fine = milli(at)
		}
	}
	if at.Sub(tr.fine) < closeAfter {
		return false
	}
	return w.end(t, tr.fine)
}

// end closes what is open; it has been well since then.
func (w *Watcher) end(t topic, since time.Time) bool {
	tr, i := w.traces[t], w.open(t)
	delete(w.traces, t)
	if i == nil {
		return false
	}
	i.Fine, i.Until, i.Late = time.Time{}, milli(since), tr.from
	return true
}

// open is the incident of a topic that is not over.
func (w *Watcher) open(t topic) *Incident {
	for k := len(w.list) - 1; k >= 0; k-- {
		if i := &w.list[k]; !i.Over() && i.Kind == t.kind && i.Sites[0] == t.site {
			return i
		}
	}
	return nil
}

// waited notes for what is open how long people wait. What is well again stays as it was, save that its end may cost, too.
func (w *Watcher) waited(d time.Duration) {
	for k := range w.list {
		if i := &w.list[k]; !i.Over() {
			i.Wait = max(i.Wait, d.Milliseconds())
		}
	}
}

func milli(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
