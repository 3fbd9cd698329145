package drill

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// words is one thing said in both languages.
type words struct{ Ko, En string }

// kind of what happened to a site: it tells the colour of its line.
type kind string

const (
	harm kind = "harm"
	heal kind = "heal"
	note kind = "note"
)

// known sites, scenarios and events; whatever is not known here is shown as it was written.
var (
	siteWords = map[string]words{
		"seoul": {"서울", "Seoul"}, "daejeon": {"대전", "Daejeon"}, "busan": {"부산", "Busan"}, "gwangju": {"광주", "Gwangju"}, "daegu": {"대구", "Daegu"},
	}
	scenarioWords = map[string]words{
		"power-loss":        {"전원이 끊긴 데이터센터", "A data centre without power"},
		"wiped":             {"디스크까지 잃은 데이터센터", "A data centre that lost its disks, too"},
		"cut-off":           {"다른 곳과 끊긴 데이터센터", "A data centre cut off from the others"},
		"one-way":           {"한쪽으로만 끊긴 길", "Ways cut in one direction"},
		"power-loss-twice":  {"되살린 뒤 곧바로 다시 난 불", "A fire right after a rebuild"},
		"frozen-60":         {"60초 멈췄다가 깨어난 데이터센터", "A data centre frozen for 60 s"},
		"wiped-and-frozen":  {"디스크를 잃은 곳과 멈춘 곳", "One without disks, another one frozen"},
		"damage":            {"뒤집힌 비트", "A flipped bit"},
		"damage-table":      {"뒤집힌 비트 (뷰의 파일)", "A flipped bit (file of a view)"},
		"damage-log":        {"뒤집힌 비트 (로그의 파일)", "A flipped bit (file of the log)"},
		"damage-db":         {"뒤집힌 비트 (로그의 데이터베이스)", "Flipped bits (database of the log)"},
		"damage-row":        {"뒤집힌 비트 (체크섬이 맞는 줄)", "A changed row with good checksums"},
		"killed-checkpoint": {"체크포인트를 뜨다가 죽은 데이터센터", "Killed during a checkpoint"},
		"killed-fetch":      {"되살아나다가 죽은 데이터센터", "Killed during a rebuild"},
		"killed-handover":   {"지휘를 넘기다가 죽은 데이터센터", "Killed while handing leadership over"},
		"killed-growth":     {"한 대에서 셋으로 늘다가 죽은 데이터센터", "Killed while one becomes three"},
		"all-forgetful":     {"저장하지 못한 것까지 잃은 모든 데이터센터", "All lose power and what was not synced"},
		"frozen":            {"멈췄다가 깨어난 데이터센터", "A data centre frozen and thawed"},
		"bad-network":       {"나쁜 통신망", "A bad network"},
		"slow-disk":         {"느린 디스크", "A slow disk"},
		"full-disk":         {"가득 찬 디스크", "A full disk"},
		"clock":             {"틀린 시계", "A wrong clock"},
		"rolling-restart":   {"차례로 다시 켜기", "A rolling restart"},
		"all-killed":        {"한꺼번에 꺼진 모든 데이터센터", "All data centres killed at once"},
		"random":            {"무작위 고장", "Random faults"},
	}
	eventWords = map[string]struct {
		words
		kind
	}{
		"power lost":                            {words{"전원 끊김", "power lost"}, harm},
		"dead":                                  {words{"꺼짐", "dead"}, harm},
		"killed":                                {words{"꺼짐", "killed"}, harm},
		"disks gone":                            {words{"디스크 사라짐", "disks gone"}, harm},
		"cut off from the other sites":          {words{"다른 곳과 끊김", "cut off from the other sites"}, harm},
		"cut off":                               {words{"끊김", "cut off"}, harm},
		"does not hear the others":              {words{"다른 곳이 들리지 않음", "does not hear the others"}, harm},
		"is not heard by the others":            {words{"다른 곳에 들리지 않음", "is not heard by the others"}, harm},
		"frozen":                                {words{"멈춤", "frozen"}, harm},
		"slow disk":                             {words{"느린 디스크", "slow disk"}, harm},
		"disk full":                             {words{"디스크 가득 참", "disk full"}, harm},
		"clock turned":                          {words{"시계 틀어짐", "clock turned"}, harm},
		"50 ms there and back, 5% lost":         {words{"왕복 50ms, 5% 유실", "50 ms there and back, 5% lost"}, harm},
		"power lost with what was not synced":   {words{"전원과 저장하지 못한 것을 잃음", "power lost with what was not synced"}, harm},
		"disk nearly full":                      {words{"디스크가 거의 참", "disk nearly full"}, harm},
		"bit flipped in a table of a view":      {words{"뷰의 파일에서 비트 뒤집힘", "bit flipped in a table of a view"}, harm},
		"bit flipped in the log":                {words{"로그에서 비트 뒤집힘", "bit flipped in the log"}, harm},
		"bits flipped in the log's entries":     {words{"로그의 항목에서 비트 뒤집힘", "bits flipped in the log's entries"}, harm},
		"bits flipped in the log's pages":       {words{"로그의 페이지에서 비트 뒤집힘", "bits flipped in the log's pages"}, harm},
		"row of a view rewritten":               {words{"뷰의 줄이 바뀜", "row of a view rewritten"}, harm},
		"killed during a checkpoint":            {words{"체크포인트를 뜨다가 꺼짐", "killed during a checkpoint"}, harm},
		"killed while it is rebuilt":            {words{"되살아나다가 꺼짐", "killed while it is rebuilt"}, harm},
		"killed while it hands leadership over": {words{"지휘를 넘기다가 꺼짐", "killed while it hands leadership over"}, harm},
		"killed while it comes in":              {words{"들어오다가 꺼짐", "killed while it comes in"}, harm},
		"killed while the cluster grows":        {words{"늘어나는 동안 꺼짐", "killed while the cluster grows"}, harm},
		"leads no more":                         {words{"지휘를 넘김", "leads no more"}, note},
		"takes no messages":                     {words{"메시지를 받지 않음", "takes no messages"}, note},
		"ended, with what to do":                {words{"할 일을 알리고 끝남", "ended, with what to do"}, note},
		"serves nobody":                         {words{"아무도 받지 않음", "serves nobody"}, note},
		"its clock is not trusted":              {words{"시계를 믿지 않음", "its clock is not trusted"}, note},
		"room again":                            {words{"자리 생김", "room again"}, heal},
		"clock set right":                       {words{"시계 바로잡음", "clock set right"}, heal},
		"three sites":                           {words{"데이터센터 셋", "three sites"}, heal},
		"drained":                               {words{"비움", "drained"}, note},
		"thawed":                                {words{"다시 움직임", "thawed"}, heal},
		"started":                               {words{"다시 켬", "started"}, heal},
		"rebuilt":                               {words{"다시 만듦", "rebuilt"}, heal},
		"heard again":                           {words{"다시 이어짐", "heard again"}, heal},
		"reconnected":                           {words{"다시 이어짐", "reconnected"}, heal},
		"heals":                                 {words{"다시 이어짐", "heals"}, heal},
		"fine again":                            {words{"통신망 나아짐", "fine again"}, heal},
		"served again":                          {words{"다시 받기 시작", "served again"}, heal},
		"all current":                           {words{"모두 따라잡음", "all current"}, heal},
	}
)

// visitWords are what was done at other sites; a command is called by its own name.
var visitWords = map[string]words{
	"log in": {"로그인", "log in"}, "send": {"보내기", "send"}, "read history": {"지난 대화 읽기", "read history"}, "profile photo": {"프로필 사진", "profile photo"},
	"page and its files": {"웹 페이지와 그 파일", "page and its files"},
}

func visitName(what string) words {
	if w, ok := visitWords[what]; ok {
		return w
	}
	return words{what, what}
}

func siteName(s string) words {
	if w, ok := siteWords[s]; ok {
		return w
	}
	return words{s, s}
}

// scenarioName knows a scenario by its name or by the beginning of it ("power-loss-seoul"); the rest follows in parentheses.
func scenarioName(name string) words {
	w, rest := lookUp(scenarioWords, name)
	if w.Ko == "" {
		return words{name, name}
	}
	if rest = strings.Trim(rest, "-_ /:"); rest == "" {
		return w
	}
	site := siteName(rest)
	return words{w.Ko + " (" + site.Ko + ")", w.En + " (" + site.En + ")"}
}

// eventName says what happened and where: "서울 전원 끊김".
func eventName(f Fault) (words, kind) {
	w, k := words{f.What, f.What}, note
	if e, rest := lookUp(eventWords, f.What); e.Ko != "" {
		w, k = words{e.Ko + rest, e.En + rest}, e.kind
	}
	if f.Site != "" {
		site := siteName(f.Site)
		w = words{site.Ko + " " + w.Ko, site.En + " " + w.En}
	}
	return w, k
}

// lookUp finds the longest key that name begins with, and what follows it; a key ends where a word of the name does.
func lookUp[V any](m map[string]V, name string) (found V, rest string) {
	best := ""
	for key := range m {
		rest, ok := strings.CutPrefix(name, key)
		if ok && len(key) > len(best) && (rest == "" || strings.ContainsRune("-_ /:,(", rune(rest[0]))) {
			best = key
		}
	}
	if best == "" {
		return found, name
	}
	return m[best], name[len(best):]
}

// origin says whether a fault by these means was the real thing, injected, or both one after the other. Most say so themselves
// ("real: SIGKILL"), which is then left out of what is shown.
func origin(by string) (o origins, rest string) {
	if rest, ok := strings.CutPrefix(by, "real: "); ok {
		return origins{Real: true}, rest
	}
	if rest, ok := strings.CutPrefix(by, "injected: "); ok {
		return origins{Injected: true}, rest
	}
	rest, by = by, strings.ToLower(by)
	has := func(list ...string) bool {
		for _, s := range list {
			if strings.Contains(by, s) {
				return true
			}
		}
		return false
	}
	o.Injected = has("inject", "relay", "proxy", "swallow", "netem", "simulat")
	o.Real = has("sigkill", "sigstop", "sigcont", "sigterm", "killed", "process", "namespace")
	return o, rest
}

// observed says that an event was seen, not done.
func observed(f Fault) bool { return f.By == "" || f.By == "status" }

// count of things, with separators between thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// inMs is a time for tables: "1,280 ms", "3.4 ms".
func inMs(ms float64) string {
	if ms >= 100 || ms == math.Trunc(ms) {
		return count(int(math.Round(ms))) + " ms"
	}
	return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
}

// inSeconds is a time for prose, without its unit: "0.42", "75.3".
func inSeconds(ms float64) string {
	switch {
	case ms >= 10_000:
		return strconv.FormatFloat(ms/1000, 'f', 1, 64)
	case ms > 0 && ms < 10:
		return strconv.FormatFloat(ms/1000, 'f', 3, 64)
	}
	return strconv.FormatFloat(ms/1000, 'f', 2, 64)
}

func seconds(ms float64) words { return words{inSeconds(ms) + "초", inSeconds(ms) + " s"} }

// dayAndTime in the forms of the interface.
func dayAndTime(t time.Time) words {
	half, hour := "오전", t.Hour()
	if hour >= 12 {
		half, hour = "오후", hour-12
	}
	if hour == 0 {
		hour = 12
	}
	day := []string{"일", "월", "화", "수", "목", "금", "토"}[t.Weekday()]
	ko := fmt.Sprintf("%d년 %d월 %d일 %s요일 %s %d:%02d", t.Year(), int(t.Month()), t.Day(), day, half, hour, t.Minute())
	return words{ko, t.Format("Monday, 2 January 2006, 15:04 MST")}
}

// shellWord quotes what a shell would not take as one word.
func shellWord(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.,/:=", r))
	}) < 0
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
