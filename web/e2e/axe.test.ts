// What axe finds in any state of the interface: nothing serious. Colours are looked at in the theme of the state, in a soak in both.
import { expect, test } from 'vitest'
import { examineState } from './lib/axe.ts'
import { shared } from './lib/browser.ts'
import { tour } from './lib/tour.ts'

test('axe finds nothing serious in any state', async () => {
  const browser = await shared('chromium')
  const found = new Map<string, string[]>()
  let stops = 0
  await tour({
    context: (options) => browser.newContext({ ...options, bypassCSP: true }),
    look: async (name, page) => {
      stops++
      await examineState(page, (f, theme) => found.set(f, [...(found.get(f) ?? []), `${name} ${theme}`]))
    },
  })
  console.log(`${stops} states`)
  expect([...found]).toEqual([])
}, 900_000)
