// What axe finds in a page: serious findings only. The policy of the product forbids strings as code, so these pages go without it.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Finding {
  readonly impact: string
  readonly id: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary?: string }[]
}

interface Axe {
  /** rules with what a finding of each always weighs; of some it depends on the finding. */
  readonly _audit: { readonly rules: readonly { readonly id: string; readonly impact?: string }[] }
  run(what: unknown, how: object): Promise<{ violations: unknown[] }>
}

/** examine runs axe in the page, without the rules that know no serious finding. */
export async function examine(page: Page, rules: 'all' | 'colours'): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source)
  const found = (await page.evaluate(async (all) => {
    const { axe } = globalThis as unknown as { axe: Axe }
    const light = axe._audit.rules.filter((r) => r.impact === 'minor' || r.impact === 'moderate')
    const those = all ? { rules: Object.fromEntries(light.map((r) => [r.id, { enabled: false }])) } : { runOnly: ['color-contrast'] }
    return (await axe.run(document, { resultTypes: ['violations'], ...those })).violations
  }, rules === 'all')) as Finding[]
  return found
    .filter((f) => f.impact === 'serious' || f.impact === 'critical')
    .flatMap((f) => f.nodes.map((n) => `${f.id} at ${n.target.join(' ')}: ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`))
}

/** examineState looks at everything in the theme of the page. BONGHWA_SOAK: and at the colours in the other one, whose pairs
 * ui/tokens.test.ts computes in any case. */
export async function examineState(page: Page, told: (finding: string, theme: 'dark' | 'light') => void): Promise<void> {
  const dark = await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)
  const other = [dark ? 'light' : 'dark', 'colours'] as const
  for (const [colorScheme, rules] of [
    ...(process.env['BONGHWA_SOAK'] === undefined ? [] : [other]),
    [dark ? 'dark' : 'light', 'all'] as const,
  ]) {
    await page.emulateMedia({ colorScheme })
    for (const f of await examine(page, rules)) told(f, colorScheme)
  }
}
