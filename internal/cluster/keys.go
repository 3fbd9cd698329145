package cluster

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// The keys in etcd (docs/formats.md, "The log") and the values that are not entries. A value begins with its version
// byte, except p/<node>, which is the bare incarnation.

const (
	epochKey  = "epoch"
	logPrefix = "log/"
	nodeStart = "node/"
	// Ends of the ranges above: the prefix with its last byte raised by one.
	logEnd  = "log0"
	nodeEnd = "node0"

	valueVersion = 1
	// siteVersion is that of node/<id> of a node that has a site.
	siteVersion = 2
)

var errValue = errors.New("a key of the log holds a value that this program does not know")

func logKey(epoch uint32) []byte { return fmt.Appendf(nil, "%s%08x", logPrefix, epoch) }

func producerKey(node NodeID) []byte { return fmt.Appendf(nil, "p/%x", node[:]) }

func nodeKey(node NodeID) []byte { return fmt.Appendf(nil, "%s%x", nodeStart, node[:]) }

func parseLogKey(key []byte) (uint32, error) {
	var b [4]byte
	if len(key) != len(logPrefix)+8 || string(key[:len(logPrefix)]) != logPrefix {
		return 0, errValue
	}
	if _, err := hex.Decode(b[:], key[len(logPrefix):]); err != nil {
		return 0, errValue
	}
	return binary.BigEndian.Uint32(b[:]), nil
}

// epochValue: version1 epoch4.
func epochValue(epoch uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{valueVersion}, epoch)
}

func parseEpoch(v []byte) (uint32, error) {
	if len(v) != 5 || v[0] != valueVersion {
		return 0, errValue
	}
	return binary.BigEndian.Uint32(v[1:]), nil
}

// nodeValue: version1 behaviour4 url of a node that is alone, version2 behaviour4 and three texts (length2 each) of one
// that has a site: url, site, addr.
func nodeValue(n Node) []byte {
	if n.Site == "" {
		return append(binary.BigEndian.AppendUint32([]byte{valueVersion}, n.Behaviour), n.URL...)
	}
	b := binary.BigEndian.AppendUint32([]byte{siteVersion}, n.Behaviour)
	for _, s := range []string{n.URL, n.Site, n.Addr} {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
	}
	return b
}

func parseNode(key, v []byte) (n Node, err error) {
	if len(key) != len(nodeStart)+8 || len(v) < 5 || v[0] != valueVersion && v[0] != siteVersion {
		return n, errValue
	}
	if _, err := hex.Decode(n.ID[:], key[len(nodeStart):]); err != nil {
		return n, errValue
	}
	n.Behaviour = binary.BigEndian.Uint32(v[1:5])
	rest := v[5:]
	if v[0] == valueVersion {
		n.URL = string(rest)
		return n, nil
	}
	for _, s := range []*string{&n.URL, &n.Site, &n.Addr} {
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return n, errValue
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		*s, rest = string(rest[2:end]), rest[end:]
	}
	return n, nil
}

func parseIncarnation(v []byte) (inc Incarnation, err error) {
	if len(v) != len(inc) {
		return inc, errValue
	}
	return Incarnation(v), nil
}
