// Slow and broken networks, a page in the open, a new build: it works, or says in words what does not.
import { networkInterfaces } from 'node:os'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { act, bubbles, composer, items, line, log, logIn, openChat, patience, say, sees, tab, type } from './lib/hands.ts'
import { Older } from './lib/older.ts'
import { Person, directRoom } from './lib/person.ts'
import { Proxy } from './lib/proxy.ts'
import { Server, freePort } from './lib/server.ts'

describe.each(browserNames)('networks in %s', (name) => {
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
    readonly page: Page
    readonly me: Person
    readonly other: Person
    readonly room: string
    /** sent is what the server holds. */
    sent(): Promise<string[]>
  }

  /** pair is two people who have written to each other; the page is the first one's, and the second is at the server itself. */
  async function pair(watch: Watch): Promise<Pair> {
    const me = await Person.signUp(server.url, `me.net${++n}`, '이도현')
    const other = await Person.signUp(server.url, `other.net${n}`, '박준호')
    await other.sendTo(me.id, '시작해요')
    const room = directRoom(me.id, other.id)
    const page = await watch.page()
    await logIn(page, me.handle)
    await openChat(page, '박준호')
    await sees(page, ['시작해요'])
    return { page, me, other, room, sent: async () => (await other.texts(room)).map((m) => m.text) }
  }

  function end(...people: Person[]): void {
    for (const p of people) p.close()
  }

  test('latency: what is sent is said to be under way, and arrives', async () => {
    const proxy = await Proxy.start(server.port)
    const watch = new Watch(browser, proxy.url)
    const { page, other, room, sent } = await pair(watch)
    proxy.delay = 1000
    await say(page, '느린 길로')
    await line(page, '느린 길로').getByText('보내는 중').waitFor()
    await say(page, '하나 더')
    await other.send(room, '천천히 오세요')
    await expect.poll(async () => (await sent()).toSorted(), patience).toEqual(['느린 길로', '시작해요', '천천히 오세요', '하나 더'].toSorted())
    proxy.delay = 0
    await expect.poll(async () => bubbles(page), patience).toEqual(await sent())
    await expect.poll(() => log(page).getByText(/보내는 중|확인하는 중/).count(), patience).toBe(0)
    end(other)
    await watch.close()
    await proxy.stop()
  })

  test('connections cut again and again: everything once, in order', async () => {
    const proxy = await Proxy.start(server.port)
    const watch = new Watch(browser, proxy.url)
    watch.down = true
    const { page, other, room, sent } = await pair(watch)
    const mine: string[] = []
    for (let i = 1; i <= 24; i++) {
      mine.push(`나 ${i}`)
      await say(page, `나 ${i}`)
      if (i % 3 === 0) await other.send(room, `너 ${i}`)
      if (i % 4 === 0) proxy.cut()
    }
    await expect.poll(async () => (await sent()).filter((t) => t.startsWith('나')), patience).toEqual(mine)
    const all = await sent()
    expect(all).toHaveLength(1 + 24 + 8)
    await expect.poll(() => bubbles(page), patience).toEqual(all)
    await expect.poll(() => items(page), patience).toBe(0)
    end(other)
    await watch.close()
    await proxy.stop()
  })

  test('a network that swallows everything without a word', async () => {
    const proxy = await Proxy.start(server.port)
    const watch = new Watch(browser, proxy.url)
    watch.down = true
    const { page, other, room, sent } = await pair(watch)
    proxy.swallow = true
    await say(page, '들리나요')
    await page.getByText('봉화에 다시 연결하고 있어요').first().waitFor({ timeout: patience.timeout })
    await other.send(room, '안 들려요')
    proxy.swallow = false
    proxy.cut()
    await expect.poll(sent, patience).toEqual(['시작해요', '안 들려요', '들리나요'])
    await sees(page, ['시작해요', '안 들려요', '들리나요'])
    await expect.poll(() => page.getByText('봉화에 다시 연결하고 있어요').count(), patience).toBe(0)
    end(other)
    await watch.close()
    await proxy.stop()
  })

  test('a proxy that closes silent connections', async () => {
    const proxy = await Proxy.start(server.port)
    proxy.idle = 2000
    const watch = new Watch(browser, proxy.url)
    watch.down = true
    const { page, other, room, sent } = await pair(watch)
    const before = proxy.closed
    await expect.poll(() => proxy.closed - before, patience).toBeGreaterThan(3)
    await other.send(room, '아직 있어요?')
    await sees(page, ['시작해요', '아직 있어요?'])
    await say(page, '네')
    await expect.poll(sent, patience).toEqual(['시작해요', '아직 있어요?', '네'])
    await sees(page, ['시작해요', '아직 있어요?', '네'])
    end(other)
    await watch.close()
    await proxy.stop()
  })

  test('giving up what may have gone tells the truth', async () => {
    const proxy = await Proxy.start(server.port)
    const watch = new Watch(browser, proxy.url)
    watch.down = true
    const { page, other, sent } = await pair(watch)

    // It arrived, and the answer did not.
    proxy.deaf = true
    await say(page, '이미 간 글')
    await expect.poll(sent, patience).toEqual(['시작해요', '이미 간 글'])
    await line(page, '이미 간 글').getByText('확인하는 중').waitFor({ timeout: patience.timeout })
    await act(page, '이미 간 글', '보내기 그만두기')
    await line(page, '이미 간 글').getByText('그만두는 중').waitFor()
    proxy.deaf = false
    proxy.cut()
    await page.getByText('이미 보낸 뒤였어요').waitFor({ timeout: patience.timeout })
    await sees(page, ['시작해요', '이미 간 글'])

    // It never arrived, and never will; its text can be written again.
    proxy.swallow = true
    await say(page, '못 간 글')
    await line(page, '못 간 글').getByText('확인하는 중').waitFor({ timeout: patience.timeout })
    await act(page, '못 간 글', '보내기 그만두기')
    proxy.swallow = false
    proxy.cut()
    await page.getByText('보내지 않았어요').waitFor({ timeout: patience.timeout })
    await page.getByRole('button', { name: '다시 쓰기' }).click()
    expect(await composer(page).inputValue()).toBe('못 간 글')
    await sees(page, ['시작해요', '이미 간 글'])
    await page.keyboard.press('Enter')
    await expect.poll(sent, patience).toEqual(['시작해요', '이미 간 글', '못 간 글'])
    end(other)
    await watch.close()
    await proxy.stop()
  })

  test('in the open on another machine of the network: what is off is said, the rest works', async () => {
    const address = Object.values(networkInterfaces()).flat().find((i) => i?.family === 'IPv4' && !i.internal)?.address
    if (!address) throw new Error('this machine has no address beyond loopback')
    const port = await freePort()
    const lan = await Server.start(['--lan=http', '--lan-listen', `${address}:${port}`])
    const watch = new Watch(browser, `http://${address}:${port}`)
    // Browsers say of a page in the open which of its headers they do not heed.
    watch.allowed = [/Cross-Origin-Opener-Policy|Origin-Agent-Cluster|untrustworthy/]
    const me = await Person.signUp(lan.url, 'in.the.open', '이도현')
    await me.sendTo(me.id, '장보기')
    const page = await watch.page()
    await logIn(page, me.handle)
    await page.getByText('암호화되지 않은 주소로 열었어요').waitFor()
    await openChat(page, '나와의 채팅')
    await say(page, '두부')
    await sees(page, ['장보기', '두부'])
    // Without locks one window talks; the other says so and can take over.
    const second = await page.context().newPage()
    await second.goto(watch.url)
    await second.getByRole('button', { name: '여기에서 쓰기' }).click()
    await openChat(second, '나와의 채팅')
    await say(second, '대파')
    await sees(second, ['장보기', '두부', '대파'])
    await page.getByRole('button', { name: '여기에서 쓰기' }).waitFor()
    await expect.poll(async () => (await me.texts(directRoom(me.id, me.id))).map((m) => m.text), patience).toEqual(['장보기', '두부', '대파'])
    end(me)
    await watch.close()
    await lan.stop()
  })

  test('a part of the page that a new build has taken away: the page is loaded again, with the draft', async () => {
    const older = await Older.start(server.port)
    older.hold = '/More.js'
    const watch = new Watch(browser, older.url)
    const { page, other } = await pair(watch)
    expect(await build(page)).toBe(older.before)
    await composer(page).focus()
    await type(page, '쓰던 글')
    await page.getByRole('navigation', { name: '주 메뉴' }).getByRole('link', { name: '더보기' }).click()
    watch.allowed = [/404/, /dynamically imported module/, /Loading module from .* was blocked/]
    older.update()
    await expect.poll(() => build(page), patience).toBe(older.now)
    await page.getByRole('heading', { name: '더보기' }).waitFor()
    await tab(page, '채팅')
    await openChat(page, '박준호')
    await expect.poll(() => composer(page).inputValue(), patience).toBe('쓰던 글')
    end(other)
    await watch.close()
    await older.stop()
  })

  test('a new build replaces the one that the browser keeps, whole, and the kept one is gone', async () => {
    const older = await Older.start(server.port)
    const watch = new Watch(browser, older.url)
    const { page, me, other } = await pair(watch)
    const caches = () => page.evaluate(async () => (await globalThis.caches.keys()).toSorted())
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state ?? ''), patience).toBe('activated')
    expect(await caches()).toEqual([`bonghwa-shell-${older.before}`])
    await composer(page).focus()
    await type(page, '쓰던 글')
    older.update()
    watch.allowed = [/404|font-family/] // of fonts that were not used before
    // A part that was not opened before is still there, and of the build that the page is of.
    await tab(page, '더보기')
    await page.getByRole('heading', { name: '더보기' }).waitFor()
    expect(await build(page)).toBe(older.before)
    await page.reload()
    expect(await build(page)).toBe(older.now)
    await expect.poll(caches, patience).toEqual([`bonghwa-shell-${older.now}`])
    await tab(page, '채팅')
    await openChat(page, '박준호')
    await expect.poll(() => composer(page).inputValue(), patience).toBe('쓰던 글')
    end(me, other)
    await watch.close()
    await older.stop()
  })

  test('a new build while somebody types: it waits to be asked', async () => {
    const older = await Older.start(server.port)
    const watch = new Watch(browser, older.url)
    const { page, me, other, room } = await pair(watch)
    await composer(page).focus()
    await type(page, '아직 쓰는')
    older.update()
    // The page hears of it when it connects again, as to a server that was started anew.
    watch.down = true
    older.cut()
    await page.getByText('새 봉화가 준비되었어요').waitFor({ timeout: patience.timeout })
    await type(page, ' 중이에요')
    expect(await build(page)).toBe(older.before)
    await page.getByRole('button', { name: '지금 다시 열기' }).click()
    await expect.poll(() => build(page), patience).toBe(older.now)
    await expect.poll(() => composer(page).inputValue(), patience).toBe('아직 쓰는 중이에요')
    await page.keyboard.press('Enter')
    await expect.poll(async () => (await other.texts(room)).map((m) => m.text), patience).toEqual(['시작해요', '아직 쓰는 중이에요'])
    end(me, other)
    await watch.close()
    await older.stop()
  })
})

/** build is the name of the build that a page runs. */
async function build(page: Page): Promise<string> {
  return page.evaluate(() => /\/a\/([^/]+)\//.exec(document.querySelector<HTMLScriptElement>('script[src*="/a/"]')?.src ?? '')?.[1] ?? '').catch(() => '')
}
