package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/bonghwa/bonghwa/internal/kernel"
)

// TestStaleRescueMark: a rescue that was interrupted goes on as it was begun only where it cannot be begun anew.
func TestStaleRescueMark(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := startServer(t, data)
	commands(t, s, 3)
	stopServer(t, s)
	d, err := OpenData(data)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	v, err := openReplay(d.path(viewsDir), d.Cell)
	if err != nil {
		t.Fatal(err)
	}
	defer v.close()
	at := v.position()
	mark := func(r Rescued) {
		t.Helper()
		b, err := json.Marshal(r)
		if err == nil {
			err = os.WriteFile(d.path(rescueMark), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if r := begunRescue(d, v); r != nil {
		t.Errorf("without a mark: %+v", r)
	}
	mark(Rescued{Node: d.Meta.Node, At: kernel.Position{Epoch: at.Epoch, N: 1}, Epoch: at.Epoch + 1})
	if r := begunRescue(d, v); r != nil {
		t.Errorf("the site has served since: %+v", r)
	}
	mark(Rescued{Node: d.Meta.Node, Epoch: at.Epoch})
	if r := begunRescue(d, v); r == nil {
		t.Error("its views are in the epoch: it was forgotten")
	}
	mark(Rescued{Node: "another", Epoch: at.Epoch})
	if r := begunRescue(d, v); r != nil {
		t.Errorf("of another node: %+v", r)
	}
	mark(Rescued{Node: d.Meta.Node, At: at, Epoch: at.Epoch + 1})
	if err := os.RemoveAll(d.path(etcdDir)); err != nil {
		t.Fatal(err)
	}
	if r := begunRescue(d, v); r == nil {
		t.Error("its log is gone: it was forgotten")
	}
}
