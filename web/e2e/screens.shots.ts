// Takes the pictures of docs/screens: BONGHWA_SCREENS=1 npx vitest run --config e2e/vitest.config.ts
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { test } from 'vitest'
import { Watch, launch } from './lib/browser.ts'
import { Demo } from './lib/demo.ts'
import type { TourOptions } from './lib/guide.ts'
import { amongTwelve, moreTour } from './lib/moretour.ts'
import { enterOps, opsTour } from './lib/opstour.ts'
import { tour } from './lib/tour.ts'

const dir = process.env['BONGHWA_SCREENS_DIR'] ?? join(import.meta.dirname, '../../docs/screens')

test('every state has its picture', async () => {
  mkdirSync(dir, { recursive: true })
  const browser = await launch('chromium')
  try {
    const watch = new Watch(browser, '')
    watch.down = true
    // A wrong password, a session that was ended, a room that is not there.
    watch.allowed = [/status of 401/, /status of 404.*GetRoom/]
    const o: TourOptions = {
      context: (options) => watch.context(options),
      look: async (name, page) => {
        await page.screenshot({ path: join(dir, `${name}.png`), animations: 'allow', caret: 'initial' })
      },
    }
    await tour(o)
    await moreTour(o)
    await watch.close()
  } finally {
    await browser.close()
  }
}, 900_000)

test('the operators’ page in a fire', async () => {
  const browser = await launch('chromium')
  const demo = await Demo.start()
  const shot = async (name: string, p: Page, fullPage: boolean) => void (await p.screenshot({ path: join(dir, `${name}.png`), fullPage }))
  try {
    const watch = new Watch(browser, demo.url('busan'))
    watch.down = true
    const page = await watch.page({ reducedMotion: 'reduce' }, '/ops')
    await enterOps(page, demo)
    const o: TourOptions = { context: (options) => watch.context(options), look: (name, p) => shot(name, p, name.startsWith('status')) }
    await amongTwelve(o, demo)
    await page.waitForTimeout(100_000) // two minutes of a steady flow
    await opsTour(page, {
      look: async (name, p) => {
        await p.waitForTimeout(1500)
        await shot(name, p, name.endsWith('phone'))
      },
      burning: async () => {
        await page.waitForTimeout(20_000)
      },
    })
    await watch.close()
  } finally {
    await browser.close()
    await demo.stop()
  }
}, 900_000)
