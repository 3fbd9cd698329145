// Memory of a page that lives in the demo: twelve people talk, the person reads every room that has something new and says a
// word in it. One sample a minute for BONGHWA_MINUTES (1; the figure in docs/performance.md is of 60); the result has what was
// seen so far after each of them.
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, test } from 'vitest'
import { Watch, launch } from '../lib/browser.ts'
import { signUp } from '../lib/enter.ts'
import { Server } from '../lib/server.ts'
import { load, record, renderers, round } from './result.ts'
import type { Browser } from 'playwright-core'

const minutes = Number(process.env['BONGHWA_MINUTES'] ?? 1)

let browser: Browser
let server: Server
beforeAll(async () => {
  browser = await launch('chromium')
  server = await Server.start([], 'demo')
})
afterAll(async () => {
  await browser.close()
  await server.stop()
})

test('memory in the demo', async () => {
  const watch = new Watch(browser, server.url)
  const page = await watch.page()
  await signUp(page, '이도현', 'dohyun')
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable')
  const samples: object[] = []
  for (let minute = 0; minute <= minutes; minute++) {
    if (minute > 0) {
      for (let s = 0; s < 60; s += 15) {
        await page.keyboard.press('Alt+Shift+ArrowDown')
        await wait(15_000)
      }
      const field = page.getByRole('textbox', { name: '메시지', exact: true })
      if (await field.isVisible()) {
        await field.fill(`${minute}분째 보고 있어요`)
        await field.press('Enter')
      }
    }
    const before = await cdp.send('Performance.getMetrics')
    await cdp.send('HeapProfiler.collectGarbage')
    const after = await cdp.send('Performance.getMetrics')
    const of = (m: typeof after, name: string) => m.metrics.find((x) => x.name === name)?.value ?? 0
    samples.push({
      minute,
      heap_mib: round(of(before, 'JSHeapUsedSize') / 2 ** 20),
      heap_after_gc_mib: round(of(after, 'JSHeapUsedSize') / 2 ** 20),
      nodes: of(after, 'Nodes'),
      listeners: of(after, 'JSEventListeners'),
      rows: await page.locator('[role=log] [data-key]').count(),
      renderer_rss_mib: (await renderers(browser))[0],
      load: load(),
    })
    record('memory_in_the_demo', { minutes: minute, samples })
  }
  await watch.close()
})
