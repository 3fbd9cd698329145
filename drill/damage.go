package drill

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/server"
)

const (
	byFlip    = "real: a bit of a file is flipped while the process is stopped"
	byRewrite = "real: a row is written anew behind the server's back, with good checksums"
)

// damage is a bit flipped at a site that was stopped: in a table of a view, in the files of the log, in the database of its
// engine, or in a row of a view so that every checksum is good. It must be noticed, nobody may be served what is wrong, and one
// command must make it good.
func damage(ctx context.Context, s *stage, part string) error {
	site := s.l.sites[len(s.l.sites)-1]
	s.goes(site)
	forbidden := s.trespass(ctx)
	if err := s.l.drain(ctx, site); err != nil {
		return err
	}
	s.did("drained", site, "real: bonghwa cluster drain")
	acts := map[string]func(context.Context, string) error{"table": s.flipTable, "log": s.flipLog, "db": s.flipDatabase, "row": s.flipRow}
	if err := acts[part](ctx, site); err != nil {
		return err
	}
	return <-forbidden
}

// flipTable damages a table of the view of rooms. The start after an unclean stop reads every row.
func (s *stage) flipTable(ctx context.Context, site string) error {
	tables := func() []string {
		list, _ := filepath.Glob(filepath.Join(s.l.data(site), "views", "chat", "*.sst"))
		return list
	}
	s.l.kill(site)
	if len(tables()) == 0 { // a start writes one of what was only in the engine's own log
		if err := s.l.start(ctx, site); err != nil {
			return err
		}
		s.l.kill(site)
	}
	file, err := largest(tables())
	if err != nil {
		return err
	}
	if err := flip(file, func(b []byte) []int { return []int{len(b) / 3} }); err != nil {
		return err
	}
	s.did("bit flipped in a table of a view", site, byFlip)
	why, err := s.refuses(ctx, site)
	if err != nil {
		return err
	}
	if !strings.Contains(why, "start this site anew") {
		return fmt.Errorf("the damaged site does not say what to do: %s", why)
	}
	s.did("ended, with what to do", site, "status")
	time.Sleep(s.length)
	s.measured()
	return s.again(ctx, site)
}

// flipLog damages the newest file of the log.
func (s *stage) flipLog(ctx context.Context, site string) error {
	s.l.kill(site)
	files, err := filepath.Glob(filepath.Join(s.l.data(site), "etcd", "member", "wal", "*.wal"))
	if err != nil || len(files) == 0 {
		return errors.Join(errors.New("there is no file of the log"), err)
	}
	slices.Sort(files)
	if err := flip(files[len(files)-1], func(b []byte) []int { return []int{len(bytes.TrimRight(b, "\x00")) / 2} }); err != nil {
		return err
	}
	s.did("bit flipped in the log", site, byFlip)
	return s.rebuilt(ctx, site, "")
}

// flipDatabase damages the database of the log's engine, whose pages have no checksums: first what the log's key has held, then,
// when the site has been rebuilt, the kinds of pages. Where a page of before looks like one of now, both are hit.
func (s *stage) flipDatabase(ctx context.Context, site string) error {
	for i, at := range []struct {
		what   string
		places func([]byte) []int
	}{
		{"bits flipped in the log's entries", entries},
		{"bits flipped in the log's pages", heads},
	} {
		if i > 0 {
			s.goes(site)
			if err := s.l.drain(ctx, site); err != nil {
				return err
			}
			s.did("drained", site, "real: bonghwa cluster drain")
		}
		s.l.kill(site)
		if err := flip(filepath.Join(s.l.data(site), "etcd", "member", "snap", "db"), at.places); err != nil {
			return err
		}
		s.did(at.what, site, byFlip)
		if err := s.rebuilt(ctx, site, "the log's database is damaged"); err != nil {
			return err
		}
	}
	return nil
}

// entries are places within what the log's key has held: the key comes first, then numbers of 20 bytes at most.
func entries(b []byte) (at []int) {
	const key, within = "log/", 60
	for i := 0; ; {
		next := bytes.Index(b[i:], []byte(key))
		if next < 0 || i+next+within >= len(b) {
			return at
		}
		i += next
		at = append(at, i+within)
		i += len(key)
	}
}

// heads are where pages of keys, or of pages, say of which kind they are.
func heads(b []byte) (at []int) {
	const size = 4096
	for i := 2; (i+1)*size <= len(b); i++ {
		p := b[i*size:]
		if kind := binary.NativeEndian.Uint16(p[8:]); binary.NativeEndian.Uint64(p) == uint64(i) && (kind == 1 || kind == 2) {
			at = append(at, i*size+8)
		}
	}
	return at
}

// rebuilt sees a site end with what to do, this sentence in it, and does it.
func (s *stage) rebuilt(ctx context.Context, site, says string) error {
	why, err := s.refuses(ctx, site)
	if err != nil {
		return err
	}
	if !strings.Contains(why, says) || !strings.Contains(why, "--rebuild") {
		return fmt.Errorf("the damaged site does not say what to do: %s", why)
	}
	s.did("ended, with what to do", site, "status")
	time.Sleep(s.length)
	s.measured()
	if err := s.wipe(site); err != nil {
		return err
	}
	return s.again(ctx, site, "--rebuild")
}

// flipRow changes what a room is called in one site's view. The other two say that they have it otherwise, and the site serves
// nobody any more; somebody asks it all the time for the room's name.
func (s *stage) flipRow(ctx context.Context, site string) error {
	r := s.c.rooms[0]
	k, err := client.Open(client.Options{URLs: []string{s.l.urls[site]}, OnlyURLs: true, NoEvents: true, HTTPClient: s.l.people})
	if err != nil {
		return err
	}
	defer k.Close()
	a, _ := r.members[0].c.Account()
	if _, err := k.LogIn(ctx, a.Handle, password); err != nil {
		return err
	}
	before, err := k.GetRoom(ctx, r.id)
	if err != nil {
		return err
	}
	if err := s.l.stop(site); err != nil {
		return err
	}
	if err := rewrite(filepath.Join(s.l.data(site), "views", "chat"), before.Title); err != nil {
		return err
	}
	s.did("row of a view rewritten", site, byRewrite)
	var wrong, right atomic.Int64
	asking, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for asking.Err() == nil {
			once, cancel := context.WithTimeout(asking, time.Second)
			now, err := k.GetRoom(once, r.id)
			cancel()
			switch {
			case err != nil:
			case now.Title == before.Title:
				right.Add(1)
			default:
				wrong.Add(1)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	_, err = s.l.begin(site) // it will never be ready
	if err == nil {
		err = s.l.until(ctx, "that a view that differs is noticed", func(st server.Status) bool {
			return strings.Contains(of(st, site).Because, "differs from those of two others")
		})
	}
	if err == nil {
		s.did("serves nobody: its view differs from two others", site, "status")
		time.Sleep(s.length)
		s.measured()
		err = s.l.stop(site)
	}
	if err == nil {
		err = s.again(ctx, site)
	}
	time.Sleep(time.Second)
	stop()
	<-ended
	if n := wrong.Load(); n > 0 {
		err = errors.Join(err, fmt.Errorf("%s served the wrong name of a room %d times", site, n))
	}
	if right.Load() == 0 {
		err = errors.Join(err, errors.New("nobody was served the right name of the room afterwards"))
	}
	return err
}

// refuses starts a damaged site and waits until it ends by itself, and says why it did.
func (s *stage) refuses(ctx context.Context, site string) (why string, err error) {
	s.l.relay.set(false, s.l.around(site, true)...)
	ready, err := s.l.begin(site)
	if err != nil {
		return "", err
	}
	s.did("started", site, byStart)
	p := s.l.proc(site)
	select {
	case <-p.done:
		select {
		case err := <-ready:
			if err != nil {
				return err.Error(), nil
			}
		default:
		}
		return p.said.last(), nil
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(time.Minute):
		return "", fmt.Errorf("%s runs on with damaged files", site)
	}
}

func largest(files []string) (file string, err error) {
	size := int64(-1)
	for _, f := range files {
		st, err := os.Stat(f)
		if err != nil {
			return "", err
		}
		if st.Size() > size {
			file, size = f, st.Size()
		}
	}
	if file == "" {
		return "", fs.ErrNotExist
	}
	return file, nil
}

// flip turns one bit of a file in each of these places.
func flip(file string, places func(b []byte) []int) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	at := places(b)
	if len(at) == 0 {
		err = fmt.Errorf("%s has nothing to damage", file)
	}
	for _, i := range at {
		if err == nil {
			_, err = f.WriteAt([]byte{b[i] ^ 0x10}, int64(i))
		}
	}
	return errors.Join(err, f.Close())
}

// rewrite changes the first row of rooms that holds this title: its last letter is another one of the same length.
func rewrite(view, title string) (err error) {
	defer kernel.CatchStorage(&err)
	st, err := kernel.OpenPebble(view, kernel.PebbleOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	other := []byte(title)
	other[len(other)-1] ^= 1
	b := st.Begin()
	var key, value []byte
	b.Scan([]byte("r"), []byte("s"), func(k, v []byte) bool {
		if bytes.Contains(v, []byte(title)) {
			key, value = k, bytes.Replace(v, []byte(title), other, 1)
		}
		return key == nil
	})
	if key == nil {
		b.Discard()
		return errors.New("no row has the room's title")
	}
	b.Set(key, value)
	return errors.Join(b.Commit(), st.Sync())
}
