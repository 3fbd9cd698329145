package drill

import (
	"os"
	"strings"
	"testing"
)

// Every scenario that can be recorded has words in both languages of the operators' page.
func TestScenariosHaveWords(t *testing.T) {
	b, err := os.ReadFile("../web/src/ops/words.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range scenarios {
		for _, p := range k.parts() {
			named := 0
			for _, name := range []string{k.name, p.String()} {
				for _, key := range []string{"scenario_" + name, "'scenario_" + name + "'"} {
					named = max(named, strings.Count(string(b), "\n  "+key+": '"))
				}
			}
			if named != 2 {
				t.Errorf("%s is in %d of 2 languages", p, named)
			}
		}
	}
}
