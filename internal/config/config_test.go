package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/pki"
)

func initThree(t *testing.T) (dir string, files []string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "cluster")
	files, err := config.Init(config.Plan{Dir: dir, Sites: []string{"seoul", "daejeon", "busan"}, Hosts: []string{"", "", "10.0.0.3"}, Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return dir, files
}

func TestInit(t *testing.T) {
	dir, files := initThree(t)
	id := ""
	for i, f := range files {
		n, err := config.Load(f)
		if err != nil {
			t.Fatal(err)
		}
		if id == "" {
			id = n.Cluster.ID
		}
		if n.Cluster.ID != id || n.Site != []string{"seoul", "daejeon", "busan"}[i] || len(n.Cluster.Sites) != 3 || len(n.Others()) != 2 {
			t.Errorf("%+v", n)
		}
		if n.Data != filepath.Join(dir, n.Site, "data") {
			t.Errorf("data in %s", n.Data)
		}
		who, err := pki.Load(pki.Files{CA: n.Cluster.CA, Cert: n.Cluster.Cert, Key: n.Cluster.Key})
		if err != nil || who.Site != n.Site {
			t.Errorf("%+v, %v", who, err)
		}
		for _, secret := range []string{f, n.Cluster.Key} {
			if st, err := os.Stat(secret); err != nil || st.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", secret, st.Mode(), err)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, n.Site, config.AuthorityKeyFile)); err == nil {
			t.Error("a node holds the authority's key")
		}
	}
	one, _ := config.Load(files[0])
	two, _ := config.Load(files[1])
	three, _ := config.Load(files[2])
	if one.Listen != "127.0.0.1:8080" || two.Listen != "127.0.0.1:8081" || three.Listen != "10.0.0.3:8080" || two.Self().Peer != "127.0.0.1:2381" {
		t.Errorf("%s %s %s %s", one.Listen, two.Listen, three.Listen, two.Self().Peer)
	}
	if _, err := config.Init(config.Plan{Dir: dir, Sites: []string{"x"}, Hosts: []string{""}}); err == nil {
		t.Error("a cluster was written over another")
	}

	file, err := config.Add(dir, "gwangju", "", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	four, err := config.Load(file)
	if err != nil || len(four.Cluster.Sites) != 4 || four.Listen != "127.0.0.1:8082" || four.Cluster.ID != id {
		t.Errorf("%+v, %v", four, err)
	}
	if _, err := pki.Load(pki.Files{CA: one.Cluster.CA, Cert: four.Cluster.Cert, Key: four.Cluster.Key}); err != nil {
		t.Errorf("the new node is not of the same authority: %v", err)
	}
	if _, err := config.Add(dir, "gwangju", "", time.Now()); err == nil {
		t.Error("a site was added twice")
	}
}

func TestLoadSaysEverythingThatIsWrong(t *testing.T) {
	_, files := initThree(t)
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	good := string(b)
	for _, c := range []struct {
		old, new string
		want     []string
	}{
		{"site = 'seoul'", "site = 'jeju'\ncity = 'x'", []string{"not known here: city"}},
		{"site = 'seoul'", "site = 'jeju", []string{"line 3"}},
		{"listen = '127.0.0.1:8080'", "listen = '8080'", []string{`listen: "8080" is not host:port`}},
		{"url = 'http://127.0.0.1:8080'", "url = 'seoul'\nsignup = 'all'", []string{`url "seoul"`, `signup "all"`}},
		{"name = 'daejeon'", "name = 'seoul'", []string{`site "seoul" stands there twice`}},
		{"node = '127.0.0.1:2480'", "node = '127.0.0.1:2380'", []string{"is taken by another line"}},
	} {
		bad := strings.Replace(good, c.old, c.new, 1)
		if bad == good {
			t.Fatalf("%q is not in\n%s", c.old, good)
		}
		path := filepath.Join(t.TempDir(), "node.toml")
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(path)
		if err == nil {
			t.Errorf("%q was taken", c.new)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v", c.new, err)
			}
		}
	}
}
