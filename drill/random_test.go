package drill

import (
	"reflect"
	"testing"
	"time"
)

// The same seed draws the same rounds, another one others; and every round leaves two sites that can talk in the end.
func TestSchedule(t *testing.T) {
	const length = 6 * time.Second
	seen := map[string]bool{}
	overlaps := 0
	for seed := range uint64(200) {
		plan := schedule(seed, 3, Sites, length)
		if !reflect.DeepEqual(plan, schedule(seed, 3, Sites, length)) {
			t.Fatalf("seed %d draws two schedules", seed)
		}
		if seed > 0 && reflect.DeepEqual(plan, schedule(seed-1, 3, Sites, length)) {
			t.Errorf("seeds %d and %d draw the same", seed-1, seed)
		}
		for _, round := range plan {
			hit, wiped := map[string]bool{}, 0
			for _, m := range round {
				seen[m.kind] = true
				hit[m.site] = true
				if m.kind == "wipe" {
					wiped++
				}
				if m.at < 0 || m.at > length/2 || m.length < length/4 || m.length > 2*length {
					t.Errorf("seed %d: %v", seed, m)
				}
			}
			if len(round) < 1 || len(round) > 2 || len(hit) != len(round) || wiped > 1 {
				t.Errorf("seed %d: %v", seed, round)
			}
			if len(round) == 2 && round[1].at < round[0].at+round[0].length {
				overlaps++
			}
		}
	}
	if len(seen) != len(kinds) || overlaps == 0 {
		t.Errorf("200 seeds draw %v, %d times two at once", seen, overlaps)
	}
}

// Every word of a scenario and of what it does is known in both languages.
func TestScenarioWords(t *testing.T) {
	for _, k := range scenarios {
		for _, p := range k.parts() {
			if w := scenarioName(p.String()); w.Ko == p.String() {
				t.Errorf("%s has no name in Korean", p)
			}
		}
	}
}
