package archive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"
)

// Sealer writes objects: compressed, and encrypted for its recipients. Without any they can be read by whoever has them.
type Sealer struct{ recipients []age.Recipient }

// NewSealer reads recipients (age1...).
func NewSealer(recipients []string) (*Sealer, error) {
	s := &Sealer{}
	for _, r := range recipients {
		x, err := age.ParseX25519Recipient(r)
		if err != nil {
			return nil, fmt.Errorf("%q is no recipient: `bonghwa backup-key new FILE` makes a key and prints one", r)
		}
		s.recipients = append(s.recipients, x)
	}
	return s, nil
}

// Writer seals what is written to it; Close ends the object and leaves w open.
func (s *Sealer) Writer(w io.Writer) (io.WriteCloser, error) {
	var closers []io.Closer
	if len(s.recipients) > 0 {
		a, err := age.Encrypt(w, s.recipients...)
		if err != nil {
			return nil, err
		}
		w, closers = a, append(closers, a)
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, err
	}
	return &sealed{z, append([]io.Closer{z}, closers...)}, nil
}

type sealed struct {
	io.Writer
	closers []io.Closer
}

func (s *sealed) Close() error {
	for _, c := range s.closers {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Opener reads what a Sealer wrote. Without an identity it reads only what is not encrypted.
type Opener struct{ identities []age.Identity }

var (
	// ErrLocked: an object is encrypted and no identity was given.
	ErrLocked = errors.New("the archive is encrypted: give the file with its key (--identity FILE)")
	// ErrWrongKey: it is encrypted for somebody else.
	ErrWrongKey = errors.New("the archive is encrypted for another key than the one given")
	// ErrDamaged: an object is not what was written.
	ErrDamaged = errors.New("it is damaged")
)

// NewOpener reads a file of identities; an empty name: none.
func NewOpener(file string) (*Opener, error) {
	if file == "" {
		return &Opener{}, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("the key cannot be read: %v", err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, fmt.Errorf("%s is no key of a backup: it has no line that begins with AGE-SECRET-KEY", file) // what is wrong with it could quote it
	}
	return &Opener{ids}, nil
}

const (
	ageMagic = "age-encryption.org/v1\n"
	// zstdMagic begins what is compressed and not encrypted.
	zstdMagic = "\x28\xb5\x2f\xfd"
	// maxWindow bounds what a damaged object can make its reader hold.
	maxWindow = 8 << 20
)

// Reader opens an object. Its errors are ErrLocked, ErrWrongKey, those of r, or wrap ErrDamaged.
func (o *Opener) Reader(r io.Reader) (io.ReadCloser, error) {
	fault := &faults{r: r}
	b := bufio.NewReaderSize(fault, 64<<10)
	head, err := b.Peek(len(ageMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.or(err)
	}
	var in io.Reader = b
	switch {
	case string(head) == ageMagic:
		if len(o.identities) == 0 {
			return nil, ErrLocked
		}
		in, err = age.Decrypt(b, o.identities...)
		var no *age.NoIdentityMatchError
		if errors.As(err, &no) {
			return nil, ErrWrongKey
		}
		if err != nil {
			return nil, fault.or(err)
		}
	case !bytes.HasPrefix(head, []byte(zstdMagic)):
		return nil, fmt.Errorf("%w: it begins with neither of the two forms of an archive's objects", ErrDamaged)
	}
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, fault.or(err)
	}
	return &opened{z, fault}, nil
}

type opened struct {
	z     *zstd.Decoder
	fault *faults
}

func (o *opened) Read(b []byte) (int, error) {
	n, err := o.z.Read(b)
	if err != nil && err != io.EOF {
		err = o.fault.or(err)
	}
	return n, err
}

func (o *opened) Close() error {
	o.z.Close()
	return nil
}

// faults remembers what the target failed with, so that its absence is not called damage.
type faults struct {
	r   io.Reader
	err error
}

func (f *faults) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

func (f *faults) or(err error) error {
	if f.err != nil {
		return f.err
	}
	return fmt.Errorf("%w: %v", ErrDamaged, err)
}

// NewKey makes a key in a file that must not exist, readable by its owner only, and returns its recipient.
func NewKey(file string, now time.Time) (recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("the key cannot be written: %v", err)
	}
	recipient = id.Recipient().String()
	text := strings.Join([]string{"# created: " + now.UTC().Format(time.RFC3339), "# public key: " + recipient, id.String(), ""}, "\n")
	_, err = f.WriteString(text)
	return recipient, errors.Join(err, f.Sync(), f.Close())
}
