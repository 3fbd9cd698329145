// Words are not lost: a tab killed with unsent messages, the server killed in mid-sentence, frozen. What the server has in the end is counted there, over the API, by another client.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { bubbles, composer, fifty, inside, items, line, log, logIn, openChat, patience, say, sees, stored, type, write } from './lib/hands.ts'
import { Person, directRoom } from './lib/person.ts'
import { Server } from './lib/server.ts'

describe.each(browserNames)('trouble in %s', (name) => {
  let browser: Browser
  let server: Server
  let n = 0

  beforeAll(async () => {
    browser = await shared(name)
    server = await Server.start(['--no-limits'])
  })
  afterAll(async () => {
    await server?.stop()
  })

  /** pair signs two people up who have written to each other; the first is in the page. */
  async function pair(watch: Watch): Promise<{ page: Page; me: Person; other: Person; room: string }> {
    const me = await Person.signUp(server.url, `me.trouble${++n}`, '이도현')
    const other = await Person.signUp(server.url, `other.trouble${n}`, '박준호')
    await other.sendTo(me.id, '시작해요')
    const page = await watch.page()
    await logIn(page, me.handle)
    await inside(page)
    await openChat(page, '박준호')
    await sees(page, ['시작해요'])
    return { page, me, other, room: directRoom(me.id, other.id) }
  }

  const sent = async (p: Person, room: string) => (await p.texts(room)).map((m) => m.text)

  test('a tab killed with 50 unsent messages sends each once, in order, when it is opened again', async () => {
    const watch = new Watch(browser, server.url)
    const { page, other, room } = await pair(watch)
    other.close()
    watch.down = true
    await server.kill()
    for (const text of fifty) await say(page, text)
    await expect.poll(() => items(page), patience).toBe(50)
    const context = page.context()
    await kill(watch, page)
    await server.run()
    const again = await context.newPage()
    await again.goto(`${server.url}/room/${room}`)
    await expect.poll(() => sent(other, room), patience).toEqual(['시작해요', ...fifty])
    await sees(again, fifty.slice(-5))
    await expect.poll(() => items(again), patience).toBe(0)
    await watch.close()
  })

  test('the server is killed in mid-sentence: the page goes on, nothing is lost or doubled', async () => {
    const watch = new Watch(browser, server.url)
    const { page, other, room } = await pair(watch)
    await say(page, '하나')
    await sees(page, ['시작해요', '하나'])
    await composer(page).focus()
    await type(page, '쓰던 글')
    watch.down = true
    await server.kill()
    await page.getByText('봉화에 다시 연결하고 있어요').first().waitFor()
    await type(page, '을 마저 써요')
    await page.keyboard.press('Enter')
    await say(page, '셋')
    await type(page, '아직 보내지 않은 글')
    await server.run()
    await sees(page, ['시작해요', '하나', '쓰던 글을 마저 써요', '셋'])
    await expect.poll(() => sent(other, room), patience).toEqual(['시작해요', '하나', '쓰던 글을 마저 써요', '셋'])
    expect(await composer(page).inputValue()).toBe('아직 보내지 않은 글')
    await expect.poll(() => page.getByText('봉화에 다시 연결하고 있어요').count(), patience).toBe(0)
    await other.online()
    await other.send(room, '넷')
    await sees(page, ['셋', '넷'])
    other.close()
    await watch.close()
  })

  test('a reader who scrolled up stays where they are while the server comes back', async () => {
    const watch = new Watch(browser, server.url)
    const { page, other, room } = await pair(watch)
    await other.flood(
      room,
      Array.from({ length: 300 }, (_, i) => `지난 글 ${i + 1}`),
    )
    await sees(page, ['지난 글 300'])
    await log(page).hover()
    await page.mouse.wheel(0, -3000)
    const newest = page.getByRole('button', { name: /맨 아래|최근|새 메시지|아래로/ })
    await newest.first().waitFor()
    const top = () =>
      page.evaluate(() => {
        const el = document.querySelector('[role=log]')!
        const box = el.getBoundingClientRect()
        const row = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2)?.closest('[data-key]')
        return { text: row?.textContent ?? '', top: row?.getBoundingClientRect().top ?? NaN }
      })
    // The same row in the same place: half a pixel comes and goes with the height of what is above.
    const stays = (a: Awaited<ReturnType<typeof top>>, b: typeof a) => a.text === b.text && Math.abs(a.top - b.top) <= 1
    let before = await top()
    await expect.poll(async () => stays(before, (before = await top())), { ...patience, interval: 300 }).toBe(true)
    watch.down = true
    await server.kill()
    await page.getByText('봉화에 다시 연결하고 있어요').first().waitFor()
    expect(await top()).toSatisfy((now: typeof before) => stays(now, before))
    await server.run()
    await expect.poll(() => page.getByText('봉화에 다시 연결하고 있어요').count(), patience).toBe(0)
    await other.online()
    await other.send(room, '그사이에 온 글')
    await page.getByText(/새 메시지/).first().waitFor()
    expect(await top()).toSatisfy((now: typeof before) => stays(now, before))
    other.close()
    await watch.close()
  })

  test('a frozen server: the message waits as unknown and is sent once when it thaws', async () => {
    const watch = new Watch(browser, server.url)
    const { page, other, room } = await pair(watch)
    watch.down = true
    server.signal('SIGSTOP')
    await say(page, '얼어붙은 때')
    await line(page, '얼어붙은 때').getByText('확인하는 중').waitFor({ timeout: patience.timeout })
    await page.getByText('봉화에 다시 연결하고 있어요').first().waitFor()
    server.signal('SIGCONT')
    await expect.poll(() => sent(other, room), patience).toEqual(['시작해요', '얼어붙은 때'])
    await expect.poll(() => items(page), patience).toBe(0)
    expect((await bubbles(page)).filter((t) => t === '얼어붙은 때')).toHaveLength(1)
    await expect.poll(() => page.getByText('봉화에 다시 연결하고 있어요').count(), patience).toBe(0)
    other.close()
    await watch.close()
  })

  test('a page that is left in the moment of writing has lost nothing', async () => {
    const watch = new Watch(browser, server.url)
    const { page, other, room } = await pair(watch)
    const texts = ['시작해요']
    for (const text of ['하나', '둘', '셋']) {
      texts.push(text)
      // All in one task: nothing of it can be in the database yet.
      await composer(page).evaluate((el, text) => {
        Object.getOwnPropertyDescriptor(Object.getPrototypeOf(el), 'value')!.set!.call(el, text)
        el.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertText', data: text }))
        el.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', code: 'Enter', bubbles: true, cancelable: true }))
        location.reload()
      }, text)
      await sees(page, texts)
      await expect.poll(() => sent(other, room), patience).toEqual(texts)
    }
    await expect.poll(() => items(page), patience).toBe(0)
    await watch.close()
  })

  test('drafts of two rooms are there after a reload', async () => {
    const watch = new Watch(browser, server.url)
    const { page, me, other, room } = await pair(watch)
    await me.sendTo(me.id, '장보기')
    await write(composer(page), '준호 님께 쓰던 글')
    await openChat(page, '나와의 채팅')
    await write(composer(page), '두부, 대파')
    await expect.poll(() => stored(page), patience).toContain('두부, 대파')
    await page.reload()
    await expect.poll(() => composer(page).inputValue(), patience).toBe('두부, 대파')
    await page.goto(`${server.url}/room/${room}`)
    await expect.poll(() => composer(page).inputValue(), patience).toBe('준호 님께 쓰던 글')
    me.close()
    other.close()
    await watch.close()
  })
})

/** kill ends a tab: in Chromium its process, so that nothing in it runs any more; Firefox's driver can only close it. */
async function kill(watch: Watch, page: Page): Promise<void> {
  watch.killing = true
  if (page.context().browser()?.browserType().name() === 'chromium') {
    const crashed = new Promise((done) => page.once('crash', done))
    const cdp = await page.context().newCDPSession(page)
    void cdp.send('Page.crash').catch(() => undefined)
    await crashed
  }
  await page.close({ runBeforeUnload: false })
}
