// Line is one room of the chat list: as the server last told it, with the live rows since, and what this device knows
// alone (outbox, draft, typing). Its snapshot is made anew only when something in it changed.
//
// The server's number of unread messages counts all messages after the read mark; between two lines of the server a message
// by somebody else adds one, an own one adds nothing and, where nothing was unread, is read.
import type { Message, Position, Room } from '../inner.ts'
import type { Preview, RoomLine } from '../types.ts'
import { Outbox } from './outbox.ts'
import { equal } from './rows.ts'

/** World is what all parts of a model share. */
export interface World {
  me: string
  /** skew is local clock minus server clock. */
  skew: number
  online: boolean
  /** welcomed: every line that changed while away has been told since the start. */
  welcomed: boolean
  /** blocked: null until read; the lines of the server say it until then. */
  blocked: ReadonlySet<string> | null
}

/** emptyRoom is a room of which the server has told nothing. */
export function emptyRoom(id: string, group: boolean, peer: string): Room {
  return {
    id, group, title: '', peer, lastSeq: 0, joinedSeq: 0, readSeq: 0, unread: 0, memberCount: 0, muted: false, pinned: false, left: false,
    last: null, changed: { epoch: 0, n: 0 }, blocked: false,
  }
}

export function after(a: Position, b: Position): boolean {
  return a.epoch !== b.epoch ? a.epoch > b.epoch : a.n > b.n
}

export class Line {
  readonly outbox = new Outbox()
  draft = ''
  draftReply = 0
  /** stale: forgotten after a restore until the server tells it again. */
  stale = false
  /** since: when a room without a message began, 0 if unknown; where it stands in the list. */
  since = 0
  /** said: who wrote the latest message that was told as a row, and when it was. */
  said = { author: '', at: 0 }
  private touched = false
  private readonly typers = new Map<string, number>()
  private faces: readonly string[] = []
  private shown: RoomLine | null = null
  private dirty = true

  constructor(
    private readonly world: World,
    public room: Room,
    public provisional: boolean,
  ) {}

  touch(): void {
    this.dirty = true
  }

  /** told takes the line as the server tells it. What is older than the rows known here changes the flags only. */
  told(next: Room): void {
    const was = this.room
    this.dirty = true
    if (this.provisional || this.stale) {
      this.provisional = false
      this.stale = false
      this.touched = false
      this.room = next
      return
    }
    if (next.left && next.group) {
      this.room = { ...was, left: true, pinned: next.pinned, muted: next.muted, unread: 0, last: null, changed: next.changed }
      return
    }
    const again = next.joinedSeq !== was.joinedSeq || was.left
    if (next.lastSeq < was.lastSeq && !again) {
      const { muted, pinned, left, blocked } = next
      this.room = { ...was, muted, pinned, left, blocked }
      return
    }
    this.touched = false
    // A read mark of this device may still be on its way to the server.
    if (!again && was.readSeq > next.readSeq) {
      const unread = was.readSeq >= (next.last?.seq ?? 0) ? 0 : Math.min(next.unread, was.unread + next.lastSeq - was.lastSeq)
      this.room = { ...next, readSeq: was.readSeq, unread }
    } else {
      this.room = next
    }
  }

  /** row takes a live row; the line as told may show it already. */
  row(m: Message): void {
    const was = this.room
    this.typers.delete(m.author)
    this.dirty = true
    if (!was.last && this.since === 0) this.since = m.time
    if (m.seq <= was.lastSeq) return
    this.touched = true
    const me = this.world.me
    const room = { ...was, lastSeq: m.seq }
    switch (m.kind) {
      case 'text':
        room.last = m
        if (!room.group) room.left = false // a hidden 1:1 shows again
        if (m.author === me) room.readSeq = was.unread === 0 ? Math.max(m.seq, was.readSeq) : was.readSeq
        else if (m.seq > was.readSeq) room.unread++
        break
      case 'edit':
      case 'delete':
      case 'reaction':
        if (room.last && m.target === room.last.seq && m.changed) room.last = m.changed
        break
      case 'invited':
        room.memberCount += m.users.length
        break
      case 'left':
        room.memberCount = Math.max(0, room.memberCount - 1)
        if (m.author === me) room.left = true
        this.faces = this.faces.filter((u) => u !== m.author)
        break
      case 'renamed':
        room.title = m.text
        break
      default:
        break
    }
    if (!room.last) this.since = m.time
    this.room = room
  }

  /** read moves the own read mark. unread is how many messages by others lie after it, null if that is not known here: then
      the answer is true, and the server must be asked. */
  read(seq: number, unread: number | null): boolean {
    const was = this.room
    if (seq <= was.readSeq) return false
    const known = was.unread === 0 || seq >= (was.last?.seq ?? was.lastSeq) ? 0 : unread
    this.room = { ...was, readSeq: seq, unread: known ?? was.unread }
    this.dirty = true
    return known === null
  }

  set(change: Partial<Room>): void {
    this.room = { ...this.room, ...change }
    this.dirty = true
  }

  /** forget: a restore has undone what was told of this room since the cut (all of it, without one). */
  forget(cut: Position | null): boolean {
    if (this.provisional) return false
    if (cut && !this.touched && !after(this.room.changed, cut)) return false
    this.stale = true
    this.since = 0
    this.room = { ...this.room, lastSeq: 0, joinedSeq: 0, readSeq: 0, unread: 0, last: null }
    this.outbox.forgetRows()
    this.dirty = true
    return true
  }

  /** type: somebody types until a time; 0 = has stopped. */
  type(user: string, until: number): void {
    if (until === 0) {
      if (!this.typers.delete(user)) return
    } else {
      const began = !this.typers.has(user)
      this.typers.set(user, until)
      if (!began) return
    }
    this.dirty = true
  }

  /** expire ends typing that nobody has renewed; returns when the next one ends, 0 if nobody types. */
  expire(now: number): number {
    let next = 0
    for (const [user, until] of this.typers) {
      if (until <= now) {
        this.typers.delete(user)
        this.dirty = true
      } else if (next === 0 || until < next) {
        next = until
      }
    }
    return next
  }

  /** hush: nobody is known to type. */
  hush(): void {
    if (this.typers.size === 0) return
    this.typers.clear()
    this.dirty = true
  }

  /** met: others in this room, for its picture. */
  met(users: readonly string[]): void {
    if (!this.room.group || this.faces.length >= 2) return
    const more = users.filter((u) => u !== '' && u !== this.world.me && !this.faces.includes(u))
    if (more.length === 0) return
    this.faces = [...this.faces, ...new Set(more)].slice(0, 2)
    this.dirty = true
  }

  /** faceless: a group in whose picture somebody is missing, though there are people in it. */
  get faceless(): boolean {
    return this.room.group && !this.provisional && !this.stale && !this.room.left && this.faces.length < Math.min(2, this.room.memberCount - 1)
  }

  /** listed: it stands in the list. */
  listed(line: RoomLine): boolean {
    return !line.left && (!line.provisional || line.kind === 'group' || line.last !== null || line.draft !== '' || line.failed > 0)
  }

  snapshot(): RoomLine {
    if (!this.dirty && this.shown) return this.shown
    const r = this.room
    if (r.last) this.met([r.last.author])
    const own = this.outbox.line()
    const line: RoomLine = {
      id: r.id, kind: r.group ? 'group' : r.peer === this.world.me ? 'self' : 'direct', title: own.title ?? r.title, peer: r.peer,
      lastSeq: r.lastSeq, joinedSeq: r.joinedSeq, readSeq: r.readSeq, unread: r.left ? 0 : r.unread, memberCount: r.memberCount,
      muted: own.muted ?? r.muted, pinned: own.pinned ?? r.pinned, left: r.left,
      blocked: r.peer !== '' && (this.world.blocked ? this.world.blocked.has(r.peer) : r.blocked), provisional: this.provisional,
      last: this.preview(), draft: this.draft, draftReply: this.draftReply, failed: this.outbox.kept.size, typing: this.world.online ? [...this.typers.keys()] : [],
      faces: this.faces,
    }
    this.dirty = false
    if (!this.shown || !equal(this.shown, line)) this.shown = line
    return this.shown
  }

  private preview(): Preview | null {
    const sent = this.outbox.newest()
    if (sent) {
      const { item, seq, time } = sent
      if (seq === 0 || seq > (this.room.last?.seq ?? 0)) {
        return { seq, author: this.world.me, text: item.op.text ?? '', deleted: false, time: seq ? time : item.created - this.world.skew }
      }
    }
    const last = this.room.last
    if (!last) return null
    const seen = this.outbox.say(last)
    return { seq: last.seq, author: last.author, text: seen.text, deleted: seen.deleted, time: last.time }
  }
}
