// What the store remembers so that the next start shows something at once: the newest rows of each room, people, photos. It
// is a copy of what the server has; losing any of it costs a request. Each kind is bounded by number and bytes (32 MB over
// all, 256 KB for a room): rooms that were opened least recently go first, people and photos that came longest ago. A row is
// kept as the newest change left it, so that the text of an edited or deleted message is in it no more. Only the leading window
// writes; it gathers what comes and writes it about once a second.
import type { Message } from '../inner.ts'
import type { Person } from '../types.ts'
import { type Shelf, Shelves, sizeOf } from './shelves.ts'
import { type Store, StoreError, type Write } from './store.ts'

/** newestRows of a room are kept, as far as they fit into roomBytes. */
export const newestRows = 60
export const roomBytes = 256 * 1024
const flushAfter = 1000
/** again: a write that failed. */
const again = 5000

/** Stored is what a following window hands to the leader for keeping. */
export interface Stored {
  readonly rows?: readonly Message[]
  readonly people?: readonly Person[]
  readonly photos?: readonly { readonly name: string; readonly jpeg: Uint8Array }[]
  /** lists: friends, addedMe, blocked: ids, whole. */
  readonly lists?: Readonly<Record<string, readonly string[]>>
  /** opened: a room that somebody looks at. */
  readonly opened?: string
}

/** later is the later of two states of a row, as far as its text goes; b if nothing tells. */
function later(a: Message, b: Message): Message {
  const m = (a.deleted && !b.deleted) || (a.deleted === b.deleted && a.edited > b.edited) ? a : b
  const n = a.n || b.n
  return m.n === n ? m : { ...m, n }
}

/** newest merges rows by seq, `more` wins unless it is older, and keeps the unbroken run that ends with the newest. Changes
 * are worked into their targets and left without a text of their own. */
export function newest(rows: readonly Message[], more: readonly Message[]): Message[] {
  const bySeq = new Map<number, Message>()
  for (const m of [...rows, ...more]) {
    const was = bySeq.get(m.seq)
    bySeq.set(m.seq, was ? later(was, m) : m)
  }
  for (const m of [...bySeq.values()].sort((a, b) => a.seq - b.seq)) {
    if (m.target === 0) continue
    const was = bySeq.get(m.target)
    if (was && m.changed) bySeq.set(m.target, later(was, { ...m.changed, n: was.n, myReaction: was.myReaction }))
    bySeq.set(m.seq, { ...m, text: '', changed: null })
  }
  let seq = Math.max(0, ...bySeq.keys())
  let bytes = 0
  const run: Message[] = []
  for (let m = bySeq.get(seq); m && run.length < newestRows; m = bySeq.get(--seq)) {
    bytes += sizeOf(m)
    if (bytes > roomBytes && run.length > 0) break
    run.push(m)
  }
  return run.reverse()
}

/** folded shows rows as of the newest of them: each as the last change row in the stretch left it. A change is newer than
 * what it changes, so a stretch that holds a row holds every change of it. */
export function folded(rows: readonly Message[], me: string): readonly Message[] {
  const now = new Map(rows.map((m) => [m.seq, m]))
  for (const m of rows) {
    const was = now.get(m.target)
    if (m.target === 0 || !was) continue
    const changed = m.changed ?? was
    now.set(m.target, { ...changed, n: was.n, myReaction: m.kind === 'reaction' && m.author === me ? m.reaction : was.myReaction })
  }
  return rows.map((m) => now.get(m.seq) ?? m)
}

/** cachedRows reads the newest rows of a room. */
export async function cachedRows(store: Store, room: string): Promise<readonly Message[]> {
  return ((await store.get('stretches', room)) as readonly Message[] | undefined) ?? []
}

export class Cache {
  private rows = new Map<string, Message[]>()
  /** gone: rooms whose stored rows are to be dropped, or are not true any more. */
  private gone = new Set<string>()
  private others = new Map<string, Write>()
  private readonly opened = new Set<string>()
  private readonly shelves: Shelves
  private timer: (() => void) | null = null
  private flushing: Promise<void> = Promise.resolve()
  private closed = false
  private readonly store: Store
  private readonly fence: string
  private readonly after: (ms: number, fn: () => void) => () => void

  constructor(store: Store, fence: string, after: (ms: number, fn: () => void) => () => void) {
    this.store = store
    this.fence = fence
    this.after = after
    this.shelves = new Shelves(store)
  }

  add(s: Stored): void {
    for (const m of s.rows ?? []) {
      const list = this.rows.get(m.room)
      if (list) list.push(m)
      else this.rows.set(m.room, [m])
    }
    for (const p of s.people ?? []) this.others.set(`people/${p.id}`, { table: 'people', key: p.id, value: p })
    for (const p of s.photos ?? []) this.others.set(`photos/${p.name}`, { table: 'photos', key: p.name, value: p.jpeg })
    for (const [name, ids] of Object.entries(s.lists ?? {})) {
      this.others.set(`list/${name}`, { table: 'meta', key: `list.${name}`, value: ids })
    }
    if (s.opened !== undefined) this.opened.add(s.opened)
    this.later(flushAfter)
  }

  /** forget drops the rows of a room. */
  forget(room: string): void {
    this.rows.delete(room)
    this.gone.add(room)
    this.later(flushAfter)
  }

  /** forgetRows drops the rows of all rooms: the server was restored. */
  async forgetRows(): Promise<void> {
    const before = [...this.rows.keys()]
    this.rows.clear()
    for (const k of [...before, ...(await this.shelves.keys('stretches').catch(() => []))]) this.gone.add(String(k))
    this.later(flushAfter)
  }

  /** flush writes what has gathered. */
  flush(): Promise<void> {
    this.timer?.()
    this.timer = null
    this.flushing = this.flushing.then(() => this.write())
    return this.flushing
  }

  /** close writes nothing any more; what has gathered is dropped unless it was flushed. */
  close(): void {
    this.closed = true
    this.timer?.()
    this.timer = null
  }

  private later(ms: number): void {
    if (this.timer || this.closed) return
    this.timer = this.after(ms, () => {
      this.timer = null
      void this.flush()
    })
  }

  private async write(): Promise<void> {
    if (this.closed || this.rows.size + this.gone.size + this.others.size + this.opened.size === 0) return
    const { rows, gone, others } = this
    this.rows = new Map()
    this.gone = new Set()
    this.others = new Map()
    try {
      await this.make(rows, gone, others)
    } catch (e) {
      if (this.closed || (e instanceof StoreError && e.why === 'fenced')) return
      // A copy that does not fit is not worth telling anybody. But what is stored of these rooms lacks rows now, or was to go.
      for (const room of [...gone, ...rows.keys()]) this.gone.add(room)
      this.shelves.forget()
      if (!(e instanceof StoreError && e.why === 'refused')) this.later(again)
    }
  }

  private async make(rows: ReadonlyMap<string, readonly Message[]>, gone: ReadonlySet<string>, others: ReadonlyMap<string, Write>): Promise<void> {
    const writes: Write[] = []
    const shelves = this.shelves
    await shelves.load()
    const put = (table: Shelf, key: string, value: unknown): void => {
      writes.push({ table, key, value })
      shelves.put(table, key, sizeOf(value))
    }
    for (const room of gone) {
      if (rows.has(room)) continue
      writes.push({ table: 'stretches', key: room })
      shelves.drop('stretches', room)
    }
    for (const [room, list] of rows) {
      const old = gone.has(room) ? [] : await cachedRows(this.store, room)
      put('stretches', room, newest(old, list))
    }
    for (const w of others.values()) {
      if (w.table === 'meta') writes.push(w)
      else put(w.table as Shelf, String(w.key), w.value)
    }
    for (const room of this.opened) shelves.open('stretches', room)
    this.opened.clear()
    writes.push(...shelves.bound())
    if (!this.closed) await this.store.write(writes, { fence: this.fence })
  }
}
