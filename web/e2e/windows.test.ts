// Several windows and accounts on one device: two windows of one account share a device without doubling, a second account
// lives beside the first, and a window that is logged out from elsewhere leaves nothing behind.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { chat, composer, inside, items, logIn, openChat, patience, say, sees, signUp, stored, type } from './lib/hands.ts'
import { Person, directRoom } from './lib/person.ts'
import { Server } from './lib/server.ts'

describe.each(browserNames)('windows in %s', (name) => {
  let browser: Browser
  let server: Server

  beforeAll(async () => {
    browser = await shared(name)
    server = await Server.start(['--no-limits'])
  })
  afterAll(async () => {
    await server?.stop()
  })

  test('two windows of one account send and see everything once, and the other goes on when one closes', async () => {
    const watch = new Watch(browser, server.url)
    const me = await Person.signUp(server.url, 'two.windows', '이도현')
    const other = await Person.signUp(server.url, 'friend.windows', '박준호')
    await other.sendTo(me.id, '시작해요')
    const room = directRoom(me.id, other.id)
    const first = await watch.page()
    await logIn(first, me.handle)
    await inside(first)
    await openChat(first, '박준호')
    const second = await first.context().newPage()
    await second.goto(`${server.url}/room/${room}`)
    await sees(second, ['시작해요'])
    await say(first, '첫 창에서')
    await sees(second, ['시작해요', '첫 창에서'])
    await say(second, '둘째 창에서')
    await sees(first, ['첫 창에서', '둘째 창에서'])
    // A bubble is there before its message is sent.
    await expect.poll(async () => (await other.texts(room)).at(-1)?.text, patience).toBe('둘째 창에서')
    await first.close()
    await other.send(room, '하나 닫은 뒤')
    await sees(second, ['둘째 창에서', '하나 닫은 뒤'])
    await say(second, '혼자 남아서')
    await expect.poll(async () => (await other.texts(room)).map((m) => m.text), patience).toEqual(['시작해요', '첫 창에서', '둘째 창에서', '하나 닫은 뒤', '혼자 남아서'])
    // One device for both windows.
    const devices = (await me.call('PeopleService/ListDevices', {})) as { devices: unknown[] }
    expect(devices.devices).toHaveLength(2)
    me.close()
    other.close()
    await watch.close()
  })

  test('without locks one window talks and the other says so', async () => {
    const watch = new Watch(browser, server.url)
    const me = await Person.signUp(server.url, `no.locks`, '이도현')
    await me.sendTo(me.id, '장보기')
    const context = await watch.context()
    await context.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }))
    const first = await context.newPage()
    await first.goto(server.url)
    await logIn(first, me.handle)
    await inside(first)
    const second = await context.newPage()
    await second.goto(server.url)
    const take = second.getByRole('button', { name: '여기에서 쓰기' })
    await take.waitFor()
    await take.click()
    await inside(second)
    await openChat(second, '나와의 채팅')
    await say(second, '둘째 창에서')
    await sees(second, ['장보기', '둘째 창에서'])
    await first.getByRole('button', { name: '여기에서 쓰기' }).waitFor()
    me.close()
    await watch.close()
  })

  test('a second account lives beside the first', async () => {
    const watch = new Watch(browser, server.url)
    const first = await watch.page()
    await signUp(first, '이도현', `first.acc`)
    const [second] = await Promise.all([first.context().waitForEvent('page'), first.getByRole('button', { name: '다른 계정으로' }).first().click()])
    await signUp(second, '박준호', `second.acc`)
    expect(new URL(second.url()).pathname).toMatch(/^\/u\/1\//)
    await first.getByRole('button', { name: '아이디로 친구 추가' }).click()
    const dialog = first.getByRole('dialog', { name: '친구 추가' })
    await dialog.getByRole('textbox', { name: '친구의 아이디' }).click()
    await type(first, 'second.acc')
    await dialog.getByRole('button', { name: '친구로 추가하기' }).click()
    await first.getByRole('button', { name: '채팅하기' }).click()
    await say(first, '내가 나에게, 다른 사람으로')
    await openChat(second, '이도현')
    await sees(second, ['내가 나에게, 다른 사람으로'])
    await first.reload()
    await second.reload()
    await inside(first)
    await inside(second)
    await composer(second).waitFor()
    await sees(second, ['내가 나에게, 다른 사람으로'])
    await watch.close()
  })

  test('a session revoked elsewhere logs its windows out at once and leaves nothing on the device', async () => {
    const watch = new Watch(browser, server.url)
    const me = await Person.signUp(server.url, 'revoked.me', '이도현')
    await me.sendTo(me.id, '비밀스러운 장보기')
    const page = await watch.page()
    await logIn(page, me.handle)
    await inside(page)
    await openChat(page, '나와의 채팅')
    await sees(page, ['비밀스러운 장보기'])
    await expect.poll(() => stored(page), patience).toContain('비밀스러운 장보기')
    await expect.poll(() => items(page)).toBe(0)
    const second = await page.context().newPage()
    await second.goto(page.url())
    await sees(second, ['비밀스러운 장보기'])
    await me.revokeOthers()
    for (const p of [page, second]) await p.getByRole('heading', { name: '다른 기기에서 이 창을 로그아웃했어요' }).waitFor()
    await expect.poll(() => stored(page), patience).not.toContain('비밀스러운')
    await page.getByRole('button', { name: '다시 로그인' }).click()
    await page.getByRole('button', { name: '로그인', exact: true }).first().waitFor()
    await page.reload()
    expect(await chat(page, '나와의 채팅').count()).toBe(0)
    me.close()
    await watch.close()
  })
})
