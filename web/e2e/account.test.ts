// An account's life in the page: an invitation, a second device by a code, a new password, a one-time code from whoever runs the
// server, being logged out with unsent texts, logging out, the end.
import { execFileSync } from 'node:child_process'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { chat, inside, items, logIn, openChat, patience, say, sees, signUp, stored, tab, write } from './lib/hands.ts'
import { Person, directRoom } from './lib/person.ts'
import { Proxy } from './lib/proxy.ts'
import { Server } from './lib/server.ts'

describe.each(browserNames)('accounts in %s', (name) => {
  let browser: Browser
  let server: Server

  beforeAll(async () => {
    browser = await shared(name)
    server = await Server.start(['--no-limits', '--signup=invite'])
  })
  afterAll(async () => {
    await server?.stop()
  })

  /** operator runs a command of whoever runs the server, and returns the invitation or code that it prints first. */
  function operator(...args: string[]): string {
    const out = execFileSync(process.env['BONGHWA_BIN'] ?? '', ['people', ...args, '--data', server.data], { encoding: 'utf8' })
    return /^[^:]+: (\S+)/.exec(out)?.[1] ?? ''
  }

  /** person signs up over the API, with an invitation of the operator. */
  function person(handle: string, name: string): Promise<Person> {
    return Person.signUp(server.url, handle, name, 'correct horse', operator('invite'))
  }

  async function more(page: Page, title: string): Promise<void> {
    await tab(page, '더보기')
    await page.getByRole('button', { name: title }).click()
    await page.getByRole('heading', { name: title, exact: true }).first().waitFor()
  }

  test('who has an invitation signs up, and invites the next', async () => {
    const watch = new Watch(browser, server.url)
    const first = await watch.page({}, `/#i/${operator('invite')}`)
    await first.getByText('초대를 받았어요').waitFor()
    expect(first.url()).not.toContain('#')
    await signUp(first, '한가람', 'ga.ram')
    await more(first, '초대 링크')
    await first.getByRole('button', { name: '새 링크 만들기' }).click()
    const link = await first.getByTitle(`${server.url}/#i/`).getAttribute('title', { timeout: patience.timeout })
    const second = await watch.page({}, link!.slice(server.url.length))
    await second.getByText('초대를 받았어요').waitFor()
    await signUp(second, '나한별', 'han.byeol')
    await more(first, '비밀번호')
    await more(first, '초대 링크')
    await first.getByText('썼어요').waitFor()
    // Without one there is no way in but logging in, and a used one is refused in words.
    const third = await watch.page()
    await third.getByRole('heading', { name: '로그인', exact: true }).waitFor()
    watch.allowed = [/status of 4\d\d/]
    const fourth = await watch.page({}, link!.slice(server.url.length))
    await write(fourth.getByRole('textbox', { name: '이름' }), '고은별')
    await write(fourth.getByRole('textbox', { name: '아이디' }), 'eun.byeol')
    await write(fourth.getByRole('textbox', { name: '비밀번호' }), 'correct horse')
    await fourth.getByRole('button', { name: '가입하고 시작하기' }).click()
    await fourth.getByText('쓸 수 없는 초대 링크예요').waitFor()
    await watch.close()
  })

  test('a new device comes in by the code it shows', async () => {
    const watch = new Watch(browser, server.url)
    const me = await person('by.code', '이도현')
    await me.sendTo(me.id, '장보기')
    const old = await watch.page()
    await logIn(old, me.handle)
    await inside(old)
    const fresh = await watch.page()
    await fresh.getByRole('button', { name: '다른 기기로 로그인' }).click()
    const shown = fresh.getByRole('img', { name: /^숫자 / })
    const digits = ((await shown.getAttribute('aria-label', { timeout: patience.timeout })) ?? '').replace(/\D/g, '')
    expect(digits).toHaveLength(8)
    await more(old, '새 기기 연결')
    await old.getByRole('textbox', { name: '새 기기에 보이는 숫자 8개' }).click()
    await old.keyboard.type(`${digits.slice(0, 4)} ${digits.slice(4)}`)
    await old.getByText('방금 이 숫자를 띄운 기기예요').waitFor()
    await old.getByRole('button', { name: '이 기기 연결하기' }).click()
    await inside(fresh)
    await openChat(fresh, '나와의 채팅')
    await sees(fresh, ['장보기'])
    await more(old, '로그인된 기기')
    await old.getByRole('button', { name: '다른 기기 모두 로그아웃' }).click()
    await old.getByRole('alertdialog').getByText('아직 보내지 못한 글은 사라져요').waitFor()
    await old.getByRole('alertdialog').getByRole('button', { name: /로그아웃하기/ }).click()
    await fresh.getByRole('heading', { name: '다른 기기에서 이 창을 로그아웃했어요' }).waitFor()
    await old.getByText('다른 기기에서는 로그인하지 않았어요').waitFor()
    me.close()
    await watch.close()
  })

  test('a window logged out while cut off tells how many unsent texts went with it', async () => {
    const me = await person('cut.off', '이도현')
    await me.sendTo(me.id, '비밀스러운 글')
    const proxy = await Proxy.start(server.port)
    const watch = new Watch(browser, proxy.url)
    watch.down = true
    const page = await watch.page()
    await logIn(page, me.handle)
    await inside(page)
    await openChat(page, '나와의 채팅')
    await sees(page, ['비밀스러운 글'])
    proxy.refuse = true
    proxy.cut()
    await page.getByText('봉화에 다시 연결하고 있어요').first().waitFor()
    for (const text of ['하나', '둘', '셋']) await say(page, text)
    await expect.poll(() => items(page), patience).toBe(3)
    await me.revokeOthers()
    proxy.refuse = false
    await page.getByRole('alert').filter({ hasText: '보내지 못한 글 3개도 함께 사라졌어요' }).waitFor({ timeout: patience.timeout })
    await expect.poll(() => stored(page), patience).not.toContain('비밀스러운')
    expect(await stored(page)).not.toMatch(/하나|"token"/)
    me.close()
    await watch.close()
    await proxy.stop()
  })

  test('a new password logs the others out and is the one that counts', async () => {
    const watch = new Watch(browser, server.url)
    const me = await person('pass.word', '이도현')
    const page = await watch.page()
    await logIn(page, me.handle)
    await inside(page)
    const other = await watch.page()
    await logIn(other, me.handle)
    await inside(other)
    await more(page, '비밀번호')
    const body = page.getByRole('group', { name: '비밀번호' })
    await body.getByText('다른 기기 2대에서 로그아웃돼요').waitFor()
    const change = body.getByRole('button', { name: '비밀번호 바꾸기' })
    await write(body.getByRole('textbox', { name: '지금 비밀번호' }), 'wrong horse')
    await write(body.getByRole('textbox', { name: '새 비밀번호' }), 'wrong horse')
    await change.click()
    await body.getByText('지금 비밀번호와 다른 비밀번호를 써 주세요').waitFor()
    await write(body.getByRole('textbox', { name: '새 비밀번호' }), '새로운 비밀번호')
    await change.click()
    await body.getByText('지금 비밀번호가 맞지 않아요').waitFor()
    await write(body.getByRole('textbox', { name: '지금 비밀번호' }), 'correct horse')
    await write(body.getByRole('textbox', { name: '새 비밀번호' }), '새로운 비밀번호')
    await body.getByRole('button', { name: '비밀번호 바꾸기' }).click()
    await page.getByText('비밀번호를 바꿨어요').waitFor()
    await other.getByRole('heading', { name: '비밀번호가 바뀌어 이 창이 로그아웃되었어요' }).or(other.getByRole('heading', { name: '다른 기기에서 이 창을 로그아웃했어요' })).waitFor()
    await other.getByRole('button', { name: '다시 로그인' }).click()
    watch.allowed = [/status of 401/]
    await logIn(other, me.handle)
    await other.getByText('아이디나 비밀번호가 맞지 않아요').waitFor()
    await logIn(other, me.handle, '새로운 비밀번호')
    await inside(other)
    await watch.close()
  })

  test('a one-time code of the operator leads to a new password first', async () => {
    const watch = new Watch(browser, server.url)
    const me = await person('forgot.it', '이도현')
    await me.sendTo(me.id, '장보기')
    me.close()
    const code = operator('reset-password', me.handle)
    const page = await watch.page()
    await logIn(page, me.handle, code)
    const form = page.getByRole('form', { name: '새 비밀번호를 정해 주세요' })
    await form.waitFor()
    // No way past it: not Esc, not a reload, not an address, not a second tab; and the server takes nothing else of this session.
    await page.keyboard.press('Escape')
    await page.goto(`${server.url}/room/${directRoom(me.id, me.id)}`)
    await form.waitFor()
    const tab = await page.context().newPage()
    await tab.goto(server.url)
    await tab.getByRole('form', { name: '새 비밀번호를 정해 주세요' }).waitFor()
    expect(await stored(page)).not.toContain('장보기')
    const token = /"token":"([a-z2-7]{52})"/.exec(await stored(page))?.[1] ?? ''
    const asked = await fetch(`${server.url}/api/bonghwa.api.v1.ChatService/ListRooms`, { method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: '{}' })
    expect([asked.status, await asked.text()]).toEqual([400, expect.stringContaining('REASON_MUST_CHANGE_PASSWORD')])
    await write(form.getByRole('textbox', { name: '받은 일회용 코드' }), code)
    await write(form.getByRole('textbox', { name: '새 비밀번호' }), '기억나는 것')
    await page.keyboard.press('Enter')
    await form.getByText('비밀번호는 8자부터예요').waitFor()
    await write(form.getByRole('textbox', { name: '새 비밀번호' }), '기억나는 비밀번호')
    await form.getByRole('button', { name: '바꾸고 시작하기' }).click()
    await inside(page)
    await openChat(page, '나와의 채팅')
    await sees(page, ['장보기'])
    await inside(tab)
    await watch.close()
  })

  test('logging out empties this device; the end of the account empties all', async () => {
    const watch = new Watch(browser, server.url)
    const me = await person('the.end', '이도현')
    const friend = await person('the.friend', '박준호')
    await friend.addFriend(me.id)
    await me.sendTo(friend.id, '비밀스러운 인사')
    const page = await watch.page()
    const other = await watch.page()
    await logIn(page, me.handle)
    await logIn(other, friend.handle)
    await openChat(page, '박준호')
    await sees(page, ['비밀스러운 인사'])
    await openChat(other, '이도현')
    await tab(page, '더보기')
    await page.getByRole('button', { name: '로그아웃' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: '로그아웃' }).click()
    await page.getByRole('heading', { name: '로그인', exact: true }).waitFor()
    expect(await stored(page)).not.toContain('비밀스러운')

    await logIn(page, me.handle)
    await inside(page)
    await more(page, '비밀번호')
    await page.getByRole('button', { name: '계정 없애기' }).click()
    const sure = page.getByRole('alertdialog', { name: '계정을 없앨까요?' })
    await write(sure.getByRole('textbox', { name: '지금 비밀번호' }), 'correct horse')
    await sure.getByRole('button', { name: '계정 없애기' }).click()
    await page.getByRole('heading', { name: '계정을 없앴어요' }).waitFor()
    await page.getByRole('button', { name: '처음으로' }).click()
    await page.getByRole('heading', { name: '로그인', exact: true }).waitFor()
    expect(await stored(page)).not.toContain('비밀스러운')
    // What was said stays with the other, under nobody's name.
    await chat(other, '알 수 없음').waitFor()
    await sees(other, ['비밀스러운 인사'])
    await other.getByText('탈퇴한 사람과의 대화예요').first().waitFor()
    for (const p of [me, friend]) p.close()
    await watch.close()
  })
})
