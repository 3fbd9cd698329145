package cluster

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/keys.golden anew: only for a value that has a new version")

// TestKeysGolden: what stands in etcd beside the entries, as a released version wrote it, is written and read the same today.
func TestKeysGolden(t *testing.T) {
	id := NodeID{0xab, 0xcd, 0x01, 0x02}
	inc := Incarnation{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0xff}
	alone := Node{ID: id, Behaviour: 3, URL: "http://127.0.0.1:8080"}
	sited := Node{ID: id, Behaviour: 0x01020304, URL: "https://busan.example:8443", Site: "부산", Addr: "10.0.0.3:7070"}
	var got strings.Builder
	row := func(what string, key, value []byte) { fmt.Fprintf(&got, "%s %q %x\n", what, key, value) }
	row("log", logKey(0x0010f3a7), nil) // its values are entries: internal/kernel/testdata/entry.golden
	row("epoch", []byte(epochKey), epochValue(0x0010f3a7))
	row("producer", producerKey(id), inc[:])
	row("node", nodeKey(id), nodeValue(alone))
	row("node-of-a-site", nodeKey(id), nodeValue(sited))
	const file = "testdata/keys.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("%s: a stored format has changed.\ngot:\n%s\nwant:\n%s", file, got.String(), want)
	}

	// Read back from the file.
	for line := range strings.Lines(string(want)) {
		var what string
		var key string
		var value []byte
		if n, err := fmt.Sscanf(line, "%s %q %x", &what, &key, &value); n < 2 || err != nil && what != "log" {
			t.Fatalf("%q: %v", line, err)
		}
		var read, is any
		switch what {
		case "log":
			is = uint32(0x0010f3a7)
			read, err = parseLogKey([]byte(key))
		case "epoch":
			is = uint32(0x0010f3a7)
			read, err = parseEpoch(value)
		case "producer":
			is = inc
			read, err = parseIncarnation(value)
		case "node":
			is = alone
			read, err = parseNode([]byte(key), value)
		case "node-of-a-site":
			is = sited
			read, err = parseNode([]byte(key), value)
		}
		if err != nil || !reflect.DeepEqual(read, is) {
			t.Errorf("%s: %v, %v", what, read, err)
		}
	}
}
