package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/server"
)

type clusterCmd struct {
	Init clusterInitCmd `cmd:"" help:"Write the authority, the certificates and the files of a new cluster's nodes."`
	Add  clusterAddCmd  `cmd:"" help:"Write the files of one more site."`
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
