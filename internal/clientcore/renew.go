package clientcore

// A name that is known with another tag, or a session that belongs to another device, means that this outbox was copied
// and both copies are in use. This one gets a new device id: stored first, then given to the session. Every open item is
// then given up under its old name; what was not in is sent under a new name, what was in is settled.

// renew starts the change of device.
func (c *Core) renew(now int64, why *Refusal) {
	if c.renewing || c.ended != nil {
		return
	}
	recent := c.renewals[:0]
	for _, t := range c.renewals {
		if now-t < renewalWindow {
			recent = append(recent, t)
		}
	}
	c.renewals = append(recent, now)
	if len(c.renewals) > maxRenewals {
		// Two copies that take turns would go on for ever: people have to decide.
		c.end(now, why)
		return
	}
	c.dropConns(now)
	c.renewing, c.renewID, c.renewAt, c.renewFails = true, 0, now, 0
	copy(c.device[:], c.random(16))
	c.persist(renewRecord(c.device), true)
	c.renewNeeds = c.pendingID()
	for _, s := range c.active {
		s.goBack, s.pausedTo, s.attempts = false, 0, 0
	}
	c.pumpRenew(now)
}

func (c *Core) pumpRenew(now int64) {
	if c.renewID != 0 || now < c.renewAt || c.renewNeeds > c.storedUpTo && c.storeErr == nil {
		return
	}
	c.nextCall++
	c.renewID = c.nextCall
	c.emit(Renew{ID: c.renewID, Site: c.httpSite, Device: c.device})
}

// Renewed answers a Renew: done, or a refusal, or lost.
func (c *Core) Renewed(now int64, id uint64, ref *Refusal, lost bool) {
	if !c.renewing || id != c.renewID {
		return
	}
	c.renewID = 0
	switch {
	case lost || ref != nil && ref.Again:
		c.renewFails++
		if lost {
			c.httpSite = c.after(c.httpSite)
		}
		c.renewAt = now + ref.after() + c.jitter(c.renewFails)
	case ref != nil:
		c.renewing = false
		c.end(now, ref)
	default:
		c.renewing = false
		c.persist([]byte{recRenewed}, false)
		c.connectAt = now
		c.Tick(now)
	}
}
