// What the store remembers so that the next start shows something at once: the newest rows of each room, people, photos. It
// is a copy of what the server has; losing any of it costs a request. Each kind is bounded: what was used longest ago goes
// first. Only the leading window writes; it gathers what comes and writes it about once a second.
import type { Message } from '../inner.ts'
import type { Person } from '../types.ts'
import type { Key, Store, Table, Write } from './store.ts'

/** newestRows of a room are kept. */
export const newestRows = 60
const bounds = { stretches: 200, people: 4000, photos: 400 } as const
type Shelf = keyof typeof bounds
const shelves = ['stretches', 'people', 'photos'] as const
const flushAfter = 1000

/** Stored is what a following window hands to the leader for keeping. */
export interface Stored {
  readonly rows?: readonly Message[]
  readonly people?: readonly Person[]
  readonly photos?: readonly { readonly name: string; readonly jpeg: Uint8Array }[]
  /** lists: friends, addedMe, blocked: ids, whole. */
  readonly lists?: Readonly<Record<string, readonly string[]>>
}

/** newest merges rows by seq, `more` wins, and keeps the unbroken run that ends with the newest. */
export function newest(rows: readonly Message[], more: readonly Message[]): Message[] {
  const bySeq = new Map<number, Message>()
  for (const m of rows) bySeq.set(m.seq, m)
  for (const m of more) bySeq.set(m.seq, m)
  let seq = Math.max(0, ...bySeq.keys())
  const run: Message[] = []
  for (let m = bySeq.get(seq); m && run.length < newestRows; m = bySeq.get(--seq)) run.push(m)
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
  private readonly gone = new Set<string>()
  private others = new Map<string, Write>()
  /** used orders the entries of a shelf: larger is later. */
  private used: Map<Shelf, Map<Key, number>> | null = null
  private clock = 0
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
  }

  add(s: Stored): void {
    for (const m of s.rows ?? []) {
      const list = this.rows.get(m.room)
      if (list) list.push(m)
      else this.rows.set(m.room, [m])
    }
    for (const p of s.people ?? []) this.others.set(`people/${p.id}`, { table: 'people', key: p.id, value: p })
    for (const p of s.photos ?? []) this.others.set(`photos/${p.name}`, { table: 'photos', key: p.name, value: p.jpeg })
    for (const [name, ids] of Object.entries(s.lists ?? {})) this.others.set(`list/${name}`, { table: 'meta', key: `list.${name}`, value: ids })
    this.later()
  }

  /** forget drops the rows of a room. */
  forget(room: string): void {
    this.rows.delete(room)
    this.gone.add(room)
    this.later()
  }

  /** forgetRows drops the rows of all rooms: the server was restored. */
  async forgetRows(): Promise<void> {
    const used = await this.index()
    for (const k of used.get('stretches')?.keys() ?? []) this.gone.add(String(k))
    this.rows.clear()
    this.later()
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

  private later(): void {
    if (this.timer || this.closed) return
    this.timer = this.after(flushAfter, () => {
      this.timer = null
      void this.flush()
    })
  }

  private async index(): Promise<Map<Shelf, Map<Key, number>>> {
    if (this.used) return this.used
    const used = new Map<Shelf, Map<Key, number>>()
    for (const s of shelves) {
      const list = ((await this.store.get('meta', `shelf.${s}`)) as readonly Key[] | undefined) ?? []
      used.set(s, new Map(list.map((k) => [k, ++this.clock])))
    }
    this.used ??= used
    return this.used
  }

  private async write(): Promise<void> {
    if (this.closed || (this.rows.size === 0 && this.gone.size === 0 && this.others.size === 0)) return
    const rows = this.rows
    const others = this.others
    this.rows = new Map()
    this.others = new Map()
    const writes: Write[] = []
    const touched = new Set<Shelf>()
    const used = await this.index()
    const use = (table: Shelf, key: Key) => {
      used.get(table)?.set(key, ++this.clock)
      touched.add(table)
    }
    for (const room of this.gone) {
      if (rows.has(room)) continue
      writes.push({ table: 'stretches', key: room })
      if (used.get('stretches')?.delete(room)) touched.add('stretches')
    }
    const fresh = new Set(this.gone)
    this.gone.clear()
    for (const [room, list] of rows) {
      const old = fresh.has(room) ? [] : await cachedRows(this.store, room)
      writes.push({ table: 'stretches', key: room, value: newest(old, list) })
      use('stretches', room)
    }
    for (const w of others.values()) {
      writes.push(w)
      if (w.table !== 'meta') use(w.table as Shelf, w.key)
    }
    for (const s of touched) writes.push(...this.evict(s, used.get(s) ?? new Map()))
    if (this.closed) return
    // A copy that does not fit is not worth telling anybody.
    await this.store.write(writes, { fence: this.fence }).catch(() => undefined)
  }

  private evict(shelf: Shelf, used: Map<Key, number>): Write[] {
    const order = [...used].sort(([, a], [, b]) => a - b).map(([k]) => k)
    const old = order.slice(0, Math.max(0, order.length - bounds[shelf]))
    for (const k of old) used.delete(k)
    const table: Table = shelf
    return [...old.map((key) => ({ table, key })), { table: 'meta', key: `shelf.${shelf}`, value: order.slice(old.length) }]
  }
}
