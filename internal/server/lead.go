package server

import (
	"context"
	"time"
)

// watchLead gives leadership away while this node is not fit for it and another one is: its clock is off every other one,
// or its disk is nearly full.
func (s *Server) watchLead() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	said := false
	for {
		select {
		case <-s.duty.Done():
			return
		case <-tick.C:
		}
		off := s.core.node.ClockOff()
		if said != (off != 0) {
			said = off != 0
			s.o.Logger.Warn("this machine's clock against every other site's", "off_ms", off.Milliseconds(), "trusted", !said)
		}
		if off == 0 && !diskLow(s.data.Dir) {
			continue
		}
		if _, leads := s.core.log.Members(); leads {
			s.handOver()
		}
	}
}

// handOver gives leadership to a site that is fit for it. If none is, everything stays: two that are not would hand it to and
// fro.
func (s *Server) handOver() {
	ctx, cancel := context.WithTimeout(s.duty, nodeTimeout+time.Second)
	defer cancel()
	fit := map[string]bool{}
	for _, a := range s.nodes.askAll(ctx, s.nodes.cfg.Others()) {
		fit[a.site.Name] = a.err == nil && a.st.Phase == phaseReady && !a.st.Draining && !a.st.DiskLow && a.st.ClockOffMs == 0
	}
	_ = s.core.log.MoveLeader(ctx, func(site string) bool { return fit[site] }) // again in a second
}
