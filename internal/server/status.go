package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
)

// Status is how a cell is, as one of its nodes sees it.
type Status struct {
	Sites []SiteStatus `json:"sites"`
	// Words say what it means: what works, and what one more loss would cost. Matters are those of them that somebody must look at.
	Words   []string `json:"words"`
	Matters []Matter `json:"matters,omitempty"`
	// Archive is how the archive is; nil: there is none.
	Archive *ArchiveStatus `json:"archive,omitempty"`
	// Steady: every site votes, is ready and has what the others have; another fire may come.
	Steady bool `json:"steady"`
	// LastDrillHeldMs is when the last fire drill ended that held, Unix ms; DrillOverdue: that is too long ago.
	LastDrillHeldMs uint64 `json:"last_drill_held_ms,omitempty"`
	DrillOverdue    bool   `json:"drill_overdue,omitempty"`
}

// SiteStatus is one site.
type SiteStatus struct {
	Site string `json:"site"`
	URL  string `json:"url"`
	// State is ready, draining, not ready, catching up, superseded, or unreachable.
	State string `json:"state"`
	// Because says why it is not ready.
	Because string `json:"because,omitempty"`
	Leader  bool   `json:"leader"`
	Votes   bool   `json:"votes"`
	N       uint64 `json:"n"`
	// Behind counts entries that this site has not applied and another has.
	Behind    uint64 `json:"behind"`
	Version   string `json:"version,omitempty"`
	Behaviour uint32 `json:"behaviour,omitempty"`
	// ClockOffMs is by how much its clock is off every other one; 0: it is not.
	ClockOffMs int64 `json:"clock_off_ms,omitempty"`
	// DiskFull is why it takes no messages; DiskLow: it is on the way there.
	DiskFull string `json:"disk_full,omitempty"`
	DiskLow  bool   `json:"disk_low,omitempty"`
	// CertificateDays is for how long this node's certificate is good.
	CertificateDays int `json:"certificate_days,omitempty"`
}

// Of a site, in SiteStatus.State.
const (
	SiteReady       = "ready"
	SiteDraining    = "draining"
	SiteNotReady    = "not ready"
	SiteCatchingUp  = "catching up"
	SiteUnreachable = "unreachable"
	// SiteSuperseded: the cell goes on in a newer epoch without it.
	SiteSuperseded = "superseded"
)

// behindLimit is how many entries a site may be behind another, asked one after the other, and be called current.
const behindLimit = 200

// status asks every node of the cell, and this one.
func (n *nodes) status(ctx context.Context) (Status, error) {
	c := n.core.Load()
	if c == nil {
		return Status{}, errNoCore
	}
	records, err := c.sites()
	if err != nil {
		return Status{}, err
	}
	var ask []config.Site
	urls := map[string]string{}
	for _, r := range records {
		ask = append(ask, config.Site{Name: r.Site, Node: r.Addr})
		urls[r.Site] = r.URL
	}
	members := map[string]LogMember{}
	for _, m := range c.log.MemberList() {
		members[m.Name] = LogMember{Name: m.Name, PeerURL: m.PeerURL, Learner: m.Learner, Leader: m.Leader}
	}
	var s Status
	var head uint64
	for _, a := range n.askAll(ctx, ask) {
		m, member := members[a.site.Name]
		one := SiteStatus{Site: a.site.Name, URL: urls[a.site.Name], Votes: member && !m.Learner, Leader: a.st.Leader, N: a.st.N,
			Version: a.st.Version, Behaviour: a.st.Behaviour, Because: a.st.NotReady, ClockOffMs: a.st.ClockOffMs,
			DiskFull: a.st.DiskFull, DiskLow: a.st.DiskLow}
		switch {
		case a.err != nil:
			one.State, one.Because = SiteUnreachable, cause(a.err).Error()
		case a.st.Superseded != 0:
			one.State = SiteSuperseded
		case a.st.Draining:
			one.State = SiteDraining
		case !one.Votes || a.st.Phase == phaseNew:
			one.State = SiteCatchingUp
		case a.st.Phase != phaseReady:
			one.State = SiteNotReady
		default:
			one.State = SiteReady
		}
		if a.st.Certificate > 0 {
			one.CertificateDays = int(time.Until(time.Unix(a.st.Certificate, 0)) / (24 * time.Hour))
		}
		head = max(head, a.st.N)
		s.Archive = worse(s.Archive, a.st.Archive)
		s.Sites = append(s.Sites, one)
	}
	for i := range s.Sites {
		if s.Sites[i].State != SiteUnreachable {
			s.Sites[i].Behind = head - s.Sites[i].N
		}
	}
	s.say()
	if by := n.disputes.Load(); by != nil {
		s.add(Matter{MatterDisputed, *by, 0, ""})
	}
	s.sayArchive(time.Now())
	return s, nil
}

// aloneStatus is what a machine that is all there is has to say: of its backup.
func (s *Server) aloneStatus() (st Status, err error) {
	if s.archive == nil {
		return st, errors.New("this server is alone: it belongs to no cluster and keeps no archive (serve --backup-to)")
	}
	st.Archive = s.archive.status(s.core)
	st.Words = []string{outlook(1, 1)}
	st.sayArchive(time.Now())
	return st, nil
}

// say finds the words for the sites.
func (s *Status) say() {
	voters, alive := s.count()
	s.Steady = len(s.Sites) > 0
	for _, one := range s.Sites {
		s.Steady = s.Steady && one.State == SiteReady && one.Behind <= behindLimit && one.ClockOffMs == 0 && one.DiskFull == ""
	}
	s.Words = append(s.Words, outlook(voters, alive))
	for _, one := range s.Sites {
		about := func(kind string, n int64, detail string) { s.add(Matter{kind, one.Site, n, detail}) }
		switch {
		case one.State == SiteUnreachable:
			about(MatterUnreachable, 0, one.Because)
		case one.State == SiteNotReady:
			about(MatterNotReady, 0, one.Because)
		case one.State == SiteSuperseded:
			about(MatterSuperseded, 0, one.Because)
		case one.State == SiteCatchingUp:
			about(MatterCatchingUp, 0, "")
		case one.State == SiteDraining:
			about(MatterDraining, 0, "")
		case one.Behind > behindLimit:
			about(MatterBehind, int64(one.Behind), "")
		}
		switch {
		case one.DiskFull != "":
			about(MatterDiskFull, 0, one.DiskFull)
		case one.DiskLow:
			about(MatterDiskLow, 0, "")
		}
		if one.ClockOffMs != 0 {
			about(MatterClockOff, one.ClockOffMs, "")
		}
		if one.CertificateDays > 0 && one.CertificateDays < 60 {
			about(MatterCertificate, int64(one.CertificateDays), "")
		}
	}
}

// count says how many sites vote, and how many of these work.
func (s *Status) count() (voters, alive int) {
	for _, one := range s.Sites {
		if one.Votes {
			voters++
			if one.State == SiteReady || one.State == SiteDraining {
				alive++
			}
		}
	}
	return voters, alive
}

// outlook says what one more loss would cost, of so many sites that vote and so many of them that work.
func outlook(voters, alive int) string {
	needed := voters/2 + 1
	switch spare := alive - needed; {
	case voters <= 1:
		return "one site: what is lost with it is lost, back to the last backup"
	case spare < 0:
		return fmt.Sprintf("sends are stopped: %d of %d sites work, %d are needed", alive, voters, needed)
	case spare == 0:
		return fmt.Sprintf("one more loss stops sends: %d of %d sites work, and all of these are needed", alive, voters)
	case spare == 1:
		return fmt.Sprintf("any one site may be lost: %d of %d work", alive, voters)
	default:
		return fmt.Sprintf("any %d sites may be lost: %d of %d work", spare, alive, voters)
	}
}

// remove takes a site out of the cell for good. It must have been stopped.
func (n *nodes) remove(ctx context.Context, site string) error {
	c := n.core.Load()
	if c == nil {
		return errNoCore
	}
	if site == n.cfg.Site {
		return errors.New("a site is not removed at itself: stop it, and ask another one")
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	records, err := c.log.Nodes(ctx)
	if err != nil {
		return err
	}
	found := false
	for _, r := range records {
		if r.Site != site {
			continue
		}
		found = true
		if a := n.askAll(ctx, []config.Site{{Name: site, Node: r.Addr}})[0]; a.err == nil {
			return fmt.Errorf("%s runs: drain and stop it first", site)
		}
		for _, m := range c.log.MemberList() {
			if m.Name == site {
				if err := c.log.RemoveMember(ctx, m.ID); err != nil {
					return err
				}
			}
		}
		if err := c.log.DropNode(ctx, r.ID); err != nil {
			return err
		}
		n.log.Warn("a site was removed", "site", site, "node", hex.EncodeToString(r.ID[:]))
	}
	if !found {
		return fmt.Errorf("no site %q is known", site)
	}
	return nil
}

// drain sends this site's people elsewhere and gives leadership away; it lasts until the process ends.
func (s *Server) drain(ctx context.Context) error {
	others := 0
	st, err := s.nodes.status(ctx)
	if err != nil {
		return err
	}
	for _, one := range st.Sites {
		if one.Site != s.nodes.cfg.Site && one.State == SiteReady {
			others++
		}
	}
	if others == 0 {
		return errors.New("no other site is ready to take these people")
	}
	s.act("drained", s.nodes.cfg.Site)
	s.nodes.draining.Store(true)
	if err := s.core.log.MoveLeader(ctx, nil); err != nil {
		s.o.Logger.Warn("leadership could not be handed over", "cause", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	s.gw.Drain(ctx)
	return nil
}

// clusterAdmin adds what an operator can ask a node of a cluster.
func (s *Server) clusterAdmin(mux *http.ServeMux) {
	none := errors.New("this server is alone: it belongs to no cluster")
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		if s.nodes == nil {
			st, err := s.aloneStatus()
			reply(w, st, err)
			return
		}
		st, err := s.status(r.Context())
		reply(w, st, err)
	})
	mux.HandleFunc("POST /remove", func(w http.ResponseWriter, r *http.Request) {
		if s.nodes == nil {
			reply(w, nil, none)
			return
		}
		err := s.nodes.remove(r.Context(), r.FormValue("site"))
		if err == nil {
			s.act("removed", r.FormValue("site"))
		}
		reply(w, struct{}{}, err)
	})
	mux.HandleFunc("POST /drain", func(w http.ResponseWriter, r *http.Request) {
		if s.nodes == nil {
			reply(w, nil, none)
			return
		}
		reply(w, struct{}{}, s.drain(r.Context()))
	})
}

// Status asks the running node how its cell is. Of a node that was superseded there is something to say although it does not run.
func (a AdminClient) Status(ctx context.Context) (s Status, err error) {
	err = a.call(ctx, "GET", "/status", &s)
	if errors.Is(err, errNotRunning) {
		if m, e := ReadMeta(a.data); e == nil && m.Superseded != 0 {
			why := m.superseded(a.data).Error()
			return Status{Sites: []SiteStatus{{Site: m.Site, State: SiteSuperseded, Because: why}}, Words: []string{why}}, nil
		}
	}
	return s, err
}

// RemoveSite takes a site that was stopped out of the cell for good.
func (a AdminClient) RemoveSite(ctx context.Context, site string) error {
	return a.call(ctx, "POST", "/remove?site="+url.QueryEscape(site), &struct{}{})
}

// Drain sends the node's people elsewhere, until it is started again.
func (a AdminClient) Drain(ctx context.Context) error {
	return a.call(ctx, "POST", "/drain", &struct{}{})
}
