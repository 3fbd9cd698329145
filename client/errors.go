package client

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectproto"

	"github.com/bonghwa/bonghwa/internal/clientcore"
	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
)

// Reason is the closed list of error codes of docs/protocol.md.
type Reason int32

// Reasons that callers may want to tell apart; docs/protocol.md explains all of them.
const (
	ReasonInvalid           Reason = 1
	ReasonTooLarge          Reason = 2
	ReasonUnauthenticated   Reason = 3
	ReasonBadCredentials    Reason = 4
	ReasonTooManyTries      Reason = 5
	ReasonBusy              Reason = 6
	ReasonNotReady          Reason = 7
	ReasonUnknownOutcome    Reason = 8
	ReasonDiskFull          Reason = 9
	ReasonBehind            Reason = 10
	ReasonRolledBack        Reason = 11
	ReasonWrongDevice       Reason = 12
	ReasonSignupClosed      Reason = 13
	ReasonBadInvitation     Reason = 14
	ReasonUnavailable       Reason = 15
	ReasonInternal          Reason = 16
	ReasonExpected          Reason = 20
	ReasonHeld              Reason = 21
	ReasonAlreadyIn         Reason = 22
	ReasonIDReused          Reason = 23
	ReasonSkipped           Reason = 24
	ReasonHandleTaken       Reason = 30
	ReasonCredentialChanged Reason = 31
	ReasonSessionRevoked    Reason = 32
	ReasonUnknownUser       Reason = 33
	ReasonBadCode           Reason = 34
	ReasonLimit             Reason = 35
	ReasonUnknownDevice     Reason = 36
	ReasonNotOperator       Reason = 37
	// ReasonMustChangePassword: a one-time code opened this session; ChangePassword comes first.
	ReasonMustChangePassword Reason = 38
	ReasonUnknownRoom        Reason = 50
	ReasonNotMember          Reason = 51
	ReasonCannotReceive      Reason = 52
	ReasonWrongRoomKind      Reason = 53
	ReasonUnknownMessage     Reason = 54
	ReasonNotAuthor          Reason = 55
	ReasonTooLate            Reason = 56
	ReasonDeleted            Reason = 57
	ReasonRoomFull           Reason = 58
)

// String is the name as it is written in docs/protocol.md, in lower case.
func (r Reason) String() string {
	return strings.ToLower(strings.TrimPrefix(apiv1.Reason(r).String(), "REASON_"))
}

// Error is an answer of the server that is not success.
type Error struct {
	Reason Reason
	// Message is a sentence for a person.
	Message string
	// Subject is the id or field it is about, if there is one.
	Subject string
	Fields  []Field
	// Consumed: decided, and the same change is never tried again under the same name.
	Consumed bool
	// Again: the same can succeed later.
	Again      bool
	RetryAfter time.Duration
}

// Field is an input that was refused.
type Field struct{ Name, Rule, Message string }

func (e *Error) Error() string {
	msg := e.Message
	if msg == "" {
		msg = "the server refused"
	}
	for _, f := range e.Fields {
		msg += "; " + f.Name + " " + f.Message
	}
	return fmt.Sprintf("%s (%s)", msg, e.Reason)
}

// ReasonOf is the reason in an error of this package; 0 if there is none.
func ReasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return 0
}

// EndedError: the session is over. What is open stays in the outbox until somebody logs in again.
type EndedError struct{ Cause error }

func (e *EndedError) Error() string { return "the session is over: " + e.Cause.Error() }
func (e *EndedError) Unwrap() error { return e.Cause }

// Errors of the client itself.
var (
	ErrClosed = errors.New("client: closed")
	// ErrLoggedOut: nobody is logged in.
	ErrLoggedOut = errors.New("client: nobody is logged in")
	// ErrMustChangePassword: a one-time code opened this session, and nothing is done before ChangePassword.
	ErrMustChangePassword = errors.New("client: a one-time code opened this session; choose a new password first")
	// ErrOtherAccount: the profile holds another account's outbox.
	ErrOtherAccount = errors.New("client: this profile belongs to another account")
	// ErrGivenUp: the change was given up and is certainly not in.
	ErrGivenUp = errors.New("client: given up, not sent")
	// ErrNotStored: the change could not be stored and never left.
	ErrNotStored = errors.New("client: could not be stored")
	// ErrUnreachable: no site answered.
	ErrUnreachable = errors.New("client: no site answers")
)

func errorOf(r *clientcore.Refusal) error {
	if r == nil {
		return nil
	}
	e := &Error{Reason: Reason(r.Reason), Message: r.Message, Subject: r.Subject, Consumed: r.Consumed, Again: r.Again,
		RetryAfter: time.Duration(min(r.RetryAfter, 3600_000)) * time.Millisecond}
	for _, f := range r.Fields {
		e.Fields = append(e.Fields, Field{Name: f.GetField(), Rule: f.GetRuleId(), Message: f.GetMessage()})
	}
	return e
}

// refusalOf takes the ErrorInfo out of an error of a call. nil, true: there is none, the answer got lost.
func refusalOf(err error) (ref *clientcore.Refusal, lost bool) {
	var ce *connect.Error
	if !errors.As(err, &ce) {
		return nil, true
	}
	for _, d := range ce.Details() {
		m, err := connectproto.UnmarshalErrorDetail(d)
		if info, ok := m.(*apiv1.ErrorInfo); err == nil && ok {
			return clientcore.RefusalOf(info, ce.Message()), false
		}
	}
	// An answer, but not of Bonghwa: something in between, or a server older or newer than this client.
	switch ce.Code() {
	case connect.CodeInvalidArgument, connect.CodeUnimplemented:
		return &clientcore.Refusal{Reason: apiv1.Reason_REASON_INVALID, Message: ce.Message()}, false
	case connect.CodeResourceExhausted:
		return &clientcore.Refusal{Reason: apiv1.Reason_REASON_TOO_LARGE, Message: ce.Message()}, false
	}
	return nil, true
}

func receipt(r clientcore.Result) (Receipt, error) {
	rec := Receipt{Room: r.Room, Seq: r.Seq, Time: millis(r.Time), Repeated: r.Repeated, Refused: r.Refused}
	switch {
	case r.Unstored != nil:
		return rec, fmt.Errorf("%w: %w", ErrNotStored, r.Unstored)
	case r.Err != nil:
		return rec, errorOf(r.Err)
	case r.GivenUp:
		return rec, ErrGivenUp
	}
	return rec, nil
}
