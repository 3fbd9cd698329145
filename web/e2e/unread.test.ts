// Where a room opens that has more unread messages than one page holds: at its end, with a button that leads to the line
// 여기까지 읽었어요, wherever that is.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { logIn } from './lib/enter.ts'
import { say } from './lib/hands.ts'
import { Person } from './lib/person.ts'
import { Server } from './lib/server.ts'

describe.each(browserNames)('many unread messages in %s', (name) => {
  let browser: Browser
  let server: Server
  beforeAll(async () => {
    browser = await shared(name)
    server = await Server.start(['--no-limits'])
  })
  afterAll(async () => {
    await server.stop()
  })

  test.each([121, 900])('%i of them: the button leads to the line', async (n) => {
    const reader = await Person.signUp(server.url, `reader${n}`, '이도현')
    const writer = await Person.signUp(server.url, `writer${n}`, '박준호')
    const room = await writer.createGroup('말 많은 방', [reader.id])
    let seq = 0
    for (let i = 1; i <= 30; i++) seq = await writer.send(room, `전에 한 ${i}번째 말`)
    await reader.markRead(room, seq)
    await writer.flood(room, Array.from({ length: n }, (_, i) => `새로 한 ${i + 1}번째 말`))
    const watch = new Watch(browser, server.url)
    const page = await watch.page()
    await logIn(page, `reader${n}`)
    await page.getByRole('option', { name: /말 많은 방/ }).click()
    const log = page.getByRole('log')
    await log.getByText(`새로 한 ${n}번째 말`).waitFor()
    await page.getByRole('button', { name: `안 읽은 메시지 ${n}개` }).click()
    const line = log.getByText('여기까지 읽었어요')
    await line.waitFor()
    const inView = (await line.boundingBox())!
    const box = (await log.boundingBox())!
    expect(inView.y).toBeGreaterThan(box.y)
    expect(inView.y).toBeLessThan(box.y + box.height / 2)
    await log.getByText('전에 한 30번째 말', { exact: true }).waitFor()
    await log.getByText('새로 한 1번째 말', { exact: true }).waitFor()
    expect(await page.getByRole('button', { name: /^안 읽은 메시지/ }).count()).toBe(0)
    // What is sent from here stands at the end, out of sight, and is said to be there.
    await say(page, '여기까지 읽었어요, 나도')
    await page.getByRole('button', { name: '내가 보낸 메시지 보기' }).click()
    await log.getByText('여기까지 읽었어요, 나도').waitFor()
    await expect.poll(() => log.evaluate((e) => e.scrollHeight - e.clientHeight - e.scrollTop)).toBeLessThan(1)
    expect(await page.getByRole('button', { name: '맨 아래로' }).count()).toBe(0)
    for (const p of [reader, writer]) p.close()
    await watch.close()
  })
})
