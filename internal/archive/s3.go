package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3Target is an archive in S3, or in what speaks like it.
type s3Target struct {
	client         *minio.Client
	bucket, prefix string
}

const (
	// s3Part is what is held in memory of an object whose size is not known; 10,000 of them are the largest object.
	s3Part = 16 << 20
	// s3Tries of one request before the caller hears of it; callers try again themselves.
	s3Tries = 3
)

func openS3(l Location) (Target, error) {
	u, err := url.Parse(l.To)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the target is not like s3://bucket/prefix")
	}
	endpoint := l.Endpoint
	if endpoint == "" {
		endpoint = "https://s3.amazonaws.com"
	}
	at, err := url.Parse(endpoint)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || at.Path != "" && at.Path != "/" || at.User != nil {
		return nil, errors.New("the endpoint is not like https://s3.example.org")
	}
	if l.Credentials != "" {
		if _, err := os.Stat(l.Credentials); err != nil { // else it would be asked without any
			return nil, fmt.Errorf("the credentials cannot be read: %v", err)
		}
	}
	chain := []credentials.Provider{&credentials.FileAWSCredentials{Filename: l.Credentials}}
	if l.Credentials == "" {
		chain = []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{Client: &http.Client{Timeout: 5 * time.Second}}}
	}
	c, err := minio.New(at.Host, &minio.Options{
		Creds: credentials.NewChainCredentials(chain), Secure: at.Scheme == "https", Region: l.Region, MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, fmt.Errorf("the target cannot be used: %v", err)
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" {
		prefix += "/"
	}
	return &s3Target{c, u.Host, prefix}, nil
}

func (s *s3Target) String() string {
	return strings.TrimSuffix("s3://"+s.bucket+"/"+s.prefix, "/")
}

func (s *s3Target) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	o := minio.PutObjectOptions{ContentType: "application/octet-stream"}
	if size < 0 {
		o.PartSize = s3Part
	}
	_, err := s.client.PutObject(ctx, s.bucket, s.prefix+key, r, size, o)
	return s.why(err)
}

// Get makes one request; the client's own reader would ask for the size first.
func (s *s3Target) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	body, _, _, err := minio.Core{Client: s.client}.GetObject(ctx, s.bucket, s.prefix+key, minio.GetObjectOptions{})
	if err != nil && minio.ToErrorResponse(err).Code == minio.NoSuchKey {
		return nil, fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	return body, s.why(err)
}

func (s *s3Target) List(ctx context.Context, prefix, after string, fn func(string, int64) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	o := minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}
	if after != "" {
		o.StartAfter = s.prefix + after
	}
	for info := range s.client.ListObjectsIter(ctx, s.bucket, o) {
		if info.Err != nil {
			return s.why(info.Err)
		}
		key := strings.TrimPrefix(info.Key, s.prefix)
		if key <= after {
			continue
		}
		if !fn(key, info.Size) {
			return nil
		}
	}
	return ctx.Err()
}

func (s *s3Target) Delete(ctx context.Context, key string) error {
	return s.why(s.client.RemoveObject(ctx, s.bucket, s.prefix+key, minio.RemoveObjectOptions{}))
}

func (s *s3Target) Sweep(ctx context.Context) error {
	for up := range s.client.ListIncompleteUploads(ctx, s.bucket, s.prefix, true) {
		if minio.ToErrorResponse(up.Err).Code == minio.NoSuchUpload { // how some say that there are none
			return nil
		}
		if up.Err != nil {
			return s.why(up.Err)
		}
		if time.Since(up.Initiated) > leftOver {
			if err := s.client.RemoveIncompleteUpload(ctx, s.bucket, up.Key); err != nil {
				return s.why(err)
			}
		}
	}
	return nil
}

// why is what went wrong in one line, without addresses that are long and signed.
func (s *s3Target) why(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("%s does not answer: %w", s, u.Err)
	}
	if r := minio.ToErrorResponse(err); r.Code != "" {
		return fmt.Errorf("%s: %s (%s)", s, r.Message, r.Code)
	}
	return fmt.Errorf("%s: %w", s, err)
}
