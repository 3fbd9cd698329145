// A TCP proxy between browser and server: it delays, swallows, cuts, and closes idle connections.
import { once } from 'node:events'
import { type Server, type Socket, connect, createServer } from 'node:net'
import { freePort } from './server.ts'

export class Proxy {
  /** delay of every chunk in each direction, ms. */
  delay = 0
  /** swallow drops everything in both directions without closing. */
  swallow = false
  /** deaf drops what the server says, without closing: requests arrive, answers do not. */
  deaf = false
  /** refuse closes new connections at once, as a server that is down does. */
  refuse = false
  /** hold keeps connections open, new ones too, although there is no server any more. */
  hold = false
  /** idle closes connections that were silent for so long, ms; 0: never. */
  idle = 0
  /** closed counts the connections that were closed for silence. */
  closed = 0
  private readonly sockets = new Set<Socket>()
  /** forgotten are connections of which this proxy knows nothing any more. */
  private readonly forgotten = new WeakSet<Socket>()
  private server: Server | undefined

  private constructor(
    readonly port: number,
    private readonly target: number,
    private readonly host: string,
  ) {}

  static async start(target: number, host = '127.0.0.1'): Promise<Proxy> {
    const p = new Proxy(await freePort(), target, host)
    p.server = createServer((a) => p.take(a))
    p.server.listen(p.port, '127.0.0.1')
    await once(p.server, 'listening')
    return p
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  private take(a: Socket): void {
    if (this.refuse) {
      a.destroy()
      return
    }
    if (this.hold) {
      this.sockets.add(a)
      a.on('error', () => undefined)
      a.on('close', () => this.sockets.delete(a))
      a.resume()
      return
    }
    const b = connect(this.target, this.host)
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      this.sockets.add(from)
      from.setNoDelay(true)
      from.on('error', () => undefined)
      if (this.idle > 0) from.setTimeout(this.idle, () => {
        this.closed++
        from.destroy()
      })
      from.on('data', (chunk) => {
        if (this.swallow || this.forgotten.has(from) || (this.deaf && from === b)) return
        if (this.delay === 0) to.write(chunk)
        else setTimeout(() => to.writable && to.write(chunk), this.delay)
      })
      from.on('close', () => {
        this.sockets.delete(from)
        if (!this.hold || from === a) to.destroy()
      })
    }
  }

  /** forget: what is said on the connections of now goes nowhere, as after a router was switched off; new ones are fine. */
  forget(): void {
    for (const s of this.sockets) this.forgotten.add(s)
  }

  /** cut resets every connection that is open now. */
  cut(): void {
    for (const s of this.sockets) s.destroy()
  }

  async stop(): Promise<void> {
    this.cut()
    this.server?.close()
    if (this.server) await once(this.server, 'close')
  }
}
