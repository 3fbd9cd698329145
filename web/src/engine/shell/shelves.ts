// Shelves bound the cache by number and bytes. Each has a list of what stands on it: key, bytes, when it was last put there and
// when it was last opened. What was opened least recently goes first; among what was never opened, what was put there longest
// ago. The lists are stored beside the entries and made anew from them where they are missing.
import type { Key, Store, Table, Write } from './store.ts'

export type Shelf = 'stretches' | 'people' | 'photos'
const all = ['stretches', 'people', 'photos'] as const

/** bounds of each shelf; the bytes add up to 32 MB. */
export const bounds = {
  stretches: { count: 200, bytes: 18 << 20 },
  people: { count: 4000, bytes: 4 << 20 },
  photos: { count: 400, bytes: 10 << 20 },
} as const

interface Entry {
  readonly bytes: number
  readonly put: number
  readonly opened: number
}

type Listed = readonly [key: string, bytes: number, opened: number]

/** sizeOf is about how many bytes a value takes in the store. */
export function sizeOf(v: unknown): number {
  if (typeof v === 'string') return 2 * v.length
  if (typeof v !== 'object' || v === null) return 8
  if (ArrayBuffer.isView(v)) return v.byteLength
  let n = 16
  for (const [k, x] of Object.entries(v)) n += (Array.isArray(v) ? 0 : k.length) + sizeOf(x)
  return n
}

export class Shelves {
  private lists: Map<Shelf, Map<string, Entry>> | null = null
  private readonly touched = new Set<Shelf>()
  /** awaited: what was opened before it stood on its shelf. */
  private readonly awaited = new Map<string, number>()
  /** clock counts what is put and opened. */
  private clock = 0
  private readonly store: Store

  constructor(store: Store) {
    this.store = store
  }

  /** load reads the lists, once. */
  async load(): Promise<void> {
    if (this.lists) return
    const lists = new Map<Shelf, Map<string, Entry>>()
    for (const s of all) lists.set(s, await this.read(s))
    this.lists ??= lists
  }

  /** forget has the lists read again: a write has failed. */
  forget(): void {
    this.lists = null
  }

  async keys(s: Shelf): Promise<readonly Key[]> {
    await this.load()
    return [...this.on(s).keys()]
  }

  put(s: Shelf, key: string, bytes: number): void {
    const opened = this.on(s).get(key)?.opened ?? this.awaited.get(`${s}/${key}`) ?? 0
    this.awaited.delete(`${s}/${key}`)
    this.on(s).set(key, { bytes, put: ++this.clock, opened })
    this.touched.add(s)
  }

  drop(s: Shelf, key: string): void {
    if (this.on(s).delete(key)) this.touched.add(s)
  }

  open(s: Shelf, key: string): void {
    const e = this.on(s).get(key)
    if (!e) {
      this.awaited.set(`${s}/${key}`, ++this.clock)
      return
    }
    this.on(s).set(key, { ...e, opened: ++this.clock })
    this.touched.add(s)
  }

  /** bound takes from the shelves what is too much, and returns the writes that do it and store the lists. */
  bound(): Write[] {
    const writes: Write[] = []
    for (const s of this.touched) {
      const table: Table = s
      const list = this.on(s)
      const order = [...list].sort(([, a], [, b]) => a.opened - b.opened || a.put - b.put)
      let bytes = order.reduce((n, [, e]) => n + e.bytes, 0)
      while (order.length > bounds[s].count || (bytes > bounds[s].bytes && order.length > 1)) {
        const [key, e] = order.shift()!
        bytes -= e.bytes
        list.delete(key)
        writes.push({ table, key })
      }
      const value: Listed[] = order.map(([key, e]) => [key, e.bytes, e.opened])
      writes.push({ table: 'meta', key: `held.${s}`, value }, { table: 'meta', key: `shelf.${s}` })
    }
    this.touched.clear()
    return writes
  }

  private on(s: Shelf): Map<string, Entry> {
    return this.lists?.get(s) ?? new Map()
  }

  private async read(s: Shelf): Promise<Map<string, Entry>> {
    let list = (await this.store.get('meta', `held.${s}`)) as readonly Listed[] | undefined
    // Of an earlier version, which kept the order only.
    if (!list) list = (await this.store.entries(s)).map(([key, v]) => [String(key), sizeOf(v), 0] as const)
    const out = new Map<string, Entry>()
    for (const [key, bytes, opened] of list) {
      out.set(key, { bytes, put: ++this.clock, opened })
      this.clock = Math.max(this.clock, opened)
    }
    return out
  }
}
