// A real server in a process of its own, with a data directory of its own, on loopback.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** freePort asks the system for a port that nobody uses now. */
export async function freePort(): Promise<number> {
  const s = createServer()
  s.listen(0, '127.0.0.1')
  await once(s, 'listening')
  const a = s.address()
  s.close()
  await once(s, 'close')
  if (a === null || typeof a === 'string') throw new Error('no port')
  return a.port
}

/** Server is `bonghwa serve` (or another command): start, kill -9, start again on the same data and port. */
export class Server {
  readonly data = mkdtempSync(join(tmpdir(), 'bonghwa-web-'))
  private child: ChildProcess | undefined
  private log = ''

  private constructor(
    readonly port: number,
    private readonly command: readonly string[],
  ) {}

  static async start(args: readonly string[] = [], command = 'serve'): Promise<Server> {
    const port = await freePort()
    const s = new Server(port, [command, '--listen', `127.0.0.1:${port}`, ...args])
    await s.run()
    return s
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.child?.pid ?? 0
  }

  /** run starts the process and waits until it answers. */
  async run(): Promise<void> {
    const bin = process.env['BONGHWA_BIN']
    if (!bin) throw new Error('BONGHWA_BIN is not set')
    const child = spawn(bin, [...this.command, '--data', this.data], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    const keep = (b: Buffer) => {
      this.log = (this.log + b.toString()).slice(-20_000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${this.log}`)
      const ok = await fetch(`${this.url}/readyz`).then(
        (r) => r.ok,
        () => false,
      )
      if (ok) return
      await new Promise((r) => setTimeout(r, 50))
    }
  }

  /** kill ends the process as a power cut of the process would. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const c = this.child
    this.child = undefined
    if (!c || c.exitCode !== null || c.signalCode !== null) return
    c.kill(signal)
    await once(c, 'exit')
  }

  /** signal without waiting, for SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal)
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.data, { recursive: true, force: true })
  }
}
