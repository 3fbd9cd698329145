package gateway

import (
	"errors"
	"unicode/utf8"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// validate checks a message against the rules of its schema. Values are never echoed.
func validate(m proto.Message) *Failure {
	err := protovalidate.Validate(m)
	if err == nil {
		return nil
	}
	var ve *protovalidate.ValidationError
	if !errors.As(err, &ve) {
		return &Failure{Reason: apiv1.Reason_REASON_INTERNAL, cause: err}
	}
	f := fail(apiv1.Reason_REASON_INVALID)
	for _, v := range ve.Violations {
		f.Fields = append(f.Fields, &apiv1.FieldViolation{
			Field:   protovalidate.FieldPathString(v.Proto.GetField()),
			RuleId:  v.Proto.GetRuleId(),
			Message: v.Proto.GetMessage(),
		})
	}
	return f
}

// validateHot checks the frames that come by the thousand by hand: protovalidate costs 5-6 us a message. What these
// checks refuse is given to protovalidate for its words, so that both always give the same answer; what they accept,
// protovalidate accepts (TestValidateHot).
func validateHot(m proto.Message) *Failure {
	ok := false
	switch m := m.(type) {
	case *apiv1.SendRequest:
		ok = nameOK(m.Name) && runesAtMost(m.Room, 26) && runesAtMost(m.Peer, 16) && m.Text != "" && len(m.Text) <= 40_000 &&
			(m.Room != "" || m.Peer != "")
	case *apiv1.MarkReadRequest:
		ok = runes(m.Room) == 26
	case *livev1.Typing:
		ok = runes(m.Room) == 26 && runesAtMost(m.User, 16)
	}
	if ok {
		return nil
	}
	return validate(m)
}

func nameOK(n *apiv1.CommandName) bool {
	return n != nil && n.N >= 1 && len(n.Tag) == 8 && n.Base >= 1 && n.N >= n.Base && n.N-n.Base < 8 && n.Base+8 > n.Base
}

func runes(s string) int                  { return utf8.RuneCountInString(s) }
func runesAtMost(s string, most int) bool { return len(s) <= most || runes(s) <= most }
