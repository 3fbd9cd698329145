package status

import (
	"encoding/json"
	"strings"
	"time"
)

// The JSON has the shape of the summary of well-known status pages (/api/v2/summary.json of Atlassian's Statuspage), so that
// what reads theirs reads ours. Texts are Korean, with the English beside them in fields of our own (_en). Incidents that are
// over stay in the list, with their status, as long as the page shows them.

type summary struct {
	Page         summaryPage        `json:"page"`
	Status       summaryStatus      `json:"status"`
	Components   []summaryComponent `json:"components"`
	Incidents    []summaryIncident  `json:"incidents"`
	Maintenances []struct{}         `json:"scheduled_maintenances"`
}

type summaryPage struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	URL      string `json:"url"`
	TimeZone string `json:"time_zone"`
	Updated  string `json:"updated_at"`
	// Here is the site that answers.
	Here string `json:"site,omitempty"`
}

type summaryStatus struct {
	Indicator     string `json:"indicator"`
	Description   string `json:"description"`
	DescriptionEn string `json:"description_en"`
}

type summaryComponent struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	NameEn        string  `json:"name_en"`
	Status        string  `json:"status"`
	Description   string  `json:"description"`
	DescriptionEn string  `json:"description_en"`
	Position      int     `json:"position"`
	Group         bool    `json:"group"`
	GroupID       *string `json:"group_id"`
	Showcase      bool    `json:"showcase"`
	OnlyDegraded  bool    `json:"only_show_if_degraded"`
	PageID        string  `json:"page_id"`
	Updated       string  `json:"updated_at"`
}

type summaryIncident struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	NameEn     string          `json:"name_en"`
	Status     string          `json:"status"`
	Impact     string          `json:"impact"`
	Created    string          `json:"created_at"`
	Started    string          `json:"started_at"`
	Updated    string          `json:"updated_at"`
	Monitoring *string         `json:"monitoring_at"`
	Resolved   *string         `json:"resolved_at"`
	PageID     string          `json:"page_id"`
	Updates    []summaryUpdate `json:"incident_updates"`
	// Sites and WaitMS are ours: what it is about, and the longest wait for an acknowledgement that was measured.
	Sites  []string `json:"sites"`
	WaitMS int64    `json:"longest_wait_ms"`
}

type summaryUpdate struct {
	ID         string `json:"id"`
	IncidentID string `json:"incident_id"`
	Status     string `json:"status"`
	Body       string `json:"body"`
	BodyEn     string `json:"body_en"`
	Created    string `json:"created_at"`
	Updated    string `json:"updated_at"`
	Display    string `json:"display_at"`
}

const pageID = "bonghwa"

// json writes a view as a summary.
func (v View) json() ([]byte, error) {
	now := stamp(v.At)
	s := summary{
		Page:         summaryPage{ID: pageID, Name: "봉화", URL: "/status", TimeZone: "Asia/Seoul", Updated: now, Here: v.Here},
		Status:       summaryStatus{Indicator: v.Indicator()},
		Components:   []summaryComponent{},
		Incidents:    []summaryIncident{},
		Maintenances: []struct{}{},
	}
	s.Status.Description, _ = ko.head(v)
	s.Status.DescriptionEn, _ = en.head(v)
	add := func(c summaryComponent) {
		c.Position, c.PageID, c.Updated, c.Showcase = len(s.Components)+1, pageID, now, true
		s.Components = append(s.Components, c)
	}
	for _, name := range services {
		l := v.Service(name)
		add(summaryComponent{ID: name, Name: ko.service(name), NameEn: en.service(name), Status: code(l), Description: ko.level(l), DescriptionEn: en.level(l)})
	}
	for _, one := range v.Sites {
		add(summaryComponent{ID: "site-" + one.Name, Name: ko.centre(one.Name), NameEn: en.centre(one.Name), Status: code(one.Level()),
			Description: ko.state(one), DescriptionEn: en.state(one)})
		if one.Name == v.Here && one.URL != "" {
			s.Page.URL = strings.TrimSuffix(one.URL, "/") + "/status"
		}
	}
	for _, i := range v.Incidents[:min(len(v.Incidents), shownIncidents)] {
		s.Incidents = append(s.Incidents, summarise(v, i))
	}
	return json.Marshal(s)
}

// code is a level in the words of status pages, which have none for unknown: what cannot be seen from here does not work here.
func code(l Level) string {
	switch l {
	case Fine:
		return "operational"
	case Worse:
		return "degraded_performance"
	case Planned:
		return "under_maintenance"
	}
	return "major_outage"
}

func summarise(v View, i Incident) summaryIncident {
	s := summaryIncident{ID: i.ID(), Name: ko.name(i), NameEn: en.name(i), Status: "investigating", Impact: impact(i), Created: stamp(i.Since),
		Started: stamp(i.Since), Updated: stamp(i.Since), PageID: pageID, Sites: i.Sites, WaitMS: i.Wait}
	update := func(status string, at time.Time, korean, english string) {
		t := stamp(at)
		s.Status, s.Updated = status, t
		u := summaryUpdate{ID: s.ID + "-" + status, IncidentID: s.ID, Status: status, Body: korean, BodyEn: english, Created: t, Updated: t, Display: t}
		s.Updates = append([]summaryUpdate{u}, s.Updates...) // the newest first
	}
	lasting := i
	lasting.Until, lasting.Fine = time.Time{}, time.Time{}
	if !i.Over() {
		update("investigating", i.Since, ko.happened(lasting)+" "+ko.kept(v), en.happened(lasting)+" "+en.kept(v))
	}
	if !i.Fine.IsZero() {
		t := stamp(i.Fine)
		s.Monitoring = &t
		update("monitoring", i.Fine, ko.progress(i), en.progress(i))
	}
	if i.Over() {
		t := stamp(i.Until)
		s.Resolved = &t
		update("resolved", i.Until, ko.happened(i)+" "+ko.waited(i), en.happened(i)+" "+en.waited(i))
	}
	return s
}

func impact(i Incident) string {
	if i.Kind == KindSends {
		return "critical"
	}
	return "minor"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
