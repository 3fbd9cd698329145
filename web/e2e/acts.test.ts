// Twenty everyday acts, performed with a mouse and a keyboard in the real page, and how many clicks and keys each one took.
// docs/decisions/ui.md has the same table beside what help pages say of KakaoTalk for PC; a count that differs from it fails.
// What counts: every press of a mouse button and every press of a key, a chord being one. What does not: writing the text
// itself (a message, a name, an 아이디), which is the same everywhere, and moving the pointer.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { items, patience } from './lib/hands.ts'
import { Watch, browserNames, shared } from './lib/browser.ts'
import { logIn } from './lib/enter.ts'
import { Person } from './lib/person.ts'
import { Server } from './lib/server.ts'

/** Hands count what a person would press. */
class Hands {
  count = 0

  constructor(readonly page: Page) {}

  async click(at: Locator, button: 'left' | 'right' = 'left'): Promise<void> {
    await at.click({ button })
    this.count++
  }

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key)
    this.count++
  }

  /** write is not counted. Firefox's driver puts Hangul into a field as a script does, which React would take for its own. */
  async write(text: string): Promise<void> {
    const field = this.page.locator('input:focus')
    if ((await field.count()) === 0) return this.page.keyboard.type(text)
    await field.evaluate((e, text) => {
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(e, text)
      e.dispatchEvent(new InputEvent('input', { data: text, bubbles: true }))
    }, text)
    return undefined
  }
}

/** written is the table of docs/decisions/ui.md: act and count. */
function written(): [string, number][] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/decisions/ui.md'), 'utf8')
  return [...page.matchAll(/^\| \d+ \| (.+?) \| (\d+) \|/gm)].map((m) => [m[1]!, Number(m[2])])
}

describe.each(browserNames)('everyday acts in %s', (name) => {
  let browser: Browser
  let server: Server
  let junho: Person
  let hike: string
  let me: Person

  beforeAll(async () => {
    browser = await shared(name)
    server = await Server.start(['--no-limits'])
    me = await Person.signUp(server.url, 'dohyun', '이도현')
    junho = await Person.signUp(server.url, 'junho', '박준호')
    const eunji = await Person.signUp(server.url, 'eunji', '최은지')
    const seoyeon = await Person.signUp(server.url, 'seoyeon', '김서연')
    await Person.signUp(server.url, 'haneul', '정하늘')
    for (const p of [junho, eunji, seoyeon]) await me.addFriend(p.id)
    hike = await junho.createGroup('등산 모임', [me.id, eunji.id])
    await junho.send(hike, '토요일 아홉 시에 만나요')
    await eunji.sendTo(me.id, '내일 시간 돼요?')
    await junho.sendTo(me.id, '회의 자료 보냈어요')
    for (const p of [me, eunji, seoyeon]) p.close()
  })
  afterAll(async () => {
    junho.close()
    await server.stop()
  })

  test('take the clicks and keys that the table says', async () => {
    const watch = new Watch(browser, server.url)
    const page = await watch.page()
    await logIn(page, 'dohyun')

    const tab = (label: string) => page.getByRole('navigation', { name: '주 메뉴' }).getByRole('link', { name: label }).click()
    const chat = (label: string) => page.getByRole('listbox', { name: '채팅 목록' }).getByRole('option', { name: new RegExp(`^${label}`) })
    const friend = (label: string) => page.getByRole('listbox', { name: '친구 목록' }).getByRole('option', { name: new RegExp(`^${label}`) })
    const room = (label: string) => page.getByRole('region', { name: label, exact: true })
    const log = page.getByRole('log', { name: '대화 내용' })
    const field = page.getByRole('textbox', { name: '메시지', exact: true })
    const bubble = (text: string) => log.getByText(text, { exact: true }).first()
    const item = (label: string) => page.getByRole('menuitem', { name: label })
    const button = (label: string) => page.getByRole('button', { name: label, exact: true })
    const open = async (label: string) => {
      await tab('채팅')
      await chat(label).click()
      await room(label).waitFor()
      await focused(field)
    }
    const focused = (at: Locator) => expect.poll(() => at.evaluate((e) => e === document.activeElement)).toBe(true)
    const sends = async (text: string) => {
      await field.fill(text)
      await field.press('Enter')
      await bubble(text).waitFor()
      // What is under way cannot be deleted yet.
      await expect.poll(() => items(page), patience).toBe(0)
    }

    const taken: [string, number][] = []
    /** act is what is counted, from a place that was gone to before, until its result is seen. */
    const act = async (title: string, run: (h: Hands) => Promise<void>): Promise<void> => {
      const h = new Hands(page)
      await run(h)
      taken.push([title, h.count])
    }

    await tab('친구')
    await act('open the chat with a friend, from the list of friends', async (h) => {
      await h.click(friend('박준호'))
      await room('박준호').waitFor()
      await bubble('회의 자료 보냈어요').waitFor()
    })
    await focused(field)

    await act('send a message', async (h) => {
      await h.write('잘 받았어요')
      await h.press('Enter')
      await bubble('잘 받았어요').waitFor()
    })

    await act('break a line in a message', async (h) => {
      await h.write('첫 줄')
      await h.press('Shift+Enter')
      await h.write('둘째 줄')
      expect(await field.inputValue()).toBe('첫 줄\n둘째 줄')
    })
    await field.fill('')

    await act('answer a message', async (h) => {
      await bubble('회의 자료 보냈어요').hover()
      await h.click(button('답장'))
      await focused(field)
      await h.write('오후에 읽을게요')
      await h.press('Enter')
      await log.getByRole('button', { name: '박준호 님에게 답장' }).waitFor()
    })

    await act('react to a message', async (h) => {
      await bubble('회의 자료 보냈어요').hover()
      await h.click(button('공감'))
      await h.click(page.getByRole('menuitemradio', { name: '하트' }))
      await log.getByRole('button', { name: '하트 1명' }).waitFor()
    })

    await act('copy a message', async (h) => {
      await h.click(bubble('회의 자료 보냈어요'), 'right')
      await h.click(item('복사'))
      await page.getByText('복사했어요').waitFor()
    })

    await open('박준호')
    await act('mend my last message', async (h) => {
      await h.press('ArrowUp')
      await page.getByText('메시지 수정').waitFor()
      await h.write('!')
      await h.press('Enter')
      await log.getByText('오후에 읽을게요!').waitFor()
    })

    await sends('잘못 보낸 글')
    await act('delete a message for everyone', async (h) => {
      await h.click(bubble('잘못 보낸 글'), 'right')
      await h.click(item('모두에게서 삭제'))
      await h.click(button('모두에게서 삭제하기'))
      await log.getByText('삭제된 메시지예요').waitFor()
    })

    await act('put an emoji into a message', async (h) => {
      await h.click(button('이모지'))
      await h.click(page.getByRole('dialog', { name: '이모지' }).getByRole('option').first())
      expect(await field.inputValue()).not.toBe('')
    })
    await page.keyboard.press('Escape')
    await field.fill('')

    await act('find a word in the open room', async (h) => {
      await h.click(button('이 채팅방에서 찾기'))
      await focused(page.getByRole('searchbox'))
      await h.write('자료')
      await page.getByText('1개 중 1번째').waitFor()
    })
    await button('찾기 닫기').click()

    await act('open a chat from anywhere, by the initials of a name', async (h) => {
      await h.press('Control+k')
      await focused(page.getByRole('combobox'))
      await h.write('ㅊㅇㅈ')
      await page.getByRole('option', { name: '최은지', selected: true }).waitFor()
      await h.press('Enter')
      await room('최은지').waitFor()
    })

    await open('박준호')
    await act('go to the next room', async (h) => {
      await h.press('Alt+ArrowDown')
      await room('박준호').waitFor({ state: 'detached' })
    })

    await open('박준호')
    await junho.send(hike, '물 꼭 챙기세요')
    await chat('등산 모임').getByText('물 꼭 챙기세요').waitFor()
    await act('go to the next unread room', async (h) => {
      await h.press('Alt+Shift+ArrowDown')
      await room('등산 모임').waitFor()
    })

    await tab('친구')
    await act('add a friend by 아이디', async (h) => {
      await h.click(button('친구 추가'))
      await focused(page.getByLabel('친구의 아이디'))
      await h.write('haneul')
      await page.getByRole('dialog').getByText('정하늘').waitFor()
      await h.press('Enter')
      await friend('정하늘').waitFor()
    })

    await tab('채팅')
    await act('make a group of two friends and me', async (h) => {
      await h.click(button('새 채팅'))
      await h.click(page.getByRole('dialog').getByText('박준호'))
      await h.click(page.getByRole('dialog').getByText('김서연'))
      await h.click(button('만들기'))
      await room('김서연').or(page.getByRole('region', { name: /박준호.*김서연|김서연.*박준호/ })).first().waitFor()
    })

    await open('등산 모임')
    await act('invite a friend to the open room', async (h) => {
      await h.press('Control+i')
      await h.click(page.getByRole('dialog').getByText('김서연'))
      await h.click(button('1명 초대하기'))
      await log.getByText('김서연 님을 초대했어요').waitFor()
    })

    await act('mute the open room', async (h) => {
      await h.press('Control+Shift+B')
      await chat('등산 모임').getByText('알림 꺼짐').waitFor({ state: 'attached' })
    })

    await act('rename the open group', async (h) => {
      await h.click(button('채팅방 정보'))
      await h.click(button('방 이름 바꾸기'))
      await focused(page.getByLabel('방 이름'))
      await h.write('북한산 모임')
      await h.press('Enter')
      await room('북한산 모임').waitFor()
    })

    await act('leave a room', async (h) => {
      await h.click(chat('북한산 모임'), 'right')
      await h.click(item('채팅방 나가기'))
      await h.click(page.getByRole('alertdialog').getByRole('button', { name: '채팅방 나가기' }))
      await chat('북한산 모임').waitFor({ state: 'detached' })
    })

    await act('change the words of my profile', async (h) => {
      await h.click(button('내 프로필'))
      await h.click(page.getByLabel('상태메시지'))
      await h.write('산에 가는 사람')
      await h.press('Enter')
      await page.getByText('프로필을 저장했어요').waitFor()
    })

    expect(taken).toEqual(written())
    await watch.close()
  })
})
