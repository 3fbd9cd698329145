// An operator burns a site from the page while somebody chats on the page of the site that burns: both go on, nothing is lost, and
// it is all written down.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examine, examineState } from './lib/axe.ts'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { Demo } from './lib/demo.ts'
import { bubbles, inside, items, logIn, openChat, patience, say, sees, tab } from './lib/hands.ts'
import { audited, burn, enterOps, opsTour } from './lib/opstour.ts'
import { Person, directRoom } from './lib/person.ts'

let demo: Demo
beforeAll(async () => {
  demo = await Demo.start()
})
afterAll(() => demo?.stop())

test('a fire from the operators’ page, while people chat', async () => {
  const browser = await shared('chromium')
  const watch = new Watch(browser, demo.url('seoul'))
  // Somebody who writes at the site that will burn, and somebody at another one.
  const me = await Person.signUp(demo.url('daejeon'), 'dohyun.lee', '이도현')
  const other = await Person.signUp(demo.url('daejeon'), 'someone.else', '박서연')
  await other.sendTo(me.id, '시작해요')
  const room = directRoom(me.id, other.id)
  const page = await watch.page()
  await logIn(page, me.handle)
  await openChat(page, '박서연')
  await say(page, '나 1')
  await expect.poll(async () => (await other.texts(room)).length, patience).toBe(2)

  // Who has no role is told so, and has no way there.
  await tab(page, '더보기')
  await page.getByRole('button', { name: '로그인된 기기' }).waitFor()
  expect(await page.getByRole('button', { name: '관리' }).count()).toBe(0)
  watch.allowed = [/status of 403/]
  await page.goto(`${watch.url}/ops`)
  await page.getByRole('heading', { name: '운영자만 볼 수 있어요' }).waitFor(patience)
  await page.goto(watch.url)
  await openChat(page, '박서연')

  // The operator's page comes from the site that burns as well. Examined without the policy, which axe cannot live under.
  const ops = await watch.page({ bypassCSP: true, reducedMotion: 'reduce' }, '/ops')
  await enterOps(ops, demo)
  const found = new Map<string, string[]>()
  const mine = ['나 1']
  await opsTour(ops, {
    look: async (name, p) => {
      if (name.endsWith('-dark')) return // examined with the light one
      await examineState(p, (f, theme) => found.set(f, [...(found.get(f) ?? []), `${name} ${theme}`]))
    },
    burning: async () => {
      watch.down = true
      for (let i = 2; i <= 5; i++) {
        mine.push(`나 ${i}`)
        await say(page, `나 ${i}`)
      }
      await other.send(room, '여기는 대전')
      await expect.poll(async () => (await other.texts(room)).map((m) => m.text).filter((t) => t.startsWith('나')), patience).toEqual(mine)
      await expect.poll(() => items(page), patience).toBe(0)
    },
  })
  expect([...found]).toEqual([])
  await sees(page, (await other.texts(room)).map((m) => m.text))
  expect(await bubbles(page)).toHaveLength(1 + 5 + 1)

  // The last stop is the audit log; the drill is in the list with nothing lost.
  const rows = async () => (await ops.getByRole('row').allTextContents()).slice(1)
  expect((await rows()).filter((r) => r.includes('봉화지기')).map((r) => /(다시 켰어요|화재 훈련을 시작했어요)서울$/.exec(r)?.[1])).toEqual(['다시 켰어요', '화재 훈련을 시작했어요'])
  await ops.getByRole('navigation', { name: '관리 메뉴' }).getByRole('link', { name: '훈련 기록' }).click()
  await ops.getByRole('cell', { name: '전원 끊김' }).waitFor()
  const cells = await ops.getByRole('row').nth(1).getByRole('cell').allTextContents()
  expect(cells.slice(4, 7)).toEqual(['0', '0', '0'])
  expect(cells[7]).toMatch(/^0 \/ [\d,]+번$/) // nothing of what is forbidden was possible
  expect(cells[10]).toMatch(/^통과/)

  // Under the policy of the product, and by the way that people go: 더보기 › 관리.
  const plain = await watch.page()
  await logIn(plain, demo.operator.handle, demo.operator.password)
  await inside(plain)
  await tab(plain, '더보기')
  await plain.getByRole('button', { name: '관리', exact: true }).click()
  await plain.getByRole('button', { name: '부산 화재 훈련' }).waitFor(patience)
  await plain.reload()
  await plain.getByRole('button', { name: '부산 화재 훈련' }).waitFor(patience)
  other.close()
  await watch.close()
})

// The other browser goes the short way, past another fire of the same sites.
if (browserNames.includes('firefox')) {
  test('another fire, from the page in Firefox', async () => {
    const browser = await shared('firefox')
    const watch = new Watch(browser, demo.url('busan'))
    const ops = await watch.page({ bypassCSP: true, reducedMotion: 'reduce' }, '/ops')
    await enterOps(ops, demo)
    watch.down = true
    await burn(ops, '부산')
    await ops.getByRole('button', { name: '부산 다시 켜기' }).click()
    await audited(ops)
    expect(await examine(ops, 'all')).toEqual([])
    await ops.getByRole('navigation', { name: '관리 메뉴' }).getByRole('link', { name: '감사 기록' }).click()
    await ops.getByRole('row', { name: /화재 훈련을 시작했어요 부산$/ }).waitFor(patience)
    await watch.close()
  })
}
