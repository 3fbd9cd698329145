package bench

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bonghwa/bonghwa/client"
)

// throughClient is the closed loop of pairs once more, through the public Go client with its outbox in memory: what a
// program built on it sees, and what it costs that program.
func (h *house) throughClient(pairs int) (*Scenario, error) {
	cs := make([]*client.Client, 2*pairs)
	defer func() {
		for _, c := range cs {
			if c != nil {
				c.Close()
			}
		}
	}()
	for i := range cs {
		c, err := client.Open(client.Options{URLs: []string{h.api.base}, HTTPClient: h.api.http, OnEvent: func(client.Event) {}})
		if err != nil {
			return nil, err
		}
		cs[i] = c
		if _, err := c.LogIn(h.ctx, fmt.Sprintf("bench%05d", i), "bench-password"); err != nil {
			return nil, err
		}
		if err := c.WaitConnected(h.ctx); err != nil {
			return nil, err
		}
	}
	before, err := h.srvs.sample(h.ctx)
	if err != nil {
		return nil, err
	}
	acks := make([][]int64, len(cs))
	errs := make([]error, len(cs))
	end := time.Now().Add(h.length / 2)
	var wg sync.WaitGroup
	for i, c := range cs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var text []byte
			for time.Now().Before(end) && errs[i] == nil {
				t0 := time.Now()
				text = stampText(text, 0)
				_, errs[i] = c.Send(h.ctx, h.people[i^1].id, string(text))
				acks[i] = append(acks[i], int64(time.Since(t0)))
			}
		}()
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	after, err := h.srvs.sample(h.ctx)
	if err != nil {
		return nil, err
	}
	var all []int64
	for _, a := range acks {
		all = append(all, a...)
	}
	span, n := after.at.Sub(before.at).Seconds(), float64(len(all))
	return &Scenario{
		Name: fmt.Sprintf("%d pairs through the public client", pairs), Seconds: round(span, 1), AckedPerS: round(n/span, 0),
		AckP50: percentile(all, .5), AckP99: percentile(all, .99),
		ServerCPU: round((after.server-before.server)/n*1000, 4), ClientCPU: round((after.client-before.client)/n*1000, 4),
		Fsyncs:    round((after.fsyncs-before.fsyncs)/n, 4),
		EntrySize: round((after.commands-before.commands)/max(after.entries-before.entries, 1), 1),
	}, nil
}
