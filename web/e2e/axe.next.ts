// What axe finds in any state of the interface, in both themes: nothing serious.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { launch } from './lib/browser.ts'
import { tour } from './lib/tour.ts'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Finding {
  readonly impact: string
  readonly id: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[]
}

/** examine runs axe in the page. The policy of the product forbids strings as code, so these pages go without it. */
async function examine(page: Page): Promise<string[]> {
  await page.evaluate(source)
  const found = (await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(what: unknown, how: object): Promise<{ violations: unknown[] }> } }
    return (await axe.run(document, { resultTypes: ['violations'] })).violations
  })) as Finding[]
  return found
    .filter((f) => f.impact === 'serious' || f.impact === 'critical')
    .flatMap((f) => f.nodes.map((n) => `${f.id} at ${n.target.join(' ')}: ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`))
}

test('axe finds nothing serious in any state', async () => {
  const browser = await launch('chromium')
  const found: string[] = []
  let stops = 0
  try {
    await tour({
      context: (options) => browser.newContext({ ...options, bypassCSP: true }),
      look: async (name, page) => {
        stops++
        const dark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)
        for (const colorScheme of [dark ? 'light' : 'dark', dark ? 'dark' : 'light'] as const) {
          await page.emulateMedia({ colorScheme })
          for (const f of await examine(page)) found.push(`${name}, ${colorScheme}: ${f}`)
        }
      },
    })
  } finally {
    await browser.close()
  }
  expect(found).toEqual([])
  console.log(`${stops} states`)
}, 600_000)
