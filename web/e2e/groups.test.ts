// Three people in a group, through the whole page.
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { chat, composer, inside, line, log, logIn, openChat, patience, say, sees, write } from './lib/hands.ts'
import { Person } from './lib/person.ts'
import { Server } from './lib/server.ts'

describe.each(browserNames)('groups in %s', (name) => {
  let browser: Browser
  let server: Server

  beforeAll(async () => {
    browser = await shared(name)
    server = await Server.start(['--no-limits'])
  })
  afterAll(async () => {
    await server?.stop()
  })

  test('three people: group, name, invitation, mute, block, leaving', async () => {
    const watch = new Watch(browser, server.url)
    const host = await Person.signUp(server.url, 'host.han', '한가람')
    const guest = await Person.signUp(server.url, 'guest.go', '고은별')
    const third = await Person.signUp(server.url, 'third.na', '나한별')
    await host.addFriend(guest.id)
    await host.addFriend(third.id)
    const page = await watch.page()
    const other = await watch.page()
    await logIn(page, 'host.han')
    await logIn(other, 'guest.go')
    await inside(other)
    await expect.poll(() => other.evaluate(() => document.activeElement?.tagName)).toBe('H1') // said to who does not see it

    await page.getByRole('button', { name: '새 채팅' }).click()
    const make = page.getByRole('dialog', { name: '그룹 채팅 만들기' })
    await write(make.getByRole('textbox', { name: '방 이름' }), '달맞이')
    await make.getByRole('checkbox', { name: '고은별' }).check()
    await make.getByRole('button', { name: '만들기' }).click()
    await page.getByRole('heading', { name: /달맞이/, level: 2 }).waitFor()
    await openChat(other, '달맞이')
    await log(other).getByText('한가람 님이 나를 초대해 채팅방을 만들었어요').waitFor()

    // A new name, at both.
    const info = page.getByRole('complementary', { name: '채팅방 정보' })
    const about = async () => page.getByRole('button', { name: '채팅방 정보', exact: true }).click()
    await about()
    await info.getByRole('button', { name: '방 이름 바꾸기' }).click()
    await write(info.getByRole('textbox', { name: '방 이름' }), '해맞이')
    await info.getByRole('button', { name: '바꾸기', exact: true }).click()
    await other.getByRole('heading', { name: /해맞이/, level: 2 }).waitFor()
    await log(other).getByText('‘해맞이’로 바꿨어요').waitFor()

    // Somebody more.
    await info.getByRole('button', { name: '친구 초대하기' }).click()
    const invite = page.getByRole('dialog', { name: '친구 초대하기' })
    await invite.getByRole('checkbox', { name: '나한별' }).check()
    await invite.getByRole('button', { name: '1명 초대하기' }).click()
    await log(other).getByText('한가람 님이 나한별 님을 초대했어요').waitFor()
    const room = (await page.evaluate(() => location.pathname)).split('/')[2] ?? ''
    await third.send(room, '불러 주셔서 고마워요')
    await sees(page, ['불러 주셔서 고마워요'])
    await sees(other, ['불러 주셔서 고마워요'])
    await say(page, '반가워요')
    await line(page, '반가워요').getByText('안 읽은 사람 1명').waitFor()

    // Muted: said in the list.
    await info.getByRole('switch', { name: '알림 끄기' }).click()
    await chat(page, '해맞이').getByText('알림 꺼짐').or(chat(page, '해맞이').getByRole('img', { name: '알림 꺼짐' })).first().waitFor()

    // Blocked: the 1:1 says so, and undoes it.
    await guest.sendTo(host.id, '따로 여쭤볼게요')
    await openChat(page, '고은별')
    await about()
    await info.getByRole('button', { name: '차단하기' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: '차단하기' }).click()
    await page.getByText('차단한 사람이에요').waitFor()
    await expect(guest.sendTo(host.id, '안 가는 글')).rejects.toThrow('CANNOT_RECEIVE')
    await page.getByRole('main').getByRole('button', { name: '차단 풀기' }).first().click()
    await composer(page).waitFor()
    await guest.sendTo(host.id, '다시 가는 글')
    await sees(page, ['따로 여쭤볼게요', '다시 가는 글'])

    // Leaving.
    await openChat(page, '해맞이')
    await about()
    await info.getByRole('button', { name: '채팅방 나가기' }).click()
    await page.getByRole('alertdialog').getByRole('button', { name: '채팅방 나가기' }).click()
    await expect.poll(() => chat(page, '해맞이').count(), patience).toBe(0)
    await log(other).getByText('한가람 님이 나갔어요').waitFor()
    // A group that nobody named is called by the others in it, by each person differently. The search has the focus.
    await page.getByRole('button', { name: '새 채팅' }).click()
    await make.getByRole('checkbox', { name: '고은별' }).waitFor()
    expect(await make.getByRole('searchbox').evaluate((e) => e === document.activeElement)).toBe(true)
    await make.getByRole('checkbox', { name: '고은별' }).check()
    await make.getByRole('checkbox', { name: '나한별' }).check()
    await make.getByRole('button', { name: '만들기' }).click()
    await page.getByRole('heading', { name: /^(고은별, 나한별|나한별, 고은별)/, level: 2 }).waitFor()
    await chat(other, /한가람, 나한별|나한별, 한가람/).waitFor()
    for (const p of [host, guest, third]) p.close()
    await watch.close()
  })
})
