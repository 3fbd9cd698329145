package demo

import (
	"testing"
	"time"
)

func TestIntent(t *testing.T) {
	for text, want := range map[string]intent{
		"안녕하세요!": hello, "ㅎㅇ": hello, "반가워요": hello, "Hello there": hello, "hi": hello, "좋은 아침이에요": hello,
		"고마워요 ㅎㅎ": thanks, "감사합니다": thanks, "Thanks!": thanks, "죄송해요": sorry,
		"ㅋㅋㅋㅋㅋ": laugh, "재밌네요 ㅋㅋㅋ": laugh, "lol": laugh, "😂😂": laugh, "ㅠㅠㅠ": sad,
		"점심 드셨어요?": food, "배고파요": food, "뭐 먹었어요?": food, "lunch?": food, "커피 한 잔 할까요": coffee,
		"이번 주 산행 같이 가도 돼요?": hill, "오늘 비 온대요": weather, "너무 추워요": weather, "출고 다 끝났어요": work,
		"주말에 뭐 하세요?": doing, "토요일에 시간 돼요?": weekend, "혹시 로봇이세요?": whoami, "are you a bot?": whoami, "누구세요?": whoami,
		"봉화가 뭐예요?": product, "지금 몇 시예요?": clock, "what time is it": clock, "생일 축하해요": birthday, "잘 자요": night,
		"내일 봐요": bye, "잘 지내세요?": doing, "How are you?": doing, "피곤하네요": tired, "대박": praise, "요즘 읽는 책 있어요": book,
		"네": yes, "응 좋아": yes, "단감 좋아해요": yes, "ok": yes, "아니요": no, "안 가요": no, "싫어요": no,
		"❤️": emoji, "...": emoji, "??": question, "왜 그럴까요": question, "그건 어디에 있나요?": question,
		"https://trail.example/bukhansan": link, "저는 개발자예요": other, "I like trains": other, "": emoji,
	} {
		if got := intentOf(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestCallName(t *testing.T) {
	for name, want := range map[string]string{
		"이도현": "도현", "박준호": "준호", " 최은지 ": "은지", "한별": "한별", "남궁민수": "남궁민수", "Dohyun": "Dohyun", "뷁도현": "뷁도현", "김{n}": "김{n}", "Kim": "Kim",
	} {
		if got := callName(name); got != want {
			t.Errorf("%q is called %q", name, got)
		}
	}
}

func TestTimeAnswer(t *testing.T) {
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for at, want := range map[time.Duration]string{
		0: "지금 오전 12시 정각이에요", 9*time.Hour + 5*time.Minute: "지금 오전 9시 5분이에요",
		12 * time.Hour: "지금 오후 12시 정각이에요", 13*time.Hour + 35*time.Minute: "지금 오후 1시 35분이에요",
	} {
		if got := timeAnswer(day.Add(at), false); got != want {
			t.Errorf("%v: %q", at, got)
		}
	}
}
