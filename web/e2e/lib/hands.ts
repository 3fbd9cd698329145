// What a person does in the page and what they see there, by the roles and names of the Korean interface.
import type { Locator, Page } from 'playwright-core'
import { expect } from 'vitest'

/** patience with a machine that does other things too. */
export const patience = { timeout: 60_000, interval: 100 }

/** fifty messages, to be told apart. */
export const fifty = Array.from({ length: 50 }, (_, i) => `${i + 1}번째 글이에요`)

/**
 * type puts a text where the focus is, after what is there. This driver of Firefox changes fields without telling the page;
 * there the page is told by the event that typing gives.
 */
export async function type(page: Page, text: string): Promise<void> {
  if (!isFirefox(page)) return page.keyboard.insertText(text)
  await page.evaluate((text) => {
    const el = document.activeElement
    if (!(el instanceof HTMLTextAreaElement || el instanceof HTMLInputElement)) throw new Error('the focus is in no field')
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(el), 'value')!.set!.call(el, el.value + text)
    el.dispatchEvent(new InputEvent('input', { bubbles: true, inputType: 'insertText', data: text }))
  }, text)
}

/** write makes a text all that a field holds. */
export async function write(field: Locator, text: string): Promise<void> {
  await front(field.page())
  await field.click()
  await field.press('Control+a')
  await field.press('Delete')
  if (text !== '') await type(field.page(), text)
  await expect.poll(() => field.inputValue(), patience).toBe(text)
}

/** front: Firefox edits only in the window that is in front; Chromium's driver has every window in front. */
async function front(page: Page): Promise<void> {
  if (isFirefox(page)) await page.bringToFront()
}

function isFirefox(page: Page): boolean {
  return page.context().browser()?.browserType().name() === 'firefox'
}

/** signUp by the form. */
export async function signUp(page: Page, name: string, handle: string, password = 'correct horse'): Promise<void> {
  await write(page.getByRole('textbox', { name: '이름' }), name)
  await write(page.getByRole('textbox', { name: '아이디' }), handle)
  await write(page.getByRole('textbox', { name: '비밀번호' }), password)
  await page.getByRole('button', { name: '가입하고 시작하기' }).click()
  await inside(page)
}

/** logIn by the form, from the page that offers to sign up or to log in. */
export async function logIn(page: Page, handle: string, password = 'correct horse'): Promise<void> {
  const form = page.getByRole('form', { name: '로그인' })
  if (!(await page.getByRole('heading', { name: /^(회원가입|로그인)$/ }).textContent({ timeout: patience.timeout }))?.includes('로그인'))
    await page.getByRole('button', { name: '로그인', exact: true }).click()
  await write(form.getByRole('textbox', { name: '아이디' }), handle)
  await write(form.getByRole('textbox', { name: '비밀번호' }), password)
  await form.getByRole('button', { name: '로그인', exact: true }).click()
}

/** inside waits until the window is that of somebody who is logged in. */
export async function inside(page: Page): Promise<void> {
  await page.getByRole('navigation', { name: '주 메뉴' }).waitFor({ timeout: patience.timeout })
}

/** tab goes to 친구, 채팅 or 더보기. */
export async function tab(page: Page, name: '친구' | '채팅' | '더보기'): Promise<void> {
  await page.getByRole('navigation', { name: '주 메뉴' }).getByRole('link', { name }).click()
}

export function chat(page: Page, name: string | RegExp): Locator {
  return page.getByRole('listbox', { name: '채팅 목록' }).getByRole('option', { name })
}

/** openChat opens a room from the list. */
export async function openChat(page: Page, name: string): Promise<void> {
  await chat(page, name).click()
  await page.getByRole('heading', { name, level: 2 }).waitFor()
}

export function composer(page: Page): Locator {
  return page.getByRole('textbox', { name: '메시지', exact: true })
}

export function log(page: Page): Locator {
  return page.getByRole('log', { name: '대화 내용' })
}

/** say types a text and presses Enter once. */
export async function say(page: Page, text: string): Promise<void> {
  await front(page)
  await composer(page).focus()
  await type(page, text)
  await page.keyboard.press('Enter')
}

/** bubbles are the texts of the open room that are in the document, in order; of deleted ones the tombstone. */
export async function bubbles(page: Page): Promise<string[]> {
  return log(page).locator('[data-bubble] > p').allInnerTexts()
}

/** line of the message with this text: bubble, state, time. */
export function line(page: Page, text: string): Locator {
  const whole = new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}( 수정됨)?$`)
  return log(page).locator('[data-key]').filter({ has: page.locator('[data-bubble] > p').filter({ hasText: whole }) })
}

/** sees waits for texts, the newest of the room, in this order and once each. */
export async function sees(page: Page, texts: readonly string[]): Promise<void> {
  await expect.poll(async () => (await bubbles(page)).slice(-texts.length), patience).toEqual(texts)
}

/** act opens the menu of a message and takes one of its items. */
export async function act(page: Page, text: string, item: string): Promise<void> {
  await line(page, text).locator('[data-bubble]').hover()
  await line(page, text).getByRole('button', { name: '더 하기' }).click()
  await page.getByRole('menuitem', { name: item }).click()
}

/** stored is everything that the stores of a page's origin hold, as text. */
export async function stored(page: Page): Promise<string> {
  return page.evaluate(async () => {
    let all = ''
    for (const { name } of await indexedDB.databases()) {
      if (!name) continue
      const db = await new Promise<IDBDatabase>((done, fail) => {
        const r = indexedDB.open(name)
        r.onsuccess = () => done(r.result)
        r.onerror = () => fail(r.error)
      })
      for (const table of db.objectStoreNames) {
        const values = await new Promise<unknown[]>((done, fail) => {
          const r = db.transaction(table).objectStore(table).getAll()
          r.onsuccess = () => done(r.result)
          r.onerror = () => fail(r.error)
        })
        all += `${table}: ${JSON.stringify(values)}\n`
      }
      db.close()
    }
    return all + JSON.stringify({ ...localStorage })
  })
}

/** items is how many changes the outbox of a slot holds on this device. */
export async function items(page: Page, slot = '0'): Promise<number> {
  return page.evaluate(
    (name) =>
      new Promise<number>((done, fail) => {
        const r = indexedDB.open(name)
        r.onerror = () => fail(r.error)
        r.onsuccess = () => {
          const count = r.result.transaction('items').objectStore('items').count()
          count.onsuccess = () => {
            r.result.close()
            done(count.result)
          }
          count.onerror = () => fail(count.error)
        }
      }),
    `bonghwa-${slot}`,
  )
}
