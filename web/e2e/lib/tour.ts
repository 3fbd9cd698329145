// A way past every state that the interface can show, with a real server and people who really wrote to one another. What is
// done at each stop, a picture or an examination, is the caller's.
import { networkInterfaces } from 'node:os'
import { logIn, signUp, write } from './enter.ts'
import { Guide, type TourOptions, desk, phone, ridge, tablet, wide } from './guide.ts'
import { type House, furnish } from './house.ts'
import { Person, directRoom } from './person.ts'
import { Proxy } from './proxy.ts'
import { Server, freePort } from './server.ts'

/** tour goes past all of them. A stop that is not reached ends its stretch, not the others; all of them are told at the end. */
export async function tour(o: TourOptions): Promise<void> {
  const server = await Server.start(['--no-limits'])
  const missed: unknown[] = []
  const stretch = (go: () => Promise<void>) => go().catch((e: unknown) => void missed.push(e))
  try {
    await stretch(() => entry(o, server))
    await stretch(() => alone(o))
    const house = await furnish(server.url)
    await stretch(() => inRooms(o, server, house))
    await stretch(() => amongPeople(o, server, house))
    await stretch(() => inSettings(o, server, house))
    await stretch(() => onPhone(o, server, house))
    await stretch(() => refused(o, server, house))
    await stretch(() => offline(o, server, house))
    await stretch(() => loading(o, server))
    await stretch(() => unstored(o, server))
    await stretch(() => plain(o))
  } finally {
    await server.stop()
  }
  if (missed.length > 0) throw new Error(missed.map((e) => (e instanceof Error ? `${e.message}\n${e.stack ?? ''}` : String(e))).join('\n\n'))
}

async function entry(o: TourOptions, server: Server): Promise<void> {
  await Person.signUp(server.url, 'haneul', '오하늘')
  const g = await Guide.start(o, server.url, desk)
  await g.see('signup', '가입하고 시작하기')
  await write(g.page.getByLabel('이름'), '오하늘')
  await write(g.page.getByLabel('아이디'), 'haneul')
  await g.see('signup-taken', '이미 쓰는 아이디예요')
  await g.page.setViewportSize(phone)
  await g.see('signup-phone')
  await g.page.setViewportSize(desk)
  await g.dark(true)
  await g.button('로그인').click()
  await g.see('login-dark', '다른 기기로 로그인')
  await write(g.page.getByLabel('비밀번호', { exact: true }), 'not the one')
  await g.button('로그인').click()
  await g.see('login-refused-dark', '아이디나 비밀번호가 맞지 않아요')
  await g.dark(false)
  await g.button('다른 기기로 로그인').click()
  await g.page.setViewportSize(phone)
  await g.see('new-device-code-phone', /남았어요/)
  await g.close()
}

async function alone(o: TourOptions): Promise<void> {
  const server = await Server.start(['--no-limits'])
  const g = await Guide.start(o, server.url, desk)
  await signUp(g.page, '이도현', 'dohyun.lee')
  await g.see('home', '내가 두 사람이 되어 보기')
  await g.page.setViewportSize(phone)
  await g.see('home-phone')
  await g.at('/friends')
  await g.dark(true)
  await g.see('friends-empty-phone-dark', '아직 친구가 없어요')
  await g.dark(false)
  await g.page.setViewportSize(desk)
  await g.at('/chats')
  await g.button('이 컴퓨터에서 돌아가는 봉화에 연결되어 있어요').click()
  await g.see('flame', '글은 이 컴퓨터의 디스크에 보관돼요')
  await g.close()
  await server.stop()
}

async function inRooms(o: TourOptions, server: Server, house: House): Promise<void> {
  const { me, people, rooms } = house
  const g = await Guide.start(o, server.url, desk)
  const { page } = g
  const log = page.getByRole('log')
  const field = page.getByRole('textbox', { name: '메시지', exact: true })
  const mine = log.locator('[data-line]').filter({ hasText: '김밥은 제가 맡을게요!' })
  await logIn(page, 'dohyun.lee')
  await g.see('rest', '채팅방을 골라 주세요')

  // A draft, and a room as it is every day.
  await g.at(`/room/${directRoom(me.id, people.mirae.id)}`)
  await write(field, '사진 원본은 서랍에 올려')
  await page.getByRole('option').filter({ hasText: '북한산 산행 모임' }).click()
  await page.getByText('쓰던 글').waitFor()
  await people.junho.online()
  await people.eunji.online()
  const typing = setInterval(() => people.junho.typing(rooms.hike), 1000)
  await g.see('room', '박준호 님이 쓰고 있어요')
  await g.dark(true)
  await g.see('room-dark', '박준호 님이 쓰고 있어요')
  await page.setViewportSize(wide)
  await g.see('room-wide-dark', '친구 초대하기')
  await g.dark(false)
  await g.see('room-wide')
  clearInterval(typing)
  await page.setViewportSize(tablet)
  await g.see('room-tablet')
  await g.button('채팅방 정보').click()
  await g.see('info-tablet', '친구 초대하기')
  await page.setViewportSize(desk)
  await g.see('info')
  await g.button('방 이름 바꾸기').click()
  await g.see('info-rename')
  await page.keyboard.press('Escape')
  await g.at(`/room/${rooms.hike}`)
  await g.set({ text: 'large' })
  await g.hear('room-large', '김밥은 제가 맡을게요!')
  await g.set({ text: 'normal' })

  // Acts upon a message.
  await mine.locator('[data-bubble]').hover()
  await g.see('message-tools')
  await mine.getByRole('button', { name: '더 하기' }).click()
  await g.see('message-menu', '모두에게서 삭제')
  await page.getByRole('menuitem', { name: '수정' }).click()
  await g.see('message-edit', '메시지 수정')
  await page.keyboard.press('Escape')
  await mine.locator('[data-bubble]').hover()
  await mine.getByRole('button', { name: '더 하기' }).click()
  await page.getByRole('menuitem', { name: /모두에게서 삭제/ }).click()
  await g.see('message-delete', '모두에게서 삭제할까요?')
  await page.keyboard.press('Escape')
  await log.locator('[data-line]').filter({ hasText: '뜨거운 물은' }).locator('[data-bubble]').hover()
  await log.locator('[data-line]').filter({ hasText: '뜨거운 물은' }).getByRole('button', { name: '답장' }).click()
  await write(field, '고마워요, 저는 컵을 챙길게요')
  await g.see('reply', '이수빈 님에게 답장')
  await field.fill('')
  await page.keyboard.press('Escape')
  await g.button('이모지').click()
  await page.getByRole('dialog').getByRole('option').nth(20).waitFor()
  await g.see('emoji')
  await page.keyboard.press('Escape')
  await g.button('이 채팅방에서 찾기').click()
  await page.keyboard.type('김밥')
  await g.see('find', /개 중/)
  await g.button('찾기 닫기').click()
  await page.keyboard.press('Control+k')
  await g.see('palette', '최근 채팅방')
  await page.keyboard.type('ㅂㅈㅎ')
  await g.see('palette-found', /찾았어요|박준호/)
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await g.at('/chats')
  await page.getByRole('option').first().waitFor() // the keys work when the page does
  await page.keyboard.press('?')
  await g.see('keys', '어디서나')
  await page.keyboard.press('Escape')

  // The list and its searches.
  await g.button('채팅 검색').click()
  await page.keyboard.type('ㄷㅎ')
  await g.see('list-search', /찾았어요/)
  await page.getByRole('searchbox').fill('없는 방')
  await g.see('list-search-nothing', /찾지 못했어요/)
  await g.at(`/room/${rooms.long}`)
  await g.see('long', '모두 보기')
  await page.getByRole('option').filter({ hasText: '새벽시장' }).click({ button: 'right' })
  await g.see('room-menu', '알림 켜기')
  await page.keyboard.press('Escape')
  await page.getByRole('option').filter({ hasText: '대학 동기 다섯' }).click()
  await g.see('unread-line', '여기까지 읽었어요')

  await g.close()
}

async function amongPeople(o: TourOptions, server: Server, house: House): Promise<void> {
  const { rooms } = house
  const g = await Guide.start(o, server.url, desk)
  const { page } = g
  await logIn(page, 'dohyun.lee')
  await g.at('/friends')
  await g.see('friends', '나를 추가한 사람')
  await page.getByRole('listbox', { name: '친구 목록' }).focus()
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Space')
  await g.see('profile', '차단')
  await page.keyboard.press('Escape')
  await page.getByRole('searchbox', { name: '친구 찾기' }).fill('ㅅㅈ')
  await g.see('friends-find', /찾았어요/)
  await page.getByRole('searchbox', { name: '친구 찾기' }).fill('')
  await g.button('친구 추가').click()
  await write(page.getByLabel('친구의 아이디'), 'minseo.kang')
  await g.see('add-found', '나를 추가했어요')
  await page.keyboard.press('Escape')
  await page.getByText(/나를 추가한 사람/).click()
  await g.see('added-me', '추가하면 내 친구 목록에 들어와요')
  await page.keyboard.press('Escape')
  await g.at('/chats')
  await g.button('새 채팅').click()
  for (const name of ['한지우', '최은지', '박준호']) await page.getByRole('dialog').getByText(name).first().click()
  await write(page.getByLabel('방 이름'), '단풍 사진 모임')
  await g.see('group-new', '3명을 골랐어요')
  await page.keyboard.press('Escape')
  await g.at(`/room/${rooms.class5}/info`)
  await g.button('친구 초대하기').click()
  await page.getByRole('dialog').getByText('나서준').first().click()
  await g.see('invite', '1명 초대하기')
  await page.keyboard.press('Escape')

  // The own profile, with a picture to be cut.
  await g.at('/more')
  await g.button(/내 프로필 고치기/).first().click()
  await g.see('me-edit', '상태메시지')
  await page.locator('input[type=file]').setInputFiles({ name: 'ridge.png', mimeType: 'image/png', buffer: await ridge(page) })
  await g.see('crop', '끌어서 자리를 잡아요')
  await page.keyboard.press('Escape')

  await g.close()
}

async function inSettings(o: TourOptions, server: Server, house: House): Promise<void> {
  const { me, people, rooms } = house
  const g = await Guide.start(o, server.url, desk)
  const { page } = g
  await logIn(page, 'dohyun.lee')
  await Person.logIn(server.url, 'dohyun.lee')
  await g.at('/more/screen')
  await g.see('more', '이만하면 잘 보여요?')
  await g.at('/more/devices')
  await g.see('devices', '다른 기기 모두 로그아웃')
  await g.dark(true)
  await g.button('다른 기기 모두 로그아웃').click()
  await g.see('revoke-dark', /로그아웃할까요/)
  await page.keyboard.press('Escape')
  await g.dark(false)
  await g.at('/more/link')
  const other = await Guide.start(o, server.url, phone)
  await other.button('로그인').click()
  await other.button('다른 기기로 로그인').click()
  await other.page.getByText(/남았어요/).waitFor()
  const [, a, b] = /(\d{4})\s+(\d{4})/.exec(await other.page.locator('body').innerText()) ?? []
  await write(page.getByLabel('새 기기에 보이는 숫자 8개'), `${a} ${b}`)
  await g.see('link', '방금 이 숫자를 띄운 기기예요')
  await other.close()
  await g.at('/more/password')
  await write(page.getByLabel('지금 비밀번호'), 'correct horse')
  await g.dark(true)
  await g.see('password-dark', '비밀번호 바꾸기')
  await g.dark(false)
  await g.at('/more/invitations')
  await g.button('새 링크 만들기').click()
  await g.see('invitations', '쓸 수 있어요')
  await me.block(people.jaemin.id)
  await g.at('/more/blocked')
  await g.see('blocked-people', '송재민')
  await g.set({ lang: 'en' })
  await g.at('/more/screen')
  await g.see('more-english', 'Theme')
  await g.at(`/room/${rooms.hike}`)
  await g.hear('room-english', '김밥은 제가 맡을게요!')
  await g.set({ lang: 'ko' })
  await g.close()
}

async function onPhone(o: TourOptions, server: Server, house: House): Promise<void> {
  const { rooms } = house
  const g = await Guide.start(o, server.url, phone)
  const { page } = g
  await logIn(page, 'dohyun.lee')
  await g.see('list-phone', '북한산 산행 모임')
  await g.dark(true)
  await g.see('list-phone-dark')
  await g.dark(false)
  await g.at(`/room/${rooms.hike}`)
  await g.hear('room-phone', '김밥은 제가 맡을게요!')
  const mine = page.getByRole('log').locator('[data-line]').filter({ hasText: '김밥은 제가 맡을게요!' })
  await mine.locator('[data-bubble]').click({ button: 'right' })
  await g.see('message-menu-phone', '모두에게서 삭제')
  await page.getByRole('menuitem', { name: /모두에게서 삭제/ }).click()
  await g.see('message-delete-phone', '모두에게서 삭제할까요?')
  await page.keyboard.press('Escape')
  await g.dark(true)
  await g.see('room-phone-dark')
  await g.button('이모지').click()
  await page.getByRole('dialog').getByRole('option').nth(20).waitFor()
  await g.see('emoji-phone-dark')
  await page.keyboard.press('Escape')
  await g.dark(false)
  await g.at(`/room/${rooms.hike}/info`)
  await g.see('info-phone', '친구 초대하기')
  await g.at('/friends')
  await g.see('friends-phone', '나를 추가한 사람')
  await g.button('친구 추가').click()
  await write(page.getByLabel('친구의 아이디'), 'nobody.here')
  await g.see('add-none-phone', /쓰는 사람이 없어요/)
  await page.keyboard.press('Escape')
  await g.at('/more')
  await g.see('more-phone', '로그인된 기기')
  await g.button(/내 프로필 고치기/).first().click()
  await g.see('me-edit-phone', '상태메시지')
  await page.keyboard.press('Escape')
  await g.set({ text: 'large' })
  await g.at('/chats')
  await g.see('list-phone-large', '북한산 산행 모임')
  await g.at(`/room/${rooms.hike}`)
  await g.hear('room-phone-large', '김밥은 제가 맡을게요!')
  await g.at('/more/screen')
  await g.see('more-phone-large', '이만하면 잘 보여요?')
  await g.set({ text: 'normal' })
  await g.at('/chats')
  await g.button('새 채팅').click()
  await g.dark(true)
  await g.see('group-new-phone-dark', '함께할 친구를 골라 주세요')
  await g.close()
}

async function refused(o: TourOptions, server: Server, house: House): Promise<void> {
  const { me, people } = house
  // Refused: the other one has blocked me.
  await people.taeri.sendTo(me.id, '안녕하세요')
  await people.taeri.block(me.id)
  await people.sehun.sendTo(me.id, '지난번에 말씀드린 자료예요')
  await me.block(people.sehun.id)
  const g = await Guide.start(o, server.url, desk)
  const { page } = g
  const field = page.getByRole('textbox', { name: '메시지', exact: true })
  await logIn(page, 'dohyun.lee')
  await g.at(`/room/${directRoom(me.id, people.taeri.id)}`)
  await write(field, '하태리 님, 내일 시간 괜찮으세요?')
  await page.keyboard.press('Enter')
  await g.see('refused', '이 사람에게는 지금 보낼 수 없어요')
  await page.setViewportSize(phone)
  await g.see('refused-phone')
  await page.setViewportSize(desk)
  await g.at(`/room/${directRoom(me.id, people.sehun.id)}`)
  await g.see('blocked-room', '차단한 사람이에요')
  await g.close()
}

/** offline: what was sent is not known, what follows waits; then the session is ended from elsewhere. */
async function offline(o: TourOptions, server: Server, house: House): Promise<void> {
  const { me, rooms } = house
  const proxy = await Proxy.start(server.port)
  const g = await Guide.start(o, proxy.url, desk)
  const { page } = g
  const field = page.getByRole('textbox', { name: '메시지', exact: true })
  await logIn(page, 'dohyun.lee')
  await g.at(`/room/${rooms.class5}`)
  await page.getByRole('log').getByText('사다리타기로 해요').waitFor()
  proxy.swallow = true
  await write(field, '저는 어제 보냈어요!')
  await page.keyboard.press('Enter')
  await page.waitForTimeout(600)
  proxy.cut()
  await write(field, '영수증은 제가 가지고 있어요')
  await page.keyboard.press('Enter')
  await page.getByRole('log').getByText('기다리는 중').waitFor()
  await g.see('offline', '봉화에 다시 연결하고 있어요')
  await g.dark(true)
  await g.see('offline-dark', '확인하는 중')
  await g.dark(false)
  proxy.swallow = false
  proxy.cut()
  await page.getByText('쓴 글은 이 기기에 있고').or(page.getByText('봉화에 다시 연결하고 있어요')).first().waitFor({ state: 'detached', timeout: 60_000 })
  await me.revokeOthers()
  await g.see('ended', '다른 기기에서 이 창을 로그아웃했어요')
  await page.setViewportSize(phone)
  await g.dark(true)
  await g.see('ended-phone-dark')
  await g.close()

  await proxy.stop()
}

/** loading: only the shape, while nothing comes. */
async function loading(o: TourOptions, server: Server): Promise<void> {
  const slow = await Guide.start(o, server.url, desk)
  await slow.page.routeWebSocket(/\/live$/, () => undefined)
  await logIn(slow.page, 'dohyun.lee')
  await slow.page.getByText('연결 중').first().waitFor()
  await slow.see('loading')
  await slow.close()
}

/** unstored: the browser refuses to keep anything. */
async function unstored(o: TourOptions, server: Server): Promise<void> {
  for (const view of [desk, phone]) {
    const r = await Guide.start(o, server.url, view)
    await r.page.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('refused', 'SecurityError')
      }
    })
    await r.page.reload()
    await logIn(r.page, 'dohyun.lee')
    await r.see(view === desk ? 'storage-refused' : 'storage-refused-phone', '이 브라우저가 저장을 막아 두었어요')
    await r.close()
  }
}

/** plain: a phone of the same network opens the house without encryption. */
async function plain(o: TourOptions): Promise<void> {
  const address = Object.values(networkInterfaces())
    .flat()
    .find((i) => i?.family === 'IPv4' && !i.internal)?.address
  if (address === undefined) throw new Error('this machine has no network')
  const port = await freePort()
  const server = await Server.start(['--lan=http', `--lan-listen=${address}:${port}`])
  try {
    const g = await Guide.start(o, `http://${address}:${port}`, phone)
    await signUp(g.page, '이도현', 'dohyun.lee')
    await g.page.getByRole('button', { name: '나와의 채팅 열기' }).waitFor()
    await g.see('plain-http-phone', '암호화되지 않은 주소로 열었어요')
    await g.close()
  } finally {
    await server.stop()
  }
}
