// Names and messages of every kind, long lists of rooms and full rooms: nothing breaks the frame, nothing is taken for
// markup, and lists stay short in the document however long they are.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { composer, logIn, write } from './lib/hands.ts'
import { Person } from './lib/person.ts'
import { Server } from './lib/server.ts'

const zalgo = '가'.normalize('NFD') + 'a' + '\u0300\u0316\u0323\u0334'.repeat(200) + 'b'

/** kinds of texts: what is sent, and something by which it is found on the screen. */
const kinds: readonly (readonly [string, string])[] = [
  ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ['<img src=x onerror=alert(1)> &amp; {{7*7}} ${7*7}', '<img src=x onerror=alert(1)> &amp; {{7*7}} ${7*7}'],
  ['a'.repeat(3000), 'a'.repeat(300)],
  ['한'.repeat(3000), '한'.repeat(300)],
  [`https://example.org/${'x'.repeat(1500)}?q=1#end`, 'https://example.org/xxx'],
  [Array.from({ length: 2000 }, (_, i) => i + 1).join('\n'), '1\n2\n3\n4\n5\n'],
  ['שלום עולם, זו הודעה ארוכה שנכתבת מימין לשמאל', 'שלום עולם'],
  ['مرحبا 123 abc ‏و‎ كلمات مختلطة', 'مرحبا 123'],
  ['\u202eoverride \u2066isolate\u2069 end', 'isolate'],
  ['👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦'],
  ['🇰🇷🇺🇸🏴󠁧󠁢󠁥󠁮󠁧󠁿1️⃣#️⃣👩🏽‍🚀❤️‍🔥', '🏴󠁧󠁢󠁥󠁮󠁧󠁿'],
  ['🇰🇷'.repeat(400), '🇰🇷🇰🇷'],
  [`결합 ${zalgo} 문자`, '결합 '],
  ['\u200b\u200d\ufeff\u2060보이지 않는 글자\u200b', '보이지 않는 글자'],
  ['ﷺ'.repeat(40), 'ﷺ'],
  ['   앞뒤 빈칸과\t탭\u00a0\u3000   ', '앞뒤 빈칸과'],
  ['𠮷𠮷 옛한글 ᄒᆞᆫ글 ﬁ ẛ̣', '옛한글'],
  ['ㅋ'.repeat(500), 'ㅋ'.repeat(100)],
  ['javascript:alert(1) data:text/html,<b>x</b> http://user:pw@example.org/', 'javascript:alert(1)'],
]

const names = ['<b>굵은 이름</b>', 'W'.repeat(30), '한'.repeat(30), 'אברהם בן־גוריון הארוך', '👨‍👩‍👧‍👦🇰🇷 이모지', 'a' + '\u0300\u0316'.repeat(14), '\u202e뒤집힌 이름', 'ﷺ'.repeat(30)]

/** sideways: the elements that stick out of the window to the right, or a page that scrolls sideways. */
const sideways = (page: Page) =>
  page.evaluate(() => {
    const out: string[] = []
    if (document.documentElement.scrollWidth > innerWidth) out.push(`page ${document.documentElement.scrollWidth}`)
    for (const e of document.querySelectorAll<HTMLElement>('main, section, [role=log], [role=listbox], [role=dialog], header, h1, h2, [data-bubble], [data-line]')) {
      const b = e.getBoundingClientRect()
      if (b.width > 1 && (b.right > innerWidth + 1 || b.left < -1)) out.push(`${e.tagName}.${e.className} ${b.left}-${b.right}`)
      if (e.getAttribute('role') === 'log' && e.scrollWidth > e.clientWidth) out.push(`log ${e.scrollWidth} > ${e.clientWidth}`)
    }
    return out
  })

// One server for all browsers: that a crowd signs up costs more than all that it does afterwards.
const members = Number(process.env['BONGHWA_MEMBERS'] ?? (process.env['BONGHWA_SOAK'] === undefined ? 500 : 3000))
let server: Server
let crowd: Promise<Person[]> | undefined
beforeAll(async () => {
  server = await Server.start(['--no-limits'])
})
afterAll(() => server.stop())

async function signUpCrowd(): Promise<Person[]> {
  const all: Person[] = []
  for (let i = 1; i < members; i += 8) {
    all.push(...(await Promise.all(Array.from({ length: Math.min(8, members - i) }, (_, k) => Person.signUp(server.url, `full.${i + k}`, `손님 ${i + k}`)))))
  }
  return all
}

describe.each(browserNames)('every kind in %s', (name) => {
  let browser: Browser
  beforeAll(async () => {
    browser = await shared(name)
  })

  test('texts and names stay inside and are only text', async () => {
    const me = await Person.signUp(server.url, `kinds.me.${name}`, '이도현')
    const people = await Promise.all(names.map((n, i) => Person.signUp(server.url, `kinds.${i}.${name}`, n)))
    const room = await people[0]!.createGroup('<i>제목</i> ' + 'T'.repeat(36), [me.id, ...people.slice(1).map((p) => p.id)])
    for (const p of people) {
      await me.addFriend(p.id)
      await p.sendTo(me.id, `${p.name} 안녕하세요`)
    }
    for (const [i, [written]] of kinds.entries()) {
      const text = written.normalize('NFC')
      await people[i % people.length]!.send(room, text)
      const seq = await me.send(room, text)
      await me.markRead(room, await people[(i + 1) % people.length]!.send(room, '네', { replyTo: String(seq) }))
    }

    const watch = new Watch(browser, server.url)
    for (const width of [1440, 390]) {
      const page = await watch.page({ viewport: { width, height: 844 } })
      page.on('dialog', () => {
        throw new Error('a text was run')
      })
      await logIn(page, `kinds.me.${name}`)
      for (const n of names) await page.getByRole('option').filter({ hasText: n.normalize('NFC') }).first().waitFor()
      expect(await sideways(page)).toEqual([])
      await page.getByRole('option').filter({ hasText: '<i>제목</i>' }).click()
      const log = page.getByRole('log')
      await log.hover()
      // From the newest to the first: each kind is met on the way.
      const missing = new Map(kinds.map((k) => [k[1], true]))
      for (let turns = 0; missing.size > 0 && turns < 200; turns++) {
        const text = await log.evaluate((e) => e.textContent)
        for (const mark of [...missing.keys()]) if (text.includes(mark.normalize('NFC'))) missing.delete(mark)
        expect(await sideways(page)).toEqual([])
        expect(await log.locator('script, img, b b, i').count()).toBe(0)
        await page.mouse.wheel(0, -400)
        await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))))
      }
      expect([...missing.keys()]).toEqual([])
      const all = page.getByRole('button', { name: '모두 보기' }).first()
      await all.click()
      await page.getByRole('button', { name: '접기' }).first().waitFor()
      expect(await sideways(page)).toEqual([])
      // Only addresses of the web become links, and no name in front hides where they lead.
      for (const href of await log.locator('a').evaluateAll((a) => a.map((x) => x.getAttribute('href') ?? ''))) expect(href).toMatch(/^https?:\/\//)
      await page.getByRole('button', { name: '채팅방 정보', exact: true }).click()
      await page.getByRole('heading', { name: /^참여자/ }).waitFor()
      expect(await sideways(page)).toEqual([])
      await page.goto(`${server.url}/friends`)
      await page.getByRole('heading', { name: /^친구/, level: 1 }).waitFor()
      expect(await sideways(page)).toEqual([])
      await page.context().close()
    }
    await watch.close()
  })

  test('500 rooms', async () => {
    const me = await Person.signUp(server.url, `rooms.me.${name}`, '이도현')
    const other = await Person.signUp(server.url, `rooms.other.${name}`, '박준호')
    for (let i = 1; i <= 500; i += 20) {
      await Promise.all(
        Array.from({ length: 20 }, async (_, k) => {
          const room = await other.createGroup(`${String(i + k).padStart(3, '0')}번 모임`, [me.id])
          await other.send(room, `${i + k}번 모임에 오신 것을 환영해요`)
        }),
      )
    }
    const watch = new Watch(browser, server.url)
    const page = await watch.page()
    await logIn(page, `rooms.me.${name}`)
    const list = page.getByRole('listbox', { name: '채팅 목록' })
    const options = list.getByRole('option')
    await options.first().waitFor()
    await expect.poll(() => options.first().getAttribute('aria-setsize')).toBe('500')
    await expect.poll(() => page.title()).toContain('(99+)')

    // Down by the keyboard, to the end, back, and to a room by its first letters.
    const current = () => list.evaluate((e) => document.getElementById(e.getAttribute('aria-activedescendant') ?? '')?.getAttribute('aria-posinset'))
    await list.focus()
    await page.keyboard.press('Home')
    await expect.poll(current).toBe('1')
    for (let i = 0; i < 60; i++) await page.keyboard.press('ArrowDown')
    await expect.poll(current).toBe('61')
    expect(await options.count()).toBeLessThan(80)
    await page.keyboard.press('End')
    await expect.poll(current).toBe('500')
    expect(await list.evaluate((e) => document.getElementById(e.getAttribute('aria-activedescendant') ?? '')!.getBoundingClientRect().bottom <= innerHeight)).toBe(true)
    await page.keyboard.press('4')
    await expect.poll(() => list.evaluate((e) => document.getElementById(e.getAttribute('aria-activedescendant') ?? '')?.textContent ?? '')).toMatch(/^4\d\d번 모임/)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: /^4\d\d번 모임/ }).waitFor()
    await page.getByRole('log').getByText(/^4\d\d번 모임에 오신 것을 환영해요/).waitFor()
    // Down by the wheel: rows are there wherever it stops, and never many.
    await list.hover()
    for (let i = 0; i < 40; i++) {
      await page.mouse.wheel(0, 1000)
      await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))))
      expect(await options.count()).toBeLessThan(80)
    }
    await expect.poll(() => list.getByRole('option').evaluateAll((all) => all.some((e) => e.getAttribute('aria-posinset') === '500' && e.getBoundingClientRect().top < innerHeight))).toBe(true)
    await watch.close()
  })

  test('a full room', async () => {
    const me = await Person.signUp(server.url, `full.me.${name}`, '이도현')
    const others = await (crowd ??= signUpCrowd())
    const room = await me.createGroup('꽉 찬 방', others.slice(0, 200).map((p) => p.id))
    for (let i = 200; i < others.length; i += 200) await me.invite(room, others.slice(i, i + 200).map((p) => p.id))

    const watch = new Watch(browser, server.url)
    const page = await watch.page({ viewport: { width: 1700, height: 900 } }, `/room/${room}`)
    await logIn(page, `full.me.${name}`)
    await page.getByRole('option').filter({ hasText: '꽉 찬 방' }).click()
    const log = page.getByRole('log')
    await write(composer(page), '모두 반가워요')
    await page.keyboard.press('Enter')
    const line = log.locator('[data-line]').filter({ hasText: '모두 반가워요' })
    await line.getByText(`안 읽은 사람 ${(members - 1).toLocaleString('en-US')}명`).waitFor({ state: 'attached' })
    await line.getByText('99+').waitFor()
    // Each reader counts once, and all of them together bring the number down to what it is.
    const [hello] = (await me.texts(room)).slice(-1)
    const readers = others.slice(-(members > 150 ? members - 51 : 10))
    for (let i = 0; i < readers.length; i += 100) await Promise.all(readers.slice(i, i + 100).map((p) => p.markRead(room, hello!.seq)))
    const left = members - 1 - readers.length
    await line.getByText(`안 읽은 사람 ${left}명`).waitFor({ state: 'attached' })
    await line.getByText(String(left), { exact: true }).waitFor()

    const info = page.getByRole('complementary', { name: '채팅방 정보' })
    await info.getByText(members.toLocaleString('en-US')).first().waitFor()
    if (members === 3000) await info.getByText('3,000명이 모두 찼어요').waitFor()
    await write(info.getByRole('searchbox', { name: '참여자 찾기' }), `손님 ${members - 1}`)
    await info.getByRole('listitem').filter({ hasText: `손님 ${members - 1}` }).waitFor()
    await info.getByRole('status').getByText('참여자 1명을 찾았어요').waitFor()
    await write(info.getByRole('searchbox', { name: '참여자 찾기' }), '')
    await info.getByRole('button', { name: '가나다순으로 모두 보기' }).click()
    await info.getByText('손님 10', { exact: true }).waitFor()
    expect(await info.getByRole('listitem').count()).toBeLessThan(80)
    await info.hover()
    for (let i = 0; i < members / 50; i++) await page.mouse.wheel(0, 3000)
    await expect.poll(() => info.getByRole('listitem').last().getAttribute('aria-posinset')).toBe(String(members))
    expect(await info.getByRole('listitem').count()).toBeLessThan(80)
    if (name === 'chromium') {
      const cdp = await page.context().newCDPSession(page)
      await cdp.send('HeapProfiler.collectGarbage')
      const { usedSize } = await cdp.send('Runtime.getHeapUsage')
      console.log(`${members} members: ${(usedSize / 2 ** 20).toFixed(1)} MiB of heap`)
      expect(usedSize).toBeLessThan(100 * 2 ** 20)
    }
    await watch.close()
  }, 600_000)
})
