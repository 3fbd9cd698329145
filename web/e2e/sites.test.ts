// Three sites, one of which dies while somebody writes on its page: the writing goes on, at another site, and so do a reload of the
// page and a new one, as long as the site is dead.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { Cluster } from './lib/cluster.ts'
import { bubbles, composer, inside, items, logIn, openChat, patience, say, sees, signUp, tab, type } from './lib/hands.ts'
import { Person, directRoom } from './lib/person.ts'

describe.each(browserNames)('three sites in %s', (name) => {
  let browser: Browser
  let cluster: Cluster
  let n = 0

  beforeAll(async () => {
    browser = await shared(name)
    cluster = await Cluster.start()
  })
  afterAll(async () => {
    await cluster?.stop()
  })

  /** pair is two people who have written to each other; the page is the first one's, at 서울, the other is at 대전. */
  async function pair(watch: Watch) {
    const daejeon = cluster.site('daejeon').direct
    const me = await Person.signUp(daejeon, `me.site${name[0]}${++n}`, '이도현')
    const other = await Person.signUp(daejeon, `other.site${name[0]}${n}`, '박준호')
    await other.sendTo(me.id, '시작해요')
    const room = directRoom(me.id, other.id)
    const page = await watch.page()
    await logIn(page, me.handle)
    await openChat(page, '박준호')
    await sees(page, ['시작해요'])
    await kept(page)
    return { page, me, other, room, sent: async () => (await other.texts(room)).map((m) => m.text) }
  }

  for (const way of ['killed', 'silent'] as const) {
    test(`a site is ${way} while somebody writes on its page: nothing is lost or doubled; a reload and a new page work`, async () => {
      const watch = new Watch(browser, cluster.site('seoul').url)
      const { page, other, room, sent } = await pair(watch)
      await page.getByText('서울', { exact: true }).waitFor()
      await clock(page)
      await say(page, '나 1')
      await expect.poll(sent, patience).toEqual(['시작해요', '나 1'])

      watch.down = true
      const dead = Date.now()
      if (way === 'killed') await cluster.kill('seoul')
      else await cluster.silence('seoul')
      const mine = ['나 1']
      for (let i = 2; i <= 10; i++) {
        mine.push(`나 ${i}`)
        await say(page, `나 ${i}`)
      }
      await other.send(room, '여기는 대전')
      await expect.poll(async () => (await sent()).filter((t) => t.startsWith('나')), patience).toEqual(mine)
      const all = await sent()
      expect(all).toHaveLength(1 + 10 + 1)
      await expect.poll(() => bubbles(page), patience).toEqual(all)
      await expect.poll(() => items(page), patience).toBe(0)
      await expect.poll(() => page.getByText(moving, { exact: true }).count(), patience).toBe(0)
      await page.getByText(moved).waitFor({ state: 'hidden', timeout: patience.timeout })
      console.log(`${name}, ${way}: ${JSON.stringify(await shown(page))}, elsewhere after ${(await first(page)) - dead} ms`)

      // A draft, and a reload while the site is dead.
      await composer(page).focus()
      await type(page, '쓰던 글')
      const begin = Date.now()
      await page.reload()
      await inside(page)
      await expect.poll(() => composer(page).inputValue(), patience).toBe('쓰던 글')
      await sees(page, all)
      await composer(page).focus()
      await page.keyboard.press('Enter')
      await expect.poll(async () => (await sent()).at(-1), patience).toBe('쓰던 글')
      console.log(`${name}, ${way}: reload to sent ${Date.now() - begin} ms`)
      await expect.poll(() => bubbles(page), patience).toEqual(await sent())

      // A new tab.
      const second = await page.context().newPage()
      const opened = Date.now()
      await second.goto(watch.url)
      await openChat(second, '박준호')
      await say(second, '새 탭에서')
      await expect.poll(async () => (await sent()).at(-1), patience).toBe('새 탭에서')
      console.log(`${name}, ${way}: new tab to sent ${Date.now() - opened} ms`)
      await expect.poll(() => bubbles(page), patience).toEqual(await sent())
      // A part of the page that was not opened before.
      await second.getByRole('navigation', { name: '주 메뉴' }).getByRole('link', { name: '더보기' }).click()
      await second.getByRole('heading', { name: '더보기' }).waitFor()

      await cluster.back('seoul')
      await say(page, '서울이 돌아왔어요')
      await expect.poll(async () => (await sent()).at(-1), patience).toBe('서울이 돌아왔어요')
      const audit = await sent()
      expect(audit).toEqual([...all, '쓰던 글', '새 탭에서', '서울이 돌아왔어요'])
      other.close()
      await watch.close()
    })
  }

  test('the others are slow to answer: moving is said, then where to, and typing goes on', async () => {
    const watch = new Watch(browser, cluster.site('seoul').url)
    const { page, other, sent } = await pair(watch)
    await clock(page)
    const slow = [cluster.site('busan').proxy, cluster.site('daejeon').proxy]
    for (const p of slow) p.delay = 200 // there and back twice until the connection counts
    watch.down = true
    await cluster.kill('seoul')
    await say(page, '가는 중')
    await expect.poll(async () => Object.keys(await shown(page)).filter((s) => s === moving || moved.test(s)).length, patience).toBe(2)
    for (const p of slow) p.delay = 0
    await expect.poll(sent, patience).toEqual(['시작해요', '가는 중'])
    await page.getByText('빠지거나 두 번 간 메시지는 없어요').waitFor({ state: 'hidden', timeout: patience.timeout })
    console.log(`${name}, slow: ${JSON.stringify(await shown(page))}`)
    await expect.poll(() => page.getByText(moving, { exact: true }).count(), patience).toBe(0)
    await cluster.back('seoul')
    other.close()
    await watch.close()
  })

  test('another address of the system is another browser store, and the page says so', async () => {
    const watch = new Watch(browser, cluster.site('seoul').url)
    const { page, other } = await pair(watch)
    const there = await page.context().newPage()
    await there.goto(cluster.site('busan').url)
    await there.getByText('지금 주소는 부산이에요.', { exact: false }).waitFor()
    expect(await there.getByRole('list', { name: '같은 봉화의 다른 주소' }).getByRole('link').allTextContents()).toEqual(['대전', '서울'])
    await there.getByRole('link', { name: '서울' }).click()
    await inside(there)
    other.close()
    await watch.close()
  })

  test('a device that shows its code at one site is let in by one at another', async () => {
    const watch = new Watch(browser, cluster.site('seoul').url)
    const { page, other } = await pair(watch)
    const fresh = await (await watch.context()).newPage()
    await fresh.goto(cluster.site('busan').url)
    await fresh.getByRole('button', { name: '로그인', exact: true }).click()
    await fresh.getByRole('button', { name: '다른 기기로 로그인' }).click()
    const digits = ((await fresh.getByRole('img', { name: /^숫자 / }).getAttribute('aria-label', { timeout: patience.timeout })) ?? '').replace(/\D/g, '')
    await tab(page, '더보기')
    await page.getByRole('button', { name: '새 기기 연결' }).click()
    watch.allowed = [/status of 4\d\d/] // of the sites that do not know the code
    await page.getByRole('textbox', { name: '새 기기에 보이는 숫자 8개' }).click()
    await page.keyboard.type(`${digits.slice(0, 4)} ${digits.slice(4)}`)
    await page.getByText('방금 이 숫자를 띄운 기기예요').waitFor()
    await page.getByRole('button', { name: '이 기기 연결하기' }).click()
    await inside(fresh)
    await openChat(fresh, '박준호')
    await sees(fresh, ['시작해요'])
    other.close()
    await watch.close()
  })

  test('log-out leaves the page and nothing of people', async () => {
    const watch = new Watch(browser, cluster.site('seoul').url)
    const page = await watch.page()
    await signUp(page, '이도현', `out.site${name[0]}`)
    await kept(page)
    await page.goto(watch.url + '/more')
    await page.getByRole('button', { name: '로그아웃' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: '로그아웃' }).click()
    await page.getByRole('heading', { name: /^(회원가입|로그인)$/ }).waitFor({ timeout: patience.timeout })
    const names = await page.evaluate(async () => {
      const all: string[] = []
      for (const c of await caches.keys()) for (const r of await (await caches.open(c)).keys()) all.push(new URL(r.url).pathname)
      return all
    })
    expect(names.filter((p) => p !== '/' && !p.startsWith('/a/'))).toEqual([])
    expect(names).toContain('/')
    await watch.close()
  })
})

const moving = '다른 데이터센터로 연결하고 있어요'
const moved = /^(부산|대전)으로 연결했어요$/

/** kept waits until the page is kept by its worker. */
async function kept(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller?.state ?? ''), patience).toBe('activated')
}

/** clock notes how long each sentence about the connection is to be seen; it decides nothing. */
async function clock(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: Record<string, number> = {}
    const clocks = globalThis as { seen?: Record<string, number>; first?: number }
    clocks.seen = seen
    let before = performance.now()
    setInterval(() => {
      const now = performance.now()
      for (const el of document.querySelectorAll('[role="status"] b')) seen[el.textContent ?? ''] = Math.round((seen[el.textContent ?? ''] ?? 0) + now - before)
      if (clocks.first === undefined && Object.keys(seen).some((s) => s.endsWith('연결했어요'))) clocks.first = Date.now()
      before = now
    }, 10)
  })
}

/** first is when it was first said where the connection is now. */
async function first(page: Page): Promise<number> {
  return page.evaluate(() => (globalThis as { first?: number }).first ?? 0)
}

async function shown(page: Page): Promise<Record<string, number>> {
  return page.evaluate(() => (globalThis as { seen?: Record<string, number> }).seen ?? {})
}
