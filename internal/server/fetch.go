package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/bonghwa/bonghwa/internal/config"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

// How views come from another site: it makes a checkpoint (hard links, nothing pauses), its files are copied over mutual
// TLS at a bounded rate, and what has arrived is read whole and its content hash compared with the manifest before it is
// used. An interrupted copy goes on where it ended, as long as the other site still has the checkpoint.

const (
	// fetchRate bounds what a node gives away at a time, in bytes a second: copying must not slow down the living.
	fetchRate = 64 << 20
	// fetchChunk is the unit in which the rate is kept.
	fetchChunk = 256 << 10
	// fetchTries of a copy before another source is asked.
	fetchTries = 5
	// offerLabel is the label of checkpoints made for other nodes.
	offerLabel = "fetch"

	fetchDir  = "views.part"
	fetchPlan = "PLAN.json"
)

// offer is a checkpoint and its files.
type offer struct {
	Name     string           `json:"name"`
	Manifest *kernel.Manifest `json:"manifest"`
	Files    []offeredFile    `json:"files"`
}

type offeredFile struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

var giveAway = rate.NewLimiter(fetchRate, fetchChunk)

// offer makes a checkpoint for another node.
func (n *nodes) offer(ctx context.Context) (o offer, err error) {
	c := n.core.Load()
	if c == nil {
		return o, errNoCore
	}
	if err := c.node.Ready(); err != nil {
		return o, err
	}
	dir, m, err := c.checkpoint(ctx, offerLabel)
	if err != nil {
		return o, err
	}
	o.Name, o.Manifest = filepath.Base(dir), m
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == kernel.ManifestName {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		o.Files = append(o.Files, offeredFile{filepath.ToSlash(rel), info.Size()})
		return err
	})
	return o, err
}

// sendFile serves a file of a checkpoint, from an offset on if asked.
func (n *nodes) sendFile(w http.ResponseWriter, r *http.Request) {
	name, file := r.PathValue("name"), r.PathValue("file")
	if !kernel.IsCheckpoint(name) || !filepath.IsLocal(file) {
		http.NotFound(w, r)
		return
	}
	root, err := os.OpenRoot(filepath.Join(n.data.path(checkpointsDir), name))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer root.Close()
	f, err := root.Open(file)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || st.IsDir() {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(slow{w, r.Context()}, r, "", time.Time{}, f)
}

// slow is a response that keeps to fetchRate.
type slow struct {
	http.ResponseWriter
	ctx context.Context
}

func (s slow) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		k := min(len(b), fetchChunk)
		if err := giveAway.WaitN(s.ctx, k); err != nil {
			return n, err
		}
		m, err := s.ResponseWriter.Write(b[:k])
		n += m
		if err != nil {
			return n, err
		}
		b = b[k:]
	}
	return n, nil
}

// fetchViews replaces this node's views by those of another site. Views of before stay until the new ones are whole.
func (n *nodes) fetchViews(ctx context.Context, from []config.Site) error {
	if len(from) == 0 {
		return errors.New("no other site is ready to give its views")
	}
	var err error
	for try := range fetchTries {
		site := from[try%len(from)]
		start := time.Now()
		var o offer
		if o, err = n.fetchFrom(ctx, site); err == nil {
			n.log.Info("views fetched", "from", site.Name, "n", o.Manifest.N, "seconds", time.Since(start).Seconds())
			return n.install(o)
		}
		if ctx.Err() != nil {
			break
		}
		n.log.Warn("views could not be fetched", "from", site.Name, "cause", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return fmt.Errorf("the views could not be fetched from another site: %v", err)
}

// fetchFrom brings a checkpoint of a site into fetchDir, and checks what has arrived.
func (n *nodes) fetchFrom(ctx context.Context, site config.Site) (o offer, err error) {
	dir := n.data.path(fetchDir)
	o, begun := n.begun(dir)
	if !begun || !n.stillThere(ctx, site, o) {
		if err := os.RemoveAll(dir); err != nil {
			return o, err
		}
		o = offer{}
		if err := n.ask(ctx, site.Node, "POST", "/v1/checkpoint", struct{}{}, &o); err != nil {
			return o, err
		}
		if o.Manifest == nil || !kernel.IsCheckpoint(o.Name) {
			return o, errors.New("the offer cannot be read")
		}
		b, err := json.Marshal(o)
		if err == nil {
			err = os.MkdirAll(dir, 0o700)
		}
		if err == nil {
			err = kernel.WriteDurably(filepath.Join(dir, fetchPlan), b)
		}
		if err != nil {
			return o, err
		}
	}
	for _, f := range o.Files {
		if err := n.fetchFile(ctx, site, o.Name, f); err != nil {
			return o, fmt.Errorf("%s: %w", f.Path, err)
		}
	}
	for _, dom := range domains(n.data.Cell) {
		hash, err := contentHash(filepath.Join(dir, dom.Name()))
		if want := o.Manifest.Domains[dom.Name()].ContentHash; err == nil && hash != want {
			err = fmt.Errorf("its content hash is %s, the manifest says %s", hash, want)
		}
		if err != nil {
			return o, errors.Join(fmt.Errorf("view %q arrived damaged: %w", dom.Name(), err), os.RemoveAll(dir))
		}
	}
	return o, nil
}

// begun reads what an interrupted copy was about.
func (n *nodes) begun(dir string) (o offer, ok bool) {
	b, err := os.ReadFile(filepath.Join(dir, fetchPlan))
	return o, err == nil && json.Unmarshal(b, &o) == nil && o.Manifest != nil && len(o.Files) > 0
}

// stillThere says whether a site still has the checkpoint.
func (n *nodes) stillThere(ctx context.Context, site config.Site, o offer) bool {
	res, err := n.getFile(ctx, site, o.Name, o.Files[0].Path, 0, true)
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK && res.ContentLength == o.Files[0].Size
}

func (n *nodes) getFile(ctx context.Context, site config.Site, name, file string, offset int64, head bool) (*http.Response, error) {
	method := http.MethodGet
	if head {
		method = http.MethodHead
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+site.Node+path.Join("/v1/checkpoint", name, file), nil)
	if err != nil {
		return nil, err
	}
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	return n.client.Do(req)
}

// fetchFile brings one file, going on where an earlier attempt ended.
func (n *nodes) fetchFile(ctx context.Context, site config.Site, name string, f offeredFile) error {
	if !filepath.IsLocal(f.Path) || strings.Contains(f.Path, "\\") {
		return errors.New("the name leads elsewhere")
	}
	target := filepath.Join(n.data.path(fetchDir), filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	have, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if have == f.Size {
		return nil
	}
	if have > f.Size {
		return errors.New("more of it is here than there is")
	}
	res, err := n.getFile(ctx, site, name, f.Path, have, false)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if want := map[bool]int{false: http.StatusOK, true: http.StatusPartialContent}[have > 0]; res.StatusCode != want {
		return fmt.Errorf("the answer was %s", res.Status)
	}
	got, err := io.Copy(out, io.LimitReader(res.Body, f.Size-have))
	if err == nil && have+got != f.Size {
		err = io.ErrUnexpectedEOF
	}
	return errors.Join(err, out.Sync())
}

// install puts the fetched views in the place of the old ones.
func (n *nodes) install(o offer) error {
	d := n.data
	old := d.path(viewsDir) + ".old"
	if err := os.Remove(filepath.Join(d.path(fetchDir), fetchPlan)); err != nil {
		return err
	}
	err := os.RemoveAll(old)
	if err == nil {
		if err = os.Rename(d.path(viewsDir), old); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = os.Rename(d.path(fetchDir), d.path(viewsDir))
	}
	if err == nil {
		err = kernel.SyncDir(d.Dir)
	}
	if err == nil {
		err = n.remember(func(m *Meta) { m.Fetch = false })
	}
	return errors.Join(err, os.RemoveAll(old))
}
