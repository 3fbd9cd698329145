package server

import (
	"os"
	"strings"
	"testing"
)

// Whatever a node may say has a sentence, and words in both languages of the operators' page.
func TestMattersHaveWords(t *testing.T) {
	b, err := os.ReadFile("../../web/src/ops/words.ts")
	if err != nil {
		t.Fatal(err)
	}
	for kind, say := range sentences {
		if n := strings.Count(string(b), "\n  matter_"+kind+": '"); n != 2 {
			t.Errorf("%s is in %d of 2 languages of the operators' page", kind, n)
		}
		m := Matter{Kind: kind, On: "seoul", N: 77, Detail: "it is so"}
		if s := say(m); m.String() != s || s == "" || strings.Contains(s, "%!") {
			t.Errorf("%s: %q", kind, s)
		}
	}
	if s := (Matter{Kind: "young", Detail: "why"}).String(); s != "young: why" {
		t.Error(s)
	}
}

// A status says the same in words and as matters.
func TestStatusMatters(t *testing.T) {
	ready := SiteStatus{Site: "a", State: SiteReady, Votes: true, CertificateDays: 365}
	ill := SiteStatus{Site: "b", State: SiteNotReady, Because: "it is cut off", Votes: true, ClockOffMs: -2000, DiskLow: true, CertificateDays: 9}
	s := Status{Sites: []SiteStatus{ready, ill, ready}}
	s.say()
	var kinds []string
	for i, m := range s.Matters {
		kinds = append(kinds, m.Kind)
		if m.On != "b" || s.Words[i+1] != m.String() {
			t.Errorf("%+v, %q", m, s.Words)
		}
	}
	if got := strings.Join(kinds, " "); got != "not_ready disk_low clock_off certificate" || len(s.Words) != len(kinds)+1 {
		t.Errorf("%s; %q", got, s.Words)
	}
	if !strings.Contains(strings.Join(s.Words, "\n"), "b serves nobody: it is cut off") {
		t.Errorf("%q", s.Words)
	}
}
