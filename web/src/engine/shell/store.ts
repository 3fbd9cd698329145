// The store of one account slot: tables of plain values, in IndexedDB or, where that is refused, in memory. Guarantees: the
// writes of one call are made all or none and in the order of the calls; with `fence`, only while this window is the one
// that leads, so that a window that slept through losing the lead cannot write over its successor. The store knows nothing
// of what the values mean; tables.ts does.
import { type IDBPDatabase, openDB } from 'idb'

export const tables = ['meta', 'items', 'counters', 'kept', 'done', 'drafts', 'lines', 'stretches', 'people', 'photos', 'memory'] as const
export type Table = (typeof tables)[number]
export type Key = string | number

/** Write puts a value under a key; without a value it deletes what is there. */
export interface Write {
  readonly table: Table
  readonly key: Key
  readonly value?: unknown
}

export interface WriteOptions {
  /** strict: on the disk before the promise ends, where the browser can. */
  readonly strict?: boolean
  /** fence: refuse unless this window claimed the store last. */
  readonly fence?: string
}

/** StoreError: full = no room or the write failed; fenced = another window leads. */
export class StoreError extends Error {
  readonly why: 'full' | 'fenced'
  constructor(why: 'full' | 'fenced') {
    super(why)
    this.why = why
  }
}

export interface Store {
  readonly kind: 'disk' | 'memory'
  get(table: Table, key: Key): Promise<unknown>
  /** entries of a table in order of their keys. */
  entries(table: Table): Promise<readonly (readonly [Key, unknown])[]>
  /** write makes all writes or none; it rejects with StoreError only. */
  write(writes: readonly Write[], options?: WriteOptions): Promise<void>
  /** claim makes this the window whose fenced writes are taken. */
  claim(fence: string): Promise<void>
  /** wipe deletes everything but settings of the window. */
  wipe(): Promise<void>
  close(): void
}

const fenceKey = 'fence'
const version = 1

/** openTimeout: an open that takes longer counts as refused. */
export const openTimeout = 4000

/** openStore opens the database of a slot, or a store in memory if there can be none. */
export async function openStore(slot: string, after: (ms: number, fn: () => void) => () => void): Promise<Store> {
  if (typeof indexedDB === 'undefined') return new MemoryStore()
  let late = false
  let stop = () => {}
  const timeout = new Promise<null>((resolve) => {
    stop = after(openTimeout, () => {
      late = true
      resolve(null)
    })
  })
  const open = async () => openDB(`bonghwa-${slot}`, version, {
    upgrade(db) {
      for (const t of tables) if (!db.objectStoreNames.contains(t)) db.createObjectStore(t)
    },
    // A newer client wants to change the schema: it must not wait for this window.
    blocking(_current, _blocked, event) {
      ;(event.target as IDBDatabase).close()
    },
  })
  // Some browsers refuse by throwing, some by an error, some by silence.
  const opening = open().then(
    (db) => {
      if (!late) return db
      db.close()
      return null
    },
    () => null,
  )
  const db = await Promise.race([opening, timeout])
  stop()
  return db ? new DiskStore(db) : new MemoryStore()
}

class DiskStore implements Store {
  readonly kind = 'disk'
  private readonly db: IDBPDatabase
  constructor(db: IDBPDatabase) {
    this.db = db
  }

  async get(table: Table, key: Key): Promise<unknown> {
    return this.db.get(table, key).catch(() => undefined)
  }

  async entries(table: Table): Promise<readonly (readonly [Key, unknown])[]> {
    try {
      const tx = this.db.transaction(table)
      const [keys, values] = await Promise.all([tx.store.getAllKeys(), tx.store.getAll()])
      return keys.map((k, i) => [k as Key, values[i] as unknown] as const)
    } catch {
      return []
    }
  }

  async write(writes: readonly Write[], options: WriteOptions = {}): Promise<void> {
    const names = new Set<string>(writes.map((w) => w.table))
    if (options.fence !== undefined) names.add('meta')
    if (names.size === 0) return
    try {
      const tx = this.db.transaction([...names], 'readwrite', { durability: options.strict ? 'strict' : 'relaxed' })
      // A failed request rejects on its own besides aborting the transaction; what counts is tx.done.
      const done = tx.done.then(
        () => null,
        (e: unknown) => e ?? new Error('aborted'),
      )
      if (options.fence !== undefined && (await tx.objectStore('meta').get(fenceKey)) !== options.fence) {
        tx.abort()
        await done
        throw new StoreError('fenced')
      }
      try {
        for (const w of writes) {
          const s = tx.objectStore(w.table)
          const r = w.value === undefined ? s.delete(w.key) : s.put(w.value, w.key)
          r.catch(() => undefined)
        }
      } catch (e) {
        tx.abort() // a value that cannot be stored
        await done
        throw e
      }
      const failed = await done
      if (failed) throw failed
    } catch (e) {
      throw e instanceof StoreError ? e : new StoreError('full')
    }
  }

  claim(fence: string): Promise<void> {
    return this.write([{ table: 'meta', key: fenceKey, value: fence }], { strict: true })
  }

  async wipe(): Promise<void> {
    try {
      const tx = this.db.transaction([...tables], 'readwrite', { durability: 'strict' })
      for (const t of tables) void tx.objectStore(t).clear()
      await tx.done
    } catch {
      throw new StoreError('full')
    }
  }

  close(): void {
    this.db.close()
  }
}

/** MemoryStore lasts as long as the page. */
export class MemoryStore implements Store {
  readonly kind = 'memory'
  private readonly maps = new Map<Table, Map<Key, unknown>>(tables.map((t) => [t, new Map()]))

  private map(table: Table): Map<Key, unknown> {
    return this.maps.get(table) ?? new Map()
  }

  async get(table: Table, key: Key): Promise<unknown> {
    return this.map(table).get(key)
  }

  async entries(table: Table): Promise<readonly (readonly [Key, unknown])[]> {
    return [...this.map(table)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  }

  async write(writes: readonly Write[], options: WriteOptions = {}): Promise<void> {
    if (options.fence !== undefined && this.map('meta').get(fenceKey) !== options.fence) throw new StoreError('fenced')
    for (const w of writes) {
      if (w.value === undefined) this.map(w.table).delete(w.key)
      else this.map(w.table).set(w.key, w.value)
    }
  }

  async claim(fence: string): Promise<void> {
    this.map('meta').set(fenceKey, fence)
  }

  async wipe(): Promise<void> {
    for (const m of this.maps.values()) m.clear()
  }

  close(): void {}
}

/** inMemory copies what can be read of a store that cannot be written. */
export async function inMemory(from: Store): Promise<Store> {
  const copy = new MemoryStore()
  for (const table of ['meta', 'items', 'counters', 'kept', 'done', 'lines', 'drafts'] as const) {
    await copy.write((await from.entries(table)).map(([key, value]) => ({ table, key, value })))
  }
  return copy
}
