// Model is what the views of one window read: it takes the inputs in order, reads more through ModelIO and gives signals of
// immutable snapshots. Every window has its own; the inputs are the same in all of them.
import { directRoom, isDirect } from '../core/ids.ts'
import type { Input, Item, ModelIO, Room as Told, Settled } from '../inner.ts'
import type { AppState, PeopleState, RoomLine, RoomsState, RoomState, Signal } from '../types.ts'
import { RefusedError } from '../types.ts'
import { emptyRoom, Line } from './line.ts'
import type { World } from './line.ts'
import type { Seed } from './people.ts'
import { People, heardMs } from './people.ts'
import { refusalOf } from './reader.ts'
import { keptRows, Room } from './room.ts'
import type { Schedule } from './signal.ts'
import { Source, Ticker } from './signal.ts'

/** typingMs: typing that is not renewed ends. */
const typingMs = 5000
/** overtaken: typing that is told so soon after its author's message was for that one; a message may overtake it. */
const overtaken = 300
/** keptRooms keep their rows after they are closed. */
const keptRooms = 50
/** facesFrom: a group with more people is not read for its picture. */
const facesFrom = 200
/** counting: an own mark takes so long to get to the server; each further question waits twice as long, ms. */
const counting = 500
const countings = 5

export type Totals = Pick<AppState, 'unreadTotal' | 'unreadRooms'>

export class Model {
  readonly rooms: Signal<RoomsState>
  readonly people: Signal<PeopleState>
  /** totals is the part of AppState that counts unread messages. */
  readonly totals: Signal<Totals>
  private readonly ticker: Ticker
  private readonly world: World = { me: '', skew: 0, online: false, welcomed: false, blocked: null }
  private readonly who: People
  private readonly list: Source<RoomsState>
  private readonly counts: Source<Totals>
  private lines = new Map<string, Line>()
  private readonly looked = new Map<string, Room>()
  /** itemRooms: where each item and refused message belongs. */
  private itemRooms = new Map<number, string>()
  private drafts = new Map<string, { readonly text: string; readonly reply: number }>()
  private loaded = false
  private shown: RoomsState | null = null
  private total: Totals = { unreadTotal: 0, unreadRooms: 0 }
  /** closed rooms that keep rows, the one closed last at the end. */
  private closed: string[] = []
  private stopTyping: (() => void) | null = null
  private readonly asking = new Set<string>()
  private readonly counting = new Set<string>()
  private datesWanted = new Set<string>()
  private dating = false
  /** facing: groups whose members were read for their picture; faces is the reading that goes on. */
  private readonly facing = new Set<string>()
  private faces: Promise<void> = Promise.resolve()
  private era = 0

  /** schedule runs a round of notifications later: an animation frame in a visible window, a task in a hidden one. */
  constructor(private readonly io: ModelIO, schedule: Schedule) {
    this.ticker = new Ticker(schedule)
    this.list = new Source(this.ticker, () => this.makeList())
    this.counts = new Source(this.ticker, () => this.makeTotals())
    this.rooms = this.list
    this.totals = this.counts
    this.who = new People(this.ticker, io, this.world, () => this.touchAll())
    this.people = this.who.signal
  }

  input(i: Input): void {
    switch (i.t) {
      case 'me':
        if (this.world.me && this.world.me !== i.user) this.clear()
        this.world.me = i.user
        this.touchAll()
        this.who.want([i.user])
        break
      case 'rooms':
        for (const room of i.rooms) this.told(room)
        this.loaded = true
        this.touchList()
        break
      case 'welcomed':
        this.welcomed(i.localTime - i.serverTime)
        break
      case 'connection':
        this.connection(i.state === 'online')
        break
      case 'message':
        this.message(i.message)
        break
      case 'read':
        if (i.user === this.world.me) this.ownRead(i.room, i.seq)
        else this.looked.get(i.room)?.read(i.user, i.seq)
        break
      case 'ownRead':
        this.ownRead(i.room, i.seq)
        break
      case 'typing':
        this.typing(i.room, i.user, i.stopped)
        break
      case 'presence':
        if (this.looked.get(i.room)?.open) this.looked.get(i.room)?.presence(i.online, i.users)
        break
      case 'people':
        this.who.told(i)
        break
      case 'item':
        this.item(i.item)
        break
      case 'settled':
        this.settled(i.settled)
        break
      case 'kept': {
        const line = this.lineOf(i.kept)
        if (!line) break
        line.outbox.kept.set(i.kept.id, i.kept)
        this.itemRooms.set(i.kept.id, line.room.id)
        this.changed(line)
        break
      }
      case 'unkept': {
        const line = this.lines.get(this.itemRooms.get(i.id) ?? '')
        this.itemRooms.delete(i.id)
        if (line?.outbox.kept.delete(i.id)) this.changed(line)
        break
      }
      case 'draft': {
        const reply = i.reply ?? 0
        if (i.text || reply) this.drafts.set(i.room, { text: i.text, reply })
        else this.drafts.delete(i.room)
        const line = this.lines.get(i.room)
        if (line) {
          line.draft = i.text
          line.draftReply = reply
          this.changed(line)
        }
        break
      }
      case 'rolledBack':
        for (const [id, line] of this.lines) {
          if (!line.forget(i.cut)) continue
          this.looked.get(id)?.rolledBack()
          this.changed(line)
        }
        break
      default:
        break // of a later version of the window that leads
    }
  }

  /** room is the signal of a room; it is read while somebody subscribes. */
  room(id: string): Signal<RoomState | null> {
    return this.look(id).signal
  }

  /** view: the rooms that are looked at in this window. */
  view(rooms: readonly string[]): void {
    for (const room of this.looked.values()) room.view(rooms.includes(room.id))
  }

  loadOlder(room: string): void {
    this.looked.get(room)?.reader.loadOlder()
  }

  loadNewer(room: string): void {
    this.looked.get(room)?.reader.loadNewer()
  }

  lookAt(room: string, seq: number, finding: boolean): void {
    this.looked.get(room)?.reader.look(seq, finding)
  }

  /** jumpTo resolves when the rows around seq are in the snapshot and told. */
  async jumpTo(room: string, seq: number): Promise<void> {
    try {
      await this.look(room).reader.jump(seq)
    } catch (e) {
      throw new RefusedError(refusalOf(e))
    }
    this.ticker.flush()
  }

  /** provisional makes a line for a 1:1 of which the server may know nothing yet. */
  provisional(room: string, peer: string): void {
    this.lineFor(room, peer, this.io.now())
  }

  wantPeople(ids: readonly string[]): void {
    this.who.want(ids)
  }

  wantPresence(ids: readonly string[]): void {
    if (this.world.online) void this.who.presence(ids)
  }

  /** wantFaces looks for two people of a group that is seen in the list, for its picture: those who are known from before, else
      its members are read, one group at a time. Big groups are not asked. `found` gets whom to remember. */
  wantFaces(id: string, known: readonly string[], found: (users: readonly string[]) => void): void {
    const line = this.lines.get(id)
    if (!line?.faceless) return
    line.met(known)
    this.changed(line)
    if (!line.faceless || this.facing.has(id) || !this.world.online || line.room.memberCount > facesFrom) return
    this.facing.add(id)
    const era = this.era
    this.faces = this.faces.then(async () => {
      if (era !== this.era || !line.faceless) return
      const members = await this.io.members(id)
      if (era !== this.era) return
      line.met(members.map((m) => m.user))
      this.changed(line)
      found(line.snapshot().faces)
    }).catch(() => {
      if (era === this.era) this.facing.delete(id)
    })
  }

  /** seedPeople fills in what this device's store remembers. */
  seedPeople(seed: Seed): void {
    this.who.seed(seed)
    for (const id of this.drafts.keys()) this.unsaid(id)
    for (const room of this.looked.values()) if (room.open) this.unsaid(room.id)
  }

  /** unsaid makes the line of a 1:1 in which nothing was said yet: of those who are known, its id tells with whom it is. */
  private unsaid(id: string): void {
    const { me } = this.world
    if (this.lines.has(id) || !isDirect(id)) return
    const peer = [me, ...this.who.signal.get().byId.keys()].find((u) => directRoom(me, u) === id)
    if (peer) this.provisional(id, peer)
  }

  /** clear forgets the account; signals stay the same. */
  clear(): void {
    this.era++
    this.stopTyping?.()
    this.stopTyping = null
    this.lines = new Map()
    this.itemRooms = new Map()
    this.drafts = new Map()
    this.loaded = false
    this.closed = []
    this.datesWanted = new Set()
    this.dating = false
    this.asking.clear()
    this.counting.clear()
    this.facing.clear()
    Object.assign(this.world, { me: '', skew: 0, online: false, welcomed: false })
    this.who.clear()
    for (const room of this.looked.values()) room.setLine(null)
    this.touchList()
  }

  private told(room: Told): void {
    let line = this.lines.get(room.id)
    const fresh = !line || line.provisional
    if (line) {
      line.told(room)
    } else {
      line = this.addLine(room, false)
    }
    if (!room.last && room.group && !room.left && line.since === 0) {
      if (this.world.welcomed && fresh) line.since = this.io.now() - this.world.skew
      else this.datesWanted.add(room.id)
    }
    const looked = this.looked.get(room.id)
    looked?.told(fresh)
    if (!looked) line.outbox.arrived((seq) => seq <= room.lastSeq)
    this.changed(line)
  }

  private welcomed(skew: number): void {
    this.world.skew = skew
    this.world.welcomed = true
    this.loaded = true
    for (const [id, line] of this.lines) {
      // Told while the server did not know of the own mark: what it counted lies after an earlier one.
      if (line.room.owed && line.room.unread > 0) this.count(id, 0)
      if (!line.stale) continue
      // The restored server does not know this room. What waits for it stays until it is decided.
      if (line.outbox.empty && line.draft === '') {
        this.remove(id)
      } else {
        line.stale = false
        line.provisional = true
        this.looked.get(id)?.told(false)
      }
    }
    this.touchAll()
    this.who.welcomed()
    for (const room of this.looked.values()) {
      if (room.open && !this.lines.has(room.id)) this.askRoom(room.id)
      room.welcomed()
    }
    void this.readDates()
  }

  private connection(online: boolean): void {
    if (this.world.online === online) return
    this.world.online = online
    for (const line of this.lines.values()) {
      line.hush()
      line.touch()
    }
    for (const room of this.looked.values()) room.offline()
    if (!online) this.who.offline()
    this.touchList()
  }

  private message(m: Extract<Input, { t: 'message' }>['message']): void {
    const line = this.lines.get(m.room)
    if (!line) {
      this.askRoom(m.room)
      return
    }
    line.outbox.told(m)
    line.row(m)
    if (m.kind === 'text') line.said = { author: m.author, at: this.io.now() }
    if (m.kind === 'created' || m.kind === 'invited') line.met(m.users)
    const room = this.looked.get(m.room)
    room?.live(m)
    this.who.want([m.author], heardMs)
    if (!room) line.outbox.arrived((seq) => seq <= line.room.lastSeq)
    if (m.author === this.world.me) room?.read(m.author, line.room.readSeq)
    this.changed(line)
  }

  private ownRead(id: string, seq: number): void {
    const line = this.lines.get(id)
    if (!line) return
    const room = this.looked.get(id)
    if (line.read(seq, room?.unreadAfter(seq) ?? null)) this.count(id, 0)
    else this.io.counted?.(id, line.room.readSeq, line.room.unread)
    room?.read(this.world.me, seq)
    this.changed(line)
  }

  private typing(id: string, user: string, stopped: boolean): void {
    const line = this.lines.get(id)
    if (!line || user === this.world.me || !this.world.online) return
    if (!stopped && user === line.said.author && this.io.now() < line.said.at + overtaken) return
    line.type(user, stopped ? 0 : this.io.now() + typingMs)
    if (!stopped) this.who.want([user])
    this.changed(line)
    if (!stopped && !this.stopTyping) this.stopTyping = this.io.after(typingMs, () => this.expire())
  }

  private expire(): void {
    this.stopTyping = null
    const now = this.io.now()
    let next = 0
    for (const line of this.lines.values()) {
      const at = line.expire(now)
      if (at !== 0 && (next === 0 || at < next)) next = at
      this.looked.get(line.room.id)?.signal.touch()
    }
    this.touchList()
    if (next !== 0) this.stopTyping = this.io.after(Math.max(1, next - now), () => this.expire())
  }

  private item(item: Item): void {
    const { op } = item
    switch (op.kind) {
      case 'createRoom': {
        if (!op.room || this.lines.has(op.room)) return
        const line = this.addLine({ ...emptyRoom(op.room, true, ''), title: op.text ?? '', memberCount: 1 + (op.list?.length ?? 0) }, true)
        line.since = item.created - this.world.skew
        line.met(op.list ?? [])
        this.looked.get(op.room)?.told(false)
        this.changed(line)
        return
      }
      case 'send': case 'edit': case 'delete': case 'react': case 'rename': case 'mute': case 'pin': {
        const line = op.kind === 'send' ? this.lineOf(item) : this.lines.get(op.room ?? '')
        if (!line) return
        this.itemRooms.set(item.id, line.room.id)
        const seq = line.outbox.put(item)
        this.looked.get(line.room.id)?.touchRow(seq)
        this.changed(line)
        return
      }
      default:
    }
  }

  private settled(s: Settled): void {
    const { op } = s
    if (s.ok && (op.kind === 'block' || op.kind === 'unblock')) this.who.block(op.peer ?? '', op.kind === 'block')
    const id = this.itemRooms.get(s.id) ?? (op.room || s.room)
    const line = this.lines.get(id)
    if (!line) return
    this.itemRooms.delete(s.id)
    if (op.kind === 'createRoom') {
      if (!s.ok && line.provisional && line.outbox.empty) this.remove(id)
      return
    }
    if (op.kind === 'leave' && s.ok) {
      line.set({ left: true, unread: 0 })
      this.changed(line)
      return
    }
    const item = line.outbox.settle(s)
    if (!item) return
    const room = this.looked.get(id)
    const seq = item.op.seq ?? 0
    switch (item.op.kind) {
      case 'send':
        if (s.ok) room?.log.touch(s.seq)
        else if (line.provisional && line.outbox.empty && line.room.group) this.remove(id)
        break
      case 'edit': case 'delete': case 'react':
        if (s.ok) this.changedRow(line, room, item, s)
        room?.log.touch(seq)
        break
      case 'rename':
        if (s.ok) line.set({ title: item.op.text ?? line.room.title })
        break
      case 'mute':
        if (s.ok) line.set({ muted: item.op.on ?? line.room.muted })
        break
      case 'pin':
        if (s.ok) line.set({ pinned: item.op.on ?? line.room.pinned })
        break
      default:
    }
    room?.touchRow(0)
    if (!room) line.outbox.arrived((at) => at <= line.room.lastSeq)
    this.changed(line)
  }

  /** changedRow: an own change of a row is in; the row that tells so may be a moment late. */
  private changedRow(line: Line, room: Room | undefined, item: Item, s: Settled): void {
    const seq = item.op.seq ?? 0
    const e = room?.log.get(seq)
    if (e) {
      const { change, my } = line.outbox.outcome(item, e, s.time)
      room?.log.know(seq, s.seq, change, my)
    }
    const last = line.room.last
    if (!last || last.seq !== seq || line.room.lastSeq >= s.seq || item.op.kind === 'react') return
    const { change } = line.outbox.outcome(item, { m: last, label: 0, my: 0, myLabel: 0, row: null }, s.time)
    line.set({ last: change(last) })
  }

  /** lineOf is where a message goes; the server may not know of it yet. */
  private lineOf({ op, created }: Pick<Item, 'op' | 'created'>): Line | null {
    return op.room ? this.lineFor(op.room, op.peer ?? '', created) : null
  }

  private lineFor(id: string, peer: string, created: number): Line {
    const known = this.lines.get(id)
    if (known) return known
    const line = this.addLine(emptyRoom(id, peer === '', peer), true)
    line.room = { ...line.room, memberCount: peer === this.world.me ? 1 : 2 }
    line.since = created - this.world.skew
    this.looked.get(id)?.told(false)
    this.changed(line)
    return line
  }

  private addLine(room: Told, provisional: boolean): Line {
    const line = new Line(this.world, room, provisional)
    const draft = this.drafts.get(room.id)
    line.draft = draft?.text ?? ''
    line.draftReply = draft?.reply ?? 0
    this.lines.set(room.id, line)
    this.looked.get(room.id)?.setLine(line)
    this.touchList()
    return line
  }

  private remove(id: string): void {
    this.lines.delete(id)
    this.looked.get(id)?.setLine(null)
    this.touchList()
  }

  /** askRoom reads the line of a room that is not known, or not well enough. */
  private askRoom(id: string): void {
    if (id === '' || this.asking.has(id)) return
    this.asking.add(id)
    const era = this.era
    this.io.room(id).then((room) => {
      if (era !== this.era) return
      this.asking.delete(id)
      if (room) this.told(room)
    }, () => {
      if (era === this.era) this.asking.delete(id)
    })
  }

  /** count asks how many messages are unread after an own mark that is on its way to the server. */
  private count(id: string, tries: number): void {
    if (this.counting.has(id) || tries === countings) return
    this.counting.add(id)
    const era = this.era
    this.io.after(counting * 2 ** tries, () => {
      if (era !== this.era) return
      this.counting.delete(id)
      this.io.room(id).then((room) => {
        if (era !== this.era || !room) return
        this.told(room)
        if (room.readSeq < (this.lines.get(id)?.room.readSeq ?? 0)) this.count(id, tries + 1)
      }, () => undefined) // the next welcome tells
    })
  }

  /** readDates finds out when groups without a message began: their first line says it. */
  private async readDates(): Promise<void> {
    if (this.dating) return
    this.dating = true
    const era = this.era
    for (const id of this.datesWanted) {
      const line = this.lines.get(id)
      if (line && !line.room.last && line.since === 0 && !line.room.left) {
        try {
          const page = await this.io.history(id, 0, true, 1)
          if (era !== this.era) return
          line.since = page.messages[0]?.time ?? 0
          this.touchList()
        } catch {
          if (era === this.era) this.dating = false
          return // at the next welcome
        }
      }
      this.datesWanted.delete(id)
    }
    this.dating = false
  }

  private look(id: string): Room {
    let room = this.looked.get(id)
    if (!room) {
      const made: Room = new Room(id, this.ticker, this.io, this.world, (on) => this.watched(made, on))
      room = made
      this.looked.set(id, made)
      made.setLine(this.lines.get(id) ?? null)
    }
    return room
  }

  /** watched opens a room with its first subscriber. It closes a round after the last one left: a view that is drawn anew
      comes back at once. */
  private watched(room: Room, on: boolean): void {
    if (!on) {
      this.io.after(0, () => this.close(room))
      return
    }
    this.closed = this.closed.filter((id) => id !== room.id)
    room.start(this.lines.get(room.id) ?? null)
    if (this.lines.has(room.id)) return
    this.unsaid(room.id)
    if (this.world.welcomed) this.askRoom(room.id)
  }

  private close(room: Room): void {
    if (room.signal.inUse || !room.open) return
    const left = this.lines.get(room.id)?.room.left ?? true
    room.stop(keptRows)
    if (left) room.drop()
    this.closed = [...this.closed.filter((id) => id !== room.id), room.id]
    for (const id of this.closed.splice(0, this.closed.length - keptRooms)) this.looked.get(id)?.drop()
  }

  private changed(line: Line): void {
    line.touch()
    this.touchList()
    this.looked.get(line.room.id)?.signal.touch()
  }

  private touchList(): void {
    this.list.touch()
    this.counts.touch()
  }

  private touchAll(): void {
    for (const line of this.lines.values()) line.touch()
    for (const room of this.looked.values()) room.signal.touch()
    this.touchList()
  }

  private makeList(): RoomsState {
    const sorted: { line: RoomLine; time: number }[] = []
    const byId = new Map<string, RoomLine>()
    for (const l of this.lines.values()) {
      const line = l.snapshot()
      byId.set(line.id, line)
      if (l.listed(line)) sorted.push({ line, time: line.last?.time ?? l.since })
    }
    sorted.sort((a, b) => Number(b.line.pinned) - Number(a.line.pinned) || b.time - a.time || (a.line.id < b.line.id ? -1 : 1))
    const was = this.shown
    const lines = sorted.map((s) => s.line)
    const sameLines = was !== null && was.lines.length === lines.length && lines.every((l, i) => l === was.lines[i])
    const sameIds = was !== null && was.byId.size === byId.size && [...byId].every(([id, l]) => was.byId.get(id) === l)
    if (was && sameLines && sameIds && was.loaded === this.loaded) return was
    this.shown = { lines: was && sameLines ? was.lines : lines, byId: was && sameIds ? was.byId : byId, loaded: this.loaded }
    return this.shown
  }

  private makeTotals(): Totals {
    let unreadTotal = 0
    let unreadRooms = 0
    for (const line of this.list.get().lines) {
      if (line.unread === 0) continue
      unreadRooms++
      if (!line.muted) unreadTotal += line.unread
    }
    const was = this.total
    if (was.unreadTotal !== unreadTotal || was.unreadRooms !== unreadRooms) this.total = { unreadTotal, unreadRooms }
    return this.total
  }
}
