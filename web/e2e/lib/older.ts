// The server as it was before an update: the same client, under the name of another build. It stands in front of the real
// server; after `update` everything goes through as it is, and what the page still asks for under the old name is 404.
import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer, request } from 'node:http'
import { type Socket, connect } from 'node:net'

export class Older {
  /** now and before are the names of the two builds. */
  now = ''
  before = ''
  /** hold keeps the answer to a file back until the update. */
  hold = ''
  private old = true
  private readonly held: (() => void)[] = []
  private server: Server | undefined
  private readonly sockets = new Set<Socket>()

  private constructor(private readonly target: number) {}

  static async start(target: number): Promise<Older> {
    const o = new Older(target)
    const page = await (await fetch(`http://127.0.0.1:${target}/`)).text()
    o.now = /\/a\/([^/]+)\//.exec(page)?.[1] ?? ''
    o.before = o.now.replace(/./g, (c) => (c === '0' ? '1' : '0'))
    o.server = createServer((q, r) => o.answer(q, r))
    o.server.on('connection', (s) => {
      o.sockets.add(s)
      s.on('close', () => o.sockets.delete(s))
    })
    // /live goes through byte by byte.
    o.server.on('upgrade', (q, socket, head) => {
      const b = connect(target, '127.0.0.1')
      const lines = [`${q.method} ${q.url} HTTP/1.1`]
      for (let i = 0; i < q.rawHeaders.length; i += 2) lines.push(`${q.rawHeaders[i]}: ${q.rawHeaders[i + 1]}`)
      b.write(`${lines.join('\r\n')}\r\n\r\n`)
      b.write(head)
      for (const [x, y] of [
        [socket, b],
        [b, socket],
      ] as const) {
        x.on('error', () => undefined)
        x.on('close', () => y.destroy())
        x.pipe(y)
      }
    })
    o.server.listen(0, '127.0.0.1')
    await once(o.server, 'listening')
    return o
  }

  get url(): string {
    const a = this.server?.address()
    return a && typeof a === 'object' ? `http://127.0.0.1:${a.port}` : ''
  }

  /** update: from now on the server has the new build. */
  update(): void {
    this.old = false
    for (const go of this.held.splice(0)) go()
  }

  /** cut ends every connection that is open now. */
  cut(): void {
    for (const s of this.sockets) s.destroy()
  }

  private answer(q: IncomingMessage, r: ServerResponse): void {
    if (this.old && this.hold !== '' && q.url?.endsWith(this.hold)) {
      this.held.push(() => this.answer(q, r))
      return
    }
    const { old } = this
    const path = old ? q.url?.replace(this.before, this.now) : q.url
    const headers = { ...q.headers, 'accept-encoding': 'identity' }
    const up = request({ port: this.target, host: '127.0.0.1', method: q.method, path, headers }, (a) => {
      const parts: Buffer[] = []
      a.on('data', (b: Buffer) => parts.push(b))
      a.on('end', () => {
        const body = Buffer.concat(parts)
        const words = /html|javascript|css|proto|json/.test(a.headers['content-type'] ?? '')
        // Both names are equally long, so that binary answers keep their lengths.
        r.writeHead(a.statusCode ?? 502, a.headers)
        r.end(old && words ? Buffer.from(body.toString('latin1').replaceAll(this.now, this.before), 'latin1') : body)
      })
    })
    up.on('error', () => r.destroy())
    q.pipe(up)
  }

  async stop(): Promise<void> {
    this.cut()
    this.server?.close()
    if (this.server) await once(this.server, 'close')
  }
}
