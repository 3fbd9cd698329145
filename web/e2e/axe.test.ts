// What axe finds in any state of the interface: nothing serious. Colours are looked at in both themes.
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
async function examine(page: Page, rules: 'all' | 'colours'): Promise<string[]> {
  await page.evaluate(source)
  const found = (await page.evaluate(async (all) => {
    const { axe } = globalThis as unknown as { axe: { run(what: unknown, how: object): Promise<{ violations: unknown[] }> } }
    return (await axe.run(document, { resultTypes: ['violations'], ...(all ? {} : { runOnly: ['color-contrast'] }) })).violations
  }, rules === 'all')) as Finding[]
  return found
    .filter((f) => f.impact === 'serious' || f.impact === 'critical')
    .flatMap((f) => f.nodes.map((n) => `${f.id} at ${n.target.join(' ')}: ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`))
}

test('axe finds nothing serious in any state', async () => {
  const browser = await launch('chromium')
  const found = new Map<string, string[]>()
  let stops = 0
  try {
    await tour({
      context: (options) => browser.newContext({ ...options, bypassCSP: true }),
      look: async (name, page) => {
        stops++
        const dark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)
        for (const [colorScheme, rules] of [
          [dark ? 'light' : 'dark', 'colours'],
          [dark ? 'dark' : 'light', 'all'],
        ] as const) {
          await page.emulateMedia({ colorScheme })
          for (const f of await examine(page, rules)) found.set(f, [...(found.get(f) ?? []), `${name} ${colorScheme}`])
        }
      },
    })
  } finally {
    await browser.close()
  }
  console.log(`${stops} states`)
  expect([...found]).toEqual([])
}, 900_000)
