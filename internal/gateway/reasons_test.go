package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"

	"connectrpc.com/connect/v2/connectproto"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

func ptr[T any](v T) *T { return &v }

func withCaller(t *testing.T, p *someone) context.Context {
	t.Helper()
	s := p.r.k.Snapshot(kernel.DomainPeople)
	defer s.Close()
	c, err := sessionOf(s, tokenOf(p))
	if err != nil {
		t.Fatal(err)
	}
	return context.WithValue(context.WithValue(context.Background(), callerKey{}, &c), addrKey{}, "192.0.2.1")
}

func TestRulesAreComplete(t *testing.T) {
	for n, name := range apiv1.Reason_name {
		r := apiv1.Reason(n)
		if r == apiv1.Reason_REASON_UNSPECIFIED {
			continue
		}
		ru, ok := rules[r]
		if !ok || ru.code == 0 || ru.message == "" {
			t.Errorf("%s has no rule", name)
		}
		if ru.consumed && ru.again {
			t.Errorf("%s: a name that is used up cannot be sent again", name)
		}
		e := (&Failure{Reason: r, Verdict: true, cause: errors.New("secret")}).connectError()
		if e.Code() != ru.code || strings.Contains(e.Message(), "secret") || len(e.Details()) != 1 {
			t.Errorf("%s: %v", name, e)
			continue
		}
		d, err := connectproto.UnmarshalErrorDetail(e.Details()[0])
		if info, ok := d.(*apiv1.ErrorInfo); err != nil || !ok || info.Reason != r || info.Consumed != ru.consumed {
			t.Errorf("%s: %v, %v", name, d, err)
		}
		if (&Failure{Reason: r}).info().Consumed {
			t.Errorf("%s: consumed without a verdict", name)
		}
	}
	if len(rules) != len(apiv1.Reason_name)-1 {
		t.Errorf("%d rules", len(rules))
	}
}

// TestVerdictsAreComplete goes through the kernel's codes by their names: each but OK has a reason.
func TestVerdictsAreComplete(t *testing.T) {
	n := 0
	for c := kernel.Code(1); c < 1000; c++ {
		if strings.HasPrefix(c.String(), "code ") {
			continue
		}
		n++
		f := verdictOf(kernel.Result{Verdict: kernel.Verdict{Code: c}, Last: 4})
		if f == nil || !f.Verdict || verdicts[c] == 0 || f.Reason != verdicts[c] {
			t.Errorf("%v: %+v", c, f)
		}
	}
	if n != len(verdicts) {
		t.Errorf("%d codes, %d reasons", n, len(verdicts))
	}
	if f := verdictOf(kernel.Result{Verdict: kernel.Verdict{Code: 999}}); f.Reason != apiv1.Reason_REASON_INTERNAL {
		t.Error(f)
	}
	for err, want := range map[error]apiv1.Reason{
		kernel.ErrNotReady: apiv1.Reason_REASON_NOT_READY, kernel.ErrQueueFull: apiv1.Reason_REASON_BUSY,
		kernel.ErrUnknownOutcome: apiv1.Reason_REASON_UNKNOWN_OUTCOME, kernel.ErrStopped: apiv1.Reason_REASON_UNKNOWN_OUTCOME,
		kernel.ErrDiskFull: apiv1.Reason_REASON_DISK_FULL, kernel.ErrTooLarge: apiv1.Reason_REASON_TOO_LARGE,
		errors.New("else"): apiv1.Reason_REASON_INTERNAL,
	} {
		if f := verdictOf(kernel.Result{Err: err}); f.Reason != want || f.info().Consumed {
			t.Errorf("%v: %v", err, f.Reason)
		}
	}
}
