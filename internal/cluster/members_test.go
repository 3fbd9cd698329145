package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/pki"
)

// tlsFiles makes the files of one member of a cluster on loopback addresses.
func tlsFiles(t *testing.T, a *pki.Authority, site, host string) cluster.TLSFiles {
	t.Helper()
	dir := t.TempDir()
	cert, key, err := a.Issue(site, []string{host}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	f := cluster.TLSFiles{CA: filepath.Join(dir, "ca"), Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	for name, b := range map[string][]byte{f.CA: a.CertPEM, f.Cert: cert, f.Key: key} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// proposer puts numbered entries into the log until it is told to stop; every one that was acknowledged is counted.
func proposer(t *testing.T, e *cluster.Etcd, node byte) (stop func() uint64) {
	t.Helper()
	ctx := t.Context()
	id, inc := cluster.NodeID{node}, cluster.Incarnation{node}
	st, err := e.OpenProducer(ctx, id, 0, inc)
	if err != nil || st.Incarnation != inc {
		t.Fatalf("%+v, %v", st, err)
	}
	var acked atomic.Uint64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for version := st.Version; ; {
			select {
			case <-done:
				return
			default:
			}
			in, st, err := e.Propose(ctx, cluster.Proposal{Epoch: testEpoch, Node: id, Incarnation: inc, Version: version, Entry: fmt.Appendf(nil, "%d/%d", node, version)})
			if err == nil && (in || st.Version == version+1) {
				version++
				acked.Add(1)
			}
		}
	}()
	return func() uint64 {
		close(done)
		<-ended
		return acked.Load()
	}
}

// entries reads the member's own copy up to entry n.
func entries(t *testing.T, e *cluster.Etcd, n uint64) (out []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	enough := errors.New("enough")
	err := e.Tail(ctx, 0, nil, func(rs []cluster.Record) error {
		for _, r := range rs {
			out = append(out, string(r.Value))
			if r.N == n {
				return enough
			}
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	return out
}

// A member that was alone becomes three, over mutual TLS, while it takes entries; then one of them goes for good and
// another comes in its place under the same address.
func TestGrow(t *testing.T) {
	a, err := pki.NewAuthority("grown", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(t.TempDir(), "seoul")
	e := openOne(t, first)
	initEtcd(t, e)
	e.Close()

	sites := []string{"seoul", "daejeon", "busan"}
	addrs := freeAddrs(t, 3)
	options := func(i int) cluster.EtcdOptions {
		return cluster.EtcdOptions{Dir: first, Name: sites[i], PeerURL: "https://" + addrs[i], InitialCluster: sites[i] + "=https://" + addrs[i],
			TLS: tlsFiles(t, a, sites[i], strings.Split(addrs[i], ":")[0])}
	}
	seoul := openEtcd(t, options(0))
	if seoul.Epoch() != testEpoch {
		t.Fatalf("epoch %d", seoul.Epoch())
	}
	stop := proposer(t, seoul, 1)

	join := func(i int, dir string) *cluster.Etcd {
		t.Helper()
		o := options(i)
		o.Dir, o.Join = dir, true
		m, err := seoul.AddLearner(t.Context(), o.PeerURL)
		if err != nil || !m.Learner {
			t.Fatalf("%+v, %v", m, err)
		}
		if again, err := seoul.AddLearner(t.Context(), o.PeerURL); err != nil || again.ID != m.ID {
			t.Fatalf("announced again: %+v, %v", again, err)
		}
		var initial []string
		for _, m := range seoul.MemberList() {
			name := m.Name
			if m.PeerURL == o.PeerURL {
				name = o.Name
			}
			initial = append(initial, name+"="+m.PeerURL)
		}
		o.InitialCluster = strings.Join(initial, ",")
		joined := openEtcd(t, o)
		if joined.Epoch() != testEpoch {
			t.Fatalf("joined epoch %d", joined.Epoch())
		}
		// Asked at the one that may not be the leader.
		if err := joined.Promote(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
		if err := joined.Promote(t.Context(), m.ID); err != nil {
			t.Fatalf("promoted again: %v", err)
		}
		return joined
	}
	daejeon := join(1, t.TempDir())
	busan := join(2, t.TempDir())
	if voters, _ := busan.Members(); voters != 3 {
		t.Fatalf("%d voters", voters)
	}

	// Who has no certificate of this cluster gets nowhere.
	for _, url := range []string{"https://" + addrs[1] + "/members", "http://" + addrs[1] + "/members"} {
		if res, err := http.Get(url); err == nil && res.StatusCode == http.StatusOK {
			t.Errorf("%s answers to anybody", url)
		}
	}

	// One goes and comes back with an empty disk, as a new member.
	for _, m := range seoul.MemberList() {
		if m.Name == "busan" {
			busan.Close()
			if err := seoul.RemoveMember(t.Context(), m.ID); err != nil {
				t.Fatal(err)
			}
			if err := seoul.RemoveMember(t.Context(), m.ID); err != nil {
				t.Fatalf("removed again: %v", err)
			}
		}
	}
	busan = join(2, t.TempDir())
	if err := seoul.Promote(t.Context(), 42); !errors.Is(err, cluster.ErrNoMember) {
		t.Fatalf("a member that is none was promoted: %v", err)
	}

	acked := stop()
	head, err := busan.Head(t.Context())
	if err != nil || head < acked+1 {
		t.Fatalf("head %d, %d acknowledged, %v", head, acked, err)
	}
	want := entries(t, seoul, head)
	for name, e := range map[string]*cluster.Etcd{"daejeon": daejeon, "busan": busan} {
		got := entries(t, e, head)
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s has %d other entries than the first of %d", name, len(got), len(want))
		}
	}
	for i, v := range want[1:] {
		if !strings.HasPrefix(v, "1/") || v != fmt.Sprintf("1/%d", i+1) {
			t.Fatalf("entry %d is %q", i+2, v)
		}
	}
	records := []cluster.Node{{ID: cluster.NodeID{1}, Behaviour: 7, URL: "https://seoul.example.org", Site: "seoul", Addr: "10.0.0.1:2480"}, {ID: cluster.NodeID{2}, Behaviour: 2, URL: "http://alone"}}
	for _, r := range records {
		if err := seoul.SetNode(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := busan.Nodes(t.Context()); err != nil || !slices.Equal(got, records) {
		t.Errorf("nodes %+v, %v", got, err)
	}
	if err := busan.DropNode(t.Context(), records[1].ID); err != nil {
		t.Fatal(err)
	}
	if got, err := seoul.Nodes(t.Context()); err != nil || !slices.Equal(got, records[:1]) {
		t.Errorf("nodes after one was dropped: %+v, %v", got, err)
	}
	if err := seoul.MoveLeader(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, leads := seoul.Members(); leads {
		t.Error("leadership was not handed over")
	}
}
