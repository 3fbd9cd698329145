package gateway

import (
	"encoding/binary"
	"errors"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// Encoded is a complete WebSocket frame from the server, header and payload, ready to be written to any number of
// connections of the same sub-protocol. It must not be changed.
type Encoded []byte

// Opcodes of WebSocket.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// headerLen is how long the header of an unmasked frame is.
func headerLen(payload int) int {
	switch {
	case payload <= 125:
		return 2
	case payload <= 0xffff:
		return 4
	}
	return 10
}

func appendHeader(b []byte, opcode byte, payload int) []byte {
	b = append(b, 0x80|opcode)
	switch {
	case payload <= 125:
		return append(b, byte(payload))
	case payload <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(payload))
	}
	return binary.BigEndian.AppendUint64(append(b, 127), uint64(payload))
}

// encode makes the frame in one allocation (binary) for one sub-protocol.
func encode(json bool, f *livev1.Frame) Encoded {
	if !json {
		o := proto.MarshalOptions{UseCachedSize: true}
		n := proto.Size(f)
		b := appendHeader(make([]byte, 0, headerLen(n)+n), opBinary, n)
		b, err := o.MarshalAppend(b, f)
		if err != nil {
			return nil
		}
		return b
	}
	p, err := protojson.Marshal(f)
	if err != nil {
		return nil
	}
	return append(appendHeader(make([]byte, 0, headerLen(len(p))+len(p)), opText, len(p)), p...)
}

// control makes a control frame; a payload is at most 125 bytes.
func control(opcode byte, payload []byte) Encoded {
	return append(appendHeader(make([]byte, 0, 2+len(payload)), opcode, len(payload)), payload...)
}

// Payload is the frame without its header.
func (e Encoded) Payload() []byte {
	if len(e) < 2 {
		return nil
	}
	switch e[1] {
	case 126:
		return e[4:]
	case 127:
		return e[10:]
	}
	return e[2:]
}

// shared is a frame that many get: encoded once for each sub-protocol that somebody uses, by one goroutine.
type shared struct {
	frame *livev1.Frame
	forms [2]Encoded
}

func share(f *livev1.Frame) *shared { return &shared{frame: f} }

func (s *shared) form(json bool) Encoded {
	i := 0
	if json {
		i = 1
	}
	if s.forms[i] == nil {
		s.forms[i] = encode(json, s.frame)
	}
	return s.forms[i]
}

var errFrame = errors.New("malformed frame")

var fromJSON = protojson.UnmarshalOptions{DiscardUnknown: true}

// DecodeFrame reads the payload of a frame.
func DecodeFrame(json bool, b []byte) (*livev1.Frame, error) {
	f := &livev1.Frame{}
	var err error
	if json {
		err = fromJSON.Unmarshal(b, f)
	} else {
		err = proto.Unmarshal(b, f)
	}
	if err != nil {
		return nil, errFrame
	}
	return f, nil
}
