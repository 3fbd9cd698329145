// Two people talk, each in a browser profile of their own, through the whole page: what one does, the other sees.
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { act, bubbles, chat, composer, inside, line, log, logIn, openChat, patience, say, sees, signUp, write } from './lib/hands.ts'
import { Person, directRoom } from './lib/person.ts'
import { Server } from './lib/server.ts'

describe.each(browserNames)('talk in %s', (name) => {
  let browser: Browser
  let server: Server

  beforeAll(async () => {
    browser = await shared(name)
    server = await Server.start(['--no-limits'])
  })
  afterAll(async () => {
    await server?.stop()
  })

  test('two people sign up, find one another and talk', async () => {
    const watch = new Watch(browser, server.url)
    const minsu = await watch.page({ permissions: name === 'chromium' ? ['clipboard-read', 'clipboard-write'] : [] })
    const jiho = await watch.page()
    await signUp(minsu, '김민수', 'minsu.kim')
    await signUp(jiho, '박지호', 'jiho.park')

    await minsu.getByRole('button', { name: '아이디로 친구 추가' }).click()
    const dialog = minsu.getByRole('dialog', { name: '친구 추가' })
    await write(dialog.getByRole('textbox', { name: '친구의 아이디' }), 'jiho.park')
    await dialog.getByText('박지호').waitFor()
    await dialog.getByRole('button', { name: '친구로 추가하기' }).click()
    await minsu.getByRole('button', { name: '채팅하기' }).click()
    await minsu.getByRole('heading', { name: '박지호', level: 2 }).waitFor()

    // The first message makes the room at the other's; the number beside it goes when it is read.
    await say(minsu, '지호 님, 안녕하세요')
    await chat(jiho, '김민수').getByText('지호 님, 안녕하세요').waitFor()
    await line(minsu, '지호 님, 안녕하세요').getByText('안 읽은 사람 1명').waitFor()
    await openChat(jiho, '김민수')
    await sees(jiho, ['지호 님, 안녕하세요'])
    const stranger = jiho.getByRole('group', { name: '친구로 추가하지 않은 사람이에요' })
    await stranger.getByRole('button', { name: '차단' }).waitFor()
    await expect.poll(() => line(minsu, '지호 님, 안녕하세요').getByText('안 읽은 사람').count(), patience).toBe(0)

    // Typing is told, and ends with the message.
    await composer(jiho).pressSequentially('네 민수 님')
    await minsu.getByText('박지호 님이 쓰고 있어요').first().waitFor()
    await jiho.keyboard.press('Enter')
    await sees(minsu, ['지호 님, 안녕하세요', '네 민수 님'])
    expect(await stranger.count()).toBe(0) // answered
    await expect.poll(() => minsu.getByText('박지호 님이 쓰고 있어요').count(), patience).toBe(0)

    // A reply quotes; pressing the quote leads to what it answers.
    await line(minsu, '네 민수 님').locator('[data-bubble]').hover()
    await line(minsu, '네 민수 님').getByRole('button', { name: '답장' }).click()
    await say(minsu, '점심 같이 먹어요')
    await line(jiho, '점심 같이 먹어요').getByRole('button', { name: /나에게 답장.*네 민수 님/ }).waitFor()

    // The arrow up edits the last one.
    await composer(minsu).press('ArrowUp')
    await write(composer(minsu), '저녁 같이 먹어요')
    await minsu.keyboard.press('Enter')
    await line(jiho, '저녁 같이 먹어요').getByText('수정됨').waitFor()
    expect(await bubbles(jiho)).toHaveLength(3)
    expect(await composer(minsu).inputValue()).toBe('')

    // Reactions, given and taken back.
    await line(jiho, '저녁 같이 먹어요').locator('[data-bubble]').hover()
    await line(jiho, '저녁 같이 먹어요').getByRole('button', { name: '공감', exact: true }).click()
    await jiho.getByRole('menuitemradio', { name: '하트' }).click()
    await line(minsu, '저녁 같이 먹어요').getByRole('button', { name: '하트 1명' }).waitFor()
    await line(jiho, '저녁 같이 먹어요').getByRole('button', { name: '하트 1명' }).click()
    await expect.poll(() => line(minsu, '저녁 같이 먹어요').getByRole('button', { name: /하트/ }).count(), patience).toBe(0)

    // Links open elsewhere and tell nothing of this page.
    await say(minsu, '여기요 https://example.com/길?a=1&b=2 보세요')
    const link = line(jiho, '여기요 https://example.com/길?a=1&b=2 보세요').getByRole('link')
    await link.waitFor()
    expect(await link.getAttribute('href')).toBe('https://example.com/길?a=1&b=2')
    expect(await link.getAttribute('target')).toBe('_blank')
    expect((await link.getAttribute('rel'))?.split(' ')).toEqual(expect.arrayContaining(['noopener', 'noreferrer']))

    // The emoji picker writes into the field and the message carries what it wrote.
    await jiho.getByRole('button', { name: '이모지' }).click()
    const picker = jiho.getByRole('dialog', { name: '이모지' })
    await picker.getByRole('option').first().click()
    const emoji = await composer(jiho).inputValue()
    expect(emoji).toMatch(/\p{Extended_Pictographic}/u)
    await jiho.keyboard.press('Escape')
    await composer(jiho).press('Enter')
    await line(minsu, emoji).waitFor()

    // Copied text can be pasted.
    await act(minsu, '네 민수 님', '복사')
    await minsu.getByText('복사했어요').waitFor()
    await composer(minsu).press('Control+v')
    await expect.poll(() => composer(minsu).inputValue(), patience).toBe('네 민수 님')
    await write(composer(minsu), '')

    // Deleted for everyone: a tombstone at both, the text at neither. What was being written in its place comes back.
    await act(minsu, '저녁 같이 먹어요', '수정')
    await write(composer(minsu), '야식 같이 먹어요')
    await line(jiho, '저녁 같이 먹어요').locator('[data-bubble]').click({ button: 'right' })
    const open = jiho.getByRole('menu', { name: '메시지', exact: true })
    await open.waitFor()
    await act(minsu, '저녁 같이 먹어요', '모두에게서 삭제')
    await minsu.getByRole('alertdialog').getByRole('button', { name: /삭제/ }).click()
    for (const page of [minsu, jiho]) {
      await log(page).getByText('삭제된 메시지예요').waitFor()
      expect(await log(page).getByText('저녁 같이 먹어요').count()).toBe(0)
    }
    // Nor is there any more to be copied from a menu that was open.
    await expect.poll(() => open.count(), patience).toBe(0)
    await composer(minsu).press('Enter')
    await minsu.getByRole('alert').getByText('이미 삭제된 메시지예요').waitFor()
    expect(await composer(minsu).inputValue()).toBe('야식 같이 먹어요')

    // What comes while it is looked for is found.
    await jiho.getByRole('button', { name: '이 채팅방에서 찾기' }).click()
    const found = jiho.getByRole('search')
    await write(found.getByRole('searchbox'), '야식')
    await found.getByText('찾지 못했어요').waitFor()
    await composer(minsu).press('Enter')
    await found.getByText('1개 중 1번째').waitFor()
    await watch.close()
  })

  test('one press of Enter sends what is being composed, whole and once', async () => {
    const watch = new Watch(browser, server.url)
    const me = await Person.signUp(server.url, 'compose', '이서연')
    const page = await watch.page()
    await logIn(page, 'compose')
    await inside(page)
    await me.sendTo(me.id, '첫 줄')
    await openChat(page, '나와의 채팅')
    await sees(page, ['첫 줄'])
    await composer(page).focus()
    if (name === 'chromium') await composeByProtocol(page, ['ㅇ', '아', '안'], '안', '녕')
    else await composeByEvents(page)
    await sees(page, ['첫 줄', '안녕'])
    expect(await composer(page).inputValue()).toBe('')
    // Nothing comes after it.
    await say(page, '다음')
    await sees(page, ['첫 줄', '안녕', '다음'])
    const room = (await page.evaluate(() => location.pathname)).split('/').at(-1) ?? ''
    await expect.poll(async () => (await me.texts(room)).map((m) => m.text), patience).toEqual(['첫 줄', '안녕', '다음'])
    me.close()
    await watch.close()
  })

  test('a message of several lines is written at the end of a room, and seen there when it is sent', async () => {
    const watch = new Watch(browser, server.url)
    const me = await Person.signUp(server.url, 'lines', '이서연')
    for (let i = 1; i <= 30; i++) await me.sendTo(me.id, `줄 ${i}`)
    // Log-in leads to what the address says.
    const page = await watch.page({}, `/room/${directRoom(me.id, me.id)}`)
    await logIn(page, 'lines')
    await inside(page)
    await line(page, '줄 30').waitFor()
    await composer(page).focus()
    // Of what is painted: asked after a frame.
    const left = () => log(page).evaluate((e) => new Promise<number>((done) => requestAnimationFrame(() => setTimeout(() => done(e.scrollHeight - e.clientHeight - e.scrollTop)))))
    for (const key of ['a', 'b', 'Shift+Enter', 'c', 'd', 'Shift+Enter', 'e', 'f']) {
      await page.keyboard.press(key, { delay: 40 })
      expect(await left()).toBeLessThan(1)
    }
    await page.keyboard.press('Enter')
    await sees(page, ['ab\ncd\nef'])
    expect(await left()).toBeLessThan(1)
    expect(await page.getByRole('button', { name: '내가 보낸 메시지 보기' }).count()).toBe(0)

    // What was begun, and what it answers, is there again after a reload, and is gone on with at its end.
    await line(page, '줄 30').locator('[data-bubble]').hover()
    await line(page, '줄 30').getByRole('button', { name: '답장' }).click()
    await composer(page).pressSequentially('begun')
    await page.reload()
    await page.getByText('나에게 답장').waitFor()
    await composer(page).focus()
    await page.keyboard.type('X')
    await expect.poll(() => composer(page).inputValue(), patience).toBe('begunX')
    await page.keyboard.press('Enter')
    await line(page, 'begunX').getByRole('button', { name: /나에게 답장.*줄 30/ }).waitFor()

    // A file is neither opened nor swallowed without a word; text may be dropped into the field.
    const drop = (what: 'file' | 'text', at: string) =>
      page.evaluate(
        ([what, at]) => {
          const data = new DataTransfer()
          if (what === 'file') data.items.add(new File(['x'], 'x.png', { type: 'image/png' }))
          else data.setData('text/plain', 'x')
          const to = document.querySelector(at!)!
          return ['dragover', 'drop'].map((type) => to.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data })))
        },
        [what, at] as const,
      )
    expect(await drop('text', 'main textarea')).toEqual([true, true])
    expect(await drop('text', '[role=log]')).toEqual([false, false])
    expect(await page.getByText('글만 보낼 수 있어요').count()).toBe(0)
    expect(await drop('file', 'main textarea')).toEqual([false, false])
    await page.getByText('글만 보낼 수 있어요').waitFor()
    // What does not depend on the browser.
    if (name === 'chromium') await keysAndClipboard(page, me)
    me.close()
    await watch.close()
  })

  test('the way back closes what lies over the room before it leaves the room', async () => {
    const watch = new Watch(browser, server.url)
    const me = await Person.signUp(server.url, 'layers', '이서연')
    const page = await watch.page({ viewport: { width: 390, height: 844 } })
    await logIn(page, 'layers')
    await inside(page)
    // The list keeps its head while it is empty, and offers what can be done.
    await page.getByRole('heading', { name: '채팅', level: 1 }).waitFor()
    await page.getByRole('button', { name: '나와의 채팅 열기' }).waitFor()
    expect(await page.getByText('make demo').count()).toBe(0)
    await me.sendTo(me.id, '한 줄')
    await chat(page, '나와의 채팅').click()
    await line(page, '한 줄').waitFor()
    const room = page.url()
    const entries = await page.evaluate(() => history.length)
    const back = () => page.evaluate(() => history.back())
    const gone = (what: Locator) => expect.poll(() => what.count(), patience).toBe(0)

    // Each closes by the way back, the topmost first, and the room stays.
    const find = page.getByRole('search')
    await page.getByRole('button', { name: '이 채팅방에서 찾기' }).click()
    await line(page, '한 줄').locator('[data-bubble]').click({ button: 'right' })
    const menu = page.getByRole('menu', { name: '메시지', exact: true })
    await menu.waitFor()
    await back()
    await gone(menu)
    expect(await find.count()).toBe(1)
    await back()
    await gone(find)
    await page.getByRole('button', { name: '이모지' }).click()
    const picker = page.getByRole('dialog', { name: '이모지' })
    await picker.waitFor()
    await back()
    await gone(picker)
    expect(page.url()).toBe(room)

    // Closed by other means nothing is left of them, and forward brings nothing back.
    await line(page, '한 줄').locator('[data-bubble]').click({ button: 'right' })
    await menu.waitFor()
    await page.keyboard.press('Escape')
    await gone(menu)
    await page.evaluate(() => history.forward())
    await line(page, '한 줄').locator('[data-bubble]').click({ button: 'right' })
    await menu.waitFor()
    await page.reload()
    await line(page, '한 줄').waitFor()
    await expect.poll(() => page.evaluate(() => (history.state as { over?: number }).over ?? 0), patience).toBe(0)
    expect(await page.evaluate(() => history.length)).toBeLessThanOrEqual(entries + 2)
    await back()
    await chat(page, '나와의 채팅').waitFor()
    me.close()
    await watch.close()
  })
})

/** keysAndClipboard: in a room with oneself that ends with 줄 29, 줄 30, three lines and an answer to 줄 30. */
async function keysAndClipboard(page: Page, me: Person): Promise<void> {
  const room = async () => (await page.evaluate(() => location.pathname)).split('/').at(-1) ?? ''
  // What is typed beside the field goes into it; Shift Tab leads to the last message, where keys act on it.
  await line(page, 'begunX').locator('[data-bubble] > p').click()
  await page.keyboard.type('typed')
  await expect.poll(() => composer(page).inputValue(), patience).toBe('typed')
  await write(composer(page), '')
  await page.keyboard.press('Shift+Tab')
  expect(await page.evaluate(() => document.activeElement?.closest('[data-line]') === document.activeElement && document.activeElement?.textContent?.includes('begunX'))).toBe(true)
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('r')
  await page.getByText('나에게 답장').first().waitFor()
  await page.keyboard.press('Escape')
  const top = await log(page).evaluate((e) => e.scrollTop)
  await page.keyboard.press('PageUp')
  await expect.poll(() => log(page).evaluate((e) => e.scrollTop), patience).toBeLessThan(top - 100)
  await page.keyboard.press('PageDown')

  // Copied from several messages: who said what, and when; from one: its words.
  const copied = (from: string, to: string) =>
    log(page).evaluate(
      (el, [from, to]) => {
        const text = (s: string) => [...el.querySelectorAll('[data-bubble] > p')].find((p) => p.textContent === s)!.firstChild!
        getSelection()!.setBaseAndExtent(text(from!), 1, text(to!), to!.length)
        const clipboardData = new DataTransfer()
        el.dispatchEvent(new ClipboardEvent('copy', { bubbles: true, cancelable: true, clipboardData }))
        getSelection()!.removeAllRanges()
        return clipboardData.getData('text/plain').split('\n')
      },
      [from, to] as const,
    )
  expect(await copied('줄 29', 'begunX')).toEqual([
    expect.stringMatching(/^\[이서연\] \[오[전후] \d+:\d\d\]  29$/),
    expect.stringMatching(/\] 줄 30$/), expect.stringMatching(/\] ab$/), 'cd', 'ef', expect.stringMatching(/\] begunX$/),
  ])
  expect(await copied('줄 30', '줄 30')).toEqual([''])

  // Another tab and back: the room is open again.
  await page.keyboard.press('Alt+1')
  await expect.poll(() => composer(page).count(), patience).toBe(0)
  await page.keyboard.press('Alt+2')
  await line(page, 'begunX').waitFor()

  // An emoji can be undone like what is typed; what was sent is not brought back. Empty ends are not sent.
  const field = () => composer(page).inputValue()
  await composer(page).pressSequentially('ab')
  await page.getByRole('button', { name: '이모지' }).click()
  await page.getByRole('dialog', { name: '이모지' }).getByRole('option').first().click()
  await page.keyboard.press('Escape')
  expect(await field()).toMatch(/^ab\p{Extended_Pictographic}/u)
  await page.keyboard.press('Control+z')
  expect(await field()).toBe('ab')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.press('Space')
  await page.keyboard.press('Enter')
  await expect.poll(async () => (await me.texts(await room())).at(-1)?.text, patience).toBe('ab')
  for (const key of ['Control+z', 'Control+y', 'c', 'd', 'Control+z', 'Control+z', 'Control+z']) await page.keyboard.press(key)
  expect(await field()).toBe('')
  await page.keyboard.press('Control+Shift+z')
  expect(await field()).toBe('cd')
  await write(composer(page), '')
}

/** composeByProtocol composes syllables as an input method does: the first is committed by the second, the last by Enter. */
async function composeByProtocol(page: Page, steps: readonly string[], first: string, last: string): Promise<void> {
  const cdp = await page.context().newCDPSession(page)
  for (const text of steps) await cdp.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
  await cdp.send('Input.insertText', { text: first })
  await cdp.send('Input.imeSetComposition', { text: last, selectionStart: last.length, selectionEnd: last.length })
  // The input method is given the key (229), ends the composition, and the system delivers the key itself after it.
  const key = { key: 'Enter', code: 'Enter' }
  await cdp.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...key, windowsVirtualKeyCode: 229 })
  await cdp.send('Input.insertText', { text: last })
  await cdp.send('Input.dispatchKeyEvent', { type: 'keyDown', ...key, windowsVirtualKeyCode: 13, text: '\r' })
  await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key, windowsVirtualKeyCode: 13 })
}

/** composeByEvents gives the page the events that Firefox sends while 안녕 is composed and Enter ends it, in their order. */
async function composeByEvents(page: Page): Promise<void> {
  await composer(page).evaluate((el) => {
    const field = el as HTMLTextAreaElement
    const put = (text: string, data: string) => {
      field.value = text
      field.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertCompositionText', data, isComposing: true }))
    }
    const key = (type: string, name: string, keyCode: number, isComposing: boolean) => field.dispatchEvent(new KeyboardEvent(type, { bubbles: true, cancelable: true, key: name, code: name === 'Enter' ? 'Enter' : 'KeyD', keyCode, isComposing }))
    const composition = (type: string, data: string) => field.dispatchEvent(new CompositionEvent(type, { bubbles: true, data }))
    key('keydown', 'Process', 229, false)
    composition('compositionstart', '')
    put('안', '안')
    composition('compositionend', '안')
    composition('compositionstart', '')
    put('안녕', '녕')
    key('keydown', 'Enter', 229, true)
    composition('compositionend', '녕')
    put('안녕', '녕')
    if (key('keydown', 'Enter', 13, false)) put('안녕\n', '')
    key('keyup', 'Enter', 13, false)
  })
}
