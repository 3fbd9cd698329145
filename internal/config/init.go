package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/bonghwa/bonghwa/internal/pki"
)

// Names of the files of a cluster's directory: the authority's key signs new nodes and belongs on no node.
const (
	AuthorityFile    = "ca.pem"
	AuthorityKeyFile = "ca-key.pem"
)

// Ports of the first node on a host; further ones on the same host take the next of each kind.
const (
	firstListen = 8080
	firstPeer   = 2380
	firstNode   = 2480
)

// Plan is a cluster to be written down.
type Plan struct {
	// Dir gets the authority and a directory for each site. It must be empty or not exist.
	Dir string
	// Sites are the sites' names, Hosts where their machines are; an empty host is this machine's loopback.
	Sites, Hosts []string
	// Founder is the node (8 hex digits) whose data the first site takes over, FounderData where they are; empty: a new cluster.
	Founder, FounderData string
	Now                  time.Time
}

// Save writes the file over what is there. Paths are written as they are in n.
func (n *Node) Save(path string) error {
	if err := n.check(); err != nil {
		return err
	}
	b, err := toml.Marshal(n)
	if err != nil {
		return err
	}
	return write(path, append([]byte(fileHead), b...))
}

// SetControl writes into a node's file by which socket a site of a demo is burned. Nothing else in it changes.
func SetControl(path, socket string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the node's file cannot be read: %v", err)
	}
	n := &Node{}
	if err := toml.Unmarshal(b, n); err != nil {
		return fmt.Errorf("%s: %s", path, sentence(err))
	}
	if n.Control == socket {
		return nil
	}
	n.Control = socket
	return n.Save(path)
}

// fileHead is the first line of a node's file.
const fileHead = "# A node of a Bonghwa cluster: bonghwa serve --config " + FileName + "\n"

// Init writes the authority and every node's files. It returns the nodes' files in the order of the sites.
func Init(p Plan) (files []string, err error) {
	if len(p.Sites) == 0 || len(p.Sites) != len(p.Hosts) {
		return nil, errors.New("name the sites, for example --sites seoul,daejeon,busan")
	}
	if left, err := os.ReadDir(p.Dir); err == nil && len(left) > 0 {
		return nil, fmt.Errorf("%s is not empty; choose a new directory", p.Dir)
	}
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	cluster := hex.EncodeToString(id[:])
	ca, err := pki.NewAuthority(cluster, p.Now)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("the directory %s cannot be made: %v", p.Dir, err)
	}
	if err := errors.Join(write(filepath.Join(p.Dir, AuthorityFile), ca.CertPEM), write(filepath.Join(p.Dir, AuthorityKeyFile), ca.KeyPEM)); err != nil {
		return nil, err
	}
	c := Cluster{ID: cluster, Founder: p.Founder, CA: "ca.pem", Cert: "node.pem", Key: "node-key.pem"}
	var listen []string
	for i, name := range p.Sites {
		var at string
		c.Sites, at = place(c.Sites, name, p.Hosts[i])
		listen = append(listen, at)
	}
	for i, s := range c.Sites {
		n := &Node{Site: s.Name, Data: "data", Listen: listen[i], URL: "http://" + listen[i], Cluster: c}
		if i == 0 && p.FounderData != "" {
			if n.Data, err = filepath.Abs(p.FounderData); err != nil {
				return nil, err
			}
		}
		file, err := n.write(p.Dir, ca, p.Now)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// Add writes the files of one more site beside the others. dir is what Init wrote; any node's file in it tells of the rest.
func Add(dir, name, host string, now time.Time) (file string, err error) {
	certPEM, err1 := os.ReadFile(filepath.Join(dir, AuthorityFile))
	keyPEM, err2 := os.ReadFile(filepath.Join(dir, AuthorityKeyFile))
	if err := errors.Join(err1, err2); err != nil {
		return "", fmt.Errorf("the cluster's authority cannot be read: %v", err)
	}
	ca, err := pki.ParseAuthority(certPEM, keyPEM)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s exists already", filepath.Join(dir, name))
	}
	// The newest file knows the most sites.
	var known *Node
	found, err := filepath.Glob(filepath.Join(dir, "*", FileName))
	if err != nil {
		return "", err
	}
	for _, f := range found {
		n, err := Load(f)
		if err != nil {
			return "", err
		}
		if known == nil || len(n.Cluster.Sites) > len(known.Cluster.Sites) {
			known = n
		}
	}
	if known == nil {
		return "", fmt.Errorf("%s holds no node's file", dir)
	}
	c := known.Cluster
	c.CA, c.Cert, c.Key = "ca.pem", "node.pem", "node-key.pem"
	sites, at := place(c.Sites, name, host)
	c.Sites = sites
	n := &Node{Site: name, Data: "data", Listen: at, URL: "http://" + at, Signup: known.Signup, Cluster: c, Backup: known.Backup}
	return n.write(dir, ca, now)
}

// place finds addresses for one more site: the usual ports, and on a host that has a site already the next ones. listen is
// the one for people.
func place(sites []Site, name, host string) (more []Site, listen string) {
	if host == "" {
		host = "127.0.0.1"
	}
	k := 0
	for _, s := range sites {
		if h, _, _ := net.SplitHostPort(s.Peer); h == host {
			k++
		}
	}
	at := func(port int) string { return net.JoinHostPort(host, strconv.Itoa(port+k)) }
	return append(sites, Site{Name: name, Peer: at(firstPeer), Node: at(firstNode)}), at(firstListen)
}

// write makes the node's directory with its file and certificates.
func (n *Node) write(dir string, ca *pki.Authority, now time.Time) (file string, err error) {
	if err := n.check(); err != nil {
		return "", err
	}
	home := filepath.Join(dir, n.Site)
	if err := os.MkdirAll(home, 0o700); err != nil {
		return "", fmt.Errorf("the directory %s cannot be made: %v", home, err)
	}
	self := n.Self()
	peer, _, _ := net.SplitHostPort(self.Peer)
	node, _, _ := net.SplitHostPort(self.Node)
	hosts := []string{peer}
	if node != peer {
		hosts = append(hosts, node)
	}
	cert, key, err := ca.Issue(n.Site, hosts, now)
	if err != nil {
		return "", err
	}
	file = filepath.Join(home, FileName)
	return file, errors.Join(
		write(filepath.Join(home, n.Cluster.CA), ca.CertPEM),
		write(filepath.Join(home, n.Cluster.Cert), cert),
		write(filepath.Join(home, n.Cluster.Key), key),
		n.Save(file),
	)
}

func write(path string, b []byte) error {
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return fmt.Errorf("%s cannot be written: %v", path, err)
	}
	return nil
}
