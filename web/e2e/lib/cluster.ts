// Three sites of one system, each a process with a loopback address of its own. People reach each through a proxy, so that a site
// can also fall silent.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Proxy } from './proxy.ts'

const names = ['busan', 'daejeon', 'seoul'] as const
export type SiteName = (typeof names)[number]

export interface Site {
  readonly name: SiteName
  /** url is what the system says of it: the proxy. direct is the process itself. */
  readonly url: string
  readonly direct: string
  readonly proxy: Proxy
}

export class Cluster {
  private readonly dir = mkdtempSync(join(tmpdir(), 'bonghwa-sites-'))
  private readonly sites = new Map<SiteName, Site>()
  private readonly running = new Map<SiteName, ChildProcess>()
  private log = ''

  private constructor() {}

  static async start(): Promise<Cluster> {
    const c = new Cluster()
    const net = `127.${1 + Math.floor(Math.random() * 254)}.${Math.floor(Math.random() * 256)}`
    execFileSync(bin(), ['cluster', 'init', '--sites', names.map((n, i) => `${n}=${net}.${i + 1}`).join(','), '--out', join(c.dir, 'files')], { cwd: c.dir })
    for (const [i, name] of names.entries()) {
      const host = `${net}.${i + 1}`
      const proxy = await Proxy.start(8080, host)
      const text = readFileSync(c.file(name), 'utf8')
      const direct = `http://${host}:8080`
      if (!text.includes(`url = '${direct}'`)) throw new Error(`another address than expected:\n${text}`)
      writeFileSync(c.file(name), text.replace(`url = '${direct}'`, `url = '${proxy.url}'`))
      c.sites.set(name, { name, url: proxy.url, direct, proxy })
    }
    await Promise.all(names.map((n) => c.run(n)))
    return c
  }

  private file(name: SiteName): string {
    return join(this.dir, 'files', name, 'node.toml')
  }

  site(name: SiteName): Site {
    return this.sites.get(name)!
  }

  /** run starts a site's process and waits until it serves. */
  async run(name: SiteName): Promise<void> {
    const child = spawn(bin(), ['serve', '--config', this.file(name), '--no-limits', '--signup', 'open'], { stdio: ['ignore', 'pipe', 'pipe'], cwd: this.dir })
    this.running.set(name, child)
    const keep = (b: Buffer) => {
      this.log = (this.log + b.toString()).slice(-40_000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    for (;;) {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${this.log}`)
      const ok = await fetch(`${this.site(name).direct}/readyz`).then(
        (r) => r.ok,
        () => false,
      )
      if (ok) return
      await new Promise((r) => setTimeout(r, 50))
    }
  }

  /** kill ends a site at once; who connects is refused. */
  async kill(name: SiteName): Promise<void> {
    const c = this.running.get(name)
    this.running.delete(name)
    this.site(name).proxy.refuse = true
    if (c && c.exitCode === null && c.signalCode === null) {
      c.kill('SIGKILL')
      await once(c, 'exit')
    }
    this.site(name).proxy.cut()
  }

  /** silence is a power cut as the others see it: nothing answers, and nothing says so. */
  async silence(name: SiteName): Promise<void> {
    this.site(name).proxy.swallow = true
    const c = this.running.get(name)
    this.running.delete(name)
    if (!c || c.exitCode !== null || c.signalCode !== null) return
    this.site(name).proxy.hold = true
    c.kill('SIGKILL')
    await once(c, 'exit')
  }

  /** back starts a site that was ended, on what it has. */
  async back(name: SiteName): Promise<void> {
    const { proxy } = this.site(name)
    await this.run(name)
    proxy.refuse = proxy.swallow = proxy.hold = false
    proxy.cut()
  }

  async stop(): Promise<void> {
    for (const n of names) {
      await this.kill(n)
      await this.site(n).proxy.stop()
    }
    rmSync(this.dir, { recursive: true, force: true })
  }
}

function bin(): string {
  const b = process.env['BONGHWA_BIN']
  if (!b) throw new Error('BONGHWA_BIN is not set')
  return b
}
