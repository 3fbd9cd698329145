// Package inspect shows logs and views to operators and developers: the tools that find a divergence. It only reads.
// Secrets (password hashes, token hashes) are never printed, message texts only when asked for.
package inspect

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/bonghwa/bonghwa/internal/cluster"
	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

var (
	// secret fields, and pictures, are replaced always, text fields unless texts are asked for.
	secret = map[protoreflect.Name]bool{"phc": true, "one_time_phc": true, "token_hash": true, "by": true, "all_but": true, "keep": true, "invitation": true, "secret_hash": true, "jpeg": true}
	texts  = map[protoreflect.Name]bool{"handle": true, "text": true, "title": true, "display_name": true, "status_message": true, "profile_text": true, "device_label": true, "label": true,
		"on": true}
)

// idFields are shown behind the JSON, in their text form.
var idFields = []string{"user", "room", "device", "peer", "other", "others", "devices", "members", "whom"}

// nameDevice is the device of the command's name; some operations have a device of their own beside it.
const nameDevice = "name.device"

// Sentence is what an engine says, fit to be shown: its first line, without the stack traces and the keys of rows that
// Pebble adds to damage that it finds.
func Sentence(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	s, _, _ = strings.Cut(s, "; bounds: ")
	return s
}

// Entry prints one entry of the log: a header line, then a line per command.
func Entry(w io.Writer, rec cluster.Record, withTexts bool) error {
	e, err := kernel.DecodeEntry(rec.Value)
	if err != nil {
		_, werr := fmt.Fprintf(w, "%d  %d bytes: %v\n", rec.N, len(rec.Value), err)
		return werr
	}
	if _, err := fmt.Fprintf(w, "%d:%d  %s  node %x/%x #%d  behaviour %d  crc %08x  %d bytes\n", e.Epoch, rec.N,
		time.UnixMilli(int64(e.Time)).UTC().Format("2006-01-02T15:04:05.000Z"), e.Node, e.Incarnation, e.Number, e.Behaviour, e.CRC, len(rec.Value)); err != nil {
		return err
	}
	for _, c := range e.Checks {
		if _, err := fmt.Fprintf(w, "    check  domain %d  n %d  chain %016x  durable %d\n", c.Domain, c.N, c.Chain, c.Durable); err != nil {
			return err
		}
	}
	for i, c := range e.Commands {
		if _, err := fmt.Fprintf(w, "    %d  %s%s\n", i, Command(c, withTexts), map[bool]string{true: "  (ephemeral)"}[c.Flags&kernel.FlagEphemeral != 0]); err != nil {
			return err
		}
	}
	return nil
}

// Command shows one command as its domain and JSON with ids in their text form.
func Command(c kernel.Envelope, withTexts bool) string {
	var m proto.Message
	name := ""
	switch c.Domain {
	case kernel.DomainKernel:
		m, name = &logv1.KernelCommand{}, "kernel"
	case kernel.DomainPeople:
		m, name = &logv1.PeopleCommand{}, "people"
	case kernel.DomainChat:
		m, name = &logv1.ChatCommand{}, "chat"
	default:
		return fmt.Sprintf("domain %d, unknown to this binary: %d bytes", c.Domain, len(c.Bytes))
	}
	if err := proto.Unmarshal(c.Bytes, m); err != nil {
		return fmt.Sprintf("%s: cannot be decoded: %v", name, err)
	}
	show := map[string]string{}
	redact(m.ProtoReflect(), withTexts, show)
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return fmt.Sprintf("%s: %v", name, err)
	}
	s := string(b)
	for _, k := range append([]string{nameDevice}, idFields...) {
		if v, ok := show[k]; ok {
			s += " " + k + "=" + v
		}
	}
	return name + " " + s
}

// redact blanks what must not be shown, and moves ids out into show in their text form.
func redact(m protoreflect.Message, withTexts bool, show map[string]string) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Kind() == protoreflect.MessageKind && !f.IsList():
			redact(v.Message(), withTexts, show)
		case secret[f.Name()]:
			m.Clear(f)
		case texts[f.Name()] && !withTexts && f.Kind() == protoreflect.StringKind:
			m.Set(f, protoreflect.ValueOfString(fmt.Sprintf("(%d bytes)", len(v.String()))))
		case slices.Contains(idFields, string(f.Name())):
			key := string(f.Name())
			if m.Descriptor().Name() == "Name" {
				key = nameDevice
			}
			show[key] = idText(f, v)
			m.Clear(f)
		}
		return true
	})
}

func idText(f protoreflect.FieldDescriptor, v protoreflect.Value) string {
	if !f.IsList() {
		return ids.Text(v.Bytes())
	}
	var all []string
	for i := range v.List().Len() {
		all = append(all, ids.Text(v.List().Get(i).Bytes()))
	}
	return strings.Join(all, ",")
}
