package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// How a node with an empty directory becomes part of its cluster. It asks the other sites and does what they say:
//
//   - All of them are new, too: they form the cell together. All must be there; a site whose disks were lost would
//     otherwise form another cell beside the one it has forgotten.
//   - One is ready and knows no node of this site: this one is let in (a learner, later a voter).
//   - One is ready and knows a node of this site: the directory was lost, or is the wrong one. Nothing happens without
//     --rebuild, which takes the old node's membership away: a voter that has forgotten what it voted must not vote again.

// joinPoll is between two rounds of questions.
const joinPoll = 300 * time.Millisecond

// joinRequest is a node's wish to be let in. The site is the one in its certificate.
type joinRequest struct {
	Node      string `json:"node"`
	PeerURL   string `json:"peer_url"`
	URL       string `json:"url"`
	Addr      string `json:"addr"`
	Behaviour uint32 `json:"behaviour"`
	// Rebuild: an earlier node of the site is gone for good.
	Rebuild bool `json:"rebuild"`
}

// joinAnswer lets it in.
type joinAnswer struct {
	Cell    string      `json:"cell"`
	Members []LogMember `json:"members"`
}

// belongs says whether a directory is the one this file speaks of, and binds a new one to it.
func (d *Data) belongs(cfg *config.Node) error {
	m := &d.Meta
	switch {
	case m.Cluster == cfg.Cluster.ID && m.Site == cfg.Site:
		return nil
	case m.Cluster != "":
		return fmt.Errorf("%s belongs to site %s of the cluster %s, the file speaks of site %s of %s", d.Dir, m.Site, m.Cluster, cfg.Site, cfg.Cluster.ID)
	case d.hasLog() && cfg.Cluster.Founder != m.Node:
		return fmt.Errorf("%s holds the data of a node that is alone; to make a cluster of it: bonghwa cluster init --from %s", d.Dir, d.Dir)
	}
	m.Cluster, m.Site = cfg.Cluster.ID, cfg.Site
	// The founder's cell was ready long ago.
	m.Formed = m.Formed || d.hasLog()
	return d.writeMeta()
}

// alone refuses a directory that belongs to a cluster.
func (d *Data) alone() error {
	if d.Meta.Cluster != "" {
		return fmt.Errorf("%s belongs to site %s of a cluster; start it with its file: bonghwa serve --config FILE", d.Dir, d.Meta.Site)
	}
	return nil
}

// logPlan is how the log is opened.
type logPlan struct {
	initial string
	join    bool
	// token tells this cell's log from those of before under the same addresses.
	token string
	// from are ready sites that views can be fetched from; fetch says that they must be.
	from  []config.Site
	fetch bool
	// clockOff is by how much this node's clock is off those of the others.
	clockOff time.Duration
}

// enter decides how this node's log starts, and waits until it may. Of a node that has a log there is nothing to decide.
func (n *nodes) enter(ctx context.Context, url string, rebuild bool) (logPlan, error) {
	self := n.cfg.Self()
	if n.data.Meta.Founds && !n.data.hasLog() {
		return n.found(ctx)
	}
	if n.data.hasLog() {
		if rebuild {
			return logPlan{}, fmt.Errorf("%s is not empty: --rebuild is for a site whose disks are new; to rebuild this one move the directory away first", n.data.Dir)
		}
		// The list is not used by a member that has its log.
		plan := logPlan{initial: self.Name + "=" + self.PeerURL(), fetch: n.data.Meta.Fetch}
		answers := n.askAll(ctx, n.cfg.Others())
		plan.clockOff = clockOff(answers)
		var err error
		if plan.from, err = n.ready(answers); err == nil && len(plan.from) == 0 {
			err = n.goesOn(ctx)
		}
		return plan, err
	}
	if n.data.Meta.Formed {
		// It may have been a voter, and has forgotten what it voted.
		return logPlan{}, fmt.Errorf("the log of %s is gone: move this directory away and start the site with --rebuild (bonghwa serve --config FILE --rebuild)", n.data.Dir)
	}
	if err := os.RemoveAll(n.data.path(etcdDir)); err != nil { // of a start that was killed before there was a log
		return logPlan{}, err
	}
	said := ""
	for {
		answers := n.askAll(ctx, n.cfg.Others())
		plan, ok, why, err := n.decide(ctx, answers, url, rebuild)
		if err != nil || ok {
			plan.clockOff = clockOff(answers)
			return plan, err
		}
		if why != said {
			n.log.Info("waiting to be let in", "site", n.cfg.Site, "because", why)
			said = why
		}
		select {
		case <-ctx.Done():
			return logPlan{}, fmt.Errorf("not part of the cluster yet: %s", why)
		case <-time.After(joinPoll):
		}
	}
}

// ready picks the sites that can give views, and refuses a node that they no longer know, or whose epoch is over.
func (n *nodes) ready(answers []answer) (from []config.Site, err error) {
	own, epoch := n.standing(), n.epoch()
	for _, a := range answers {
		if a.err != nil || a.st.Phase != phaseReady || a.st.Epoch < epoch || own.newer(a.st.standing) > 0 { // of another epoch: it knows nothing of this one
			continue
		}
		if !slices.ContainsFunc(a.st.Records, func(r NodeRecord) bool { return r.Node == n.data.Meta.Node }) && n.data.Meta.Formed {
			return nil, fmt.Errorf("the node of this directory (%s) was replaced or removed, %s says: these data are of before that, and no longer part of the cell", n.data.Meta.Node, a.site.Name)
		}
		from = append(from, a.site)
	}
	if len(from) > 0 {
		return from, nil // what the cell makes of a newer epoch it finds out while it runs, and from its own members only
	}
	for _, a := range answers {
		if newer := own.newer(a.st.standing); a.err == nil && newer > 0 {
			return nil, supersededBy(n.data.Dir, epoch, newer, a.site.Name)
		}
	}
	return from, nil
}

// awaitReady asks until another site can give its views.
func (n *nodes) awaitReady(ctx context.Context) ([]config.Site, error) {
	for said := false; ; {
		from, err := n.ready(n.askAll(ctx, n.cfg.Others()))
		if err != nil || len(from) > 0 {
			return from, err
		}
		if !said {
			n.log.Warn("waiting for another site that is ready to give its views", "site", n.cfg.Site)
			said = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.New("the views of this site cannot be used, and no other site is ready to give its own")
		case <-time.After(joinPoll):
		}
	}
}

// found is how a directory that was restored begins: alone, and only where no cell of this cluster lives. The others are let in
// with empty directories.
func (n *nodes) found(ctx context.Context) (plan logPlan, err error) {
	for _, a := range n.askAll(ctx, n.cfg.Others()) {
		if a.inCell() {
			return plan, fmt.Errorf("%s answers and is part of the cell: what was restored here would be a second one beside it; stop it first, or start this site with an empty directory", a.site.Name)
		}
	}
	self := n.cfg.Self()
	return logPlan{initial: self.Name + "=" + self.PeerURL(), token: n.cfg.Cluster.ID + "-" + n.data.Meta.Node}, nil
}

// decide looks at one round of answers. Not ok: ask again, because of why.
func (n *nodes) decide(ctx context.Context, answers []answer, url string, rebuild bool) (plan logPlan, ok bool, why string, err error) {
	self := n.cfg.Self()
	missing, newest := "", uint32(0)
	for _, a := range answers {
		if a.err == nil && a.st.Phase == phaseReady {
			newest = max(newest, a.st.Epoch)
		}
	}
	for _, a := range answers {
		if a.err != nil {
			missing = fmt.Sprintf("%s (%s) does not answer: %v", a.site.Name, a.site.Node, cause(a.err))
			continue
		}
		if a.st.Phase != phaseReady || a.st.Epoch < newest {
			continue
		}
		// A cell is there. A member of its beginning that has never been ready is let in as it is.
		known := slices.ContainsFunc(a.st.Records, func(r NodeRecord) bool { return r.Site == n.cfg.Site })
		member := slices.ContainsFunc(a.st.Members, func(m LogMember) bool { return m.PeerURL == self.PeerURL() && !m.Learner })
		if !known && member && n.data.Meta.Join == "" {
			return n.initial(), true, "", nil
		}
		q := joinRequest{Node: n.data.Meta.Node, PeerURL: self.PeerURL(), URL: url, Addr: self.Node, Behaviour: kernel.Behaviour, Rebuild: rebuild}
		var got joinAnswer
		if err := n.ask(ctx, a.site.Node, "POST", "/v1/join", q, &got); err != nil {
			if refused := refusedError(""); errors.As(err, &refused) {
				return plan, false, "", err
			}
			return plan, false, fmt.Sprintf("%s did not let it in: %v", a.site.Name, err), nil
		}
		return n.let(got, a.site)
	}
	switch {
	case missing != "":
		return plan, false, missing, nil
	case n.cfg.Cluster.Founder != "":
		return plan, false, "no site of the cluster is ready", nil
	}
	for _, a := range answers {
		if a.st.Phase == phaseKnown {
			return plan, false, fmt.Sprintf("%s has been part of the cell and is not ready", a.site.Name), nil
		}
	}
	return n.initial(), true, "", nil
}

// initial is the plan of a node that forms the cell with all sites of its file.
func (n *nodes) initial() logPlan {
	var list []string
	for _, s := range n.cfg.Cluster.Sites {
		list = append(list, s.Name+"="+s.PeerURL())
	}
	return logPlan{initial: strings.Join(list, ",")}
}

// let remembers that this node was let in, before its log is made.
func (n *nodes) let(got joinAnswer, from config.Site) (plan logPlan, ok bool, why string, err error) {
	self := n.cfg.Self()
	var list []string
	for _, m := range got.Members {
		name := m.Name
		if m.PeerURL == self.PeerURL() {
			name = self.Name
		}
		if name == "" {
			return plan, false, "another node is being let in", nil
		}
		list = append(list, name+"="+m.PeerURL)
	}
	n.meta.Lock()
	err = n.data.setCell(got.Cell)
	n.meta.Unlock()
	if err != nil {
		return plan, false, "", err
	}
	joined := strings.Join(list, ",")
	if err := n.remember(func(m *Meta) { m.Join, m.Fetch = joined, true }); err != nil {
		return plan, false, "", err
	}
	return logPlan{initial: joined, join: true, from: []config.Site{from}, fetch: true}, true, "", nil
}

// admit lets a node of a site in. Again for the same node: the same answer again.
func (n *nodes) admit(ctx context.Context, site string, q joinRequest) (a joinAnswer, err error) {
	c := n.core.Load()
	if c == nil {
		return a, errNoCore
	}
	if err := c.node.Ready(); err != nil {
		return a, err
	}
	id, err := hex.DecodeString(q.Node)
	if err != nil || len(id) != len(cluster.NodeID{}) || site == "" {
		return a, refusedError("the node cannot be read")
	}
	node := cluster.NodeID(id)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	records, err := c.log.Nodes(ctx)
	if err != nil {
		return a, err
	}
	for _, r := range records {
		if r.ID == node && r.Site != site && r.Site != "" {
			return a, refusedError(fmt.Sprintf("the node %s is of site %s", q.Node, r.Site))
		}
		if r.Site != site || r.ID == node {
			continue
		}
		if !q.Rebuild {
			return a, refusedError(fmt.Sprintf("site %[1]s is known, and its data are not in this directory: if its disks are gone for good, start it with --rebuild (bonghwa serve --config FILE --rebuild); if they are not, give the directory that holds them", site))
		}
		n.log.Warn("a site is rebuilt", "site", site, "old", hex.EncodeToString(r.ID[:]), "new", q.Node)
		for _, m := range c.log.MemberList() {
			if m.PeerURL == q.PeerURL || m.Name == site {
				if err := c.log.RemoveMember(ctx, m.ID); err != nil {
					return a, err
				}
			}
		}
		if err := c.log.DropNode(ctx, r.ID); err != nil {
			return a, err
		}
	}
	for _, m := range c.log.MemberList() {
		if m.PeerURL == q.PeerURL && m.Name != "" && m.Name != site {
			return a, refusedError(fmt.Sprintf("the address %s is that of site %s", q.PeerURL, m.Name))
		}
	}
	// First the record: from now on the log is kept for this node. Then the membership.
	if err := c.log.SetNode(ctx, cluster.Node{ID: node, Behaviour: q.Behaviour, URL: q.URL, Site: site, Addr: q.Addr}); err != nil {
		return a, err
	}
	if _, err := c.log.AddLearner(ctx, q.PeerURL); err != nil {
		return a, err
	}
	if act := n.act.Load(); act != nil {
		(*act)("added", site)
	}
	a.Cell = n.data.Meta.Cell
	for _, m := range c.log.MemberList() {
		a.Members = append(a.Members, LogMember{Name: m.Name, PeerURL: m.PeerURL, Learner: m.Learner})
	}
	return a, nil
}

// fenced makes the next start fetch the views from another site: those that are here are wrong.
func (n *nodes) fenced() {
	if n == nil {
		return
	}
	if err := n.remember(func(m *Meta) { m.Fetch = true }); err != nil {
		n.log.Error("the next start cannot be told to fetch the views", "cause", err)
	}
	n.log.Error("start this site anew: its views will be fetched from another one", "site", n.cfg.Site)
}

// remember changes bonghwa.json.
func (n *nodes) remember(change func(*Meta)) error {
	n.meta.Lock()
	defer n.meta.Unlock()
	before := n.data.Meta
	change(&n.data.Meta)
	if n.data.Meta == before {
		return nil
	}
	err := n.data.writeMeta()
	if err != nil {
		n.data.Meta = before
	}
	return err
}

// formed remembers, once, that the cell has been ready here, and makes a learner a voter.
func (n *nodes) formed(ctx context.Context, c *core) error {
	if err := n.remember(func(m *Meta) { m.Formed, m.Founds, m.Join, m.Epoch = true, false, "", c.log.Epoch() }); err != nil {
		return err
	}
	n.wasReady.Store(true)
	for _, m := range c.log.MemberList() {
		if m.Self && m.Learner {
			if err := c.log.Promote(ctx, m.ID); err != nil {
				return err
			}
			n.log.Info("this site votes now", "site", n.cfg.Site)
		}
	}
	return nil
}
