// FakeServer is an imitation of the server for tests of the engine: accounts, rooms, names, history and /live, in memory,
// without clock, I/O or chance. Calls are methods that return the answer or throw a Fault.
//
// Guarantees: names are decided as docs/formats.md, "Names of commands", says; every row gets the next number of its room;
// every welcomed connection is told every row of its rooms in order, the one that sends a message excepted. Not given: limits,
// the rules of who may see whom. Faults are asked for: refuse and busy (answers), refuseHello, restart, revoke, backup and
// restore; what happens to frames on their way is up to the test.
import { sha256 } from '@noble/hashes/sha2.js'
import type { CallAnswer, HistoryPage, HistoryRequest, Name } from '../core/frames.ts'
import { failure, less } from '../core/frames.ts'
import { encode, newUser } from '../core/ids.ts'
import type { Op, Position, Room } from '../inner.ts'
import type { Device, Invitation, Member, Person, Site } from '../types.ts'
import type { Told } from './chat.ts'
import { lineOf, show } from './chat.ts'
import type { Account, Data, RoomRow, Session } from './data.ts'
import { Fault, emptyData } from './data.ts'
import { FakeConn } from './live.ts'
import { decide } from './names.ts'
import type { PeopleTold } from './people.ts'
import { changePeople, end } from './people.ts'

const fault = (reason: string, again = false): Fault => new Fault(failure(reason, { again }))

export class FakeServer {
  epoch = 1
  cut: Position | null = null
  /** now is the server's clock, moved by the test. */
  now = 1_764_000_000_000
  data: Data = emptyData()
  /** refuse decides verdicts of changes of rooms; '' lets them be. */
  refuse: (op: Op) => string = () => ''
  /** busy decides refusals that do not consume, by n. */
  busy: (n: number) => string = () => ''
  /** refuseHello is the reason why nobody may connect; '' = everybody may. */
  refuseHello = ''
  /** sites that it tells of: it stands for all of them. */
  sites: readonly Site[] = []
  readonly #conns = new Set<FakeConn>()

  get position(): Position {
    return { epoch: this.epoch, n: this.data.n }
  }

  // Connections and faults.

  connect(): FakeConn {
    const c = new FakeConn(this)
    this.#conns.add(c)
    return c
  }

  get conns(): readonly FakeConn[] {
    return [...this.#conns]
  }

  drop(c: FakeConn): void {
    this.#conns.delete(c)
  }

  /** restart closes every connection without a word; what was decided stays. */
  restart(): void {
    for (const c of this.conns) {
      c.close()
      c.wake?.()
    }
  }

  /** revoke ends a session as from elsewhere. */
  revoke(token: string): void {
    const s = this.data.sessions.get(token)
    if (s) end(this.data, s, this.peopleTold)
  }

  backup(): { readonly epoch: number; readonly data: Data } {
    return { epoch: this.epoch, data: structuredClone(this.data) }
  }

  /** restore goes back to a backup and begins a new epoch. */
  restore(b: { readonly epoch: number; readonly data: Data }): void {
    this.cut = { epoch: b.epoch, n: b.data.n }
    this.data = structuredClone(b.data)
    this.data.n = 0
    this.epoch++
    for (const r of this.data.rooms.values()) {
      r.changed = 0
      for (const m of r.members.values()) m.changed = 0
    }
    this.restart()
  }

  /** knows: what a client has seen is still there. */
  knows(seen: Position): boolean {
    return seen.epoch === this.epoch || (this.cut !== null && this.cut.epoch === seen.epoch && seen.n <= this.cut.n)
  }

  // Who is told of what.

  told(sender: FakeConn | null): Told {
    const each = (user: string, fn: (c: FakeConn) => void): void => {
      for (const c of this.conns) if (c.live && c.caller.user === user) fn(c)
    }
    return {
      row: (r, row) => {
        for (const [u, m] of r.members) {
          if (m.left && r.group && !(row.message.kind === 'left' && row.message.author === u)) continue
          each(u, (c) => {
            if (c !== sender) c.put({ t: 'message', position: this.position, message: show(row, c.caller, false) })
          })
        }
      },
      line: (user, r) => each(user, (c) => {
        const room = lineOf(this.data, r, c.caller, this.epoch)
        if (room) c.put({ t: 'room', position: this.position, room })
      }),
      read: (r, user, seq) => {
        for (const u of r.members.keys()) {
          each(u, (c) => {
            if (u === user || c.views.includes(r.id)) c.put({ t: 'read', position: this.position, room: r.id, user, seq })
          })
        }
      },
    }
  }

  get peopleTold(): PeopleTold {
    return {
      people: (user, what) => {
        for (const c of this.conns) {
          if (!c.live || c.caller.user !== user) continue
          c.put({ t: 'people', position: this.position, me: false, friends: false, devices: false, blocked: false, users: [], ...what })
        }
      },
      revoked: (token) => {
        for (const c of this.conns) if (c.session?.token === token) c.bye('session_revoked')
      },
    }
  }

  typing(from: FakeConn, room: string, stopped: boolean): void {
    const r = this.data.rooms.get(room)
    if (!r?.members.has(from.caller.user)) return
    for (const c of this.conns) {
      if (c.live && c.views.includes(room) && c.caller.user !== from.caller.user && r.members.has(c.caller.user)) {
        c.put({ t: 'typing', position: null, room, user: from.caller.user, stopped })
      }
    }
  }

  presence(c: FakeConn): void {
    for (const id of c.views) {
      const r = this.data.rooms.get(id)
      if (!r?.members.has(c.caller.user)) continue
      const users = [...r.members.keys()].filter((u) => this.isOnline(u))
      c.put({ t: 'presence', room: id, online: users.length, users })
    }
  }

  isOnline(user: string): boolean {
    return this.conns.some((c) => c.live && c.caller.user === user)
  }

  // Calls about accounts.

  checkHandle(handle: string): boolean {
    return ![...this.data.accounts.values()].some((a) => a.handle === handle)
  }

  /** signUp makes an account and its first session; the same random and token again is success again. */
  signUp(f: { random: Uint8Array; handle: string; name: string; password: string; token: string; device: string; label: string }): { user: string; handle: string } {
    const user = newUser(1, f.random)
    const known = this.data.accounts.get(user)
    if (!known) {
      if (!this.checkHandle(f.handle)) throw fault('handle_taken')
      this.data.n++
      this.data.accounts.set(user, {
        user, handle: f.handle, name: f.name, status: '', password: f.password, photo: '', jpeg: new Uint8Array(), closed: false,
        mustChange: false, random: encode(f.random), friends: new Set(), blocked: new Set(),
      })
    }
    this.data.sessions.set(f.token, { token: f.token, user, device: f.device, label: f.label })
    return { user, handle: known?.handle ?? f.handle }
  }

  logIn(f: { handle: string; password: string; token: string; device: string; label: string }): { user: string; handle: string; mustChangePassword: boolean } {
    const a = [...this.data.accounts.values()].find((o) => o.handle === f.handle && !o.closed)
    if (!a || a.password !== f.password) throw fault('bad_credentials')
    this.data.n++
    this.data.sessions.set(f.token, { token: f.token, user: a.user, device: f.device, label: f.label })
    this.peopleTold.people(a.user, { devices: true })
    return { user: a.user, handle: a.handle, mustChangePassword: a.mustChange }
  }

  requestDeviceCode(token: Uint8Array, device: string, label: string): string {
    const code = String(10000000 + this.data.codes.size)
    this.data.codes.set(code, { code, hash: encode(sha256(token)), device, label, user: '' })
    return code
  }

  pollDeviceCode(token: Uint8Array): { user: string; handle: string } | null {
    const c = [...this.data.codes.values()].find((o) => o.hash === encode(sha256(token)))
    if (!c) throw fault('bad_code')
    const a = this.data.accounts.get(c.user)
    return a ? { user: a.user, handle: a.handle } : null
  }

  admitDevice(bearer: string, code: string): void {
    const me = this.#session(bearer)
    const c = this.data.codes.get(code)
    if (!c) throw fault('bad_code')
    c.user = me.user
  }

  peekDeviceCode(bearer: string, code: string): string {
    this.#session(bearer)
    const c = this.data.codes.get(code)
    if (!c) throw fault('bad_code')
    return c.label
  }

  logOut(bearer: string): void {
    end(this.data, this.#session(bearer), this.peopleTold)
  }

  renewDevice(bearer: string, device: string): void {
    this.#session(bearer).device = device
  }

  /** change is a named change of the account; null gives its name up, under another device if that is given. */
  change(bearer: string, op: Op | null, name: Name, oldDevice = ''): CallAnswer {
    const s = this.#session(bearer)
    if (name.epoch !== 0 && name.epoch !== this.epoch) throw fault('rolled_back', true)
    const busy = this.busy(name.n)
    if (busy) throw fault(busy, true)
    if (op && op.kind !== 'changePassword' && this.#account(s.user).mustChange) throw fault('must_change_password', true)
    const apply = op ? () => changePeople(this.data, s, op, this.now, this.peopleTold) : null
    const { verdict: v, repeated } = decide(this.data, oldDevice || s.device, 'people', name, apply)
    if (v.reason) throw new Fault(failure(v.reason, { consumed: true }))
    return { seq: 0, time: v.time, repeated }
  }

  devices(bearer: string): Device[] {
    const me = this.#session(bearer)
    const list = [...this.data.sessions.values()].filter((s) => s.user === me.user)
    return list.map((s) => ({ id: s.device, label: s.label, lastDay: this.now - (this.now % 86400000), current: s.token === bearer, connected: false }))
  }

  invitations(bearer: string): Invitation[] {
    const me = this.#session(bearer)
    return [...this.data.invitations.values()].filter((i) => i.by === me.user).map((i) => ({
      id: i.id, secret: '', created: i.created, until: i.until, uses: i.uses, used: i.users.length, users: i.users, revoked: i.revoked,
    }))
  }

  // Calls about people.

  me(bearer: string): { person: Person; device: string; mustChangePassword: boolean } {
    const s = this.#session(bearer)
    return { person: this.#person(this.#account(s.user)), device: s.device, mustChangePassword: this.#account(s.user).mustChange }
  }

  users(bearer: string, ids: readonly string[]): Person[] {
    this.#session(bearer)
    return ids.flatMap((id) => {
      const a = this.data.accounts.get(id)
      return a ? [this.#person(a)] : []
    })
  }

  findUser(bearer: string, handle: string): { person: Person; friend: boolean; addedMe: boolean } | null {
    const me = this.#account(this.#session(bearer).user)
    const a = [...this.data.accounts.values()].find((o) => o.handle === handle && !o.closed)
    return a ? { person: this.#person(a), friend: me.friends.has(a.user), addedMe: a.friends.has(me.user) } : null
  }

  friends(bearer: string): Person[] {
    return this.users(bearer, [...this.#account(this.#session(bearer).user).friends])
  }

  addedMe(bearer: string): Person[] {
    const me = this.#account(this.#session(bearer).user)
    return this.users(bearer, [...this.data.accounts.values()].filter((a) => a.friends.has(me.user) && !me.friends.has(a.user)).map((a) => a.user))
  }

  blocked(bearer: string): string[] {
    return [...this.#account(this.#session(bearer).user).blocked]
  }

  presenceOf(bearer: string, ids: readonly string[]): string[] {
    this.#session(bearer)
    return ids.filter((u) => this.isOnline(u))
  }

  photos(bearer: string, ids: readonly string[]): { user: string; photo: string; jpeg: Uint8Array }[] {
    return this.users(bearer, ids).filter((p) => p.photo).map((p) => ({ user: p.id, photo: p.photo, jpeg: this.#account(p.id).jpeg }))
  }

  // Calls about rooms.

  history(bearer: string, q: HistoryRequest): HistoryPage {
    const s = this.#session(bearer)
    if (q.atLeast && q.atLeast.epoch === this.epoch && less(this.position, q.atLeast)) throw fault('behind', true)
    const r = this.#room(q.room)
    const m = r.members.get(s.user)
    if (!m || (m.left && r.group)) throw fault('not_member')
    const last = r.rows.length, limit = Math.min(q.limit || 50, 200)
    const to = q.backward ? (q.from === 0 ? last : Math.min(q.from, last)) : last
    const from = Math.max(m.joinedSeq, q.backward ? to - limit + 1 : q.from, 1)
    const rows = r.rows.slice(from - 1, Math.min(to, from + limit - 1))
    return { messages: rows.map((row) => show(row, s, true)), lastSeq: last, joinedSeq: m.joinedSeq, position: this.position }
  }

  room(bearer: string, id: string): Room | null {
    const r = this.data.rooms.get(id)
    const s = this.#session(bearer)
    return r ? lineOf(this.data, r, s, this.epoch) : null
  }

  members(bearer: string, id: string): Member[] {
    const s = this.#session(bearer)
    const r = this.#room(id)
    if (!r.members.has(s.user)) throw fault('not_member')
    return [...r.members].filter(([, m]) => !(r.group && m.left)).map(([user, m]) => ({ user, joinedSeq: m.joinedSeq, readSeq: m.readSeq }))
  }

  reactions(bearer: string, id: string, seq: number): { user: string; reaction: number }[] {
    this.#session(bearer)
    return [...(this.#room(id).rows[seq - 1]?.by ?? [])].map(([user, reaction]) => ({ user, reaction }))
  }

  #session(bearer: string): Session {
    const s = this.data.sessions.get(bearer)
    if (!s) throw fault('unauthenticated', true)
    return s
  }

  #account(user: string): Account {
    const a = this.data.accounts.get(user)
    if (!a) throw fault('unknown_user')
    return a
  }

  #room(id: string): RoomRow {
    const r = this.data.rooms.get(id)
    if (!r) throw fault('unknown_room')
    return r
  }

  #person(a: Account): Person {
    return { id: a.user, handle: a.handle, name: a.name, status: a.status, closed: a.closed, photo: a.photo, simulated: false }
  }
}
