// With BONGHWA_TRACE=<folder>, what every page showed when a test failed: a picture and the tree that a screen reader gets.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'
import { onTestFailed } from 'vitest'

/** traceFailure is called within a test; contexts are asked for when it has failed. */
export function traceFailure(contexts: () => readonly BrowserContext[]): void {
  const folder = process.env['BONGHWA_TRACE']
  if (!folder) return
  onTestFailed(async ({ task }) => {
    mkdirSync(folder, { recursive: true })
    let n = 0
    for (const page of contexts().flatMap((c) => c.pages())) {
      const name = join(folder, `${`${task.suite?.name ?? ''} ${task.name}`.replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 60)}-${++n}`)
      const tree = await page.locator('body').ariaSnapshot({ timeout: 5000 }).catch(String)
      writeFileSync(`${name}.txt`, `${page.url()}\n${tree}\n`)
      const picture = await page.screenshot({ timeout: 5000 }).catch(() => null)
      if (picture) writeFileSync(`${name}.png`, picture)
    }
  })
}
