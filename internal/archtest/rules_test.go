package archtest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var update = flag.Bool("update", false, "write testdata/rules.golden anew")

const (
	rulesFile  = "testdata/rules.golden"
	regenerate = "go test ./internal/archtest -run TestValidationRules -update"
)

// A rule that becomes tighter refuses what clients already have in their outboxes, and buf breaking does not notice.
func TestValidationRules(t *testing.T) {
	got := validationRules(t)
	if *update {
		if err := os.WriteFile(rulesFile, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatalf("%v; to make it: %s", err, regenerate)
	}
	want := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	gone, added := difference(want, got), difference(got, want)
	if len(gone)+len(added) == 0 {
		return
	}
	t.Errorf("validation rules differ from %s:\n- %s\n+ %s\n"+
		"A tighter rule refuses what clients already send or hold in an outbox; a looser or new field's rule is fine.\n"+
		"When it is meant: %s, and say so in CHANGELOG.md.",
		rulesFile, strings.Join(gone, "\n- "), strings.Join(added, "\n+ "), regenerate)
}

// validationRules lists every rule as "element rule", sorted.
func validationRules(t *testing.T) (lines []string) {
	for _, f := range schemas(t) {
		eachDescriptor(f, func(d protoreflect.Descriptor) {
			var rules proto.Message
			switch d.(type) {
			case protoreflect.MessageDescriptor:
				rules = extension(d, validate.E_Message)
			case protoreflect.FieldDescriptor:
				rules = extension(d, validate.E_Field)
			case protoreflect.OneofDescriptor:
				rules = extension(d, validate.E_Oneof)
			}
			if rules == nil {
				return
			}
			b, err := protojson.Marshal(rules)
			if err != nil {
				t.Fatal(err)
			}
			var line bytes.Buffer
			if err := json.Compact(&line, b); err != nil { // protojson varies its spaces on purpose
				t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%s %s", d.FullName(), line.String()))
		})
	}
	if len(lines) == 0 {
		t.Fatal("no validation rule was found")
	}
	sort.Strings(lines)
	return lines
}

func extension(d protoreflect.Descriptor, x protoreflect.ExtensionType) proto.Message {
	if !proto.HasExtension(d.Options(), x) {
		return nil
	}
	return proto.GetExtension(d.Options(), x).(proto.Message)
}

// difference is what a has and b has not.
func difference(a, b []string) (d []string) {
	in := map[string]bool{}
	for _, s := range b {
		in[s] = true
	}
	for _, s := range a {
		if !in[s] {
			d = append(d, s)
		}
	}
	return d
}
