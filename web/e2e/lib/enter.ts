// The ways in, as a person goes them: by the form on the page.
import type { Locator, Page } from 'playwright-core'

/** write types into a field, key by key: Firefox does not tell a page of what a driver fills in. */
export async function write(field: Locator, text: string): Promise<void> {
  await field.click()
  await field.pressSequentially(text)
}

/** logIn fills the form in and waits for the list of chats. */
export async function logIn(page: Page, handle: string, password = 'correct horse'): Promise<void> {
  await page.getByRole('button', { name: '로그인', exact: true }).click()
  await write(page.getByLabel('아이디'), handle)
  await write(page.getByLabel('비밀번호', { exact: true }), password)
  await page.getByRole('button', { name: '로그인', exact: true }).click()
  await page.getByRole('heading', { name: '채팅', exact: true }).waitFor()
}

/** signUp fills the form in and waits for the list of chats. */
export async function signUp(page: Page, name: string, handle: string, password = 'correct horse'): Promise<void> {
  await write(page.getByLabel('이름'), name)
  await write(page.getByLabel('아이디'), handle)
  await write(page.getByLabel('비밀번호', { exact: true }), password)
  await page.getByRole('button', { name: '가입하고 시작하기' }).click()
  await page.getByRole('heading', { name: '채팅', exact: true }).waitFor()
}
