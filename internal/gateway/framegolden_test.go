package gateway

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

var update = flag.Bool("update", false, "add frames that are not in testdata/frames.golden yet; what is there stays")

// TestFramesGolden: frames of every kind, with every field that they had when they were released, in both forms. Clients that are
// out there write and expect these bytes: today's code reads both forms to the same frame, and says it in the same words.
func TestFramesGolden(t *testing.T) {
	const file = "testdata/frames.golden"
	b, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	golden := string(b)
	there := map[string]bool{}
	for line := range strings.Lines(golden) {
		there[strings.Fields(line)[0]] = true
	}
	bodies := (&livev1.Frame{}).ProtoReflect().Descriptor().Oneofs().ByName("body").Fields()
	for _, k := range frameKinds(bodies) {
		if name := k.name(); !there[name] {
			if !*update {
				t.Errorf("%s is not in %s: -update adds it", name, file)
				continue
			}
			f := &livev1.Frame{Id: uint64(k.body.Number())}
			next := 0
			m := f.ProtoReflect().Mutable(k.body).Message()
			fillFields(m, 0, &next)
			if k.of != nil {
				m.Clear(k.of)
				fillFields(m.Mutable(k.of).Message(), 1, &next)
			}
			b, err := proto.MarshalOptions{Deterministic: true}.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			golden += fmt.Sprintf("%s %x %s\n", name, b, canonical(t, f))
		}
	}
	if *update {
		if err := os.WriteFile(file, []byte(golden), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(golden) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		if len(parts) != 3 {
			t.Fatalf("%q", line)
		}
		b, err := hex.DecodeString(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		f, err := DecodeFrame(false, b)
		if err != nil {
			t.Errorf("%s: %v", parts[0], err)
			continue
		}
		body, _, _ := strings.Cut(parts[0], ".")
		if which := f.ProtoReflect().WhichOneof(bodies.Get(0).ContainingOneof()); which == nil || string(which.Name()) != body {
			t.Errorf("%s is read as %v", parts[0], which)
		}
		if got := canonical(t, f); got != parts[2] {
			t.Errorf("%s, binary, is read as\n%s\nnot\n%s", parts[0], got, parts[2])
		}
		j, err := DecodeFrame(true, []byte(parts[2]))
		if err != nil || !proto.Equal(f, j) {
			t.Errorf("%s: the JSON form is another frame: %v, %v", parts[0], j, err)
		}
		for _, asJSON := range []bool{false, true} {
			if back, err := DecodeFrame(asJSON, encode(asJSON, f).Payload()); err != nil || !proto.Equal(f, back) {
				t.Errorf("%s, JSON %v: written it is another frame: %v, %v", parts[0], asJSON, back, err)
			}
		}
	}
}

// frameKind is a body of a frame, and which of the things it may hold where it holds one of several.
type frameKind struct{ body, of protoreflect.FieldDescriptor }

func (k frameKind) name() string {
	if k.of == nil {
		return string(k.body.Name())
	}
	return string(k.body.Name()) + "." + string(k.of.Name())
}

func frameKinds(bodies protoreflect.FieldDescriptors) (list []frameKind) {
	for i := range bodies.Len() {
		body := bodies.Get(i)
		one := body.Message().Oneofs()
		if one.Len() == 0 || one.Get(0).IsSynthetic() {
			list = append(list, frameKind{body, nil})
			continue
		}
		for j := range one.Get(0).Fields().Len() {
			list = append(list, frameKind{body, one.Get(0).Fields().Get(j)})
		}
	}
	return list
}

// canonical is a frame in JSON with its fields in order; what the library writes varies in its spaces.
func canonical(t *testing.T, f *livev1.Frame) string {
	t.Helper()
	b, err := protojson.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if b, err = json.Marshal(v); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fillFields gives every field a value of its own; messages within themselves once.
func fillFields(m protoreflect.Message, depth int, next *int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		fd := fields.Get(i)
		if fd.Message() != nil {
			if depth >= 3 {
				continue
			}
			if fd.IsList() {
				e := m.Mutable(fd).List().NewElement()
				fillFields(e.Message(), depth+1, next)
				m.Mutable(fd).List().Append(e)
			} else {
				fillFields(m.Mutable(fd).Message(), depth+1, next)
			}
			continue
		}
		*next++
		v := scalar(fd, *next)
		if fd.IsList() {
			m.Mutable(fd).List().Append(v)
		} else {
			m.Set(fd, v)
		}
	}
}

func scalar(fd protoreflect.FieldDescriptor, n int) protoreflect.Value {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		values := fd.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(1 + n%(values.Len()-1)).Number())
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(n))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(1<<53 + uint64(n)) // more than a JSON number holds
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte{0xfb, byte(n)})
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(fmt.Sprintf("글 %d", n))
	}
	panic("a field of a new kind: " + fd.Kind().String())
}
