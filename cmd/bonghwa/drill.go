package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/bonghwa/bonghwa/drill"
)

type drillCmd struct {
	Scenario []string      `help:"Scenarios, or all: ${scenarios}." default:"power-loss"`
	People   int           `help:"How many people talk." default:"12"`
	Duration time.Duration `help:"How long each fault is felt." default:"6s"`
	Seed     uint64        `help:"For what is left to chance; 0 = another one each time."`
	Rounds   int           `help:"How many rounds of faults the random scenario draws." default:"3"`
	JSON     string        `name:"json" help:"Write the report to this file." type:"path"`
	HTML     string        `name:"html" help:"Write a page with a timeline to this file." type:"path"`
	Dir      string        `help:"Where the sites' data live meanwhile: on the disk to be tried." type:"existingdir"`
	Keep     bool          `help:"Leave the sites' data and logs."`
}

// errNotHeld ends a drill that did not hold.
var errNotHeld = errors.New("the drill did not hold")

func (c drillCmd) Run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	r, err := drill.Run(ctx, drill.Options{Scenarios: c.Scenario, People: c.People, Duration: c.Duration, Seed: c.Seed, Rounds: c.Rounds, Dir: c.Dir, Keep: c.Keep,
		Version: version(), Out: os.Stdout})
	if err != nil {
		return err
	}
	if c.JSON != "" {
		if err := r.WriteJSON(c.JSON); err != nil {
			return err
		}
	}
	if c.HTML != "" {
		if err := r.WriteHTML(c.HTML); err != nil {
			return err
		}
	}
	if !r.Held {
		return errNotHeld
	}
	return nil
}

func scenarioNames() string {
	var names []string
	for _, n := range drill.Names() {
		name, _, _ := strings.Cut(n, " ")
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}
