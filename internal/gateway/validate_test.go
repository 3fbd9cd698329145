package gateway

import (
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

// TestValidateHot goes through all combinations of interesting values: the checks by hand and those of the schema
// answer the same.
func TestValidateHot(t *testing.T) {
	same := func(m proto.Message) {
		t.Helper()
		hot, cold := validateHot(m), validate(m)
		if (hot == nil) != (cold == nil) || hot != nil && !reflect.DeepEqual(hot.info().String(), cold.info().String()) {
			t.Errorf("%v: by hand %+v, by schema %+v", m, hot, cold)
		}
	}
	ids26 := []string{"", "a", strings.Repeat("a", 26), strings.Repeat("a", 27), strings.Repeat("가", 26), strings.Repeat("가", 27)}
	ids16 := []string{"", "a", strings.Repeat("a", 16), strings.Repeat("a", 17), strings.Repeat("가", 16), strings.Repeat("가", 17)}
	const most = ^uint64(0)
	var names []*apiv1.CommandName
	names = append(names, nil)
	for _, n := range []uint64{0, 1, 7, 8, 9, most - 8, most - 7, most} {
		for _, base := range []uint64{0, 1, 2, 9, most - 15, most - 8, most - 7, most} {
			names = append(names, &apiv1.CommandName{N: n, Base: base, Tag: make([]byte, 8)})
		}
	}
	names = append(names, &apiv1.CommandName{N: 1, Base: 1}, &apiv1.CommandName{N: 1, Base: 1, Tag: make([]byte, 9)})
	for _, n := range names {
		same(&apiv1.SendRequest{Name: n, Room: ids26[2], Text: "x"})
	}
	for _, room := range ids26 {
		for _, peer := range ids16 {
			same(&apiv1.SendRequest{Name: named8(1, 1), Room: room, Peer: peer, Text: "x"})
		}
		same(&apiv1.MarkReadRequest{Room: room})
		for _, u := range ids16 {
			same(&livev1.Typing{Room: room, User: u})
		}
	}
	for _, text := range []string{"", "x", strings.Repeat("x", 40_000), strings.Repeat("x", 40_001), strings.Repeat("가", 13_334)} {
		same(&apiv1.SendRequest{Name: named8(1, 1), Room: ids26[2], Text: text})
	}
}

// FuzzValidateHot does the same with what a fuzzer finds.
func FuzzValidateHot(f *testing.F) {
	f.Add(uint64(1), uint64(1), []byte("12345678"), "aaaaaaaaaaaaaaaaaaaaaaaaaa", "", "text")
	f.Add(^uint64(0), ^uint64(0)-7, []byte{}, "", "aaaaaaaaaaaaaaaa", "")
	f.Fuzz(func(t *testing.T, n, base uint64, tag []byte, room, peer, text string) {
		for _, m := range []proto.Message{
			&apiv1.SendRequest{Name: &apiv1.CommandName{N: n, Base: base, Tag: tag}, Room: room, Peer: peer, Text: text},
			&apiv1.MarkReadRequest{Room: room}, &livev1.Typing{Room: room, User: peer},
		} {
			if (validateHot(m) == nil) != (validate(m) == nil) {
				t.Fatalf("%v", m)
			}
		}
	})
}
