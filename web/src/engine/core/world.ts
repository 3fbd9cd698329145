// For tests: cores run against the imitated server over connections that delay and break, one random step after another.
// The same seed gives the same run.
import { FakeServer } from '../fake/server.ts'
import type { FakeConn } from '../fake/live.ts'
import { Fault } from '../fake/data.ts'
import { MemoryStore } from '../fake/memory.ts'
import type { Input, Item, Kept, Message, Op, Position, Room, Settled } from '../inner.ts'
import { Core } from './core.ts'
import type { Failure, UpFrame } from './frames.ts'
import { directRoom, encode, newUser } from './ids.ts'
import type { Output } from './output.ts'
import type { Rand } from './rand.ts'
import { below, seededRand } from './rand.ts'

/** Fate is what a test knows about one item. */
export interface Fate {
  readonly text: string
  readonly room: string
  result: Settled | null
  /** touched: given up or replaced at some time; lost: killed before it was stored; shared: open in two copies of a profile. */
  touched: boolean
  lost: boolean
  shared: boolean
  readonly replaces: Fate | null
}

interface Link {
  readonly conn: FakeConn
  opened: boolean
  up: UpFrame[]
  /** dead: the server's side is silent for ever. */
  dead: boolean
}

export class World {
  readonly server = new FakeServer()
  readonly devices: TestDevice[] = []
  readonly rand: Rand
  readonly sites: number
  now = 1_764_000_000_000
  calm = false
  readonly #trace: [number, string, unknown][] = []
  /** restored: verdicts from before may be void. */
  restored = false

  constructor(seed: number, sites = 1) {
    this.rand = seededRand(seed)
    this.sites = sites
  }

  below(n: number): number {
    return below(this.rand, n)
  }

  /** log notes what happens; an object is written out only if the test fails. */
  log(line: string, what?: unknown): void {
    this.#trace.push([this.now % 1e8, line, what])
    if (this.#trace.length > 400) this.#trace.splice(0, 250)
  }

  fail(what: string): never {
    const lines = this.#trace.slice(-120).map(([at, line, o]) => `${at} ${line} ${o === undefined ? '' : JSON.stringify(o)}`)
    throw new Error(`${what}\n${lines.join('\n')}`)
  }

  add(name: string, more: { account?: string; device?: string } = {}): TestDevice {
    const account = more.account ?? name
    const random = new TextEncoder().encode(account.padEnd(16, '.').slice(0, 16))
    const device = more.device ?? encode(new TextEncoder().encode(`device-${name}-0123`.slice(0, 16).padEnd(16, '.')))
    this.server.signUp({ random, handle: account, name: account, password: 'password', token: 'token-' + name, device, label: name })
    const d = new TestDevice(this, name, newUser(1, random), 'token-' + name, device, new MemoryStore())
    this.devices.push(d)
    d.start()
    return d
  }

  /** settle runs without trouble until nothing is open. */
  settle(): void {
    this.calm = true
    this.server.busy = () => ''
    for (const d of this.devices) d.revive()
    for (let i = 0, quiet = 0; i < 60000; i++) {
      let open = 0
      for (const d of this.devices) {
        d.step()
        if (!d.ended) open += d.pending
      }
      this.now += this.below(20)
      quiet = open > 0 ? 0 : quiet + 1
      if (quiet > 200) return // so that the last events have arrived
    }
    this.fail('not settled: ' + this.devices.map((d) => `${d.name} connected ${d.core.connected} open ${d.core.openItems} pending ${d.pending}`).join(', '))
  }
}

export class TestDevice {
  core!: Core
  readonly sent = new Map<number, Fate>()
  readonly list: Fate[] = []
  items = new Map<number, Item>()
  kept = new Map<number, Kept>()
  got = new Map<string, Message[]>()
  lines = new Map<string, Room>()
  connection = ''
  ended = ''
  rollbacks = 0
  welcomes = 0
  outputs: Output[] = []
  texts = 0
  copied = false
  watching: string[] = []
  todo: (() => void)[] = []
  links = new Map<number, Link>()
  readonly w: World
  readonly name: string
  readonly user: string
  token: string
  device: string
  readonly store: MemoryStore

  constructor(w: World, name: string, user: string, token: string, device: string, store: MemoryStore) {
    this.w = w
    this.name = name
    this.user = user
    this.token = token
    this.device = device
    this.store = store
  }

  roomWith(o: TestDevice): string {
    return directRoom(this.user, o.user)
  }

  /** start begins a process on what the store holds. */
  start(): void {
    const state = this.store.state()
    this.links = new Map()
    this.todo = []
    this.got = new Map()
    this.items = new Map()
    this.kept = new Map()
    this.lines = new Map()
    this.connection = this.ended = ''
    this.core = new Core({ sites: this.w.sites, rand: seededRand(this.w.rand()), state })
    this.core.setAccount(this.user, this.token, state.meta?.device ?? this.device)
    for (const i of this.core.snapshot()) this.input(i)
    for (const [id, f] of this.sent) {
      // Killed before it was stored: nobody was told anything, and it must not turn up anywhere.
      const stored = state.items.some((it) => it.id === id || (it.replace && it.replaceId === id))
      if (!f.result && !stored) f.lost = true
    }
    for (const room of this.watching) this.core.watch(this.w.now, room, 0)
    this.core.goOnline(this.w.now)
    this.pump()
  }

  /** restart kills the process: what was not safe may be gone from any point on. */
  restart(lose: boolean): void {
    for (const l of this.links.values()) l.conn.close()
    if (lose) this.store.crash(this.w.rand() / 2 ** 32)
    this.w.log(`${this.name} restarts`)
    this.start()
  }

  revive(): void {
    for (const l of this.links.values()) l.dead = false
  }

  get pending(): number {
    const wake = this.core.nextWake
    return this.core.openItems + this.todo.length + (this.core.connected ? 0 : 1) + (wake !== null && wake <= this.w.now ? 1 : 0) +
      [...this.links.values()].filter((l) => l.up.length > 0).length
  }

  /** pump carries out what the core asks for. */
  pump(): void {
    const { w } = this
    const server = w.server
    for (const o of this.core.take()) {
      this.outputs.push(o)
      switch (o.t) {
        case 'persist':
          this.todo.push(() => {
            this.store.write(o.recs, o.strict)
            this.core.stored(w.now, o.id)
          })
          break
        case 'open':
          this.links.set(o.conn, { conn: server.connect(), opened: false, up: [], dead: false })
          this.todo.push(() => {
            const l = this.links.get(o.conn)
            if (!l) return
            if (!w.calm && w.below(8) === 0) {
              this.cut(o.conn)
              return
            }
            l.opened = true
            this.core.opened(w.now, o.conn)
          })
          break
        case 'close':
          this.unlink(o.conn)
          break
        case 'frame':
          w.log(`${this.name}>${o.conn}`, o.frame)
          this.links.get(o.conn)?.up.push(o.frame)
          break
        case 'fetch':
          this.todo.push(() => {
            if (!w.calm && w.below(5) === 0) return this.core.fetched(w.now, o.id, null, null)
            this.answer(() => server.history(this.token, o.request), (page, f) => this.core.fetched(w.now, o.id, page, f))
          })
          break
        case 'renew':
          this.todo.push(() => {
            const lost = !w.calm && w.below(3) === 0
            if (lost && w.below(2) === 0) return this.core.renewed(w.now, o.id, null, true)
            this.answer(() => server.renewDevice(this.token, o.device), (_, f) => this.core.renewed(w.now, o.id, lost ? null : f, lost))
          })
          break
        case 'call':
          this.todo.push(() => {
            const lost = !w.calm && w.below(4) === 0
            this.answer(() => server.change(this.token, o.skip ? null : o.op, o.name, o.oldDevice), (ok, f) =>
              this.core.called(w.now, o.id, lost ? null : ok, lost ? null : f, lost))
          })
          break
        case 'input':
          this.input(o.input)
          break
        case 'ended':
          this.ended = o.why.reason
          break
      }
    }
  }

  answer<T>(call: () => T, then: (ok: T | null, f: Failure | null) => void): void {
    let ok: T | null = null, f: Failure | null = null
    try {
      ok = call()
    } catch (e) {
      if (!(e instanceof Fault)) throw e
      f = e.failure
    }
    then(ok, f)
  }

  /** input is a naive model. */
  input(i: Input): void {
    switch (i.t) {
      case 'item': this.items.set(i.item.id, i.item); break
      case 'settled': this.settled(i.settled); break
      case 'kept': this.kept.set(i.kept.id, i.kept); break
      case 'unkept': this.kept.delete(i.id); break
      case 'connection': this.connection = i.state; break
      case 'welcomed': this.welcomes++; break
      case 'rooms':
        for (const r of i.rooms) this.lines.set(r.id, r)
        break
      case 'rolledBack': this.rolledBack(i.cut); break
      case 'message': {
        const m = i.message
        this.w.log(`${this.name} got ${m.room.slice(0, 6)}:${m.seq}`)
        const list = this.got.get(m.room) ?? []
        const last = list.at(-1)
        if (last && last.seq >= m.seq) this.w.fail(`${this.name}: told ${m.seq} after ${last.seq}`)
        this.got.set(m.room, [...list, m])
        break
      }
      default: break
    }
  }

  rolledBack(_cut: Position | null): void {
    this.rollbacks++
    this.got = new Map()
  }

  settled(o: Settled): void {
    this.items.delete(o.id)
    const f = this.sent.get(o.id)
    if (!f) return
    this.w.log(`${this.name} settled`, o)
    const was = f.result
    // Only a restart that forgot the first verdict may ask again, and then hears the same.
    if (was && !this.w.restored && (was.seq !== o.seq || was.givenUp !== o.givenUp || was.ok !== o.ok)) {
      this.w.fail(`${this.name}: item ${o.id} ${f.text} settled as ${JSON.stringify(was)} and as ${JSON.stringify(o)}`)
    }
    f.result = o
  }

  unlink(id: number): void {
    this.links.get(id)?.conn.close()
    this.links.delete(id)
  }

  /** cut breaks a connection: frames under way in either direction are lost. */
  cut(id: number): void {
    this.w.log(`${this.name} cut ${id}`)
    this.unlink(id)
    this.core.lost(this.w.now, id)
  }

  cutAll(): void {
    for (const id of [...this.links.keys()]) this.cut(id)
    this.pump()
  }

  submit(op: Omit<Op, 'uid'>, uid = `${this.name}-${++this.texts}`): number {
    return this.core.submit(this.w.now, { uid, ...op })
  }

  send(room: string, text: string, peer = ''): number {
    const id = this.submit({ kind: 'send', room, text, ...(peer ? { peer } : {}) })
    if (id === 0) this.w.fail(`${this.name}: not taken`)
    this.note(id, text, room, null)
    this.pump()
    return id
  }

  note(id: number, text: string, room: string, replaces: Fate | null): void {
    const f: Fate = { text, room, result: null, touched: false, lost: false, shared: false, replaces }
    this.sent.set(id, f)
    this.list.push(f)
  }

  /** result of an item; a test fails if there is none. */
  result(id: number): Settled {
    return this.sent.get(id)?.result ?? this.w.fail(`${this.name}: ${id} is not settled`)
  }

  /** serve lets the server answer everything that was written, but keeps the answers from arriving. */
  serve(): void {
    for (let f = this.todo.shift(); f; f = this.todo.shift()) {
      f()
      this.pump()
    }
    for (const l of this.links.values()) {
      for (const f of l.up) l.conn.frame(f)
      l.up = []
    }
  }

  /** receive takes the frames that wait on a connection. */
  receive(id: number): void {
    const l = this.links.get(id)
    for (const f of l?.conn.out() ?? []) {
      if (!this.links.has(id)) return
      this.w.log(`${this.name}<${id}`, f)
      this.core.frame(this.w.now, id, f)
      this.pump()
    }
    if (l?.conn.closed && this.links.has(id)) this.cut(id)
  }

  /** step lets one thing happen to this device. */
  step(): void {
    const { w } = this
    const k = w.below(10)
    const id = [...this.links.keys()][w.below(this.links.size)]
    const l = id === undefined ? undefined : this.links.get(id)
    if (k < 3) {
      this.todo.shift()?.()
    } else if (k < 6) {
      const f = l?.opened && !l.dead ? l.up.shift() : undefined
      if (f) l?.conn.frame(f)
    } else if (k < 9) {
      if (id !== undefined && l?.opened && !l.dead) this.receive(id)
    } else {
      for (const o of this.links.values()) if (!o.dead) o.conn.beat()
    }
    this.pump()
    this.wake()
  }

  /** wake ticks the core when it is due; one that is due again and again is a fault. */
  wake(): void {
    for (let i = 0; ; i++) {
      const at = this.core.nextWake
      if (at === null || at > this.w.now) return
      if (i === 4) this.w.fail(`${this.name}: wakes at ${at} again and again, now ${this.w.now}`)
      this.core.tick(this.w.now)
      this.pump()
    }
  }

  /** trouble breaks something at random. */
  trouble(): void {
    const { w } = this
    const id = [...this.links.keys()][w.below(this.links.size)]
    const l = id === undefined ? undefined : this.links.get(id)
    switch (w.below(12)) {
      case 0: case 1: if (id !== undefined) this.cut(id); break
      case 2: if (l) l.dead = true; break
      case 3: l?.conn.resync(); break
      case 4: this.restart(true); break
      case 5: w.server.restart(); break
      default: break
    }
    if (w.below(40) === 0) {
      this.restart(true)
      w.now += 30 * 24 * 3600 * 1000 // weeks later
    }
    this.pump()
  }
}
