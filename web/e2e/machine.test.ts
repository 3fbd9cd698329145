// What befalls the machine that the page is on: its browser killed, put to sleep, its clock wrong, its disk refused or full.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { bubbles, composer, fifty, inside, items, log, logIn, openChat, patience, say, sees, type } from './lib/hands.ts'
import { Person, directRoom } from './lib/person.ts'
import { Program } from './lib/program.ts'
import { Proxy } from './lib/proxy.ts'
import { Server } from './lib/server.ts'

const day = 86_400_000

describe.each(browserNames)('machines with %s', (name) => {
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

  interface Pair {
    readonly me: Person
    readonly other: Person
    readonly room: string
    /** sent is what the server holds. */
    sent(): Promise<string[]>
  }

  async function pair(): Promise<Pair> {
    const me = await Person.signUp(server.url, `me.machine${++n}`, '이도현')
    const other = await Person.signUp(server.url, `other.machine${n}`, '박준호')
    await other.sendTo(me.id, '시작해요')
    const room = directRoom(me.id, other.id)
    return { me, other, room, sent: async () => (await other.texts(room)).map((m) => m.text) }
  }

  async function enter(page: Page, url: string, me: Person): Promise<void> {
    await page.goto(url)
    await logIn(page, me.handle)
    await inside(page)
    await openChat(page, '박준호')
    await sees(page, ['시작해요'])
  }

  test('a browser killed with 50 unsent messages loses none of them', async () => {
    const { me, other, room, sent } = await pair()
    other.close()
    const program = new Program(name)
    const page = await (await program.open()).newPage()
    await enter(page, server.url, me)
    await server.kill()
    for (const text of fifty) await say(page, text)
    await expect.poll(() => items(page), patience).toBe(50)
    await program.kill()
    await server.run()
    const again = await (await program.open()).newPage()
    await again.goto(`${server.url}/room/${room}`)
    await expect.poll(sent, patience).toEqual(['시작해요', ...fifty])
    await sees(again, fifty.slice(-5))
    await program.stop()
  })

  test('a machine that slept: its connection is dead without having ended, and it goes on', async () => {
    const { me, other, room, sent } = await pair()
    const proxy = await Proxy.start(server.port)
    const program = new Program(name)
    const watch = new Watch(browser, proxy.url)
    watch.down = true
    const page = await (await watch.adopt(await program.open())).newPage()
    await enter(page, proxy.url, me)
    await say(page, '잘 자요')
    await expect.poll(sent, patience).toEqual(['시작해요', '잘 자요'])
    await type(page, '쓰다 만 글')
    program.sleep()
    proxy.forget()
    await other.send(room, '잘 잤어요?')
    program.wake()
    await say(page, '을 마저 써요')
    await expect.poll(sent, patience).toEqual(['시작해요', '잘 자요', '잘 잤어요?', '쓰다 만 글을 마저 써요'])
    await expect.poll(() => bubbles(page), patience).toEqual(await sent())
    await expect.poll(() => items(page), patience).toBe(0)
    await expect.poll(() => page.getByText('봉화에 다시 연결하고 있어요').count(), patience).toBe(0)
    other.close()
    await watch.close()
    await program.stop()
    await proxy.stop()
  })

  test.each([
    ['ahead', day, '이 기기의 시계가 하루 빨라요'],
    ['behind', -day, '이 기기의 시계가 하루 느려요'],
  ])('a clock that is a day %s: said, and times are those of the server', async (_, off, words) => {
    const { me, other, room, sent } = await pair()
    const watch = new Watch(browser, server.url)
    const context = await watch.context()
    await context.addInitScript((off) => {
      let by = off
      const now = Date.now.bind(Date)
      Date.now = () => now() + by
      addEventListener('set the clock', () => (by = 0))
    }, off)
    const page = await context.newPage()
    await enter(page, server.url, me)
    await page.getByText(words).waitFor()
    await say(page, '시계가 틀려도')
    await expect.poll(sent, patience).toContain('시계가 틀려도')
    await other.send(room, '잘 와요')
    await sees(page, ['시작해요', '시계가 틀려도', '잘 와요'])
    // One day, and it is today's: nothing was said yesterday or tomorrow.
    expect(await log(page).getByRole('separator').count()).toBe(1)
    const today = new Intl.DateTimeFormat('ko-KR', { timeZone: 'Asia/Seoul', dateStyle: 'full' }).format(Date.now())
    expect(await log(page).getByRole('separator').textContent()).toContain(today)
    // Set right under the running page.
    await page.evaluate(() => dispatchEvent(new Event('set the clock')))
    await say(page, '이제 맞아요')
    await expect.poll(sent, patience).toContain('이제 맞아요')
    await other.send(room, '네')
    await expect.poll(sent, patience).toEqual(['시작해요', '시계가 틀려도', '잘 와요', '이제 맞아요', '네'])
    await sees(page, await sent())
    await page.reload()
    await sees(page, await sent())
    other.close()
    await watch.close()
  })

  test('a browser that keeps nothing: said, and it works as long as the window is open', async () => {
    const { me, other, sent } = await pair()
    const watch = new Watch(browser, server.url)
    const context = await watch.context()
    await context.addInitScript(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('refused', 'SecurityError')
      }
    })
    const page = await context.newPage()
    await enter(page, server.url, me)
    await page.getByText('이 브라우저가 저장을 막아 두었어요').waitFor()
    await say(page, '저장소 없이')
    await expect.poll(sent, patience).toEqual(['시작해요', '저장소 없이'])
    await sees(page, ['시작해요', '저장소 없이'])
    other.close()
    await watch.close()
  })

  test('a full disk: said, and sending goes on', async () => {
    const { me, other, sent } = await pair()
    const watch = new Watch(browser, server.url)
    const page = await watch.page()
    await enter(page, server.url, me)
    await page.evaluate(() => {
      const put = IDBObjectStore.prototype.put
      IDBObjectStore.prototype.put = () => {
        throw new DOMException('full', 'QuotaExceededError')
      }
      addEventListener('room again', () => (IDBObjectStore.prototype.put = put))
    })
    await say(page, '꽉 찬 때')
    await page.getByText('이 기기의 저장 공간이 꽉 찼어요').waitFor()
    await say(page, '그래도 가요')
    await expect.poll(sent, patience).toEqual(['시작해요', '꽉 찬 때', '그래도 가요'])
    await page.evaluate(() => dispatchEvent(new Event('room again')))
    await say(page, '자리가 났어요')
    const all = ['시작해요', '꽉 찬 때', '그래도 가요', '자리가 났어요']
    await expect.poll(sent, patience).toEqual(all)
    await expect.poll(() => page.getByText('이 기기의 저장 공간이 꽉 찼어요').count(), patience).toBe(0)
    await expect.poll(() => items(page), patience).toBe(0)
    await page.reload()
    await sees(page, all)
    expect(await composer(page).inputValue()).toBe('')
    other.close()
    await watch.close()
  })
})
