// Outbox is what of one room is under way: messages not yet acknowledged, changes of rows and of the line, refused messages.
// A change shows at once (overlay) and goes away with its verdict. An acknowledged message keeps its key for its row, so the
// bubble stays; until its row is loaded it stands here as sent.
import type { Item, Kept, Message, Settled } from '../inner.ts'
import type { Entry } from './log.ts'

/** Sending is a message on its way. seq is 0 until acknowledged, then time is the server's. */
export interface Sending {
  readonly item: Item
  readonly seq: number
  readonly time: number
}

/** Said is the text of a message as this person sees it: with own changes that are under way. */
export interface Said {
  readonly text: string
  readonly edited: boolean
  readonly deleted: boolean
  readonly changing: boolean
}

/** Seen is all of a message. */
export interface Seen extends Said {
  readonly reactions: readonly number[]
  readonly my: number
}

const noReactions: readonly number[] = []

/** react moves one's own reaction from one kind to another in the counts. */
export function react(counts: readonly number[], from: number, to: number): readonly number[] {
  const out = counts.length ? [...counts] : [0, 0, 0, 0, 0, 0]
  if (from > 0) out[from - 1] = Math.max(0, (out[from - 1] ?? 0) - 1)
  if (to > 0) out[to - 1] = (out[to - 1] ?? 0) + 1
  return out.some((n) => n > 0) ? out : noReactions
}

export class Outbox {
  /** sends by id; ids grow in the order of the calls. */
  readonly sends = new Map<number, Sending>()
  readonly kept = new Map<number, Kept>()
  private readonly changes = new Map<number, Item>()
  /** wanted: the own reaction that a change leads to, fixed when it is first shown. */
  private readonly wanted = new Map<number, number>()
  /** keys of rows that were sent from here. */
  private readonly keys = new Map<number, string>()
  /** rows: open items whose row was told before their verdict. */
  private readonly rows = new Set<number>()

  get empty(): boolean {
    return this.sends.size === 0 && this.kept.size === 0 && this.changes.size === 0
  }

  /** put takes an item in or its new state; returns the seq of the row it changes, 0 if it changes none. */
  put(item: Item): number {
    if (item.op.kind === 'send') {
      if (this.rows.has(item.id)) return 0
      const was = this.sends.get(item.id)
      this.sends.set(item.id, { item, seq: was?.seq ?? 0, time: was?.time ?? 0 })
      return 0
    }
    this.changes.set(item.id, item)
    return rowOf(item)
  }

  /** settle takes a verdict; returns the item it was, if it was open. */
  settle(s: Settled): Item | undefined {
    this.rows.delete(s.id)
    const sent = this.sends.get(s.id)
    if (sent) {
      if (s.ok) {
        this.keys.set(s.seq, keyOf(s.id))
        this.sends.set(s.id, { item: sent.item, seq: s.seq, time: s.time })
      } else {
        this.sends.delete(s.id)
      }
      return sent.item
    }
    const item = this.changes.get(s.id)
    this.changes.delete(s.id)
    if (!s.ok) this.wanted.delete(s.id)
    return item
  }

  /** told: a row of this device was told under its name n. Its item, if open, is that row from now on. */
  told(m: Message): void {
    if (m.n === 0) return
    for (const [id, s] of this.sends) {
      if (s.item.n !== m.n || s.seq !== 0) continue
      this.keys.set(m.seq, keyOf(id))
      this.sends.set(id, { item: s.item, seq: m.seq, time: m.time })
      this.rows.add(id)
      return
    }
  }

  /** arrived drops acknowledged messages whose row is where `there` says; returns whether one was. */
  arrived(there: (seq: number) => boolean): boolean {
    let any = false
    for (const [id, s] of this.sends) {
      if (s.seq !== 0 && there(s.seq)) {
        this.sends.delete(id)
        any = true
      }
    }
    return any
  }

  key(seq: number): string {
    return this.keys.get(seq) ?? `s${seq}`
  }

  /** forgetRows: seqs mean something else now. What was acknowledged is the room's, as it is or as it was restored. */
  forgetRows(): void {
    this.keys.clear()
    this.arrived(() => true)
  }

  /** say is the text of a message with the changes under way. */
  say(m: Message): Said {
    let { text, deleted } = m
    let edited = m.edited !== 0
    let changing = false
    for (const item of this.changes.values()) {
      if (rowOf(item) !== m.seq) continue
      changing ||= item.op.kind !== 'react'
      if (item.op.kind === 'delete') {
        deleted = true
      } else if (item.op.kind === 'edit') {
        text = item.op.text ?? text
        edited = true
      }
    }
    return deleted ? { text: '', edited: false, deleted, changing } : { text, edited, deleted, changing }
  }

  /** see is a message with the changes under way; my is the own reaction without them. */
  see(m: Message, my: number): Seen {
    const said = this.say(m)
    if (said.deleted) return { ...said, reactions: noReactions, my: 0 }
    let reactions = m.reactions
    for (const [id, item] of this.changes) {
      if (item.op.kind !== 'react' || rowOf(item) !== m.seq) continue
      const to = this.leadsTo(id, item, my)
      if (to === my) continue
      reactions = react(reactions, my, to)
      my = to
    }
    return { ...said, reactions: reactions.length ? reactions : noReactions, my }
  }

  /** outcome is what an acknowledged change has made of a message. */
  outcome(item: Item, e: Entry, time: number): { change: (m: Message) => Message; my: number | null } {
    const op = item.op
    if (op.kind === 'edit') return { change: (m) => ({ ...m, text: op.text ?? m.text, edited: time }), my: null }
    if (op.kind === 'delete') return { change: (m) => ({ ...m, text: '', deleted: true, replyTo: 0, edited: 0 }), my: null }
    const from = e.my
    const to = this.leadsTo(item.id, item, from)
    this.wanted.delete(item.id)
    return { change: (m) => (from === to ? m : { ...m, reactions: react(m.reactions, from, to) }), my: to }
  }

  /** line: the newest of the changes under way of title, muted and pinned. */
  line(): { title?: string; muted?: boolean; pinned?: boolean } {
    const out: { title?: string; muted?: boolean; pinned?: boolean } = {}
    for (const { op } of this.changes.values()) {
      if (op.kind === 'rename' && op.text !== undefined) out.title = op.text
      else if (op.kind === 'mute' && op.on !== undefined) out.muted = op.on
      else if (op.kind === 'pin' && op.on !== undefined) out.pinned = op.on
    }
    return out
  }

  /** newest message that was not told as a row yet. */
  newest(): Sending | null {
    let out: Sending | null = null
    for (const s of this.sends.values()) if (!out || s.item.id > out.item.id) out = s
    return out
  }

  private leadsTo(id: number, item: Item, my: number): number {
    const known = this.wanted.get(id)
    if (known !== undefined) return known
    const to = item.op.reaction === my ? 0 : (item.op.reaction ?? 0)
    this.wanted.set(id, to)
    return to
  }
}

export function keyOf(id: number): string {
  return `i${id}`
}

/** rowOf is the row that an item changes, 0 if none. */
export function rowOf(item: Item): number {
  const { kind, seq } = item.op
  return kind === 'edit' || kind === 'delete' || kind === 'react' ? (seq ?? 0) : 0
}
