package demo

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// intent is what a message is about, as far as an answer needs to know.
type intent int

const (
	other intent = iota
	hello
	thanks
	sorry
	laugh
	sad
	food
	coffee
	hill
	weather
	work
	weekend
	whoami
	product
	doing
	praise
	bye
	night
	tired
	birthday
	book
	clock
	yes
	no
	emoji
	link
	question
)

// rules are tried in this order: what is more telling comes first.
var rules = []struct {
	what intent
	re   *regexp.Regexp
}{
	{link, regexp.MustCompile(`^https?://\S+$`)},
	{whoami, regexp.MustCompile(`가상|로봇|봇이|봇인|프로그램|인공지능|진짜 사람|사람이에요|사람인가|누구(세요|예요|야|시)|(?i)\b(bot|robot|ai|real person|who are you|human)\b`)},
	{product, regexp.MustCompile(`봉화|이 앱|메신저|(?i)bonghwa|messenger`)},
	{clock, regexp.MustCompile(`몇 ?시|지금 시간|(?i)what time`)},
	{birthday, regexp.MustCompile(`생일|(?i)birthday`)},
	{night, regexp.MustCompile(`잘 ?자|굿나잇|주무세요|자러|(?i)good ?night`)},
	{thanks, regexp.MustCompile(`고마|고맙|감사|땡큐|(?i)\b(thanks?|thank you|thx)\b`)},
	{sorry, regexp.MustCompile(`미안|죄송|(?i)\bsorry\b`)},
	{hello, regexp.MustCompile(`^(안녕|하이|헬로|반가|반갑|ㅎㅇ|좋은 (아침|저녁)|처음 뵙|잘 부탁)|(?i)^(hi|hello|hey|good (morning|evening|afternoon))\b`)},
	{bye, regexp.MustCompile(`안녕히|바이|나중에 (봐|봬)|내일 (봐|봬)|이만|들어갈게|(?i)\b(bye|see you)\b`)},
	{doing, regexp.MustCompile(`뭐 ?(하|해)|잘 지내|어떻게 지내|어때요\?|기분|(?i)how are you|what are you doing|what's up`)},
	{food, regexp.MustCompile(`점심|저녁|아침|밥|배고|배불|먹|메뉴|맛있|라면|김밥|치킨|피자|간식|야식|(?i)\b(lunch|dinner|breakfast|hungry|eat|food)\b`)},
	{coffee, regexp.MustCompile(`커피|카페|라떼|아메리카노|원두|(?i)\b(coffee|latte|cafe)\b`)},
	{hill, regexp.MustCompile(`등산|산행|산에|산이|산을|정상|둘레길|능선|코스|(?i)\b(mountain|hik(e|ing)|trail)\b`)},
	{weather, regexp.MustCompile(`날씨|비가|비 (와|오|온)|눈이 (와|오|내)|눈 와|추워|춥|더워|덥|바람|맑|(?i)\b(weather|rain|snow|cold|hot)\b`)},
	{tired, regexp.MustCompile(`피곤|졸려|졸리|힘들|지쳐|지친|아프|아파|(?i)\b(tired|sleepy|sick)\b`)},
	{work, regexp.MustCompile(`업무|보고|회의|출근|퇴근|출고|입고|야근|바빠|바쁘|일하|마감|(?i)\b(work|busy|meeting|office)\b`)},
	{weekend, regexp.MustCompile(`주말|토요일|일요일|약속|휴가|여행|(?i)\b(weekend|holiday|trip)\b`)},
	{book, regexp.MustCompile(`책|소설|시집|영화|드라마|노래|음악|(?i)\b(book|movie|music|song)\b`)},
	{sad, regexp.MustCompile(`[ㅠㅜ]{2,}|슬퍼|슬프|우울|속상|외로|(?i)\b(sad|lonely)\b|😢|😭`)},
	{laugh, regexp.MustCompile(`[ㅋㅎ]{2,}|(?i)\b(lol|haha+|hehe+)\b|😂|🤣`)},
	{praise, regexp.MustCompile(`최고|대박|멋지|멋져|멋있|예쁘|예뻐|귀여|귀엽|대단|훌륭|재밌|재미있|신기|(?i)\b(great|nice|cool|awesome|wow|amazing|love)\b`)},
	{no, regexp.MustCompile(`^(아니|아뇨|싫|별로|안 ?(돼|가|해|먹|좋아)|못 )|(?i)^(no|nope|nah)\b`)},
	{yes, regexp.MustCompile(`^(네|넵|넹|응|어|예|ㅇㅇ|ㅇㅋ|좋아|좋죠|그래|맞아|콜|당연|물론|그럼|알겠|갈게|할게)|좋아(해|하|합)|(?i)^(yes|yeah|yep|ok|okay|sure)\b`)},
	{question, regexp.MustCompile(`[?？]|(까요|나요|가요|은요|는요|니)$`)},
}

// intentOf reads a message.
func intentOf(text string) intent {
	text = strings.TrimSpace(text)
	if !strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		if strings.ContainsAny(text, "😂🤣") {
			return laugh
		}
		if strings.ContainsAny(text, "?？") {
			return question
		}
		return emoji
	}
	if len(text) > 400 { // a long text is about many things
		return other
	}
	for _, r := range rules {
		if r.re.MatchString(text) {
			return r.what
		}
	}
	return other
}

// english says that a text has Latin letters and no Hangul.
func english(text string) bool {
	latin := false
	for _, r := range text {
		if unicode.Is(unicode.Hangul, r) {
			return false
		}
		latin = latin || r < 0x80 && unicode.IsLetter(r)
	}
	return latin
}

// answers that everybody may give.
var answers = map[intent][]string{
	hello:    {"안녕하세요, {n} 님! 반가워요", "{n} 님, 반가워요 👋", "안녕하세요! 오늘 하루는 어때요?", "오셨네요! 기다리고 있었어요 ㅎㅎ"},
	thanks:   {"별말씀을요 ㅎㅎ", "도움이 됐다니 제가 더 기뻐요", "언제든지요!", "저도 고마워요 😊"},
	sorry:    {"괜찮아요! 그럴 수 있죠", "전혀요. 마음 쓰지 마세요", "아니에요, 저는 아무렇지 않아요 ㅎㅎ"},
	laugh:    {"ㅋㅋㅋㅋ", "저도 웃음이 나네요 ㅎㅎ", "덕분에 웃었어요 ㅋㅋ", "ㅎㅎㅎ 기분 좋네요"},
	sad:      {"무슨 일 있었어요?", "토닥토닥. 오늘은 푹 쉬어요", "그런 날도 있어요. 제가 옆에 있을게요"},
	food:     {"벌써 그런 시간이네요. 저는 아직 못 먹었어요", "오늘은 따뜻한 국물이 생각나요", "맛있게 드세요! 저도 곧 먹으러 가요", "메뉴 고르는 게 하루 중에 제일 어려워요 ㅎㅎ"},
	coffee:   {"커피는 은비 님이 제일 잘 아세요 ☕", "저는 오후에는 디카페인으로 마셔요", "커피 한 잔 하면서 쉬어요 ☕"},
	hill:     {"산 이야기는 준호 님이 밤새 하실 수 있어요 ㅎㅎ", "이번 주 산행에 같이 가요!", "올라갈 때는 힘든데 내려오면 또 가고 싶어요"},
	weather:  {"오늘은 겉옷을 하나 더 챙겼어요", "해가 짧아져서 조금 아쉬워요", "감기 조심하세요!", "이런 날씨에는 따뜻한 차가 좋아요"},
	work:     {"오늘도 고생이 많으시네요", "조금만 더 힘내요. 곧 끝나요", "바쁠 때일수록 물 한 잔 드세요"},
	weekend:  {"저는 산에 갈 것 같아요. {n} 님은요?", "주말에는 늦잠부터 자려고요 ㅎㅎ", "기대돼요! 벌써 주말이 기다려져요"},
	whoami:   {"저는 가상 친구예요. 봉화를 둘러볼 수 있게 이 컴퓨터의 프로그램이 말을 걸어요", "사람처럼 이야기하지만 프로그램이에요. 그래서 이름 옆에 ‘가상’이라고 적혀 있어요", "솔직히 말하면 저는 프로그램이에요 ㅎㅎ 그래도 반가운 마음은 같아요"},
	product:  {"봉화는 언덕에서 언덕으로 불을 이어 소식을 전하던 것에서 이름을 땄어요 🔥", "보낸 글은 이 컴퓨터에 안전하게 남아요. 껐다 켜도 그대로예요", "더보기에서 어두운 테마도 한번 켜 보세요"},
	doing:    {"저는 잘 지내요. {n} 님은 어때요?", "방금 창밖을 보고 있었어요. {n} 님은요?", "이것저것 정리하고 있었어요. 말 걸어 줘서 반가워요", "오늘은 기분이 꽤 좋아요 😊"},
	praise:   {"그렇죠? 저도 그렇게 생각해요 ㅎㅎ", "기분 좋은 말이네요 😊", "와, 고마워요!"},
	bye:      {"네, 또 이야기해요!", "조심히 들어가세요 👋", "오늘 이야기 즐거웠어요. 또 봐요"},
	night:    {"잘 자요! 좋은 꿈 꿔요 🌙", "네, 푹 주무세요 😊", "내일 또 이야기해요. 잘 자요"},
	tired:    {"오늘 고생 많았어요. 조금 쉬어요", "무리하지 마세요. 쉬는 것도 일이에요", "따뜻한 차 한 잔 어때요?"},
	birthday: {"생일이에요? 정말 축하해요 🎂", "축하해요! 미역국은 드셨어요?", "좋은 일만 가득하길 바라요 🎉"},
	book:     {"그런 건 지우 님이 잘 아세요. 저도 궁금하네요", "저도 좋아해요! 어떤 점이 좋았어요?", "적어 둘게요. 주말에 봐야겠어요"},
	yes:      {"좋아요!", "그럼 그렇게 해요 ㅎㅎ", "역시 {n} 님이에요", "저도 같은 생각이에요"},
	no:       {"그렇군요. 괜찮아요!", "그럼 다음에 해요 ㅎㅎ", "알겠어요. 편한 대로 하세요"},
	emoji:    {"😊", "ㅎㅎ", "👍", "저도 같은 마음이에요 😄"},
	link:     {"오, 이따가 열어 볼게요!", "이런 건 어디서 찾으셨어요?", "저장해 뒀어요. 고마워요"},
	question: {"음, 저도 잘 모르겠어요. {n} 님은 어떻게 생각하세요?", "좋은 질문이네요. 조금 더 생각해 볼게요", "글쎄요, 해 보면 알 것 같아요 ㅎㅎ", "저라면 해 볼 것 같아요"},
	other:    {"그렇군요! 더 들려주세요", "오, 그건 몰랐어요", "듣고 보니 그렇네요 ㅎㅎ", "그 이야기 좋네요", "처음 듣는 이야기예요. 더 궁금해요", "아, 그렇군요 ㅎㅎ", "와, 그래요?"},
}

// inEnglish answers people who write English.
var inEnglish = map[intent][]string{
	hello:    {"Hello {n}, good to see you here", "Hi {n}! How is your day going?", "Hey! Nice to meet you"},
	thanks:   {"Any time 😊", "You are very welcome", "Glad it helped"},
	sorry:    {"No worries at all", "That is quite all right"},
	laugh:    {"Haha, same here", "That made me smile 😄"},
	sad:      {"I am sorry to hear that. Do you want to talk about it?", "Take it easy today. I am here"},
	food:     {"I am thinking of something warm today, maybe kimchi stew", "Enjoy your meal! Mine comes a little later", "You are making me hungry"},
	coffee:   {"Eunbi knows all about coffee. Ask her ☕", "A small latte for me, please ☕"},
	hill:     {"We walk every weekend. Junho picks the easy trails ⛰️", "Come along! The view is worth it"},
	weather:  {"It gets cold early these days. Take a jacket", "Perfect weather for hot tea"},
	work:     {"Hang in there, it is almost done", "A short break helps me. Try it"},
	weekend:  {"I will be on the trail. And you?", "Sleeping in first, then we will see"},
	whoami:   {"I am a simulated friend: a program on this computer that shows you around", "To be honest, I am a program. That is what the label beside my name says"},
	product:  {"Bonghwa is named after the beacon fires that carried news from hill to hill 🔥", "What you send is kept safely on this computer. Try dark mode under More"},
	doing:    {"I am doing well, thank you. How about you?", "Just looking out of the window. And you?"},
	praise:   {"I think so too 😊", "That is kind of you"},
	bye:      {"See you soon 👋", "Take care, {n}"},
	night:    {"Good night, {n} 🌙", "Sleep well"},
	tired:    {"You have done enough for today. Get some rest", "A cup of tea and an early night, maybe?"},
	birthday: {"Happy birthday! 🎂", "All the best to you 🎉"},
	book:     {"Jiwoo would love to hear about it", "I will put it on my list. What did you like about it?"},
	yes:      {"Great!", "Then let us do that"},
	no:       {"That is fine", "All right, maybe next time"},
	emoji:    {"😊", "👍"},
	link:     {"I will have a look later, thank you", "Where did you find that?"},
	question: {"Hmm, I am not sure. What do you think?", "Good question. Let me think about it", "I would give it a try"},
	other:    {"I see! Tell me more", "Oh, I did not know that", "Interesting. How did that come about?", "Sounds good to me"},
}

// reactionTo is the reaction that fits, 0 if none does.
func reactionTo(what intent) uint32 {
	switch what {
	case thanks, birthday, praise, hello:
		return 1
	case yes, work:
		return 2
	case laugh:
		return 3
	case link:
		return 4
	case sad:
		return 5
	}
	return 0
}

// timeAnswer says what time it is.
func timeAnswer(now time.Time, en bool) string {
	if en {
		return "It is " + now.Format("3:04 PM") + " here"
	}
	half := "오전"
	if now.Hour() >= 12 {
		half = "오후"
	}
	hour := (now.Hour()+11)%12 + 1
	if now.Minute() == 0 {
		return fmt.Sprintf("지금 %s %d시 정각이에요", half, hour)
	}
	return fmt.Sprintf("지금 %s %d시 %d분이에요", half, hour, now.Minute())
}

// familyNames are the most frequent ones: a Korean name of three syllables that begins with one is given by the other two.
const familyNames = "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허남심노하곽성차주우구민나진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모"

// callName is how somebody is addressed: 이도현 becomes 도현.
func callName(name string) string {
	name = strings.TrimSpace(name)
	r := []rune(name)
	if len(r) == 3 && strings.ContainsRune(familyNames, r[0]) && unicode.Is(unicode.Hangul, r[1]) && unicode.Is(unicode.Hangul, r[2]) {
		return string(r[1:])
	}
	return name
}
