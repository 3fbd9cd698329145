// A long room, read from its newest message to its first one with the wheel, and back. Nothing but the wheel moves what a
// person reads: in no other frame does the message under the cursor move more than 1 px, whatever pages load and whatever
// heights become known meanwhile, and whatever is let go of far from there. BONGHWA_SOAK makes the room ten times as long.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Watch, browserNames, launch } from './lib/browser.ts'
import { logIn } from './lib/enter.ts'
import { Person } from './lib/person.ts'
import { Server } from './lib/server.ts'
import { mixed } from './lib/texts.ts'

const soak = process.env['BONGHWA_SOAK'] !== undefined
const count = soak ? 100_000 : 10_000
const step = 2000
const limit = soak ? 3_600_000 : 600_000

/** Eye looks at the message under the cursor after each painted frame, all the time. */
interface Eye {
  /** drift is the farthest that it ever moved in a frame in which the wheel did not turn, px. */
  drift: number
  /** rows is the largest number of rows in the document. */
  rows: number
  /** tall is the largest height of the log, px: what is loaded of the room. */
  tall: number
  /** lost turns of the wheel moved nothing: Firefox drops one now and then, probably while the page itself sets the position. */
  lost: number
  /** turned tells of a turn of the wheel that comes now; still resolves when it has moved the log and the log rests. */
  turned(by: number): void
  still(): Promise<void>
  long: number[]
}

declare global {
  // Put into the page by this test.
  var eye: Eye
}

function watchFrames(): void {
  const log = () => document.querySelector('[role=log]')
  let row: Element | null = null
  let from = 0
  let pending = 0
  let quiet = 0
  let frames = 0
  let wake: (() => void) | null = null
  const eye: Eye = {
    drift: 0,
    rows: 0,
    tall: 0,
    lost: 0,
    long: [],
    turned(by) {
      pending = by
      quiet = 0
      frames = 0
    },
    still: () => new Promise((done) => (wake = done)),
  }
  globalThis.eye = eye
  if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
    new PerformanceObserver((l) => eye.long.push(...l.getEntries().map((e) => e.duration))).observe({ type: 'longtask', buffered: true })
  }
  const painted = new MessageChannel()
  painted.port1.onmessage = () => {
    const el = log()
    if (el) {
      eye.rows = Math.max(eye.rows, el.querySelectorAll('[data-start]').length)
      eye.tall = Math.max(eye.tall, el.scrollHeight)
      const atEnd = pending > 0 ? el.scrollTop < 1 : el.scrollTop > el.scrollHeight - el.clientHeight - 1
      const moved = row?.isConnected ? row.getBoundingClientRect().top - from : null
      // The frame of the wheel itself moves far, or takes the row out of the document, or is stopped by the edge: perhaps after a
      // few pixels, and the next page is there in the same frame. Its one movement is its way, whatever comes after it is not.
      if (pending !== 0 && (moved === null || Math.abs(moved) > 100 || moved * Math.sign(pending) > 1 || atEnd)) pending = 0
      else if (moved !== null) eye.drift = Math.max(eye.drift, Math.abs(moved))
      if (pending !== 0 && ++frames > 100) {
        pending = 0
        eye.lost++
      }
      quiet = pending === 0 || atEnd ? quiet + 1 : 0
      const box = el.getBoundingClientRect()
      row = null
      for (let y = box.top + box.height / 2; row === null && y < box.bottom; y += 10) {
        // Its bubble: the name above it goes when the row before it comes.
        row = document.elementFromPoint(box.left + box.width / 2, y)?.closest('[data-key]')?.querySelector('[data-bubble]') ?? null
      }
      from = row?.getBoundingClientRect().top ?? 0
      if (quiet >= 3 && wake) {
        pending = 0
        wake()
        wake = null
      }
    }
    requestAnimationFrame(() => painted.port2.postMessage(0))
  }
  requestAnimationFrame(() => painted.port2.postMessage(0))
}

/** read turns the wheel until the edge of everything, and says how often. */
async function read(page: Page, by: number): Promise<number> {
  await page.evaluate((by) => eye.turned(by), by)
  for (let turns = 1; ; turns++) {
    await page.mouse.wheel(0, -by)
    const end = await page.evaluate(async (by) => {
      await eye.still()
      const el = document.querySelector('[role=log]')!
      const edge = () => (by > 0 ? el.scrollTop < 1 : el.scrollTop > el.scrollHeight - el.clientHeight - 1)
      // At the edge of what is loaded more may be on its way.
      for (let i = 0; i < 30 && edge(); i++) {
        if (/불러오는 중이에요/.test(el.textContent)) i = 0
        await new Promise((done) => requestAnimationFrame(done))
      }
      if (!edge()) eye.turned(by)
      return edge()
    }, by)
    if (end) return turns
  }
}

/** heap that is used after collection, MiB; it is known of Chromium only. */
async function heap(page: Page): Promise<number> {
  if (page.context().browser()?.browserType().name() !== 'chromium') return NaN
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable')
  await cdp.send('HeapProfiler.collectGarbage')
  const { metrics } = await cdp.send('Performance.getMetrics')
  await cdp.detach()
  return (metrics.find((m) => m.name === 'JSHeapUsedSize')?.value ?? NaN) / 2 ** 20
}

describe.each(browserNames)('a long room in %s', (name) => {
  let browser: Browser
  let server: Server
  let reader: Person
  let room: string

  beforeAll(async () => {
    browser = await launch(name, { still: true })
    server = await Server.start(['--no-limits'])
    reader = await Person.signUp(server.url, 'reader', '이도현')
    const writers = await Promise.all([Person.signUp(server.url, 'junho', '박준호'), Person.signUp(server.url, 'eunji', '최은지')])
    room = await reader.createGroup('아주 긴 방', writers.map((w) => w.id))
    const texts = mixed(count)
    for (let i = 0; i < count; i += 400) {
      await writers[0]!.flood(room, texts.slice(i, i + 150))
      await writers[1]!.flood(room, texts.slice(i + 150, i + 250))
      await reader.flood(room, texts.slice(i + 250, i + 400))
    }
    await reader.markRead(room, count + 1)
    for (const p of [reader, ...writers]) p.close()
  }, limit)

  afterAll(async () => {
    await browser.close()
    await server.stop()
  })

  test('the wheel goes from the newest to the first and back', async () => {
    const watch = new Watch(browser, server.url)
    const context = await watch.context()
    await context.addInitScript(watchFrames)
    const page = await context.newPage()
    await page.goto(server.url)
    await logIn(page, 'reader')
    await page.goto(`${server.url}/room/${room}`)
    const log = page.getByRole('log')
    await log.getByText(new RegExp(`^${count}번 `)).waitFor()
    await log.hover()

    const used = [await heap(page)]
    const up = await read(page, step)
    await log.getByText(/^1번 /).waitFor()
    used.push(await heap(page))
    const down = await read(page, -10 * step)
    await log.getByText(new RegExp(`^${count}번 `)).waitFor()
    used.push(await heap(page))

    const { drift, rows, tall, lost, long } = await page.evaluate(() => ({ drift: eye.drift, rows: eye.rows, tall: eye.tall, lost: eye.lost, long: eye.long.filter((ms) => ms > 100) }))
    console.log(`${name}: ${count} messages, ${up} turns up, ${down} down; drift ${drift} px; ${rows} rows; ${lost} turns lost; tasks over 100 ms: ${long.length}, the longest ${long.map(Math.round).toSorted((a, b) => b - a).slice(0, 10).join(' ') || '-'}`)
    console.log(`${name}: the log was at most ${tall} px high; heap at the newest, the first, the newest: ${used.map((mib) => mib.toFixed(1)).join(', ')} MiB, ${Math.round(((used[1]! - used[0]!) * 2 ** 20) / count)} bytes for each message that was read`)
    expect(up).toBeGreaterThan(count / 50)
    expect(drift).toBeLessThanOrEqual(1)
    expect(rows).toBeLessThanOrEqual(300)
    // What is far away was let go of.
    expect(tall).toBeLessThan((up * step) / 2)
    expect(lost).toBeLessThanOrEqual(name === 'chromium' ? 0 : up / 20)
    await watch.close()
  }, limit)
})
