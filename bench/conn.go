package bench

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// conn is a WebSocket of the load generator. It shares the machine with the server, so it does as little as a client
// can: frames are masked with zeros (legal, and costs no work), and only the fields that are measured are decoded.
type conn struct {
	net.Conn
	r   *bufio.Reader
	out []byte
	in  []byte
}

func dial(addr string) (*conn, error) {
	nc, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, r: bufio.NewReaderSize(nc, 2048)}
	_, err = fmt.Fprintf(nc, "GET /live HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: bonghwa.v1.proto\r\n\r\n", addr)
	if err != nil {
		nc.Close()
		return nil, err
	}
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		nc.Close()
		return nil, err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusSwitchingProtocols {
		nc.Close()
		return nil, fmt.Errorf("the server answered %s", res.Status)
	}
	return c, nil
}

// queue appends a frame to what the next flush writes.
func (c *conn) queue(f *livev1.Frame) error {
	size := proto.Size(f)
	switch {
	case size < 126:
		c.out = append(c.out, 0x82, 0x80|byte(size))
	case size < 1<<16:
		c.out = append(c.out, 0x82, 0x80|126, byte(size>>8), byte(size))
	default:
		return errors.New("frame too large")
	}
	c.out = append(c.out, 0, 0, 0, 0)
	var err error
	c.out, err = proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(c.out, f)
	return err
}

func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.Write(c.out)
	c.out = c.out[:0]
	return err
}

// next reads one data frame's payload, valid until the next call. Pings are answered.
func (c *conn) next() ([]byte, error) {
	for {
		var h [10]byte
		if _, err := io.ReadFull(c.r, h[:2]); err != nil {
			return nil, err
		}
		n := uint64(h[1] & 0x7f)
		switch n {
		case 126:
			if _, err := io.ReadFull(c.r, h[2:4]); err != nil {
				return nil, err
			}
			n = uint64(binary.BigEndian.Uint16(h[2:]))
		case 127:
			if _, err := io.ReadFull(c.r, h[2:10]); err != nil {
				return nil, err
			}
			n = binary.BigEndian.Uint64(h[2:])
		}
		if n > 1<<20 {
			return nil, errors.New("frame too large")
		}
		if uint64(cap(c.in)) < n {
			c.in = make([]byte, n)
		}
		c.in = c.in[:n]
		if _, err := io.ReadFull(c.r, c.in); err != nil {
			return nil, err
		}
		switch h[0] & 0x0f {
		case 1, 2:
			return c.in, nil
		case 8:
			return nil, io.EOF
		case 9:
			c.out = append(c.out, 0x8a, 0x80|byte(n), 0, 0, 0, 0)
			c.out = append(c.out, c.in...)
			if err := c.flush(); err != nil {
				return nil, err
			}
		}
	}
}

// frame is what the generator looks at in a server frame.
type frame struct {
	id      uint64
	ack     bool
	failed  string // reason number and message of a refused command
	welcome bool
	bye     bool
	text    []byte // of a new message in an event
	room    []byte // of an ack
}

// parse decodes only what is measured.
func parse(b []byte) (f frame, err error) {
	err = fields(b, func(num protowire.Number, v []byte, x uint64) error {
		switch num {
		case 1:
			f.id = x
		case 40:
			f.welcome = true
		case 46:
			f.bye = true
			f.failed = string(v)
		case 41:
			f.ack = true
			return fields(v, func(num protowire.Number, v []byte, _ uint64) error {
				switch num {
				case 4:
					f.room = v
				case 6, 7:
					f.failed += fmt.Sprintf("%q ", v)
				}
				return nil
			})
		case 42:
			return fields(v, func(num protowire.Number, v []byte, _ uint64) error {
				if num != 2 {
					return nil
				}
				return fields(v, func(num protowire.Number, v []byte, _ uint64) error {
					if num == 7 {
						f.text = v
					}
					return nil
				})
			})
		}
		return nil
	})
	return f, err
}

func fields(b []byte, fn func(num protowire.Number, v []byte, x uint64) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var v []byte
		var x uint64
		switch typ {
		case protowire.BytesType:
			v, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			x, n = protowire.ConsumeVarint(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := fn(num, v, x); err != nil {
			return err
		}
	}
	return nil
}

// stampText writes the time into a body of the given size; stampOf reads it back.
func stampText(buf []byte, now int64) []byte {
	buf = append(buf[:0], fmt.Sprintf("%016x", now)...)
	return append(buf, bytes.Repeat([]byte("가"), (bodySize-16)/3)...)
}

func stampOf(text []byte) (int64, bool) {
	if len(text) < 16 {
		return 0, false
	}
	var n int64
	for _, c := range text[:16] {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | int64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
