package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/bonghwa/bonghwa/drill"
	"github.com/bonghwa/bonghwa/internal/server"
)

// askWait bounds a question to the running node.
const askWait = 30 * time.Second

type grantCmd struct {
	running
	Handle string `arg:"" help:"The account's 아이디."`
	Role   string `arg:"" enum:"operator" help:"operator."`
}

func (c grantCmd) Run() error { return setOperator(c.running, c.Handle, true) }

type revokeCmd struct {
	running
	Handle string `arg:"" help:"The account's 아이디."`
	Role   string `arg:"" enum:"operator" help:"operator."`
}

func (c revokeCmd) Run() error { return setOperator(c.running, c.Handle, false) }

func setOperator(r running, handle string, yes bool) error {
	a, err := r.admin()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWait)
	defer cancel()
	if err := a.SetOperator(ctx, handle, yes); err != nil {
		return err
	}
	if yes {
		fmt.Printf("%s is an operator: 더보기 › 관리, or /ops\n", handle)
	} else {
		fmt.Printf("%s is no operator\n", handle)
	}
	return nil
}

type operatorsCmd struct{ running }

func (c operatorsCmd) Run() error {
	a, err := c.admin()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWait)
	defer cancel()
	list, err := a.Operators(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "HANDLE\tNAME\tSINCE")
	for _, o := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", o.Handle, o.DisplayName, time.UnixMilli(int64(o.SinceMs)).Format("2006-01-02 15:04"))
	}
	return w.Flush()
}

// drillCmds is `drill`, which without another word runs one.
type drillCmds struct {
	Run    drillCmd       `cmd:"" default:"withargs" help:"Run a drill on sites of its own on this machine."`
	Record drillRecordCmd `cmd:"" help:"Record the report of a drill in a cluster's list."`
}

// drillRecordCmd is `drill record`.
type drillRecordCmd struct {
	running
	Report string `arg:"" help:"What bonghwa drill --json wrote." type:"existingfile"`
}

func (c drillRecordCmd) Run() error {
	a, err := c.admin()
	if err != nil {
		return err
	}
	b, err := os.ReadFile(c.Report)
	if err != nil {
		return err
	}
	var r drill.Report
	if err := json.Unmarshal(b, &r); err != nil || r.Date.IsZero() || len(r.Scenarios) == 0 {
		return fmt.Errorf("%s is no report of a drill", c.Report)
	}
	ctx, cancel := context.WithTimeout(context.Background(), askWait)
	defer cancel()
	for _, d := range foundIn(&r) {
		if err := a.RecordDrill(ctx, d, true); err != nil {
			return errors.Join(fmt.Errorf("%s could not be recorded", d.Scenario), err)
		}
		fmt.Printf("%s of %s: recorded\n", d.Scenario, r.Date.Format("2006-01-02"))
	}
	return nil
}

// foundIn is what a report says of each scenario. Scenarios of one report begin one after another.
func foundIn(r *drill.Report) (list []server.DrillFound) {
	at := r.Date
	for _, s := range r.Scenarios {
		end := at.Add(time.Duration(s.Seconds * float64(time.Second)))
		d := server.DrillFound{Scenario: s.Name, StartedMs: uint64(at.UnixMilli()), EndedMs: uint64(end.UnixMilli()), People: uint32(r.People),
			Acked: uint64(s.Acked), Lost: uint64(s.Lost), Duplicated: uint64(s.Duplicated), Reordered: uint64(s.Reordered), Unauthorised: uint64(s.Unauthorised), Tried: uint64(s.Tried),
			SendGapMs: uint32(s.WorstSendGapMs), DeliveryGapMs: uint32(s.WorstDeliveryGapMs), MovedSendGapMs: uint32(s.MovedWorstSendGapMs),
			MovedDeliveryGapMs: uint32(s.MovedWorstDeliveryGapMs), Held: s.Held, HeldInTime: s.HeldInTime, Source: "bonghwa drill " + r.Version}
		sites := map[string]bool{}
		for _, f := range s.Faults {
			if f.Site != "" {
				sites[f.Site] = true
				d.Site = f.Site
			}
		}
		if len(sites) > 1 {
			d.Site = ""
		}
		list = append(list, d)
		at = end
	}
	return list
}
