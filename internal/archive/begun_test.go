package archive

import (
	"slices"
	"testing"
)

// TestBegin: who began an epoch is written once, with where the epoch before ended in the archive then.
func TestBegin(t *testing.T) {
	onBoth(t, func(t *testing.T, tg Target) {
		begin := func(epoch uint32, cluster string) {
			t.Helper()
			if err := Begin(t.Context(), tg, epoch, cluster); err != nil {
				t.Fatal(err)
			}
		}
		ends := func(epoch uint32, want uint64) {
			t.Helper()
			if n, err := End(t.Context(), tg, epoch); n != want || err != nil {
				t.Errorf("epoch %d ends at %d, %v; want %d", epoch, n, err, want)
			}
		}
		begin(10, "ours")
		put(t, tg, 10, position(0, 0), 1, 20, 100)
		put(t, tg, 10, position(0, 0), 21, 30, 100)
		ends(10, 30)
		begin(20, "ours")
		begin(20, "another's") // too late
		put(t, tg, 20, position(10, 25), 1, 5, 200)
		mark(t, tg, 20, 7, 300) // bridges what the log had lost
		ends(20, 7)
		begin(30, "another's")
		put(t, tg, 30, position(20, 7), 1, 5, 300)
		begin(40, "ours")
		ends(50, 0)
		for after, want := range map[uint32][]Begun{
			0:  {{10, "ours", 0, 0}, {20, "ours", 10, 30}, {30, "another's", 0, 0}, {40, "ours", 20, 7}},
			20: {{30, "another's", 0, 0}, {40, "ours", 20, 7}},
			40: nil,
		} {
			if got, err := BegunAfter(t.Context(), tg, after); err != nil || !slices.Equal(got, want) {
				t.Errorf("after %d: %v, %v; want %v", after, got, err, want)
			}
		}
	})
}
