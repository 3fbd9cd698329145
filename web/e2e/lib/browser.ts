// Real browsers. Every page that a test opens is watched: a console error, an uncaught error, a CSP or Trusted Types report
// fails the test, except the browser's own lines about the network while the test itself holds the server down.
import { join } from 'node:path'
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium, firefox } from 'playwright-core'
import { traceFailure } from './trace.ts'

export type BrowserName = 'chromium' | 'firefox'
/** browserNames that are tested; BONGHWA_BROWSERS=chromium takes some of them. */
export const browserNames: readonly BrowserName[] = (process.env['BONGHWA_BROWSERS']?.split(',') as BrowserName[] | undefined) ?? ['chromium', 'firefox']

/** chromiumArgs: as root, without a graphics card, without calls of its own. */
export const chromiumArgs = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--force-color-profile=srgb'] as const

const firefoxProgram = { channel: 'moz-firefox', executablePath: process.env['FIREFOX'] ?? '/usr/bin/firefox-esr' }
const chromiumProgram = { executablePath: join(import.meta.dirname, 'chromium.sh') }

const running = new Map<BrowserName, Browser>()

/** shared is a browser that the files of one worker have one after the other; it ends with the worker. */
export async function shared(name: BrowserName): Promise<Browser> {
  let b = running.get(name)
  if (!b?.isConnected()) running.set(name, (b = await launch(name)))
  for (const c of b.contexts()) await c.close() // of a test that failed
  return b
}

/** launch starts a browser. still: the wheel scrolls at once, without the browser's own gliding. */
export async function launch(name: BrowserName, { still = false } = {}): Promise<Browser> {
  if (name === 'chromium') {
    return chromium.launch({ ...chromiumProgram, args: [...chromiumArgs, ...(still ? ['--disable-smooth-scrolling'] : [])] })
  }
  return firefox.launch({ ...firefoxProgram, firefoxUserPrefs: { 'general.smoothScroll': !still, ...mouse } })
}

/** mouse: a machine without one; Firefox is told of one that points exactly and hovers. */
const mouse = { 'ui.primaryPointerCapabilities': 6, 'ui.allPointerCapabilities': 6 }

const home = { locale: 'ko-KR', timezoneId: 'Asia/Seoul', viewport: { width: 1440, height: 900 } } as const

/** launchProfile starts a browser on a profile that outlives it. */
export function launchProfile(name: BrowserName, profile: string): Promise<BrowserContext> {
  return name === 'chromium'
    ? chromium.launchPersistentContext(profile, { ...chromiumProgram, ...home, args: [...chromiumArgs] })
    : firefox.launchPersistentContext(profile, { ...firefoxProgram, ...home, firefoxUserPrefs: mouse })
}

/** networkLine: what browsers themselves write when a connection breaks. */
const networkLine = [
  /Failed to load resource: net::ERR_/,
  /WebSocket connection to '.*' failed/,
  /can.t establish a connection to the server at ws/i,
  /The connection to ws.* was interrupted/i,
  /Cross-Origin Request Blocked.*Reason: CORS request did not succeed/i,
  /NetworkError when attempting to fetch/i,
  /download failed \(font-family: /,
]

/** abortedLine: Firefox's of a font that it was loading when the page was left (NS_BINDING_ABORTED), as a line and as an error; and of
 * a script that its worker was fetching ahead for it then. A worker that fails otherwise leaves views closed, which tests notice. */
const abortedLine = /download failed \(font-family: .*status=2152398850|Failed to load .*\.js.*A ServiceWorker intercepted the request and encountered an unexpected error/

/** Watch collects what went wrong on the pages of a test. */
export class Watch {
  private readonly wrong: string[] = []
  private readonly contexts: BrowserContext[] = []
  /** down: the test holds the server down or cuts the network, and browsers may say so. */
  down = false
  /** killing: the test kills pages. */
  killing = false
  /** allowed: a line that this one test provokes on purpose. */
  allowed: RegExp[] = []

  constructor(
    readonly browser: Browser,
    readonly url: string,
  ) {
    traceFailure(() => this.contexts)
  }

  /** context is a browser profile of its own: another person, or another device. */
  async context(options: BrowserContextOptions = {}): Promise<BrowserContext> {
    const c = await this.browser.newContext({ ...home, ignoreHTTPSErrors: true, ...options })
    return this.adopt(c)
  }

  /** adopt watches a context that was opened elsewhere. */
  async adopt(c: BrowserContext): Promise<BrowserContext> {
    this.contexts.push(c)
    await c.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (e) => {
        console.error(`CSP: ${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`)
      })
    })
    // Several people look at their windows at the same time. Chromium's driver gives each of them the focus.
    if (this.browser.browserType().name() === 'firefox') await c.addInitScript(() => (document.hasFocus = () => true))
    c.on('page', (p) => this.watch(p))
    return c
  }

  async page(options: BrowserContextOptions = {}, path = '/'): Promise<Page> {
    const c = await this.context(options)
    const p = await c.newPage()
    await p.goto(this.url + path)
    return p
  }

  private watch(p: Page): void {
    const expected = (text: string) => abortedLine.test(text) || (this.down && networkLine.some((r) => r.test(text))) || this.allowed.some((r) => r.test(text))
    p.on('console', (m) => {
      if (m.type() === 'error' && !expected(m.text())) this.wrong.push(`console: ${m.text()} (${m.location().url})`)
    })
    // Firefox reports a connection that broke as an error of the page.
    p.on('pageerror', (e) => {
      if (!expected(e.message)) this.wrong.push(`uncaught: ${e.message}\n${e.stack ?? ''}`)
    })
    p.on('crash', () => this.killing || this.wrong.push('the page crashed'))
  }

  /** close ends the contexts and fails if anything was wrong. */
  async close(): Promise<void> {
    for (const c of this.contexts) await c.close().catch(() => undefined)
    if (this.wrong.length > 0) throw new Error(`the browser complained:\n${this.wrong.join('\n')}`)
  }
}
