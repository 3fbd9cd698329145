// Takes the pictures of docs/screens: BONGHWA_SCREENS=1 npx vitest run --config e2e/vitest.config.ts
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'
import { Watch, launch } from './lib/browser.ts'
import { tour } from './lib/tour.ts'

test('every state has its picture', async () => {
  const dir = process.env['BONGHWA_SCREENS_DIR'] ?? join(import.meta.dirname, '../../docs/screens')
  mkdirSync(dir, { recursive: true })
  const browser = await launch('chromium')
  try {
    const watch = new Watch(browser, '')
    watch.down = true
    // A wrong password, and a session that was ended.
    watch.allowed = [/status of 401/]
    await tour({
      context: (options) => watch.context(options),
      look: async (name, page) => {
        await page.screenshot({ path: join(dir, `${name}.png`), animations: 'allow', caret: 'initial' })
      },
    })
    await watch.close()
  } finally {
    await browser.close()
  }
}, 900_000)
