package term

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bonghwa/bonghwa/client"
)

// lang is an interface language: ko or en.
type lang string

// langOf takes --lang, or what the system says.
func langOf(flag string) lang {
	if flag == "ko" || flag == "en" {
		return lang(flag)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(strings.ToLower(v), "ko") {
				return "ko"
			}
			return "en"
		}
	}
	return "en"
}

// texts of the interface: Korean in 해요체, English.
var texts = map[string][2]string{
	"welcome":          {"봉화예요. /도움 을 입력하면 쓸 수 있는 명령을 볼 수 있어요.", "This is Bonghwa. Type /help to see what you can do."},
	"signup.or":        {"처음이면 1(가입), 아이디가 있으면 2(로그인)를 입력해 주세요: ", "New here: 1 (sign up). Have a handle already: 2 (log in): "},
	"login.first":      {"다시 로그인해 주세요.", "Please log in again."},
	"handle":           {"아이디 (4-20자, 영문 소문자·숫자·._): ", "Handle (4-20 of a-z 0-9 . _): "},
	"name":             {"이름: ", "Name: "},
	"password":         {"비밀번호 (8자 이상): ", "Password (8 or more): "},
	"password.in":      {"비밀번호: ", "Password: "},
	"password.two":     {"비밀번호 확인: ", "Password again: "},
	"password.new":     {"새 비밀번호 (8자 이상): ", "New password (8 or more): "},
	"password.diff":    {"두 비밀번호가 달라요.", "The two passwords differ."},
	"password.must":    {"일회용 코드로 들어왔어요. 새 비밀번호를 정해 주세요.", "You came in with a one-time code. Please choose a new password."},
	"password.code":    {"받은 일회용 코드: ", "The one-time code: "},
	"password.badcode": {"일회용 코드가 달라요", "the one-time code is not right"},
	"password.done":    {"비밀번호를 바꿨어요. 다른 기기는 모두 로그아웃됐어요.", "The password is changed. All other devices are logged out."},
	"invitation":       {"초대장: ", "Invitation: "},
	"hello":            {"%s님, 반가워요. (아이디 %s)", "Hello, %s. (handle %s)"},
	"connected":        {"연결됐어요.", "Connected."},
	"reconnecting":     {"연결이 끊겼어요. 다시 연결하고 있어요. 쓴 글은 보관했다가 보내요.", "The connection broke. Reconnecting; what you write is kept and sent."},
	"ended":            {"세션이 끝났어요: %s", "The session is over: %s"},
	"rolledback":       {"서버가 백업에서 복원됐어요. 방을 다시 열어 주세요.", "The server was restored from a backup. Please open the room again."},
	"norooms":          {"아직 대화가 없어요. /열기 @아이디 로 시작해 보세요.", "No chats yet. Start one with /open @handle."},
	"nofriends":        {"아직 친구가 없어요. /추가 아이디 로 추가해 보세요.", "No friends yet. Add one with /add handle."},
	"addedme":          {"나를 추가한 사람:", "People who added you:"},
	"nobody":           {"그런 아이디가 없어요: %s", "Nobody has this handle: %s"},
	"noroom":           {"그런 방이 없어요: %s", "There is no such room: %s"},
	"notopen":          {"먼저 방을 열어 주세요. /열기 번호 또는 /열기 @아이디", "Open a room first: /open number, or /open @handle"},
	"unknown":          {"모르는 명령이에요: %s  (/도움)", "Unknown command: %s  (/help)"},
	"added":            {"%s 친구로 추가했어요.", "%s is on your list of friends now."},
	"opened":           {"── %s ──", "── %s ──"},
	"more":             {"(이전 대화는 /이전)", "(older messages: /more)"},
	"nomore":           {"처음까지 봤어요.", "This is the beginning."},
	"self":             {"나와의 채팅", "Note to self"},
	"unnamed":          {"이름 없는 그룹", "Unnamed group"},
	"closed":           {"(알 수 없음)", "(unknown)"},
	"me":               {"나", "me"},
	"deleted":          {"삭제된 메시지예요.", "This message was deleted."},
	"edited":           {" (수정됨)", " (edited)"},
	"sending":          {"  … 보내는 중이에요: %s", "  … sending: %s"},
	"refused":          {"  ✕ 보내지 못했어요: %s — %s", "  ✕ not sent: %s — %s"},
	"givenup":          {"  ✕ 보내지 않았어요: %s", "  ✕ not sent, as you wished: %s"},
	"toolate":          {"  이미 보내졌어요: %s", "  It had been sent already: %s"},
	"unsure":           {"  ? 오래전에 처리된 글이라 결과를 알 수 없어요: %s", "  ? decided long ago, the outcome is not known: %s"},
	"nothing":          {"보낼 글이 없어요.", "Nothing is waiting to be sent."},
	"failed":           {"하지 못했어요: %s", "That did not work: %s"},
	"done":             {"했어요.", "Done."},
	"allread":          {"  (모두 읽었어요)", "  (read by all)"},
	"kept":             {"%d개는 아직 못 보냈어요. 다음에 켤 때 보내요.", "%d not sent yet; they are sent the next time you start."},
	"bye":              {"안녕히 가세요.", "Bye."},
	"ev.created":       {"%s 방을 만들었어요.", "%s created the room."},
	"ev.invited":       {"%s %s 초대했어요.", "%s invited %s."},
	"ev.left":          {"%s 나갔어요.", "%s left."},
	"ev.renamed":       {"%s 방 이름을 \"%s\" 바꿨어요.", "%s renamed the room to \"%s\"."},
	"ev.edit":          {"%s %d번 글을 고쳤어요: %s", "%s edited message %d: %s"},
	"ev.delete":        {"%d번 글이 삭제됐어요.", "Message %d was deleted."},
	"ev.react":         {"%s %d번 글에 %s", "%s: %[3]s on message %[2]d"},
	"ev.unreact":       {"%s %d번 글의 공감을 거뒀어요.", "%s took back the reaction on message %d."},
	"typing":           {"  %s 입력하고 있어요…", "  %s is typing…"},
	"reply":            {"(%d번에 답장) ", "(reply to %d) "},
	"left":             {"(나간 방)", "(left)"},
	"invite.secret":    {"초대장: %s", "Invitation: %s"},
	"device.on":        {"연결됨", "connected"},
	"device.this":      {" (이 기기)", " (this device)"},
	"inuse":            {"이 프로필은 다른 창에서 쓰고 있어요. --profile 로 다른 폴더를 골라 주세요.", "This profile is in use in another window. Choose another directory with --profile."},
	"help": {`쓸 수 있는 명령 (나머지는 모두 지금 연 방으로 보내요)
  /목록                 대화 목록            /열기 번호|@아이디    방 열기
  /친구                 친구 목록            /추가 아이디          친구 추가
  /이전                 이전 대화            /답장 번호 글         답장
  /수정 번호 글         내 글 고치기         /삭제 번호            내 글 삭제
  /공감 번호 1-6        ❤ 👍 ✔ 😄 😮 😢      /사람                 이 방 사람들과 읽은 곳
  /그룹 제목 @아이디…   그룹 만들기          /초대 @아이디…        초대하기
  /이름 제목            방 이름 바꾸기       /방나가기             이 방에서 나가기
  /알림 켬|끔           알림                 /고정 켬|끔           목록 위에 고정
  /차단 @아이디         차단                 /차단해제 @아이디     차단 풀기
  /보낼글               아직 못 보낸 글      /취소 [번호]          보내지 않기
  /상태 글              상태메시지           /비밀번호             비밀번호 바꾸기
  /기기                 로그인된 기기        /초대장               가입 초대장 만들기
  /로그아웃             로그아웃             /나가기               끝내기`,
		`Commands (everything else is sent to the room that is open)
  /list                 your chats           /open number|@handle  open a room
  /friends              your friends         /add handle           add a friend
  /more                 older messages       /reply number text    reply
  /edit number text     edit a message       /delete number        delete a message
  /react number 1-6     ❤ 👍 ✔ 😄 😮 😢      /members              who is here, and how far they read
  /group title @handle… make a group         /invite @handle…      invite people
  /rename title         rename the room      /leave                leave this room
  /mute on|off          no alerts            /pin on|off           keep on top
  /block @handle        block                /unblock @handle      unblock
  /outbox               not sent yet         /cancel [number]      do not send it
  /status text          status message       /password             change the password
  /devices              logged-in devices    /invitation           invite somebody to sign up
  /logout               log out              /quit                 end`},
}

// say is a text of the interface.
func (l lang) say(key string, args ...any) string {
	t, ok := texts[key]
	if !ok {
		return key
	}
	s := t[1]
	if l == "ko" {
		s = t[0]
	}
	if len(args) == 0 {
		return s
	}
	return fmt.Sprintf(s, args...)
}

// josa adds the particle that fits the last syllable: josa("철수", "이", "가") = "철수가". English gets none.
func (l lang) josa(word, after, plain string) string {
	if l != "ko" {
		return word
	}
	rs := []rune(strings.TrimRight(word, "\"') "))
	if len(rs) == 0 {
		return word + plain
	}
	final := 0
	switch r := rs[len(rs)-1]; {
	case r >= 0xac00 && r <= 0xd7a3:
		final = int(r-0xac00) % 28
	case strings.ContainsRune("178lrLR", r): // 일 칠 팔 엘 알
		final = rieul
	case strings.ContainsRune("036mnMN", r): // 영 삼 육 엠 엔
		final = 1
	}
	if final != 0 && (final != rieul || after != "으로") {
		return word + after
	}
	return word + plain
}

// rieul is the final ㄹ, after which it is 로 and not 으로.
const rieul = 8

var weekdays = [...]string{"일요일", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일"}

// day is the separator between days.
func (l lang) day(t time.Time) string {
	if l == "ko" {
		return fmt.Sprintf("%d년 %d월 %d일 %s", t.Year(), int(t.Month()), t.Day(), weekdays[t.Weekday()])
	}
	return t.Format("Monday, 2 January 2006")
}

// clock is a time of day: 오후 1:35.
func (l lang) clock(t time.Time) string {
	if l != "ko" {
		return t.Format("3:04 PM")
	}
	half := "오전"
	if t.Hour() >= 12 {
		half = "오후"
	}
	h := t.Hour() % 12
	if h == 0 {
		h = 12
	}
	return fmt.Sprintf("%s %d:%02d", half, h, t.Minute())
}

var reasons = map[client.Reason]string{
	client.ReasonInvalid:            "입력한 내용이 맞지 않아요",
	client.ReasonTooLarge:           "너무 길어요",
	client.ReasonUnauthenticated:    "로그인이 필요해요",
	client.ReasonBadCredentials:     "아이디나 비밀번호가 달라요",
	client.ReasonTooManyTries:       "너무 여러 번 시도했어요. 잠시 뒤에 해 주세요",
	client.ReasonBusy:               "접속이 많아 순서대로 연결하고 있어요",
	client.ReasonNotReady:           "이 사이트가 아직 준비되지 않았어요",
	client.ReasonSignupClosed:       "지금은 가입을 받지 않아요",
	client.ReasonBadInvitation:      "쓸 수 있는 초대장이 필요해요",
	client.ReasonHandleTaken:        "이미 쓰고 있는 아이디예요",
	client.ReasonMustChangePassword: "먼저 새 비밀번호를 정해 주세요",
	client.ReasonSessionRevoked:     "이 기기에서 로그아웃됐어요",
	client.ReasonUnknownUser:        "그런 사람이 없어요",
	client.ReasonLimit:              "한도에 이르렀어요",
	client.ReasonUnknownRoom:        "그런 방이 없어요",
	client.ReasonNotMember:          "이 방에 있지 않아요",
	client.ReasonCannotReceive:      "상대가 받을 수 없어요",
	client.ReasonWrongRoomKind:      "이 방에서는 할 수 없어요",
	client.ReasonUnknownMessage:     "그런 글이 없어요",
	client.ReasonNotAuthor:          "내가 쓴 글이 아니에요",
	client.ReasonTooLate:            "24시간이 지나 바꿀 수 없어요",
	client.ReasonDeleted:            "삭제된 글이에요",
	client.ReasonRoomFull:           "방이 가득 찼어요",
	client.ReasonWrongDevice:        "이 프로필의 복사본이 다른 곳에서 쓰이고 있어요",
	client.ReasonIDReused:           "이 프로필의 복사본이 다른 곳에서 쓰이고 있어요",
	client.ReasonUnavailable:        "지금은 쓸 수 없어요",
	client.ReasonDiskFull:           "서버의 저장 공간이 부족해요",
	client.ReasonUnknownOutcome:     "제때 답을 받지 못했어요. 다시 해 주세요",
	client.ReasonBehind:             "이 사이트가 아직 따라잡지 못했어요. 잠시 뒤에 다시 해 주세요",
	client.ReasonRolledBack:         "서버가 백업에서 복원됐어요. 방을 다시 열어 주세요",
	client.ReasonExpected:           "앞에 보낸 것이 먼저 가야 해요",
	client.ReasonHeld:               "앞에 보낸 것을 기다리고 있어요",
	client.ReasonAlreadyIn:          "오래전에 처리돼서 결과를 알 수 없어요",
	client.ReasonSkipped:            "보내지 않기로 했어요",
	client.ReasonCredentialChanged:  "그사이 비밀번호가 바뀌었어요",
	client.ReasonBadCode:            "코드가 다르거나 시간이 지났어요",
	client.ReasonUnknownDevice:      "그 기기는 이미 로그아웃됐어요",
	client.ReasonNotOperator:        "운영자만 할 수 있어요",
	client.ReasonInternal:           "서버에서 문제가 생겼어요",
}

// plights are what the client itself reports, and what to do about it: Korean, English.
var plights = []struct {
	err  error
	text [2]string
}{
	{client.ErrUnreachable, [2]string{"서버에 연결하지 못했어요. 주소(--server)와 네트워크를 확인하고, 서버가 켜져 있는지 봐 주세요",
		"the server cannot be reached; look whether its address (--server) is right, the network works and the server runs"}},
	{context.DeadlineExceeded, [2]string{"서버가 제때 답하지 않았어요. 잠시 뒤에 다시 해 주세요", "the server did not answer in time; try again in a moment"}},
	{client.ErrNotStored, [2]string{"이 컴퓨터에 저장하지 못해서 보내지 않았어요. 저장 공간과 프로필 폴더를 확인해 주세요",
		"it could not be stored on this computer and was not sent; look at the disk and the profile's directory"}},
	{client.ErrOtherAccount, [2]string{"이 프로필은 다른 계정의 것이에요. --profile 로 다른 폴더를 골라 주세요", "this profile belongs to another account; choose another directory with --profile"}},
	{client.ErrLoggedOut, [2]string{"로그인이 필요해요", "nobody is logged in"}},
	{client.ErrGivenUp, [2]string{"보내지 않기로 했어요", "it was given up"}},
	{client.ErrClosed, [2]string{"프로그램이 끝나고 있어요", "the program is ending"}},
}

// why explains an error to a person: what it means and what to do. The cause as the system gives it, in English, follows in English,
// and in Korean only if it was asked for (verbose).
func (l lang) why(err error, verbose bool) string {
	if l == "ko" {
		if s := reasons[client.ReasonOf(err)]; s != "" {
			return s
		}
	}
	for _, p := range plights {
		if !errors.Is(err, p.err) {
			continue
		}
		said := p.text[1]
		if l == "ko" {
			said = p.text[0]
		}
		cause := err
		if both, ok := err.(interface{ Unwrap() []error }); ok { // the plight joined with its cause
			causes := slices.DeleteFunc(slices.Clone(both.Unwrap()), func(e error) bool { return e == p.err })
			cause = errors.Join(causes...)
		}
		if (l == "ko" && !verbose) || cause == nil || cause == p.err {
			return said
		}
		return said + " (" + line(cause.Error()) + ")"
	}
	if l == "ko" && !verbose {
		return "알 수 없는 문제가 생겼어요. --verbose 로 켜면 원인을 볼 수 있어요"
	}
	return line(err.Error())
}
