// A house with people in it: friends, rooms and conversations as they are, for tests that look at every screen.
import { Person } from './person.ts'

const cast = {
  junho: ['junho.park', '박준호', '주말엔 산'],
  eunji: ['eunji.choi', '최은지', '단감 철이에요'],
  jiwoo: ['jiwoo.han', '한지우', ''],
  subin: ['subin.lee', '이수빈', '고양이 두 마리'],
  mother: ['mom.kim', '엄마', '밥은 먹었니'],
  taeyang: ['taeyang.j', '정태양', ''],
  mirae: ['mirae.yoon', '윤미래', '내일도 맑음'],
  minseo: ['minseo.kang', '강민서', '사진 찍어요'],
  eunbi: ['eunbi.go', '고은비', ''],
  seojun: ['seojun.na', '나서준', '출근길 한 줄'],
  hana: ['hana.moon', '문하나', '오늘의 빵은 호밀'],
  yuri: ['yuri.bae', '배유리', ''],
  doha: ['doha.seo', '서도하', '물은 하루 여덟 잔'],
  jaemin: ['jaemin.song', '송재민', ''],
  ari: ['ari.an', '안아리', '읽는 중: 토지'],
  sehun: ['sehun.jang', '장세훈', ''],
  areum: ['areum.cha', '차아름', '느리게 걷기'],
  taeri: ['taeri.ha', '하태리', ''],
  alex: ['alex.w', 'Alexandra Wellington-Smythe', 'Hello from far away'],
} as const

type Who = keyof typeof cast

export interface House {
  readonly me: Person
  readonly people: Readonly<Record<Who, Person>>
  readonly rooms: { readonly hike: string; readonly class5: string; readonly work: string; readonly market: string; readonly long: string }
}

/** furnish signs everybody up and lets them talk. me is 이도현, dohyun.lee, with the password of all of them. */
export async function furnish(url: string): Promise<House> {
  const me = await Person.signUp(url, 'dohyun.lee', '이도현')
  await me.profile('이도현', '천천히, 꾸준히')
  const people = {} as Record<Who, Person>
  for (const [who, [handle, name, status]] of Object.entries(cast) as [Who, readonly [string, string, string]][]) {
    const p = await Person.signUp(url, handle, name)
    people[who] = p
    if (status !== '') await p.profile(name, status)
    if (who !== 'alex' && who !== 'minseo') await me.addFriend(p.id)
  }
  const { junho, eunji, jiwoo, subin, mother, taeyang, mirae, minseo, seojun, hana, alex } = people
  await minseo.addFriend(me.id)
  await alex.addFriend(me.id)
  const ids = (...of: Person[]) => of.map((p) => p.id)

  const memo = await me.sendTo(me.id, '장보기: 두부, 대파, 들기름')
  void memo
  await mirae.sendTo(me.id, '다음 주 목요일 회의는 두 시로 옮길까요?')
  await me.sendTo(mirae.id, '네, 두 시 좋아요')
  await mirae.sendTo(me.id, '네, 다음 주 목요일에 뵐게요 😊')
  await jiwoo.sendTo(me.id, '사진 잘 받았어요. 단풍이 벌써 그렇게 들었네요 🍁')
  await subin.sendTo(me.id, '저녁에 잠깐 들를게요. 고양이 간식 가져가요')

  const work = await seojun.createGroup('물류 3팀 업무 보고', ids(me, jiwoo, taeyang, hana, people.yuri, people.doha, people.jaemin, people.sehun, people.areum))
  const reports = ['08:30 입고 412건, 파손 없음', '10:00 2번 문 컨베이어 점검 끝', '11:20 부산행 3대 출발', '오전 출고 1,284건을 마쳤어요. 지연은 없어요.']
  for (const r of reports) await seojun.send(work, r)
  const market = await hana.createGroup('새벽시장 공동구매', ids(me, ...Object.values(people).filter((p) => p !== hana)))
  for (let i = 1; i <= 120; i++) await hana.send(market, i === 120 ? '단감 10kg 27,000원, 오늘 자정에 마감해요' : `${i}번 주문 확인했어요`)
  const class5 = await taeyang.createGroup('대학 동기 다섯', ids(me, mirae, subin, jiwoo))
  await mirae.send(class5, '어제 밥값 나눠서 보내 주세요~ 한 사람에 13,500원이요')
  await taeyang.send(class5, '보냈어요. 다음에는 사다리타기로 해요 ㅋㅋ')
  await mother.sendTo(me.id, '밥은 챙겨 먹고 다니지?')
  await mother.sendTo(me.id, '김치 택배로 보냈다~ 내일 도착한대 🥬')
  const long = await people.ari.createGroup('아주 긴 이름의 독서 모임: 올해 안에 토지 스무 권 다 읽기 도전', ids(me, people.areum, people.taeri))
  await people.ari.send(long, `이번 주 발제문이에요.\n\n${Array.from({ length: 24 }, (_, i) => `${i + 1}. 최참판댁의 마당은 계절이 바뀔 때마다 다른 사람들로 채워지는데, 그 바뀜이 인물의 마음보다 먼저 와요.`).join('\n')}`)

  const hike = await junho.createGroup('북한산 산행 모임', ids(me, eunji, jiwoo, subin, taeyang, mirae, people.eunbi, people.doha, people.areum, people.sehun, people.ari))
  await junho.send(hike, '이번 일요일, 8시 우이역 2번 출구에서 만나요 ⛰️')
  await junho.send(hike, '코스는 도선사에서 백운대까지예요. 아래에 지도 올려 둘게요.\nhttps://example.org/map/bukhansan-baegundae')
  await eunji.send(hike, '저는 무릎 때문에 인수봉 갈림길까지만 갈게요 ㅠㅠ')
  const asked = await jiwoo.send(hike, '그럼 은지 님은 내려오는 길에 국숫집 자리 맡아 주세요 ㅎㅎ')
  await eunji.send(hike, '좋아요! 제가 제일 잘하는 일이에요', { replyTo: String(asked) })
  const weather = await me.send(hike, '일요일 아침 최저 4도래요. 다들 겉옷 하나씩 더 챙기세요')
  await junho.react(hike, weather, 2)
  await eunji.react(hike, weather, 2)
  await jiwoo.react(hike, weather, 1)
  await subin.send(hike, '뜨거운 물은 제가 두 병 가져갈게요')
  const wrong = await subin.send(hike, '아 그리고 버너도')
  await subin.remove(hike, wrong)
  await subin.send(hike, '버너는 산에서 못 쓴대요, 취소!')
  const meal = await taeyang.send(hike, '김밥은 몇 줄이면 될까요?')
  await taeyang.edit(hike, meal, '김밥은 몇 줄이면 될까요? 열두 명이면 스무 줄?')
  await eunji.send(hike, '🥹🍙')
  await me.send(hike, '스무 줄 좋아요', { replyTo: String(meal) })
  const mine = await me.send(hike, '김밥은 제가 맡을게요!')
  await junho.react(hike, mine, 1)
  for (const p of [junho, eunji, jiwoo, subin, taeyang]) await p.markRead(hike, mine)
  await me.markRead(hike, mine)
  await me.pin(hike)
  await me.mute(work)
  await me.mute(market)
  return { me, people, rooms: { hike, class5, work, market, long } }
}
