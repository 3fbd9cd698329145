// For the tests of the model: a server that holds rooms as Bonghwa does (one sequence, targets rewritten in place), and a
// ModelIO over it whose answers come when the test says, made of the state at the time they are made.
import type { Item, Message, MessageKind, ModelIO, Op, Page, Room, Settled } from '../inner.ts'
import type { MessageRow, Person, SystemRow } from '../types.ts'
import { RefusedError } from '../types.ts'
import { Model } from './model.ts'

export const me = 'me'

export function message(room: string, seq: number, kind: MessageKind, author: string, more: Partial<Message> = {}): Message {
  return {
    room, seq, kind, author, time: 1000 * seq, ord: 0, text: '', replyTo: 0, edited: 0, deleted: false, target: 0, reaction: 0, users: [],
    reactions: [], myReaction: 0, changed: null, n: 0, ...more,
  }
}

export function person(id: string, more: Partial<Person> = {}): Person {
  return { id, handle: id, name: id.toUpperCase(), status: '', closed: false, photo: '', simulated: false, ...more }
}

export function line(id: string, more: Partial<Room> = {}): Room {
  return {
    id, group: true, title: id, peer: '', lastSeq: 0, joinedSeq: 1, readSeq: 0, unread: 0, memberCount: 3, muted: false, pinned: false,
    left: false, last: null, changed: { epoch: 1, n: 1 }, blocked: false, ...more,
  }
}

/** ServerRoom is a room as the server keeps it. */
export class ServerRoom {
  readonly rows: Message[] = []
  joined = 1
  ord = 0
  private readonly mine = new Map<string, number>()

  constructor(readonly id: string) {}

  get last(): number {
    return this.rows.length
  }

  add(kind: MessageKind, author: string, more: Partial<Message> = {}): Message {
    if (kind === 'text') this.ord++
    const m = message(this.id, this.last + 1, kind, author, { ord: this.ord, ...more })
    this.rows.push(m)
    return m
  }

  text(author: string, text: string, more: Partial<Message> = {}): Message {
    return this.add('text', author, { text, ...more })
  }

  /** edit, remove and react return the row as it is told live: with the target as it is at that moment. */
  edit(author: string, seq: number, text: string): Message {
    return this.change(seq, { text, edited: 1000 * (this.last + 1) }, 'edit', author, {})
  }

  remove(author: string, seq: number): Message {
    return this.change(seq, { text: '', deleted: true, edited: 0, replyTo: 0 }, 'delete', author, {})
  }

  react(author: string, seq: number, reaction: number): Message {
    const key = `${author} ${seq}`
    const was = this.mine.get(key) ?? 0
    const now = was === reaction ? 0 : reaction
    this.mine.set(key, now)
    const counts = this.row(seq).reactions.length ? [...this.row(seq).reactions] : [0, 0, 0, 0, 0, 0]
    if (was) counts[was - 1]!--
    if (now) counts[now - 1]!++
    return this.change(seq, { reactions: counts.some((n) => n > 0) ? counts : [] }, 'reaction', author, { reaction: now })
  }

  row(seq: number): Message {
    return this.rows[seq - 1]!
  }

  my(seq: number): number {
    return this.mine.get(`${me} ${seq}`) ?? 0
  }

  /** read is a row as History gives it now. */
  read(seq: number): Message {
    const m = this.row(seq)
    if (m.kind === 'text') return { ...m, myReaction: this.my(seq) }
    if (m.target >= this.joined && m.target > 0) return { ...m, changed: this.row(m.target) }
    return m
  }

  history(from: number, backward: boolean, limit: number): Page {
    const first = Math.max(1, this.joined)
    let lo = Math.max(from, first)
    let hi = Math.min(this.last, lo + limit - 1)
    if (backward) {
      hi = from === 0 ? this.last : Math.min(from, this.last)
      lo = Math.max(first, hi - limit + 1)
    }
    const messages: Message[] = []
    for (let seq = lo; seq <= hi; seq++) messages.push(this.read(seq))
    return { messages, lastSeq: this.last, joinedSeq: this.joined }
  }

  line(more: Partial<Room> = {}): Room {
    let last: Message | null = null
    for (const m of this.rows) if (m.kind === 'text' && m.seq >= this.joined) last = m
    return line(this.id, { lastSeq: this.last, joinedSeq: this.joined, last, readSeq: this.last, ...more })
  }

  private change(seq: number, change: Partial<Message>, kind: MessageKind, author: string, more: Partial<Message>): Message {
    this.rows[seq - 1] = { ...this.row(seq), ...change }
    const m = this.add(kind, author, { target: seq, ...more })
    return { ...m, changed: this.row(seq) }
  }
}

export type Plain = { seq: number; text: string; edited: boolean; deleted: boolean; reactions: readonly number[]; my: number; reply: string }

/** naive is what the rows lo..hi must look like. */
export function naive(r: ServerRoom, lo: number, hi: number): Plain[] {
  const out: Plain[] = []
  for (let seq = lo; seq <= hi; seq++) {
    const m = r.row(seq)
    if (m.kind === 'text') {
      const quoted = m.replyTo ? r.row(m.replyTo) : null
      out.push({
        seq, text: m.text, edited: m.edited > 0, deleted: m.deleted, reactions: m.deleted ? [] : m.reactions, my: m.deleted ? 0 : r.my(seq),
        reply: quoted ? (quoted.deleted ? '(deleted)' : quoted.text) : '',
      })
    } else if (visible(m.kind)) {
      out.push({ seq, text: m.kind, edited: false, deleted: false, reactions: [], my: 0, reply: '' })
    }
  }
  return out
}

export function plain(row: MessageRow | SystemRow): Plain {
  if (row.kind === 'system') return { seq: row.seq, text: row.what, edited: false, deleted: false, reactions: [], my: 0, reply: '' }
  const { seq, text, edited, deleted, reactions, myReaction: my, reply } = row
  return { seq, text, edited, deleted, reactions, my, reply: reply ? (reply.deleted ? '(deleted)' : reply.text) : '' }
}

/** act lets somebody do something in the room and returns the row as it is told. */
export function act(r: ServerRoom, pick: (n: number) => number): ReturnType<ServerRoom['add']> {
  const who = ['bob', 'eve', me][pick(3)]!
  const texts = r.rows.filter((m) => m.kind === 'text' && !m.deleted)
  const target = texts.length ? texts[texts.length - 1 - (pick(2) ? pick(Math.min(5, texts.length)) : pick(texts.length))]!.seq : 0
  switch (target ? pick(9) : 0) {
    case 5: return r.edit(r.row(target).author, target, `edit ${r.last}`)
    case 6: return pick(3) ? r.react(who, target, 1 + pick(6)) : r.remove(r.row(target).author, target)
    case 7: return r.react(who, target, 1 + pick(6))
    case 8: return pick(2) ? r.add('renamed', who, { text: 'x' }) : r.add('other', who)
    default: return r.text(who, `text ${r.last}`, pick(4) === 0 && target ? { replyTo: target } : {})
  }
}

/** visible kinds are lines of the log, of those that act makes. */
export function visible(kind: string): boolean {
  return kind === 'text' || kind === 'renamed'
}

/** World is a server, a model, a clock and the answers that are on their way. */
export class World {
  readonly rooms = new Map<string, ServerRoom>()
  readonly people = new Map<string, Person>()
  readonly members = new Map<string, { user: string; joinedSeq: number; readSeq: number }[]>()
  readonly cached = new Map<string, Message[]>()
  readonly watched = new Map<string, number>()
  readonly calls: string[] = []
  /** line is what the server says of this person in a room that it is asked for. */
  line: Partial<Room> = { readSeq: 0 }
  friends: string[] = []
  blocked: string[] = []
  online: string[] = []
  down = false
  /** auto: answers come by themselves. */
  auto = true
  now = 1_000_000
  readonly pending: { what: string; made: (() => void) | null; deliver: () => void }[] = []
  readonly model: Model
  private timers: { at: number; fn: () => void }[] = []
  private rounds: (() => void)[] = []
  private item = 0

  constructor() {
    this.model = new Model(this.io(), (fn) => void this.rounds.push(fn))
    this.model.input({ t: 'me', user: me })
  }

  room(id: string): ServerRoom {
    let r = this.rooms.get(id)
    if (!r) this.rooms.set(id, (r = new ServerRoom(id)))
    return r
  }

  begin(...rooms: Room[]): void {
    this.model.input({ t: 'connection', state: 'online', since: 0, site: 0 })
    this.model.input({ t: 'rooms', rooms })
    this.welcome()
  }

  welcome(): void {
    this.model.input({ t: 'welcomed', position: { epoch: 1, n: 1 }, serverTime: this.now, localTime: this.now })
  }

  live(m: Message): void {
    this.model.input({ t: 'message', message: m })
  }

  put(op: Partial<Op> & Pick<Op, 'kind'>, state: Item['state'] = 'sending', n?: number): number {
    const id = ++this.item
    this.model.input({ t: 'item', item: this.asItem(id, op, state, n) })
    return id
  }

  asItem(id: number, op: Partial<Op> & Pick<Op, 'kind'>, state: Item['state'], n?: number): Item {
    return { id, op: { uid: `u${id}`, ...op }, created: this.now, state, ...(n ? { n } : {}) }
  }

  settle(id: number, op: Partial<Op> & Pick<Op, 'kind'>, more: Partial<Settled>): void {
    this.model.input({
      t: 'settled',
      settled: { id, op: { uid: `u${id}`, ...op }, ok: true, seq: 0, time: this.now, room: op.room ?? '', refused: [], givenUp: false, refusal: null, ...more },
    })
  }

  /** settled lets all answers and rounds come. */
  async rest(): Promise<void> {
    for (let i = 0; i < 50; i++) {
      await turn()
      this.tick()
    }
  }

  tick(): void {
    for (const fn of this.rounds.splice(0)) fn()
  }

  /** pass moves the clock. */
  pass(ms: number): void {
    this.now += ms
    const due = this.timers.filter((t) => t.at <= this.now).sort((a, b) => a.at - b.at)
    this.timers = this.timers.filter((t) => t.at > this.now)
    for (const t of due) t.fn()
  }

  private io(): ModelIO {
    return {
      history: (room, from, backward, limit) =>
        this.answer(`history ${room} ${from} ${backward ? 'back' : 'on'} ${limit}`, () => this.room(room).history(from, backward, limit)),
      members: (room) => this.answer(`members ${room}`, () => (this.members.get(room) ?? []).map((m) => ({ ...m }))),
      room: (id) => this.answer(`room ${id}`, () => this.rooms.get(id)?.line(this.line) ?? null),
      users: (ids) => this.answer(`users ${ids.length}`, () => ids.flatMap((id) => this.people.get(id) ?? [])),
      friends: () => this.answer('friends', () => this.friends.map((id) => this.people.get(id) ?? person(id))),
      addedMe: () => this.answer('addedMe', () => []),
      blocked: () => this.answer('blocked', () => [...this.blocked]),
      presence: (ids) => this.answer('presence', () => ids.filter((id) => this.online.includes(id))),
      cached: (room) => this.answer(`cached ${room}`, () => this.cached.get(room) ?? [], true),
      watch: (room, seq) => void this.watched.set(room, seq),
      unwatch: (room) => void this.watched.delete(room),
      now: () => this.now,
      after: (ms, fn) => {
        const t = { at: this.now + ms, fn }
        if (ms === 0) this.rounds.push(fn)
        else this.timers.push(t)
        return () => void (this.timers = this.timers.filter((x) => x !== t))
      },
    }
  }

  private answer<T>(what: string, make: () => T, local = false): Promise<T> {
    this.calls.push(what)
    const refused = (): RefusedError => new RefusedError({ reason: 'unreachable', subject: '', retryAfterMs: 0, fields: [] })
    if (this.auto) return this.down && !local ? Promise.reject(refused()) : Promise.resolve().then(make)
    return new Promise<T>((resolve, reject) => {
      let value: T
      const p = {
        what,
        made: (() => {
          value = make()
          p.made = null
        }) as (() => void) | null,
        deliver: () => {
          if (this.down && !local) reject(refused())
          else {
            p.made?.()
            resolve(value)
          }
        },
      }
      this.pending.push(p)
    })
  }
}

/** turn lets what is resolved go on. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve()
}

/** random is a small seeded generator (mulberry32). */
export function random(seed: number): (n: number) => number {
  let a = seed >>> 0
  return (n) => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = Math.imul(a ^ (a >>> 15), 1 | a)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
}
