package cluster_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"google.golang.org/protobuf/proto"

	"github.com/bonghwa/bonghwa/internal/cluster"
)

// summed is an entry with a checksum before it.
func summed(text string) []byte {
	return append(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(text))), text...)
}

func intact(_ uint32, _ uint64, b []byte) error {
	if len(b) < 4 || binary.BigEndian.Uint32(b) != crc32.ChecksumIEEE(b[4:]) {
		return errors.New("checksum does not match")
	}
	return nil
}

// stoppedLog makes a log with entries of every size, two producers, nodes that come and go, and a trimmed beginning, and gives its
// directory and its database.
func stoppedLog(t *testing.T) (dir string, db []byte) {
	t.Helper()
	dir = t.TempDir()
	e := openOne(t, dir)
	ctx := t.Context()
	if err := e.Init(ctx, testEpoch, summed("entry 1")); err != nil {
		t.Fatal(err)
	}
	versions := map[cluster.NodeID]int64{}
	put := func(node cluster.NodeID, inc cluster.Incarnation, size int) {
		t.Helper()
		if versions[node] == 0 {
			st, err := e.OpenProducer(ctx, node, 0, inc)
			if err != nil {
				t.Fatal(err)
			}
			versions[node] = st.Version
		}
		in, st, err := e.Propose(ctx, cluster.Proposal{Epoch: testEpoch, Node: node, Incarnation: inc, Version: versions[node], Entry: summed(strings.Repeat("x", size))})
		if err != nil || !in {
			t.Fatalf("%v, %v", in, err)
		}
		versions[node] = st.Version
	}
	a, b := cluster.NodeID{1}, cluster.NodeID{2}
	for i := range 60 {
		put(a, cluster.Incarnation{7}, 20*i)
		if i%3 == 0 {
			put(b, cluster.Incarnation{8}, 5000)
		}
		if i == 10 || i == 50 {
			if err := e.SetNode(ctx, cluster.Node{ID: a, Behaviour: 3, URL: "http://a", Site: "a", Addr: "a:1"}); err != nil {
				t.Fatal(err)
			}
		}
		if i == 30 {
			if err := e.SetNode(ctx, cluster.Node{ID: b, Behaviour: 3, URL: "http://b", Site: "b", Addr: "b:1"}); err != nil {
				t.Fatal(err)
			}
			if err := e.DropNode(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Trim(ctx, 30, nil); err != nil {
		t.Fatal(err)
	}
	put(a, cluster.Incarnation{7}, 60_000)
	for i := range 20 {
		put(b, cluster.Incarnation{8}, 300+i)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := os.ReadFile(database(dir))
	if err != nil {
		t.Fatal(err)
	}
	return dir, db
}

func database(dir string) string { return filepath.Join(dir, "member", "snap", "db") }

// content is what is in a database, by bucket and key, as its own engine reads it. Of a revision it has the main part: the other
// says in which order a transaction wrote, and means nothing where the rest of it was trimmed.
func content(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := bbolt.Open(file, 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	out := map[string]string{}
	if err := b.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error {
			return b.ForEach(func(k, v []byte) error {
				if string(name) == "key" {
					var kv mvccpb.KeyValue
					if err := proto.Unmarshal(v, &kv); err != nil {
						return err
					}
					k = append(bytes.Clone(k[:8]), kv.Key...)
				}
				out[string(name)+"/"+string(k)] = string(v)
				return nil
			})
		})
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// Whatever bit is flipped in a stopped log's database, either it is found, or nothing that was in it has changed but for what
// docs/decisions/0010 names: what etcd itself keeps about members and positions, and what a node says about itself.
func TestFlippedBit(t *testing.T) { flipBits(t, 500, 1) }

// The same with more of them, other ones each time.
func TestSoakFlippedBit(t *testing.T) {
	if os.Getenv("BONGHWA_SOAK") == "" {
		t.Skip("set BONGHWA_SOAK")
	}
	flipBits(t, 20_000, rand.Uint64())
}

func flipBits(t *testing.T, count int, seed uint64) {
	dir, db := stoppedLog(t)
	if err := cluster.CheckDB(bytes.NewReader(db), int64(len(db)), intact); err != nil {
		t.Fatalf("nothing is wrong: %v", err)
	}
	right := content(t, database(dir))
	f, err := os.OpenFile(database(dir), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	used := len(bytes.TrimRight(db, "\x00"))
	flip := func(bit int) {
		db[bit/8] ^= 1 << (bit % 8)
		if _, err := f.WriteAt(db[bit/8:bit/8+1], int64(bit/8)); err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	found, harmless, left := 0, 0, map[string]int{}
	for range count {
		bit := rng.IntN(used * 8)
		flip(bit)
		if err := cluster.CheckDB(bytes.NewReader(db), int64(len(db)), intact); err != nil {
			found++
		} else if bit/8 < 2*os.Getpagesize() {
			harmless++ // of the two heads the one that is right counts, and etcd reads the rest from its log
		} else if wrong := differs(content(t, database(dir)), right); wrong == "" {
			harmless++
		} else {
			left[wrong]++
			if wrong == "key" {
				t.Errorf("bit %d of byte %d, of page %d", bit%8, bit/8, bit/8/os.Getpagesize())
			}
		}
		flip(bit)
	}
	t.Logf("seed %d: of %d bits of %d %d were found, %d changed nothing, not found %v", seed, count, used*8, found, harmless, left)
	for range count / 4 { // whatever is there, and however much of it, it is read without an end of the process
		bad := bytes.Clone(db[:1+rng.IntN(len(db))])
		for range rng.IntN(100) {
			bad[rng.IntN(len(bad))] = byte(rng.IntN(256))
		}
		_ = cluster.CheckDB(bytes.NewReader(bad), int64(len(bad)), intact)
	}
	if left["key"] > 0 {
		t.Error("the log can be changed unnoticed")
	}
	if found < count/10 || harmless < count/10 {
		t.Error("this proves nothing")
	}
}

// differs names the bucket in which something differs; what a node has said about itself is not told from what it might have said.
func differs(got, want map[string]string) string {
	for k, v := range want {
		if bucket, _, _ := strings.Cut(k, "/"); got[k] != v {
			if bucket == "key" && strings.Contains(v, "node/") {
				bucket = "node"
			}
			return bucket
		}
	}
	if len(got) != len(want) {
		return "more than there was"
	}
	return ""
}

// A member with a damaged database does not start, and says so in one sentence; its engine would have ended the process. One whose
// bit was flipped where nothing is starts as ever.
func TestOpenFlipped(t *testing.T) {
	dir, db := stoppedLog(t)
	page := os.Getpagesize()
	open := func() error {
		e, err := cluster.OpenEtcd(t.Context(), cluster.EtcdOptions{Dir: dir, Intact: intact, Logger: slog.New(slog.DiscardHandler), OnFatal: func(s string) { t.Errorf("fatal: %s", s) }})
		if err == nil {
			err = e.Close()
		}
		return err
	}
	var entry []int // in every page that has or had one: which is the one that counts is the engine's affair
	for text, i := bytes.Repeat([]byte("x"), 300), 0; ; i += len(text) {
		k := bytes.Index(db[i:], text)
		if k < 0 {
			break
		}
		i += k
		entry = append(entry, i)
	}
	free := -1
	for i := 2 * page; i < len(db) && free < 0; i += page {
		if bytes.Count(db[i:i+page], []byte{0}) == page {
			free = i
		}
	}
	if len(entry) == 0 || free < 0 {
		t.Fatal("there is no entry, or no room")
	}
	flips := map[string][]int{"an entry": entry, "the kind of every page": nil, "the number of every page": nil}
	for i := 2 * page; i+page <= len(db); i += page {
		flips["the kind of every page"] = append(flips["the kind of every page"], i+8)
		flips["the number of every page"] = append(flips["the number of every page"], i)
	}
	for what, at := range flips {
		bad := bytes.Clone(db)
		for _, i := range at {
			bad[i] ^= 0x10
		}
		if err := os.WriteFile(database(dir), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := open(); err == nil || !strings.Contains(err.Error(), "the log's database is damaged") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", what, err)
		}
	}
	db[free] ^= 0x10
	if err := os.WriteFile(database(dir), db, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(); err != nil {
		t.Errorf("where nothing is: %v", err)
	}
}

// What a start costs more.
func BenchmarkCheckDatabase(b *testing.B) {
	const size = 64 << 20 // a database that is trimmed
	file := filepath.Join(b.TempDir(), "db")
	fillDB(b, file, size)
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(st.Size())
	for b.Loop() {
		if err := cluster.CheckDB(f, st.Size(), intact); err != nil {
			b.Fatal(err)
		}
	}
}

// fillDB makes a database of entries of 2 kB without a member.
func fillDB(b *testing.B, file string, size int) {
	b.Helper()
	db, err := bbolt.Open(file, 0o600, &bbolt.Options{NoFreelistSync: true, NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	entry := summed(strings.Repeat("x", 2000))
	key := []byte(fmt.Sprintf("log/%08x", testEpoch))
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("meta"))
		return err
	})
	for n, written := int64(0), 0; err == nil && written < size; {
		err = db.Update(func(tx *bbolt.Tx) error {
			records, err := tx.CreateBucketIfNotExists([]byte("key"))
			if err != nil {
				return err
			}
			records.FillPercent = 0.9
			for range 10_000 {
				n++
				kv := &mvccpb.KeyValue{Key: key, CreateRevision: 3, ModRevision: n + 1, Version: n - 1, Value: entry}
				if n == 1 { // the epoch, which its first transaction writes as well
					kv = &mvccpb.KeyValue{Key: []byte("epoch"), CreateRevision: 2, ModRevision: 2, Version: 1, Value: binary.BigEndian.AppendUint32([]byte{1}, testEpoch)}
				}
				v, err := proto.Marshal(kv)
				if err != nil {
					return err
				}
				rev := append(binary.BigEndian.AppendUint64(nil, uint64(kv.ModRevision)), "_\x00\x00\x00\x00\x00\x00\x00\x00"...)
				if err := records.Put(rev, v); err != nil {
					return err
				}
				written += len(v)
			}
			return nil
		})
	}
	if err := errors.Join(err, db.Close()); err != nil {
		b.Fatal(err)
	}
}
