// The states that are only for pictures: questions, what is not found, what is told in passing, small windows. Most of them are
// made of parts that the other tour passes, so they are not examined.
import type { Demo } from './demo.ts'
import { logIn, signUp, write } from './enter.ts'
import { Guide, type TourOptions, desk, phone, ridge, wide } from './guide.ts'
import { patience } from './hands.ts'
import { type House, furnish } from './house.ts'
import { Person, directRoom } from './person.ts'
import { Proxy } from './proxy.ts'
import { Server } from './server.ts'

const small = { width: 320, height: 640 }

/** moreTour goes past them. A stop that is not reached ends its stretch, not the others; all of them are told at the end. */
export async function moreTour(o: TourOptions): Promise<void> {
  const missed: unknown[] = []
  const stretch = (go: () => Promise<void>) => go().catch((e: unknown) => void missed.push(e))
  const server = await Server.start(['--no-limits'])
  try {
    await stretch(() => begin(o, server))
    await stretch(() => soon(o))
    const house = await furnish(server.url)
    await stretch(() => inRooms(o, server, house))
    await stretch(() => questions(o, server, house))
    await stretch(() => amongPeople(o, server, house))
    await stretch(() => onPhone(o, server, house))
    await stretch(() => onSmall(o, server, house))
    await stretch(() => offline(o, server, house))
    await stretch(() => banners(o, server, house))
    await stretch(() => ends(o, server, house))
  } finally {
    await server.stop()
  }
  if (missed.length > 0) throw new Error(missed.map((e) => (e instanceof Error ? `${e.message}\n${e.stack ?? ''}` : String(e))).join('\n\n'))
}

/** begin: a form filled in wrongly, and the page that anybody may read. */
async function begin(o: TourOptions, server: Server): Promise<void> {
  const g = await Guide.start(o, server.url, desk)
  await write(g.page.getByLabel('이름'), '이도현')
  await write(g.page.getByLabel('아이디'), 'do')
  await write(g.page.getByLabel('비밀번호', { exact: true }), '1234567')
  await g.button('가입하고 시작하기').click()
  await g.see('signup-wrong', '한 글자만')
  await g.close()
  const s = await Guide.start(o, server.url, desk, { bypassCSP: true })
  await statusPage(s)
  await s.see('status-one', '이 컴퓨터에서 돌아가는 봉화예요')
  await s.close()
}

/** statusPage opens /status with the client's own type: that page takes what the machine has, and a build server has none. */
export async function statusPage(g: Guide): Promise<void> {
  await g.page.goto(g.url)
  const type = await g.page.locator('link[href*="fonts.css"]').first().getAttribute('href')
  await g.page.goto(`${g.url}/status?lang=ko`)
  await g.page.addStyleTag({ url: type! })
}

/** soon: friends, but not a word said yet. */
async function soon(o: TourOptions): Promise<void> {
  const server = await Server.start(['--no-limits'])
  const me = await Person.signUp(server.url, 'dohyun.lee', '이도현')
  await me.addFriend((await Person.signUp(server.url, 'junho.park', '박준호')).id)
  const g = await Guide.start(o, server.url, desk)
  await logIn(g.page, 'dohyun.lee')
  await g.page.getByText('아직 대화가 없어요').waitFor()
  await g.see('list-empty', '봉화에 오신 것을 환영해요')
  await g.page.setViewportSize(phone)
  await g.see('list-empty-phone', '아직 대화가 없어요')
  await g.close()
  await server.stop()
}

async function inRooms(o: TourOptions, server: Server, house: House): Promise<void> {
  const { me, people, rooms } = house
  await people.junho.online()
  const g = await Guide.start(o, server.url, desk)
  const { page } = g
  const log = page.getByRole('log')
  const field = page.getByRole('textbox', { name: '메시지', exact: true })
  await logIn(page, 'dohyun.lee')
  await g.at(`/room/${rooms.hike}`)
  await log.getByRole('button', { name: /좋아요/ }).first().hover()
  await page.getByRole('status').filter({ hasText: '박준호' }).waitFor()
  await g.see('reactions-who')
  await field.fill('가나다라마바사 '.repeat(1300))
  await g.see('too-long', /줄이면 보낼 수 있어요/)
  await field.fill('')
  await g.button('이 채팅방에서 찾기').click()
  await page.keyboard.type('설악산')
  await g.see('find-none', '찾지 못했어요')
  await g.button('찾기 닫기').click()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('ㅋㅋㅎㅎ')
  await g.see('palette-none', /찾지 못했어요/)
  await page.keyboard.press('Escape')
  const first = log.locator('[data-line]').filter({ hasText: '이번 일요일, 8시' }).locator('[data-bubble]')
  await first.click({ button: 'right' })
  await g.see('message-menu-other', '답장')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+Shift+B')
  await g.see('toast', '알림을 껐어요')
  await g.button('되돌리기').click()

  // The 1:1, the own room, and a large one with a search of its own.
  await g.at(`/room/${directRoom(me.id, people.mirae.id)}/info`)
  await g.see('info-direct', '그룹 채팅 만들기')
  await g.at(`/room/${directRoom(me.id, me.id)}/info`)
  await g.see('info-self', '나만 보는 채팅')
  const many = await Promise.all(Array.from({ length: 40 }, (_, i) => Person.signUp(server.url, `hiker.${i + 1}`, `산친구 ${i + 1}`)))
  const big = await me.createGroup('둘레길 걷는 사람들', [...Object.values(people), ...many].map((p) => p.id))
  await page.setViewportSize(wide)
  await g.dark(true)
  await g.at(`/room/${big}`)
  await page.getByRole('searchbox', { name: '참여자 찾기' }).fill('ㅂㅈ')
  await g.see('info-many-wide-dark', /참여자 \d+명을 찾았어요/)
  await g.dark(false)
  await page.setViewportSize(desk)

  // What came while I was away, and while I read above.
  for (let i = 1; i <= 40; i++) await people.junho.send(big, i % 3 === 0 ? `${i}번 안내: 물과 겉옷을 챙겨 주세요` : `${i}번 조는 ${i}번 출구에서 만나요`)
  await g.at(`/room/${big}`)
  await log.getByText('40번 조는').waitFor()
  await g.see('unread-above', /안 읽은 메시지 \d+개/)
  await log.evaluate((el) => {
    el.scrollTop = 0
  })
  await people.junho.send(big, '모두 모였나요?')
  await g.see('new-below', /새 메시지 \d+개/)
  await g.close()
}

async function questions(o: TourOptions, server: Server, house: House): Promise<void> {
  const { rooms } = house
  const g = await Guide.start(o, server.url, desk)
  const { page } = g
  await logIn(page, 'dohyun.lee')
  await g.at(`/room/${rooms.hike}/info`)
  await g.button('채팅방 나가기').click()
  await g.see('leave-ask', /나갈까요/)
  await page.keyboard.press('Escape')
  await g.at(`/room/${rooms.hike}`)
  await page.getByRole('log').getByRole('button', { name: '박준호 프로필' }).first().click()
  await page.getByRole('dialog').getByText('지금 접속해 있어요').waitFor()
  await g.see('profile-online')
  await g.button('차단').click()
  await g.see('block-ask', /차단할까요/)
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await g.at('/more')
  await g.button('로그아웃').click()
  await g.see('logout-ask', /로그아웃할까요/)
  await page.keyboard.press('Escape')
  await g.at('/more/password')
  await g.button('계정 없애기').click()
  await g.see('account-end-ask', '계정을 없앨까요?')
  await page.keyboard.press('Escape')
  await g.at('/more/devices')
  await g.button(/이름 바꾸기/).first().click()
  await g.see('device-rename', '기기 이름 바꾸기')
  await g.close()
}

async function amongPeople(o: TourOptions, server: Server, house: House): Promise<void> {
  const g = await Guide.start(o, server.url, desk)
  const { page } = g
  await logIn(page, 'dohyun.lee')
  await g.at('/friends')
  await page.getByRole('searchbox', { name: '친구 찾기' }).fill('ㅊㅇㅈㅇ')
  await g.see('friends-none', /찾지 못했어요/)
  await page.getByRole('searchbox', { name: '친구 찾기' }).fill('')
  await g.button('친구 추가').click()
  await g.see('add-empty', /점\(\.\), 밑줄/)
  await write(page.getByLabel('친구의 아이디'), 'junho.park')
  await g.see('add-already', '이미 친구예요')
  await page.getByLabel('친구의 아이디').fill('dohyun.lee')
  await g.see('add-me', /나와의 채팅에 메모를/)
  await g.at(`/room/${directRoom(house.people.alex.id, house.people.minseo.id)}`)
  await g.see('room-missing', '이 채팅방을 찾을 수 없어요')
  await house.people.alex.sendTo(house.me.id, '안녕하세요! 산악회에서 뵌 알렉스예요 🙂')
  await g.at(`/room/${directRoom(house.people.alex.id, house.me.id)}`)
  await g.see('stranger', '친구로 추가하지 않은 사람이에요')
  await page.setViewportSize(phone)
  await g.dark(true)
  await g.see('stranger-phone-dark')
  await g.close()
}

async function onPhone(o: TourOptions, server: Server, house: House): Promise<void> {
  const { me, people, rooms } = house
  const g = await Guide.start(o, server.url, phone)
  const { page } = g
  await logIn(page, 'dohyun.lee')
  await g.at(`/room/${rooms.hike}`)
  await g.dark(true)
  await g.button('이 채팅방에서 찾기').click()
  await page.keyboard.type('김밥')
  await g.see('find-phone-dark', /개 중/)
  await g.dark(false)
  await g.button('찾기 닫기').click()
  await page.getByRole('log').getByRole('button', { name: '최은지 프로필' }).first().click()
  await g.see('profile-phone', '채팅하기')
  await page.keyboard.press('Escape')
  await page.getByRole('log').locator('[data-line]').filter({ hasText: '뜨거운 물은' }).locator('[data-bubble]').click({ button: 'right' })
  await page.getByRole('menuitem', { name: '답장' }).click()
  await g.see('reply-phone', '이수빈 님에게 답장')
  await g.at('/more/devices')
  await g.see('devices-phone', '다른 기기 모두 로그아웃')
  await g.button('다른 기기 모두 로그아웃').click()
  await g.see('revoke-phone', /로그아웃할까요/)
  await page.keyboard.press('Escape')
  await g.at('/more/link')
  await g.see('link-phone', '새 기기에 보이는 숫자 8개')
  await g.at('/more/password')
  await g.see('password-phone', '비밀번호 바꾸기')
  await g.at('/more/invitations')
  await g.button('새 링크 만들기').click()
  await g.see('invitations-phone', '쓸 수 있어요')
  await me.block(people.jaemin.id)
  await g.at('/more/blocked')
  await g.see('blocked-people-phone', '송재민')
  await g.at('/more')
  await g.button(/내 프로필 고치기/).first().click()
  await page.locator('input[type=file]').setInputFiles({ name: 'ridge.png', mimeType: 'image/png', buffer: await ridge(page) })
  await g.see('crop-phone', '끌어서 자리를 잡아요')
  await page.keyboard.press('Escape')
  await g.set({ text: 'large' })
  await g.at(`/room/${rooms.hike}/info`)
  await g.see('info-phone-large', '이 채팅방에서 찾기')
  await g.set({ text: 'normal' })
  await g.close()
}

async function onSmall(o: TourOptions, server: Server, house: House): Promise<void> {
  const g = await Guide.start(o, server.url, small)
  await g.button('로그인').click()
  await g.button('다른 기기로 로그인').click()
  await g.see('new-device-code-320', /남았어요/)
  await g.button('비밀번호로 로그인').click()
  await logIn(g.page, 'dohyun.lee')
  await g.see('list-320', '북한산 산행 모임')
  await g.at(`/room/${house.rooms.hike}`)
  await g.hear('room-320', '김밥은 제가 맡을게요!')
  await g.set({ text: 'large' })
  await g.at('/more/devices')
  await g.see('devices-320-large', '다른 기기 모두 로그아웃')
  await g.set({ text: 'normal' })
  await g.close()
}

async function offline(o: TourOptions, server: Server, house: House): Promise<void> {
  const proxy = await Proxy.start(server.port)
  const g = await Guide.start(o, proxy.url, phone)
  const { page } = g
  await logIn(page, 'dohyun.lee')
  await g.at(`/room/${house.rooms.class5}`)
  await page.getByRole('log').getByText('사다리타기로 해요').waitFor()
  proxy.swallow = true
  proxy.cut()
  await page.getByText('봉화에 다시 연결하고 있어요').waitFor()
  await write(page.getByRole('textbox', { name: '메시지', exact: true }), '지하철이라 잠깐 끊겼어요')
  await page.keyboard.press('Enter')
  await g.button('보내기').click({ timeout: 1000 }).catch(() => undefined) // Enter breaks the line where a finger writes
  await g.hear('offline-phone', '기다리는 중')
  await g.close()
  await proxy.stop()
}

/** banners: the clock is wrong; the disk is full. */
async function banners(o: TourOptions, server: Server, house: House): Promise<void> {
  const g = await Guide.start(o, server.url, desk)
  await g.page.addInitScript(() => {
    const now = Date.now.bind(Date)
    Date.now = () => now() + 17 * 60_000
  })
  await g.page.reload()
  await logIn(g.page, 'dohyun.lee')
  await g.at(`/room/${house.rooms.class5}`)
  await g.see('clock', /시계가 17분 빨라요/)
  await g.close()
  const f = await Guide.start(o, server.url, desk)
  await logIn(f.page, 'dohyun.lee')
  await f.at(`/room/${house.rooms.class5}`)
  await f.page.getByRole('log').getByText('사다리타기로 해요').waitFor()
  await f.page.evaluate(() => {
    IDBObjectStore.prototype.put = IDBObjectStore.prototype.add = () => {
      throw new DOMException('full', 'QuotaExceededError')
    }
  })
  await write(f.page.getByRole('textbox', { name: '메시지', exact: true }), '영수증 올릴게요')
  await f.page.keyboard.press('Enter')
  await f.see('storage-full', '저장 공간이 꽉 찼어요')
  await f.close()
}

/** ends: who has closed the account, and a room that is left in another window. */
async function ends(o: TourOptions, server: Server, house: House): Promise<void> {
  const { me, people } = house
  const gone = await Person.signUp(server.url, 'soon.gone', '곧떠남')
  await gone.sendTo(me.id, '그동안 고마웠어요')
  const g = await Guide.start(o, server.url, desk)
  await logIn(g.page, 'dohyun.lee')
  const leaver = await Guide.start(o, server.url, phone)
  await logIn(leaver.page, 'soon.gone')
  await leaver.at('/more/password')
  await leaver.button('계정 없애기').click()
  await write(leaver.page.getByRole('alertdialog').getByLabel('지금 비밀번호'), 'correct horse')
  await leaver.page.getByRole('alertdialog').getByRole('button', { name: '계정 없애기' }).click()
  await leaver.see('account-ended-phone', '계정을 없앴어요')
  await leaver.close()
  await g.at(`/room/${directRoom(me.id, gone.id)}`)
  await g.see('closed-account', '탈퇴한 사람과의 대화예요')
  const left = await people.hana.createGroup('주말 빵 나눔', [me.id, people.yuri.id])
  await people.hana.send(left, '호밀빵 두 덩이 남았어요')
  await g.at(`/room/${left}`)
  await g.page.getByRole('log').getByText('호밀빵').waitFor()
  await me.leave(left)
  await g.see('room-left', /나간 채팅방이에요|찾을 수 없어요/)
  await g.close()
}

/** amongTwelve is somebody in the demo's house of three sites. */
export async function amongTwelve(o: TourOptions, demo: Demo): Promise<void> {
  const g = await Guide.start(o, demo.url('seoul'), desk)
  const { page } = g
  await signUp(page, '이도현', 'dohyun.lee')
  await page.getByRole('option').first().click(patience)
  await g.hear('demo', /./)
  await g.at('/friends')
  await g.see('demo-friends', '가상')
  await g.at('/chats')
  await page.getByRole('option').first().click(patience)
  await page.getByRole('log').waitFor(patience)
  await g.button(/연결되어 있어요/).click()
  await g.see('flames', '데이터센터 3곳에서 돌아가는 봉화')
  await page.keyboard.press('Escape')
  const s = await Guide.start(o, demo.url('busan'), desk, { bypassCSP: true })
  await statusPage(s)
  await s.see('status', /모두 켜져 있어요/)
  await s.close()
  await g.close()
}
