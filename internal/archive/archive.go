// Package archive keeps a cell's history outside its nodes: segments of the log, as it was, joined when they are an hour old, and
// checkpoints of the views, in a directory or in S3, encrypted for keys that no node has.
//
// Guarantees: what List names is whole; two writers at once do no harm, because a segment says by its name which entries it
// holds and entries are the same whoever wrote them; a hole is found by the names alone. Names and formats: docs/formats.md,
// "The archive".
package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
)

// ErrNotFound: the target has no such object.
var ErrNotFound = errors.New("it is not in the archive")

// Target is where an archive is. Keys are paths with slashes. All methods may be called from any goroutine.
type Target interface {
	// Put stores an object, whole and durable when it returns nil, or not at all. size is -1 if it is not known.
	Put(ctx context.Context, key string, r io.Reader, size int64) error
	// Get opens an object; ErrNotFound.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// List names the objects below a prefix (which ends with a slash) after a key, in the order of their bytes, until fn
	// returns false.
	List(ctx context.Context, prefix, after string, fn func(key string, size int64) bool) error
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, key string) error
	// Sweep removes what writers that ended in the middle have left a day ago or earlier.
	Sweep(ctx context.Context) error
	// String names the target for people; it holds no secret.
	String() string
}

// markKey is the object that tells an archive that was begun from a place that is empty: a directory whose disk is not mounted
// must not be taken for a new archive.
const markKey = "cell"

// Marked says of which cell an archive is, as Mark left it; empty if it bears no mark.
func Marked(ctx context.Context, t Target) (cell string, err error) {
	r, err := t.Get(ctx, markKey)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, 64))
	if err != nil {
		return "", err
	}
	if cell = strings.TrimSpace(string(b)); cell == "" {
		return "", fmt.Errorf("the mark %s in %s is empty: %w", markKey, t, ErrDamaged)
	}
	return cell, nil
}

// Mark begins an archive.
func Mark(ctx context.Context, t Target, cell string) error {
	return t.Put(ctx, markKey, strings.NewReader(cell+"\n"), int64(len(cell)+1))
}

// Location says where an archive is, as a node's file or flags have it.
type Location struct {
	// To is a directory, or s3://bucket/prefix.
	To string
	// Endpoint and Region are of S3; no endpoint is Amazon's.
	Endpoint, Region string
	// Credentials is a file in the usual form ([default], aws_access_key_id, aws_secret_access_key); empty: AWS_ACCESS_KEY_ID and
	// AWS_SECRET_ACCESS_KEY, then the usual file, then what the machine is given.
	Credentials string
}

// IsS3 says whether a target is in S3 rather than a directory.
func IsS3(to string) bool { return strings.HasPrefix(to, "s3://") }

// Open opens a target. Nothing is asked of it yet: one that is away is an error of the calls.
func Open(l Location) (Target, error) {
	if IsS3(l.To) {
		return openS3(l)
	}
	if l.To == "" {
		return nil, errors.New("no target is given: a directory, or s3://bucket/prefix")
	}
	if strings.Contains(l.To, "://") {
		return nil, fmt.Errorf("%s is neither a directory nor s3://bucket/prefix", l.To)
	}
	dir, err := filepath.Abs(l.To)
	if err != nil {
		return nil, err
	}
	return dirTarget{dir}, nil
}

// InTheOpen says whether what is sent to the target can be read by others on the way.
func (l Location) InTheOpen() bool {
	u, err := url.Parse(l.Endpoint)
	if err != nil || u.Scheme != "http" || !IsS3(l.To) {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}
