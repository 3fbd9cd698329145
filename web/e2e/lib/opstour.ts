// A fire from the operators' page, from the question to the audit. What is done at each stop, a picture or an examination, is the
// caller's.
import type { Page } from 'playwright-core'
import type { Demo } from './demo.ts'
import { logIn, patience, write } from './hands.ts'
import type { Look } from './guide.ts'

export interface OpsTour {
  readonly look: Look
  /** burning is called while the site burns. */
  readonly burning?: () => Promise<void>
}

const desk = { width: 1440, height: 940 }

/** enterOps logs the demo's operator in, on a page that was opened at /ops. */
export async function enterOps(page: Page, demo: Demo): Promise<void> {
  const { handle, password } = demo.operator
  await logIn(page, handle, password)
  await lit(page)
}

/** lit waits until all sites are well. */
async function lit(page: Page): Promise<void> {
  await page.getByRole('heading', { name: '세 곳 모두 켜져 있어요' }).waitFor(patience)
}

/** burn lets a site burn: its name typed, and the name of another one is not enough. */
export async function burn(page: Page, site: '서울' | '부산', asked?: () => Promise<void>): Promise<void> {
  await page.getByRole('button', { name: `${site} 화재 훈련` }).click(patience)
  const start = page.getByRole('button', { name: '훈련 시작하기' })
  if (await start.isEnabled()) throw new Error('a fire starts unasked')
  const field = page.getByRole('textbox', { name: `확인하려면 ‘${site}’이라고 써 주세요` })
  await write(field, '대전')
  if (await start.isEnabled()) throw new Error("a fire starts by another site's name")
  await write(field, site)
  await asked?.()
  await start.click()
  await page.getByRole('heading', { name: `${site}에서 화재 훈련을 하고 있어요` }).waitFor(patience)
}

const audit = (page: Page) => page.getByRole('region', { name: '이번 훈련' })

/** audited waits until all has been read back and all sites are well. */
export async function audited(page: Page): Promise<void> {
  await audit(page).getByText(/모든 데이터센터에서 다시 읽어 확인했어요/).waitFor(patience)
  await lit(page)
}

/** opsTour burns 서울 and lights it again. */
export async function opsTour(page: Page, { look, burning }: OpsTour): Promise<void> {
  await page.setViewportSize(desk)
  await page.getByRole('button', { name: '서울 화재 훈련' }).waitFor(patience)
  await look('ops', page)
  await burn(page, '서울', () => look('ops-confirm', page))
  await burning?.()
  await audit(page).getByText(/지금까지 [\d,]+개가 그대로예요/).waitFor(patience)
  await look('ops-fire', page)
  await page.emulateMedia({ colorScheme: 'dark' })
  await look('ops-fire-dark', page)
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 390, height: 844 })
  await look('ops-fire-phone', page)
  await page.setViewportSize(desk)
  await page.getByRole('button', { name: '서울 다시 켜기' }).click()
  await page.mouse.move(0, 0)
  await audited(page)
  await look('ops-done', page)
  for (const [tab, name, words] of [
    ['훈련 기록', 'ops-drills', '전원 끊김'],
    ['백업', 'ops-backups', /복사해 둬요/],
    ['감사 기록', 'ops-acts', '화재 훈련을 시작했어요'],
  ] as const) {
    await page.getByRole('navigation', { name: '관리 메뉴' }).getByRole('link', { name: tab }).click()
    await page.getByText(words).first().waitFor(patience)
    await look(name, page)
  }
}
