// Command bonghwa is the whole system in one binary: the server with the web client, its tools for operators, the terminal
// client, the people of the demo and the load generator.
package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"

	"github.com/alecthomas/kong"

	"github.com/bonghwa/bonghwa/internal/inspect"
	"github.com/bonghwa/bonghwa/internal/term"
)

type cli struct {
	Serve   serveCmd     `cmd:"" help:"Run the server. With no flags: one machine, 127.0.0.1:8080, data in ./bonghwa-data."`
	Demo    demoCmd      `cmd:"" help:"Run the server with twelve simulated people who talk, work and answer."`
	Chat    term.ChatCmd `cmd:"" help:"Talk from a terminal. (터미널에서 대화하기)"`
	Bench   benchCmd     `cmd:"" help:"Measure this machine: a load generator against a server of its own."`
	Cluster clusterCmd   `cmd:"" help:"Make one system of several sites."`
	Status  statusCmd    `cmd:"" help:"Say how the sites of a cluster are, and what one more loss would cost."`
	Drill   drillCmds    `cmd:"" help:"Burn a site of a cluster of three while people talk, and audit what became of everything they were told."`
	Backup  backupCmd    `cmd:"" help:"Copy everything while the server runs."`
	Restore restoreCmd   `cmd:"" help:"Make a data directory from a backup or, as of any time, from an archive."`
	Verify  verifyCmd    `cmd:"" name:"verify-backup" help:"Restore an archive aside and compare what comes out of it."`
	Key     keyCmd       `cmd:"" name:"backup-key" help:"Keys that archives are encrypted with."`
	People  peopleCmd    `cmd:"" help:"Look after accounts."`
	Log     logCmd       `cmd:"" help:"Look into the log."`
	View    viewCmd      `cmd:"" help:"Look into the views."`
	Version versionCmd   `cmd:"" help:"Print the version."`

	DemoPeople demoPeopleCmd `cmd:"" name:"demo-people" help:"The twelve people of demo; started by it." hidden:""`
}

type versionCmd struct{}

func (versionCmd) Run() error {
	fmt.Println("bonghwa", version())
	return nil
}

// pseudo is the end of the version that Go makes up for a commit without a tag.
var pseudo = regexp.MustCompile(`\d{14}-[0-9a-f]{12}(\+dirty)?$`)

// version is the tag that the binary was built from, else the commit, else "(devel)": `go run` knows neither.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (v == "" || v == "(devel)" || pseudo.MatchString(v)) {
			v = s.Value[:min(9, len(s.Value))]
		}
	}
	return v
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("bonghwa"), kong.UsageOnError(), kong.Vars{"scenarios": scenarioNames()},
		kong.Description("봉화 - a messenger that keeps what it acknowledged."))
	if err := k.Run(); err != nil {
		if errors.Is(err, inspect.ErrDiffer) {
			os.Exit(1)
		}
		fmt.Fprintln(os.Stderr, "bonghwa:", err)
		os.Exit(1)
	}
}
