// The ways in, as a person goes them: by the form on the page.
import type { Page } from 'playwright-core'

/** logIn fills the form in and waits for the list of chats. */
export async function logIn(page: Page, handle: string, password = 'correct horse'): Promise<void> {
  await page.getByRole('button', { name: '로그인', exact: true }).click()
  await page.getByLabel('아이디').fill(handle)
  await page.getByLabel('비밀번호', { exact: true }).fill(password)
  await page.getByRole('button', { name: '로그인', exact: true }).click()
  await page.getByRole('heading', { name: '채팅', exact: true }).waitFor()
}

/** signUp fills the form in and waits for the list of chats. */
export async function signUp(page: Page, name: string, handle: string, password = 'correct horse'): Promise<void> {
  await page.getByLabel('이름').fill(name)
  await page.getByLabel('아이디').fill(handle)
  await page.getByLabel('비밀번호', { exact: true }).fill(password)
  await page.getByRole('button', { name: '가입하고 시작하기' }).click()
  await page.getByRole('heading', { name: '채팅', exact: true }).waitFor()
}
