// One profile of the browser on its way past the states of the interface, and what is usual to do in it.
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'

/** Look is called at each stop; the name is that of the state. */
export type Look = (name: string, page: Page) => Promise<void>

export const desk = { width: 1280, height: 800 }
export const wide = { width: 1700, height: 950 }
export const tablet = { width: 900, height: 720 }
export const phone = { width: 390, height: 844 }

/** afternoon is a time zone in which it is one o'clock now, so that conversations do not take place at night. */
function afternoon(): string {
  const ahead = 13 - new Date().getUTCHours()
  return ahead > 12 ? 'Etc/GMT-12' : ahead < -11 ? 'Etc/GMT+11' : `Etc/GMT${ahead < 0 ? '+' : '-'}${Math.abs(ahead)}`
}

export interface TourOptions {
  /** look at each stop. */
  readonly look: Look
  /** context is called for each new profile of the browser. */
  readonly context: (options: BrowserContextOptions) => Promise<BrowserContext>
}

/** Guide holds one profile of the browser and what is usual to do in it. */
export class Guide {
  private constructor(
    readonly page: Page,
    readonly url: string,
    private readonly show: Look,
  ) {}

  static async start(o: TourOptions, url: string, viewport: { width: number; height: number }, more: BrowserContextOptions = {}): Promise<Guide> {
    const touch = viewport.width < 700
    const context = await o.context({ locale: 'ko-KR', timezoneId: afternoon(), viewport, hasTouch: touch, isMobile: touch, reducedMotion: 'reduce', ignoreHTTPSErrors: true, ...more })
    const page = await context.newPage()
    await page.goto(url)
    return new Guide(page, url, o.look)
  }

  async at(path: string): Promise<void> {
    await this.page.goto(this.url + path)
    await this.page.locator('h1, h2').first().waitFor()
  }

  /** see waits for words on the screen, then looks. */
  async see(name: string, words?: string | RegExp): Promise<void> {
    if (words !== undefined) await this.page.getByText(words).first().waitFor()
    await this.look(name)
  }

  /** hear is see for words of the conversation: the list shows the last ones, too, and before the room is drawn. */
  async hear(name: string, words: string | RegExp): Promise<void> {
    await this.page.getByRole('log').getByText(words).first().waitFor()
    await this.look(name)
  }

  private async look(name: string): Promise<void> {
    await this.page.evaluate(async () => {
      await document.fonts.ready
      await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))
    })
    await this.show(name, this.page)
  }

  async dark(on: boolean): Promise<void> {
    await this.page.emulateMedia({ colorScheme: on ? 'dark' : 'light' })
  }

  /** set a setting of the browser, as the page of settings does. */
  async set(change: Record<string, unknown>): Promise<void> {
    await this.page.evaluate((c) => localStorage.setItem('bonghwa.settings', JSON.stringify({ ...(JSON.parse(localStorage.getItem('bonghwa.settings') ?? '{}') as object), ...c })), change)
    await this.page.reload()
    await this.page.locator('h1, h2').first().waitFor()
  }

  button(name: string | RegExp) {
    return this.page.getByRole('button', { name, exact: typeof name === 'string' })
  }

  async close(): Promise<void> {
    await this.page.context().close()
  }
}

/** ridge is a picture to be cut: the mountains of the entry page, as this browser draws them. */
export async function ridge(page: Page): Promise<Buffer> {
  const p = await page.context().newPage()
  await p.setViewportSize({ width: 900, height: 700 })
  await p.goto('about:blank')
  await p.evaluate(() => {
    const c = document.createElement('canvas')
    c.width = 900
    c.height = 700
    document.body.style.margin = '0'
    document.body.append(c)
    const x = c.getContext('2d')!
    const sky = x.createLinearGradient(0, 0, 0, 700)
    sky.addColorStop(0, '#243447')
    sky.addColorStop(0.6, '#c9743c')
    sky.addColorStop(1, '#f3c98b')
    x.fillStyle = sky
    x.fillRect(0, 0, 900, 700)
    x.fillStyle = '#ffe9c2'
    x.beginPath()
    x.arc(520, 330, 60, 0, 7)
    x.fill()
    for (const [base, colour, wave] of [
      [400, '#6b4a4f', 90],
      [480, '#47374a', 70],
      [580, '#241f33', 60],
    ] as const) {
      x.fillStyle = colour
      x.beginPath()
      x.moveTo(0, 700)
      for (let i = 0; i <= 900; i += 10) x.lineTo(i, base + wave * Math.sin(i / 110 + base) + (wave / 3) * Math.sin(i / 31 + base))
      x.lineTo(900, 700)
      x.fill()
    }
  })
  const shot = await p.screenshot()
  await p.close()
  return shot
}

