// What the page keeps on the device, in a real browser: the last keys before a reload, a log-out that the server cannot be told
// of, and a store that cannot be read.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { composer, inside, logIn, openChat, patience, say, sees, stored, tab, write } from './lib/hands.ts'
import { Person } from './lib/person.ts'
import { Server } from './lib/server.ts'

describe.each(browserNames)('the store in %s', (name) => {
  let browser: Browser
  let server: Server

  beforeAll(async () => {
    browser = await shared(name)
    server = await Server.start(['--no-limits'])
  })
  afterAll(async () => {
    await server?.stop()
  })

  async function enter(watch: Watch, handle: string): Promise<{ me: Person; page: Page }> {
    const me = await Person.signUp(server.url, handle, '이도현')
    await me.sendTo(me.id, '장보기')
    const page = await watch.page()
    await logIn(page, handle)
    await inside(page)
    await openChat(page, '나와의 채팅')
    await sees(page, ['장보기'])
    return { me, page }
  }

  test('what was typed a moment before a reload is there after it', async () => {
    const watch = new Watch(browser, server.url)
    const { me, page } = await enter(watch, 'last.keys')
    await write(composer(page), '두부')
    await expect.poll(() => stored(page), patience).toContain('두부')
    for (const text of ['두부, 대파', '두부, 대파, 우유']) {
      // Key and reload in one task: no timer and no transaction comes between.
      const reloaded = page.waitForEvent('load')
      await composer(page).evaluate((el, value) => {
        Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value')!.set!.call(el, value)
        el.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertText', data: value }))
        location.reload()
      }, text)
      await reloaded
      await expect.poll(() => composer(page).inputValue(), patience).toBe(text)
    }
    await say(page, '')
    await composer(page).focus()
    await page.keyboard.press('Enter')
    await sees(page, ['장보기', '두부, 대파, 우유'])
    await page.reload()
    await sees(page, ['장보기', '두부, 대파, 우유'])
    expect(await composer(page).inputValue()).toBe('')
    me.close()
    await watch.close()
  })

  test('a store that cannot be read: said, usable apart from it, and there again when it can be read', async () => {
    const watch = new Watch(browser, server.url)
    const { me, page } = await enter(watch, 'blind.window')
    const blind = await page.context().newPage()
    await blind.addInitScript(() => {
      for (const f of ['get', 'getAll', 'getAllKeys'] as const) {
        IDBObjectStore.prototype[f] = () => {
          throw new DOMException('the disk is broken', 'UnknownError')
        }
      }
    })
    await blind.goto(server.url)
    await blind.getByRole('heading', { name: '이 기기에 저장한 내용을 읽을 수 없어요' }).waitFor()
    await blind.getByRole('button', { name: '다시 로그인' }).click()
    await logIn(blind, me.handle)
    await inside(blind)
    await blind.getByText('저장을 막아 두었어요').waitFor()
    await openChat(blind, '나와의 채팅')
    await say(blind, '우유')
    await sees(blind, ['장보기', '우유'])
    await page.bringToFront()
    await sees(page, ['장보기', '우유'])
    await say(page, '대파')
    await sees(page, ['장보기', '우유', '대파'])
    await blind.close()
    await page.reload()
    await sees(page, ['장보기', '우유', '대파'])
    me.close()
    await watch.close()
  })

  test('logging out while the server is away wipes the device and says that the server does not know', async () => {
    const watch = new Watch(browser, server.url)
    const { me, page } = await enter(watch, 'leaves.alone')
    await tab(page, '더보기')
    const out = page.getByRole('button', { name: '로그아웃' })
    await out.waitFor()
    watch.down = true
    await server.kill()
    await out.click()
    await page.getByRole('alertdialog').getByRole('button', { name: '로그아웃' }).click()
    await page.getByRole('heading', { name: '이 기기에서 로그아웃했어요' }).waitFor()
    await page.getByText('알리지 못했어요').waitFor()
    const left = await stored(page)
    expect(left).not.toContain('장보기')
    expect(left).not.toContain('token')
    await page.getByRole('button', { name: '처음으로' }).click()
    await page.getByRole('heading', { name: '로그인', exact: true }).waitFor()
    await server.run()
    watch.down = false
    const { devices } = (await me.call('PeopleService/ListDevices', {})) as { devices: unknown[] }
    expect(devices).toHaveLength(2)
    me.close()
    await watch.close()
  })
})
