// Core is the client of the protocol without clock and I/O: outbox, names, connection, rows. Whoever drives it hands in
// what happens and the time, and after each call carries out what take() gives, in order.
//
// Guarantees: an item gets its name (device, n, tag) in the transaction that stores it and leaves only after that is safe;
// at most eight names of a scope are under way; whatever is lost, doubled or answered late, an item is decided once and its
// author is told; a send that was refused is kept until its author has decided. Rows of a room are told once and in order of
// their sequence. The same inputs give the same outputs: every random number comes from Config.rand. Not given: read marks
// and typing may be lost; where no model holds rows, rows may be left out and the line tells.
//
// Times are Unix milliseconds; within one core they must not go back.
import type { Input, Kept, Named, Op, Position, Room } from '../inner.ts'
import type { Refusal } from '../types.ts'
import { dropConns, frame, lost, nextWake, opened, sendView, show, tick } from './conn.ts'
import type { CallAnswer, DownFrame, Failure, HistoryPage } from './frames.ts'
import type { Config } from './inside.ts'
import { Inside, staleOpening } from './inside.ts'
import type { Output } from './output.ts'
import { discard, giveUp, load, outboxInputs, rename, replace, resend, restore, submit, tellTouched } from './outbox.ts'
import { renewed } from './renew.ts'
import { fetched, putLine, readUp, storeLines, takeLines, trackOf, watch } from './rooms.ts'
import { called, markRead } from './send.ts'

export type { Config } from './inside.ts'

export class Core {
  readonly #s: Inside

  constructor(cfg: Config) {
    this.#s = new Inside(cfg)
    if (cfg.state) load(this.#s, cfg.state)
  }

  /** take returns the outputs since the last call, in order. */
  take(): Output[] {
    const s = this.#s
    tellTouched(s)
    let out = s.out
    if (s.recs.length > 0) {
      // Before everything else put out in this step: whoever is told of a verdict has it in the store.
      out = [{ t: 'persist', id: ++s.persistId, recs: s.recs, strict: s.strict }, ...out]
      s.recs = []
      s.strict = false
    }
    s.out = []
    return out
  }

  /** setAccount tells whose client this is and under which session; before goOnline and before any item. With another device
      than the one in the state, open items are recovered as after a renewal. */
  setAccount(user: string, token: string, device: string): void {
    const s = this.#s
    s.user = user
    s.token = token
    s.ended = null
    s.mustChange = false
    s.changedAt = 0
    s.renewals = []
    if (s.device !== device) {
      s.device = device
      s.renewing = false
      s.persistMeta()
    }
    for (const scope of s.scopes.values()) rename(s, scope)
    s.tell({ t: 'me', user })
  }

  goOnline(now: number): void {
    const s = this.#s
    s.online = true
    s.ended = null
    s.connectAt = now
    tick(s, now)
  }

  /** goOffline closes the connections. Open items stay. */
  goOffline(now: number): void {
    const s = this.#s
    s.online = false
    dropConns(s, now)
    storeLines(s)
    if (s.shown === 'online') show(s, now, 'reconnecting')
  }

  /** setSites says that there are now so many sites, of which some are no longer part of the system. Numbers keep their
      meaning: new sites come at the end. */
  setSites(now: number, sites: number, dropped: readonly boolean[]): void {
    const s = this.#s
    s.sites = Math.max(sites, s.sites)
    s.dropped = dropped
    tick(s, now)
  }

  /** keep stores the lines as they are now: the page may end at any time. */
  keep(): void {
    storeLines(this.#s)
  }

  /** snapshot is what a model that begins now must be told; the inputs that follow go on from there. */
  snapshot(): Input[] {
    const s = this.#s
    const list: Input[] = s.user ? [{ t: 'me', user: s.user }] : []
    if (s.known.length > 0) list.push({ t: 'sites', sites: s.known })
    if (s.lines.size > 0 || s.base) list.push({ t: 'rooms', rooms: [...s.lines.values()] })
    list.push(...outboxInputs(s), { t: 'connection', state: s.shown, since: s.shownAt, site: s.site })
    return list
  }

  // Changes.

  /** submit takes a change: it gets its name, is stored, sent and sent again until it is decided. Returns the item's id; the
      same uid is the same item, and its verdict is told again if there is one. 0: nobody is logged in, or the op names
      neither room nor person. named: it may have left under this name, of which the store knows nothing. */
  submit(now: number, op: Op, named: Named | null = null): number {
    const id = submit(this.#s, now, op, named)
    tick(this.#s, now)
    return id
  }

  /** giveUp asks for an item not to be sent after all; what becomes of it is told by its verdict. false: no such item, or it
      is being given up. */
  giveUp(now: number, id: number): boolean {
    const ok = giveUp(this.#s, id)
    tick(this.#s, now)
    return ok
  }

  /** replace gives an item up and sends this text instead; if the item is in already, or proves to be, the message is edited, and
      if it was refused, the text goes as a new one. Returns the id of the item that follows, 0 if there is nothing to replace.
      uid is that of what follows, for who waits for its verdict. */
  replace(now: number, id: number, text: string, uid = ''): number {
    const next = replace(this.#s, now, id, text, uid)
    tick(this.#s, now)
    return next
  }

  /** item is the id under which an op was taken, open or decided, 0 if it was not. */
  item(uid: string): number {
    return this.#s.uids.get(uid) ?? 0
  }

  /** discard forgets a refused message. */
  discard(id: number): void {
    discard(this.#s, id)
  }

  /** resend sends a refused message anew; returns the new item's id, 0 if there is none. */
  resend(now: number, id: number): number {
    const next = resend(this.#s, now, id)
    tick(this.#s, now)
    return next
  }

  /** restore keeps a message that was refused, and whoever led then could not store that; returns its id. */
  restore(now: number, kept: Kept): number {
    const id = restore(this.#s, now, kept)
    tick(this.#s, now)
    return id
  }

  // What is looked at.

  /** view says which rooms are looked at in any window, at most eight. */
  view(now: number, rooms: readonly string[]): void {
    const s = this.#s
    const next = rooms.slice(0, 8)
    if (next.length === s.views.length && next.every((id, i) => id === s.views[i])) return
    if (s.views.length === 0 && s.flights.size === 0) s.activeFrom = now
    s.views = next
    for (const id of next) trackOf(s, id)
    sendView(s)
    tick(s, now)
  }

  /** watch says that a model holds the rows of a room up to seq (0: none yet) and wants each that follows. If more has been
      told of the room already, the model reads what lies between from history. */
  watch(now: number, room: string, seq: number): void {
    watch(this.#s, now, room, seq)
  }

  unwatch(room: string): void {
    this.#s.watches.delete(room)
  }

  markRead(now: number, room: string, seq: number): void {
    markRead(this.#s, room, seq)
    readUp(this.#s, now, room, seq, true)
    this.#s.tell({ t: 'ownRead', room, seq })
    tick(this.#s, now)
  }

  /** line takes a line that was asked for. */
  takeLine(now: number, room: Room): void {
    takeLines(this.#s, now, [room])
    tick(this.#s, now)
  }

  /** counted: a model has counted what is unread after an own mark; this core holds no rows. */
  counted(now: number, room: string, readSeq: number, unread: number): void {
    const l = this.#s.lines.get(room)
    if (l?.readSeq === readSeq && l.unread !== unread) putLine(this.#s, now, { ...l, unread })
    tick(this.#s, now)
  }

  /** typing tells the others of a room, if there is a connection. */
  typing(room: string, stopped: boolean): void {
    const s = this.#s
    if (s.cur && !s.cur.waiting) s.emit({ t: 'frame', conn: s.cur.id, frame: { t: 'typing', room, stopped } })
  }

  /** ping asks the server how far it is, after sleep and on focus. With no answer soon, another connection is opened; one
      that is waited for, or that has been opening since before, is tried at once, and failures of before do not count. */
  ping(now: number): void {
    const s = this.#s
    if (s.cur && !s.cur.waiting) {
      s.emit({ t: 'frame', conn: s.cur.id, frame: { t: 'ping' } })
      if (s.pingAt === 0) s.pingAt = now
    } else if (!s.cur && s.online && !s.renewing) {
      s.failures = 0
      if (s.next && now >= s.next.openAt + staleOpening) {
        s.emit({ t: 'close', conn: s.next.id })
        s.next = null
        s.connectAt = now
      }
      if (!s.next) s.connectAt = Math.min(s.connectAt, now)
    }
    tick(s, now)
  }

  // What happens outside.

  opened(now: number, conn: number): void {
    opened(this.#s, now, conn)
    tick(this.#s, now)
  }

  lost(now: number, conn: number): void {
    lost(this.#s, now, conn)
    tick(this.#s, now)
  }

  frame(now: number, conn: number, f: DownFrame): void {
    frame(this.#s, now, conn, f)
    tick(this.#s, now)
  }

  stored(now: number, persist: number): void {
    this.#s.storedUpTo = Math.max(this.#s.storedUpTo, persist)
    tick(this.#s, now)
  }

  /** fetched answers a fetch: the page, or a failure, or neither if no answer came. */
  fetched(now: number, id: number, page: HistoryPage | null, f: Failure | null): void {
    fetched(this.#s, now, id, page, f)
    tick(this.#s, now)
  }

  /** called answers a call. lost: no answer came, the outcome is unknown. */
  called(now: number, id: number, ok: CallAnswer | null, f: Failure | null, gone: boolean): void {
    called(this.#s, now, id, ok, f, gone)
    tick(this.#s, now)
  }

  renewed(now: number, id: number, f: Failure | null, gone: boolean): void {
    renewed(this.#s, now, id, f, gone)
    tick(this.#s, now)
  }

  tick(now: number): void {
    tick(this.#s, now)
  }

  // What is known.

  /** nextWake is when tick must be called at the latest; null if nothing waits for time. */
  get nextWake(): number | null {
    return nextWake(this.#s)
  }

  get connected(): boolean {
    return this.#s.cur !== null
  }

  get ended(): Refusal | null {
    return this.#s.ended
  }

  get site(): number {
    return this.#s.site
  }

  get device(): string {
    return this.#s.device
  }

  /** seen is the largest position this client has seen; History asks for at least that. */
  get seen(): Position | null {
    return this.#s.seen
  }

  get epoch(): number {
    return this.#s.epoch
  }

  /** openItems is how many items are not settled; unsent how many messages would be lost with the store. */
  get openItems(): number {
    return this.#s.items.size
  }

  get unsent(): number {
    let n = this.#s.kept.size
    for (const it of this.#s.items.values()) if (it.op.kind === 'send' && !(it.giveUp && !it.replace)) n++
    return n
  }

  line(room: string): Room | null {
    return this.#s.lines.get(room) ?? null
  }
}
