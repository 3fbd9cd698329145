package golden

import (
	"testing"

	"google.golang.org/protobuf/proto"

	logv1 "github.com/bonghwa/bonghwa/internal/gen/bonghwa/log/v1"
	"github.com/bonghwa/bonghwa/internal/ids"
	"github.com/bonghwa/bonghwa/internal/kernel"
)

const (
	second = 1000
	hour   = 3600 * second
	day    = 24 * hour
)

// play writes the session: every operation of both domains at least once, refusals, and the rules of names.
func play(t *testing.T) *session {
	s := newSession(t)
	s.begin(1_500_000)
	w := &cast{s: s, a: newPerson("가람"), b: newPerson("beom"), c: newPerson("chorong"), d: newPerson("dasom"), e: newPerson("eun")}
	w.group = ids.NewGroup(w.a.id, random("group", 16))
	w.direct = ids.Direct(w.a.id, w.b.id)
	w.accounts()
	w.friends()
	w.talk()
	w.names()
	w.pictures()
	w.operators()
	w.groups()
	w.blocks()
	w.passwords()
	w.farewell()
	w.restored()
	s.r.contents()
	return s
}

// cast is who takes part.
type cast struct {
	s             *session
	a, b, c, d, e *person
	group, direct ids.Room
}

func (w *cast) signUp(p *person, handle, name, tok string, want kernel.Code) step {
	return w.s.people(want, &logv1.PeopleCommand{User: p.id[:], Op: &logv1.PeopleCommand_SignUp{SignUp: &logv1.SignUp{
		Handle: handle, DisplayName: name, Phc: phc("password of " + p.name), TokenHash: token(tok), Device: p.device[:], DeviceLabel: "기기"}}})
}

func (w *cast) logIn(p *person, tok string, version uint64, oneTime bool, want kernel.Code) step {
	return w.s.people(want, &logv1.PeopleCommand{User: p.id[:], Op: &logv1.PeopleCommand_LogIn{LogIn: &logv1.LogIn{
		TokenHash: token(tok), Device: p.device[:], DeviceLabel: "다른 기기", CredentialVersion: version, OneTime: oneTime}}})
}

// account is a named command of a logged-in account.
func (w *cast) account(want kernel.Code, p *person, m *logv1.PeopleCommand) step {
	m.Name, m.User = p.named(p.id[:]), p.id[:]
	return w.s.people(want, m)
}

// in is a named command in a room.
func (w *cast) in(want kernel.Code, seq uint64, p *person, room ids.Room, m *logv1.ChatCommand) step {
	m.Name, m.User, m.Room = p.named(room[:]), p.id[:], room[:]
	return w.s.chat(want, seq, m)
}

func text(text string) *logv1.ChatCommand {
	return &logv1.ChatCommand{Op: &logv1.ChatCommand_Send{Send: &logv1.Send{Text: text}}}
}

func to(p *person, text string) *logv1.ChatCommand {
	return &logv1.ChatCommand{Op: &logv1.ChatCommand_Send{Send: &logv1.Send{Peer: p.id[:], Text: text}}}
}

func (w *cast) accounts() {
	s := w.s
	s.entry(second,
		w.signUp(w.a, "garam", "가람", "a1", kernel.OK),
		w.signUp(w.b, "beom.1", "범", "b1", kernel.OK))
	s.entry(40, // a beat with nothing in it follows
		w.signUp(w.c, "garam", "초롱", "c1", kernel.HandleTaken),
		w.signUp(w.a, "other", "가람", "a1", kernel.OK),
		w.signUp(w.a, "garam", "가람", "stolen", kernel.IDReused))
	s.entry(500)
	s.entry(-300, // a clock that goes back
		w.signUp(w.c, "chorong", "초롱", "c1", kernel.OK),
		w.logIn(w.b, "b2", 1, false, kernel.OK),
		w.logIn(w.b, "b2", 1, false, kernel.OK),
		w.logIn(w.b, "b3", 9, false, kernel.CredentialChanged),
		w.logIn(w.a, "b2", 1, false, kernel.IDReused))
	s.entry(second,
		s.people(kernel.OK, &logv1.PeopleCommand{User: w.a.id[:], Op: &logv1.PeopleCommand_AdmitDevice{AdmitDevice: &logv1.AdmitDevice{
			TokenHash: token("a2"), Device: random("tablet", 16), DeviceLabel: "태블릿", By: token("a1")}}}),
		s.people(kernel.OK, &logv1.PeopleCommand{User: w.a.id[:], Op: &logv1.PeopleCommand_Touch{Touch: &logv1.Touch{Device: w.a.device[:], Day: 20782}}}),
		w.account(kernel.OK, w.a, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_LabelDevice{LabelDevice: &logv1.LabelDevice{Device: random("tablet", 16), Label: "거실"}}}),
		w.account(kernel.UnknownDevice, w.a, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_LabelDevice{LabelDevice: &logv1.LabelDevice{Device: random("nobody's", 16), Label: "없음"}}}),
		w.account(kernel.OK, w.a, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_SetProfile{SetProfile: &logv1.SetProfile{
			DisplayName: proto.String("가람이"), StatusMessage: proto.String("점심 먹는 중"), ProfileText: proto.String("안녕하세요.")}}}))
	s.entry(second,
		w.account(kernel.OK, w.a, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_CreateInvitation{CreateInvitation: &logv1.CreateInvitation{
			SecretHash: random("invitation", 32), UntilMs: s.time + 7*day, Uses: 1}}}))
	invited := &logv1.SignUp{Handle: "dasom", DisplayName: "다솜", Phc: phc("password of dasom"), TokenHash: token("d1"), Device: w.d.device[:], Invitation: random("invitation", 32)}
	late := proto.Clone(invited).(*logv1.SignUp)
	late.Handle, late.TokenHash, late.Device = "eun.99", token("e1"), w.e.device[:]
	s.entry(second,
		s.people(kernel.OK, &logv1.PeopleCommand{User: w.d.id[:], Op: &logv1.PeopleCommand_SignUp{SignUp: invited}}),
		s.people(kernel.BadInvitation, &logv1.PeopleCommand{User: w.e.id[:], Op: &logv1.PeopleCommand_SignUp{SignUp: late}}),
		w.account(kernel.OK, w.a, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RevokeInvitation{RevokeInvitation: &logv1.RevokeInvitation{SecretHash: random("invitation", 32)}}}),
		w.signUp(w.e, "eun.99", "은", "e1", kernel.OK))
}

func (w *cast) friends() {
	add := func(want kernel.Code, p *person, other []byte) step {
		return w.account(want, p, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_AddFriend{AddFriend: &logv1.AddFriend{Other: other}}})
	}
	w.s.entry(second,
		add(kernel.OK, w.a, w.b.id[:]), add(kernel.OK, w.a, w.b.id[:]), add(kernel.OK, w.a, w.c.id[:]), add(kernel.OK, w.b, w.a.id[:]),
		add(kernel.UnknownUser, w.a, random("nobody", 10)),
		w.account(kernel.OK, w.a, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RemoveFriend{RemoveFriend: &logv1.RemoveFriend{Other: w.c.id[:]}}}))
}

// pictures are what version 0.2.0 added: photos, and what a program of the operator may do.
func (w *cast) pictures() {
	photo := func(want kernel.Code, p *person, size int) step {
		return w.account(want, p, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_SetPhoto{SetPhoto: &logv1.SetPhoto{Jpeg: random("photo", size)}}})
	}
	simulated := func(want kernel.Code, user []byte) step {
		return w.s.people(want, &logv1.PeopleCommand{User: user, Op: &logv1.PeopleCommand_MarkSimulated{MarkSimulated: &logv1.MarkSimulated{}}})
	}
	befriend := func(want kernel.Code, p *person, others ...[]byte) step {
		return w.s.people(want, &logv1.PeopleCommand{User: p.id[:], Op: &logv1.PeopleCommand_Befriend{Befriend: &logv1.Befriend{Others: others}}})
	}
	w.s.entry(second,
		photo(kernel.OK, w.b, 30), photo(kernel.OK, w.b, 31), photo(kernel.OK, w.b, 31), photo(kernel.OK, w.e, 32),
		photo(kernel.OK, w.c, 32), photo(kernel.OK, w.c, 0),
		simulated(kernel.OK, w.d.id[:]), simulated(kernel.OK, w.d.id[:]), simulated(kernel.UnknownUser, random("nobody", 10)),
		befriend(kernel.OK, w.d, w.a.id[:], w.b.id[:]), befriend(kernel.OK, w.d, w.a.id[:]), befriend(kernel.Invalid, w.d, w.d.id[:]),
		befriend(kernel.UnknownUser, w.d, w.c.id[:], random("nobody", 10)))
}

// operators are what behaviour 3 added: a role, acts, and drills.
func (w *cast) operators() {
	ops := func(want kernel.Code, c *logv1.PeopleCommand) step { return w.s.people(want, c) }
	grant := func(want kernel.Code, whom []byte) step {
		return ops(want, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_GrantRole{GrantRole: &logv1.GrantRole{Whom: whom, Role: "operator", Site: "seoul"}}})
	}
	revoke := func(want kernel.Code, whom []byte) step {
		return ops(want, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RevokeRole{RevokeRole: &logv1.RevokeRole{Whom: whom, Role: "operator", Site: "busan"}}})
	}
	act := func(want kernel.Code, who []byte) step {
		return ops(want, &logv1.PeopleCommand{User: who, Op: &logv1.PeopleCommand_RecordAct{RecordAct: &logv1.RecordAct{Site: "busan", What: "drill_started", On: "seoul"}}})
	}
	drill := func(lost uint64) step {
		return ops(kernel.OK, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RecordDrill{RecordDrill: &logv1.RecordDrill{Scenario: "power-loss", Site: "seoul",
			StartedMs: w.s.time + lost, EndedMs: w.s.time + 60_000, People: 12, Acked: 3000, Lost: lost, Tried: 500, SendGapMs: 400, DeliveryGapMs: 450, MovedSendGapMs: 800,
			MovedDeliveryGapMs: 850, Moved: 4, Held: lost == 0, HeldInTime: lost == 0, Source: "demo"}}})
	}
	w.s.entry(second,
		act(kernel.NotOperator, w.b.id[:]), grant(kernel.OK, w.b.id[:]), grant(kernel.OK, w.b.id[:]), grant(kernel.UnknownUser, random("nobody", 10)),
		act(kernel.OK, w.b.id[:]), act(kernel.OK, nil), grant(kernel.OK, w.e.id[:]), revoke(kernel.OK, w.b.id[:]), revoke(kernel.OK, w.b.id[:]),
		act(kernel.NotOperator, w.b.id[:]), drill(0), drill(0), drill(2))
}

func (w *cast) talk() {
	s := w.s
	s.entry(second,
		w.in(kernel.OK, 1, w.a, w.direct, to(w.b, "안녕?")),
		w.in(kernel.OK, 2, w.b, w.direct, to(w.a, "응, 안녕!")))
	reply := to(w.b, "점심 뭐 먹을까?")
	reply.GetSend().ReplyTo, reply.GetSend().Read = 2, 2
	s.entry(second,
		w.in(kernel.OK, 3, w.a, w.direct, reply),
		s.chat(kernel.OK, 0, &logv1.ChatCommand{User: w.b.id[:], Room: w.direct[:], Op: &logv1.ChatCommand_Read{Read: &logv1.Read{Seq: 3}}}),
		s.wrap(kernel.DomainChat, kernel.FlagEphemeral, &logv1.ChatCommand{User: w.b.id[:], Room: w.direct[:], Op: &logv1.ChatCommand_Typing{Typing: &logv1.Typing{}}}, kernel.Verdict{}))
	s.entry(second,
		w.in(kernel.OK, 4, w.a, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_Edit{Edit: &logv1.Edit{Seq: 3, Text: "저녁 뭐 먹을까?"}}}),
		w.in(kernel.OK, 5, w.b, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_React{React: &logv1.React{Seq: 3, Reaction: 1}}}),
		w.in(kernel.OK, 6, w.b, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_React{React: &logv1.React{Seq: 3, Reaction: 4}}}),
		w.in(kernel.NotAuthor, 0, w.b, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_Edit{Edit: &logv1.Edit{Seq: 1, Text: "내가 썼어"}}}),
		w.in(kernel.OK, 7, w.b, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_Delete{Delete: &logv1.Delete{Seq: 2}}}),
		w.in(kernel.Deleted, 0, w.b, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_Edit{Edit: &logv1.Edit{Seq: 2, Text: "되살리기"}}}),
		w.in(kernel.UnknownMessage, 0, w.b, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_Delete{Delete: &logv1.Delete{Seq: 99}}}),
		w.in(kernel.OK, 1, w.a, ids.Direct(w.a.id, w.a.id), to(w.a, "나에게")))
	s.entry(25*hour,
		w.in(kernel.TooLate, 0, w.a, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_Edit{Edit: &logv1.Edit{Seq: 3, Text: "하루 뒤"}}}))
}

// names plays what retries, gaps, second tabs and given-up items do.
func (w *cast) names() {
	s, room := w.s, ids.Direct(w.c.id, w.d.id)
	send := func(want kernel.Code, seq, n, base uint64, text string) step {
		m := to(w.d, text)
		m.Name, m.User, m.Room = w.c.name3(room[:], n, base), w.c.id[:], room[:]
		return s.chat(want, seq, m)
	}
	skip := func(want kernel.Code, seq, n, base uint64) step {
		return s.chat(want, seq, &logv1.ChatCommand{User: w.c.id[:], Room: room[:], Name: w.c.name3(room[:], n, base), Op: &logv1.ChatCommand_Skip{Skip: &logv1.Skip{}}})
	}
	s.entry(second,
		send(kernel.OK, 1, 1, 1, "하나"),
		send(kernel.OK, 1, 1, 1, "하나"),
		send(kernel.Expected, 0, 3, 1, "셋"),
		skip(kernel.OK, 1, 1, 1),      // it was in after all
		skip(kernel.Skipped, 0, 2, 1), // and this one was not
		send(kernel.Skipped, 0, 2, 1, "늦은 둘"),
		send(kernel.OK, 2, 3, 3, "셋"))
	other := to(w.d, "다른 탭")
	other.Name, other.User, other.Room = w.c.name3(room[:], 3, 3), w.c.id[:], room[:]
	other.Name.Tag = random("another tag", 8)
	s.entry(second,
		s.chat(kernel.IDReused, 0, other),
		send(kernel.OK, 3, 20, 20, "한참 뒤"), // base closes the gap
		send(kernel.AlreadyIn, 0, 5, 5, "늦은 다섯"))
	// The ring forgets the oldest of more than sixteen.
	for n := uint64(21); n < 38; n++ {
		s.entry(10, send(kernel.OK, n-17, n, n, "수다"))
	}
	s.entry(second, send(kernel.AlreadyIn, 0, 20, 20, "한참 뒤"), send(kernel.OK, 5, 22, 22, "수다"))
	seen := func(after uint64) step {
		return s.wrap(kernel.DomainKernel, 0, &logv1.KernelCommand{Op: &logv1.KernelCommand_Seen{Seen: &logv1.Seen{TimeMs: s.time + after}}}, kernel.Verdict{})
	}
	s.entry(second, send(kernel.Late, 0, 38, 38, "끊겼다가"), send(kernel.Late, 0, 22, 22, "수다"), seen(0)) // they came too late
	s.entry(second, send(kernel.OK, 21, 38, 38, "끊겼다가"), seen(1))
	w.c.n[string(room[:])] = 38
	s.entry(second, w.account(kernel.Skipped, w.c, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_Skip{Skip: &logv1.Skip{}}}))
}

func (w *cast) groups() {
	s := w.s
	create := &logv1.ChatCommand{User: w.a.id[:], Room: w.group[:], Op: &logv1.ChatCommand_CreateRoom{CreateRoom: &logv1.CreateRoom{
		Title: "점심 모임", Members: [][]byte{w.b.id[:], w.c.id[:]}}}}
	s.entry(second, s.chat(kernel.OK, 1, create), s.chat(kernel.OK, 1, create))
	s.entry(second,
		w.in(kernel.OK, 2, w.b, w.group, text("어디서 볼까?")),
		w.in(kernel.NotMember, 0, w.e, w.group, text("저도요")),
		w.in(kernel.OK, 3, w.a, w.group, &logv1.ChatCommand{Op: &logv1.ChatCommand_Invite{Invite: &logv1.Invite{Members: [][]byte{w.d.id[:], w.e.id[:]}}}}),
		w.in(kernel.OK, 4, w.e, w.group, text("고마워요")),
		w.in(kernel.OK, 5, w.b, w.group, &logv1.ChatCommand{Op: &logv1.ChatCommand_Rename{Rename: &logv1.Rename{Title: "저녁 모임"}}}),
		w.in(kernel.OK, 0, w.c, w.group, &logv1.ChatCommand{Op: &logv1.ChatCommand_Mute{Mute: &logv1.Mute{On: true}}}),
		w.in(kernel.OK, 0, w.c, w.group, &logv1.ChatCommand{Op: &logv1.ChatCommand_Pin{Pin: &logv1.Pin{On: true}}}),
		w.in(kernel.OK, 0, w.c, w.group, &logv1.ChatCommand{Op: &logv1.ChatCommand_Mute{Mute: &logv1.Mute{}}}))
	s.entry(second,
		w.in(kernel.OK, 6, w.d, w.group, &logv1.ChatCommand{Op: &logv1.ChatCommand_Leave{Leave: &logv1.Leave{}}}),
		w.in(kernel.NotMember, 0, w.d, w.group, text("아직 있나?")),
		w.in(kernel.OK, 7, w.c, w.group, text("다솜은 나갔어요")),
		w.in(kernel.OK, 8, w.a, w.group, &logv1.ChatCommand{Op: &logv1.ChatCommand_Invite{Invite: &logv1.Invite{Members: [][]byte{w.d.id[:]}}}}),
		w.in(kernel.OK, 9, w.d, w.group, text("돌아왔어요")),
		w.in(kernel.WrongRoomKind, 0, w.a, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_Rename{Rename: &logv1.Rename{Title: "둘만"}}}),
		w.in(kernel.UnknownRoom, 0, w.a, ids.NewGroup(w.b.id, random("no group", 16)), text("아무도 없나요?")))
}

func (w *cast) blocks() {
	s := w.s
	block := func(p, other *person, on bool) step {
		m := &logv1.ChatCommand{Name: p.named(p.id[:]), User: p.id[:], Op: &logv1.ChatCommand_Block{Block: &logv1.Block{Other: other.id[:]}}}
		if !on {
			m.Op = &logv1.ChatCommand_Unblock{Unblock: &logv1.Unblock{Other: other.id[:]}}
		}
		return s.chat(kernel.OK, 0, m)
	}
	s.entry(second,
		block(w.b, w.a, true),
		w.in(kernel.CannotReceive, 0, w.a, w.direct, to(w.b, "자니?")),
		w.in(kernel.OK, 10, w.a, w.group, text("모임에서는 보여요")),
		s.chat(kernel.OK, 0, &logv1.ChatCommand{User: w.b.id[:], Room: w.direct[:], Op: &logv1.ChatCommand_Read{Read: &logv1.Read{Seq: 6}}}))
	s.entry(second,
		w.in(kernel.OK, 0, w.b, w.direct, &logv1.ChatCommand{Op: &logv1.ChatCommand_Leave{Leave: &logv1.Leave{}}}))
	s.entry(second,
		block(w.b, w.a, false),
		w.in(kernel.OK, 8, w.a, w.direct, to(w.b, "다시 안녕")))
}

func (w *cast) passwords() {
	s := w.s
	change := func(want kernel.Code, p *person, version uint64, keep, what string) step {
		return w.account(want, p, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_ChangePassword{ChangePassword: &logv1.ChangePassword{
			Phc: phc(what), CredentialVersion: version, Keep: token(keep)}}})
	}
	s.entry(second,
		change(kernel.OK, w.b, 1, "b1", "second password of b"),
		w.logIn(w.b, "b2", 2, false, kernel.SessionRevoked),
		change(kernel.CredentialChanged, w.b, 1, "b1", "late password of b"),
		s.people(kernel.OK, &logv1.PeopleCommand{User: w.b.id[:], Op: &logv1.PeopleCommand_ResetPassword{ResetPassword: &logv1.ResetPassword{
			OneTimePhc: phc("code of b"), UntilMs: s.time + day}}}))
	s.entry(second,
		w.logIn(w.b, "b4", 3, true, kernel.OK),
		w.logIn(w.b, "b5", 3, true, kernel.BadOneTimeCode),
		change(kernel.OK, w.b, 3, "b4", "third password of b"),
		s.people(kernel.OK, &logv1.PeopleCommand{User: w.a.id[:], Op: &logv1.PeopleCommand_RenewDevice{RenewDevice: &logv1.RenewDevice{
			TokenHash: token("a2"), Device: random("renewed", 16)}}}),
		w.account(kernel.OK, w.a, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_RevokeSessions{RevokeSessions: &logv1.RevokeSessions{AllBut: token("a1")}}}),
		s.wrap(kernel.DomainKernel, 0, &logv1.KernelCommand{Op: &logv1.KernelCommand_Checkpoint{Checkpoint: &logv1.Checkpoint{Label: "backup"}}}, kernel.Verdict{}))
}

func (w *cast) farewell() {
	s := w.s
	s.entry(second,
		w.account(kernel.CredentialChanged, w.e, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_DeleteAccount{DeleteAccount: &logv1.DeleteAccount{CredentialVersion: 4}}}),
		w.account(kernel.OK, w.e, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_DeleteAccount{DeleteAccount: &logv1.DeleteAccount{CredentialVersion: 1}}}),
		s.chat(kernel.OK, 0, &logv1.ChatCommand{User: w.e.id[:], Op: &logv1.ChatCommand_CloseUser{CloseUser: &logv1.CloseUser{}}}),
		w.in(kernel.CannotReceive, 0, w.a, ids.Direct(w.a.id, w.e.id), to(w.e, "잘 가요")),
		w.in(kernel.NotMember, 0, w.e, w.group, text("저는 이제 없어요")),
		w.signUp(newPerson("another eun"), "eun.99", "은", "f1", kernel.HandleTaken))
}

// restored goes on in a new epoch, without the sessions of before.
func (w *cast) restored() {
	s := w.s
	s.time += hour
	s.restore(s.epoch + 60)
	s.entry(second, s.people(kernel.OK, &logv1.PeopleCommand{Op: &logv1.PeopleCommand_EndAllSessions{EndAllSessions: &logv1.EndAllSessions{}}}))
	s.entry(second,
		w.logIn(w.a, "a1", 1, false, kernel.SessionRevoked),
		w.logIn(w.a, "a9", 1, false, kernel.OK),
		w.in(kernel.OK, 12, w.a, w.group, text("다시 켜졌어요")))
}
