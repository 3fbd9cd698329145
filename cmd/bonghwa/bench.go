package main

import (
	"context"
	"os"
	"os/signal"

	"github.com/bonghwa/bonghwa/bench"
)

type benchCmd struct {
	JSON  string `name:"json" help:"Write the report to this file as well." type:"path"`
	Quick bool   `help:"One minute instead of ten, with less of everything."`
	Sites int    `help:"Several sites on this machine beside one: throughput, a site that comes back, idle cost." default:"1"`
	Dir   string `help:"Directory on the disk to measure." default:"." type:"path"`
}

func (c benchCmd) Run() error {
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	_, err = bench.Run(ctx, bench.Options{Binary: binary, Version: version(), JSON: c.JSON, Quick: c.Quick, Sites: c.Sites, Dir: c.Dir, Out: os.Stdout})
	return err
}
