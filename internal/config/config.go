// Package config reads and writes the file that tells a node of a cluster who it is: its site, its data, its addresses,
// its certificates, and where the other sites are found at the start.
//
// The list of sites in a file is where a node asks first; who belongs to the cluster is decided by the log and may have
// changed since the file was written.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// FileName is what `cluster init` calls a node's file.
const FileName = "node.toml"

// Node is the file of one node. Paths are relative to the file; Load makes them absolute.
type Node struct {
	Site string `toml:"site" comment:"Which site of the cluster this node is."`
	Data string `toml:"data" comment:"Directory for everything that is kept."`
	// Listen is the address for people's clients, URL how they reach it from outside.
	Listen  string `toml:"listen" comment:"Address for people's clients, and how they reach it."`
	URL     string `toml:"url"`
	TLSCert string `toml:"tls_cert,omitempty" comment:"Certificate and key (PEM) for people's clients; needed beyond loopback."`
	TLSKey  string `toml:"tls_key,omitempty"`
	// Insecure: something in front of the node encrypts.
	Insecure bool   `toml:"insecure,omitempty" comment:"true: something in front encrypts what people's clients send."`
	Signup   string `toml:"signup,omitempty" comment:"Who may sign up: open, invite or closed."`

	// Control is the unix socket of whoever runs this node in a demo, by which a site is burned from the operators' page.
	Control string `toml:"control,omitempty" comment:"Only in a demo: the socket by which the operators' page burns a site."`

	Cluster Cluster `toml:"cluster" comment:"The cluster and its sites."`
	Backup  *Backup `toml:"backup,omitempty" comment:"Where everything is kept outside the sites: daily checkpoints and every entry of the log. The same at every site."`
}

// Backup is where a node keeps its cell's history outside the cell.
type Backup struct {
	To       string `toml:"to" comment:"A directory, or s3://bucket/prefix."`
	Endpoint string `toml:"endpoint,omitempty" comment:"Of S3: where it is (https://s3.example.org) and its region."`
	Region   string `toml:"region,omitempty"`
	// Credentials is a file; without it the environment and the usual places are asked.
	Credentials string `toml:"credentials,omitempty" comment:"File with aws_access_key_id and aws_secret_access_key; without it the environment and the usual places are asked."`
	// Recipients are public: who has this file cannot read the archive.
	Recipients []string `toml:"recipients,omitempty" comment:"Whom it is encrypted for: bonghwa backup-key new FILE prints one (age1...)."`
	// Encrypt is true if it is not given.
	Encrypt *bool `toml:"encrypt,omitempty" comment:"false: whoever has the archive can read everything in it."`
	// KeepDays is how long checkpoints are kept, and the entries after the oldest of them; 0 = 30.
	KeepDays int `toml:"keep_days,omitempty" comment:"For how long: 30 if it is not given."`
}

// Encrypted says whether the archive is to be encrypted.
func (b *Backup) Encrypted() bool { return b.Encrypt == nil || *b.Encrypt }

// Check says what is wrong with it, one thing a line.
func (b *Backup) Check() error {
	var errs []error
	if b.To == "" {
		errs = append(errs, errors.New("  backup.to is missing"))
	}
	switch {
	case b.Encrypted() && len(b.Recipients) == 0:
		errs = append(errs, errors.New("  backup.recipients is missing: make a key with `bonghwa backup-key new FILE`, keep FILE where no node is, and give the recipient that it prints; or say encrypt = false"))
	case !b.Encrypted() && len(b.Recipients) > 0:
		errs = append(errs, errors.New("  backup.recipients and encrypt = false do not go together"))
	}
	if b.KeepDays < 0 {
		errs = append(errs, errors.New("  backup.keep_days is less than 0"))
	}
	return errors.Join(errs...)
}

// Cluster is what a node knows of its cluster before it has spoken to anybody.
type Cluster struct {
	ID string `toml:"id" comment:"The name of this cluster: the same in every file of it, in no file of another."`
	// Founder is the node that was alone before the cluster grew: its data directory becomes the first site's.
	Founder string `toml:"founder,omitempty" comment:"The node whose data the cluster grows from."`
	CA      string `toml:"ca" comment:"The cluster's authority, and this node's certificate and key."`
	Cert    string `toml:"cert"`
	Key     string `toml:"key"`
	// BindPeer and BindNode are where this node listens when the others reach it under another address, as behind a relay.
	BindPeer string `toml:"bind_peer,omitempty" comment:"Where this node listens, if others reach it under another address (peer, node)."`
	BindNode string `toml:"bind_node,omitempty"`
	Sites    []Site `toml:"sites" comment:"Where the sites are: peer for the log, node for everything else between nodes."`
}

// Site is where one site's node is reached by the others: host:port.
type Site struct {
	Name string `toml:"name"`
	Peer string `toml:"peer"`
	Node string `toml:"node"`
}

// PeerURL is the site's address in the log's membership.
func (s Site) PeerURL() string { return "https://" + s.Peer }

// Self is the entry of the node's own site.
func (n *Node) Self() Site {
	s, _ := n.site(n.Site)
	return s
}

// Others are the other sites.
func (n *Node) Others() (out []Site) {
	for _, s := range n.Cluster.Sites {
		if s.Name != n.Site {
			out = append(out, s)
		}
	}
	return out
}

func (n *Node) site(name string) (Site, bool) {
	for _, s := range n.Cluster.Sites {
		if s.Name == name {
			return s, true
		}
	}
	return Site{}, false
}

// siteName: it stands in addresses, tables and certificates.
var siteName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Load reads and checks a file. The error names everything that is wrong with it, one thing a line.
func Load(path string) (*Node, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the node's file cannot be read: %v", err)
	}
	n := &Node{}
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := d.Decode(n); err != nil {
		return nil, fmt.Errorf("%s: %s", path, sentence(err))
	}
	if err := n.check(); err != nil {
		return nil, fmt.Errorf("%s:\n%w", path, err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	paths := []*string{&n.Data, &n.Control, &n.TLSCert, &n.TLSKey, &n.Cluster.CA, &n.Cluster.Cert, &n.Cluster.Key}
	if n.Backup != nil {
		paths = append(paths, &n.Backup.Credentials)
		if !strings.Contains(n.Backup.To, "://") {
			paths = append(paths, &n.Backup.To)
		}
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return n, nil
}

// sentence makes one line of what the decoder says.
func sentence(err error) string {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		var keys []string
		for _, e := range strict.Errors {
			row, _ := e.Position()
			keys = append(keys, fmt.Sprintf("%s (line %d)", strings.Join(e.Key(), "."), row))
		}
		return "not known here: " + strings.Join(keys, ", ")
	}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		row, col := syntax.Position()
		return fmt.Sprintf("line %d, column %d: %s", row, col, strings.TrimPrefix(syntax.Error(), "toml: "))
	}
	return err.Error()
}

func (n *Node) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("  "+format, args...)) }
	for _, k := range [][2]string{{"data", n.Data}, {"cluster.id", n.Cluster.ID}, {"cluster.ca", n.Cluster.CA}, {"cluster.cert", n.Cluster.Cert}, {"cluster.key", n.Cluster.Key}} {
		if k[1] == "" {
			wrong("%s is missing", k[0])
		}
	}
	if err := hostPort(n.Listen); err != nil {
		wrong("listen: %v", err)
	}
	if u, err := url.Parse(n.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" {
		wrong("url %q is not like https://seoul.example.org", n.URL)
	}
	if n.Signup != "" && n.Signup != "open" && n.Signup != "invite" && n.Signup != "closed" {
		wrong("signup %q is none of open, invite, closed", n.Signup)
	}
	if (n.TLSCert == "") != (n.TLSKey == "") {
		wrong("tls_cert and tls_key go together")
	}
	for _, k := range [][2]string{{"cluster.bind_peer", n.Cluster.BindPeer}, {"cluster.bind_node", n.Cluster.BindNode}} {
		if k[1] != "" && hostPort(k[1]) != nil {
			wrong("%s: %v", k[0], hostPort(k[1]))
		}
	}
	if n.Backup != nil {
		if err := n.Backup.Check(); err != nil {
			errs = append(errs, err)
		}
	}
	if _, ok := n.site(n.Site); !ok {
		wrong("site %q is not among cluster.sites", n.Site)
	}
	names, addrs := map[string]bool{}, map[string]bool{}
	for _, s := range n.Cluster.Sites {
		if !siteName.MatchString(s.Name) {
			wrong("the site name %q is not of a-z, 0-9 and -, beginning with a letter", s.Name)
		}
		if names[s.Name] {
			wrong("site %q stands there twice", s.Name)
		}
		names[s.Name] = true
		for _, k := range [][2]string{{"peer", s.Peer}, {"node", s.Node}} {
			if err := hostPort(k[1]); err != nil {
				wrong("site %s: %s: %v", s.Name, k[0], err)
			} else if addrs[k[1]] {
				wrong("site %s: %s: %s is taken by another line", s.Name, k[0], k[1])
			}
			addrs[k[1]] = true
		}
	}
	return errors.Join(errs...)
}

func hostPort(a string) error {
	host, port, err := net.SplitHostPort(a)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("%q is not host:port", a)
	}
	return nil
}
