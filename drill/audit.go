package drill

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/client"
	"github.com/bonghwa/bonghwa/internal/server"
)

// found is what an audit counted.
type found struct {
	lost, duplicated, reordered int
	// mistimed messages bear a time that cannot be that of their sending.
	mistimed int
	audits   []Audit
	why      []string
}

// auditPatience is for how long a room is asked for again at a site that does not give it.
const auditPatience = 30 * time.Second

// audit reads every room back from every one of these sites and holds it against what people were told: each acknowledged
// message is there, once, under its number; numbers have no hole; nobody's messages changed places; and every member was
// brought all of it. Then it compares the whole content of the sites' views at one position.
func (c *crowd) audit(ctx context.Context, l *lab, sites []string) (f found) {
	f.delivery(ctx, c)
	for i, site := range sites {
		a, whole := Audit{Site: site}, true
		for _, r := range c.rooms {
			rows, err := readRoom(ctx, c, r, site)
			for until := time.Now().Add(auditPatience); err != nil && time.Now().Before(until); {
				time.Sleep(200 * time.Millisecond) // a busy machine makes a site unready for a moment; that is no loss
				rows, err = readRoom(ctx, c, r, site)
			}
			if err != nil {
				f.why = append(f.why, fmt.Sprintf("%s could not be read back: %v", site, err))
				whole = false
				break
			}
			a.Messages += len(rows)
			lost, doubled, moved := r.check(c, rows)
			if lost+doubled+moved > 0 && len(f.why) < 20 {
				f.why = append(f.why, fmt.Sprintf("%s, room %s: %d lost, %d doubled, %d out of order", site, r.id, lost, doubled, moved))
			}
			f.mistimed += mistimed(rows)
			f.lost, f.duplicated, f.reordered = f.lost+lost, f.duplicated+doubled, f.reordered+moved
		}
		hash, err := l.hash(ctx, site, i == 0)
		if err != nil {
			f.why = append(f.why, fmt.Sprintf("the views of %s could not be compared: %v", site, err))
		}
		a.Hash = hash
		if !whole {
			continue // of what was not read nothing is known
		}
		f.audits = append(f.audits, a)
		if a.Hash != f.audits[0].Hash {
			f.why = append(f.why, fmt.Sprintf("the views of %s and %s differ", site, f.audits[0].Site))
		}
	}
	if f.mistimed > 0 {
		f.why = append(f.why, fmt.Sprintf("%d messages, counted at every site, bear a time that is not that of their sending", f.mistimed))
	}
	return f
}

// row is a message as a site has it.
type row struct {
	author, text string
	at           time.Time
}

// readRoom reads a whole room at one site, as one of its members who logs in there.
func readRoom(ctx context.Context, c *crowd, r *room, site string) (map[uint64]row, error) {
	a, _ := r.members[0].c.Account()
	k, err := client.Open(client.Options{URLs: []string{c.urls[site]}, OnlyURLs: true, CallsOnly: true, HTTPClient: c.http})
	if err != nil {
		return nil, err
	}
	defer k.Close()
	if _, err := k.LogIn(ctx, a.Handle, password); err != nil {
		return nil, err
	}
	rows, err := readRows(ctx, k, r.id, 1, math.MaxUint64)
	if err != nil {
		return nil, err
	}
	return rows, k.LogOut(ctx)
}

// readRows reads a room from one number to another, or to its end. What should be there and is not, is left out.
func readRows(ctx context.Context, k *client.Client, room string, from, to uint64) (map[uint64]row, error) {
	rows := map[uint64]row{}
	for from <= to {
		p, err := k.History(ctx, room, from, false, int(min(199, to-from))+1)
		if err != nil {
			return nil, err
		}
		for _, m := range p.Messages {
			if m.Seq != from {
				return nil, fmt.Errorf("message %d follows %d", m.Seq, from-1)
			}
			from++
			if m.Kind == client.KindText {
				rows[m.Seq] = row{m.Author, m.Text, m.Time}
			}
		}
		if len(p.Messages) == 0 || from > p.LastSeq {
			break
		}
	}
	return rows, nil
}

// Between writing and being in lies at most a minute of a clock that is wrong a little, and as long as a site may be away.
const early, late = -time.Minute, 5 * time.Minute

// mistimed counts messages whose time is not that of their sending.
func mistimed(rows map[uint64]row) (n int) {
	for _, r := range rows {
		f := strings.Fields(r.text)
		if len(f) < 3 {
			continue
		}
		ns, err := strconv.ParseInt(f[2], 10, 64)
		if d := r.at.Sub(time.Unix(0, ns)); err == nil && (d < early || d > late) {
			n++
		}
	}
	return n
}

// check holds a room's rows against what its voices were told.
func (r *room) check(c *crowd, rows map[uint64]row) (lost, doubled, moved int) {
	for _, v := range c.voices {
		if v.room != r {
			continue
		}
		v.mu.Lock()
		for _, a := range v.acked {
			if rows[a.seq].text != a.text {
				lost++
			}
		}
		v.mu.Unlock()
	}
	seen := map[string]bool{}
	last := map[string]string{}
	for _, seq := range slices.Sorted(maps.Keys(rows)) {
		text := rows[seq].text
		if seen[text] {
			doubled++
		}
		seen[text] = true
		// The third word of a text is the moment at which its author wrote it.
		who := sayer(text)
		if text < last[who] {
			moved++
		}
		last[who] = text
	}
	return lost, doubled, moved
}

// delivery waits until every member has been brought the newest message of each room.
func (f *found) delivery(ctx context.Context, c *crowd) {
	deadline := time.Now().Add(20 * time.Second)
	for _, r := range c.rooms {
		by := map[*person][]uint64{} // what each was told to be in
		for _, v := range c.voices {
			if v.room == r {
				v.mu.Lock()
				for _, a := range v.acked {
					by[v.p] = append(by[v.p], a.seq)
				}
				v.mu.Unlock()
			}
		}
		for _, m := range r.members {
			for {
				m.mu.Lock()
				h := m.hears[r.id]
				f.reordered += h.wrong
				h.wrong = 0
				var missing []uint64
				for author, seqs := range by {
					for _, seq := range seqs {
						if _, ok := h.heard[seq]; author != m && !ok {
							missing = append(missing, seq)
						}
					}
				}
				m.mu.Unlock()
				if len(missing) == 0 {
					break
				}
				if time.Now().After(deadline) || ctx.Err() != nil {
					f.why = append(f.why, fmt.Sprintf("%s was not brought %d messages of a room, of them %d", m.name, len(missing), missing[0]))
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
}

// hash gives the content hash of a site's views at a position that all sites copy: asked for at the first one.
func (l *lab) hash(ctx context.Context, site string, first bool) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, auditPatience) // a site that is dead copies nothing
	defer cancel()
	if first {
		b, err := server.Admin(l.data(site)).Backup(ctx)
		if err != nil {
			return "", err
		}
		l.copied = b.Name()
	}
	return server.HashCheckpoint(ctx, l.data(site), l.copied)
}
