package gateway

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	apiv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/api/v1"
	livev1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/live/v1"
)

func TestEncodedHeader(t *testing.T) {
	for _, n := range []int{0, 1, 50, 90, 125, 126, 127, 200, 0xffff - 20, 0xffff, 0x10000, 0x10020} {
		f := &livev1.Frame{Id: 3, Body: &livev1.Frame_Ack{Ack: &livev1.Ack{Message: string(bytes.Repeat([]byte("x"), n))}}}
		for _, json := range []bool{false, true} {
			e := encode(json, f)
			if cap(e) != len(e) && !json {
				t.Errorf("%d: more than one allocation", n)
			}
			size := 0
			switch e[1] {
			case 126:
				size = int(e[2])<<8 | int(e[3])
			case 127:
				for _, b := range e[2:10] {
					size = size<<8 | int(b)
				}
			default:
				size = int(e[1])
			}
			if size != len(e.Payload()) {
				t.Errorf("%d: header says %d, payload is %d", n, size, len(e.Payload()))
			}
			g, err := DecodeFrame(json, e.Payload())
			if err != nil || !proto.Equal(f, g) {
				t.Errorf("%d, json %v: %v", n, json, err)
			}
		}
	}
}

// frames is one of each kind that a client sends, and some that it does not.
func seedFrames() []*livev1.Frame {
	room, user := "ae5c5r2pzoux7fn5isxslmvd4e", "aaa2pb2omczzhrsb"
	name := named8(1, 1)
	return []*livev1.Frame{
		{}, {Id: 1},
		{Id: 1, Body: &livev1.Frame_Hello{Hello: &livev1.Hello{Token: "x", Device: room, Seen: &apiv1.Position{Epoch: 1, N: 2}}}},
		{Id: 2, Body: &livev1.Frame_Send{Send: &apiv1.SendRequest{Name: name, Room: room, Peer: user, Text: "안녕", ReplyTo: 3, ReadSeq: 4}}},
		{Id: 3, Body: &livev1.Frame_Send{}},
		{Id: 4, Body: &livev1.Frame_Edit{Edit: &apiv1.EditRequest{Name: name, Room: room, Seq: 1, Text: "x"}}},
		{Id: 5, Body: &livev1.Frame_Delete{Delete: &apiv1.DeleteRequest{Name: name, Room: room, Seq: 1}}},
		{Id: 6, Body: &livev1.Frame_React{React: &apiv1.ReactRequest{Name: name, Room: room, Seq: 1, Reaction: 2}}},
		{Id: 7, Body: &livev1.Frame_MarkRead{MarkRead: &apiv1.MarkReadRequest{Room: room, Seq: 9}}},
		{Id: 8, Body: &livev1.Frame_Invite{Invite: &apiv1.InviteRequest{Name: name, Room: room, Members: []string{user}}}},
		{Id: 9, Body: &livev1.Frame_Leave{Leave: &apiv1.LeaveRequest{Name: name, Room: room}}},
		{Id: 10, Body: &livev1.Frame_Rename{Rename: &apiv1.RenameRequest{Name: name, Room: room, Title: "t"}}},
		{Id: 11, Body: &livev1.Frame_Mute{Mute: &apiv1.MuteRequest{Name: name, Room: room, On: true}}},
		{Id: 12, Body: &livev1.Frame_Pin{Pin: &apiv1.PinRequest{Name: name, Room: room, On: true}}},
		{Id: 13, Body: &livev1.Frame_Block{Block: &apiv1.BlockRequest{Name: name, User: user}}},
		{Id: 14, Body: &livev1.Frame_Unblock{Unblock: &apiv1.UnblockRequest{Name: name, User: user}}},
		{Id: 15, Body: &livev1.Frame_Skip{Skip: &apiv1.SkipRequest{Name: name, Room: room, Device: room}}},
		{Id: 16, Body: &livev1.Frame_CreateRoom{CreateRoom: &apiv1.CreateRoomRequest{Random: make([]byte, 16), Members: []string{user}}}},
		{Id: 17, Body: &livev1.Frame_Typing{Typing: &livev1.Typing{Room: room}}},
		{Id: 18, Body: &livev1.Frame_View{View: &livev1.View{Rooms: []string{room, "?"}}}},
		{Id: 19, Body: &livev1.Frame_Ping{Ping: &livev1.Ping{}}},
		{Id: 20, Body: &livev1.Frame_Welcome{Welcome: &livev1.Welcome{}}},
		{Id: 21, Body: &livev1.Frame_Ping{}}, {Id: 22, Body: &livev1.Frame_View{}}, {Id: 23, Body: &livev1.Frame_Typing{}},
		{Id: 24, Body: &livev1.Frame_Skip{}}, {Id: 25, Body: &livev1.Frame_Hello{}}, {Id: 26, Body: &livev1.Frame_CreateRoom{}},
	}
}

// FuzzFrame throws bytes at an open session: what decodes gets an answer with a reason, nothing panics, and the session
// still works afterwards.
func FuzzFrame(f *testing.F) {
	for _, fr := range seedFrames() {
		b, err := proto.Marshal(fr)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(false, b)
		j, err := protojson.Marshal(fr)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(true, j)
	}
	f.Add(false, []byte{0xff})
	f.Add(true, []byte(`{"id":"1","send":{"text":"\ud800"}}`))
	f.Fuzz(func(t *testing.T, json bool, b []byte) {
		fr, err := DecodeFrame(json, b)
		if err != nil {
			return
		}
		r := newRig(t, nil)
		a, other := r.person("alice"), r.person("bobby")
		l := a.connect(json)
		l.Frame(fr) // before the Hello
		if l.closed != 0 {
			t.Fatal("a frame that decodes ended the connection")
		}
		l.take()
		l.Frame(a.hello(nil))
		l.take()
		l.Frame(fr)
		for _, ack := range acks(l.take()) {
			if ack.Error != nil && (ack.Error.Reason == 0 || ack.Error.Reason == apiv1.Reason_REASON_INTERNAL) {
				t.Fatalf("%v: %v", fr, ack)
			}
		}
		l.Frame(a.hello(nil))
		l.take()
		if a := l.probe(other); a == nil {
			t.Fatal("the session does not work any more")
		}
	})
}

// probe blocks somebody and returns the answer, whatever it is: the name may be taken by what came before.
func (l *line) probe(other *someone) *livev1.Ack {
	l.Frame(&livev1.Frame{Id: 1000, Body: &livev1.Frame_Block{Block: &apiv1.BlockRequest{Name: named8(1, 1), User: other.user.String()}}})
	if x := acks(l.take()); len(x) > 0 {
		return x[len(x)-1]
	}
	return nil
}
