package term

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/bonghwa/bonghwa/client"
)

// In Korean nothing of the system's English stands behind the sentence, unless it was asked for.
func TestWhy(t *testing.T) {
	refused := errors.New("dial tcp 127.0.0.1:1: connect: connection refused")
	err := fmt.Errorf("asking: %w", errors.Join(client.ErrUnreachable, refused))
	for _, e := range []error{err, errors.Join(client.ErrUnreachable, refused)} {
		ko := lang("ko").why(e, false)
		if !strings.Contains(ko, "서버가 켜져 있는지") || strings.Contains(ko, "refused") || strings.Contains(ko, "client:") {
			t.Errorf("%q", ko)
		}
		for said, loud := range map[string]bool{lang("ko").why(e, true): true, lang("en").why(e, false): false} {
			if !strings.Contains(said, "connection refused") || strings.Contains(said, "서버가") != loud {
				t.Errorf("%q", said)
			}
		}
	}
	if said := lang("ko").why(errors.New("something else"), false); strings.Contains(said, "something") || said == "" {
		t.Errorf("%q", said)
	}
	if said := lang("ko").why(errors.New("something else"), true); said != "something else" {
		t.Errorf("%q", said)
	}
	for r := client.Reason(1); r < 200; r++ {
		if _, err := strconv.Atoi(r.String()); err == nil {
			continue // no reason
		}
		if reasons[r] == "" {
			t.Errorf("%s has no Korean sentence", r)
		}
	}
	for key, text := range texts {
		if text[0] == "" || text[1] == "" {
			t.Errorf("%s is empty in a language", key)
		}
	}
}
