package backup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/e2e/harness"
)

// TestBackupUnderLoad: while people write, copies are taken; what was acknowledged before one began is in it, and what is
// in it is a beginning of what the rooms became.
func TestBackupUnderLoad(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	const pairs, threads = 4, 4
	var people []*person
	for i := range 2 * pairs {
		people = append(people, newPerson(t, s, fmt.Sprintf("load.%d", i)))
	}
	var mu sync.Mutex
	acked := make([]map[string]uint64, pairs) // text -> seq
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range pairs {
		acked[i] = map[string]uint64{}
		a, b := people[2*i], people[2*i+1]
		for k := range threads {
			wg.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					text := fmt.Sprintf("%d번 줄의 %d", k, n)
					r, err := a.c.Send(ctxOf(t), b.id, text)
					if err != nil {
						t.Errorf("%q: %v", text, err)
						return
					}
					mu.Lock()
					acked[i][text] = r.Seq
					mu.Unlock()
				}
			})
		}
	}
	count := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, m := range acked {
			n += len(m)
		}
		return n
	}
	to := filepath.Join(t.TempDir(), "copies")
	var before []map[string]uint64
	for round := range 3 {
		from := count()
		until(t, "people have written", func() bool { return t.Failed() || count() > from+300 })
		mu.Lock()
		before = nil
		for _, m := range acked {
			c := map[string]uint64{}
			for k, v := range m {
				c[k] = v
			}
			before = append(before, c)
		}
		mu.Unlock()
		backup(t, s, filepath.Join(to, []string{"c", "b", "a"}[round])) // the newest is not the last by name
	}
	from := count()
	until(t, "people have written on", func() bool { return t.Failed() || count() > from+100 })
	close(stop)
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	refused(t, "exists already", "backup", "--data", s.Data, "--to", filepath.Join(to, "a"))
	if n := len(checkpoints(t, s.Data)); n != 3 {
		t.Errorf("%d checkpoints after three backups and one that was refused", n)
	}

	var were [][]client.Message
	for i := range pairs {
		were = append(were, people[2*i].rows(people[2*i].direct(people[2*i+1])))
	}
	if code := s.Stop(); code != 0 {
		t.Fatalf("stopped with %d", code)
	}
	cut := manifest(t, filepath.Join(to, "a"))
	data := filepath.Join(t.TempDir(), "restored")
	out := run(t, "restore", "--from", to, "--data", data, "--keep-sessions")
	if !strings.Contains(out, fmt.Sprintf("position %d:%d ", cut.Epoch, cut.N)) {
		t.Fatalf("not the newest, %d:%d, was restored: %s", cut.Epoch, cut.N, out)
	}
	// The restored views hold exactly what the copy holds, as the copy says itself.
	for name, d := range cut.Domains {
		out := run(t, "view", "diff", filepath.Join(to, "a", name), filepath.Join(data, "views", name))
		if strings.Count(out, "content hash "+d.ContentHash) != 2 || !strings.Contains(out, "equal\n") {
			t.Errorf("%s, %s in the manifest:\n%s", name, d.ContentHash, out)
		}
	}
	restored := harness.Start(t, data, "")
	var epoch uint32
	for i := range pairs {
		a, b := visitor(t, restored, people[2*i].handle), people[2*i+1]
		page, err := a.c.History(ctxOf(t), a.direct(b), 1, false, 1)
		if err != nil {
			t.Fatal(err)
		}
		epoch = page.Position.Epoch
		rows := a.rows(a.direct(b))
		if len(rows) > len(were[i]) {
			t.Fatalf("%d rows came out of a copy of at most %d", len(rows), len(were[i]))
		}
		seqs := map[string]uint64{}
		for k, m := range rows {
			if m.Text != were[i][k].Text {
				t.Fatalf("row %d is %q, it was %q", m.Seq, m.Text, were[i][k].Text)
			}
			seqs[m.Text] = m.Seq
		}
		for text, seq := range before[i] {
			if seqs[text] != seq {
				t.Errorf("%q was acknowledged as %d before the backup began, and stands at %d", text, seq, seqs[text])
			}
		}
	}
	minutes := uint32(time.Since(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)) / time.Minute)
	if epoch <= cut.Epoch || epoch > max(cut.Epoch+1, minutes) {
		t.Errorf("epoch %d follows %d", epoch, cut.Epoch)
	}
	refused(t, "is not empty", "restore", "--from", to, "--data", data)
}

// checkpoints are the names beside the data.
func checkpoints(t *testing.T, data string) (names []string) {
	t.Helper()
	dirs, err := os.ReadDir(filepath.Join(data, "checkpoints"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, d := range dirs {
		names = append(names, d.Name())
	}
	return names
}

// TestKeepSessions has everybody who can meet a restore: one who saw more than the cut and wrote on while the server was
// down, one whose answer was lost before the cut and who saw nothing since, and one who saw everything and does nothing.
func TestKeepSessions(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	alice, bob, dora := newPerson(t, s, "alice"), newPerson(t, s, "bob.1"), newPerson(t, s, "dora")
	busy, quiet := alice.group("바쁜 방", bob, dora), alice.direct(bob)
	for i := range 3 {
		alice.says(busy, fmt.Sprintf("바쁨 %d", i))
		alice.says(bob.id, fmt.Sprintf("조용 %d", i))
	}
	dora.hears("바쁨 2")
	bob.hears("조용 2")

	// Dora's answer is lost: the message is in, and she does not know.
	dora.line.mute()
	lost := dora.writes(busy, "답을 못 들은 말")
	was := bob.hears("답을 못 들은 말")
	copied := filepath.Join(t.TempDir(), "copy")
	cut := backup(t, s, copied)

	// The future that will be lost: alice and bob see it, dora does not.
	for i := range 4 {
		alice.says(busy, fmt.Sprintf("사라질 말 %d", i))
	}
	newer := alice.group("사라질 방", bob)
	alice.says(newer, "여기도")
	bob.hears("사라질 말 3")
	bob.hears("여기도")
	s.Kill()

	open := []*client.Pending{alice.writes(busy, "열린 말 0"), alice.writes(busy, "열린 말 1"), alice.writes(bob.id, "열린 말 2"), alice.writes(busy, "열린 말 3")}
	restored := restore(t, copied, "--keep-sessions")
	for _, p := range []*person{alice, bob, dora} {
		p.line.leadTo(restored)
	}
	for i, p := range open {
		if r := alice.settled(p); r.Repeated {
			t.Errorf("open item %d: %+v is an old answer", i, r)
		}
	}
	if r := dora.settled(lost); !r.Repeated || r.Seq != was.Seq {
		t.Errorf("dora's lost answer is %+v, the message has been seen at %d", r, was.Seq)
	}

	// Who saw more is told, and drops the rooms that changed after the cut and no other.
	for _, p := range []*person{alice, bob} {
		e := await(p, "the restore", always[client.RolledBackEvent])
		if !slices.Contains(e.Rooms, busy) || !slices.Contains(e.Rooms, newer) || slices.Contains(e.Rooms, quiet) {
			t.Errorf("%s drops %q; %s and %s changed after the cut, %s did not", p.handle, e.Rooms, busy, newer, quiet)
		}
	}
	// Same device, same n: alice had used seven names in the room, of which the server remembers three.
	dora.hears("열린 말 3")
	alice.wantTexts(busy, "바쁨 0", "바쁨 1", "바쁨 2", "답을 못 들은 말", "열린 말 0", "열린 말 1", "열린 말 3")
	alice.wantTexts(quiet, "조용 0", "조용 1", "조용 2", "열린 말 2")
	var ns []uint64
	for _, m := range alice.rows(busy) {
		if m.Author == alice.id && m.Kind == client.KindText {
			ns = append(ns, m.N)
		}
	}
	if want := []uint64{1, 2, 3, 8, 9, 10}; !slices.Equal(ns, want) {
		t.Errorf("alice's messages have the names %v, want %v", ns, want)
	}
	for _, p := range []*person{alice, bob, dora} {
		if a, _ := p.c.Account(); a.Device != p.device {
			t.Errorf("%s goes on under another device", p.handle)
		}
		if left := p.c.Outbox(); len(left) > 0 {
			t.Errorf("%s has %v left in the outbox", p.handle, left)
		}
	}
	// Everybody goes on: whose answer has come is connected again, and hears the others.
	for _, p := range []*person{alice, bob, dora} {
		p.says(busy, "다시 왔어요: "+p.handle)
	}
	alice.says(busy, "그 뒤 alice")
	dora.says(busy, "그 뒤 dora")
	bob.says(alice.id, "그 뒤 bob")
	for _, p := range []*person{bob, dora} {
		p.hears("그 뒤 alice")
	}
	for _, p := range []*person{alice, bob} {
		p.hears("그 뒤 dora")
	}
	alice.hears("그 뒤 bob")
	if e, yes := told(dora, always[client.RolledBackEvent]); yes {
		t.Errorf("dora had seen nothing beyond %d:%d and is told %+v", cut.Epoch, cut.N, e)
	}
	dora.once(busy)
}

// once: everything of a room was delivered once and in order.
func (p *person) once(room string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	last := uint64(0)
	for _, e := range p.events {
		if m, ok := e.(client.MessageEvent); ok && m.Message.Room == room {
			if last != 0 && m.Message.Seq != last+1 {
				p.t.Errorf("%s was given seq %d after %d", p.handle, m.Message.Seq, last)
			}
			last = m.Message.Seq
		}
	}
}

// TestSessionsEnd: without --keep-sessions nobody is logged in after the restore; who logs in again goes on where the
// outbox was, with the passwords and revocations of the cut.
func TestSessionsEnd(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	alice, bob := newPerson(t, s, "alice"), newPerson(t, s, "bob.1")
	alice.says(bob.id, "하나")
	copied := filepath.Join(t.TempDir(), "copy")
	backup(t, s, copied)
	alice.says(bob.id, "사라질 말")
	if _, err := alice.c.ChangePassword(ctxOf(t), harness.Password, "another password"); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	alice.writes(bob.id, "열린 말")
	restored := restore(t, copied)
	for _, p := range []*person{alice, bob} {
		p.line.leadTo(restored)
		if r := client.ReasonOf(p.ended()); r != client.ReasonSessionRevoked && r != client.ReasonUnauthenticated {
			t.Errorf("%s: the session ends with %v", p.handle, r)
		}
	}
	if _, err := os.Stat(filepath.Join(restored.Data, "end-sessions")); err == nil {
		t.Error("the next start would end the sessions again")
	}
	if _, err := alice.c.LogIn(ctxOf(t), "alice", "another password"); client.ReasonOf(err) != client.ReasonBadCredentials {
		t.Errorf("the password of the lost future: %v", err)
	}
	for _, p := range []*person{bob, alice} {
		if _, err := p.c.LogIn(ctxOf(t), p.handle, harness.Password); err != nil {
			t.Fatal(err)
		}
		if p == bob {
			bob.says(bob.id, "다시 왔어요") // and is connected before alice is
		}
	}
	bob.hears("열린 말")
	until(t, "alice's outbox is empty", func() bool { return len(alice.c.Outbox()) == 0 })
	alice.wantTexts(alice.direct(bob), "하나", "열린 말")
	if a, _ := alice.c.Account(); a.Device != alice.device {
		t.Error("the log-in made another device")
	}
	// A second start keeps the sessions.
	if code := restored.Stop(); code != 0 {
		t.Fatalf("stopped with %d: %s", code, restored.Log())
	}
	again := harness.Start(t, restored.Data, "")
	alice.line.leadTo(again)
	alice.says(bob.id, "둘")
}

// TestUnknownEpoch: a server that was restored from an older copy has never heard of the epoch a client comes from.
func TestUnknownEpoch(t *testing.T) {
	first := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	alice, bob := newPerson(t, first, "alice"), newPerson(t, first, "bob.1")
	alice.says(bob.id, "하나")
	old, newer := filepath.Join(t.TempDir(), "old"), filepath.Join(t.TempDir(), "newer")
	backup(t, first, old)
	first.Kill()

	second := restore(t, old, "--keep-sessions")
	alice.line.leadTo(second)
	alice.says(bob.id, "둘")
	backup(t, second, newer)
	second.Kill()
	third := restore(t, newer, "--keep-sessions")
	alice.line.leadTo(third)
	alice.says(bob.id, "셋")
	third.Kill()

	open := alice.writes(bob.id, "열린 말")
	fourth := restore(t, old, "--keep-sessions")
	alice.line.leadTo(fourth)
	if r := alice.settled(open); r.Repeated {
		t.Errorf("%+v is an old answer", r)
	}
	// Nothing that is shown can be relied on: all rooms are read again.
	await(alice, "the second restore", func(e client.RolledBackEvent) bool { return slices.Contains(e.Rooms, alice.direct(bob)) })
	alice.says(bob.id, "넷")
	alice.wantTexts(alice.direct(bob), "하나", "열린 말", "넷")
	bob.line.leadTo(fourth)
	bob.hears("넷")
}

// TestPositions asks over plain HTTP: a position up to the cut is still one of this history, one beyond it is not, and
// neither is one of an epoch that never was. A command of another epoch is not consumed.
func TestPositions(t *testing.T) {
	s := harness.Start(t, filepath.Join(t.TempDir(), "data"), "")
	a, b := harness.SignUp(t, s), harness.SignUp(t, s)
	if status, out := a.Send(b, "하나"); status != 200 {
		t.Fatal(status, out)
	}
	copied := filepath.Join(t.TempDir(), "copy")
	cut := backup(t, s, copied)
	s.Kill()
	restored := restore(t, copied, "--keep-sessions")
	a.Server, b.Server = restored, restored
	room := a.Must("ChatService/OpenDirect", map[string]any{"peer": b.ID})["room"]
	for _, c := range []struct {
		epoch uint32
		n     uint64
		want  string
	}{{cut.Epoch, 1, ""}, {cut.Epoch, cut.N, ""}, {cut.Epoch, cut.N + 1, "REASON_ROLLED_BACK"}, {cut.Epoch - 1, 1, "REASON_ROLLED_BACK"}, {cut.Epoch + 99999, 1, "REASON_ROLLED_BACK"}} {
		status, out := a.Call("ChatService/History", map[string]any{"room": room, "from": 1, "limit": 1,
			"atLeast": map[string]any{"epoch": c.epoch, "n": fmt.Sprint(c.n)}})
		if ok := status == 200; ok != (c.want == "") || !ok && harness.Reason(out) != c.want {
			t.Errorf("seen %d:%d after a cut at %d:%d: %d %v", c.epoch, c.n, cut.Epoch, cut.N, status, out)
		}
	}
	name := a.Name(b.ID)
	name["epoch"] = cut.Epoch
	status, out := a.Call("ChatService/Send", map[string]any{"name": name, "peer": b.ID, "text": "둘"})
	if status == 200 || harness.Reason(out) != "REASON_ROLLED_BACK" {
		t.Fatalf("a command of the old epoch: %d %v", status, out)
	}
	delete(name, "epoch")
	out = a.Must("ChatService/Send", map[string]any{"name": name, "peer": b.ID, "text": "둘"})
	if fmt.Sprint(out["seq"]) != "2" || fmt.Sprint(out["repeated"]) == "true" {
		t.Errorf("the same name in the new epoch: %v", out)
	}
}
