// A browser as a program of the machine, on a profile that outlives it: it can be killed, and put to sleep.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'
import { type BrowserName, launchProfile } from './browser.ts'

export class Program {
  private readonly profile = mkdtempSync(join(tmpdir(), 'bonghwa-profile-'))
  private context: BrowserContext | undefined

  constructor(readonly name: BrowserName) {}

  async open(): Promise<BrowserContext> {
    this.context = await launchProfile(this.name, this.profile)
    return this.context
  }

  /** kill ends the program as a power cut does: nothing in it learns of it. */
  async kill(): Promise<void> {
    const gone = new Promise((done) => this.context?.once('close', done))
    this.signal('SIGKILL')
    await gone
    this.context = undefined
  }

  /** sleep stops every process of the program where it is; nothing may be asked of it before wake. */
  sleep(): void {
    this.signal('SIGSTOP')
  }

  wake(): void {
    this.signal('SIGCONT')
  }

  private signal(signal: NodeJS.Signals): void {
    for (const pid of processes(this.profile)) process.kill(pid, signal)
  }

  async stop(): Promise<void> {
    await this.context?.close().catch(() => undefined)
    rmSync(this.profile, { recursive: true, force: true })
  }
}

/** processes of the program that holds a profile: the one that was started with it, and all that descend from it. */
function processes(profile: string): number[] {
  const parent = new Map<number, number>()
  const found = new Set<number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const pid = Number(name)
      // The name of the program, in brackets, may hold anything.
      parent.set(pid, Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1]))
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(profile)) found.add(pid)
    } catch {
      // It has ended meanwhile.
    }
  }
  if (found.size === 0) throw new Error('no browser holds this profile')
  for (let more = true; more; ) {
    more = false
    for (const [pid, up] of parent) {
      if (found.has(pid) || !found.has(up)) continue
      found.add(pid)
      more = true
    }
  }
  return [...found]
}
