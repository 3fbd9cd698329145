package archtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	_ "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
)

// schemaImports says what the files of each package may import. buf does not look at this.
var schemaImports = map[string][]string{
	"bonghwa/api/":  {"bonghwa/api/", "buf/validate/", "google/protobuf/"},
	"bonghwa/live/": {"bonghwa/live/", "bonghwa/api/", "buf/validate/"},
	"bonghwa/log/":  {"bonghwa/log/"},
}

func TestSchemaImports(t *testing.T) {
	for _, f := range schemas(t) {
		allowed := schemaImports[packageOf(f)]
		if allowed == nil {
			t.Errorf("%s belongs to no package of schemaImports", f.Path())
		}
		for i := range f.Imports().Len() {
			imp := f.Imports().Get(i).Path()
			ok := false
			for _, prefix := range allowed {
				ok = ok || strings.HasPrefix(imp, prefix)
			}
			if !ok {
				t.Errorf("%s imports %s: only %v are allowed there", f.Path(), imp, allowed)
			}
		}
	}
}

// A validation rule on a log record would be a rule that replay obeys: a later, tighter one would change the past.
func TestLogSchemaHasNoValidationRules(t *testing.T) {
	for _, f := range schemas(t) {
		if packageOf(f) != "bonghwa/log/" {
			continue
		}
		eachDescriptor(f, func(d protoreflect.Descriptor) {
			d.Options().ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
				if fd.IsExtension() {
					t.Errorf("%s carries the option %s", d.FullName(), fd.FullName())
				}
				return true
			})
			if len(d.Options().ProtoReflect().GetUnknown()) > 0 {
				t.Errorf("%s carries an unknown option", d.FullName())
			}
		})
	}
}

// Replay relies on this: a record of a newer binary decodes without an error, its operation is nil, and the domain
// refuses it. Were the operation taken for another one, or the record for damaged, replay could not tell why to stop.
func TestUnknownOperationDecodesToNil(t *testing.T) {
	for _, m := range []proto.Message{&logv1.ChatCommand{}, &logv1.PeopleCommand{}, &logv1.KernelCommand{}} {
		r := m.ProtoReflect()
		t.Run(string(r.Descriptor().Name()), func(t *testing.T) {
			op := r.Descriptor().Oneofs().ByName("op")
			if op == nil {
				t.Fatal("the message has no oneof op")
			}
			const number = 1999
			if r.Descriptor().Fields().ByNumber(number) != nil {
				t.Fatalf("field %d is in use", number)
			}
			record := protowire.AppendTag(nil, number, protowire.BytesType)
			record = protowire.AppendBytes(record, []byte{8, 1})
			if err := proto.Unmarshal(record, m); err != nil {
				t.Fatalf("an unknown operation is an error: %v", err)
			}
			if fd := r.WhichOneof(op); fd != nil {
				t.Fatalf("an unknown operation is taken for %s", fd.Name())
			}
			if string(r.GetUnknown()) != string(record) {
				t.Fatal("the unknown operation is not kept")
			}
		})
	}
}

// schemas returns the registered files of proto/, having checked that none on disk is missing from them.
func schemas(t *testing.T) (files []protoreflect.FileDescriptor) {
	t.Helper()
	top := filepath.Join(root, "proto")
	err := fs.WalkDir(os.DirFS(top), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(p) != ".proto" {
			return err
		}
		f, err := protoregistry.GlobalFiles.FindFileByPath(p)
		if err != nil {
			t.Errorf("proto/%s is not among the generated packages this test imports: %v", p, err)
			return nil
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no schema was found")
	}
	return files
}

// packageOf is the directory of the package without its version: "bonghwa/log/".
func packageOf(f protoreflect.FileDescriptor) string {
	parts := strings.SplitN(f.Path(), "/", 3)
	return strings.Join(parts[:2], "/") + "/"
}

// eachDescriptor visits the file, its services, methods, enums, values, messages, fields and oneofs.
func eachDescriptor(f protoreflect.FileDescriptor, visit func(protoreflect.Descriptor)) {
	visit(f)
	enums := func(es protoreflect.EnumDescriptors) {
		for i := range es.Len() {
			visit(es.Get(i))
			for j := range es.Get(i).Values().Len() {
				visit(es.Get(i).Values().Get(j))
			}
		}
	}
	var messages func(ms protoreflect.MessageDescriptors)
	messages = func(ms protoreflect.MessageDescriptors) {
		for i := range ms.Len() {
			m := ms.Get(i)
			visit(m)
			for j := range m.Fields().Len() {
				visit(m.Fields().Get(j))
			}
			for j := range m.Oneofs().Len() {
				visit(m.Oneofs().Get(j))
			}
			enums(m.Enums())
			messages(m.Messages())
		}
	}
	enums(f.Enums())
	messages(f.Messages())
	for i := range f.Services().Len() {
		s := f.Services().Get(i)
		visit(s)
		for j := range s.Methods().Len() {
			visit(s.Methods().Get(j))
		}
	}
}
