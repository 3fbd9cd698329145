package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/bonghwa/bonghwa/internal/archive"
	"github.com/bonghwa/bonghwa/internal/cluster"
	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/pki"
)

// rescueDir holds the copy of the log that a rescue reads.
const rescueDir = "etcd.rescue"

// rescueMark says, while a rescue is under way, what it has decided.
const rescueMark = "rescue.json"

// RescueOptions say which site goes on alone.
type RescueOptions struct {
	Node         *config.Node
	KeepSessions bool
	Now          time.Time
	// Confirm is asked, with what the cell's other sites are, before anything is changed. superseded is what is known of a newer
	// epoch, in which the cell goes on without this site; nil: of none.
	Confirm func(others []string, superseded error) error
	Logger  *slog.Logger
}

// Rescued is what Rescue did.
type Rescued struct {
	// Node is the one whose directory it was.
	Node  string
	At    kernel.Position
	Time  time.Time
	Epoch uint32
	// Read is how many entries the views had still to read from the log.
	Read int
	// Unarchived is why the archive does not have the end of the log; empty: it has, or there is none.
	Unarchived string
}

// Rescue makes the only site that is left of several a cell of its own, in a new epoch: its views, with all that its log has written
// down. The site must be stopped. Everything up to the last step can be done again; what the others know of the cell is of
// another epoch and of nodes that it does not have, so that they are not let in.
func Rescue(ctx context.Context, o RescueOptions) (r *Rescued, err error) {
	meta, err := ReadMeta(o.Node.Data)
	if err != nil {
		return nil, err
	}
	d, err := OpenData(o.Node.Data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	switch {
	case meta.Cluster != o.Node.Cluster.ID || meta.Site != o.Node.Site:
		return nil, fmt.Errorf("%s is not the directory of site %s of this cluster", d.Dir, o.Node.Site)
	case meta.Founds:
		return nil, fmt.Errorf("%s has been rescued or restored: start it with bonghwa serve --config FILE", d.Dir)
	case meta.Fetch || meta.Join != "" || !d.hasLog() && !d.rescuing():
		return nil, errors.New("this site had not copied everything from the others: it cannot go on alone; restore the archive or a checkpoint")
	}
	var others []string
	for _, s := range o.Node.Others() {
		others = append(others, s.Name)
	}
	if err := alive(ctx, o.Node); err != nil {
		return nil, err
	}
	if err := o.Confirm(others, meta.superseded(d.Dir)); err != nil {
		return nil, err
	}
	v, err := openReplay(d.path(viewsDir), d.Cell)
	if err != nil {
		return nil, err
	}
	r, err = rescueViews(ctx, d, v, o)
	if err = errors.Join(err, v.close()); err != nil {
		return nil, err
	}
	// From here on it is another cell.
	for _, dir := range []string{etcdDir, rescueDir} {
		if err := os.RemoveAll(d.path(dir)); err != nil {
			return nil, err
		}
	}
	if err := d.rename(); err != nil {
		return nil, err
	}
	if err := d.founds(RestoreOptions{KeepSessions: o.KeepSessions, Node: o.Node, rescue: true}, r.Epoch); err != nil {
		return nil, err
	}
	return r, os.Remove(d.path(rescueMark))
}

// rename makes the directory that of another node: what the log of before knew under the old name is no longer it.
func (d *Data) rename() error {
	if _, err := rand.Read(d.NodeID[:]); err != nil {
		return err
	}
	d.Meta.Node = hex.EncodeToString(d.NodeID[:])
	return nil
}

// rescueViews brings the views to the end of the log and begins the epoch. One that was interrupted goes on as it was begun.
func rescueViews(ctx context.Context, d *Data, v *replay, o RescueOptions) (*Rescued, error) {
	if r := begunRescue(d, v); r != nil {
		return r, v.nextEpoch(r.At, r.Epoch)
	}
	copied := d.path(rescueDir)
	if err := os.RemoveAll(copied); err != nil {
		return nil, err
	}
	if err := copyTree(d.path(etcdDir), copied); err != nil {
		return nil, fmt.Errorf("the log cannot be copied: %v", cause(err))
	}
	if err := cluster.CommitAll(copied); err != nil {
		return nil, err
	}
	log, err := cluster.OpenEtcd(ctx, cluster.EtcdOptions{Dir: copied, Name: o.Node.Site, Alone: true, Intact: intactAfter(v.position()), Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("%w: restore the archive or a checkpoint", err)
	}
	err = readRest(ctx, log, v)
	unarchived := ""
	if err == nil && o.Node.Backup != nil {
		if err := archiveRest(ctx, d, o, log, v); err != nil {
			unarchived = err.Error()
		}
	}
	if err = errors.Join(err, log.Close()); err != nil {
		return nil, err
	}
	at := v.position()
	r := &Rescued{Node: d.Meta.Node, At: at, Time: time.UnixMilli(int64(v.time())), Epoch: nextEpoch(max(at.Epoch, d.Meta.Superseded), o.Now), Read: v.entries, Unarchived: unarchived}
	b, err := json.Marshal(r)
	if err == nil {
		err = v.sync()
	}
	if err == nil {
		err = kernel.WriteDurably(d.path(rescueMark), b)
	}
	if err != nil {
		return nil, err
	}
	return r, v.nextEpoch(at, r.Epoch)
}

// begunRescue is the rescue that was interrupted when it could no longer be begun anew: a view is in its epoch, or the log is
// gone. Any other mark may be of long ago, and the site have served since: what was said then would be cut off.
func begunRescue(d *Data, v *replay) *Rescued {
	r := &Rescued{}
	b, err := os.ReadFile(d.path(rescueMark))
	if err != nil || json.Unmarshal(b, r) != nil || r.Node != d.Meta.Node {
		return nil
	}
	if d.hasLog() && !slices.ContainsFunc(v.appliers, func(a *kernel.Applier) bool { return a.Position().Epoch == r.Epoch }) {
		return nil
	}
	return r
}

// readRest applies what the log has and the views have not.
func readRest(ctx context.Context, log *cluster.Etcd, v *replay) error {
	head, err := log.Head(ctx)
	if err != nil {
		return fmt.Errorf("the log cannot be read: %w", err)
	}
	pos := v.position()
	if pos.Epoch != 0 && pos.Epoch != log.Epoch() {
		return fmt.Errorf("the views are of epoch %d, the log is of epoch %d: restore the archive or a checkpoint", pos.Epoch, log.Epoch())
	}
	if pos.N >= head {
		return nil
	}
	err = log.Tail(ctx, pos.N, nil, func(recs []cluster.Record) error {
		var list []ordered
		for _, r := range recs {
			e, err := kernel.DecodeEntry(r.Value)
			if err != nil {
				return fmt.Errorf("entry %d: %w", r.N, err)
			}
			list = append(list, ordered{r.N, e})
		}
		if err := v.apply(list); err != nil {
			return err
		}
		if v.position().N >= head {
			return errDumped
		}
		return nil
	})
	if errors.Is(err, errDumped) {
		return nil
	}
	if errors.Is(err, cluster.ErrCompacted) {
		return errors.New("the log no longer has what the views of this site miss: restore the archive or a checkpoint")
	}
	return err
}

// archiveRest archives what the log has and the archive has not: with the old log it would be gone.
func archiveRest(ctx context.Context, d *Data, o RescueOptions, log *cluster.Etcd, v *replay) error {
	a, err := newArchiver(o.Node.Backup, o.Logger)
	if err != nil {
		return err
	}
	epoch, head := log.Epoch(), v.position().N
	last, err := archive.Last(ctx, a.t, epoch, head)
	if err == nil && last == 0 {
		last, err = archive.Last(ctx, a.t, epoch, 0)
	}
	if err != nil || last >= head {
		return err
	}
	b := &piece{cell: d.Cell, epoch: epoch, prev: prevOf(cutsOf(v.stores[0]), epoch)}
	err = log.Tail(ctx, last, nil, func(recs []cluster.Record) error {
		for _, r := range recs {
			if err := b.add(r, a.now()); err != nil {
				return err
			}
			if !b.full() && r.N < head {
				continue
			}
			if err := a.put(ctx, b); err != nil {
				return err
			}
			if r.N == head {
				return errDumped
			}
		}
		return nil
	})
	if errors.Is(err, errDumped) {
		return nil
	}
	return err
}

// rescuing says that a rescue has been begun and not finished.
func (d *Data) rescuing() bool {
	_, err := os.Stat(d.path(rescueMark))
	return err == nil
}

// alive refuses while another site says that it is part of the cell: then not all is lost for good.
func alive(ctx context.Context, cfg *config.Node) error {
	who, err := pki.Load(pki.Files{CA: cfg.Cluster.CA, Cert: cfg.Cluster.Cert, Key: cfg.Cluster.Key})
	if err != nil {
		return err
	}
	n := &nodes{cfg: cfg, wall: time.Now, client: &http.Client{Transport: &http.Transport{TLSClientConfig: who.Client(), DisableKeepAlives: true}}}
	for _, a := range n.askAll(ctx, cfg.Others()) {
		if a.inCell() {
			return fmt.Errorf("%s answers and is part of the cell: it is not lost; start this site with bonghwa serve --config FILE, or stop that one for good", a.site.Name)
		}
	}
	return nil
}
