package cluster

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/server/v3/storage/backend"
	"go.etcd.io/etcd/server/v3/storage/schema"
	"google.golang.org/protobuf/proto"
)

// errDatabase begins the sentence about a database in which something is not what was written.
var errDatabase = errors.New("the log's database is damaged")

// checkDatabase reads the whole database of a stopped member, so that a flipped bit is found before the engine meets it, which
// would end the process without a word of what to do, or before a wrong key is believed. Everything that the log consists of
// is held against something else: its pages (dbpages.go), the numbers of its keys' versions, which have no holes, and the
// checksums of the entries, of which intact knows. docs/decisions/0010 says what is left.
func checkDatabase(dir string, intact func(epoch uint32, n uint64, entry []byte) error) error {
	f, err := os.Open(filepath.Join(dir, "member", "snap", "db"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.Size() == 0 { // one that is made at this start
		return err
	}
	if err := checkDB(f, st.Size(), intact); err != nil {
		return fmt.Errorf("%w: %w", errDatabase, err)
	}
	return nil
}

func checkDB(r io.ReaderAt, size int64, intact func(uint32, uint64, []byte) error) error {
	d, err := openDB(r, size)
	if err != nil {
		return err
	}
	names, values, err := d.buckets()
	if err != nil {
		return err
	}
	c := &keyCheck{intact: intact, compacted: 1, keys: map[string]keyState{}}
	// What is in meta says from where on history has no holes.
	slices.SortStableFunc(names, func(a, b string) int { return place(a) - place(b) })
	for _, name := range names {
		var each func(k, v []byte) error
		switch {
		case name == string(schema.Key.Name()):
			each = c.record
		case name == string(schema.Meta.Name()):
			each = c.meta
		case slices.ContainsFunc(schema.AllBuckets, func(b backend.Bucket) bool { return string(b.Name()) == name }):
			each = func(_, _ []byte) error { return nil }
		default:
			return fmt.Errorf("%q is no bucket of a log", name)
		}
		if err := d.bucket(values[name], each); err != nil {
			return err
		}
	}
	return c.end()
}

func place(bucket string) int {
	if bucket == string(schema.Meta.Name()) {
		return 0
	}
	return 1
}

// keyCheck goes through the records of all keys in the order in which they were written.
type keyCheck struct {
	intact func(epoch uint32, n uint64, entry []byte) error
	// compacted is the revision up to which history may have been trimmed; main and sub are those of the last record.
	compacted, main, sub int64
	keys                 map[string]keyState
	epoch, newest        uint32
}

// keyState is a key as its last record has it.
type keyState struct {
	created, version int64
	incarnation      Incarnation // of a producer
}

const (
	revisionLen = 8 + 1 + 8
	// mostChanges is more than a transaction has; the log's have two.
	mostChanges = 1 << 16
)

func (c *keyCheck) meta(k, v []byte) error {
	if string(k) != string(schema.ScheduledCompactKeyName) && string(k) != string(schema.FinishedCompactKeyName) {
		return nil
	}
	if len(v) != revisionLen {
		return errors.New("up to where history was trimmed cannot be read")
	}
	c.compacted = max(c.compacted, int64(binary.BigEndian.Uint64(v)))
	return nil
}

// record takes one record: the key's value as of a revision.
func (c *keyCheck) record(k, v []byte) error {
	deleted := len(k) == revisionLen+1 && k[revisionLen] == 't'
	if len(k) != revisionLen && !deleted || k[8] != '_' {
		return errors.New("a revision cannot be read")
	}
	main, sub := int64(binary.BigEndian.Uint64(k)), int64(binary.BigEndian.Uint64(k[9:revisionLen]))
	if main < 1 || sub < 0 || sub > mostChanges {
		return errors.New("a revision is out of all bounds")
	}
	if main > c.compacted && (main != max(c.main, c.compacted)+1 || sub != 0) && (main != c.main || sub != c.sub+1) {
		return fmt.Errorf("revision %d.%d follows %d.%d", main, sub, c.main, c.sub)
	}
	c.main, c.sub = main, sub
	kv := &mvccpb.KeyValue{}
	err := proto.Unmarshal(v, kv)
	if err != nil || len(kv.ProtoReflect().GetUnknown()) > 0 {
		return fmt.Errorf("revision %d cannot be read", main)
	}
	key := string(kv.Key)
	before, known := c.keys[key]
	if deleted {
		if !known && main > c.compacted || kv.CreateRevision|kv.ModRevision|kv.Version != 0 {
			return fmt.Errorf("revision %d deletes what it cannot", main)
		}
		delete(c.keys, key)
		return nil
	}
	first := kv.Version == 1 && kv.CreateRevision == main
	next := known && kv.Version == before.version+1 && kv.CreateRevision == before.created
	trimmed := !known && main <= c.compacted && kv.Version > 1 && kv.CreateRevision > 0 && kv.CreateRevision < main
	if kv.ModRevision != main || !(next || !known && (first || trimmed)) {
		return fmt.Errorf("revision %d is not the one of its key that follows", main)
	}
	now := keyState{created: kv.CreateRevision, version: kv.Version}
	if now.incarnation, err = c.value(key, kv); err == nil && known && sub > 0 && now.incarnation != before.incarnation {
		err = errors.New("an entry of a start that did not open") // the entry is sub 0
	}
	if err != nil {
		return fmt.Errorf("revision %d: %w", main, err)
	}
	c.keys[key] = now
	return nil
}

// value looks at what the keys of the log hold.
func (c *keyCheck) value(key string, kv *mvccpb.KeyValue) (inc Incarnation, err error) {
	switch {
	case key == epochKey:
		c.epoch, err = parseEpoch(kv.Value)
	case strings.HasPrefix(key, logPrefix):
		var epoch uint32
		if epoch, err = parseLogKey(kv.Key); err == nil {
			c.newest = max(c.newest, epoch)
			if c.intact != nil {
				err = c.intact(epoch, uint64(kv.Version), kv.Value)
			}
		}
	case strings.HasPrefix(key, "p/"):
		inc, err = parseIncarnation(kv.Value)
	case strings.HasPrefix(key, nodeStart):
		_, err = parseNode(kv.Key, kv.Value)
	}
	return inc, err
}

func (c *keyCheck) end() error {
	if c.epoch != c.newest {
		return fmt.Errorf("it is in epoch %d, and its newest log is of epoch %d", c.epoch, c.newest)
	}
	return nil
}
