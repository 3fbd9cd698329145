package demo

import "slices"

// person is one of the twelve.
type person struct {
	handle, name, given string
	status, profile     string
	// hello opens a conversation with a newcomer; topics are what this person begins to talk about later, at most once
	// each; own are answers in this person's way, by what was said.
	hello  []string
	topics []string
	own    map[intent][]string
	// slow is how long, in seconds at the most, this person takes to look.
	slow int
}

// people are the twelve. Their places are kept: scripts and tests name them by given name only.
var people = []person{
	{
		handle: "junho.park", name: "박준호", given: "준호", status: "산에 갑니다 ⛰️", profile: "북한산 산행 모임을 이끌어요. 천천히, 안전하게.", slow: 15,
		hello:  []string{"안녕하세요, {n} 님! 북한산 산행 모임의 박준호예요 ⛰️"},
		topics: []string{"{n} 님은 산을 좋아하세요?", "이번 주말에는 완만한 길로 걸을 거예요. 쉬엄쉬엄 가도 괜찮아요", "혹시 등산화가 없어도 걱정 마세요. 운동화로 갈 수 있는 길도 많아요", "오늘 하늘 보셨어요? 능선이 또렷하게 보여요"},
		own: map[intent][]string{
			hill:    {"처음이면 둘레길부터 걸어 봐요. 두 시간이면 넉넉해요", "산은 늘 그 자리에 있으니까 천천히 와도 돼요 ⛰️", "무릎 보호대랑 물만 챙기면 준비 끝이에요"},
			weekend: {"주말에 시간 되시면 같이 걸어요. 8시에 만나요"},
			weather: {"산 위는 {3|4|5}도쯤 더 추워요. 겉옷을 하나 더 챙기세요"},
		},
	},
	{
		handle: "eunji.choi", name: "최은지", given: "은지", status: "한옥 마루에서 낮잠", profile: "먹으려고 산에 올라가요.", slow: 20,
		hello:  []string{"{n} 님, 반가워요! 저는 최은지예요 ㅎㅎ"},
		topics: []string{"오늘 뭐 드셨어요? 저는 그게 제일 궁금해요", "김밥에 뭐가 들어가야 제일 맛있을까요?", "저는 걷는 것보다 내려와서 먹는 두부가 좋아요 ㅋㅋ"},
		own: map[intent][]string{
			food: {"오, 맛있겠다! 저도 그거 먹을래요", "저는 김밥이요. 하루 세 번도 먹을 수 있어요", "먹는 이야기가 제일 좋아요 ㅎㅎ"},
		},
	},
	{
		handle: "jiwoo.han", name: "한지우", given: "지우", status: "읽고 있어요", profile: "밤에 책을 읽고, 낮에 산을 읽어요.", slow: 60,
		hello:  []string{"안녕하세요, {n} 님. 한지우예요. 천천히 이야기해요"},
		topics: []string{"요즘 읽는 책 있으세요?", "오늘 본 것 중에 가장 예쁜 건 뭐였어요?", "저는 헌책방에 가면 지도부터 찾아봐요"},
		own: map[intent][]string{
			book:  {"좋은 책이죠. 다 읽으면 어땠는지 이야기해 주세요", "저는 요즘 시집을 읽어요. 한 장씩 아껴서요", "책 이야기라면 밤새 할 수 있어요 📖"},
			night: {"잘 자요, {n} 님. 좋은 꿈 꿔요 🌙"},
		},
	},
	{
		handle: "haneul.oh", name: "오하늘", given: "하늘", status: "천천히, 끝까지", profile: "물류 3팀 · 주말에는 바다", slow: 25,
		hello:  []string{"{n} 님 안녕하세요! 오하늘이에요 😊"},
		topics: []string{"저는 오늘 {8|9|10|11},{100~999}걸음 걸었어요. {n} 님은요?", "바다가 좋아요, 산이 좋아요?", "식물을 하나 키우고 있는데 새잎이 났어요 🌱"},
		own: map[intent][]string{
			tired: {"오늘은 일찍 쉬어요. 내일 할 수 있는 일은 내일 해요", "따뜻한 물 한 잔 드세요. 저는 그게 제일 낫더라고요"},
		},
	},
	{
		handle: "taeyang.jung", name: "정태양", given: "태양", status: "오늘도 마감", profile: "컵라면은 정상에서.", slow: 18,
		hello:  []string{"반갑습니다! 정태양이에요. 농담은 반만 믿어 주세요 ㅋㅋ"},
		topics: []string{"사다리타기 좋아하세요? 저는 늘 져요 ㅋㅋ", "점심 메뉴를 못 고르겠어요. 하나만 골라 주세요", "눕기 좋은 날씨네요. 늘 그렇지만요"},
		own: map[intent][]string{
			laugh: {"ㅋㅋㅋㅋ 저도요", "웃으셨죠? 오늘 제 일은 끝났어요 ㅋㅋ", "제 농담에 웃어 주시는 분은 처음이에요 ㅋㅋㅋ"},
			food:  {"고민될 때는 김치찌개예요. 틀린 적이 없어요", "저는 벌써 두 번 먹었어요 ㅋㅋ"},
		},
	},
	{
		handle: "subin.lee", name: "이수빈", given: "수빈", status: "생일 주간 🎂", profile: "고양이 두 마리와 살아요.", slow: 15,
		hello:  []string{"{n} 님! 이수빈이에요. 고양이 좋아하세요? 🐱"},
		topics: []string{"우리 집 고양이가 방금 자판 위를 걸어갔어요ㅁㄴㅇㄹ", "강아지파예요, 고양이파예요?", "이번 주가 생일 주간이라 케이크만 {세|네} 번 먹었어요"},
		own: map[intent][]string{
			birthday: {"고마워요!! 오늘은 제가 주인공이에요 🎂", "축하받으니까 하루가 달라요 🥹"},
			thanks:   {"헤헤 별말씀을요!", "저야말로 고마워요 🥹"},
		},
	},
	{
		handle: "mirae.yoon", name: "윤미래", given: "미래", status: "자전거 배우는 중 🚲", profile: "넘어지면 잠깐 누워 있어요.", slow: 40,
		hello:  []string{"안녕하세요, {n} 님! 윤미래예요. 잘 부탁드려요"},
		topics: []string{"새로 배우고 싶은 게 있으세요? 저는 요즘 자전거를 배워요", "스트레칭 한번 하고 가실래요? 목을 천천히 돌려 보세요", "오늘 하루는 어땠어요?"},
		own: map[intent][]string{
			sad: {"무슨 일 있었어요? 이야기하고 싶으면 들을게요", "그런 날이 있어요. 천천히 지나갈 거예요"},
		},
	},
	{
		handle: "eunbi.go", name: "고은비", given: "은비", status: "커피 한 잔의 여유 ☕", profile: "2층 카페를 지켜요. 창가 자리가 좋아요.", slow: 8,
		hello:  []string{"{n} 님, 어서 오세요! 저는 2층 카페에 있어요 ☕"},
		topics: []string{"오늘의 원두는 {고소한|산뜻한|달콤한} 맛이에요. 어떤 맛을 좋아하세요?", "창가 자리가 하나 비었어요. {n} 님 자리로 맡아 둘게요", "비 오는 날에는 라떼가 잘 나가요"},
		own: map[intent][]string{
			coffee: {"그럼 한 잔 내려 둘게요 ☕", "저는 따뜻한 라떼를 좋아해요. 우유 거품은 얇게요", "커피 이야기라면 언제든지요 ☕"},
			hello:  {"어서 오세요, {n} 님 ☕", "반가워요! 오늘은 어떤 하루예요?"},
			bye:    {"조심히 가세요. 자리는 늘 비워 둘게요 ☕"},
		},
	},
	{
		handle: "doyun.kwon", name: "권도윤", given: "도윤", status: "물류 3팀 · 안전이 먼저", profile: "업무 보고는 짧고 또렷하게.", slow: 12,
		hello:  []string{"{n} 님, 물류 3팀의 권도윤이에요. 반갑습니다"},
		topics: []string{"오늘 팀 보고는 보셨어요? 궁금한 게 있으면 물어봐 주세요", "알림이 많으면 업무 보고 방은 꺼 두셔도 괜찮아요", "물 자주 드세요. 저는 한 시간에 한 번 알람을 맞춰요"},
		own: map[intent][]string{
			work:  {"보고 고마워요. 확인했어요", "무리하지 말고, 안전하게 가요", "막히는 게 있으면 바로 말해 주세요. 같이 볼게요"},
			tired: {"오늘은 여기까지 하고 쉬세요. 제가 마무리할게요"},
		},
	},
	{
		handle: "jian.seo", name: "서지안", given: "지안", status: "단감 철이 왔어요", profile: "새벽시장 단감 나눔을 해요. 🍊", slow: 20,
		hello:  []string{"단감 좋아하세요?", "{n} 님 이웃이 된 서지안이에요. 나눔이 있으면 알려 드릴게요 🍊"},
		topics: []string{"새벽시장 공기가 참 좋아요. 다음에 같이 가요", "단감은 껍질째 먹는 게 제일 달아요", "어머니가 오늘은 떡을 하셨어요. 나눠 드리고 싶네요"},
		own: map[intent][]string{
			yes:  {"좋아요! 제일 단 걸로 골라 둘게요 🍊", "그럼 {두|세} 개 챙겨 둘게요"},
			no:   {"그렇군요 ㅎㅎ 그럼 다음 달에는 귤을 드릴게요"},
			food: {"밥 먹고 단감 하나 어때요? 🍊"},
		},
	},
	{
		handle: "yejin.na", name: "나예진", given: "예진", status: "휴가 중, 월요일에 답할게요", profile: "사진 찍고 걷고, 다시 사진.", slow: 90,
		hello:  []string{"반가워요 👋", "저는 나예진이에요. 휴가 중이라 답이 조금 늦을 수 있어요"},
		topics: []string{"지금 바다 앞이에요. 파도 소리가 들리면 좋을 텐데요 🌊", "최근에 찍은 사진 중에 마음에 드는 게 있으세요?", "여행 가면 아침 산책을 꼭 해요. {n} 님은요?"},
		own: map[intent][]string{
			weather: {"여기는 바람이 조금 불어요. 그래도 하늘은 맑아요 🌊"},
			hello:   {"안녕하세요, {n} 님 👋 저는 지금 휴가예요"},
		},
	},
	{
		handle: "jihun.bae", name: "배지훈", given: "지훈", status: "밤에 강해요", profile: "야간조. 낮에는 자고 있어요.", slow: 150,
		hello:  []string{"{n} 님, 배지훈이에요. 주로 밤에 깨어 있어요 🌙"},
		topics: []string{"밤에 라디오 들으세요? 저는 늘 켜 둬요", "새벽 {3|4}시 하늘이 제일 조용해요", "야식 참는 법 아시는 분... 저는 몰라요"},
		own: map[intent][]string{
			night: {"푹 주무세요. 밤은 제가 지킬게요 🌙", "저는 이제 시작이에요 ㅎㅎ 잘 자요"},
		},
	},
}

// room is a group of theirs.
type room struct {
	key, title string
	// host makes the room and invites; welcome is what the host says to a newcomer.
	host    int
	members []int
	welcome []string
	scenes  []scene
	// Newcomers are invited after inviteAfter seconds; history is how many messages it has from the beginning.
	inviteAfter int
	history     int
	// weight is the share of the talk; pause the least number of seconds between two scenes.
	weight, pause int
}

func rooms() []room {
	return []room{
		{key: "trail", title: "북한산 산행 모임", host: 0, members: called("준호", "은지", "지우", "하늘", "태양", "수빈", "미래", "지안", "예진"), scenes: mustScenes("trail"),
			welcome:     []string{"{n} 님이 오셨어요! 다들 인사해 주세요 👋", "{n} 님, 우리 모임에 잘 오셨어요. 편하게 이야기해 주세요"},
			inviteAfter: 50, history: 1000, weight: 66, pause: 12},
		{key: "work", title: "물류 3팀 업무 보고", host: 8, members: called("도윤", "지훈", "태양", "하늘", "지안", "수빈", "미래", "준호"), scenes: mustScenes("work"),
			welcome:     []string{"{n} 님이 함께하게 됐어요. 궁금한 건 무엇이든 물어봐 주세요"},
			inviteAfter: 120, weight: 32, pause: 40},
		{key: "market", title: "새벽시장 단감 나눔", host: 9, members: called("지안", "은비", "지훈", "예진", "태양", "은지", "도윤"), scenes: mustScenes("market"),
			welcome:     []string{"{n} 님, 나눔이 있을 때만 조용히 알려 드릴게요 🍊"},
			inviteAfter: 420, weight: 4, pause: 1500},
	}
}

func called(given ...string) (list []int) {
	for _, g := range given {
		list = append(list, personCalled(g))
	}
	slices.Sort(list)
	return list
}
