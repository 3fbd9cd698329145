package gateway

import (
	"errors"

	"connectrpc.com/connect/v2"
	"connectrpc.com/connect/v2/connectproto"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/kernel"
	"github.com/bonghwa/bonghwa/internal/text"
)

// rule is what a client may conclude from a reason.
type rule struct {
	code connect.Code
	// consumed: as the verdict of a named command it uses the name up. The same reason given before the log (an input
	// that is refused at the door) never does.
	consumed bool
	// again: the same item under the same name can succeed later.
	again bool
	// message explains it to a person.
	message string
}

// rules has every reason: the closed list of docs/protocol.md, "Errors".
var rules = map[apiv1.Reason]rule{
	apiv1.Reason_REASON_INVALID:         {connect.CodeInvalidArgument, true, false, "some input is not valid"},
	apiv1.Reason_REASON_TOO_LARGE:       {connect.CodeInvalidArgument, false, false, "the request is too large"},
	apiv1.Reason_REASON_UNAUTHENTICATED: {connect.CodeUnauthenticated, false, true, "a session is needed"},
	apiv1.Reason_REASON_BAD_CREDENTIALS: {connect.CodeUnauthenticated, false, false, "wrong handle or password"},
	apiv1.Reason_REASON_TOO_MANY_TRIES:  {connect.CodeResourceExhausted, false, true, "too many tries; wait a while"},
	apiv1.Reason_REASON_BUSY:            {connect.CodeResourceExhausted, false, true, "the server is busy; try again"},
	apiv1.Reason_REASON_NOT_READY:       {connect.CodeUnavailable, false, true, "this site is not ready"},
	apiv1.Reason_REASON_UNKNOWN_OUTCOME: {connect.CodeDeadlineExceeded, false, true, "no answer in time; send the same again"},
	apiv1.Reason_REASON_DISK_FULL:       {connect.CodeUnavailable, false, true, "the server's disk is full"},
	apiv1.Reason_REASON_BEHIND:          {connect.CodeUnavailable, false, true, "this site has not caught up yet"},
	apiv1.Reason_REASON_ROLLED_BACK:     {connect.CodeAborted, false, true, "the server was restored; synchronise first"},
	apiv1.Reason_REASON_WRONG_DEVICE:    {connect.CodeFailedPrecondition, false, true, "the session belongs to another device"},
	apiv1.Reason_REASON_SIGNUP_CLOSED:   {connect.CodePermissionDenied, false, false, "this server takes no new accounts"},
	apiv1.Reason_REASON_BAD_INVITATION:  {connect.CodePermissionDenied, true, false, "a valid invitation is needed"},
	apiv1.Reason_REASON_UNAVAILABLE:     {connect.CodeUnavailable, false, true, "this part of the service is not available"},
	apiv1.Reason_REASON_INTERNAL:        {connect.CodeInternal, true, false, "something went wrong"},

	apiv1.Reason_REASON_EXPECTED:   {connect.CodeFailedPrecondition, false, true, "an earlier item is missing"},
	apiv1.Reason_REASON_HELD:       {connect.CodeFailedPrecondition, false, true, "an earlier item was refused and must come first"},
	apiv1.Reason_REASON_ALREADY_IN: {connect.CodeAlreadyExists, true, false, "this was decided long ago"},
	apiv1.Reason_REASON_ID_REUSED:  {connect.CodeAlreadyExists, true, false, "this name belongs to something else"},
	apiv1.Reason_REASON_SKIPPED:    {connect.CodeAborted, true, false, "this was given up"},

	apiv1.Reason_REASON_HANDLE_TAKEN:       {connect.CodeAlreadyExists, false, false, "this handle is taken"},
	apiv1.Reason_REASON_CREDENTIAL_CHANGED: {connect.CodeAborted, true, false, "the password was changed meanwhile"},
	apiv1.Reason_REASON_SESSION_REVOKED:    {connect.CodeUnauthenticated, true, false, "this session was ended"},
	apiv1.Reason_REASON_UNKNOWN_USER:       {connect.CodeNotFound, true, false, "there is no such person"},
	apiv1.Reason_REASON_BAD_CODE:           {connect.CodeInvalidArgument, true, false, "wrong or expired code"},
	apiv1.Reason_REASON_LIMIT:              {connect.CodeFailedPrecondition, true, false, "a limit is reached"},
	apiv1.Reason_REASON_NOT_OPERATOR:       {connect.CodePermissionDenied, true, false, "this is for operators"},
	apiv1.Reason_REASON_UNKNOWN_DEVICE:     {connect.CodeNotFound, true, false, "there is no such device"},

	apiv1.Reason_REASON_MUST_CHANGE_PASSWORD: {connect.CodeFailedPrecondition, false, true, "a one-time code opened this session; choose a new password first"},

	apiv1.Reason_REASON_UNKNOWN_ROOM:    {connect.CodeNotFound, true, false, "there is no such room"},
	apiv1.Reason_REASON_NOT_MEMBER:      {connect.CodePermissionDenied, true, false, "not a member of this room"},
	apiv1.Reason_REASON_CANNOT_RECEIVE:  {connect.CodePermissionDenied, true, false, "this person cannot receive it"},
	apiv1.Reason_REASON_WRONG_ROOM_KIND: {connect.CodeFailedPrecondition, true, false, "not possible in this kind of room"},
	apiv1.Reason_REASON_UNKNOWN_MESSAGE: {connect.CodeNotFound, true, false, "there is no such message"},
	apiv1.Reason_REASON_NOT_AUTHOR:      {connect.CodePermissionDenied, true, false, "not the author of this message"},
	apiv1.Reason_REASON_TOO_LATE:        {connect.CodeFailedPrecondition, true, false, "too late to change this message"},
	apiv1.Reason_REASON_DELETED:         {connect.CodeFailedPrecondition, true, false, "this message was deleted"},
	apiv1.Reason_REASON_ROOM_FULL:       {connect.CodeFailedPrecondition, true, false, "the room is full"},
}

// verdicts maps the kernel's codes to reasons.
var verdicts = map[kernel.Code]apiv1.Reason{
	kernel.Internal:          apiv1.Reason_REASON_INTERNAL,
	kernel.Skipped:           apiv1.Reason_REASON_SKIPPED,
	kernel.AlreadyIn:         apiv1.Reason_REASON_ALREADY_IN,
	kernel.Expected:          apiv1.Reason_REASON_EXPECTED,
	kernel.IDReused:          apiv1.Reason_REASON_ID_REUSED,
	kernel.Late:              apiv1.Reason_REASON_NOT_READY, // the kernel says it as ErrNotReady
	kernel.HandleTaken:       apiv1.Reason_REASON_HANDLE_TAKEN,
	kernel.CredentialChanged: apiv1.Reason_REASON_CREDENTIAL_CHANGED,
	kernel.SessionRevoked:    apiv1.Reason_REASON_SESSION_REVOKED,
	kernel.UnknownUser:       apiv1.Reason_REASON_UNKNOWN_USER,
	kernel.BadInvitation:     apiv1.Reason_REASON_BAD_INVITATION,
	kernel.UnknownDevice:     apiv1.Reason_REASON_UNKNOWN_DEVICE,
	kernel.LimitReached:      apiv1.Reason_REASON_LIMIT,
	kernel.BadOneTimeCode:    apiv1.Reason_REASON_BAD_CODE,
	kernel.NotOperator:       apiv1.Reason_REASON_NOT_OPERATOR,
	kernel.UnknownRoom:       apiv1.Reason_REASON_UNKNOWN_ROOM,
	kernel.NotMember:         apiv1.Reason_REASON_NOT_MEMBER,
	kernel.CannotReceive:     apiv1.Reason_REASON_CANNOT_RECEIVE,
	kernel.WrongRoomKind:     apiv1.Reason_REASON_WRONG_ROOM_KIND,
	kernel.UnknownMessage:    apiv1.Reason_REASON_UNKNOWN_MESSAGE,
	kernel.NotAuthor:         apiv1.Reason_REASON_NOT_AUTHOR,
	kernel.TooLate:           apiv1.Reason_REASON_TOO_LATE,
	kernel.Deleted:           apiv1.Reason_REASON_DELETED,
	kernel.RoomFull:          apiv1.Reason_REASON_ROOM_FULL,
	kernel.Invalid:           apiv1.Reason_REASON_INVALID,
}

// Failure is an answer that is not success. Its text may be shown; cause is only logged.
type Failure struct {
	Reason apiv1.Reason
	// Subject is the id or field it is about. Never a secret.
	Subject string
	Fields  []*apiv1.FieldViolation
	// Verdict: decided by the state machine, not refused at the door.
	Verdict bool
	// N goes with EXPECTED, HELD and ALREADY_IN; RetryAfter (ms) with BUSY and TOO_MANY_TRIES.
	N, RetryAfter uint64
	text          string
	cause         error
}

func fail(r apiv1.Reason) *Failure { return &Failure{Reason: r} }

func failOn(r apiv1.Reason, subject string) *Failure { return &Failure{Reason: r, Subject: subject} }

// invalid refuses one input.
func invalid(field, ruleID, message string) *Failure {
	return &Failure{Reason: apiv1.Reason_REASON_INVALID, Fields: []*apiv1.FieldViolation{{Field: field, RuleId: ruleID, Message: message}}}
}

// invalidText refuses what package text refused.
func invalidText(field string, err error) *Failure {
	var v *text.Violation
	if errors.As(err, &v) {
		return invalid(field, v.Rule, v.Message)
	}
	return invalid(field, "invalid", "is not valid")
}

func retryAfter(r apiv1.Reason, ms uint64) *Failure { return &Failure{Reason: r, RetryAfter: ms} }

// Error is the sentence for a person.
func (f *Failure) Error() string {
	if f.text != "" {
		return f.text
	}
	return rules[f.Reason].message
}

func (f *Failure) Unwrap() error { return f.cause }

// info is the detail on the wire.
func (f *Failure) info() *apiv1.ErrorInfo {
	r := rules[f.Reason]
	return &apiv1.ErrorInfo{
		Reason: f.Reason, Subject: f.Subject, Fields: f.Fields, Consumed: f.Verdict && r.consumed, Again: r.again,
		N: f.N, RetryAfterMs: f.RetryAfter,
	}
}

// connectError is the only way in which errors reach the wire of Connect.
func (f *Failure) connectError() *connect.Error {
	e := connect.NewError(rules[f.Reason].code, f.Error())
	if d, err := connectproto.NewErrorDetail(f.info()); err == nil {
		e = e.WithDetail(d)
	}
	return e.WithCause(f.cause)
}

// failureOf makes a Failure of any error; what nobody expected is INTERNAL without its text.
func failureOf(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	return &Failure{Reason: apiv1.Reason_REASON_INTERNAL, cause: err}
}

// refused maps what Submit or a Result says before or instead of a verdict.
func refused(err error) *Failure {
	r := apiv1.Reason_REASON_INTERNAL
	switch {
	case errors.Is(err, kernel.ErrNotReady):
		r = apiv1.Reason_REASON_NOT_READY
	case errors.Is(err, kernel.ErrQueueFull):
		return &Failure{Reason: apiv1.Reason_REASON_BUSY, RetryAfter: 200, cause: err}
	case errors.Is(err, kernel.ErrUnknownOutcome), errors.Is(err, kernel.ErrStopped):
		r = apiv1.Reason_REASON_UNKNOWN_OUTCOME
	case errors.Is(err, kernel.ErrTooNew):
		return &Failure{Reason: apiv1.Reason_REASON_UNAVAILABLE, text: err.Error(), cause: err}
	case errors.Is(err, kernel.ErrDiskFull):
		r = apiv1.Reason_REASON_DISK_FULL
	case errors.Is(err, kernel.ErrMalformed):
		r = apiv1.Reason_REASON_INVALID
	case errors.Is(err, kernel.ErrTooLarge):
		r = apiv1.Reason_REASON_TOO_LARGE
	}
	return &Failure{Reason: r, cause: err}
}

// verdictOf is nil when the command did what it says.
func verdictOf(res kernel.Result) *Failure {
	if res.Err != nil {
		return refused(res.Err)
	}
	if res.Verdict.Code == kernel.OK {
		return nil
	}
	r, ok := verdicts[res.Verdict.Code]
	if !ok {
		r = apiv1.Reason_REASON_INTERNAL
	}
	f := &Failure{Reason: r, Verdict: true}
	switch res.Verdict.Code {
	case kernel.AlreadyIn:
		f.N = res.Last
	case kernel.Expected:
		f.N = res.Last + 1
	}
	return f
}
