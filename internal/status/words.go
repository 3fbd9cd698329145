package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// lang is the language of a page: ko or en. Notices and incidents speak 합니다체, the rest of the page 해요체.
type lang string

const (
	ko lang = "ko"
	en lang = "en"
)

func (l lang) say(korean, english string) string {
	if l == ko {
		return korean
	}
	return english
}

// cities have a Korean name where the configuration has the English one.
var cities = map[string]string{
	"seoul": "서울", "busan": "부산", "daegu": "대구", "incheon": "인천", "gwangju": "광주", "daejeon": "대전", "ulsan": "울산", "sejong": "세종",
	"suwon": "수원", "pangyo": "판교", "anyang": "안양", "ansan": "안산", "chuncheon": "춘천", "wonju": "원주", "gangneung": "강릉", "cheongju": "청주",
	"cheonan": "천안", "jeonju": "전주", "pohang": "포항", "gimhae": "김해", "changwon": "창원", "jeju": "제주",
}

// site is a site's name as people read it.
func (l lang) site(name string) string {
	switch {
	case name == "":
		return l.say("이 컴퓨터", "This PC")
	case l == ko && cities[name] != "":
		return cities[name]
	case l == en:
		return strings.ToUpper(name[:1]) + name[1:]
	}
	return name
}

// SiteNames are the names under which people know a site.
func SiteNames(site string) []string { return []string{site, ko.site(site), en.site(site)} }

// centre is a site with the word for what it is.
func (l lang) centre(name string) string {
	if name == "" {
		return l.site(name)
	}
	return l.site(name) + l.say(" 데이터센터", " data centre")
}

// north lists cities as people name them: from north to south.
var north = []string{"chuncheon", "gangneung", "seoul", "incheon", "pangyo", "anyang", "wonju", "ansan", "suwon", "cheonan", "cheongju", "sejong", "daejeon", "pohang",
	"daegu", "jeonju", "ulsan", "changwon", "gimhae", "gwangju", "busan", "jeju"}

// place orders names of sites; one that is no known city stands behind them, by its name.
func place(a, b string) int {
	at := func(s string) int { return cmp.Or(slices.Index(north, s)+1, len(north)+1) }
	return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a, b))
}

// list is names with commas, and with the word for and before the last one.
func (l lang) list(names []string) string {
	var s []string
	for _, n := range slices.SortedFunc(slices.Values(names), place) {
		s = append(s, l.site(n))
	}
	if len(s) < 2 {
		return strings.Join(s, "")
	}
	head, last := strings.Join(s[:len(s)-1], ", "), s[len(s)-1]
	return l.say(josa(head, "과", "와"), head+" and") + " " + last
}

// josa puts a particle behind a word: the first after a final consonant, the second after a vowel.
func josa(word, closed, open string) string {
	rs := []rune(word)
	if len(rs) == 0 {
		return word
	}
	final := false
	switch r := rs[len(rs)-1]; {
	case r >= 0xac00 && r <= 0xd7a3:
		final = (r-0xac00)%28 != 0
	default:
		final = strings.ContainsRune("0136780lrLRmnMN", r) // as they are read: 영 일 삼 육 칠 팔, 엘 알 엠 엔
	}
	if final {
		return word + closed
	}
	return word + open
}

// service is the name of what people can do.
func (l lang) service(name string) string {
	switch name {
	case Sending:
		return l.say("메시지 보내기", "Sending messages")
	case Reading:
		return l.say("메시지 받기·읽기", "Receiving and reading")
	case LogIn:
		return l.say("로그인", "Logging in")
	}
	return l.say("프로필 사진", "Profile photos")
}

// level is how well it works, in a word.
func (l lang) level(v Level) string {
	switch v {
	case Fine:
		return l.say("정상", "Works")
	case Worse:
		return l.say("느려요", "Slow")
	case Off:
		return l.say("멈췄어요", "Stopped")
	}
	return l.say("알 수 없어요", "Unknown")
}

// state is how a site is, in a word.
func (l lang) state(s Site) string {
	switch s.State {
	case Up:
		switch {
		case s.Refuses:
			return l.say("읽기만", "Reading only")
		case s.Slow:
			return l.say("느려요", "Slow")
		}
		return l.say("켜짐", "On")
	case Draining:
		return l.say("점검 중", "Maintenance")
	case Joining:
		return l.say("준비 중", "Getting ready")
	case NotReady:
		return l.say("기다리는 중", "Waiting")
	case Superseded:
		return l.say("더 쓰지 않아요", "No longer in use")
	case Silent:
		return l.say("꺼짐", "Off")
	}
	return l.say("알 수 없어요", "Unknown")
}

// head is what a page says first, and the sentence under it.
func (l lang) head(v View) (title, sentence string) {
	safe := l.say("쓴 글은 기기에 남아 있고, 다시 되면 순서대로 가요.", "What you write stays on your device and goes out in order when it works again.")
	switch {
	case v.Blind():
		return l.say(l.site(v.Here)+"에서는 메시지를 주고받을 수 없어요", "Messages cannot be sent or received at "+l.site(v.Here)),
			l.say("여기서는 다른 데이터센터가 보이지 않아요. 다른 데이터센터의 현황을 봐 주세요.",
				"The other data centres cannot be seen from here. Please look at their status pages.")
	case v.Service(Sending) == Off && v.Service(Reading) == Off:
		return l.say("지금은 메시지를 주고받을 수 없어요", "Messages cannot be sent or received now"), safe
	case v.Service(Sending) == Off:
		return l.say("지금은 메시지를 보낼 수 없어요", "Messages cannot be sent now"), safe
	case v.Service(Sending) == Worse:
		return l.say("메시지가 늦게 가고 있어요", "Messages are slow"),
			l.say("보낸 글은 순서대로 가고, 확인될 때까지 기기에 남아 있어요.", "They go out in order, and stay on your device until they are confirmed.")
	}
	return l.say("메시지를 주고받을 수 있어요", "Messages can be sent and received"), l.goesOn(v)
}

// goesOn says where it goes on.
func (l lang) goesOn(v View) string {
	lit, away := v.lit(), v.away()
	planned := v.names(func(s Site) bool { return s.Level() == Planned })
	switch {
	case v.Alone():
		return l.say("이 컴퓨터에서 돌아가는 봉화예요.", "This Bonghwa runs on one PC.")
	case len(away) > 0:
		return l.say(fmt.Sprintf("%s 데이터센터가 꺼져 있어 %s에서 이어 가고 있어요.", l.list(away), l.list(lit)),
			fmt.Sprintf("%s %s off; %s %s on.", l.list(away), are(away), l.list(lit), carry(lit)))
	case len(planned) > 0:
		return l.say(fmt.Sprintf("%s 데이터센터를 점검하는 동안 %s에서 이어 가고 있어요.", l.list(planned), l.list(lit)),
			fmt.Sprintf("%s %s in maintenance; %s %s on.", l.list(planned), are(planned), l.list(lit), carry(lit)))
	}
	return l.say(fmt.Sprintf("%s 데이터센터가 모두 켜져 있어요.", l.list(lit)), fmt.Sprintf("The data centres %s are all on.", l.list(lit)))
}

func are(names []string) string {
	if len(names) == 1 {
		return "is"
	}
	return "are"
}

func carry(names []string) string {
	if len(names) == 1 {
		return "carries"
	}
	return "carry"
}

// Of an incident.

// name is what an incident is called, title how it is announced while it lasts.
func (l lang) name(i Incident) string {
	if i.Kind == KindSends {
		return l.say("메시지 보내기 장애", "Sending messages is disturbed")
	}
	return l.say(l.centre(i.Sites[0])+" 장애", l.centre(i.Sites[0])+" is disturbed")
}

func (l lang) title(i Incident) string {
	if i.Over() {
		return l.name(i)
	}
	return l.say(l.name(i)+"를 안내드립니다", l.name(i))
}

// happened says what happened, and what people notice of it.
func (l lang) happened(i Incident) string {
	since := l.moment(i.Since)
	where := l.list(i.Sites)
	switch {
	case i.Kind == KindSends && i.Over():
		return l.say(fmt.Sprintf("%s부터 %s 동안 %s에서 보낸 메시지가 확인되지 않았습니다. %s", since, l.span(i), where, l.ended(i)),
			fmt.Sprintf("From %s, for %s, messages sent at %s were not confirmed. %s", since, l.span(i), where, l.ended(i)))
	case i.Kind == KindSends:
		return l.say(fmt.Sprintf("%s부터 %s에서 보낸 메시지가 확인되지 않고 있습니다. 쓴 글은 기기에 남아 있고, 다시 되면 순서대로 갑니다.", since, where),
			fmt.Sprintf("Since %s messages sent at %s are not confirmed. What was written stays on the device and goes out in order when it works again.", since, where))
	case i.Over():
		return l.say(fmt.Sprintf("%s부터 %s 동안 %s를 쓸 수 없었습니다. %s", since, l.span(i), l.centre(i.Sites[0]), l.ended(i)),
			fmt.Sprintf("From %s, for %s, the %s could not be used. %s", since, l.span(i), l.centre(i.Sites[0]), l.ended(i)))
	}
	return l.say(fmt.Sprintf("%s부터 %s를 쓸 수 없습니다. %s에 연결된 이용자는 다른 데이터센터로 옮겨집니다.", since, l.centre(i.Sites[0]), where),
		fmt.Sprintf("Since %s the %s cannot be used. People who are connected there are moved to another one.", since, l.centre(i.Sites[0])))
}

func (l lang) ended(i Incident) string {
	at := l.clock(i.Until)
	if i.Until.In(kst).YearDay() != i.Since.In(kst).YearDay() {
		at = l.moment(i.Until)
	}
	if i.Late {
		return l.say(fmt.Sprintf("늦어도 %s에는 정상으로 돌아왔습니다.", at), fmt.Sprintf("It was over by %s at the latest.", at))
	}
	return l.say(fmt.Sprintf("%s에 정상으로 돌아왔습니다.", at), fmt.Sprintf("It was over at %s.", at))
}

// waited is the measured gap.
func (l lang) waited(i Incident) string {
	s := fmt.Sprintf("%.1f", float64(i.Wait)/1000)
	if i.Kind == KindSends {
		return l.say("보낸 메시지가 확인될 때까지 가장 오래 걸린 시간은 "+s+"초입니다.", "The longest wait for a confirmation was "+s+" s.")
	}
	return l.say("그동안 다른 데이터센터에서 보낸 메시지가 확인될 때까지 가장 오래 걸린 시간은 "+s+"초입니다.",
		"The longest wait for a confirmation at the other data centres was "+s+" s.")
}

// kept says why nothing is lost, as far as that is true of this system.
func (l lang) kept(v View) string {
	if in := v.names(func(s Site) bool { return s.State != Joining }); len(in) > 1 {
		return l.say("보냈다고 표시된 메시지는 모두 두 곳 이상의 데이터센터에 보관되어 있습니다.",
			"Every message that is shown as sent is kept in two or more data centres.")
	}
	return l.say("보냈다고 표시된 메시지는 모두 디스크에 보관되어 있습니다.", "Every message that is shown as sent is on disk.")
}

// broken says what does not work now.
func (l lang) broken(v View) string {
	var s []string
	for _, name := range services {
		if v.Service(name) != Fine {
			s = append(s, l.service(name))
		}
	}
	if len(s) == 0 {
		return l.say("없습니다. 모든 기능을 쓸 수 있습니다.", "Nothing. Everything can be used.")
	}
	return strings.Join(s, ", ")
}

// progress is where an incident stands, in a word.
func (l lang) progress(i Incident) string {
	switch {
	case i.Over():
		return l.say("끝났어요", "Over")
	case !i.Fine.IsZero():
		return l.say("돌아왔어요 · 지켜보고 있어요", "Back · watching")
	}
	return l.say("아직 돌아오지 않았어요", "Not back yet")
}

// Times are those of Korea, whatever the machine's clock is set to.
var kst = time.FixedZone("KST", 9*60*60)

var weekdays = []string{"일요일", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일"}

func (l lang) day(t time.Time) string {
	t = t.In(kst)
	return l.say(fmt.Sprintf("%d년 %d월 %d일 %s", t.Year(), t.Month(), t.Day(), weekdays[t.Weekday()]), t.Format("Monday, 2 January 2006"))
}

func (l lang) clock(t time.Time) string {
	t = t.In(kst)
	half := "오전"
	if t.Hour() >= 12 {
		half = "오후"
	}
	return l.say(half+t.Format(" 3:04:05"), t.Format("3:04:05 PM"))
}

// moment is a day of this year, or of the last, and a time.
func (l lang) moment(t time.Time) string {
	d := t.In(kst)
	return l.say(fmt.Sprintf("%d월 %d일 %s", d.Month(), d.Day(), l.clock(t)), d.Format("2 January, ")+l.clock(t))
}

// span is how long an incident lasted.
func (l lang) span(i Incident) string {
	s := int64(max(i.Until.Sub(i.Since), 0).Round(time.Second) / time.Second)
	parts := []struct {
		n      int64
		ko, en string
	}{{s / 86400, "일", "d"}, {s / 3600 % 24, "시간", "h"}, {s / 60 % 60, "분", "min"}, {s % 60, "초", "s"}}
	var out []string
	for _, p := range parts {
		if p.n > 0 {
			out = append(out, fmt.Sprint(p.n)+l.say(p.ko, " "+p.en))
		}
	}
	if len(out) == 0 {
		return l.say("1초 미만", "less than 1 s")
	}
	return strings.Join(slices.Clip(out[:min(2, len(out))]), " ")
}
