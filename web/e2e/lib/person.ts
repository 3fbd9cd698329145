// A person without a browser, on the npm package ws and the JSON frames of docs/protocol.md: makes what a test needs to be there.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** base32 as ids and tokens are written. */
export function base32(b: Uint8Array): string {
  let out = ''
  let bits = 0
  let n = 0
  for (const x of b) {
    n = (n << 8) | x
    bits += 8
    while (bits >= 5) {
      out += alphabet[(n >> (bits - 5)) & 31]
      bits -= 5
      n &= (1 << bits) - 1
    }
  }
  if (bits > 0) out += alphabet[(n << (5 - bits)) & 31]
  return out
}

function bytes(id: string): Buffer {
  const out: number[] = []
  let bits = 0
  let n = 0
  for (const c of id) {
    n = (n << 5) | alphabet.indexOf(c)
    bits += 5
    if (bits >= 8) {
      out.push((n >> (bits - 8)) & 255)
      bits -= 8
      n &= (1 << bits) - 1
    }
  }
  return Buffer.from(out)
}

/** directRoom is the id of the 1:1 of two people. */
export function directRoom(a: string, b: string): string {
  const [x, y] = [bytes(a), bytes(b)]
  const [lo, hi] = Buffer.compare(x, y) <= 0 ? [x, y] : [y, x]
  const hash = createHash('sha256').update(lo).update(hi).digest()
  return base32(Buffer.concat([lo.subarray(0, 2), Buffer.from([1]), hash.subarray(0, 13)]))
}

interface Ack {
  seq?: string
  room?: string
  error?: { reason: string }
}

export class Person {
  id = ''
  private socket: WebSocket | undefined
  private opening: Promise<void> | undefined
  private nextId = 1
  private readonly waiting = new Map<string, (a: Ack) => void>()
  private readonly names = new Map<string, number>()
  private readonly lanes = new Map<string, Promise<unknown>>()

  private constructor(
    readonly url: string,
    readonly handle: string,
    readonly name: string,
    readonly password: string,
    private readonly token: Buffer,
    private readonly device: Buffer,
  ) {}

  static async signUp(url: string, handle: string, name: string, password = 'correct horse', invitation = ''): Promise<Person> {
    const p = new Person(url, handle, name, password, randomBytes(32), randomBytes(16))
    const r = await p.call('AccountService/SignUp', {
      random: randomBytes(16).toString('base64'),
      handle,
      displayName: name,
      password,
      token: p.token.toString('base64'),
      device: p.device.toString('base64'),
      deviceLabel: '크롬 · 윈도우',
      ...(invitation ? { invitation } : {}),
    })
    p.id = r['user'] as string
    return p
  }

  /** logIn is another device of an account. */
  static async logIn(url: string, handle: string, password = 'correct horse'): Promise<Person> {
    const p = new Person(url, handle, '', password, randomBytes(32), randomBytes(16))
    const r = await p.call('AccountService/LogIn', { handle, password, token: p.token.toString('base64'), device: p.device.toString('base64'), deviceLabel: '파이어폭스 · 맥' })
    p.id = r['user'] as string
    return p
  }

  /** call waits as long as a busy server asks for. */
  async call(method: string, body: object): Promise<Record<string, unknown>> {
    const r = await fetch(`${this.url}/api/bonghwa.api.v1.${method}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(this.id ? { Authorization: `Bearer ${base32(this.token)}` } : {}) },
      body: JSON.stringify(body),
    })
    const answer = (await r.json()) as Record<string, unknown>
    const busy = r.status === 429 ? /"REASON_BUSY".*"retryAfterMs":"(\d+)"/.exec(JSON.stringify(answer)) : null
    if (busy) {
      await new Promise((done) => setTimeout(done, Number(busy[1])))
      return this.call(method, body)
    }
    if (!r.ok) throw new Error(`${method}: ${r.status} ${JSON.stringify(answer)}`)
    return answer
  }

  private name_(scope: string): { n: string; tag: string; base: string } {
    const n = (this.names.get(scope) ?? 0) + 1
    this.names.set(scope, n)
    return { n: String(n), tag: randomBytes(8).toString('base64'), base: String(Math.max(1, n - 7)) }
  }

  /** online opens /live, once for as long as the connection lasts. */
  async online(): Promise<this> {
    await (this.opening ??= this.open())
    return this
  }

  private async open(): Promise<void> {
    const s = new WebSocket(`${this.url.replace('http', 'ws')}/live`, 'bonghwa.v1.json')
    this.socket = s
    s.on('close', () => {
      if (this.socket === s) this.opening = this.socket = undefined
    })
    const welcomed = new Promise<void>((done) => {
      s.on('message', (data) => {
        const f = JSON.parse(String(data)) as { id?: string; ack?: Ack; welcome?: object }
        if (f.welcome) done()
        if (f.ack && f.id) {
          this.waiting.get(f.id)?.(f.ack)
          this.waiting.delete(f.id)
        }
      })
    })
    await once(s, 'open')
    s.send(JSON.stringify({ id: '0', hello: { token: base32(this.token), device: base32(this.device) } }))
    await welcomed
  }

  private async frame(body: object): Promise<Ack> {
    await this.online()
    const id = String(this.nextId++)
    const answer = new Promise<Ack>((done) => this.waiting.set(id, done))
    this.socket?.send(JSON.stringify({ id, ...body }))
    const a = await answer
    if (a.error) throw new Error(`${Object.keys(body)[0]}: ${a.error.reason}`)
    return a
  }

  /** send to a room, in the order of the calls; returns the seq. */
  send(room: string, text: string, more: object = {}): Promise<number> {
    const before = this.lanes.get(room) ?? Promise.resolve()
    const mine = before.then(() => this.frame({ send: { name: this.name_(room), room, text, ...more } })).then((a) => Number(a.seq))
    this.lanes.set(
      room,
      mine.catch(() => undefined),
    )
    return mine
  }

  sendTo(peer: string, text: string): Promise<number> {
    return this.frame({ send: { name: this.name_(directRoom(this.id, peer)), peer, text } }).then((a) => Number(a.seq))
  }

  /** flood sends n texts to a room, up to eight under way. */
  async flood(room: string, texts: readonly string[]): Promise<void> {
    const under: Promise<unknown>[] = []
    for (const text of texts) {
      if (under.length >= 8) await under.shift()
      under.push(this.frame({ send: { name: this.name_(room), room, text } }))
    }
    await Promise.all(under)
  }

  async createGroup(title: string, members: readonly string[]): Promise<string> {
    const a = await this.frame({ createRoom: { random: randomBytes(16).toString('base64'), title, members } })
    return a.room ?? ''
  }

  async invite(room: string, members: readonly string[]): Promise<void> {
    await this.frame({ invite: { name: this.name_(room), room, members } })
  }

  async leave(room: string): Promise<void> {
    await this.frame({ leave: { name: this.name_(room), room } })
  }

  async react(room: string, seq: number, reaction: number): Promise<void> {
    await this.frame({ react: { name: this.name_(room), room, seq: String(seq), reaction } })
  }

  async edit(room: string, seq: number, text: string): Promise<void> {
    await this.frame({ edit: { name: this.name_(room), room, seq: String(seq), text } })
  }

  /** remove for everyone. */
  async remove(room: string, seq: number): Promise<void> {
    await this.frame({ delete: { name: this.name_(room), room, seq: String(seq) } })
  }

  async mute(room: string): Promise<void> {
    await this.frame({ mute: { name: this.name_(room), room, on: true } })
  }

  async pin(room: string): Promise<void> {
    await this.frame({ pin: { name: this.name_(room), room, on: true } })
  }

  async block(user: string): Promise<void> {
    await this.frame({ block: { name: this.name_('blocks'), user } })
  }

  async profile(displayName: string, statusMessage: string): Promise<void> {
    await this.call('PeopleService/SetProfile', { name: this.name_('account'), displayName, statusMessage })
  }

  async addFriend(user: string): Promise<void> {
    await this.call('PeopleService/AddFriend', { name: this.name_('account'), user })
  }

  async markRead(room: string, seq: number): Promise<void> {
    await this.call('ChatService/MarkRead', { room, seq: String(seq) })
  }

  typing(room: string): void {
    this.socket?.send(JSON.stringify({ typing: { room } }))
  }

  /** texts of a room as the server has them now, all of them. */
  async texts(room: string): Promise<{ seq: number; author: string; text: string }[]> {
    const out: { seq: number; author: string; text: string }[] = []
    for (let from = 1; ; ) {
      const page = (await this.call('ChatService/History', { room, from: String(from), limit: 200 })) as { messages?: { seq: string; kind: string; author?: string; text?: string }[] }
      const list = page.messages ?? []
      for (const m of list) if (m.kind === 'MESSAGE_KIND_TEXT') out.push({ seq: Number(m.seq), author: m.author ?? '', text: m.text ?? '' })
      const last = list.at(-1)
      if (!last || list.length < 200) return out
      from = Number(last.seq) + 1
    }
  }

  async revokeOthers(): Promise<void> {
    await this.call('PeopleService/RevokeDevices', { name: this.name_('account'), allOthers: true })
  }

  close(): void {
    this.socket?.terminate()
    this.socket = undefined
    this.opening = undefined
  }
}
