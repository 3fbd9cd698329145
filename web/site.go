// Package web serves the web client: the built files of dist, under an address that changes with their content.
//
// Guarantees: what is under /a/<build>/ never changes and may be kept for ever; the page itself is asked for each time; a
// build or file that is not here is 404 and is not kept. Only names that are in the build are served: no path reaches
// anything else. Every answer carries a policy under which the page runs no inline script or style, loads nothing from
// another host and makes no script out of text. What a browser reports against that policy is counted and logged
// without addresses of people or pages. Nothing is written, and nothing here reads the file system of the machine.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// placeholder stands in the built texts where the name of the build belongs.
const placeholder = "__BUILD__"

// How long answers may be kept.
const (
	keepForEver = "public, max-age=31536000, immutable"
	keepShort   = "public, max-age=3600"
	askFirst    = "no-cache"
	keepNot     = "no-store"
)

// types of the files of a build. A file of another kind is an error at the start: nothing is served by a guess.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".webp":        "image/webp",
	".woff2":       "font/woff2",
}

// Site serves one build. It is an http.Handler for everything that the server does not use itself.
type Site struct {
	build   string
	fsys    fs.FS
	files   map[string]*file
	reports reports
	// worker is the service worker, made of sw.js; nil: the build has none.
	worker  *file
	origins atomic.Pointer[func() []string]
	pages   pages
}

// file is one file of the build.
type file struct {
	name, kind string
	// text is the content of a file that is compressed, with the name of the build in it; nil: it is read each time.
	text []byte
	gzip func() []byte
}

// New reads a build. Its files are those of fsys, with index.html at the top.
func New(fsys fs.FS, log *slog.Logger) (*Site, error) {
	s := &Site{fsys: fsys, files: map[string]*file{}, reports: newReports(log)}
	sum := sha256.New()
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind, ok := types[path.Ext(name)]
		if !ok {
			return fmt.Errorf("web: the build holds %s, a kind of file that is not served", name)
		}
		f := &file{name: name, kind: kind}
		s.files[name] = f
		return f.read(fsys, sum)
	})
	if err != nil {
		return nil, err
	}
	if s.files["index.html"] == nil {
		return nil, fmt.Errorf("web: the build has no index.html")
	}
	s.build = hex.EncodeToString(sum.Sum(nil)[:8])
	for _, f := range s.files {
		if f.text != nil {
			f.text = bytes.ReplaceAll(f.text, []byte(placeholder), []byte(s.build))
		}
	}
	if s.worker = s.files[workerName]; s.worker != nil {
		delete(s.files, workerName) // its place is not under the build, which it outlives
		s.worker.text = bytes.ReplaceAll(s.worker.text, []byte(filesHere), s.shell())
	}
	return s, nil
}

// Build is the name of the build: a hash of the names and contents of all its files.
func (s *Site) Build() string { return s.build }

// read adds the file to the hash, and keeps it if it is a text.
func (f *file) read(fsys fs.FS, sum io.Writer) error {
	r, err := fsys.Open(f.name)
	if err != nil {
		return err
	}
	defer r.Close()
	st, err := r.Stat()
	if err != nil {
		return err
	}
	fmt.Fprintf(sum, "%d %s %d\n", len(f.name), f.name, st.Size())
	if !compressible(f.kind) {
		_, err := io.Copy(sum, r)
		return err
	}
	if f.text, err = io.ReadAll(io.TeeReader(r, sum)); err != nil {
		return err
	}
	f.gzip = sync.OnceValue(f.zipped)
	return nil
}

// zipped is the text as it is then.
func (f *file) zipped() []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	_, _ = z.Write(f.text)
	_ = z.Close()
	return b.Bytes()
}

func compressible(kind string) bool {
	return strings.HasPrefix(kind, "text/") || strings.HasPrefix(kind, "application/") || kind == "image/svg+xml"
}

// ServeHTTP implements http.Handler.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	policy(w.Header(), r, nil)
	if r.URL.Path == reportPath {
		s.reports.ServeHTTP(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "This address is for reading.")
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	first, rest, _ := strings.Cut(name, "/")
	switch {
	case first == "a":
		build, name, _ := strings.Cut(rest, "/")
		f := s.files[name]
		if build != s.build || f == nil || name == "index.html" {
			refuse(w, http.StatusNotFound, "This build is not here; load the page again.")
			return
		}
		s.serve(w, r, f, keepForEver)
	case reserved[first]:
		refuse(w, http.StatusNotFound, "There is nothing here.")
	case !strings.Contains(name, "."):
		s.page(w, r)
	case name == workerName && s.worker != nil:
		s.serve(w, r, s.worker, askFirst)
	case atTop[name] && s.files[name] != nil:
		s.serve(w, r, s.files[name], keepShort)
	default:
		refuse(w, http.StatusNotFound, "There is nothing here.")
	}
}

// reserved are the first parts of addresses that belong to the server; the page uses none of them.
var reserved = map[string]bool{"api": true, "live": true, "healthz": true, "readyz": true, "metrics": true, "debug": true}

// atTop are the files that browsers and phones look for by fixed names.
var atTop = map[string]bool{"manifest.webmanifest": true, "favicon.ico": true, "favicon.svg": true, "apple-touch-icon.png": true, "robots.txt": true}

func (s *Site) serve(w http.ResponseWriter, r *http.Request, f *file, keep string) {
	h := w.Header()
	h.Set("Cache-Control", keep)
	h.Set("Content-Type", f.kind)
	if f.text == nil {
		s.stream(w, r, f)
		return
	}
	h.Set("Vary", "Accept-Encoding")
	b := f.text
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		b = f.gzip()
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(b)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(b)
	}
}

// stream sends a file that is compressed already, whole or in the part asked for.
func (s *Site) stream(w http.ResponseWriter, r *http.Request, f *file) {
	c, err := s.fsys.Open(f.name)
	if err == nil {
		defer c.Close()
		if seeker, ok := c.(io.ReadSeeker); ok {
			http.ServeContent(w, r, f.name, time.Time{}, seeker)
			return
		}
	}
	refuse(w, http.StatusInternalServerError, "The file cannot be read.")
}

// acceptsGzip reads Accept-Encoding: gzip by name or by *, unless its weight is 0.
func acceptsGzip(headers []string) bool {
	for _, h := range headers {
		for part := range strings.SplitSeq(h, ",") {
			name, weight, _ := strings.Cut(part, ";")
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "*":
				_, q, _ := strings.Cut(strings.ReplaceAll(weight, " ", ""), "q=")
				if v, err := strconv.ParseFloat(q, 64); err != nil || v > 0 {
					return true
				}
			}
		}
	}
	return false
}

// refuse answers with a sentence that is not kept.
func refuse(w http.ResponseWriter, status int, sentence string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", keepNot)
	h.Del("Vary")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, sentence+"\n")
}
