// A TCP relay between browser and server that counts the bytes of both directions and can refuse for a while.
import { once } from 'node:events'
import { type Server, type Socket, connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

export class Wire {
  down = 0
  up = 0
  private readonly sockets = new Set<Socket>()
  private readonly server: Server

  private constructor(target: number) {
    this.server = createServer((a) => {
      const b = connect(target, '127.0.0.1')
      for (const s of [a, b]) {
        this.sockets.add(s)
        s.setNoDelay(true)
        s.on('error', () => undefined)
        s.on('close', () => {
          this.sockets.delete(s)
          a.destroy()
          b.destroy()
        })
      }
      a.on('data', (d) => {
        this.up += d.length
        b.write(d)
      })
      b.on('data', (d) => {
        this.down += d.length
        a.write(d)
      })
    })
  }

  static async start(target: number): Promise<Wire> {
    const w = new Wire(target)
    w.server.listen(0, '127.0.0.1')
    await once(w.server, 'listening')
    return w
  }

  get url(): string {
    const a = this.server.address()
    return `http://127.0.0.1:${typeof a === 'object' && a ? a.port : 0}`
  }

  cut(): void {
    for (const s of this.sockets) s.destroy()
  }

  /** quiet waits until nothing came for two seconds, and gives the bytes since the last call. */
  async quiet(): Promise<{ down: number; up: number }> {
    for (let last = -1; last !== this.down + this.up; await wait(2000)) last = this.down + this.up
    const n = { down: this.down, up: this.up }
    this.down = 0
    this.up = 0
    return n
  }

  async stop(): Promise<void> {
    this.cut()
    this.server.close()
    await once(this.server, 'close')
  }
}
