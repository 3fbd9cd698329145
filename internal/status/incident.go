// Package status is what the public may know of how the service is: which sites are there, what works, and what went wrong
// and for how long. It watches (Watcher), brings together what several sites have seen (Merge), and shows it (Page).
//
// Guarantees: everything shown was measured or seen by a node; what this node cannot know is called unknown. No version, no
// address between nodes and no cause of an error is in any type of this package, so none can be shown. An anonymous request
// is answered from bytes that were rendered once for everybody.
//
// Watcher and Merge have no clock and no I/O. Not given: an outage of every site at once is known only to those who read
// the page then; there is nobody to measure it.
package status

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// Kind says what went wrong.
type Kind string

const (
	// KindSite: a site did not answer, or served nobody.
	KindSite Kind = "site"
	// KindSends: what was sent at a site was not acknowledged.
	KindSends Kind = "sends"
)

// Incident is something that people noticed, or could have.
type Incident struct {
	Kind Kind `json:"kind"`
	// Sites it is about: one, and of KindSends several when it was the same everywhere. Empty name: this machine is all there is.
	Sites []string  `json:"sites"`
	Since time.Time `json:"since"`
	// Fine is since when all has been well again, without being over yet.
	Fine time.Time `json:"fine,omitzero"`
	// Until is zero while it lasts.
	Until time.Time `json:"until,omitzero"`
	// Wait is the longest that an acknowledgement was waited for, in milliseconds, where it was seen from.
	Wait int64 `json:"wait_ms"`
	// Late: its end was not seen, Until is when it was found to be over.
	Late bool `json:"late,omitempty"`
}

// Over says that it has ended.
func (i Incident) Over() bool { return !i.Until.IsZero() }

// ID is the same at every site that saw it begin in the same look.
func (i Incident) ID() string {
	return string(i.Kind) + "-" + i.Sites[0] + "-" + strconv.FormatInt(i.Since.Unix(), 36)
}

// Kept is how many incidents a node keeps.
const Kept = 200

// Encode writes incidents as JSON lines, the oldest first, the newest Kept of them.
func Encode(list []Incident) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	for _, i := range list[max(0, len(list)-Kept):] {
		_ = e.Encode(i) // to memory, of plain values
	}
	return b.Bytes()
}

// Decode reads what Encode wrote. Lines that cannot be read are left out: a page without them is better than none.
func Decode(b []byte) (list []Incident) {
	for line := range bytes.Lines(b) {
		var i Incident
		if json.Unmarshal(line, &i) == nil && len(i.Sites) > 0 && !i.Since.IsZero() && (i.Kind == KindSite || i.Kind == KindSends) {
			list = append(list, i)
		}
	}
	return list[max(0, len(list)-Kept):]
}

// Merge brings together what several sites have seen, the newest first. The same site, or sends anywhere, at overlapping
// times are one incident: it began when the first saw it, and ended when the last saw it end. That sends stopped at a site
// which the others could not reach is part of that.
func Merge(lists ...[]Incident) []Incident {
	all := slices.Concat(lists...)
	slices.SortStableFunc(all, func(a, b Incident) int { return a.Since.Compare(b.Since) })
	var out []Incident
	for _, i := range all {
		if k := slices.IndexFunc(out, func(o Incident) bool { return same(o, i) }); k >= 0 {
			out[k] = join(out[k], i)
			continue
		}
		i.Sites = slices.Clone(i.Sites)
		out = append(out, i)
	}
	out = slices.DeleteFunc(out, func(i Incident) bool {
		return i.Kind == KindSends && len(i.Sites) == 1 && slices.ContainsFunc(out, func(o Incident) bool {
			return o.Kind == KindSite && o.Sites[0] == i.Sites[0] && overlap(o, i)
		})
	})
	slices.SortStableFunc(out, func(a, b Incident) int {
		return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.Kind, b.Kind), slices.Compare(a.Sites, b.Sites))
	})
	return out
}

func same(a, b Incident) bool {
	return a.Kind == b.Kind && (a.Kind == KindSends || a.Sites[0] == b.Sites[0]) && overlap(a, b)
}

// nearby is how far apart two sites may see the same end and the same begin.
const nearby = closeAfter

func overlap(a, b Incident) bool {
	return (!a.Over() || !b.Since.After(a.Until.Add(nearby))) && (!b.Over() || !a.Since.After(b.Until.Add(nearby)))
}

// join makes one of two that overlap; a began first.
func join(a, b Incident) Incident {
	for _, s := range b.Sites {
		if !slices.Contains(a.Sites, s) {
			a.Sites = append(a.Sites, s)
		}
	}
	slices.Sort(a.Sites)
	a.Wait = max(a.Wait, b.Wait)
	switch {
	case a.Over() && b.Over() && a.Late != b.Late:
		// Who was away when it ended does not know better than who was there.
		if a.Late {
			a.Until, a.Late = b.Until, false
		}
	case a.Over() && b.Over():
		if b.Until.After(a.Until) {
			a.Until = b.Until
		}
	case a.Over():
		a.Until, a.Fine, a.Late = time.Time{}, b.Fine, false
	case !b.Over() && (b.Fine.IsZero() || b.Fine.After(a.Fine)) && !a.Fine.IsZero():
		a.Fine = b.Fine
	}
	return a
}
