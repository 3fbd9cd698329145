package inspect

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/bonghwa/bonghwa/internal/cluster"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

var commands = map[byte]proto.Message{
	kernel.DomainKernel: &logv1.KernelCommand{}, kernel.DomainPeople: &logv1.PeopleCommand{}, kernel.DomainChat: &logv1.ChatCommand{},
}

// filled makes a command of one operation with something in every field, and says what is where.
func filled(t *testing.T, m protoreflect.Message, op protoreflect.FieldDescriptor) (values map[protoreflect.FullName][]byte) {
	t.Helper()
	values = map[protoreflect.FullName][]byte{}
	var fill func(m protoreflect.Message)
	fill = func(m protoreflect.Message) {
		fields := m.Descriptor().Fields()
		for i := range fields.Len() {
			f := fields.Get(i)
			if o := f.ContainingOneof(); o != nil && o.Name() == "op" && f.FullName() != op.FullName() {
				continue
			}
			mark := []byte("value of " + f.FullName())
			switch {
			case f.Kind() == protoreflect.MessageKind:
				fill(m.Mutable(f).Message())
				continue
			case f.Kind() == protoreflect.BytesKind && f.IsList():
				m.Mutable(f).List().Append(protoreflect.ValueOfBytes(mark))
			case f.Kind() == protoreflect.BytesKind:
				m.Set(f, protoreflect.ValueOfBytes(mark))
			case f.Kind() == protoreflect.StringKind:
				m.Set(f, protoreflect.ValueOfString(string(mark)))
			case f.Kind() == protoreflect.BoolKind:
				m.Set(f, protoreflect.ValueOfBool(true))
				continue
			default:
				continue
			}
			values[f.FullName()] = mark
		}
	}
	fill(m)
	return values
}

// plain fields are words of a list, and the names of sites: they say what was done, and of nobody who somebody is.
var plain = map[protoreflect.Name]bool{"role": true, "site": true, "what": true, "scenario": true, "source": true}

// TestNothingSecret goes through every field of every operation in the schema: a field that is added must be found among
// the ids, the texts or the secrets.
func TestNothingSecret(t *testing.T) {
	public := map[protoreflect.Name]bool{"tag": true}
	for name := range plain {
		public[name] = true
	}
	for _, id := range idFields {
		public[protoreflect.Name(id)] = true
	}
	for domain, empty := range commands {
		ops := empty.ProtoReflect().Descriptor().Oneofs().ByName("op").Fields()
		for i := range ops.Len() {
			m := empty.ProtoReflect().New()
			values := filled(t, m, ops.Get(i))
			raw, err := proto.Marshal(m.Interface())
			if err != nil {
				t.Fatal(err)
			}
			for _, withTexts := range []bool{false, true} {
				out := Command(kernel.Envelope{Domain: domain, Bytes: raw}, withTexts)
				if !strings.Contains(out, string(ops.Get(i).Name())) {
					t.Errorf("%s is not named: %s", ops.Get(i).Name(), out)
				}
				for name, v := range values {
					shown := false
					for _, form := range []string{string(v), hex.EncodeToString(v), base64.StdEncoding.EncodeToString(v), ids.Text(v)} {
						shown = shown || strings.Contains(out, form)
					}
					want := public[name.Name()] || texts[name.Name()] && withTexts
					if secret[name.Name()] && (public[name.Name()] || texts[name.Name()]) {
						t.Errorf("%s is secret and is not", name)
					}
					if shown != want {
						t.Errorf("%s, with texts %v: shown %v, want %v: %s", name, withTexts, shown, want, out)
					}
				}
			}
		}
	}
}

func TestCommandUnknown(t *testing.T) {
	for what, c := range map[string]struct {
		env  kernel.Envelope
		want string
	}{
		"a newer domain":    {kernel.Envelope{Domain: 9, Bytes: []byte("비밀")}, "domain 9, unknown to this binary: 6 bytes"},
		"no protobuf":       {kernel.Envelope{Domain: kernel.DomainChat, Bytes: []byte{0xff}}, "chat: cannot be decoded"},
		"a newer operation": {kernel.Envelope{Domain: kernel.DomainChat, Bytes: []byte{0xca, 0x3e, 6, 0xeb, 0xb9, 0x84, 0xeb, 0xb0, 0x80}}, "chat {}"},
	} {
		if out := Command(c.env, true); !strings.Contains(out, c.want) || strings.Contains(out, "비밀") {
			t.Errorf("%s: %s", what, out)
		}
	}
}

func TestEntry(t *testing.T) {
	cmd, err := proto.Marshal(&logv1.ChatCommand{User: make([]byte, 10), Op: &logv1.ChatCommand_Typing{Typing: &logv1.Typing{}}})
	if err != nil {
		t.Fatal(err)
	}
	e := kernel.Entry{Epoch: 7, Behaviour: 1, Time: 1_795_478_400_123, Node: cluster.NodeID{1, 2, 3, 4}, Number: 5,
		Checks:   []kernel.Check{{Domain: 2, N: 41, Chain: 0xabc, Durable: 40}},
		Commands: []kernel.Envelope{{Domain: kernel.DomainChat, Flags: kernel.FlagEphemeral, Bytes: cmd}}}
	b := e.Encode(nil)
	var out bytes.Buffer
	if err := Entry(&out, cluster.Record{N: 42, Value: b}, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"7:42  2026-11-24T00:00:00.123Z  node 01020304/", " #5 ", fmt.Sprintf("crc %08x", e.CRC), "check  domain 2  n 41  chain 0000000000000abc  durable 40", "user=aaaaaaaaaaaaaaaa  (ephemeral)"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
	out.Reset()
	b[len(b)-1] ^= 1
	if err := Entry(&out, cluster.Record{N: 42, Value: b}, false); err != nil || !strings.HasPrefix(out.String(), "42  ") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("a damaged entry: %v, %s", err, out.String())
	}
}

func TestSentence(t *testing.T) {
	err := errors.New("on-disk corruption: 000020.sst; bounds: [s비밀, t]; details: x\n(1) path\n  -- stack trace")
	if got := Sentence(err); got != "on-disk corruption: 000020.sst" {
		t.Error(got)
	}
}
