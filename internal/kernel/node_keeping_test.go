package kernel

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

func TestDiskGuardRefusesAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		full := make(chan error, 1)
		full <- errors.New("4% are free")
		n := c.start(0, NewMemStore(), NewMemStore(), func(o *Options) {
			o.DiskGuard = func() error {
				err := <-full
				full <- err
				return err
			}
		})
		defer n.stop()
		synctest.Wait()
		if err := n.Submit(DomainChat, unnamed(opAdd, "x"), nil); !errors.Is(err, ErrDiskFull) {
			t.Errorf("full from the start: %v", err)
		}
		if n.Stats().DiskFull == "" {
			t.Error("nothing is said")
		}
		set := func(err error) {
			<-full
			full <- err
			time.Sleep(2 * time.Second)
		}
		set(nil)
		n.mustOK(DomainChat, unnamed(opAdd, "x"))
		set(errors.New("3% are free"))
		if err := n.Submit(DomainChat, unnamed(opAdd, "x"), nil); !errors.Is(err, ErrDiskFull) {
			t.Errorf("full: %v", err)
		}
		if err := n.Ready(); err != nil {
			t.Errorf("reads go on: %v", err)
		}
		set(nil)
		n.mustOK(DomainChat, unnamed(opAdd, "x"))
	})
}

func TestHousekeepingSyncsAndTrims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		people, chat := NewMemStore(), NewMemStore()
		n := c.start(0, people, chat, nil)
		for range 5 {
			n.mustOK(DomainChat, unnamed(opAdd, "x"))
		}
		if chat.Unsynced() == 0 {
			t.Error("commits must not sync")
		}
		time.Sleep(3 * syncEvery)
		if u := chat.Unsynced(); u > 25 {
			t.Errorf("%d batches are not synced", u)
		}
		err := n.log.Tail(context.Background(), 1, nil, func([]cluster.Record) error { return errors.New("still there") })
		if !errors.Is(err, cluster.ErrCompacted) {
			t.Errorf("the log was not trimmed: %v", err)
		}
		// Views that a power cut throws back to the last sync find the rest in the log.
		n.cancel()
		n.wg.Wait()
		_ = n.log.Close()
		people.Crash(0)
		chat.Crash(0)
		n = c.start(0, people, chat, nil)
		defer n.stop()
		if r := n.mustOK(DomainChat, unnamed(opAdd, "x")); r.Verdict.Seq != 6 {
			t.Errorf("%+v", r)
		}
	})
}

func TestStartRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCell(t, 1)
		for what, state := range map[string]viewState{
			"a view of another epoch": {pos: Position{2, 5}},
			"a view of the future":    {pos: Position{3, 1}, behaviour: Behaviour + 1},
		} {
			s := NewMemStore()
			write(t, s, "\x00="+string(state.encode(nil)))
			if _, err := Start(Options{Log: c.sim.Log(0), Domains: []DomainStore{{&bank{}, s}}}); !errors.Is(err, ErrReplay) {
				t.Errorf("%s: %v", what, err)
			}
		}
		// The clock of this bubble says 2000: long before the view's last entry.
		s := NewMemStore()
		write(t, s, "\x00="+string((&viewState{pos: Position{3, 1}, time: 1764000000000}).encode(nil)))
		if _, err := Start(Options{Log: c.sim.Log(0), Domains: []DomainStore{{&bank{}, s}}}); err == nil {
			t.Error("started with a clock that is years behind")
		}
	})
}
