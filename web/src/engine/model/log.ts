// Log is the loaded stretch of a room's rows with every change folded into its target.
//
// Each state of a message carries a label: a seq of the room up to which it is known to show all changes. Rows of a page
// show the room as of the page's last seq, a live row and the target it brings as of its own seq. The larger label wins, so
// pages and live rows may come in any order. One's own reaction is told apart from its counts and has a label of its own.
// The stretch lo..hi is contiguous. Messages beyond it are kept only if a row quotes them or a change has told of them.
import type { Message } from '../inner.ts'
import type { MessageRow, SystemRow } from '../types.ts'

/** Entry is a text or system line with what is known of it, and the row last made of it. */
export interface Entry {
  m: Message
  label: number
  my: number
  myLabel: number
  row: MessageRow | SystemRow | null
}

/** shown: the kinds that are lines of the log; the others change one, or are of a later version. */
export function shown(m: Message): boolean {
  return m.kind === 'text' || m.kind === 'created' || m.kind === 'invited' || m.kind === 'left' || m.kind === 'renamed'
}

export class Log {
  loaded = false
  /** lo..hi is the stretch; hi = lo - 1: nothing is in it. */
  lo = 1
  hi = 0
  /** order holds the rows of the stretch, ascending. */
  order: Entry[] = []
  /** version grows whenever a row came, went or must be made again. */
  version = 0
  /** rebuilt: rows came or went elsewhere than at the end since rowsOf was last called; dirty: must be made again. */
  rebuilt = true
  readonly dirty = new Set<Entry>()
  private readonly entries = new Map<number, Entry>()
  /** quoting: rows of the stretch by what they answer. */
  private readonly quoting = new Map<number, Set<Entry>>()
  me = ''

  get(seq: number): Entry | undefined {
    return this.entries.get(seq)
  }

  covers(seq: number): boolean {
    return this.loaded && seq >= this.lo && seq <= this.hi
  }

  clear(): void {
    this.loaded = false
    this.lo = 1
    this.hi = 0
    this.order = []
    this.entries.clear()
    this.quoting.clear()
    this.dirty.clear()
    this.rebuilt = true
    this.version++
  }

  /** begin makes an empty stretch before seq: nothing older can be read and nothing newer is there. */
  begin(seq: number): void {
    if (this.loaded) this.clear()
    this.loaded = true
    this.lo = seq
    this.hi = seq - 1
    this.version++
  }

  /** live takes a row that was just told: the change it makes, or itself if it is the next one of the stretch. */
  live(m: Message): void {
    const next = this.loaded && m.seq === this.hi + 1
    if (next || !shown(m) || this.entries.has(m.seq)) this.fold(m, m.seq)
    if (!next) return
    this.hi = m.seq
    const e = this.entries.get(m.seq)
    if (e) this.join([e], false)
  }

  /** page takes contiguous rows. If they do not touch the stretch they replace it. */
  page(messages: readonly Message[], label: (m: Message) => number): void {
    const first = messages[0]
    const last = messages[messages.length - 1]
    if (!first || !last) return
    for (const m of messages) this.fold(m, label(m))
    const replaced = !this.loaded || first.seq > this.hi + 1 || last.seq < this.lo - 1
    if (replaced) {
      this.loaded = true
      this.order = []
      this.quoting.clear()
      this.lo = first.seq
      this.hi = first.seq - 1
      this.rebuilt = true
      this.version++
    }
    const older: Entry[] = []
    const newer: Entry[] = []
    for (const m of messages) {
      const side = m.seq < this.lo ? older : m.seq > this.hi ? newer : null
      const e = side && this.entries.get(m.seq)
      if (e) side.push(e)
    }
    this.lo = Math.min(this.lo, first.seq)
    this.hi = Math.max(this.hi, last.seq)
    this.join(older, true)
    this.join(newer, false)
    if (replaced) this.prune()
  }

  /** quoted takes a single message that a row answers. */
  quoted(m: Message, label: number): void {
    this.fold(m, label)
  }

  /** know says what a message is as of label, because an own change of it was acknowledged: a guess where more is known. */
  know(seq: number, label: number, change: (m: Message) => Message, my: number | null): void {
    const e = this.entries.get(seq)
    if (!e) return
    if (label > e.label) this.set(e, change(e.m), label)
    if (my !== null && label > e.myLabel) this.setMine(e, my, label)
  }

  /** keep drops all but the newest rows of the stretch. */
  keep(rows: number): void {
    if (!this.loaded || this.hi - this.lo + 1 <= rows) return this.prune()
    this.lo = this.hi - rows + 1
    const at = this.order.findIndex((e) => e.m.seq >= this.lo)
    this.order = at < 0 ? [] : this.order.slice(at)
    this.rebuilt = true
    this.version++
    this.prune()
  }

  /** around drops all but so many rows of the stretch: those nearest to where seq stands or would stand (0: at the end). */
  around(seq: number, rows: number): void {
    const { order } = this
    const at = seq === 0 ? order.length : place(order, seq)
    const from = Math.max(0, Math.min(at - (rows >> 1), order.length - rows))
    const next = order[from + rows]
    if (from > 0) this.lo = order[from]!.m.seq
    if (next) this.hi = next.m.seq - 1
    this.order = order.slice(from, from + rows)
    this.rebuilt = true
    this.version++
    this.prune()
  }

  /** prune forgets messages beyond the stretch that no row of it answers. */
  prune(): void {
    this.quoting.clear()
    for (const e of this.order) this.quotes(e)
    for (const seq of this.entries.keys()) {
      if (!this.covers(seq) && !this.quoting.has(seq)) this.entries.delete(seq)
    }
    // Of a log that is not drawn, nobody else takes them out.
    for (const e of this.dirty) if (this.entries.get(e.m.seq) !== e) this.dirty.delete(e)
  }

  /** touch has the row of a message made again, and those that answer it. */
  touch(seq: number): void {
    const e = this.entries.get(seq)
    if (e) this.dirty.add(e)
    for (const q of this.quoting.get(seq) ?? []) this.dirty.add(q)
    this.version++
  }

  private fold(m: Message, label: number): void {
    if (shown(m)) {
      this.learn(m, label)
      const e = this.entries.get(m.seq)
      if (e && m.kind === 'text') this.setMine(e, m.myReaction, label)
      return
    }
    if (m.kind !== 'edit' && m.kind !== 'delete' && m.kind !== 'reaction') return
    if (m.changed) this.learn(m.changed, label)
    if (m.kind !== 'reaction' || m.author !== this.me) return
    const e = this.entries.get(m.target)
    if (e) this.setMine(e, m.reaction, m.seq)
  }

  private learn(m: Message, label: number): void {
    const e = this.entries.get(m.seq)
    if (e) {
      if (label >= e.label) this.set(e, m, label)
      return
    }
    this.entries.set(m.seq, { m, label, my: 0, myLabel: 0, row: null })
    this.touch(m.seq)
  }

  private set(e: Entry, m: Message, label: number): void {
    e.label = label
    // Only the author's device is told the name, and not with every state.
    e.m = m.n === 0 && e.m.n !== 0 ? { ...m, n: e.m.n } : m
    this.touch(m.seq)
  }

  private setMine(e: Entry, my: number, label: number): void {
    if (label < e.myLabel) return
    e.myLabel = label
    if (my === e.my) return
    e.my = my
    this.touch(e.m.seq)
  }

  private join(es: Entry[], before: boolean): void {
    if (es.length === 0) return
    for (const e of es) this.quotes(e)
    if (before) {
      this.order = es.concat(this.order)
      this.rebuilt = true
    } else for (const e of es) this.order.push(e)
    this.version++
  }

  private quotes(e: Entry): void {
    const to = e.m.replyTo
    if (to === 0) return
    const set = this.quoting.get(to)
    if (set) set.add(e)
    else this.quoting.set(to, new Set([e]))
  }
}

/** place is where a seq stands in the order, or would stand. */
export function place(order: readonly Entry[], seq: number): number {
  let lo = 0
  let hi = order.length
  while (lo < hi) {
    const mid = (lo + hi) >>> 1
    if (order[mid]!.m.seq < seq) lo = mid + 1
    else hi = mid
  }
  return lo
}
