// WebKit, the engine of Safari and of every browser on an iPhone: Debian's WebKitGTK, driven by its own WebDriver, in a window of
// an X server without a screen. playwright-core drives only a WebKit of its own, which is downloaded.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { freePort } from './server.ts'

const driver = '/usr/bin/WebKitWebDriver'
const browsers = ['/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser', '/usr/lib/aarch64-linux-gnu/webkit2gtk-4.1/MiniBrowser']

/** hasWebKit tells whether this machine has it: packages webkit2gtk-driver and xvfb. */
export const hasWebKit = existsSync(driver) && existsSync('/usr/bin/Xvfb')

/** enter, as WebDriver writes the key. */
export const enter = '\uE007'

export class WebKit {
  private constructor(
    private readonly base: string,
    private readonly session: string,
    private readonly screen: ChildProcess,
    private readonly program: ChildProcess,
  ) {}

  static async launch(): Promise<WebKit> {
    const screen = spawn('/usr/bin/Xvfb', ['-displayfd', '3', '-screen', '0', '1440x900x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
    const [display] = (await once(screen.stdio[3]!, 'data')) as [Buffer]
    const port = await freePort()
    const env = { ...process.env, DISPLAY: `:${display.toString().trim()}`, LANG: 'ko_KR.UTF-8', TZ: 'Asia/Seoul', LIBGL_ALWAYS_SOFTWARE: '1', WEBKIT_DISABLE_COMPOSITING_MODE: '1' }
    const program = spawn(driver, [`--port=${port}`], { env, stdio: 'ignore' })
    const base = `http://127.0.0.1:${port}/session`
    const binary = browsers.find((b) => existsSync(b))
    const wanted = { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': { binary, args: ['--automation'] } } } }
    for (let tries = 0; ; tries++) {
      const r = await fetch(base, { method: 'POST', body: JSON.stringify(wanted) }).catch(() => null)
      const value = r && ((await r.json()) as { value: { sessionId?: string } }).value
      if (value?.sessionId) return new WebKit(base, value.sessionId, screen, program)
      if (tries > 100) throw new Error(`WebKitWebDriver gives no session: ${JSON.stringify(value)}`)
      await new Promise((again) => setTimeout(again, 100))
    }
  }

  private async ask<T>(method: string, path: string, body?: object): Promise<T> {
    // A command that is not answered is a page that hangs.
    const signal = AbortSignal.timeout(30_000)
    const r = await fetch(`${this.base}/${this.session}${path}`, { method, signal, ...(body ? { body: JSON.stringify(body) } : {}) })
    const { value } = (await r.json()) as { value: T & { error?: string; message?: string } }
    if (!r.ok) throw new Error(`${path}: ${value.error} ${value.message}`)
    return value
  }

  async go(url: string): Promise<void> {
    await this.ask('POST', '/url', { url })
  }

  async reload(): Promise<void> {
    await this.ask('POST', '/refresh', {})
  }

  async back(): Promise<void> {
    await this.ask('POST', '/back', {})
  }

  /** run a script in the page; its value is what it returns. */
  run<T>(script: string, ...args: readonly unknown[]): Promise<T> {
    return this.ask('POST', '/execute/sync', { script, args })
  }

  /** write types a text into the first element of a selector. */
  async write(selector: string, text: string): Promise<void> {
    const found = await this.ask<Record<string, string>>('POST', '/element', { using: 'css selector', value: selector })
    await this.ask('POST', `/element/${Object.values(found)[0]}/value`, { text })
  }

  /** press a key where the focus is. */
  async press(key: string): Promise<void> {
    const actions = [{ type: 'keyDown', value: key }, { type: 'keyUp', value: key }]
    await this.ask('POST', '/actions', { actions: [{ type: 'key', id: 'keyboard', actions }] })
  }

  async close(): Promise<void> {
    await this.ask('DELETE', '').catch(() => undefined)
    for (const p of [this.program, this.screen]) {
      p.kill()
      if (p.exitCode === null && p.signalCode === null) await once(p, 'exit')
    }
  }
}
