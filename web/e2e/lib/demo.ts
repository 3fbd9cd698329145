// `bonghwa demo --sites 3`: three sites, twelve people and an operator.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export class Demo {
  private log = ''

  private constructor(
    private readonly child: ChildProcess,
    private readonly dir: string,
  ) {}

  /** start returns when the sites are lit and the twelve are there. */
  static async start(): Promise<Demo> {
    const bin = process.env['BONGHWA_BIN']
    if (!bin) throw new Error('BONGHWA_BIN is not set')
    const net = `127.${1 + Math.floor(Math.random() * 254)}.${Math.floor(Math.random() * 256)}`
    const dir = mkdtempSync(join(tmpdir(), 'bonghwa-demo-'))
    const d = new Demo(spawn(bin, ['demo', '--sites', '3', '--net', net, '--data', join(dir, 'data')], { stdio: ['pipe', 'pipe', 'pipe'], cwd: dir }), dir)
    const keep = (b: Buffer) => {
      d.log += b.toString()
    }
    d.child.stdout!.on('data', keep)
    d.child.stderr!.on('data', keep)
    while (!d.log.includes('  people ')) {
      if (d.child.exitCode !== null) throw new Error(`the demo ended with ${d.child.exitCode}:\n${d.log}`)
      await new Promise((r) => setTimeout(r, 50))
    }
    return d
  }

  /** url of a site. */
  url(site: 'seoul' | 'daejeon' | 'busan'): string {
    return new RegExp(`^ +${site} +(\\S+)$`, 'm').exec(this.log)![1]!
  }

  /** operator is who may log in to the operators' page. */
  get operator(): { handle: string; password: string } {
    const [, handle, password] = /log in as (\S+), password (\w+)/.exec(this.log)!
    return { handle: handle!, password: password! }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null) {
      const gone = once(this.child, 'exit')
      this.child.stdin!.write('quit\n')
      await gone
    }
    rmSync(this.dir, { recursive: true, force: true })
  }
}
