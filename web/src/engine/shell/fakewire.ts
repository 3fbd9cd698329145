// For tests: the wire to the imitated server, and windows of imitated browsers around whole engines.
import { WindowEngine, startEngine } from '../engine.ts'
import { encode } from '../core/ids.ts'
import { seededRand } from '../core/rand.ts'
import { Fault } from '../fake/data.ts'
import type { FakeServer } from '../fake/server.ts'
import { RefusedError, type SignUpForm } from '../types.ts'
import { plain, unreachable } from './convert.ts'
import type { Env, Wake } from './env.ts'
import { type Store, StoreError, type Write, type WriteOptions, openStore } from './store.ts'
import type { Channel } from './tabs.ts'
import { Bus, Locks, Time } from './testing.ts'
import type { Live, LiveEvents, Outcome, Session, Wire } from './wire.ts'

/** Net is the network between one browser and the server. */
export class Net {
  down = false
  /** gone are the sites that do not answer, by number. */
  gone = new Set<number>()
  /** lose decides which answers get lost on their way; the server has done what was asked. */
  lose: (call: string) => boolean = () => false
  /** hang decides which calls are never answered. */
  hang: (call: string) => boolean = () => false
}

/** fakeWire speaks to the imitated server; every answer comes later than its question. */
export function fakeWire(server: FakeServer, net: Net, time: Time, session: Session): Wire {
  const call = async <T>(name: string, f: (token: string) => T): Promise<T> => {
    await Promise.resolve()
    if (net.down) throw new RefusedError(unreachable)
    if (net.hang(name)) return new Promise(() => {})
    try {
      const answer = f(session.token())
      await Promise.resolve()
      if (net.lose(name)) throw new RefusedError(unreachable)
      return structuredClone(answer)
    } catch (e) {
      if (!(e instanceof Fault)) throw e
      const t = session.token()
      if (e.failure.reason === 'unauthenticated' && t) session.over(t)
      throw new RefusedError(plain(e.failure))
    }
  }
  const attempt = async <T>(name: string, f: (token: string) => T): Promise<Outcome<T>> => {
    await Promise.resolve()
    if (net.down) return { answer: null, failure: null }
    try {
      const answer = f(session.token())
      return net.lose(name) ? { answer: null, failure: null } : { answer: structuredClone(answer), failure: null }
    } catch (e) {
      if (!(e instanceof Fault)) throw e
      return { answer: null, failure: e.failure }
    }
  }
  return {
    connect: (site, events) => connect(server, { get down() { return net.down || net.gone.has(site) } }, time, events),
    server: () => call('server', () => ({ signup: 'open' as const, version: 'fake', webBuild: '', site: '', sites: [] })),
    checkHandle: (handle) => call('checkHandle', () => server.checkHandle(handle)),
    signUp: (o) =>
      call('signUp', () => ({ ...server.signUp({ ...o, token: encode(o.token), device: encode(o.device) }), mustChange: false })),
    logIn: (o) =>
      call('logIn', () => {
        const r = server.logIn({ ...o, token: encode(o.token), device: encode(o.device) })
        return { user: r.user, handle: r.handle, mustChange: r.mustChangePassword }
      }),
    requestCode: (o) => call('requestCode', () => ({ code: server.requestDeviceCode(o.token, encode(o.device), o.label), validMs: 120_000 })),
    pollCode: (token) =>
      call('pollCode', () => {
        const r = server.pollDeviceCode(token)
        return r ? { ...r, mustChange: false } : 'waiting'
      }),
    logOut: () => call('logOut', (t) => server.logOut(t)),
    change: (_site, op, name, skip, old) => attempt('change', (t) => server.change(t, skip ? null : op, name, old)),
    renew: (_site, device) =>
      attempt('renew', (t) => {
        server.renewDevice(t, device)
        return true
      }),
    fetch: (_site, q) => attempt('fetch', (t) => server.history(t, q)),
    history: (q) => call('history', (t) => server.history(t, q)),
    members: (room) => call('members', (t) => server.members(t, room)),
    room: (id) => call('room', (t) => server.room(t, id)),
    reactions: (room, seq) => call('reactions', (t) => server.reactions(t, room, seq)),
    users: (ids) => call('users', (t) => server.users(t, ids)),
    friends: () => call('friends', (t) => server.friends(t)),
    addedMe: () => call('addedMe', (t) => server.addedMe(t)),
    blocked: () => call('blocked', (t) => server.blocked(t)),
    presence: (ids) => call('presence', (t) => server.presenceOf(t, ids)),
    photos: (users) => call('photos', (t) => server.photos(t, users)),
    find: (handle, self) =>
      call('find', (t) => {
        const r = server.findUser(t, handle)
        return r ? { ...r, self: r.person.id === self } : null
      }),
    devices: () => call('devices', (t) => server.devices(t)),
    peekCode: (code) => call('peekCode', (t) => server.peekDeviceCode(t, code)),
    admitCode: (code) => call('admitCode', (t) => server.admitDevice(t, code)),
    invitations: () => call('invitations', (t) => server.invitations(t)),
    operator: () => Promise.resolve(false),
    service: () => Promise.reject(new Error('not imitated')),
  }
}

function connect(server: FakeServer, net: { readonly down: boolean }, time: Time, events: LiveEvents): Live {
  let over = false
  const conn = net.down ? null : server.connect()
  const lose = () => {
    if (over) return
    over = true
    conn?.close()
    events.lost()
  }
  const pump = () => {
    for (const f of conn?.out() ?? []) {
      if (over || net.down) break
      const copy = structuredClone(f)
      setImmediate(() => {
        if (!over && !net.down) events.frame(copy)
      })
    }
    if (conn?.closed) setImmediate(lose)
  }
  setImmediate(() => {
    if (over) return
    if (!conn || net.down) return lose()
    conn.wake = () => setImmediate(pump)
    events.opened()
  })
  const beat = () => {
    if (over || !conn) return
    if (net.down) return lose()
    conn.beat()
    time.after(500, beat)
  }
  time.after(500, beat)
  return {
    write(f) {
      if (over || net.down || !conn) return
      const copy = structuredClone(f)
      setImmediate(() => {
        if (over || net.down) return
        conn.frame(copy)
        pump()
      })
    },
    close() {
      over = true
      conn?.close()
    },
  }
}

/** Browser is one profile: its windows share a database, locks and a channel. */
export class Browser {
  readonly locks = new Locks()
  readonly bus = new Bus()
  readonly net = new Net()
  hasLocks = true
  /** elsewhere are the other sites that its pages are served with. */
  elsewhere: readonly string[] = []
  private windows = 0
  private readonly server: FakeServer
  private readonly time: Time
  readonly name: string
  /** local is what its pages write at once. */
  readonly local = new Map<string, string>()
  /** slow: timers of its windows come late, as those of hidden ones do. */
  slow = false
  /** unreadable: reads of the store fail. */
  unreadable = false
  /** disk decides whether a write to the store succeeds; stuck: it cannot be emptied either. */
  disk: 'ok' | 'full' | 'stuck' = 'ok'
  /** transactions that were made, oldest first. */
  readonly transactions: (readonly Write[])[] = []

  constructor(name: string, server: FakeServer, time: Time) {
    this.name = name
    this.server = server
    this.time = time
  }

  async open(visible = true, store?: Store): Promise<Window> {
    const w = new Window(`${this.name}${++this.windows}`, this, this.time, visible)
    const opened = store ?? (await openStore(this.name, () => () => {}))
    w.engine = await startEngine({
      env: w.env,
      slot: this.name,
      store: w.around(opened),
      wire: (session) => fakeWire(this.server, this.net, this.time, w.alive(session)),
      schedule: (fn) => setImmediate(fn),
    })
    await this.time.settle()
    return w
  }
}

let seed = 1

export class Window {
  engine!: WindowEngine
  dead = false
  readonly env: Env
  private readonly ends: Channel[] = []
  private wakeUp: (why: Wake) => void = () => {}
  private readonly id: string
  private readonly browser: Browser

  constructor(id: string, browser: Browser, time: Time, public visible: boolean) {
    this.id = id
    this.browser = browser
    this.env = {
      origin: 'http://fake',
      elsewhere: browser.elsewhere,
      kept: false,
      secure: browser.hasLocks,
      locks: browser.hasLocks ? browser.locks.window(id) : null,
      channel: () => {
        const c = browser.bus.channel()
        this.ends.push(c)
        return c
      },
      visible: () => this.visible,
      wall: () => time.now,
      mono: () => time.now,
      after: (ms, fn) => time.after(browser.slow ? Math.max(ms, 60_000) : ms, () => (this.dead ? undefined : fn())),
      rand: seededRand(seed++),
      wake: (fn) => {
        this.wakeUp = fn
        return () => {}
      },
      ownBuild: '',
      rescue: {
        getItem: (k) => browser.local.get(k) ?? null,
        setItem: (k, v) => void browser.local.set(k, v),
        removeItem: (k) => void browser.local.delete(k),
      },
    }
  }

  show(on: boolean): void {
    this.visible = on
    this.wakeUp(on ? 'visible' : 'hidden')
  }

  wake(why: Wake): void {
    this.wakeUp(why)
  }

  /** kill ends the page without a word. hung: its lock is not freed. */
  kill(hung = false): void {
    this.dead = true
    for (const c of this.ends) c.close()
    if (!hung) this.browser.locks.kill(this.id)
  }

  /** deaf: it hears nothing of other windows until told otherwise. */
  deaf(): () => void {
    const heard = this.ends.map((c) => c.onmessage)
    for (const c of this.ends) c.onmessage = null
    return () => {
      this.ends.forEach((c, i) => (c.onmessage = heard[i] ?? null))
    }
  }

  /** alive: a killed window hears nothing of the server. */
  alive(session: Session): Session {
    return { token: () => session.token(), over: (t) => (this.dead ? undefined : session.over(t)) }
  }

  around(inner: Store): Store {
    const { browser } = this
    const dead = () => this.dead
    return {
      kind: inner.kind,
      async get(t, k) {
        if (browser.unreadable) throw new StoreError('unreadable')
        return inner.get(t, k)
      },
      async entries(t) {
        if (browser.unreadable) throw new StoreError('unreadable')
        return inner.entries(t)
      },
      async write(writes: readonly Write[], options?: WriteOptions) {
        if (dead()) return new Promise<void>(() => {})
        if (browser.disk !== 'ok') throw new StoreError('full')
        await inner.write(writes, options)
        browser.transactions.push(writes)
        if (dead()) return new Promise<void>(() => {})
      },
      claim: async (f, wanted) => {
        if (browser.disk === 'stuck') throw new StoreError('full')
        await inner.claim(f, wanted)
      },
      wipe: async () => {
        if (browser.disk === 'stuck') throw new StoreError('full')
        await inner.wipe()
      },
      sleep: () => inner.sleep(),
      rouse: () => inner.rouse(),
      ...(inner.changes ? { changes: () => inner.changes!() } : {}),
      close: () => inner.close(),
    }
  }
}

export const form = (handle: string): SignUpForm => ({ handle, name: handle.toUpperCase(), password: 'correct horse', deviceLabel: 'test', invitation: '' })
