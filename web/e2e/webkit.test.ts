// The page in WebKit. What differs there, and is not to be seen in the other two: a page that is left is kept with its
// transactions open, and its scripts go on for a while.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { patience } from './lib/hands.ts'
import { Person, directRoom } from './lib/person.ts'
import { Server } from './lib/server.ts'
import { WebKit, enter, hasWebKit } from './lib/webkit.ts'

/** needed: a soak runs it or fails; otherwise it runs where packages webkit2gtk-driver and xvfb are. */
const needed = process.env['BONGHWA_SOAK'] !== undefined

describe.skipIf(!hasWebKit && !needed)('webkit', () => {
  let page: WebKit
  let server: Server

  beforeAll(async () => {
    server = await Server.start(['--no-limits'])
    page = await WebKit.launch()
  })
  afterAll(async () => {
    await page?.close()
    await server?.stop()
  })

  const bubbles = () => page.run<string[]>(`return [...document.querySelectorAll('[role=log] [data-bubble] > p')].map((p) => p.innerText)`)
  const shown = async (texts: readonly string[]) => expect.poll(bubbles, patience).toEqual(texts)
  /** press a button by its words. */
  const push = (words: string) => page.run(`[...document.querySelectorAll('button')].find((b) => b.innerText.trim() === arguments[0]).click()`, words)
  const there = (selector: string) => expect.poll(() => page.run<boolean>(`return document.querySelector(arguments[0]) !== null`, selector), patience).toBe(true)
  /** say writes and presses Enter as a page does that is then left in the same moment. */
  const sayAndLeave = async (text: string, leave: string) => {
    await there('textarea')
    await page.run(
      `const c = document.querySelector('textarea')
       Object.getOwnPropertyDescriptor(Object.getPrototypeOf(c), 'value').set.call(c, arguments[0])
       c.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertText', data: arguments[0] }))
       c.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', code: 'Enter', bubbles: true, cancelable: true }))
       ${leave}`,
      text,
    )
  }

  test('sign up, talk, reload, leave and come back: every word is there once', async () => {
    const jiho = await Person.signUp(server.url, 'jiho.park', '박지호')
    await page.go(`${server.url}/`)
    await there('form')
    await page.run(`localStorage.setItem('bonghwa.settings', '{"lang":"ko"}')`)
    await page.reload()
    await there('form')
    await page.write('input[name=name]', '김사파')
    await page.write('input[name=handle]', 'safari.kim')
    await page.write('input[type=password]', 'correct horse')
    await push('가입하고 시작하기')
    await there('nav')

    const safari = (await jiho.call('PeopleService/FindUser', { handle: 'safari.kim' })) as { user?: { id: string } }
    const id = safari.user?.id ?? ''
    const room = directRoom(jiho.id, id)
    await jiho.sendTo(id, '사파리에서는 어때요?')
    await there('[role=option]')
    await page.run(`document.querySelector('[role=option]').click()`)
    await shown(['사파리에서는 어때요?'])
    await page.write('textarea', '잘 돼요')
    await page.press(enter)
    const texts = ['사파리에서는 어때요?', '잘 돼요']
    await shown(texts)
    const served = async () => (await jiho.texts(room)).map((m) => m.text)
    await expect.poll(served, patience).toEqual(texts)

    // The worker has the page now; a reload goes through it.
    await expect.poll(() => page.run<boolean>('return navigator.serviceWorker.controller !== null'), patience).toBe(true)
    for (let i = 0; i < 3; i++) {
      await page.reload()
      await shown(texts)
    }

    // Left in the moment of writing.
    await sayAndLeave('새로 고치면서', 'location.reload()')
    texts.push('새로 고치면서')
    await shown(texts)
    await expect.poll(served, patience).toEqual(texts)
    await sayAndLeave('나가면서', `location.href = '/status'`)
    texts.push('나가면서')
    await expect.poll(() => page.run<string>('return location.pathname + document.readyState'), patience).toBe('/statuscomplete')
    await page.back()
    await there('[role=log]')
    await shown(texts)
    await expect.poll(served, patience).toEqual(texts)
    await jiho.send(room, '다 왔어요')
    texts.push('다 왔어요')
    await shown(texts)
    jiho.close()
  })
})
