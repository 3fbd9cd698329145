// The result of a run: one JSON file (BONGHWA_RESULT), to which each measure adds its part together with the load of the
// machine at that moment; and the numbers that all measures share.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Browser } from 'playwright-core'

const file = process.env['BONGHWA_RESULT'] ?? 'web-result.json'

/** record puts a part into the file. */
export function record(name: string, part: object): void {
  const all: Record<string, unknown> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  all['date'] ??= new Date().toISOString().slice(0, 19) + 'Z'
  all['machine'] ??= { cpu: cpus()[0]?.model.replace(/\s*\d+-Core.*| Processor.*/g, ''), cores: cpus().length, mem_gib: round(totalmem() / 2 ** 30), kernel: release(), node: process.version }
  all['page'] ??= version()
  all['limits'] ??= 'Server, browsers and the programs that measure share these cores; loopback; no graphics card, pictures are drawn by the processor. machine in each part says how busy the box was with other things before its pieces, of 1.'
  all[name] = part
  writeFileSync(file, JSON.stringify(all, null, 2) + '\n')
  console.log(name, JSON.stringify(part))
}

function version(): string {
  return execFileSync('git', ['describe', '--always', '--tags'], { cwd: import.meta.dirname, encoding: 'utf8' }).trim()
}

/** load of the last minute. */
export function load(): number {
  return round(loadavg()[0]!)
}

/** busy is the share of all cores that was used in the next two seconds, by whatever runs here. */
async function busy(): Promise<number> {
  const look = () => cpus().reduce((n, c) => ({ idle: n.idle + c.times.idle, all: n.all + Object.values(c.times).reduce((a, b) => a + b, 0) }), { idle: 0, all: 0 })
  const a = look()
  await wait(2000)
  const b = look()
  return 1 - (b.idle - a.idle) / (b.all - a.all)
}

const patience = Date.now() + Number(process.env['BONGHWA_PATIENCE'] ?? 1) * 60_000

/** Machine says how busy the box was with other things when pieces of a measure began. */
export class Machine {
  private readonly seen: number[] = []

  /** calm waits until the machine does little else, for at most BONGHWA_PATIENCE minutes (1) from the start of the run. */
  async calm(): Promise<void> {
    let b = await busy()
    while (b >= 0.25 && Date.now() < patience) b = await busy()
    this.seen.push(b)
  }

  get said(): { pieces: number; busy_before_at_most: number; load_after: number } {
    return { pieces: this.seen.length, busy_before_at_most: round(Math.max(...this.seen), 2), load_after: load() }
  }
}

export function round(n: number, digits = 1): number {
  return Number(n.toFixed(digits))
}

/** spread of a list of milliseconds. */
export function spread(ms: readonly number[]): { n: number; p50: number; p95: number; p99: number; max: number } {
  const s = [...ms].sort((a, b) => a - b)
  const at = (q: number) => round(s[Math.min(s.length - 1, Math.ceil(q * s.length) - 1)]!, 2)
  return { n: s.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

/** rss of the processes that draw pages, MiB each, the largest first (Chromium only). */
export async function renderers(browser: Browser): Promise<number[]> {
  const cdp = await browser.newBrowserCDPSession()
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo')
  await cdp.detach()
  return processInfo
    .filter((p) => p.type === 'renderer')
    .map((p) => {
      const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${p.id}/status`, 'utf8'))?.[1]
      return round(Number(kb) / 1024)
    })
    .sort((a, b) => b - a)
}
