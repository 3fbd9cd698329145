package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/server"
)

type clusterCmd struct {
	Init clusterInitCmd `cmd:"" help:"Write the authority, the certificates and the files of a new cluster's nodes."`
	Add  clusterAddCmd  `cmd:"" help:"Write the files of one more site."`

	Drain  clusterDrainCmd  `cmd:"" help:"Send a running node's people to other sites, before it is stopped."`
	Remove clusterRemoveCmd `cmd:"" help:"Take a site that was stopped out of the cluster for good."`
	Rescue clusterRescueCmd `cmd:"" help:"Let the only site that is left go on alone, when the majority is lost for good."`
}

// running names the node that an operator's command asks.
type running struct {
	Config string `help:"File of the running node that is asked." type:"existingfile" placeholder:"FILE"`
	Data   string `help:"Or its data directory." type:"existingdir" placeholder:"DIR"`
}

func (r running) admin() (server.AdminClient, error) {
	if r.Config == "" {
		if r.Data == "" {
			r.Data = "bonghwa-data"
		}
		return server.Admin(r.Data), nil
	}
	n, err := config.Load(r.Config)
	if err != nil {
		return server.AdminClient{}, err
	}
	return server.Admin(n.Data), nil
}

type clusterDrainCmd struct{ running }

func (c clusterDrainCmd) Run() error {
	a, err := c.admin()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := a.Drain(ctx); err != nil {
		return err
	}
	fmt.Println("its people have been sent to other sites; stop it, or start it anew to take people again")
	return nil
}

type clusterRemoveCmd struct {
	running
	Site string `arg:"" help:"The site."`
}

func (c clusterRemoveCmd) Run() error {
	a, err := c.admin()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := a.RemoveSite(ctx, c.Site); err != nil {
		return err
	}
	fmt.Printf("%s is no longer part of the cluster\n", c.Site)
	return nil
}

type statusCmd struct {
	running
	JSON bool `name:"json" help:"Print it for programs."`
}

func (c statusCmd) Run() error {
	a, err := c.admin()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := a.Status(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(s)
	}
	return printStatus(os.Stdout, s)
}

func printStatus(out io.Writer, s server.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(s.Sites) > 0 {
		fmt.Fprintln(w, "SITE\tSTATE\tVOTES\tLEADS\tENTRY\tBEHIND\tVERSION\tADDRESS")
	}
	for _, o := range s.Sites {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", o.Site, o.State, yes(o.Votes), yes(o.Leader), o.N, o.Behind, o.Version, o.URL)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(s.Sites) > 0 {
		fmt.Fprintln(out)
	}
	for _, line := range s.Words {
		fmt.Fprintln(out, line)
	}
	return nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "-"
}

type clusterInitCmd struct {
	Sites []string `required:"" help:"Names of the sites, with the host of each if they are not all on this machine." placeholder:"seoul=10.0.0.1,daejeon=10.0.0.2,busan=10.0.0.3"`
	From  string   `help:"Data directory of a node that is alone: it becomes the first site, with everything that is in it." type:"existingdir" placeholder:"DIR"`
	Out   string   `help:"Directory for the files. Its ca-key.pem signs new nodes: keep it where no node is." default:"bonghwa-cluster" type:"path"`
}

func (c clusterInitCmd) Run() error {
	p := config.Plan{Dir: c.Out, Now: time.Now(), FounderData: c.From}
	for _, s := range c.Sites {
		name, host, _ := strings.Cut(s, "=")
		p.Sites, p.Hosts = append(p.Sites, name), append(p.Hosts, host)
	}
	if c.From != "" {
		meta, err := server.ReadMeta(c.From)
		if err != nil {
			return err
		}
		if meta.Cluster != "" {
			return fmt.Errorf("%s belongs to a cluster already", c.From)
		}
		p.Founder = meta.Node
	}
	files, err := config.Init(p)
	if err != nil {
		return err
	}
	fmt.Printf("the files of %d sites are in %s\n", len(files), c.Out)
	if c.From != "" {
		fmt.Printf("stop the node that is alone, start the first site; then the others, one after another, whenever you like:\n")
	} else {
		fmt.Printf("bring each directory to its machine and start them all; they wait for one another:\n")
	}
	for _, f := range files {
		fmt.Printf("  bonghwa serve --config %s\n", relative(f))
	}
	return nil
}

type clusterAddCmd struct {
	Site string `arg:"" help:"Name of the new site, with its host if it is not this machine." placeholder:"gwangju=10.0.0.4"`
	Dir  string `help:"What cluster init wrote." default:"bonghwa-cluster" type:"existingdir"`
}

func (c clusterAddCmd) Run() error {
	name, host, _ := strings.Cut(c.Site, "=")
	f, err := config.Add(c.Dir, name, host, time.Now())
	if err != nil {
		return err
	}
	fmt.Printf("the files of site %s are in %s; bring them to its machine, then:\n  bonghwa serve --config %s\n", name, relative(filepath.Dir(f)), relative(f))
	return nil
}

func relative(path string) string {
	wd, err := os.Getwd()
	if err == nil {
		if r, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(r, "..") {
			return r
		}
	}
	return path
}
